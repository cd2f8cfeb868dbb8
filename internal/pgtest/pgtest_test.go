package pgtest_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/outreachkit/outreach/internal/pgtest"
)

// TestCluster starts a server, uses two databases, and leaves nothing behind.
func TestCluster(t *testing.T) {
	c, err := pgtest.Start(t.Context(), pgtest.Config{Driver: "pgx"})
	if errors.Is(err, pgtest.ErrMissing) && os.Getenv("OUTREACH_REQUIRE_POSTGRES") != "1" {
		t.Skipf("%s needs PostgreSQL: %v", t.Name(), err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var stopped bool
	t.Cleanup(func() {
		if !stopped {
			c.Stop()
		}
	})
	for range 2 {
		dsn, drop, err := c.Create(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("CREATE TABLE t (id int)"); err != nil {
			t.Error(err)
		}
		if err := errors.Join(db.Close(), drop()); err != nil {
			t.Error(err)
		}
	}
	stopped = true
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
}

// TestBadSetting has a server that ends at once, and tells why.
func TestBadSetting(t *testing.T) {
	_, err := pgtest.Start(t.Context(), pgtest.Config{Driver: "pgx", Settings: []string{"max_connections=none"}})
	if errors.Is(err, pgtest.ErrMissing) && os.Getenv("OUTREACH_REQUIRE_POSTGRES") != "1" {
		t.Skipf("%s needs PostgreSQL: %v", t.Name(), err)
	}
	if err == nil || !strings.Contains(err.Error(), "max_connections") {
		t.Errorf("the error is %v", err)
	}
}

// recorder is a T that only notes what is asked of it.
type recorder struct {
	*testing.T
	skipped, failed string
}

type done struct{}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = fmt.Sprintf(format, args...)
	panic(done{})
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = fmt.Sprintf(format, args...)
	panic(done{})
}

// TestMissing holds that a test without PostgreSQL skips, unless it must not.
func TestMissing(t *testing.T) {
	t.Setenv("OUTREACH_PG_BIN", t.TempDir())
	for _, required := range []string{"", "1"} {
		t.Setenv("OUTREACH_REQUIRE_POSTGRES", required)
		r := &recorder{T: t}
		func() {
			defer func() {
				if got := recover(); got != (done{}) {
					t.Errorf("it ended with %v", got)
				}
			}()
			(&pgtest.Lazy{Config: pgtest.Config{Driver: "pgx"}}).DSN(r)
		}()
		if (r.skipped != "") != (required == "") || (r.failed != "") != (required == "1") {
			t.Errorf("required %q: skipped %q, failed %q", required, r.skipped, r.failed)
		}
	}
}

// TestSmall fills a disk, and a table that grows on it finds no room until
// there is some again.
func TestSmall(t *testing.T) {
	l := &pgtest.Lazy{Config: pgtest.Config{Driver: "pgx"}}
	t.Cleanup(func() {
		if err := l.Stop(); err != nil {
			t.Error(err)
		}
	})
	small := l.Small(t, 32)
	db, err := sql.Open("pgx", small.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE t (words text)"); err != nil {
		t.Fatal(err)
	}
	grow := func() error {
		_, err := db.Exec("INSERT INTO t SELECT md5(n::text) FROM generate_series(1, 10000) AS n")
		return err
	}
	for range 2 {
		if err := small.Fill(); err != nil {
			t.Fatal(err)
		}
		if err := grow(); err == nil || !strings.Contains(err.Error(), "53100") {
			t.Errorf("on a full disk: %v", err)
		}
		if err := small.Free(); err != nil {
			t.Fatal(err)
		}
		if err := grow(); err != nil {
			t.Errorf("with room again: %v", err)
		}
	}
}
