package providertest

import (
	"testing"

	"github.com/outreachkit/outreach/provider"
)

// realID is the Message-ID under which a sent mail is known to others, and
// the thread it lies in.
func (w *world) realID(t *testing.T, l *link, key provider.SendKey) (id, thread string) {
	t.Helper()
	found := located(t, l, key)
	return found[0].MessageID, found[0].Thread
}

func conversationTests() tests {
	return tests{
		"FollowUpJoinsTheThread": func(t *testing.T, w *world) {
			l := w.locator(t)
			peer := w.open(t, w.Peer, l.account.Access)
			mine, theirs := l.profile(t).Cursor, peer.profile(t).Cursor
			first := w.compose(w.Peer, "A position")
			key := w.keyOf(first, mine)
			r := w.send(t, l, first)
			id, thread := w.realID(t, l, key)
			if r.Thread != "" && r.Thread != thread {
				t.Errorf("the receipt says thread %q, the copy lies in %q", r.Thread, thread)
			}
			second := w.compose(w.Peer, "Re: A position", "In-Reply-To: "+id, "References: "+id)
			second.Thread = provider.Thread{ID: thread, InReplyTo: id, References: []string{id}, Subject: "A position"}
			key = w.keyOf(second, mine)
			w.send(t, l, second)
			if _, joined := w.realID(t, l, key); joined != thread {
				t.Errorf("the follow-up lies in thread %q, want %q", joined, thread)
			}
			items, _, _ := peer.feed(t, theirs)
			threads := make(map[string]int)
			refs := make(map[provider.Ref]bool)
			for _, item := range items {
				env, err := peer.Envelope(t.Context(), item.Ref)
				if err != nil {
					t.Fatal(err)
				}
				if !refs[env.Ref] {
					threads[env.Thread]++
				}
				refs[env.Ref] = true
			}
			if len(refs) != 2 || len(threads) != 1 {
				t.Errorf("the recipient sees %d messages in %d threads, want 2 in 1", len(refs), len(threads))
			}
		},
		"AnswerIsMatched": func(t *testing.T, w *world) {
			l := w.locator(t)
			since := l.profile(t).Cursor
			out := w.compose("carol@example.org", "A position")
			key := w.keyOf(out, since)
			sentAt := w.Now()
			w.send(t, l, out)
			id, thread := w.realID(t, l, key)
			known := &provider.Known{Account: l.account, Sent: []provider.Sent{{
				Key: "c", MessageIDs: []string{out.MessageID, id}, SendKeys: []string{out.Key}, Threads: []string{thread},
				Recipients: []string{"carol@example.org"}, First: sentAt, Last: sentAt,
			}}}
			raw, inID := w.incoming("assistant@example.org", "Re: A position", "She is interested.", "In-Reply-To: "+id, "References: "+id)
			m := provider.Match(w.arrive(t, l, raw, inID), known)
			if m.Direction != provider.DirectionIn || len(m.Hits) != 1 || m.Hits[0].Evidence != provider.EvidenceReference {
				t.Errorf("an answer is %+v", m)
			}
			items, _, _ := l.feed(t, since)
			copies := 0
			for _, item := range items {
				env, err := l.Envelope(t.Context(), item.Ref)
				if err != nil {
					t.Fatal(err)
				}
				if provider.Match(env, known).Direction == provider.DirectionSent {
					copies++
				}
			}
			if copies == 0 {
				t.Error("our own copy is not recognised")
			}
		},
		"SelfMail": func(t *testing.T, w *world) {
			l := w.locator(t)
			cursor := l.profile(t).Cursor
			out := w.compose(w.Address, "Preview")
			key := w.keyOf(out, cursor)
			w.send(t, l, out)
			w.accepted(t, out, 1)
			places := make(map[provider.Place]bool)
			for _, c := range located(t, l, key) {
				places[c.Place] = true
			}
			if !places[provider.PlaceSent] || !places[provider.PlaceInbox] {
				t.Errorf("a mail to oneself lies in %v, want Sent and Inbox", places)
			}
		},
	}
}
