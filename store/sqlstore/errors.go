package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/outreachkit/outreach/store"
)

// Error is the type of this package's constant errors.
type Error string

func (e Error) Error() string { return "sqlstore: " + string(e) }

// ErrSchema: the tables are missing, or of another version than this
// program's. What is around it says which, and what to do.
const ErrSchema = Error("the tables do not fit this program")

// errAgain makes write begin its transaction anew.
const errAgain = Error("others changed what was read; begin again")

// invalid is an ErrInvalid that says what is wrong.
func invalid(problem string) error { return fmt.Errorf("%s: %w", problem, store.ErrInvalid) }

var errText = invalid("a string that is not UTF-8, or has a NUL")

// plain reports whether every database can keep the strings.
func plain(list ...string) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 })
}

// The drivers' errors are known by these methods alone, so that no driver
// need be imported.
type (
	stater interface{ SQLState() string } // pgx, lib/pq
	coder  interface{ Code() int }        // modernc.org/sqlite
)

func sqlState(err error) string {
	var s stater
	if errors.As(err, &s) {
		return s.SQLState()
	}
	return ""
}

// The result codes of SQLite, without their extensions.
const (
	sqliteBusy   = 5
	sqliteLocked = 6
)

// locked reports that another connection has SQLite's lock. Not every driver
// has a method Code, but all pass on SQLite's own words.
func locked(err error) bool {
	var c coder
	if errors.As(err, &c) {
		code := c.Code() & 0xff
		return code == sqliteBusy || code == sqliteLocked
	}
	return strings.Contains(err.Error(), "database is locked") || strings.Contains(err.Error(), "database table is locked")
}

// again reports that a transaction failed only because of others: nothing of
// it was done, and a second attempt may succeed.
func (c *core) again(err error) bool {
	if errors.Is(err, store.ErrUnknown) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if errors.Is(err, errAgain) {
		return true
	}
	if c.dialect == SQLite {
		return locked(err)
	}
	state := sqlState(err)
	return state == "40001" || state == "40P01"
}

// refused reports that the database has said that it did not do what it was
// asked. Any other error leaves that open.
func (c *core) refused(err error) bool {
	if errors.Is(err, errAgain) || errors.Is(err, ErrSchema) {
		return true
	}
	if c.dialect == SQLite {
		return locked(err)
	}
	state := sqlState(err)
	if len(state) != 5 || state == "40003" {
		return false
	}
	switch state[:2] {
	case "22", "23", "25", "40", "42":
		return true
	}
	return false
}

// unknown adds ErrUnknown to an error of a commit that may have been made.
func (c *core) unknown(err error) error {
	if err == nil || c.refused(err) || errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return fmt.Errorf("%w (%w)", store.ErrUnknown, err)
}

// explain says what was being done, and brings out what drivers hide.
func (c *core) explain(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if end := ctx.Err(); end != nil && !errors.Is(err, end) {
		err = fmt.Errorf("%w: %w", end, err)
	}
	if missing(err) {
		err = fmt.Errorf("the tables of prefix %s are missing, or some of them; call Migrate: %w (%w)", c.prefix, ErrSchema, err)
	}
	return fmt.Errorf("sqlstore: %s: %w", op, err)
}

// missing reports that a table does not exist.
func missing(err error) bool {
	if errors.Is(err, ErrSchema) {
		return false
	}
	return sqlState(err) == "42P01" || strings.Contains(err.Error(), "no such table")
}
