package classify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
)

const (
	exchange = "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@agency.example.com>"
	gmailSys = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
	daemon   = "MAILER-DAEMON@mx.example.org"
	cited    = "<step1.k3y@mail.agency.example.com>"
)

// returned is the header of our mail as reports return it.
const returned = `Received: from mail.agency.example.com ([192.0.2.10])
	by mx.example.org with ESMTPS; Tue, 1 Sep 2026 08:00:00 +0000
From: Maria <maria@agency.example.com>
To: Carol <carol@example.org>
Subject: A role in Lisbon
Message-ID: <step1.k3y@mail.agency.example.com>
MIME-Version: 1.0

Hello Carol, please write to somebody.else@example.net
`

// form is a report in words alone.
type form struct {
	name, from, subject string
	headers             []string
	text                string
	class               classify.Class
	kind                classify.Kind
	status              string
}

var forms = []form{
	{"Exchange, in German", exchange, "Unzustellbar: A role in Lisbon", nil,
		"Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\ncarol@example.org<mailto:carol@example.org>\nDie eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n\nDiagnoseinformationen für Administratoren:\n\nGenerierender Server: AM0PR01MB0001.eurprd01.prod.exchangelabs.com\n\ncarol@example.org\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient carol@example.org not found by SMTP address lookup'\n\nUrsprüngliche Nachrichtenkopfzeilen:\n\n" + returned,
		classify.Bounce, classify.Hard, "5.1.10"},
	{"Exchange, in Japanese", exchange, "配信不能: A role in Lisbon", nil,
		"次の受信者またはグループへの配信に失敗しました:\n\ncarol@example.org\n入力した電子メール アドレスが見つかりませんでした。\n\n管理者向けの診断情報:\n\ncarol@example.org\nRemote Server returned '550 5.1.1 RESOLVER.ADR.RecipNotFound; not found'\n\n元のメッセージ ヘッダー:\n\n" + returned,
		classify.Bounce, classify.Hard, "5.1.1"},
	{"Exchange, the edge of another tenant", exchange, "Undeliverable: A role in Lisbon", nil,
		"Your message to carol@example.org couldn't be delivered.\n\ncarol wasn't found at example.org.\n\ncarol@example.org\nRemote Server returned '550 5.4.1 Recipient address rejected: Access denied. [AM1.prod.protection.outlook.com]'\n\nOriginal Message Headers\n\n" + returned,
		classify.Bounce, classify.Hard, "5.4.1"},
	{"Exchange, the daily limit", exchange, "Undeliverable: A role in Lisbon", nil,
		"carol@example.org\nYour message couldn't be sent because you've reached your daily limit for message recipients.\n\ncarol@example.org\nRemote Server returned '550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients'\n\nOriginal message headers:\n\n" + returned,
		classify.Bounce, classify.Limit, "5.1.90"},
	{"Exchange, full", exchange, "Undeliverable: A role in Lisbon", nil,
		"carol@example.org (carol@example.org)\nThe recipient's mailbox is full and can't accept messages now.\n\ncarol@example.org\nRemote Server returned '554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException'\n\nOriginal message headers:\n\n" + returned,
		classify.Bounce, classify.Soft, "5.2.2"},
	{"Exchange, late", exchange, "Delivery delayed: A role in Lisbon", nil,
		"Delivery to these recipients or groups is delayed:\n\ncarol@example.org\n\nDelivery of your message is delayed. We will keep trying for 24 hours.\nRemote Server returned '451 4.4.1 timed out'\n\nOriginal message headers:\n\n" + returned,
		classify.Delayed, classify.Late, "4.4.1"},
	{"Gmail, delay", gmailSys, "Delivery Status Notification (Delay)", []string{"Auto-Submitted: auto-replied", "X-Failed-Recipients: carol@example.org", "In-Reply-To: " + cited},
		"** Delivery incomplete **\n\nThere was a temporary problem delivering your message to carol@example.org. Gmail will retry for 47 more hours.\n\nThe recipient server did not accept our requests to connect.\n",
		classify.Delayed, classify.Late, ""},
	{"Gmail, in French", gmailSys, "Delivery Status Notification (Failure)", []string{"Auto-Submitted: auto-replied", "X-Failed-Recipients: carol@example.org", "In-Reply-To: " + cited},
		"** Adresse introuvable **\n\nVotre message n'a pas été remis à carol@example.org, car l'adresse est introuvable.\n\nRéponse du serveur distant :\n550 5.1.1 <carol@example.org>: Recipient address rejected: User unknown\n",
		classify.Bounce, classify.Hard, "5.1.1"},
	{"Gmail, the limit of the account", "nobody@gmail.com", "You have reached a limit for sending mail", []string{"In-Reply-To: " + cited},
		"You have reached a limit for sending mail. Your message was not sent.\n", classify.Bounce, classify.Limit, ""},
	{"qmail", daemon, "failure notice", []string{"Return-Path: <>"},
		"Hi. This is the qmail-send program at mx.example.org.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<carol@example.org>:\nSorry, no mailbox here by that name. vpopmail (#5.1.1)\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <maria@agency.example.com>\n" + returned,
		classify.Bounce, classify.Hard, "5.1.1"},
	{"Exim, no such user", "Mail Delivery System <Mailer-Daemon@mx.example.org>", "Mail delivery failed: returning message to sender", []string{"Return-Path: <>", "Auto-Submitted: auto-replied"},
		"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  carol@example.org\n    host mx2.example.org [192.0.2.25]\n    SMTP error from remote mail server after RCPT TO:<carol@example.org>:\n    550 No Such User Here\n\n------ This is a copy of the message, including all the headers. ------\n\nReturn-path: <maria@agency.example.com>\n" + returned,
		classify.Bounce, classify.Hard, ""},
	{"Exim, a full disk", "Mail Delivery System <Mailer-Daemon@mx.example.org>", "Mail delivery failed: returning message to sender", []string{"Return-Path: <>", "Auto-Submitted: auto-replied", "X-Failed-Recipients: carol@example.org"},
		"A message that you sent could not be delivered to one or more of its\nrecipients. The following address(es) failed:\n\n  carol@example.org\n    mailbox is full: retry timeout exceeded\n\n------ This is a copy of the message, including all the headers. ------\n\n" + returned,
		classify.Bounce, classify.Soft, ""},
	{"Exim, spam after the data", "Mail Delivery System <Mailer-Daemon@mx.example.org>", "Mail delivery failed: returning message to sender", []string{"Return-Path: <>"},
		"  carol@example.org\n    SMTP error from remote mail server after end of data:\n    554 This message looks like spam\n\n------ This is a copy of the message ------\n\n" + returned,
		classify.Bounce, classify.Policy, ""},
	{"Postfix, in words", "MAILER-DAEMON@mx.example.org (Mail Delivery System)", "Undelivered Mail Returned to Sender", []string{"Return-Path: <>", "Auto-Submitted: auto-replied"},
		"This is the mail system at host mx.example.org.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n<carol@example.org>: host mx2.example.org[192.0.2.25] said: 550 5.1.1\n    <carol@example.org>: Recipient address rejected: User unknown in virtual\n    mailbox table (in reply to RCPT TO command)\n\n" + returned,
		classify.Bounce, classify.Hard, "5.1.1"},
	{"Postfix, no such domain", "MAILER-DAEMON@mx.example.org (Mail Delivery System)", "Undelivered Mail Returned to Sender", []string{"Return-Path: <>"},
		"<carol@example.org>: Host or domain name not found. Name service error for\n    name=example.org type=AAAA: Host not found\n\n" + returned,
		classify.Bounce, classify.Hard, ""},
	{"sendmail of old", "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.org>", "Returned mail: User unknown", nil,
		"   ----- Transcript of session follows -----\n>>> RCPT To:<carol@example.org>\n<<< 550 <carol@example.org>... User unknown\n550 <carol@example.org>... User unknown\n\n   ----- Unsent message follows -----\n" + returned,
		classify.Bounce, classify.Hard, ""},
	{"sendmail, a warning", "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.org>", "Warning: could not send message for past 4 hours", nil,
		"    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n    **********************************************\n\n   ----- The following addresses had transient non-fatal errors -----\n<carol@example.org>\n\n   ----- Transcript of session follows -----\n<carol@example.org>... Deferred: Connection timed out with mx.example.org.\n\n   ----- Original message follows -----\n" + returned,
		classify.Delayed, classify.Late, ""},
	{"Courier", "Courier mail server <postmaster@mx.example.org>", "NOTICE: mail delivery status.", []string{"Return-Path: <>"},
		"This is a delivery status notification from mx.example.org,\nrunning the Courier mail server.\n\nYour message to the following recipients cannot be delivered:\n\n<carol@example.org>:\n    mx2.example.org [192.0.2.25]:\n>>> RCPT TO:<carol@example.org>\n<<< 550 5.1.1 User unknown\n\n---------------------------------------------------------------------------\n\n" + returned,
		classify.Bounce, classify.Hard, "5.1.1"},
	{"IMail", "Postmaster <postmaster@mx.example.org>", "Undeliverable Mail", nil,
		"Unknown user: carol@example.org\n\nOriginal message follows.\n\n" + returned, classify.Bounce, classify.Unclear, ""},
	{"Lotus", "postmaster@mx.example.org", "DELIVERY FAILURE: User carol (carol@example.org) not listed in Domino Directory", nil,
		"Your message\n\n  Subject: A role in Lisbon\n\nwas not delivered to:\n\n  carol@example.org\n\nbecause:\n\n  User carol (carol@example.org) not listed in Domino Directory\n", classify.Bounce, classify.Hard, ""},
	{"an X.400 gateway", "Administrator <postmaster@mx.example.org>", "Undeliverable: A role in Lisbon", nil,
		"Your message was not delivered to the following recipients:\n\n  carol@example.org on Tue, 1 Sep 2026 10:00:03 +0200\n    The e-mail account does not exist at the organization this message was sent to.\n    The MTS-ID of the original message is: c=DE;a= ;p=EXAMPLE;l=MX-260901\n    <mx.example.org #5.1.1>\n", classify.Bounce, classify.Hard, "5.1.1"},
	{"MDaemon", "MDaemon at example.org <MDaemon@mx.example.org>", "Permanent Delivery Failure", nil,
		"The following data may contain sections which represent BASE64 encoded\nfile attachments.\n\nFailed address: carol@example.org\n\n--- Session Transcript ---\n Tue 2026-09-01 10:00:00: --> RCPT To:<carol@example.org>\n Tue 2026-09-01 10:00:01: <-- 550 5.1.1 <carol@example.org>, Recipient unknown\n--- End Transcript ---\n", classify.Bounce, classify.Hard, "5.1.1"},
	{"in Russian", "mailer-daemon@example.org", "Недоставленное сообщение", []string{"Return-Path: <>", "Auto-Submitted: auto-replied"},
		"Это письмо создано автоматически. К сожалению, Ваше письмо не может быть доставлено:\n\ncarol@example.org\nhost mx.example.org [192.0.2.25]: 550 5.1.1 Такого пользователя нет\n", classify.Bounce, classify.Hard, "5.1.1"},
	{"in Chinese", "postmaster@example.org", "系统退信", []string{"Return-Path: <>"},
		"抱歉,您的邮件被退回来了……\n收件人邮件地址: carol@example.org\n退信原因: 550 5.1.1 收件人不存在\n", classify.Bounce, classify.Hard, "5.1.1"},
	{"in Spanish, full", "postmaster@example.org", "Mensaje no entregado", []string{"Return-Path: <>"},
		"No se pudo entregar el mensaje a:\n\ncarol@example.org\n552 5.2.2 Buzón lleno\n", classify.Bounce, classify.Soft, "5.2.2"},
	{"in Portuguese, from nobody", "<>", "Falha na entrega da mensagem", []string{"Return-Path: <>"},
		"A mensagem não pôde ser entregue a <carol@example.org>:\n550 5.7.1 Mensagem bloqueada por política\n", classify.Bounce, classify.Policy, "5.7.1"},
}

func TestForms(t *testing.T) {
	for _, f := range forms {
		lines := append([]string{"From: " + f.from, "To: maria@agency.example.com", "Subject: " + f.subject, "Date: Tue, 01 Sep 2026 10:00:00 +0200", "Content-Type: text/plain; charset=utf-8"}, f.headers...)
		msg, _ := mimemsg.Read([]byte(strings.ReplaceAll(strings.Join(append(lines, "", f.text), "\n"), "\n", "\r\n")))
		v := classify.Classify(&msg.Envelope, msg)
		if v.Class != f.class || len(v.Failed) != 1 {
			t.Errorf("%s: %s by %s, failed %+v", f.name, v.Class, v.Evidence, v.Failed)
			continue
		}
		want := classify.Failure{Recipient: "carol@example.org", Status: f.status, Kind: f.kind}
		if f.kind == classify.Limit && f.status == "" {
			want.Recipient = "" // names nobody
		}
		if v.Failed[0] != want {
			t.Errorf("%s: %+v, want %+v", f.name, v.Failed[0], want)
		}
		if strings.Contains(f.text, cited) && (msg.Report == nil || msg.Report.OriginalMessageID != cited) {
			t.Errorf("%s: the mail it is about was not found: %+v", f.name, msg.Report)
		}
	}
}

// TestByClass: what Microsoft shows of its own reports has no header, and
// the class tells.
func TestByClass(t *testing.T) {
	for class, want := range map[string]classify.Class{
		"REPORT.IPM.Note.NDR": classify.Bounce, "REPORT.IPM.Note.DELAYED": classify.Delayed, "REPORT.IPM.Note.DR": classify.Receipt,
		"REPORT.IPM.Note.IPNRN": classify.Receipt, "REPORT.IPM.Note.IPNNRN": classify.Receipt,
	} {
		env := &provider.Envelope{From: []provider.Address{{Name: "Microsoft Outlook", Addr: "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@agency.example.com"}}, Subject: "A role in Lisbon", Class: class}
		if v := classify.Classify(env, nil); v.Class != want {
			t.Errorf("%s: %s, want %s", class, v.Class, want)
		}
	}
}

// TestInternational: RFC 6533 has addresses and reports in UTF-8.
func TestInternational(t *testing.T) {
	for given, want := range map[string]string{
		"utf-8; jörg@example.org": "jörg@example.org", `utf-8; j\x{F6}rg@example.org`: "jörg@example.org", "rfc822;carol@example.org": "carol@example.org",
	} {
		msg, _ := mimemsg.Read([]byte(strings.ReplaceAll(fmt.Sprintf("From: %s\nTo: maria@agency.example.com\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/global-delivery-status\n\nReporting-MTA: dns; mx.example.org\n\nFinal-Recipient: %s\nAction: failed\nStatus: 5.1.1\n\n--b\nContent-Type: message/global-headers\n\nMessage-ID: %s\n--b--\n", daemon, given, cited), "\n", "\r\n")))
		v := classify.Classify(&msg.Envelope, msg)
		if len(v.Failed) != 1 || v.Failed[0].Recipient != want || v.Failed[0].Kind != classify.Hard || msg.Report.OriginalMessageID != cited {
			t.Errorf("%s: %+v %+v", given, v, msg.Report)
		}
	}
}
