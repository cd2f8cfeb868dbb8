package mimemsg_test

import (
	"strings"
	"testing"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// fullDraft is a mail of a recruiter: 5 kB of text and as much HTML.
func fullDraft() mimemsg.Draft {
	d := draft()
	d.Subject = "Re: Eine Stelle in Köln"
	d.To = append(d.To, provider.Address{Name: "Jörg Müller", Addr: "joerg@example.org"})
	d.InReplyTo, d.References = "<a@example.com>", []string{"<a@example.com>"}
	d.Header = []mimemsg.Field{{Name: "List-Unsubscribe", Value: "<https://example.com/leave?id=123>"}}
	d.Text = strings.Repeat("Guten Tag Frau Müller, hätten Sie in dieser Woche Zeit für ein Gespräch?\n", 66)
	d.HTML = strings.Repeat("<p>Guten Tag Frau Müller, hätten Sie <b>Zeit</b> für ein Gespräch?</p>\n", 66)
	return d
}

func BenchmarkBuild(b *testing.B) {
	d := fullDraft()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mimemsg.Build(d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	raw, err := mimemsg.Build(fullDraft())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := mimemsg.Read(raw); err != nil {
			b.Fatal(err)
		}
	}
}
