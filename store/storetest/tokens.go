package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outreachkit/outreach/store"
)

func link(id, owner, subject string) store.Link {
	return store.Link{
		ID: id, Owner: owner, Provider: "gmail", Kind: "gmail", Subject: subject, Address: "a@example.com",
		Addresses: []string{"a@example.com", "b@example.com"}, Access: "replies", Scopes: []string{"s1", "s2"},
		Status: store.LinkLinked, Token: []byte("sealed"), Data: []byte("kept"), Created: base, Changed: base,
	}
}

func wantErr(t T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: the error is %v, want %v", what, err, target)
	}
}

func must[V any](t T, what string) func(V, error) V {
	return func(v V, err error) V {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return v
	}
}

func tokenChecks() map[string]func(T, Harness) {
	with := func(f func(t T, s store.TokenStore, h Harness)) func(T, Harness) {
		return func(t T, h Harness) {
			t.Helper()
			if h.Tokens == nil {
				t.Skipf("no TokenStore")
			}
			f(t, h.Tokens, h)
		}
	}
	return map[string]func(T, Harness){
		"CreateAndGet": with(func(t T, s store.TokenStore, _ Harness) {
			created := must[store.Link](t, "create")(s.Create(t.Context(), link("l1", "maria", "sub-1")))
			if created.Version == 0 {
				t.Errorf("a stored link has version 0")
			}
			got := must[store.Link](t, "get")(s.Get(t.Context(), "l1"))
			if got.Owner != "maria" || got.Subject != "sub-1" || string(got.Token) != "sealed" || string(got.Data) != "kept" || len(got.Addresses) != 2 || len(got.Scopes) != 2 ||
				got.Version != created.Version || got.Status != store.LinkLinked {
				t.Errorf("got %+v", got)
			}
			sameTime(t, "Created", got.Created, base)
			found := must[store.Link](t, "find")(s.Find(t.Context(), "gmail", "sub-1"))
			if found.ID != "l1" {
				t.Errorf("found %s", found.ID)
			}
			_, err := s.Get(t.Context(), "l9")
			wantErr(t, "an unknown link", err, store.ErrNotFound)
			_, err = s.Find(t.Context(), "msgraph", "sub-1")
			wantErr(t, "another kind", err, store.ErrNotFound)
			_, err = s.Create(t.Context(), link("l1", "maria", "sub-2"))
			wantErr(t, "the same id twice", err, store.ErrConflict)
			_, err = s.Create(t.Context(), store.Link{})
			wantErr(t, "an empty link", err, store.ErrInvalid)
		}),
		"OneOwner": with(func(t T, s store.TokenStore, _ Harness) {
			var won atomic.Int32
			var wg sync.WaitGroup
			for i := range 16 {
				wg.Go(func() {
					_, err := s.Create(t.Context(), link(fmt.Sprintf("l%d", i), fmt.Sprintf("owner-%d", i), "sub-1"))
					switch {
					case err == nil:
						won.Add(1)
					case !errors.Is(err, store.ErrOwned):
						t.Errorf("the loser gets %v, want ErrOwned", err)
					}
				})
			}
			wg.Wait()
			if won.Load() != 1 {
				t.Errorf("%d links hold one mailbox", won.Load())
			}
		}),
		"CompareAndSwap": with(func(t T, s store.TokenStore, _ Harness) {
			first := must[store.Link](t, "create")(s.Create(t.Context(), link("l1", "maria", "sub-1")))
			next := first
			next.Token, next.Data, next.Status, next.Reason = []byte("new"), []byte("added"), store.LinkNeedsRelink, "revoked"
			second := must[store.Link](t, "swap")(s.CompareAndSwap(t.Context(), next))
			if second.Version <= first.Version || string(second.Token) != "new" || string(second.Data) != "added" || second.Reason != "revoked" {
				t.Errorf("swapped to %+v", second)
			}
			_, err := s.CompareAndSwap(t.Context(), next)
			wantErr(t, "an old version", err, store.ErrConflict)
			got := must[store.Link](t, "get")(s.Get(t.Context(), "l1"))
			if got.Version != second.Version {
				t.Errorf("a lost swap moved the version")
			}
			for what, change := range map[string]func(*store.Link){
				"another owner":   func(l *store.Link) { l.Owner = "eve" },
				"another subject": func(l *store.Link) { l.Subject = "sub-2" },
				"another kind":    func(l *store.Link) { l.Kind = "msgraph" },
			} {
				l := second
				change(&l)
				_, err := s.CompareAndSwap(t.Context(), l)
				wantErr(t, what, err, store.ErrConflict)
			}
		}),
		"SwapsDontGetLost": with(func(t T, s store.TokenStore, _ Harness) {
			must[store.Link](t, "create")(s.Create(t.Context(), link("l1", "maria", "sub-1")))
			const writers, each = 8, 10
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for n := 0; n < each; {
						l, err := s.Get(t.Context(), "l1")
						if err != nil {
							t.Errorf("get: %v", err)
							return
						}
						l.Token = append(l.Token, '.')
						if _, err = s.CompareAndSwap(t.Context(), l); err == nil {
							n++
						} else if !errors.Is(err, store.ErrConflict) {
							t.Errorf("swap: %v", err)
							return
						}
					}
				})
			}
			wg.Wait()
			got := must[store.Link](t, "get")(s.Get(t.Context(), "l1"))
			if n := len(got.Token) - len("sealed"); n != writers*each {
				t.Errorf("%d of %d updates are there", n, writers*each)
			}
		}),
		"Mark": with(func(t T, s store.TokenStore, h Harness) {
			l := must[store.Link](t, "create")(s.Create(t.Context(), link("l1", "maria", "sub-1")))
			l.Mark = &store.RefreshMark{By: "me", Left: time.Minute}
			l = must[store.Link](t, "mark")(s.CompareAndSwap(t.Context(), l))
			if l.Mark == nil || l.Mark.By != "me" || l.Mark.Left <= 0 || l.Mark.Left > time.Minute {
				t.Fatalf("the mark is %+v", l.Mark)
			}
			if h.Advance == nil {
				t.Skipf("the clock can't be moved")
			}
			h.Advance(40 * time.Second)
			if got := must[store.Link](t, "get")(s.Get(t.Context(), "l1")); got.Mark == nil || got.Mark.Left > 20*time.Second || got.Mark.Left <= 0 {
				t.Errorf("after 40 s of a minute the mark is %+v", got.Mark)
			}
			h.Advance(21 * time.Second)
			got := must[store.Link](t, "get")(s.Get(t.Context(), "l1"))
			if got.Mark == nil || got.Mark.Left > 0 {
				t.Errorf("a lapsed mark is %+v: it must be there, with nothing left", got.Mark)
			}
			got.Mark = nil
			if got = must[store.Link](t, "unmark")(s.CompareAndSwap(t.Context(), got)); got.Mark != nil {
				t.Errorf("the mark stayed")
			}
		}),
		"Release": with(func(t T, s store.TokenStore, _ Harness) {
			l := must[store.Link](t, "create")(s.Create(t.Context(), link("l1", "maria", "sub-1")))
			_, err := s.Release(t.Context(), "l1", l.Version+1)
			wantErr(t, "another version", err, store.ErrConflict)
			quick := l
			quick.Status = store.LinkUnlinked
			_, err = s.CompareAndSwap(t.Context(), quick)
			wantErr(t, "unlinking without Release", err, store.ErrConflict)
			gone := must[store.Link](t, "release")(s.Release(t.Context(), "l1", l.Version))
			if gone.Status != store.LinkUnlinked || len(gone.Token) != 0 || string(gone.Data) != "kept" || gone.Mark != nil {
				t.Errorf("released to %+v", gone)
			}
			if again := must[store.Link](t, "release again")(s.Release(t.Context(), "l1", 0)); again.Version != gone.Version {
				t.Errorf("releasing twice changes the link")
			}
			back := gone
			back.Status = store.LinkLinked
			_, err = s.CompareAndSwap(t.Context(), back)
			wantErr(t, "a link that comes back", err, store.ErrConflict)
			told := gone
			told.Data, told.Token, told.Address = []byte("told"), []byte("a token"), "other@example.com"
			told = must[store.Link](t, "swap the data of an unlinked link")(s.CompareAndSwap(t.Context(), told))
			if string(told.Data) != "told" || len(told.Token) != 0 || told.Address != gone.Address || told.Version <= gone.Version {
				t.Errorf("of an unlinked link only the data changes: %+v", told)
			}
			_, err = s.CompareAndSwap(t.Context(), gone)
			wantErr(t, "an old version of an unlinked link", err, store.ErrConflict)
			_, err = s.Find(t.Context(), "gmail", "sub-1")
			wantErr(t, "the free mailbox", err, store.ErrNotFound)
			must[store.Link](t, "another owner's link")(s.Create(t.Context(), link("l2", "tom", "sub-1")))
			if got := must[store.Link](t, "find")(s.Find(t.Context(), "gmail", "sub-1")); got.ID != "l2" {
				t.Errorf("the mailbox is held by %s", got.ID)
			}
		}),
		"List": with(func(t T, s store.TokenStore, _ Harness) {
			for i := range 5 {
				owner := "maria"
				if i == 3 {
					owner = "tom"
				}
				must[store.Link](t, "create")(s.Create(t.Context(), link(fmt.Sprintf("l%d", i), owner, fmt.Sprintf("sub-%d", i))))
			}
			page := must[[]store.Link](t, "list")(s.List(t.Context(), store.ListLinks{Owner: "maria", After: "l0", Limit: 2}))
			if len(page) != 2 || page[0].ID != "l1" || page[1].ID != "l2" {
				t.Errorf("the page is %v", page)
			}
		}),
		"MemoryIsTheCallers": with(func(t T, s store.TokenStore, _ Harness) {
			l := link("l1", "maria", "sub-1")
			must[store.Link](t, "create")(s.Create(t.Context(), l))
			l.Token[0], l.Data[0], l.Addresses[0] = 'X', 'X', "x"
			got := must[store.Link](t, "get")(s.Get(t.Context(), "l1"))
			got.Token[0], got.Data[0], got.Addresses[0] = 'Y', 'Y', "y"
			if again := must[store.Link](t, "get")(s.Get(t.Context(), "l1")); string(again.Token) != "sealed" || string(again.Data) != "kept" || again.Addresses[0] != "a@example.com" {
				t.Errorf("what the caller changed is in the store: %s, %v", again.Token, again.Addresses)
			}
		}),
	}
}
