package mimemsg_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// FuzzRead holds that any bytes are read without a panic, that what is read
// is text on one line where a header is, and that each part can be opened.
func FuzzRead(f *testing.F) {
	f.Add(bounce("MAILER-DAEMON@example.com", "multipart/report; report-type=delivery-status"))
	full, err := mimemsg.Build(fullDraft())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	f.Add([]byte("From: =?utf-8?b?SsO2cmc=?= <a@b>\nReferences: <a@b> <c\n d@e>\nContent-Type: text/plain; charset*0=\"iso-2022-\"; charset*1=jp\nDate: 2 Mar 26 09:30 EST\n\n\x1b$B"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		msg, err := mimemsg.Read(raw)
		if !bytes.Equal(before, raw) {
			t.Fatal("the mail was changed")
		}
		if msg == nil || msg.Defect != err {
			t.Fatalf("message %v, error %v", msg, err)
		}
		if !utf8.ValidString(msg.Text) || !utf8.ValidString(msg.HTML) || strings.ContainsAny(msg.Text+msg.HTML, "\r\x00") {
			t.Errorf("text %q, HTML %q", msg.Text, msg.HTML)
		}
		env := msg.Envelope
		line := func(s string) {
			t.Helper()
			if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) {
				t.Errorf("not one line of text: %q", s)
			}
		}
		line(env.Subject)
		line(env.MessageID)
		line(env.ContentType)
		for _, list := range [][]string{env.InReplyTo, env.References} {
			for _, id := range list {
				line(id)
				if len(id) < 3 || id[0] != '<' || id[len(id)-1] != '>' || provider.BareID(id) == "" {
					t.Errorf("no id: %q", id)
				}
			}
		}
		for _, list := range [][]provider.Address{env.From, env.Sender, env.ReplyTo, env.To, env.Cc} {
			for _, a := range list {
				line(a.Name)
				if line(a.Addr); provider.Normalize(a.Addr) == "" {
					t.Errorf("no address: %q", a.Addr)
				}
			}
		}
		for _, values := range env.Header {
			for _, v := range values {
				line(v)
			}
		}
		for _, a := range msg.Attachments {
			line(a.Name)
			line(a.ContentType)
			line(a.ContentID)
			if strings.ContainsAny(a.Name, `/\`) {
				t.Errorf("a path: %q", a.Name)
			}
			rc, err := mimemsg.OpenPart(raw, a.Part)
			if err != nil {
				t.Fatalf("part %q: %v", a.Part, err)
			}
			if n, err := io.Copy(io.Discard, rc); err != nil || n != a.Size {
				t.Errorf("part %q has %d bytes (%v), not %d", a.Part, n, err, a.Size)
			}
		}
	})
}

// FuzzBuild holds that a mail has the header lines the builder means and no
// others, whatever is handed in, and that it is read back.
func FuzzBuild(f *testing.F) {
	f.Add("Subject", "Name", "ada@example.net", "text", "<p>", "file.pdf", "application/pdf", "X-Team", "value", []byte{0})
	f.Add("a\r\nBcc: eve@example.org", "Jörg, \"x\"", "ada@exämple.net", "--=_mixed_", "", "ü.txt", "text/plain; charset=latin1", "List-Unsubscribe", "<https://example.com>", []byte("\r\n"))
	f.Add("=?utf-8?q?a?=", "=?", "a..b@example.net", "\xff", "=\r", "\"\\;", "a/b; c*0=d", "Bcc", " \t", []byte("--"))
	f.Add(strings.Repeat("long ", 300), strings.Repeat("x", 2000), "a@b", strings.Repeat("ü", 999), "", "a", "", "X-Long", strings.Repeat("ü", 400), []byte(nil))
	f.Fuzz(func(t *testing.T, subject, name, addr, text, html, file, contentType, header, value string, data []byte) {
		d := draft()
		d.Subject, d.Text, d.HTML = subject, text, html
		d.To = []provider.Address{{Name: name, Addr: addr}}
		d.Cc = []provider.Address{{Name: name, Addr: "cc@example.org"}}
		d.Attachments = []mimemsg.File{{Name: file, ContentType: contentType, Data: data, ContentID: "c@example.com", Inline: len(data)%2 == 0}}
		if header != "" {
			d.Header = []mimemsg.Field{{Name: header, Value: value}}
		}
		raw, err := mimemsg.Build(d)
		if err != nil {
			var fault *provider.FieldError
			if !errors.As(err, &fault) || raw != nil {
				t.Fatalf("no field is named: %v", err)
			}
			return
		}
		checkLines(t, raw)
		want := []string{"Date", "From", "To", "Cc"}
		if strings.TrimSpace(subject) != "" {
			want = append(want, "Subject")
		}
		want = append(want, "Message-ID", provider.KeyHeader)
		if header != "" && strings.TrimSpace(value) != "" {
			want = append(want, header)
		}
		want = append(want, "MIME-Version", "Content-Type")
		var got []string
		for line := range strings.SplitSeq(strings.SplitN(string(raw), "\r\n\r\n", 2)[0], "\r\n") {
			if line[0] != ' ' && line[0] != '\t' {
				field, _, _ := strings.Cut(line, ":")
				got = append(got, field)
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Fatalf("header lines %q, meant %q", got, want)
		}
		if strings.ContainsFunc(addr, func(r rune) bool { return r >= 0x80 }) {
			return // it is read back as it went over the wire
		}
		checkRead(t, d, raw)
	})
}
