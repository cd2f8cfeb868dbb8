package mimemsg

import (
	"io"
	"strings"

	"github.com/emersion/go-message"

	"github.com/outreachkit/outreach/provider"
)

// maxReport bounds the machine-readable parts of a report.
const maxReport = 1 << 20

// report takes in a part of a multipart/report (RFC 3462). It reports false
// for parts that are read like those of any mail.
func (r *reader) report(e *message.Entity, part string) bool {
	ct, _ := mediaType(e)
	var take func(b []byte)
	switch ct {
	case "message/delivery-status", "message/global-delivery-status", "message/disposition-notification":
		take = r.status
	case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers", "message/rfc822-headers":
		take = r.original
	default:
		return false
	}
	r.parts++
	b, err := io.ReadAll(io.LimitReader(e.Body, maxReport))
	if err != nil {
		r.defect(part, "the transfer encoding is broken")
	}
	take(b)
	if ct == "message/rfc822" {
		r.msg.Attachments = append(r.msg.Attachments, provider.Attachment{Part: part, ContentType: ct, Size: int64(len(b))})
	}
	return true
}

// status reads groups of fields with empty lines between (RFC 3464 section
// 2.1): the first is about the message, the others each about a recipient.
func (r *reader) status(b []byte) {
	rep := r.msg.Report
	for len(b) > 0 {
		fields, rest := split(b)
		var rec provider.RecipientReport
		for _, f := range fields {
			value := strings.TrimSpace(unfold(f.Value))
			switch strings.ToLower(f.Name) {
			case "final-recipient":
				rec.Final = typed(value)
			case "original-recipient":
				rec.Original = typed(value)
			case "action":
				word, _, _ := strings.Cut(strings.ToLower(value), " ")
				rec.Action = strings.Trim(word, ";")
			case "status":
				word, _, _ := strings.Cut(value, " ")
				rec.Status = word
			case "diagnostic-code":
				rec.Diagnostic = decodeWords(value)
			case "original-message-id":
				if rep.OriginalMessageID == "" {
					rep.OriginalMessageID = firstID(value)
				}
			}
		}
		if rec.Final != "" || rec.Original != "" {
			rep.Recipients = append(rep.Recipients, rec)
		}
		if len(rest) == len(b) {
			return
		}
		b = rest
		if len(rep.Recipients) > maxParts {
			return
		}
	}
}

// typed returns the address of "rfc822; ada@example.com".
func typed(v string) string {
	if _, addr, ok := strings.Cut(v, ";"); ok {
		v = addr
	}
	v = strings.Trim(strings.TrimSpace(v), "<>")
	return v
}

// original reads what a report returns of the mail that it is about.
func (r *reader) original(b []byte) {
	fields, _ := split(b)
	rep := r.msg.Report
	for _, f := range fields {
		value := strings.TrimSpace(unfold(f.Value))
		switch {
		case strings.EqualFold(f.Name, "Message-ID") && rep.OriginalMessageID == "":
			rep.OriginalMessageID = firstID(value)
		case strings.EqualFold(f.Name, provider.KeyHeader):
			rep.OriginalKey = value
		case strings.EqualFold(f.Name, "To"):
			rep.OriginalTo = addresses(value)
		}
	}
}
