package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// mail puts a message of foreign making together.
func mail(r postoffice.Reaction, from, subject, kind, text string, extra ...string) []byte {
	lines := append([]string{
		"MIME-Version: 1.0", "From: " + from, "To: " + r.To.Addr, "Subject: " + subject, "Date: " + r.Now.Format(time.RFC1123Z),
		"Message-ID: " + r.ID, "Content-Type: " + kind,
	}, extra...)
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n" + strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")
}

const plainText = `text/plain; charset="UTF-8"`

// field is a header field of the mail that is reacted to.
func field(raw []byte, name string) string {
	fields, _ := postoffice.Split(raw)
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// citing are the header fields of an answer.
func citing(raw []byte) []string {
	id := field(raw, "Message-ID")
	return []string{"In-Reply-To: " + id, "References: " + strings.TrimSpace(field(raw, "References")+" "+id)}
}

func re(raw []byte) string {
	subject := field(raw, "Subject")
	if strings.HasPrefix(subject, "Re: ") {
		return subject
	}
	return "Re: " + subject
}

const interested = "That sounds interesting. When can we talk?"

func answer(r postoffice.Reaction, inThread bool) []byte {
	if inThread {
		return mail(r, r.From.Addr, re(r.Mail), plainText, interested, citing(r.Mail)...)
	}
	return mail(r, r.From.Addr, "About your mail", plainText, interested)
}

func parentOnly(r postoffice.Reaction) []byte {
	return mail(r, r.From.Addr, re(r.Mail), plainText, interested, "X-MS-Exchange-Parent-Message-Id: "+field(r.Mail, "Message-ID"))
}

func bare(r postoffice.Reaction) []byte {
	return mail(r, r.From.Addr, re(r.Mail), plainText, interested)
}

// handPrefix begins the Message-IDs of what the owner writes by hand.
const handPrefix = "<hand-"

func fromOwner(r postoffice.Reaction) []byte {
	owner := r.To.Addr
	r.To, r.ID = r.From, handPrefix+strings.TrimPrefix(r.ID, "<")
	return mail(r, owner, re(r.Mail), plainText, "I forgot to say that I am in town on Friday.", citing(r.Mail)...)
}

func forgedReport(r postoffice.Reaction) []byte {
	return mail(r, "mailer-daemon@forged.example.org", "Delivery Status Notification (Failure)",
		`multipart/report; boundary="forged"; report-type=delivery-status`, strings.Join([]string{
			"--forged", "Content-Type: text/plain", "", "Your message to " + r.From.Addr + " was not delivered.",
			"--forged", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; forged.example.org", "",
			"Final-Recipient: rfc822; " + r.From.Addr, "Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 5.1.1 No such user", "--forged--",
		}, "\n"), "Return-Path: <>", "Auto-Submitted: auto-replied")
}

func challenge(r postoffice.Reaction) []byte {
	return mail(r, r.From.Addr, re(r.Mail), plainText, "Please confirm that you are human: your message is being held until you do.",
		append(citing(r.Mail), "Auto-Submitted: auto-replied")...)
}

func accepted(r postoffice.Reaction) []byte {
	return mail(r, r.From.Addr, "Accepted: "+field(r.Mail, "Subject"), `text/calendar; charset="UTF-8"; method=REPLY`, strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//calendar//EN", "METHOD:REPLY", "BEGIN:VEVENT", "UID:meeting@example.net",
		"DTSTART:20260320T100000Z", fmt.Sprintf("ATTENDEE;PARTSTAT=ACCEPTED:mailto:%s", r.From.Addr), "END:VEVENT", "END:VCALENDAR",
	}, "\n"))
}

// complaint is a feedback report (RFC 5965).
func complaint(r postoffice.Reaction) []byte {
	fields, _ := postoffice.Split(r.Mail)
	var original []string
	for _, f := range fields {
		original = append(original, f.Name+": "+f.Value)
	}
	return mail(r, "postmaster@example.net", "FW: "+field(r.Mail, "Subject"), `multipart/report; boundary="complaint"; report-type=feedback-report`,
		strings.Join([]string{
			"--complaint", "Content-Type: text/plain", "", "This is an email abuse report about a message to " + r.From.Addr + ".",
			"--complaint", "Content-Type: message/feedback-report", "", "Feedback-Type: abuse", "User-Agent: Example/1.0", "Version: 1",
			"Original-Rcpt-To: " + r.From.Addr, "--complaint", "Content-Type: text/rfc822-headers", "",
			strings.Join(original, "\n"), "", "--complaint--",
		}, "\n"))
}
