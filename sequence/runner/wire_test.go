package runner_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync"
)

// wire is a driver between the store and its database that can be told what
// goes wrong.
type wire struct {
	real driver.Driver
	dsn  string

	mu     sync.Mutex
	born   int                                      // connections of an older time are dead
	refuse error                                    // of new connections
	strike func(query string) (err error, cut bool) // before each statement; cut ends the connection
	hits   int
}

func (w *wire) Driver() driver.Driver { return w.real }

func (w *wire) Connect(context.Context) (driver.Conn, error) {
	w.mu.Lock()
	born, refuse := w.born, w.refuse
	w.mu.Unlock()
	if refuse != nil {
		return nil, refuse
	}
	c, err := w.real.Open(w.dsn)
	if err != nil {
		return nil, err
	}
	return &wireConn{Conn: c, w: w, born: born}, nil
}

// set says what goes wrong from now on; nil is nothing.
func (w *wire) set(strike func(query string) (error, bool)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.strike = strike
}

// down ends all connections and refuses new ones, for as long as err is not
// nil.
func (w *wire) down(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = err
	w.born++
}

type wireConn struct {
	driver.Conn
	w    *wire
	born int
	dead bool
}

var errCut = fmt.Errorf("the connection was cut: %w", io.ErrUnexpectedEOF)

func (c *wireConn) struck(query string) error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.dead || c.born != c.w.born {
		c.dead = true
		return errCut
	}
	if c.w.strike == nil {
		return nil
	}
	err, cut := c.w.strike(query)
	if err != nil {
		c.w.hits++
		c.dead = cut
	}
	return err
}

func (c *wireConn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.struck(q); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, q, args)
}

func (c *wireConn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.struck(q); err != nil {
		return nil, err
	}
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, q, args)
}

func (c *wireConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *wireConn) IsValid() bool { return !c.dead }

func (c *wireConn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c *wireConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if err := c.struck("BEGIN"); err != nil {
		return nil, err
	}
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	return &wireTx{tx, c}, err
}

type wireTx struct {
	driver.Tx
	c *wireConn
}

// Commit can be cut off before it is made, and after.
func (tx *wireTx) Commit() error {
	if err := tx.c.struck("COMMIT"); err != nil {
		return errors.Join(err, tx.Tx.Rollback())
	}
	if err := tx.Tx.Commit(); err != nil {
		return err
	}
	return tx.c.struck("after COMMIT")
}
