package sqlstore

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/outreachkit/outreach/store"
)

// piece is one of the statements of a commit. They write different rows, and
// none sees what another wrote.
type piece struct {
	text string // begins with rows named v
	args []any

	// record is set for rows that must be new: the statement returns the ids
	// of those that were, and one that is missing is a conflict.
	record string
	ids    []string

	chunk bool // one of several, which run in their order
}

// pieces makes the statements that write rows, as few as there can be.
func (c *core) pieces(record string, cols []column, rows [][]any, text string, args ...any) []piece {
	var out []piece
	for part := range slices.Chunk(rows, c.rowsAtOnce(len(cols))) {
		with, values := c.with(cols, part)
		p := piece{text: with + text, args: append(values, args...), record: record}
		if record != "" {
			for _, row := range part {
				p.ids = append(p.ids, row[0].(string))
			}
		}
		out = append(out, p)
	}
	for i := range out {
		out[i].chunk = len(out) > 1
	}
	return out
}

// all runs the pieces: on PostgreSQL as one statement, which saves the way to
// the server and back for each, but for batches that are huge.
func (c conn) all(pieces []piece) error {
	if c.dialect == SQLite || len(pieces) < 2 || slices.ContainsFunc(pieces, func(p piece) bool { return p.chunk }) {
		for _, p := range pieces {
			if err := c.some([]piece{p}, p.text); err != nil {
				return err
			}
		}
		return nil
	}
	var with, results []string
	for i, p := range pieces {
		with = append(with, fmt.Sprintf("p%d AS (%s)", i, p.text))
		if p.record != "" {
			results = append(results, fmt.Sprintf("SELECT id FROM p%d", i))
		}
	}
	if results == nil {
		results = []string{"SELECT '' AS id WHERE false"}
	}
	return c.some(pieces, "WITH "+strings.Join(with, ", ")+" "+strings.Join(results, " UNION ALL "))
}

// some runs a statement that consists of pieces, and looks at what was new.
func (c conn) some(pieces []piece, text string) error {
	var args []any
	for _, p := range pieces {
		args = append(args, p.args...)
	}
	made := make(map[string]bool)
	err := c.query(func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		made[id] = true
		return err
	}, text, args...)
	if err != nil {
		return err
	}
	for _, p := range pieces {
		for _, id := range p.ids {
			if !made[p.record+" "+id] {
				return &store.ConflictError{Record: p.record, ID: id}
			}
		}
	}
	return nil
}

// sortRows sorts by the first n columns, which are strings.
func sortRows(rows [][]any, n int) {
	slices.SortFunc(rows, func(a, b []any) int {
		for i := range n {
			if d := cmp.Compare(a[i].(string), b[i].(string)); d != 0 {
				return d
			}
		}
		return 0
	})
}

// each runs a statement on rows, in as many pieces as there must be.
func (c conn) each(cols []column, rows [][]any, text string, args ...any) error {
	for _, p := range c.pieces("", cols, rows, text, args...) {
		if _, err := c.exec(p.text, p.args...); err != nil {
			return err
		}
	}
	return nil
}
