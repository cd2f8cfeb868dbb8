package memstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/store"
)

// Claim implements store.EnrollmentStore.
func (e *Enrollments) Claim(ctx context.Context, p store.ClaimParams) ([]store.Claim, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.TTL <= 0 || p.Mailboxes <= 0 || p.PerMailbox <= 0 || p.Now.IsZero() {
		return nil, invalid("a claim needs Now and positive TTL, Mailboxes and PerMailbox")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	type candidate struct {
		box   *mailbox
		since time.Time
	}
	var candidates []candidate
	for _, box := range e.mailboxes {
		if box.leaseEnd.After(now) {
			continue
		}
		if since, ok := box.waiting(p.Now); ok {
			candidates = append(candidates, candidate{box, since})
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(a.since.Compare(b.since), strings.Compare(a.box.ID, b.box.ID))
	})
	var claims []store.Claim
	for _, c := range candidates[:min(len(candidates), p.Mailboxes)] {
		claims = append(claims, e.claim(c.box, p, now))
	}
	return claims, nil
}

// waiting reports since when the mailbox has had work.
func (m *mailbox) waiting(now time.Time) (time.Time, bool) {
	var since time.Time
	ok := false
	consider := func(t time.Time) {
		if !t.IsZero() && !t.After(now) && (!ok || t.Before(since)) {
			since, ok = t, true
		}
	}
	consider(m.ReadAt)
	for _, due := range m.due {
		consider(due)
	}
	if m.marked() && !ok {
		return now, true
	}
	return since, ok
}

func (e *Enrollments) claim(box *mailbox, p store.ClaimParams, now time.Time) store.Claim {
	box.token++
	box.leaseEnd = now.Add(p.TTL)
	box.marksTaken = box.marks
	c := store.Claim{Fence: store.Fence{Mailbox: box.ID, Token: box.token}, Mailbox: box.seen()}
	var due []store.Enrollment
	for id, at := range box.due {
		if !at.After(p.Now) {
			due = append(due, e.enrollments[id])
		}
	}
	slices.SortFunc(due, func(a, b store.Enrollment) int { return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.ID, b.ID)) })
	c.More = len(due) > p.PerMailbox
	for _, row := range due[:min(len(due), p.PerMailbox)] {
		c.Due = append(c.Due, cloneEnrollment(row))
	}
	for id := range box.open {
		c.Open = append(c.Open, cloneIntent(e.intents[id]))
	}
	slices.SortFunc(c.Open, byCreated)
	return c
}

// Renew implements store.EnrollmentStore.
func (e *Enrollments) Renew(ctx context.Context, f store.Fence, ttl time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ttl <= 0 {
		return invalid("a lease needs a positive length")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.good(f); err != nil {
		return err
	}
	e.mailboxes[f.Mailbox].leaseEnd = e.now().Add(ttl)
	return nil
}

// Unclaim implements store.EnrollmentStore.
func (e *Enrollments) Unclaim(ctx context.Context, f store.Fence) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.good(f) == nil {
		box := e.mailboxes[f.Mailbox]
		box.leaseEnd, box.marksDone = time.Time{}, box.marksTaken
	}
	return nil
}

// good reports whether a fence still holds.
func (e *Enrollments) good(f store.Fence) error {
	box, ok := e.mailboxes[f.Mailbox]
	if !ok || box.token != f.Token || !box.leaseEnd.After(e.now()) {
		return fmt.Errorf("mailbox %s: %w", f.Mailbox, store.ErrFenced)
	}
	return nil
}
