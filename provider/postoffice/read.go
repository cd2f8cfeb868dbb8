package postoffice

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/outreachkit/outreach/provider"
)

// envelopeOf reads the headers of a message as a service hands them out.
func envelopeOf(msg Message) *provider.Envelope {
	fields, _ := Split(msg.Raw)
	env := headerEnvelope(headerOf(fields))
	env.Ref, env.Thread, env.Place, env.Own = refOf(msg.Number), threadOf(msg.Thread), msg.Places()[0], msg.Own
	env.Draft, env.Received = msg.Has(LabelDraft), msg.Received
	return env
}

func headerEnvelope(h textproto.MIMEHeader) *provider.Envelope {
	env := &provider.Envelope{
		InReplyTo: messageIDs(h["In-Reply-To"]), References: messageIDs(h["References"]),
		From: addresses(h["From"]), Sender: addresses(h["Sender"]), ReplyTo: addresses(h["Reply-To"]),
		To: addresses(h["To"]), Cc: addresses(h["Cc"]), Subject: decoded(h.Get("Subject")),
	}
	if ids := messageIDs(h["Message-Id"]); len(ids) > 0 {
		env.MessageID = ids[0]
	}
	if d, err := mail.ParseDate(h.Get("Date")); err == nil {
		env.Date = d
	}
	if media, params, err := mime.ParseMediaType(h.Get("Content-Type")); err == nil {
		env.ContentType = media
		if rt := params["report-type"]; rt != "" {
			env.ContentType += "; report-type=" + strings.ToLower(rt)
		}
	}
	for _, name := range provider.EnvelopeHeaders() {
		key := textproto.CanonicalMIMEHeaderKey(name)
		for _, v := range h[key] {
			if env.Header == nil {
				env.Header = make(textproto.MIMEHeader)
			}
			env.Header[key] = append(env.Header[key], decoded(v))
		}
	}
	return env
}

// reading collects what a message holds.
type reading struct {
	out     *provider.Message
	parts   map[string][]byte
	defects []error
}

// maxDepth bounds nested multiparts; deeper ones are a defect.
const maxDepth = 20

// readContent reads a whole message, and the decoded bytes of its
// attachments by part. It reads on past whatever is malformed.
func readContent(msg Message) (*provider.Message, map[string][]byte) {
	fields, body := Split(msg.Raw)
	r := &reading{out: &provider.Message{Envelope: *envelopeOf(msg)}, parts: make(map[string][]byte)}
	if len(fields) == 0 {
		r.defect("", "no header")
	}
	r.walk("1", headerOf(fields), body, 0)
	r.out.Defect = errors.Join(r.defects...)
	return r.out, r.parts
}

func (r *reading) defect(part, problem string) {
	r.defects = append(r.defects, fmt.Errorf("part %q: %s", part, problem))
}

func (r *reading) walk(part string, h textproto.MIMEHeader, body []byte, depth int) {
	kind := h.Get("Content-Type")
	if kind == "" {
		kind = "text/plain"
	}
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		r.defect(part, "unreadable Content-Type")
		media = "text/plain"
	}
	if strings.HasPrefix(media, "multipart/") {
		r.multi(part, media, params, body, depth)
		return
	}
	data := r.decode(part, h.Get("Content-Transfer-Encoding"), body)
	disposition, dparams, _ := mime.ParseMediaType(h.Get("Content-Disposition"))
	name := decoded(dparams["filename"])
	if name == "" {
		name = decoded(params["name"])
	}
	switch {
	case disposition != "attachment" && name == "" && media == "text/plain" && r.out.Text == "":
		r.out.Text = r.toUTF8(part, params["charset"], data)
		return
	case disposition != "attachment" && name == "" && media == "text/html" && r.out.HTML == "":
		r.out.HTML = r.toUTF8(part, params["charset"], data)
		return
	case media == "message/delivery-status" && r.out.Report != nil:
		r.deliveryStatus(data)
		return
	case r.out.Report != nil && (media == "message/rfc822" || media == "text/rfc822-headers"):
		fields, _ := Split(data)
		rh := headerOf(fields)
		if ids := messageIDs(rh["Message-Id"]); len(ids) > 0 {
			r.out.Report.OriginalMessageID = ids[0]
		}
		r.out.Report.OriginalKey = strings.TrimSpace(rh.Get(provider.KeyHeader))
		r.out.Report.OriginalTo = addresses(rh["To"])
	case media == "message/disposition-notification" && r.out.Report != nil:
		fields, _ := Split(data)
		if ids := messageIDs(headerOf(fields)["Original-Message-Id"]); len(ids) > 0 {
			r.out.Report.OriginalMessageID = ids[0]
		}
		return
	}
	r.parts[part] = data
	r.out.Attachments = append(r.out.Attachments, provider.Attachment{
		Part: part, Name: name, ContentType: media, Size: int64(len(data)),
		ContentID: strings.Trim(h.Get("Content-Id"), "<> "), Inline: disposition == "inline" || h.Get("Content-Id") != "" && disposition == "",
	})
}

func (r *reading) multi(part, media string, params map[string]string, body []byte, depth int) {
	if media == "multipart/report" && r.out.Report == nil {
		r.out.Report = &provider.Report{Type: strings.ToLower(params["report-type"])}
	}
	if depth >= maxDepth || params["boundary"] == "" {
		r.defect(part, "a multipart without boundary, or nested too deep")
		if r.out.Text == "" {
			r.out.Text = r.toUTF8(part, "", body)
		}
		return
	}
	mr := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for n := 1; ; n++ {
		p, err := mr.NextRawPart()
		if err == io.EOF {
			return
		}
		if err != nil {
			r.defect(part, "a multipart that breaks off")
			return
		}
		data, err := io.ReadAll(p)
		if err != nil {
			r.defect(part, "a multipart that breaks off")
		}
		r.walk(fmt.Sprintf("%s.%d", part, n), textproto.MIMEHeader(p.Header), data, depth+1)
	}
}

func (r *reading) decode(part, encoding string, body []byte) []byte {
	var from io.Reader
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "7bit", "8bit", "binary":
		return body
	case "base64":
		from = base64.NewDecoder(base64.StdEncoding, bytes.NewReader(body))
	case "quoted-printable":
		from = quotedprintable.NewReader(bytes.NewReader(body))
	default:
		r.defect(part, "an unknown transfer encoding")
		return body
	}
	data, err := io.ReadAll(from)
	if err != nil {
		r.defect(part, "a malformed transfer encoding")
	}
	return data
}

func (r *reading) toUTF8(part, charset string, data []byte) string {
	switch strings.ToLower(charset) {
	case "", "utf-8", "us-ascii":
	case "iso-8859-1":
		var b strings.Builder
		for _, c := range data {
			b.WriteRune(rune(c))
		}
		return b.String()
	default:
		r.defect(part, "an unknown character set")
	}
	if !utf8.Valid(data) {
		r.defect(part, "text that is not what its character set says")
	}
	return strings.ToValidUTF8(string(data), "\uFFFD")
}

// deliveryStatus reads the groups of a delivery status (RFC 3464 section 2).
// The first is about the message and holds no recipient.
func (r *reading) deliveryStatus(data []byte) {
	for len(data) > 0 {
		var fields []Field
		fields, data = Split(data)
		h := headerOf(fields)
		rec := provider.RecipientReport{
			Final: typed(h.Get("Final-Recipient")), Original: typed(h.Get("Original-Recipient")),
			Action: strings.ToLower(h.Get("Action")), Status: h.Get("Status"), Diagnostic: h.Get("Diagnostic-Code"),
		}
		if rec.Final != "" || rec.Original != "" {
			r.out.Report.Recipients = append(r.out.Report.Recipients, rec)
		}
	}
}

// typed drops the type of "rfc822; ada@example.com".
func typed(s string) string {
	if _, value, ok := strings.Cut(s, ";"); ok {
		s = value
	}
	return strings.TrimSpace(s)
}

// Names reports whether the message's text or headers name one of the
// addresses, as a full-text search would find it.
func (m Message) Names(addrs []string) bool {
	text := bytes.ToLower(m.Raw)
	return slices.ContainsFunc(addrs, func(a string) bool {
		key := provider.Normalize(a)
		return key != "" && bytes.Contains(text, []byte(key))
	})
}
