package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	rows, err := w.store.Load(w.t.Context(), []string{id})
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
	if err := w.store.Commit(w.t.Context(), store.Batch{Enrollments: []store.Enrollment{row}}); err != nil {
		w.t.Fatal(err)
	}
}

// secrets are what must not lie open: the words, their data, the recipient's
// name and what the recipient writes.
var secrets = []string{"A role in Lisbon", "I saw your work", "Did you see my mail", "Hopper", "a salary of", "postoffice answers"}

// TestSealedNothingOpen goes through a drip with an answer, and a single
// mail, and finds nothing of them in what was stored at any time.
func TestSealedNothingOpen(t *testing.T) { onEachStore(t, testSealedNothingOpen) }

func testSealedNothingOpen(t *testing.T, on storage) {
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
			w := newWorld(t, on, sealedBy(sealer))
			w.cfg.Store = &reading{EnrollmentStore: w.store, in: func(b store.Batch) {
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
			mem := w.store
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
func TestSealedWaitsInOutbox(t *testing.T) { onEachStore(t, testSealedWaitsInOutbox) }

func testSealedWaitsInOutbox(t *testing.T, on storage) {
	w := newWorld(t, on, sealedBy(ring(t, 1)))
	w.cfg.Log = refusing{w.log}
	w.run = w.runner()
	w.person("grace@example.net")
	w.enroll("grace@example.net")
	if _, err := w.run.Tick(t.Context()); err == nil {
		t.Fatal("the log refused, and nobody was told")
	}
	rows, err := w.store.Outbox(t.Context(), 100)
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
func TestSealedRotation(t *testing.T) { onEachStore(t, testSealedRotation) }

func testSealedRotation(t *testing.T, on storage) {
	w := newWorld(t, on, sealedBy(ring(t, 1)))
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
func TestReseal(t *testing.T) { onEachStore(t, testReseal) }

func testReseal(t *testing.T, on storage) {
	w := newWorld(t, on)
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
func TestSealedOverPlainRows(t *testing.T) { onEachStore(t, testSealedOverPlainRows) }

func testSealedOverPlainRows(t *testing.T, on storage) {
	w := newWorld(t, on)
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
