package sim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/outreachkit/outreach/store"
)

// errDead is what everything answers to a process that has died.
var errDead = errors.New("sim: the process is dead")

// life is how long a process of the host lives: so many steps, each a store
// call or a request.
type life struct {
	left  int  // negative is for ever
	after bool // the last step is done, and its caller never learns of it
	dead  bool
}

// step does one step, unless the process dies before it.
func step[T any](l *life, do func() (T, error)) (T, error) {
	var none T
	if l.dead {
		return none, errDead
	}
	if l.left > 0 {
		if l.left--; l.left == 0 {
			l.dead = true
			if l.after {
				_, _ = do()
			}
			return none, errDead
		}
	}
	return do()
}

func act(l *life, do func() error) error {
	_, err := step(l, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// mortalStore is a store as a mortal process sees it.
type mortalStore struct {
	store.EnrollmentStore
	l    *life
	slow func(b *store.Batch, done bool) // the database takes its time, before and after
}

func (m *mortalStore) Claim(ctx context.Context, p store.ClaimParams) ([]store.Claim, error) {
	return step(m.l, func() ([]store.Claim, error) { return m.EnrollmentStore.Claim(ctx, p) })
}

func (m *mortalStore) Renew(ctx context.Context, f store.Fence, d time.Duration) error {
	return act(m.l, func() error { return m.EnrollmentStore.Renew(ctx, f, d) })
}

func (m *mortalStore) Unclaim(ctx context.Context, f store.Fence) error {
	return act(m.l, func() error { return m.EnrollmentStore.Unclaim(ctx, f) })
}

func (m *mortalStore) Commit(ctx context.Context, b store.Batch) error {
	return act(m.l, func() error {
		m.slow(&b, false)
		err := m.EnrollmentStore.Commit(ctx, b)
		m.slow(&b, true)
		return err
	})
}

func (m *mortalStore) Load(ctx context.Context, ids []string) ([]store.Enrollment, error) {
	return step(m.l, func() ([]store.Enrollment, error) { return m.EnrollmentStore.Load(ctx, ids) })
}

func (m *mortalStore) LoadIntents(ctx context.Context, id string) ([]store.Intent, error) {
	return step(m.l, func() ([]store.Intent, error) { return m.EnrollmentStore.LoadIntents(ctx, id) })
}

func (m *mortalStore) Match(ctx context.Context, box string, keys []store.IndexKey) ([]store.IndexRow, error) {
	return step(m.l, func() ([]store.IndexRow, error) { return m.EnrollmentStore.Match(ctx, box, keys) })
}

func (m *mortalStore) Outbox(ctx context.Context, n int) ([]store.Event, error) {
	return step(m.l, func() ([]store.Event, error) { return m.EnrollmentStore.Outbox(ctx, n) })
}

func (m *mortalStore) Ack(ctx context.Context, seqs []int64) error {
	return act(m.l, func() error { return m.EnrollmentStore.Ack(ctx, seqs) })
}

// mortalLinks are the links as a mortal process sees them.
type mortalLinks struct {
	store.TokenStore
	l *life
}

func (m *mortalLinks) Get(ctx context.Context, id string) (store.Link, error) {
	return step(m.l, func() (store.Link, error) { return m.TokenStore.Get(ctx, id) })
}

func (m *mortalLinks) CompareAndSwap(ctx context.Context, link store.Link) (store.Link, error) {
	return step(m.l, func() (store.Link, error) { return m.TokenStore.CompareAndSwap(ctx, link) })
}

// mortalLog is the conversation log as a mortal process sees it.
type mortalLog struct {
	store.ConversationLog
	l *life
}

func (m *mortalLog) Append(ctx context.Context, entries []store.Entry) error {
	return act(m.l, func() error { return m.ConversationLog.Append(ctx, entries) })
}

// mortalWire is the network of a mortal process. Feeds are told before they
// leave.
type mortalWire struct {
	base http.RoundTripper
	l    *life
	tell func(*http.Request)
}

// RoundTrip implements http.RoundTripper.
func (m *mortalWire) RoundTrip(req *http.Request) (*http.Response, error) {
	if m.l.dead { // else the body of what never leaves would stay open
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, errDead
	}
	resp, err := step(m.l, func() (*http.Response, error) {
		m.tell(req)
		resp, err := m.base.RoundTrip(req)
		if err == nil && m.l.dead { // died while it was under way
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			return nil, errDead
		}
		return resp, err
	})
	return resp, err
}
