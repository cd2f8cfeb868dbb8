package store

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Validate finds what is wrong with a batch whatever is stored: an empty key,
// text that not every database can keep, something twice, a write that needs a
// fence and has none. The error is ErrInvalid. Every EnrollmentStore's Commit
// begins with it.
func (b *Batch) Validate() error {
	switch {
	case b.Fence == nil && (b.Mailbox != nil || len(b.Intents) > 0):
		return invalid("a mailbox and new intents need a fence")
	case b.Mailbox != nil && b.Mailbox.ID != b.Fence.Mailbox:
		return invalid("the fence is of another mailbox")
	case b.Fence != nil && !plain(b.Fence.Mailbox), b.Mailbox != nil && !plain(b.Mailbox.Link):
		return errText
	}
	for _, f := range []func(*Batch) error{checkEnrollments, checkIntents, checkResults, checkIndex, checkRest} {
		if err := f(b); err != nil {
			return err
		}
	}
	return nil
}

func checkEnrollments(b *Batch) error {
	ids, keys := make(map[string]bool), make(map[string]bool)
	for i := range b.Enrollments {
		row := &b.Enrollments[i]
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
	return nil
}

func checkIntents(b *Batch) error {
	for i := range b.Intents {
		in := &b.Intents[i]
		if in.ID == "" || in.Enrollment == "" || in.State != IntentOpen {
			return invalid("a new intent needs an ID and an Enrollment, and is open")
		}
		if !plain(in.ID, in.Enrollment, in.MessageID, in.Key, in.Ref, in.Thread, in.RealMessageID) {
			return errText
		}
		if in.Mailbox != b.Fence.Mailbox {
			return invalid("the fence is of another mailbox")
		}
	}
	return nil
}

func checkResults(b *Batch) error {
	closed := make(map[string]bool)
	for _, res := range b.Results {
		if res.State == IntentOpen || res.State == "" {
			return invalid("a result closes an intent")
		}
		if !plain(res.Intent, string(res.State), res.Ref, res.Thread, res.RealMessageID) {
			return errText
		}
		if closed[res.Intent] {
			return invalid("two results of one intent in one batch")
		}
		closed[res.Intent] = true
	}
	for i := range b.Rewrites {
		id := b.Rewrites[i].Intent
		if id == "" || !plain(id) {
			return errText
		}
		if closed[id] {
			return invalid("two results or rewrites of one intent in one batch")
		}
		closed[id] = true
	}
	return nil
}

func checkIndex(b *Batch) error {
	for i := range b.Index {
		row := &b.Index[i]
		if row.Kind == "" || row.Value == "" || row.Mailbox == "" || row.Enrollment == "" {
			return invalid("an index row needs all its keys")
		}
		if !plain(row.Mailbox, row.Enrollment) {
			return errText
		}
		if err := (IndexKey{Kind: row.Kind, Value: row.Value}).Validate(); err != nil {
			return err
		}
	}
	return nil
}

// Validate finds what is wrong with a key that Match is asked for. The error is
// ErrInvalid.
func (k IndexKey) Validate() error {
	if len(k.Value) > MaxIndexValue || !plain(string(k.Kind), k.Value) {
		return invalid("the Value of an index row is not UTF-8, has a NUL or is too long")
	}
	return nil
}

func checkRest(b *Batch) error {
	for _, d := range b.Definitions {
		if d.Hash == "" {
			return invalid("a definition needs a Hash")
		}
		if !plain(d.Hash) {
			return errText
		}
	}
	for _, s := range b.Suppressions {
		if s.Hash == "" {
			return invalid("a suppression needs a Hash")
		}
		if !plain(s.Hash, s.Reason) {
			return errText
		}
	}
	for i := range b.Outbox {
		ev := &b.Outbox[i]
		if ev.Key == "" {
			return invalid("an outbox row needs a Key")
		}
		if !plain(ev.Key, ev.Kind, ev.Enrollment) {
			return errText
		}
	}
	return nil
}

func invalid(problem string) error { return fmt.Errorf("%s: %w", problem, ErrInvalid) }

var errText = invalid("a string that is not UTF-8, or has a NUL")

// plain reports whether every database can keep the strings.
func plain(list ...string) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 })
}
