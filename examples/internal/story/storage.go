package story

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/memstore"
	"github.com/outreachkit/outreach/store/seal"
	"github.com/outreachkit/outreach/store/sqlstore"
)

// StoreUsage explains the flag -store.
const StoreUsage = "where to keep everything: sqlite:FILE or postgres:DSN; run again, the story goes on where it stopped (default: in memory)"

// Storage is where the hosts of a story keep what they know: a database, or
// the memory. In a database the world of mail keeps its journal, too.
type Storage struct {
	db      *sql.DB // nil is the memory
	dialect sqlstore.Dialect
	name    string
	file    string // of SQLite; empty elsewhere, since a DSN may hold a password
}

// OpenStorage opens what the flag -store names: sqlite:FILE, postgres:DSN, or
// nothing for the memory. The name begins those of the tables, so that
// different stories can share a database. A file is made if it isn't there.
func OpenStorage(where, name string) (*Storage, error) {
	s := &Storage{name: name}
	if where == "" {
		return s, nil
	}
	kind, rest, _ := strings.Cut(where, ":")
	driver, dsn := "", ""
	switch {
	case rest == "":
	case kind == "sqlite":
		driver, s.dialect, s.file = "sqlite", sqlstore.SQLite, " "+rest
		dsn = "file:" + (&url.URL{Path: rest}).EscapedPath() + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
	case kind == "postgres" || kind == "postgresql":
		driver, s.dialect, dsn = "pgx", sqlstore.PostgreSQL, rest
		if strings.HasPrefix(rest, "//") {
			dsn = where // the DSN is a URL, and its scheme was not said twice
		}
	}
	if driver == "" {
		return nil, fmt.Errorf("-store %q is neither sqlite:FILE nor postgres:DSN, such as sqlite:outreach.db or postgres:host=localhost dbname=outreach", kind)
	}
	var err error
	if s.db, err = sql.Open(driver, dsn); err != nil {
		return nil, fmt.Errorf("open the store%s: %w", s.file, err)
	}
	return s, nil
}

// Close closes the database.
func (s *Storage) Close() error {
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// stores are what one host brings.
type stores struct {
	enrollments store.EnrollmentStore
	tokens      store.TokenStore
	flows       store.FlowStore
	log         store.ConversationLog
}

// host returns the stores of one host, with tables of its own.
func (s *Storage) host(ctx context.Context, service string, now func() time.Time) (stores, error) {
	if s.db == nil {
		m := memstore.New(memstore.Options{Now: now})
		return stores{m.Enrollments(), m.Tokens(), m.Flows(), m.Conversations()}, nil
	}
	// Now is given because time is virtual here; else it is left out.
	d, err := sqlstore.New(s.db, sqlstore.Options{Dialect: s.dialect, Prefix: s.name + "_" + service + "_", Now: now})
	if err != nil {
		return stores{}, err
	}
	if err := d.Migrate(ctx); err != nil {
		return stores{}, err
	}
	return stores{d.Enrollments(), d.Tokens(), d.Flows(), d.Conversations()}, nil
}

// newSealer returns what seals tokens. The secret is kept for ever, and not in
// the database.
func newSealer(secret string) (seal.Sealer, error) {
	key := sha256.Sum256([]byte(secret))
	return seal.NewKeyRing(seal.KeyRingParams{Keys: []seal.Key{{ID: 1, Secret: key[:]}}})
}
