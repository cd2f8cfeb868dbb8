package mimemsg_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// draft returns a small mail that can be built.
func draft() mimemsg.Draft {
	return mimemsg.Draft{
		From:      provider.Address{Name: "Grace Example", Addr: "grace@example.com"},
		To:        []provider.Address{{Name: "Ada", Addr: "ada@example.net"}},
		Subject:   "A role at Example",
		Date:      time.Date(2026, 3, 2, 9, 30, 0, 0, time.FixedZone("", 2*3600)),
		MessageID: "<k3y@mail.example.com>",
		Key:       "key-1",
		Text:      "Hello Ada,\n\nshall we talk?\n",
	}
}

func build(t testing.TB, d mimemsg.Draft) []byte {
	t.Helper()
	raw, err := mimemsg.Build(d)
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	checkLines(t, raw)
	return raw
}

// checkLines holds what RFC 5322 section 2 asks of every mail.
func checkLines(t testing.TB, raw []byte) {
	t.Helper()
	header := true
	for line := range bytes.SplitAfterSeq(raw, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		text, ok := bytes.CutSuffix(line, []byte("\r\n"))
		if !ok || bytes.ContainsAny(text, "\r\n\x00") {
			t.Fatalf("a line does not end in CRLF, or has a bare CR, LF or NUL: %q", line)
		}
		if len(text) > 998 {
			t.Fatalf("a line of %d bytes: %.80q", len(text), text)
		}
		if i := bytes.IndexFunc(text, func(r rune) bool { return r >= 0x80 }); i >= 0 {
			t.Fatalf("a line is not ASCII: %q", text)
		}
		if header && len(text) > 0 && len(bytes.TrimSpace(text)) == 0 {
			t.Fatalf("a header line is blank: %q", line)
		}
		header = header && len(text) > 0
	}
}

func TestRoundTrip(t *testing.T) {
	long := strings.Repeat("ein ziemlich langer Betreff über alles Mögliche, ", 20)
	tests := map[string]func(d *mimemsg.Draft){
		"text":             func(*mimemsg.Draft) {},
		"html":             func(d *mimemsg.Draft) { d.Text, d.HTML = "", "<p>Grüße</p>\n" },
		"both":             func(d *mimemsg.Draft) { d.HTML = "<p>a=b</p>\n" },
		"japanese":         func(d *mimemsg.Draft) { d.Text = strings.Repeat("こんにちは。\n", 300) },
		"umlauts":          func(d *mimemsg.Draft) { d.Text = "Grüße aus Köln\n=20 is no escape\n.\nFrom here\n" },
		"trailing spaces":  func(d *mimemsg.Draft) { d.Text = "-- \nGrace \t\n" },
		"long line":        func(d *mimemsg.Draft) { d.Text = strings.Repeat("word ", 1000) },
		"no line end":      func(d *mimemsg.Draft) { d.Text, d.HTML = "one line", "<p>x</p>" },
		"boundary in text": func(d *mimemsg.Draft) { d.Text, d.HTML = "--=_alternative_00\n--\n", "<p>--=_x--</p>" },
		"subject umlauts":  func(d *mimemsg.Draft) { d.Subject = "Größe: 20 € – ok?" },
		"subject long":     func(d *mimemsg.Draft) { d.Subject = strings.TrimSpace(long) },
		"subject spaces":   func(d *mimemsg.Draft) { d.Subject = "a" + strings.Repeat(" ", 1200) + "b  c" },
		"subject one word": func(d *mimemsg.Draft) { d.Subject = strings.Repeat("x", 3000) },
		"subject looks encoded": func(d *mimemsg.Draft) {
			d.Subject = "=?utf-8?q?not=20decoded?= and =?utf-8?b?eA==?="
		},
		"subject tab":       func(d *mimemsg.Draft) { d.Subject = "a\tb" },
		"subject emoji":     func(d *mimemsg.Draft) { d.Subject = strings.Repeat("👩‍💻", 40) },
		"subject empty":     func(d *mimemsg.Draft) { d.Subject = "" },
		"name quoted":       func(d *mimemsg.Draft) { d.To[0].Name = `O'Hara, "Ada" \ Dr. (x)` },
		"name umlauts":      func(d *mimemsg.Draft) { d.To[0].Name = "Jörg Müller, Köln" },
		"name long":         func(d *mimemsg.Draft) { d.To[0].Name = strings.TrimSpace(strings.Repeat("Wolfeschlegel ", 60)) },
		"name is address":   func(d *mimemsg.Draft) { d.To[0].Name = "eve@example.org" },
		"name group":        func(d *mimemsg.Draft) { d.To[0].Name = "Team: a, b;" },
		"name encoded":      func(d *mimemsg.Draft) { d.To[0].Name = "=?utf-8?q?x?=" },
		"address dots":      func(d *mimemsg.Draft) { d.To[0].Addr = "a..da.@example.net" },
		"address plus":      func(d *mimemsg.Draft) { d.To[0] = provider.Address{Addr: "a+d/a=x'y!{z}@sub.example.net"} },
		"address underline": func(d *mimemsg.Draft) { d.To[0].Addr = "ada@my_host.example.net" },
		"many recipients": func(d *mimemsg.Draft) {
			for i := range 200 {
				d.Cc = append(d.Cc, provider.Address{Name: fmt.Sprintf("Person Nr. %d", i), Addr: fmt.Sprintf("p%d@example.org", i)})
			}
		},
		"reply": func(d *mimemsg.Draft) {
			d.Subject, d.InReplyTo = "Re: x", "<b@example.com>"
			for i := range 60 {
				d.References = append(d.References, fmt.Sprintf("<%d.%s@example.com>", i, strings.Repeat("r", 60)))
			}
		},
		"reply-to and sender": func(d *mimemsg.Draft) {
			d.Sender = &provider.Address{Name: "The Team", Addr: "team@example.com"}
			d.ReplyTo = []provider.Address{{Addr: "a@example.com"}, {Name: "B", Addr: "b@example.com"}}
		},
		"attachments": func(d *mimemsg.Draft) {
			d.HTML = `<img src="cid:logo@example.com">`
			d.Attachments = []mimemsg.File{
				{Name: "logo.png", ContentType: "image/png", Data: []byte{0, 1, 2, 0xff}, ContentID: "logo@example.com", Inline: true},
				{Name: "Lebenslauf Jörg “Müller”.pdf", ContentType: "application/pdf", Data: bytes.Repeat([]byte{'%', 0}, 5000)},
				{Name: `a "b"; c=d.txt`, ContentType: `text/plain; charset="iso-8859-1"`, Data: []byte("Gr\xfc\xdfe")},
				{Name: strings.Repeat("ü", 127), Data: nil},
			}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			d := draft()
			change(&d)
			raw := build(t, d)
			if again := build(t, d); !bytes.Equal(raw, again) {
				t.Error("the same draft has other bytes")
			}
			checkRead(t, d, raw)
		})
	}
}

// checkRead holds that what was built is read back.
func checkRead(t testing.TB, d mimemsg.Draft, raw []byte) {
	t.Helper()
	msg, err := mimemsg.Read(raw)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	env := msg.Envelope
	same := func(what string, got, want any) {
		t.Helper()
		if g, w := fmt.Sprintf("%q", got), fmt.Sprintf("%q", want); g != w {
			t.Errorf("%s: read %s, built %s", what, g, w)
		}
	}
	list := func(as ...provider.Address) []provider.Address {
		out := make([]provider.Address, len(as))
		for i, a := range as {
			out[i] = provider.Address{Name: strings.TrimSpace(a.Name), Addr: a.Addr}
		}
		return out
	}
	same("Message-ID", env.MessageID, d.MessageID)
	same("Subject", env.Subject, strings.TrimSpace(d.Subject))
	same("From", env.From, list(d.From))
	same("To", env.To, list(d.To...))
	same("Cc", env.Cc, list(d.Cc...))
	same("Reply-To", env.ReplyTo, list(d.ReplyTo...))
	if d.Sender != nil {
		same("Sender", env.Sender, list(*d.Sender))
	}
	if !env.Date.Equal(d.Date.Truncate(time.Second)) {
		t.Errorf("Date: read %v, built %v", env.Date, d.Date)
	}
	same("References", env.References, d.References)
	same("key", env.Header.Get(provider.KeyHeader), d.Key)
	norm := func(s string) string {
		if (d.Text == "" || d.HTML == "") && d.Attachments == nil && s != "" && !strings.HasSuffix(s, "\n") {
			s += "\n" // the mail's last line has an end
		}
		return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(strings.TrimPrefix(s, "\ufeff"))
	}
	same("text", msg.Text, norm(d.Text))
	same("HTML", msg.HTML, norm(d.HTML))
	if len(msg.Attachments) != len(d.Attachments) {
		t.Fatalf("read %d attachments, built %d", len(msg.Attachments), len(d.Attachments))
	}
	files := make(map[string]mimemsg.File) // the inline ones come first
	for _, f := range d.Attachments {
		files[f.Name] = f
	}
	for _, a := range msg.Attachments {
		f, found := files[a.Name]
		if !found {
			t.Errorf("a file %q that was not built", a.Name)
			continue
		}
		delete(files, a.Name)
		same("content id", a.ContentID, f.ContentID)
		if a.Size != int64(len(f.Data)) || a.Inline != f.Inline || f.ContentType != "" && !strings.HasPrefix(strings.ToLower(f.ContentType), a.ContentType) {
			t.Errorf("attachment %+v of file %q, %s, %d bytes", a, f.Name, f.ContentType, len(f.Data))
		}
		rc, err := mimemsg.OpenPart(raw, a.Part)
		if err != nil {
			t.Fatalf("open part %s: %v", a.Part, err)
		}
		data, err := io.ReadAll(rc)
		if err != nil || rc.Close() != nil || !bytes.Equal(data, f.Data) {
			t.Errorf("part %s has other bytes (%v)", a.Part, err)
		}
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		field  string
		change func(d *mimemsg.Draft)
	}{
		{"From", func(d *mimemsg.Draft) { d.From = provider.Address{} }},
		{"From", func(d *mimemsg.Draft) { d.From.Addr = "grace@example.com\r\nBcc: eve@example.org" }},
		{"From.Name", func(d *mimemsg.Draft) { d.From.Name = "Grace\nBcc: eve@example.org" }},
		{"Sender", func(d *mimemsg.Draft) { d.Sender = &provider.Address{Addr: "x"} }},
		{"To", func(d *mimemsg.Draft) { d.To = nil }},
		{"To[0]", func(d *mimemsg.Draft) { d.To[0].Addr = "ada" }},
		{"To[0]", func(d *mimemsg.Draft) { d.To[0].Addr = "ada@" }},
		{"To[0]", func(d *mimemsg.Draft) { d.To[0].Addr = "@example.com" }},
		{"To[0]", func(d *mimemsg.Draft) { d.To[0].Addr = "...@example.com" }},
		{"To[0]", func(d *mimemsg.Draft) { d.To[0].Addr = "a, b@example.com" }},
		{"To[0]", func(d *mimemsg.Draft) { d.To[0].Addr = "a@b@example.com" }},
		{"To[0]", func(d *mimemsg.Draft) { d.To[0].Addr = "ada@example.com>" }},
		{"To[0]", func(d *mimemsg.Draft) { d.To[0].Addr = "ada@exa mple.com" }},
		{"To[0]", func(d *mimemsg.Draft) { d.To[0].Addr = "jörg@example.com" }},
		{"To[0]", func(d *mimemsg.Draft) { d.To[0].Addr = "ada@ex\u2028ample.com" }},
		{"To[0]", func(d *mimemsg.Draft) { d.To[0].Addr = strings.Repeat("a", 999) + "@example.com" }},
		{"To[1].Name", func(d *mimemsg.Draft) {
			d.To = append(d.To, provider.Address{Name: "B\r\nX: y", Addr: "b@example.com"})
		}},
		{"Cc[0].Name", func(d *mimemsg.Draft) { d.Cc = []provider.Address{{Name: "a\x00", Addr: "b@example.com"}} }},
		{"Bcc[0]", func(d *mimemsg.Draft) { d.Bcc = []provider.Address{{Addr: "b@example.com\n"}} }},
		{"ReplyTo[0]", func(d *mimemsg.Draft) { d.ReplyTo = []provider.Address{{Addr: "b@example.com\r"}} }},
		{"Date", func(d *mimemsg.Draft) { d.Date = time.Time{} }},
		{"Date", func(d *mimemsg.Draft) { d.Date = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"Text", func(d *mimemsg.Draft) { d.Text = "" }},
		{"Text", func(d *mimemsg.Draft) { d.Text = "\xff" }},
		{"HTML", func(d *mimemsg.Draft) { d.HTML = "\xff" }},
		{"Subject", func(d *mimemsg.Draft) { d.Subject = "x\r\nBcc: eve@example.org" }},
		{"Subject", func(d *mimemsg.Draft) { d.Subject = "x\ry" }},
		{"Subject", func(d *mimemsg.Draft) { d.Subject = "x\x1by" }},
		{"Subject", func(d *mimemsg.Draft) { d.Subject = "\xff" }},
		{"MessageID", func(d *mimemsg.Draft) { d.MessageID = "" }},
		{"MessageID", func(d *mimemsg.Draft) { d.MessageID = "a@example.com" }},
		{"MessageID", func(d *mimemsg.Draft) { d.MessageID = "<a@b@example.com>" }},
		{"MessageID", func(d *mimemsg.Draft) { d.MessageID = "<a@localhost>" }},
		{"MessageID", func(d *mimemsg.Draft) { d.MessageID = "<a@example.com.>" }},
		{"MessageID", func(d *mimemsg.Draft) { d.MessageID = "<a b@example.com>" }},
		{"MessageID", func(d *mimemsg.Draft) { d.MessageID = "<@example.com>" }},
		{"MessageID", func(d *mimemsg.Draft) { d.MessageID = "<a@example.com>\r\nX: y" }},
		{"Key", func(d *mimemsg.Draft) { d.Key = "a b" }},
		{"Key", func(d *mimemsg.Draft) { d.Key = "a\r\nX: y" }},
		{"InReplyTo", func(d *mimemsg.Draft) { d.InReplyTo = "a" }},
		{"InReplyTo", func(d *mimemsg.Draft) { d.InReplyTo = "<a>\n" }},
		{"References[1]", func(d *mimemsg.Draft) { d.References = []string{"<a@b>", "<c>\r\nX: y"} }},
		{"Attachments[0].Name", func(d *mimemsg.Draft) { d.Attachments = []mimemsg.File{{Name: "a\r\nX: y"}} }},
		{"Attachments[0].Name", func(d *mimemsg.Draft) { d.Attachments = []mimemsg.File{{Name: "../a"}} }},
		{"Attachments[0].Name", func(d *mimemsg.Draft) { d.Attachments = []mimemsg.File{{Name: strings.Repeat("a", 256)}} }},
		{"Attachments[0].ContentID", func(d *mimemsg.Draft) { d.Attachments = []mimemsg.File{{ContentID: "a\r\nX: y"}} }},
		{"Attachments[0].ContentID", func(d *mimemsg.Draft) { d.Attachments = []mimemsg.File{{ContentID: "a> <b"}} }},
		{"Attachments[0].ContentType", func(d *mimemsg.Draft) { d.Attachments = []mimemsg.File{{ContentType: "a/b\r\nX: y"}} }},
		{"Attachments[0].ContentType", func(d *mimemsg.Draft) { d.Attachments = []mimemsg.File{{ContentType: "pdf"}} }},
		{"Attachments[0].ContentType", func(d *mimemsg.Draft) { d.Attachments = []mimemsg.File{{ContentType: "message/rfc822"}} }},
		{"Attachments[0].ContentType", func(d *mimemsg.Draft) { d.Attachments = []mimemsg.File{{ContentType: "multipart/mixed; boundary=x"}} }},
		{"Header", func(d *mimemsg.Draft) { d.Header = []mimemsg.Field{{Name: "", Value: "x"}} }},
		{"Header", func(d *mimemsg.Draft) { d.Header = []mimemsg.Field{{Name: "X-A: b\r\nX-B", Value: "x"}} }},
		{"Header", func(d *mimemsg.Draft) { d.Header = []mimemsg.Field{{Name: "Subject ", Value: "x"}} }},
		{"Header", func(d *mimemsg.Draft) { d.Header = []mimemsg.Field{{Name: strings.Repeat("X", 80), Value: "x"}} }},
		{"Header[X-Team]", func(d *mimemsg.Draft) {
			d.Header = []mimemsg.Field{{Name: "X-Team", Value: "a\r\nBcc: eve@example.org"}}
		}},
		{"Header[X-Team]", func(d *mimemsg.Draft) { d.Header = []mimemsg.Field{{Name: "X-Team", Value: strings.Repeat("a", 1000)}} }},
		{"Header[List-Unsubscribe]", func(d *mimemsg.Draft) {
			d.Header = []mimemsg.Field{{Name: "List-Unsubscribe", Value: "<https://exämple.com>"}}
		}},
	}
	for _, name := range []string{"bcc", "SUBJECT", "Sender", "From", "to", "Cc", "Date", "Reply-To", "In-Reply-To", "References", "Message-ID", "content-type", "Content-Foo", "mime-version", "Received", "DKIM-Signature", "Return-Path", "x-outreach-key", "ARC-Seal", "Resent-To"} {
		tests = append(tests, struct {
			field  string
			change func(d *mimemsg.Draft)
		}{"Header[" + name + "]", func(d *mimemsg.Draft) { d.Header = []mimemsg.Field{{Name: name, Value: "x"}} }})
	}
	for _, tt := range tests {
		d := draft()
		tt.change(&d)
		raw, err := mimemsg.Build(d)
		var fault *provider.FieldError
		if !errors.As(err, &fault) || fault.Field != tt.field || fault.Op != "mime: build" || fault.Problem == "" || raw != nil {
			t.Errorf("want a fault of %s, got %v", tt.field, err)
		}
	}
}

func TestHeaders(t *testing.T) {
	d := draft()
	d.Bcc = []provider.Address{{Addr: "boss@example.com"}}
	d.To[0].Addr = "ada@münchen.example"
	unsubscribe := "<mailto:leave@example.com?subject=" + strings.Repeat("x", 300) + ">, <https://example.com/leave>"
	d.Header = []mimemsg.Field{
		{Name: "X-Team", Value: "Büro Berlin"}, {Name: "x-team", Value: "two"},
		{Name: "List-Unsubscribe", Value: unsubscribe}, {Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"},
		{Name: "X-Empty", Value: " "},
	}
	raw := string(build(t, d))
	for _, want := range []string{
		"\r\nMessage-ID: <k3y@mail.example.com>\r\n", "\r\nDate: Mon, 02 Mar 2026 09:30:00 +0200\r\n"[2:], "\r\nMIME-Version: 1.0\r\n",
		"\r\nBcc: boss@example.com\r\n", "\r\nX-Outreach-Key: key-1\r\n", "\r\nX-Team: =?utf-8?q?B=C3=BCro_Berlin?=\r\n", "\r\nx-team: two\r\n",
		"\r\nList-Unsubscribe: " + unsubscribe + "\r\n", "\r\nTo: Ada <ada@xn--mnchen-3ya.example>\r\n",
		"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHello Ada,\r\n",
	} {
		if !strings.Contains(raw, want) {
			t.Errorf("%q is not in\n%s", want, raw)
		}
	}
	if strings.Contains(raw, "X-Empty") {
		t.Error("an empty header was written")
	}
	d.OmitBcc = true
	if raw := string(build(t, d)); strings.Contains(strings.ToLower(raw), "bcc:") || strings.Contains(raw, "boss@") {
		t.Error("Bcc was written")
	}
}

// TestShape holds that only the multiparts that are needed are there.
func TestShape(t *testing.T) {
	logo := mimemsg.File{Name: "l.png", ContentType: "image/png", Data: []byte("x"), ContentID: "l", Inline: true}
	pdf := mimemsg.File{Name: "a.pdf", ContentType: "application/pdf", Data: []byte("x")}
	tests := []struct {
		text, html string
		files      []mimemsg.File
		want       string
	}{
		{"t", "", nil, "text/plain"},
		{"", "h", nil, "text/html"},
		{"t", "h", nil, "multipart/alternative text/plain text/html"},
		{"t", "", []mimemsg.File{pdf}, "multipart/mixed text/plain application/pdf"},
		{"t", "", []mimemsg.File{logo}, "multipart/mixed text/plain image/png"},
		{"", "h", []mimemsg.File{logo}, "multipart/related text/html image/png"},
		{"t", "h", []mimemsg.File{pdf, logo}, "multipart/mixed multipart/alternative text/plain multipart/related text/html image/png application/pdf"},
	}
	for _, tt := range tests {
		d := draft()
		d.Text, d.HTML, d.Attachments = tt.text, tt.html, tt.files
		var types []string
		for line := range strings.SplitSeq(string(build(t, d)), "\r\n") {
			if v, ok := strings.CutPrefix(line, "Content-Type: "); ok {
				types = append(types, strings.TrimSuffix(strings.Fields(v)[0], ";"))
			}
		}
		if got := strings.Join(types, " "); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// TestLines holds that headers are folded where they can be, and that text
// takes the transfer encoding that is shorter.
func TestLines(t *testing.T) {
	d := draft()
	d.Subject = strings.Repeat("Grüße ", 60) + strings.Repeat("word ", 60)
	for i := range 30 {
		d.Cc = append(d.Cc, provider.Address{Name: fmt.Sprintf("Jörg Nr. %d", i), Addr: "joerg@example.org"})
		d.References = append(d.References, fmt.Sprintf("<%d@example.com>", i))
	}
	d.Attachments = []mimemsg.File{{Name: "a.txt", ContentType: "text/plain; charset=utf-8", Data: bytes.Repeat([]byte("x"), 999)}}
	for line := range strings.SplitSeq(string(build(t, d)), "\r\n") {
		if len(line) > 84 { // a field's name and one encoded word
			t.Errorf("a line of %d: %q", len(line), line)
		}
	}
	for text, want := range map[string]string{"Grüße aus Köln, wo das Wetter heute wieder einmal nicht so ist, wie es war": "quoted-printable", "こんにちは": "base64"} {
		d := draft()
		d.Text = text
		if raw := string(build(t, d)); !strings.Contains(raw, "Content-Transfer-Encoding: "+want+"\r\n") {
			t.Errorf("%s is not in %s", text, want)
		}
	}
}
