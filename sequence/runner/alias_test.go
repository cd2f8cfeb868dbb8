package runner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

const aliasAddr = "ms@agency.example.com"

func (w *world) preview(key, from string) runner.Enrollment {
	w.t.Helper()
	seq := threeSteps()
	seq.Steps = seq.Steps[:1]
	e, err := w.run.Preview(w.t.Context(), runner.PreviewParams{Key: key, Link: link, From: from, Sequence: seq})
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func (w *world) aliases() map[string]string {
	w.t.Helper()
	list, err := w.run.Aliases(w.t.Context(), link)
	if err != nil {
		w.t.Fatal(err)
	}
	out := make(map[string]string)
	for _, a := range list {
		if (a.Problem == "") != (a.Words == "") || a.Problem == "" && a.Proven.IsZero() {
			w.t.Errorf("%+v", a)
		}
		out[a.Address] = a.Problem
	}
	return out
}

func (w *world) beliefs(change func(*postoffice.Beliefs)) {
	b := w.box.Beliefs()
	change(&b)
	w.box.SetBeliefs(b)
}

// told counts events of a kind, each once.
func (w *world) told(kind runner.EventKind) int {
	w.events.mu.Lock()
	defer w.events.mu.Unlock()
	seen := make(map[string]bool)
	for _, ev := range w.events.events {
		if ev.Kind == kind {
			seen[ev.ID] = true
		}
	}
	return len(seen)
}

func from(addr string) func(*runner.EnrollParams) {
	return func(p *runner.EnrollParams) { p.From = addr }
}

func refusedSender(t *testing.T, err error, reason string) {
	t.Helper()
	var pe *provider.Error
	if !errors.As(err, &pe) || pe.Kind != provider.ErrSenderNotAllowed || pe.Reason != reason {
		t.Errorf("%v, want %v (%s)", err, provider.ErrSenderNotAllowed, reason)
	}
	if err != nil && strings.Contains(err.Error(), "@") {
		t.Errorf("an address is in the error: %v", err)
	}
}

func (w *world) tryFrom(addr string) error {
	_, err := w.run.Send(w.t.Context(), runner.SendParams{
		Key: "try/" + addr, Link: link, From: addr, To: provider.Address{Addr: "try@example.net"}, Subject: "Hello", Text: "Hello.",
	})
	return err
}

// TestAlias proves an alias by a preview and sends a drip from it, on
// services that keep mail to oneself as one message and as two.
func TestAlias(t *testing.T) { onEachStore(t, testAlias) }

func testAlias(t *testing.T, on storage) {
	for name, one := range map[string]bool{"one message": true, "two messages": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, on)
			w.beliefs(func(b *postoffice.Beliefs) { b.SelfMailOneMessage = one })
			w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, After: 4 * day})
			refusedSender(t, w.tryFrom(aliasAddr), "from_not_proven")
			refusedSender(t, w.tryFrom("boss@agency.example.com"), "from_not_owned")
			if got := w.aliases(); len(got) != 1 || got[aliasAddr] != "not_proven" {
				t.Errorf("%v", got)
			}

			w.preview("p", "MS@Agency.example.com")
			w.pass(time.Hour)
			if got := w.aliases(); got[aliasAddr] != "" || w.told(runner.EventAliasProven) != 1 {
				t.Fatalf("%v, proven %d times", got, w.told(runner.EventAliasProven))
			}
			e := w.enroll("grace@example.net", from(aliasAddr), func(p *runner.EnrollParams) { p.FromName = "Maria" })
			if e.From != aliasAddr {
				t.Errorf("From %q", e.From)
			}
			w.pass(3*day + time.Hour)
			w.want(e.ID, runner.StatusActive, 2)
			log := w.conversation(e.ID)
			if len(log) != 2 || log[0].From != "Maria <"+aliasAddr+">" {
				t.Errorf("%+v", log)
			}
			for _, s := range w.office.Books().Submissions()[1:] {
				if !strings.Contains(string(s.Raw), "From: Maria <"+aliasAddr+">") {
					t.Errorf("%s", s.Raw)
				}
			}
			w.pass(2 * day)
			w.want(e.ID, runner.StatusReplied, 2)
			if w.told(runner.EventRewritten) != 0 || w.told(runner.EventAliasLost) != 0 {
				t.Error("a kept From was called rewritten")
			}
			w.sound()
		})
	}
}

// TestAliasDeliveredElsewhere is an address that the service lets Maria send
// from and whose mail goes to another mailbox: answers would never be seen.
func TestAliasDeliveredElsewhere(t *testing.T) { onEachStore(t, testAliasDeliveredElsewhere) }

func testAliasDeliveredElsewhere(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.replaceMailbox(postoffice.MailboxConfig{Address: "elsa@agency.example.com", Senders: []string{"team@agency.example.com"}})
	w.person("team@agency.example.com")
	w.preview("p", "team@agency.example.com")
	w.pass(23 * time.Hour)
	if got := w.aliases(); got["team@agency.example.com"] != "not_proven" {
		t.Errorf("before its time: %v", got)
	}
	w.pass(2 * time.Hour)
	if got := w.aliases(); got["team@agency.example.com"] != "not_delivered" || w.told(runner.EventAliasLost) != 1 {
		t.Errorf("%v", got)
	}
	refusedSender(t, w.tryFrom("team@agency.example.com"), "from_not_delivered")
	w.sound()
}

// TestAliasRewritten has the service begin to send mail from an alias under
// another address: it is seen at the first mail, no further one leaves, and
// all goes on once the alias is proven again.
func TestAliasRewritten(t *testing.T) { onEachStore(t, testAliasRewritten) }

func testAliasRewritten(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	w.person("henry@example.net")
	w.preview("p", aliasAddr)
	w.pass(time.Hour)
	grace := w.enroll("grace@example.net", from(aliasAddr))
	w.tick()
	w.want(grace.ID, runner.StatusActive, 1)

	w.beliefs(func(b *postoffice.Beliefs) { b.RewritesAlias = true })
	henry := w.enroll("henry@example.net", from(aliasAddr))
	w.tick()
	if got := w.aliases(); got[aliasAddr] != "rewritten" || w.told(runner.EventRewritten) != 1 || w.told(runner.EventAliasLost) != 1 {
		t.Fatalf("%v, %d events", got, w.told(runner.EventRewritten))
	}
	if e := w.want(henry.ID, runner.StatusActive, 1); !e.Flagged {
		t.Error("the rewritten mail is not flagged")
	}
	refusedSender(t, w.tryFrom(aliasAddr), "from_rewritten")

	w.pass(5 * day)
	for _, e := range []runner.Enrollment{grace, henry} {
		if got := w.want(e.ID, runner.StatusHeld, 1); got.Barred != runner.BarAlias || !strings.Contains(got.Hold, "under another address") {
			t.Errorf("%+v", got)
		}
	}
	if got := w.events.kinds(grace.ID); got != "enrolled sent held" {
		t.Errorf("events: %s", got)
	}
	ex, err := w.run.Explain(t.Context(), grace.ID)
	if text := strings.Join(ex.Text, "\n"); err != nil || !strings.Contains(text, "the alias to send from is not proven") || !strings.Contains(text, "goes on by itself") {
		t.Errorf("%v: %s", err, text)
	}

	w.beliefs(func(b *postoffice.Beliefs) { b.RewritesAlias = false })
	w.preview("p2", aliasAddr)
	w.pass(time.Hour)
	w.want(grace.ID, runner.StatusActive, 2)
	w.want(henry.ID, runner.StatusActive, 2)
	if got := w.events.kinds(grace.ID); got != "enrolled sent held resumed sent" {
		t.Errorf("events: %s", got)
	}
	w.sound()
}

// TestAliasRefused is a service that takes the alias away: nothing left, the
// mail waits for a new proof, and is then sent once.
func TestAliasRefused(t *testing.T) { onEachStore(t, testAliasRefused) }

func testAliasRefused(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.preview("p", aliasAddr)
	w.pass(time.Hour)
	refuse := true
	w.open.wrap = func(mb provider.Mailbox) provider.Mailbox { return &deniesAlias{Mailbox: mb, refuse: &refuse} }
	e := w.enroll("grace@example.net", from(aliasAddr))
	w.pass(time.Hour)
	if got := w.want(e.ID, runner.StatusHeld, 0); got.Barred != runner.BarAlias || w.aliases()[aliasAddr] != "refused" {
		t.Errorf("%+v, %v", got, w.aliases())
	}
	refuse = false
	w.preview("p2", aliasAddr)
	w.pass(time.Hour)
	w.want(e.ID, runner.StatusActive, 1)
	w.sound()
}

// deniesAlias refuses mail from the alias.
type deniesAlias struct {
	provider.Mailbox
	refuse *bool
}

func (m *deniesAlias) Send(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
	if *m.refuse && out.From.Addr == aliasAddr {
		return provider.Receipt{}, &provider.Error{Kind: provider.ErrSenderNotAllowed, Op: "send", Reason: "ErrorSendAsDenied"}
	}
	return m.Mailbox.Send(ctx, out)
}

// TestAliasWithoutReading is a link that can't see what arrives: an alias is
// refused, unless it was proven while the link could.
func TestAliasWithoutReading(t *testing.T) { onEachStore(t, testAliasWithoutReading) }

func testAliasWithoutReading(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.open.access = provider.AccessSend
	refusedSender(t, w.tryFrom(aliasAddr), "from_not_proven")
	_, err := w.run.Preview(t.Context(), runner.PreviewParams{Key: "p", Link: link, From: aliasAddr, Sequence: threeSteps()})
	refusedSender(t, err, "from_not_provable")

	w.open.access = provider.AccessReplies
	w.preview("p2", aliasAddr)
	w.pass(time.Hour)
	w.open.access = provider.AccessSend
	e, err := w.run.Send(t.Context(), runner.SendParams{
		Key: "m", Link: link, From: aliasAddr, To: provider.Address{Addr: "grace@example.net"}, Subject: "Hello", Text: "Hello.",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.tick()
	w.want(e.ID, runner.StatusCompleted, 1)
}

// TestOwnAliasIsNoAnswer is Maria writing in the thread from an alias: she
// took over, and nobody answered.
func TestOwnAliasIsNoAnswer(t *testing.T) { onEachStore(t, testOwnAliasIsNoAnswer) }

func testOwnAliasIsNoAnswer(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	e := w.enroll("grace@example.net")
	w.tick()
	first := w.office.Books().Submissions()[0]
	raw := "From: " + aliasAddr + "\r\nTo: grace@example.net\r\nSubject: Re: A role in Lisbon\r\nIn-Reply-To: " + first.MessageID +
		"\r\nReferences: " + first.MessageID + "\r\nMessage-ID: <by-hand@agency.example.com>\r\n\r\nOne more thing.\r\n"
	if _, err := w.box.Submit(postoffice.SubmitParams{Raw: []byte(raw)}); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	w.want(e.ID, runner.StatusTookOver, 1)
	// The same, as a service that does not say who wrote it would deliver it.
	other := w.enroll("henry@example.net")
	w.tick()
	last := w.office.Books().Submissions()
	cited := last[len(last)-1].MessageID
	if _, err := w.office.Deliver(postoffice.Mail{To: sender, Raw: []byte(strings.ReplaceAll(strings.ReplaceAll(raw, first.MessageID, cited), "by-hand", "by-hand-2"))}); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	w.want(other.ID, runner.StatusTookOver, 1)
}

// elsewhere is a service that sends the mailbox's own mail under an address
// that is not the mailbox's.
type elsewhere struct{ provider.Mailbox }

func (e elsewhere) Envelope(ctx context.Context, ref provider.Ref) (*provider.Envelope, error) {
	env, err := e.Mailbox.Envelope(ctx, ref)
	if err == nil && env.Own {
		out := *env
		out.From = []provider.Address{{Addr: "noreply@relay.example.org"}}
		env = &out
	}
	return env, err
}

// TestOwnAddressRewritten: mail from the mailbox's own address is looked at as
// well, with no request more, and told once.
func TestOwnAddressRewritten(t *testing.T) { onEachStore(t, testOwnAddressRewritten) }

func testOwnAddressRewritten(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	w.open.wrap = func(mb provider.Mailbox) provider.Mailbox { return elsewhere{mb} }
	e := w.enroll("grace@example.net")
	w.pass(2 * time.Hour)
	if e := w.want(e.ID, runner.StatusActive, 1); !e.Flagged || w.told(runner.EventRewritten) != 1 {
		t.Errorf("flagged %v, told %d times", e.Flagged, w.told(runner.EventRewritten))
	}
	w.sound()
}
