package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

func ring(t *testing.T, ids ...uint32) *seal.KeyRing {
	t.Helper()
	var p seal.KeyRingParams
	for _, id := range ids {
		p.Keys = append(p.Keys, seal.Key{ID: id, Secret: bytes.Repeat([]byte{byte(id), byte(id) + 1}, 16)})
	}
	r, err := seal.NewKeyRing(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sealedBy is a change of the world's runner.
func sealedBy(s seal.Sealer) func(*runner.Config) { return func(c *runner.Config) { c.Sealer = s } }

// with goes on with another process, of another Sealer.
func (w *world) with(s seal.Sealer, change ...func(*runner.Config)) {
	w.t.Helper()
	w.cfg.Sealer = s
	for _, f := range change {
		f(&w.cfg)
	}
	w.run = w.runner()
}

// reading sees all that goes into a store, and changes what comes out of it.
type reading struct {
	store.EnrollmentStore
	in     func(store.Batch)
	intent func(*store.Intent)
	event  func(*store.Event)
}

func (r *reading) Commit(ctx context.Context, b store.Batch) error {
	if r.in != nil {
		r.in(b)
	}
	return r.EnrollmentStore.Commit(ctx, b)
}

func (r *reading) Claim(ctx context.Context, p store.ClaimParams) ([]store.Claim, error) {
	claims, err := r.EnrollmentStore.Claim(ctx, p)
	for _, c := range claims {
		r.each(c.Open)
	}
	return claims, err
}

func (r *reading) LoadIntents(ctx context.Context, id string) ([]store.Intent, error) {
	list, err := r.EnrollmentStore.LoadIntents(ctx, id)
	r.each(list)
	return list, err
}

func (r *reading) each(list []store.Intent) {
	for i := range list {
		if r.intent != nil {
			r.intent(&list[i])
		}
	}
}

func (r *reading) Outbox(ctx context.Context, n int) ([]store.Event, error) {
	rows, err := r.EnrollmentStore.Outbox(ctx, n)
	for i := range rows {
		if r.event != nil {
			r.event(&rows[i])
		}
	}
	return rows, err
}

// flip changes the last byte.
func flip(b []byte) []byte {
	b = slices.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

func (w *world) row(id string) store.Enrollment {
	w.t.Helper()
	rows, err := w.mem.Enrollments().Load(w.t.Context(), []string{id})
	if err != nil || len(rows) != 1 {
		w.t.Fatalf("load %s: %d rows, %v", id, len(rows), err)
	}
	return rows[0]
}

// setData writes other bytes in the place of an enrollment's.
func (w *world) setData(id string, data []byte) {
	w.t.Helper()
	row := w.row(id)
	row.Data = data
	if err := w.mem.Enrollments().Commit(w.t.Context(), store.Batch{Enrollments: []store.Enrollment{row}}); err != nil {
		w.t.Fatal(err)
	}
}

// secrets are what must not lie open: the words, their data, the recipient's
// name and what the recipient writes.
var secrets = []string{"A role in Lisbon", "I saw your work", "Did you see my mail", "Hopper", "a salary of", "postoffice answers"}

// TestSealedNothingOpen goes through a drip with an answer, and a single
// mail, and finds nothing of them in what was stored at any time.
func TestSealedNothingOpen(t *testing.T) {
	for name, sealer := range map[string]seal.Sealer{"sealed": ring(t, 1), "plain": nil} {
		t.Run(name, func(t *testing.T) {
			found := make(map[string]bool)
			look := func(where string, data []byte) {
				for _, s := range secrets {
					if bytes.Contains(data, []byte(s)) {
						found[where] = true
					}
				}
			}
			w := newWorld(t, sealedBy(sealer))
			w.cfg.Store = &reading{EnrollmentStore: w.mem.Enrollments(), in: func(b store.Batch) {
				for _, e := range b.Enrollments {
					look("enrollment", e.Data)
					look("state", e.State)
				}
				for _, in := range b.Intents {
					look("raw", in.Raw)
					look("meta", in.Meta)
				}
				for _, ev := range b.Outbox {
					look("outbox "+ev.Kind, ev.Data)
				}
				if b.Mailbox != nil {
					look("mailbox", b.Mailbox.Data)
				}
			}}
			w.run = w.runner()
			w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: time.Hour, Text: "postoffice answers"})
			w.person("alan@example.net")
			id := w.enroll("grace@example.net", func(p *runner.EnrollParams) {
				p.Recipient.Name, p.Data = "Grace Hopper", map[string]string{"offer": "a salary of 100"}
			}).ID
			mail, err := w.run.Send(t.Context(), runner.SendParams{Key: "m", Link: link, To: provider.Address{Name: "Hopper", Addr: "alan@example.net"}, Subject: "A role in Lisbon", Text: "I saw your work"})
			if err != nil {
				t.Fatal(err)
			}
			w.pass(6 * day)
			w.want(id, runner.StatusReplied, 2)
			w.want(mail.ID, runner.StatusCompleted, 1)
			if got := directions(w.conversation(id)); got != "out out in(human)" {
				t.Errorf("the conversation is %s", got)
			}
			// And what lies there now.
			mem := w.mem.Enrollments()
			for _, id := range []string{id, mail.ID} {
				look("enrollment", w.row(id).Data)
				intents, err := mem.LoadIntents(t.Context(), id)
				if err != nil || len(intents) == 0 {
					t.Fatalf("%d intents, %v", len(intents), err)
				}
				for _, in := range intents {
					look("raw", in.Raw)
					look("meta", in.Meta)
				}
			}
			want := ""
			if sealer == nil { // the test can see what is open
				want = "enrollment meta outbox entry raw"
			}
			var where []string
			for f := range found {
				where = append(where, f)
			}
			slices.Sort(where)
			if got := strings.Join(where, " "); got != want {
				t.Errorf("open in %q, want %q", got, want)
			}
		})
	}
}

// TestSealedWaitsInOutbox has the conversation log refuse, so that entries
// stay in the outbox.
func TestSealedWaitsInOutbox(t *testing.T) {
	w := newWorld(t, sealedBy(ring(t, 1)))
	w.cfg.Log = refusing{w.mem.Conversations()}
	w.run = w.runner()
	w.person("grace@example.net")
	w.enroll("grace@example.net")
	if _, err := w.run.Tick(t.Context()); err == nil {
		t.Fatal("the log refused, and nobody was told")
	}
	rows, err := w.mem.Enrollments().Outbox(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	entries := 0
	for _, row := range rows {
		if strings.HasPrefix(row.Key, "entry/") {
			entries++
		}
		for _, s := range secrets {
			if bytes.Contains(row.Data, []byte(s)) {
				t.Errorf("row %s is open", row.Key)
			}
		}
	}
	if entries != 1 {
		t.Errorf("%d entries wait", entries)
	}
}

type refusing struct{ store.ConversationLog }

func (refusing) Append(context.Context, []store.Entry) error { return errors.New("the log is full") }

// TestSealedRotation changes keys in the middle of a drip.
func TestSealedRotation(t *testing.T) {
	w := newWorld(t, sealedBy(ring(t, 1)))
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	w.with(ring(t, 1, 2))
	w.pass(3 * day)
	w.with(ring(t, 2, 1))
	w.pass(6 * day)
	w.want(id, runner.StatusCompleted, 3)
	w.with(ring(t, 2))
	w.want(id, runner.StatusCompleted, 3)
	if !(seal.Box{Sealer: ring(t, 2)}).Current(w.row(id).Data) {
		t.Error("the enrollment is not sealed by the newest key")
	}
	w.sound()
}

// TestReseal rewrites what an older key sealed, and what was plain, and
// leaves what does not open.
func TestReseal(t *testing.T) {
	w := newWorld(t)
	w.person("grace@example.net")
	w.person("alan@example.net")
	plain := w.enroll("grace@example.net").ID
	w.with(ring(t, 1))
	old, damaged := w.enroll("alan@example.net").ID, w.enroll("ada@example.net").ID
	was := w.row(damaged).Data
	w.setData(damaged, flip(was))
	w.with(ring(t, 2, 1), func(c *runner.Config) { c.Options.ReadPlain = true })
	before := w.row(old)
	got, err := w.run.Reseal(t.Context(), runner.ResealParams{})
	wantIs(t, err, seal.ErrTampered)
	if got.Sealed != 2 || got.Current != 0 || got.Failed != 1 || !strings.Contains(fmt.Sprint(err), damaged) {
		t.Errorf("%+v, %v", got, err)
	}
	after := w.row(old)
	before.Data, before.Version, after.Data = nil, before.Version+1, nil
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("more was changed than the data: %+v was %+v", after, before)
	}
	w.setData(damaged, was)
	if got, err = w.run.Reseal(t.Context(), runner.ResealParams{}); err != nil || got.Sealed != 1 || got.Current != 2 {
		t.Errorf("again: %+v, %v", got, err)
	}
	w.with(ring(t, 2), func(c *runner.Config) { c.Options.ReadPlain = false })
	w.pass(9 * day)
	for _, id := range []string{plain, old} {
		w.want(id, runner.StatusCompleted, 3)
	}
	if got, err = w.run.Reseal(t.Context(), runner.ResealParams{After: got.Last}); err != nil || got.Sealed+got.Current != 0 {
		t.Errorf("after the last: %+v, %v", got, err)
	}
	w.with(nil)
	_, err = w.run.Reseal(t.Context(), runner.ResealParams{})
	wantIs(t, err, provider.ErrInvalid)
	w.sound()
}

// TestSealedOverPlainRows switches sealing on while a drip is under way.
func TestSealedOverPlainRows(t *testing.T) {
	w := newWorld(t)
	w.proven()
	w.person("grace@example.net")
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: postoffice.FaultLoseBefore})
	id := w.enroll("grace@example.net").ID
	w.tick() // an intent whose mail did not leave is there, too
	w.clock.Advance(time.Hour)
	before := w.row(id)
	w.with(ring(t, 1))
	_, err := w.run.Tick(t.Context())
	wantIs(t, err, seal.ErrPlain)
	_, err = w.run.Get(t.Context(), id)
	wantIs(t, err, seal.ErrPlain)
	if after := w.row(id); after.Version != before.Version || after.Flagged {
		t.Errorf("a plain row was changed: %+v", after)
	}
	w.with(ring(t, 1), func(c *runner.Config) { c.Options.ReadPlain = true })
	w.pass(9 * day)
	w.want(id, runner.StatusCompleted, 3)
	w.with(ring(t, 1), func(c *runner.Config) { c.Options.ReadPlain = false })
	w.want(id, runner.StatusCompleted, 3)
	w.with(nil)
	_, err = w.run.Get(t.Context(), id)
	wantIs(t, err, seal.ErrSealed)
	w.sound()
}

// TestSealedDamage has records that do not open: only their own enrollments
// are set aside, and come back once they open.
func TestSealedDamage(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, sealedBy(ring(t, 1)), func(c *runner.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
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
		if row := w.row(id); !row.Flagged || !row.Due.IsZero() || row.Status != runner.StatusHeld {
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
func TestSealedIntents(t *testing.T) {
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
			w := newWorld(t, sealedBy(ring(t, 1)))
			s := &reading{EnrollmentStore: w.mem.Enrollments()}
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
			if row := w.row(id); !row.Flagged || !row.Due.IsZero() || row.Status != runner.StatusHeld {
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
func TestSealedOutboxRow(t *testing.T) {
	w := newWorld(t, sealedBy(ring(t, 1)))
	s := &reading{EnrollmentStore: w.mem.Enrollments(), event: func(ev *store.Event) {
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
func TestSealedKeyServiceDown(t *testing.T) {
	for _, during := range []bool{false, true} {
		keys := &keyService{Sealer: ring(t, 1)}
		w := newWorld(t, sealedBy(keys))
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
		if row := w.row(id); row.Flagged || row.Status != runner.StatusActive {
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
