package sqlstore_test

import (
	"database/sql"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/sqlstore"
	"github.com/outreachkit/outreach/store/storetest"
)

// clock is a store's clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// sqliteFile opens a database in a new file.
func sqliteFile(t testing.TB) *sql.DB {
	t.Helper()
	return openSQLite(t, filepath.Join(t.TempDir(), "outreach.db"), "&_txlock=immediate")
}

func openSQLite(t testing.TB, path, more string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"+more)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// migrated makes a store's tables.
func migrated(t testing.TB, db *sql.DB, opts sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.New(db, opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func harness(s *sqlstore.Store, c *clock) storetest.Harness {
	return storetest.Harness{Tokens: s.Tokens(), Flows: s.Flows(), Conversations: s.Conversations(), Enrollments: s.Enrollments(), Advance: c.Advance}
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		c := newClock()
		return harness(migrated(t, sqliteFile(t), sqlstore.Options{Dialect: sqlstore.SQLite, Now: c.Now}), c)
	})
}

func BenchmarkSQLite(b *testing.B) {
	storetest.Benchmark(b, func(b *testing.B) store.EnrollmentStore {
		return migrated(b, sqliteFile(b), sqlstore.Options{Dialect: sqlstore.SQLite}).Enrollments()
	})
}
