package safehtml_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/outreachkit/outreach/provider/safehtml"
)

// visible is the words that a reader of a document sees.
func visible(t *testing.T, doc string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "title" && n.Parent.Data != "script" {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// TestClients holds that of what mail programs write every word is shown, in
// the same order, and nothing else stays.
func TestClients(t *testing.T) {
	p := safehtml.New(safehtml.Options{})
	n := 0
	for _, name := range []string{"html.txt", "clients_html.txt", "adversary_html.txt", "later_html.txt", "last_html.txt"} {
		data, err := os.ReadFile(filepath.Join("..", "quote", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for part := range strings.SplitSeq("\n"+string(data), "\n=== ") {
			body, _, ok := strings.Cut(part, "\n--- fresh")
			if !ok {
				continue
			}
			title, body, _ := strings.Cut(body, "\n")
			n++
			got := p.Sanitize(body)
			if have, want := visible(t, got), visible(t, body); have != want {
				t.Errorf("%s: shown is\n%s\nand what was written is\n%s", title, have, want)
			}
			if found := dangers(t, got, false); len(found) > 0 {
				t.Errorf("%s: %v stays", title, found)
			}
			for _, tag := range []string{"<blockquote", "<table", "<li", "<pre", "<br", "<a "} {
				if strings.Count(got, tag) != strings.Count(strings.ToLower(body), tag) {
					t.Errorf("%s: %d of %d %s> stay", title, strings.Count(got, tag), strings.Count(strings.ToLower(body), tag), tag)
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d bodies were looked at", n)
	}
}

// TestHostile holds that HTML made to hurt neither panics nor takes long.
func TestHostile(t *testing.T) {
	const many = 100_000
	p := safehtml.New(safehtml.Options{})
	for name, in := range map[string]string{
		"nested blockquotes":        strings.Repeat("<blockquote>x", many),
		"nested tables":             strings.Repeat("<table><tr><td>", many),
		"nested in what is skipped": strings.Repeat("<svg>", many) + "x",
		"unclosed tags":             strings.Repeat("<b><i><a href='x", many),
		"no text characters":        strings.Repeat("\x00<p\x00>\x00", many),
		"broken UTF-8":              strings.Repeat("\xff<p>\xc3(", many),
		"a style of a megabyte":     `<p style="` + strings.Repeat("color:red;", many) + `">x</p>`,
		"a number of a megabyte":    `<p style="margin:` + strings.Repeat("0 ", many) + `;border:` + strings.Repeat("a ", many) + `">x</p>`,
		"many styles":               strings.Repeat(`<p style="margin:0 0 0 0;color:red">x</p>`, many),
		"five megabytes of prose":   strings.Repeat("words and words ", 5<<20/16),
		"an unclosed comment":       "<!--" + strings.Repeat("x", 5<<20),
		"entities":                  strings.Repeat("&gt;&#0;&#x110000;&lt", many),
	} {
		took := time.Hour
		for try := 0; try < 3 && took > slow; try++ { // the machine may be busy
			start := time.Now()
			p.Sanitize(in)
			took = time.Since(start)
		}
		t.Logf("%s: %v", name, took.Round(time.Millisecond))
		if took > slow {
			t.Errorf("%s: %v", name, took)
		}
	}
}

// slow is how long hostile HTML may take. An idle machine needs less than a
// tenth of it.
const slow = 15 * time.Second
