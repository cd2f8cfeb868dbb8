package mimemsg

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// The bounds of reading. A mail beyond them is read up to them.
const (
	maxDepth  = 12
	maxParts  = 500
	maxFields = 5000
	maxHeader = 1 << 20
	maxText   = 4 << 20 // decoded bytes of one alternative
	maxFaults = 20      // that are told
)

// Read reads a mail. It always returns a message; the error, also kept as
// its Defect, says what could not be read of a malformed one, and holds
// nothing of its text. Lines of the text end in "\n", a NUL is left out, and
// text that is flowed (RFC 3676) stays as it was sent.
//
// A mail attached to the mail is an attachment, whatever it holds: its text
// is not the text, and a report in it is not the report.
func Read(raw []byte) (*provider.Message, error) {
	fields, body, tidy := split(raw)
	msg := &provider.Message{Envelope: ReadHeader(fields)}
	r := reader{msg: msg}
	if !tidy {
		r.fault("", "the header is broken")
	}
	r.entity(newEntity(fields, body, "text/plain"), "", "", 0)
	msg.Text, msg.HTML = r.text.String(), r.html.String()
	r.words()
	msg.Defect = errors.Join(r.faults...)
	return msg, msg.Defect
}

// entity is a mail or a part of one, not decoded.
type entity struct {
	fields []Field
	body   []byte
	ct     string
	params map[string]string
	tidy   bool // its Content-Type was in order
}

func newEntity(fields []Field, body []byte, ct string) *entity {
	e := &entity{fields: fields, body: body, ct: ct, tidy: true}
	if v := first(fields, "Content-Type"); v != "" {
		ct, params, ok := parseParams(v)
		e.params, e.tidy = params, ok
		switch {
		case ct == "text":
			e.ct = "text/plain"
		case strings.Contains(ct, "/"):
			e.ct = ct
		default:
			e.tidy = false
		}
	}
	return e
}

// parts cuts a multipart into its parts. problem says what was wrong.
func (e *entity) parts() (list []*entity, problem string) {
	boundary := strings.TrimRight(e.params["boundary"], " \t")
	var raw [][]byte
	closed := false
	if boundary != "" {
		raw, closed = splitParts(e.body, boundary)
	}
	if raw == nil {
		// Without a boundary, or with one that is nowhere in the body.
		problem = "a multipart without its boundary"
		if boundary = guessBoundary(e.body); boundary == "" {
			return nil, problem
		}
		raw, _ = splitParts(e.body, boundary)
	} else if !closed {
		problem = "a multipart that is cut off"
	}
	ct := "text/plain"
	if e.ct == "multipart/digest" {
		ct = "message/rfc822" // RFC 2046 section 5.1.5
	}
	for _, b := range raw {
		fields, body, tidy := split(b)
		if !tidy && problem == "" {
			problem = "a part with a broken header"
		}
		list = append(list, newEntity(fields, body, ct))
	}
	return list, problem
}

// file returns the part's file name and disposition.
func (e *entity) file() (name, disposition string) {
	disposition, params, _ := parseParams(first(e.fields, "Content-Disposition"))
	name = params["filename"]
	if name == "" {
		name = e.params["name"]
	}
	name = decodeWords(name)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	if name = strings.TrimSpace(name); name == "." || name == ".." {
		name = ""
	}
	return name, disposition
}

func (e *entity) decode() (body []byte, problem string) {
	return decodeBody(e.body, first(e.fields, "Content-Transfer-Encoding"))
}

// describe tells what an attachment is; size is that of its decoded content.
func (e *entity) describe(part, parent string, size int) provider.Attachment {
	name, disposition := e.file()
	id := strings.Trim(clean(first(e.fields, "Content-Id")), "<> ")
	return provider.Attachment{
		Part: orRoot(part), Name: name, ContentType: clean(e.ct), Size: int64(size), ContentID: id,
		Inline: disposition == "inline" || disposition == "" && id != "" && parent == "multipart/related",
	}
}

// orRoot names the part that is the whole mail.
func orRoot(part string) string {
	if part == "" {
		return "0"
	}
	return part
}

// reader walks one mail.
type reader struct {
	msg        *provider.Message
	text, html strings.Builder
	parts      int
	faults     []error
	returned   []byte // a mail, or the header of one, that lies in the mail
}

func (r *reader) fault(part, problem string) {
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, fmt.Errorf("mime: read: part %s: %s", orRoot(part), problem))
	}
}

// entity reads one part and what is in it. parent is the type of the
// multipart around it.
func (r *reader) entity(e *entity, part, parent string, depth int) {
	if r.parts++; r.parts > maxParts {
		if r.parts == maxParts+1 {
			r.fault(part, "more parts than can be read")
		}
		return
	}
	if strings.HasPrefix(e.ct, "multipart/") {
		if depth >= maxDepth {
			r.fault(part, "deeper than can be read")
			r.attach(e, part, parent)
			return
		}
		list, problem := e.parts()
		if problem != "" {
			r.fault(part, problem)
		}
		if list != nil {
			r.multipart(e, list, part, depth)
			return
		}
		e.ct = "text/plain"
	} else if !e.tidy {
		r.fault(part, "the content type is malformed")
	}
	name, disposition := e.file()
	r.keepReturned(e, part)
	if disposition == "attachment" || name != "" && part != "" {
		r.attach(e, part, parent)
		return
	}
	// Further texts belong to the first, as Apple's around images and lists'
	// at the foot do; further alternatives are other forms of it.
	switch {
	case e.ct == "text/plain" && (r.text.Len() == 0 || parent != "multipart/alternative"):
		r.write(&r.text, e, part)
	case e.ct == "text/html" && (r.html.Len() == 0 || parent != "multipart/alternative"):
		r.write(&r.html, e, part)
	default:
		r.attach(e, part, parent)
	}
}

func (r *reader) multipart(e *entity, list []*entity, part string, depth int) {
	report := r.msg.Report == nil && r.isReport(e, list)
	if report {
		r.msg.Report = &provider.Report{Type: strings.ToLower(clean(e.params["report-type"]))}
	}
	for i, child := range list {
		path := childOf(part, i)
		if report && r.report(child, path) {
			r.parts++
			continue
		}
		r.entity(child, path, e.ct, depth+1)
	}
}

func childOf(part string, i int) string {
	if part == "" {
		return strconv.Itoa(i + 1)
	}
	return part + "." + strconv.Itoa(i+1)
}

// write adds a part to a text.
func (r *reader) write(to *strings.Builder, e *entity, part string) {
	b, problem := e.decode()
	if problem != "" {
		r.fault(part, problem)
	}
	charset := e.params["charset"]
	if charset == "" && e.ct == "text/html" {
		charset = metaCharset(b)
	}
	room := max(0, maxText-to.Len())
	if len(b) > room {
		r.fault(part, fmt.Sprintf("the text is longer than %d bytes", maxText))
		b = b[:room]
	}
	s, ok := toUTF8(b, charset)
	if !ok {
		r.fault(part, "the text is not in the charset it names")
	}
	s = strings.TrimPrefix(s, "\ufeff")
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(s)
	if to.Len() > 0 && s != "" {
		to.WriteByte('\n')
	}
	to.WriteString(s)
}

// metaCharset finds the charset an HTML text names itself.
func metaCharset(b []byte) string {
	_, after, ok := bytes.Cut(bytes.ToLower(b[:min(len(b), 1024)]), []byte("charset="))
	if !ok {
		return ""
	}
	after = bytes.TrimLeft(after, `"' `)
	if i := bytes.IndexAny(after, "\"' ;/>"); i >= 0 {
		return string(after[:i])
	}
	return ""
}

func (r *reader) attach(e *entity, part, parent string) {
	b, problem := e.decode()
	if problem != "" {
		r.fault(part, problem)
	}
	r.msg.Attachments = append(r.msg.Attachments, e.describe(part, parent, len(b)))
}

// OpenPart returns the decoded content of one attachment, named as Read did.
// What is broken of it is decoded as far as it can be. The error is
// provider.ErrNotFound if the mail has no such part.
func OpenPart(raw []byte, part string) (io.ReadCloser, error) {
	fields, body, _ := split(raw)
	e := newEntity(fields, body, "text/plain")
	if part != "0" {
		for number := range strings.SplitSeq(part, ".") {
			if e = e.child(number); e == nil {
				break
			}
		}
	}
	if e == nil {
		return nil, &provider.Error{Kind: provider.ErrNotFound, Op: "mime: open part", Reason: "no_such_part"}
	}
	content, _ := e.decode()
	return io.NopCloser(bytes.NewReader(content)), nil
}

func (e *entity) child(number string) *entity {
	n, err := strconv.Atoi(number)
	if err != nil || strconv.Itoa(n) != number || !strings.HasPrefix(e.ct, "multipart/") {
		return nil
	}
	list, _ := e.parts()
	if n < 1 || n > len(list) {
		return nil
	}
	return list[n-1]
}
