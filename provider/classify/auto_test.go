package classify_test

import (
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
)

// pairing is how an absence looks from one kind of mailbox in another.
type pairing struct {
	name    string
	subject func(a absence) string
	headers []string
	class   string
	bare    bool // the receiving mailbox shows no header
}

const ours = "A role in Lisbon"

func ownSubject(absence) string { return "Re: " + ours }
func exchangeSubject(a absence) string {
	return a.subject + ": " + ours
}

var gmailVacation = []string{"Auto-Submitted: auto-replied", "Precedence: bulk", "X-Autoreply: yes", "In-Reply-To: <a@mail.example.com>", "References: <a@mail.example.com>"}

var exchangeVacation = []string{
	"Auto-Submitted: auto-generated", "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent", "X-MS-Exchange-Inbox-Rules-Loop: olga@example.net",
	"X-Auto-Response-Suppress: All", "X-MS-Exchange-Parent-Message-Id: <a@mail.example.com>", "Return-Path: <>",
}

// pairings are those of provider and receiver. Microsoft shows no header of
// what was written in the same organisation, and there the class.
var pairings = []pairing{
	{"Gmail to Gmail", ownSubject, gmailVacation, "", false},
	{"Exchange to Gmail", exchangeSubject, exchangeVacation, "", false},
	{"Gmail to Microsoft", ownSubject, gmailVacation, "IPM.Note", false},
	{"Exchange to Microsoft, another organisation", exchangeSubject, exchangeVacation, "IPM.Note", false},
	{"Exchange to Microsoft, the same organisation", exchangeSubject, nil, "IPM.Note.Rules.OofTemplate.Microsoft", true},
	{"Exchange to Microsoft without headers", exchangeSubject, nil, "IPM.Note", true},
}

// view reads a mail as the receiving mailbox shows it.
func view(p pairing, from, subject, text string) (*provider.Envelope, *provider.Message) {
	lines := []string{"From: Olga <" + from + ">", "To: maria@agency.example.com", "Subject: " + subject, "Date: Tue, 01 Sep 2026 10:00:00 +0200", "Content-Type: text/plain; charset=utf-8"}
	lines = append(append(lines, p.headers...), "", text)
	msg, _ := mimemsg.Read([]byte(strings.ReplaceAll(strings.Join(lines, "\n"), "\n", "\r\n")))
	env := msg.Envelope
	env.Class, env.Received = p.class, time.Date(2026, 9, 1, 8, 0, 5, 0, time.UTC)
	if p.bare {
		env.Header, env.InReplyTo, env.References = textproto.MIMEHeader{}, nil, nil
	}
	return &env, msg
}

// TestPairings: an absence in 22 languages, from and to each kind of mailbox,
// is one, and the day of the return is read.
func TestPairings(t *testing.T) {
	back := time.Date(2026, 9, 14, 0, 0, 0, 0, time.FixedZone("", 2*3600))
	total, dated := 0, 0
	for _, p := range pairings {
		for _, a := range absences {
			for _, text := range a.texts {
				total++
				env, msg := view(p, "olga@example.net", p.subject(a), text)
				v := classify.Classify(env, msg)
				if v.Class != classify.OutOfOffice {
					t.Errorf("%s, %s: %s by %s:\n%s", p.name, a.language, v.Class, v.Evidence, text)
				}
				if v.Until.Equal(back) {
					dated++
				} else {
					t.Errorf("%s, %s: back %v:\n%s", p.name, a.language, v.Until.Format(time.DateOnly), text)
				}
			}
		}
	}
	t.Logf("%d absences, of which %d with their date", total, dated)
}

// TestPairingsHeadersAlone: where no content may be read, the envelope says
// as much as it can.
func TestPairingsHeadersAlone(t *testing.T) {
	for _, p := range pairings {
		for _, a := range absences {
			env, _ := view(p, "olga@example.net", p.subject(a), "")
			if v := classify.Classify(env, nil); v.Class != classify.OutOfOffice && v.Class != classify.AutoReply {
				t.Errorf("%s, %s: %s by %s", p.name, a.language, v.Class, v.Evidence)
			}
		}
	}
}

// TestOtherResponders are programs beside the two services.
func TestOtherResponders(t *testing.T) {
	for _, c := range []struct {
		name, from, subject string
		headers             []string
		text                string
		want                classify.Class
	}{
		{"Debian's vacation", "olga@example.net", "away from my mail", nil,
			"I will not be reading my mail for a while.\nYour mail regarding \"A role in Lisbon\" will be read when I return.", classify.OutOfOffice},
		{"BSD's vacation", "olga@example.net", "Re: A role in Lisbon", []string{"Precedence: bulk", "Auto-Submitted: auto-replied"}, "I am away on vacation.", classify.OutOfOffice},
		{"Dovecot's sieve", "olga@example.net", "Auto: A role in Lisbon", []string{"Auto-Submitted: auto-replied (vacation)", "Precedence: bulk", "X-Auto-Response-Suppress: All", "X-Sieve: Pigeonhole"}, "Bin im Urlaub.", classify.OutOfOffice},
		{"cPanel", "olga@example.net", "Re: A role in Lisbon", []string{"X-Autorespond: A role in Lisbon", "Auto-Submitted: auto-replied", "X-Precedence: bulk"}, "Thanks, I'll answer soon.", classify.AutoReply},
		{"cPanel of old", "olga@example.net", "Re: A role in Lisbon", []string{"X-Autorespond: A role in Lisbon"}, "Thanks, I'll answer soon.", classify.AutoReply},
		{"Exim's autoreply", "olga@example.net", "Re: A role in Lisbon", []string{"Auto-Submitted: auto-replied", "Return-Path: <>"}, "On holiday until the 20th.", classify.OutOfOffice},
		{"Exim's autoreply of old", "olga@example.net", "Away", []string{"Return-Path: <>"}, "I am out of the office.", classify.OutOfOffice},
		{"CommuniGate", "olga@example.net", "Re: A role in Lisbon", []string{"X-Autogenerated: Reply", "Precedence: junk"}, "I am on vacation", classify.OutOfOffice},
		{"FirstClass", "olga@example.net", "Auto Reply: A role", []string{"X-FC-MachineGenerated: true"}, "Thanks.", classify.AutoReply},
		{"DTC", "olga@example.net", "Re: A role", []string{"X-Mail-Autoreply: yes"}, "Thanks.", classify.AutoReply},
		{"Mailtraq", "olga@example.net", "Re: A role", []string{"X-POST-MessageClass: 9; Autoresponder"}, "Thanks.", classify.AutoReply},
		{"a list server of old", "olga@example.net", "Re: A role", []string{"Precedence: auto_reply"}, "Thanks.", classify.AutoReply},
		{"a ticket system's receipt", "help@example.net", "[#4711] Your request has been received", []string{"Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All"}, "We have received your request.", classify.AutoReply},
		{"a ticket system's receipt of another making", "help@example.net", "[#4711] A role in Lisbon", []string{"Auto-Submitted: auto-generated"}, "This is an automated message: we have received your request.", classify.AutoReply},
		{"a ticket system that relays a person", "help@example.net", "Re: A role in Lisbon [#4711]", []string{"Auto-Submitted: auto-generated"}, "Cara wrote:\n\nYes please, call me.", classify.Unsure},
		{"a ticket system that relays a person, without a mark", "help@example.net", "Re: A role in Lisbon [#4711]", nil, "Yes please, call me.\n\nCara, Example Ltd", classify.Human},
		{"an Exchange rule's answer", "olga@example.net", "Re: A role", []string{"Auto-Submitted: auto-generated", "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent"}, "This address is read once a week.", classify.AutoReply},
		{"a transport rule's notice", "postmaster@example.net", "Notice", []string{"X-MS-Exchange-Generated-Message-Source: Transport Rule Agent"}, "A rule was applied.", classify.Unsure},
		{"a quarantine's notice", "postmaster@example.net", "Message quarantined", nil, "Your message is held for review.", classify.Unsure},
		{"HTML alone", "olga@example.net", "Automatic reply: A role", []string{"Auto-Submitted: auto-replied"}, "", classify.AutoReply},
	} {
		env, msg := view(pairing{headers: c.headers}, c.from, c.subject, c.text)
		if v := classify.Classify(env, msg); v.Class != c.want {
			t.Errorf("%s: %s by %s, want %s", c.name, v.Class, v.Evidence, c.want)
		}
	}
}
