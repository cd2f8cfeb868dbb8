package sim_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/outreachkit/outreach/internal/sim"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// lateIntents makes a request before its intent is stored.
type lateIntents struct {
	store.EnrollmentStore
	held *store.Batch
}

func (s *lateIntents) flush(ctx context.Context) error {
	if s.held == nil {
		return nil
	}
	b := *s.held
	s.held = nil
	return s.EnrollmentStore.Commit(ctx, b)
}

func (s *lateIntents) Commit(ctx context.Context, b store.Batch) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	if len(b.Intents) > 0 {
		s.held = &b
		return nil
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

func (s *lateIntents) Load(ctx context.Context, ids []string) ([]store.Enrollment, error) {
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	return s.EnrollmentStore.Load(ctx, ids)
}

// noFence writes on whatever claim there is.
type noFence struct{ store.EnrollmentStore }

func (s *noFence) Commit(ctx context.Context, b store.Batch) error {
	err := s.EnrollmentStore.Commit(ctx, b)
	if b.Fence == nil || !errors.Is(err, store.ErrFenced) || s.Notify(ctx, b.Fence.Mailbox) != nil {
		return err
	}
	claims, _ := s.Claim(ctx, store.ClaimParams{By: "m", Now: time.Unix(1, 0), TTL: time.Minute, Mailboxes: 10, PerMailbox: 1})
	for _, c := range claims {
		if c.Fence.Mailbox == b.Fence.Mailbox {
			b.Fence = &c.Fence
			err = s.EnrollmentStore.Commit(ctx, b)
		}
		_ = s.Unclaim(ctx, c.Fence)
	}
	return err
}

// noVersions writes from an old reading.
type noVersions struct{ store.EnrollmentStore }

func (s *noVersions) Commit(ctx context.Context, b store.Batch) error {
	b.Enrollments = slices.Clone(b.Enrollments)
	for i, e := range b.Enrollments {
		if rows, err := s.Load(ctx, []string{e.ID}); err == nil && len(rows) == 1 && e.Version != 0 {
			b.Enrollments[i].Version = rows[0].Version
		}
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

// altered is a mailbox with one method of its own.
type altered struct {
	provider.Mailbox
	send    func(context.Context, *provider.Outgoing) (provider.Receipt, error)
	locate  func(context.Context, provider.SendKey) ([]provider.Located, error)
	changes func(context.Context, provider.Cursor) (provider.Page, error)
	search  func(context.Context, provider.Query) ([]provider.Item, error)
}

func (a altered) Send(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
	if a.send != nil {
		return a.send(ctx, out)
	}
	return a.Mailbox.Send(ctx, out)
}

func (a altered) Locate(ctx context.Context, key provider.SendKey) ([]provider.Located, error) {
	if a.locate != nil {
		return a.locate(ctx, key)
	}
	return a.Mailbox.Locate(ctx, key)
}

func (a altered) Changes(ctx context.Context, since provider.Cursor) (provider.Page, error) {
	if a.changes != nil {
		return a.changes(ctx, since)
	}
	return a.Mailbox.Changes(ctx, since)
}

func (a altered) Search(ctx context.Context, q provider.Query) ([]provider.Item, error) {
	if a.search != nil {
		return a.search(ctx, q)
	}
	return a.Mailbox.Search(ctx, q)
}

// mutants switch off one part of the protocol each, and leave the rest of it
// whole. They keep what they know for one history, so each history has its
// own.
//
//	what is switched off                  where                      caught by
//	the intent's commit                   Store.Commit               a mail sent twice, or unknown to the host
//	the question to the mailbox           Mailbox.Locate             a mail sent twice
//	the wait until a mail must show       Mailbox.Locate             a mail sent twice
//	the read before a follow-up           Mailbox.Changes, Search    a mail that left too long after its read
//	the fence                             Store.Commit               the same, of a machine that stood still
//	the versions                          Store.Commit               a mail that left though somebody had stopped it
//	the deadline before the first byte,   Mailbox.Send               a mail that left too late after its read, or twice
//	and with it the lease
//
// The lease is checked before the first byte as a part of the deadline: the
// runner never sets that later than the lease's end (TestDeadlineWithinLease
// in package runner), and what compares it is the same for both. So the last
// mutant switches off the check of the lease too, and stands for both: what
// it lets through is a mail whose process stood still past them. To be caught
// it takes a mail that stood still so, which is why it takes many seeds.
func mutants() []sim.Mutant {
	notSent := &provider.Error{Kind: provider.ErrNotSent, Op: "mutant"}
	var read time.Time
	return []sim.Mutant{
		{Name: "the intent is committed after the request", Store: func(s store.EnrollmentStore) store.EnrollmentStore { return &lateIntents{EnrollmentStore: s} }},
		{Name: "nothing is reconciled", Mailbox: func(mb provider.Mailbox, _ func() time.Time) provider.Mailbox {
			return altered{Mailbox: mb, locate: func(context.Context, provider.SendKey) ([]provider.Located, error) { return nil, notSent }}
		}},
		{Name: "nothing settles", Mailbox: func(mb provider.Mailbox, _ func() time.Time) provider.Mailbox {
			return altered{Mailbox: mb, locate: func(ctx context.Context, key provider.SendKey) ([]provider.Located, error) {
				found, err := mb.Locate(ctx, key)
				if errors.Is(err, provider.ErrNotSettled) {
					return nil, notSent
				}
				return found, err
			}}
		}},
		{Name: "a read is fresh for hours", Mailbox: func(mb provider.Mailbox, now func() time.Time) provider.Mailbox {
			return altered{Mailbox: mb, changes: func(ctx context.Context, since provider.Cursor) (provider.Page, error) {
				if now().Sub(read) < 6*time.Hour {
					return provider.Page{Next: since}, nil
				}
				page, err := mb.Changes(ctx, since)
				if err == nil && !page.More {
					read = now()
				}
				return page, err
			}, search: func(ctx context.Context, q provider.Query) ([]provider.Item, error) {
				if now().Sub(read) < 6*time.Hour && now().After(read) {
					return nil, nil
				}
				return mb.Search(ctx, q)
			}}
		}},
		// What the fence alone holds back is a process whose machine stood
		// still, its clocks with it. Nobody touched its enrollments meanwhile,
		// so their versions are as it knows them; by its own clock its read and
		// its deadline are young. Only the store's clock knows that its lease
		// is over.
		{Name: "no fence", Store: func(s store.EnrollmentStore) store.EnrollmentStore { return &noFence{s} }},
		{Name: "no versions", Store: func(s store.EnrollmentStore) store.EnrollmentStore { return &noVersions{s} }},
		{Name: "no deadline and no lease before the first byte", Mailbox: func(mb provider.Mailbox, now func() time.Time) provider.Mailbox {
			return altered{Mailbox: mb, send: func(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
				late := *out
				late.NotAfter = now().Add(24 * time.Hour)
				return mb.Send(ctx, &late)
			}}
		}},
	}
}

// TestMutants: each part of the protocol is needed, and the checker sees when
// it is missing.
func TestMutants(t *testing.T) {
	const most = 150
	begin := map[string]uint64{"no fence": 123, "no versions": 33} // as in TestRules
	for i, m := range mutants() {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			for n := max(1, begin[m.Name]); n <= most; n++ {
				if h := play(t, n, mutants()[i]); len(h.Wrong) > 0 {
					t.Logf("caught by seed %d: %.200s", n, h.Wrong[0])
					return
				}
			}
			t.Errorf("no seed of %d catches it", most)
		})
	}
}
