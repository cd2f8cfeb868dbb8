package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/outreachkit/outreach/store"
)

// Tokens is a TokenStore.
type Tokens struct {
	mu      sync.Mutex
	now     func() time.Time
	links   map[string]link
	holders map[mailboxKey]string // the link that holds each mailbox
}

type mailboxKey struct{ kind, subject string }

// link is a stored link; its mark's end is an instant of the store's clock.
type link struct {
	store.Link
	markEnds time.Time
}

// Create implements store.TokenStore.
func (t *Tokens) Create(ctx context.Context, l store.Link) (store.Link, error) {
	if err := ctx.Err(); err != nil {
		return store.Link{}, err
	}
	if l.ID == "" || l.Kind == "" || l.Subject == "" || l.Owner == "" || l.Status == store.LinkUnlinked {
		return store.Link{}, invalid("a new link needs an ID, an Owner, a Kind and a Subject, and is not unlinked")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.links[l.ID]; ok {
		return store.Link{}, &store.ConflictError{Record: "link", ID: l.ID}
	}
	key := mailboxKey{l.Kind, l.Subject}
	if holder, ok := t.holders[key]; ok {
		return store.Link{}, fmt.Errorf("link %s: %w", holder, store.ErrOwned)
	}
	l.Version = 1
	t.put(l)
	t.holders[key] = l.ID
	return t.out(l.ID), nil
}

// Get implements store.TokenStore.
func (t *Tokens) Get(ctx context.Context, id string) (store.Link, error) {
	if err := ctx.Err(); err != nil {
		return store.Link{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.links[id]; !ok {
		return store.Link{}, fmt.Errorf("link %s: %w", id, store.ErrNotFound)
	}
	return t.out(id), nil
}

// Find implements store.TokenStore.
func (t *Tokens) Find(ctx context.Context, kind, subject string) (store.Link, error) {
	if err := ctx.Err(); err != nil {
		return store.Link{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	id, ok := t.holders[mailboxKey{kind, subject}]
	if !ok {
		return store.Link{}, fmt.Errorf("a link of this mailbox: %w", store.ErrNotFound)
	}
	return t.out(id), nil
}

// CompareAndSwap implements store.TokenStore.
func (t *Tokens) CompareAndSwap(ctx context.Context, l store.Link) (store.Link, error) {
	if err := ctx.Err(); err != nil {
		return store.Link{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old, ok := t.links[l.ID]
	if !ok {
		return store.Link{}, fmt.Errorf("link %s: %w", l.ID, store.ErrNotFound)
	}
	if old.Version != l.Version || (old.Status == store.LinkUnlinked) != (l.Status == store.LinkUnlinked) || old.Kind != l.Kind || old.Subject != l.Subject ||
		old.Owner != l.Owner || !old.Created.Equal(micro(l.Created)) {
		return store.Link{}, &store.ConflictError{Record: "link", ID: l.ID}
	}
	if l.Status == store.LinkUnlinked {
		data, changed := l.Data, l.Changed
		l = old.Link
		l.Data, l.Changed = data, changed
	}
	l.Version++
	t.put(l)
	return t.out(l.ID), nil
}

// List implements store.TokenStore.
func (t *Tokens) List(ctx context.Context, p store.ListLinks) ([]store.Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var ids []string
	for id, l := range t.links {
		if id > p.After && (p.Owner == "" || l.Owner == p.Owner) && (p.Status == "" || l.Status == p.Status) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, strings.Compare)
	var out []store.Link
	for _, id := range ids[:min(len(ids), limit(p.Limit, 100))] {
		out = append(out, t.out(id))
	}
	return out, nil
}

// Release implements store.TokenStore.
func (t *Tokens) Release(ctx context.Context, id string, version int64) (store.Link, error) {
	if err := ctx.Err(); err != nil {
		return store.Link{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old, ok := t.links[id]
	if !ok {
		return store.Link{}, fmt.Errorf("link %s: %w", id, store.ErrNotFound)
	}
	if old.Status == store.LinkUnlinked {
		return t.out(id), nil
	}
	if old.Version != version {
		return store.Link{}, &store.ConflictError{Record: "link", ID: id}
	}
	l := old.Link
	l.Status, l.Token, l.Mark = store.LinkUnlinked, nil, nil
	l.Version++
	t.put(l)
	delete(t.holders, mailboxKey{l.Kind, l.Subject})
	return t.out(id), nil
}

// put stores a copy.
func (t *Tokens) put(l store.Link) {
	kept := link{Link: cloneLink(l)}
	kept.Created, kept.Changed = micro(l.Created), micro(l.Changed)
	if l.Mark != nil {
		kept.markEnds = t.now().Add(l.Mark.Left)
	}
	t.links[l.ID] = kept
}

// out returns a copy, with what is left of the mark now.
func (t *Tokens) out(id string) store.Link {
	kept := t.links[id]
	l := cloneLink(kept.Link)
	if l.Mark != nil {
		l.Mark.Left = kept.markEnds.Sub(t.now())
	}
	return l
}

func cloneLink(l store.Link) store.Link {
	l.Addresses = slices.Clone(l.Addresses)
	l.Scopes = slices.Clone(l.Scopes)
	l.Token = slices.Clone(l.Token)
	l.Data = slices.Clone(l.Data)
	if l.Mark != nil {
		m := *l.Mark
		l.Mark = &m
	}
	return l
}

// limit is a page's size: n, or def where n is not positive.
func limit(n, def int) int {
	if n <= 0 {
		return def
	}
	return n
}
