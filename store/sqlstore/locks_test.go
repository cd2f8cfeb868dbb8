package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/sqlstore"
)

// claimed claims mailbox m.
func claimed(t *testing.T, s *sqlstore.Store, ttl time.Duration) store.Fence {
	t.Helper()
	claims, err := s.Enrollments().Claim(t.Context(), store.ClaimParams{By: "t", Now: start, TTL: ttl, Mailboxes: 1, PerMailbox: 1})
	if err != nil || len(claims) != 1 {
		t.Fatalf("claim: %v, %v", claims, err)
	}
	return claims[0].Fence
}

// TestFenceAfterTheLock has a commit and a renewal wait for the mailbox's row
// until the lease has ended, by the database's own clock: nobody else has
// claimed, but both are too late.
func TestFenceAfterTheLock(t *testing.T) {
	db := openPostgres(t, postgres.DSN(t))
	s := newStore(t, db, sqlstore.Options{Dialect: sqlstore.PostgreSQL})
	fill(t, s)
	f := claimed(t, s, 300*time.Millisecond)
	other, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback()
	if _, err := other.Exec("SELECT 1 FROM outreach_mailboxes WHERE id = 'm' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Enrollments().Commit(t.Context(), store.Batch{Fence: &f, Outbox: []store.Event{{Key: "k"}}}); !errors.Is(err, store.ErrFenced) {
			t.Errorf("commit: %v", err)
		}
	})
	wg.Go(func() {
		if err := s.Enrollments().Renew(t.Context(), f, time.Minute); !errors.Is(err, store.ErrFenced) {
			t.Errorf("renew: %v", err)
		}
	})
	if _, err := other.Exec("SELECT pg_sleep(0.5)"); err != nil {
		t.Fatal(err)
	}
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if events, err := s.Enrollments().Outbox(t.Context(), 1); err != nil || len(events) != 0 {
		t.Errorf("written: %v, %v", events, err)
	}
}

// TestClaimDoesNotWait holds that a mailbox that is being written is left out.
func TestClaimDoesNotWait(t *testing.T) {
	db := openPostgres(t, postgres.DSN(t))
	s := newStore(t, db, sqlstore.Options{Dialect: sqlstore.PostgreSQL})
	fill(t, s)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := s.WithTx(tx).Enrollments().Commit(t.Context(), store.Batch{Enrollments: []store.Enrollment{row("e2", start)}}); err != nil {
		t.Fatal(err)
	}
	p := store.ClaimParams{By: "t", Now: start, TTL: time.Minute, Mailboxes: 1, PerMailbox: 10}
	if claims, err := s.Enrollments().Claim(t.Context(), p); err != nil || len(claims) != 0 {
		t.Errorf("claimed while it is written: %v, %v", claims, err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if claims, err := s.Enrollments().Claim(t.Context(), p); err != nil || len(claims) != 1 || len(claims[0].Due) != 2 {
		t.Errorf("claimed then: %v, %v", claims, err)
	}
}

// TestDeadlock makes a real one, between the host's transaction and a commit.
// The commit gets through in the end, whomever the database ends.
func TestDeadlock(t *testing.T) {
	db := openPostgres(t, postgres.DSN(t)+" options='-c deadlock_timeout=50ms'")
	s := newStore(t, db, sqlstore.Options{Dialect: sqlstore.PostgreSQL})
	fill(t, s)
	// Bound to a host's transaction the store locks e1's mailbox last.
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	bound := s.WithTx(tx).Enrollments()
	if err := bound.Commit(t.Context(), store.Batch{Suppressions: []store.Suppression{{Hash: "b"}}}); err != nil {
		t.Fatal(err)
	}
	rows, err := s.Enrollments().Load(t.Context(), []string{"e1"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { // has the mailbox, waits for b
		err := s.Enrollments().Commit(t.Context(), store.Batch{Enrollments: rows, Suppressions: []store.Suppression{{Hash: "b"}}})
		if err != nil && !errors.Is(err, store.ErrConflict) {
			t.Errorf("commit: %v", err)
		}
	})
	waiting(t, db)
	// Has b, waits for the mailbox.
	err = bound.Commit(t.Context(), store.Batch{Enrollments: []store.Enrollment{row("e2", start)}})
	if end := tx.Commit(); err == nil && end != nil {
		t.Errorf("the host's commit: %v", end)
	}
	wg.Wait()
	if hit, err := s.Enrollments().Suppressed(t.Context(), []string{"b"}); err != nil || len(hit) != 1 {
		t.Errorf("in the end: %v, %v", hit, err)
	}
}

// waiting returns when somebody waits for a lock.
func waiting(t *testing.T, db *sql.DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		var n int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
	}
}

// TestServerEndsConnection has the server end a session in mid-transaction.
func TestServerEndsConnection(t *testing.T) {
	db := openPostgres(t, postgres.DSN(t))
	s := newStore(t, db, sqlstore.Options{Dialect: sqlstore.PostgreSQL})
	fill(t, s)
	other, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback()
	if _, err := other.Exec("SELECT 1 FROM outreach_mailboxes WHERE id = 'm' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	b := change(t, s)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Enrollments().Commit(t.Context(), b); err == nil || errors.Is(err, store.ErrUnknown) {
			t.Errorf("the commit whose session ended: %v", err)
		}
	})
	waiting(t, db)
	if _, err := db.Exec("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	if written(t, s, b) {
		t.Errorf("the batch is there")
	}
	if err := s.Enrollments().Commit(t.Context(), b); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// TestContextEnds ends it while a commit waits: nothing is written, the error
// says why, and the store goes on.
func TestContextEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := migrated(t, db, sqlstore.Options{Dialect: d})
		fill(t, s)
		b := change(t, s)
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		if err := s.WithTx(tx).Enrollments().Notify(t.Context(), "m"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := s.Enrollments().Commit(ctx, b); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("commit: %v", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if written(t, s, b) {
			t.Errorf("the batch is there")
		}
		if err := s.Enrollments().Commit(t.Context(), b); err != nil {
			t.Errorf("after that: %v", err)
		}
	})
}
