package sqlstore

import (
	"github.com/outreachkit/outreach/store"
)

// check finds what is wrong with a batch whatever is stored.
func check(b *store.Batch) error {
	switch {
	case b.Fence == nil && (b.Mailbox != nil || len(b.Intents) > 0):
		return invalid("a mailbox and new intents need a fence")
	case b.Mailbox != nil && b.Mailbox.ID != b.Fence.Mailbox:
		return invalid("the fence is of another mailbox")
	case b.Fence != nil && !plain(b.Fence.Mailbox), b.Mailbox != nil && !plain(b.Mailbox.Link):
		return errText
	}
	for _, f := range []func(*store.Batch) error{checkEnrollments, checkIntents, checkResults, checkIndex, checkRest} {
		if err := f(b); err != nil {
			return err
		}
	}
	return nil
}

func checkEnrollments(b *store.Batch) error {
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

func checkIntents(b *store.Batch) error {
	for i := range b.Intents {
		in := &b.Intents[i]
		if in.ID == "" || in.Enrollment == "" || in.State != store.IntentOpen {
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

func checkResults(b *store.Batch) error {
	closed := make(map[string]bool)
	for _, res := range b.Results {
		if res.State == store.IntentOpen || res.State == "" {
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

func checkIndex(b *store.Batch) error {
	for i := range b.Index {
		row := &b.Index[i]
		if row.Kind == "" || row.Value == "" || row.Mailbox == "" || row.Enrollment == "" {
			return invalid("an index row needs all its keys")
		}
		if !plain(row.Mailbox, row.Enrollment) {
			return errText
		}
		if !validKey(store.IndexKey{Kind: row.Kind, Value: row.Value}) {
			return errKey
		}
	}
	return nil
}

var errKey = invalid("the Value of an index row is not UTF-8, has a NUL or is too long")

func validKey(k store.IndexKey) bool {
	return len(k.Value) <= store.MaxIndexValue && plain(string(k.Kind), k.Value)
}

func checkRest(b *store.Batch) error {
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
