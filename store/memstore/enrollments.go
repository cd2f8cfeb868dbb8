package memstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/outreachkit/outreach/store"
)

// Enrollments is an EnrollmentStore.
type Enrollments struct {
	mu  sync.Mutex
	now func() time.Time

	mailboxes    map[string]*mailbox
	enrollments  map[string]store.Enrollment
	hostKeys     map[string]string // to enrollment id
	definitions  map[string]store.Definition
	intents      map[string]store.Intent
	byEnrollment map[string][]string // intent ids, oldest first
	index        map[store.IndexKey]map[rowKey]store.IndexRow
	suppressed   map[string]store.Suppression
	outbox       []store.Event
	eventKeys    map[string]bool // of every row ever written
	seq          int64
}

// mailbox is a stored mailbox with its lease and its open work.
type mailbox struct {
	store.Mailbox
	token    int64     // of the latest claim
	leaseEnd time.Time // by the store's clock; zero is unclaimed
	due      map[string]time.Time
	open     map[string]bool // intent ids

	marks, marksTaken, marksDone int // notified, at the latest claim, and dealt with
}

func (m *mailbox) marked() bool { return m.marks > m.marksDone }

// seen returns the record as callers see it.
func (m *mailbox) seen() store.Mailbox {
	out := cloneMailbox(m.Mailbox)
	out.Marked = m.marked()
	return out
}

type rowKey struct{ mailbox, enrollment string }

func newEnrollments(now func() time.Time) Enrollments {
	return Enrollments{
		now: now, mailboxes: make(map[string]*mailbox), enrollments: make(map[string]store.Enrollment),
		hostKeys: make(map[string]string), definitions: make(map[string]store.Definition), intents: make(map[string]store.Intent),
		byEnrollment: make(map[string][]string), index: make(map[store.IndexKey]map[rowKey]store.IndexRow),
		suppressed: make(map[string]store.Suppression), eventKeys: make(map[string]bool),
	}
}

// EnsureMailbox implements store.EnrollmentStore.
func (e *Enrollments) EnsureMailbox(ctx context.Context, id, link string) (store.Mailbox, error) {
	if err := ctx.Err(); err != nil {
		return store.Mailbox{}, err
	}
	if id == "" || link == "" {
		return store.Mailbox{}, invalid("a mailbox needs an ID and a Link")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	box, ok := e.mailboxes[id]
	if !ok {
		box = &mailbox{due: make(map[string]time.Time), open: make(map[string]bool)}
		box.ID, box.Link, box.Version = id, link, 1
		e.mailboxes[id] = box
	}
	if box.Link != link {
		box.Link = link
		box.Version++
	}
	return box.seen(), nil
}

// GetMailbox implements store.EnrollmentStore.
func (e *Enrollments) GetMailbox(ctx context.Context, id string) (store.Mailbox, error) {
	if err := ctx.Err(); err != nil {
		return store.Mailbox{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	box, ok := e.mailboxes[id]
	if !ok {
		return store.Mailbox{}, fmt.Errorf("mailbox %s: %w", id, store.ErrNotFound)
	}
	return box.seen(), nil
}

// Notify implements store.EnrollmentStore.
func (e *Enrollments) Notify(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	box, ok := e.mailboxes[id]
	if !ok {
		return fmt.Errorf("mailbox %s: %w", id, store.ErrNotFound)
	}
	box.marks++
	return nil
}

// Load implements store.EnrollmentStore.
func (e *Enrollments) Load(ctx context.Context, ids []string) ([]store.Enrollment, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []store.Enrollment
	for _, id := range ids {
		if row, ok := e.enrollments[id]; ok {
			out = append(out, cloneEnrollment(row))
		}
	}
	return out, nil
}

// LoadDefinition implements store.EnrollmentStore.
func (e *Enrollments) LoadDefinition(ctx context.Context, hash string) (store.Definition, error) {
	if err := ctx.Err(); err != nil {
		return store.Definition{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	d, ok := e.definitions[hash]
	if !ok {
		return store.Definition{}, fmt.Errorf("definition %s: %w", hash, store.ErrNotFound)
	}
	d.Data = slices.Clone(d.Data)
	return d, nil
}

// LoadIntents implements store.EnrollmentStore.
func (e *Enrollments) LoadIntents(ctx context.Context, enrollment string) ([]store.Intent, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []store.Intent
	for _, id := range e.byEnrollment[enrollment] {
		out = append(out, cloneIntent(e.intents[id]))
	}
	slices.SortStableFunc(out, byCreated)
	return out, nil
}

// List implements store.EnrollmentStore.
func (e *Enrollments) List(ctx context.Context, p store.ListEnrollments) ([]store.Enrollment, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var ids []string
	for id, row := range e.enrollments {
		if id > p.After && (p.Mailbox == "" || row.Mailbox == p.Mailbox) && (p.Recipient == "" || row.Recipient == p.Recipient) &&
			(p.Status == "" || row.Status == p.Status) && (p.Kind == "" || row.Kind == p.Kind) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	var out []store.Enrollment
	for _, id := range ids[:min(len(ids), limit(p.Limit, 100))] {
		out = append(out, cloneEnrollment(e.enrollments[id]))
	}
	return out, nil
}

// Match implements store.EnrollmentStore.
func (e *Enrollments) Match(ctx context.Context, box string, keys []store.IndexKey) ([]store.IndexRow, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, k := range keys {
		if err := k.Validate(); err != nil {
			return nil, fmt.Errorf("memstore: %w", err)
		}
	}
	var out []store.IndexRow
	seen := make(map[store.IndexKey]bool, len(keys))
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key] = true
		for at, row := range e.index[key] {
			if box == "" || at.mailbox == box {
				out = append(out, row)
			}
		}
	}
	slices.SortFunc(out, byRow)
	return out, nil
}

// Index implements store.EnrollmentStore.
func (e *Enrollments) Index(ctx context.Context, p store.ListIndex) ([]store.IndexRow, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.Mailbox == "" || p.Kind == "" || p.Now.IsZero() {
		return nil, invalid("listing index rows needs a Mailbox, a Kind and Now")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	after := p.After
	after.Kind, after.Mailbox = p.Kind, p.Mailbox
	var out []store.IndexRow
	for key, rows := range e.index {
		if key.Kind != p.Kind {
			continue
		}
		for at, row := range rows {
			if at.mailbox == p.Mailbox && row.Until.After(p.Now) && byRow(row, after) > 0 {
				out = append(out, row)
			}
		}
	}
	slices.SortFunc(out, byRow)
	return out[:min(len(out), limit(p.Limit, 1000))], nil
}

// Suppressed implements store.EnrollmentStore.
func (e *Enrollments) Suppressed(ctx context.Context, hashes []string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, h := range hashes {
		if _, ok := e.suppressed[h]; ok && !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	return out, nil
}

// Outbox implements store.EnrollmentStore.
func (e *Enrollments) Outbox(ctx context.Context, n int) ([]store.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	rows := e.outbox[:min(len(e.outbox), limit(n, 100))]
	out := make([]store.Event, len(rows))
	for i, row := range rows {
		row.Data = slices.Clone(row.Data)
		out[i] = row
	}
	return out, nil
}

// Ack implements store.EnrollmentStore.
func (e *Enrollments) Ack(ctx context.Context, seqs []int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.outbox = slices.DeleteFunc(e.outbox, func(row store.Event) bool { return slices.Contains(seqs, row.Seq) })
	return nil
}

// Erase implements store.EnrollmentStore.
func (e *Enrollments) Erase(ctx context.Context, recipient string) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if recipient == "" {
		return 0, invalid("no recipient to erase")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	gone := make(map[string]bool)
	for id, row := range e.enrollments {
		if row.Recipient != recipient {
			continue
		}
		gone[id] = true
		delete(e.enrollments, id)
		delete(e.hostKeys, row.HostKey)
		for _, in := range e.byEnrollment[id] {
			e.closeIntent(e.intents[in].Mailbox, in)
			delete(e.intents, in)
		}
		delete(e.byEnrollment, id)
		if box := e.mailboxes[row.Mailbox]; box != nil {
			delete(box.due, id)
		}
	}
	for key, rows := range e.index {
		for at := range rows {
			if gone[at.enrollment] {
				delete(rows, at)
			}
		}
		if len(rows) == 0 {
			delete(e.index, key)
		}
	}
	e.outbox = slices.DeleteFunc(e.outbox, func(row store.Event) bool { return gone[row.Enrollment] })
	return len(gone), nil
}

func (e *Enrollments) closeIntent(box, id string) {
	if b := e.mailboxes[box]; b != nil {
		delete(b.open, id)
	}
}

func byCreated(a, b store.Intent) int {
	return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
}

func byRow(a, b store.IndexRow) int {
	return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Value, b.Value),
		strings.Compare(a.Enrollment, b.Enrollment), strings.Compare(a.Mailbox, b.Mailbox))
}

func cloneMailbox(m store.Mailbox) store.Mailbox {
	m.Cursor, m.Data = slices.Clone(m.Cursor), slices.Clone(m.Data)
	return m
}

func cloneEnrollment(r store.Enrollment) store.Enrollment {
	r.State, r.Data = slices.Clone(r.State), slices.Clone(r.Data)
	return r
}

func cloneIntent(in store.Intent) store.Intent {
	in.Raw, in.Meta = slices.Clone(in.Raw), slices.Clone(in.Meta)
	return in
}
