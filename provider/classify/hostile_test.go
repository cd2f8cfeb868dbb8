package classify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
)

// hostile are mails made to cost much, of about n bytes each.
var hostile = map[string]func(n int) string{
	"one long header": func(n int) string {
		return "From: MAILER-DAEMON@example.org\nSubject: " + strings.Repeat("out of office until ", n/20) + "\n\nhello\n"
	},
	"many headers": func(n int) string {
		return "From: ada@example.org\n" + strings.Repeat("X-Auto: 1\nAuto-Submitted: no\n", n/30) + "\nhello\n"
	},
	"many failed recipients in the header": func(n int) string {
		return "From: MAILER-DAEMON@example.org\nX-Failed-Recipients: " + strings.Repeat("a@example.org, ", n/15) + "\n\nno such user\n"
	},
	"many recipients in the report": func(n int) string {
		var b strings.Builder
		b.WriteString("From: MAILER-DAEMON@example.org\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\nfailed\n" +
			"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; example.org\n\n")
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, "Final-Recipient: rfc822; a%d@example.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 <a%d@example.org>... no such user\n\n", i, i)
		}
		return b.String() + "--b--\n"
	},
	"many addresses in words": func(n int) string {
		var b strings.Builder
		b.WriteString("From: MAILER-DAEMON@example.org\nSubject: Undelivered\n\n")
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, "<a%d@example.org>: 550 5.1.1 no such user (in reply to RCPT TO command)\n", i)
		}
		return b.String()
	},
	"codes without end": func(n int) string {
		return "From: MAILER-DAEMON@example.org\nSubject: Undelivered\n\na@example.org " + strings.Repeat("550 5.1.1 4.4.", n/14) + "\n"
	},
	"one address without end": func(n int) string {
		return "From: MAILER-DAEMON@example.org\nSubject: Undelivered\n\n" + strings.Repeat("a@", n/2) + "\n"
	},
	"phrases without end": func(n int) string {
		return "From: a@example.org\nAuto-Submitted: auto-replied\n\n" + strings.Repeat("back on until and including the end of ", n/40) + "\n"
	},
	"dates without end": func(n int) string {
		return "From: a@example.org\nAuto-Submitted: auto-replied\n\n" + strings.Repeat("until 14/9 to 3. 9. 2026年9月", n/32) + "\n"
	},
	"digits without end": func(n int) string {
		return "From: a@example.org\nAuto-Submitted: auto-replied\n\nuntil " + strings.Repeat("1", n) + "/" + strings.Repeat("9", n) + "\n"
	},
	"tags without end": func(n int) string {
		return "From: MAILER-DAEMON@example.org\nContent-Type: text/html\n\n" + strings.Repeat("<blockquote><style><b", n/21) + "\n"
	},
	"open tags": func(n int) string {
		return "From: MAILER-DAEMON@example.org\nContent-Type: text/html\n\n" + strings.Repeat("<", n) + "\n"
	},
	"deep multiparts": func(n int) string {
		var b strings.Builder
		b.WriteString("From: MAILER-DAEMON@example.org\n")
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, "Content-Type: multipart/report; report-type=delivery-status; boundary=b%d\n\n--b%d\n", i, i)
		}
		return b.String() + "\nend\n"
	},
	"quoted lines": func(n int) string {
		return "From: a@example.org\nAuto-Submitted: auto-replied\n\n" + strings.Repeat("> RCPT\n>>> \n", n/12) + "\n"
	},
	"what is no text": func(n int) string {
		return "From: \xff\xfe\x00@\xff\nSubject: =?utf-8?b?\xff\x00?=\nAuto-Submitted: \x00auto-replied\n\n" + strings.Repeat("\x00\xff\xc3until\xe2\x80", n/12) + "\n"
	},
	"headers in the text": func(n int) string { return body(n, "Subject: x\n y\n") },
	"fields in the text":  func(n int) string { return body(n, "Final-Recipient: rfc822; a@b.example\n") },
	"unitext": func(n int) string {
		return body(1, "Final-Recipient: utf-8; ") + strings.Repeat(`\x{41}`, n/6) + "@b.example\nAction: failed\n"
	},
	"lines with codes": func(n int) string { return body(n, "a@b.example\n550 5.1.1 no\n") },
	"numbers":          func(n int) string { return body(n, "1.2.3.4.5.") },
	"entities":         func(n int) string { return body(n, "&amp") },
	"letters":          func(n int) string { return body(n, "ä") },
	"signs of months":  func(n int) string { return body(n, "9月") },
	"at signs":         func(n int) string { return body(n, "@") },
	"separators of lines": func(n int) string {
		return "From: MAILER-DAEMON@example.org\n\n" + strings.Repeat("\r\r\n\n", n/4)
	},
}

// body is a mail of a mail system that says one thing over and over.
func body(n int, text string) string {
	return "From: mailer-daemon@example.org\nSubject: Undelivered\nAuto-Submitted: auto-replied\nDate: Tue, 01 Sep 2026 10:00:00 +0200\n\n" + strings.Repeat(text, 1+n/len(text))
}

// TestHostile: no mail is too much to judge. Ten times the size may not take
// a hundred times as long; what is too small to be timed counts as short.
func TestHostile(t *testing.T) {
	for name, make := range hostile {
		t.Run(name, func(t *testing.T) {
			cost := func(n int) time.Duration {
				raw := []byte(make(n))
				best := time.Hour
				for range 3 {
					begin := time.Now()
					msg, _ := mimemsg.Read(raw)
					v := classify.Classify(&msg.Envelope, msg)
					best = min(best, time.Since(begin))
					sane(t, &msg.Envelope, v)
				}
				return best
			}
			small, large := cost(200_000), cost(2_000_000)
			t.Logf("%v, ten times as much %v", small, large)
			if large > 40*max(small, 5*time.Millisecond) {
				t.Errorf("%v for 200 kB, %v for 2 MB", small, large)
			}
		})
	}
}

// sane holds what is true of every verdict.
func sane(t testing.TB, env *provider.Envelope, v classify.Verdict) {
	t.Helper()
	if v.Class == "" || v.Evidence == "" {
		t.Fatalf("no class or no evidence: %+v", v)
	}
	if !v.Until.IsZero() && (v.Class != classify.OutOfOffice || !v.Until.After(env.Date) || !env.Date.IsZero() && v.Until.After(env.Date.AddDate(1, 0, 2))) {
		t.Fatalf("until %v", v.Until)
	}
	if len(v.Failed) > 100 || len(v.Failed) > 0 && v.Class != classify.Bounce && v.Class != classify.Delayed {
		t.Fatalf("%s with %d failures", v.Class, len(v.Failed))
	}
	for _, f := range v.Failed {
		if f.Kind == "" {
			t.Fatalf("a failure without a kind: %+v", f)
		}
	}
}
