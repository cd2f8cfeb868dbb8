package mimemsg

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-message/textproto"

	"github.com/outreachkit/outreach/provider"
)

// Draft is a mail to be built. From, one recipient, MessageID, Date and Text
// or HTML are required. Build does not change it and keeps nothing of it.
type Draft struct {
	From        provider.Address
	Sender      *provider.Address // who sends on behalf of From; nil if it is From
	ReplyTo     []provider.Address
	To, Cc, Bcc []provider.Address
	Subject     string
	Date        time.Time // written in its own time zone
	MessageID   string    // in angle brackets, see NewMessageID
	InReplyTo   string    // in angle brackets
	References  []string  // in angle brackets, oldest first, see References
	Key         string    // value of provider.KeyHeader
	Text, HTML  string    // UTF-8, any line ends; alone it gets an end to its last line
	Attachments []File
	Header      []Field // further headers
	OmitBcc     bool    // leave Bcc out, for services that take the recipients apart from the mail
}

// File is an attachment or, with a ContentID and Inline, an image of the HTML.
type File struct {
	Name        string // without a path
	ContentType string // with its parameters; empty is application/octet-stream
	Data        []byte
	ContentID   string // without angle brackets; the HTML says src="cid:..."
	Inline      bool
}

// Field is one header field. Build takes its value decoded, ReadHeader as it
// stands in the mail.
type Field struct{ Name, Value string }

// Build returns the mail as RFC 5322 with CRLF line ends, Bcc included, since
// Gmail takes the recipients from the headers. The same Draft has the same
// bytes. Anything that can't be said in a mail is refused with a
// provider.FieldError that names the field, before there are any bytes; so a
// line break in a header can't become a header.
func Build(d Draft) ([]byte, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	buf.Grow(2048 + 2*(len(d.Text)+len(d.HTML)) + d.attached()*3/2)
	tree := d.tree()
	if tree.parts == nil && !bytes.HasSuffix(tree.body, []byte("\r\n")) {
		tree.body = append(tree.body, "\r\n"...) // a mail ends with a line's end
	}
	body, err := tree.encode()
	if err != nil {
		return nil, fmt.Errorf("mime: build: %w", err)
	}
	fields := append(d.header(), Field{"MIME-Version", "1.0"})
	if err := textproto.WriteHeader(&buf, rawHeader(append(fields, tree.fields()...))); err != nil {
		return nil, fmt.Errorf("mime: build: %w", err)
	}
	buf.Write(body)
	return buf.Bytes(), nil
}

func (d *Draft) attached() int {
	n := 0
	for _, f := range d.Attachments {
		n += len(f.Data)
	}
	return n
}

// header returns the mail's own fields, encoded and not yet folded.
func (d *Draft) header() []Field {
	var fields []Field
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, Field{name, value})
		}
	}
	add("Date", formatDate(d.Date))
	add("From", formatAddresses([]provider.Address{d.From}))
	if d.Sender != nil {
		add("Sender", formatAddresses([]provider.Address{*d.Sender}))
	}
	add("Reply-To", formatAddresses(d.ReplyTo))
	add("To", formatAddresses(d.To))
	add("Cc", formatAddresses(d.Cc))
	if !d.OmitBcc {
		add("Bcc", formatAddresses(d.Bcc))
	}
	add("Subject", encodeText(d.Subject))
	add("Message-ID", d.MessageID)
	add("In-Reply-To", d.InReplyTo)
	add("References", strings.Join(d.References, " "))
	add(provider.KeyHeader, d.Key)
	for _, f := range d.Header {
		value := strings.TrimSpace(f.Value)
		if !unfolded(f.Name) {
			value = encodeText(value)
		}
		add(f.Name, value)
	}
	return fields
}
