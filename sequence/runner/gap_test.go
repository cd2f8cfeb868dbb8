package runner_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// listed counts the searches, and what they list, by reason.
type listed struct {
	mu       sync.Mutex
	searches map[string]int
	items    map[string]int
}

func (l *listed) Observe(o runner.Observation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.searches == nil {
		l.searches, l.items = make(map[string]int), make(map[string]int)
	}
	if o.Kind == runner.ObserveRequest && (o.Op == "search" || o.Op == "profile") {
		l.searches[o.Op+" "+o.Reason]++
		l.items[o.Op+" "+o.Reason] += o.Count
	}
}

// answerFrom has somebody else than the recipient answer in the thread.
func (w *world) answerFrom(addr, to string) {
	w.t.Helper()
	for _, s := range w.office.Books().SentFrom(sender) {
		if s.Recipients[0] != to {
			continue
		}
		raw := "From: " + addr + "\r\nTo: " + sender + "\r\nSubject: Re: A role in Lisbon\r\nMessage-ID: <a-" + addr + ">\r\nIn-Reply-To: " + s.MessageID +
			"\r\nReferences: " + s.MessageID + "\r\n\r\nI answer from here.\r\n"
		if _, err := w.office.Deliver(postoffice.Mail{To: sender, Raw: []byte(raw)}); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	w.t.Fatalf("nothing was sent to %s", to)
}

// TestGapCostsWhatIsTracked: after an outage of a month, with a cursor that has
// expired, every answer is seen, and of thousands of other mails not even the
// identifiers are asked for.
func TestGapCostsWhatIsTracked(t *testing.T) {
	seen := &listed{}
	w := newWorld(t, onMemstore, func(c *runner.Config) { c.Observer = seen })
	w.person("grace@example.net")
	w.person("ada@example.net")
	w.person("edsger@example.net")
	grace, ada, edsger := w.enroll("grace@example.net").ID, w.enroll("ada@example.net").ID, w.enroll("edsger@example.net").ID
	w.tick()
	w.pass(time.Hour)
	for day := range 30 {
		for i := range 100 {
			w.deliverTo(sender, fmt.Sprintf("somebody%d@example.org", i), "Other mail")
			w.clock.Advance(time.Second)
		}
		switch day {
		case 3:
			w.answerFrom("grace.private@example.org", "grace@example.net")
		case 10:
			if _, err := w.office.Write(provider.Address{Addr: "ada@example.net"}, sender, "About your mail", "", "Let us talk."); err != nil {
				t.Fatal(err)
			}
		}
		w.clock.Advance(24*time.Hour - 100*time.Second)
	}
	w.box.ExpireChanges()
	before, gone := seen.items["search gap"], seen.searches["search gap"]
	w.tick()
	w.want(grace, runner.StatusReplied, 1)
	w.want(ada, runner.StatusReplied, 1)
	w.want(edsger, runner.StatusActive, 2) // the follow-up that was due leaves after the read
	if items, searches := seen.items["search gap"]-before, seen.searches["search gap"]-gone; items > 10 || searches > 2 {
		t.Errorf("closing the gap took %d searches and listed %d messages", searches, items)
	}
	w.sound()
}

// TestGapIsResumed: a mail service that lets us ask for little at a time is
// not asked the same again.
func TestGapIsResumed(t *testing.T) {
	seen := &listed{}
	w := newWorld(t, onMemstore, func(c *runner.Config) { c.Observer = seen; c.Options.PerMailbox = 100 })
	const people = 3*provider.MaxQueryThreads - 5
	var last string
	for i := range people {
		addr := fmt.Sprintf("person%02d@example.net", i)
		w.person(addr)
		last = w.enroll(addr).ID
	}
	w.pass(time.Hour)
	w.answerFrom("private@example.org", fmt.Sprintf("person%02d@example.net", people-1))
	w.box.ExpireChanges()
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpSearch, Fault: postoffice.FaultCall})
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpSearch, Fault: postoffice.FaultThrottle, RetryAfter: 7 * time.Minute})
	searches, profiles := seen.searches["search gap"], seen.searches["profile gap"]
	w.pass(45 * time.Minute)
	w.want(last, runner.StatusReplied, 1)
	if n := seen.searches["search gap"] - searches; n != 4 {
		t.Errorf("%d searches for three parts, one of which was refused once", n)
	}
	if n := seen.searches["profile gap"] - profiles; n != 1 {
		t.Errorf("%d cursors were taken", n)
	}
	w.sound()
}

// TestCrashWhileReading: a process that dies at any commit of a read, over a
// page of the feed or a gap in it, has missed nothing and told nothing twice.
func TestCrashWhileReading(t *testing.T) {
	for name, gap := range map[string]bool{"the feed": false, "a gap": true} {
		t.Run(name, func(t *testing.T) {
			for n, done := 0, false; !done; n++ {
				var broken *countdown
				w := newWorld(t, onMemstore, func(c *runner.Config) {
					broken = &countdown{EnrollmentStore: c.Store, left: -1}
					c.Store = broken
				})
				for _, addr := range []string{"grace@example.net", "ada@example.net"} {
					w.person(addr)
				}
				grace, ada := w.enroll("grace@example.net").ID, w.enroll("ada@example.net").ID
				w.tick()
				w.clock.Advance(time.Minute)
				w.answerFrom("grace.private@example.org", "grace@example.net")
				w.answerFrom("ada@example.net", "ada@example.net")
				if gap {
					w.box.ExpireChanges()
				}
				w.clock.Advance(6 * time.Minute)
				broken.left = n
				_, err := w.run.Tick(t.Context())
				done = err == nil
				broken.left = -1
				w.run = w.runner() // another process
				w.pass(30 * time.Minute)
				w.want(grace, runner.StatusReplied, 1)
				w.want(ada, runner.StatusReplied, 1)
				for _, id := range []string{grace, ada} {
					if got := directions(w.conversation(id)); got != "out in(human)" {
						t.Errorf("after a crash at commit %d the conversation is %q", n, got)
					}
				}
				if k := w.count(runner.EventReplied); k != 2 {
					t.Errorf("after a crash at commit %d %d answers were told", n, k)
				}
				w.sound()
				if n > 100 {
					t.Fatal("the read does not end")
				}
			}
		})
	}
}

// countdown is a store whose process dies after so many commits: it takes none
// any more.
type countdown struct {
	store.EnrollmentStore
	left int // negative is never
}

func (s *countdown) Commit(ctx context.Context, b store.Batch) error {
	if s.left == 0 {
		return errDead
	}
	if s.left > 0 {
		s.left--
	}
	return s.EnrollmentStore.Commit(ctx, b)
}
