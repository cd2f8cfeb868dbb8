package sqlstore

import (
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// Dialect is the kind of database behind a *sql.DB.
type Dialect string

// The dialects.
const (
	SQLite     Dialect = "sqlite"     // 3.39 or later
	PostgreSQL Dialect = "postgresql" // 12 or later
)

// Options configure a Store.
type Options struct {
	// Dialect is required.
	Dialect Dialect

	// Prefix begins the name of every table and index: a letter or an
	// underscore, then letters, digits and underscores, at most 30 in all.
	// Upper and lower case are the same. Empty is "outreach_".
	Prefix string

	// Now is the clock that leases, refresh marks and flows end by. It is for
	// tests. Nil is the database's own clock on PostgreSQL, and on SQLite,
	// whose processes share a machine, the process's.
	Now func() time.Time

	// Sealer seals the words of conversation entries: an entry as a whole,
	// but for who it is between and when, and a conversation's subject. What
	// else lies in the tables is sealed by who writes it:
	// linking.Config.Sealer and runner.Config.Sealer. Nil leaves words plain.
	// An entry that does not open is an error that names it.
	Sealer seal.Sealer

	// ReadPlain reads words that are not sealed, too, where there is a Sealer:
	// set it when sealing is switched on over entries that exist.
	ReadPlain bool
}

// Store keeps everything in a database. The interfaces of package store share
// method names, so each has a view of its own.
type Store struct{ h handle }

// New returns a Store over db, which stays the host's to configure and to
// close. It does no I/O: the first call finds out whether Migrate has run.
func New(db *sql.DB, opts Options) (*Store, error) {
	if db == nil {
		return nil, fmt.Errorf("sqlstore: db is nil; give an open *sql.DB: %w", store.ErrInvalid)
	}
	if opts.Dialect != SQLite && opts.Dialect != PostgreSQL {
		return nil, fmt.Errorf("sqlstore: Options.Dialect is %q; give SQLite or PostgreSQL: %w", opts.Dialect, store.ErrInvalid)
	}
	if opts.Prefix == "" {
		opts.Prefix = defaultPrefix
	}
	if !validPrefix(opts.Prefix) {
		return nil, fmt.Errorf("sqlstore: Options.Prefix is %q; give a letter, then letters, digits and underscores, at most %d: %w", opts.Prefix, maxPrefix, store.ErrInvalid)
	}
	return &Store{handle{core: &core{
		db: db, dialect: opts.Dialect, prefix: opts.Prefix, now: opts.Now, box: seal.Box{Sealer: opts.Sealer, Plain: opts.ReadPlain}, writer: make(chan struct{}, 1), ready: new(atomic.Bool),
	}}}, nil
}

const (
	defaultPrefix = "outreach_"
	maxPrefix     = 30 // an identifier of PostgreSQL has 63 bytes, the longest name here 23
)

func validPrefix(s string) bool {
	for i, r := range s {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return len(s) <= maxPrefix
}

// WithTx returns a Store that works inside the host's transaction, for as
// long as that lasts: what it writes and what the host writes are committed
// together, by the host, or not at all. It commits nothing and tries nothing
// again by itself. A method that is refused (ErrConflict and the like) undoes
// what it did and leaves the transaction usable; a deadlock, a failed
// serialization or a lost connection ends the transaction, and it is for the
// host to begin it again.
//
// To enroll together with a row of the host's own, give a runner the view:
//
//	cfg.Store = s.WithTx(tx).Enrollments()
//	r, err := runner.New(cfg)
//	...
//	_, err = r.Enroll(ctx, p)
//
// Keep such a transaction short: it holds the locks of the mailboxes it
// enrolls in, and on SQLite the database's only write lock, for which
// everything else that writes waits, including a refresh of a link's token.
// What the runner reads of links goes by another connection, so a pool of one
// connection would wait for itself.
func (s *Store) WithTx(tx *sql.Tx) *Store {
	return &Store{handle{core: s.h.core, tx: tx, bound: true}}
}

// Tokens returns the store's TokenStore.
func (s *Store) Tokens() *Tokens { return &Tokens{s.h} }

// Flows returns the store's FlowStore.
func (s *Store) Flows() *Flows { return &Flows{s.h} }

// Enrollments returns the store's EnrollmentStore.
func (s *Store) Enrollments() *Enrollments { return &Enrollments{s.h} }

// Conversations returns the store's ConversationLog.
func (s *Store) Conversations() *Conversations { return &Conversations{s.h} }

// Tokens is a TokenStore.
type Tokens struct{ h handle }

// Flows is a FlowStore.
type Flows struct{ h handle }

// Enrollments is an EnrollmentStore.
type Enrollments struct{ h handle }

// Conversations is a ConversationLog.
type Conversations struct{ h handle }

var (
	_ store.TokenStore      = (*Tokens)(nil)
	_ store.FlowStore       = (*Flows)(nil)
	_ store.EnrollmentStore = (*Enrollments)(nil)
	_ store.ConversationLog = (*Conversations)(nil)
)
