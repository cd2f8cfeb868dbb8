package sqlstore_test

import (
	"database/sql"
	"errors"
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

// TestSQLitePlain has no settings but the wait for the lock: transactions
// begin deferred, and the journal is the old one.
func TestSQLitePlain(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		c := newClock()
		db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "plain.db")+"?_pragma=busy_timeout(10000)&_pragma=synchronous(OFF)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return harness(migrated(t, db, sqlstore.Options{Dialect: sqlstore.SQLite, Now: c.Now}), c)
	})
}

// TestSQLiteInMemory has one connection, which no method may need twice.
func TestSQLiteInMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		c := newClock()
		db, err := sql.Open("sqlite", ":memory:")
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { db.Close() })
		return harness(migrated(t, db, sqlstore.Options{Dialect: sqlstore.SQLite, Now: c.Now}), c)
	})
}

// TestSQLiteProcesses has two stores with pools of their own write one file,
// as two processes do.
func TestSQLiteProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shared.db")
	var stores []*sqlstore.Store
	for range 2 {
		stores = append(stores, migrated(t, openSQLite(t, path, ""), sqlstore.Options{Dialect: sqlstore.SQLite}))
	}
	fill(t, stores[0])
	const each = 100
	var wg sync.WaitGroup
	for _, s := range stores {
		wg.Go(func() {
			for n := 0; n < each; {
				rows, err := s.Enrollments().Load(t.Context(), []string{"e1"})
				if err != nil || len(rows) != 1 {
					t.Errorf("load: %d, %v", len(rows), err)
					return
				}
				rows[0].Data = append(rows[0].Data, '.')
				switch err := s.Enrollments().Commit(t.Context(), store.Batch{Enrollments: rows}); {
				case err == nil:
					n++
				case !errors.Is(err, store.ErrConflict):
					t.Errorf("commit: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	if rows, err := stores[0].Enrollments().Load(t.Context(), []string{"e1"}); err != nil || len(rows[0].Data) != 2*each {
		t.Errorf("%d of %d updates are there, %v", len(rows[0].Data), 2*each, err)
	}
}

func BenchmarkSQLite(b *testing.B) {
	storetest.Benchmark(b, func(b *testing.B) store.EnrollmentStore {
		return migrated(b, sqliteFile(b), sqlstore.Options{Dialect: sqlstore.SQLite}).Enrollments()
	})
}
