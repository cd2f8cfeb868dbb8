package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// TestSealedDamage has records that do not open: only their own enrollments
// are set aside, and come back once they open.
func TestSealedDamage(t *testing.T) { onEachStore(t, testSealedDamage) }

func testSealedDamage(t *testing.T, on storage) {
	var log bytes.Buffer
	w := newWorld(t, on, sealedBy(ring(t, 1)), func(c *runner.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	for _, name := range []string{"changed", "moved", "lost", "fine"} {
		w.person(name + "@example.net")
	}
	changed, moved, lost, fine := w.enroll("changed@example.net").ID, w.enroll("moved@example.net").ID, w.enroll("lost@example.net").ID, w.enroll("fine@example.net").ID
	was := map[string][]byte{changed: w.row(changed).Data, moved: w.row(moved).Data, lost: w.row(lost).Data}
	w.setData(changed, flip(was[changed]))
	w.setData(moved, w.row(fine).Data)
	other, err := seal.Box{Sealer: ring(t, 9)}.Seal([]byte(`{}`), "enrollment "+lost)
	if err != nil {
		t.Fatal(err)
	}
	w.setData(lost, other)
	w.pass(day)
	w.want(fine, runner.StatusActive, 1)
	for id, reason := range map[string]seal.Error{changed: seal.ErrTampered, moved: seal.ErrMoved, lost: seal.ErrUnknownKey} {
		if row := w.row(id); !row.Flagged || !row.Due.IsZero() || row.Status != string(runner.StatusHeld) {
			t.Errorf("%s was not set aside: %+v", id, row)
		}
		if !strings.Contains(log.String(), string(reason)) || !strings.Contains(log.String(), "enrollment "+id+" does not open") {
			t.Errorf("the log does not say of %s that %s:\n%s", id, reason, log.String())
		}
		if w.events.kinds(id) != "enrolled flagged" {
			t.Errorf("told of %s: %s", id, w.events.kinds(id))
		}
	}
	for _, s := range append(secrets, "@example.net") {
		if strings.Contains(log.String(), s) {
			t.Errorf("the log tells %q", s)
		}
	}
	for id, data := range was {
		w.setData(id, data)
		if _, err := w.run.Resume(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	w.pass(9 * day)
	for _, id := range []string{changed, moved, lost, fine} {
		w.want(id, runner.StatusCompleted, 3)
	}
	w.sound()
}

// TestSealedIntents has intents that do not open, where the mail is to be
// sent again, and where it is to be looked up.
func TestSealedIntents(t *testing.T) { onEachStore(t, testSealedIntents) }

func testSealedIntents(t *testing.T, on storage) {
	for name, c := range map[string]struct {
		fault postoffice.Fault
		warp  func(*store.Intent)
	}{
		"raw":   {postoffice.FaultLoseBefore, func(in *store.Intent) { in.Raw = flip(in.Raw) }},
		"meta":  {postoffice.FaultLoseBefore, func(in *store.Intent) { in.Meta = flip(in.Meta) }},
		"other": {postoffice.FaultLoseBefore, func(in *store.Intent) { in.Raw = in.Meta }},
		"open":  {postoffice.FaultLoseAfter, func(in *store.Intent) { in.Meta = flip(in.Meta) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, on, sealedBy(ring(t, 1)))
			s := &reading{EnrollmentStore: w.store}
			w.cfg.Store = s
			w.run = w.runner()
			w.proven()
			w.person("grace@example.net")
			w.person("fine@example.net")
			w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: c.fault})
			id := w.enroll("grace@example.net").ID
			w.tick()
			s.intent = func(in *store.Intent) {
				if in.Enrollment == id {
					c.warp(in)
				}
			}
			fine := w.enroll("fine@example.net").ID
			w.pass(day)
			w.want(fine, runner.StatusActive, 1)
			if row := w.row(id); !row.Flagged || !row.Due.IsZero() || row.Status != string(runner.StatusHeld) {
				t.Errorf("it was not set aside: due %v, %s, version %d", row.Due, row.Status, row.Version)
			}
			s.intent = nil
			if _, err := w.run.Resume(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			w.pass(10 * day)
			w.want(id, runner.StatusCompleted, 3)
			w.sound()
		})
	}
}

// TestSealedOutboxRow: a row that does not open is named, and told again.
func TestSealedOutboxRow(t *testing.T) { onEachStore(t, testSealedOutboxRow) }

func testSealedOutboxRow(t *testing.T, on storage) {
	w := newWorld(t, on, sealedBy(ring(t, 1)))
	s := &reading{EnrollmentStore: w.store, event: func(ev *store.Event) {
		if ev.Kind == "entry" {
			ev.Data = flip(ev.Data)
		}
	}}
	w.cfg.Store = s
	w.run = w.runner()
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	_, err := w.run.Tick(t.Context())
	wantIs(t, err, seal.ErrTampered)
	if !strings.Contains(fmt.Sprint(err), "outbox entry/"+id) {
		t.Errorf("%v does not name the row", err)
	}
	s.event = nil
	w.tick()
	if got := directions(w.conversation(id)); got != "out" {
		t.Errorf("the conversation is %q", got)
	}
}

// keyService is a Sealer whose keys are behind a network.
type keyService struct {
	seal.Sealer
	down bool
}

type keysDown struct{}

func (keysDown) Error() string   { return "the key service answers 503" }
func (keysDown) Temporary() bool { return true }

func (k *keyService) Encrypt(p, ad []byte) ([]byte, error) {
	if k.down {
		return nil, keysDown{}
	}
	return k.Sealer.Encrypt(p, ad)
}

func (k *keyService) Decrypt(c, ad []byte) ([]byte, error) {
	if k.down {
		return nil, keysDown{}
	}
	return k.Sealer.Decrypt(c, ad)
}

// TestSealedKeyServiceDown has the key service go down while nothing
// happens, and between a send and the storing of what became of it. Nothing
// is set aside, and nothing is sent twice.
func TestSealedKeyServiceDown(t *testing.T) { onEachStore(t, testSealedKeyServiceDown) }

func testSealedKeyServiceDown(t *testing.T, on storage) {
	for _, during := range []bool{false, true} {
		keys := &keyService{Sealer: ring(t, 1)}
		w := newWorld(t, on, sealedBy(keys))
		w.proven()
		w.person("grace@example.net")
		id := w.enroll("grace@example.net").ID
		if during {
			w.open.wrap = func(mb provider.Mailbox) provider.Mailbox { return &unplugs{Mailbox: mb, keys: keys} }
		} else {
			keys.down = true
		}
		_, err := w.run.Tick(t.Context())
		wantIs(t, err, keysDown{})
		if row := w.row(id); row.Flagged || row.Status != string(runner.StatusActive) {
			t.Errorf("it was set aside: %+v", row)
		}
		w.clock.Advance(time.Hour)
		if _, err := w.run.Tick(t.Context()); !errors.Is(err, keysDown{}) {
			t.Errorf("still down: %v", err)
		}
		keys.down, w.open.wrap = false, nil
		w.pass(10 * day)
		w.want(id, runner.StatusCompleted, 3)
		w.sound()
	}
}

// unplugs takes the key service down with a send.
type unplugs struct {
	provider.Mailbox
	keys *keyService
}

func (u *unplugs) Send(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
	r, err := u.Mailbox.Send(ctx, out)
	u.keys.down = true
	return r, err
}
