package mimemsg_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// crlf writes a mail as it goes over the wire.
func crlf(lines ...string) []byte {
	return []byte(strings.Join(lines, "\r\n"))
}

func TestReadHeader(t *testing.T) {
	env := mimemsg.ReadHeader([]mimemsg.Field{
		{Name: "MESSAGE-ID", Value: " <a@example.com> "},
		{Name: "message-id", Value: "<second@example.com>"},
		{Name: "in-reply-to", Value: "Your mail of Monday <b@example.com>"},
		{Name: "References", Value: "<r1@example.com>\r\n <r2@exam\r\n ple.com> (comment)"},
		{Name: "references", Value: "<r1@example.com> <r3"},
		{Name: "From", Value: "=?utf-8?q?J=C3=B6rg?= <joerg@example.com>"},
		{Name: "From", Value: "eve@example.org"},
		{Name: "To", Value: "Team: a@example.com, \"B, C\" <b@example.com>;, c@example.com"},
		{Name: "to", Value: "d@example.com"},
		{Name: "Cc", Value: "undisclosed-recipients:;"},
		{Name: "subject", Value: "=?iso-8859-1?Q?Gr=FC?= =?iso-8859-1?Q?=DFe?=\r\n =?utf-8?b?4oKs?= x"},
		{Name: "Date", Value: "Mon, 2 Mar 2026 09:30:00 +0200 (EET)"},
		{Name: "Content-Type", Value: "Multipart/Report; REPORT-TYPE=\"Delivery-Status\"; boundary=x"},
		{Name: "auto-submitted", Value: "auto-replied"},
		{Name: "X-Outreach-Key", Value: "key-1"},
		{Name: "X-Other", Value: "not kept"},
		{Name: "Received", Value: "not kept"},
	})
	check := func(what string, got, want any) {
		t.Helper()
		if g, w := fmt.Sprintf("%q", got), fmt.Sprintf("%q", want); g != w {
			t.Errorf("%s: %s, want %s", what, g, w)
		}
	}
	check("Message-ID", env.MessageID, "<a@example.com>")
	check("In-Reply-To", env.InReplyTo, []string{"<b@example.com>"})
	check("References", env.References, []string{"<r1@example.com>", "<r2@example.com>"})
	check("From", env.From, []provider.Address{{Name: "Jörg", Addr: "joerg@example.com"}})
	check("To", env.To, []provider.Address{
		{Addr: "a@example.com"}, {Name: "B, C", Addr: "b@example.com"}, {Addr: "c@example.com"}, {Addr: "d@example.com"}})
	check("Cc", env.Cc, []provider.Address(nil))
	check("Subject", env.Subject, "Grüße€ x")
	check("Content-Type", env.ContentType, "multipart/report; report-type=delivery-status")
	check("Header", map[string][]string(env.Header), map[string][]string{"Auto-Submitted": {"auto-replied"}, "X-Outreach-Key": {"key-1"}})
	if !env.Date.Equal(time.Date(2026, 3, 2, 7, 30, 0, 0, time.UTC)) {
		t.Errorf("Date: %v", env.Date)
	}
}

func TestAddresses(t *testing.T) {
	a := func(name, addr string) provider.Address { return provider.Address{Name: name, Addr: addr} }
	for in, want := range map[string][]provider.Address{
		"":                                 nil,
		"nobody":                           nil,
		"<>":                               nil,
		"ada@example.com":                  {a("", "ada@example.com")},
		"<ada@example.com>":                {a("", "ada@example.com")},
		"ada@example.com,,;":               {a("", "ada@example.com")},
		"Ada <ada@example.com":             {a("Ada", "ada@example.com")},
		`"Ada" ada@example.com`:            {a("", "ada@example.com")},
		"Ada (at work) <ada@example.com>":  {a("Ada", "ada@example.com")},
		"ada@example.com (Ada, at work)":   {a("Ada, at work", "ada@example.com")},
		`"Ada \"A\" Ex" <ada@example.com>`: {a(`Ada "A" Ex`, "ada@example.com")},
		`"=?utf-8?q?J=C3=B6rg?=" <j@example.com>`:              {a("Jörg", "j@example.com")},
		"=?utf-8?q?a=2C_b?= <j@example.com>":                   {a("a, b", "j@example.com")},
		"=?utf-8?q?x=0D=0ABcc=3A_y?= <j@example.com>":          {a("x  Bcc: y", "j@example.com")},
		"eve@example.org <ada@example.com>":                    {a("eve@example.org", "ada@example.com")},
		`"eve@example.org" <ada@example.com>`:                  {a("eve@example.org", "ada@example.com")},
		"Dr. Ada Ex. <ada@example.com>, Bob <bob@example.com>": {a("Dr. Ada Ex.", "ada@example.com"), a("Bob", "bob@example.com")},
		"J\xf6rg <j@example.com>":                              {a("Jörg", "j@example.com")},
		"Jörg <j@exämple.com>":                                 {a("Jörg", "j@exämple.com")},
		"mailto:ada@example.com":                               {a("", "ada@example.com")},
		"<@relay.example.org:ada@example.com>":                 {a("", "ada@example.com")},
		`"Unclosed <ada@example.com>, bob@example.com`:         {a("Unclosed", "ada@example.com"), a("", "bob@example.com")},
		"Eve <eve@example.org> <ada@example.com>":              {a("Eve <eve@example.org>", "ada@example.com")},
		"a..b.@example.com":                                    {a("", "a..b.@example.com")},
		"=?x?q?a?= <a@example.com>":                            {a("a", "a@example.com")},
	} {
		env := mimemsg.ReadHeader([]mimemsg.Field{{Name: "From", Value: in}})
		if !slices.Equal(env.From, want) {
			t.Errorf("%q: %q, want %q", in, env.From, want)
		}
	}
}

func TestSubjects(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                                      "plain",
		"=?UTF-8?B?R3LDvMOfZQ==?=":                   "Grüße",
		"=?UTF-8?B?R3LDvMOfZQ?=":                     "Grüße",
		"=?utf-8?q?a_b=20c?= d =?utf-8?q?e?=":        "a b c d e",
		"=?utf-8?b?4oI=?= =?utf-8?b?rA==?=":          "€", // torn within a character
		"=?utf-8*de?q?Gr=C3=BC?=":                    "Grü",
		"=?iso-2022-jp?b?GyRCJF4kXyRgJGEkYhsoQg==?=": "まみむめも",
		"=?gb2312?b?xOO6ww==?=":                      "你好",
		"=?koi8-r?q?=F0=D2=C9=D7=C5=D4?=":            "Привет",
		"=?nonsense?q?abc?=":                         "abc",
		"=?utf-8?q?=ZZ=?=":                           "=ZZ=",
		"=?utf-8?x?abc?=":                            "=?utf-8?x?abc?=",
		"=?utf-8?q?never closed":                     "=?utf-8?q?never closed",
		"a =? b ?= c":                                "a =? b ?= c",
		"=?utf-8?q?Hello World?=":                    "Hello World",
		"=?utf-8?q?a=0D=0ABcc:_b?=":                  "a  Bcc: b",
		"=?utf-8?q?=00?=x":                           "x",
		"raw Gr\xc3\xbc\xc3\x9fe":                    "raw Grüße",
		"raw Gr\xfc\xdfe":                            "raw Grüße",
		"=?utf-8?q??=":                               "",
		"=?us-ascii?q?Gr=FC?=":                       "Grü",
		"=?utf-7?q?Gr+APwA3w-e?=":                    "Grüße",
	} {
		env := mimemsg.ReadHeader([]mimemsg.Field{{Name: "Subject", Value: in}})
		if env.Subject != want {
			t.Errorf("%q: %q, want %q", in, env.Subject, want)
		}
	}
}

func TestDates(t *testing.T) {
	at := time.Date(2026, 3, 2, 7, 30, 0, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"Mon, 02 Mar 2026 09:30:00 +0200":        at,
		"2 Mar 26 09:30 +0200":                   at,
		"Mon, 2 Mar 2026 07:30:00 GMT":           at,
		"Mon, 2 Mar 2026 07:30:00 UT":            at,
		"Mon, 2 Mar 2026 02:30:00 EST":           at,
		"Mon, 2 Mar 2026 08:30:00 CET":           at,
		"Mon, 2 Mar 2026 07:30:00":               at,
		"Mo, 2 Mar 2026 09:30:00 +0200":          at,
		"Mon, 2 Mar 2026 09:30:00 +0200 (a) (b)": at,
		"2026-03-02T09:30:00+02:00":              at,
		"2026-03-02 07:30:00":                    at,
		"Mon Mar  2 07:30:00 2026":               at,
		"":                                       {},
		"tomorrow":                               {},
		"Mon, 99 Mar 2026 09:30:00 +0200":        {},
		strings.Repeat("Mon, ", 1000):            {},
	} {
		env := mimemsg.ReadHeader([]mimemsg.Field{{Name: "Date", Value: in}})
		if !env.Date.Equal(want) {
			t.Errorf("%q: %v, want %v", in, env.Date, want)
		}
	}
}

// TestMalformed holds what is read of mails that are not as they should be.
func TestMalformed(t *testing.T) {
	const head = "From: ada@example.com\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
	tests := []struct {
		name       string
		raw        string
		text, html string
		files      string // part:name:size ...
		defect     bool
	}{
		{name: "no header", raw: "Just text.\r\n\r\nMore.", text: "Just text.\n\nMore.", defect: true},
		{name: "nothing", raw: ""},
		{name: "header alone", raw: head},
		{name: "bare LF", raw: "From: ada@example.com\nSubject: s\n\nHello\n", text: "Hello\n"},
		{name: "bare CR in text", raw: head + "\r\na\rb\r\n", text: "a\nb\n"},
		{name: "mailbox line", raw: "From ada@example.com Mon Mar  2 07:30:00 2026\r\n" + head + "\r\nHello", text: "Hello"},
		{name: "no empty line", raw: head + "This is the text.\r\n\r\nMore.", text: "This is the text.\n\nMore.", defect: true},
		{name: "bad line in header", raw: "From: ada@example.com\r\nbroken fold of a header\r\nContent-Type: text/html\r\n\r\n<p>", html: "<p>", defect: true},
		{name: "no charset, 8 bit", raw: head + "\r\nGr\xfc\xdfe", text: "Grüße", defect: true},
		{name: "no charset, UTF-8", raw: head + "\r\nGrüße", text: "Grüße"},
		{name: "wrong UTF-8", raw: head + "Content-Type: text/plain; charset=utf-8\r\n\r\nGr\xfc\xdfe", text: "Grüße", defect: true},
		{name: "unknown charset", raw: head + "Content-Type: text/plain; charset=klingon\r\n\r\nGrüße", text: "Grüße", defect: true},
		{name: "unknown charset, 8 bit", raw: head + "Content-Type: text/plain; charset=klingon\r\n\r\nGr\xfc\xdfe", text: "Grüße", defect: true},
		{name: "charset in the HTML", raw: head + "Content-Type: text/html\r\n\r\n<meta charset=\"koi8-r\">\xf0\xd2", html: "<meta charset=\"koi8-r\">Пр"},
		{name: "DOS charset", raw: head + "Content-Type: text/plain; charset=ibm850\r\n\r\nGr\x81\xe1e", text: "Grüße"},
		{name: "byte order mark", raw: head + "\r\n\xef\xbb\xbfHello", text: "Hello"},
		{name: "NUL", raw: head + "\r\nHel\x00lo", text: "Hello"},
		{name: "broken escapes", raw: head + "Content-Transfer-Encoding: quoted-printable\r\n\r\na=ZZb=3Dc =\r\nd=\r\n", text: "a=ZZb=c d", defect: true},
		{name: "lower case escapes", raw: head + "Content-Transfer-Encoding: Quoted-Printable\r\n\r\na=c3=bc  \r\nb", text: "aü\nb"},
		{name: "base64 cut off", raw: head + "Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8gV29yb", text: "Hello Wor", defect: true},
		{name: "base64 with rubbish", raw: head + "Content-Transfer-Encoding: base64\r\n\r\nSGVs\r\n!bG8g\r\nV29ybGQ=\r\n", text: "Hello World", defect: true},
		{name: "base64 in two", raw: head + "Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\nV29ybGQ=\r\n", text: "HelloWorld", defect: true},
		{name: "no base64 at all", raw: head + "Content-Transfer-Encoding: base64\r\n\r\nHello, this is plain.", text: "Hello, this is plain.", defect: true},
		{name: "unknown encoding", raw: head + "Content-Transfer-Encoding: x-odd\r\n\r\nHello", text: "Hello", defect: true},
		{name: "8-bit", raw: head + "Content-Transfer-Encoding: 8-bit\r\n\r\nHello", text: "Hello"},
		{name: "two encodings", raw: head + "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSGVsbG8=", text: "Hello"},
		{name: "bad type", raw: head + "Content-Type: text; charset=utf-8\r\n\r\nHello", text: "Hello"},
		{name: "nonsense type", raw: head + "Content-Type: ,;=\"\r\n\r\nHello", text: "Hello", defect: true},
		{name: "no boundary named", raw: head + "Content-Type: multipart/mixed\r\n\r\n--x1\r\n\r\nHello\r\n--x1\r\nContent-Disposition: attachment; filename=a\r\n\r\nabc\r\n--x1--\r\n", text: "Hello", files: "2:a:3", defect: true},
		{name: "wrong boundary", raw: head + "Content-Type: multipart/mixed; boundary=y\r\n\r\n--x1\r\n\r\nHello\r\n--x1--\r\n\r\n--x1\r\n", text: "Hello", defect: true},
		{name: "no boundary in the text", raw: head + "Content-Type: multipart/mixed; boundary=y\r\n\r\nHello", text: "Hello", defect: true},
		{name: "cut off", raw: head + "Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\nHello\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>He", text: "Hello", html: "<p>He", defect: true},
		{name: "inner not closed", raw: head + "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n--y\r\n\r\nHello\r\n--x\r\nContent-Disposition: attachment; filename=a\r\n\r\nabc\r\n--x--", text: "Hello", files: "2:a:3", defect: true},
		{name: "boundaries alike", raw: head + "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/alternative; boundary=x1\r\n\r\n--x1\r\n\r\nHello\r\n--x1--\r\n--x\r\nContent-Disposition: attachment; filename=a\r\n\r\nabc\r\n--x--", text: "Hello", files: "2:a:3"},
		{name: "same boundary inside", raw: head + "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\nHello\r\n--x--", text: "Hello", defect: true},
		{name: "unindented boundary", raw: head + "Content-Type: multipart/mixed;\r\nboundary=\"a:b\"\r\n\r\n--a:b\r\n\r\nHello\r\n--a:b--", text: "Hello", defect: true},
		{name: "unquoted boundary", raw: head + "Content-Type: multipart/mixed; boundary=----=_a:b?\r\n\r\n------=_a:b?\r\n\r\nHello\r\n------=_a:b?--", text: "Hello"},
		{name: "part without header", raw: head + "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nHello\r\n--x--", text: "Hello", defect: true},
		{name: "several texts", raw: head + "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nHello\r\n--x\r\nContent-Type: image/png\r\nContent-Disposition: inline; filename=a.png\r\n\r\nabc\r\n--x\r\n\r\nthere\r\n--x--", text: "Hello\nthere", files: "2:a.png:3"},
		{name: "several alternatives", raw: head + "Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\nHello\r\n--x\r\n\r\nthere\r\n--x\r\nContent-Type: text/calendar\r\n\r\nBEGIN\r\n--x--", text: "Hello", files: "2::5 3::5"},
		{name: "file names", raw: head + "Content-Type: multipart/mixed; boundary=x\r\n\r\n" +
			"--x\r\nContent-Type: application/pdf; name=my file.pdf\r\n\r\n1\r\n" +
			"--x\r\nContent-Disposition: attachment; filename=\"C:\\dir\\a.doc\"\r\n\r\n2\r\n" +
			"--x\r\nContent-Disposition: attachment; filename*=iso-8859-1'de'M%FCller.pdf\r\n\r\n3\r\n" +
			"--x\r\nContent-Disposition: attachment; filename*0*=utf-8''M%C3; filename*1*=%BCller; filename*2=\".pdf\"\r\n\r\n4\r\n" +
			"--x\r\nContent-Disposition: attachment; filename=\"=?utf-8?q?M=C3=BCller?=\"\r\n\r\n5\r\n" +
			"--x\r\nContent-Disposition: attachment; filename=\"../../etc/passwd\"\r\n\r\n6\r\n" +
			"--x\r\nContent-Disposition: attachment; filename=\"=?utf-8?q?..=2F..?=\"\r\n\r\n7\r\n" +
			"--x\r\nContent-Disposition: attachment; filename=\"M\xc3\xbcller\"; filename=\"b\"\r\n\r\n8\r\n--x--",
			files: "1:my file.pdf:1 2:a.doc:1 3:Müller.pdf:1 4:Müller.pdf:1 5:Müller:1 6:passwd:1 7::1 8:Müller:1", defect: true},
		{name: "named text alone", raw: head + "Content-Type: text/plain; name=mail.txt\r\n\r\nHello", text: "Hello"},
		{name: "attachment alone", raw: head + "Content-Type: application/pdf\r\n\r\nabc", files: "0::3"},
		{name: "mail in a mail", raw: head + "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nSee below.\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/report; boundary=y\r\n\r\n--y\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; a@example.com\r\n--y--\r\n--x--",
			text: "See below.", files: "2::153"},
		{name: "digest", raw: head + "Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\n\r\nSubject: a\r\n\r\nText\r\n--x--", files: "1::18"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			msg, err := mimemsg.Read([]byte(tt.raw))
			if msg.Text != tt.text || msg.HTML != tt.html {
				t.Errorf("text %q, HTML %q, want %q and %q", msg.Text, msg.HTML, tt.text, tt.html)
			}
			if (err != nil) != tt.defect || err != msg.Defect {
				t.Errorf("error %v, defect %v, want one: %t", err, msg.Defect, tt.defect)
			}
			if msg.Report != nil {
				t.Errorf("a report: %+v", msg.Report)
			}
			var files []string
			for _, a := range msg.Attachments {
				files = append(files, fmt.Sprintf("%s:%s:%d", a.Part, a.Name, a.Size))
				rc, err := mimemsg.OpenPart([]byte(tt.raw), a.Part)
				if err != nil {
					t.Fatal(err)
				}
				if data, err := io.ReadAll(rc); err != nil || int64(len(data)) != a.Size {
					t.Errorf("part %s has %d bytes (%v), not %d", a.Part, len(data), err, a.Size)
				}
			}
			if got := strings.Join(files, " "); got != tt.files {
				t.Errorf("files %q, want %q", got, tt.files)
			}
		})
	}
}
