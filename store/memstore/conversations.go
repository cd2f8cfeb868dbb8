package memstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/outreachkit/outreach/store"
)

// Conversations is a ConversationLog.
type Conversations struct {
	mu      sync.Mutex
	entries []store.Entry
	byKey   map[string]bool
	flags   map[string]bool // AnswerNeeded of conversations
}

// Append implements store.ConversationLog.
func (c *Conversations) Append(ctx context.Context, entries []store.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, e := range entries {
		if e.Key == "" || e.Conversation == "" {
			return invalid("an entry needs a Key and a Conversation")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range entries {
		if c.byKey[e.Key] {
			continue
		}
		c.byKey[e.Key] = true
		e = cloneEntry(e)
		e.At = micro(e.At)
		c.entries = append(c.entries, e)
		if e.AnswerNeeded {
			c.flags[e.Conversation] = true
		} else if e.Answers && !c.asksAfter(e) {
			c.flags[e.Conversation] = false
		}
	}
	return nil
}

// asksAfter reports whether an entry later than e needs an answer.
func (c *Conversations) asksAfter(e store.Entry) bool {
	return slices.ContainsFunc(c.entries, func(o store.Entry) bool {
		return o.Conversation == e.Conversation && o.AnswerNeeded && o.At.After(e.At)
	})
}

// Conversation implements store.ConversationLog.
func (c *Conversations) Conversation(ctx context.Context, conversation string) ([]store.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []store.Entry
	for _, e := range c.entries {
		if e.Conversation == conversation {
			out = append(out, cloneEntry(e))
		}
	}
	slices.SortFunc(out, byTime)
	return out, nil
}

// Find implements store.ConversationLog.
func (c *Conversations) Find(ctx context.Context, p store.FindConversations) ([]store.Summary, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	sorted := slices.Clone(c.entries)
	slices.SortStableFunc(sorted, byTime)
	found := make(map[string]*store.Summary)
	mine := make(map[string]bool)
	for _, e := range sorted {
		s, ok := found[e.Conversation]
		if !ok {
			s = &store.Summary{Conversation: e.Conversation, Recipient: e.Recipient, Owner: e.Owner, Subject: e.Subject}
			found[e.Conversation] = s
		}
		s.Entries++
		s.Last = e.At
		s.AnswerNeeded = c.flags[e.Conversation]
		if p.Owner == "" || e.Owner == p.Owner || e.Actor == p.Owner {
			mine[e.Conversation] = true
		}
	}
	var out []store.Summary
	for id, s := range found {
		if mine[id] && (p.Recipient == "" || s.Recipient == p.Recipient) && (!p.AnswerNeeded || s.AnswerNeeded) {
			out = append(out, *s)
		}
	}
	slices.SortFunc(out, func(a, b store.Summary) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Conversation, b.Conversation))
	})
	return out[:min(len(out), limit(p.Limit, 100))], nil
}

// Flag implements store.ConversationLog.
func (c *Conversations) Flag(ctx context.Context, conversation string, on bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.ContainsFunc(c.entries, func(e store.Entry) bool { return e.Conversation == conversation }) {
		return fmt.Errorf("conversation %s: %w", conversation, store.ErrNotFound)
	}
	c.flags[conversation] = on
	return nil
}

// Erase implements store.ConversationLog.
func (c *Conversations) Erase(ctx context.Context, recipient string) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if recipient == "" {
		return 0, invalid("no recipient to erase")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before := len(c.entries)
	c.entries = slices.DeleteFunc(c.entries, func(e store.Entry) bool {
		if e.Recipient != recipient {
			return false
		}
		delete(c.flags, e.Conversation)
		return true
	})
	return before - len(c.entries), nil
}

func byTime(a, b store.Entry) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key)) }

func cloneEntry(e store.Entry) store.Entry {
	e.Parts = slices.Clone(e.Parts)
	return e
}
