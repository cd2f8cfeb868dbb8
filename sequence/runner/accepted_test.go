package runner_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// mute is a mail service that accepts mail and tells nothing of it.
type mute struct{ provider.Mailbox }

func (m mute) Send(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
	r, err := m.Mailbox.Send(ctx, out)
	return provider.Receipt{At: r.At}, err
}

func newMuteWorld(t *testing.T, on storage) *world {
	t.Helper()
	w := newWorld(t, on)
	w.open.wrap = func(mb provider.Mailbox) provider.Mailbox { return mute{mb} }
	return w
}

func (s *sink) count(kind runner.EventKind) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, ev := range s.events {
		if ev.Kind == kind {
			n++
		}
	}
	return n
}

// TestAcceptedIsConfirmed: where the service's answer names no message, its
// copy tells the ids once it is there, without a further mail and without
// waiting for the next step.
func TestAcceptedIsConfirmed(t *testing.T) { onEachStore(t, testAcceptedIsConfirmed) }

func testAcceptedIsConfirmed(t *testing.T, on storage) {
	w := newMuteWorld(t, on)
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	if n := w.seen.counts["locate sent_copy"]; n != 0 {
		t.Errorf("the copy was asked for %d times before it can be there", n)
	}
	w.pass(time.Hour)
	if n := w.seen.counts["locate sent_copy"]; n != 1 {
		t.Errorf("the copy was asked for %d times, want once", n)
	}
	w.pass(10 * day)
	w.want(id, runner.StatusCompleted, 3)
	if n := w.events.count(runner.EventUnconfirmed); n != 0 {
		t.Errorf("%d mails were noted as without a copy", n)
	}
	w.sound()
}

// TestThreadLearnedWithTheCopy: an answer that came into the thread, from an
// address that nobody tracks, before the thread was known, counts.
func TestThreadLearnedWithTheCopy(t *testing.T) { onEachStore(t, testThreadLearnedWithTheCopy) }

func testThreadLearnedWithTheCopy(t *testing.T, on storage) {
	w := newMuteWorld(t, on)
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	sent := w.office.Books().Submissions()
	if len(sent) != 1 {
		t.Fatalf("%d mails", len(sent))
	}
	w.clock.Advance(time.Minute)
	if _, err := w.office.Write(provider.Address{Addr: "grace.private@example.org"}, sender, "Re: A role in Lisbon", sent[0].MessageID, "Yes, call me."); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	w.want(id, runner.StatusReplied, 1)
	w.pass(5 * day)
	w.want(id, runner.StatusReplied, 1)
	w.sound()
}

// TestNoCopies: that no copy appears holds nothing. Three in a row are told.
func TestNoCopies(t *testing.T) { onEachStore(t, testNoCopies) }

func testNoCopies(t *testing.T, on storage) {
	w := newMuteWorld(t, on)
	b := w.box.Beliefs()
	b.SentCopyMissing = true
	w.box.SetBeliefs(b)
	var ids []string
	for i := range 4 {
		addr := fmt.Sprintf("person%d@example.net", i)
		w.person(addr)
		ids = append(ids, w.enroll(addr).ID)
	}
	w.tick()
	w.pass(10 * day)
	for _, id := range ids {
		w.want(id, runner.StatusCompleted, 3)
	}
	if n := w.events.count(runner.EventUnconfirmed); n != 12 {
		t.Errorf("%d mails were noted, want all 12", n)
	}
	if n := w.events.count(runner.EventMailboxFlagged); n != 1 {
		t.Errorf("the mailbox was flagged %d times, want once", n)
	}
	if n := w.events.count(runner.EventHeld); n != 0 {
		t.Errorf("%d holds", n)
	}
	w.sound()
}

// TestLimitReport: a report that the sender was refused stops the mailbox and
// not the candidates, and reading goes on.
func TestLimitReport(t *testing.T) { onEachStore(t, testLimitReport) }

func testLimitReport(t *testing.T, on storage) {
	for _, code := range []string{"5.1.90", "5.1.8", "5.1.91", "5.7.705", "5.7.708", "5.7.232", "5.7.233"} {
		t.Run(code, func(t *testing.T) {
			w := newWorld(t, on)
			w.person("refused@example.net", postoffice.Behaviour{Do: postoffice.Bounce, On: 1, After: time.Minute, Code: code})
			w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 2 * time.Hour})
			w.person("later@example.net")
			refused, grace := w.enroll("refused@example.net").ID, w.enroll("grace@example.net").ID
			w.tick()
			w.pass(time.Hour)
			if n := w.events.count(runner.EventMailboxStopped); n != 1 {
				t.Fatalf("the stop was told %d times", n)
			}
			w.want(refused, runner.StatusHeld, 1)
			if hit, err := w.store.Suppressed(t.Context(), nil); err != nil || len(hit) != 0 {
				t.Errorf("suppressed %v %v", hit, err)
			}
			next := w.enroll("later@example.net").ID
			w.pass(20 * time.Hour)
			w.want(next, runner.StatusActive, 0)
			w.want(grace, runner.StatusReplied, 1)
			if ex, err := w.run.Explain(t.Context(), next); err != nil || ex.StoppedUntil.IsZero() {
				t.Errorf("not explained: %+v %v", ex, err)
			}
			w.pass(8 * time.Hour)
			w.want(next, runner.StatusActive, 1)
			if n := w.events.count(runner.EventMailboxBack); n != 1 {
				t.Errorf("that it goes on was told %d times", n)
			}
			w.sound()
		})
	}
}

// TestPace: no minute has more mails than the limit, wherever it begins, and
// none is lost.
func TestPace(t *testing.T) { onEachStore(t, testPace) }

func testPace(t *testing.T, on storage) {
	for _, perMinute := range []int{1, 7, 30} {
		t.Run(fmt.Sprint(perMinute), func(t *testing.T) {
			w := newWorld(t, on)
			limits := postoffice.DefaultLimits()
			limits.SendsPerMinute = perMinute
			w.prov = postoffice.NewProvider(w.office, postoffice.ProviderConfig{Limits: &limits})
			const people = 70
			for i := range people {
				addr := fmt.Sprintf("person%d@example.net", i)
				w.person(addr)
				w.enroll(addr)
			}
			var times []time.Time
			for range 90 * 60 {
				for n := w.tick().Sent; n > 0; n-- {
					times = append(times, w.clock.Now())
				}
				if len(times) == people {
					break
				}
				w.clock.Advance(time.Second)
			}
			if len(times) != people {
				t.Fatalf("%d mails in 90 minutes", len(times))
			}
			for i := perMinute; i < len(times); i++ {
				if d := times[i].Sub(times[i-perMinute]); d < time.Minute {
					t.Fatalf("%d mails within %v", perMinute+1, d)
				}
			}
			if took := times[len(times)-1].Sub(times[0]); took > time.Duration(people/perMinute+3)*75*time.Second {
				t.Errorf("%d mails took %v", people, took)
			}
			w.sound()
		})
	}
}

// TestReadsAfterIdleness: a mailbox that nobody was written to from is not
// read, and is again as soon as a mail leaves, be it the only one.
func TestReadsAfterIdleness(t *testing.T) { onEachStore(t, testReadsAfterIdleness) }

func testReadsAfterIdleness(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, After: time.Hour})
	if _, err := w.run.Preview(t.Context(), runner.PreviewParams{Key: "look", Link: link, Sequence: threeSteps()}); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * day)
	before := w.seen.counts["changes feed"]
	w.pass(day)
	if n := w.seen.counts["changes feed"] - before; n != 0 {
		t.Errorf("the mailbox was read %d times although nobody is tracked", n)
	}
	e, err := w.run.Send(t.Context(), runner.SendParams{
		Key: "one", Link: link, To: provider.Address{Addr: "grace@example.net"}, Subject: "A question", Text: "Are you free on Monday?",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Hour)
	if got := directions(w.conversation(e.ID)); got != "out in(human)" {
		t.Errorf("the conversation is %q", got)
	}
	w.sound()
}
