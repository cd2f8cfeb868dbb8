package runner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

func (w *world) intents(id string) []store.Intent {
	w.t.Helper()
	list, err := w.store.LoadIntents(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// setIntent writes other bytes in the place of a mail's.
func (w *world) setIntent(in store.Intent) {
	w.t.Helper()
	if err := w.store.Commit(w.t.Context(), store.Batch{Rewrites: []store.Rewrite{{Intent: in.ID, Raw: in.Raw, Meta: in.Meta}}}); err != nil {
		w.t.Fatal(err)
	}
}

// TestResealMails rewrites mails of every kind, and the old key is needed for
// nothing: one whose outcome is unknown, one that has to leave again, one that
// has left and whose copy is still to be seen, and the entry of one that waits
// in the outbox.
func TestResealMails(t *testing.T) { onEachStore(t, testResealMails) }

func testResealMails(t *testing.T, on storage) {
	for name, before := range map[string]func(*world){
		"unknown": func(w *world) {
			w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: postoffice.FaultLoseAfter})
		},
		"not sent": func(w *world) {
			w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: postoffice.FaultLoseBefore})
		},
		"unseen": func(w *world) { w.box.SetDelays(postoffice.Delays{SentCopy: 30 * time.Minute}) },
		"outbox": func(w *world) { w.cfg.Log = refusing{w.log} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, on, sealedBy(ring(t, 1)))
			w.proven()
			before(w)
			w.run = w.runner()
			w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: time.Hour})
			id := w.enroll("grace@example.net").ID
			if _, err := w.run.Tick(t.Context()); err != nil && name != "outbox" {
				t.Fatal(err)
			}
			if list := w.intents(id); len(list) != 1 || (name == "unknown" || name == "not sent") != (list[0].State == store.IntentOpen) {
				t.Fatalf("the mails are %+v", list)
			}
			w.with(ring(t, 2, 1), func(c *runner.Config) { c.Log = w.log })
			was := w.intents(id)[0]
			got, err := w.run.Reseal(t.Context(), runner.ResealParams{})
			if err != nil || got.Failed > 0 || got.Sealed < 2 {
				t.Errorf("%+v, %v", got, err)
			}
			now := w.intents(id)[0]
			for _, data := range [][]byte{now.Raw, now.Meta} {
				if !(seal.Box{Sealer: ring(t, 2)}).Current(data) {
					t.Error("a mail is not sealed by the newest key")
				}
			}
			was.Raw, was.Meta, now.Raw, now.Meta = nil, nil, nil, nil
			if fmt.Sprint(was) != fmt.Sprint(now) {
				t.Errorf("more was changed than the bytes: %+v was %+v", now, was)
			}
			if again, err := w.run.Reseal(t.Context(), runner.ResealParams{}); err != nil || again.Sealed > 0 || again.Current != got.Sealed+got.Current {
				t.Errorf("again: %+v, %v", again, err)
			}
			w.with(ring(t, 2))
			w.pass(9 * day)
			w.want(id, runner.StatusReplied, 2)
			if got := directions(w.conversation(id)); got != "out out in(human)" {
				t.Errorf("the conversation is %s", got)
			}
			w.sound()
		})
	}
}

// TestResealDamage has mails that do not open. Each is named and left as it
// is, the rest is rewritten, and once they open again nothing was lost.
func TestResealDamage(t *testing.T) { onEachStore(t, testResealDamage) }

func testResealDamage(t *testing.T, on storage) {
	sealedOther := func(t *testing.T, what string) []byte {
		data, err := seal.Box{Sealer: ring(t, 9)}.Seal([]byte("{}"), what)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, c := range map[string]struct {
		warp func(*testing.T, *store.Intent)
		want error
	}{
		"raw changed":       {func(_ *testing.T, in *store.Intent) { in.Raw = flip(in.Raw) }, seal.ErrTampered},
		"meta changed":      {func(_ *testing.T, in *store.Intent) { in.Meta = flip(in.Meta) }, seal.ErrTampered},
		"raw of another":    {func(_ *testing.T, in *store.Intent) { in.Raw = in.Meta }, seal.ErrMoved},
		"meta of another":   {func(_ *testing.T, in *store.Intent) { in.Meta = in.Raw }, seal.ErrMoved},
		"by an unknown key": {func(t *testing.T, in *store.Intent) { in.Meta = sealedOther(t, "intent "+in.ID+" meta") }, seal.ErrUnknownKey},
		"plain":             {func(_ *testing.T, in *store.Intent) { in.Raw = []byte("Subject: plain\r\n\r\n") }, seal.ErrPlain},
		"cut":               {func(_ *testing.T, in *store.Intent) { in.Raw = in.Raw[:5] }, seal.ErrTooShort},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, on, sealedBy(ring(t, 1)))
			w.proven()
			w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: postoffice.FaultLoseBefore, Times: 2})
			w.person("grace@example.net")
			w.person("fine@example.net")
			id, fine := w.enroll("grace@example.net").ID, w.enroll("fine@example.net").ID
			w.tick()
			was := w.intents(id)[0]
			bad := was
			c.warp(t, &bad)
			w.setIntent(bad)
			w.with(ring(t, 2, 1))
			got, err := w.run.Reseal(t.Context(), runner.ResealParams{})
			wantIs(t, err, c.want)
			if name != "plain" {
				if got.Failed != 1 || !strings.Contains(fmt.Sprint(err), was.ID) {
					t.Errorf("%+v, %v", got, err)
				}
				if now := w.intents(fine); !(seal.Box{Sealer: ring(t, 2)}).Current(now[0].Raw) || !(seal.Box{Sealer: ring(t, 2)}).Current(w.row(id).Data) {
					t.Error("it stopped the others")
				}
			}
			if now := w.intents(id)[0]; string(now.Raw) != string(bad.Raw) || string(now.Meta) != string(bad.Meta) {
				t.Error("what does not open was written over")
			}
			for _, s := range append(secrets, "@example.net") {
				if strings.Contains(fmt.Sprint(err), s) {
					t.Errorf("the error tells %q", s)
				}
			}
			w.setIntent(was)
			if got, err := w.run.Reseal(t.Context(), runner.ResealParams{}); err != nil || got.Failed > 0 {
				t.Errorf("mended: %+v, %v", got, err)
			}
			w.with(ring(t, 2))
			w.pass(9 * day)
			w.want(id, runner.StatusCompleted, 3)
			w.want(fine, runner.StatusCompleted, 3)
			w.sound()
		})
	}
}

// TestResealKeyServiceDown stops where nobody can be asked, and goes on.
func TestResealKeyServiceDown(t *testing.T) { onEachStore(t, testResealKeyServiceDown) }

func testResealKeyServiceDown(t *testing.T, on storage) {
	w := newWorld(t, on, sealedBy(ring(t, 1)))
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	keys := &keyService{Sealer: ring(t, 2, 1), down: true}
	w.with(keys)
	before := w.intents(id)[0]
	if _, err := w.run.Reseal(t.Context(), runner.ResealParams{}); !errors.Is(err, keysDown{}) {
		t.Errorf("the error is %v", err)
	}
	if now := w.intents(id)[0]; string(now.Raw) != string(before.Raw) {
		t.Error("something was rewritten")
	}
	keys.down = false
	if got, err := w.run.Reseal(t.Context(), runner.ResealParams{}); err != nil || got.Sealed == 0 {
		t.Errorf("%+v, %v", got, err)
	}
	w.with(ring(t, 2))
	w.pass(9 * day)
	w.want(id, runner.StatusCompleted, 3)
}

// meddling does something before the first commit of rewrites.
type meddling struct {
	store.EnrollmentStore
	first func()
}

func (m *meddling) Commit(ctx context.Context, b store.Batch) error {
	if len(b.Rewrites) > 0 && m.first != nil {
		first := m.first
		m.first = nil
		first()
	}
	return m.EnrollmentStore.Commit(ctx, b)
}

// TestResealBesideOthers: who is worked on, or erased, while Reseal is at it.
func TestResealBesideOthers(t *testing.T) { onEachStore(t, testResealBesideOthers) }

func testResealBesideOthers(t *testing.T, on storage) {
	w := newWorld(t, on, sealedBy(ring(t, 1)))
	w.proven()
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: postoffice.FaultLoseAfter})
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	other := w.runner()
	w.clock.Advance(2 * time.Hour)
	s := &meddling{EnrollmentStore: w.store, first: func() {
		if _, err := other.Tick(t.Context()); err != nil { // finds that it had left
			t.Error(err)
		}
	}}
	w.cfg.Store = s
	w.with(ring(t, 2, 1))
	if got, err := w.run.Reseal(t.Context(), runner.ResealParams{}); err != nil || got.Failed > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if in := w.intents(id)[0]; in.State != store.IntentSent || !(seal.Box{Sealer: ring(t, 2)}).Current(in.Meta) {
		t.Errorf("the mail is %s", in.State)
	}
	w.with(ring(t, 3, 2))
	s.first = func() {
		if _, err := w.run.Erase(t.Context(), provider.Normalize("grace@example.net")); err != nil {
			t.Error(err)
		}
	}
	if got, err := w.run.Reseal(t.Context(), runner.ResealParams{}); err != nil || got.Failed > 0 || s.first != nil {
		t.Errorf("erased meanwhile: %+v, %v", got, err)
	}
	if list := w.intents(id); len(list) > 0 {
		t.Errorf("the erased is back: %+v", list)
	}
}
