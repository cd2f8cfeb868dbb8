package linking_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store"
)

// TestOneAlarm: a client secret that has expired is one alarm over all links
// and processes, unlinks nobody, and heals when it is mended.
func TestOneAlarm(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true))
	var ids []string
	for i := range 10 {
		addr := fmt.Sprintf("user%d@agency.example.com", i)
		if _, err := w.office.AddMailbox(postoffice.MailboxConfig{Address: addr}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, w.link(fmt.Sprintf("owner%d", i), addr).ID)
	}
	before := len(w.told())
	for round := 1; round <= 2; round++ {
		c.before = func() error {
			return &provider.Error{Kind: provider.ErrApp, Op: "refresh", Reason: string(provider.ReasonAppSecretExpired)}
		}
		w.clock.Advance(2 * time.Hour)
		linkers := []*linking.Linker{w.linker, w.newLinker(), w.newLinker()}
		var wg sync.WaitGroup
		for i, id := range ids {
			wg.Go(func() {
				err := w.profile(linkers[i%3], id)
				if !errors.Is(err, provider.ErrApp) {
					t.Errorf("the error is %v", err)
				}
				// As the runner does after the pass.
				if err := linkers[i%3].Report(t.Context(), id, provider.Health{Err: err}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, id := range ids {
			s := w.status(id)
			if s.Status != store.LinkHeld || s.Works || s.Relink || s.Link.Status != store.LinkLinked || s.Diagnosis.Reason != provider.ReasonAppSecretExpired ||
				s.Diagnosis.Mender != provider.MendOperator || !s.Registration.Alarm || !s.Since.Equal(w.clock.Now()) {
				t.Fatalf("while the app is at fault: %+v", s)
			}
		}
		told := w.told()[before:]
		if want := []string{"alarm", "alarm healed alarm"}[round-1]; path(told) != want {
			t.Fatalf("told was %q, want %q", path(told), want)
		}
		if a := told[len(told)-1]; a.Provider != w.prov.Name() || a.Link.ID != "" || a.Diagnosis.Mender != provider.MendOperator || a.ID == "" {
			t.Errorf("the alarm is %+v", a)
		}
		c.before = nil
		w.clock.Advance(time.Minute)
		for i, id := range ids {
			if err := w.profile(linkers[i%3], id); err != nil {
				t.Fatal(err)
			}
			if s := w.status(id); s.Status != store.LinkLinked || !s.Works || s.Diagnosis.Reason != "" || s.Registration.Alarm {
				t.Fatalf("mended: %+v", s)
			}
		}
	}
	if told := path(w.told()[before:]); told != "alarm healed alarm healed" {
		t.Errorf("told was %q", told)
	}
	regs, err := w.linker.Registrations(t.Context())
	if err != nil || len(regs) != 1 || regs[0].Alarm || regs[0].Provider != w.prov.Name() || regs[0].Kind != w.prov.Kind() {
		t.Errorf("the registrations are %+v, %v", regs, err)
	}
	for _, id := range ids {
		if h := path(w.history(id)); h != "linked" {
			t.Errorf("of a link is kept %q", h)
		}
	}
}

// TestAppFaultOfMailboxes: what the API refuses the app is not healed by a
// token, but by a mailbox that can be worked on.
func TestAppFaultOfMailboxes(t *testing.T) {
	w := newWorld(t)
	id := w.link("maria", marias).ID
	report := func(err error) {
		t.Helper()
		if err := w.linker.Report(t.Context(), id, provider.Health{Err: err}); err != nil {
			t.Fatal(err)
		}
	}
	switchedOff := &provider.Error{Kind: provider.ErrApp, Op: "list", Reason: "accessNotConfigured"}
	report(switchedOff)
	report(switchedOff)
	w.clock.Advance(2 * time.Hour)
	if _, err := w.linker.Check(t.Context(), id); err != nil { // gets a token, and works on the mailbox
		t.Fatal(err)
	}
	if got := path(w.told()); got != "linked alarm healed" {
		t.Errorf("told was %q", got)
	}
	report(switchedOff)
	opened, err := w.linker.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * time.Hour)
	if _, err := opened.Mailbox.Profile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := path(w.told()); got != "linked alarm healed alarm" {
		t.Errorf("a token alone: told was %q", got)
	}
	report(nil)
	if got := path(w.told()); got != "linked alarm healed alarm healed" {
		t.Errorf("told was %q", got)
	}
}

// TestRegistrationIsNoLink: the record of a registration is out of reach.
func TestRegistrationIsNoLink(t *testing.T) {
	w := newWorld(t)
	id := w.link("maria", marias).ID
	if err := w.linker.Report(t.Context(), id, provider.Health{Err: &provider.Error{Kind: provider.ErrApp, Reason: "x"}}); err != nil {
		t.Fatal(err)
	}
	app, err := w.mem.Tokens().Find(t.Context(), store.KindApp, w.prov.Name())
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.linker.Get(t.Context(), app.ID)
	wantIs(t, err, linking.ErrNotFound)
	_, err = w.linker.Open(t.Context(), app.ID)
	wantIs(t, err, provider.ErrNotFound)
	_, err = w.linker.Status(t.Context(), app.ID)
	wantIs(t, err, linking.ErrNotFound)
	wantIs(t, w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: store.KindApp, Link: app.ID}), linking.ErrNotFound)
	_, err = w.linker.List(t.Context(), store.KindApp)
	wantIs(t, err, provider.ErrInvalid)
	all, err := w.linker.CheckAll(t.Context(), linking.CheckAllParams{})
	if err != nil || all.Seen != 1 || !all.Done {
		t.Errorf("checked %+v, %v", all, err)
	}
}
