package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/sqlstore"
)

// begin makes a table of the host's own, and begins the host's transaction.
func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	if _, err := db.Exec("CREATE TABLE IF NOT EXISTS candidates (id text)"); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	return tx
}

func exec(t *testing.T, tx *sql.Tx, query string) {
	t.Helper()
	if _, err := tx.Exec(query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// there says how many candidates the host has, and which enrollments.
func there(t *testing.T, db *sql.DB, s *sqlstore.Store) (candidates int, enrollments []string) {
	t.Helper()
	if err := db.QueryRow("SELECT count(*) FROM candidates").Scan(&candidates); err != nil {
		t.Fatal(err)
	}
	rows, err := s.Enrollments().List(t.Context(), store.ListEnrollments{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		enrollments = append(enrollments, r.ID)
	}
	return candidates, enrollments
}

// TestWithTx commits and undoes with a row of the host's own.
func TestWithTx(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := migrated(t, db, sqlstore.Options{Dialect: d})
		for _, commit := range []bool{false, true} {
			tx := begin(t, db)
			exec(t, tx, "INSERT INTO candidates VALUES ('c1')")
			fill(t, s.WithTx(tx))
			if rows, err := s.WithTx(tx).Enrollments().Load(t.Context(), []string{"e1"}); err != nil || len(rows) != 1 {
				t.Errorf("the transaction does not see its own enrollment: %d, %v", len(rows), err)
			}
			if n, ids := there(t, db, s); n != 0 || len(ids) != 0 {
				t.Errorf("before the end others see %d candidates and %v", n, ids)
			}
			want := 0
			if end := tx.Rollback; commit {
				end, want = tx.Commit, 1
				if err := end(); err != nil {
					t.Fatal(err)
				}
			} else if err := end(); err != nil {
				t.Fatal(err)
			}
			if n, ids := there(t, db, s); n != want || len(ids) != want {
				t.Errorf("committed %t: %d candidates and %v", commit, n, ids)
			}
		}
	})
}

// TestWithTxRefused holds that a refusal undoes what it did, and no more.
func TestWithTxRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := migrated(t, db, sqlstore.Options{Dialect: d})
		fill(t, s)
		tx := begin(t, db)
		exec(t, tx, "INSERT INTO candidates VALUES ('c1')")
		e := s.WithTx(tx).Enrollments()
		err := e.Commit(t.Context(), store.Batch{
			Enrollments: []store.Enrollment{row("e0", start), row("e1", start)}, // the second is there already
		})
		var conflict *store.ConflictError
		if !errors.As(err, &conflict) || conflict.ID != "e1" {
			t.Fatalf("the error is %v", err)
		}
		if rows, err := e.Load(t.Context(), []string{"e0", "e1"}); err != nil || len(rows) != 1 || rows[0].ID != "e1" {
			t.Errorf("after the refusal: %v, %v", rows, err)
		}
		if err := e.Commit(t.Context(), store.Batch{Results: []store.Result{{Intent: "none", State: store.IntentSent}}}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a result of nothing: %v", err)
		}
		if err := e.Commit(t.Context(), store.Batch{Enrollments: []store.Enrollment{row("e2", start)}}); err != nil {
			t.Errorf("the next: %v", err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if n, ids := there(t, db, s); n != 1 || len(ids) != 2 || ids[1] != "e2" {
			t.Errorf("in the end %d candidates and %v", n, ids)
		}
		for name, err := range calls(t.Context(), s.WithTx(tx)) {
			if !errors.Is(err, sql.ErrTxDone) && !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%s after the transaction: %v", name, err)
			}
		}
	})
}

// one is the only mailbox.
type one struct{}

func (one) Open(context.Context, string) (provider.Linked, error) {
	return provider.Linked{Link: "l", Owner: "maria", Kind: "gmail", Account: provider.Account{Subject: "1", Address: "maria@agency.example.com"}}, nil
}

// TestRunnerInTx enrolls with a runner inside the host's transaction.
func TestRunnerInTx(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := migrated(t, db, sqlstore.Options{Dialect: d})
		enroll := func(tx *sql.Tx) (runner.Enrollment, error) {
			r, err := runner.New(runner.Config{
				Store: s.WithTx(tx).Enrollments(), Mailboxes: one{}, Key: []byte("thirty-two bytes that a host keeps"), Domain: "mail.example.com",
			})
			if err != nil {
				t.Fatal(err)
			}
			return r.Enroll(t.Context(), runner.EnrollParams{
				Key: "c1", Link: "l", Recipient: provider.Address{Addr: "ada@example.net"},
				Sequence: &sequence.Sequence{ID: "s", Steps: []sequence.Step{{ID: 1, Subject: "Hello", Text: "Ada"}}},
			})
		}
		for _, commit := range []bool{false, true} {
			tx := begin(t, db)
			exec(t, tx, "INSERT INTO candidates VALUES ('c1')")
			first, err := enroll(tx)
			if err != nil {
				t.Fatal(err)
			}
			again, err := enroll(tx) // meets a conflict, and reads
			if err != nil || again.ID != first.ID {
				t.Errorf("again: %v, %v", again.ID, err)
			}
			if !commit {
				tx.Rollback()
			} else if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if n, ids := there(t, db, s); (n == 1) != commit || (len(ids) == 1) != commit {
				t.Errorf("committed %t: %d candidates and %v", commit, n, ids)
			}
		}
	})
}

// TestWithoutTx holds that a transaction that was forgotten is no reason to
// work without one.
func TestWithoutTx(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := migrated(t, db, sqlstore.Options{Dialect: d})
		for name, err := range calls(t.Context(), s.WithTx(nil)) {
			if !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
