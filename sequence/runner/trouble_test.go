package runner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// passes keeps how passes ended.
type passes struct {
	audit
	errs []error
}

func (p *passes) Observe(o runner.Observation) {
	p.audit.Observe(o)
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.Kind == runner.ObservePass {
		p.errs = append(p.errs, o.Err)
	}
}

func (w *world) explained(id string) string {
	w.t.Helper()
	ex, err := w.run.Explain(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(ex.Text, "\n")
}

// TestTroubleIsTold: a mailbox that can't be worked on says so, where a host
// looks and to its Observer, until it can again.
func TestTroubleIsTold(t *testing.T) { onEachStore(t, testTroubleIsTold) }

func testTroubleIsTold(t *testing.T, on storage) {
	told := &passes{}
	w := newWorld(t, on, func(c *runner.Config) { c.Observer = told })
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.open.err = &provider.Error{Kind: provider.ErrTemporary, Op: "open", Reason: "key_service_down"}
	w.pass(3 * time.Hour)
	if text := w.explained(id); !strings.Contains(text, "key_service_down") {
		t.Errorf("explained as:\n%s", text)
	}
	if n := len(told.errs); n == 0 || told.errs[n-1] == nil || !strings.Contains(told.errs[n-1].Error(), "key_service_down") {
		t.Errorf("the passes ended with %v", told.errs)
	}
	w.open.err = nil
	w.pass(2 * time.Hour)
	w.want(id, runner.StatusActive, 1)
	if text := w.explained(id); strings.Contains(text, "key_service_down") {
		t.Errorf("still explained as:\n%s", text)
	}
	w.sound()
}

// TestLinkIsGone: what waits for a link that was deleted is held, visibly.
func TestLinkIsGone(t *testing.T) { onEachStore(t, testLinkIsGone) }

func testLinkIsGone(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.open.err = &provider.Error{Kind: provider.ErrNotFound, Op: "open", Reason: "no_such_link"}
	w.pass(time.Hour)
	w.want(id, runner.StatusHeld, 0)
	if text := w.explained(id); !strings.Contains(text, "no_such_link") {
		t.Errorf("explained as:\n%s", text)
	}
}

// damaging is a store whose disk spoiled one enrollment.
type damaging struct {
	store.EnrollmentStore
	id string
}

func (d *damaging) Load(ctx context.Context, ids []string) ([]store.Enrollment, error) {
	rows, err := d.EnrollmentStore.Load(ctx, ids)
	for i := range rows {
		if rows[i].ID == d.id {
			rows[i].State = []byte("spoiled")
		}
	}
	return rows, err
}

// TestDamagedRecord: one record that can't be read stops nothing else.
func TestDamagedRecord(t *testing.T) { onEachStore(t, testDamagedRecord) }

func testDamagedRecord(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	w.person("alan@example.net")
	bad, good := w.enroll("grace@example.net").ID, w.enroll("alan@example.net").ID
	w.cfg.Store = &damaging{w.store, bad}
	w.run = w.runner()
	w.pass(9 * day)
	w.want(good, runner.StatusCompleted, 3)
	if got := w.events.kinds(bad); got != "enrolled flagged" {
		t.Errorf("of the damaged one is told %q", got)
	}
	rows, err := w.store.Load(t.Context(), []string{bad})
	if err != nil || len(rows) != 1 || !rows[0].Flagged || rows[0].Status != string(runner.StatusHeld) || !rows[0].Due.IsZero() {
		t.Errorf("it is stored as %+v, %v", rows, err)
	}
	w.sound()
}

// words is a Renderer that fails in a way of its own until a time.
type words struct {
	w     *world
	until time.Time
	fail  func() error
}

func (r *words) Render(_ context.Context, q runner.RenderRequest) (runner.Rendered, error) {
	if r.w.clock.Now().Before(r.until) {
		if err := r.fail(); err != nil {
			return runner.Rendered{}, err
		}
	}
	return runner.Rendered{Subject: q.Step.Subject, Text: q.Step.Text}, nil
}

// TestRendererFails: the mail waits and says why, and goes out once the
// renderer works; one that never works again is given to a person.
func TestRendererFails(t *testing.T) { onEachStore(t, testRendererFails) }

func testRendererFails(t *testing.T, on storage) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("no templates today") }, "panic": func() error { panic("no templates today") },
	} {
		t.Run(name, func(t *testing.T) {
			r := &words{fail: fail, until: start.Add(5 * time.Hour)}
			w := newWorld(t, on, func(c *runner.Config) { c.Renderer = r })
			r.w = w
			w.person("grace@example.net")
			id := w.enroll("grace@example.net").ID
			w.pass(4 * time.Hour)
			w.want(id, runner.StatusActive, 0)
			if text := w.explained(id); !strings.Contains(text, "no templates today") {
				t.Errorf("explained as:\n%s", text)
			}
			w.pass(2 * time.Hour)
			w.want(id, runner.StatusActive, 1)
			r.until = start.Add(90 * day)
			w.pass(5 * day)
			w.want(id, runner.StatusHeld, 1)
			w.sound()
		})
	}
}

// TestGuardFails: a guard that fails, panics or says what nobody knows holds
// the mail and says why.
func TestGuardFails(t *testing.T) { onEachStore(t, testGuardFails) }

func testGuardFails(t *testing.T, on storage) {
	for why, guard := range map[string]runner.Guard{
		"failed": func(context.Context, runner.Enrollment, sequence.Step) (runner.Verdict, error) {
			return "", errors.New("down")
		},
		"panic":            func(context.Context, runner.Enrollment, sequence.Step) (runner.Verdict, error) { panic("down") },
		"no known verdict": func(context.Context, runner.Enrollment, sequence.Step) (runner.Verdict, error) { return "no", nil },
	} {
		w := newWorld(t, on, func(c *runner.Config) { c.Guard = guard })
		w.person("grace@example.net")
		id := w.enroll("grace@example.net").ID
		w.pass(time.Hour)
		w.want(id, runner.StatusActive, 0)
		if text := w.explained(id); !strings.Contains(text, "the host's guard") || why != "panic" && !strings.Contains(text, why) {
			t.Errorf("%s: explained as:\n%s", why, text)
		}
	}
}

// TestZoneIsGone: nothing leaves by a wrong clock.
func TestZoneIsGone(t *testing.T) { onEachStore(t, testZoneIsGone) }

func testZoneIsGone(t *testing.T, on storage) {
	known := true
	w := newWorld(t, on, func(c *runner.Config) {
		c.Zones = func(name string) (*time.Location, error) {
			if !known {
				return nil, errors.New("no such zone")
			}
			return time.LoadLocation(name)
		}
	})
	w.person("grace@example.net")
	id := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Zone = "Europe/Berlin" }).ID
	known = false
	w.pass(2 * time.Hour)
	w.want(id, runner.StatusHeld, 0)
	if text := w.explained(id); !strings.Contains(text, "Europe/Berlin") {
		t.Errorf("explained as:\n%s", text)
	}
}

// erasing is a log that the host's Erase overtakes.
type erasing struct {
	store.ConversationLog
	once sync.Once
	do   func()
}

func (e *erasing) Append(ctx context.Context, entries []store.Entry) error {
	e.once.Do(e.do)
	return e.ConversationLog.Append(ctx, entries)
}

// TestEraseLeavesNothing: neither the words of a single mail nor what was on
// its way to the log.
func TestEraseLeavesNothing(t *testing.T) { onEachStore(t, testEraseLeavesNothing) }

func testEraseLeavesNothing(t *testing.T, on storage) {
	var w *world
	slow := &erasing{do: func() {
		if n, err := w.run.Erase(t.Context(), "grace@example.net"); err != nil || n != 1 {
			t.Errorf("%d erased, %v", n, err)
		}
	}}
	w = newWorld(t, on, func(c *runner.Config) {
		slow.ConversationLog = c.Log
		c.Log = slow
	})
	w.person("grace@example.net")
	e, err := w.run.Send(t.Context(), runner.SendParams{
		Key: "one", Link: link, To: provider.Address{Addr: "grace@example.net"}, Subject: "About Grace", Text: "Only Grace may know.",
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := w.store.Load(t.Context(), []string{e.ID})
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	w.pass(time.Hour)
	if _, err := w.store.LoadDefinition(t.Context(), rows[0].Sequence); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("her words are kept as a definition: %v", err)
	}
	if left := w.conversation(e.ID); len(left) != 0 {
		t.Errorf("the log keeps %v", left)
	}
}

// TestFollowUpsSearchForWhoIsDue: with many tracked, a follow-up costs a
// search for its own recipient, not for all.
func TestFollowUpsSearchForWhoIsDue(t *testing.T) { onEachStore(t, testFollowUpsSearchForWhoIsDue) }

func testFollowUpsSearchForWhoIsDue(t *testing.T, on storage) {
	w := newWorld(t, on)
	for i := range 3*provider.MaxQuerySenders + 1 {
		addr := fmt.Sprintf("p%d@example.net", i)
		w.person(addr)
		w.enroll(addr, func(p *runner.EnrollParams) {
			if i > 0 {
				p.Sequence = &sequence.Sequence{ID: "one", Version: 1, Steps: threeSteps().Steps[:1]}
			}
		})
	}
	w.pass(3 * time.Hour)
	for w.mails("p0@example.net") < 2 {
		w.clock.Advance(4 * time.Minute) // between two reads by themselves
		before, sent := w.seen.counts["search search"], w.mails("p0@example.net")
		w.tick()
		if n := w.seen.counts["search search"] - before; w.mails("p0@example.net") > sent && n != 1 && n != 1+4 {
			t.Errorf("a follow-up cost %d searches", n)
		}
	}
	w.sound()
}

// TestList finds enrollments by what hosts know of them.
func TestList(t *testing.T) { onEachStore(t, testList) }

func testList(t *testing.T, on storage) {
	w := newWorld(t, on)
	a := w.enroll("a@example.net")
	w.enroll("b@example.net")
	e, err := w.run.Send(t.Context(), runner.SendParams{Key: "m", Link: link, To: provider.Address{Addr: "a@example.net"}, Subject: "Hello", Text: "Hello."})
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		p    runner.ListParams
		want int
	}{
		"all": {runner.ListParams{}, 3}, "an address": {runner.ListParams{Recipient: "A@example.net"}, 2}, "mails": {runner.ListParams{Kind: "mail"}, 1},
		"a status": {runner.ListParams{Status: runner.StatusReplied}, 0}, "the first": {runner.ListParams{Limit: 1}, 1},
	} {
		list, err := w.run.List(t.Context(), c.p)
		if err != nil || len(list) != c.want {
			t.Errorf("%s: %d, %v, want %d", what, len(list), err, c.want)
		}
	}
	if _, err := w.run.List(t.Context(), runner.ListParams{Recipient: "nobody"}); !errors.Is(err, provider.ErrInvalid) {
		t.Errorf("a recipient that is no address: %v", err)
	}
	if got, err := w.run.ByKey(t.Context(), "m"); err != nil || got.ID != e.ID {
		t.Errorf("by the key of a mail: %v, %v", got.ID, err)
	}
	if got, err := w.run.ByKey(t.Context(), a.Key); err != nil || got.ID != a.ID {
		t.Errorf("by the key of a drip: %v, %v", got.ID, err)
	}
	if _, err := w.run.ByKey(t.Context(), "none"); !errors.Is(err, runner.ErrNotFound) || !strings.Contains(err.Error(), "none") {
		t.Errorf("by no key: %v", err)
	}
	if _, err := w.run.Skip(t.Context(), a.ID, 9); !errors.Is(err, provider.ErrInvalid) || !strings.Contains(err.Error(), "[1 2 3]") {
		t.Errorf("skipping a step that is not there: %v", err)
	}
}

// TestReturnDateInTheRecipientsZone: who is back on a day is back when that
// day begins where they are.
func TestReturnDateInTheRecipientsZone(t *testing.T) {
	onEachStore(t, testReturnDateInTheRecipientsZone)
}

func testReturnDateInTheRecipientsZone(t *testing.T, on storage) {
	w := newWorld(t, on)
	back := time.Date(2026, 9, 10, 0, 0, 0, 0, time.UTC)
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.OutOfOffice, On: 1, After: time.Minute, Until: back})
	w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Zone = "Pacific/Honolulu" })
	w.pass(20 * day)
	loc, err := time.LoadLocation("Pacific/Honolulu")
	if err != nil {
		t.Fatal(err)
	}
	if n := w.mails("grace@example.net"); n != 3 {
		t.Fatalf("%d mails", n)
	}
	if at := w.office.Books().Submissions()[1].At.In(loc); at.Day() < 10 {
		t.Errorf("back on 10 September, and the next mail leaves %v", at)
	}
	w.sound()
}

// TestSendOnlyMailboxMended: a mailbox that nothing is read of is worked on
// once after it was mended, and not for ever.
func TestSendOnlyMailboxMended(t *testing.T) { onEachStore(t, testSendOnlyMailboxMended) }

func testSendOnlyMailboxMended(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.open.access = provider.AccessSend
	w.person("grace@example.net")
	id := w.enroll("grace@example.net", func(p *runner.EnrollParams) {
		p.Sequence = threeSteps()
		p.Sequence.AcceptBlind = true
	}).ID
	w.open.err = &provider.Error{Kind: provider.ErrRelink, Op: "open", Reason: "invalid_grant"}
	w.pass(time.Hour)
	w.open.err = nil
	w.clock.Advance(time.Hour)
	if rep := w.tick(); rep.Mailboxes > 5 {
		t.Errorf("one tick went over the mailbox %d times", rep.Mailboxes)
	}
	w.pass(9 * day)
	w.want(id, runner.StatusCompleted, 3)
	w.sound()
}
