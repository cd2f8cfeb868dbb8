package runner_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/outreachkit/outreach/internal/pgtest"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/memstore"
	"github.com/outreachkit/outreach/store/sqlstore"
)

var postgres = pgtest.Lazy{Config: pgtest.Config{Driver: "pgx"}, Prepare: func(ctx context.Context, dsn string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	s, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.PostgreSQL})
	if err != nil {
		return err
	}
	return s.Migrate(ctx)
}}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := postgres.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// storage is a kind of store that a test runs on.
type storage string

const (
	onMemstore   storage = "memstore"
	onSQLite     storage = storage(sqlstore.SQLite)
	onPostgreSQL storage = storage(sqlstore.PostgreSQL)
)

var databases = []storage{onSQLite, onPostgreSQL}

// onEachStore runs a test on every kind of store.
func onEachStore(t *testing.T, f func(t *testing.T, on storage)) {
	onSome(t, f, onMemstore, onSQLite, onPostgreSQL)
}

// onEachDatabase runs a test on every store that outlives a process.
func onEachDatabase(t *testing.T, f func(t *testing.T, on storage)) {
	onSome(t, f, databases...)
}

func onSome(t *testing.T, f func(t *testing.T, on storage), stores ...storage) {
	for _, on := range stores {
		t.Run(string(on), func(t *testing.T) {
			t.Parallel()
			f(t, on)
		})
	}
}

// eachCommit runs a test for the first commit of a life, the second and so on,
// until it reports that there is no such one. A database is asked for some of
// them: which they are does not depend on where they are kept.
func (on storage) eachCommit(t *testing.T, name string, f func(t *testing.T, at int) bool) {
	next := func(at int) int {
		if on == onMemstore {
			return at + 1
		}
		return 4 * at
	}
	for at := 1; ; at = next(at) {
		more := false
		if !t.Run(fmt.Sprintf("%s commit %d", name, at), func(t *testing.T) { more = f(t, at) }) {
			return
		}
		if !more {
			if at < 10 {
				t.Errorf("only %d commits", at)
			}
			return
		}
	}
}

// open makes an empty store for the test.
func (on storage) open(t *testing.T, now func() time.Time) (store.EnrollmentStore, store.ConversationLog) {
	t.Helper()
	if on == onMemstore {
		m := memstore.New(memstore.Options{Now: now})
		return m.Enrollments(), m.Conversations()
	}
	s := on.migrated(t, on.database(t, on.empty(t)), now)
	return s.Enrollments(), s.Conversations()
}

// empty makes a database and says how to open it.
func (on storage) empty(t *testing.T) (dsn string) {
	t.Helper()
	if on == onPostgreSQL {
		return postgres.DSN(t)
	}
	return sqliteFile(filepath.Join(t.TempDir(), "store.db"))
}

func sqliteFile(path string) (dsn string) {
	return "file:" + path + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_txlock=immediate"
}

// database opens one, until the test ends.
func (on storage) database(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(map[storage]string{onSQLite: "sqlite", onPostgreSQL: "pgx"}[on], dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// migrated makes the tables, where there are none.
func (on storage) migrated(t *testing.T, db *sql.DB, now func() time.Time) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.Dialect(on), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}
