package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/sqlstore"
)

// faults is a driver that loses its connection when it is told to.
type faults struct {
	real driver.Driver
	dsn  string

	mu     sync.Mutex
	lose   string // a connection is lost before a statement with these words
	commit string // "before" or "after": it is lost so at COMMIT
	err    error  // what the driver says then
	hits   int
	count  int // statements
}

// seen is how many statements there were.
func (f *faults) seen() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

func (f *faults) Driver() driver.Driver { return f.real }

func (f *faults) Connect(context.Context) (driver.Conn, error) {
	c, err := f.real.Open(f.dsn)
	if err != nil {
		return nil, err
	}
	return &faultyConn{Conn: c, f: f}, nil
}

// set says what goes wrong, once.
func (f *faults) set(lose, commit string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lose, f.commit, f.err = lose, commit, err
}

type faultyConn struct {
	driver.Conn
	f    *faults
	dead bool
}

// strike reports whether the statement is the one.
func (c *faultyConn) strike(query string) error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.f.count++
	if c.f.lose == "" || !strings.Contains(query, c.f.lose) {
		return nil
	}
	c.f.lose, c.dead = "", true
	c.f.hits++
	return c.f.err
}

func (c *faultyConn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.strike(q); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, q, args)
}

func (c *faultyConn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.strike(q); err != nil {
		return nil, err
	}
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, q, args)
}

func (c *faultyConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *faultyConn) IsValid() bool { return !c.dead }

func (c *faultyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	return &faultyTx{tx, c}, err
}

type faultyTx struct {
	driver.Tx
	c *faultyConn
}

func (tx *faultyTx) Commit() error {
	f := tx.c.f
	f.mu.Lock()
	when, err := f.commit, f.err
	if when != "" {
		f.hits++
		tx.c.dead = errors.Is(err, io.ErrUnexpectedEOF)
	}
	f.commit = ""
	f.mu.Unlock()
	switch when {
	case "before":
		return errors.Join(err, tx.Tx.Rollback())
	case "after":
		return errors.Join(err, tx.Tx.Commit())
	}
	return tx.Tx.Commit()
}

// faulty opens a database of each dialect through faults.
func faulty(t *testing.T, f func(t *testing.T, s *sqlstore.Store, w *faults)) {
	for d, open := range map[sqlstore.Dialect]func(t *testing.T) *faults{
		sqlstore.SQLite: func(t *testing.T) *faults {
			return &faults{real: sqliteFile(t).Driver(), dsn: "file:" + t.TempDir() + "/f.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)"}
		},
		sqlstore.PostgreSQL: func(t *testing.T) *faults {
			dsn := postgres.DSN(t)
			return &faults{real: openPostgres(t, dsn).Driver(), dsn: dsn}
		},
	} {
		t.Run(string(d), func(t *testing.T) {
			w := open(t)
			db := sql.OpenDB(w)
			t.Cleanup(func() { db.Close() })
			s := migrated(t, db, sqlstore.Options{Dialect: d})
			fill(t, s)
			f(t, s, w)
		})
	}
}

// coded is an error as drivers for either dialect make it.
type coded struct {
	state string
	code  int
}

func (c coded) Error() string    { return "the database says " + c.state }
func (c coded) SQLState() string { return c.state }
func (c coded) Code() int        { return c.code }

// change is a batch that leaves a trace in every table it writes.
func change(t *testing.T, s *sqlstore.Store) store.Batch {
	t.Helper()
	rows, err := s.Enrollments().Load(t.Context(), []string{"e1"})
	if err != nil || len(rows) != 1 {
		t.Fatalf("load: %d rows, %v", len(rows), err)
	}
	rows[0].State = append(rows[0].State, '.')
	return store.Batch{Enrollments: rows, Outbox: []store.Event{{Key: string(rows[0].State)}}}
}

// written reports whether a change is there: all of it, or nothing.
func written(t *testing.T, s *sqlstore.Store, b store.Batch) bool {
	t.Helper()
	rows, err := s.Enrollments().Load(t.Context(), []string{"e1"})
	if err != nil || len(rows) != 1 {
		t.Fatalf("load: %d rows, %v", len(rows), err)
	}
	events, err := s.Enrollments().Outbox(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	event := len(events) > 0 && events[len(events)-1].Key == b.Outbox[0].Key
	if there := rows[0].Version > b.Enrollments[0].Version; there != event {
		t.Errorf("half of the batch is there: the enrollment %t, the event %t", there, event)
	}
	return event
}

// TestLostConnection loses it at each statement of a commit, and at COMMIT.
func TestLostConnection(t *testing.T) {
	faulty(t, func(t *testing.T, s *sqlstore.Store, w *faults) {
		for _, words := range []string{"FROM outreach_mailboxes WHERE id", "FROM outreach_enrollments WHERE id", "UPDATE outreach_enrollments", "first_due", "INSERT INTO outreach_outbox"} {
			b := change(t, s)
			w.set(words, "", io.ErrUnexpectedEOF)
			err := s.Enrollments().Commit(t.Context(), b)
			if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, store.ErrUnknown) {
				t.Errorf("lost at %q: %v", words, err)
			}
			if written(t, s, b) {
				t.Errorf("lost at %q: the batch is there", words)
			}
			if err := s.Enrollments().Commit(t.Context(), b); err != nil {
				t.Errorf("after that: %v", err)
			}
		}
		for when, there := range map[string]bool{"before": false, "after": true} {
			b := change(t, s)
			w.set("", when, io.ErrUnexpectedEOF)
			if err := s.Enrollments().Commit(t.Context(), b); !errors.Is(err, store.ErrUnknown) || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("lost %s COMMIT: %v", when, err)
			}
			if written(t, s, b) != there {
				t.Errorf("lost %s COMMIT: written is not %t", when, there)
			}
		}
		if w.hits != 7 {
			t.Errorf("%d connections were lost, not 7", w.hits)
		}
	})
}

// TestTriedAgain holds that what others caused is tried again, at a statement
// and at COMMIT, and what is the database's own refusal is not.
func TestTriedAgain(t *testing.T) {
	faulty(t, func(t *testing.T, s *sqlstore.Store, w *faults) {
		for _, err := range []error{coded{"40001", 5}, coded{"40P01", 5 | 2<<8}, coded{"40P01", 6}} {
			b := change(t, s)
			w.set("UPDATE outreach_enrollments", "", err)
			if err := s.Enrollments().Commit(t.Context(), b); err != nil || !written(t, s, b) {
				t.Errorf("at a statement: %v", err)
			}
			b = change(t, s)
			w.set("", "before", err)
			if err := s.Enrollments().Commit(t.Context(), b); err != nil || !written(t, s, b) {
				t.Errorf("at COMMIT: %v", err)
			}
		}
		b := change(t, s)
		w.set("UPDATE outreach_enrollments", "", coded{"53100", 13})
		if err := s.Enrollments().Commit(t.Context(), b); !errors.Is(err, coded{"53100", 13}) || errors.Is(err, store.ErrUnknown) || written(t, s, b) {
			t.Errorf("a full disk: %v", err)
		}
	})
}

// TestSingleStatements loses the connection at statements that are a
// transaction of their own.
func TestSingleStatements(t *testing.T) {
	faulty(t, func(t *testing.T, s *sqlstore.Store, w *faults) {
		w.set("UPDATE outreach_mailboxes SET marks", "", io.ErrUnexpectedEOF)
		err := s.Enrollments().Notify(t.Context(), "m")
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("notify: %v", err)
		}
		w.set("UPDATE outreach_mailboxes SET marks", "", coded{"40P01", 5})
		if err := s.Enrollments().Notify(t.Context(), "m"); err != nil {
			t.Errorf("notify after a deadlock: %v", err)
		}
		if box, err := s.Enrollments().GetMailbox(t.Context(), "m"); err != nil || !box.Marked {
			t.Errorf("the mailbox is %+v, %v", box, err)
		}
	})
}
