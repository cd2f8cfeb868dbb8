package sqlstore

import (
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/outreachkit/outreach/internal/pgtest"
	"github.com/outreachkit/outreach/store"
)

// BenchmarkClaimAmong claims one mailbox of a thousand that has ten due
// enrollments, among more and more that are not due. What it costs must not
// grow with them.
func BenchmarkClaimAmong(b *testing.B) {
	cluster := pgtest.Lazy{Config: pgtest.Config{Driver: "pgx", Durable: true, Settings: []string{"shared_buffers=512MB"}}}
	b.Cleanup(func() { cluster.Stop() })
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db, err := sql.Open("pgx", cluster.Empty(b))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { db.Close() })
			e := open(b, db, PostgreSQL).Enrollments()
			fillScale(b, db, n)
			p := store.ClaimParams{By: "b", Now: time.UnixMicro(1000), TTL: time.Minute, Mailboxes: 1, PerMailbox: 50}
			b.ReportAllocs()
			for b.Loop() {
				claims, err := e.Claim(b.Context(), p)
				if err != nil || len(claims) != 1 || len(claims[0].Due) != 10 {
					b.Fatal(len(claims), err)
				}
				if err := e.Unclaim(b.Context(), claims[0].Fence); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fillScale makes a thousand mailboxes with n enrollments, of which the first
// ten of each are due.
func fillScale(b *testing.B, db *sql.DB, n int) {
	b.Helper()
	for _, s := range []string{
		`INSERT INTO outreach_mailboxes (id, link, version, token, lease_end, claimed_by, marks, marks_taken, marks_done, marked_at, first_due)
			SELECT 'box' || n, 'l', 1, 0, 0, '', 0, 0, 0, 0, n FROM generate_series(1, 1000) AS s(n)`,
		fmt.Sprintf(`INSERT INTO outreach_enrollments (id, host_key, kind, mailbox, link, owner, actor, recipient, sequence, status, flagged, due, state, created, version)
			SELECT 'e' || n, 'h' || n, '', 'box' || (n %% 1000 + 1), 'l', 'o', 'o', 'r' || n, 's', 'active', false,
			CASE WHEN n <= 10000 THEN n / 1000 ELSE 1000000000 + n END, convert_to(repeat('x', 200), 'UTF8'), 0, 1 FROM generate_series(1, %d) AS s(n)`, n),
		"VACUUM ANALYZE",
	} {
		if _, err := db.Exec(s); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStep is a due step from its claim to its committed result, as a
// runner commits them: the intent, then what became of it, with its index rows
// and an outbox row, which is acknowledged. Eight workers share the mailboxes.
func BenchmarkStep(b *testing.B) {
	cluster := pgtest.Lazy{Config: pgtest.Config{Driver: "pgx", Durable: true, Settings: []string{"shared_buffers=512MB"}}}
	b.Cleanup(func() { cluster.Stop() })
	db, err := sql.Open("pgx", cluster.Empty(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	e := open(b, db, PostgreSQL).Enrollments()
	fillScale(b, db, 100_000)
	var steps, ids atomic.Int64
	b.SetParallelism(4) // times two cores
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			claims, err := e.Claim(b.Context(), store.ClaimParams{By: "b", Now: time.UnixMicro(1000), TTL: time.Minute, Mailboxes: 1, PerMailbox: 10})
			if err != nil {
				b.Error(err)
				return
			}
			for _, c := range claims {
				for _, row := range c.Due {
					if err := oneStep(b, e, c.Fence, row, fmt.Sprint("i", ids.Add(1))); err != nil {
						b.Error(err)
						return
					}
					steps.Add(1)
				}
				if err := e.Unclaim(b.Context(), c.Fence); err != nil {
					b.Error(err)
				}
			}
		}
	})
	b.ReportMetric(float64(steps.Load())/b.Elapsed().Seconds(), "steps/s")
}

func oneStep(b *testing.B, e *Enrollments, f store.Fence, row store.Enrollment, id string) error {
	in := store.Intent{
		ID: id, Enrollment: row.ID, Mailbox: f.Mailbox, Step: 1, MessageID: id + "@mail.example.com", Raw: make([]byte, 2000),
		Created: time.UnixMicro(1000), Deadline: time.UnixMicro(2000), State: store.IntentOpen,
	}
	index := func(kind store.IndexKind, value string) store.IndexRow {
		return store.IndexRow{Kind: kind, Value: value, Mailbox: f.Mailbox, Enrollment: row.ID, Until: time.UnixMicro(9000)}
	}
	err := e.Commit(b.Context(), store.Batch{
		Fence: &f, Enrollments: []store.Enrollment{row}, Intents: []store.Intent{in},
		Index: []store.IndexRow{index(store.IndexMessageID, in.MessageID), index(store.IndexSender, row.Recipient)},
	})
	if err != nil {
		return err
	}
	row.Version++ // the store's way of counting, which saves a read
	return e.Commit(b.Context(), store.Batch{
		Fence: &f, Enrollments: []store.Enrollment{row}, Results: []store.Result{{Intent: id, State: store.IntentSent, Ref: "r", Thread: "t" + id, At: time.UnixMicro(1500)}},
		Index: []store.IndexRow{index(store.IndexThread, "t"+id)}, Outbox: []store.Event{{Key: id, Kind: "sent", Enrollment: row.ID, Data: make([]byte, 200)}},
	})
}
