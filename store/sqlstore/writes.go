package sqlstore

import (
	"github.com/outreachkit/outreach/store"
)

// firstDue is the earliest due time of mailbox v.id: of the enrollments of
// the batch (v.due), and of the others, which {in} leaves out.
const firstDue = `(SELECT min(d.due) FROM (SELECT v.due AS due UNION ALL
	SELECT min(e.due) FROM outreach_enrollments AS e WHERE e.mailbox = v.id AND e.due IS NOT NULL AND NOT e.id {in}) AS d)`

var (
	writtenMailbox = columns("id text, due bigint, link text, cursor bytea, read_at bigint, data bytea")
	touchedMailbox = columns("id text, due bigint")
)

const (
	// Both write a mailbox once: the first if the batch has its record.
	writeMailbox = `UPDATE outreach_mailboxes SET link = v.link, cursor = v.cursor, read_at = v.read_at, data = v.data, version = version + 1, first_due = ` + firstDue + `
		FROM v WHERE outreach_mailboxes.id = v.id`
	touchMailbox = `UPDATE outreach_mailboxes SET first_due = next.due FROM (SELECT v.id, ` + firstDue + ` AS due FROM v) AS next
		WHERE outreach_mailboxes.id = next.id AND outreach_mailboxes.first_due IS DISTINCT FROM next.due`
)

// fewEnrollments are so few that leaving them out costs less than a statement
// of its own.
const fewEnrollments = 32

// mailboxWrites brings mailboxes up to what their enrollments are due, and
// writes the batch's. If there are many enrollments it is for a time apart,
// after they are written.
func mailboxWrites(c *core, b *store.Batch) (pieces []piece, apart bool) {
	apart = len(b.Enrollments) > fewEnrollments
	var ids []string
	due := make(map[string]any)
	for i := range b.Enrollments {
		row := &b.Enrollments[i]
		if apart {
			due[row.Mailbox] = nil
			continue
		}
		ids = append(ids, row.ID)
		first, seen := due[row.Mailbox]
		if at := orNull(row.Due); !seen || first == nil || at != nil && at.(int64) < first.(int64) {
			due[row.Mailbox] = at
		}
	}
	list := c.list(ids)
	if m := b.Mailbox; m != nil {
		row := []any{m.ID, due[m.ID], m.Link, bytes(m.Cursor), orNull(m.ReadAt), bytes(m.Data)}
		delete(due, m.ID)
		pieces = c.pieces("", writtenMailbox, [][]any{row}, writeMailbox, list)
	}
	var rows [][]any
	for id, at := range due {
		rows = append(rows, []any{id, at})
	}
	sortRows(rows, 1)
	return append(pieces, c.pieces("", touchedMailbox, rows, touchMailbox, list)...), apart
}

var writtenEnrollment = columns(`id text, host_key text, kind text, mailbox text, link text, owner text, actor text, recipient text,
	sequence text, status text, flagged boolean, due bigint, state bytea, data bytea, created bigint`)

func enrollmentWrites(c *core, b *store.Batch) []piece {
	var fresh, known [][]any
	for i := range b.Enrollments {
		e := &b.Enrollments[i]
		row := []any{e.ID, e.HostKey, e.Kind, e.Mailbox, e.Link, e.Owner, e.Actor, e.Recipient,
			e.Sequence, e.Status, e.Flagged, orNull(e.Due), bytes(e.State), bytes(e.Data), micros(e.Created)}
		if e.Version == 0 {
			fresh = append(fresh, row)
		} else {
			known = append(known, row)
		}
	}
	sortRows(fresh, 1)
	return append(
		c.pieces("", writtenEnrollment, known, `UPDATE outreach_enrollments SET kind = v.kind, link = v.link, owner = v.owner, actor = v.actor,
			recipient = v.recipient, sequence = v.sequence, status = v.status, flagged = v.flagged, due = v.due, state = v.state, data = v.data,
			version = version + 1 FROM v WHERE outreach_enrollments.id = v.id`),
		c.pieces("enrollment", writtenEnrollment, fresh, "INSERT INTO outreach_enrollments ("+names(writtenEnrollment)+`, version)
			SELECT `+names(writtenEnrollment)+`, 1 FROM v WHERE true ON CONFLICT DO NOTHING RETURNING 'enrollment ' || id AS id`)...)
}

var writtenIntent = columns(`id text, enrollment text, mailbox text, step bigint, grp bigint, message_id text, key text, raw bytea, meta bytea,
	created bigint, deadline bigint, state text, ref text, thread text, real_message_id text, settled bigint`)

func intentWrites(c *core, b *store.Batch) []piece {
	rows := make([][]any, len(b.Intents))
	for i := range b.Intents {
		in := &b.Intents[i]
		rows[i] = []any{in.ID, in.Enrollment, in.Mailbox, int64(in.Step), int64(in.Group), in.MessageID, in.Key, bytes(in.Raw), bytes(in.Meta),
			micros(in.Created), micros(in.Deadline), string(in.State), in.Ref, in.Thread, in.RealMessageID, micros(in.Settled)}
	}
	sortRows(rows, 1)
	return c.pieces("intent", writtenIntent, rows, "INSERT INTO outreach_intents ("+names(writtenIntent)+") SELECT "+names(writtenIntent)+
		" FROM v WHERE true ON CONFLICT DO NOTHING RETURNING 'intent ' || id AS id")
}

var writtenResult = columns("id text, state text, ref text, thread text, real_message_id text, settled bigint")

func resultWrites(c *core, b *store.Batch) []piece {
	rows := make([][]any, len(b.Results))
	for i, res := range b.Results {
		rows[i] = []any{res.Intent, string(res.State), res.Ref, res.Thread, res.RealMessageID, micros(res.At)}
	}
	return c.pieces("", writtenResult, rows, `UPDATE outreach_intents SET state = v.state,
		settled = CASE WHEN outreach_intents.state = 'open' THEN v.settled ELSE outreach_intents.settled END,
		ref = CASE WHEN outreach_intents.ref = '' THEN v.ref ELSE outreach_intents.ref END,
		thread = CASE WHEN outreach_intents.thread = '' THEN v.thread ELSE outreach_intents.thread END,
		real_message_id = CASE WHEN outreach_intents.real_message_id = '' THEN v.real_message_id ELSE outreach_intents.real_message_id END
		FROM v WHERE outreach_intents.id = v.id`)
}

var writtenRewrite = columns("id text, raw bytea, meta bytea")

func rewriteWrites(c *core, b *store.Batch) []piece {
	rows := make([][]any, len(b.Rewrites))
	for i := range b.Rewrites {
		w := &b.Rewrites[i]
		rows[i] = []any{w.Intent, bytes(w.Raw), bytes(w.Meta)}
	}
	sortRows(rows, 1)
	return c.pieces("", writtenRewrite, rows, "UPDATE outreach_intents SET raw = v.raw, meta = v.meta FROM v WHERE outreach_intents.id = v.id")
}

var writtenDefinition = columns("hash text, data bytea")

func definitionWrites(c *core, b *store.Batch) []piece {
	rows := make([][]any, len(b.Definitions))
	for i, d := range b.Definitions {
		rows[i] = []any{d.Hash, bytes(d.Data)}
	}
	sortRows(rows, 1)
	return c.pieces("", writtenDefinition, rows, "INSERT INTO outreach_definitions (hash, data) SELECT hash, data FROM v WHERE true ON CONFLICT DO NOTHING")
}

var writtenRow = columns("mailbox text, kind text, value text, enrollment text, until bigint")

func indexWrites(c *core, b *store.Batch) []piece {
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
	return c.pieces("", writtenRow, rows, `INSERT INTO outreach_index (mailbox, kind, value, enrollment, until)
		SELECT mailbox, kind, value, enrollment, until FROM v WHERE true
		ON CONFLICT (mailbox, kind, value, enrollment) DO UPDATE SET until = excluded.until WHERE excluded.until > outreach_index.until`)
}

var writtenSuppression = columns("hash text, reason text, at bigint")

func suppressionWrites(c *core, b *store.Batch) []piece {
	rows := make([][]any, len(b.Suppressions))
	for i, s := range b.Suppressions {
		rows[i] = []any{s.Hash, s.Reason, micros(s.At)}
	}
	sortRows(rows, 1)
	return c.pieces("", writtenSuppression, rows, "INSERT INTO outreach_suppressions (hash, reason, at) SELECT hash, reason, at FROM v WHERE true ON CONFLICT DO NOTHING")
}

var writtenEvent = columns("pos bigint, key text, kind text, enrollment text, data bytea")

// outboxWrites keep the batch's order, not that of keys: it is the order in
// which the rows leave. Two batches that hold the same keys in different
// orders may deadlock; the database ends one, and it is tried again.
func outboxWrites(c *core, b *store.Batch) []piece {
	rows := make([][]any, len(b.Outbox))
	for i := range b.Outbox {
		ev := &b.Outbox[i]
		rows[i] = []any{int64(i), ev.Key, ev.Kind, ev.Enrollment, bytes(ev.Data)}
	}
	return c.pieces("", writtenEvent, rows, `INSERT INTO outreach_outbox (key, kind, enrollment, data)
		SELECT key, kind, enrollment, data FROM v WHERE true ORDER BY pos ON CONFLICT DO NOTHING`)
}
