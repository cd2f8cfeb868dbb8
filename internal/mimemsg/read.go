package mimemsg

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"

	"github.com/emersion/go-message"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"

	"github.com/outreachkit/outreach/provider"
)

// The bounds of reading. A mail beyond them is read up to them.
const (
	maxDepth  = 12
	maxParts  = 500
	maxText   = 4 << 20 // decoded bytes of one alternative
	maxHeader = 1 << 20
)

// Read reads a mail. It always returns a message; the error, also kept as
// its Defect, says what could not be read of a malformed one.
func Read(raw []byte) (*provider.Message, error) {
	fields, body := split(raw)
	msg := &provider.Message{Envelope: ReadHeader(fields)}
	r := reader{msg: msg}
	r.entity(entityOf(fields, body), "", 0)
	msg.Defect = errors.Join(r.defects...)
	return msg, msg.Defect
}

// split takes header and body apart. It accepts anything: a line that is no
// field is left out, and a mail without an empty line is all header.
func split(raw []byte) ([]Field, []byte) {
	var fields []Field
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			return fields, rest
		}
		raw = rest
		if (line[0] == ' ' || line[0] == '\t') && len(fields) > 0 {
			last := &fields[len(fields)-1]
			if len(last.Value) < maxHeader {
				last.Value += "\r\n" + string(line)
			}
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		name = bytes.TrimRight(name, " \t")
		if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t\"") || len(fields) > 5000 {
			continue
		}
		fields = append(fields, Field{Name: string(name), Value: string(value)})
	}
	return fields, nil
}

// entityOf hands the MIME headers to the library, which decodes the body.
func entityOf(fields []Field, body []byte) *message.Entity {
	var h message.Header
	for _, f := range fields {
		if len(f.Name) > 8 && strings.EqualFold(f.Name[:8], "Content-") && !h.Has(f.Name) {
			h.Set(f.Name, strings.TrimSpace(unfold(f.Value)))
		}
	}
	e, err := message.New(h, bytes.NewReader(body))
	if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return &message.Entity{Header: h, Body: bytes.NewReader(body)}
	}
	return e
}

// reader walks one mail.
type reader struct {
	msg     *provider.Message
	parts   int
	defects []error
	stop    func(part string, e *message.Entity) bool // for OpenPart
}

func (r *reader) defect(part, format string, args ...any) {
	if len(r.defects) < 20 {
		r.defects = append(r.defects, fmt.Errorf("mime: read: part %s: %s", orRoot(part), fmt.Sprintf(format, args...)))
	}
}

func orRoot(part string) string {
	if part == "" {
		return "0"
	}
	return part
}

// entity reads one part and what is in it. It reports false when the walk is
// to end.
func (r *reader) entity(e *message.Entity, part string, depth int) bool {
	r.parts++
	if depth > maxDepth || r.parts > maxParts {
		r.defect(part, "too deep or too many parts")
		return false
	}
	if r.stop != nil && r.stop(part, e) {
		return false
	}
	ct, params, err := e.Header.ContentType()
	if err != nil && ct == "" {
		ct = contentType(e.Header.Get("Content-Type"))
	}
	if ct == "" {
		ct = "text/plain"
	}
	if mr := e.MultipartReader(); mr != nil {
		return r.multipart(mr, ct, params, part, depth)
	}
	if strings.HasPrefix(ct, "multipart/") {
		r.defect(part, "a multipart without a boundary")
		ct = "text/plain"
	}
	disposition, dparams, _ := e.Header.ContentDisposition()
	name := fileName(dparams, params, e)
	attached := strings.EqualFold(disposition, "attachment") || name != "" && !strings.HasPrefix(ct, "text/")
	if !attached && (ct == "text/plain" && r.msg.Text == "" || ct == "text/html" && r.msg.HTML == "") && name == "" {
		text := r.text(e, params["charset"], part)
		if ct == "text/html" {
			r.msg.HTML = text
		} else {
			r.msg.Text = text
		}
		return true
	}
	r.attachment(e, ct, name, disposition, part)
	return true
}

func (r *reader) multipart(mr message.MultipartReader, ct string, params map[string]string, part string, depth int) bool {
	if ct == "multipart/report" && depth == 0 {
		r.msg.Report = &provider.Report{Type: strings.ToLower(params["report-type"])}
	}
	for i := 1; ; i++ {
		e, err := mr.NextPart()
		if err == io.EOF {
			return true
		}
		if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
			r.defect(part, "a part can't be read")
			return true
		}
		child := strconv.Itoa(i)
		if part != "" {
			child = part + "." + child
		}
		if r.msg.Report != nil && depth == 0 && r.report(e, child) {
			continue
		}
		if !r.entity(e, child, depth+1) {
			return false
		}
	}
}

func fileName(disposition, ct map[string]string, e *message.Entity) string {
	name := disposition["filename"]
	if name == "" {
		name = ct["name"]
	}
	name = decodeWords(name)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	return name
}

// text decodes one alternative to UTF-8.
func (r *reader) text(e *message.Entity, charset, part string) string {
	b, err := io.ReadAll(io.LimitReader(e.Body, maxText+1))
	if err != nil {
		r.defect(part, "the transfer encoding is broken")
	}
	if len(b) > maxText {
		r.defect(part, "the text is longer than %d bytes", maxText)
		b = b[:maxText]
	}
	s := toUTF8(b, charset)
	return strings.ReplaceAll(s, "\r\n", "\n")
}

// toUTF8 decodes with the named charset; bytes that are no UTF-8 although
// they claim to be are taken for Windows-1252, which most often they are.
func toUTF8(b []byte, charset string) string {
	charset = strings.ToLower(strings.TrimSpace(charset))
	switch charset {
	case "", "utf-8", "us-ascii", "ascii", "utf8":
		if s := string(b); validUTF8(s) {
			return s
		}
		charset = "windows-1252"
	}
	enc, err := htmlindex.Get(charset)
	if err != nil {
		if s := string(b); validUTF8(s) {
			return s
		}
		enc = charmap.Windows1252
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}

func (r *reader) attachment(e *message.Entity, ct, name, disposition, part string) {
	size, err := io.Copy(io.Discard, e.Body)
	if err != nil {
		r.defect(part, "the transfer encoding is broken")
	}
	r.msg.Attachments = append(r.msg.Attachments, provider.Attachment{
		Part: orRoot(part), Name: name, ContentType: ct, Size: size,
		ContentID: strings.Trim(strings.TrimSpace(e.Header.Get("Content-Id")), "<>"),
		Inline:    strings.EqualFold(disposition, "inline"),
	})
}

// OpenPart returns the decoded content of one attachment, named as Read did.
// The error is provider.ErrNotFound if the mail has no such part.
func OpenPart(raw []byte, part string) (io.ReadCloser, error) {
	var body io.Reader
	fields, rest := split(raw)
	r := reader{msg: &provider.Message{}}
	r.stop = func(p string, e *message.Entity) bool {
		if orRoot(p) == part && e.MultipartReader() == nil {
			body = e.Body
			return true
		}
		return false
	}
	r.entity(entityOf(fields, rest), "", 0)
	if body == nil {
		return nil, &provider.Error{Kind: provider.ErrNotFound, Op: "mime: open part", Reason: "no_such_part"}
	}
	return io.NopCloser(body), nil
}

// mediaType reads a part's type, whatever is wrong with its parameters.
func mediaType(e *message.Entity) (string, map[string]string) {
	ct, params, err := mime.ParseMediaType(e.Header.Get("Content-Type"))
	if err != nil && ct == "" {
		return contentType(e.Header.Get("Content-Type")), nil
	}
	return ct, params
}
