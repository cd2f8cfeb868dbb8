package linking_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

func (w *world) delegate(link linking.Link, actor string, d time.Duration) linking.Delegation {
	w.t.Helper()
	out, err := w.linker.Delegate(w.t.Context(), linking.DelegateParams{Owner: link.Owner, Link: link.ID, Actor: actor, Until: w.clock.Now().Add(d)})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) undelegate(link linking.Link, actor string) {
	w.t.Helper()
	if err := w.linker.Undelegate(w.t.Context(), linking.UndelegateParams{Owner: link.Owner, Link: link.ID, Actor: actor}); err != nil {
		w.t.Fatal(err)
	}
}

// may asks all that tell who may send, and holds that they agree.
func (w *world) may(actor string, link linking.Link) bool {
	w.t.Helper()
	may, err := w.linker.MayAct(w.t.Context(), actor, provider.Linked{Link: link.ID, Owner: link.Owner})
	if err != nil {
		w.t.Fatal(err)
	}
	if actor == link.Owner || actor == "" {
		return may
	}
	to, err := w.linker.DelegatedTo(w.t.Context(), actor)
	if err != nil {
		w.t.Fatal(err)
	}
	if got := slices.ContainsFunc(to, func(d linking.Delegation) bool { return d.Link == link.ID }); got != may {
		w.t.Errorf("MayAct says %v and DelegatedTo %v", may, to)
	}
	list, err := w.linker.Delegations(w.t.Context(), link.Owner, link.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	if got := slices.ContainsFunc(list, func(d linking.Delegation) bool { return d.Actor == actor }); got != may {
		w.t.Errorf("MayAct says %v and Delegations %v", may, list)
	}
	return may
}

func TestDelegate(t *testing.T) {
	w := newWorld(t)
	link := w.link("maria", marias)
	if !w.may("maria", link) || w.may("tom", link) || w.may("", link) {
		t.Error("somebody but the owner may send, or the owner may not")
	}
	d := w.delegate(link, "tom", 24*time.Hour)
	if d.Owner != "maria" || d.Actor != "tom" || d.Address != marias || !d.Until.Equal(w.clock.Now().Add(24*time.Hour)) || !d.Since.Equal(w.clock.Now()) {
		t.Errorf("%+v", d)
	}
	if !w.may("tom", link) || w.may("eve", link) {
		t.Error("not Tom alone may send")
	}
	// Not in the name of another owner, were a host to mix them up.
	if may, err := w.linker.MayAct(t.Context(), "tom", provider.Linked{Link: link.ID, Owner: "sue"}); may || err != nil {
		t.Errorf("%v, %v", may, err)
	}

	// Another end keeps the beginning.
	w.clock.Advance(time.Hour)
	if again := w.delegate(link, "tom", 48*time.Hour); !again.Since.Equal(d.Since) || !again.Until.Equal(d.Until.Add(25*time.Hour)) {
		t.Errorf("%+v after %+v", again, d)
	}
	w.clock.Advance(48*time.Hour - time.Nanosecond)
	if !w.may("tom", link) {
		t.Error("it ended before its time")
	}
	w.clock.Advance(time.Nanosecond)
	if w.may("tom", link) {
		t.Error("it did not end in time")
	}
	w.delegate(link, "tom", time.Hour)
	w.undelegate(link, "tom")
	w.undelegate(link, "tom")
	if w.may("tom", link) {
		t.Error("a withdrawn delegation still counts")
	}

	// Only the owner gives, sees and withdraws.
	_, err := w.linker.Delegate(t.Context(), linking.DelegateParams{Owner: "tom", Link: link.ID, Actor: "eve", Until: w.clock.Now().Add(time.Hour)})
	wantIs(t, err, linking.ErrNotFound)
	_, err = w.linker.Delegations(t.Context(), "tom", link.ID)
	wantIs(t, err, linking.ErrNotFound)
	wantIs(t, w.linker.Undelegate(t.Context(), linking.UndelegateParams{Owner: "tom", Link: link.ID, Actor: "tom"}), linking.ErrNotFound)

	history, err := w.linker.History(t.Context(), link.ID)
	var told []string
	for _, c := range history {
		if c.Actor != "" {
			told = append(told, string(c.Kind)+" "+c.Actor)
			if c.Link.Owner != "maria" || (c.Kind == linking.ChangeDelegated) == c.Until.IsZero() || c.Status != store.LinkLinked {
				t.Errorf("%+v", c)
			}
		}
	}
	if want := "delegated tom, delegated tom, delegated tom, undelegated tom"; err != nil || strings.Join(told, ", ") != want {
		t.Errorf("the history tells %v, want %s; %v", told, want, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.changes); n != 5 { // the linking, and these
		t.Errorf("%d changes were told", n)
	}
}

func TestDelegateRefuses(t *testing.T) {
	w := newWorld(t)
	link := w.link("maria", marias)
	ok := linking.DelegateParams{Owner: "maria", Link: link.ID, Actor: "tom", Until: w.clock.Now().Add(time.Hour)}
	for name, change := range map[string]func(*linking.DelegateParams){
		"nobody":      func(p *linking.DelegateParams) { p.Actor = "" },
		"no text":     func(p *linking.DelegateParams) { p.Actor = "\xff" },
		"too long":    func(p *linking.DelegateParams) { p.Actor = strings.Repeat("x", 513) },
		"the owner":   func(p *linking.DelegateParams) { p.Actor = "maria" },
		"without end": func(p *linking.DelegateParams) { p.Until = time.Time{} },
		"in the past": func(p *linking.DelegateParams) { p.Until = w.clock.Now() },
	} {
		p := ok
		change(&p)
		_, err := w.linker.Delegate(t.Context(), p)
		if t.Logf("%s: %v", name, err); err == nil {
			t.Errorf("%s: taken", name)
		}
		wantIs(t, err, provider.ErrInvalid)
	}
	// The number of colleagues is bounded, and whose time is over don't count.
	for i := range 200 {
		w.delegate(link, fmt.Sprintf("colleague-%03d", i), time.Duration(i+1)*time.Minute)
	}
	_, err := w.linker.Delegate(t.Context(), ok)
	wantIs(t, err, provider.ErrInvalid)
	w.clock.Advance(time.Minute)
	if _, err := w.linker.Delegate(t.Context(), ok); err != nil {
		t.Error(err)
	}
	if list, err := w.linker.Delegations(t.Context(), "maria", link.ID); err != nil || len(list) != 200 || list[0].Actor != "colleague-001" {
		t.Errorf("%d delegations, %v", len(list), err)
	}
}

// TestDelegationLivesWithItsLink holds that it outlives relinking, ends with
// the link, and is nothing to whoever links the mailbox next.
func TestDelegationLivesWithItsLink(t *testing.T) {
	w := newWorld(t)
	link := w.link("maria", marias)
	w.delegate(link, "tom", 1000*time.Hour)
	w.prov.Withdraw(marias)
	if _, err := w.linker.Check(t.Context(), link.ID); err != nil {
		t.Fatal(err)
	}
	if s, err := w.linker.Status(t.Context(), link.ID); err != nil || s.Status != store.LinkNeedsRelink || !w.may("tom", link) {
		t.Errorf("%+v, %v", s, err)
	}
	p := begin("maria")
	p.Relink = link.ID
	if done, err := w.complete("maria", w.visit(p, marias, provider.AccessReplies)); err != nil || done.Link.ID != link.ID {
		t.Fatalf("%+v, %v", done, err)
	}
	if !w.may("tom", link) {
		t.Error("relinking ended the delegation")
	}

	if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: link.ID}); err != nil {
		t.Fatal(err)
	}
	if w.may("tom", link) {
		t.Error("the delegation outlived its link")
	}
	_, err := w.linker.Delegate(t.Context(), linking.DelegateParams{Owner: "maria", Link: link.ID, Actor: "tom", Until: w.clock.Now().Add(time.Hour)})
	wantIs(t, err, linking.ErrNotFound)
	for _, owner := range []string{"sue", "maria"} {
		next := w.link(owner, marias)
		if w.may("tom", next) {
			t.Errorf("Tom may send from the link that %s made afterwards", owner)
		}
		if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: owner, Link: next.ID}); err != nil {
			t.Fatal(err)
		}
	}
	// The records of actors are no links of anybody's.
	for _, owner := range []string{"tom", store.KindApp} {
		if links, err := w.linker.List(t.Context(), owner); err == nil && len(links) != 0 {
			t.Errorf("%s has %v", owner, links)
		}
	}
}

// TestDelegationRaces gives and withdraws at once, in two processes, while
// the link is refreshed and checked: what the last word was counts, and no
// other is lost.
func TestDelegationRaces(t *testing.T) {
	w := newWorld(t)
	link := w.link("maria", marias)
	linkers := []*linking.Linker{w.linker, w.newLinker()}
	w.delegate(link, "leaver", time.Hour)
	until := w.clock.Now().Add(time.Hour)
	var wg sync.WaitGroup
	for i := range 8 {
		l := linkers[i%2]
		wg.Go(func() {
			if _, err := l.Delegate(t.Context(), linking.DelegateParams{Owner: "maria", Link: link.ID, Actor: fmt.Sprint("colleague-", i), Until: until}); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if err := l.Undelegate(t.Context(), linking.UndelegateParams{Owner: "maria", Link: link.ID, Actor: "leaver"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Go(func() {
		if _, err := w.linker.Check(t.Context(), link.ID); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	for i := range 8 {
		if !w.may(fmt.Sprint("colleague-", i), link) {
			t.Errorf("colleague %d was lost", i)
		}
	}
	if w.may("leaver", link) {
		t.Error("a withdrawal was lost")
	}

	// One actor, many links at once: the actor's own record keeps all.
	tom := w.link("tom", toms)
	for range 4 {
		wg.Go(func() {
			if _, err := w.linker.Delegate(t.Context(), linking.DelegateParams{Owner: "tom", Link: tom.ID, Actor: "sue", Until: until}); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if _, err := linkers[1].Delegate(t.Context(), linking.DelegateParams{Owner: "maria", Link: link.ID, Actor: "sue", Until: until}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if to, err := w.linker.DelegatedTo(t.Context(), "sue"); err != nil || len(to) != 2 {
		t.Errorf("%v, %v", to, err)
	}
}

// TestDrippingOnBehalf drives a drip over a colleague's link: refused without
// a delegation, held the moment it ends, and going on when there is another.
func TestDrippingOnBehalf(t *testing.T) {
	w := newWorld(t)
	link := w.link("maria", marias)
	run, err := runner.New(runner.Config{
		Store: w.mem.Enrollments(), Mailboxes: w.linker, MayAct: w.linker.MayAct, Log: w.mem.Conversations(), Now: w.clock.Now,
		Key: []byte("a secret of thirty-two bytes ...."), Domain: "mail.agency.example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	p := runner.EnrollParams{
		Key: "k", Link: link.ID, Actor: "tom", Recipient: provider.Address{Addr: "ada@example.net"},
		Sequence: &sequence.Sequence{ID: "s", Version: 1, Steps: []sequence.Step{{ID: 1, Subject: "A role", Text: "Hello."}, {ID: 2, Days: 2, Text: "Again."}}},
	}
	_, err = run.Enroll(t.Context(), p)
	wantIs(t, err, runner.ErrNotAllowed)
	w.delegate(link, "tom", 24*time.Hour)
	e, err := run.Enroll(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	stands := func(after time.Duration, status runner.Status, sent int, bar runner.Bar) {
		t.Helper()
		for end := w.clock.Now().Add(after); w.clock.Now().Before(end); {
			w.clock.Advance(10 * time.Minute)
			if _, err := run.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got, err := run.Get(t.Context(), e.ID)
		if err != nil || got.Status != status || got.StepsSent != sent || got.Barred != bar {
			t.Errorf("%+v, %v", got, err)
		}
	}
	stands(time.Hour, runner.StatusActive, 1, runner.BarNone)
	stands(72*time.Hour, runner.StatusHeld, 1, runner.BarActor)
	w.delegate(link, "tom", 24*time.Hour)
	stands(time.Hour, runner.StatusCompleted, 2, runner.BarNone)
	log, err := w.mem.Conversations().Conversation(t.Context(), e.ID)
	if err != nil || len(log) != 2 || log[1].Actor != "tom" || log[1].Owner != "maria" {
		t.Errorf("%+v, %v", log, err)
	}
}

// TestNamesOfActors: no registration's record can be taken for an actor's.
func TestNamesOfActors(t *testing.T) {
	w := newWorld(t)
	cfg := w.cfg
	cfg.Providers = []provider.Provider{postoffice.NewProvider(w.office, postoffice.ProviderConfig{Name: "actor/tom"})}
	if _, err := linking.New(cfg); !errors.Is(err, provider.ErrInvalid) {
		t.Errorf("a registration with an actor's name: %v", err)
	}
}
