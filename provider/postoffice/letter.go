package postoffice

import (
	"mime"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// letter is mail of foreign making. It is put together as text on purpose:
// what arrives should not bear the marks of the builder that this module
// sends with.
type letter struct {
	from, to provider.Address
	subject  string
	now      time.Time
	id       string
	refs     []string // oldest first; the last is what it answers
	extra    []Field
	text     string
	mime     string // Content-Type of text, if it is not plain
}

func (l letter) bytes() []byte {
	kind := l.mime
	if kind == "" {
		kind = `text/plain; charset="UTF-8"`
	}
	fields := []Field{
		{"MIME-Version", "1.0"},
		{"From", mailboxField(l.from.Name, l.from.Addr)},
		{"To", mailboxField(l.to.Name, l.to.Addr)},
		{"Subject", mime.QEncoding.Encode("utf-8", oneLine(l.subject))},
		{"Date", l.now.Format(time.RFC1123Z)},
		{"Message-ID", l.id},
	}
	if n := len(l.refs); n > 0 {
		fields = append(fields, Field{"In-Reply-To", l.refs[n-1]}, Field{"References", strings.Join(l.refs, "\r\n ")})
	}
	fields = append(fields, l.extra...)
	fields = append(fields, Field{"Content-Type", kind})
	if l.mime == "" {
		fields = append(fields, Field{"Content-Transfer-Encoding", "8bit"})
	}
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f.Name + ": " + f.Value + "\r\n")
	}
	b.WriteString("\r\n" + crlf(l.text))
	return []byte(b.String())
}

// mailboxField writes an address for a header.
func mailboxField(name, addr string) string {
	if name == "" {
		return addr
	}
	return (&mail.Address{Name: oneLine(name), Address: addr}).String()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func crlf(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
	if !strings.HasSuffix(s, "\r\n") {
		s += "\r\n"
	}
	return s
}

func orText(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// received is a mail in a person's hands.
type received struct {
	from, replyTo []provider.Address
	subject       string
	id            string
	refs          []string // its own chain with itself at the end
	date          string
	header        []Field
	body          string
}

func readLetter(raw []byte) received {
	fields, body := Split(raw)
	h := headerOf(fields)
	in := received{
		from: addresses(h["From"]), replyTo: addresses(h["Reply-To"]), subject: decoded(h.Get("Subject")),
		date: h.Get("Date"), header: fields, body: string(body),
	}
	if ids := messageIDs(h["Message-Id"]); len(ids) > 0 {
		in.id = ids[0]
	}
	in.refs = messageIDs(h["References"])
	if in.id != "" {
		in.refs = append(slices.Clone(in.refs), in.id)
	}
	return in
}

func (in received) answerTo() provider.Address {
	switch {
	case len(in.replyTo) > 0:
		return in.replyTo[0]
	case len(in.from) > 0:
		return in.from[0]
	}
	return provider.Address{}
}

func (in received) re() string {
	if strings.HasPrefix(strings.ToLower(in.subject), "re:") {
		return in.subject
	}
	return "Re: " + in.subject
}

func (in received) quoted() string {
	who := ""
	if len(in.from) > 0 {
		who = in.from[0].String()
	}
	var b strings.Builder
	b.WriteString("On " + in.date + ", " + who + " wrote:\n")
	for line := range strings.Lines(in.body) {
		b.WriteString("> " + strings.TrimRight(line, "\r\n") + "\n")
	}
	return b.String()
}

func (in received) answer(me, to provider.Address, id string, now time.Time, text string) []byte {
	return letter{
		from: me, to: to, subject: in.re(), now: now, id: id, refs: in.refs,
		text: orText(text, "Thank you, that sounds interesting. When can we talk?") + "\n\n" + in.quoted(),
	}.bytes()
}
