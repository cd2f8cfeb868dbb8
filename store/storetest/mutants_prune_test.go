package storetest_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/storetest"
)

func pruneMutants() []mutant {
	return []mutant{
		{"prunes nothing", "Index/Prune", pruned(func(s store.EnrollmentStore, ctx context.Context, p store.PruneParams) (int, error) { return 0, nil })},
		{"prunes what is not past", "Index/Prune", pruned(func(s store.EnrollmentStore, ctx context.Context, p store.PruneParams) (int, error) {
			if !p.Now.IsZero() {
				p.Now = p.Now.Add(23 * time.Hour)
			}
			return s.Prune(ctx, p)
		})},
		{"prunes all at once", "Index/PruneByPages", pruned(func(s store.EnrollmentStore, ctx context.Context, p store.PruneParams) (int, error) {
			p.Limit = 1_000_000
			return s.Prune(ctx, p)
		})},
		{"prunes the living", "Index/PruneOfTheLiving", pruned(func(s store.EnrollmentStore, ctx context.Context, p store.PruneParams) (int, error) {
			p.Keep = nil
			return s.Prune(ctx, p)
		})},
		{"keeps the living for good", "Index/PruneOfTheLiving", pruned(func(s store.EnrollmentStore, ctx context.Context, p store.PruneParams) (int, error) {
			if p.KeepUntil.After(p.Now) {
				p.KeepUntil = p.Now.AddDate(1000, 0, 0)
			}
			return s.Prune(ctx, p)
		})},
		{"takes any KeepUntil", "Index/PruneWhatIsWrong", pruned(func(s store.EnrollmentStore, ctx context.Context, p store.PruneParams) (int, error) {
			if !p.KeepUntil.After(p.Now) {
				p.KeepUntil = p.Now.Add(time.Hour)
			}
			return s.Prune(ctx, p)
		})},
		{"prunes row by row", "Index/PruneGoesTogether", func(h *storetest.Harness) { h.Enrollments = &rowByRow{h.Enrollments} }},
	}
}

// prunes is a store with a Prune of its own.
type prunes struct {
	store.EnrollmentStore
	prune func(store.EnrollmentStore, context.Context, store.PruneParams) (int, error)
}

func pruned(f func(store.EnrollmentStore, context.Context, store.PruneParams) (int, error)) func(*storetest.Harness) {
	return func(h *storetest.Harness) { h.Enrollments = &prunes{h.Enrollments, f} }
}

func (s *prunes) Prune(ctx context.Context, p store.PruneParams) (int, error) {
	return s.prune(s.EnrollmentStore, ctx, p)
}

// rowByRow does not know whose rows it has, so that each is for itself.
type rowByRow struct{ store.EnrollmentStore }

func (s *rowByRow) Commit(ctx context.Context, b store.Batch) error {
	b.Index = slices.Clone(b.Index)
	for i := range b.Index {
		b.Index[i].Enrollment = "of " + b.Index[i].Enrollment
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

func (s *rowByRow) Match(ctx context.Context, box string, keys []store.IndexKey) ([]store.IndexRow, error) {
	rows, err := s.EnrollmentStore.Match(ctx, box, keys)
	for i := range rows {
		rows[i].Enrollment = strings.TrimPrefix(rows[i].Enrollment, "of ")
	}
	return rows, err
}
