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

// BenchmarkWorst looks for the mail that takes longest: of the collection, of
// the composed mail, and of the mail that is made to. Each is judged twenty
// times, and its best time counts, so that another's work on the machine does
// not.
func BenchmarkWorst(b *testing.B) {
	sets := make(map[string][]*provider.Message)
	names, raw, _ := realBounces(b)
	for _, name := range names {
		msg, _ := mimemsg.Read(raw[name])
		sets["real"] = append(sets["real"], msg)
	}
	for _, c := range append(readComposed(b, "bounces.txt"), readComposed(b, "bounces2.txt")...) {
		_, msg := c.bounce(b)
		sets["composed"] = append(sets["composed"], msg)
	}
	for _, c := range append(readComposed(b, "automatic.txt"), readComposed(b, "automatic2.txt")...) {
		_, msg := c.letter(b, c.fields[2])
		sets["composed"] = append(sets["composed"], msg)
	}
	for _, c := range append(readComposed(b, "people.txt"), readComposed(b, "people2.txt")...) {
		_, msg := c.letter(b, c.fields[0])
		sets["composed"] = append(sets["composed"], msg)
	}
	for _, make := range hostile {
		msg, _ := mimemsg.Read([]byte(make(1_000_000)))
		sets["hostile"] = append(sets["hostile"], msg)
	}
	for name, all := range sets {
		b.Run(name, func(b *testing.B) {
			var worst, sum time.Duration
			for b.Loop() {
				worst, sum = 0, 0
				for _, msg := range all {
					best := time.Hour
					for range 20 {
						begin := time.Now()
						classify.Classify(&msg.Envelope, msg)
						best = min(best, time.Since(begin))
					}
					worst, sum = max(worst, best), sum+best
				}
			}
			b.ReportMetric(float64(worst.Microseconds()), "µs/worst")
			b.ReportMetric(float64(sum.Microseconds())/float64(len(all)), "µs/mail")
		})
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
