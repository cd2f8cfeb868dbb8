package providertest

import (
	"testing"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
)

// abilityTests has one test for each access and each cell of its column.
func abilityTests() tests {
	list := tests{
		"UnknownAccess": func(t *testing.T, w *world) {
			for _, a := range []provider.Access{"", "everything"} {
				if ab := w.Provider.Abilities(a); ab != (provider.Abilities{}) {
					t.Errorf("access %q is able: %+v", a, ab)
				}
			}
		},
		"MoreAccessIsNotLess": func(t *testing.T, w *world) {
			all := accesses()
			for i, more := range all {
				for _, less := range all[i+1:] {
					m, l := w.Provider.Abilities(more), w.Provider.Abilities(less)
					if !m.Offered || !l.Offered {
						continue
					}
					if l.ThreadReplies && !m.ThreadReplies || l.SenderReplies && !m.SenderReplies || l.Content && !m.Content || l.Preview && !m.Preview {
						t.Errorf("%q can't what %q can: %+v, %+v", more, less, m, l)
					}
				}
			}
		},
	}
	cells := map[string]func(*testing.T, *world, *link, provider.Abilities){
		"Locate":        locateCell,
		"ThreadReplies": threadCell,
		"SenderReplies": senderCell,
		"AutoReplies":   autoReplyCell,
		"Reports":       reportCell,
		"Content":       contentCell,
		"Preview":       previewCell,
	}
	for _, access := range accesses() {
		for name, cell := range cells {
			list[string(access)+"/"+name] = func(t *testing.T, w *world) {
				cell(t, w, w.open(t, w.Address, access), w.Provider.Abilities(access))
			}
		}
	}
	return list
}

// envelopeAccessTests are what sending, locating and reading headers must do,
// over AccessEnvelopes.
func envelopeAccessTests() tests {
	list := make(tests)
	for group, of := range map[string]tests{
		"Profile": profileTests(), "Send": sendTests(), "Locate": locateTests(), "Changes": changesTests(), "Search": searchTests(), "Envelope": envelopeTests(),
	} {
		for name, test := range of {
			list[group+name] = func(t *testing.T, w *world) {
				w.only = provider.AccessEnvelopes
				test(t, w)
			}
		}
	}
	return list
}

func locateCell(t *testing.T, w *world, l *link, ab provider.Abilities) {
	cursor := l.profile(t).Cursor
	first := w.compose("carol@example.org", "A position")
	key := w.keyOf(first, cursor)
	r := w.send(t, l, first)
	switch ab.Locate {
	case provider.ReachMailbox:
		located(t, l, key)
	case provider.ReachThread:
		located(t, l, key) // in what was sent since the cursor
		id, thread := w.realID(t, l, key)
		if r.Thread != "" && r.Thread != thread {
			t.Errorf("the receipt says thread %q, the copy lies in %q", r.Thread, thread)
		}
		second := w.compose("carol@example.org", "Re: A position", "In-Reply-To: "+id, "References: "+id)
		second.Thread = provider.Thread{ID: thread, InReplyTo: id, References: []string{id}, Subject: "A position"}
		key = w.keyOf(second, cursor)
		w.send(t, l, second)
		located(t, l, key)
	default:
		_, err := l.Locate(t.Context(), key)
		is(t, err, provider.ErrOutcomeUnknown)
	}
}

func threadCell(t *testing.T, w *world, l *link, ab provider.Abilities) {
	if !ab.ThreadReplies {
		_, err := l.Changes(t.Context(), "x")
		is(t, err, provider.ErrAccess)
		return
	}
	began, since := w.Now(), l.profile(t).Cursor
	out := w.compose("carol@example.org", "A position")
	w.send(t, l, out)
	mine := w.ownCopy(t, l, since, out)
	raw, id := w.incoming("carol@example.org", "Re: A position", "Yes", "In-Reply-To: "+mine.MessageID, "References: "+mine.MessageID)
	env := w.arrive(t, l, raw, id)
	if len(env.InReplyTo) != 1 && !env.Partial || env.Thread != mine.Thread {
		t.Errorf("the answer cites %v in thread %q, want %s in %q", env.InReplyTo, env.Thread, mine.MessageID, mine.Thread)
	}
	items, err := l.Search(t.Context(), provider.Query{Threads: []string{mine.Thread}, Since: began})
	if err != nil || !hasItem(items, env.Ref) {
		t.Errorf("the answer is not among what lies in the thread: %+v, %v", items, err)
	}
}

// ownCopy finds our copy of a mail in the feed, by its key.
func (w *world) ownCopy(t *testing.T, l *link, since provider.Cursor, out *provider.Outgoing) *provider.Envelope {
	t.Helper()
	items, _, _ := l.feed(t, since)
	for _, item := range items {
		env, err := l.Envelope(t.Context(), item.Ref)
		if err != nil {
			t.Fatal(err)
		}
		if env.Header.Get(provider.KeyHeader) == out.Key || provider.BareID(env.MessageID) == provider.BareID(out.MessageID) {
			return env
		}
	}
	t.Fatalf("our own copy is not among %d items", len(items))
	return nil
}

func senderCell(t *testing.T, w *world, l *link, ab provider.Abilities) {
	q := provider.Query{From: []string{"carol@example.org"}, Since: w.Now()}
	raw, _ := w.incoming("carol@example.org", "About your mail", "Yes")
	w.deliver(t, provider.PlaceInbox, raw)
	items, err := l.Search(t.Context(), q)
	if !ab.SenderReplies {
		is(t, err, provider.ErrAccess)
		return
	}
	if err != nil || len(items) != 1 {
		t.Errorf("an answer in a new thread: %d found, %v", len(items), err)
	}
}

func autoReplyCell(t *testing.T, w *world, l *link, ab provider.Abilities) {
	if ab.AutoReplies == provider.DetectNone {
		t.Skip("not promised")
	}
	raw, id := w.incoming("carol@example.org", "Automatic reply", "Back on Monday", "Auto-Submitted: auto-replied")
	env := w.arrive(t, l, raw, id)
	if env.Partial && ab.AutoReplies != provider.DetectContent {
		if v := classify.Classify(env, nil); v.Class == classify.Human {
			t.Errorf("nothing tells who wrote it, and it is taken for a person's: %+v", v)
		}
		return
	}
	if ab.AutoReplies != provider.DetectSender && env.Header.Get("Auto-Submitted") != "auto-replied" {
		t.Errorf("the header that tells is missing: %v", env.Header)
	}
	if ab.AutoReplies == provider.DetectContent {
		if msg, err := l.Content(t.Context(), w.warrant(t, l, env)); err != nil || msg.Text == "" {
			t.Errorf("content %+v, %v", msg, err)
		}
	}
}

func reportCell(t *testing.T, w *world, l *link, ab provider.Abilities) {
	if ab.Reports == provider.DetectNone {
		_, err := l.Search(t.Context(), provider.Query{System: true, From: []string{"gone@example.org"}, Since: w.Now()})
		is(t, err, provider.ErrAccess)
		return
	}
	out := w.compose("gone@example.org", "A position")
	since := w.Now()
	w.send(t, l, out)
	kind, body := bounceOf(out, "gone@example.org")
	raw, id := w.incoming("MAILER-DAEMON@mx.example.org", "Undelivered", body, kind)
	env := w.arrive(t, l, raw, id)
	items, err := l.Search(t.Context(), provider.Query{System: true, From: []string{"gone@example.org"}, Since: since})
	if err != nil || !hasItem(items, env.Ref) {
		t.Errorf("the report is not among the system senders' mail: %+v, %v", items, err)
	}
	m := provider.Match(env, &provider.Known{Account: l.account, Sent: []provider.Sent{{
		Key: "c", MessageIDs: []string{out.MessageID}, Recipients: []string{"gone@example.org"}, First: since, Last: since,
	}}})
	if m.Direction != provider.DirectionReport {
		t.Errorf("a report is %+v", m)
	}
	if ab.Reports == provider.DetectContent {
		msg, err := l.Content(t.Context(), m.Warrant)
		if err != nil || msg.Report == nil || provider.BareID(msg.Report.OriginalMessageID) != provider.BareID(out.MessageID) {
			t.Errorf("report %+v, %v", msg, err)
		}
	}
}

func contentCell(t *testing.T, w *world, l *link, ab provider.Abilities) {
	// An access that can't read the mail still needs its Ref, which one that
	// can has to find.
	finder := l
	if !ab.ThreadReplies {
		finder = w.feeder(t)
	}
	raw, id := w.incoming("carol@example.org", "Hello", "Hello")
	env := w.arrive(t, finder, raw, id)
	msg, err := l.Content(t.Context(), w.warrant(t, l, env))
	if !ab.Content {
		is(t, err, provider.ErrAccess)
		_, err = l.Attachment(t.Context(), w.warrant(t, l, env), "1")
		is(t, err, provider.ErrAccess)
		if w.Reads != nil {
			if _, contents := w.Reads(id); contents != 0 {
				t.Errorf("%d contents were read", contents)
			}
		}
		return
	}
	if err != nil || msg.Text == "" {
		t.Errorf("content %+v, %v", msg, err)
	}
}

func previewCell(t *testing.T, w *world, l *link, ab provider.Abilities) {
	cursor := l.profile(t).Cursor
	out := w.compose(w.Address, "Preview")
	key := w.keyOf(out, cursor)
	w.send(t, l, out)
	w.accepted(t, out, 1)
	if !ab.Preview {
		_, err := l.Locate(t.Context(), key)
		is(t, err, provider.ErrOutcomeUnknown)
		return
	}
	arrived := false
	for _, c := range located(t, l, key) {
		arrived = arrived || c.Place == provider.PlaceInbox
	}
	if !arrived {
		t.Error("the preview is not proven to have arrived")
	}
}
