package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/outreachkit/outreach/internal/pgtest"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/sqlstore"
	"github.com/outreachkit/outreach/store/storetest"
)

// postgres is for tests, durable for benchmarks: a rate without fsync means
// nothing.
var (
	postgres = pgtest.Lazy{Config: pgtest.Config{Driver: "pgx"}, Prepare: prepare}
	durable  = pgtest.Lazy{Config: pgtest.Config{Driver: "pgx", Durable: true}, Prepare: prepare}
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := postgres.Stop(); err != nil {
		code = 1
	}
	if err := durable.Stop(); err != nil {
		code = 1
	}
	os.Exit(code)
}

func prepare(ctx context.Context, dsn string) error {
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
}

func openPostgres(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(20)
	t.Cleanup(func() { db.Close() })
	return db
}

// checks runs the suite in one database, with tables of its own for each
// check: that is quicker than a database for each.
func checks(t *testing.T, db *sql.DB, c *clock) {
	n := 0
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		n++
		opts := sqlstore.Options{Dialect: sqlstore.PostgreSQL, Prefix: fmt.Sprintf("check_%d_", n)}
		if c != nil {
			opts.Now = c.Now
		}
		h := harness(migrated(t, db, opts), c)
		if c == nil {
			h.Advance = nil
		}
		return h
	})
}

func TestPostgreSQL(t *testing.T) {
	checks(t, openPostgres(t, postgres.Empty(t)), newClock())
}

// TestPostgreSQLClock runs the checks that need no time to pass by the
// database's own clock, and without prepared statements, as behind a pool of
// connections that is shared by transactions.
func TestPostgreSQLClock(t *testing.T) {
	checks(t, openPostgres(t, postgres.Empty(t)+" default_query_exec_mode=simple_protocol"), nil)
}

func BenchmarkPostgreSQL(b *testing.B) {
	storetest.Benchmark(b, func(b *testing.B) store.EnrollmentStore {
		return migrated(b, openPostgres(b, durable.DSN(b)), sqlstore.Options{Dialect: sqlstore.PostgreSQL}).Enrollments()
	})
}
