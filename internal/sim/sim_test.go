package sim_test

import (
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"flag"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/internal/sim"
	"github.com/outreachkit/outreach/store/memstore"
	"github.com/outreachkit/outreach/store/sqlstore"

	_ "modernc.org/sqlite" // the driver
)

var (
	seed  = flag.Uint64("seed", 0, "play this one seed, and tell what happened")
	seeds = flag.Int("seeds", 0, "how many seeds to play; zero is as many as fit in the time")
	first = flag.Uint64("first", 1, "the first seed")
)

var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 1024) // small: signing is most of the work
	if err != nil {
		panic(err)
	}
	return k
})

func inMemory(now func() time.Time) (sim.Stores, error) {
	m := memstore.New(memstore.Options{Now: now})
	return sim.Stores{Links: m.Tokens(), Flows: m.Flows(), Enrollments: m.Enrollments(), Log: m.Conversations()}, nil
}

// inSQLite is a database of one connection, which is gone with it.
func inSQLite(t *testing.T) func(now func() time.Time) (sim.Stores, error) {
	return func(now func() time.Time) (sim.Stores, error) {
		db, err := sql.Open("sqlite", ":memory:")
		if err != nil {
			return sim.Stores{}, err
		}
		return overSQLite(t, db, now)
	}
}

func overSQLite(t *testing.T, db *sql.DB, now func() time.Time) (sim.Stores, error) {
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	s, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite, Now: now})
	if err != nil {
		return sim.Stores{}, err
	}
	backup := func() (func() (sim.Stores, error), error) {
		file := filepath.Join(t.TempDir(), "backup.db")
		if _, err := db.ExecContext(t.Context(), "VACUUM INTO '"+file+"'"); err != nil {
			return nil, err
		}
		return func() (sim.Stores, error) {
			db, err := sql.Open("sqlite", "file:"+file+"?_pragma=synchronous(OFF)&_pragma=journal_mode(MEMORY)")
			if err != nil {
				return sim.Stores{}, err
			}
			return overSQLite(t, db, now)
		}, nil
	}
	return sim.Stores{Links: s.Tokens(), Flows: s.Flows(), Enrollments: s.Enrollments(), Log: s.Conversations(), Backup: backup}, s.Migrate(t.Context())
}

func play(t *testing.T, n uint64, m sim.Mutant) *sim.History {
	t.Helper()
	plan := sim.Draw(n)
	stores := inMemory
	if plan.Durable {
		stores = inSQLite(t)
	}
	h, err := sim.Run(t.Context(), plan, sim.Params{Stores: stores, Key: key(), Mutant: m})
	if err != nil {
		t.Fatalf("seed %d: %v", n, err)
	}
	return h
}

// TestSeeds plays as many histories as fit in the time.
//
//	go test ./internal/sim -seed 42       # one again, told
//	go test ./internal/sim -seeds 10000 -timeout 24h
func TestSeeds(t *testing.T) {
	if *seed != 0 {
		h := play(t, *seed, sim.Mutant{})
		t.Logf("%s%s\n%s", h.Plan, strings.Join(h.Notes, "\n"), h.Text)
		for _, wrong := range h.Wrong {
			t.Error(wrong)
		}
		return
	}
	began := time.Now()
	n := uint64(0)
	for ; *seeds == 0 && time.Since(began) < 20*time.Second || n < uint64(*seeds); n++ {
		if n > 0 && n%100 == 0 {
			t.Logf("%d seeds so far", n)
		}
		if h := play(t, *first+n, sim.Mutant{}); len(h.Wrong) > 0 {
			t.Errorf("%s%s\nplay it again: go test ./internal/sim -run TestSeeds -seed %d", h.Plan, strings.Join(h.Wrong, "\n"), *first+n)
		}
	}
	t.Logf("%d seeds from %d on, %.0f an hour", n, *first, float64(n)/time.Since(began).Hours())
}

// TestReplay: a seed plays the same history each time, to the letter.
func TestReplay(t *testing.T) {
	for n := range uint64(5) {
		a, b := play(t, 1+n, sim.Mutant{}), play(t, 1+n, sim.Mutant{})
		if a.Text != b.Text || strings.Join(a.Notes, "\n") != strings.Join(b.Notes, "\n") {
			t.Errorf("seed %d played two histories", 1+n)
		}
	}
}
