package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/store"
)

const (
	// pruneEvery is how often a Runner has the store forget what nobody tracks
	// any more.
	pruneEvery = time.Hour

	prunePage  = 1000 // rows in one transaction
	prunePages = 100  // that one Tick waits for
)

// prune has the store forget index rows past their time, once an hour and
// before anything is read. What recognises the answers to a drip that goes on
// stays, however long it is held.
func (r *Runner) prune(ctx context.Context) error {
	now := r.cfg.Now()
	r.mu.Lock()
	due := r.pruned.IsZero() || now.Sub(r.pruned) >= pruneEvery || now.Before(r.pruned)
	r.mu.Unlock()
	if !due {
		return nil
	}
	for range prunePages {
		n, err := r.cfg.Store.Prune(ctx, store.PruneParams{
			Now: now, Keep: []string{string(StatusActive), string(StatusHeld)}, KeepUntil: now.Add(r.opts.TrackFor), Limit: prunePage,
		})
		if err != nil {
			return fmt.Errorf("runner: prune: %w", err)
		}
		if n < prunePage {
			r.mu.Lock()
			r.pruned = now
			r.mu.Unlock()
			return nil
		}
	}
	return nil // the next Tick goes on
}

// trackedAt is the time that rows must be past to be no longer used: one that
// prune has not looked at yet may be of a drip that goes on.
func (r *Runner) trackedAt(now time.Time) time.Time { return now.Add(-2 * pruneEvery) }
