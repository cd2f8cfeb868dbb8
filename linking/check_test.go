package linking_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store"
)

// writes counts what is written to a TokenStore.
type writes struct {
	store.TokenStore
	n atomic.Int32
}

func (s *writes) CompareAndSwap(ctx context.Context, l store.Link) (store.Link, error) {
	s.n.Add(1)
	return s.TokenStore.CompareAndSwap(ctx, l)
}

func (w *world) check(id string) linking.CheckReport {
	w.t.Helper()
	r, err := w.linker.Check(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) report(id string, h provider.Health) {
	w.t.Helper()
	if err := w.linker.Report(w.t.Context(), id, h); err != nil {
		w.t.Fatal(err)
	}
}

// wantFindings holds how the checks ended, in their order.
func wantFindings(t *testing.T, r linking.CheckReport, want string) {
	t.Helper()
	got := ""
	for _, f := range r.Findings {
		got += fmt.Sprintf("%s %s, ", f.Of, f.State)
		if bad := f.State == linking.FindingBad || f.State == linking.FindingWarn || f.State == linking.FindingUnsure; bad != (f.Diagnosis.Remedy != "") {
			t.Errorf("%s is %s and explained as %+v", f.Of, f.State, f.Diagnosis)
		}
	}
	if got != want {
		t.Errorf("found %s\nwant  %s", got, want)
	}
}

func TestCheck(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true))
	id := w.link("maria", marias).ID
	r := w.check(id)
	wantFindings(t, r, "grant good, access good, mailbox good, push none, read none, sent none, ")
	if n := c.refreshes.Load(); n != 1 || !r.Status.Works || !r.Status.Checked.Equal(w.clock.Now()) {
		t.Errorf("%d refreshes; %+v", n, r.Status)
	}
	now := w.clock.Now()
	w.report(id, provider.Health{Read: now, Sent: now, Reading: true, Push: now.Add(day)})
	r = w.check(id)
	wantFindings(t, r, "grant good, access good, mailbox good, push good, read good, sent good, ")
	if f := r.Finding(linking.CheckPush); !f.At.Equal(now.Add(day)) {
		t.Errorf("pushes end %s", f.At)
	}
	if f := r.Finding(linking.CheckSent); !f.At.Equal(now) {
		t.Errorf("sent %s", f.At)
	}
	w.clock.Advance(30 * time.Hour)
	r = w.check(id)
	wantFindings(t, r, "grant good, access good, mailbox good, push warn, read bad, sent good, ")
	if s := r.Status; s.Diagnosis.Reason != provider.ReasonSilent || s.Silent.IsZero() || !s.Works {
		t.Errorf("silent: %+v", s)
	}
	w.report(id, provider.Health{Read: w.clock.Now(), Reading: true})
	w.prov.Withdraw(marias)
	r = w.check(id)
	wantFindings(t, r, "grant bad, push none, read unsure, sent unsure, ")
	if s := r.Status; s.Status != store.LinkNeedsRelink || r.Findings[0].Diagnosis.Reason != provider.ReasonGrantRevoked {
		t.Errorf("withdrawn: %+v", r)
	}
	n := c.refreshes.Load()
	wantFindings(t, w.check(id), "grant bad, push none, read unsure, sent unsure, ")
	if c.refreshes.Load() != n {
		t.Error("a dead grant is tried again")
	}
	if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: id}); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, w.check(id), "grant bad, push none, read none, sent none, ")
	_, err := w.linker.Check(t.Context(), "none")
	wantIs(t, err, linking.ErrNotFound)
}

// TestCheckAliases: what the runner found out of further addresses is shown,
// and new findings are written down at once.
func TestCheckAliases(t *testing.T) {
	w := newWorld(t)
	id := w.link("maria", marias).ID
	now := w.clock.Now()
	w.report(id, provider.Health{Aliases: []provider.AliasHealth{{Address: "ms@example.com", Proven: true, At: now}}})
	w.report(id, provider.Health{Aliases: []provider.AliasHealth{{Address: "jobs@example.com"}, {Address: "ms@example.com", Proven: true, At: now}}})
	r := w.check(id)
	wantFindings(t, r, "grant good, access good, mailbox good, push none, read none, sent none, alias bad, alias good, ")
	if len(r.Findings) != 8 {
		t.Fatal("no aliases")
	}
	bad, good := r.Findings[6], r.Findings[7]
	if bad.Address != "jobs@example.com" || bad.Diagnosis.Reason != provider.ReasonAliasLost || good.Address != "ms@example.com" || !good.At.Equal(now) {
		t.Errorf("found %+v, %+v", bad, good)
	}
	w.report(id, provider.Health{Err: &provider.Error{Kind: provider.ErrTemporary, Reason: "network"}})
	if got := w.check(id); len(got.Findings) != 8 {
		t.Errorf("a pass that failed makes the aliases forgotten: %+v", got.Findings)
	}
}

// TestCheckUnsure: what can't be told now is not held against the link.
func TestCheckUnsure(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true))
	id := w.link("maria", marias).ID
	c.before = func() error { return &provider.Error{Kind: provider.ErrTemporary, Op: "refresh", Reason: "network"} }
	r := w.check(id)
	wantFindings(t, r, "grant unsure, push none, read none, sent none, ")
	if !r.Status.Works || r.Status.Diagnosis.Reason != "" {
		t.Errorf("it is %+v", r.Status)
	}
	w.wantStory(id, "linked")
}

// TestHeldAndBack: a mailbox that its service does not serve is held, by a
// check, a refresh or the runner's word, and comes back by the same.
func TestHeldAndBack(t *testing.T) {
	full := &provider.Error{Kind: provider.ErrMailboxUnusable, Op: "send", Reason: string(provider.ReasonMailboxFull)}
	t.Run("runner", func(t *testing.T) {
		w := newWorld(t)
		id := w.link("maria", marias).ID
		for range 3 {
			w.report(id, provider.Health{Err: full})
		}
		s := w.status(id)
		if s.Status != store.LinkHeld || s.Works || s.Relink || s.Diagnosis.Reason != provider.ReasonMailboxFull || len(s.Breaks) != 0 {
			t.Errorf("held: %+v", s)
		}
		if err := w.profile(w.linker, id); err != nil {
			t.Errorf("a held link can't be tried: %v", err)
		}
		w.report(id, provider.Health{Err: &provider.Error{Kind: provider.ErrTemporary, Reason: "network"}})
		if s := w.status(id); s.Status != store.LinkHeld {
			t.Errorf("a failure that says nothing ends the hold: %+v", s)
		}
		w.report(id, provider.Health{Read: w.clock.Now(), Reading: true})
		if s := w.status(id); s.Status != store.LinkLinked || s.Diagnosis.Reason != "" {
			t.Errorf("back: %+v", s)
		}
		w.wantStory(id, "linked held linked")
	})
	t.Run("refresh", func(t *testing.T) {
		c := &counting{}
		w := newWorld(t, counted(c, true))
		id := w.link("maria", marias).ID
		c.before = func() error {
			return &provider.Error{Kind: provider.ErrMailboxUnusable, Op: "refresh", Reason: string(provider.ReasonAccountDisabled)}
		}
		for range 3 {
			w.clock.Advance(2 * time.Hour)
			wantIs(t, w.profile(w.linker, id), provider.ErrMailboxUnusable)
		}
		if s := w.status(id); s.Status != store.LinkHeld || s.Diagnosis.Reason != provider.ReasonAccountDisabled || s.Diagnosis.Mender != provider.MendAdmin {
			t.Errorf("held: %+v", s)
		}
		c.before = nil
		if err := w.profile(w.linker, id); err != nil {
			t.Fatal(err)
		}
		w.wantStory(id, "linked held linked")
	})
	t.Run("check", func(t *testing.T) {
		w := newWorld(t)
		id := w.link("maria", marias).ID
		w.prov.Inject(postoffice.Rule{Op: postoffice.OpProfile, Fault: postoffice.FaultRefuse, Kind: full.Kind, Reason: full.Reason})
		wantFindings(t, w.check(id), "grant good, access good, mailbox bad, push none, read none, sent none, ")
		wantFindings(t, w.check(id), "grant good, access good, mailbox good, push none, read none, sent none, ")
		w.wantStory(id, "linked held linked")
	})
	t.Run("a record that does not open", func(t *testing.T) {
		w := newWorld(t)
		id := w.link("maria", marias).ID
		l, err := w.mem.Tokens().Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		token := l.Token
		l.Token = []byte("spoiled")
		if l, err = w.mem.Tokens().CompareAndSwap(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		err = w.profile(w.linker, id)
		wantIs(t, err, provider.ErrApp)
		w.report(id, provider.Health{Err: err}) // as the runner does
		r := w.check(id)
		wantFindings(t, r, "grant bad, push none, read none, sent none, ")
		if s := r.Status; s.Status != store.LinkHeld || s.Diagnosis.Mender != provider.MendOperator || s.Registration.Alarm {
			t.Errorf("it is %+v", s)
		}
		if l, err = w.mem.Tokens().Get(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		l.Token = token
		if _, err = w.mem.Tokens().CompareAndSwap(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		w.check(id)
		w.wantStory(id, "linked held linked")
	})
}

// TestRenamed: an address is display. A mailbox under a new one is the same
// link, and what it had is still known.
func TestRenamed(t *testing.T) {
	w := newWorld(t)
	id := w.link("maria", marias).ID
	const now = "maria.santos@agency.example.com"
	rename := &renaming{Provider: w.prov, address: now}
	w.cfg.Providers = []provider.Provider{rename}
	w.linker = w.newLinker()
	done, err := w.complete("maria", w.visit(begin("maria"), marias, provider.AccessReplies))
	if err != nil || done.Link.ID != id || !done.Relinked || done.Link.Address != now {
		t.Fatalf("linked again as %+v, %v", done, err)
	}
	opened, err := w.linker.Open(t.Context(), id)
	if err != nil || !opened.Account.Owns(marias) || !opened.Account.Owns(now) || opened.Account.Address != now {
		t.Errorf("opened as %+v, %v", opened.Account, err)
	}
	_, err = w.complete("tom", w.visit(begin("tom"), marias, provider.AccessReplies))
	wantIs(t, err, linking.ErrOwned)
	w.check(id) // the profile says the address of before
	if l, err := w.linker.Get(t.Context(), id); err != nil || l.Address != marias {
		t.Errorf("after a check it is %+v, %v", l, err)
	}
}

// renaming is a service where the mailbox has another address now.
type renaming struct {
	provider.Provider
	address string
}

func (r *renaming) Exchange(ctx context.Context, cb provider.Callback) (provider.Grant, error) {
	g, err := r.Provider.Exchange(ctx, cb)
	g.Identity.Address = r.address
	return g, err
}

// TestReportsAreFewWrites: a pass that brings no news writes nothing, and
// what is shown is right to the hour.
func TestReportsAreFewWrites(t *testing.T) {
	w := newWorld(t)
	s := &writes{TokenStore: w.mem.Tokens()}
	w.cfg.Links = s
	w.linker = w.newLinker()
	id := w.link("maria", marias).ID
	s.n.Store(0)
	for range 12 * 24 { // a day of reads every five minutes
		w.clock.Advance(5 * time.Minute)
		w.report(id, provider.Health{Read: w.clock.Now(), Reading: true})
	}
	if n := s.n.Load(); n > 25 {
		t.Errorf("%d writes for a day of reads", n)
	}
	if st := w.status(id); w.clock.Now().Sub(st.Read) > time.Hour || !st.Reading {
		t.Errorf("read %s", st.Read)
	}
}

// TestSilence is noticed once, ends once, and only where somebody's answer is
// waited for.
func TestSilence(t *testing.T) {
	w := newWorld(t)
	id, idle := w.link("maria", marias).ID, w.link("tom", toms).ID
	w.report(id, provider.Health{Read: w.clock.Now(), Reading: true})
	w.report(idle, provider.Health{Read: w.clock.Now()})
	all := func() linking.CheckedAll {
		t.Helper()
		out, err := w.linker.CheckAll(t.Context(), linking.CheckAllParams{Every: 1000 * time.Hour})
		if err != nil || !out.Done || out.Seen != 2 {
			t.Fatalf("checked %+v, %v", out, err)
		}
		return out
	}
	w.clock.Advance(23 * time.Hour)
	if out := all(); out.Silent != 0 {
		t.Errorf("silent before the limit: %+v", out)
	}
	w.clock.Advance(2 * time.Hour)
	if out := all(); out.Silent != 1 {
		t.Errorf("not noticed: %+v", out)
	}
	w.report(id, provider.Health{Reading: true, Err: &provider.Error{Kind: provider.ErrTemporary, Reason: "network"}})
	w.clock.Advance(30 * time.Hour)
	if out := all(); out.Silent != 0 {
		t.Errorf("noticed again: %+v", out)
	}
	w.wantStory(id, "linked silent")
	if s := w.status(id); s.Diagnosis.Reason != provider.ReasonSilent || !s.Works || s.Status != store.LinkLinked {
		t.Errorf("silent: %+v", s)
	}
	w.report(id, provider.Health{Read: w.clock.Now(), Reading: true})
	w.wantStory(id, "linked silent heard")
	w.clock.Advance(30 * time.Hour)
	all()
	w.wantStory(id, "linked silent heard silent")
	w.wantStory(idle, "linked")
}

// TestCheckAllSpreads: a day's checks lie apart, each link has one, and many
// processes don't ask twice.
func TestCheckAllSpreads(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true))
	var ids []string
	const links = 48
	for i := range links {
		addr := fmt.Sprintf("user%d@agency.example.com", i)
		if _, err := w.office.AddMailbox(postoffice.MailboxConfig{Address: addr}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, w.link(fmt.Sprintf("owner%d", i), addr).ID)
	}
	linkers := []*linking.Linker{w.linker, w.newLinker(), w.newLinker()}
	most, total := int32(0), int32(0)
	for range 2 * 24 { // half hours: a day
		w.clock.Advance(30 * time.Minute)
		was := c.refreshes.Load()
		var wg sync.WaitGroup
		for _, l := range linkers {
			wg.Go(func() {
				if _, err := l.CheckAll(t.Context(), linking.CheckAllParams{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		n := c.refreshes.Load() - was
		most, total = max(most, n), total+n
	}
	if total != links {
		t.Errorf("%d checks of %d links in a day", total, links)
	}
	if most > links/4 {
		t.Errorf("%d of %d checks in one half hour", most, links)
	}
	slices.Sort(ids)
	w.clock.Advance(day)
	out, err := w.linker.CheckAll(t.Context(), linking.CheckAllParams{Max: 10})
	if err != nil || out.Done || out.Checked != 10 || out.Last != ids[9] {
		t.Fatalf("a bounded call: %+v, %v", out, err)
	}
	out, err = w.linker.CheckAll(t.Context(), linking.CheckAllParams{After: out.Last})
	if err != nil || !out.Done || out.Checked != links-10 {
		t.Errorf("the rest: %+v, %v", out, err)
	}
}

// TestCheckAllPaces waits between two requests, and stops when it is told to.
func TestCheckAllPaces(t *testing.T) {
	w := newWorld(t)
	w.link("maria", marias)
	w.link("tom", toms)
	var waits []time.Duration
	w.cfg.Wait = func(_ context.Context, d time.Duration) error {
		waits = append(waits, d)
		return nil
	}
	w.linker = w.newLinker()
	w.clock.Advance(2 * day)
	if out, err := w.linker.CheckAll(t.Context(), linking.CheckAllParams{PerMinute: 6}); err != nil || out.Checked != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	if len(waits) != 1 || waits[0] != 10*time.Second {
		t.Errorf("the waits are %v", waits)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.linker.CheckAll(ctx, linking.CheckAllParams{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	for field, p := range map[string]linking.CheckAllParams{"Every": {Every: time.Minute}, "PerMinute": {PerMinute: -1}, "Max": {Max: -1}} {
		if _, err := w.linker.CheckAll(t.Context(), p); !errors.Is(err, provider.ErrInvalid) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestCheckAllGoesOn: a link that can't be read doesn't stop the others.
func TestCheckAllGoesOn(t *testing.T) {
	w := newWorld(t)
	ids := []string{w.link("maria", marias).ID, w.link("tom", toms).ID}
	slices.Sort(ids)
	l, err := w.mem.Tokens().Get(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	l.Data = []byte("spoiled")
	if _, err := w.mem.Tokens().CompareAndSwap(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * day)
	out, err := w.linker.CheckAll(t.Context(), linking.CheckAllParams{})
	if err == nil || !out.Done || out.Checked != 1 || out.Failed != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}
