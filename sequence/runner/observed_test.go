package runner_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// observations keeps all that an Observer is told.
type observations struct {
	mu   sync.Mutex
	list []runner.Observation
}

func (o *observations) Observe(ob runner.Observation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = append(o.list, ob)
}

// of lists the calls of one operation.
func (o *observations) of(op string) []runner.Observation {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(o.list), func(ob runner.Observation) bool { return ob.Op != op })
}

// TestObserved: every call is told alike, with its count, its time in UTC and
// its message; of one that failed nothing is counted.
func TestObserved(t *testing.T) {
	for name, fail := range map[string]error{
		"answered": nil, "failed": &provider.Error{Kind: provider.ErrTemporary, Op: "envelope", Reason: "http_502"},
	} {
		t.Run(name, func(t *testing.T) {
			var seen observations
			w := newWorld(t, onMemstore, func(c *runner.Config) { c.Observer = &seen })
			w.person("ada@example.net", postoffice.Behaviour{Do: postoffice.Answer, After: time.Hour})
			w.enroll("ada@example.net")
			w.tick()
			if fail != nil {
				w.open.wrap = func(mb provider.Mailbox) provider.Mailbox { return &headless{Mailbox: mb, err: fail} }
			}
			w.pass(3 * time.Hour)
			asked := seen.of("envelope")
			if len(asked) == 0 {
				t.Fatal("no headers were asked for")
			}
			failed := 0
			for _, o := range asked {
				want := 1
				if o.Err != nil {
					want = 0
					failed++
				}
				if o.Count != want || o.Ref == "" || o.Reason == "" {
					t.Errorf("told %+v, want a count of %d", o, want)
				}
			}
			if (failed > 0) != (fail != nil) {
				t.Errorf("%d of %d failed", failed, len(asked))
			}
			for _, o := range seen.list {
				if o.At.IsZero() || o.At.Location() != time.UTC {
					t.Errorf("%s %s began at %v", o.Kind, o.Op, o.At)
				}
			}
		})
	}
}

// headless is a mailbox that gives no headers.
type headless struct {
	provider.Mailbox
	err error
}

func (h *headless) Envelope(context.Context, provider.Ref) (*provider.Envelope, error) {
	return nil, h.err
}

// panicky panics in one of the host's parts until it is mended.
type panicky struct {
	store.ConversationLog
	part string
}

func (b *panicky) fail(part string) {
	if b.part == part {
		panic("the host's " + part + " is broken")
	}
}

type panickySink struct {
	runner.Sink
	*panicky
}

func (s panickySink) Handle(ctx context.Context, ev runner.Event) error {
	s.fail("sink")
	return s.Sink.Handle(ctx, ev)
}

func (b *panicky) Append(ctx context.Context, entries []store.Entry) error {
	b.fail("log")
	return b.ConversationLog.Append(ctx, entries)
}

func (b *panicky) Observe(runner.Observation) { b.fail("observer") }

// TestHostPanics: a panic in the host's code ends no process. What the sink
// and the log did not take comes again.
func TestHostPanics(t *testing.T) {
	for _, part := range []string{"sink", "log", "observer"} {
		t.Run(part, func(t *testing.T) {
			b := &panicky{part: part}
			w := newWorld(t, onMemstore, func(c *runner.Config) {
				b.ConversationLog = c.Log
				c.Log, c.Observer, c.Events = b, b, panickySink{c.Events, b}
			})
			w.person("ada@example.net")
			id := w.enroll("ada@example.net").ID
			if _, err := w.run.Tick(t.Context()); (err == nil) != (part == "observer") {
				t.Errorf("Tick: %v", err)
			}
			w.want(id, runner.StatusActive, 1)
			b.part = ""
			w.tick()
			if got := w.events.kinds(id); got != "enrolled sent" {
				t.Errorf("told %q", got)
			}
			if got := directions(w.conversation(id)); got != "out" {
				t.Errorf("logged %q", got)
			}
			w.sound()
		})
	}
}

// TestTimesAreUTC: whatever zone the host's clock is in.
func TestTimesAreUTC(t *testing.T) {
	east := time.FixedZone("east", 5*3600)
	w := newWorld(t, onMemstore, func(c *runner.Config) {
		now := c.Now
		c.Now = func() time.Time { return now().In(east) }
	})
	w.person("ada@example.net")
	e := w.enroll("ada@example.net", func(p *runner.EnrollParams) { p.Zone = "Asia/Tokyo" })
	w.tick()
	w.pass(time.Hour)
	e = w.get(e.ID)
	ex, err := w.run.Explain(t.Context(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]time.Time{"Due": e.Due, "Created": e.Created, "LastRead": ex.LastRead}
	for _, ev := range w.events.events {
		times["event "+string(ev.Kind)] = ev.At
	}
	for name, at := range times {
		if at.IsZero() || at.Location() != time.UTC {
			t.Errorf("%s is %v", name, at)
		}
	}
	if zone := ex.Due.At.Location().String(); zone != "Asia/Tokyo" {
		t.Errorf("the next step is told in %s", zone)
	}
}

// TestSkipTwice: what can't be skipped any more is said so.
func TestSkipTwice(t *testing.T) {
	w := newWorld(t, onMemstore)
	w.person("ada@example.net")
	id := w.enroll("ada@example.net").ID
	w.tick()
	_, err := w.run.Skip(t.Context(), id, 1)
	wantIs(t, err, sequence.ErrTransition)
	_, err = w.run.Skip(t.Context(), id, 9)
	var field *provider.FieldError
	if !errors.As(err, &field) || field.Field != "step" {
		t.Errorf("a step that is none: %v", err)
	}
}
