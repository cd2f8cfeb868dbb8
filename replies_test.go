package outreach_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
)

// enrollAs enrolls somebody in a drip of a subject of its own.
func (w *linked) enrollAs(link, to, subject string) string {
	w.t.Helper()
	e, err := w.run.Enroll(w.t.Context(), runner.EnrollParams{
		Key: to, Link: link, Recipient: provider.Address{Addr: to},
		Sequence: &sequence.Sequence{ID: subject, Version: 1, Steps: []sequence.Step{
			{ID: 1, Subject: subject, Text: "Hello, I saw your work."}, {ID: 2, Days: 3, Text: "Did you see my mail?"},
		}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

// ours is the Message-ID, as recipients see it, of the first mail to somebody.
func (w *linked) ours(owner, to string) string {
	w.t.Helper()
	for _, s := range w.office.Books().SentFrom(owner) {
		if s.Recipients[0] == to {
			return s.MessageID
		}
	}
	w.t.Fatalf("nothing was sent to %s", to)
	return ""
}

// arrives puts a mail into the owner's mailbox.
func (w *linked) arrives(owner, from, subject, id string, lines ...string) {
	w.t.Helper()
	raw := fmt.Sprintf("From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nMessage-ID: <%s>\r\nDate: %s\r\n", from, owner, subject, id, w.clock.Now().Format(time.RFC1123Z)) +
		strings.Join(lines, "\r\n") + "\r\n"
	if len(lines) == 0 || !strings.Contains(raw, "\r\n\r\n") {
		raw += "\r\nGladly.\r\n"
	}
	if _, err := w.office.Deliver(postoffice.Mail{To: owner, Raw: []byte(raw)}); err != nil {
		w.t.Fatal(err)
	}
}

// report is the rest of a delivery report about a mail, which cites it by
// nothing but the headers that it returns.
func report(about, to string) []string {
	return []string{
		"X-Failed-Recipients: " + to, `Content-Type: multipart/report; report-type=delivery-status; boundary=b`, "",
		"--b", "Content-Type: text/plain", "", "<" + to + ">: user unknown", "",
		"--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.net", "",
		"Final-Recipient: rfc822; " + to, "Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.1.1 no such user", "",
		"--b", "Content-Type: text/rfc822-headers", "", "Message-ID: " + about, "To: " + to, "Subject: returned", "", "--b--", "",
	}
}

// TestEvidence: each way in which a mail is known to be an answer to ours, and
// which of them the conversation says.
func TestEvidence(t *testing.T) { onBothServices(t, evidence) }

func evidence(t *testing.T, service string) {
	w := newLinked(t)
	owner := addressOf(service)
	box := w.office.Mailbox(owner)
	b := box.Beliefs()
	b.EqualSubjectsMerge = true
	box.SetBeliefs(b)
	l := w.link(service)
	ways := []struct {
		who, evidence string
		status        runner.Status
		arrives       func(to, subject, ours string)
	}{
		{"reply", "reference", runner.StatusReplied, func(to, subject, ours string) {
			w.arrives(owner, to, "Re: "+subject, "reply@example.net", "In-Reply-To: "+ours)
		}},
		{"chain", "reference", runner.StatusReplied, func(to, _, ours string) {
			w.arrives(owner, to, "What you wrote", "chain@example.net", "References: <other@example.net> "+ours)
		}},
		{"parent", "reference", runner.StatusReplied, func(to, _, ours string) {
			w.arrives(owner, to, "Another subject", "parent@example.net", "X-MS-Exchange-Parent-Message-Id: "+ours)
		}},
		{"elsewhere", "reference", runner.StatusReplied, func(_, subject, ours string) {
			w.arrives(owner, "private@example.org", "Re: "+subject, "elsewhere@example.org", "In-Reply-To: "+ours)
		}},
		{"merged", "thread", runner.StatusReplied, func(_, subject, _ string) {
			w.arrives(owner, "stranger@example.org", "Re: "+subject, "merged@example.org")
		}},
		{"fresh", "address", runner.StatusReplied, func(to, _, _ string) {
			w.arrives(owner, to, "A question", "fresh@example.net")
		}},
		{"gone", "report", runner.StatusBounced, func(to, _, ours string) {
			w.arrives(owner, "mailer-daemon@mx.example.net", "Undelivered Mail", "gone@mx.example.net", report(ours, to)...)
		}},
	}
	ids := make([]string, len(ways))
	for i, way := range ways {
		ids[i] = w.enrollAs(l.ID, way.who+"@example.net", "A role for "+way.who)
	}
	w.pass(30*time.Minute, time.Minute)
	for _, way := range ways {
		to := way.who + "@example.net"
		way.arrives(to, "A role for "+way.who, w.ours(owner, to))
	}
	w.pass(30*time.Minute, time.Minute)
	for i, way := range ways {
		if e := w.of(ids[i]); e.Status != way.status || e.StepsSent != 1 {
			t.Errorf("%s: %s (%s) after %d steps", way.who, e.Status, e.Reason, e.StepsSent)
		}
		talk, err := w.mem.Conversations().Conversation(t.Context(), ids[i])
		if err != nil || len(talk) != 2 {
			t.Errorf("%s: the conversation has %d entries, %v", way.who, len(talk), err)
			continue
		}
		if talk[1].Evidence != way.evidence {
			t.Errorf("%s: the evidence is %q, want %q", way.who, talk[1].Evidence, way.evidence)
		}
	}
	if envelopes, contents := w.office.Books().UnrelatedReads(); envelopes+contents > 0 {
		t.Errorf("unrelated mail was read: %d, %d", envelopes, contents)
	}
}

// TestAnsweredWhileBroken: what was answered while a link was broken stops its
// drips once it is mended, before anything else leaves, also where the place in
// the mailbox has expired meanwhile.
func TestAnsweredWhileBroken(t *testing.T) {
	for name, expires := range map[string]bool{"the place is good": false, "the place has expired": true} {
		t.Run(name, func(t *testing.T) {
			onBothServices(t, func(t *testing.T, service string) {
				w := newLinked(t)
				owner := addressOf(service)
				l := w.link(service)
				people := []string{"cites@example.net", "elsewhere@example.net", "fresh@example.net", "silent@example.net"}
				ids := make([]string, len(people))
				for i, p := range people {
					ids[i] = w.enrollAs(l.ID, p, "A role for "+p)
				}
				w.pass(time.Hour, 5*time.Minute)
				w.withdraw(service)
				w.pass(12*time.Hour, 30*time.Minute)
				w.arrives(owner, people[0], "Re: A role for "+people[0], "1@example.net", "In-Reply-To: "+w.ours(owner, people[0]))
				w.arrives(owner, "private@example.org", "Re: A role for "+people[1], "2@example.org", "In-Reply-To: "+w.ours(owner, people[1]))
				w.arrives(owner, people[2], "A question", "3@example.net")
				w.pass(6*24*time.Hour, time.Hour) // the follow-ups are due, and held
				if expires {
					w.office.Mailbox(owner).ExpireChanges()
				}
				if n := len(w.office.Books().SentFrom(owner)); n != len(people) {
					t.Fatalf("%d mails left while the link was broken", n)
				}
				if _, err := w.answered(linking.BeginParams{Relink: l.ID}, nil); err != nil {
					t.Fatal(err)
				}
				w.pass(24*time.Hour, 10*time.Minute)
				for i, id := range ids {
					want, steps := runner.StatusReplied, 1
					if i == 3 {
						want, steps = runner.StatusCompleted, 2
					}
					if e := w.of(id); e.Status != want || e.StepsSent != steps {
						t.Errorf("%s: %s (%s) after %d steps", people[i], e.Status, e.Reason, e.StepsSent)
					}
				}
				if n := len(w.office.Books().SentFrom(owner)); n != len(people)+1 {
					t.Errorf("%d mails left in all", n)
				}
			})
		})
	}
}

// TestEnrollAsksNothing: a bulk import makes no request, and needs no token
// that is good now.
func TestEnrollAsksNothing(t *testing.T) {
	onBothServices(t, func(t *testing.T, service string) {
		w := newLinked(t)
		l := w.link(service)
		requests := func() (n int) {
			for _, k := range w.office.Mailbox(addressOf(service)).Requests() {
				n += k
			}
			return n
		}
		before := requests()
		w.withdraw(service)
		for i := range 20 {
			w.enroll(l.ID, fmt.Sprintf("c%d@example.org", i))
		}
		if n := requests(); n != before {
			t.Errorf("enrolling made %d requests", n-before)
		}
		if s := w.status(l.ID); !s.Works {
			t.Errorf("the grant was asked about: %+v", s)
		}
	})
}
