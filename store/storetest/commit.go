package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/outreachkit/outreach/store"
)

func sprint(v any) string { return fmt.Sprint(v) }

const (
	boxID   = "gmail/sub-1"
	otherID = "gmail/sub-2"
)

func enrollment(id string, due time.Time) store.Enrollment {
	return store.Enrollment{
		ID: id, HostKey: "host/" + id, Kind: "drip", Mailbox: boxID, Link: "l1", Owner: "maria", Actor: "tom", Recipient: id + "@example.net",
		Sequence: "hash", Status: "active", Due: due, State: []byte("state"), Data: []byte("data"), Created: base,
	}
}

func intent(id, of string) store.Intent {
	return store.Intent{
		ID: id, Enrollment: of, Mailbox: boxID, Step: 1, MessageID: "<" + id + "@mail.example.com>", Key: "key-" + id, Raw: []byte("raw"),
		Meta: []byte("meta"), Created: base, Deadline: base.Add(time.Minute), State: store.IntentOpen,
	}
}

// sees is an EnrollmentStore with short words for what checks do.
type sees struct {
	T
	s store.EnrollmentStore
}

func (c sees) commit(what string, b store.Batch) {
	c.Helper()
	if err := c.s.Commit(c.Context(), b); err != nil {
		c.Fatalf("%s: %v", what, err)
	}
}

func (c sees) ensure(id string) {
	c.Helper()
	if _, err := c.s.EnsureMailbox(c.Context(), id, "l1"); err != nil {
		c.Fatalf("ensure: %v", err)
	}
}

func (c sees) get(id string) store.Enrollment {
	c.Helper()
	rows, err := c.s.Load(c.Context(), []string{id})
	if err != nil || len(rows) != 1 {
		c.Fatalf("load %s: %d rows, %v", id, len(rows), err)
	}
	return rows[0]
}

func (c sees) claim(now time.Time) *store.Claim {
	c.Helper()
	claims, err := c.s.Claim(c.Context(), store.ClaimParams{By: "test", Now: now, TTL: time.Minute, Mailboxes: 10, PerMailbox: 10})
	if err != nil {
		c.Fatalf("claim: %v", err)
	}
	for i := range claims {
		if claims[i].Mailbox.ID == boxID {
			return &claims[i]
		}
	}
	return nil
}

// fence claims the mailbox by its mark.
func (c sees) fence() *store.Fence {
	c.Helper()
	if err := c.s.Notify(c.Context(), boxID); err != nil {
		c.Fatalf("notify: %v", err)
	}
	cl := c.claim(base)
	if cl == nil {
		c.Fatalf("a marked mailbox is not claimed")
	}
	return &cl.Fence
}

func withEnrollments(f func(c sees, h Harness)) func(T, Harness) {
	return func(t T, h Harness) {
		t.Helper()
		if h.Enrollments == nil {
			t.Skipf("no EnrollmentStore")
		}
		c := sees{t, h.Enrollments}
		c.ensure(boxID)
		f(c, h)
	}
}

func commitChecks() map[string]func(T, Harness) {
	return map[string]func(T, Harness){
		"RoundTrip": withEnrollments(func(c sees, _ Harness) {
			c.commit("create", store.Batch{
				Enrollments: []store.Enrollment{enrollment("e1", base), enrollment("e2", time.Time{})},
				Definitions: []store.Definition{{Hash: "hash", Data: []byte("def")}},
			})
			got := c.get("e1")
			want := enrollment("e1", base)
			if got.HostKey != want.HostKey || got.Recipient != want.Recipient || string(got.State) != "state" || string(got.Data) != "data" ||
				got.Actor != "tom" || got.Status != "active" || got.Version == 0 {
				c.Errorf("got %+v", got)
			}
			sameTime(c, "Due", got.Due, base)
			sameTime(c, "Created", got.Created, base)
			sameTime(c, "a zero Due", c.get("e2").Due, time.Time{})
			rows := must[[]store.Enrollment](c, "load")(c.s.Load(c.Context(), []string{"e2", "e9", "e1"}))
			if len(rows) != 2 || rows[0].ID != "e2" || rows[1].ID != "e1" {
				c.Errorf("loaded in another order, or with strangers: %v", rows)
			}
			def := must[store.Definition](c, "definition")(c.s.LoadDefinition(c.Context(), "hash"))
			if string(def.Data) != "def" {
				c.Errorf("the definition is %q", def.Data)
			}
			_, err := c.s.LoadDefinition(c.Context(), "none")
			wantErr(c, "an unknown definition", err, store.ErrNotFound)
			page := must[[]store.Enrollment](c, "list")(c.s.List(c.Context(), store.ListEnrollments{Mailbox: boxID, Status: "active", After: "e1"}))
			if len(page) != 1 || page[0].ID != "e2" {
				c.Errorf("listed %v", page)
			}
		}),
		"Versions": withEnrollments(func(c sees, _ Harness) {
			c.commit("create", store.Batch{Enrollments: []store.Enrollment{enrollment("e1", base)}})
			err := c.s.Commit(c.Context(), store.Batch{Enrollments: []store.Enrollment{enrollment("e1", base)}})
			wantErr(c, "creating it twice", err, store.ErrConflict)
			twin := enrollment("e2", base)
			twin.HostKey = "host/e1"
			err = c.s.Commit(c.Context(), store.Batch{Enrollments: []store.Enrollment{twin}})
			wantErr(c, "the same host key under another id", err, store.ErrConflict)
			old := c.get("e1")
			row := old
			row.State = []byte("second")
			c.commit("update", store.Batch{Enrollments: []store.Enrollment{row}})
			err = c.s.Commit(c.Context(), store.Batch{Enrollments: []store.Enrollment{old}})
			wantErr(c, "an old version", err, store.ErrConflict)
			var conflict *store.ConflictError
			if errors.As(err, &conflict) && (conflict.Record != "enrollment" || conflict.ID != "e1") {
				c.Errorf("the conflict names %s %s", conflict.Record, conflict.ID)
			} else if conflict == nil {
				c.Errorf("the conflict names nothing")
			}
			if got := c.get("e1"); string(got.State) != "second" || got.Version != old.Version+1 {
				c.Errorf("after a lost update: %+v", got)
			}
		}),
		"UpdatesDontGetLost": withEnrollments(func(c sees, _ Harness) {
			c.commit("create", store.Batch{Enrollments: []store.Enrollment{enrollment("e1", base)}})
			const writers, each = 8, 10
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for n := 0; n < each; {
						rows, err := c.s.Load(c.Context(), []string{"e1"})
						if err != nil || len(rows) != 1 {
							c.Errorf("load: %v", err)
							return
						}
						rows[0].State = append(rows[0].State, '.')
						if err = c.s.Commit(c.Context(), store.Batch{Enrollments: rows}); err == nil {
							n++
						} else if !errors.Is(err, store.ErrConflict) {
							c.Errorf("commit: %v", err)
							return
						}
					}
				})
			}
			wg.Wait()
			if n := len(c.get("e1").State) - len("state"); n != writers*each {
				c.Errorf("%d of %d updates are there", n, writers*each)
			}
		}),
		"AllOrNothing": withEnrollments(allOrNothing),
		"Fence": withEnrollments(func(c sees, h Harness) {
			f := c.fence()
			box := must[store.Mailbox](c, "mailbox")(c.s.GetMailbox(c.Context(), boxID))
			box.Cursor, box.ReadAt, box.Data = []byte("cursor"), base, []byte("data")
			wantErr(c, "a mailbox without a fence", c.s.Commit(c.Context(), store.Batch{Mailbox: &box}), store.ErrInvalid)
			wantErr(c, "an intent without a fence", c.s.Commit(c.Context(), store.Batch{Intents: []store.Intent{intent("i1", "e1")}}), store.ErrInvalid)
			stale := *f
			stale.Token--
			wantErr(c, "a wrong token", c.s.Commit(c.Context(), store.Batch{Fence: &stale, Mailbox: &box}), store.ErrFenced)
			c.commit("with the fence", store.Batch{Fence: f, Mailbox: &box})
			got := must[store.Mailbox](c, "mailbox")(c.s.GetMailbox(c.Context(), boxID))
			if string(got.Cursor) != "cursor" || string(got.Data) != "data" || got.Version != box.Version+1 {
				c.Errorf("the mailbox is %+v", got)
			}
			sameTime(c, "ReadAt", got.ReadAt, base)
			wantErr(c, "an old version", c.s.Commit(c.Context(), store.Batch{Fence: f, Mailbox: &box}), store.ErrConflict)
			if h.Advance == nil {
				c.Skipf("the clock can't be moved")
			}
			h.Advance(2 * time.Minute)
			wantErr(c, "a fence whose lease has ended", c.s.Commit(c.Context(), store.Batch{Fence: f, Mailbox: &got}), store.ErrFenced)
			second := c.fence()
			wantErr(c, "the fence before", c.s.Commit(c.Context(), store.Batch{Fence: f, Mailbox: &got}), store.ErrFenced)
			wantErr(c, "the fence before, with nothing of the mailbox", c.s.Commit(c.Context(), store.Batch{Fence: f, Outbox: []store.Event{{Key: "x"}}}), store.ErrFenced)
			c.commit("the new fence", store.Batch{Fence: second, Mailbox: &got})
		}),
		"Results": withEnrollments(func(c sees, _ Harness) {
			f := c.fence()
			c.commit("intent", store.Batch{Fence: f, Enrollments: []store.Enrollment{enrollment("e1", base)}, Intents: []store.Intent{intent("i1", "e1"), intent("i2", "e1")}})
			wantErr(c, "the same intent twice", c.s.Commit(c.Context(), store.Batch{Fence: f, Intents: []store.Intent{intent("i1", "e1")}}), store.ErrConflict)
			if err := c.s.Unclaim(c.Context(), *f); err != nil {
				c.Fatalf("unclaim: %v", err)
			}
			res := store.Result{Intent: "i1", State: store.IntentSent, Ref: "r1", At: base}
			c.commit("a result without a fence", store.Batch{Results: []store.Result{res}})
			c.commit("the same result again", store.Batch{Results: []store.Result{{Intent: "i1", State: store.IntentSent, Ref: "r9", RealMessageID: "<real@x.example>", At: base}}})
			err := c.s.Commit(c.Context(), store.Batch{Results: []store.Result{{Intent: "i1", State: store.IntentNotSent, At: base}}})
			wantErr(c, "a result that contradicts", err, store.ErrConflict)
			wantErr(c, "a result that opens", c.s.Commit(c.Context(), store.Batch{Results: []store.Result{{Intent: "i2", State: store.IntentOpen}}}), store.ErrInvalid)
			wantErr(c, "a result of nothing", c.s.Commit(c.Context(), store.Batch{Results: []store.Result{{Intent: "i9", State: store.IntentSent}}}), store.ErrNotFound)
			got := must[[]store.Intent](c, "intents")(c.s.LoadIntents(c.Context(), "e1"))
			if len(got) != 2 {
				c.Fatalf("%d intents", len(got))
			}
			first := got[0]
			if first.ID != "i1" || first.State != store.IntentSent || first.Ref != "r1" || first.RealMessageID != "<real@x.example>" || string(first.Raw) != "raw" || string(first.Meta) != "meta" {
				c.Errorf("the intent is %+v", first)
			}
			sameTime(c, "Deadline", first.Deadline, base.Add(time.Minute))
			cl := func() *store.Claim { _ = c.s.Notify(c.Context(), boxID); return c.claim(base.Add(-time.Hour)) }()
			if cl == nil || len(cl.Open) != 1 || cl.Open[0].ID != "i2" {
				c.Errorf("the open intents are %+v", cl)
			}
		}),
		"Rewrites": withEnrollments(rewrites),
		"CancelledContext": withEnrollments(func(c sees, _ Harness) {
			ctx, cancel := context.WithCancel(c.Context())
			cancel()
			if err := c.s.Commit(ctx, store.Batch{Enrollments: []store.Enrollment{enrollment("e1", base)}}); err == nil {
				c.Errorf("a cancelled commit succeeds")
			}
			if rows := must[[]store.Enrollment](c, "load")(c.s.Load(c.Context(), []string{"e1"})); len(rows) != 0 {
				c.Errorf("and leaves something behind")
			}
		}),
		"MemoryIsTheCallers": withEnrollments(func(c sees, _ Harness) {
			row := enrollment("e1", base)
			c.commit("create", store.Batch{Enrollments: []store.Enrollment{row}})
			row.State[0] = 'X'
			got := c.get("e1")
			got.Data[0] = 'Y'
			if again := c.get("e1"); string(again.State) != "state" || string(again.Data) != "data" {
				c.Errorf("what the caller changed is in the store: %s, %s", again.State, again.Data)
			}
		}),
		"Suppressions": withEnrollments(func(c sees, _ Harness) {
			c.commit("suppress", store.Batch{Suppressions: []store.Suppression{{Hash: "h1", Reason: "asked", At: base}}})
			c.commit("again", store.Batch{Suppressions: []store.Suppression{{Hash: "h1", Reason: "asked", At: base}}})
			if got := must[[]string](c, "suppressed")(c.s.Suppressed(c.Context(), []string{"h0", "h1", "h2"})); sprint(got) != "[h1]" {
				c.Errorf("suppressed are %v", got)
			}
		}),
		"Erase": withEnrollments(func(c sees, _ Harness) {
			f := c.fence()
			c.commit("two recipients", store.Batch{
				Fence: f, Enrollments: []store.Enrollment{enrollment("e1", base), enrollment("e2", base)}, Intents: []store.Intent{intent("i1", "e1")},
				Index:  []store.IndexRow{row(store.IndexThread, "t1", "e1"), row(store.IndexThread, "t1", "e2")},
				Outbox: []store.Event{{Key: "o1", Enrollment: "e1", Data: []byte("about e1")}, {Key: "o2", Enrollment: "e2"}},
			})
			if n := must[int](c, "erase")(c.s.Erase(c.Context(), "e1@example.net")); n != 1 {
				c.Errorf("%d enrollments erased", n)
			}
			if rows := must[[]store.Enrollment](c, "load")(c.s.Load(c.Context(), []string{"e1", "e2"})); len(rows) != 1 || rows[0].ID != "e2" {
				c.Errorf("left are %v", rows)
			}
			if in := must[[]store.Intent](c, "intents")(c.s.LoadIntents(c.Context(), "e1")); len(in) != 0 {
				c.Errorf("mail bytes stay")
			}
			if hits := must[[]store.IndexRow](c, "match")(c.s.Match(c.Context(), boxID, []store.IndexKey{{Kind: store.IndexThread, Value: "t1"}})); len(hits) != 1 {
				c.Errorf("index rows left: %v", hits)
			}
			if out := must[[]store.Event](c, "outbox")(c.s.Outbox(c.Context(), 10)); len(out) != 1 || out[0].Key != "o2" {
				c.Errorf("the outbox is %v", out)
			}
			_, err := c.s.Erase(c.Context(), "")
			wantErr(c, "nobody", err, store.ErrInvalid)
		}),
	}
}

// rewrites seals intents anew, an open one and a closed one.
func rewrites(c sees, _ Harness) {
	f := c.fence()
	c.commit("intents", store.Batch{
		Fence: f, Enrollments: []store.Enrollment{enrollment("e1", base)}, Intents: []store.Intent{intent("i1", "e1"), intent("i2", "e1"), intent("i3", "e1")},
	})
	c.commit("a result", store.Batch{Results: []store.Result{{Intent: "i1", State: store.IntentSent, Ref: "r1", At: base}}})
	if err := c.s.Unclaim(c.Context(), *f); err != nil {
		c.Fatalf("unclaim: %v", err)
	}
	raw := []byte{0, 255}
	c.commit("without a fence", store.Batch{Rewrites: []store.Rewrite{{Intent: "i2", Raw: raw, Meta: []byte("meta 2")}, {Intent: "i1", Meta: []byte("meta 1")}}})
	raw[0] = 'X'
	got := must[[]store.Intent](c, "intents")(c.s.LoadIntents(c.Context(), "e1"))
	if len(got) != 3 {
		c.Fatalf("%d intents", len(got))
	}
	for i, want := range []struct {
		raw, meta, ref string
		state          store.IntentState
	}{{"", "meta 1", "r1", store.IntentSent}, {"\x00\xff", "meta 2", "", store.IntentOpen}, {"raw", "meta", "", store.IntentOpen}} {
		in, was := got[i], intent(got[i].ID, "e1")
		if string(in.Raw) != want.raw || string(in.Meta) != want.meta || in.Ref != want.ref || in.State != want.state || in.MessageID != was.MessageID || in.Key != was.Key {
			c.Errorf("rewritten, the intent is %+v", in)
		}
		sameTime(c, "rewritten, Deadline", in.Deadline, was.Deadline)
	}
	wantErr(c, "a rewrite of nothing", c.s.Commit(c.Context(), store.Batch{Rewrites: []store.Rewrite{{Intent: "i2", Meta: []byte("x")}, {Intent: "i9"}}}), store.ErrNotFound)
	wantErr(c, "two of one", c.s.Commit(c.Context(), store.Batch{Rewrites: []store.Rewrite{{Intent: "i2"}, {Intent: "i2"}}}), store.ErrInvalid)
	wantErr(c, "a result and a rewrite of one", c.s.Commit(c.Context(), store.Batch{
		Results: []store.Result{{Intent: "i2", State: store.IntentSent, At: base}}, Rewrites: []store.Rewrite{{Intent: "i2"}},
	}), store.ErrInvalid)
	e := c.get("e1")
	c.commit("beside its enrollment", store.Batch{Enrollments: []store.Enrollment{e}, Rewrites: []store.Rewrite{{Intent: "i3", Raw: []byte("r"), Meta: []byte("m")}}})
	err := c.s.Commit(c.Context(), store.Batch{Enrollments: []store.Enrollment{e}, Rewrites: []store.Rewrite{{Intent: "i3", Raw: []byte("late")}}})
	wantErr(c, "beside a version that has changed", err, store.ErrConflict)
	got = must[[]store.Intent](c, "intents")(c.s.LoadIntents(c.Context(), "e1"))
	if len(got) != 3 || string(got[1].Meta) != "meta 2" || got[1].State != store.IntentOpen || string(got[2].Raw) != "r" || string(got[2].Meta) != "m" {
		c.Errorf("the intents are %+v", got)
	}
}

// allOrNothing puts one bad record of each kind into a batch that is good
// otherwise, and looks for traces.
func allOrNothing(c sees, _ Harness) {
	c.commit("before", store.Batch{Enrollments: []store.Enrollment{enrollment("e1", base)}})
	f := c.fence()
	c.commit("an intent", store.Batch{Fence: f, Intents: []store.Intent{intent("i1", "e1")}})
	c.commit("its result", store.Batch{Results: []store.Result{{Intent: "i1", State: store.IntentSent, At: base}}})
	box := must[store.Mailbox](c, "mailbox")(c.s.GetMailbox(c.Context(), boxID))
	oldBox := box
	oldBox.Version--
	for what, spoil := range map[string]func(*store.Batch){
		"an enrollment that exists":   func(b *store.Batch) { b.Enrollments = append(b.Enrollments, enrollment("e1", base)) },
		"an old mailbox":              func(b *store.Batch) { b.Mailbox = &oldBox },
		"an intent that exists":       func(b *store.Batch) { b.Intents = append(b.Intents, intent("i1", "e1")) },
		"a result that contradicts":   func(b *store.Batch) { b.Results = []store.Result{{Intent: "i1", State: store.IntentNotSent, At: base}} },
		"a lost fence":                func(b *store.Batch) { b.Fence = &store.Fence{Mailbox: boxID, Token: f.Token + 1} },
		"a rewrite of nothing":        func(b *store.Batch) { b.Rewrites = []store.Rewrite{{Intent: "i9"}} },
		"an outbox row without a key": func(b *store.Batch) { b.Outbox = append(b.Outbox, store.Event{}) },
		"an index row without a key":  func(b *store.Batch) { b.Index = append(b.Index, store.IndexRow{}) },
	} {
		next := box
		next.Cursor = []byte("moved")
		b := store.Batch{
			Fence: f, Mailbox: &next, Enrollments: []store.Enrollment{enrollment("e2", base)}, Intents: []store.Intent{intent("i2", "e2")},
			Definitions: []store.Definition{{Hash: "d2"}}, Index: []store.IndexRow{row(store.IndexThread, "t2", "e2")},
			Suppressions: []store.Suppression{{Hash: "s2"}}, Outbox: []store.Event{{Key: "o2"}},
		}
		spoil(&b)
		if err := c.s.Commit(c.Context(), b); err == nil {
			c.Errorf("%s: the batch was taken", what)
			return
		}
		var traces []string
		if rows, _ := c.s.Load(c.Context(), []string{"e2"}); len(rows) > 0 {
			traces = append(traces, "enrollment")
		}
		if now, _ := c.s.GetMailbox(c.Context(), boxID); string(now.Cursor) == "moved" {
			traces = append(traces, "mailbox")
		}
		if in, _ := c.s.LoadIntents(c.Context(), "e2"); len(in) > 0 {
			traces = append(traces, "intent")
		}
		if _, err := c.s.LoadDefinition(c.Context(), "d2"); err == nil {
			traces = append(traces, "definition")
		}
		if hits, _ := c.s.Match(c.Context(), boxID, []store.IndexKey{{Kind: store.IndexThread, Value: "t2"}}); len(hits) > 0 {
			traces = append(traces, "index row")
		}
		if sup, _ := c.s.Suppressed(c.Context(), []string{"s2"}); len(sup) > 0 {
			traces = append(traces, "suppression")
		}
		if out, _ := c.s.Outbox(c.Context(), 100); len(out) > 0 {
			traces = append(traces, "outbox row")
		}
		if len(traces) > 0 {
			c.Errorf("%s: the refused batch left behind: %v", what, traces)
		}
	}
}
