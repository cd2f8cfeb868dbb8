package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/sqlstore"
)

// onBoth runs a test over an empty database of each dialect.
func onBoth(t *testing.T, f func(t *testing.T, db *sql.DB, d sqlstore.Dialect)) {
	t.Run("SQLite", func(t *testing.T) { f(t, sqliteFile(t), sqlstore.SQLite) })
	t.Run("PostgreSQL", func(t *testing.T) { f(t, openPostgres(t, postgres.Empty(t)), sqlstore.PostgreSQL) })
}

func newStore(t testing.TB, db *sql.DB, opts sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.New(db, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOptions(t *testing.T) {
	db := sqliteFile(t)
	for field, opts := range map[string]sqlstore.Options{
		"Options.Dialect": {},
		"Options.Prefix":  {Dialect: sqlstore.SQLite, Prefix: "a; DROP TABLE b"},
		"Prefix":          {Dialect: sqlstore.SQLite, Prefix: "7up_"},
		"at most 30":      {Dialect: sqlstore.SQLite, Prefix: strings.Repeat("x", 31)},
	} {
		if _, err := sqlstore.New(db, opts); err == nil || !strings.Contains(err.Error(), field) || !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: the error is %v", field, err)
		}
	}
	if _, err := sqlstore.New(nil, sqlstore.Options{Dialect: sqlstore.SQLite}); err == nil {
		t.Errorf("no database is no error")
	}
}

// calls calls every method of every view, and returns the errors by name.
func calls(ctx context.Context, s *sqlstore.Store) map[string]error {
	out := make(map[string]error)
	e, tk, fl, cv := s.Enrollments(), s.Tokens(), s.Flows(), s.Conversations()
	fence := store.Fence{Mailbox: "m", Token: 1}
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	_, out["Claim"] = e.Claim(ctx, store.ClaimParams{Now: now, TTL: time.Minute, Mailboxes: 1, PerMailbox: 1})
	out["Renew"] = e.Renew(ctx, fence, time.Minute)
	out["Unclaim"] = e.Unclaim(ctx, fence)
	_, out["EnsureMailbox"] = e.EnsureMailbox(ctx, "m", "l")
	_, out["GetMailbox"] = e.GetMailbox(ctx, "m")
	out["Notify"] = e.Notify(ctx, "m")
	_, out["Load"] = e.Load(ctx, []string{"e"})
	_, out["LoadDefinition"] = e.LoadDefinition(ctx, "h")
	_, out["LoadIntents"] = e.LoadIntents(ctx, "e")
	_, out["List"] = e.List(ctx, store.ListEnrollments{})
	_, out["Match"] = e.Match(ctx, "", []store.IndexKey{{Kind: store.IndexThread, Value: "t"}})
	_, out["Prune"] = e.Prune(ctx, store.PruneParams{Now: now})
	_, out["Index"] = e.Index(ctx, store.ListIndex{Mailbox: "m", Kind: store.IndexThread, Now: now})
	out["Commit"] = e.Commit(ctx, store.Batch{Outbox: []store.Event{{Key: "k"}}})
	_, out["Suppressed"] = e.Suppressed(ctx, []string{"h"})
	_, out["Outbox"] = e.Outbox(ctx, 1)
	out["Ack"] = e.Ack(ctx, []int64{1})
	_, out["Erase"] = e.Erase(ctx, "a@example.net")
	link := store.Link{ID: "l", Owner: "o", Kind: "k", Subject: "s"}
	_, out["Create"] = tk.Create(ctx, link)
	_, out["Get"] = tk.Get(ctx, "l")
	_, out["Find"] = tk.Find(ctx, "k", "s")
	_, out["CompareAndSwap"] = tk.CompareAndSwap(ctx, link)
	_, out["List links"] = tk.List(ctx, store.ListLinks{})
	_, out["Release"] = tk.Release(ctx, "l", 1)
	out["Put"] = fl.Put(ctx, store.Flow{Key: "f", TTL: time.Minute})
	_, out["Take"] = fl.Take(ctx, "f")
	out["Append"] = cv.Append(ctx, []store.Entry{{Key: "k", Conversation: "c"}})
	_, out["Conversation"] = cv.Conversation(ctx, "c")
	_, out["Find conversations"] = cv.Find(ctx, store.FindConversations{})
	out["Flag"] = cv.Flag(ctx, "c", true)
	_, out["Erase entries"] = cv.Erase(ctx, "a@example.net")
	return out
}

// wantSchema holds that every method fails with ErrSchema and says words.
func wantSchema(t *testing.T, s *sqlstore.Store, words string) {
	t.Helper()
	for name, err := range calls(t.Context(), s) {
		if !errors.Is(err, sqlstore.ErrSchema) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: the error is %v, want ErrSchema and %q", name, err, words)
		}
	}
}

func TestWithoutTables(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, sqlstore.Options{Dialect: d})
		wantSchema(t, s, "call Migrate")
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		wantSchema(t, s.WithTx(tx), "call Migrate")
		if _, err := tx.Exec("CREATE TABLE hosts_own (id int)"); err != nil {
			t.Errorf("the host's transaction is broken: %v", err)
		}
		if err := s.WithTx(tx).Migrate(t.Context()); err == nil {
			t.Errorf("Migrate runs in the host's transaction")
		}
	})
}

func TestTablesOfAnotherVersion(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		migrated(t, db, sqlstore.Options{Dialect: d})
		if _, err := db.Exec("UPDATE outreach_schema SET version = 99"); err != nil {
			t.Fatal(err)
		}
		s := newStore(t, db, sqlstore.Options{Dialect: d})
		wantSchema(t, s, "run a newer program")
		if err := s.Migrate(t.Context()); !errors.Is(err, sqlstore.ErrSchema) {
			t.Errorf("migrating newer tables: %v", err)
		}
		if _, err := db.Exec("DROP TABLE outreach_links"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("UPDATE outreach_schema SET version = 3"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Tokens().Get(t.Context(), "l"); !errors.Is(err, sqlstore.ErrSchema) {
			t.Errorf("a table that is gone: %v", err)
		}
	})
}

// TestMigrateByMany migrates at once from several connections, as processes
// that start together do.
func TestMigrateByMany(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				s := newStore(t, db, sqlstore.Options{Dialect: d})
				if err := s.Migrate(t.Context()); err != nil {
					t.Errorf("migrate: %v", err)
				}
				if _, err := s.Enrollments().EnsureMailbox(t.Context(), "m", "l"); err != nil {
					t.Errorf("use: %v", err)
				}
			})
		}
		wg.Wait()
		var n int
		if err := db.QueryRow("SELECT count(*) FROM outreach_schema").Scan(&n); err != nil || n != 1 {
			t.Errorf("%d rows of versions, %v", n, err)
		}
	})
}

// TestPrefixes has two stores in one database that know nothing of each other.
func TestPrefixes(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		one := migrated(t, db, sqlstore.Options{Dialect: d})
		two := newStore(t, db, sqlstore.Options{Dialect: d, Prefix: "Tenant_2_"})
		wantSchema(t, two, "prefix Tenant_2_")
		if err := two.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := one.Enrollments().EnsureMailbox(t.Context(), "m", "l"); err != nil {
			t.Fatal(err)
		}
		if _, err := two.Enrollments().GetMailbox(t.Context(), "m"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the other store has the mailbox: %v", err)
		}
		for name, err := range calls(t.Context(), two) {
			if errors.Is(err, sqlstore.ErrSchema) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestSchemaFiles runs the files as a host's own tool does.
func TestSchemaFiles(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		files, err := fs.Glob(sqlstore.Schema(d), "*.sql")
		if err != nil || len(files) != sqlstore.Version {
			t.Fatalf("the files are %v, %v", files, err)
		}
		for _, name := range files {
			data, err := fs.ReadFile(sqlstore.Schema(d), name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(string(data)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		s := newStore(t, db, sqlstore.Options{Dialect: d})
		if _, err := s.Enrollments().EnsureMailbox(t.Context(), "m", "l"); err != nil {
			t.Error(err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Errorf("migrate finds something to do: %v", err)
		}
	})
}

// TestReadOnly reads where nothing can be written, and says so of writing.
func TestReadOnly(t *testing.T) {
	open := map[sqlstore.Dialect]func(t *testing.T) *sql.DB{
		sqlstore.SQLite: func(t *testing.T) *sql.DB {
			path := filepath.Join(t.TempDir(), "outreach.db")
			fill(t, migrated(t, openSQLite(t, path, ""), sqlstore.Options{Dialect: sqlstore.SQLite}))
			return openSQLite(t, path, "&mode=ro")
		},
		sqlstore.PostgreSQL: func(t *testing.T) *sql.DB {
			dsn := postgres.DSN(t)
			fill(t, migrated(t, openPostgres(t, dsn), sqlstore.Options{Dialect: sqlstore.PostgreSQL}))
			return openPostgres(t, dsn+" default_transaction_read_only=on")
		},
	}
	for d, f := range open {
		t.Run(string(d), func(t *testing.T) {
			s := newStore(t, f(t), sqlstore.Options{Dialect: d})
			if rows, err := s.Enrollments().Load(t.Context(), []string{"e1"}); err != nil || len(rows) != 1 {
				t.Errorf("load: %d rows, %v", len(rows), err)
			}
			if err := s.Migrate(t.Context()); err != nil {
				t.Errorf("migrate, with nothing to do: %v", err)
			}
			err := s.Enrollments().Commit(t.Context(), store.Batch{Outbox: []store.Event{{Key: "k"}}})
			if err == nil || errors.Is(err, store.ErrUnknown) || !strings.Contains(strings.ReplaceAll(err.Error(), "-", ""), "readonly") {
				t.Errorf("commit: %v", err)
			}
			if err := s.Enrollments().Notify(t.Context(), "m"); err == nil || errors.Is(err, store.ErrUnknown) {
				t.Errorf("notify: %v", err)
			}
		})
	}
}

// row is an enrollment.
func row(id string, due time.Time) store.Enrollment {
	return store.Enrollment{ID: id, HostKey: "host/" + id, Mailbox: "m", Link: "l", Recipient: id + "@example.net", Due: due, State: []byte("s"), Created: due}
}

var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// fill makes a mailbox m with one enrollment, e1.
func fill(t testing.TB, s *sqlstore.Store) {
	t.Helper()
	if _, err := s.Enrollments().EnsureMailbox(t.Context(), "m", "l"); err != nil {
		t.Fatal(err)
	}
	if err := s.Enrollments().Commit(t.Context(), store.Batch{Enrollments: []store.Enrollment{row("e1", start)}}); err != nil {
		t.Fatal(fmt.Errorf("fill: %w", err))
	}
}

// TestMigrateFromFirst brings tables of version 1 up, with rows in them.
func TestMigrateFromFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		data, err := fs.ReadFile(sqlstore.Schema(d), "0001_first.sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{string(data), `INSERT INTO outreach_links (id, owner, provider, kind, subject, address, addresses, access, tenant,
			scopes, status, reason, token, mark_until, created, changed, version) VALUES ('l1', 'maria', 'gmail', 'gmail', 's1', 'a@example.com',
			'["a@example.com"]', 'replies', '', '["s"]', 'active', '', NULL, 0, 0, 0, 7)`} {
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		s := newStore(t, db, sqlstore.Options{Dialect: d})
		wantSchema(t, s, "call Migrate")
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		l, err := s.Tokens().Get(t.Context(), "l1")
		if err != nil || l.Owner != "maria" || l.Version != 7 || l.Status != store.LinkLinked || len(l.Data) != 0 {
			t.Fatalf("the link of before is %+v, %v", l, err)
		}
		l.Data = []byte("kept")
		if l, err = s.Tokens().CompareAndSwap(t.Context(), l); err != nil || string(l.Data) != "kept" {
			t.Errorf("swapped to %+v, %v", l, err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Errorf("migrate again: %v", err)
		}
	})
}

// TestWrongDialect: what is wrong is named.
func TestWrongDialect(t *testing.T) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	s, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.PostgreSQL})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "Options.Dialect") {
		t.Errorf("PostgreSQL's words said to SQLite: %v", err)
	}
}
