package mimemsg

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"mime/quotedprintable"
	"slices"
	"strings"

	"github.com/emersion/go-message/textproto"
)

// node is one entity of a mail to be built.
type node struct {
	contentType string // with its parameters, formatted
	disposition string // with its parameters, formatted
	contentID   string
	encoding    string // transfer encoding of the body
	body        []byte
	boundary    string // of the parts
	parts       []*node
}

// tree arranges the parts: alternatives of the text, around the HTML its
// images, around all the attachments (RFC 2046, RFC 2387). Only the levels
// that are needed are there.
func (d *Draft) tree() *node {
	var inline, attached []*node
	for _, f := range d.Attachments {
		if n := fileNode(f); f.Inline && f.ContentID != "" && d.HTML != "" {
			inline = append(inline, n)
		} else {
			attached = append(attached, n)
		}
	}
	// Derived, not drawn, so that the same mail has the same bytes. No line
	// of a body can be taken for a boundary: quoted-printable writes "=" as
	// "=3D", and base64 has no "-".
	seed := sha256.Sum256([]byte(d.MessageID + "\x00" + d.Key))
	multi := func(kind string, params []param, parts ...*node) *node {
		boundary := "=_" + kind + "_" + hex.EncodeToString(seed[:12])
		return &node{
			contentType: formatParams("multipart/"+kind, append(params, param{"boundary", boundary})),
			boundary:    boundary, parts: parts,
		}
	}
	var root *node
	if d.Text != "" {
		root = textNode("text/plain", d.Text)
	}
	if d.HTML != "" {
		html := textNode("text/html", d.HTML)
		if len(inline) > 0 {
			html = multi("related", []param{{"type", "text/html"}}, slices.Insert(inline, 0, html)...)
		}
		if root == nil {
			root = html
		} else {
			root = multi("alternative", nil, root, html)
		}
	}
	if len(attached) > 0 {
		root = multi("mixed", nil, slices.Insert(attached, 0, root)...)
	}
	return root
}

// textNode takes quoted-printable, which people can read in the source, or
// base64 where that is shorter, as it is for most scripts but Latin.
func textNode(contentType, s string) *node {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	n := &node{
		contentType: formatParams(contentType, []param{{"charset", "utf-8"}}), encoding: "quoted-printable",
		body: []byte(strings.ReplaceAll(s, "\n", "\r\n")),
	}
	escaped := 0
	for _, c := range n.body {
		if c >= 0x80 || c == '=' {
			escaped++
		}
	}
	if escaped*6 > len(n.body) { // 3 for 1 against 4 for 3
		n.encoding = "base64"
	}
	return n
}

func fileNode(f File) *node {
	n := &node{encoding: "base64", body: f.Data, contentID: f.ContentID, disposition: "attachment"}
	if f.Inline {
		n.disposition = "inline"
	}
	ct, params, _ := parseParams(f.ContentType) // as validate found it
	if ct == "" {
		ct = "application/octet-stream"
	}
	list := make([]param, 0, len(params)+1)
	for name, value := range params {
		if name != "name" && name != "boundary" {
			list = append(list, param{name, value})
		}
	}
	slices.SortFunc(list, func(a, b param) int { return strings.Compare(a.name, b.name) })
	n.contentType = formatParams(ct, list)
	if f.Name != "" {
		n.disposition = formatParams(n.disposition, []param{{"filename", f.Name}})
		// The same name for readers that don't know RFC 2231: against the
		// letter of RFC 2047 section 5, and what they all decode.
		n.contentType += "; name=" + quote(encodeText(f.Name))
	}
	return n
}

// fields returns the entity's own headers.
func (n *node) fields() []Field {
	fields := []Field{{"Content-Type", n.contentType}}
	if n.encoding != "" {
		fields = append(fields, Field{"Content-Transfer-Encoding", n.encoding})
	}
	if n.disposition != "" {
		fields = append(fields, Field{"Content-Disposition", n.disposition})
	}
	if n.contentID != "" {
		fields = append(fields, Field{"Content-ID", "<" + n.contentID + ">"})
	}
	return fields
}

// encode returns the body with its transfer encoding.
func (n *node) encode() ([]byte, error) {
	var buf bytes.Buffer
	switch {
	case n.parts != nil:
		w := textproto.NewMultipartWriter(&buf)
		if err := w.SetBoundary(n.boundary); err != nil {
			return nil, err
		}
		for _, part := range n.parts {
			pw, err := w.CreatePart(rawHeader(part.fields()))
			if err != nil {
				return nil, err
			}
			body, err := part.encode()
			if err != nil {
				return nil, err
			}
			if _, err := pw.Write(body); err != nil {
				return nil, err
			}
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
	case n.encoding == "base64":
		const line = 57 // bytes that make 76 characters (RFC 2045 section 6.8)
		buf.Grow((len(n.body)/line + 1) * 78)
		for chunk := range slices.Chunk(n.body, line) {
			out := base64.StdEncoding.AppendEncode(buf.AvailableBuffer(), chunk)
			buf.Write(append(out, "\r\n"...))
		}
	default:
		buf.Grow(len(n.body)*5/4 + 64)
		w := quotedprintable.NewWriter(&buf)
		if _, err := w.Write(n.body); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
	}
	return buf.Bytes(), nil
}
