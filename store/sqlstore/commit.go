package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/outreachkit/outreach/store"
)

// Commit implements store.EnrollmentStore. On PostgreSQL it is two
// statements in a transaction, but for large batches: one that locks and reads
// what is there, and one that writes.
func (e *Enrollments) Commit(ctx context.Context, b store.Batch) error {
	const op = "commit"
	if err := b.Validate(); err != nil {
		return e.h.explain(ctx, op, err)
	}
	return e.h.write(ctx, op, func(c conn) error {
		held, err := lockBatch(c, &b)
		if err != nil {
			return err
		}
		if err := held.check(&b); err != nil {
			return err
		}
		mailboxes, apart := mailboxWrites(c.core, &b)
		var pieces []piece
		if !apart {
			pieces = mailboxes
		}
		for _, writes := range []func(*core, *store.Batch) []piece{
			enrollmentWrites, resultWrites, rewriteWrites, intentWrites, definitionWrites, indexWrites, suppressionWrites, outboxWrites,
		} {
			pieces = append(pieces, writes(c.core, &b)...)
		}
		if err := c.all(pieces); err != nil || !apart {
			return err
		}
		return c.all(mailboxes)
	})
}

func fenced(f store.Fence) error { return fmt.Errorf("mailbox %s: %w", f.Mailbox, store.ErrFenced) }

// held is what a commit read of the rows that it has locked.
type held struct {
	mailboxes   map[string]heldMailbox
	enrollments map[string]heldEnrollment
	intents     map[string]store.IntentState
}

func newHeld() *held {
	return &held{make(map[string]heldMailbox), make(map[string]heldEnrollment), make(map[string]store.IntentState)}
}

type heldMailbox struct {
	token, version int64
	leased         bool
}

type heldEnrollment struct {
	hostKey, mailbox string
	created, version int64
}

// The parts of the statement that locks. Each locks its rows in order, and the
// parts run in theirs. The outer query of the first reads the clock: it sees a
// row once the inner one has its lock. A row that others have changed while
// this waited is read as it is then.
const (
	mailboxLocks = `SELECT 1 AS kind, id, '' AS a, '' AS b, token AS x, version AS y, lease_end > {now} AS leased FROM (
		SELECT id, token, version, lease_end FROM outreach_mailboxes WHERE id {in} ORDER BY id {lock}) AS boxes`
	enrollmentLocks = `SELECT 2 AS kind, id, host_key AS a, mailbox AS b, created AS x, version AS y, false AS leased FROM (
		SELECT id, host_key, mailbox, created, version FROM outreach_enrollments WHERE id {in} ORDER BY id {lock}) AS rows`
	intentLocks = `SELECT 3 AS kind, id, state AS a, '' AS b, 0 AS x, 0 AS y, false AS leased FROM (
		SELECT id, state FROM outreach_intents WHERE id {in} ORDER BY id {lock}) AS intents`
)

func lockBatch(c conn, b *store.Batch) (*held, error) {
	h := newHeld()
	boxes := make(map[string]bool)
	if b.Fence != nil {
		boxes[b.Fence.Mailbox] = true
	}
	var rows, intents []string
	for i := range b.Enrollments {
		row := &b.Enrollments[i]
		boxes[row.Mailbox] = true
		if row.Version != 0 {
			rows = append(rows, row.ID)
		}
	}
	for i := range b.Results {
		intents = append(intents, b.Results[i].Intent)
	}
	for i := range b.Rewrites {
		intents = append(intents, b.Rewrites[i].Intent)
	}
	return h, h.read(c, slices.Collect(maps.Keys(boxes)), rows, intents)
}

func (h *held) read(c conn, mailboxes, enrollments, intents []string) error {
	text, args := "", []any(nil)
	for _, part := range []struct {
		text string
		ids  []string
	}{{mailboxLocks, mailboxes}, {enrollmentLocks, enrollments}, {intentLocks, intents}} {
		if len(part.ids) == 0 {
			continue
		}
		if text != "" {
			text += " UNION ALL "
		}
		if len(part.ids) == 1 {
			// A list of unknown length is planned anew each time; this is not.
			text, args = text+strings.Replace(part.text, "{in}", "= ?", 1), append(args, part.ids[0])
			continue
		}
		text, args = text+part.text, append(args, c.list(part.ids))
	}
	if text == "" {
		return nil
	}
	return c.query(func(r *sql.Rows) error {
		var kind int
		var id, a, b string
		var x, y int64
		var leased bool
		if err := r.Scan(&kind, &id, &a, &b, &x, &y, &leased); err != nil {
			return err
		}
		switch kind {
		case 1:
			h.mailboxes[id] = heldMailbox{token: x, version: y, leased: leased}
		case 2:
			h.enrollments[id] = heldEnrollment{hostKey: a, mailbox: b, created: x, version: y}
		default:
			h.intents[id] = store.IntentState(a)
		}
		return nil
	}, text, args...)
}

// check holds a batch against what is there. What is new is held by the
// tables' keys.
func (h *held) check(b *store.Batch) error {
	if f := b.Fence; f != nil {
		box, ok := h.mailboxes[f.Mailbox]
		if !ok || box.token != f.Token || !box.leased {
			return fenced(*f)
		}
		if b.Mailbox != nil && box.version != b.Mailbox.Version {
			return &store.ConflictError{Record: "mailbox", ID: b.Mailbox.ID}
		}
	}
	for i := range b.Enrollments {
		if err := h.checkEnrollment(&b.Enrollments[i]); err != nil {
			return err
		}
	}
	seen := make(map[string]bool)
	for i := range b.Intents {
		id := b.Intents[i].ID
		if seen[id] {
			return &store.ConflictError{Record: "intent", ID: id}
		}
		seen[id] = true
	}
	for _, res := range b.Results {
		switch state, ok := h.intents[res.Intent]; {
		case !ok:
			return notFound("intent", res.Intent)
		case state != store.IntentOpen && state != res.State:
			return &store.ConflictError{Record: "intent", ID: res.Intent}
		}
	}
	for i := range b.Rewrites {
		if _, ok := h.intents[b.Rewrites[i].Intent]; !ok {
			return notFound("intent", b.Rewrites[i].Intent)
		}
	}
	return nil
}

func (h *held) checkEnrollment(row *store.Enrollment) error {
	if row.Version == 0 {
		if _, ok := h.mailboxes[row.Mailbox]; !ok {
			return notFound("mailbox", row.Mailbox)
		}
		return nil
	}
	old, ok := h.enrollments[row.ID]
	switch {
	case !ok || old.version != row.Version:
		return &store.ConflictError{Record: "enrollment", ID: row.ID}
	case old.hostKey != row.HostKey || old.mailbox != row.Mailbox || old.created != micros(row.Created):
		return invalid("an enrollment keeps its HostKey, Mailbox and Created")
	}
	return nil
}
