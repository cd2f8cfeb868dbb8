package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/sqlstore"
)

// A host opens its database, makes the tables, and hands the views on.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "outreach")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "outreach.db")+
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	s, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = s.Enrollments().EnsureMailbox(ctx, "gmail/1234", "link-1")
	fmt.Println("without tables:", errors.Is(err, sqlstore.ErrSchema))

	if err := s.Migrate(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := s.Enrollments().EnsureMailbox(ctx, "gmail/1234", "link-1"); err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC)
	err = s.Enrollments().Commit(ctx, store.Batch{Enrollments: []store.Enrollment{
		{ID: "e1", HostKey: "campaign-7/42", Mailbox: "gmail/1234", Recipient: "ada@example.net", Due: now},
	}})
	fmt.Println("committed:", err)

	claims, err := s.Enrollments().Claim(ctx, store.ClaimParams{By: "worker-1", Now: now, TTL: time.Minute, Mailboxes: 10, PerMailbox: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range claims {
		fmt.Println(c.Mailbox.ID, "has", len(c.Due), "due")
	}
	// Output:
	// without tables: true
	// committed: <nil>
	// gmail/1234 has 1 due
}

// A candidate is saved and enrolled together.
func ExampleStore_WithTx() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // a database in memory is one connection's
	s, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = s.Migrate(ctx)
	_, _ = db.ExecContext(ctx, "CREATE TABLE candidates (email text PRIMARY KEY)")
	_, _ = s.Enrollments().EnsureMailbox(ctx, "gmail/1234", "link-1")

	enroll := func(id, email string) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, "INSERT INTO candidates (email) VALUES (?)", email); err != nil {
			return fmt.Errorf("the candidate is known already")
		}
		// With a runner: a Config whose Store is this view, and its Enroll.
		if err := s.WithTx(tx).Enrollments().Commit(ctx, store.Batch{Enrollments: []store.Enrollment{
			{ID: id, HostKey: id, Mailbox: "gmail/1234", Recipient: email},
		}}); err != nil {
			return err
		}
		return tx.Commit()
	}
	fmt.Println(enroll("e1", "ada@example.net"))
	fmt.Println(enroll("e2", "ada@example.net"))
	rows, _ := s.Enrollments().List(ctx, store.ListEnrollments{})
	fmt.Println(len(rows), "enrolled")
	// Output:
	// <nil>
	// the candidate is known already
	// 1 enrolled
}
