package mimemsg

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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
	if kind, addr, ok := strings.Cut(v, ";"); ok {
		v = addr
		if strings.EqualFold(strings.TrimSpace(kind), "utf-8") {
			v = unitext(v)
		}
	}
	for word := range strings.FieldsSeq(v) {
		if addr := bare(word); addr != "" {
			return addr
		}
	}
	return strings.Trim(clean(v), "<> \t")
}

// unitext reads the form in which an address of other letters stands in
// ASCII: j\x{F6}rg@example.org (RFC 6533 section 3).
func unitext(v string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(v, `\x{`)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		code, rest, ok := strings.Cut(after[:min(len(after), 8)], "}")
		n, err := strconv.ParseUint(code, 16, 32)
		if !ok || err != nil || n < 0x20 || n > utf8.MaxRune {
			b.WriteString(`\x{`)
			v = after
			continue
		}
		b.WriteRune(rune(n))
		v = after[len(after[:min(len(after), 8)])-len(rest):]
	}
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
