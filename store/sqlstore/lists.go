package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/outreachkit/outreach/store"
)

func scanRow(r *sql.Rows) (store.IndexRow, error) {
	var row store.IndexRow
	err := r.Scan(&row.Kind, &row.Value, &row.Mailbox, &row.Enrollment, instant{&row.Until})
	return row, err
}

// Match implements store.EnrollmentStore.
func (e *Enrollments) Match(ctx context.Context, box string, keys []store.IndexKey) ([]store.IndexRow, error) {
	const op = "match"
	if !plain(box) {
		return nil, e.h.explain(ctx, op, errText)
	}
	for _, k := range keys {
		if err := k.Validate(); err != nil {
			return nil, e.h.explain(ctx, op, err)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	text, args := e.h.matchText(box, keys)
	var out []store.IndexRow
	err := e.h.read(ctx, op, func(c conn) error {
		out = nil
		return c.query(func(r *sql.Rows) error {
			row, err := scanRow(r)
			out = append(out, row)
			return err
		}, text, args...)
	})
	return out, err
}

// matchText looks up each key by an index, however many there are and
// whatever the planner knows of the table: that is what LATERAL with OFFSET
// is for on PostgreSQL, and CROSS JOIN on SQLite.
func (c *core) matchText(box string, keys []store.IndexKey) (string, []any) {
	var args []any
	var from, here string
	if c.dialect == PostgreSQL {
		kinds := array(len(keys), func(i int) any { return string(keys[i].Kind) })
		values := array(len(keys), func(i int) any { return keys[i].Value })
		args = []any{kinds, values}
		from = `(SELECT DISTINCT kind, value FROM unnest(?::text[], ?::text[]) AS k(kind, value)) AS k
			CROSS JOIN LATERAL (SELECT * FROM outreach_index AS i WHERE i.kind = k.kind AND i.value = k.value`
		here = ") AS found"
		if box != "" {
			here = " AND i.mailbox = ?) AS found"
		}
		here = here[:len(here)-len(") AS found")] + " OFFSET 0) AS found"
	} else {
		pairs := make([][2]string, len(keys))
		for i, k := range keys {
			pairs[i] = [2]string{string(k.Kind), k.Value}
		}
		list, _ := json.Marshal(pairs) // strings can't fail
		args = []any{string(list)}
		from = `(SELECT DISTINCT value ->> 0 AS kind, value ->> 1 AS value FROM json_each(?)) AS k
			CROSS JOIN outreach_index AS found ON found.kind = k.kind AND found.value = k.value`
		if box != "" {
			here = " AND found.mailbox = ?"
		}
	}
	if box != "" {
		args = append(args, box)
	}
	return "SELECT found.kind, found.value, found.mailbox, found.enrollment, found.until FROM " + from + here +
		" ORDER BY found.kind, found.value, found.enrollment, found.mailbox", args
}

// Index implements store.EnrollmentStore.
func (e *Enrollments) Index(ctx context.Context, p store.ListIndex) ([]store.IndexRow, error) {
	const op = "index"
	if p.Mailbox == "" || p.Kind == "" || p.Now.IsZero() {
		return nil, e.h.explain(ctx, op, invalid("listing index rows needs a Mailbox, a Kind and Now"))
	}
	if !plain(p.Mailbox, string(p.Kind), p.After.Value, p.After.Enrollment) {
		return nil, e.h.explain(ctx, op, errText)
	}
	var out []store.IndexRow
	err := e.h.read(ctx, op, func(c conn) error {
		out = nil
		return c.query(func(r *sql.Rows) error {
			row, err := scanRow(r)
			out = append(out, row)
			return err
		}, `SELECT kind, value, mailbox, enrollment, until FROM outreach_index
			WHERE mailbox = ? AND kind = ? AND (value, enrollment) > (?, ?) AND until > ?
			ORDER BY mailbox, kind, value, enrollment LIMIT ?`,
			p.Mailbox, string(p.Kind), p.After.Value, p.After.Enrollment, micros(p.Now), limit(p.Limit, 1000))
	})
	return out, err
}

// Outbox implements store.EnrollmentStore.
func (e *Enrollments) Outbox(ctx context.Context, n int) ([]store.Event, error) {
	var out []store.Event
	err := e.h.read(ctx, "outbox", func(c conn) error {
		out = nil
		return c.query(func(r *sql.Rows) error {
			var ev store.Event
			err := r.Scan(&ev.Seq, &ev.Key, &ev.Kind, &ev.Enrollment, &ev.Data)
			out = append(out, ev)
			return err
		}, "SELECT seq, key, kind, enrollment, data FROM outreach_outbox ORDER BY seq LIMIT ?", limit(n, 100))
	})
	return out, err
}

// Ack implements store.EnrollmentStore.
func (e *Enrollments) Ack(ctx context.Context, seqs []int64) error {
	if len(seqs) == 0 {
		return nil
	}
	seqs = slices.Sorted(slices.Values(seqs)) // two who delete the same rows meet in one order
	_, err := e.h.single(ctx, "ack", "DELETE FROM outreach_outbox WHERE seq {in numbers}", e.h.numbers(seqs))
	return err
}
