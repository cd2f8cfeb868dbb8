package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/outreachkit/outreach/store/seal"
)

// Resealed counts what Reseal did.
type Resealed struct {
	Sealed  int // entries and subjects that were rewritten
	Current int // those that Options.Sealer's newest key had sealed already
	Failed  int // those that do not open; each is in the error
}

var (
	resealEntry = columns("key text, data bytea, was bytea, subject bytea")
	resealTalk  = columns("id text, subject bytea, was bytea")
)

// Reseal rewrites the words that were sealed by another key than the newest
// of Options.Sealer, and with ReadPlain those that are plain. It may run
// beside everything else, and again. What does not open is left as it is and
// does not stop the rest: the error names each. What is appended meanwhile by
// a process that still seals by the older key is for the next call.
func (v *Conversations) Reseal(ctx context.Context) (Resealed, error) {
	const op = "reseal"
	var out Resealed
	if v.h.box.Sealer == nil {
		return out, v.h.explain(ctx, op, invalid("Options.Sealer is nil: words are not sealed"))
	}
	var failed []error
	// again seals data anew, if it has to be. It stops at a Sealer that can't
	// be reached.
	again := func(data []byte, what string) (sealed []byte, done bool, err error) {
		if v.h.box.Current(data) {
			out.Current++
			return data, false, nil
		}
		plain, err := v.h.box.Open(data, what)
		if err != nil {
			if seal.Temporary(err) {
				return nil, false, err
			}
			out.Failed++
			failed = append(failed, v.h.explain(ctx, op, err))
			return data, false, nil
		}
		if sealed, err = v.h.box.Seal(plain, what); err != nil {
			return nil, false, err
		}
		out.Sealed++
		return sealed, true, nil
	}
	err := v.resealEntries(ctx, again)
	if err == nil {
		err = v.resealTalks(ctx, again)
	}
	if err != nil {
		failed = append(failed, v.h.explain(ctx, op, err))
	}
	return out, errors.Join(failed...)
}

const resealPage = 200

type resealer func(data []byte, what string) ([]byte, bool, error)

func (v *Conversations) resealEntries(ctx context.Context, again resealer) error {
	type entry struct {
		key, talk     string
		data, subject []byte
	}
	for after, more := "", true; more; {
		var page []entry
		err := v.h.read(ctx, "reseal", func(c conn) error {
			page = nil
			return c.query(func(r *sql.Rows) error {
				var e entry
				err := r.Scan(&e.key, &e.talk, &e.data, &e.subject)
				page = append(page, e)
				return err
			}, "SELECT key, conversation, data, subject FROM outreach_entries WHERE key > ? ORDER BY key LIMIT ?", after, int64(resealPage))
		})
		if err != nil {
			return err
		}
		more = len(page) == resealPage
		var rows [][]any
		for _, e := range page {
			after = e.key
			data, entryDone, err := again(e.data, entryOf(e.key))
			if err != nil {
				return err
			}
			subject, subjectDone, err := again(e.subject, subjectOf(e.talk))
			if err != nil {
				return err
			}
			if entryDone || subjectDone {
				rows = append(rows, []any{e.key, data, e.data, bytes(subject)})
			}
		}
		if err := v.rewrite(ctx, resealEntry, rows, `UPDATE outreach_entries SET data = v.data, subject = v.subject FROM v
			WHERE outreach_entries.key = v.key AND outreach_entries.data = v.was`); err != nil {
			return err
		}
	}
	return nil
}

// resealTalks rewrites the summaries' copies of subjects.
func (v *Conversations) resealTalks(ctx context.Context, again resealer) error {
	type talk struct {
		id      string
		subject []byte
	}
	for after, more := "", true; more; {
		var page []talk
		err := v.h.read(ctx, "reseal", func(c conn) error {
			page = nil
			return c.query(func(r *sql.Rows) error {
				var t talk
				err := r.Scan(&t.id, &t.subject)
				page = append(page, t)
				return err
			}, "SELECT id, subject FROM outreach_conversations WHERE id > ? ORDER BY id LIMIT ?", after, int64(resealPage))
		})
		if err != nil {
			return err
		}
		more = len(page) == resealPage
		var rows [][]any
		for _, t := range page {
			after = t.id
			subject, done, err := again(t.subject, subjectOf(t.id))
			if err != nil {
				return err
			}
			if done {
				rows = append(rows, []any{t.id, bytes(subject), t.subject})
			}
		}
		if err := v.rewrite(ctx, resealTalk, rows, `UPDATE outreach_conversations SET subject = v.subject FROM v
			WHERE outreach_conversations.id = v.id AND outreach_conversations.subject = v.was`); err != nil {
			return err
		}
	}
	return nil
}

func (v *Conversations) rewrite(ctx context.Context, cols []column, rows [][]any, text string) error {
	if len(rows) == 0 {
		return nil
	}
	return v.h.write(ctx, "reseal", func(c conn) error { return c.each(cols, rows, text) })
}
