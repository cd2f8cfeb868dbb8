package memstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/outreachkit/outreach/store"
)

// Commit implements store.EnrollmentStore. Everything is checked before
// anything is written.
func (e *Enrollments) Commit(ctx context.Context, b store.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := b.Validate(); err != nil {
		return fmt.Errorf("memstore: %w", err)
	}
	for _, check := range []func(*store.Batch) error{
		e.checkFence, e.checkEnrollments, e.checkIntents, e.checkResults,
	} {
		if err := check(&b); err != nil {
			return err
		}
	}
	e.write(&b)
	return nil
}

func (e *Enrollments) checkFence(b *store.Batch) error {
	if b.Fence == nil {
		return nil
	}
	if err := e.good(*b.Fence); err != nil {
		return err
	}
	if b.Mailbox != nil && e.mailboxes[b.Mailbox.ID].Version != b.Mailbox.Version {
		return &store.ConflictError{Record: "mailbox", ID: b.Mailbox.ID}
	}
	return nil
}

func (e *Enrollments) checkEnrollments(b *store.Batch) error {
	for _, row := range b.Enrollments {
		old, ok := e.enrollments[row.ID]
		holder, taken := e.hostKeys[row.HostKey]
		switch {
		case ok && (old.HostKey != row.HostKey || old.Mailbox != row.Mailbox || !old.Created.Equal(micro(row.Created))) && old.Version == row.Version:
			return invalid("an enrollment keeps its HostKey, Mailbox and Created")
		case ok && old.Version != row.Version, !ok && row.Version != 0, taken && holder != row.ID:
			return &store.ConflictError{Record: "enrollment", ID: row.ID}
		case !ok && e.mailboxes[row.Mailbox] == nil:
			return fmt.Errorf("mailbox %s: %w", row.Mailbox, store.ErrNotFound)
		}
	}
	return nil
}

func (e *Enrollments) checkIntents(b *store.Batch) error {
	seen := make(map[string]bool)
	for _, in := range b.Intents {
		if _, ok := e.intents[in.ID]; ok || seen[in.ID] {
			return &store.ConflictError{Record: "intent", ID: in.ID}
		}
		seen[in.ID] = true
	}
	return nil
}

func (e *Enrollments) checkResults(b *store.Batch) error {
	for _, res := range b.Results {
		in, ok := e.intents[res.Intent]
		if !ok {
			return fmt.Errorf("intent %s: %w", res.Intent, store.ErrNotFound)
		}
		if in.State != store.IntentOpen && in.State != res.State {
			return &store.ConflictError{Record: "intent", ID: res.Intent}
		}
	}
	for _, w := range b.Rewrites {
		if _, ok := e.intents[w.Intent]; !ok {
			return fmt.Errorf("intent %s: %w", w.Intent, store.ErrNotFound)
		}
	}
	return nil
}

func (e *Enrollments) write(b *store.Batch) {
	if b.Mailbox != nil {
		box := e.mailboxes[b.Mailbox.ID]
		box.Mailbox = cloneMailbox(*b.Mailbox)
		box.ReadAt = micro(b.Mailbox.ReadAt)
		box.Version++
	}
	for _, d := range b.Definitions {
		if _, ok := e.definitions[d.Hash]; !ok {
			d.Data = slices.Clone(d.Data)
			e.definitions[d.Hash] = d
		}
	}
	for _, row := range b.Enrollments {
		e.putEnrollment(row)
	}
	for _, in := range b.Intents {
		in = cloneIntent(in)
		in.Created, in.Deadline = micro(in.Created), micro(in.Deadline)
		e.intents[in.ID] = in
		e.byEnrollment[in.Enrollment] = append(e.byEnrollment[in.Enrollment], in.ID)
		e.mailboxes[in.Mailbox].open[in.ID] = true
	}
	for _, res := range b.Results {
		e.putResult(res)
	}
	for _, w := range b.Rewrites {
		in := e.intents[w.Intent]
		in.Raw, in.Meta = slices.Clone(w.Raw), slices.Clone(w.Meta)
		e.intents[w.Intent] = in
	}
	for _, row := range b.Index {
		e.putRow(row)
	}
	for _, s := range b.Suppressions {
		if _, ok := e.suppressed[s.Hash]; !ok {
			s.At = micro(s.At)
			e.suppressed[s.Hash] = s
		}
	}
	for _, ev := range b.Outbox {
		if e.eventKeys[ev.Key] {
			continue
		}
		e.eventKeys[ev.Key] = true
		e.seq++
		ev.Seq, ev.Data = e.seq, slices.Clone(ev.Data)
		e.outbox = append(e.outbox, ev)
	}
}

func (e *Enrollments) putEnrollment(row store.Enrollment) {
	row = cloneEnrollment(row)
	row.Due, row.Created = micro(row.Due), micro(row.Created)
	row.Version++
	e.enrollments[row.ID] = row
	e.hostKeys[row.HostKey] = row.ID
	box := e.mailboxes[row.Mailbox]
	delete(box.due, row.ID)
	if !row.Due.IsZero() {
		box.due[row.ID] = row.Due
	}
}

func (e *Enrollments) putResult(res store.Result) {
	in := e.intents[res.Intent]
	if in.State == store.IntentOpen {
		in.State, in.Settled = res.State, micro(res.At)
		e.closeIntent(in.Mailbox, in.ID)
	}
	fill := func(to *string, from string) {
		if *to == "" {
			*to = from
		}
	}
	fill(&in.Ref, res.Ref)
	fill(&in.Thread, res.Thread)
	fill(&in.RealMessageID, res.RealMessageID)
	e.intents[res.Intent] = in
}

func (e *Enrollments) putRow(row store.IndexRow) {
	row.Until = micro(row.Until)
	key := store.IndexKey{Kind: row.Kind, Value: row.Value}
	rows := e.index[key]
	if rows == nil {
		rows = make(map[rowKey]store.IndexRow)
		e.index[key] = rows
	}
	at := rowKey{row.Mailbox, row.Enrollment}
	if old, ok := rows[at]; !ok || row.Until.After(old.Until) {
		rows[at] = row
	}
}
