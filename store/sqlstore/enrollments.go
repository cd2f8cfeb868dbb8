package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/outreachkit/outreach/store"
)

const enrollmentColumns = `id, host_key, kind, mailbox, link, owner, actor, recipient, sequence, status, flagged, due, state, data, created, version`

func scanEnrollment(r *sql.Rows) (store.Enrollment, error) {
	var e store.Enrollment
	err := r.Scan(&e.ID, &e.HostKey, &e.Kind, &e.Mailbox, &e.Link, &e.Owner, &e.Actor, &e.Recipient, &e.Sequence, &e.Status, &e.Flagged,
		instant{&e.Due}, &e.State, &e.Data, instant{&e.Created}, &e.Version)
	return e, err
}

const intentColumns = `id, enrollment, mailbox, step, grp, message_id, key, raw, meta, created, deadline, state, ref, thread, real_message_id, settled`

func scanIntent(r *sql.Rows) (store.Intent, error) {
	var in store.Intent
	err := r.Scan(&in.ID, &in.Enrollment, &in.Mailbox, &in.Step, &in.Group, &in.MessageID, &in.Key, &in.Raw, &in.Meta,
		instant{&in.Created}, instant{&in.Deadline}, &in.State, &in.Ref, &in.Thread, &in.RealMessageID, instant{&in.Settled})
	return in, err
}

// Load implements store.EnrollmentStore.
func (e *Enrollments) Load(ctx context.Context, ids []string) ([]store.Enrollment, error) {
	const op = "load"
	if !plain(ids...) {
		return nil, e.h.explain(ctx, op, errText)
	}
	var found map[string]store.Enrollment
	err := e.h.read(ctx, op, func(c conn) error {
		found = make(map[string]store.Enrollment)
		return c.query(func(r *sql.Rows) error {
			row, err := scanEnrollment(r)
			found[row.ID] = row
			return err
		}, "SELECT "+enrollmentColumns+" FROM outreach_enrollments WHERE id {in}", c.list(ids))
	})
	if err != nil {
		return nil, err
	}
	var out []store.Enrollment
	given := make(map[string]bool, len(found))
	for _, id := range ids {
		row, ok := found[id]
		if !ok {
			continue
		}
		if given[id] { // asked for twice: the caller may change both
			row.State, row.Data = slices.Clone(row.State), slices.Clone(row.Data)
		}
		given[id] = true
		out = append(out, row)
	}
	return out, nil
}

// LoadDefinition implements store.EnrollmentStore.
func (e *Enrollments) LoadDefinition(ctx context.Context, hash string) (store.Definition, error) {
	const op = "load definition"
	d := store.Definition{Hash: hash}
	if !plain(hash) {
		return d, e.h.explain(ctx, op, errText)
	}
	err := e.h.read(ctx, op, func(c conn) error {
		found, err := c.one([]any{&d.Data}, "SELECT data FROM outreach_definitions WHERE hash = ?", hash)
		if err == nil && !found {
			err = notFound("definition", hash)
		}
		return err
	})
	return d, err
}

// LoadIntents implements store.EnrollmentStore.
func (e *Enrollments) LoadIntents(ctx context.Context, enrollment string) ([]store.Intent, error) {
	const op = "load intents"
	if !plain(enrollment) {
		return nil, e.h.explain(ctx, op, errText)
	}
	var out []store.Intent
	err := e.h.read(ctx, op, func(c conn) error {
		out = nil
		return c.query(func(r *sql.Rows) error {
			in, err := scanIntent(r)
			out = append(out, in)
			return err
		}, "SELECT "+intentColumns+" FROM outreach_intents WHERE enrollment = ? ORDER BY created, id", enrollment)
	})
	return out, err
}

// List implements store.EnrollmentStore.
func (e *Enrollments) List(ctx context.Context, p store.ListEnrollments) ([]store.Enrollment, error) {
	const op = "list"
	where, args := []string{"id > ?"}, []any{p.After}
	for _, f := range [][2]string{{"mailbox", p.Mailbox}, {"recipient", p.Recipient}, {"status", p.Status}, {"kind", p.Kind}, {"", p.After}} {
		if !plain(f[1]) {
			return nil, e.h.explain(ctx, op, errText)
		}
		if f[0] != "" && f[1] != "" {
			where, args = append(where, f[0]+" = ?"), append(args, f[1])
		}
	}
	args = append(args, limit(p.Limit, 100))
	var out []store.Enrollment
	err := e.h.read(ctx, op, func(c conn) error {
		out = nil
		return c.query(func(r *sql.Rows) error {
			row, err := scanEnrollment(r)
			out = append(out, row)
			return err
		}, "SELECT "+enrollmentColumns+" FROM outreach_enrollments WHERE "+strings.Join(where, " AND ")+" ORDER BY id LIMIT ?", args...)
	})
	return out, err
}

// Suppressed implements store.EnrollmentStore.
func (e *Enrollments) Suppressed(ctx context.Context, hashes []string) ([]string, error) {
	const op = "suppressed"
	if !plain(hashes...) {
		return nil, e.h.explain(ctx, op, errText)
	}
	var out []string
	err := e.h.read(ctx, op, func(c conn) error {
		out = nil
		return c.query(func(r *sql.Rows) error {
			var h string
			err := r.Scan(&h)
			out = append(out, h)
			return err
		}, "SELECT hash FROM outreach_suppressions WHERE hash {in} ORDER BY hash", c.list(hashes))
	})
	return out, err
}

// Erase implements store.EnrollmentStore.
func (e *Enrollments) Erase(ctx context.Context, recipient string) (int, error) {
	const op = "erase"
	if recipient == "" {
		return 0, e.h.explain(ctx, op, invalid("no recipient to erase"))
	}
	if !plain(recipient) {
		return 0, e.h.explain(ctx, op, errText)
	}
	n := 0
	err := e.h.write(ctx, op, func(c conn) (err error) {
		n, err = erase(c, recipient)
		return err
	})
	return n, err
}

// erase locks in the order of a commit: the mailboxes first.
func erase(c conn, recipient string) (int, error) {
	var boxes []string
	text := func(to *[]string) func(*sql.Rows) error {
		return func(r *sql.Rows) error {
			var s string
			err := r.Scan(&s)
			*to = append(*to, s)
			return err
		}
	}
	err := c.query(text(&boxes), "SELECT DISTINCT mailbox FROM outreach_enrollments WHERE recipient = ? ORDER BY mailbox", recipient)
	if err != nil || len(boxes) == 0 {
		return 0, err
	}
	if err := newHeld().read(c, boxes, nil, nil); err != nil {
		return 0, err
	}
	var ids []string
	err = c.query(func(r *sql.Rows) error {
		var id, box string
		if err := r.Scan(&id, &box); err != nil {
			return err
		}
		if _, locked := slices.BinarySearch(boxes, box); !locked {
			return errAgain // enrolled in another mailbox meanwhile
		}
		ids = append(ids, id)
		return nil
	}, "SELECT id, mailbox FROM outreach_enrollments WHERE recipient = ? ORDER BY id {lock}", recipient)
	if err != nil {
		return 0, err
	}
	list := c.list(ids)
	for _, table := range []string{"intents", "index", "outbox"} {
		if _, err := c.exec("DELETE FROM outreach_"+table+" WHERE enrollment {in}", list); err != nil {
			return 0, err
		}
	}
	if _, err := c.exec("DELETE FROM outreach_enrollments WHERE id {in}", list); err != nil {
		return 0, err
	}
	touched := make([][]any, len(boxes))
	for i, box := range boxes {
		touched[i] = []any{box, nil}
	}
	return len(ids), c.each(touchedMailbox, touched, touchMailbox, list)
}
