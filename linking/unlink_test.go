package linking_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// narrowing is a service that grants less at each refresh.
type narrowing struct {
	provider.Provider
	to provider.Access
}

func (n *narrowing) Refresh(ctx context.Context, g provider.Grant) (provider.Grant, error) {
	g, err := n.Provider.Refresh(ctx, g)
	if n.to != "" {
		g.Access = g.Access.AtMost(n.to)
	}
	return g, err
}

// TestUnlinkInOrder: nobody uses the link, pushes are stopped, the grant is
// revoked, the mailbox is free.
func TestUnlinkInOrder(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true))
	var id, order string
	w.cfg.StopPush = func(ctx context.Context, mailbox provider.Linked) error {
		order += " stop:" + string(w.status(id).Status)
		if _, err := mailbox.Mailbox.Profile(ctx); err != nil || mailbox.Link != id || mailbox.Owner != "maria" {
			t.Errorf("the hook gets %+v, and its token is good for %v", mailbox, err)
		}
		return nil
	}
	c.revoke = func() error {
		order += " revoke:" + string(w.status(id).Status)
		if _, err := w.linker.Open(t.Context(), id); !errors.Is(err, provider.ErrMailboxUnusable) {
			t.Errorf("it can be opened: %v", err)
		}
		if _, err := w.mem.Tokens().Find(t.Context(), string(w.prov.Kind()), w.office.Mailbox(marias).Subject()); err != nil {
			t.Errorf("the mailbox is free before the grant has ended: %v", err)
		}
		return nil
	}
	w.linker = w.newLinker()
	id = w.link("maria", marias).ID
	if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: id}); err != nil {
		t.Fatal(err)
	}
	if order != " stop:unlinking revoke:unlinking" {
		t.Errorf("in the order%s", order)
	}
	w.wantStory(id, "linked unlinking unlinked")
	// Another takes the mailbox at once, and keeps it.
	taken, err := w.complete("tom", w.visit(func() linking.BeginParams { return begin("tom") }(), marias, provider.AccessReplies))
	if err != nil || taken.Link.ID == id {
		t.Fatalf("linked by another as %+v, %v", taken, err)
	}
	if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: id}); err != nil {
		t.Fatal(err)
	}
	if err := w.profile(w.linker, taken.Link.ID); err != nil {
		t.Errorf("the next owner's link is broken: %v", err)
	}
	if links, err := w.linker.List(t.Context(), "maria"); err != nil || len(links) != 1 || links[0].Status != store.LinkUnlinked {
		t.Errorf("the first owner has %+v, %v", links, err)
	}
}

// TestUnlinkStops: what fails on the way leaves the link where nobody uses it
// and nobody else gets it, and the next call goes on.
func TestUnlinkStops(t *testing.T) {
	for name, fail := range map[string]func(*world, *counting) func(){
		"push": func(w *world, _ *counting) func() {
			down := true
			w.cfg.StopPush = func(context.Context, provider.Linked) error {
				if down {
					return errors.New("down")
				}
				return nil
			}
			return func() { down = false }
		},
		"revoke": func(_ *world, c *counting) func() {
			c.revoke = func() error { return &provider.Error{Kind: provider.ErrTemporary, Op: "revoke"} }
			return func() { c.revoke = nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := &counting{}
			w := newWorld(t, counted(c, true))
			mend := fail(w, c)
			w.linker = w.newLinker()
			id := w.link("maria", marias).ID
			for range 2 {
				if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: id}); err == nil {
					t.Fatal("it is no error")
				}
			}
			if s := w.status(id); s.Status != store.LinkUnlinking || s.Works {
				t.Errorf("it is %+v", s)
			}
			_, err := w.complete("tom", w.visit(begin("tom"), marias, provider.AccessReplies))
			wantIs(t, err, linking.ErrOwned)
			w.wantStory(id, "linked unlinking")
			mend()
			if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: id}); err != nil {
				t.Fatal(err)
			}
			w.wantStory(id, "linked unlinking unlinked")
		})
	}
}

// TestReleaseFails: the end that is written down before the store releases
// the mailbox is no end until it does.
func TestReleaseFails(t *testing.T) {
	w := newWorld(t)
	s := &stuck{TokenStore: w.mem.Tokens()}
	w.cfg.Links = s
	w.linker = w.newLinker()
	id := w.link("maria", marias).ID
	s.down = true
	if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: id}); err == nil {
		t.Fatal("it is no error")
	}
	w.wantStory(id, "linked unlinking")
	if left, err := w.linker.Deliver(t.Context()); err != nil || left != 0 {
		t.Errorf("%d left, %v", left, err)
	}
	w.wantStory(id, "linked unlinking")
	s.down = false
	if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: id}); err != nil {
		t.Fatal(err)
	}
	w.wantStory(id, "linked unlinking unlinked")
}

type stuck struct {
	store.TokenStore
	down bool
}

func (s *stuck) Release(ctx context.Context, id string, version int64) (store.Link, error) {
	if s.down {
		return store.Link{}, errors.New("down")
	}
	return s.TokenStore.Release(ctx, id, version)
}

// TestKeepGrants: the host decides for each registration, and can tell
// its user what it means.
func TestKeepGrants(t *testing.T) {
	for want, change := range map[int32]func(*world){
		0: func(w *world) { w.cfg.KeepGrants = []string{"postoffice"} },
		1: func(*world) {},
	} {
		c := &counting{}
		w := newWorld(t, counted(c, true), change)
		id := w.link("maria", marias).ID
		if s := w.status(id); s.Revokes != (want == 1) || s.Revoking != provider.RevokesGrant {
			t.Errorf("the status says %t, %s", s.Revokes, s.Revoking)
		}
		if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: id}); err != nil {
			t.Fatal(err)
		}
		if n := c.revokes.Load(); n != want {
			t.Errorf("%d revocations, want %d", n, want)
		}
	}
	w := newWorld(t)
	if got := w.linker.Effect("none"); got != provider.RevokesNothing {
		t.Errorf("of no registration: %s", got)
	}
	for field, change := range map[string]func(*linking.Config){
		"KeepGrants[1]":  func(c *linking.Config) { c.KeepGrants = []string{"postoffice", "yahoo"} },
		"UnusableWithin": func(c *linking.Config) { c.UnusableWithin = -time.Second },
		"SilentAfter":    func(c *linking.Config) { c.SilentAfter = time.Minute },
	} {
		cfg := w.cfg
		change(&cfg)
		_, err := linking.New(cfg)
		var fe *provider.FieldError
		if !errors.As(err, &fe) || fe.Field != "Config."+field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestStatusOfARelinkDuringUnlink: who relinks while the link is being
// unlinked gets nothing.
func TestRelinkMeetsUnlink(t *testing.T) {
	w := newWorld(t)
	id := w.link("maria", marias).ID
	p := begin("maria")
	p.Relink = id
	q := w.visit(p, marias, provider.AccessReplies)
	if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: id}); err != nil {
		t.Fatal(err)
	}
	_, err := w.complete("maria", q)
	wantIs(t, err, linking.ErrNotFound)
	w.wantStory(id, "linked unlinking unlinked")
}
