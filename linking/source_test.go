package linking_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store"
)

// counting counts refreshes and revocations.
type counting struct {
	provider.Provider
	refreshes, revokes atomic.Int32
	before             func() error // of each refresh
	after              func()
	revoke             func() error
}

func (c *counting) Refresh(ctx context.Context, g provider.Grant) (provider.Grant, error) {
	c.refreshes.Add(1)
	if c.before != nil {
		if err := c.before(); err != nil {
			return g, err
		}
	}
	out, err := c.Provider.Refresh(ctx, g)
	if c.after != nil {
		c.after()
	}
	return out, err
}

func (c *counting) Revoke(ctx context.Context, g provider.Grant) error {
	c.revokes.Add(1)
	if c.revoke != nil {
		if err := c.revoke(); err != nil {
			return err
		}
	}
	return c.Provider.Revoke(ctx, g)
}

// counted puts a counting provider into a world.
func counted(c *counting, rotates bool) func(*world) {
	return func(w *world) {
		w.prov = postoffice.NewProvider(w.office, postoffice.ProviderConfig{Rotates: rotates})
		c.Provider = w.prov
		w.cfg.Providers = []provider.Provider{c}
		w.cfg.Wait = func(ctx context.Context, _ time.Duration) error {
			runtime.Gosched()
			return ctx.Err()
		}
	}
}

func (w *world) profile(l *linking.Linker, id string) error {
	opened, err := l.Open(w.t.Context(), id)
	if err != nil {
		return err
	}
	for {
		// Time stands still here, and on a busy machine all turns may pass
		// while the one who refreshes waits for a processor.
		_, err = opened.Mailbox.Profile(w.t.Context())
		var pe *provider.Error
		if !errors.As(err, &pe) || pe.Reason != "refresh_contended" {
			return err
		}
	}
}

func TestRefreshWhenDue(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true))
	l := w.link("maria", marias)
	for range 3 {
		if err := w.profile(w.linker, l.ID); err != nil {
			t.Fatal(err)
		}
	}
	if n := c.refreshes.Load(); n != 0 {
		t.Errorf("%d refreshes of a fresh token", n)
	}
	for i := range 3 {
		w.clock.Advance(59 * time.Minute)
		if err := w.profile(w.linker, l.ID); err != nil {
			t.Fatal(err)
		}
		if n := c.refreshes.Load(); n != int32(i+1) {
			t.Errorf("%d refreshes after %d hours", n, i+1)
		}
	}
}

// TestOneRefreshForAll are many goroutines of many processes that need a new
// token at once, from a service that kills the old refresh token.
func TestOneRefreshForAll(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true))
	l := w.link("maria", marias)
	w.clock.Advance(2 * time.Hour)
	linkers := []*linking.Linker{w.linker, w.newLinker(), w.newLinker(), w.newLinker()}
	var wg sync.WaitGroup
	for _, linker := range linkers {
		for range 64 {
			wg.Go(func() {
				if err := w.profile(linker, l.ID); err != nil {
					t.Errorf("profile: %v", err)
				}
			})
		}
	}
	wg.Wait()
	if n := c.refreshes.Load(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
	if got, err := w.linker.Get(t.Context(), l.ID); err != nil || got.Status != store.LinkLinked {
		t.Errorf("the link is %+v, %v", got, err)
	}
}

// TestRefusedToken refreshes once for a token that the service refuses, and
// not at all if another has replaced it meanwhile.
func TestRefusedToken(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true))
	l := w.link("maria", marias)
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpProfile, Fault: postoffice.FaultUnauthorized})
	opened, err := w.linker.Open(t.Context(), l.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, first := opened.Mailbox.Profile(t.Context())
	if first == nil {
		_, first = opened.Mailbox.Profile(t.Context())
	}
	if _, err := opened.Mailbox.Profile(t.Context()); err != nil {
		t.Errorf("after a refusal: %v", err)
	}
	if n := c.refreshes.Load(); n != 1 {
		t.Errorf("%d refreshes, want 1 (first error %v)", n, first)
	}
}

func TestDeadGrant(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true))
	l := w.link("maria", marias)
	w.prov.Withdraw(marias)
	w.clock.Advance(2 * time.Hour)
	for range 3 {
		wantIs(t, w.profile(w.linker, l.ID), provider.ErrRelink)
	}
	if n := c.refreshes.Load(); n != 1 {
		t.Errorf("a dead grant was presented %d times", n)
	}
	got, err := w.linker.Get(t.Context(), l.ID)
	if err != nil || got.Status != store.LinkNeedsRelink || got.Reason == "" {
		t.Errorf("the link is %+v, %v", got, err)
	}
	told := 0
	for _, ch := range w.changes {
		if ch.Link.Status == store.LinkNeedsRelink {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times that the link needs its user", told)
	}
}

// TestAppFault leaves the link as it is.
func TestAppFault(t *testing.T) {
	for _, kind := range []provider.ErrorKind{provider.ErrApp, provider.ErrTemporary, provider.ErrThrottled} {
		c := &counting{before: func() error { return &provider.Error{Kind: kind} }}
		w := newWorld(t, counted(c, true))
		l := w.link("maria", marias)
		w.clock.Advance(2 * time.Hour)
		wantIs(t, w.profile(w.linker, l.ID), kind)
		c.before = nil
		if err := w.profile(w.linker, l.ID); err != nil {
			t.Errorf("%s is not over when it is over: %v", kind, err)
		}
	}
}

// broken is a TokenStore that fails to swap some times.
type broken struct {
	store.TokenStore
	fail func(store.Link) bool
}

func (b *broken) CompareAndSwap(ctx context.Context, l store.Link) (store.Link, error) {
	if b.fail != nil && b.fail(l) {
		return store.Link{}, errors.New("the store is down")
	}
	return b.TokenStore.CompareAndSwap(ctx, l)
}

// TestSavedBeforeUsed never uses a token that could not be stored.
func TestSavedBeforeUsed(t *testing.T) {
	c := &counting{}
	b := &broken{}
	w := newWorld(t, counted(c, true), func(w *world) {
		b.TokenStore = w.cfg.Links
		w.cfg.Links = b
	})
	l := w.link("maria", marias)
	w.clock.Advance(2 * time.Hour)
	failures := 0
	b.fail = func(l store.Link) bool { failures++; return l.Mark == nil && failures < 4 }
	if err := w.profile(w.linker, l.ID); err != nil {
		t.Errorf("the store was down for a moment: %v", err)
	}
	if n := c.refreshes.Load(); n != 1 {
		t.Errorf("%d refreshes", n)
	}
	w.clock.Advance(2 * time.Hour)
	b.fail = func(l store.Link) bool { return l.Mark == nil }
	if err := w.profile(w.linker, l.ID); err == nil {
		t.Error("a token was used that is stored nowhere")
	}
}

// TestHolderDies is a process that dies between the refresh and storing its
// result. Where the service killed the old token nothing can be done, and
// nobody is blamed; where it did not, another process takes over.
func TestHolderDies(t *testing.T) {
	for _, rotates := range []bool{true, false} {
		c := &counting{}
		b := &broken{}
		w := newWorld(t, counted(c, rotates), func(w *world) {
			b.TokenStore = w.cfg.Links
			w.cfg.Links = b
		})
		l := w.link("maria", marias)
		w.clock.Advance(2 * time.Hour)
		b.fail = func(l store.Link) bool { return l.Mark == nil }
		if err := w.profile(w.linker, l.ID); err == nil {
			t.Fatal("the dead process works")
		}
		b.fail = nil
		w.clock.Advance(time.Minute) // its mark lapses
		err := w.profile(w.newLinker(), l.ID)
		got, getErr := w.linker.Get(t.Context(), l.ID)
		if getErr != nil {
			t.Fatal(getErr)
		}
		if rotates {
			wantIs(t, err, provider.ErrRelink)
			if got.Reason != string(provider.ReasonTokenLost) {
				t.Errorf("the reason is %q", got.Reason)
			}
		} else if err != nil || got.Status != store.LinkLinked {
			t.Errorf("not survived: %v, %+v", err, got)
		}
	}
}

func TestUnlink(t *testing.T) {
	var order []string
	c := &counting{}
	w := newWorld(t, counted(c, true))
	l := w.link("maria", marias)
	fail := true
	c.revoke = func() error {
		got, err := w.linker.Get(t.Context(), l.ID)
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, string(got.Status))
		if fail {
			return &provider.Error{Kind: provider.ErrTemporary}
		}
		return nil
	}
	wantIs(t, w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "eve", Link: l.ID}), linking.ErrNotFound)
	wantIs(t, w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: l.ID}), provider.ErrTemporary)
	wantIs(t, w.profile(w.linker, l.ID), provider.ErrMailboxUnusable)
	_, err := w.complete("tom", w.visit(begin("tom"), marias, provider.AccessReplies))
	wantIs(t, err, linking.ErrOwned)
	fail = false
	for range 2 {
		if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: l.ID}); err != nil {
			t.Fatal(err)
		}
	}
	if len(order) != 2 || order[0] != "unlinking" || order[1] != "unlinking" {
		t.Errorf("revoked while the link was %v", order)
	}
	if got, err := w.linker.Get(t.Context(), l.ID); err != nil || got.Status != store.LinkUnlinked {
		t.Errorf("the link is %+v, %v", got, err)
	}
	other := w.link("tom", marias)
	if other.ID == l.ID || w.profile(w.linker, other.ID) != nil {
		t.Errorf("the next owner's link is %+v", other)
	}
	kept := w.link("maria", toms)
	if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: kept.ID, KeepGrant: true}); err != nil {
		t.Fatal(err)
	}
	if n := c.revokes.Load(); n != 2 {
		t.Errorf("%d revocations, although the grant was to be kept", n)
	}
}
