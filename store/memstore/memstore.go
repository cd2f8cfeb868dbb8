package memstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/outreachkit/outreach/store"
)

// Options configure a Store. The zero value is ready to use.
type Options struct {
	// Now is the store's clock, which leases, refresh marks and flows end by.
	// Nil is time.Now.
	Now func() time.Time
}

// Store keeps everything in memory. It is not durable: what it holds is gone
// with the process. The interfaces of package store share method names, so
// each has a view of its own.
type Store struct {
	tokens        Tokens
	flows         Flows
	conversations Conversations
	enrollments   Enrollments
}

// New returns an empty Store.
func New(opts Options) *Store {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Store{
		tokens:        Tokens{now: opts.Now, links: make(map[string]link), holders: make(map[mailboxKey]string)},
		flows:         Flows{now: opts.Now, flows: make(map[string]flow)},
		conversations: Conversations{byKey: make(map[string]bool), flags: make(map[string]bool)},
		enrollments:   newEnrollments(opts.Now),
	}
}

// Tokens returns the store's TokenStore.
func (s *Store) Tokens() *Tokens { return &s.tokens }

// Flows returns the store's FlowStore.
func (s *Store) Flows() *Flows { return &s.flows }

// Conversations returns the store's ConversationLog.
func (s *Store) Conversations() *Conversations { return &s.conversations }

// Enrollments returns the store's EnrollmentStore.
func (s *Store) Enrollments() *Enrollments { return &s.enrollments }

var (
	_ store.TokenStore      = (*Tokens)(nil)
	_ store.FlowStore       = (*Flows)(nil)
	_ store.ConversationLog = (*Conversations)(nil)
	_ store.EnrollmentStore = (*Enrollments)(nil)
)

// micro is the precision the contract keeps.
func micro(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// Flows is a FlowStore.
type Flows struct {
	mu    sync.Mutex
	now   func() time.Time
	flows map[string]flow
}

type flow struct {
	store.Flow
	gone time.Time
}

// Put implements store.FlowStore.
func (f *Flows) Put(ctx context.Context, fl store.Flow) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if fl.Key == "" || fl.TTL <= 0 {
		return invalid("a flow needs a Key and a positive TTL")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	for key, old := range f.flows {
		if !old.gone.After(now) {
			delete(f.flows, key)
		}
	}
	if _, ok := f.flows[fl.Key]; ok {
		return &store.ConflictError{Record: "flow", ID: fl.Key}
	}
	fl.Data = slices.Clone(fl.Data)
	fl.Expires = micro(fl.Expires)
	f.flows[fl.Key] = flow{Flow: fl, gone: now.Add(fl.TTL)}
	return nil
}

// Take implements store.FlowStore.
func (f *Flows) Take(ctx context.Context, key string) (store.Flow, error) {
	if err := ctx.Err(); err != nil {
		return store.Flow{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	fl, ok := f.flows[key]
	delete(f.flows, key)
	if !ok || !fl.gone.After(f.now()) {
		return store.Flow{}, store.ErrNotFound
	}
	return fl.Flow, nil
}
