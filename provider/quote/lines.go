package quote

import (
	"strings"
	"unicode"
)

// maxMark is the longest line, in bytes, that is looked at as an attribution,
// a header line or a signature. What is longer is prose.
const maxMark = 400

// maxLines is how many lines are looked at. What is below them stands in one
// more and is kept: nobody writes as much, and lines cost memory.
const maxLines = 200_000

// line is one line of a body.
type line struct {
	raw   string // as it stands, with its line end
	text  string // without quote marks and surrounding space
	depth int    // how often it is quoted
	hint  hint   // what the HTML says of it
}

// hint is what a mail program's HTML marks a line as.
type hint uint8

const (
	hintCited       hint = 1 << iota // quoted by the program, not by the author
	hintHistory                      // in a container of nothing but history
	hintSignature                    // in the program's signature
	hintAttribution                  // in the program's line above what it quotes
	hintCut                          // all from here on is history
	hintContained                    // in a container of what is below the cut
	hintRed                          // most of it is written in red
)

func (l line) blank() bool { return l.depth == 0 && l.text == "" }

// textLines cuts a plain text into lines.
func textLines(text string) []line {
	var lines []line
	for len(text) > 0 {
		raw := text
		if i := strings.IndexByte(text, '\n'); i >= 0 && len(lines) < maxLines {
			raw = text[:i+1]
		}
		text = text[len(raw):]
		depth, rest := marks(raw)
		l := line{raw: raw, text: clean(rest), depth: depth}
		if n := len(lines); n > 0 && depth > lines[n-1].depth && opensAddress(lines[n-1].text) && len(l.text) < 80 && endsAttribution(l.text) {
			// The > closes an address that was broken over two lines.
			l.depth, l.text = lines[n-1].depth, ">"+l.text
		}
		lines = append(lines, l)
	}
	markBars(lines)
	return lines
}

// opensAddress reports whether s ends in an address whose < is not closed.
func opensAddress(s string) bool {
	i := strings.LastIndexByte(s, '<')
	return i >= 0 && strings.Contains(s[i:], "@") && !strings.ContainsAny(s[i:], "> ")
}

// marks counts the quote marks at the start of a line and returns the rest.
func marks(s string) (int, string) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '>':
			depth++
			s, i = s[i+1:], -1
		case ' ', '\t':
			if depth == 0 && i > 2 {
				return depth, s
			}
		default:
			return depth, s
		}
	}
	return depth, s
}

// clean removes the space around s, the invisible characters that mail
// programs add included.
func clean(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r == 0xfeff
	})
}

// plain removes the marks of bold and of lists around a line's text.
func plain(s string) string {
	return clean(strings.Trim(s, "*_•- \t"))
}

// words is the lower case words of s in order, with a space before and after
// each, so that " word " is found by strings.Contains.
func words(s string) string {
	var b strings.Builder
	b.WriteByte(' ')
	space := true
	for _, r := range strings.ToLower(s) {
		// Apostrophes stay in words, in their plain form.
		if r == '’' {
			r = '\''
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '\'' && !space {
			b.WriteRune(r)
			space = false
		} else if !space {
			b.WriteByte(' ')
			space = true
		}
	}
	if !space {
		b.WriteByte(' ')
	}
	return b.String()
}

// anyIn reports whether s contains one of the phrases.
func anyIn(s string, phrases []string) bool {
	for _, p := range phrases {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
