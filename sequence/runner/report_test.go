package runner_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// TestReports: what each kind of delivery failure means to the enrollment.
func TestReports(t *testing.T) { onEachStore(t, testReports) }

func testReports(t *testing.T, on storage) {
	for name, c := range map[string]struct {
		does    postoffice.Behaviour
		status  runner.Status
		sent    int
		flagged bool
	}{
		"hard":           {postoffice.Behaviour{Do: postoffice.Bounce, Code: "5.1.1"}, runner.StatusBounced, 1, false},
		"hard and later": {postoffice.Behaviour{Do: postoffice.BounceLater, Code: "5.1.10"}, runner.StatusBounced, 1, false},
		"a full mailbox": {postoffice.Behaviour{Do: postoffice.Bounce, Code: "5.2.2", On: 1}, runner.StatusCompleted, 3, false},
		"late":           {postoffice.Behaviour{Do: postoffice.BounceDelay, Code: "4.4.1", On: 1}, runner.StatusCompleted, 3, false},
		"a policy":       {postoffice.Behaviour{Do: postoffice.Bounce, Code: "5.7.1"}, runner.StatusHeld, 1, true},
		"unclear":        {postoffice.Behaviour{Do: postoffice.BounceLater, Code: "5.0.0", Text: "It was not delivered."}, runner.StatusHeld, 1, true},
		"a limit":        {postoffice.Behaviour{Do: postoffice.Bounce, Code: "5.1.90"}, runner.StatusHeld, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, on)
			c.does.After = time.Minute
			w.person("elif@example.net", c.does)
			id := w.enroll("elif@example.net").ID
			w.tick()
			w.pass(14 * day)
			if e := w.want(id, c.status, c.sent); e.Flagged != c.flagged {
				t.Errorf("flagged %t, want %t", e.Flagged, c.flagged)
			}
			stopped := 0
			if name == "a limit" {
				stopped = 1
			}
			if n := w.events.count(runner.EventMailboxStopped); n != stopped {
				t.Errorf("the mailbox was stopped %d times, want %d", n, stopped)
			}
			w.sound()
		})
	}
}

// TestAbsences: an automatic answer in each form holds until the return, and
// the drip goes on then.
func TestAbsences(t *testing.T) { onEachStore(t, testAbsences) }

func testAbsences(t *testing.T, on storage) {
	for _, act := range []postoffice.Act{postoffice.OutOfOffice, postoffice.OutOfOfficeExchange, postoffice.OutOfOfficeInternal} {
		t.Run(string(act), func(t *testing.T) {
			w := newWorld(t, on)
			w.person("dev@example.net", postoffice.Behaviour{Do: act, On: 1, After: time.Minute, Until: start.Add(10 * day)})
			id := w.enroll("dev@example.net").ID
			w.tick()
			w.pass(9 * day)
			w.want(id, runner.StatusActive, 1)
			w.pass(12 * day)
			w.want(id, runner.StatusCompleted, 3)
			if got := directions(w.conversation(id)); got != "out in(out_of_office) out out" {
				t.Errorf("the conversation is %q", got)
			}
			w.sound()
		})
	}
}

// forged is a report that is made up: it names the recipient and cites
// nothing that only a receiver of the mail can know.
func forged(code string) func(postoffice.Reaction) []byte {
	return func(r postoffice.Reaction) []byte {
		return crlfLines(
			"From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "To: "+r.To.Addr, "Subject: Delivery Status Notification (Failure)",
			"Message-ID: "+r.ID, "Date: "+r.Now.Format(time.RFC1123Z), "Auto-Submitted: auto-replied", "X-Failed-Recipients: "+r.From.Addr,
			`Content-Type: multipart/report; report-type=delivery-status; boundary="b"`, "",
			"--b", "Content-Type: text/plain", "", "Address not found", "",
			"--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; googlemail.com", "",
			"Final-Recipient: rfc822; "+r.From.Addr, "Action: failed", "Status: "+code, "Diagnostic-Code: smtp; 550 "+code+" no such user", "",
			"--b", "Content-Type: message/rfc822", "", "Message-ID: <guessed@mail.agency.example.com>", "Subject: A role in Lisbon", "", "Hello",
			"--b--", "",
		)
	}
}

func crlfLines(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n")) }

// TestForgedReport: a report that anybody can write gives up no address and
// stops no mailbox.
func TestForgedReport(t *testing.T) { onEachStore(t, testForgedReport) }

func testForgedReport(t *testing.T, on storage) {
	for _, code := range []string{"5.1.1", "5.1.90"} {
		t.Run(code, func(t *testing.T) {
			w := newWorld(t, on)
			w.person("frank@example.net", postoffice.Behaviour{Do: postoffice.Custom, On: 1, After: time.Minute, Write: forged(code)})
			id := w.enroll("frank@example.net").ID
			w.tick()
			w.pass(14 * day)
			if e := w.get(id); e.Status == runner.StatusBounced {
				t.Errorf("it ended the enrollment: %s", w.events.kinds(id))
			}
			if n := w.events.count(runner.EventMailboxStopped); n != 0 {
				t.Errorf("it stopped the mailbox %d times", n)
			}
			w.sound()
		})
	}
}

// feedback is a report of the recipient's mail service (RFC 5965). It is in
// the thread and returns the header of the mail.
func feedback(kind string) func(postoffice.Reaction) []byte {
	return func(r postoffice.Reaction) []byte {
		header, _, _ := bytes.Cut(r.Mail, []byte("\r\n\r\n"))
		id := ""
		for line := range strings.Lines(string(header)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "Message-ID") {
				id = strings.TrimSpace(value)
			}
		}
		return crlfLines(
			"From: complaints@fbl.example.net", "To: "+r.To.Addr, "Subject: Re: A role in Lisbon", "Message-ID: "+r.ID,
			"Date: "+r.Now.Format(time.RFC1123Z), "In-Reply-To: "+id, `Content-Type: multipart/report; report-type=feedback-report; boundary="b"`, "",
			"--b", "Content-Type: text/plain", "", "This is an email abuse report.", "",
			"--b", "Content-Type: message/feedback-report", "", "Feedback-Type: "+kind, "Version: 1", "User-Agent: Example/1.0", "Original-Rcpt-To: "+r.From.Addr, "",
			"--b", "Content-Type: text/rfc822-headers", "", string(header), "",
			"--b--", "",
		)
	}
}

// TestComplaint: a complaint is an opt-out of that person, everywhere. A
// feedback report about signatures is none.
func TestComplaint(t *testing.T) { onEachStore(t, testComplaint) }

func testComplaint(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("kim@example.net", postoffice.Behaviour{Do: postoffice.Custom, On: 2, After: 5 * time.Minute, Write: feedback("abuse")})
	w.person("lee@example.net", postoffice.Behaviour{Do: postoffice.Custom, On: 1, After: 5 * time.Minute, Write: feedback("auth-failure")})
	kim, lee := w.enroll("kim@example.net").ID, w.enroll("lee@example.net").ID
	other := w.enroll("kim@example.net", func(p *runner.EnrollParams) { p.Key = "another" }).ID
	w.tick()
	w.pass(14 * day)
	for _, id := range []string{kim, other} {
		w.want(id, runner.StatusUnsubscribed, 1)
	}
	if !w.get(kim).Flagged && !w.get(other).Flagged {
		t.Error("no person is told to look")
	}
	w.want(lee, runner.StatusCompleted, 3)
	p := runner.EnrollParams{Key: "again", Link: link, Recipient: provider.Address{Addr: "Kim@example.net"}, Sequence: threeSteps()}
	if e, err := w.run.Enroll(t.Context(), p); err == nil {
		w.tick()
		w.want(e.ID, runner.StatusUnsubscribed, 0)
	}
	if n := w.mails("kim@example.net"); n != 2 {
		t.Errorf("%d mails left for who complained after the second, want 2", n)
	}
	if got := fmt.Sprint(w.events.count(runner.EventUnsubscribed)); got == "0" {
		t.Error("the host was not told")
	}
	w.sound()
}

// TestReportBeforeTheID: a delivery report that cites the Message-ID that the
// service gave a mail, and comes before that is known, is not lost.
func TestReportBeforeTheID(t *testing.T) { onEachStore(t, testReportBeforeTheID) }

func testReportBeforeTheID(t *testing.T, on storage) {
	for _, lost := range []bool{false, true} {
		w := newWorld(t, on)
		w.beliefs(func(b *postoffice.Beliefs) { b.KeepsMessageID, b.KeepsOriginalID = false, false })
		w.box.SetDelays(postoffice.Delays{SentCopy: 12 * time.Minute})
		w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Custom, On: 1, After: time.Minute, Write: func(r postoffice.Reaction) []byte {
			id := header(r.Mail, "Message-ID")
			return crlfLines(
				"From: Mail Delivery System <MAILER-DAEMON@mx.example.net>", "To: "+r.To.Addr, "Subject: Undelivered Mail Returned to Sender",
				"Message-ID: "+r.ID, "Date: "+r.Now.Format(time.RFC1123Z), "Auto-Submitted: auto-replied",
				`Content-Type: multipart/report; report-type=delivery-status; boundary="b"`, "",
				"--b", "Content-Type: text/plain", "", "<grace@example.net>: user unknown", "",
				"--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.net", "",
				"Final-Recipient: rfc822; grace@example.net", "Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.1.1 no such user", "",
				"--b", "Content-Type: text/rfc822-headers", "", "Message-ID: "+id, "Subject: A role in Lisbon", "To: "+r.From.Addr, "",
				"--b--", "",
			)
		}})
		w.person("elif@example.net")
		id := w.enroll("grace@example.net").ID
		if lost {
			w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: postoffice.FaultLoseAfter})
		}
		w.tick()
		for range 5 {
			if err := w.run.Notify(t.Context(), link); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(time.Minute)
			w.tick()
		}
		w.pass(2 * day)
		w.want(id, runner.StatusBounced, 1)
	}
}
