package mimemsg

import (
	"bytes"
	"slices"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

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
		return (len(from) == 0 || provider.IsSystemSender(from)) && slices.ContainsFunc(list, func(part *entity) bool {
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
	case "message/delivery-status", "message/global-delivery-status",
		"message/disposition-notification", "message/global-disposition-notification":
		take = r.status
		if r.msg.Report.Type == "" { // named by its part alone
			r.msg.Report.Type = strings.TrimPrefix(strings.TrimPrefix(e.ct, "message/"), "global-")
		}
	case "message/rfc822", "message/global", "message/rfc822-headers", "message/global-headers", "text/rfc822-headers":
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
	rep := r.msg.Report
	for group := range groups(b) {
		fields, _, tidy := split(group)
		found = found || tidy && len(fields) > 0
		rec := provider.RecipientReport{
			Final: typed(first(fields, "Final-Recipient")), Original: typed(first(fields, "Original-Recipient")),
			Action: strings.ToLower(firstWord(first(fields, "Action"))), Status: firstWord(first(fields, "Status")),
			Diagnostic: decodeWords(first(fields, "Diagnostic-Code")),
		}
		if rep.OriginalMessageID == "" {
			rep.OriginalMessageID = firstID(first(fields, "Original-Message-Id"))
		}
		if (rec.Final != "" || rec.Original != "") && len(rep.Recipients) < maxParts {
			rep.Recipients = append(rep.Recipients, rec)
			found = true
		}
	}
	return found
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
