package privacytest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

const (
	before  = 60_000 // unrelated messages that the mailbox had when it was linked
	during  = 40_000 // and those that came while the sequences ran
	tracked = 200    // candidates
	span    = 14 * day
)

// TestNothingUnrelatedIsRequested is the proof on a large mailbox. The counts
// are those of the fake services, which know of each message whether any
// header or text of it left them.
func TestNothingUnrelatedIsRequested(t *testing.T) {
	if testing.Short() {
		t.Skip("a mailbox of 100,000 messages takes a while")
	}
	for _, kind := range []provider.Kind{provider.Gmail, provider.MSGraph} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, kind)
			fill(t, w)
			for i := range tracked {
				w.enroll(i)
			}
			w.pass(t.Context(), span)
			check(t, w)
		})
	}
}

func fill(t *testing.T, w *world) {
	t.Helper()
	const perCandidate, own = 4 * 2, 500
	bulk := func(n int, first time.Time, over time.Duration) postoffice.Traffic {
		return postoffice.Traffic{To: maria, N: n, First: first, Every: over / time.Duration(n)}
	}
	if err := w.office.DeliverUnrelated(bulk(before, begin.Add(-365*day), 364*day)); err != nil {
		t.Fatal(err)
	}
	for i := range own {
		w.put(i, begin.Add(-time.Duration(i)*time.Hour))
	}
	rest, parts := during-tracked*perCandidate-own, int(span/time.Hour)
	for h := range parts {
		at := begin.Add(time.Duration(h) * time.Hour)
		w.office.Clock().At(at, func() {
			if err := w.office.DeliverUnrelated(bulk(rest/parts, at, time.Hour)); err != nil {
				t.Error(err)
			}
			for i := range tracked {
				if i%parts == h%tracked && h < 2*tracked {
					w.lookalikes(i, at)
				}
			}
		})
	}
	for i := range tracked {
		w.lookalikes(i, begin.Add(-time.Duration(i+1)*time.Hour))
	}
}

// exact reports whether the service finds senders by their whole address.
// Gmail's search does not promise to.
func exact(w *world) bool { return w.box.Service() != string(provider.Gmail) }

func check(t *testing.T, w *world) {
	t.Helper()
	books := w.office.Books()
	unrelated, near := 0, make(map[int64]bool)
	for m := range w.box.Visible() {
		if m.Unrelated {
			unrelated++
		}
		near[m.Number] = m.Unrelated && len(m.From) == 1 && strings.HasPrefix(m.From[0], "not-candidate")
	}
	envelopes, contents, listed := 0, 0, 0
	for _, r := range books.Reads() {
		switch {
		case !r.Unrelated:
		case near[r.Number]:
			listed++
			contents += r.Contents
		default:
			envelopes += r.Envelopes
			contents += r.Contents
		}
	}
	if envelopes+contents > 0 {
		t.Errorf("of %d unrelated messages %d headers and %d contents were requested", unrelated, envelopes, contents)
	}
	// A search that finds parts of addresses lists mail of others whose address
	// has a candidate's in it. Its headers are read to know so, and no more.
	if listed > 0 && !exact(w) {
		t.Logf("headers of %d messages were read because the service's search took their sender for a candidate", listed)
	} else if listed > 0 {
		t.Errorf("headers of %d messages from addresses that are like a candidate's were requested", listed)
	}
	if unrelated < 90_000 {
		t.Errorf("the mailbox has only %d unrelated messages", unrelated)
	}
	if d := books.Duplicates(); len(d) > 0 {
		t.Errorf("sent twice: %v", d)
	}
	// The audit tells of every request that the books know of.
	readHeaders, readContents := 0, 0
	for _, r := range books.Reads() {
		readHeaders += r.Envelopes
		readContents += r.Contents
	}
	if w.audit.nameless > 0 {
		t.Errorf("%d requests have no reason", w.audit.nameless)
	}
	if w.audit.contents != readContents {
		t.Errorf("the audit knows of %d contents, the service of %d", w.audit.contents, readContents)
	}
	ended := make(map[runner.Status]int)
	for i, id := range w.ids {
		e, err := w.run.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		ended[e.Status]++
		if want := endOf(i); e.Status != want {
			t.Errorf("candidate %d is %q (%s), want %q", i, e.Status, e.Reason, want)
		}
	}
	t.Logf("%d unrelated messages: 0 headers, 0 contents; %d related headers and %d contents; %v", unrelated, readHeaders, readContents, ended)
	w.onPage()
	t.Logf("requests by what and why: %v", w.audit.reasons)
}

// endOf is where a candidate's sequence must stand after two weeks.
func endOf(i int) runner.Status {
	switch i % 10 {
	case 1, 2, 3:
		return runner.StatusReplied
	case 6, 7:
		return runner.StatusBounced
	}
	return runner.StatusCompleted
}
