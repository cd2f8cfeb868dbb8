package runner_test

import (
	"context"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
)

// TestControl is a host's own hand on an enrollment.
func TestControl(t *testing.T) { onEachStore(t, testControl) }

func testControl(t *testing.T, on storage) {
	w := newWorld(t, on)
	for _, name := range []string{"pause", "skip", "stop", "guard", "gone"} {
		w.person(name + "@example.net")
	}
	pause := w.enroll("pause@example.net").ID
	skip := w.enroll("skip@example.net").ID
	stop := w.enroll("stop@example.net").ID
	gone := w.enroll("gone@example.net").ID
	w.tick()
	ctx := t.Context()
	if _, err := w.run.Pause(ctx, pause, "on holiday"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.run.Skip(ctx, skip, 2); err != nil {
		t.Fatal(err)
	}
	if e, err := w.run.Stop(ctx, stop, "hired"); err != nil || e.InFlight {
		t.Fatalf("stop: %+v, %v", e, err)
	}
	if n, err := w.run.Unsubscribe(ctx, "Gone@example.net"); err != nil || n != 1 {
		t.Fatalf("unsubscribe: %d, %v", n, err)
	}
	w.pass(8 * day)
	if e := w.want(pause, runner.StatusHeld, 1); e.Reason != "on holiday" {
		t.Errorf("held because %q", e.Reason)
	}
	w.want(skip, runner.StatusCompleted, 2)
	w.want(stop, runner.StatusStopped, 1)
	w.want(gone, runner.StatusUnsubscribed, 1)
	if _, err := w.run.Resume(ctx, pause); err != nil {
		t.Fatal(err)
	}
	w.pass(8 * day)
	w.want(pause, runner.StatusCompleted, 3)
	_, err := w.run.Enroll(ctx, runner.EnrollParams{Key: "again", Link: link, Recipient: provider.Address{Addr: "gone@example.net"}, Sequence: threeSteps()})
	wantIs(t, err, runner.ErrSuppressed)
	_, err = w.run.Pause(ctx, "none", "")
	wantIs(t, err, runner.ErrNotFound)

	if n, err := w.run.Erase(ctx, "pause@example.net"); err != nil || n != 1 {
		t.Errorf("erased %d, %v", n, err)
	}
	if left := w.conversation(pause); len(left) != 0 {
		t.Errorf("of an erased conversation %d entries are left", len(left))
	}
}

// TestGuard has the last word.
func TestGuard(t *testing.T) { onEachStore(t, testGuard) }

func testGuard(t *testing.T, on storage) {
	verdict := runner.VerdictWait
	w := newWorld(t, on, func(c *runner.Config) {
		c.Guard = func(context.Context, runner.Enrollment, sequence.Step) (runner.Verdict, error) { return verdict, nil }
	})
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	w.pass(time.Hour)
	if n := w.mails("grace@example.net"); n != 0 {
		t.Errorf("%d mails against the guard's word", n)
	}
	verdict = runner.VerdictSend
	w.pass(time.Hour)
	w.want(id, runner.StatusActive, 1)
	verdict = runner.VerdictStop
	w.pass(4 * day)
	w.want(id, runner.StatusStopped, 1)
}
