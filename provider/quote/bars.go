package quote

import (
	"strings"
	"unicode"
)

// How many lines with bars make a quoted passage: below an attribution, and
// without one.
const (
	minBars      = 2
	minBareBars  = 3
	minBarsWords = 4 // of a line of prose
)

// markBars reads "|" as a quote mark, as some programs write it, in runs of
// lines below an attribution, and in runs of prose that stand alone. Tables,
// pipes of a shell and code stay what they are.
func markBars(lines []line) {
	for i := 0; i < len(lines); i++ {
		if !barred(lines[i]) {
			continue
		}
		end := i + 1
		for end < len(lines) && barred(lines[end]) {
			end++
		}
		if barsQuote(lines, i, end) {
			for k := i; k < end; k++ {
				depth, rest := barMarks(lines[k].text)
				lines[k].depth, lines[k].text = depth, clean(rest)
			}
		}
		i = end - 1
	}
}

// barred reports whether a line begins with "| ", or is "|".
func barred(l line) bool {
	return l.depth == 0 && (l.text == "|" || strings.HasPrefix(l.text, "| ")) && (l.raw[0] == '|' || l.raw[0] == ' ')
}

// barMarks counts the bars at the start of a line, with the marks that may
// follow them, and returns the rest.
func barMarks(s string) (int, string) {
	depth := 0
	for strings.HasPrefix(s, "|") {
		depth++
		s = strings.TrimLeft(s[1:], " \t")
	}
	more, rest := marks(s)
	return depth + more, rest
}

// barsQuote reports whether the run of lines [start, end) is quoted.
func barsQuote(lines []line, start, end int) bool {
	if end-start < minBars || drawn(lines, end) {
		return false
	}
	text, inner, prose := 0, 0, 0
	for _, l := range lines[start:end] {
		_, rest := barMarks(l.text)
		if rest = clean(rest); rest == "" {
			continue
		}
		text++
		switch {
		case strings.HasSuffix(rest, "|"):
			return false // a row of a table
		case strings.Contains(rest, "|"):
			inner++
		case isProse(rest):
			prose++
		}
	}
	if text == 0 || inner*4 >= text {
		return false
	}
	above := start - 1
	for above >= 0 && above >= start-2 && lines[above].blank() {
		above--
	}
	if above >= 0 && lines[above].depth == 0 && lines[above].text != "" {
		if _, ok := attributionAt(lines, above); ok {
			return true
		}
		if _, ok := looseAt(lines, above); ok && prose > 0 {
			return true
		}
	}
	// Alone: it begins a paragraph, and nearly all of it is prose.
	return end-start >= minBareBars && inner == 0 && (start == 0 || above < start-1) && prose >= minBareBars && prose*3 >= text*2
}

// drawn reports whether line i is the edge of a table: "+----+", "|----|".
func drawn(lines []line, i int) bool {
	if i < 0 || i >= len(lines) || lines[i].text == "" {
		return false
	}
	t := strings.Trim(lines[i].text, "+-=_|: \u2500\u2502")
	return t == "" && strings.ContainsAny(lines[i].text, "+-=_")
}

// isProse reports whether a line reads as words and not as a command or code.
func isProse(s string) bool {
	n := 0
	for w := range strings.FieldsSeq(s) {
		if strings.HasPrefix(w, "-") && len(w) > 1 || strings.ContainsAny(w, "={}$\\`*;") {
			return false
		}
		if strings.IndexFunc(w, unicode.IsLetter) >= 0 {
			n++
		}
	}
	return n >= minBarsWords || n > 0 && len(s) > 12 && strings.IndexFunc(s, wide) >= 0
}

// wide reports whether r is of a script without spaces between words.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}
