package runner_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// dying is a store whose process dies: from some moment on, nothing is stored.
type dying struct {
	store.EnrollmentStore
	dead func(store.Batch) bool
}

var errDead = errors.New("the process is dead")

func (d *dying) Commit(ctx context.Context, b store.Batch) error {
	if d.dead != nil && d.dead(b) {
		return errDead
	}
	return d.EnrollmentStore.Commit(ctx, b)
}

// TestCrashes dies once before every commit of a drip's life, or after it,
// and goes on with another process.
func TestCrashes(t *testing.T) { onEachStore(t, testCrashes) }

func testCrashes(t *testing.T, on storage) {
	for name, change := range map[string]func(*runner.Config){
		"plain":  func(*runner.Config) {},
		"sealed": func(c *runner.Config) { c.Sealer = ring(t, 1) },
	} {
		for when, after := range map[string]bool{"before": false, "after": true} {
			on.eachCommit(t, name+" "+when, func(t *testing.T, at int) bool { return crash(t, on, at, after, change) })
		}
	}
}

// crash dies at one commit of a drip's life, and reports whether there is
// such a commit.
func crash(t *testing.T, on storage, at int, after bool, change func(*runner.Config)) bool {
	w := newWorld(t, on, change)
	w.proven()
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: time.Hour})
	d := &dying{EnrollmentStore: w.store}
	w.cfg.Store = d
	w.run = w.runner()
	id := w.enroll("grace@example.net").ID
	n, died := 0, false
	d.dead = func(b store.Batch) bool {
		n++
		if died || n != at {
			return died
		}
		died = true
		if after { // the commit is done, and its caller never learns of it
			if err := d.EnrollmentStore.Commit(t.Context(), b); err != nil {
				t.Errorf("commit: %v", err)
			}
		}
		return true
	}
	for w.clock.Now().Before(start.Add(12 * day)) {
		w.clock.Advance(2 * time.Hour)
		_, err := w.run.Tick(t.Context())
		if err == nil {
			continue
		}
		if !errors.Is(err, errDead) {
			t.Fatalf("tick: %v", err)
		}
		d.dead = nil // another process takes over
		w.run = w.runner()
	}
	if !died {
		return false
	}
	w.want(id, runner.StatusReplied, 2)
	if n := w.mails("grace@example.net"); n != 2 {
		t.Errorf("dead at commit %d: %d mails, want 2", at, n)
	}
	w.sound()
	if t.Failed() {
		t.Fatalf("dead at commit %d, after it: %t", at, after)
	}
	return true
}
