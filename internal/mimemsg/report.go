package mimemsg

import (
	"bytes"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// maxReport bounds the machine-readable parts of a report.
const maxReport = 1 << 20

// report takes in a part of a multipart/report (RFC 6522), and reports
// whether it is one that only programs read.
func (r *reader) report(e *entity, part string) bool {
	var take func(b []byte)
	switch e.ct {
	case "message/delivery-status", "message/global-delivery-status",
		"message/disposition-notification", "message/global-disposition-notification":
		take = r.status
	case "message/rfc822", "message/global", "message/rfc822-headers", "message/global-headers", "text/rfc822-headers":
		take = r.original
	default:
		return false
	}
	b, problem := e.decode()
	if problem != "" {
		r.fault(part, problem)
	}
	take(b[:min(len(b), maxReport)])
	return e.ct != "message/rfc822" && e.ct != "message/global" // which are attachments too
}

// status reads groups of fields with empty lines between (RFC 3464 section
// 2.1): the first is about the message, the others each about a recipient. A
// disposition notification (RFC 8098) has one group about both.
func (r *reader) status(b []byte) {
	rep := r.msg.Report
	for group := range groups(b) {
		fields, _, _ := split(group)
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
		}
	}
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
func (r *reader) original(b []byte) {
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
}
