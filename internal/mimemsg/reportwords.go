package mimemsg

import (
	"bytes"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// fromMailSystem reports whether no person is the sender. Besides the
// addresses that every mail system uses there are names of programs; a
// report often has an empty From.
func fromMailSystem(from []provider.Address) bool {
	if len(from) == 0 || provider.IsSystemSender(from) {
		return true
	}
	local, _, _ := strings.Cut(strings.ToLower(from[0].Addr), "@")
	switch strings.NewReplacer(".", "", "-", "", "_", "").Replace(local) {
	case "postmaster", "maildaemon", "mailerdaemon", "mdaemon", "maildeliverysystem", "maildeliverysubsystem", "deliverysystem":
		return true
	}
	name := strings.ToLower(from[0].Name)
	for _, system := range []string{"mail delivery s", "mailer-daemon", "mailer daemon", "ndr administrator", "mail administrator", "postmaster"} {
		if strings.HasPrefix(name, system) || strings.HasSuffix(name, system) {
			return true
		}
	}
	return false
}

// keepReturned keeps the first mail in the mail, and the first file that is
// the header of one: in what a mail system sends, it is the mail that the
// report is about.
func (r *reader) keepReturned(e *entity, part string) {
	if r.returned != nil || part == "" {
		return
	}
	switch e.ct {
	case "message/rfc822", "message/global", "text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers", "message/global-headers":
	case "text/plain":
		if name, disposition := e.file(); name == "" && disposition != "attachment" {
			return
		}
	default:
		return
	}
	b, _ := e.decode()
	b = bytes.TrimLeft(b[:min(len(b), maxReport)], "\r\n \t")
	if fields, _, _ := split(b); first(fields, "Message-Id") != "" || first(fields, "Received") != "" {
		r.returned = b
	}
}

// words reads a report of a mail system from what it says to people, where
// it says no more to programs.
func (r *reader) words() {
	rep := r.msg.Report
	if rep != nil && (rep.Type != "" && rep.Type != "delivery-status" || len(rep.Recipients) > 0 && (rep.OriginalMessageID != "" || rep.OriginalKey != "")) ||
		!fromMailSystem(r.msg.Envelope.From) {
		return
	}
	told := textReport(r.msg.Text, r.msg.Envelope.To)
	if r.msg.HTML != "" && (told == nil || len(told.Recipients) == 0) {
		told = textReport(htmlLines(r.msg.HTML), r.msg.Envelope.To)
	}
	if told == nil {
		told = &provider.Report{Type: "delivery-status"}
	}
	if rep == nil {
		rep = told
	} else {
		if len(rep.Recipients) == 0 {
			rep.Recipients = told.Recipients
		}
		rep.Type = or(rep.Type, told.Type)
		rep.OriginalMessageID = or(rep.OriginalMessageID, told.OriginalMessageID)
		rep.OriginalKey = or(rep.OriginalKey, told.OriginalKey)
	}
	r.msg.Report = rep
	if r.returned != nil {
		r.original(r.returned)
	}
	if len(rep.Recipients) == 0 && rep.OriginalMessageID == "" && rep.OriginalKey == "" && rep == told {
		r.msg.Report = nil
	}
}

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}
