package linking_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

func ring(t *testing.T, ids ...uint32) *seal.KeyRing {
	t.Helper()
	var p seal.KeyRingParams
	for _, id := range ids {
		secret := bytes.Repeat([]byte{byte(id), byte(id) + 1}, 16)
		p.Keys = append(p.Keys, seal.Key{ID: id, Secret: secret})
	}
	r, err := seal.NewKeyRing(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sealedBy(s seal.Sealer) func(*world) {
	return func(w *world) { w.cfg.Sealer, w.cfg.InsecurePlainTokens = s, false }
}

// with returns another Linker over the same store.
func (w *world) with(s seal.Sealer) *linking.Linker {
	w.t.Helper()
	cfg := w.cfg
	cfg.Sealer = s
	l, err := linking.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *world) stored(id string) store.Link {
	w.t.Helper()
	l, err := w.mem.Tokens().Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *world) write(l store.Link) {
	w.t.Helper()
	if _, err := w.mem.Tokens().CompareAndSwap(w.t.Context(), l); err != nil {
		w.t.Fatal(err)
	}
}

func wantCounts(t *testing.T, got linking.Resealed, seen, sealed, current, failed int) {
	t.Helper()
	if got.Seen != seen || got.Sealed != sealed || got.Current != current || got.Failed != failed {
		t.Errorf("counted %+v, want %d seen, %d sealed, %d current, %d failed", got, seen, sealed, current, failed)
	}
}

func TestReseal(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true), sealedBy(ring(t, 1)))
	a, b := w.link("maria", marias), w.link("tom", toms)
	turned, after := w.with(ring(t, 2, 1)), w.with(ring(t, 2))
	got, err := turned.Reseal(t.Context(), linking.ResealParams{})
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, got, 2, 2, 0, 0)
	if want := max(a.ID, b.ID); got.Last != want {
		t.Errorf("the last is %q, want %q", got.Last, want)
	}
	for _, id := range []string{a.ID, b.ID} {
		if err := w.profile(after, id); err != nil {
			t.Errorf("without the old key: %v", err)
		}
		wantIs(t, w.profile(w.linker, id), seal.ErrUnknownKey)
	}
	got, err = turned.Reseal(t.Context(), linking.ResealParams{})
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, got, 2, 0, 2, 0)
	if got, err = turned.Reseal(t.Context(), linking.ResealParams{After: got.Last}); err != nil || got.Seen != 0 {
		t.Errorf("after the last: %+v, %v", got, err)
	}
	// A Sealer that can't tell has everything rewritten.
	before := w.stored(a.ID)
	if got, err = w.with(aead{ring(t, 2)}).Reseal(t.Context(), linking.ResealParams{}); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, got, 2, 2, 0, 0)
	if l := w.stored(a.ID); bytes.Equal(l.Token, before.Token) || !l.Changed.Equal(before.Changed) || len(w.changes) != 2 {
		t.Errorf("%+v was %+v, and %d changes were told", l, before, len(w.changes))
	}
	if err := after.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: a.ID}); err != nil || c.revokes.Load() != 1 {
		t.Errorf("unlink: %v, %d revoked", err, c.revokes.Load())
	}
	if got, err = turned.Reseal(t.Context(), linking.ResealParams{}); err != nil {
		t.Error(err)
	}
	wantCounts(t, got, 1, 0, 1, 0)
	plain := newWorld(t)
	if _, err := plain.linker.Reseal(t.Context(), linking.ResealParams{}); !errors.Is(err, provider.ErrInvalid) {
		t.Errorf("without a Sealer: %v", err)
	}
}

// aead is a Sealer and nothing else.
type aead struct{ seal.Sealer }

// TestResealPages has more links than a page, some of which do not open.
func TestResealPages(t *testing.T) {
	w := newWorld(t, sealedBy(ring(t, 1)))
	model := w.stored(w.link("maria", marias).ID)
	old := ring(t, 1)
	var damaged []string
	for i := range 250 {
		l := model
		l.ID, l.Subject, l.Version = fmt.Sprintf("n%03d", i), fmt.Sprint("subject ", i), 0
		token, err := old.Encrypt([]byte(`{"access":"canary","refresh":"canary"}`), []byte("link "+l.ID))
		if err != nil {
			t.Fatal(err)
		}
		l.Token = token
		switch i {
		case 7: // tampered with
			l.Token = append(slices.Clone(token[:len(token)-1]), token[len(token)-1]^1)
		case 120: // another link's
			l.Token = model.Token
		case 249: // by a key that is gone
			if l.Token, err = ring(t, 9).Encrypt([]byte("canary"), []byte("link "+l.ID)); err != nil {
				t.Fatal(err)
			}
		}
		if slices.Contains([]int{7, 120, 249}, i) {
			damaged = append(damaged, l.ID)
		}
		if _, err := w.mem.Tokens().Create(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.with(ring(t, 2, 1)).Reseal(t.Context(), linking.ResealParams{})
	wantCounts(t, got, 251, 248, 0, 3)
	for _, want := range []error{linking.ErrSealed, seal.ErrTampered, seal.ErrMoved, seal.ErrUnknownKey} {
		wantIs(t, err, want)
	}
	for _, id := range damaged {
		if !strings.Contains(fmt.Sprint(err), "link "+id) {
			t.Errorf("%v does not name %s", err, id)
		}
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, got), "canary") {
		t.Errorf("%v leaks", err)
	}
}

// TestResealBesideRefreshes: tokens are refreshed and resealed at once, by
// processes that have turned to the new key and one that has not.
func TestResealBesideRefreshes(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true), sealedBy(ring(t, 1, 2)))
	ids := []string{w.link("maria", marias).ID, w.link("tom", toms).ID}
	turned := []*linking.Linker{w.with(ring(t, 2, 1)), w.with(ring(t, 2, 1))}
	for range 20 {
		w.clock.Advance(2 * time.Hour)
		var wg sync.WaitGroup
		for _, l := range append(turned, w.linker) {
			for _, id := range ids {
				wg.Go(func() {
					if err := w.profile(l, id); err != nil {
						t.Error(err)
					}
				})
			}
		}
		for _, l := range turned {
			wg.Go(func() {
				if _, err := l.Reseal(t.Context(), linking.ResealParams{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if n := c.refreshes.Load(); n != 40 {
		t.Errorf("%d refreshes, want one each time for each link", n)
	}
	if _, err := turned[0].Reseal(t.Context(), linking.ResealParams{}); err != nil {
		t.Fatal(err)
	}
	after := w.with(ring(t, 2))
	for _, id := range ids {
		if l := w.stored(id); l.Status != store.LinkLinked || l.Mark != nil {
			t.Errorf("link %s is %s, marked %+v", id, l.Status, l.Mark)
		}
		if err := w.profile(after, id); err != nil {
			t.Error(err)
		}
	}
}

// TestResealKeepsMarks: a refresh under way is waited for, and what is left of
// a dead one stays.
func TestResealKeepsMarks(t *testing.T) {
	var w *world
	waits := 0
	w = newWorld(t, sealedBy(ring(t, 1)), func(w *world) {
		w.cfg.Wait = func(_ context.Context, d time.Duration) error {
			waits++
			w.clock.Advance(d)
			return nil
		}
	})
	id := w.link("maria", marias).ID
	l := w.stored(id)
	l.Mark = &store.RefreshMark{By: "somebody", Left: time.Second}
	w.write(l)
	got, err := w.with(ring(t, 2, 1)).Reseal(t.Context(), linking.ResealParams{})
	if err != nil || got.Sealed != 1 || waits == 0 {
		t.Errorf("%+v, %v after %d waits", got, err, waits)
	}
	if l = w.stored(id); l.Mark == nil || l.Mark.By != "somebody" || l.Mark.Left > 0 {
		t.Errorf("the mark is %+v", l.Mark)
	}
}

// keyService is a Sealer whose keys are behind a network.
type keyService struct {
	seal.Sealer
	down error
}

func (k *keyService) Encrypt(p, ad []byte) ([]byte, error) {
	if k.down != nil {
		return nil, k.down
	}
	return k.Sealer.Encrypt(p, ad)
}

func (k *keyService) Decrypt(c, ad []byte) ([]byte, error) {
	if k.down != nil {
		return nil, k.down
	}
	return k.Sealer.Decrypt(c, ad)
}

type outage struct{}

func (outage) Error() string   { return "the key service answers 503" }
func (outage) Temporary() bool { return true }

// TestKeyServiceDown: what can't be told now is temporary, and nothing is
// given up for it.
func TestKeyServiceDown(t *testing.T) {
	for name, down := range map[string]error{"outage": outage{}, "deadline": fmt.Errorf("keys: %w", context.DeadlineExceeded)} {
		t.Run(name, func(t *testing.T) {
			c, keys := &counting{}, &keyService{Sealer: ring(t, 1)}
			w := newWorld(t, counted(c, true), sealedBy(keys))
			id := w.link("maria", marias).ID
			flow := w.visit(begin("tom"), toms, provider.AccessReplies)
			before := w.stored(id)
			keys.down = down
			unlink := linking.UnlinkParams{Owner: "maria", Link: id}
			_, completed := w.complete("tom", flow)
			_, resealed := w.linker.Reseal(t.Context(), linking.ResealParams{})
			for what, err := range map[string]error{"token": w.profile(w.linker, id), "complete": completed, "reseal": resealed, "unlink": w.linker.Unlink(t.Context(), unlink)} {
				if !errors.Is(err, provider.ErrTemporary) || !errors.Is(err, down) || errors.Is(err, linking.ErrSealed) || errors.Is(err, provider.ErrApp) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if l := w.stored(id); l.Status != store.LinkUnlinking || !bytes.Equal(l.Token, before.Token) || c.revokes.Load() != 0 {
				t.Errorf("the link is %s, %d revoked", l.Status, c.revokes.Load())
			}
			if _, err := w.mem.Tokens().Find(t.Context(), before.Kind, before.Subject); err != nil {
				t.Errorf("the mailbox was released: %v", err)
			}
			keys.down = nil
			if err := w.linker.Unlink(t.Context(), unlink); err != nil || c.revokes.Load() != 1 || w.stored(id).Status != store.LinkUnlinked {
				t.Errorf("unlink: %v, %d revoked", err, c.revokes.Load())
			}
		})
	}
}

// TestKeyServiceDownWhileRefreshing: the key service goes down between the
// refresh and the storing of the token, which only we know.
func TestKeyServiceDownWhileRefreshing(t *testing.T) {
	c, keys := &counting{}, &keyService{Sealer: ring(t, 1)}
	w := newWorld(t, counted(c, true), sealedBy(keys), func(w *world) {
		w.cfg.Wait = func(context.Context, time.Duration) error {
			keys.down = nil
			return nil
		}
	})
	id := w.link("maria", marias).ID
	c.after = func() { keys.down = outage{} }
	w.clock.Advance(2 * time.Hour)
	if err := w.profile(w.linker, id); err != nil {
		t.Error(err)
	}
	if l := w.stored(id); l.Status != store.LinkLinked || l.Mark != nil || c.refreshes.Load() != 1 {
		t.Errorf("the link is %s, marked %+v, after %d refreshes", l.Status, l.Mark, c.refreshes.Load())
	}
}
