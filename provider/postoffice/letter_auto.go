package postoffice

import (
	"fmt"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
)

func absence(b Behaviour) string {
	if b.Text != "" {
		return b.Text
	}
	if b.Until.IsZero() {
		return "I am out of the office at the moment and will answer when I am back."
	}
	return "I am out of the office and will be back on " + b.Until.Format("Monday, 2 January 2006") + "."
}

// vacation is an automatic answer as Gmail's vacation responder writes it.
func (in received) vacation(me, to provider.Address, id string, now time.Time, b Behaviour) []byte {
	return letter{
		from: me, to: to, subject: in.re(), now: now, id: id, refs: in.refs, text: absence(b),
		extra: []Field{{"Auto-Submitted", "auto-replied"}, {"Precedence", "bulk"}, {"X-Autoreply", "yes"}},
	}.bytes()
}

// exchangeVacation is one as Exchange's Mailbox Rules Agent writes it. It
// cites the mail by the parent id too.
func (in received) exchangeVacation(me, to provider.Address, id string, now time.Time, b Behaviour) []byte {
	return letter{
		from: me, to: to, subject: "Automatic reply: " + in.subject, now: now, id: id, refs: in.refs, text: absence(b),
		extra: []Field{
			{"Return-Path", "<>"},
			{"Auto-Submitted", "auto-generated"},
			{"X-MS-Exchange-Generated-Message-Source", "Mailbox Rules Agent"},
			{"X-MS-Exchange-Inbox-Rules-Loop", me.Addr},
			{"X-Auto-Response-Suppress", "All"},
			{"X-MS-Exchange-Parent-Message-Id", in.id},
		},
	}.bytes()
}

// original returns the header of the mail a report is about.
func (in received) original() string {
	var b strings.Builder
	for _, f := range in.header {
		if strings.EqualFold(f.Name, "Bcc") {
			continue
		}
		b.WriteString(f.Name + ": " + f.Value + "\r\n")
	}
	return b.String()
}

// joinParts joins parts, each with its own headers, under a boundary that no
// part holds.
func joinParts(boundary string, parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--" + boundary + "\r\n" + p + "\r\n")
	}
	b.WriteString("--" + boundary + "--\r\n")
	return b.String()
}

type reported struct {
	action, status, diagnostic, human string
}

func (b Behaviour) report(failed string) reported {
	r := reported{action: "failed", status: orText(b.Code, "5.1.1")}
	r.human = "Your message wasn't delivered to " + failed + " because the address couldn't be found, or is unable to receive mail."
	reply := "550"
	if b.Do == BounceDelay {
		r = reported{action: "delayed", status: orText(b.Code, "4.4.1")}
		r.human = "There was a temporary problem delivering your message to " + failed + ". Delivery will be retried."
		reply = "451"
	}
	r.human = orText(b.Text, r.human)
	r.diagnostic = "smtp; " + reply + " " + r.status + " The email account that you tried to reach is not available."
	return r
}

// ownReport is a delivery report of Gmail about mail sent with it: in the
// thread, and marked as an automatic answer.
func (in received) ownReport(failed, sender, id string, now time.Time, b Behaviour) []byte {
	r := b.report(failed)
	word := "Failure"
	extra := []Field{{"Return-Path", "<>"}, {"X-Failed-Recipients", failed}, {"Auto-Submitted", "auto-replied"}}
	if b.Do == BounceDelay {
		word = "Delay"
	}
	boundary := "00000000000" + strings.Trim(id, "<>")[:9] + "report"
	return letter{
		from: provider.Address{Name: "Mail Delivery Subsystem", Addr: "mailer-daemon@googlemail.com"}, to: provider.Address{Addr: sender},
		subject: "Delivery Status Notification (" + word + ")", now: now, id: id, refs: in.refs, extra: extra,
		mime: fmt.Sprintf(`multipart/report; boundary="%s"; report-type=delivery-status`, boundary),
		text: joinParts(boundary,
			"Content-Type: text/plain; charset=\"UTF-8\"\r\n\r\n** "+r.human+" **\r\n",
			"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; googlemail.com\r\nReceived-From-MTA: dns; "+sender+
				"\r\nArrival-Date: "+now.Format(time.RFC1123Z)+"\r\nX-Original-Message-ID: "+in.id+
				"\r\n\r\nFinal-Recipient: rfc822; "+failed+"\r\nAction: "+r.action+"\r\nStatus: "+r.status+
				"\r\nRemote-MTA: dns; mx."+domainOf(failed)+"\r\nDiagnostic-Code: "+r.diagnostic+"\r\n",
			"Content-Type: message/rfc822\r\n\r\n"+in.original()+"\r\n",
		),
	}.bytes()
}

// remoteReport is a delivery report of the recipient's own system: later,
// outside the thread, citing the mail only in the returned headers.
func (in received) remoteReport(failed, sender, id string, now time.Time, b Behaviour) []byte {
	r := b.report(failed)
	host := "mx." + domainOf(failed)
	boundary := "=_" + strings.Trim(id, "<>")[:9] + "/" + host
	return letter{
		from: provider.Address{Name: "Mail Delivery System", Addr: "MAILER-DAEMON@" + host}, to: provider.Address{Addr: sender},
		subject: "Undelivered Mail Returned to Sender", now: now, id: id,
		extra: []Field{{"Return-Path", "<>"}, {"Auto-Submitted", "auto-replied"}},
		mime:  fmt.Sprintf("multipart/report; report-type=delivery-status;\r\n boundary=\"%s\"", boundary),
		text: joinParts(boundary,
			"Content-Description: Notification\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nThis is the mail system at host "+host+".\r\n\r\n"+r.human+"\r\n",
			"Content-Description: Delivery report\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; "+host+
				"\r\n\r\nFinal-Recipient: rfc822; "+failed+"\r\nOriginal-Recipient: rfc822;"+failed+"\r\nAction: "+r.action+
				"\r\nStatus: "+r.status+"\r\nDiagnostic-Code: "+r.diagnostic+"\r\n",
			"Content-Description: Undelivered Message Headers\r\nContent-Type: text/rfc822-headers\r\n\r\n"+in.original(),
		),
	}.bytes()
}

// receipt confirms that a mail was displayed (RFC 8098).
func (in received) receipt(me, to provider.Address, id string, now time.Time) []byte {
	boundary := "----=_Receipt_" + strings.Trim(id, "<>")[:9]
	return letter{
		from: me, to: to, subject: "Read: " + in.subject, now: now, id: id, refs: in.refs,
		mime: fmt.Sprintf(`multipart/report; report-type=disposition-notification; boundary="%s"`, boundary),
		text: joinParts(boundary,
			"Content-Type: text/plain; charset=utf-8\r\n\r\nYour message was read on "+now.Format(time.RFC1123Z)+".\r\n",
			"Content-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822;"+me.Addr+"\r\nOriginal-Message-ID: "+in.id+
				"\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n",
		),
	}.bytes()
}
