package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/outreachkit/outreach/store"
)

// writerChecks have many writers at the same records at once.
func writerChecks() map[string]func(T, Harness) {
	return map[string]func(T, Harness){
		// Batches that name the same records in different orders must not
		// deadlock: whoever loses gets a conflict, in the end all get through.
		"InAnyOrder": withEnrollments(func(c sees, _ Harness) {
			c.ensure(otherID)
			const records, writers, each = 12, 8, 5
			var all []store.Enrollment
			for i := range records {
				e := enrollment(fmt.Sprintf("e%02d", i), base)
				if i%2 == 1 {
					e.Mailbox = otherID
				}
				all = append(all, e)
			}
			c.commit("create", store.Batch{Enrollments: all})
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(1, uint64(w))) // every run shuffles alike
					for n := 0; n < each; {
						ids := make([]string, records)
						for i, at := range r.Perm(records) {
							ids[i] = all[at].ID
						}
						rows, err := c.s.Load(c.Context(), ids)
						if err != nil || len(rows) != records {
							c.Errorf("load: %d rows, %v", len(rows), err)
							return
						}
						b := store.Batch{Enrollments: rows}
						for i := range rows {
							rows[i].Data = append(slices.Clone(rows[i].Data), '.')
							b.Index = append(b.Index, row(store.IndexSender, ids[i], rows[i].ID))
							b.Outbox = append(b.Outbox, store.Event{Key: fmt.Sprint(ids[i], w, n)})
						}
						if err = c.s.Commit(c.Context(), b); err == nil {
							n++
						} else if !errors.Is(err, store.ErrConflict) {
							c.Errorf("commit: %v", err)
							return
						}
					}
				})
			}
			wg.Wait()
			for _, e := range all {
				if n := len(c.get(e.ID).Data) - len("data"); n != writers*each {
					c.Errorf("%s has %d of %d updates", e.ID, n, writers*each)
				}
			}
		}),
		// Whoever claims a mailbox sees all that earlier claims wrote, and
		// nothing is written under an earlier claim after that.
		"ClaimAgainstCommit": withEnrollments(func(c sees, h Harness) {
			if h.Advance == nil {
				c.Skipf("the clock can't be moved")
			}
			for n := range 20 {
				f := c.fence()
				h.Advance(2 * time.Minute) // the lease ends
				in := intent(fmt.Sprint("i", n), "e1")
				var committed error
				var open []store.Intent
				var wg sync.WaitGroup
				wg.Go(func() { committed = c.s.Commit(c.Context(), store.Batch{Fence: f, Intents: []store.Intent{in}}) })
				wg.Go(func() {
					if err := c.s.Notify(c.Context(), boxID); err != nil {
						c.Errorf("notify: %v", err)
					}
					for range 100 {
						claims, err := c.s.Claim(c.Context(), store.ClaimParams{By: "b", Now: base, TTL: time.Minute, Mailboxes: 1, PerMailbox: 1})
						if err != nil {
							c.Errorf("claim: %v", err)
							return
						}
						if len(claims) == 1 {
							open = claims[0].Open
							_ = c.s.Unclaim(c.Context(), claims[0].Fence)
							return
						}
					}
				})
				wg.Wait()
				if committed == nil {
					c.Errorf("an intent was committed on a lease that had ended; the next claim saw %d open intents", len(open))
					return
				}
				if !errors.Is(committed, store.ErrFenced) {
					c.Errorf("commit: %v", committed)
				}
			}
		}),
	}
}
