package privacytest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
)

// onBoth runs a test on both fakes.
func onBoth(t *testing.T, f func(t *testing.T, kind provider.Kind)) {
	for _, kind := range []provider.Kind{provider.Gmail, provider.MSGraph} {
		t.Run(string(kind), func(t *testing.T) { f(t, kind) })
	}
}

// person is somebody who does something on our mail.
func (w *world) person(addr string, does ...postoffice.Behaviour) {
	w.t.Helper()
	if err := w.office.AddPerson(postoffice.Person{Address: addr, Name: strings.Split(addr, "@")[0], Behaviours: does}); err != nil {
		w.t.Fatal(err)
	}
}

// drip enrolls somebody.
func (w *world) drip(addr string, change ...func(*runner.EnrollParams)) string {
	w.t.Helper()
	p := runner.EnrollParams{
		Key: addr, Link: w.link, Recipient: provider.Address{Addr: addr}, Sequence: &sequence.Sequence{
			ID: "lisbon", Version: 1, AcceptThreadOnly: true, AcceptBlind: true, Steps: []sequence.Step{
				{ID: 1, Subject: subject, Text: "Hello, I saw your work."}, {ID: 2, Days: 3, Text: "Did my mail reach you?"}, {ID: 3, Days: 4, Text: "A last word from me."},
			},
		},
	}
	for _, f := range change {
		f(&p)
	}
	e, err := w.run.Enroll(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

// mail is a mail that somebody writes to maria.
type mail struct {
	from, subject, id string
	cites             string
	also              string // further header lines
	unrelated         bool
}

func (w *world) mail(m mail) postoffice.Message {
	w.t.Helper()
	raw := fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: %s\r\n", m.from, maria, m.subject, w.office.Clock().Now().Format(time.RFC1123Z), m.id)
	if m.cites != "" {
		raw += "In-Reply-To: " + m.cites + "\r\nReferences: " + m.cites + "\r\n"
	}
	msg, err := w.office.Deliver(postoffice.Mail{To: maria, Raw: []byte(raw + m.also + "\r\nSome words.\r\n"), Unrelated: m.unrelated})
	if err != nil {
		w.t.Fatal(err)
	}
	return msg
}

// sound checks the books: nothing unrelated was read, and nothing sent twice.
func (w *world) sound() {
	w.t.Helper()
	books := w.office.Books()
	for _, r := range books.Reads() {
		if r.Unrelated {
			msg, _ := w.box.Message(r.Number)
			w.t.Errorf("of unrelated mail %q from %v %d headers and %d contents were read", msg.Subject, msg.From, r.Envelopes, r.Contents)
		}
	}
	if dup := books.Duplicates(); len(dup) > 0 {
		w.t.Errorf("sent twice: %v", dup)
	}
	if w.audit.nameless+w.audit.linkless > 0 {
		w.t.Errorf("%d requests have no reason, %d no link or mailbox", w.audit.nameless, w.audit.linkless)
	}
	w.onPage()
}

func (w *world) status(id string) runner.Status {
	w.t.Helper()
	e, err := w.run.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return e.Status
}

// TestThreadOfOthers: a candidate who writes in a thread of other people's has
// answered, and the thread is not ours for that.
func TestThreadOfOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, kind provider.Kind) {
		for name, cites := range map[string]string{"an answer": "<c1@example.org>", "a mail of the same subject": ""} {
			t.Run(name, func(t *testing.T) { threadOfOthers(t, kind, cites) })
		}
	})
}

func threadOfOthers(t *testing.T, kind provider.Kind, cites string) {
	w := newWorld(t, kind)
	b := w.box.Beliefs()
	b.EqualSubjectsMerge = true
	w.box.SetBeliefs(b)
	w.person("anna@example.net")
	id := w.drip("anna@example.net")
	w.pass(t.Context(), 2*time.Hour)
	w.mail(mail{from: "client@example.org", subject: "Our contract", id: "<c1@example.org>", unrelated: true})
	w.pass(t.Context(), 2*time.Hour)
	w.mail(mail{from: "anna@example.net", subject: "Re: Our contract", id: "<c2@example.net>", cites: cites})
	w.pass(t.Context(), 8*time.Hour)
	if got := w.status(id); got != runner.StatusReplied {
		t.Errorf("the candidate wrote, and the drip is %s", got)
	}
	w.mail(mail{from: "client@example.org", subject: "Re: Our contract", id: "<c3@example.org>", cites: "<c2@example.net>", unrelated: true})
	w.pass(t.Context(), 8*time.Hour)
	w.box.ExpireChanges() // what lies in our threads is listed again
	w.pass(t.Context(), 8*time.Hour)
	w.sound()
}

// TestThreadOfTheCandidate: a thread that the candidate opened is part of the
// conversation, with what others answer in it.
func TestThreadOfTheCandidate(t *testing.T) {
	onBoth(t, func(t *testing.T, kind provider.Kind) {
		w := newWorld(t, kind)
		w.person("anna@example.net")
		id := w.drip("anna@example.net")
		w.pass(t.Context(), 2*time.Hour)
		w.mail(mail{from: "anna@example.net", subject: "A question", id: "<q1@example.net>"})
		w.pass(t.Context(), 8*time.Hour)
		w.mail(mail{from: "partner@example.net", subject: "Re: A question", id: "<q2@example.net>", cites: "<q1@example.net>"})
		w.pass(t.Context(), 8*time.Hour)
		talk, err := w.log.Conversation(t.Context(), id)
		if err != nil || len(talk) != 3 {
			t.Errorf("%d entries, want 3, %v", len(talk), err)
		}
		w.sound()
	})
}

// TestOddSender: a candidate who answers from an address that no search can
// ask for does not keep the mailbox from being read.
func TestOddSender(t *testing.T) {
	onBoth(t, func(t *testing.T, kind provider.Kind) {
		for _, odd := range []string{`"x\"y"@example.org`, `"x\\y"@example.org`, `"x:(y)"@example.org`, `-x@example.org`, `x'y|z@example.org`} {
			t.Run(odd, func(t *testing.T) {
				w := newWorld(t, kind)
				w.person("anna@example.net")
				w.person("ben@example.net", postoffice.Behaviour{Do: postoffice.AnswerNew, On: 1, After: 40 * time.Hour})
				anna, ben := w.drip("anna@example.net"), w.drip("ben@example.net")
				w.pass(t.Context(), 2*time.Hour)
				var ours string
				for _, s := range w.office.Books().SentFrom(maria) {
					if s.Recipients[0] == "anna@example.net" {
						ours = s.MessageID
					}
				}
				w.mail(mail{from: odd, subject: "Re: " + subject, id: "<o1@example.net>", cites: ours})
				w.pass(t.Context(), 8*time.Hour)
				w.mail(mail{from: "somebody@example.org", subject: "Lunch", id: "<l1@example.net>", unrelated: true})
				w.pass(t.Context(), 12*day)
				if w.status(anna) != runner.StatusReplied || w.status(ben) != runner.StatusReplied {
					t.Errorf("both answered, and are %s and %s", w.status(anna), w.status(ben))
				}
				w.sound()
			})
		}
	})
}

// TestOwnMail: what maria writes to others is none of our business, also
// while the copy of a mail of ours is waited for.
func TestOwnMail(t *testing.T) {
	onBoth(t, func(t *testing.T, kind provider.Kind) {
		for _, keeps := range []bool{true, false} {
			t.Run(fmt.Sprintf("the copy keeps its id %t", keeps), func(t *testing.T) {
				w := newWorldOf(t, kind, provider.AccessReplies, func(c *runner.Config) { c.Options.ReadEvery = time.Minute })
				b := w.box.Beliefs()
				b.SentCopyKeepsID, b.KeepsMessageID = keeps, keeps
				w.box.SetBeliefs(b)
				w.box.SetDelays(postoffice.Delays{SentCopy: 5 * time.Minute})
				w.person("anna@example.net")
				id := w.drip("anna@example.net")
				for i := range 20 {
					w.put(i, w.office.Clock().Now())
					w.office.Clock().Advance(time.Minute)
					if _, err := w.run.Tick(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				w.pass(t.Context(), 10*day)
				if got := w.status(id); got != runner.StatusCompleted {
					t.Errorf("the drip is %s", got)
				}
				w.sound()
				t.Logf("%v", w.audit.reasons)
			})
		}
	})
}

// TestLookalikes: what looks like a candidate's answer and is none. Its text
// is never read; where the service finds senders by their whole address, not
// even its headers are.
func TestLookalikes(t *testing.T) {
	onBoth(t, func(t *testing.T, kind provider.Kind) {
		w := newWorld(t, kind)
		w.person("anna@example.net")
		w.person("eva@bücher.example")
		anna, eva := w.drip("anna@example.net"), w.drip("eva@bücher.example")
		w.pass(t.Context(), 2*time.Hour)
		ours := w.office.Books().SentFrom(maria)[0].MessageID
		domain := ours[strings.LastIndexByte(ours, '@'):]
		for i, m := range []mail{
			{from: `"anna@example.net" <eve@spam.example.org>`, subject: "Re: " + subject},
			{from: `"anna@example.net via Jobs" <jobs@spam.example.org>`, also: "Sender: anna@example.net\r\nReply-To: anna@example.net\r\nReturn-Path: <anna@example.net>\r\n"},
			{from: "eve@spam.example.org", also: "X-Original-From: anna@example.net\r\nResent-From: anna@example.net\r\n"},
			{from: "eve@spam.example.org", cites: "<made.up" + domain},                                   // as if it were ours
			{from: "eve@spam.example.org", cites: "<" + strings.ToUpper(strings.Trim(ours, "<>")) + ">"}, // nearly ours, in a thread of its own
			{from: "anna@example.net.evil.example.org"}, {from: "notanna@example.net"}, {from: "anna@sub.example.net"}, {from: "anna+x@example.net"}, {from: "an.na@example.net"},
			{from: "anna@exаmple.net"}, // a Cyrillic letter
			{from: "eva@bucher.example"},
			{from: "eve@spam.example.org", also: "Cc: anna@example.net\r\nTo: anna@example.net\r\n"},
			{from: "mailer-daemon@mx.example.org", also: "X-Failed-Recipients: somebody@example.org\r\n"},
			{from: "postmaster@example.org", subject: "Undeliverable"},
		} {
			m.id, m.unrelated = fmt.Sprintf("<look%d@example.org>", i), true
			if m.subject == "" {
				m.subject = fmt.Sprintf("Hello %d", i)
			}
			w.mail(m)
		}
		w.pass(t.Context(), day)
		w.box.ExpireChanges()
		w.pass(t.Context(), day)
		for _, id := range []string{anna, eva} {
			if got := w.status(id); got != runner.StatusActive {
				t.Errorf("nobody answered, and the drip is %s", got)
			}
		}
		for _, r := range w.office.Books().Reads() {
			if m, _ := w.box.Message(r.Number); r.Unrelated && (r.Contents > 0 || exact(w)) {
				t.Errorf("of %q from %v %d headers and %d contents were read", m.Subject, m.From, r.Envelopes, r.Contents)
			}
		}
		// These are theirs, however they are written.
		w.mail(mail{from: "ANNA@Example.NET", subject: "Yes", id: "<yes1@example.net>"})
		w.mail(mail{from: "eva@xn--bcher-kva.example", subject: "Yes", id: "<yes2@example.net>"})
		w.pass(t.Context(), 8*time.Hour)
		for _, id := range []string{anna, eva} {
			if got := w.status(id); got != runner.StatusReplied {
				t.Errorf("they answered, and the drip is %s", got)
			}
		}
	})
}
