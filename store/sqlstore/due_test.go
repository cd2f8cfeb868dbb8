package sqlstore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/sqlstore"
)

// TestFirstDue writes and erases at random, in batches small and large, and
// holds that what a claim looks at is always what the enrollments are due.
func TestFirstDue(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := migrated(t, db, sqlstore.Options{Dialect: d})
		e := s.Enrollments()
		boxes := []string{"m0", "m1", "m2"}
		for _, box := range boxes {
			if _, err := e.EnsureMailbox(t.Context(), box, "l"); err != nil {
				t.Fatal(err)
			}
		}
		r := rand.New(rand.NewPCG(1, 2))
		for n := range 150 {
			var b store.Batch
			for _, i := range r.Perm(100)[:1+r.IntN(40)] {
				id := fmt.Sprintf("e%02d", i)
				rows, err := e.Load(t.Context(), []string{id})
				if err != nil {
					t.Fatal(err)
				}
				if rows == nil {
					next := row(id, start)
					next.Mailbox, next.Recipient = boxes[i%len(boxes)], fmt.Sprintf("r%d@example.net", i%20)
					rows = append(rows, next)
				}
				rows[0].Due = start.Add(time.Duration(r.IntN(50)) * time.Hour)
				if r.IntN(3) == 0 {
					rows[0].Due = time.Time{}
				}
				b.Enrollments = append(b.Enrollments, rows[0])
			}
			if r.IntN(2) == 0 {
				box := boxes[r.IntN(len(boxes))]
				if err := e.Notify(t.Context(), box); err != nil {
					t.Fatal(err)
				}
				claims, err := e.Claim(t.Context(), store.ClaimParams{Now: start.Add(-time.Hour), TTL: time.Minute, Mailboxes: 1, PerMailbox: 1})
				if err != nil || len(claims) != 1 || claims[0].Mailbox.ID != box {
					t.Fatalf("claim: %v, %v", claims, err)
				}
				m := claims[0].Mailbox
				b.Fence, b.Mailbox = &claims[0].Fence, &m
			}
			if err := e.Commit(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if b.Fence != nil {
				if err := e.Unclaim(t.Context(), *b.Fence); err != nil {
					t.Fatal(err)
				}
			}
			if n%5 == 0 {
				if _, err := e.Erase(t.Context(), fmt.Sprintf("r%d@example.net", r.IntN(20))); err != nil {
					t.Fatal(err)
				}
			}
			var box string
			err := db.QueryRow(`SELECT id FROM outreach_mailboxes AS b WHERE first_due IS DISTINCT FROM
				(SELECT min(due) FROM outreach_enrollments WHERE mailbox = b.id)`).Scan(&box)
			if !errors.Is(err, sql.ErrNoRows) {
				t.Fatalf("step %d: %s is due at another time than its enrollments (%v)", n, box, err)
			}
		}
	})
}
