package providertest

import (
	"fmt"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
)

func changesTests() tests {
	return tests{
		"ToTheEnd": func(t *testing.T, w *world) {
			need(t, w.PageMessages > 0, "known page size (PageMessages)")
			l := w.feeder(t)
			since := l.profile(t).Cursor
			ids := make(map[string]bool)
			for i := range 2*w.PageMessages + 1 {
				raw, id := w.incoming(fmt.Sprintf("person%d@example.org", i), "Hello", "Hello")
				ids[id] = true
				w.Deliver(t, w.Address, provider.PlaceInbox, raw)
			}
			w.Advance(w.Visible)
			var next []provider.Cursor
			var items []provider.Item
			for at := since; ; {
				page, err := l.Changes(t.Context(), at)
				if err != nil {
					t.Fatal(err)
				}
				items = append(items, page.Items...)
				at = page.Next
				next = append(next, at)
				if !page.More {
					break
				}
				if len(next) > maxPages {
					t.Fatal("changes do not end")
				}
			}
			refs := make(map[provider.Ref]bool)
			for _, item := range items {
				refs[item.Ref] = true
			}
			if len(refs) != len(ids) || len(next) < 2 {
				t.Fatalf("%d messages on %d pages, want %d on several", len(refs), len(next), len(ids))
			}
			// Each position is good to start from again: what was read before
			// it and what comes after it make up the whole.
			page, err := l.Changes(t.Context(), since)
			if err != nil {
				t.Fatal(err)
			}
			rest, _, _ := l.feed(t, next[0])
			for _, item := range append(rest, page.Items...) {
				delete(refs, item.Ref)
			}
			if len(refs) != 0 {
				t.Errorf("%d messages are lost when reading goes on from a stored cursor", len(refs))
			}
			if again, _, _ := l.feed(t, next[len(next)-1]); len(again) != 0 {
				t.Errorf("%d messages come after the end", len(again))
			}
		},
		"LaterThanTheFirstPage": func(t *testing.T, w *world) {
			need(t, w.PageMessages > 0, "known page size (PageMessages)")
			l := w.feeder(t)
			since := l.profile(t).Cursor
			for i := range 2*w.PageMessages + 1 {
				raw, _ := w.incoming(fmt.Sprintf("person%d@example.org", i), "Hello", "Hello")
				w.Deliver(t, w.Address, provider.PlaceInbox, raw)
			}
			w.Advance(w.Visible)
			page, err := l.Changes(t.Context(), since)
			if err != nil || !page.More {
				t.Fatalf("more to come: %t, %v", page.More, err)
			}
			// Following began anew from a stored position: all that is visible
			// now is seen at its end, wherever the service had got to.
			for _, place := range []provider.Place{provider.PlaceInbox, provider.PlaceJunk, provider.PlaceOther} {
				before, _, _ := l.feed(t, page.Next)
				raw, id := w.incoming("carol@example.org", "Hello", "Hello")
				w.deliver(t, place, raw)
				after, _, _ := l.feed(t, page.Next)
				l.find(t, slices.DeleteFunc(after, func(it provider.Item) bool { return hasItem(before, it.Ref) }), id)
			}
		},
		"Moved": func(t *testing.T, w *world) {
			need(t, w.Faults.Move != nil, "fault Move")
			l := w.feeder(t)
			raw, id := w.incoming("carol@example.org", "Hello", "Hello")
			env := w.arrive(t, l, raw, id)
			for _, place := range []provider.Place{provider.PlaceOther, provider.PlaceJunk, provider.PlaceInbox} {
				since := l.profile(t).Cursor
				w.Faults.Move(t, id, place)
				w.Advance(w.Visible)
				l.feed(t, since)
				now, err := l.Envelope(t.Context(), env.Ref)
				if err != nil || now.Ref != env.Ref || now.Thread != env.Thread || now.Place != place {
					t.Errorf("moved to %q: %+v, %v", place, now, err)
				}
			}
		},
		"Portal": func(t *testing.T, w *world) {
			need(t, w.Faults.Portal != nil, "fault Portal")
			l := w.feeder(t)
			since := l.profile(t).Cursor
			w.Faults.Portal()
			_, err := l.Changes(t.Context(), since)
			is(t, err, provider.ErrTemporary)
			w.Faults.Portal()
			_, err = l.Profile(t.Context())
			is(t, err, provider.ErrTemporary)
		},
		"NothingNew": func(t *testing.T, w *world) {
			l := w.feeder(t)
			page, err := l.Changes(t.Context(), l.profile(t).Cursor)
			if err != nil || len(page.Items)+len(page.Gone) != 0 || page.More || page.Next == "" {
				t.Errorf("%+v %v", page, err)
			}
		},
		"OwnMail": func(t *testing.T, w *world) {
			l := w.feeder(t)
			since := l.profile(t).Cursor
			out := w.compose("carol@example.org", "A position")
			w.send(t, l, out)
			if env := w.ownCopy(t, l, since, out); !env.Own && env.Place != provider.PlaceSent {
				t.Errorf("nothing tells that it is our own: %+v", env)
			}
		},
		"Gone": func(t *testing.T, w *world) {
			need(t, w.Faults.Delete != nil, "fault Delete")
			l := w.feeder(t)
			raw, id := w.incoming("carol@example.org", "Hello", "Hello")
			env := w.arrive(t, l, raw, id)
			since := l.profile(t).Cursor
			w.Faults.Delete(t, id)
			items, gone, _ := l.feed(t, since)
			if !slices.Contains(gone, env.Ref) || hasItem(items, env.Ref) {
				t.Errorf("a deleted message is not told as gone: %v %v", gone, items)
			}
			_, err := l.Envelope(t.Context(), env.Ref)
			is(t, err, provider.ErrNotFound)
		},
		"OnlyIdentifiers": func(t *testing.T, w *world) {
			need(t, w.Reads != nil, "counts of reads")
			l := w.feeder(t)
			since := l.profile(t).Cursor
			raw, id := w.incoming("carol@example.org", "Hello", "Hello")
			w.deliver(t, provider.PlaceInbox, raw)
			l.feed(t, since)
			if envelopes, contents := w.Reads(id); envelopes+contents != 0 {
				t.Errorf("reading the feed read %d envelopes and %d contents", envelopes, contents)
			}
		},
		"EveryFolder": func(t *testing.T, w *world) {
			l := w.feeder(t)
			for _, place := range []provider.Place{provider.PlaceInbox, provider.PlaceJunk, provider.PlaceOther} {
				since := l.profile(t).Cursor
				raw, id := w.incoming("carol@example.org", "Hello", "Hello")
				w.deliver(t, place, raw)
				items, _, _ := l.feed(t, since)
				if env := l.find(t, items, id); env.Place != place {
					t.Errorf("a message in %q lies in %q", place, env.Place)
				}
			}
		},
		"BadCursor": func(t *testing.T, w *world) {
			l := w.feeder(t)
			good := l.profile(t).Cursor
			for _, c := range []provider.Cursor{
				"", "garbage", "\x00", "{}", provider.Cursor(strings.Repeat("x", provider.MaxCursor+1)), "x" + good,
			} {
				_, err := l.Changes(t.Context(), c)
				is(t, err, provider.ErrRejected)
			}
		},
		"ForeignCursor": func(t *testing.T, w *world) {
			l := w.feeder(t)
			_, err := l.Changes(t.Context(), w.open(t, w.Peer, l.account.Access).profile(t).Cursor)
			is(t, err, provider.ErrRejected)
		},
		"Expired": func(t *testing.T, w *world) {
			need(t, w.Faults.ExpireCursors != nil, "fault ExpireCursors")
			l := w.feeder(t)
			since := l.profile(t).Cursor
			raw, _ := w.incoming("carol@example.org", "Hello", "Hello")
			w.deliver(t, provider.PlaceInbox, raw)
			w.Faults.ExpireCursors()
			_, err := l.Changes(t.Context(), since)
			is(t, err, provider.ErrCursorExpired)
			if _, err := l.Changes(t.Context(), l.profile(t).Cursor); err != nil {
				t.Errorf("a new position: %v", err)
			}
		},
		"Fails": func(t *testing.T, w *world) {
			need(t, w.Faults.Answer != nil && w.Faults.Throttle != nil, "faults Answer and Throttle")
			l := w.feeder(t)
			since := l.profile(t).Cursor
			w.Faults.Answer(503)
			_, err := l.Changes(t.Context(), since)
			is(t, err, provider.ErrTemporary)
			w.Faults.Throttle(time.Minute)
			_, err = l.Changes(t.Context(), since)
			is(t, err, provider.ErrThrottled)
		},
		"Access": func(t *testing.T, w *world) {
			if w.Provider.Abilities(provider.AccessSend).ThreadReplies {
				t.Skip("this access can read")
			}
			_, err := w.open(t, w.Address, provider.AccessSend).Changes(t.Context(), "x")
			typed(t, err)
			if err == nil {
				t.Error("changes were read without access")
			}
		},
	}
}

func envelopeTests() tests {
	return tests{
		"Headers": func(t *testing.T, w *world) {
			l := w.feeder(t)
			raw, id := w.incoming("=?utf-8?q?Car=C3=B6l?= <carol@example.org>", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Hello",
				"Reply-To: carol.private@example.net", "Cc: dan@example.org, Eve <eve@example.org>", "In-Reply-To: <b@example.com>",
				"References: <a@example.com>\r\n <b@example.com>", "Auto-Submitted: auto-replied", "x-failed-recipients: gone@example.org",
				"X-Of-No-Concern: private", `Content-Type: text/plain; charset="utf-8"`)
			before := w.Now()
			env := w.arrive(t, l, raw, id)
			for name, ok := range map[string]bool{
				"From":        len(env.From) == 1 && env.From[0] == provider.Address{Name: "Caröl", Addr: "carol@example.org"},
				"Subject":     env.Subject == "Grüße",
				"MessageID":   env.MessageID == id,
				"ReplyTo":     len(env.ReplyTo) == 1 && env.ReplyTo[0].Addr == "carol.private@example.net",
				"To":          len(env.To) == 1 && env.To[0].Addr == w.Address,
				"Cc":          len(env.Cc) == 2 && env.Cc[1] == provider.Address{Name: "Eve", Addr: "eve@example.org"},
				"InReplyTo":   slices.Equal(env.InReplyTo, []string{"<b@example.com>"}),
				"References":  slices.Equal(env.References, []string{"<a@example.com>", "<b@example.com>"}),
				"ContentType": env.ContentType == "text/plain",
				"Date":        env.Date.Equal(before.Truncate(time.Second)),
				"Received":    !env.Received.Before(before.Truncate(time.Second)) && !env.Received.After(w.Now()),
				"Thread":      env.Thread != "",
				"Place":       env.Place == provider.PlaceInbox,
				"Own, Draft":  !env.Own && !env.Draft,
				"Header":      env.Header.Get("Auto-Submitted") == "auto-replied" && env.Header.Get("X-Failed-Recipients") == "gone@example.org",
			} {
				if env.Partial && slices.Contains([]string{"InReplyTo", "References", "ContentType", "Header"}, name) {
					continue // which the service did not show, and says so
				}
				if !ok {
					t.Errorf("%s is wrong in %+v", name, env)
				}
			}
			if ab := w.Provider.Abilities(l.account.Access); env.Partial && ab.Content {
				t.Error("headers are kept back over an access that reads content")
			}
			allowed := make(map[string]bool)
			for _, name := range provider.EnvelopeHeaders() {
				allowed[textproto.CanonicalMIMEHeaderKey(name)] = true
			}
			for name := range env.Header {
				if !allowed[name] {
					t.Errorf("Header holds %q: not canonical, or not among EnvelopeHeaders", name)
				}
			}
		},
		"ReadsNoContent": func(t *testing.T, w *world) {
			need(t, w.Reads != nil, "counts of reads")
			l := w.feeder(t)
			raw, id := w.incoming("carol@example.org", "Hello", "Hello")
			env := w.arrive(t, l, raw, id)
			before, _ := w.Reads(id)
			if _, err := l.Envelope(t.Context(), env.Ref); err != nil {
				t.Fatal(err)
			}
			if after, contents := w.Reads(id); after != before+1 || contents != 0 {
				t.Errorf("%d envelope reads and %d content reads for one envelope", after-before, contents)
			}
		},
		"NotFound": func(t *testing.T, w *world) {
			need(t, w.Faults.Delete != nil, "fault Delete")
			l := w.feeder(t)
			raw, id := w.incoming("carol@example.org", "Hello", "Hello")
			env := w.arrive(t, l, raw, id)
			w.Faults.Delete(t, id)
			_, err := l.Envelope(t.Context(), env.Ref)
			is(t, err, provider.ErrNotFound)
		},
		"Malformed": func(t *testing.T, w *world) {
			l := w.feeder(t)
			since := l.profile(t).Cursor
			w.deliver(t, provider.PlaceInbox, []byte("From: <<broken\r\nTo: ;;,\r\nDate: yesterday\r\nReferences: <a\r\nContent-Type: ///\r\n\r\nx"))
			items, _, _ := l.feed(t, since)
			if len(items) == 0 {
				t.Fatal("a malformed message is not in the feed")
			}
			if env, err := l.Envelope(t.Context(), items[0].Ref); err != nil || env.Ref != items[0].Ref {
				t.Errorf("%+v %v", env, err)
			}
		},
		"Access": func(t *testing.T, w *world) {
			l := w.feeder(t)
			raw, id := w.incoming("carol@example.org", "Hello", "Hello")
			env := w.arrive(t, l, raw, id)
			_, err := w.open(t, w.Address, provider.AccessSend).Envelope(t.Context(), env.Ref)
			is(t, err, provider.ErrAccess)
		},
	}
}
