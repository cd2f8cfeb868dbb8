package quote_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider/quote"
)

// TestHostile holds that mail made to hurt neither panics nor takes long.
func TestHostile(t *testing.T) {
	const many = 100_000
	r := rand.New(rand.NewPCG(5, 6))
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	five := 5 << 20
	for name, b := range map[string]quote.Body{
		"five megabytes of prose":           {Text: strings.Repeat("I am interested, and this is what I have to say about it.\n", five/58)},
		"five megabytes of quotation":       {Text: "Yes.\n\nOn Tue, 10 Nov 2026 at 09:14, T <t@a.example> wrote:\n" + strings.Repeat("> what was said before, and some more of it\n", five/44)},
		"five megabytes on one line":        {Text: strings.Repeat("word ", five/5)},
		"five megabytes of marks":           {Text: strings.Repeat(">", five)},
		"five megabytes without spaces":     {Text: strings.Repeat("a", five)},
		"five megabytes of answers":         {Text: "On Tue, 10 Nov 2026 at 09:14, T <t@a.example> wrote:\n" + strings.Repeat("> question, which is not so short?\nanswer\n\n", five/42)},
		"announced answers":                 {Text: "See my answers below in red.\n\nFrom: T <t@a.example>\nSent: 10 Nov 2026 09:14\nTo: P\nSubject: S\n\n" + strings.Repeat("On Tue, 10 Nov 2026 at 09:14, T <t@a.example> wrote:\n", five/60)},
		"signatures in signatures":          {Text: "Yes.\n" + strings.Repeat("-- \nAnna Berg\n\nI said it.\n\n", many)},
		"headers in headers":                {Text: strings.Repeat("From: a@b.example\nTo: c\n", many)},
		"line ends":                         {Text: strings.Repeat("\n", five)},
		"carriage returns":                  {Text: strings.Repeat("\r", five)},
		"no text characters":                {Text: strings.Repeat("\x00\n", many), HTML: strings.Repeat("\x00<p>\x00", many)},
		"noise":                             {Text: string(noise), HTML: string(noise)},
		"broken UTF-8":                      {Text: strings.Repeat("\xff\xfe> \xc3\x28\n", many), HTML: strings.Repeat("\xff<p>\xc3(", many)},
		"nested blockquotes":                {HTML: strings.Repeat("<blockquote type=cite>x", many)},
		"nested blockquotes, closed":        {HTML: "Yes" + strings.Repeat("<blockquote>", many) + "x" + strings.Repeat("</blockquote>", many)},
		"nested divs":                       {HTML: strings.Repeat("<div class=gmail_quote>", many) + "x"},
		"nested divs, closed":               {HTML: strings.Repeat("<div>x", many) + strings.Repeat("</div>", many)},
		"nested signatures":                 {HTML: "x" + strings.Repeat("<div class=gmail_signature>Is it? ", many)},
		"nested tables":                     {HTML: strings.Repeat("<table><tr><td>x", many)},
		"unclosed tags":                     {HTML: strings.Repeat("<b><i><p><a href='x", many)},
		"an unclosed comment":               {HTML: "Yes<!--" + strings.Repeat("x", five)},
		"an unclosed tag of five megabytes": {HTML: "<div " + strings.Repeat("a=b ", five/4)},
		"a text of attributes":              {HTML: strings.Repeat("<p id="+strings.Repeat("x ", 20)+">", many)},
		"entities":                          {HTML: strings.Repeat("&gt;&nbsp;&#0;&#x110000;&lt", many)},
		"cuts":                              {HTML: strings.Repeat("<div id=divRplyFwdMsg>x</div><div id=appendonsend><hr>", many)},
		"five megabytes of paragraphs":      {HTML: strings.Repeat("<p>some words</p>\n", five/18)},
	} {
		var p quote.Parts
		took := time.Hour
		for try := 0; try < 3 && took > slow; try++ { // the machine may be busy
			start := time.Now()
			p = quote.Split(b)
			took = time.Since(start)
		}
		t.Logf("%s: %v", name, took.Round(time.Millisecond))
		if took > slow {
			t.Errorf("%s: %v", name, took)
		}
		if !p.HTML && b.HTML == "" {
			var whole strings.Builder
			for _, piece := range p.Pieces {
				whole.WriteString(piece.Text)
			}
			if whole.String() != b.Text {
				t.Errorf("%s: the pieces are not the text", name)
			}
		}
	}
}

// slow is how long a hostile mail may take. An idle machine needs less than a
// tenth of it.
const slow = 10 * time.Second

// TestLinearGrowth holds that ten times the mail takes no more than thirty
// times as long.
func TestLinearGrowth(t *testing.T) {
	if testing.Short() {
		t.Skip("it measures time")
	}
	for _, s := range []string{"> question?\nanswer\n\n", "-- \nAnna Berg\n\nI said it.\n\n", "On 3 May 2024 at 10:30 Anna Berg wrote:\nyes\n", "see my answers below\n", "From: a@b.example\nSent: 10 Nov 2026 09:14\n\n", "--\nAnna Berg\n", "Is it?\n\n"} {
		measure := func(n int) time.Duration {
			b := quote.Body{Text: strings.Repeat(s, n)}
			best := time.Hour
			for range 3 {
				start := time.Now()
				quote.Split(b)
				best = min(best, time.Since(start))
			}
			return best
		}
		small, large := measure(2_000), measure(20_000)
		if large > 30*small && large > time.Second {
			t.Errorf("%q: %v, and ten times as much takes %v", s, small, large)
		}
	}
}
