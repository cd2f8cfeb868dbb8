package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

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
	for _, check := range []func(*store.Batch) error{
		checkForm, checkRows, e.checkFence, e.checkEnrollments, e.checkIntents, e.checkResults,
	} {
		if err := check(&b); err != nil {
			return err
		}
	}
	e.write(&b)
	return nil
}

// checkForm checks what is wrong whatever is stored.
func checkForm(b *store.Batch) error {
	switch {
	case b.Fence == nil && (b.Mailbox != nil || len(b.Intents) > 0):
		return invalid("a mailbox and new intents need a fence")
	case b.Mailbox != nil && b.Mailbox.ID != b.Fence.Mailbox:
		return invalid("the fence is of another mailbox")
	}
	ids, keys := make(map[string]bool), make(map[string]bool)
	for _, row := range b.Enrollments {
		if row.ID == "" || row.HostKey == "" || row.Mailbox == "" {
			return invalid("an enrollment needs an ID, a HostKey and a Mailbox")
		}
		if !plain(row.ID, row.HostKey, row.Kind, row.Mailbox, row.Link, row.Owner, row.Actor, row.Recipient, row.Sequence, row.Status) {
			return errText
		}
		if ids[row.ID] || keys[row.HostKey] {
			return invalid("the same enrollment twice in one batch")
		}
		ids[row.ID], keys[row.HostKey] = true, true
	}
	for _, in := range b.Intents {
		if in.ID == "" || in.Enrollment == "" || in.State != store.IntentOpen {
			return invalid("a new intent needs an ID and an Enrollment, and is open")
		}
		if !plain(in.ID, in.Enrollment, in.MessageID, in.Key) {
			return errText
		}
		if in.Mailbox != b.Fence.Mailbox {
			return invalid("the fence is of another mailbox")
		}
	}
	closed := make(map[string]bool)
	for _, res := range b.Results {
		if res.State == store.IntentOpen || res.State == "" {
			return invalid("a result closes an intent")
		}
		if !plain(res.Intent, res.Ref, res.Thread, res.RealMessageID) {
			return errText
		}
		if closed[res.Intent] {
			return invalid("two results of one intent in one batch")
		}
		closed[res.Intent] = true
	}
	for _, w := range b.Rewrites {
		if w.Intent == "" || !plain(w.Intent) {
			return errText
		}
		if closed[w.Intent] {
			return invalid("two results or rewrites of one intent in one batch")
		}
		closed[w.Intent] = true
	}
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

var errText = invalid("a string that is not UTF-8, or has a NUL")

// plain reports whether every database can keep the strings.
func plain(list ...string) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !utf8.ValidString(s) || strings.ContainsRune(s, 0) })
}

func validKey(k store.IndexKey) bool { return len(k.Value) <= store.MaxIndexValue && plain(k.Value) }

func checkRows(b *store.Batch) error {
	for _, row := range b.Index {
		if row.Kind == "" || row.Value == "" || row.Mailbox == "" || row.Enrollment == "" {
			return invalid("an index row needs all its keys")
		}
		if !validKey(store.IndexKey{Kind: row.Kind, Value: row.Value}) || !plain(row.Mailbox, row.Enrollment) {
			return invalid("the Value of an index row is not UTF-8, has a NUL or is too long")
		}
	}
	for _, d := range b.Definitions {
		if d.Hash == "" {
			return invalid("a definition needs a Hash")
		}
	}
	for _, s := range b.Suppressions {
		if s.Hash == "" {
			return invalid("a suppression needs a Hash")
		}
	}
	for _, ev := range b.Outbox {
		if ev.Key == "" {
			return invalid("an outbox row needs a Key")
		}
		if !plain(ev.Key, ev.Kind, ev.Enrollment) {
			return errText
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
