package mimemsg

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message"

	"github.com/outreachkit/outreach/provider"
)

// Draft is a mail to be built. From, one recipient, MessageID, Date and Text
// or HTML are required.
type Draft struct {
	From        provider.Address
	ReplyTo     []provider.Address
	To, Cc, Bcc []provider.Address
	Subject     string
	Date        time.Time
	MessageID   string   // in angle brackets, see NewMessageID
	InReplyTo   string   // in angle brackets
	References  []string // in angle brackets, oldest first
	Key         string   // value of provider.KeyHeader
	Text, HTML  string   // UTF-8, any line ends
	Attachments []File
	Header      []Field // further headers
}

// File is an attachment or, with a ContentID and Inline, an image of the HTML.
type File struct {
	Name, ContentType string
	Data              []byte
	ContentID         string // without angle brackets
	Inline            bool
}

// Field is one header field, not encoded.
type Field struct{ Name, Value string }

// Build returns the mail as RFC 5322 with CRLF line ends, Bcc included, since
// the services take the recipients from it. Anything that can't be said in a
// mail is refused with a provider.FieldError that names the field, before
// there are any bytes; so a line break in a header can't become a header.
func Build(d Draft) ([]byte, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	h := d.header()
	tree := d.tree()
	tree.describe(&h)
	w, err := message.CreateWriter(&buf, h)
	if err != nil {
		return nil, fmt.Errorf("mime: build: %w", err)
	}
	if err := tree.write(w); err != nil {
		return nil, fmt.Errorf("mime: build: %w", err)
	}
	return buf.Bytes(), nil
}

// header writes the fields in reverse: the library puts each new one on top.
func (d *Draft) header() message.Header {
	var fields []Field
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, Field{name, value})
		}
	}
	add("Date", d.Date.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	add("From", formatAddresses([]provider.Address{d.From}))
	add("Reply-To", formatAddresses(d.ReplyTo))
	add("To", formatAddresses(d.To))
	add("Cc", formatAddresses(d.Cc))
	add("Bcc", formatAddresses(d.Bcc))
	add("Subject", encodeText(d.Subject))
	add("Message-ID", d.MessageID)
	add("In-Reply-To", d.InReplyTo)
	add("References", strings.Join(d.References, " "))
	add(provider.KeyHeader, d.Key)
	var h message.Header
	for _, f := range slices.Backward(d.Header) {
		if strings.EqualFold(f.Name, "List-Unsubscribe") {
			// Folded, it broke signatures on the way; RFC 5322 allows 998.
			h.AddRaw([]byte(f.Name + ": " + f.Value + "\r\n"))
			continue
		}
		h.Add(f.Name, encodeText(f.Value))
	}
	for _, f := range slices.Backward(fields) {
		h.Add(f.Name, f.Value)
	}
	return h
}

// encodeText makes a header value ASCII with encoded words (RFC 2047).
func encodeText(s string) string { return mime.QEncoding.Encode("utf-8", s) }

// formatAddresses writes an address list (RFC 5322 section 3.4).
func formatAddresses(as []provider.Address) string {
	parts := make([]string, len(as))
	for i, a := range as {
		addr := asciiAddr(a.Addr)
		switch {
		case a.Name == "":
			parts[i] = addr
		case plainPhrase(a.Name):
			parts[i] = a.Name + " <" + addr + ">"
		case isASCII(a.Name):
			quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Name)
			parts[i] = `"` + quoted + `" <` + addr + ">"
		default:
			parts[i] = mime.BEncoding.Encode("utf-8", a.Name) + " <" + addr + ">"
		}
	}
	return strings.Join(parts, ", ")
}

// plainPhrase reports whether a display name needs no quoting: atoms and
// single spaces.
func plainPhrase(s string) bool {
	if s != strings.TrimSpace(s) || strings.Contains(s, "  ") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 0x80 || !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(" !#$%&'*+-/^_`{|}~", c) >= 0) {
			return false
		}
	}
	// Text that looks like an encoded word would be decoded as one.
	return !strings.Contains(s, "=?")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return !strings.Contains(s, "=?")
}

// node is one entity of the mail.
type node struct {
	contentType string
	params      map[string]string
	disposition string
	fileParams  map[string]string
	contentID   string
	encoding    string
	body        []byte
	parts       []*node
}

// tree arranges the parts: alternatives of the text, around the HTML its
// images, around all the attachments (RFC 2046, RFC 2387).
func (d *Draft) tree() *node {
	var inline, attached []*node
	for _, f := range d.Attachments {
		n := fileNode(f)
		if f.Inline && f.ContentID != "" && d.HTML != "" {
			inline = append(inline, n)
		} else {
			attached = append(attached, n)
		}
	}
	seed := sha256.Sum256([]byte(d.MessageID + "\x00" + d.Key))
	multi := func(kind string, params map[string]string, parts ...*node) *node {
		if params == nil {
			params = make(map[string]string)
		}
		// Derived, not drawn: no line of a quoted-printable or base64 body
		// begins with "--=_".
		params["boundary"] = "=_" + kind + "_" + hex.EncodeToString(seed[:12])
		return &node{contentType: "multipart/" + kind, params: params, parts: parts}
	}
	var root *node
	if d.Text != "" {
		root = textNode("text/plain", d.Text)
	}
	if d.HTML != "" {
		html := textNode("text/html", d.HTML)
		if len(inline) > 0 {
			html = multi("related", map[string]string{"type": "text/html"}, append([]*node{html}, inline...)...)
		}
		if root == nil {
			root = html
		} else {
			root = multi("alternative", nil, root, html)
		}
	}
	if len(attached) > 0 {
		root = multi("mixed", nil, append([]*node{root}, attached...)...)
	}
	return root
}

func textNode(contentType, s string) *node {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	s = strings.ToValidUTF8(s, "\uFFFD")
	return &node{
		contentType: contentType, params: map[string]string{"charset": "utf-8"}, encoding: "quoted-printable",
		body: []byte(strings.ReplaceAll(s, "\n", "\r\n")),
	}
}

func fileNode(f File) *node {
	n := &node{contentType: f.ContentType, encoding: "base64", body: f.Data, disposition: "attachment", contentID: f.ContentID}
	if n.contentType == "" {
		n.contentType = "application/octet-stream"
	}
	// The parameters were checked by validate.
	if ct, params, err := mime.ParseMediaType(n.contentType); err == nil {
		n.contentType, n.params = ct, params
	}
	if f.Inline {
		n.disposition = "inline"
	}
	if f.Name != "" {
		n.fileParams = map[string]string{"filename": f.Name}
		if n.params == nil {
			n.params = make(map[string]string)
		}
		if isASCII(f.Name) {
			n.params["name"] = f.Name // for readers that don't know Content-Disposition
		}
	}
	return n
}

// describe writes the entity's own headers.
func (n *node) describe(h *message.Header) {
	if n.contentID != "" {
		h.Set("Content-Id", "<"+n.contentID+">")
	}
	if n.disposition != "" {
		h.SetContentDisposition(n.disposition, n.fileParams)
	}
	if n.encoding != "" {
		h.Set("Content-Transfer-Encoding", n.encoding)
	}
	h.SetContentType(n.contentType, n.params)
}

func (n *node) write(w *message.Writer) error {
	if len(n.parts) == 0 {
		if _, err := io.Copy(w, bytes.NewReader(n.body)); err != nil {
			return err
		}
		return w.Close()
	}
	for _, part := range n.parts {
		var h message.Header
		part.describe(&h)
		pw, err := w.CreatePart(h)
		if err != nil {
			return err
		}
		if err := part.write(pw); err != nil {
			return err
		}
	}
	return w.Close()
}

// SubjectReply returns the subject of an answer: Re: once.
func SubjectReply(subject string) string {
	if len(subject) >= 3 && strings.EqualFold(subject[:3], "re:") {
		return subject
	}
	return "Re: " + subject
}

func validUTF8(s string) bool { return utf8.ValidString(s) }
