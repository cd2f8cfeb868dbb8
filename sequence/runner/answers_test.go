package runner_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// deliver puts a mail into the mailbox as it arrives.
func (w *world) deliver(lines ...string) postoffice.Message {
	w.t.Helper()
	m, err := w.office.Deliver(postoffice.Mail{To: sender, Raw: crlfLines(lines...)})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func (w *world) first(addr string) postoffice.Submission {
	w.t.Helper()
	for _, s := range w.office.Books().Submissions() {
		for _, r := range s.Recipients {
			if r == addr {
				return s
			}
		}
	}
	w.t.Fatalf("no mail to %s", addr)
	return postoffice.Submission{}
}

// TestUnsureHoldsAll: what may be an answer holds all that an answer would
// end.
func TestUnsureHoldsAll(t *testing.T) { onEachStore(t, testUnsureHoldsAll) }

func testUnsureHoldsAll(t *testing.T, on storage) {
	for name, subject := range map[string]string{"in the thread": "Re: A role in Lisbon", "in a new thread": "About your mails"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, on)
			w.person("grace@example.net")
			first := w.enroll("grace@example.net").ID
			w.tick()
			second := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Key, p.Sequence = "second", later(threeSteps()) }).ID
			free := later(threeSteps())
			free.Independent = true
			third := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Key, p.Sequence = "third", free }).ID
			w.clock.Advance(time.Hour)
			w.deliver("From: grace@example.net", "To: "+sender, "Subject: "+subject, "List-Id: <x.example.net>", "Message-ID: <1@example.net>", "", "Hm.", "")
			w.pass(3 * day)
			w.want(first, runner.StatusHeld, 1)
			w.want(second, runner.StatusHeld, 0)
			w.want(third, runner.StatusActive, 1)
			w.sound()
		})
	}
}

// TestColleagueIsAway: the automatic answer of who was put in copy holds
// nothing.
func TestColleagueIsAway(t *testing.T) { onEachStore(t, testColleagueIsAway) }

func testColleagueIsAway(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	w.person("tom@agency.example.com", postoffice.Behaviour{Do: postoffice.OutOfOffice, On: 1, After: time.Hour, Until: start.Add(60 * day)})
	id := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Cc = []provider.Address{{Addr: "tom@agency.example.com"}} }).ID
	w.tick()
	w.pass(9 * day)
	w.want(id, runner.StatusCompleted, 3)
	if got := directions(w.conversation(id)); !strings.Contains(got, "in(out_of_office)") {
		t.Errorf("the conversation is %q", got)
	}
}

// TestAwayHoldsAll: who is away is away for every drip.
func TestAwayHoldsAll(t *testing.T) { onEachStore(t, testAwayHoldsAll) }

func testAwayHoldsAll(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.OutOfOffice, On: 1, After: time.Hour, Until: start.Add(20 * day)})
	first := w.enroll("grace@example.net").ID
	w.tick()
	second := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Key, p.Sequence = "second", later(threeSteps()) }).ID
	w.pass(15 * day)
	w.want(first, runner.StatusActive, 1)
	w.want(second, runner.StatusActive, 0)
	w.pass(20 * day)
	w.want(first, runner.StatusCompleted, 3)
	w.want(second, runner.StatusCompleted, 3)
}

// TestByHandInSharedThread: what the owner writes by hand to one of two
// people in a merged thread is nothing to the other.
func TestByHandInSharedThread(t *testing.T) { onEachStore(t, testByHandInSharedThread) }

func testByHandInSharedThread(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.beliefs(func(b *postoffice.Beliefs) { b.EqualSubjectsMerge = true })
	w.person("anna@example.net")
	w.person("ben@example.net")
	anna, ben := w.enroll("anna@example.net").ID, w.enroll("ben@example.net").ID
	w.tick()
	w.clock.Advance(time.Hour)
	if _, err := w.box.Submit(postoffice.SubmitParams{Raw: crlfLines("From: "+sender, "To: ben@example.net", "Subject: Re: A role in Lisbon",
		"Message-ID: <byhand@agency.example.com>", "In-Reply-To: <ben-1@example.net>", "", "I will call you, Ben.", "")}); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	w.want(ben, runner.StatusTookOver, 1)
	w.want(anna, runner.StatusActive, 1)
	if got := directions(w.conversation(anna)); got != "out" {
		t.Errorf("the conversation with anna is %q", got)
	}
	if got := directions(w.conversation(ben)); got != "out own(human)" {
		t.Errorf("the conversation with ben is %q", got)
	}
}

// TestStrangeKnownAddress: an answer from an address that no service can
// search for stops its drip, and no mailbox.
func TestStrangeKnownAddress(t *testing.T) { onEachStore(t, testStrangeKnownAddress) }

func testStrangeKnownAddress(t *testing.T, on storage) {
	for _, addr := range []string{`"anna:work"@example.org`, `"a(b)"@example.org`, `"a\"b"@example.org`, `"a,b"@example.org`} {
		w := newWorld(t, on)
		w.person("anna@example.net")
		w.person("ben@example.net")
		anna, ben := w.enroll("anna@example.net").ID, w.enroll("ben@example.net").ID
		w.tick()
		w.clock.Advance(time.Hour)
		w.deliver("From: "+addr, "To: "+sender, "Subject: Re: A role in Lisbon", "Message-ID: <1@example.org>", "In-Reply-To: "+w.first("anna@example.net").MessageID, "", "Yes.", "")
		w.pass(8 * day)
		w.want(anna, runner.StatusReplied, 1)
		w.want(ben, runner.StatusCompleted, 3)
		w.sound()
	}
}

// TestManyReferences: an answer may cite thousands of mails.
func TestManyReferences(t *testing.T) { onEachStore(t, testManyReferences) }

func testManyReferences(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("anna@example.net")
	anna := w.enroll("anna@example.net").ID
	w.tick()
	w.clock.Advance(time.Hour)
	refs := make([]string, 0, 12000)
	for i := range 12000 {
		refs = append(refs, fmt.Sprintf(" <%d@example.org>", i))
		if i == 6000 {
			refs = append(refs, " "+w.first("anna@example.net").MessageID)
		}
	}
	w.deliver("From: anna@example.net", "To: "+sender, "Subject: Yes", "Message-ID: <1@example.org>", "References:"+strings.Join(refs, "\r\n"), "", "Yes.", "")
	w.pass(4 * day)
	w.want(anna, runner.StatusReplied, 1)
	w.sound()
}

// TestBounceElsewhere: a report that says of an address we never wrote to
// that our mail failed there tells where the recipient's mail goes.
func TestBounceElsewhere(t *testing.T) { onEachStore(t, testBounceElsewhere) }

func testBounceElsewhere(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Custom, On: 1, After: time.Minute, Write: func(r postoffice.Reaction) []byte {
		id := header(r.Mail, "Message-ID")
		return crlfLines(
			"From: Mail Delivery System <MAILER-DAEMON@mx.example.net>", "To: "+r.To.Addr, "Subject: Undelivered Mail Returned to Sender",
			"Message-ID: "+r.ID, "Date: "+r.Now.Format(time.RFC1123Z), "Auto-Submitted: auto-replied", "In-Reply-To: "+id,
			`Content-Type: multipart/report; report-type=delivery-status; boundary="b"`, "",
			"--b", "Content-Type: text/plain", "", "<anna.old@elsewhere.example.org>: user unknown", "",
			"--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.net", "",
			"Final-Recipient: rfc822; anna.old@elsewhere.example.org", "Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.1.1 no such user", "",
			"--b", "Content-Type: text/rfc822-headers", "", "Message-ID: "+id, "Subject: A role in Lisbon", "To: "+r.From.Addr, "",
			"--b--", "",
		)
	}})
	anna := w.enroll("anna@example.net").ID
	w.tick()
	w.pass(9 * day)
	w.want(anna, runner.StatusHeld, 1)
	w.sound()
}

// TestKnownAddressAmongMany: an answer from a further address of the
// recipient's is looked for before a follow-up, however many are tracked.
func TestKnownAddressAmongMany(t *testing.T) { onEachStore(t, testKnownAddressAmongMany) }

func testKnownAddressAmongMany(t *testing.T, on storage) {
	const private = "anna.private@example.org"
	w := newWorld(t, on, func(c *runner.Config) { c.Options.ReadEvery = 12 * time.Hour }) // so that the follow-up's own read must find it
	w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, From: private})
	w.enroll("anna@example.net")
	w.tick()
	w.pass(day)
	for i := range provider.MaxQuerySenders {
		addr := fmt.Sprintf("p%02d@example.net", i)
		w.person(addr)
		w.enroll(addr)
	}
	again := w.enroll("anna@example.net", func(p *runner.EnrollParams) { p.Key = "again" }).ID
	w.pass(2 * time.Hour)
	w.want(again, runner.StatusActive, 1)
	due := w.get(again).Due
	w.pass(due.Add(-5 * time.Minute).Sub(w.clock.Now()))
	w.write(private, "Something else", "", "I have a question.")
	w.pass(time.Hour)
	w.want(again, runner.StatusReplied, 1)
	w.sound()
}

// TestColleagueNeedsNoAnswer: what a colleague in copy writes is in the
// conversation, and asks for no answer.
func TestColleagueNeedsNoAnswer(t *testing.T) { onEachStore(t, testColleagueNeedsNoAnswer) }

func testColleagueNeedsNoAnswer(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	w.person("tom@agency.example.com", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, Text: "Good luck with this one."})
	w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Cc = []provider.Address{{Addr: "tom@agency.example.com"}} })
	w.tick()
	w.pass(3 * time.Hour)
	if got := w.needed("maria"); got != "" {
		t.Errorf("%q needs an answer", got)
	}
}

// TestOrderOfAnswers: what the owner wrote by hand answers what the recipient
// wrote before it, and nothing that came after, in whatever order the two are
// read.
func TestOrderOfAnswers(t *testing.T) { onEachStore(t, testOrderOfAnswers) }

func testOrderOfAnswers(t *testing.T, on storage) {
	for _, gap := range []bool{false, true} {
		for _, before := range []bool{false, true} {
			t.Run(fmt.Sprintf("gap %t, before %t", gap, before), func(t *testing.T) {
				w := newWorld(t, on)
				w.person("grace@example.net")
				id := w.enroll("grace@example.net").ID
				w.tick()
				w.pass(time.Hour)
				ours := w.first("grace@example.net").MessageID
				w.open.err = &provider.Error{Kind: provider.ErrTemporary, Op: "open", Reason: "down"}
				acts := []func(){
					func() { w.byHand("grace@example.net", ours) },
					func() { w.write("grace@example.net", "Re: A role in Lisbon", ours, "When?") },
				}
				if !before {
					slices.Reverse(acts)
				}
				for _, act := range acts {
					act()
					w.clock.Advance(time.Hour)
				}
				if gap {
					w.box.ExpireChanges()
				}
				w.open.err = nil
				w.pass(3 * time.Hour)
				needed := ""
				if before {
					needed = id
				}
				if e := w.get(id); e.Flagged != before {
					t.Errorf("flagged is %t: %s", e.Flagged, w.events.kinds(id))
				}
				if got := w.needed("maria"); got != needed {
					t.Errorf("%q needs an answer, want %q", got, needed)
				}
			})
		}
	}
}

// byHand is a mail that the mailbox's owner writes in a thread.
func (w *world) byHand(to, answers string) {
	w.t.Helper()
	if _, err := w.box.Submit(postoffice.SubmitParams{Raw: crlfLines("From: "+sender, "To: "+to, "Subject: Re: A role in Lisbon",
		fmt.Sprintf("Message-ID: <%d@agency.example.com>", w.clock.Now().UnixNano()), "In-Reply-To: "+answers, "References: "+answers, "", "Here you are.", "")}); err != nil {
		w.t.Fatal(err)
	}
}

// TestPassedOn: a colleague whom the owner shows the thread to, and who
// answers there, is not the recipient: nothing else that they write is read.
func TestPassedOn(t *testing.T) { onEachStore(t, testPassedOn) }

func testPassedOn(t *testing.T, on storage) {
	const boss = "boss@agency.example.com"
	for name, meanwhile := range map[string]func(*world){
		"read at once":   func(w *world) { w.pass(time.Hour) },
		"read together":  func(w *world) { w.clock.Advance(time.Minute) },
		"read after all": func(w *world) { w.clock.Advance(time.Minute); w.box.ExpireChanges() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, on)
			w.person("grace@example.net")
			id := w.enroll("grace@example.net").ID
			w.tick()
			w.pass(time.Hour)
			ours := w.first("grace@example.net").MessageID
			w.byHand(boss, ours)
			meanwhile(w)
			w.write(boss, "Re: A role in Lisbon", ours, "Hire her.")
			if name == "read after all" {
				w.box.ExpireChanges()
			}
			w.pass(time.Hour)
			if e := w.get(id); e.Status != runner.StatusTookOver && e.Status != runner.StatusReplied {
				t.Errorf("it is %s", e.Status)
			}
			before := directions(w.conversation(id))
			if _, err := w.office.Deliver(postoffice.Mail{To: sender, Unrelated: true, Raw: crlfLines("From: "+boss, "To: "+sender, "Subject: Your salary", "Message-ID: <s@agency.example.com>", "", "It goes up.", "")}); err != nil {
				t.Fatal(err)
			}
			w.pass(3 * time.Hour)
			if got := directions(w.conversation(id)); got != before {
				t.Errorf("the conversation is %q", got)
			}
			w.sound()
		})
	}
}

// TestClocksDiffer: an answer counts for an enrollment that was made as it
// came: the clocks of the host and of the mail service are not the same, and
// a service tells whole seconds.
func TestClocksDiffer(t *testing.T) { onEachStore(t, testClocksDiffer) }

func testClocksDiffer(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	first := w.enroll("grace@example.net").ID
	w.tick()
	w.clock.Advance(time.Hour)
	second := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Key, p.Sequence = "second", later(threeSteps()) }).ID
	if _, err := w.office.Deliver(postoffice.Mail{To: sender, Received: w.clock.Now().Add(-time.Second), Raw: crlfLines("From: grace@example.net", "To: "+sender,
		"Subject: Re: A role in Lisbon", "Message-ID: <1@example.net>", "In-Reply-To: "+w.first("grace@example.net").MessageID, "", "Yes.", "")}); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	w.want(first, runner.StatusReplied, 1)
	w.want(second, runner.StatusReplied, 0)
}

// TestAnswerAmongTheSent: an answer that a rule files among the sent mail is
// one.
func TestAnswerAmongTheSent(t *testing.T) { onEachStore(t, testAnswerAmongTheSent) }

func testAnswerAmongTheSent(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.AnswerNew, On: 1, After: time.Hour})
	w.box.SetRule(func(postoffice.Message) []string { return []string{postoffice.LabelSent} })
	id := w.enroll("grace@example.net").ID
	w.tick()
	w.pass(8 * day)
	if e := w.want(id, runner.StatusReplied, 1); !e.Flagged {
		t.Error("it is not flagged")
	}
	w.sound()
}

// TestToldAfterTheEnd: what comes after the last mail is told as what it is.
func TestToldAfterTheEnd(t *testing.T) { onEachStore(t, testToldAfterTheEnd) }

func testToldAfterTheEnd(t *testing.T, on storage) {
	for act, told := range map[postoffice.Act]string{
		postoffice.Answer: "replied flagged", postoffice.OutOfOffice: "auto_replied", postoffice.BounceLater: "bounced flagged",
	} {
		w := newWorld(t, on)
		w.person("grace@example.net", postoffice.Behaviour{Do: act, After: time.Hour, Until: start.Add(9 * day)})
		one := threeSteps()
		one.Steps = one.Steps[:1]
		id := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Sequence = one }).ID
		w.tick()
		w.pass(3 * time.Hour)
		w.want(id, runner.StatusCompleted, 1)
		if got := w.events.kinds(id); got != "enrolled sent completed "+told {
			t.Errorf("%s: the events are %q", act, got)
		}
	}
}

// TestServiceClockAhead: an answer that came just before a follow-up is found,
// though by the service's clock it comes later.
func TestServiceClockAhead(t *testing.T) { onEachStore(t, testServiceClockAhead) }

func testServiceClockAhead(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	w.pass(w.get(id).Due.Sub(w.clock.Now()) - 10*time.Minute)
	w.clock.Advance(10*time.Minute - time.Second)
	if _, err := w.office.Deliver(postoffice.Mail{To: sender, Received: w.clock.Now().Add(provider.ClockSlack), Raw: crlfLines("From: grace@example.net", "To: "+sender,
		"Subject: A question", "Message-ID: <1@example.net>", "", "What is it about?", "")}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * time.Second)
	w.tick()
	w.want(id, runner.StatusReplied, 1)
	w.sound()
}

// TestReportedReply: an answer that the host reports ends what any other does.
func TestReportedReply(t *testing.T) { onEachStore(t, testReportedReply) }

func testReportedReply(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	w.person("ben@example.net")
	first, other := w.enroll("grace@example.net").ID, w.enroll("ben@example.net").ID
	second := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Key, p.Sequence = "second", later(threeSteps()) }).ID
	free := later(threeSteps())
	free.Independent = true
	third := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Key, p.Sequence = "third", free }).ID
	w.tick()
	for range 2 {
		if e, err := w.run.RecordReply(t.Context(), first); err != nil || e.ID != first || e.Status != runner.StatusReplied {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if _, err := w.run.RecordReply(t.Context(), "nobody"); !errors.Is(err, runner.ErrNotFound) {
		t.Errorf("of an unknown enrollment: %v", err)
	}
	w.want(first, runner.StatusReplied, 1)
	w.want(second, runner.StatusReplied, 0)
	w.want(third, runner.StatusActive, 0)
	w.want(other, runner.StatusActive, 1)
}
