package runner_test

import (
	"errors"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// TestWatchIsKept: one watch at any time for as long as anybody is tracked,
// renewed well before its end.
func TestWatchIsKept(t *testing.T) { onEachStore(t, testWatchIsKept) }

func testWatchIsKept(t *testing.T, on storage) {
	w := newPushWorld(t, on)
	id := w.begin("grace@example.net")
	for range 20 * 4 {
		w.pass(6 * time.Hour)
		if n := w.prov.Watches(sender); n != 1 {
			t.Fatalf("%d watches at %v", n, w.clock.Now())
		}
		if s := w.status(); s.Expires.Sub(w.clock.Now()) < 12*time.Hour || !s.RenewAt.Before(s.Expires) {
			t.Fatalf("at %v the watch is %+v", w.clock.Now(), s)
		}
	}
	w.want(id, runner.StatusCompleted, 3)
	if made, renewed := w.seen.counts["watch push"], w.seen.counts["renew push"]; made != 1 || renewed < 8 || renewed > 16 {
		t.Errorf("made %d times and renewed %d times in 20 days", made, renewed)
	}
	w.pass(180 * day)
	if n := w.prov.Watches(sender); n != 0 || w.status().Watched {
		t.Errorf("%d watches though nobody is tracked any more", n)
	}
	w.sound()
}

// TestWatchIsLost: it comes back, and what came meanwhile is read.
func TestWatchIsLost(t *testing.T) { onEachStore(t, testWatchIsLost) }

func testWatchIsLost(t *testing.T, on storage) {
	for name, told := range map[string]bool{"told": true, "silently": false} {
		t.Run(name, func(t *testing.T) {
			w := newPushWorld(t, on)
			id := w.begin("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, After: 3 * time.Hour})
			last := w.pushed[len(w.pushed)-1].Notices[0]
			w.prov.EndWatches(sender)
			w.clock.Set(start.Add(3*time.Hour + time.Second))
			if told {
				last.Kind = provider.NoticeRemoved
				for range 2 { // it may come twice
					if _, err := w.run.Pushed(t.Context(), provider.Push{Notices: []provider.Notice{last}}); err != nil {
						t.Fatal(err)
					}
				}
			} else {
				w.clock.Set(w.status().RenewAt.Add(time.Second))
			}
			w.tick()
			w.want(id, runner.StatusReplied, 1)
			w.tick()
			if n := w.prov.Watches(sender); n != 1 || w.seen.counts["watch push"] != 2 {
				t.Errorf("%d watches, made %d times", n, w.seen.counts["watch push"])
			}
			if rep, err := w.run.Pushed(t.Context(), provider.Push{Notices: []provider.Notice{last}}); err != nil || rep.Ignored != 1 {
				t.Errorf("a late word of the old watch: %+v, %v", rep, err)
			}
		})
	}
}

// TestReauthorization: a watch that waits for it is renewed at the next Tick,
// once, and again when that fails.
func TestReauthorization(t *testing.T) { onEachStore(t, testReauthorization) }

func testReauthorization(t *testing.T, on storage) {
	w := newPushWorld(t, on)
	w.begin("grace@example.net")
	last := w.pushed[len(w.pushed)-1].Notices[0]
	last.Kind = provider.NoticeRenew
	push := func() {
		t.Helper()
		if _, err := w.run.Pushed(t.Context(), provider.Push{Notices: []provider.Notice{last}}); err != nil {
			t.Fatal(err)
		}
	}
	push()
	w.tick()
	w.clock.Advance(time.Minute)
	w.tick()
	if n := w.seen.counts["renew push"]; n != 1 {
		t.Errorf("renewed %d times", n)
	}
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpWatch, Fault: postoffice.FaultTemporary})
	push()
	w.tick()
	w.pass(time.Hour)
	if n := w.seen.counts["renew push"]; n != 3 {
		t.Errorf("after a failure renewed %d times", n)
	}
	if s := w.status(); !s.FailingSince.IsZero() {
		t.Errorf("it is said to fail still: %+v", s)
	}
}

// TestWatchFails: polling goes on, and after a while somebody is told, once.
func TestWatchFails(t *testing.T) { onEachStore(t, testWatchFails) }

func testWatchFails(t *testing.T, on storage) {
	for name, rule := range map[string]postoffice.Rule{
		"refused":   {Fault: postoffice.FaultRefuse, Kind: provider.ErrAccess},
		"throttled": {Fault: postoffice.FaultThrottle, RetryAfter: 10 * time.Minute},
		"down":      {Fault: postoffice.FaultTemporary},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPushWorld(t, on)
			rule.Op, rule.Times = postoffice.OpWatch, -1
			w.prov.Inject(rule)
			w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, After: 26 * time.Hour})
			id := w.enroll("grace@example.net").ID
			w.pass(5 * time.Hour)
			if n := w.count(runner.EventMailboxFlagged); n != 0 {
				t.Errorf("told %d times already", n)
			}
			if s := w.status(); s.Watched || s.FailingSince.IsZero() || s.Reason == "" {
				t.Errorf("the status is %+v", s)
			}
			w.pass(21*time.Hour + 15*time.Minute)
			w.want(id, runner.StatusReplied, 1)
			if n := w.count(runner.EventMailboxFlagged); n != 1 {
				t.Errorf("told %d times", n)
			}
			if n := w.seen.counts["watch push"]; n < 5 || n > 60 {
				t.Errorf("tried %d times in a day", n)
			}
			w.prov.ClearFaults()
			w.pass(2 * time.Hour)
			if s := w.status(); !s.Watched || !s.FailingSince.IsZero() {
				t.Errorf("when it works again the status is %+v", s)
			}
			w.sound()
		})
	}
}

// TestCrashBetweenWatchAndStore: the watch that nobody knows of is ignored,
// and another one made.
func TestCrashBetweenWatchAndStore(t *testing.T) { onEachStore(t, testCrashBetweenWatchAndStore) }

func testCrashBetweenWatchAndStore(t *testing.T, on storage) {
	fail := errors.New("the store is down")
	var broken *failing
	w := newPushWorld(t, on, func(c *runner.Config) {
		broken = &failing{EnrollmentStore: c.Store}
		c.Store = broken
	})
	w.person("grace@example.net")
	w.enroll("grace@example.net")
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpWatch, Fault: postoffice.FaultCall, Call: func() { broken.commit = fail }})
	for w.seen.counts["watch push"] == 0 {
		w.clock.Advance(5 * time.Minute)
		_, _ = w.run.Tick(t.Context())
	}
	if broken.commit == nil || w.status().Watched {
		t.Fatal("the watch was stored")
	}
	broken.commit = nil
	w.pass(time.Hour)
	if s := w.status(); !s.Watched || w.prov.Watches(sender) != 2 {
		t.Errorf("%+v, with %d watches at the service", s, w.prov.Watches(sender))
	}
	w.pushed = nil
	w.deliverTo(sender, "unrelated@example.org", "Lunch")
	w.clock.Advance(0)
	rep, err := w.run.Pushed(t.Context(), w.pushed[0])
	if err != nil || rep.Mailboxes != 1 || rep.Ignored != 1 {
		t.Errorf("of two watches %+v, %v", rep, err)
	}
}
