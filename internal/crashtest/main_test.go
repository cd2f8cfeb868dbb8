//go:build unix

package crashtest

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/outreachkit/outreach/internal/pgtest"
	"github.com/outreachkit/outreach/store/sqlstore"
)

var (
	kills = flag.Int("kills", 20, "how often TestKill kills a process, at each kind of database")
	seed  = flag.Uint64("seed", 1, "draws the moments of the kills")
)

var postgres = pgtest.Lazy{Config: pgtest.Config{Driver: "pgx"}, Prepare: migrated}

// migrated makes the tables.
func migrated(ctx context.Context, dsn string) error {
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

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		if err := childMain(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if err := postgres.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
