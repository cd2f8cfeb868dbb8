package providertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
)

func searchTests() tests {
	search := func(t *testing.T, l *link, q provider.Query) []provider.Item {
		t.Helper()
		items, err := l.Search(t.Context(), q)
		if err != nil {
			t.Fatalf("search: %v", err)
		}
		return items
	}
	return tests{
		"EveryFolder": func(t *testing.T, w *world) {
			l := w.searcher(t)
			since := w.Now()
			want := make(map[string]bool)
			for _, place := range []provider.Place{provider.PlaceInbox, provider.PlaceJunk, provider.PlaceOther} {
				raw, id := w.incoming("carol@example.org", "Hello", "Hello")
				want[id] = true
				w.deliver(t, place, raw)
			}
			raw, _ := w.incoming("someone.else@example.org", "Hello", "Hello")
			w.deliver(t, provider.PlaceInbox, raw)
			items := search(t, l, provider.Query{From: []string{"Carol@Example.org"}, Since: since})
			for _, item := range items {
				env, err := l.Envelope(t.Context(), item.Ref)
				if err != nil {
					t.Fatal(err)
				}
				if !want[env.MessageID] {
					t.Errorf("found %s from %v", env.MessageID, env.From)
				}
				delete(want, env.MessageID)
			}
			for id := range want {
				t.Errorf("%s was not found", id)
			}
		},
		"Span": func(t *testing.T, w *world) {
			l := w.searcher(t)
			var times []time.Time
			for range 3 {
				raw, id := w.incoming("carol@example.org", "Hello", "Hello")
				times = append(times, w.arrive(t, l, raw, id).Received)
				w.Advance(time.Hour)
			}
			from := []string{"carol@example.org"}
			for name, c := range map[string]struct {
				q    provider.Query
				want int
			}{
				"all":                {provider.Query{From: from, Since: times[0]}, 3},
				"since is inclusive": {provider.Query{From: from, Since: times[1]}, 2},
				"to is exclusive":    {provider.Query{From: from, Since: times[0], To: times[2]}, 2},
				"after the last":     {provider.Query{From: from, Since: times[2].Add(time.Second)}, 0},
				"several senders":    {provider.Query{From: []string{"x@example.org", "carol@example.org"}, Since: times[0]}, 3},
				"another sender":     {provider.Query{From: []string{"x@example.org"}, Since: times[0]}, 0},
				"anyone":             {provider.Query{Since: times[0]}, 3},
			} {
				if got := search(t, l, c.q); len(got) != c.want {
					t.Errorf("%s: %d found, want %d", name, len(got), c.want)
				}
			}
		},
		"NewestWithinLimit": func(t *testing.T, w *world) {
			l := w.searcher(t)
			since := w.Now()
			var newest provider.Ref
			for range 4 {
				raw, id := w.incoming("carol@example.org", "Hello", "Hello")
				newest = w.arrive(t, l, raw, id).Ref
				w.Advance(time.Minute)
			}
			got := search(t, l, provider.Query{From: []string{"carol@example.org"}, Since: since, Limit: 1})
			if len(got) != 1 || got[0].Ref != newest {
				t.Errorf("%+v, want only %s", got, newest)
			}
		},
		"SystemSenders": func(t *testing.T, w *world) {
			l := w.searcher(t)
			since := w.Now()
			raw, id := w.incoming("mailer-daemon@googlemail.com", "Failure", "gone@example.org could not be reached.")
			ours := w.arrive(t, l, raw, id)
			raw, id = w.incoming("mailer-daemon@googlemail.com", "Failure", "other@example.org could not be reached.")
			others := w.arrive(t, l, raw, id)
			raw, id = w.incoming("carol@example.org", "Hello", "Do you know gone@example.org?")
			carol := w.arrive(t, l, raw, id)
			got := search(t, l, provider.Query{System: true, From: []string{"gone@example.org"}, Since: since})
			named := w.Provider.Abilities(l.account.Access).Reports == provider.DetectContent
			if !hasItem(got, ours.Ref) || named && hasItem(got, others.Ref) || hasItem(got, carol.Ref) {
				t.Errorf("reports about an address: %+v, want only %s", got, ours.Ref)
			}
			got = search(t, l, provider.Query{System: true, From: []string{"gone@example.org", "carol@example.org"}, Since: since})
			if !hasItem(got, ours.Ref) || named && hasItem(got, others.Ref) || !hasItem(got, carol.Ref) {
				t.Errorf("reports and mail of a sender: %+v", got)
			}
			got = search(t, l, provider.Query{From: []string{"gone@example.org"}, Since: since})
			if hasItem(got, ours.Ref) {
				t.Error("a report was found without being asked for")
			}
		},
		"ClosesAGap": func(t *testing.T, w *world) {
			l := w.searcher(t)
			since := w.Now()
			raw, id := w.incoming("stranger@example.org", "Hello", "Hello")
			env := w.arrive(t, l, raw, id)
			if got := search(t, l, provider.Query{Since: since}); !hasItem(got, env.Ref) {
				t.Errorf("mail from anyone: %+v", got)
			}
		},
		"ThreadsAccess": func(t *testing.T, w *world) {
			if w.Provider.Abilities(provider.AccessSend).ThreadReplies {
				t.Skip("this access can read")
			}
			_, err := w.open(t, w.Address, provider.AccessSend).Search(t.Context(), provider.Query{Threads: []string{"0123456789abcdef"}, Since: w.Now()})
			is(t, err, provider.ErrAccess)
		},
		"ThreadsFail": func(t *testing.T, w *world) {
			need(t, w.Faults.Answer != nil, "fault Answer")
			l := w.feeder(t)
			w.Faults.Answer(503)
			_, err := l.Search(t.Context(), provider.Query{Threads: []string{"0123456789abcdef"}, Since: w.Now()})
			is(t, err, provider.ErrTemporary)
		},
		"OwnAndJunkByThread": func(t *testing.T, w *world) {
			need(t, w.Reads != nil, "counts of reads")
			l := w.feeder(t)
			from, since := w.Now(), l.profile(t).Cursor
			out := w.compose("carol@example.org", "A position")
			w.send(t, l, out)
			mine := w.ownCopy(t, l, since, out)
			raw, id := w.incoming("carol@example.org", "Re: A position", "Yes", "In-Reply-To: "+mine.MessageID, "References: "+mine.MessageID)
			w.deliver(t, provider.PlaceJunk, raw)
			items := search(t, l, provider.Query{Threads: []string{mine.Thread}, Since: from})
			if envelopes, contents := w.Reads(id); envelopes+contents != 0 {
				t.Errorf("listing a thread read %d envelopes and %d contents", envelopes, contents)
			}
			feed, _, _ := l.feed(t, since)
			if junk := l.find(t, feed, id); !hasItem(items, mine.Ref) || !hasItem(items, junk.Ref) {
				t.Errorf("the thread has our mail %s and %s in Junk, listed are %+v", mine.Ref, junk.Ref, items)
			}
		},
		"ByThread": func(t *testing.T, w *world) {
			l := w.feeder(t)
			since := w.Now()
			first, id := w.incoming("carol@example.org", "A position", "Hello")
			one := w.arrive(t, l, first, id)
			raw, id := w.incoming("dave@example.org", "Re: A position", "Yes", "In-Reply-To: "+one.MessageID, "References: "+one.MessageID)
			cursor := l.profile(t).Cursor
			w.deliver(t, provider.PlaceOther, raw)
			items, _, _ := l.feed(t, cursor)
			two := l.find(t, items, id)
			if two.Thread != one.Thread {
				t.Skipf("the service put an answer into another thread")
			}
			other, id := w.incoming("carol@example.org", "Another matter", "Hello")
			apart := w.arrive(t, l, other, id)
			got := search(t, l, provider.Query{Threads: []string{one.Thread}, Since: since})
			if !hasItem(got, one.Ref) || !hasItem(got, two.Ref) || hasItem(got, apart.Ref) {
				t.Errorf("of the thread of %s and %s, not %s: %+v", one.Ref, two.Ref, apart.Ref, got)
			}
			for _, item := range got {
				if item.Thread != one.Thread {
					t.Errorf("%s is said to lie in thread %q, want %q", item.Ref, item.Thread, one.Thread)
				}
			}
			if got := search(t, l, provider.Query{Threads: []string{"no-such-thread", apart.Thread}, Since: since}); !hasItem(got, apart.Ref) || len(got) != 1 {
				t.Errorf("beside a thread that is none: %+v", got)
			}
			if got := search(t, l, provider.Query{Threads: []string{one.Thread}, Since: two.Received}); hasItem(got, one.Ref) && one.Received.Before(two.Received) || !hasItem(got, two.Ref) {
				t.Errorf("since the second: %+v", got)
			}
			if got := search(t, l, provider.Query{Threads: []string{one.Thread}, Since: since, Limit: 1}); len(got) != 1 || got[0].Ref != two.Ref {
				t.Errorf("the newest one: %+v", got)
			}
			_, err := l.Search(t.Context(), provider.Query{Threads: []string{one.Thread}, From: []string{"carol@example.org"}, Since: since})
			is(t, err, provider.ErrRejected)
			_, err = l.Search(t.Context(), provider.Query{Threads: make([]string, provider.MaxQueryThreads+1), Since: since})
			is(t, err, provider.ErrRejected)
		},
		"Rejected": func(t *testing.T, w *world) {
			l := w.searcher(t)
			many := make([]string, provider.MaxQuerySenders+1)
			for i := range many {
				many[i] = fmt.Sprintf("person%d@example.org", i)
			}
			_, err := l.Search(t.Context(), provider.Query{From: many, Since: w.Now()})
			is(t, err, provider.ErrRejected)
			_, err = l.Search(t.Context(), provider.Query{From: many[:1]})
			is(t, err, provider.ErrRejected)
			_, err = l.Search(t.Context(), provider.Query{System: true, Since: w.Now()})
			is(t, err, provider.ErrRejected)
			if _, err := l.Search(t.Context(), provider.Query{From: many[1:], Since: w.Now()}); err != nil {
				t.Errorf("%d senders: %v", provider.MaxQuerySenders, err)
			}
		},
		"Portal": func(t *testing.T, w *world) {
			need(t, w.Faults.Portal != nil, "fault Portal")
			l := w.searcher(t)
			w.Faults.Portal()
			_, err := l.Search(t.Context(), provider.Query{From: []string{"carol@example.org"}, Since: w.Now()})
			is(t, err, provider.ErrTemporary)
		},
		"OddAddresses": func(t *testing.T, w *world) {
			l := w.searcher(t)
			for _, addr := range []string{
				"x{1}@example.org", "o'neil+cv@example.org", "a|b~c@example.org", "#!$%&*=?^_@example.org", "-ada@example.org", "-@example.org", "+ada@example.org",
			} {
				since := w.Now()
				for _, from := range []string{addr, "somebody.else@example.net"} {
					raw, _ := w.incoming(from, "Hello", "Hello")
					w.deliver(t, provider.PlaceInbox, raw)
				}
				items := search(t, l, provider.Query{From: []string{"nobody@example.org", addr}, Since: since})
				if len(items) != 1 {
					t.Errorf("%d messages of %s, want 1", len(items), addr)
				}
				for _, item := range items {
					if env, err := l.Envelope(t.Context(), item.Ref); err != nil || len(env.From) != 1 || env.From[0].Addr != addr {
						t.Errorf("of %s is found %+v, %v", addr, env, err)
					}
				}
				w.Advance(time.Second)
			}
		},
		"OnlyIdentifiersOfContent": func(t *testing.T, w *world) {
			need(t, w.Reads != nil, "counts of reads")
			l := w.searcher(t)
			since := w.Now()
			raw, id := w.incoming("carol@example.org", "Hello", "Hello")
			w.deliver(t, provider.PlaceInbox, raw)
			search(t, l, provider.Query{From: []string{"carol@example.org"}, Since: since})
			if _, contents := w.Reads(id); contents != 0 {
				t.Errorf("searching read %d contents", contents)
			}
		},
		"Access": func(t *testing.T, w *world) {
			tried := false
			for _, a := range accesses() {
				if ab := w.Provider.Abilities(a); ab.Offered && !ab.SenderReplies {
					tried = true
					_, err := w.open(t, w.Address, a).Search(t.Context(), provider.Query{From: []string{"carol@example.org"}, Since: w.Now()})
					is(t, err, provider.ErrAccess)
				}
			}
			if !tried {
				t.Skip("every access can search")
			}
		},
	}
}
