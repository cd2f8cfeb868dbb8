package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// core is what all views of a Store share.
type core struct {
	db      *sql.DB
	dialect Dialect
	prefix  string
	now     func() time.Time
	box     seal.Box      // for the words of conversations
	writer  chan struct{} // on SQLite, held by the one who writes
	ready   *atomic.Bool  // the schema was seen to fit
}

// handle is a core, bound to the host's transaction or not.
type handle struct {
	*core
	tx    *sql.Tx
	bound bool // tx is the host's; without it nothing may be done
}

// usable refuses a handle that WithTx was given nothing for: it must not work
// outside of a transaction unseen.
func (h handle) usable(ctx context.Context) error {
	if h.bound && h.tx == nil {
		return invalid("WithTx was given no transaction")
	}
	return ctx.Err()
}

// querier is what statements run on.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// conn runs statements as text writes them.
type conn struct {
	*core
	ctx context.Context
	q   querier
}

// exec returns how many rows a statement changed.
func (c conn) exec(text string, args ...any) (int64, error) {
	res, err := c.q.ExecContext(c.ctx, c.text(text), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// query hands every row to scan.
func (c conn) query(scan func(*sql.Rows) error, text string, args ...any) (err error) {
	rows, err := c.q.QueryContext(c.ctx, c.text(text), args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one scans a single row, and reports whether there was one.
func (c conn) one(to []any, text string, args ...any) (bool, error) {
	found := false
	err := c.query(func(r *sql.Rows) error {
		found = true
		return r.Scan(to...)
	}, text, args...)
	return found, err
}

// attempts is how often a transaction is begun that others make fail.
const attempts = 12

// retry runs f until it fails for its own reasons, or succeeds.
func (c *core) retry(ctx context.Context, op string, f func() error) error {
	for n := 1; ; n++ {
		err := f()
		if err == nil || n == attempts || !c.again(err) {
			return c.explain(ctx, op, err)
		}
		// Those who collided wait for different times.
		most := min(time.Millisecond<<n, 250*time.Millisecond)
		t := time.NewTimer(most/4 + rand.N(most))
		select {
		case <-ctx.Done():
			t.Stop()
			return c.explain(ctx, op, ctx.Err())
		case <-t.C:
		}
	}
}

// read runs f on the database, or in the host's transaction.
func (h handle) read(ctx context.Context, op string, f func(conn) error) error {
	if err := h.usable(ctx); err != nil {
		return h.explain(ctx, op, err)
	}
	if h.tx != nil {
		c := conn{h.core, ctx, h.tx}
		if err := c.fits(); err != nil {
			return h.explain(ctx, op, err)
		}
		return h.explain(ctx, op, f(c))
	}
	return h.retry(ctx, op, func() error {
		c := conn{h.core, ctx, h.db}
		if err := c.fits(); err != nil {
			return err
		}
		return f(c)
	})
}

// write runs f in a transaction of its own, again if others make it fail, or
// in the host's. f may run several times, and what it returns an error for is
// undone.
func (h handle) write(ctx context.Context, op string, f func(conn) error) error {
	if err := h.usable(ctx); err != nil {
		return h.explain(ctx, op, err)
	}
	if h.tx != nil {
		return h.explain(ctx, op, h.within(ctx, f))
	}
	if h.dialect == SQLite {
		// Waiting here is cheaper than asking for SQLite's lock in turns.
		select {
		case h.writer <- struct{}{}:
			defer func() { <-h.writer }()
		case <-ctx.Done():
			return h.explain(ctx, op, ctx.Err())
		}
	}
	return h.retry(ctx, op, func() error { return h.transact(ctx, f) })
}

// options are those of the module's own transactions, whatever the database's
// defaults are. SQLite has but one way.
func (c *core) options() *sql.TxOptions {
	if c.dialect == PostgreSQL {
		return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	return nil
}

func (h handle) transact(ctx context.Context, f func(conn) error) error {
	tx, err := h.db.BeginTx(ctx, h.options())
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	c := conn{h.core, ctx, tx}
	if err := c.begin(); err != nil {
		return err
	}
	if err := f(c); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return h.unknown(tx.Commit())
}

// begin takes SQLite's write lock before anything is read, as BEGIN IMMEDIATE
// does, however the driver begins: who reads first and writes then is refused
// at once if somebody else has written in between.
func (c conn) begin() error {
	if c.dialect == SQLite {
		if _, err := c.exec("UPDATE outreach_schema SET version = version WHERE false"); err != nil {
			return err
		}
	}
	return c.fits()
}

// within runs f in the host's transaction. What fails is undone up to here.
func (h handle) within(ctx context.Context, f func(conn) error) error {
	c := conn{h.core, ctx, h.tx}
	if err := c.begin(); err != nil {
		return err
	}
	if _, err := c.exec("SAVEPOINT outreach_point"); err != nil {
		return err
	}
	err := f(c)
	if err != nil {
		c.ctx = context.WithoutCancel(ctx)
		_, undone := c.exec("ROLLBACK TO SAVEPOINT outreach_point")
		if undone != nil {
			return fmt.Errorf("%w; and the transaction is beyond use: %w", err, undone)
		}
	}
	if _, released := c.exec("RELEASE SAVEPOINT outreach_point"); err == nil {
		err = released
	}
	return err
}

// single runs one statement that is a transaction of its own, and returns how
// many rows it changed.
func (h handle) single(ctx context.Context, op, text string, args ...any) (int64, error) {
	var n int64
	if h.bound || h.dialect == SQLite {
		err := h.write(ctx, op, func(c conn) (err error) {
			n, err = c.exec(text, args...)
			return err
		})
		return n, err
	}
	err := h.read(ctx, op, func(c conn) (err error) {
		n, err = c.exec(text, args...)
		return c.unknown(err)
	})
	return n, err
}

// notFound is an ErrNotFound of a record.
func notFound(record, id string) error { return fmt.Errorf("%s %s: %w", record, id, store.ErrNotFound) }
