package mimemsg_test

import (
	"strings"
	"testing"

	"github.com/outreachkit/outreach/internal/mimemsg"
)

const exchangeNDR = `Delivery has failed to these recipients or groups:

carol@example.org<mailto:carol@example.org>
The email address you entered couldn't be found. Please check the recipient's email address.

Diagnostic information for administrators:

Generating server: AM0PR01MB0001.eurprd01.prod.exchangelabs.com

carol@example.org
Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'

Original message headers:

Received: from AM0PR01MB0002.eurprd01.prod.exchangelabs.com
To: Carol <carol@example.org>
Subject: A role
Message-ID:
 <step1.abc@mail.agency.example.com>
X-Outreach-Key: key-1
`

func ndr(from, contentType, body string) []byte {
	return []byte(strings.ReplaceAll("From: "+from+"\nTo: maria@agency.example.com\nSubject: Undeliverable: A role\nContent-Type: "+contentType+"; charset=utf-8\n\n"+body, "\n", "\r\n"))
}

const exchangeSender = "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@agency.example.com>"

// TestTextReport: a report without a part for programs is read from its text,
// whatever language that is in, if no person wrote it.
func TestTextReport(t *testing.T) {
	german := strings.NewReplacer("Diagnostic information for administrators:", "Diagnoseinformationen für Administratoren:",
		"Original message headers:", "Ursprüngliche Nachrichtenkopfzeilen:", "Remote Server returned", "Der Remoteserver hat eine Antwort gesendet:").Replace(exchangeNDR)
	inHTML := "<html><body><p>Delivery has failed</p><p>" + strings.NewReplacer("\n\n", "</p><p>", "\n", "<br>", "<step1", "&lt;step1", "com>\n", "com&gt;<br>", "<mailto:carol@example.org>", "", "<carol@example.org>", "&lt;carol@example.org&gt;").Replace(exchangeNDR) + "</p></body></html>"
	for name, raw := range map[string][]byte{
		"text": ndr(exchangeSender, "text/plain", exchangeNDR), "another language": ndr(exchangeSender, "text/plain", german), "HTML": ndr(exchangeSender, "text/html", inHTML),
	} {
		msg, err := mimemsg.Read(raw)
		if err != nil || msg.Report == nil {
			t.Errorf("%s: report %v, %v", name, msg.Report, err)
			continue
		}
		rep := msg.Report
		if len(rep.Recipients) != 1 || rep.Recipients[0].Final != "carol@example.org" || rep.Recipients[0].Status != "5.1.10" || rep.Recipients[0].Action != "failed" ||
			rep.OriginalMessageID != "<step1.abc@mail.agency.example.com>" || rep.OriginalKey != "key-1" || len(rep.OriginalTo) != 1 {
			t.Errorf("%s: %+v", name, rep)
		}
	}
	for name, raw := range map[string][]byte{
		"a person passes it on": ndr("dan@example.net", "text/plain", exchangeNDR),
		"nothing is reported":   ndr(exchangeSender, "text/plain", "Your mailbox is almost full.\n\nmaria@agency.example.com\n"),
	} {
		if msg, _ := mimemsg.Read(raw); msg.Report != nil {
			t.Errorf("%s: %+v", name, msg.Report)
		}
	}
	limit := strings.Replace(exchangeNDR, "550 5.1.10 RESOLVER.ADR.RecipientNotFound", "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients", 1)
	msg, _ := mimemsg.Read(ndr(exchangeSender, "text/plain", limit))
	if msg.Report == nil || len(msg.Report.Recipients) != 1 || msg.Report.Recipients[0].Status != "5.1.90" {
		t.Errorf("a limit: %+v", msg.Report)
	}
}

// TestAddressesBetweenOtherLetters: what scripts without spaces put right
// before and behind an address is no part of it; letters of an address are.
func TestAddressesBetweenOtherLetters(t *testing.T) {
	for line, want := range map[string]string{
		"收件人：olga@example.org。邮件无法送达 550 5.1.1": "olga@example.org",
		"收件人olga@example.org不存在":                "olga@example.org",
		"（olga@example.org）":                    "olga@example.org",
		"olga@example.org(으)로 보낸 메일":            "olga@example.org",
		"<jörg@example.org>: 550 5.1.1":         "jörg@example.org",
		"<花子@example.org>: 550 5.1.1":           "花子@example.org",
	} {
		msg, _ := mimemsg.Read(ndr("postmaster@example.org", "text/plain", line+"\n"))
		if msg.Report == nil || len(msg.Report.Recipients) != 1 || msg.Report.Recipients[0].Final != want {
			t.Errorf("%s: %+v, want %s", line, msg.Report, want)
		}
	}
}
