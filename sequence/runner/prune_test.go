package runner_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// prunedWorld returns a world that tracks conversations for ten days, with a drip
// that was paused after its first mail, and one that was stopped.
func prunedWorld(t *testing.T, on storage, change ...func(*runner.Config)) (w *world, held, over string) {
	t.Helper()
	w = newWorld(t, on, append(change, func(c *runner.Config) { c.Options.TrackFor = 10 * day })...)
	w.proven()
	w.person("grace@example.net")
	w.person("ben@example.net")
	held, over = w.enroll("grace@example.net").ID, w.enroll("ben@example.net").ID
	w.pass(time.Hour)
	for id, does := range map[string]func(context.Context, string, string) (runner.Enrollment, error){held: w.run.Pause, over: w.run.Stop} {
		if _, err := does(t.Context(), id, "by hand"); err != nil {
			t.Fatal(err)
		}
	}
	return w, held, over
}

// rows returns how many index rows there are of a kind and value.
func (w *world) rows(kind store.IndexKind, value string) int {
	w.t.Helper()
	rows, err := w.store.Match(w.t.Context(), "", []store.IndexKey{{Kind: kind, Value: value}})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(rows)
}

// TestPrune: what recognises the answers to a drip is kept while it goes on,
// though it is held for longer than conversations are tracked, and is
// forgotten of one that has ended.
func TestPrune(t *testing.T) { onEachStore(t, testPrune) }

func testPrune(t *testing.T, on storage) {
	w, held, over := prunedWorld(t, on)
	w.pass(9 * day)
	if n := w.rows(store.IndexSender, "ben@example.net"); n != 1 {
		t.Errorf("while it is tracked there are %d rows", n)
	}
	w.pass(16 * day)
	for _, kind := range []store.IndexKind{store.IndexAddress, store.IndexSender} {
		if n := w.rows(kind, "grace@example.net"); n != 1 {
			t.Errorf("of a drip that goes on there are %d %s rows", n, kind)
		}
		if n := w.rows(kind, "ben@example.net"); n != 0 {
			t.Errorf("of a drip that is over there are %d %s rows", n, kind)
		}
	}
	if _, err := w.office.Write(provider.Address{Addr: "grace@example.net"}, sender, "Your company", "", "I would like to hear more."); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	w.want(held, runner.StatusReplied, 1)
	w.want(over, runner.StatusStopped, 1) // the record of it stays
	if got := directions(w.conversation(over)); got != "out" {
		t.Errorf("the conversation of the drip that is over is %q", got)
	}
	w.sound()
}

// pruneAll is a store that prunes without regard to what goes on.
type pruneAll struct{ store.EnrollmentStore }

func (s *pruneAll) Prune(ctx context.Context, p store.PruneParams) (int, error) {
	p.Keep = nil
	return s.EnrollmentStore.Prune(ctx, p)
}

// TestPruneMatters: with such a store the drip goes on after the answer, once
// somebody resumes it, since nobody reads the mailbox for it any more.
func TestPruneMatters(t *testing.T) {
	w, held, _ := prunedWorld(t, onMemstore, func(c *runner.Config) { c.Store = &pruneAll{c.Store} })
	w.pass(25 * day)
	if _, err := w.office.Write(provider.Address{Addr: "grace@example.net"}, sender, "Your company", "", "I would like to hear more."); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	if _, err := w.run.Resume(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	w.pass(10 * day)
	w.want(held, runner.StatusReplied, 2)
}

// counted is a store that counts the pages of pruning.
type counted struct {
	store.EnrollmentStore
	pages int
	err   error
}

func (s *counted) Prune(ctx context.Context, p store.PruneParams) (int, error) {
	s.pages++
	if s.err != nil {
		return 0, s.err
	}
	return s.EnrollmentStore.Prune(ctx, p)
}

// TestPruneAtItsPace: once an hour, and again at once where it failed, which
// keeps nothing else from being done.
func TestPruneAtItsPace(t *testing.T) {
	s := &counted{}
	w := newWorld(t, onMemstore, func(c *runner.Config) {
		s.EnrollmentStore = c.Store
		c.Store = s
	})
	w.pass(10 * time.Hour)
	if s.pages != 10 {
		t.Errorf("in ten hours it pruned %d times", s.pages)
	}
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	s.err, s.pages = errors.New("the disk is gone"), 0
	w.clock.Advance(2 * time.Hour)
	for range 2 {
		if _, err := w.run.Tick(t.Context()); !errors.Is(err, s.err) {
			t.Errorf("tick: %v", err)
		}
	}
	if s.pages != 2 || w.get(id).StepsSent != 1 {
		t.Errorf("it was tried %d times, and %d mails left", s.pages, w.get(id).StepsSent)
	}
	s.err = nil
	w.tick()
	w.tick()
	if s.pages != 3 {
		t.Errorf("in order again it was tried %d times in all", s.pages)
	}
}
