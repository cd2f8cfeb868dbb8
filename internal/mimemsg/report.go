package mimemsg

import (
	"bytes"
	"slices"
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

// maxReport bounds the machine-readable parts of a report.
const maxReport = 1 << 20

// isReport reports whether a multipart is a report. Gateways wrap reports to
// add a notice, so it need not be the root. Some mail servers send theirs as
// multipart/mixed; that counts only where no person is the sender, because
// people pass on the parts of reports too.
func (r *reader) isReport(e *entity, list []*entity) bool {
	switch e.ct {
	case "multipart/report":
		return true
	case "multipart/mixed":
		from := r.msg.Envelope.From
		return fromMailSystem(from) && slices.ContainsFunc(list, func(part *entity) bool {
			return part.ct == "message/delivery-status" || part.ct == "message/global-delivery-status"
		})
	}
	return false
}

// report takes in a part of a multipart/report (RFC 6522), and reports
// whether it is one that only programs read.
func (r *reader) report(e *entity, part string) bool {
	take := r.original
	switch e.ct {
	case "message/feedback-report":
		take = r.feedback
	case "message/delivery-status", "message/global-delivery-status",
		"message/disposition-notification", "message/global-disposition-notification":
		take = r.status
		if r.msg.Report.Type == "" { // named by its part alone
			r.msg.Report.Type = strings.TrimPrefix(strings.TrimPrefix(e.ct, "message/"), "global-")
		}
	case "message/rfc822", "message/global", "message/rfc822-headers", "message/global-headers", "text/rfc822-headers", "text/rfc822-header":
	default:
		return false
	}
	b, problem := e.decode()
	if problem != "" {
		r.fault(part, problem)
	}
	if !take(b[:min(len(b), maxReport)]) && e.ct != "message/rfc822" && e.ct != "message/global" {
		e.ct = "text/plain" // words for people under the wrong name
		return false
	}
	return e.ct != "message/rfc822" && e.ct != "message/global" // which are attachments too
}

// status reads groups of fields with empty lines between (RFC 3464 section
// 2.1): the first is about the message, the others each about a recipient. A
// disposition notification (RFC 8098) has one group about both. It reports
// whether there was any.
func (r *reader) status(b []byte) (found bool) {
	for group := range groups(b) {
		fields, _, tidy := split(group)
		found = found || tidy && len(fields) > 0
		for len(fields) > 0 {
			n := oneRecipient(fields)
			found = r.recipient(fields[:n]) || found
			fields = fields[n:]
		}
	}
	return found
}

// oneRecipient returns how many of the fields are about one recipient: some
// systems leave out the empty line between two.
func oneRecipient(fields []Field) int {
	seen := false
	for i, f := range fields {
		if strings.EqualFold(f.Name, "Final-Recipient") {
			if seen {
				return i
			}
			seen = true
		}
	}
	return len(fields)
}

// recipient reads the fields about one recipient.
func (r *reader) recipient(fields []Field) bool {
	rep := r.msg.Report
	rec := provider.RecipientReport{
		Final: typed(first(fields, "Final-Recipient")), Original: typed(first(fields, "Original-Recipient")),
		Action: strings.ToLower(firstWord(first(fields, "Action"))), Status: firstWord(first(fields, "Status")),
		Diagnostic: decodeWords(first(fields, "Diagnostic-Code")),
	}
	if rep.OriginalMessageID == "" {
		rep.OriginalMessageID = firstID(first(fields, "Original-Message-Id"))
	}
	if rec.Final == "" && rec.Original == "" || len(rep.Recipients) >= maxParts {
		return false
	}
	rep.Recipients = append(rep.Recipients, rec)
	return true
}

// groups yields the groups of a status.
func groups(b []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		begin := 0
		for at := 0; at < len(b); {
			end := len(b)
			if i := bytes.IndexByte(b[at:], '\n'); i >= 0 {
				end = at + i + 1
			}
			if len(bytes.TrimSpace(b[at:end])) == 0 {
				if at > begin && !yield(b[begin:at]) {
					return
				}
				begin = end
			}
			at = end
		}
		if begin < len(b) {
			yield(b[begin:])
		}
	}
}

// typed returns the address of "rfc822; ada@example.com".
func typed(v string) string {
	if _, addr, ok := strings.Cut(v, ";"); ok {
		v = addr
	}
	for word := range strings.FieldsSeq(v) {
		if addr := bare(word); addr != "" {
			return addr
		}
	}
	return strings.Trim(clean(v), "<> \t")
}

// firstWord leaves out the comment that may follow a value.
func firstWord(v string) string {
	v, _, _ = strings.Cut(clean(v), "(")
	word, _, _ := strings.Cut(strings.TrimSpace(v), " ")
	return strings.Trim(word, ";,\t")
}

// feedback reads what a recipient's service says of a complaint (RFC 5965).
func (r *reader) feedback(b []byte) (found bool) {
	fields, _, _ := split(bytes.TrimLeft(b, "\r\n \t"))
	rep := r.msg.Report
	rep.Type = "feedback-report"
	rep.Feedback = strings.ToLower(firstWord(first(fields, "Feedback-Type")))
	for _, f := range fields {
		if !strings.EqualFold(f.Name, "Original-Rcpt-To") && !strings.EqualFold(f.Name, "Removal-Recipient") {
			continue
		}
		if addr := typed(unfold(f.Value)); provider.Normalize(addr) != "" && len(rep.Recipients) < maxParts {
			rep.Recipients = append(rep.Recipients, provider.RecipientReport{Final: addr})
		}
	}
	return len(fields) > 0
}

// original reads what a report returns of the mail that it is about.
func (r *reader) original(b []byte) (found bool) {
	fields, _, _ := split(bytes.TrimLeft(b, "\r\n \t"))
	rep := r.msg.Report
	if rep.OriginalMessageID == "" {
		rep.OriginalMessageID = firstID(first(fields, "Message-Id"))
	}
	if rep.OriginalKey == "" {
		rep.OriginalKey = clean(first(fields, provider.KeyHeader))
	}
	if rep.OriginalTo == nil {
		rep.OriginalTo = addresses(first(fields, "To"))
	}
	return len(fields) > 0
}
