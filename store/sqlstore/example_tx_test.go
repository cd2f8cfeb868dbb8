package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/sqlstore"
)

// A candidate's row, which is the host's own, and the candidate's enrollment
// are there together or not at all.
func ExampleStore_WithTx() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "outreach")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(dir, "host.db"))+
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()

	// A world of mail to work in; a real host has gmail.New and the wall clock.
	clock := postoffice.NewClock(time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC))
	office, _ := postoffice.New(postoffice.Config{Clock: clock})
	_, _ = office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com", Name: "Maria"})
	mail := postoffice.NewProvider(office, postoffice.ProviderConfig{Name: "mail"})

	s, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite, Now: clock.Now})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Migrate(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := db.ExecContext(ctx, "CREATE TABLE candidates (email text PRIMARY KEY)"); err != nil {
		fmt.Println(err)
		return
	}
	linker, err := linking.New(linking.Config{
		Providers: []provider.Provider{mail}, Links: s.Tokens(), Flows: s.Flows(), Now: clock.Now, InsecurePlainTokens: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	link := linkMaria(ctx, linker, mail)
	cfg := runner.Config{
		Store: s.Enrollments(), Mailboxes: linker, Log: s.Conversations(), Now: clock.Now,
		Key: []byte("thirty-two bytes that a host keeps"), Domain: "mail.example.com",
	}

	// save saves a candidate and enrolls it, in one transaction of the host's.
	save := func(email string, more func() error) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after a commit it does nothing
		if _, err := tx.ExecContext(ctx, "INSERT INTO candidates (email) VALUES (?)", email); err != nil {
			return err
		}
		within := cfg
		within.Store = s.WithTx(tx).Enrollments()
		enroller, err := runner.New(within) // it does no I/O and starts nothing
		if err != nil {
			return err
		}
		if _, err := enroller.Enroll(ctx, runner.EnrollParams{
			Key: "campaign-7/" + email, Link: link, Recipient: provider.Address{Addr: email},
			Sequence: &sequence.Sequence{ID: "lisbon", Steps: []sequence.Step{{ID: 1, Subject: "A role in Lisbon", Text: "Hello"}}},
		}); err != nil {
			return err
		}
		if err := more(); err != nil {
			return err
		}
		return tx.Commit()
	}
	fmt.Println("ada:", save("ada@example.net", func() error { return nil }))
	fmt.Println("ben:", save("ben@example.net", func() error { return fmt.Errorf("the host changed its mind") }))

	run, err := runner.New(cfg) // the loop works outside of transactions of the host's
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := run.Tick(ctx)
	fmt.Println("sent:", report.Sent, err)
	var candidates int
	_ = db.QueryRowContext(ctx, "SELECT count(*) FROM candidates").Scan(&candidates)
	fmt.Println("candidates:", candidates)
	// Output:
	// ada: <nil>
	// ben: the host changed its mind
	// sent: 1 <nil>
	// candidates: 1
}

// linkMaria walks through linking; see package linking.
func linkMaria(ctx context.Context, linker *linking.Linker, mail *postoffice.MemProvider) string {
	begun, err := linker.Begin(ctx, linking.BeginParams{Owner: "maria", Session: "s", Provider: "mail", RedirectURL: "https://app.example.com/callback"})
	if err != nil {
		return err.Error()
	}
	back, err := mail.Visit(begun.URL, "maria@agency.example.com", provider.AccessReplies)
	if err != nil {
		return err.Error()
	}
	u, err := url.Parse(back)
	if err != nil {
		return err.Error()
	}
	done, err := linker.Complete(ctx, linking.CompleteParams{Query: u.Query(), Owner: "maria", Session: "s"})
	if err != nil {
		return err.Error()
	}
	return done.Link.ID
}
