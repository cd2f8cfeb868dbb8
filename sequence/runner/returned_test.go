package runner_test

import (
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// TestReportInSharedThread: a delivery report that lies in a thread of two
// people, and cites a mail by nothing but the headers that it returns, is
// about that one's recipient alone.
func TestReportInSharedThread(t *testing.T) { onEachStore(t, testReportInSharedThread) }

func testReportInSharedThread(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.beliefs(func(b *postoffice.Beliefs) { b.EqualSubjectsMerge = true })
	w.person("anna@example.net")
	w.person("ben@example.net")
	anna, ben := w.enroll("anna@example.net").ID, w.enroll("ben@example.net").ID
	w.tick()
	w.clock.Advance(time.Hour)
	w.deliver("From: Mail Delivery System <MAILER-DAEMON@mx.example.net>", "To: "+sender, "Subject: Re: A role in Lisbon",
		"Message-ID: <dsn1@mx.example.net>", "Date: "+w.clock.Now().Format(time.RFC1123Z), "Auto-Submitted: auto-replied",
		`Content-Type: multipart/report; report-type=delivery-status; boundary="b"`, "",
		"--b", "Content-Type: text/plain", "", "<anna@example.net>: user unknown", "",
		"--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.net", "",
		"Final-Recipient: rfc822; anna@example.net", "Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.1.1 no such user", "",
		"--b", "Content-Type: text/rfc822-headers", "", "Message-ID: "+w.first("anna@example.net").MessageID, "Subject: A role in Lisbon", "To: anna@example.net", "",
		"--b--", "")
	w.pass(time.Hour)
	w.want(anna, runner.StatusBounced, 1)
	w.want(ben, runner.StatusActive, 1)
	if got := directions(w.conversation(ben)); got != "out" {
		t.Errorf("what failed for anna is in the conversation with ben: %q", got)
	}
	talk := w.conversation(anna)
	if got := directions(talk); got != "out in(bounce)" || talk[1].Evidence != "report" {
		t.Errorf("the conversation with anna is %q: %+v", got, talk)
	}
}

// TestReportInAnothersThread: a delivery report that lies in the thread of
// somebody else's mail alone is about whose mail it returns.
func TestReportInAnothersThread(t *testing.T) { onEachStore(t, testReportInAnothersThread) }

func testReportInAnothersThread(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("anna@example.net")
	w.person("ben@example.net")
	anna, ben := w.enroll("anna@example.net").ID, w.enroll("ben@example.net").ID
	w.tick()
	w.write("anna@example.net", "Hello", "", "I have a question.")
	w.pass(time.Hour)
	w.beliefs(func(b *postoffice.Beliefs) { b.EqualSubjectsMerge = true }) // it joins the newest thread of its subject: anna's
	w.deliver("From: Mail Delivery System <MAILER-DAEMON@mx.example.net>", "To: "+sender, "Subject: Re: Hello",
		"Message-ID: <dsn1@mx.example.net>", "Date: "+w.clock.Now().Format(time.RFC1123Z), "Auto-Submitted: auto-replied",
		`Content-Type: multipart/report; report-type=delivery-status; boundary="b"`, "",
		"--b", "Content-Type: text/plain", "", "<ben@example.net>: user unknown", "",
		"--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.net", "",
		"Final-Recipient: rfc822; ben@example.net", "Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.1.1 no such user", "",
		"--b", "Content-Type: text/rfc822-headers", "", "Message-ID: "+w.first("ben@example.net").MessageID, "Subject: A role in Lisbon", "To: ben@example.net", "",
		"--b--", "")
	w.pass(time.Hour)
	w.want(ben, runner.StatusBounced, 1)
	w.want(anna, runner.StatusReplied, 1)
	if got := directions(w.conversation(anna)); got != "out in(human)" {
		t.Errorf("what failed for ben is in the conversation with anna: %q", got)
	}
	if got := directions(w.conversation(ben)); got != "out in(bounce)" {
		t.Errorf("the conversation with ben is %q", got)
	}
	w.sound()
}
