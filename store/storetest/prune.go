package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/store"
)

// past is a row that may be forgotten an hour after base.
func past(value, of string) store.IndexRow {
	r := row(store.IndexThread, value, of)
	r.Until = base.Add(time.Hour)
	return r
}

// later is when what is past has been so for a while, and what row makes not.
var later = base.Add(2 * time.Hour)

func (c sees) prune(p store.PruneParams, want int) {
	c.Helper()
	if n := must[int](c, "prune")(c.s.Prune(c.Context(), p)); n != want {
		c.Errorf("prune dealt with %d rows, want %d", n, want)
	}
}

// left says which of the threads are found, and until when.
func (c sees) left(values ...string) string {
	c.Helper()
	var keys []store.IndexKey
	for _, v := range values {
		keys = append(keys, store.IndexKey{Kind: store.IndexThread, Value: v})
	}
	var out []string
	for _, r := range must[[]store.IndexRow](c, "match")(c.s.Match(c.Context(), boxID, keys)) {
		out = append(out, fmt.Sprintf("%s=%s+%v", r.Value, r.Enrollment, kept(r.Until).Sub(kept(base))))
	}
	return sprint(out)
}

func (c sees) wantLeft(want string, values ...string) {
	c.Helper()
	if got := c.left(values...); got != want {
		c.Errorf("these rows are left: %s, want %s", got, want)
	}
}

// pruneTakesWhatIsPast: also at the very moment, and nothing else.
func pruneTakesWhatIsPast(c sees, _ Harness) {
	exact := past("t3", "nobody")
	exact.Until = later
	c.commit("rows", store.Batch{Index: []store.IndexRow{past("t1", "nobody"), row(store.IndexThread, "t2", "nobody"), exact}})
	c.prune(store.PruneParams{Now: base}, 0)
	c.prune(store.PruneParams{Now: later}, 2)
	c.wantLeft("[t2=nobody+24h0m0s]", "t1", "t2", "t3")
	c.prune(store.PruneParams{Now: later}, 0)
}

// prunePages: no more than asked for, the oldest first.
func prunePages(c sees, _ Harness) {
	var rows []store.IndexRow
	for i := range 5 {
		r := past(fmt.Sprint("t", i), "nobody")
		r.Until = r.Until.Add(-time.Duration(i) * time.Minute)
		rows = append(rows, r)
	}
	c.commit("rows", store.Batch{Index: rows})
	c.prune(store.PruneParams{Now: later, Limit: 2}, 2)
	c.wantLeft("[t0=nobody+1h0m0s t1=nobody+59m0s t2=nobody+58m0s]", "t0", "t1", "t2", "t3", "t4")
	c.prune(store.PruneParams{Now: later, Limit: 2}, 2)
	c.prune(store.PruneParams{Now: later, Limit: 2}, 1)
	c.wantLeft("[]", "t0", "t1", "t2", "t3", "t4")
}

func pruneWrong(c sees, _ Harness) {
	c.commit("rows", store.Batch{Index: []store.IndexRow{past("t1", "nobody")}})
	for what, p := range map[string]store.PruneParams{
		"no Now": {}, "no KeepUntil": {Now: later, Keep: []string{"active"}}, "a KeepUntil that is past": {Now: later, Keep: []string{"active"}, KeepUntil: later},
	} {
		if n, err := c.s.Prune(c.Context(), p); !errors.Is(err, store.ErrInvalid) || n != 0 {
			c.Errorf("with %s: %d, %v", what, n, err)
		}
	}
	c.wantLeft("[t1=nobody+1h0m0s]", "t1")
}

// pruneLiving: an enrollment that goes on keeps its rows, however old.
func pruneLiving(c sees, _ Harness) {
	alive, over := enrollment("e1", time.Time{}), enrollment("e2", time.Time{})
	alive.Status, over.Status = "held", "completed"
	c.commit("rows", store.Batch{Enrollments: []store.Enrollment{alive, over}, Index: []store.IndexRow{past("t1", "e1"), past("t2", "e2"), past("t3", "unknown")}})
	p := store.PruneParams{Now: later, Keep: []string{"active", "held"}, KeepUntil: later.Add(time.Hour)}
	c.prune(p, 3)
	c.wantLeft("[t1=e1+3h0m0s]", "t1", "t2", "t3")
	c.prune(p, 0)
	if rows := must[[]store.Enrollment](c, "load")(c.s.Load(c.Context(), []string{"e1", "e2"})); len(rows) != 2 {
		c.Errorf("of two enrollments %d are left", len(rows))
	}
}

// pruneTogether: what is known of an enrollment that is still tracked stays
// known as a whole.
func pruneTogether(c sees, _ Harness) {
	over := enrollment("e1", time.Time{})
	over.Status = "completed"
	c.commit("rows", store.Batch{Enrollments: []store.Enrollment{over}, Index: []store.IndexRow{past("t1", "e1"), row(store.IndexThread, "t2", "e1"), past("t3", "e2"), row(store.IndexThread, "t4", "e2")}})
	c.prune(store.PruneParams{Now: later}, 2) // e2 is no enrollment: each of its rows is for itself
	c.wantLeft("[t1=e1+24h0m0s t2=e1+24h0m0s t4=e2+24h0m0s]", "t1", "t2", "t3", "t4")
	c.prune(store.PruneParams{Now: base.Add(24 * time.Hour)}, 3)
	c.wantLeft("[]", "t1", "t2", "t3", "t4")
}
