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
