package mimemsg

import (
	"io"
	"mime"
	"net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/outreachkit/outreach/provider"
)

// ReadHeader reads an envelope from header fields in any order and case, not
// decoded, as a mail service's header format returns them. Fields that can't
// be read are left out; of a field that may stand once only the first counts.
func ReadHeader(fields []Field) provider.Envelope {
	var env provider.Envelope
	h := make(textproto.MIMEHeader)
	for _, f := range fields {
		h.Add(f.Name, strings.TrimSpace(unfold(f.Value)))
	}
	env.MessageID = firstID(h.Get("Message-Id"))
	env.InReplyTo = ids(h["In-Reply-To"])
	env.References = ids(h["References"])
	env.From = addresses(h.Get("From"))
	env.Sender = addresses(h.Get("Sender"))
	env.ReplyTo = addresses(h.Get("Reply-To"))
	env.To = addresses(strings.Join(h["To"], ", "))
	env.Cc = addresses(strings.Join(h["Cc"], ", "))
	env.Subject = decodeWords(h.Get("Subject"))
	if t, err := mail.ParseDate(h.Get("Date")); err == nil {
		env.Date = t
	}
	env.ContentType = contentType(h.Get("Content-Type"))
	env.Header = make(textproto.MIMEHeader)
	for _, name := range provider.EnvelopeHeaders() {
		key := textproto.CanonicalMIMEHeaderKey(name)
		if structured[key] {
			continue
		}
		for _, v := range h[key] {
			env.Header.Add(key, decodeWords(v))
		}
	}
	return env
}

// structured are the headers that have fields of their own in an Envelope.
var structured = map[string]bool{
	"Message-Id": true, "In-Reply-To": true, "References": true, "From": true, "Sender": true, "Reply-To": true,
	"To": true, "Cc": true, "Subject": true, "Date": true, "Content-Type": true,
}

func unfold(s string) string {
	return strings.NewReplacer("\r\n", "", "\n", "", "\r", "").Replace(s)
}

var angled = regexp.MustCompile(`<[^<>\s]+>`)

// ids finds the Message-IDs in fields that may hold comments, words and
// broken brackets beside them.
func ids(values []string) []string {
	var out []string
	for _, v := range values {
		for _, id := range angled.FindAllString(v, 1000) {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
		if !strings.Contains(v, "<") {
			// Some programs leave out the brackets.
			for _, word := range strings.Fields(v) {
				if strings.Count(word, "@") == 1 && !slices.Contains(out, "<"+word+">") && len(word) < 900 {
					out = append(out, "<"+word+">")
				}
			}
		}
	}
	return out
}

func firstID(v string) string {
	if all := ids([]string{v}); len(all) > 0 {
		return all[0]
	}
	return ""
}

// contentType returns the media type with no parameter but report-type.
func contentType(v string) string {
	ct, params, err := mime.ParseMediaType(v)
	if ct == "" && err != nil {
		ct, _, _ = strings.Cut(v, ";")
		ct = strings.ToLower(strings.TrimSpace(ct))
	}
	if kind := params["report-type"]; kind != "" && strings.HasPrefix(ct, "multipart/report") {
		return ct + "; report-type=" + strings.ToLower(kind)
	}
	return ct
}

// decodeWords decodes encoded words (RFC 2047), in any charset that browsers
// know. What can't be decoded stays as it is.
func decodeWords(s string) string {
	dec := mime.WordDecoder{CharsetReader: charsetReader}
	out, err := dec.DecodeHeader(s)
	if err != nil {
		out = s
	}
	return strings.ToValidUTF8(out, "\uFFFD")
}

func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return enc.NewDecoder().Reader(r), nil
}

// addresses reads an address list, as much of it as can be read.
func addresses(v string) []provider.Address {
	if v == "" {
		return nil
	}
	parser := mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: charsetReader}}
	if list, err := parser.ParseList(v); err == nil {
		out := make([]provider.Address, len(list))
		for i, a := range list {
			out[i] = provider.Address{Name: strings.ToValidUTF8(a.Name, "\uFFFD"), Addr: a.Address}
		}
		return out
	}
	var out []provider.Address
	for _, part := range splitList(v) {
		if a, err := parser.Parse(part); err == nil {
			out = append(out, provider.Address{Name: strings.ToValidUTF8(a.Name, "\uFFFD"), Addr: a.Address})
			continue
		}
		if addr := loose.FindString(part); addr != "" {
			name, _, _ := strings.Cut(part, "<")
			name = strings.Trim(strings.TrimSpace(strings.Replace(name, addr, "", 1)), `"' `)
			out = append(out, provider.Address{Name: decodeWords(name), Addr: addr})
		}
	}
	return out
}

// loose finds what can only be an address.
var loose = regexp.MustCompile(`[^\s<>,;:"()\[\]]+@[^\s<>,;:"()\[\]]+`)

// splitList cuts at commas outside quotes and brackets.
func splitList(v string) []string {
	var parts []string
	quoted, depth, start := false, 0, 0
	for i := range len(v) {
		switch c := v[i]; {
		case c == '"':
			quoted = !quoted
		case c == '<':
			depth++
		case c == '>':
			depth = max(0, depth-1)
		case (c == ',' || c == ';') && !quoted && depth == 0:
			parts = append(parts, v[start:i])
			start = i + 1
		}
	}
	return append(parts, v[start:])
}
