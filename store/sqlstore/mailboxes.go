package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/store"
)

const mailboxColumns = "id, link, cursor, read_at, data, marks > marks_done, version"

func mailboxFields(m *store.Mailbox) []any {
	return []any{&m.ID, &m.Link, &m.Cursor, instant{&m.ReadAt}, &m.Data, &m.Marked, &m.Version}
}

func (c conn) mailbox(id string) (store.Mailbox, error) {
	var m store.Mailbox
	found, err := c.one(mailboxFields(&m), "SELECT "+mailboxColumns+" FROM outreach_mailboxes WHERE id = ?", id)
	if err == nil && !found {
		err = notFound("mailbox", id)
	}
	return m, err
}

// EnsureMailbox implements store.EnrollmentStore.
func (e *Enrollments) EnsureMailbox(ctx context.Context, id, link string) (store.Mailbox, error) {
	const op = "ensure mailbox"
	var m store.Mailbox
	if id == "" || link == "" {
		return m, e.h.explain(ctx, op, invalid("a mailbox needs an ID and a Link"))
	}
	if !plain(id, link) {
		return m, e.h.explain(ctx, op, errText)
	}
	// Most calls find that all is well, and need no lock.
	fine := false
	err := e.h.read(ctx, op, func(c conn) (err error) {
		fine, err = c.one(mailboxFields(&m), "SELECT "+mailboxColumns+" FROM outreach_mailboxes WHERE id = ? AND link = ?", id, link)
		return err
	})
	if err != nil || fine {
		return m, err
	}
	err = e.h.write(ctx, op, func(c conn) error {
		_, err := c.exec(`INSERT INTO outreach_mailboxes
			(id, link, version, token, lease_end, claimed_by, marks, marks_taken, marks_done, marked_at)
			VALUES (?, ?, 1, 0, 0, '', 0, 0, 0, 0) ON CONFLICT DO NOTHING`, id, link)
		if err != nil {
			return err
		}
		if _, err := c.exec("UPDATE outreach_mailboxes SET link = ?, version = version + 1 WHERE id = ? AND link <> ?", link, id, link); err != nil {
			return err
		}
		m, err = c.mailbox(id)
		return err
	})
	return m, err
}

// GetMailbox implements store.EnrollmentStore.
func (e *Enrollments) GetMailbox(ctx context.Context, id string) (store.Mailbox, error) {
	const op = "get mailbox"
	var m store.Mailbox
	if !plain(id) {
		return m, e.h.explain(ctx, op, errText)
	}
	err := e.h.read(ctx, op, func(c conn) (err error) {
		m, err = c.mailbox(id)
		return err
	})
	return m, err
}

// Notify implements store.EnrollmentStore.
func (e *Enrollments) Notify(ctx context.Context, id string) error {
	const op = "notify"
	if !plain(id) {
		return e.h.explain(ctx, op, errText)
	}
	n, err := e.h.single(ctx, op, `UPDATE outreach_mailboxes SET marks = marks + 1,
		marked_at = CASE WHEN marks > marks_done THEN marked_at ELSE {now} END WHERE id = ?`, id)
	if err == nil && n == 0 {
		err = e.h.explain(ctx, op, notFound("mailbox", id))
	}
	return err
}

// Claim implements store.EnrollmentStore.
func (e *Enrollments) Claim(ctx context.Context, p store.ClaimParams) ([]store.Claim, error) {
	const op = "claim"
	if p.TTL <= 0 || p.Mailboxes <= 0 || p.PerMailbox <= 0 || p.Now.IsZero() {
		return nil, e.h.explain(ctx, op, invalid("a claim needs Now and positive TTL, Mailboxes and PerMailbox"))
	}
	if !plain(p.By) {
		return nil, e.h.explain(ctx, op, errText)
	}
	var claims []store.Claim
	err := e.h.write(ctx, op, func(c conn) (err error) {
		claims, err = claim(c, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return claims, nil
}

// claimText takes mailboxes that have waited longest, then those that have
// nothing due but a mark. Both are scans of an index in its order. Rows that
// others are writing, or claiming, are passed over. {few} keeps a planner
// that can't tell how few they are from reading the whole table for them.
const claimText = `WITH due AS (
	SELECT id FROM outreach_mailboxes
	WHERE next_due <= ? AND lease_end <= {now} ORDER BY next_due, id LIMIT ? {skip}
), marked AS (
	SELECT id FROM outreach_mailboxes
	WHERE marks > marks_done AND (next_due IS NULL OR next_due > ?) AND lease_end <= {now}
	ORDER BY marked_at, id LIMIT (SELECT ? - count(*) FROM due) {skip}
)
UPDATE outreach_mailboxes SET token = token + 1, lease_end = {now} + ?, claimed_by = ?, marks_taken = marks
WHERE id {few}SELECT id FROM due UNION ALL SELECT id FROM marked{end few}
RETURNING next_due, marked_at, token, id, link, cursor, read_at, data, marks > marks_done, version`

func claim(c conn, p store.ClaimParams) ([]store.Claim, error) {
	type waiting struct {
		store.Claim
		due         sql.NullInt64
		marked      int64
		rank, since int64
	}
	var found []waiting
	now, most := micros(p.Now), int64(p.Mailboxes)
	err := c.query(func(r *sql.Rows) error {
		var w waiting
		if err := r.Scan(append([]any{&w.due, &w.marked, &w.Fence.Token}, mailboxFields(&w.Mailbox)...)...); err != nil {
			return err
		}
		if w.since = w.due.Int64; !w.due.Valid || w.since > now {
			w.rank, w.since = 1, w.marked
		}
		w.Fence.Mailbox = w.Mailbox.ID
		found = append(found, w)
		return nil
	}, claimText, now, most, now, most, p.TTL.Microseconds(), p.By)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	slices.SortFunc(found, func(a, b waiting) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.since, b.since), strings.Compare(a.Mailbox.ID, b.Mailbox.ID))
	})
	claims, ids, at := make([]store.Claim, len(found)), make([]string, len(found)), make(map[string]*store.Claim)
	for i, w := range found {
		claims[i], ids[i] = w.Claim, w.Mailbox.ID
		at[w.Mailbox.ID] = &claims[i]
	}
	// What earlier claims wrote is visible from here on: they held the row.
	err = c.query(func(r *sql.Rows) error {
		row, err := scanEnrollment(r)
		if err != nil {
			return err
		}
		if cl := at[row.Mailbox]; len(cl.Due) < p.PerMailbox {
			cl.Due = append(cl.Due, row)
		} else {
			cl.More = true
		}
		return nil
	}, c.dueText(), c.list(ids), now, int64(p.PerMailbox)+1)
	if err != nil {
		return nil, err
	}
	err = c.query(func(r *sql.Rows) error {
		in, err := scanIntent(r)
		if err == nil {
			at[in.Mailbox].Open = append(at[in.Mailbox].Open, in)
		}
		return err
	}, "SELECT "+intentColumns+" FROM outreach_intents WHERE mailbox {in} AND state = 'open' ORDER BY created, id", c.list(ids))
	return claims, err
}

// dueText selects the first due enrollments of each mailbox in a list.
func (c conn) dueText() string {
	if c.dialect == PostgreSQL {
		return "SELECT " + enrollmentColumns + ` FROM unnest(?::text[]) AS boxes(box) CROSS JOIN LATERAL (
			SELECT * FROM outreach_enrollments WHERE mailbox = boxes.box AND due <= ? ORDER BY due, id LIMIT ?
		) AS first ORDER BY due, id`
	}
	return "SELECT " + enrollmentColumns + ` FROM (SELECT value AS box FROM json_each(?)) AS boxes
		JOIN outreach_enrollments ON outreach_enrollments.id IN (
			SELECT id FROM outreach_enrollments AS first WHERE first.mailbox = boxes.box AND first.due <= ? ORDER BY first.due, first.id LIMIT ?
		) ORDER BY due, id`
}

// Renew implements store.EnrollmentStore. The lease is looked at, and the
// clock read, once the row is locked: who waited for it may be too late.
func (e *Enrollments) Renew(ctx context.Context, f store.Fence, ttl time.Duration) error {
	const op = "renew"
	if ttl <= 0 {
		return e.h.explain(ctx, op, invalid("a lease needs a positive length"))
	}
	if !plain(f.Mailbox) {
		return e.h.explain(ctx, op, errText)
	}
	n, err := e.h.single(ctx, op, `WITH held AS (SELECT id, token, lease_end FROM outreach_mailboxes WHERE id = ? {lock})
		UPDATE outreach_mailboxes SET lease_end = {now} + ? FROM held
		WHERE outreach_mailboxes.id = held.id AND held.token = ? AND held.lease_end > {now}`, f.Mailbox, ttl.Microseconds(), f.Token)
	if err == nil && n == 0 {
		err = e.h.explain(ctx, op, fenced(f))
	}
	return err
}

// Unclaim implements store.EnrollmentStore.
func (e *Enrollments) Unclaim(ctx context.Context, f store.Fence) error {
	const op = "unclaim"
	if !plain(f.Mailbox) {
		return e.h.explain(ctx, op, errText)
	}
	_, err := e.h.single(ctx, op, `UPDATE outreach_mailboxes SET lease_end = 0, marks_done = marks_taken
		WHERE id = ? AND token = ? AND lease_end > {now}`, f.Mailbox, f.Token)
	return err
}
