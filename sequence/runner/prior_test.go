package runner_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// priors are the events of earlier mail, by enrollment.
func (w *world) priors() map[string]runner.Event {
	w.events.mu.Lock()
	defer w.events.mu.Unlock()
	out := make(map[string]runner.Event)
	for _, ev := range w.events.events {
		if ev.Kind == runner.EventPriorContact {
			out[ev.Enrollment] = ev
		}
	}
	return out
}

func (w *world) write(from, subject, inReplyTo, text string) {
	w.t.Helper()
	if _, err := w.office.Write(provider.Address{Addr: from}, sender, subject, inReplyTo, text); err != nil {
		w.t.Fatal(err)
	}
}

// TestPriorContact: mail that a recipient wrote before is told of before the
// first step leaves, counted and unopened, by one search for all who are due.
func TestPriorContact(t *testing.T) { onEachStore(t, testPriorContact) }

func testPriorContact(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.write("p03@example.net", "An application", "", "Hello, I am looking for work.")
	w.write("p03@example.net", "Once more", "", "Did you see it?")
	w.write("p09@example.net", "An application", "", "Hello.")
	w.clock.Advance(30 * day)
	ids := make(map[string]string)
	for i := range 12 {
		addr := fmt.Sprintf("p%02d@example.net", i)
		w.person(addr)
		ids[addr] = w.enroll(addr).ID
	}
	if n := w.box.Requests()[postoffice.RequestSearch]; n != 0 {
		t.Errorf("enrolling made %d searches", n)
	}
	w.tick()
	got := w.priors()
	if len(got) != 2 || got[ids["p03@example.net"]].Count != 2 || got[ids["p09@example.net"]].Count != 1 {
		t.Errorf("earlier mail is told of as %+v", got)
	}
	for _, id := range ids {
		w.want(id, runner.StatusActive, 1)
	}
	// Twelve were halved until two were left: 1 + 2 + 4 + 4 + 4.
	if n := w.seen.counts["search prior"]; n > 15 {
		t.Errorf("%d searches", n)
	}
	if n := w.seen.counts["envelope prior"] + w.seen.counts["envelope sender"] + w.seen.counts["content matched"]; n != 0 {
		t.Errorf("%d of the earlier mails were opened", n)
	}
	w.pass(9 * day)
	for _, id := range ids {
		w.want(id, runner.StatusCompleted, 3)
	}
	if len(w.priors()) != 2 || w.seen.counts["search prior"] > 15 {
		t.Error("it was looked for again")
	}
	w.sound()
}

// TestNoPriorContact: that there is nothing is known after one request, for
// fifty who are due at once.
func TestNoPriorContact(t *testing.T) {
	w := newWorld(t, onMemstore)
	for i := range provider.MaxQuerySenders {
		addr := fmt.Sprintf("p%02d@example.net", i)
		w.person(addr)
		w.enroll(addr)
	}
	w.tick()
	if n := w.seen.counts["search prior"]; n != 1 {
		t.Errorf("%d searches for %d first steps", n, provider.MaxQuerySenders)
	}
	if len(w.priors()) != 0 {
		t.Error("earlier mail is told of that nobody wrote")
	}
}

// TestPriorHold holds the drips of those who wrote before, until a person
// lets them go.
func TestPriorHold(t *testing.T) { onEachStore(t, testPriorHold) }

func testPriorHold(t *testing.T, on storage) {
	w := newWorld(t, on, func(c *runner.Config) { c.Options.Prior = runner.PriorHold })
	w.write("anna@example.net", "An application", "", "Hello.")
	w.clock.Advance(day)
	w.person("anna@example.net")
	w.person("ben@example.net")
	anna, ben := w.enroll("anna@example.net").ID, w.enroll("ben@example.net").ID
	w.pass(day)
	if e := w.want(anna, runner.StatusHeld, 0); !e.Flagged || e.Hold != "an earlier mail of the recipient lies in the mailbox" {
		t.Errorf("flagged %t, held because %q", e.Flagged, e.Hold)
	}
	w.want(ben, runner.StatusActive, 1)
	if _, err := w.run.Resume(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	w.pass(9 * day)
	w.want(anna, runner.StatusCompleted, 3)
}

// TestPriorLimits: nobody looks where the host switched it off, where the link
// can't search, further back than the span, or for a single mail.
func TestPriorLimits(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*runner.Options)
		access provider.Access
		mail   bool
		asked  bool
	}{
		"switched off": {change: func(o *runner.Options) { o.Prior = runner.PriorSkip }, access: provider.AccessReplies},
		"a short span": {change: func(o *runner.Options) { o.PriorSpan = 20 * day }, access: provider.AccessReplies, asked: true},
		"send only":    {change: func(*runner.Options) {}, access: provider.AccessSend},
		"single mail":  {change: func(*runner.Options) {}, access: provider.AccessReplies, mail: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, onMemstore, func(cfg *runner.Config) { c.change(&cfg.Options) })
			w.open.access = c.access
			w.write("anna@example.net", "An application", "", "Hello.")
			w.clock.Advance(30 * day)
			w.person("anna@example.net")
			id := ""
			if c.mail {
				e, err := w.run.Send(t.Context(), runner.SendParams{Key: "k", Link: link, To: provider.Address{Addr: "anna@example.net"}, Subject: "Hello", Text: "Hello."})
				if err != nil {
					t.Fatal(err)
				}
				id = e.ID
			} else {
				id = w.enroll("anna@example.net", func(p *runner.EnrollParams) {
					seq := threeSteps()
					seq.AcceptBlind = true
					p.Sequence = seq
				}).ID
			}
			w.tick()
			if got := w.get(id).StepsSent; got != 1 {
				t.Errorf("%d sent", got)
			}
			if n := w.seen.counts["search prior"]; (n > 0) != c.asked || len(w.priors()) != 0 {
				t.Errorf("%d searches, told %v", n, w.priors())
			}
		})
	}
}

// TestPriorFails: the first step waits until it is known.
func TestPriorFails(t *testing.T) { onEachStore(t, testPriorFails) }

func testPriorFails(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.write("anna@example.net", "An application", "", "Hello.")
	w.clock.Advance(day)
	w.person("anna@example.net")
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpSearch, Fault: postoffice.FaultTemporary})
	id := w.enroll("anna@example.net").ID
	w.tick()
	w.want(id, runner.StatusActive, 0)
	w.pass(time.Hour)
	w.want(id, runner.StatusActive, 1)
	if w.priors()[id].Count != 1 {
		t.Error("nobody was told")
	}
}
