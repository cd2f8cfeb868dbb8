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

// TestHugeBatch has more rows than one statement takes, of every kind.
func TestHugeBatch(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := migrated(t, db, sqlstore.Options{Dialect: d})
		fill(t, s)
		e := s.Enrollments()
		f := claimed(t, s, time.Minute)
		const n = 10_500
		b := store.Batch{Fence: &f}
		for i := range n {
			id := fmt.Sprintf("n%05d", i)
			b.Enrollments = append(b.Enrollments, row(id, start))
			b.Intents = append(b.Intents, store.Intent{ID: id, Enrollment: id, Mailbox: "m", State: store.IntentOpen})
			b.Index = append(b.Index, store.IndexRow{Kind: store.IndexThread, Value: id, Mailbox: "m", Enrollment: id, Until: start})
			b.Suppressions = append(b.Suppressions, store.Suppression{Hash: id})
			b.Definitions = append(b.Definitions, store.Definition{Hash: id, Data: []byte(id)})
			b.Outbox = append(b.Outbox, store.Event{Key: fmt.Sprintf("k%05d", n-i)}) // against the order of keys
		}
		if err := e.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		b.Intents, b.Definitions, b.Suppressions = nil, nil, nil
		for i := range b.Enrollments {
			b.Enrollments[i].Version = 1
			b.Results = append(b.Results, store.Result{Intent: b.Enrollments[i].ID, State: store.IntentSent, At: start})
		}
		if err := e.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		for table, want := range map[string]int{"enrollments": n + 1, "intents": n, "index": n, "suppressions": n, "definitions": n, "outbox": n} {
			var got int
			if err := db.QueryRow("SELECT count(*) FROM outreach_" + table).Scan(&got); err != nil || got != want {
				t.Errorf("%s has %d rows, want %d (%v)", table, got, want, err)
			}
		}
		events, err := e.Outbox(t.Context(), n)
		if err != nil || len(events) != n {
			t.Fatalf("%d events, %v", len(events), err)
		}
		for i, ev := range events {
			if want := fmt.Sprintf("k%05d", n-i); ev.Key != want {
				t.Fatalf("event %d is %s, not %s", i, ev.Key, want)
			}
		}
		b.Results, b.Enrollments = nil, b.Enrollments[:1]
		if err := e.Commit(t.Context(), b); !errors.Is(err, store.ErrConflict) {
			t.Errorf("an old version in a huge batch: %v", err)
		}
	})
}
