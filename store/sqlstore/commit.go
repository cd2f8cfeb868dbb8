package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/store"
)

// Commit implements store.EnrollmentStore.
func (e *Enrollments) Commit(ctx context.Context, b store.Batch) error {
	const op = "commit"
	if err := check(&b); err != nil {
		return e.h.explain(ctx, op, err)
	}
	return e.h.write(ctx, op, func(c conn) error {
		for _, step := range []func(conn, *store.Batch) error{
			commitGuarded, commitResults, commitIntents, commitDefinitions, commitIndex, commitSuppressions, commitOutbox,
		} {
			if err := step(c, &b); err != nil {
				return err
			}
		}
		return nil
	})
}

func fenced(f store.Fence) error { return fmt.Errorf("mailbox %s: %w", f.Mailbox, store.ErrFenced) }

// lock is what a commit needs of a mailbox whose row it holds.
type lock struct {
	token, version int64
	leased         bool
}

// lockMailboxes locks the rows in order, and reads the clock after that: the
// outer query sees a row once the inner one has its lock.
func lockMailboxes(c conn, ids []string) (map[string]lock, error) {
	out := make(map[string]lock)
	err := c.query(func(r *sql.Rows) error {
		var id string
		var l lock
		err := r.Scan(&id, &l.token, &l.version, &l.leased)
		out[id] = l
		return err
	}, `SELECT id, token, version, lease_end > {now} FROM (
		SELECT id, token, version, lease_end FROM outreach_mailboxes WHERE id {in} ORDER BY id {lock}
	) AS held`, c.list(ids))
	return out, err
}

// commitGuarded writes what the mailboxes' locks guard.
func commitGuarded(c conn, b *store.Batch) error {
	boxes := make(map[string]bool)
	if b.Fence != nil {
		boxes[b.Fence.Mailbox] = true
	}
	for i := range b.Enrollments {
		boxes[b.Enrollments[i].Mailbox] = true
	}
	if len(boxes) == 0 {
		return nil
	}
	held, err := lockMailboxes(c, slices.Sorted(maps.Keys(boxes)))
	if err != nil {
		return err
	}
	if f := b.Fence; f != nil {
		if l, ok := held[f.Mailbox]; !ok || l.token != f.Token || !l.leased {
			return fenced(*f)
		}
		if b.Mailbox != nil && held[f.Mailbox].version != b.Mailbox.Version {
			return &store.ConflictError{Record: "mailbox", ID: b.Mailbox.ID}
		}
	}
	for i := range b.Enrollments {
		row := &b.Enrollments[i]
		if _, ok := held[row.Mailbox]; !ok && row.Version == 0 {
			return notFound("mailbox", row.Mailbox)
		}
	}
	if err := commitEnrollments(c, b.Enrollments); err != nil {
		return err
	}
	if m := b.Mailbox; m != nil {
		_, err := c.exec("UPDATE outreach_mailboxes SET link = ?, cursor = ?, read_at = ?, data = ?, version = version + 1 WHERE id = ?",
			m.Link, bytes(m.Cursor), orNull(m.ReadAt), bytes(m.Data), m.ID)
		if err != nil {
			return err
		}
	}
	var touched []string
	for i := range b.Enrollments {
		touched = append(touched, b.Enrollments[i].Mailbox)
	}
	slices.Sort(touched)
	return setFirstDue(c, slices.Compact(touched))
}

// setFirstDue brings the mailboxes up to what their enrollments are due. The
// caller has locked them.
func setFirstDue(c conn, boxes []string) error {
	if len(boxes) == 0 {
		return nil
	}
	_, err := c.exec(firstDueText, c.list(boxes))
	return err
}

const firstDueText = `UPDATE outreach_mailboxes SET first_due = first.due FROM (
	SELECT b.id, (SELECT min(e.due) FROM outreach_enrollments AS e WHERE e.mailbox = b.id AND e.due IS NOT NULL) AS due
	FROM outreach_mailboxes AS b WHERE b.id {in}
) AS first WHERE outreach_mailboxes.id = first.id AND outreach_mailboxes.first_due IS DISTINCT FROM first.due`

var newEnrollment = columns(`id text, host_key text, kind text, mailbox text, link text, owner text, actor text, recipient text,
	sequence text, status text, flagged boolean, due bigint, state bytea, data bytea, created bigint`)

func enrollmentArgs(e *store.Enrollment) []any {
	return []any{e.ID, e.HostKey, e.Kind, e.Mailbox, e.Link, e.Owner, e.Actor, e.Recipient,
		e.Sequence, e.Status, e.Flagged, orNull(e.Due), bytes(e.State), bytes(e.Data), micros(e.Created)}
}

func commitEnrollments(c conn, all []store.Enrollment) error {
	rows := make([]*store.Enrollment, len(all))
	for i := range all {
		rows[i] = &all[i]
	}
	slices.SortFunc(rows, func(a, b *store.Enrollment) int { return strings.Compare(a.ID, b.ID) })
	var fresh, known [][]any
	var ids []string
	old := make(map[string]*store.Enrollment)
	for _, row := range rows {
		if row.Version == 0 {
			fresh = append(fresh, enrollmentArgs(row))
			continue
		}
		known = append(known, enrollmentArgs(row))
		ids, old[row.ID] = append(ids, row.ID), row
	}
	if err := lockEnrollments(c, ids, old); err != nil {
		return err
	}
	err := c.insert("enrollment", newEnrollment, fresh, "INSERT INTO outreach_enrollments ("+names(newEnrollment)+`, version)
		SELECT `+names(newEnrollment)+`, 1 FROM v WHERE true ON CONFLICT DO NOTHING RETURNING id`)
	if err != nil {
		return err
	}
	return c.each(newEnrollment, known, `UPDATE outreach_enrollments SET kind = v.kind, link = v.link, owner = v.owner, actor = v.actor,
		recipient = v.recipient, sequence = v.sequence, status = v.status, flagged = v.flagged, due = v.due, state = v.state, data = v.data,
		version = version + 1 FROM v WHERE outreach_enrollments.id = v.id`)
}

// lockEnrollments locks the rows that are about to be written anew, and holds
// that they are as they were read.
func lockEnrollments(c conn, ids []string, rows map[string]*store.Enrollment) error {
	if len(ids) == 0 {
		return nil
	}
	seen := 0
	err := c.query(func(r *sql.Rows) error {
		var id, key, box string
		var created time.Time
		var version int64
		if err := r.Scan(&id, &key, &box, instant{&created}, &version); err != nil {
			return err
		}
		seen++
		row := rows[id]
		if row.Version != version {
			return &store.ConflictError{Record: "enrollment", ID: id}
		}
		if row.HostKey != key || row.Mailbox != box || micros(row.Created) != micros(created) {
			return invalid("an enrollment keeps its HostKey, Mailbox and Created")
		}
		delete(rows, id)
		return nil
	}, "SELECT id, host_key, mailbox, created, version FROM outreach_enrollments WHERE id {in} ORDER BY id {lock}", c.list(ids))
	if err != nil || seen == len(ids) {
		return err
	}
	for id := range rows { // each is a version of a record that is not there
		return &store.ConflictError{Record: "enrollment", ID: id}
	}
	return nil
}

// each runs a statement on rows, in as many pieces as there must be.
func (c conn) each(cols []column, rows [][]any, text string) error {
	for part := range slices.Chunk(rows, c.rowsAtOnce(len(cols))) {
		with, args := c.with(cols, part)
		if _, err := c.exec(with+text, args...); err != nil {
			return err
		}
	}
	return nil
}

// insert runs a statement that returns the ids of the rows it inserted. A row
// whose id, or other key, is taken already is a conflict.
func (c conn) insert(record string, cols []column, rows [][]any, text string) error {
	for part := range slices.Chunk(rows, c.rowsAtOnce(len(cols))) {
		with, args := c.with(cols, part)
		done := make(map[string]bool, len(part))
		err := c.query(func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id)
			done[id] = true
			return err
		}, with+text, args...)
		if err != nil {
			return err
		}
		for _, row := range part {
			if id := row[0].(string); !done[id] {
				return &store.ConflictError{Record: record, ID: id}
			}
		}
	}
	return nil
}

var newIntent = columns(`id text, enrollment text, mailbox text, step bigint, grp bigint, message_id text, key text, raw bytea, meta bytea,
	created bigint, deadline bigint, state text, ref text, thread text, real_message_id text, settled bigint`)

func commitIntents(c conn, b *store.Batch) error {
	rows := make([][]any, len(b.Intents))
	seen := make(map[string]bool)
	for i := range b.Intents {
		in := &b.Intents[i]
		if seen[in.ID] {
			return &store.ConflictError{Record: "intent", ID: in.ID}
		}
		seen[in.ID] = true
		rows[i] = []any{in.ID, in.Enrollment, in.Mailbox, int64(in.Step), int64(in.Group), in.MessageID, in.Key, bytes(in.Raw), bytes(in.Meta),
			micros(in.Created), micros(in.Deadline), string(in.State), in.Ref, in.Thread, in.RealMessageID, micros(in.Settled)}
	}
	sortRows(rows, 1)
	return c.insert("intent", newIntent, rows, "INSERT INTO outreach_intents ("+names(newIntent)+") SELECT "+names(newIntent)+
		" FROM v WHERE true ON CONFLICT DO NOTHING RETURNING id")
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

var newResult = columns("id text, state text, ref text, thread text, real_message_id text, settled bigint")

func commitResults(c conn, b *store.Batch) error {
	if len(b.Results) == 0 {
		return nil
	}
	ids, rows := make([]string, len(b.Results)), make([][]any, len(b.Results))
	for i, res := range b.Results {
		ids[i], rows[i] = res.Intent, []any{res.Intent, string(res.State), res.Ref, res.Thread, res.RealMessageID, micros(res.At)}
	}
	stored := make(map[string]store.IntentState)
	err := c.query(func(r *sql.Rows) error {
		var id string
		var state store.IntentState
		err := r.Scan(&id, &state)
		stored[id] = state
		return err
	}, "SELECT id, state FROM outreach_intents WHERE id {in} ORDER BY id {lock}", c.list(ids))
	if err != nil {
		return err
	}
	for _, res := range b.Results {
		switch state, ok := stored[res.Intent]; {
		case !ok:
			return notFound("intent", res.Intent)
		case state != store.IntentOpen && state != res.State:
			return &store.ConflictError{Record: "intent", ID: res.Intent}
		}
	}
	return c.each(newResult, rows, `UPDATE outreach_intents SET state = v.state,
		settled = CASE WHEN outreach_intents.state = 'open' THEN v.settled ELSE outreach_intents.settled END,
		ref = CASE WHEN outreach_intents.ref = '' THEN v.ref ELSE outreach_intents.ref END,
		thread = CASE WHEN outreach_intents.thread = '' THEN v.thread ELSE outreach_intents.thread END,
		real_message_id = CASE WHEN outreach_intents.real_message_id = '' THEN v.real_message_id ELSE outreach_intents.real_message_id END
		FROM v WHERE outreach_intents.id = v.id`)
}

var newDefinition = columns("hash text, data bytea")

func commitDefinitions(c conn, b *store.Batch) error {
	rows := make([][]any, len(b.Definitions))
	for i, d := range b.Definitions {
		rows[i] = []any{d.Hash, bytes(d.Data)}
	}
	sortRows(rows, 1)
	return c.each(newDefinition, rows, "INSERT INTO outreach_definitions (hash, data) SELECT hash, data FROM v WHERE true ON CONFLICT DO NOTHING")
}

var newRow = columns("mailbox text, kind text, value text, enrollment text, until bigint")

func commitIndex(c conn, b *store.Batch) error {
	type key struct{ mailbox, kind, value, enrollment string }
	at := make(map[key]int, len(b.Index))
	var rows [][]any
	for i := range b.Index {
		r := &b.Index[i]
		k, until := key{r.Mailbox, string(r.Kind), r.Value, r.Enrollment}, micros(r.Until)
		if n, twice := at[k]; twice { // one statement may not write a row twice
			rows[n][4] = max(rows[n][4].(int64), until)
			continue
		}
		at[k] = len(rows)
		rows = append(rows, []any{k.mailbox, k.kind, k.value, k.enrollment, until})
	}
	sortRows(rows, 4)
	return c.each(newRow, rows, `INSERT INTO outreach_index (mailbox, kind, value, enrollment, until)
		SELECT mailbox, kind, value, enrollment, until FROM v WHERE true
		ON CONFLICT (mailbox, kind, value, enrollment) DO UPDATE SET until = excluded.until WHERE excluded.until > outreach_index.until`)
}

var newSuppression = columns("hash text, reason text, at bigint")

func commitSuppressions(c conn, b *store.Batch) error {
	rows := make([][]any, len(b.Suppressions))
	for i, s := range b.Suppressions {
		rows[i] = []any{s.Hash, s.Reason, micros(s.At)}
	}
	sortRows(rows, 1)
	return c.each(newSuppression, rows, "INSERT INTO outreach_suppressions (hash, reason, at) SELECT hash, reason, at FROM v WHERE true ON CONFLICT DO NOTHING")
}

var newEvent = columns("pos bigint, key text, kind text, enrollment text, data bytea")

// commitOutbox keeps the batch's order, not that of keys: it is the order in
// which the rows leave. Two batches that hold the same keys in different
// orders may deadlock; the database ends one, and it is tried again.
func commitOutbox(c conn, b *store.Batch) error {
	rows := make([][]any, len(b.Outbox))
	for i := range b.Outbox {
		ev := &b.Outbox[i]
		rows[i] = []any{int64(i), ev.Key, ev.Kind, ev.Enrollment, bytes(ev.Data)}
	}
	return c.each(newEvent, rows, `INSERT INTO outreach_outbox (key, kind, enrollment, data)
		SELECT key, kind, enrollment, data FROM v WHERE true ORDER BY pos ON CONFLICT DO NOTHING`)
}
