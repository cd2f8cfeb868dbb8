package quote_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider/quote"
)

// properties checks what holds for every body.
func properties(t *testing.T, b quote.Body) {
	t.Helper()
	p := quote.Split(b)
	var joined strings.Builder
	kept := 0
	context := false
	for i, piece := range p.Pieces {
		joined.WriteString(piece.Text)
		switch piece.Kind {
		case quote.Written, quote.Context, quote.Quote, quote.Attribution, quote.Signature, quote.Disclaimer, quote.Forwarded:
		default:
			t.Fatalf("piece %d has the kind %q", i, piece.Kind)
		}
		if piece.Text == "" {
			t.Fatalf("piece %d is empty", i)
		}
		if i > 0 && p.Pieces[i-1].Kind == piece.Kind {
			t.Fatalf("pieces %d and %d are both %s", i-1, i, piece.Kind)
		}
		if i < len(p.Pieces)-1 && !strings.HasSuffix(piece.Text, "\n") {
			t.Fatalf("piece %d ends within a line", i)
		}
		context = context || piece.Kind == quote.Context
		if piece.Kind.Kept() {
			kept += len(piece.Text)
		}
	}
	if !p.HTML && joined.String() != b.Text {
		t.Fatalf("the pieces are not the text:\n%q\n%q", joined.String(), b.Text)
	}
	fresh := p.Fresh()
	if !p.HTML {
		have := make(map[string]bool)
		for l := range strings.SplitSeq(strings.ReplaceAll(b.Text, "\r\n", "\n"), "\n") {
			have[l] = true
		}
		for l := range strings.SplitSeq(fresh, "\n") {
			if !have[l] && fresh != "" {
				t.Fatalf("the line %q is not of the body", l)
			}
		}
	}
	if len(fresh) > kept {
		t.Fatalf("the fresh text is longer than what is kept")
	}
	if !context && p.Written() != fresh {
		t.Fatalf("without context the fresh text is what is written")
	}
	if len(quote.Fresh(fresh)) > len(fresh) {
		t.Fatalf("the fresh text of the fresh text is longer")
	}
}

// TestIdempotent holds that what is fresh stays fresh.
func TestIdempotent(t *testing.T) {
	for _, c := range samples(t, "text.txt") {
		if got := quote.Fresh(c.fresh); got != c.fresh {
			t.Errorf("%s: the fresh text of the fresh text is\n%s\nnot\n%s", c.name, got, c.fresh)
		}
	}
}

// TestProseStays deals anew what people wrote in all samples, without marks:
// nothing of it is folded.
func TestProseStays(t *testing.T) {
	var typed []string
	for _, file := range []string{"text.txt", "clients_text.txt", "clients_html.txt", "adversary_text.txt", "adversary_html.txt", "later_text.txt", "later_html.txt", "last_text.txt", "last_html.txt"} {
		for _, c := range samples(t, file) {
			if !strings.Contains(c.fresh, ">") && !strings.Contains(c.fresh, "|") {
				for _, l := range linesOf(c.fresh) {
					if l != "--" { // with a name below it, it begins a signature
						typed = append(typed, l)
					}
				}
			}
		}
	}
	allStay(t, typed)
}

// TestMixed deals lines of all cases anew, with CRLF and without.
func TestMixed(t *testing.T) {
	var lines []string
	for _, c := range samples(t, "text.txt") {
		lines = append(lines, strings.Split(c.body, "\n")...)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var b strings.Builder
		for range 1 + r.IntN(30) {
			at := r.IntN(len(lines))
			for _, l := range lines[at:min(len(lines), at+1+r.IntN(4))] {
				b.WriteString(l + []string{"\n", "\r\n"}[r.IntN(2)])
			}
		}
		properties(t, quote.Body{Text: b.String()})
	}
}

// TestTopPosted puts every answer above every history there is: the answer is
// all that stays.
func TestTopPosted(t *testing.T) {
	answers := []string{"Yes.", "Hi Maria,\n\nI need\n> 100 users\nfor that.\n\nOlga", "From: now on call me.", "One.\n\n-----\n\nTwo.", "Sent from our warehouse.\n\nBest\nOlga", "Date: Friday works for me.", "Nein danke, bitte keine weiteren Mails.", "はい、お願いします。"}
	n := 0
	for _, c := range append(append(samples(t, "text.txt"), samples(t, "clients_text.txt")...), samples(t, "later_text.txt")...) {
		if !strings.HasPrefix(c.body, c.fresh+"\n") || c.fresh == "" || strings.HasPrefix(c.name, "trap") || strings.HasPrefix(c.name, "inline") || c.name == "nothing to fold" {
			continue
		}
		n++
		for _, a := range answers {
			history := c.body[len(c.fresh):]
			if got := quote.Fresh(a + history); got != a {
				t.Errorf("%q above the history of %s: fresh is\n%s", a, c.name, got)
			}
			if got := quote.Fresh(a + "\n" + strings.TrimLeft(history, "\n ")); !strings.HasPrefix(got, a) {
				t.Errorf("%q directly above the history of %s: fresh is\n%s", a, c.name, got)
			}
		}
	}
	if n < 180 {
		t.Errorf("only %d histories were tried", n)
	}
}

// TestNothingTypedIsLost puts sentences of every sort above and below each
// other: without a program's marks all stay.
func TestNothingTypedIsLost(t *testing.T) {
	typed := []string{"From: now on call me at work.", "To: be sure, write to both.", "> 100 users", "Sent from our warehouse yesterday.", "-----", "***", "On Monday we met:", "You wrote:", "Tom wrote: yes.",
		"I sent it from my iPhone yesterday, did you get it?", "Subject: to change", "Date: 3 May", "-- and so on", "a@b.example wrote to me", "Gesendet habe ich es gestern.", "El lunes escribió mi jefe:", "Le 3 mai il a écrit une lettre.",
		"Am Montag schrieb ich dir.", "This is confidential, please delete it.", "* one", "- two", "1. three", "Best regards,", "Olga", "Re: your question", "Von: meinem Chef", "------ cut here ------", "Forwarded message: none", "<olga@example.net>:",
		"On Monday Anna wrote", "| a day | an hour |", "| sort", ": and so on", "Company number: 12345", "Sitz der Gesellschaft: Berlin"}
	allStay(t, typed)
	// A sentence that reads as an attribution stays as long as neither marks
	// nor an address follow.
	allStay(t, []string{"On 3 May 2024 Anna Berg wrote", "Am 3. Mai 2024 schrieb Anna Berg", "Le 3 mai 2024 Anna Berg a écrit", "3 мая 2024 г. Анна Берг написала", "2024/5/3 Anna Berg <anna@example.com>",
		"| a day | an hour |", "| sort", "From: now on call me at work.", "-----", "Best regards,", "Olga", "* one", "Sent from our warehouse yesterday.", "that five people are needed."})
}

// allStay deals texts of such lines and holds that nothing of them is folded.
func allStay(t *testing.T, typed []string) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		var lines []string
		for range 1 + r.IntN(8) {
			l := typed[r.IntN(len(typed))]
			lines = append(lines, l)
			if r.IntN(2) == 0 {
				lines = append(lines, "")
			}
		}
		text := strings.TrimRight(strings.Join(lines, "\n"), "\n")
		if got := quote.Fresh(text); got != strings.TrimLeft(text, "\n") {
			t.Fatalf("of\n%s\n\nthis is left:\n%s", text, got)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, c := range samples(f, "text.txt") {
		f.Add(c.body, "")
	}
	for _, c := range samples(f, "html.txt") {
		f.Add("", c.body)
		f.Add("text", c.body)
	}
	f.Add("\xff\xfe> \xf0\n--\n>\x00", "<blockquote><p>\xff<td></blockquote></x>")
	f.Fuzz(func(t *testing.T, text, html string) {
		properties(t, quote.Body{Text: text, HTML: html})
	})
}

// TestLinear holds that mail made to cost much costs little: each of these
// takes milliseconds, and minutes where work is squared.
func TestLinear(t *testing.T) {
	split := func(s string, b quote.Body) {
		start := time.Now()
		quote.Split(b)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%q over and over: %v", s, took)
		}
	}
	for _, s := range []string{"> ", ">\n", "--\n", "-----\n", "On Mon, 1 Jan 2024 at 10:00 x <a@b.example> wrote:\n", "From: a@b\n", "From: a@b\nSubject: x\n\n", "x:\n", "_____\n\n", "Sent from my iPhone\n", "> x\n\n", "confidential intended recipient delete \n", "| some words of prose here\n", "|\n", "| a | b\n\n", "On 3 May 2024 Anna Berg wrote\n> x\n", "On 3 May 2024 Anna Berg wrote\n", "Company number: 1\n\n", "| | | | | | | | "} {
		split(s, quote.Body{Text: strings.Repeat(s, 1<<18/len(s))})
	}
	for _, s := range []string{"<div>", "<blockquote>", "<p>", "</div>", "<b><i>", "<blockquote type=cite>x", "<div class=gmail_signature>x", "<x></y>", "<table><tr><td>", "<br>", "&nbsp;", "<hr>"} {
		split(s, quote.Body{HTML: strings.Repeat(s, 1<<18/len(s))})
	}
}

func BenchmarkSplit(b *testing.B) {
	for _, size := range []int{1, 10, 100} {
		body := "Yes, Thursday.\n\nOn Tue, Nov 10, 2026 at 9:14 AM Maria Silva <maria.silva@example.com> wrote:\n" + strings.Repeat("> some words of what was written before, and more of them\n", size*17)
		b.Run(fmt.Sprintf("text/%dkB", size), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				quote.Split(quote.Body{Text: body})
			}
		})
	}
	h := `<div dir="ltr">Yes, Thursday.</div><div class="gmail_quote"><div class="gmail_attr">On Tue, Nov 10, 2026 at 9:14 AM Maria &lt;m@example.com&gt; wrote:<br></div><blockquote class="gmail_quote">` + strings.Repeat("<p>some <b>words</b> of what was written before</p>", 200) + `</blockquote></div>`
	b.Run("html/10kB", func(b *testing.B) {
		b.SetBytes(int64(len(h)))
		b.ReportAllocs()
		for b.Loop() {
			quote.Split(quote.Body{HTML: h})
		}
	})
}
