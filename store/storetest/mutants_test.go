package storetest_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/memstore"
	"github.com/outreachkit/outreach/store/storetest"
)

// recorder is a storetest.T that remembers instead of failing.
type recorder struct {
	ctx    context.Context
	mu     sync.Mutex
	failed []string
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Skipf(string, ...any)     { runtime.Goexit() }
func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// run returns what a check finds wrong.
func run(ctx context.Context, c storetest.Check, h storetest.Harness) []string {
	r := &recorder{ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(r, h)
	}()
	<-done
	return r.failed
}

// sound is a harness over the store that keeps all the rules.
func sound() storetest.Harness {
	var mu sync.Mutex
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	s := memstore.New(memstore.Options{Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	return storetest.Harness{
		Tokens: s.Tokens(), Flows: s.Flows(), Conversations: s.Conversations(), Enrollments: s.Enrollments(),
		Advance: func(d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(d)
		},
	}
}

// TestMutants holds that the suite finds stores that break one rule each.
func TestMutants(t *testing.T) {
	for _, c := range storetest.Checks() {
		if failed := run(t.Context(), c, sound()); len(failed) > 0 {
			t.Errorf("the sound store fails %s: %v", c.Name, failed)
		}
	}
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			var caught []string
			for _, c := range storetest.Checks() {
				h := sound()
				m.breaks(&h)
				if len(run(t.Context(), c, h)) > 0 {
					caught = append(caught, c.Name)
				}
			}
			if !slices.Contains(caught, m.fails) {
				t.Errorf("%s does not find it; these do: %v", m.fails, caught)
			}
		})
	}
}

type mutant struct {
	name   string
	fails  string // the check that must find it
	breaks func(h *storetest.Harness)
}

func mutants() []mutant {
	enrollments := func(f func(store.EnrollmentStore) store.EnrollmentStore) func(*storetest.Harness) {
		return func(h *storetest.Harness) { h.Enrollments = f(h.Enrollments) }
	}
	return append(pruneMutants(), []mutant{
		{"loses an update", "Commit/Versions", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &noVersions{s} })},
		{"ignores a fence", "Commit/Fence", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &noFence{s} })},
		{"forgets rewrites", "Commit/Rewrites", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &keepsBytes{s} })},
		{"commits half a batch", "Commit/AllOrNothing", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &halves{s} })},
		{"accepts results that contradict", "Commit/Results", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &anyResult{s} })},
		{"shares its memory", "Commit/MemoryIsTheCallers", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &shared{EnrollmentStore: s} })},
		{"gives one mailbox to two", "Claim/OneAtATime", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &noLease{s} })},
		{"keeps leases for ever", "Claim/OneAtATime", func(h *storetest.Harness) { h.Advance = func(time.Duration) {} }},
		{"drops marks that come during work", "Claim/Marks", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &dropsMarks{EnrollmentStore: s} })},
		{"lets go of another's claim", "Claim/RenewAndUnclaim", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &anyUnclaim{EnrollmentStore: s} })},
		{"forgets what is more", "Claim/PerMailbox", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &noMore{s} })},
		{"matches in every mailbox", "Index/Match", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &anyMailbox{s} })},
		{"lists forgotten rows", "Index/Pages", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &neverForgets{s} })},
		{"drains by watermark", "Outbox/OrderAndAck", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &watermark{EnrollmentStore: s} })},
		{"keeps an event twice", "Outbox/OrderAndAck", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &repeats{EnrollmentStore: s} })},
		{"lets a mark die with its claim", "Claim/MarkOfADeadClaim", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore {
			return &mortalMarks{EnrollmentStore: s, told: make(map[string]bool)}
		})},
		{"renews what has ended", "Claim/RenewAfterTheEnd", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &anyRenew{s} })},
		{"mixes the mailboxes of a claim", "Claim/EachItsOwn", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &mixes{s} })},
		{"folds case", "Values/NamesDifferByCase", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &folds{s} })},
		{"takes so many parameters", "Values/ListsOfAnyLength", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &fewParameters{s} })},
		{"forgets a field on update", "Values/EveryFieldSurvives", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &keepsActor{s} })},
		{"cuts text at a NUL", "Values/BadText", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &cutsText{s} })},
		{"looks at no text of an intent", "Values/BadText", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &cutsIntents{s} })},
		{"takes the last of two results", "Values/OnceInABatch", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &lastResult{s} })},
		{"changes what never does", "Values/WhatNeverChanges", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &lenient{s} })},
		{"deadlocks", "Writers/InAnyOrder", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &deadlocks{s} })},
		{"ignores a fence beside a claim", "Writers/ClaimAgainstCommit", enrollments(func(s store.EnrollmentStore) store.EnrollmentStore { return &noFence{s} })},
		{"accepts a second owner", "Tokens/OneOwner", func(h *storetest.Harness) { h.Tokens = &manyOwners{TokenStore: h.Tokens} }},
		{"swaps from an old reading", "Tokens/CompareAndSwap", func(h *storetest.Harness) { h.Tokens = &blindSwap{h.Tokens} }},
		{"loses a link's data", "Tokens/CompareAndSwap", func(h *storetest.Harness) { h.Tokens = &losesData{h.Tokens} }},
		{"keeps no data of an unlinked link", "Tokens/Release", func(h *storetest.Harness) { h.Tokens = &sealsTheGrave{h.Tokens} }},
		{"keeps a mark for ever", "Tokens/Mark", func(h *storetest.Harness) { h.Tokens = &stillMarked{h.Tokens} }},
		{"takes a flow twice", "Flows/TakenOnce", func(h *storetest.Harness) { h.Flows = &flowAgain{FlowStore: h.Flows} }},
		{"appends twice", "Conversations/AppendOnce", func(h *storetest.Harness) { h.Conversations = &appendsTwice{ConversationLog: h.Conversations} }},
		{"forgets what is new", "Conversations/AppendOnce", func(h *storetest.Harness) {
			h.Conversations = &forgetsWords{h.Conversations, func(e *store.Entry) { e.Fresh = "" }}
		}},
		{"forgets a wish", "Conversations/AppendOnce", func(h *storetest.Harness) {
			h.Conversations = &forgetsWords{h.Conversations, func(e *store.Entry) { e.OptOut = "" }}
		}},
		{"answers nothing", "Conversations/Answers", func(h *storetest.Harness) {
			h.Conversations = &forgetsWords{h.Conversations, func(e *store.Entry) { e.Answers = false }}
		}},
		{"takes every mail for an answer", "Conversations/Answers", func(h *storetest.Harness) {
			h.Conversations = &forgetsWords{h.Conversations, func(e *store.Entry) { e.Answers = !e.AnswerNeeded }}
		}},
		{"answers what comes later", "Conversations/Answers", func(h *storetest.Harness) { h.Conversations = &answersAll{h.Conversations} }},
		{"appends half", "Conversations/AllOrNothing", func(h *storetest.Harness) { h.Conversations = &oneByOne{h.Conversations} }},
	}...)
}

type noVersions struct{ store.EnrollmentStore }

func (s *noVersions) Commit(ctx context.Context, b store.Batch) error {
	b.Enrollments = slices.Clone(b.Enrollments)
	var err error
	for range 100 {
		for i, e := range b.Enrollments {
			if rows, err := s.Load(ctx, []string{e.ID}); err == nil && len(rows) == 1 && e.Version != 0 {
				b.Enrollments[i].Version = rows[0].Version
			}
		}
		err = s.EnrollmentStore.Commit(ctx, b)
		if err == nil || len(b.Enrollments) != 1 || b.Enrollments[0].Version == 0 || !strings.Contains(err.Error(), "has changed") {
			return err
		}
	}
	return err
}

type noFence struct{ store.EnrollmentStore }

func (s *noFence) Commit(ctx context.Context, b store.Batch) error {
	err := s.EnrollmentStore.Commit(ctx, b)
	if b.Fence == nil || err == nil || !strings.Contains(err.Error(), "lost") {
		return err
	}
	// As good as not looking at it: claim the mailbox if it is free, else
	// write without what needs the fence.
	if s.Notify(ctx, b.Fence.Mailbox) == nil {
		claims, _ := s.Claim(ctx, store.ClaimParams{By: "m", Now: time.Unix(1, 0), TTL: time.Minute, Mailboxes: 1, PerMailbox: 1})
		if len(claims) == 1 {
			b.Fence = &claims[0].Fence
			err = s.EnrollmentStore.Commit(ctx, b)
			_ = s.Unclaim(ctx, claims[0].Fence)
			return err
		}
	}
	b.Fence, b.Mailbox, b.Intents = nil, nil, nil
	return s.EnrollmentStore.Commit(ctx, b)
}

type halves struct{ store.EnrollmentStore }

func (s *halves) Commit(ctx context.Context, b store.Batch) error {
	if err := s.EnrollmentStore.Commit(ctx, store.Batch{Suppressions: b.Suppressions, Definitions: b.Definitions}); err != nil {
		return err
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

type anyResult struct{ store.EnrollmentStore }

func (s *anyResult) Commit(ctx context.Context, b store.Batch) error {
	err := s.EnrollmentStore.Commit(ctx, b)
	if err != nil && len(b.Results) > 0 && strings.Contains(err.Error(), "intent") {
		b.Results = nil
		return s.EnrollmentStore.Commit(ctx, b)
	}
	return err
}

type shared struct {
	mu sync.Mutex
	store.EnrollmentStore
	cache map[string]store.Enrollment
}

func (s *shared) Load(ctx context.Context, ids []string) ([]store.Enrollment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.EnrollmentStore.Load(ctx, ids)
	if s.cache == nil {
		s.cache = make(map[string]store.Enrollment)
	}
	for i, r := range rows {
		if old, ok := s.cache[r.ID]; ok && old.Version == r.Version {
			rows[i] = old
		}
		s.cache[r.ID] = rows[i]
	}
	return rows, err
}

type noLease struct{ store.EnrollmentStore }

func (s *noLease) Claim(ctx context.Context, p store.ClaimParams) ([]store.Claim, error) {
	claims, err := s.EnrollmentStore.Claim(ctx, p)
	for _, c := range claims {
		_ = s.Unclaim(ctx, c.Fence)
	}
	return claims, err
}

type dropsMarks struct {
	mu sync.Mutex
	store.EnrollmentStore
	busy bool
}

func (s *dropsMarks) Claim(ctx context.Context, p store.ClaimParams) ([]store.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	claims, err := s.EnrollmentStore.Claim(ctx, p)
	s.busy = s.busy || len(claims) > 0
	return claims, err
}

func (s *dropsMarks) Notify(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy {
		return nil
	}
	return s.EnrollmentStore.Notify(ctx, id)
}

type anyUnclaim struct {
	mu sync.Mutex
	store.EnrollmentStore
	latest store.Fence
}

func (s *anyUnclaim) Claim(ctx context.Context, p store.ClaimParams) ([]store.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	claims, err := s.EnrollmentStore.Claim(ctx, p)
	for _, c := range claims {
		s.latest = c.Fence
	}
	return claims, err
}

func (s *anyUnclaim) Unclaim(ctx context.Context, _ store.Fence) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.EnrollmentStore.Unclaim(ctx, s.latest)
}

type noMore struct{ store.EnrollmentStore }

func (s *noMore) Claim(ctx context.Context, p store.ClaimParams) ([]store.Claim, error) {
	claims, err := s.EnrollmentStore.Claim(ctx, p)
	for i := range claims {
		claims[i].More = false
	}
	return claims, err
}

type anyMailbox struct{ store.EnrollmentStore }

func (s *anyMailbox) Match(ctx context.Context, _ string, keys []store.IndexKey) ([]store.IndexRow, error) {
	return s.EnrollmentStore.Match(ctx, "", keys)
}

type neverForgets struct{ store.EnrollmentStore }

func (s *neverForgets) Index(ctx context.Context, p store.ListIndex) ([]store.IndexRow, error) {
	p.Now = time.Unix(1, 0)
	return s.EnrollmentStore.Index(ctx, p)
}

type watermark struct {
	mu sync.Mutex
	store.EnrollmentStore
	seen int64
}

func (s *watermark) Outbox(ctx context.Context, limit int) ([]store.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.EnrollmentStore.Outbox(ctx, limit)
	rows = slices.DeleteFunc(rows, func(e store.Event) bool { return e.Seq <= s.seen })
	for _, r := range rows {
		s.seen = max(s.seen, r.Seq)
	}
	return rows, err
}

type repeats struct {
	mu sync.Mutex
	store.EnrollmentStore
	n int
}

func (s *repeats) Commit(ctx context.Context, b store.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.Outbox = slices.Clone(b.Outbox)
	for i := range b.Outbox {
		if s.n++; s.n > 5 && b.Outbox[i].Key != "" {
			b.Outbox[i].Key += "'"
		}
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

type manyOwners struct{ store.TokenStore }

func (s *manyOwners) Create(ctx context.Context, l store.Link) (store.Link, error) {
	made, err := s.TokenStore.Create(ctx, l)
	if err == nil || !strings.Contains(err.Error(), "another link") {
		return made, err
	}
	subject := l.Subject
	l.Subject += "/" + l.ID
	made, err = s.TokenStore.Create(ctx, l)
	made.Subject = subject
	return made, err
}

type blindSwap struct{ store.TokenStore }

func (s *blindSwap) CompareAndSwap(ctx context.Context, l store.Link) (store.Link, error) {
	var out store.Link
	var err error
	for range 100 {
		if now, getErr := s.Get(ctx, l.ID); getErr == nil {
			l.Version = now.Version
		}
		if out, err = s.TokenStore.CompareAndSwap(ctx, l); err == nil || !strings.Contains(err.Error(), "changed") {
			return out, err
		}
	}
	return out, err
}

// losesData forgets what is opaque to it.
type losesData struct{ store.TokenStore }

func (s *losesData) CompareAndSwap(ctx context.Context, l store.Link) (store.Link, error) {
	l.Data = nil
	return s.TokenStore.CompareAndSwap(ctx, l)
}

// sealsTheGrave lets nothing of an unlinked link change.
type sealsTheGrave struct{ store.TokenStore }

func (s *sealsTheGrave) CompareAndSwap(ctx context.Context, l store.Link) (store.Link, error) {
	if l.Status == store.LinkUnlinked {
		return store.Link{}, store.ErrInvalid
	}
	return s.TokenStore.CompareAndSwap(ctx, l)
}

type stillMarked struct{ store.TokenStore }

func (s *stillMarked) Get(ctx context.Context, id string) (store.Link, error) {
	l, err := s.TokenStore.Get(ctx, id)
	if l.Mark != nil {
		l.Mark.Left = time.Minute
	}
	return l, err
}

type flowAgain struct {
	store.FlowStore
	mu    sync.Mutex
	taken map[string]store.Flow
}

func (s *flowAgain) Take(ctx context.Context, key string) (store.Flow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.taken[key]; ok {
		return f, nil
	}
	f, err := s.FlowStore.Take(ctx, key)
	if err == nil {
		s.taken = map[string]store.Flow{key: f}
	}
	return f, err
}

type appendsTwice struct {
	mu sync.Mutex
	store.ConversationLog
	n int
}

func (s *appendsTwice) Append(ctx context.Context, entries []store.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	entries = slices.Clone(entries)
	for i := range entries {
		if s.n++; s.n == 2 {
			entries[i].Key += "'"
		}
	}
	return s.ConversationLog.Append(ctx, entries)
}

type forgetsWords struct {
	store.ConversationLog
	forget func(*store.Entry)
}

func (s *forgetsWords) Append(ctx context.Context, entries []store.Entry) error {
	entries = slices.Clone(entries)
	for i := range entries {
		s.forget(&entries[i])
	}
	return s.ConversationLog.Append(ctx, entries)
}

// answersAll clears a mark by an answer from before the question.
type answersAll struct{ store.ConversationLog }

func (s *answersAll) Append(ctx context.Context, entries []store.Entry) error {
	if err := s.ConversationLog.Append(ctx, entries); err != nil {
		return err
	}
	for _, e := range entries {
		if e.Answers {
			if err := s.Flag(ctx, e.Conversation, false); err != nil {
				return err
			}
		}
	}
	return nil
}

type oneByOne struct{ store.ConversationLog }

func (s *oneByOne) Append(ctx context.Context, entries []store.Entry) error {
	for _, e := range entries {
		if err := s.ConversationLog.Append(ctx, []store.Entry{e}); err != nil {
			return err
		}
	}
	return nil
}
