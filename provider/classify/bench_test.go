package classify_test

import (
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
)

func BenchmarkClassify(b *testing.B) {
	run := func(name string, env *provider.Envelope, msg *provider.Message) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				classify.Classify(env, msg)
			}
		})
	}
	env, msg := view(pairings[1], "olga@example.net", "Automatic reply: "+ours, absences[0].texts[0])
	run("absence", env, msg)
	env, msg = view(pairing{}, "cara@example.net", "Re: "+ours, strings.Repeat("I would like to hear more, and was away until May 5 last year. ", 200))
	run("long answer", env, msg)
	env, msg = view(pairing{headers: gmailVacation}, "olga@example.net", "Re: "+ours, strings.Repeat("休暇をいただいております。9月14日より出社いたします。", 200))
	run("long Japanese absence", env, msg)
	env, msg = view(pairing{}, "cara@example.net", "Re: "+ours, "")
	msg.HTML = "<html><body>" + strings.Repeat("<p style=\"color:red\">I would like to hear more &amp; soon.</p>\n", 3000) + "</body></html>"
	run("long HTML", env, msg)
	raw := bounceOf(20)
	report, _ := mimemsg.Read(raw)
	run("report of 20", &report.Envelope, report)
}

// BenchmarkRealBounces classifies the collection; a message is one of it.
func BenchmarkRealBounces(b *testing.B) {
	names, raw, _ := realBounces(b)
	var all []*provider.Message
	for _, name := range names {
		msg, _ := mimemsg.Read(raw[name])
		all = append(all, msg)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		msg := all[i%len(all)]
		classify.Classify(&msg.Envelope, msg)
	}
}

// bounceOf is a report about n recipients.
func bounceOf(n int) []byte {
	var s strings.Builder
	s.WriteString("From: MAILER-DAEMON@mx.example.org\r\nSubject: Undelivered Mail\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n")
	for range n {
		s.WriteString("Final-Recipient: rfc822; carol@example.org\r\nAction: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 550 5.1.1 <carol@example.org>: Recipient address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)\r\n\r\n")
	}
	s.WriteString("--b--\r\n")
	return []byte(s.String())
}

// TestHostile: mail that is made to cost much costs little. What is squared in
// its size takes minutes.
func TestHostile(t *testing.T) {
	const n = 100_000
	for name, text := range map[string]string{
		"dates":              strings.Repeat("until 14 September ", n),
		"numbers":            strings.Repeat("1.2.3.4.5.", n),
		"marks":              strings.Repeat("until ", n),
		"codes":              strings.Repeat("550 5.1.", n) + "1",
		"digits":             strings.Repeat("5", n),
		"addresses":          strings.Repeat("<a@b.example> ", n),
		"at signs":           strings.Repeat("@", n),
		"lines":              strings.Repeat("a@b.example\n550 5.1.1 no\n", n),
		"tags":               strings.Repeat("<style>", n),
		"open tags":          strings.Repeat("<", n),
		"entities":           strings.Repeat("&amp", n),
		"quotes":             strings.Repeat(">\n", n),
		"letters":            strings.Repeat("ä", n),
		"japanese":           strings.Repeat("9月", n),
		"headers":            strings.Repeat("Subject: x\n y\n", n),
		"fields":             strings.Repeat("Final-Recipient: rfc822; a@b.example\n", n),
		"letters of unitext": "Final-Recipient: utf-8; " + strings.Repeat(`\x{41}`, n) + "@b.example\nAction: failed\n",
	} {
		for _, from := range []string{"mailer-daemon@example.org", "olga@example.net"} {
			for _, kind := range []string{"text/plain", "text/html"} {
				raw := []byte("From: " + from + "\r\nSubject: " + text[:200] + "\r\nAuto-Submitted: auto-replied\r\nX-Failed-Recipients: " + strings.Repeat("a@b.example, ", 2000) +
					"\r\nDate: Tue, 01 Sep 2026 10:00:00 +0200\r\nContent-Type: " + kind + "; charset=utf-8\r\n\r\n" + text)
				start := time.Now()
				msg, _ := mimemsg.Read(raw)
				v := classify.Classify(&msg.Envelope, msg)
				if took := time.Since(start); took > 3*time.Second {
					t.Errorf("%s, %s from %s: %v", name, kind, from, took)
				}
				if len(v.Failed) > 100 {
					t.Errorf("%s: %d failures", name, len(v.Failed))
				}
			}
		}
	}
}
