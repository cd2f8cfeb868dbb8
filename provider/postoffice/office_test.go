package postoffice

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

type world struct {
	*Office
	clock    *Clock
	ada, bob *Mailbox
}

func newWorld(t *testing.T) *world {
	t.Helper()
	clock := NewClock(start)
	o, err := New(Config{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	ada, err := o.AddMailbox(MailboxConfig{Address: "ada@example.com", Name: "Ada", Aliases: []string{"recruiting@example.com"}, Service: "gmail"})
	if err != nil {
		t.Fatal(err)
	}
	bob, err := o.AddMailbox(MailboxConfig{Address: "bob@example.net", Name: "Bob", Service: "gmail"})
	if err != nil {
		t.Fatal(err)
	}
	return &world{Office: o, clock: clock, ada: ada, bob: bob}
}

func text(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n\r\nHello.\r\n") }

func outgoing(id, to, subject string, more ...string) []byte {
	return text(append([]string{"From: Ada <ada@example.com>", "To: " + to, "Subject: " + subject, "Message-ID: " + id,
		provider.KeyHeader + ": key-" + id}, more...)...)
}

func submit(t *testing.T, m *Mailbox, thread int64, raw []byte) Message {
	t.Helper()
	msg, err := m.Submit(SubmitParams{Raw: raw, Thread: thread})
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func visible(m *Mailbox) []Message { return slices.Collect(m.Visible()) }

func TestClockRunsWhatIsDueInOrder(t *testing.T) {
	c := NewClock(start)
	var got []string
	note := func(s string) func() {
		return func() { got = append(got, s+" "+c.Now().Sub(start).String()) }
	}
	c.At(start.Add(2*time.Hour), note("c"))
	c.At(start.Add(time.Hour), func() {
		note("a")()
		c.At(c.Now().Add(30*time.Minute), note("nested"))
	})
	c.At(start.Add(time.Hour), note("b"))
	c.At(start.Add(9*time.Hour), note("never"))
	c.Advance(3 * time.Hour)
	want := []string{"a 1h0m0s", "b 1h0m0s", "nested 1h30m0s", "c 2h0m0s"}
	if !slices.Equal(got, want) || !c.Now().Equal(start.Add(3*time.Hour)) {
		t.Fatalf("ran %v at %v, want %v", got, c.Now(), want)
	}
	c.Set(start)
	if !c.Now().Equal(start.Add(3 * time.Hour)) {
		t.Fatal("Set moved time backwards")
	}
	if n, next := c.Pending(); n != 1 || !next.Equal(start.Add(9*time.Hour)) {
		t.Fatalf("pending %d at %v", n, next)
	}
}

func TestSubmitDeliversWithoutBcc(t *testing.T) {
	w := newWorld(t)
	raw := outgoing("<1@example.com>", "bob@example.net", "Hello", "Cc: carol@example.org", "Bcc: dan@example.org,\r\n eve@example.org")
	sent := submit(t, w.ada, 0, raw)
	if !sent.Own || !sent.Has(LabelSent) || !bytes.Contains(sent.Raw, []byte("eve@example.org")) {
		t.Fatalf("sent copy %+v", sent)
	}
	in := visible(w.bob)
	if len(in) != 1 || !in[0].Has(LabelInbox) || in[0].Own || in[0].MessageID != "<1@example.com>" {
		t.Fatalf("bob has %+v", in)
	}
	if bytes.Contains(in[0].Raw, []byte("dan@")) || bytes.Contains(in[0].Raw, []byte("eve@")) {
		t.Fatalf("Bcc reached the recipient:\n%s", in[0].Raw)
	}
	subs := w.Books().SentFrom("recruiting@example.com")
	if len(subs) != 1 || len(subs[0].Recipients) != 4 || subs[0].Key != "key-<1@example.com>" || !bytes.Equal(subs[0].Raw, raw) {
		t.Fatalf("books %+v", subs)
	}
	if n := len(w.Books().Deliveries()); n != 4 {
		t.Fatalf("%d deliveries, want 4", n)
	}
}

func TestSubmitRefuses(t *testing.T) {
	w := newWorld(t)
	b := w.ada.Beliefs()
	b.RewritesFrom = false
	w.ada.SetBeliefs(b)
	for name, c := range map[string]struct {
		p    SubmitParams
		want error
	}{
		"no recipient":  {SubmitParams{Raw: text("From: ada@example.com", "Subject: x")}, ErrNoRecipients},
		"no thread":     {SubmitParams{Raw: outgoing("<1@example.com>", "bob@example.net", "x"), Thread: 99}, ErrNoThread},
		"foreign from":  {SubmitParams{Raw: text("From: eve@example.org", "To: bob@example.net")}, ErrSenderRefused},
		"empty message": {SubmitParams{}, ErrNoRecipients},
	} {
		if _, err := w.ada.Submit(c.p); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if n := len(w.Books().Submissions()); n != 0 {
		t.Fatalf("%d submissions of refused mail", n)
	}
}

func TestMessageIDs(t *testing.T) {
	for _, c := range []struct {
		id   string
		kept bool
	}{
		{"<a@example.com>", true}, {"<a@b@example.com>", false}, {"<a@>", false}, {"<a@localhost>", false},
		{"<a@example.>", false}, {"a@example.com", false}, {"<a b@example.com>", false}, {"", false},
	} {
		w := newWorld(t)
		sent := submit(t, w.ada, 0, outgoing(c.id, "bob@example.net", "Hello"))
		if kept := sent.MessageID == c.id; kept != c.kept {
			t.Errorf("%q became %q", c.id, sent.MessageID)
		}
		in := visible(w.bob)[0]
		fields, _ := Split(in.Raw)
		original := headerOf(fields).Get("X-Google-Original-Message-ID")
		if c.kept && original != "" || !c.kept && original != c.id {
			t.Errorf("%q: original id %q", c.id, original)
		}
		if in.MessageID != sent.MessageID {
			t.Errorf("%q: recipient sees %q, copy %q", c.id, in.MessageID, sent.MessageID)
		}
	}
}

func TestThreads(t *testing.T) {
	w := newWorld(t)
	first := submit(t, w.ada, 0, outgoing("<1@example.com>", "bob@example.net", "Hello"))
	joins := func(name string, want bool, thread int64, subject string, more ...string) {
		t.Helper()
		id := fmt.Sprintf("<%s@example.com>", strings.ReplaceAll(name, " ", "-"))
		msg := submit(t, w.ada, thread, outgoing(id, "bob@example.net", subject, more...))
		if (msg.Thread == first.Thread) != want {
			t.Errorf("%s: joined %v", name, !want)
		}
	}
	refs := "References: <1@example.com>"
	joins("asked and cited", true, first.Thread, "Re: Hello", refs)
	joins("asked and not cited", false, first.Thread, "Re: Hello")
	joins("asked with another subject", false, first.Thread, "Other", refs)
	joins("cited only", true, 0, "Re: Hello", "In-Reply-To: <1@example.com>")
	joins("nothing", false, 0, "Hello")
	b := w.ada.Beliefs()
	b.EqualSubjectsMerge = true
	w.ada.SetBeliefs(b)
	merged := submit(t, w.ada, 0, outgoing("<m@example.com>", "carol@example.org", "Re: hello"))
	if merged.Thread == merged.Number {
		t.Error("equal subjects did not merge")
	}
	// The recipient's threads follow from the headers alone.
	boxes := map[int64]int{}
	for msg := range w.bob.Visible() {
		boxes[msg.Thread]++
	}
	if len(boxes) != 4 {
		t.Errorf("bob sees %d threads, want 4: %v", len(boxes), boxes)
	}
}

func TestSelfMail(t *testing.T) {
	w := newWorld(t)
	msg := submit(t, w.ada, 0, outgoing("<1@example.com>", "recruiting@example.com", "Preview"))
	if !msg.Has(LabelSent) || !msg.Has(LabelInbox) || len(visible(w.ada)) != 1 {
		t.Fatalf("Gmail: %+v", visible(w.ada))
	}
	b := GraphBeliefs()
	w.bob.SetBeliefs(b)
	submit(t, w.bob, 0, text("From: bob@example.net", "To: bob@example.net", "Subject: Preview", "Message-ID: <2@example.net>"))
	if got := visible(w.bob); len(got) != 2 || got[0].Thread != got[1].Thread && got[0].MessageID != got[1].MessageID {
		t.Fatalf("Graph: %+v", got)
	}
}

func TestDelaysAndChanges(t *testing.T) {
	w := newWorld(t)
	w.ada.SetDelays(Delays{Delivery: time.Minute, SentCopy: time.Hour})
	w.bob.SetDelays(Delays{Visible: 10 * time.Second})
	cursor := w.bob.LastChange()
	sent := submit(t, w.ada, 0, outgoing("<1@example.com>", "bob@example.net", "Hello"))
	if _, ok := w.ada.Message(sent.Number); !ok || len(visible(w.ada)) != 0 {
		t.Fatal("the copy should exist and not be shown")
	}
	w.clock.Advance(time.Minute)
	if got, _, _ := w.bob.Changes(cursor, 0); len(got) != 0 || len(visible(w.bob)) != 0 {
		t.Fatalf("shown too early: %v", got)
	}
	w.clock.Advance(10 * time.Second)
	in := visible(w.bob)
	if len(in) != 1 {
		t.Fatal("not shown")
	}
	if _, err := w.bob.Relabel(in[0].Number, []string{"Folder"}, []string{LabelInbox}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.bob.Trash(in[0].Number); err != nil {
		t.Fatal(err)
	}
	if err := w.bob.Delete(in[0].Number); err != nil {
		t.Fatal(err)
	}
	var kinds []ChangeKind
	for after, more := cursor, true; more; {
		var page []Change
		var err error
		if page, more, err = w.bob.Changes(after, 2); err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			kinds = append(kinds, c.Kind)
			if c.ID <= after {
				t.Fatalf("ids do not grow: %d after %d", c.ID, after)
			}
			after = c.ID
		}
	}
	want := []ChangeKind{Added, LabelRemoved, LabelAdded, LabelRemoved, LabelAdded, Deleted}
	if !slices.Equal(kinds, want) {
		t.Fatalf("changes %v, want %v", kinds, want)
	}
	w.bob.ExpireChanges()
	if _, _, err := w.bob.Changes(cursor, 0); !errors.Is(err, ErrExpired) {
		t.Fatalf("expired log: %v", err)
	}
	if _, _, err := w.bob.Changes(w.bob.LastChange(), 0); err != nil {
		t.Fatalf("fresh position: %v", err)
	}
	if err := w.bob.Delete(in[0].Number); !errors.Is(err, ErrNoMessage) {
		t.Fatalf("second delete: %v", err)
	}
	w.clock.Advance(time.Hour)
	if len(visible(w.ada)) != 1 {
		t.Fatal("the copy in Sent never appeared")
	}
}

func TestBooksFindDuplicates(t *testing.T) {
	w := newWorld(t)
	submit(t, w.ada, 0, outgoing("<1@example.com>", "bob@example.net, carol@example.org", "Hello"))
	if d := w.Books().Duplicates(); len(d) != 0 {
		t.Fatalf("one send is a duplicate: %+v", d)
	}
	submit(t, w.ada, 0, outgoing("<1@example.com>", "bob@example.net", "Hello"))
	d := w.Books().Duplicates()
	if len(d) != 2 || d[0].Recipient != "bob@example.net" || d[0].Times != 2 {
		t.Fatalf("duplicates %+v", d)
	}
}

func TestBooksCountReads(t *testing.T) {
	w := newWorld(t)
	if err := w.DeliverUnrelated(Traffic{To: "ada@example.com", N: 20, First: start.Add(-time.Hour), Every: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if e, c := w.Books().UnrelatedReads(); e+c != 0 {
		t.Fatalf("unread mail was read: %d %d", e, c)
	}
	first := visible(w.ada)[0]
	w.ada.CountEnvelope(first.Number)
	w.ada.CountContent(first.Number)
	if err := w.ada.Delete(first.Number); err != nil {
		t.Fatal(err)
	}
	if e, c := w.Books().UnrelatedReads(); e != 1 || c != 1 {
		t.Fatalf("reads %d %d after deletion, want 1 1", e, c)
	}
	w.ada.Count(RequestSearch)
	if w.ada.Requests()[RequestSearch] != 1 {
		t.Fatal("request not counted")
	}
}

func TestSplitTakesAnything(t *testing.T) {
	fields, body := Split([]byte("A: 1\n folded\nno field\n: x\nB : 2\n\nbody\n"))
	if len(fields) != 2 || fields[0].Value != "1 folded" || fields[1].Name != "B" || string(body) != "body\n" {
		t.Fatalf("%+v %q", fields, body)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("From: a@example.com\r\nTo: b@example.com,\r\n c\r\n\r\nx"))
	f.Add([]byte("\n\n"))
	f.Add([]byte(" \n:\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		fields, _ := Split(raw)
		h := headerOf(fields)
		addresses(h["To"])
		messageIDs(h["References"])
		baseSubject(h.Get("Subject"))
		out := edit(raw, []Field{{"X-Front", "1"}}, "To")
		again, _ := Split(out)
		if len(again) == 0 || again[0] != (Field{"X-Front", "1"}) && again[0].Name != "X-Front" {
			t.Fatalf("front field lost in %q", out)
		}
		for _, a := range again {
			if strings.EqualFold(a.Name, "To") {
				t.Fatalf("removed field stays in %q", out)
			}
		}
	})
}
