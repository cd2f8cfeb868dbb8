package mimemsg_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// bounce is a delivery report about a mail of ours.
func bounce(from, kind string) []byte {
	return crlf(
		"From: "+from, "Subject: Undeliverable", "MIME-Version: 1.0", "Content-Type: "+kind+"; boundary=\"x\"", "",
		"--x", "", "Your mail did not arrive.", "",
		"--x", "Content-Type: message/delivery-status", "",
		"Reporting-MTA: dns; mx.example.net", "",
		"Final-Recipient: rfc822; <ada@example.net>", "Original-Recipient: rfc822;ada+x@example.net", "Action: Failed (for good)",
		"Status: 5.1.1 (no such user)", "Diagnostic-Code: smtp; 550 5.1.1", " user unknown", "",
		"", "Final-Recipient: RFC822;bob@example.net", "Action: delayed", "Status: 4.4.1", "",
		"--x", "Content-Type: message/rfc822", "",
		"Message-ID: <k3y@mail.example.com>", "X-Outreach-Key: key-1", "To: Ada <ada@example.net>, bob@example.net", "Subject: A role", "", "Hello Ada",
		"--x--", "",
	)
}

func TestReport(t *testing.T) {
	want := provider.Report{
		Type: "delivery-status",
		Recipients: []provider.RecipientReport{
			{Final: "ada@example.net", Original: "ada+x@example.net", Action: "failed", Status: "5.1.1", Diagnostic: "smtp; 550 5.1.1 user unknown"},
			{Final: "bob@example.net", Action: "delayed", Status: "4.4.1"},
		},
		OriginalMessageID: "<k3y@mail.example.com>", OriginalKey: "key-1",
		OriginalTo: []provider.Address{{Name: "Ada", Addr: "ada@example.net"}, {Addr: "bob@example.net"}},
	}
	plain := bounce("MAILER-DAEMON@example.com", "multipart/report; report-type=delivery-status")
	wrapped := crlf("From: MAILER-DAEMON@example.com", "Content-Type: multipart/mixed; boundary=w", "", "--w",
		"Content-Type: multipart/report; report-type=Delivery-Status; boundary=x", "",
		strings.SplitN(string(plain), "\r\n\r\n", 2)[1], "--w", "", "This notice was added.", "--w--")
	for name, raw := range map[string][]byte{
		"report": plain, "bare line ends": []byte(strings.ReplaceAll(string(plain), "\r\n", "\n")),
		"type not named": bounce("MAILER-DAEMON@example.com", "multipart/report"),
		"mixed":          bounce("postmaster@example.com", "multipart/mixed"), "no sender": bounce("<>", "multipart/mixed"), "wrapped": wrapped,
	} {
		msg, err := mimemsg.Read(raw)
		if err != nil || msg.Report == nil {
			t.Errorf("%s: report %v, error %v", name, msg.Report, err)
			continue
		}
		if got, want := fmt.Sprintf("%q", *msg.Report), fmt.Sprintf("%q", want); got != want {
			t.Errorf("%s:\n%s\n%s", name, got, want)
		}
		if !strings.HasPrefix(msg.Text, "Your mail did not arrive.") || len(msg.Attachments) != 1 || msg.Attachments[0].ContentType != "message/rfc822" {
			t.Errorf("%s: text %q, attachments %v", name, msg.Text, msg.Attachments)
		}
	}
	// A person who passes on the parts of a report has sent no report.
	if msg, _ := mimemsg.Read(bounce("ada@example.net", "multipart/mixed")); msg.Report != nil || len(msg.Attachments) != 2 {
		t.Errorf("report %v, attachments %v", msg.Report, msg.Attachments)
	}
}

func TestReportKinds(t *testing.T) {
	read := func(kind string, parts ...string) *provider.Message {
		t.Helper()
		lines := []string{"From: MAILER-DAEMON@example.com", "Content-Type: multipart/report; report-type=" + kind + "; boundary=x", ""}
		for _, p := range parts {
			lines = append(lines, "--x", p)
		}
		msg, err := mimemsg.Read(crlf(append(lines, "--x--")...))
		if err != nil || msg.Report == nil || msg.Report.Type != kind {
			t.Fatalf("%s: report %v, error %v", kind, msg.Report, err)
		}
		return msg
	}
	msg := read("disposition-notification", "\r\nIt was read.",
		"Content-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822;ada@example.net\r\nOriginal-Message-ID: <k3y@mail.example.com>\r\nDisposition: manual-action/MDN-sent-manually; displayed")
	if r := msg.Report; r.OriginalMessageID != "<k3y@mail.example.com>" || len(r.Recipients) != 1 || r.Recipients[0].Final != "ada@example.net" {
		t.Errorf("receipt: %+v", r)
	}
	msg = read("delivery-status", "\r\nSorry.",
		"Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\nRmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGFkYUBleGFtcGxlLm5ldA==",
		"Content-Type: text/rfc822-headers\r\n\r\nMessage-Id:\r\n <k3y@mail.example.com>\r\nx-outreach-key: key-1")
	if r := msg.Report; r.OriginalMessageID != "<k3y@mail.example.com>" || r.OriginalKey != "key-1" || len(r.Recipients) != 1 || len(msg.Attachments) != 0 {
		t.Errorf("headers: %+v", r)
	}
	msg = read("delivery-status", "\r\nSorry.", "Content-Type: message/delivery-status\r\n\r\nThe mailbox is full, please try again")
	if msg.Text != "Sorry.\nThe mailbox is full, please try again" || msg.Report.Recipients != nil {
		t.Errorf("words in the place of a status: %q, %+v", msg.Text, msg.Report)
	}
}

func TestOpenPart(t *testing.T) {
	raw := bounce("MAILER-DAEMON@example.com", "multipart/report")
	for _, part := range []string{"", "4", "1.1", "01", "+1", "-1", "3.1", "x", "1.", "99999999999999999999", strings.Repeat("1.", 5000)} {
		if _, err := mimemsg.OpenPart(raw, part); !errors.Is(err, provider.ErrNotFound) {
			t.Errorf("part %.20q: %v", part, err)
		}
	}
	if _, err := mimemsg.OpenPart(nil, "1"); !errors.Is(err, provider.ErrNotFound) {
		t.Errorf("of nothing: %v", err)
	}
}

// TestHostile holds that mail made to cost much costs little. Each is read in
// a few milliseconds; what is squared in its size takes minutes.
func TestHostile(t *testing.T) {
	const n = 200_000
	deep := "From: a@example.com\r\n"
	for i := range 2000 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	for name, raw := range map[string]string{
		"folded":     "Subject: x\r\n" + strings.Repeat(" \r\n", n) + "\r\ntext",
		"fields":     strings.Repeat("X: y\r\n", n) + "\r\ntext",
		"junk":       strings.Repeat("no field\r\n", n),
		"references": "References: " + strings.Repeat("<a@b> <", n) + "\r\n\r\n",
		"ids":        strings.Repeat("References: <"+strings.Repeat("a", 50)+"\r\n", 5000),
		"words":      "Subject: " + strings.Repeat("=?utf-8?q?", n) + "\r\n\r\n",
		"words open": "Subject: " + strings.Repeat("=?x", n) + "?=\r\n\r\n",
		"addresses":  "To: " + strings.Repeat("a@b,", n) + "\r\n\r\n",
		"brackets":   "To: " + strings.Repeat("<", n) + "\r\n\r\n",
		"comments":   "To: " + strings.Repeat("(", n) + "\r\n\r\n",
		"quotes":     "To: " + strings.Repeat(`"a@b" `, n/2) + "\r\n\r\n",
		"groups":     "To: " + strings.Repeat("a:", n) + "\r\n\r\n",
		"parameters": "Content-Type: text/plain" + strings.Repeat("; a*1=b", n/2) + "\r\n\r\n",
		"parts":      "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\n\r\n", n),
		"dashes":     "Content-Type: multipart/mixed\r\n\r\n" + strings.Repeat("--xy\r\n", n),
		"guesses":    "Content-Type: multipart/mixed\r\n\r\n" + strings.Repeat("----------x"+strings.Repeat("-", 50)+"y\r\n", n/10),
		"deep":       deep,
		"groups of a status": "Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n" +
			strings.Repeat("Final-Recipient: rfc822; a@b\r\n\r\n", n/10) + "--x--",
		"long text": "Subject: x\r\n\r\n" + strings.Repeat("word ", 2<<20),
	} {
		start := time.Now()
		msg, err := mimemsg.Read([]byte(raw))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: %v", name, took)
		}
		if msg == nil || len(msg.Text) > 5<<20 || len(msg.Attachments) > 600 || len(msg.Envelope.References) > 1000 || len(msg.Envelope.To) > 5000 {
			t.Errorf("%s: not bounded: %v", name, err)
		}
		if err != nil && len(err.Error()) > 4000 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}
