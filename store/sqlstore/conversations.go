package sqlstore

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"github.com/outreachkit/outreach/store"
)

var (
	newEntry  = columns("key text, conversation text, owner text, actor text, recipient text, subject bytea, at bigint, data bytea")
	newPerson = columns("person text, conversation text")
	newTalk   = columns("id text, answer_needed boolean")
)

// Append implements store.ConversationLog. Words of a mail that are not UTF-8
// are kept with their bad bytes replaced.
func (v *Conversations) Append(ctx context.Context, entries []store.Entry) error {
	const op = "append"
	rows := make(map[string][]any, len(entries)) // by key; the first wins
	var kept []*store.Entry
	for i := range entries {
		e := &entries[i]
		if e.Key == "" || e.Conversation == "" {
			return v.h.explain(ctx, op, invalid("an entry needs a Key and a Conversation"))
		}
		if !plain(e.Key, e.Conversation, e.Owner, e.Actor, e.Recipient) {
			return v.h.explain(ctx, op, errText)
		}
		if rows[e.Key] != nil {
			continue
		}
		subject, data, err := v.h.sealEntry(e)
		if err != nil {
			return v.h.explain(ctx, op, err)
		}
		rows[e.Key] = []any{e.Key, e.Conversation, e.Owner, e.Actor, e.Recipient, bytes(subject), micros(e.At), data}
		kept = append(kept, e)
	}
	if len(rows) == 0 {
		return nil
	}
	return v.h.write(ctx, op, func(c conn) error { return appendEntries(c, rows, kept) })
}

// appendEntries locks the conversations first, in their order, so that their
// summaries count every entry.
func appendEntries(c conn, rows map[string][]any, entries []*store.Entry) error {
	talks := make(map[string]bool)
	for _, row := range rows {
		talks[row[1].(string)] = true
	}
	var fresh [][]any
	for _, id := range slices.Sorted(maps.Keys(talks)) {
		fresh = append(fresh, []any{id, false})
	}
	err := c.each(newTalk, fresh, `INSERT INTO outreach_conversations (id, recipient, owner, entries, last_at, answer_needed)
		SELECT id, '', '', 0, 0, answer_needed FROM v WHERE true ON CONFLICT DO NOTHING`)
	if err != nil {
		return err
	}
	if err := lockTalks(c, talks); err != nil {
		return err
	}
	var sorted [][]any
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		sorted = append(sorted, rows[key])
	}
	var added []string
	for part := range slices.Chunk(sorted, c.rowsAtOnce(len(newEntry))) {
		with, args := c.with(newEntry, part)
		err := c.query(func(r *sql.Rows) error {
			var key string
			err := r.Scan(&key)
			added = append(added, key)
			return err
		}, with+"INSERT INTO outreach_entries ("+names(newEntry)+") SELECT "+names(newEntry)+" FROM v WHERE true ON CONFLICT DO NOTHING RETURNING key", args...)
		if err != nil {
			return err
		}
	}
	people := make(map[[2]string]bool)
	for _, key := range added {
		row := rows[key]
		talk := row[1].(string)
		for _, person := range row[2:4] {
			people[[2]string{person.(string), talk}] = true
		}
	}
	var persons, changed [][]any
	for p := range people {
		persons = append(persons, []any{p[0], p[1]})
	}
	sortRows(persons, 2)
	if err := c.each(newPerson, persons, "INSERT INTO outreach_people (person, conversation) SELECT person, conversation FROM v WHERE true ON CONFLICT DO NOTHING"); err != nil {
		return err
	}
	for _, talk := range slices.Sorted(maps.Keys(talks)) {
		changed = append(changed, []any{talk, false})
	}
	if err := summarise(c, changed); err != nil {
		return err
	}
	return markTalks(c, entries, added)
}

// markTalks sets or clears AnswerNeeded of the conversations that entries were
// added to, as they say in their order.
func markTalks(c conn, entries []*store.Entry, added []string) error {
	marks := make(map[string]bool)
	for _, e := range entries {
		if !e.AnswerNeeded && !e.Answers || !slices.Contains(added, e.Key) {
			continue
		}
		if e.AnswerNeeded {
			marks[e.Conversation] = true
		} else {
			later, err := asksAfter(c, e)
			if err != nil {
				return err
			}
			if !later {
				marks[e.Conversation] = false
			}
		}
	}
	var rows [][]any
	for _, talk := range slices.Sorted(maps.Keys(marks)) {
		rows = append(rows, []any{talk, marks[talk]})
	}
	return c.each(newTalk, rows, "UPDATE outreach_conversations SET answer_needed = v.answer_needed FROM v WHERE outreach_conversations.id = v.id")
}

// asksAfter reports whether an entry later than e needs an answer. That is
// in what is sealed, and few entries are later.
func asksAfter(c conn, e *store.Entry) (bool, error) {
	var rows []entryRow
	if err := c.query(func(r *sql.Rows) error {
		row := entryRow{conversation: e.Conversation}
		err := r.Scan(&row.key, instant{&row.at}, &row.data)
		rows = append(rows, row)
		return err
	}, "SELECT key, at, data FROM outreach_entries WHERE conversation = ? AND at > ? ORDER BY at, key", e.Conversation, micros(e.At)); err != nil {
		return false, err
	}
	for _, row := range rows {
		other, err := c.openEntry(row)
		if err != nil {
			return false, err
		}
		if other.AnswerNeeded {
			return true, nil
		}
	}
	return false, nil
}

func lockTalks(c conn, talks map[string]bool) error {
	if c.dialect == SQLite {
		return nil
	}
	return c.query(func(*sql.Rows) error { return nil },
		"SELECT id FROM outreach_conversations WHERE id {in} ORDER BY id {lock}", c.list(slices.Sorted(maps.Keys(talks))))
}

// summarise counts conversations anew, and forgets those without an entry.
func summarise(c conn, talks [][]any) error {
	err := c.each(newTalk, talks, `UPDATE outreach_conversations SET entries = s.entries, last_at = s.last_at,
		recipient = s.recipient, owner = s.owner, subject = s.subject, answer_needed = (outreach_conversations.answer_needed OR s.answer_needed)
		FROM (
			SELECT v.id, v.answer_needed, n.entries, n.last_at, first.recipient, first.owner, first.subject FROM v
			JOIN (
				SELECT conversation, count(*) AS entries, max(at) AS last_at FROM outreach_entries WHERE conversation IN (SELECT id FROM v) GROUP BY conversation
			) AS n ON n.conversation = v.id
			JOIN outreach_entries AS first ON first.key = (
				SELECT key FROM outreach_entries AS e WHERE e.conversation = v.id ORDER BY e.at, e.key LIMIT 1
			)
		) AS s WHERE outreach_conversations.id = s.id`)
	if err != nil {
		return err
	}
	ids := make([]string, len(talks))
	for i, talk := range talks {
		ids[i] = talk[0].(string)
	}
	_, err = c.exec(`DELETE FROM outreach_conversations WHERE id {in}
		AND NOT EXISTS (SELECT 1 FROM outreach_entries WHERE conversation = outreach_conversations.id)`, c.list(ids))
	return err
}

// Conversation implements store.ConversationLog.
func (v *Conversations) Conversation(ctx context.Context, conversation string) ([]store.Entry, error) {
	const op = "conversation"
	if !plain(conversation) {
		return nil, v.h.explain(ctx, op, errText)
	}
	var rows []entryRow
	err := v.h.read(ctx, op, func(c conn) error {
		rows = nil
		return c.query(func(r *sql.Rows) error {
			row := entryRow{conversation: conversation}
			err := r.Scan(&row.key, instant{&row.at}, &row.data)
			rows = append(rows, row)
			return err
		}, "SELECT key, at, data FROM outreach_entries WHERE conversation = ? ORDER BY at, key", conversation)
	})
	if err != nil {
		return nil, err
	}
	var out []store.Entry
	for _, row := range rows {
		e, err := v.h.openEntry(row)
		if err != nil {
			return nil, v.h.explain(ctx, op, err)
		}
		out = append(out, e)
	}
	return out, nil
}

// Find implements store.ConversationLog.
func (v *Conversations) Find(ctx context.Context, p store.FindConversations) ([]store.Summary, error) {
	const op = "find conversations"
	if !plain(p.Owner, p.Recipient) {
		return nil, v.h.explain(ctx, op, errText)
	}
	where, args := "entries > 0", []any(nil)
	if p.Owner != "" {
		where, args = where+" AND id IN (SELECT conversation FROM outreach_people WHERE person = ?)", append(args, p.Owner)
	}
	if p.Recipient != "" {
		where, args = where+" AND recipient = ?", append(args, p.Recipient)
	}
	if p.AnswerNeeded {
		where += " AND answer_needed"
	}
	args = append(args, limit(p.Limit, 100))
	var out []store.Summary
	var subjects [][]byte
	err := v.h.read(ctx, op, func(c conn) error {
		out, subjects = nil, nil
		return c.query(func(r *sql.Rows) error {
			var s store.Summary
			var subject []byte
			err := r.Scan(&s.Conversation, &s.Recipient, &s.Owner, &subject, &s.Entries, instant{&s.Last}, &s.AnswerNeeded)
			out, subjects = append(out, s), append(subjects, subject)
			return err
		}, "SELECT id, recipient, owner, subject, entries, last_at, answer_needed FROM outreach_conversations WHERE "+where+" ORDER BY last_at DESC, id LIMIT ?", args...)
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		subject, err := v.h.box.Open(subjects[i], subjectOf(out[i].Conversation))
		if err != nil {
			return nil, v.h.explain(ctx, op, err)
		}
		out[i].Subject = string(subject)
	}
	return out, nil
}

// Flag implements store.ConversationLog.
func (v *Conversations) Flag(ctx context.Context, conversation string, on bool) error {
	const op = "flag"
	if !plain(conversation) {
		return v.h.explain(ctx, op, errText)
	}
	n, err := v.h.single(ctx, op, "UPDATE outreach_conversations SET answer_needed = ? WHERE id = ?", on, conversation)
	if err == nil && n == 0 {
		err = v.h.explain(ctx, op, notFound("conversation", conversation))
	}
	return err
}

// Erase implements store.ConversationLog.
func (v *Conversations) Erase(ctx context.Context, recipient string) (int, error) {
	const op = "erase conversations"
	if recipient == "" {
		return 0, v.h.explain(ctx, op, invalid("no recipient to erase"))
	}
	if !plain(recipient) {
		return 0, v.h.explain(ctx, op, errText)
	}
	var n int64
	err := v.h.write(ctx, op, func(c conn) (err error) {
		n, err = eraseEntries(c, recipient)
		return err
	})
	return int(n), err
}

func eraseEntries(c conn, recipient string) (int64, error) {
	talks := make(map[string]bool)
	err := c.query(func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		talks[id] = true
		return err
	}, "SELECT DISTINCT conversation FROM outreach_entries WHERE recipient = ?", recipient)
	if err != nil || len(talks) == 0 {
		return 0, err
	}
	if err := lockTalks(c, talks); err != nil {
		return 0, err
	}
	ids := slices.Sorted(maps.Keys(talks))
	list := c.list(ids)
	n, err := c.exec("DELETE FROM outreach_entries WHERE recipient = ? AND conversation {in}", recipient, list)
	if err != nil {
		return 0, err
	}
	// The flag asked for an answer to somebody who is gone.
	if _, err := c.exec("UPDATE outreach_conversations SET answer_needed = false WHERE id {in}", list); err != nil {
		return 0, err
	}
	_, err = c.exec(`DELETE FROM outreach_people WHERE conversation {in} AND NOT EXISTS (
		SELECT 1 FROM outreach_entries AS e WHERE e.conversation = outreach_people.conversation AND (e.owner = outreach_people.person OR e.actor = outreach_people.person))`, list)
	if err != nil {
		return 0, err
	}
	var changed [][]any
	for _, id := range ids {
		changed = append(changed, []any{id, false})
	}
	return n, summarise(c, changed)
}
