package providertest

import (
	"errors"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// lost sends a mail that does not arrive and returns what to look for.
func (w *world) lost(t *testing.T, l *link) provider.SendKey {
	t.Helper()
	need(t, w.Faults.LoseRequest != nil, "fault LoseRequest")
	cursor := l.profile(t).Cursor
	out := w.compose("carol@example.org", "A position")
	key := w.keyOf(out, cursor)
	w.Faults.LoseRequest()
	_, err := l.Send(t.Context(), out)
	is(t, err, provider.ErrOutcomeUnknown)
	return key
}

// sent sends a mail that arrives and returns what to look for.
func (w *world) sentKey(t *testing.T, l *link) provider.SendKey {
	t.Helper()
	cursor := l.profile(t).Cursor
	out := w.compose("carol@example.org", "A position")
	key := w.keyOf(out, cursor)
	w.send(t, l, out)
	return key
}

func (w *world) settle(key provider.SendKey) {
	w.Advance(key.Deadline.Add(w.Provider.Limits().Settle).Sub(w.Now()) + time.Second)
}

func located(t *testing.T, l *link, key provider.SendKey) []provider.Located {
	t.Helper()
	found, err := l.Locate(t.Context(), key)
	if err != nil {
		t.Fatalf("locate: %v", err)
	}
	if len(found) == 0 {
		t.Fatal("neither a copy nor an error")
	}
	return found
}

func locateTests() tests {
	return tests{
		"Found": func(t *testing.T, w *world) {
			l := w.locator(t)
			key := w.sentKey(t, l)
			for _, c := range located(t, l, key) {
				if c.Ref == "" || c.Thread == "" || c.MessageID == "" || c.Place != provider.PlaceSent || !c.Departed() {
					t.Errorf("found %+v", c)
				}
			}
		},
		"FoundAfterTheAnswerWasLost": func(t *testing.T, w *world) {
			need(t, w.Faults.LoseAnswer != nil, "fault LoseAnswer")
			l := w.locator(t)
			cursor := l.profile(t).Cursor
			out := w.compose("carol@example.org", "A position")
			w.Faults.LoseAnswer(nil)
			_, err := l.Send(t.Context(), out)
			is(t, err, provider.ErrOutcomeUnknown)
			w.Advance(w.Visible)
			located(t, l, w.keyOf(out, cursor))
		},
		"NotSettled": func(t *testing.T, w *world) {
			l := w.locator(t)
			key := w.lost(t, l)
			settled := key.Deadline.Add(w.Provider.Limits().Settle)
			for _, at := range []time.Time{w.Now(), key.Deadline.Add(time.Second), settled.Add(-time.Second)} {
				w.Advance(at.Sub(w.Now()))
				_, err := l.Locate(t.Context(), key)
				is(t, err, provider.ErrNotSettled)
				var e *provider.Error
				if errors.As(err, &e) && (e.Until.Before(settled) || !e.Until.After(w.Now())) {
					t.Errorf("ask again at %s; the mail has settled at %s", e.Until, settled)
				}
			}
		},
		"NotSent": func(t *testing.T, w *world) {
			l := w.locator(t)
			key := w.lost(t, l)
			w.settle(key)
			_, err := l.Locate(t.Context(), key)
			is(t, err, provider.ErrNotSent)
		},
		"NotSentBesideOtherMail": func(t *testing.T, w *world) {
			l := w.locator(t)
			key := w.lost(t, l)
			w.send(t, l, w.compose("carol@example.org", "A position"))
			raw, _ := w.incoming("carol@example.org", "Re: A position", "Yes")
			w.deliver(t, provider.PlaceInbox, raw)
			w.settle(key)
			_, err := l.Locate(t.Context(), key)
			is(t, err, provider.ErrNotSent)
		},
		"NotProven": func(t *testing.T, w *world) {
			l := w.locator(t)
			key := w.lost(t, l)
			key.Proven = false
			w.settle(key)
			_, err := l.Locate(t.Context(), key)
			is(t, err, provider.ErrOutcomeUnknown)
		},
		"NoCopiesKept": func(t *testing.T, w *world) {
			need(t, w.Faults.HideSentCopies != nil, "fault HideSentCopies")
			l := w.locator(t)
			w.Faults.HideSentCopies()
			key := w.sentKey(t, l)
			key.Proven = false
			w.settle(key)
			_, err := l.Locate(t.Context(), key)
			is(t, err, provider.ErrOutcomeUnknown)
		},
		"NoCursor": func(t *testing.T, w *world) {
			need(t, w.Faults.Delete != nil, "fault Delete")
			l := w.locator(t)
			key := w.sentKey(t, l)
			key.Cursor = ""
			w.Faults.Delete(t, key.MessageID)
			w.settle(key)
			gone(t, l, key)
		},
		"CopyDeleted": func(t *testing.T, w *world) {
			need(t, w.Faults.Delete != nil, "fault Delete")
			l := w.locator(t)
			key := w.sentKey(t, l)
			w.Faults.Delete(t, key.MessageID)
			w.settle(key)
			gone(t, l, key)
		},
		"CopyMoved": func(t *testing.T, w *world) {
			need(t, w.Faults.Move != nil, "fault Move")
			l := w.locator(t)
			key := w.sentKey(t, l)
			w.Faults.Move(t, key.MessageID, provider.PlaceOther)
			w.settle(key)
			for _, c := range located(t, l, key) {
				if !c.Departed() {
					t.Errorf("a copy that was filed away counts as not sent: %+v", c)
				}
			}
		},
		"CopyDeletedAndCursorExpired": func(t *testing.T, w *world) {
			need(t, w.Faults.Delete != nil && w.Faults.ExpireCursors != nil, "faults Delete and ExpireCursors")
			l := w.locator(t)
			key := w.sentKey(t, l)
			w.Faults.Delete(t, key.MessageID)
			w.Faults.ExpireCursors()
			w.settle(key)
			gone(t, l, key)
		},
		"CopyComesLate": func(t *testing.T, w *world) {
			need(t, w.Faults.DelaySentCopies != nil, "fault DelaySentCopies")
			l := w.locator(t)
			delay := w.Provider.Limits().Settle / 2
			w.Faults.DelaySentCopies(delay)
			key := w.sentKey(t, l)
			_, err := l.Locate(t.Context(), key)
			is(t, err, provider.ErrNotSettled)
			w.Advance(delay)
			located(t, l, key)
		},
		"AcceptedReadsNothingElse": func(t *testing.T, w *world) {
			need(t, w.Faults.DelaySentCopies != nil && w.Reads != nil, "fault DelaySentCopies and counts of reads")
			l := w.locator(t)
			delay := w.Provider.Limits().Settle / 2
			w.Faults.DelaySentCopies(delay)
			key := w.sentKey(t, l)
			key.Accepted = true
			w.Faults.DelaySentCopies(0)
			other := w.compose("dave@example.org", "Lunch")
			w.send(t, l, other)
			_, err := l.Locate(t.Context(), key)
			is(t, err, provider.ErrNotSettled)
			if envelopes, contents := w.Reads(other.MessageID); envelopes+contents != 0 {
				t.Errorf("of another mail %d envelopes and %d contents were read", envelopes, contents)
			}
			w.Advance(delay)
			if l.account.Access.Includes(provider.AccessReplies) {
				located(t, l, key)
			}
			key = w.lost(t, l)
			key.Accepted = true
			w.settle(key)
			_, err = l.Locate(t.Context(), key)
			is(t, err, provider.ErrOutcomeUnknown)
		},
		"DraftHasNotDeparted": func(t *testing.T, w *world) {
			need(t, w.Faults.Draft != nil, "fault Draft")
			l := w.locator(t)
			cursor := l.profile(t).Cursor
			out := w.compose("carol@example.org", "A position")
			key := w.keyOf(out, cursor)
			w.Faults.Draft(t, out.Raw)
			w.Advance(w.Visible)
			w.settle(key)
			for _, c := range located(t, l, key) {
				if c.Departed() {
					t.Errorf("a draft counts as sent: %+v", c)
				}
			}
		},
		"AskingFails": func(t *testing.T, w *world) {
			need(t, w.Faults.Answer != nil, "fault Answer")
			l := w.locator(t)
			key := w.lost(t, l)
			w.settle(key)
			for _, status := range []int{403, 404, 429, 500, 503} {
				w.Faults.Answer(status)
				_, err := l.Locate(t.Context(), key)
				unsure(t, err)
			}
			w.Faults.Answer(503)
			_, err := l.Locate(t.Context(), key)
			is(t, err, provider.ErrTemporary)
		},
		"Portal": func(t *testing.T, w *world) {
			need(t, w.Faults.Portal != nil, "fault Portal")
			l := w.locator(t)
			key := w.sentKey(t, l)
			w.settle(key)
			w.Faults.Portal()
			_, err := l.Locate(t.Context(), key)
			is(t, err, provider.ErrTemporary)
		},
		"AskingFailsOverASentMail": func(t *testing.T, w *world) {
			need(t, w.Faults.Answer != nil, "fault Answer")
			l := w.locator(t)
			key := w.sentKey(t, l)
			w.settle(key)
			for _, status := range []int{404, 500} {
				w.Faults.Answer(status)
				if _, err := l.Locate(t.Context(), key); errors.Is(err, provider.ErrNotSent) {
					t.Errorf("%d over a sent mail: %v", status, err)
				}
			}
		},
		"ForeignCursor": func(t *testing.T, w *world) {
			l := w.locator(t)
			key := w.lost(t, l)
			key.Cursor = w.open(t, w.Peer, l.account.Access).profile(t).Cursor
			w.settle(key)
			_, err := l.Locate(t.Context(), key)
			unsure(t, err)
		},
		"WithoutReadAccess": func(t *testing.T, w *world) {
			l := w.open(t, w.Address, provider.AccessSend)
			if w.Provider.Abilities(provider.AccessSend).Locate != provider.ReachNone {
				t.Skip("this access can locate")
			}
			key := w.sentKey(t, l)
			for range 2 {
				_, err := l.Locate(t.Context(), key)
				is(t, err, provider.ErrOutcomeUnknown)
				w.settle(key)
			}
		},
	}
}
