package linking_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

const day = 24 * time.Hour

// TestTransitions goes through every pair of statuses.
func TestTransitions(t *testing.T) {
	all := []store.LinkStatus{
		"", store.LinkLinked, store.LinkLimited, store.LinkNeedsRelink, store.LinkHeld, store.LinkUnusable, store.LinkUnlinking, store.LinkUnlinked,
	}
	want := map[store.LinkStatus]string{ // a mark for each of all, in order
		"":                    ".xx.....",
		store.LinkLinked:      ".xxxxxx.",
		store.LinkLimited:     ".xxxxxx.",
		store.LinkNeedsRelink: ".xx...x.",
		store.LinkHeld:        ".xxx.xx.",
		store.LinkUnusable:    "...x..x.",
		store.LinkUnlinking:   ".......x",
		store.LinkUnlinked:    "........",
	}
	for _, from := range all {
		for i, to := range all {
			if got := linking.Allowed(from, to); got != (want[from][i] == 'x') {
				t.Errorf("%q to %q: %t", from, to, got)
			}
		}
	}
}

// path is what happened to a link, in short.
func path(list []linking.Change) string {
	var out []string
	for _, c := range list {
		switch c.Kind {
		case linking.ChangeStatus:
			out = append(out, string(c.Status))
		default:
			out = append(out, string(c.Kind))
		}
	}
	return strings.Join(out, " ")
}

func (w *world) told() []linking.Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.changes)
}

func (w *world) history(id string) []linking.Change {
	w.t.Helper()
	list, err := w.linker.History(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func (w *world) status(id string) linking.Status {
	w.t.Helper()
	s, err := w.linker.Status(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// wantStory holds what happened to a link, in its history and as it was told.
func (w *world) wantStory(id, want string) {
	w.t.Helper()
	if got := path(w.history(id)); got != want {
		w.t.Errorf("the history is %q, want %q", got, want)
	}
	if w.cfg.OnChange == nil {
		return
	}
	var told []linking.Change
	for _, c := range w.told() {
		if strings.HasPrefix(c.ID, id+"/") {
			told = append(told, c)
		}
	}
	if got := path(told); got != want {
		w.t.Errorf("told was %q, want %q", got, want)
	}
	for i, c := range told {
		if c.ID != fmt.Sprintf("%s/%d", id, i+1) || c.Seq != i+1 {
			w.t.Errorf("change %d is told as %s, %d", i+1, c.ID, c.Seq)
		}
	}
}

// breaks ends the grant at the service, and has the link find it out.
func (w *world) breaks(id, addr string) error {
	w.t.Helper()
	w.prov.Withdraw(addr)
	w.clock.Advance(2 * time.Hour)
	return w.profile(w.linker, id)
}

func (w *world) relink(id, addr string) {
	w.t.Helper()
	p := begin("maria")
	p.Relink = id
	if _, err := w.complete("maria", w.visit(p, addr, provider.AccessReplies)); err != nil {
		w.t.Fatal(err)
	}
}

func TestStoryOfALink(t *testing.T) {
	w := newWorld(t)
	id := w.link("maria", marias).ID
	if s := w.status(id); s.Status != store.LinkLinked || !s.Works || s.Relink || s.Diagnosis.Reason != "" || !s.Since.Equal(w.clock.Now()) || s.Asked != provider.AccessReplies || !s.Can.Content {
		t.Errorf("linked: %+v", s)
	}
	wantIs(t, w.breaks(id, marias), provider.ErrRelink)
	s := w.status(id)
	if s.Status != store.LinkNeedsRelink || s.Works || !s.Relink || s.Diagnosis.Reason != provider.ReasonGrantRevoked || s.Diagnosis.Mender != provider.MendUser || len(s.Breaks) != 1 || s.BreaksAllowed != 3 {
		t.Errorf("broken: %+v", s)
	}
	w.relink(id, marias)
	if s := w.status(id); s.Status != store.LinkLinked || s.Diagnosis.Reason != "" || len(s.Breaks) != 1 {
		t.Errorf("linked again: %+v", s)
	}
	if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: id}); err != nil {
		t.Fatal(err)
	}
	if s := w.status(id); s.Status != store.LinkUnlinked || s.Works || s.Relink {
		t.Errorf("unlinked: %+v", s)
	}
	w.wantStory(id, "linked needs_relink linked unlinking unlinked")
	h := w.history(id)
	if c := h[1]; c.Was != store.LinkLinked || c.Reason != "invalid_grant" || c.Diagnosis.Mender != provider.MendUser || c.Link.ID != id || c.Link.Status != store.LinkNeedsRelink || c.Access != provider.AccessReplies || !c.At.Equal(s.Since) {
		t.Errorf("the break is %+v", c)
	}
	if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: id}); err != nil {
		t.Errorf("unlinking again: %v", err)
	}
	w.wantStory(id, "linked needs_relink linked unlinking unlinked")
}

// TestHistoryIsBounded keeps the latest changes, and their numbers.
func TestHistoryIsBounded(t *testing.T) {
	w := newWorld(t)
	w.cfg.UnusableAfter = -1
	w.linker = w.newLinker()
	id := w.link("maria", marias).ID
	for range 60 {
		wantIs(t, w.breaks(id, marias), provider.ErrRelink)
		w.relink(id, marias)
	}
	h := w.history(id)
	if len(h) != 100 || h[99].Seq != 121 || h[0].Seq != 22 || h[99].Status != store.LinkLinked {
		t.Errorf("%d changes are kept, up to %+v", len(h), h[len(h)-1])
	}
	if n := len(w.told()); n != 121 {
		t.Errorf("%d were told", n)
	}
}

// TestToldLater: what a handler did not take is told again, in order, until
// it does.
func TestToldLater(t *testing.T) {
	w := newWorld(t)
	down := true
	tell := w.cfg.OnChange
	w.cfg.OnChange = func(ctx context.Context, c linking.Change) error {
		if down {
			return errors.New("the host's queue is down")
		}
		return tell(ctx, c)
	}
	w.linker = w.newLinker()
	id := w.link("maria", marias).ID
	wantIs(t, w.breaks(id, marias), provider.ErrRelink)
	if left, err := w.linker.Deliver(t.Context()); err != nil || left != 1 || len(w.told()) != 0 {
		t.Errorf("%d links are left, %v; told was %q", left, err, path(w.told()))
	}
	down = false
	if left, err := w.newLinker().Deliver(t.Context()); err != nil || left != 0 {
		t.Errorf("%d links are left, %v", left, err)
	}
	w.wantStory(id, "linked needs_relink")
	if _, err := w.linker.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.wantStory(id, "linked needs_relink")
}

// TestDeliverGoesOn: a link that can't be read doesn't keep what others have
// to tell.
func TestDeliverGoesOn(t *testing.T) {
	for spoiled := range 2 { // the first to be looked at, and the last
		w := newWorld(t)
		down := true
		tell := w.cfg.OnChange
		w.cfg.OnChange = func(ctx context.Context, c linking.Change) error {
			if down {
				return errors.New("the host's queue is down")
			}
			return tell(ctx, c)
		}
		w.linker = w.newLinker()
		ids := []string{w.link("maria", marias).ID, w.link("tom", toms).ID}
		slices.Sort(ids)
		l, err := w.mem.Tokens().Get(t.Context(), ids[spoiled])
		if err != nil {
			t.Fatal(err)
		}
		l.Data = []byte("spoiled")
		if _, err := w.mem.Tokens().CompareAndSwap(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		down = false
		left, err := w.linker.Deliver(t.Context())
		if err == nil || !strings.Contains(err.Error(), ids[spoiled]) || left != 0 {
			t.Errorf("%d links are left, %v", left, err)
		}
		w.wantStory(ids[1-spoiled], "linked")
	}
}

// TestTellerDies: a process that dies between telling and writing it down has
// its changes told again, by another and under the same id, but not before it
// must be dead. A handler that panics is not the process's end.
func TestTellerDies(t *testing.T) {
	w := newWorld(t)
	tell := w.cfg.OnChange
	w.cfg.OnChange = func(ctx context.Context, c linking.Change) error {
		_ = tell(ctx, c)
		runtime.Goexit()
		return nil
	}
	w.linker = w.newLinker()
	var process sync.WaitGroup
	process.Go(func() { w.link("maria", marias) })
	process.Wait()
	w.cfg.OnChange = tell
	other := w.newLinker()
	if left, err := other.Deliver(t.Context()); err != nil || left != 1 || len(w.told()) != 1 {
		t.Errorf("%d links are left, %v, and %d changes told, while the first process may yet finish", left, err, len(w.told()))
	}
	w.clock.Advance(2 * time.Minute)
	if left, err := other.Deliver(t.Context()); err != nil || left != 0 {
		t.Errorf("%d links are left, %v", left, err)
	}
	told := w.told()
	if len(told) != 2 || told[0].ID != told[1].ID {
		t.Errorf("told was %+v", told)
	}
}

// TestHandlersPanic: the host's handlers end nothing but their own call. A
// change is told again, a link whose pushes can't be stopped is not unlinked.
func TestHandlersPanic(t *testing.T) {
	w := newWorld(t)
	tell, broken := w.cfg.OnChange, true
	fail := func() {
		if broken {
			panic("broken")
		}
	}
	w.cfg.OnChange = func(ctx context.Context, c linking.Change) error {
		fail()
		return tell(ctx, c)
	}
	w.cfg.OnRequest = func(linking.Request) { fail() }
	w.cfg.StopPush = func(context.Context, provider.Linked) error {
		fail()
		return nil
	}
	w.linker = w.newLinker()
	id := w.link("maria", marias).ID
	if rep, err := w.linker.Check(t.Context(), id); err != nil || !rep.Status.Works {
		t.Errorf("checked: %+v, %v", rep, err)
	}
	p := linking.UnlinkParams{Owner: "maria", Link: id}
	if err := w.linker.Unlink(t.Context(), p); err == nil || !strings.Contains(err.Error(), "call Unlink again") {
		t.Errorf("unlinked: %v", err)
	}
	broken = false
	if err := w.linker.Unlink(t.Context(), p); err != nil {
		t.Error(err)
	}
	w.wantStory(id, "linked unlinking unlinked")
}

// TestToldOnce: of many processes one tells.
func TestToldOnce(t *testing.T) {
	w := newWorld(t)
	down := true
	tell := w.cfg.OnChange
	w.cfg.OnChange = func(ctx context.Context, c linking.Change) error {
		if down {
			return errors.New("down")
		}
		return tell(ctx, c)
	}
	w.linker = w.newLinker()
	id := w.link("maria", marias).ID
	wantIs(t, w.breaks(id, marias), provider.ErrRelink)
	down = false
	var wg sync.WaitGroup
	for range 8 {
		l := w.newLinker()
		wg.Go(func() {
			if _, err := l.Deliver(t.Context()); err != nil {
				t.Errorf("deliver: %v", err)
			}
		})
	}
	wg.Wait()
	w.wantStory(id, "linked needs_relink")
}

// TestKeepsBreaking: the third involuntary end within 30 days is the last.
func TestKeepsBreaking(t *testing.T) {
	w := newWorld(t)
	id := w.link("maria", marias).ID
	for range 2 {
		wantIs(t, w.breaks(id, marias), provider.ErrRelink)
		w.relink(id, marias)
		w.clock.Advance(5 * day)
	}
	wantIs(t, w.breaks(id, marias), provider.ErrMailboxUnusable)
	s := w.status(id)
	if s.Status != store.LinkUnusable || s.Works || s.Relink || s.Diagnosis.Reason != provider.ReasonKeepsBroken || len(s.Breaks) != 3 ||
		s.Breaks[2].Reason != "invalid_grant" || s.Breaks[2].Diagnosis.Reason != provider.ReasonGrantRevoked {
		t.Errorf("it is %+v", s)
	}
	_, err := w.linker.Open(t.Context(), id)
	wantIs(t, err, provider.ErrMailboxUnusable)
	p := begin("maria")
	p.Relink = id
	_, err = w.linker.Begin(t.Context(), p)
	wantIs(t, err, linking.ErrUnusable)
	_, err = w.complete("maria", w.visit(begin("maria"), marias, provider.AccessReplies))
	wantIs(t, err, linking.ErrUnusable)
	if err == nil || strings.Contains(err.Error(), marias) {
		t.Errorf("the error is %v", err)
	}
	wantIs(t, w.linker.Forgive(t.Context(), "eve", id), linking.ErrNotFound)
	for range 2 {
		if err := w.linker.Forgive(t.Context(), "maria", id); err != nil {
			t.Fatal(err)
		}
	}
	if s := w.status(id); s.Status != store.LinkNeedsRelink || !s.Relink || len(s.Breaks) != 0 || s.Diagnosis.Reason != provider.ReasonForgiven {
		t.Errorf("forgiven: %+v", s)
	}
	w.relink(id, marias)
	wantIs(t, w.breaks(id, marias), provider.ErrRelink)
	w.wantStory(id, "linked needs_relink linked needs_relink linked unusable needs_relink linked needs_relink")
	for _, f := range []func() error{
		func() error { return w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: id}) },
	} {
		if err := f(); err != nil {
			t.Errorf("leaving by unlinking: %v", err)
		}
	}
}

// TestWhatDoesNotCount: ends that lie apart, and those that are not the
// mailbox's fault.
func TestWhatDoesNotCount(t *testing.T) {
	t.Run("long ago", func(t *testing.T) {
		w := newWorld(t)
		id := w.link("maria", marias).ID
		for range 5 {
			wantIs(t, w.breaks(id, marias), provider.ErrRelink)
			w.relink(id, marias)
			w.clock.Advance(16 * day)
		}
		if s := w.status(id); s.Status != store.LinkLinked || len(s.Breaks) != 1 {
			t.Errorf("it is %s with %d breaks", s.Status, len(s.Breaks))
		}
	})
	for name, reason := range map[string]provider.Reason{"an administrator": provider.ReasonAdminBlocked, "the operator": provider.ReasonExpiredTesting} {
		t.Run(name, func(t *testing.T) {
			c := &counting{}
			w := newWorld(t, counted(c, true))
			id := w.link("maria", marias).ID
			for range 5 {
				c.before = func() error { return &provider.Error{Kind: provider.ErrRelink, Op: "refresh", Reason: string(reason)} }
				w.clock.Advance(2 * time.Hour)
				wantIs(t, w.profile(w.linker, id), provider.ErrRelink)
				if s := w.status(id); s.Diagnosis.Reason != reason || len(s.Breaks) != 0 {
					t.Fatalf("it is %+v", s)
				}
				c.before = nil
				w.relink(id, marias)
			}
		})
	}
	t.Run("a crash", func(t *testing.T) {
		c := &counting{}
		w := newWorld(t, counted(c, true))
		id := w.link("maria", marias).ID
		for range 5 {
			w.clock.Advance(2 * time.Hour)
			l, err := w.mem.Tokens().Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			l.Mark = &store.RefreshMark{By: "the dead", Left: time.Second}
			if _, err := w.mem.Tokens().CompareAndSwap(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			wantIs(t, w.breaks(id, marias), provider.ErrRelink)
			if s := w.status(id); s.Diagnosis.Reason != provider.ReasonTokenLost || len(s.Breaks) != 0 {
				t.Fatalf("it is %+v", s)
			}
			w.relink(id, marias)
		}
	})
	t.Run("never", func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.cfg.UnusableAfter = -1 })
		id := w.link("maria", marias).ID
		for range 5 {
			wantIs(t, w.breaks(id, marias), provider.ErrRelink)
			w.relink(id, marias)
		}
	})
}
