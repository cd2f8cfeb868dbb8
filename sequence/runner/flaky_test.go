package runner_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// flaky is a store that loses its connection at one commit, before or after
// it is made.
type flaky struct {
	store.EnrollmentStore
	at, n   int
	after   bool
	struck  store.Batch
	strikes int
}

func (f *flaky) Commit(ctx context.Context, b store.Batch) error {
	if f.n++; f.n != f.at {
		return f.EnrollmentStore.Commit(ctx, b)
	}
	f.struck, f.strikes = b, f.strikes+1
	if f.after {
		if err := f.EnrollmentStore.Commit(ctx, b); err != nil {
			return err
		}
	}
	return fmt.Errorf("connection reset: %w", store.ErrUnknown)
}

// TestUnknownCommit loses the connection once at every commit of a drip's
// life, and the process goes on. No result of a send is dropped over it, no
// mail leaves on an intent that may not be stored, and the drip runs as ever.
func TestUnknownCommit(t *testing.T) { onEachStore(t, testUnknownCommit) }

func testUnknownCommit(t *testing.T, on storage) {
	for when, after := range map[string]bool{"before": false, "after": true} {
		on.eachCommit(t, when, func(t *testing.T, at int) bool { return unknown(t, on, at, after) })
	}
}

// unknown loses the connection at one commit of a drip's life, and reports
// whether there is such a commit.
func unknown(t *testing.T, on storage, at int, after bool) bool {
	w := newWorld(t, on)
	w.proven()
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: time.Hour})
	f := &flaky{EnrollmentStore: w.store, after: after}
	w.cfg.Store = f
	w.run = w.runner()
	id := w.enroll("grace@example.net").ID
	f.n, f.at = 0, at
	for w.clock.Now().Before(start.Add(12 * day)) {
		w.clock.Advance(2 * time.Hour)
		before := len(w.office.Books().Submissions())
		_, err := w.run.Tick(t.Context())
		if err != nil && !errors.Is(err, store.ErrUnknown) {
			t.Fatalf("tick: %v", err)
		}
		if err != nil && len(f.struck.Intents) > 0 && len(w.office.Books().Submissions()) > before {
			t.Error("a mail left on an intent that may not be stored")
		}
		if err != nil && len(f.struck.Results) > 0 && f.struck.Results[0].RealMessageID == "" { // else it is of a read-back, which is made again
			t.Errorf("a result was dropped: %v", err)
		}
		f.struck = store.Batch{}
	}
	if f.strikes == 0 {
		return false
	}
	w.want(id, runner.StatusReplied, 2)
	if n := w.mails("grace@example.net"); n != 2 {
		t.Errorf("%d mails, want 2", n)
	}
	w.sound()
	return true
}
