package sim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/outreachkit/outreach/sequence/runner"
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

// live does one step, unless the process dies before it.
func live[T any](l *life, do func() (T, error)) (T, error) {
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
	_, err := live(l, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// mortalStore is a store as a mortal process sees it.
type mortalStore struct {
	store.EnrollmentStore
	l    *life
	slow func(b *store.Batch, done bool) // the database takes its time, before and after
	mark func()                          // a mailbox is marked
}

func (m *mortalStore) Claim(ctx context.Context, p store.ClaimParams) ([]store.Claim, error) {
	return live(m.l, func() ([]store.Claim, error) { return m.EnrollmentStore.Claim(ctx, p) })
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
	return live(m.l, func() ([]store.Enrollment, error) { return m.EnrollmentStore.Load(ctx, ids) })
}

func (m *mortalStore) LoadIntents(ctx context.Context, id string) ([]store.Intent, error) {
	return live(m.l, func() ([]store.Intent, error) { return m.EnrollmentStore.LoadIntents(ctx, id) })
}

func (m *mortalStore) Match(ctx context.Context, box string, keys []store.IndexKey) ([]store.IndexRow, error) {
	return live(m.l, func() ([]store.IndexRow, error) { return m.EnrollmentStore.Match(ctx, box, keys) })
}

func (m *mortalStore) Outbox(ctx context.Context, n int) ([]store.Event, error) {
	return live(m.l, func() ([]store.Event, error) { return m.EnrollmentStore.Outbox(ctx, n) })
}

func (m *mortalStore) Ack(ctx context.Context, seqs []int64) error {
	return act(m.l, func() error { return m.EnrollmentStore.Ack(ctx, seqs) })
}

func (m *mortalStore) EnsureMailbox(ctx context.Context, id, link string) (store.Mailbox, error) {
	return live(m.l, func() (store.Mailbox, error) { return m.EnrollmentStore.EnsureMailbox(ctx, id, link) })
}

func (m *mortalStore) GetMailbox(ctx context.Context, id string) (store.Mailbox, error) {
	return live(m.l, func() (store.Mailbox, error) { return m.EnrollmentStore.GetMailbox(ctx, id) })
}

func (m *mortalStore) Notify(ctx context.Context, id string) error {
	return act(m.l, func() error { m.mark(); return m.EnrollmentStore.Notify(ctx, id) })
}

func (m *mortalStore) LoadDefinition(ctx context.Context, hash string) (store.Definition, error) {
	return live(m.l, func() (store.Definition, error) { return m.EnrollmentStore.LoadDefinition(ctx, hash) })
}

func (m *mortalStore) List(ctx context.Context, p store.ListEnrollments) ([]store.Enrollment, error) {
	return live(m.l, func() ([]store.Enrollment, error) { return m.EnrollmentStore.List(ctx, p) })
}

func (m *mortalStore) Index(ctx context.Context, p store.ListIndex) ([]store.IndexRow, error) {
	return live(m.l, func() ([]store.IndexRow, error) { return m.EnrollmentStore.Index(ctx, p) })
}

func (m *mortalStore) Suppressed(ctx context.Context, hashes []string) ([]string, error) {
	return live(m.l, func() ([]string, error) { return m.EnrollmentStore.Suppressed(ctx, hashes) })
}

func (m *mortalStore) Erase(ctx context.Context, recipient string) (int, error) {
	return live(m.l, func() (int, error) { return m.EnrollmentStore.Erase(ctx, recipient) })
}

// mortalFlows are the flows as a mortal process sees them.
type mortalFlows struct {
	store.FlowStore
	l *life
}

func (m *mortalFlows) Put(ctx context.Context, f store.Flow) error {
	return act(m.l, func() error { return m.FlowStore.Put(ctx, f) })
}

func (m *mortalFlows) Take(ctx context.Context, key string) (store.Flow, error) {
	return live(m.l, func() (store.Flow, error) { return m.FlowStore.Take(ctx, key) })
}

// mortalSink takes events from a mortal process.
type mortalSink struct {
	sink runner.Sink
	l    *life
}

// Handle implements runner.Sink.
func (m *mortalSink) Handle(ctx context.Context, ev runner.Event) error {
	return act(m.l, func() error { return m.sink.Handle(ctx, ev) })
}

// mortalLinks are the links as a mortal process sees them.
type mortalLinks struct {
	store.TokenStore
	l *life
}

func (m *mortalLinks) Get(ctx context.Context, id string) (store.Link, error) {
	return live(m.l, func() (store.Link, error) { return m.TokenStore.Get(ctx, id) })
}

func (m *mortalLinks) CompareAndSwap(ctx context.Context, link store.Link) (store.Link, error) {
	return live(m.l, func() (store.Link, error) { return m.TokenStore.CompareAndSwap(ctx, link) })
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
	resp, err := live(m.l, func() (*http.Response, error) {
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

var (
	_ store.EnrollmentStore = (*mortalStore)(nil)
	_ runner.Sink           = (*mortalSink)(nil)
)
