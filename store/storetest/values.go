package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/outreachkit/outreach/store"
)

// valueChecks hold what a database may do to the values that cross it.
func valueChecks() map[string]func(T, Harness) {
	return map[string]func(T, Harness){
		"EveryFieldSurvives": withEnrollments(everyField),
		"NamesDifferByCase": withEnrollments(func(c sees, _ Harness) {
			c.commit("two", store.Batch{Enrollments: []store.Enrollment{enrollment("E1", base), enrollment("e1", base)}, Index: []store.IndexRow{
				row(store.IndexRef, "AAMk", "e1"), row(store.IndexRef, "aamk", "E1"),
			}})
			if got := c.get("E1"); got.HostKey != "host/E1" {
				c.Errorf("E1 is %+v", got)
			}
			hits := must[[]store.IndexRow](c, "match")(c.s.Match(c.Context(), boxID, []store.IndexKey{{Kind: store.IndexRef, Value: "AAMk"}}))
			if len(hits) != 1 || hits[0].Enrollment != "e1" {
				c.Errorf("matched %v", hits)
			}
			rows := must[[]store.Enrollment](c, "list")(c.s.List(c.Context(), store.ListEnrollments{}))
			if len(rows) != 2 || rows[0].ID != "E1" {
				c.Errorf("not in the order of bytes: %v", rows)
			}
		}),
		"ListsOfAnyLength": withEnrollments(func(c sees, _ Harness) {
			c.commit("one", store.Batch{Enrollments: []store.Enrollment{enrollment("e69999", base)}, Index: []store.IndexRow{row(store.IndexThread, "t69999", "e69999")}})
			const n = 70_000 // more than the parameters of one statement
			ids, keys := make([]string, n), make([]store.IndexKey, n)
			for i := range n {
				ids[i], keys[i] = fmt.Sprint("e", i), store.IndexKey{Kind: store.IndexThread, Value: fmt.Sprint("t", i)}
			}
			if rows := must[[]store.Enrollment](c, "load")(c.s.Load(c.Context(), ids)); len(rows) != 1 {
				c.Errorf("loaded %d", len(rows))
			}
			if hits := must[[]store.IndexRow](c, "match")(c.s.Match(c.Context(), boxID, keys)); len(hits) != 1 {
				c.Errorf("matched %d", len(hits))
			}
			if hits := must[[]string](c, "suppressed")(c.s.Suppressed(c.Context(), ids)); len(hits) != 0 {
				c.Errorf("suppressed %d", len(hits))
			}
		}),
		"BadText": withEnrollments(func(c sees, _ Harness) {
			f := c.fence()
			for what, bad := range map[string]string{"NUL": "a\x00b", "not UTF-8": "a\xffb"} {
				e := enrollment("e1", base)
				e.Owner = bad
				wantErr(c, "an enrollment with "+what, c.s.Commit(c.Context(), store.Batch{Enrollments: []store.Enrollment{e}}), store.ErrInvalid)
				wantErr(c, "an index row with "+what, c.s.Commit(c.Context(), store.Batch{Index: []store.IndexRow{row(store.IndexThread, bad, "e1")}}), store.ErrInvalid)
				for field, change := range map[string]func(*store.Intent){
					"MessageID": func(in *store.Intent) { in.MessageID = bad }, "Ref": func(in *store.Intent) { in.Ref = bad },
					"Thread": func(in *store.Intent) { in.Thread = bad }, "RealMessageID": func(in *store.Intent) { in.RealMessageID = bad },
				} {
					in := intent("i1", "e1")
					change(&in)
					wantErr(c, "an intent's "+field+" with "+what, c.s.Commit(c.Context(), store.Batch{Fence: f, Intents: []store.Intent{in}}), store.ErrInvalid)
				}
				wantErr(c, "a result with "+what, c.s.Commit(c.Context(), store.Batch{Results: []store.Result{{Intent: "i1", State: store.IntentState(bad)}}}), store.ErrInvalid)
				wantErr(c, "a fence with "+what, c.s.Commit(c.Context(), store.Batch{Fence: &store.Fence{Mailbox: bad}}), store.ErrInvalid)
				_, err := c.s.Match(c.Context(), boxID, []store.IndexKey{{Kind: store.IndexThread, Value: bad}})
				wantErr(c, "a key with "+what, err, store.ErrInvalid)
			}
			long := strings.Repeat("x", store.MaxIndexValue)
			c.commit("the longest value", store.Batch{Index: []store.IndexRow{row(store.IndexThread, long, "e1")}})
			if hits := must[[]store.IndexRow](c, "match")(c.s.Match(c.Context(), boxID, []store.IndexKey{{Kind: store.IndexThread, Value: long}})); len(hits) != 1 {
				c.Errorf("the longest value is not found")
			}
			wantErr(c, "a longer one", c.s.Commit(c.Context(), store.Batch{Index: []store.IndexRow{row(store.IndexThread, long+"x", "e1")}}), store.ErrInvalid)
		}),
		"OnceInABatch": withEnrollments(func(c sees, _ Harness) {
			wantErr(c, "an enrollment twice", c.s.Commit(c.Context(), store.Batch{Enrollments: []store.Enrollment{enrollment("e1", base), enrollment("e1", base)}}), store.ErrInvalid)
			f := c.fence()
			c.commit("an intent", store.Batch{Fence: f, Intents: []store.Intent{intent("i1", "e1")}})
			wantErr(c, "two results of one intent", c.s.Commit(c.Context(), store.Batch{Results: []store.Result{
				{Intent: "i1", State: store.IntentSent, At: base}, {Intent: "i1", State: store.IntentNotSent, At: base},
			}}), store.ErrInvalid)
			wantErr(c, "a result of the same batch's intent", c.s.Commit(c.Context(), store.Batch{
				Fence: f, Intents: []store.Intent{intent("i2", "e1")}, Results: []store.Result{{Intent: "i2", State: store.IntentSent, At: base}},
			}), store.ErrNotFound)
			if in := must[[]store.Intent](c, "intents")(c.s.LoadIntents(c.Context(), "e1")); len(in) != 1 || in[0].State != store.IntentOpen {
				c.Errorf("the intents are %+v", in)
			}
		}),
		"WhatNeverChanges": withEnrollments(func(c sees, _ Harness) {
			c.ensure(otherID)
			c.commit("create", store.Batch{Enrollments: []store.Enrollment{enrollment("e1", base)}})
			for what, change := range map[string]func(*store.Enrollment){
				"the host key": func(e *store.Enrollment) { e.HostKey = "host/other" }, "the mailbox": func(e *store.Enrollment) { e.Mailbox = otherID },
				"the creation": func(e *store.Enrollment) { e.Created = e.Created.Add(time.Hour) },
			} {
				e := c.get("e1")
				change(&e)
				wantErr(c, what+" changes", c.s.Commit(c.Context(), store.Batch{Enrollments: []store.Enrollment{e}}), store.ErrInvalid)
			}
		}),
	}
}

// everyField writes all fields, and again others where they may change.
func everyField(c sees, _ Harness) {
	e := enrollment("e1", base)
	e.Flagged = true
	c.commit("create", store.Batch{Enrollments: []store.Enrollment{e}})
	same := func(what string, got, want store.Enrollment) {
		c.Helper()
		sameTime(c, what+": Due", got.Due, want.Due)
		sameTime(c, what+": Created", got.Created, want.Created)
		got.Due, want.Due, got.Created, want.Created, got.Version, want.Version = base, base, base, base, 0, 0
		if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
			c.Errorf("%s: got %s, want %s", what, g, w)
		}
	}
	got := c.get("e1")
	same("created", got, e)
	e.Kind, e.Link, e.Owner, e.Actor, e.Recipient, e.Sequence, e.Status = "mail", "l2", "tom", "maria", "x@example.net", "hash2", "held"
	e.Flagged, e.Due, e.State, e.Data, e.Version = false, base.Add(time.Hour), []byte{0, 255}, []byte("d2"), got.Version
	c.commit("update", store.Batch{Enrollments: []store.Enrollment{e}})
	got = c.get("e1")
	same("updated", got, e)
	e.Due, e.State, e.Data, e.Version = time.Time{}, nil, nil, got.Version
	c.commit("empty", store.Batch{Enrollments: []store.Enrollment{e}})
	if got = c.get("e1"); !got.Due.IsZero() || len(got.State)+len(got.Data) != 0 {
		c.Errorf("emptied: %+v", got)
	}

	f := c.fence()
	in := intent("i1", "e1")
	in.Step, in.Group = 3, 2
	c.commit("intent", store.Batch{Fence: f, Intents: []store.Intent{in}})
	c.commit("result", store.Batch{Results: []store.Result{{Intent: "i1", State: store.IntentSent, Ref: "r", Thread: "t", RealMessageID: "<r@x.example>", At: base.Add(time.Second)}}})
	ins := must[[]store.Intent](c, "intents")(c.s.LoadIntents(c.Context(), "e1"))
	if len(ins) != 1 {
		c.Fatalf("%d intents", len(ins))
	}
	i := ins[0]
	sameTime(c, "an intent's Created", i.Created, in.Created)
	sameTime(c, "an intent's Deadline", i.Deadline, in.Deadline)
	sameTime(c, "an intent's Settled", i.Settled, base.Add(time.Second))
	if i.Mailbox != boxID || i.Step != 3 || i.Group != 2 || i.MessageID != in.MessageID || i.Key != in.Key || i.Ref != "r" || i.Thread != "t" || i.RealMessageID != "<r@x.example>" || i.State != store.IntentSent {
		c.Errorf("the intent is %+v", i)
	}
	c.commit("row", store.Batch{Index: []store.IndexRow{row(store.IndexThread, "t", "e1")}})
	hits := must[[]store.IndexRow](c, "match")(c.s.Match(c.Context(), boxID, []store.IndexKey{{Kind: store.IndexThread, Value: "t"}}))
	if len(hits) != 1 || hits[0].Kind != store.IndexThread || hits[0].Mailbox != boxID {
		c.Fatalf("matched %+v", hits)
	}
	sameTime(c, "a row's Until", hits[0].Until, base.Add(24*time.Hour))
}
