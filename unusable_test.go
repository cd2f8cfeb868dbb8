package outreach_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// TestUnusableHoldsDrips: the drips of a mailbox that broke too often are held
// and not failed. Once the host forgives and the user links again they go on,
// no faster than the mailbox may.
func TestUnusableHoldsDrips(t *testing.T) {
	onBothServices(t, func(t *testing.T, service string) {
		w := newLinked(t)
		l := w.link(service)
		const many = 40
		var ids []string
		for n := range 3 {
			if n > 0 {
				if _, err := w.answered(linking.BeginParams{Relink: l.ID}, nil); err != nil {
					t.Fatal(err)
				}
			}
			w.withdraw(service)
			for range many / 2 * n {
				ids = append(ids, w.enroll(l.ID, fmt.Sprintf("c%d@example.org", len(ids))))
				if len(ids) == many {
					break
				}
			}
			if len(ids) == 0 {
				ids = append(ids, w.enroll(l.ID, "first@example.org"))
			}
			w.pass(10*time.Minute, time.Minute)
		}
		lost := ""
		for _, ev := range w.events {
			if ev.Kind == runner.EventMailboxLost {
				lost = ev.Reason
			}
		}
		if s := w.status(l.ID); s.Status != store.LinkUnusable || lost == "" || w.count(runner.EventFailed) > 0 {
			t.Fatalf("it is %s, told as %q", s.Status, lost)
		}
		before := len(w.office.Books().SentFrom(addressOf(service)))
		for _, id := range ids {
			if e := w.of(id); e.Status != runner.StatusHeld && e.StepsSent == 0 {
				t.Fatalf("%s is %s", id, e.Status)
			}
		}
		if _, err := w.answered(linking.BeginParams{Relink: l.ID}, nil); !errors.Is(err, linking.ErrUnusable) {
			t.Fatalf("linked again without leave: %v", err)
		}
		if err := w.linker.Forgive(t.Context(), "owner", l.ID); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Hour, 5*time.Minute)
		if n := len(w.office.Books().SentFrom(addressOf(service))); n != before {
			t.Fatalf("forgiven, and not linked: %d mails left", n-before)
		}
		done, err := w.answered(linking.BeginParams{Relink: l.ID}, nil)
		if err != nil || done.Link.ID != l.ID {
			t.Fatal(err)
		}
		relinked := w.clock.Now()
		w.pass(15*time.Minute, 10*time.Second)
		var sent []time.Time
		for _, s := range w.office.Books().SentFrom(addressOf(service)) {
			if !s.At.Before(relinked) {
				sent = append(sent, s.At)
			}
		}
		if len(sent) == 0 {
			t.Fatal("nothing went on")
		}
		for i := range sent {
			n := 0
			for _, at := range sent[i:] {
				if at.Sub(sent[i]) < time.Minute {
					n++
				}
			}
			if n > 30 {
				t.Fatalf("%d mails left in a minute", n)
			}
		}
		w.pass(5*24*time.Hour, time.Hour)
		if n := len(w.office.Books().SentFrom(addressOf(service))); n != 2*len(ids) || len(w.office.Books().Duplicates()) > 0 {
			t.Errorf("%d mails of %d enrollments left", n, len(ids))
		}
		for _, id := range ids {
			if e := w.of(id); e.Status == runner.StatusHeld {
				t.Errorf("%s is still held: %s", id, e.Reason)
			}
		}
		if s := w.status(l.ID); s.Status != store.LinkLinked || s.Diagnosis.Mender != provider.Mender("") {
			t.Errorf("%+v", s)
		}
	})
}

// TestRulesDoNotCount: an organisation that wants people to sign in again from
// time to time, or to prove more, makes no mailbox unusable.
func TestRulesDoNotCount(t *testing.T) {
	for name, number := range map[string]int{"sign in again": 70043, "a second proof": 50076, "conditional access": 53003} {
		t.Run(name, func(t *testing.T) {
			w := newLinked(t)
			l := w.link("msgraph")
			for range 4 {
				w.microsoft.Withdraw(microsoftUser, number)
				w.clock.Advance(2 * time.Hour)
				if err := w.use(l, false); !errors.Is(err, provider.ErrRelink) {
					t.Fatal(err)
				}
				if s := w.status(l.ID); s.Status != store.LinkNeedsRelink || len(s.Breaks) != 0 {
					t.Fatalf("%s with %d breaks", s.Status, len(s.Breaks))
				}
				if _, err := w.answered(linking.BeginParams{Relink: l.ID}, nil); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	t.Run("sessions at Google", func(t *testing.T) {
		w := newLinked(t)
		l := w.link("gmail")
		for range 4 {
			w.google.Withdraw(googleUser, "invalid_rapt")
			w.clock.Advance(2 * time.Hour)
			if err := w.use(l, false); !errors.Is(err, provider.ErrRelink) {
				t.Fatal(err)
			}
			if s := w.status(l.ID); s.Status != store.LinkNeedsRelink || len(s.Breaks) != 0 || s.Diagnosis.Reason != provider.ReasonSignInAgain {
				t.Fatalf("%s with %d breaks, %s", s.Status, len(s.Breaks), s.Diagnosis.Reason)
			}
			if _, err := w.answered(linking.BeginParams{Relink: l.ID}, nil); err != nil {
				t.Fatal(err)
			}
		}
	})
}
