package storetest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/outreachkit/outreach/store"
)

type mortalMarks struct {
	store.EnrollmentStore
	mu   sync.Mutex
	told map[string]bool
}

func (s *mortalMarks) Claim(ctx context.Context, p store.ClaimParams) ([]store.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	claims, err := s.EnrollmentStore.Claim(ctx, p)
	return slices.DeleteFunc(claims, func(c store.Claim) bool {
		again := c.Mailbox.Marked && s.told[c.Mailbox.ID]
		s.told[c.Mailbox.ID] = s.told[c.Mailbox.ID] || c.Mailbox.Marked
		return again
	}), err
}

func (s *mortalMarks) Notify(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.told, id)
	return s.EnrollmentStore.Notify(ctx, id)
}

type anyRenew struct{ store.EnrollmentStore }

func (s *anyRenew) Renew(ctx context.Context, f store.Fence, ttl time.Duration) error {
	if err := s.EnrollmentStore.Renew(ctx, f, ttl); !errors.Is(err, store.ErrFenced) {
		return err
	}
	return nil
}

type mixes struct{ store.EnrollmentStore }

func (s *mixes) Claim(ctx context.Context, p store.ClaimParams) ([]store.Claim, error) {
	claims, err := s.EnrollmentStore.Claim(ctx, p)
	for i := range claims {
		claims[i].Due = claims[0].Due
	}
	return claims, err
}

type folds struct{ store.EnrollmentStore }

func (s *folds) Match(ctx context.Context, box string, keys []store.IndexKey) ([]store.IndexRow, error) {
	var both []store.IndexKey
	for _, k := range keys {
		both = append(both, k, store.IndexKey{Kind: k.Kind, Value: strings.ToLower(k.Value)})
	}
	return s.EnrollmentStore.Match(ctx, box, both)
}

type fewParameters struct{ store.EnrollmentStore }

func (s *fewParameters) Load(ctx context.Context, ids []string) ([]store.Enrollment, error) {
	if len(ids) > 65_535 {
		return nil, errors.New("too many parameters")
	}
	return s.EnrollmentStore.Load(ctx, ids)
}

type keepsActor struct{ store.EnrollmentStore }

func (s *keepsActor) Commit(ctx context.Context, b store.Batch) error {
	b.Enrollments = slices.Clone(b.Enrollments)
	for i, e := range b.Enrollments {
		if rows, err := s.Load(ctx, []string{e.ID}); err == nil && len(rows) == 1 {
			b.Enrollments[i].Actor = rows[0].Actor
		}
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

type cutsText struct{ store.EnrollmentStore }

func (s *cutsText) Commit(ctx context.Context, b store.Batch) error {
	b.Enrollments = slices.Clone(b.Enrollments)
	for i := range b.Enrollments {
		b.Enrollments[i].Owner, _, _ = strings.Cut(b.Enrollments[i].Owner, "\x00")
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

type cutsIntents struct{ store.EnrollmentStore }

func (s *cutsIntents) Commit(ctx context.Context, b store.Batch) error {
	b.Intents = slices.Clone(b.Intents)
	for i := range b.Intents {
		in := &b.Intents[i]
		for _, text := range []*string{&in.Ref, &in.Thread, &in.RealMessageID} {
			*text = strings.ToValidUTF8(strings.ReplaceAll(*text, "\x00", ""), "")
		}
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

type lastResult struct{ store.EnrollmentStore }

func (s *lastResult) Commit(ctx context.Context, b store.Batch) error {
	if n := len(b.Results); n > 1 {
		b.Results = b.Results[n-1:]
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

type lenient struct{ store.EnrollmentStore }

func (s *lenient) Commit(ctx context.Context, b store.Batch) error {
	b.Enrollments = slices.Clone(b.Enrollments)
	for i, e := range b.Enrollments {
		if rows, err := s.Load(ctx, []string{e.ID}); err == nil && len(rows) == 1 {
			b.Enrollments[i].Created = rows[0].Created
		}
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

type deadlocks struct{ store.EnrollmentStore }

func (s *deadlocks) Commit(ctx context.Context, b store.Batch) error {
	if len(b.Enrollments) > 1 && b.Enrollments[0].ID > b.Enrollments[1].ID {
		return errors.New("deadlock detected")
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

type keepsBytes struct{ store.EnrollmentStore }

func (s *keepsBytes) Commit(ctx context.Context, b store.Batch) error {
	b.Rewrites = slices.Clone(b.Rewrites)
	for i, w := range b.Rewrites {
		if len(w.Raw) == 0 { // "nothing to write"
			b.Rewrites[i].Raw = []byte("raw")
		}
	}
	return s.EnrollmentStore.Commit(ctx, b)
}
