package postoffice

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// history plays a small world through and returns its books.
func history(t *testing.T) string {
	t.Helper()
	w := newWorld(t)
	if err := w.DeliverUnrelated(Traffic{To: "ada@example.com", N: 40, First: start.Add(-time.Hour), Every: time.Minute}); err != nil {
		t.Fatal(err)
	}
	for i, act := range []Act{Answer, OutOfOffice, Bounce, BounceLater, ReadReceipt} {
		err := w.AddPerson(Person{Address: fmt.Sprintf("p%d@example.org", i), Behaviours: []Behaviour{{Do: act, After: time.Duration(i) * time.Minute}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	w.ada.SetDelays(Delays{Delivery: time.Second, Visible: time.Second, SentCopy: time.Minute})
	for i := range 10 {
		submit(t, w.ada, 0, outgoing(fmt.Sprintf("<%d@example.com>", i), fmt.Sprintf("p%d@example.org", i%5), "Hello"))
		w.clock.Advance(37 * time.Second)
	}
	w.clock.Advance(time.Hour)
	out := w.Books().String()
	for msg := range w.ada.Visible() {
		out += fmt.Sprintf("%d %d %s %s\n%s\n", msg.Number, msg.Thread, msg.Labels, msg.Received, msg.Raw)
	}
	return out
}

func TestEqualCallsMakeEqualWorlds(t *testing.T) {
	first := history(t)
	if second := history(t); first != second {
		t.Error("two runs differ")
	}
	if n := strings.Count(first, "\nsent ") + 1; n != 10 {
		t.Errorf("%d mails in the books, want 10", n)
	}
}

func TestConcurrentUse(t *testing.T) {
	w := newWorld(t)
	p := NewProvider(w.Office, ProviderConfig{Rotates: true})
	if err := w.AddPerson(Person{Address: "carol@example.org", Behaviours: []Behaviour{{Do: Answer, After: time.Second}}}); err != nil {
		t.Fatal(err)
	}
	w.ada.SetDelays(Delays{Delivery: time.Second, Visible: time.Second})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			g, err := p.Consent("ada@example.com", provider.AccessReplies)
			if err != nil {
				t.Error(err)
				return
			}
			acc := provider.Account{Subject: w.ada.Subject(), Address: w.ada.Address(), Access: provider.AccessReplies}
			box := p.Open(acc, &tokens{p: p, grant: g})
			for j := range 20 {
				out := mailOf(w, fmt.Sprintf("<%d.%d@example.com>", i, j), "carol@example.org")
				out.NotAfter = start.AddDate(1, 0, 0)
				if _, err := box.Send(t.Context(), out); err != nil {
					t.Error(err)
				}
				w.clock.Advance(time.Second)
				_ = w.Books().String()
				for msg := range w.ada.Visible() {
					w.ada.CountEnvelope(msg.Number)
				}
			}
		})
	}
	wg.Wait()
	w.clock.Advance(time.Minute)
	if n, _ := w.clock.Pending(); n != 0 {
		t.Errorf("%d things are left to happen", n)
	}
	if n := len(visible(w.ada)); n != 2*160 {
		t.Errorf("%d messages, want 160 sent and 160 answers", n)
	}
	if d := w.Books().Duplicates(); len(d) != 0 {
		t.Errorf("duplicates %v", d)
	}
}

func TestBeliefsChangeTheWorld(t *testing.T) {
	raw := func() []byte {
		return outgoing("<2@example.com>", "bob@example.net", "Re: Hello", "References: <1@example.com>")
	}
	for name, c := range map[string]struct {
		flip  func(*Beliefs)
		check func(w *world, sent Message, in Message) bool
	}{
		"default": {func(*Beliefs) {}, func(w *world, sent, in Message) bool {
			return sent.MessageID == "<2@example.com>" && in.MessageID == sent.MessageID && strings.Contains(string(in.Raw), "References: <1@")
		}},
		"KeepsMessageID": {func(b *Beliefs) { b.KeepsMessageID = false }, func(w *world, sent, in Message) bool {
			return sent.MessageID != "<2@example.com>" && in.MessageID == sent.MessageID && strings.Contains(string(in.Raw), "X-Google-Original-Message-ID: <2@example.com>")
		}},
		"KeepsOriginalID": {func(b *Beliefs) { b.KeepsMessageID, b.KeepsOriginalID = false, false }, func(w *world, sent, in Message) bool {
			return in.MessageID != "<2@example.com>" && !strings.Contains(string(in.Raw), "Original-Message-ID")
		}},
		"SentCopyMissing": {func(b *Beliefs) { b.SentCopyMissing = true }, func(w *world, sent, in Message) bool {
			return sent.Number == 0 && len(visible(w.ada)) == 0 && in.MessageID == "<2@example.com>"
		}},
		"SentCopyKeepsID": {func(b *Beliefs) { b.SentCopyKeepsID = false }, func(w *world, sent, in Message) bool {
			return sent.MessageID != in.MessageID && in.MessageID == "<2@example.com>"
		}},
		"KeepsReferences": {func(b *Beliefs) { b.KeepsReferences = false }, func(w *world, sent, in Message) bool {
			return !strings.Contains(string(in.Raw), "References:")
		}},
	} {
		w := newWorld(t)
		b := w.ada.Beliefs()
		c.flip(&b)
		w.ada.SetBeliefs(b)
		sent := submit(t, w.ada, 0, raw())
		if in := visible(w.bob); len(in) != 1 || !c.check(w, sent, in[0]) {
			t.Errorf("%s: sent %+v, received %+v", name, sent, in)
		}
	}
}

func TestRewritesFrom(t *testing.T) {
	w := newWorld(t)
	submit(t, w.ada, 0, text("From: Boss <boss@example.org>", "To: bob@example.net", "Message-ID: <1@example.com>"))
	if in := visible(w.bob)[0]; !slices.Equal(in.From, []string{"ada@example.com"}) || strings.Contains(string(in.Raw), "boss@") {
		t.Errorf("%s", in.Raw)
	}
	submit(t, w.ada, 0, text("From: recruiting@example.com", "To: bob@example.net", "Message-ID: <2@example.com>"))
	if in := visible(w.bob)[0]; !slices.Equal(in.From, []string{"recruiting@example.com"}) {
		t.Errorf("an alias was rewritten: %s", in.Raw)
	}
}

// TestAliases flips what becomes of mail from an alias, and of mail from an
// address whose own mail goes elsewhere.
func TestAliases(t *testing.T) {
	w := newWorld(t)
	b := w.ada.Beliefs()
	b.RewritesAlias, b.RewritesFrom = true, false
	w.ada.SetBeliefs(b)
	submit(t, w.ada, 0, text("From: recruiting@example.com", "To: bob@example.net", "Message-ID: <1@example.com>"))
	if in := visible(w.bob)[0]; !slices.Equal(in.From, []string{"ada@example.com"}) {
		t.Errorf("an alias was kept: %s", in.Raw)
	}
	eve, err := w.AddMailbox(MailboxConfig{Address: "eve@example.com", Senders: []string{"bob@example.net"}})
	if err != nil {
		t.Fatal(err)
	}
	submit(t, eve, 0, text("From: bob@example.net", "To: bob@example.net", "Message-ID: <2@example.com>"))
	if in := visible(w.bob)[0]; !slices.Equal(in.From, []string{"bob@example.net"}) || len(visible(eve)) != 1 || eve.Owns("bob@example.net") {
		t.Errorf("%s", in.Raw)
	}
}

func TestRuleFilesMail(t *testing.T) {
	w := newWorld(t)
	w.bob.SetRule(func(m Message) []string {
		if slices.Contains(m.From, "ada@example.com") {
			return []string{LabelJunk}
		}
		return nil
	})
	submit(t, w.ada, 0, outgoing("<1@example.com>", "bob@example.net", "Hello"))
	if _, err := w.Write(provider.Address{Addr: "eve@example.org"}, "bob@example.net", "Hi", "", "Hi"); err != nil {
		t.Fatal(err)
	}
	got := visible(w.bob)
	if got[1].Places()[0] != provider.PlaceJunk || got[0].Places()[0] != provider.PlaceInbox {
		t.Errorf("%+v", got)
	}
}

func TestPutAndNoCopy(t *testing.T) {
	w := newWorld(t)
	draft := w.ada.Put(PutParams{Raw: outgoing("<1@example.com>", "bob@example.net", "Hello"), Labels: []string{LabelDraft}, Own: true})
	if draft.Places()[0] != provider.PlaceDraft || len(visible(w.bob)) != 0 || len(w.Books().Submissions()) != 0 {
		t.Error("a draft was sent")
	}
	if _, err := w.ada.Submit(SubmitParams{Raw: draft.Raw, NoCopy: true}); err != nil {
		t.Fatal(err)
	}
	if len(visible(w.ada)) != 1 || len(visible(w.bob)) != 1 {
		t.Error("NoCopy kept a copy, or the mail did not arrive")
	}
	archived := w.ada.Put(PutParams{Raw: text("From: x@example.org"), Received: start.AddDate(-1, 0, 0)})
	if archived.Places()[0] != provider.PlaceOther || !archived.Received.Equal(start.AddDate(-1, 0, 0)) {
		t.Errorf("%+v", archived)
	}
}

func TestAddressesBelongToOne(t *testing.T) {
	w := newWorld(t)
	for _, cfg := range []MailboxConfig{
		{Address: "ADA@example.com"}, {Address: "new@example.com", Aliases: []string{"recruiting@example.com"}},
		{Address: "new@example.com", Subject: w.ada.Subject()},
	} {
		if _, err := w.AddMailbox(cfg); !errors.Is(err, ErrTaken) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	if _, err := w.AddMailbox(MailboxConfig{Address: "nonsense"}); !errors.Is(err, ErrBadAddress) {
		t.Error(err)
	}
	if err := w.AddPerson(Person{Address: "bob@example.net"}); !errors.Is(err, ErrTaken) {
		t.Error(err)
	}
	if _, err := w.Deliver(Mail{To: "nobody@example.com"}); !errors.Is(err, ErrNoMailbox) {
		t.Error(err)
	}
	if w.Mailbox("Recruiting@Example.com") != w.ada || w.BySubject(w.bob.Subject()) != w.bob || w.Mailbox("x@example.com") != nil {
		t.Error("a mailbox is not found by its addresses and subject")
	}
	if _, err := New(Config{}); err == nil || !strings.Contains(err.Error(), "Config.Clock") {
		t.Errorf("%v", err)
	}
}

func TestMailboxesWriteToEachOther(t *testing.T) {
	w := newWorld(t)
	first := submit(t, w.ada, 0, outgoing("<1@example.com>", "bob@example.net", "Hello"))
	at := visible(w.bob)[0]
	submit(t, w.bob, at.Thread, text("From: bob@example.net", "To: ada@example.com", "Subject: Re: Hello", "Message-ID: <2@example.net>",
		"In-Reply-To: <1@example.com>", "References: <1@example.com>"))
	if got := w.ada.Thread(first.Thread); len(got) != 2 || got[1].Own || got[1].MessageID != "<2@example.net>" {
		t.Errorf("%+v", got)
	}
	if got := w.bob.Thread(at.Thread); len(got) != 2 || !got[1].Own {
		t.Errorf("%+v", got)
	}
}

func BenchmarkDeliverUnrelated(b *testing.B) {
	o, err := New(Config{Clock: NewClock(start)})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := o.AddMailbox(MailboxConfig{Address: "ada@example.com"}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := o.DeliverUnrelated(Traffic{To: "ada@example.com", N: 100}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestOwnerActs: who has a mailbox here and behaviours too receives mail in
// the one, and answers from it.
func TestOwnerActs(t *testing.T) {
	clock := NewClock(start)
	o, err := New(Config{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	ada, err := o.AddMailbox(MailboxConfig{Address: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	bob, err := o.AddMailbox(MailboxConfig{Address: "bob@example.org", Name: "Bob", Behaviours: []Behaviour{
		{Do: Answer, On: 1, Text: "Yes."}, {Do: Bounce, On: 2},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := ada.Submit(SubmitParams{Raw: []byte("From: ada@example.com\r\nTo: bob@example.org\r\nSubject: A role\r\n\r\nHello\r\n")}); err != nil {
			t.Fatal(err)
		}
	}
	count := func(m *Mailbox, label string) (n int, threads map[int64]bool) {
		threads = make(map[int64]bool)
		for msg := range m.Visible() {
			if msg.Has(label) {
				n++
				threads[msg.Thread] = true
			}
		}
		return n, threads
	}
	inbox, in := count(bob, LabelInbox)
	sent, out := count(bob, LabelSent)
	if inbox != 1 || sent != 1 || !maps.Equal(in, out) {
		t.Errorf("Bob has %d in the inbox in %v and %d in Sent in %v, want one each in one thread", inbox, in, sent, out)
	}
	if n, _ := count(ada, LabelInbox); n != 2 {
		t.Errorf("Ada received %d mails, want the answer and the report", n)
	}
}
