package optout

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind says what was asked for.
type Kind string

// The kinds.
const (
	Unsubscribe Kind = "unsubscribe" // to be unsubscribed, or taken off a list
	Stop        Kind = "stop"        // no more mail, no more contact
	Erase       Kind = "erase"       // one's data deleted (GDPR, article 17, asks for more than to stop)
)

// Finding is a wish that was recognised.
type Finding struct {
	Kind     Kind
	Language string // BCP 47, of the phrase
	Sentence string // where it stands, as it was written; at most 300 bytes
}

// maxText is how much of a text is read, in bytes. Who wants to hear no more
// doesn't write longer.
const maxText = 20 << 10

// Find looks for a wish to get no more mail. Of several it returns the first,
// but one to have data deleted before all others.
func Find(text string) (Finding, bool) {
	if len(text) > maxText {
		text = text[:maxText]
	}
	var found Finding
	all := sentences(unquoted(text))
	for i, s := range all {
		n := normal(s)
		p, ok := match(n)
		if !ok && len(all) <= 4 && (i == 0 || i == len(all)-1 || len(all) <= 2) {
			p, ok = alone[strings.TrimSpace(n)]
		}
		if !ok || found.Kind != "" && p.kind != Erase {
			continue
		}
		found = Finding{Kind: p.kind, Language: p.language, Sentence: cut(strings.Join(strings.Fields(s), " "), 300)}
		if p.kind == Erase {
			break
		}
	}
	return found, found.Kind != ""
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// phrase is a request in some language.
type phrase struct {
	kind     Kind
	language string
	parts    []string // in this order, in one sentence
	inside   bool     // found also within words
}

// match looks for a phrase in a sentence in normal form.
func match(n string) (phrase, bool) {
	best := -1
	try := func(which []int, at int) {
		for _, k := range which {
			if best >= 0 && k >= best {
				break
			}
			if end := phrases[k].after(n, at); end >= 0 && !opposite(n[:at]) && !refused(n[:at]) && !limited(n[end:]) {
				best = k
			}
		}
	}
	for at := 0; at < len(n)-1; {
		length := strings.IndexByte(n[at+1:], ' ')
		if length < 0 {
			break
		}
		try(byFirst[n[at+1:at+1+length]], at)
		at += length + 1
	}
	if strings.ContainsFunc(n, unspaced) {
		for k, p := range phrases {
			if p.inside {
				if at := strings.Index(n, p.parts[0]); at >= 0 {
					try([]int{k}, at)
				}
			}
		}
	}
	if best < 0 {
		return phrase{}, false
	}
	return phrases[best], true
}

// unspaced reports whether r is of a script that this package reads without
// spaces between words.
func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// after returns where the phrase that begins at a place ends, or -1. A no
// between its parts makes it the opposite.
func (p phrase) after(n string, at int) int {
	if !strings.HasPrefix(n[at:], p.parts[0]) {
		return -1
	}
	for i, part := range p.parts {
		found := strings.Index(n[at:], part)
		if found < 0 || i > 0 && opposite(n[at:at+found]+" ") {
			return -1
		}
		at += found + len(part)
		if strings.HasSuffix(part, " ") {
			at-- // the space also begins the next word
		}
	}
	return at
}

// opposite reports whether the words before a phrase turn or report it.
func opposite(before string) bool {
	words := strings.Fields(ending(before, 200))
	if len(words) > 4 {
		words = words[len(words)-4:]
	}
	tail := " " + strings.Join(words, " ") + " "
	for _, w := range turning {
		if strings.Contains(tail, w) {
			return true
		}
	}
	return false
}

// refused reports whether the word right before a phrase turns it.
func refused(before string) bool {
	before = ending(before, 40) + " "
	for _, w := range refusals {
		if strings.HasSuffix(before, w) {
			return true
		}
	}
	for _, w := range refusalsInside {
		if strings.HasSuffix(strings.TrimRight(before, " "), w) {
			return true
		}
	}
	return false
}

// ending returns the last bytes of s.
func ending(s string, n int) string { return s[max(0, len(s)-n):] }

// limited reports whether the words after a phrase ask for less than to stop.
func limited(after string) bool {
	for _, w := range limits {
		if strings.Contains(after, w) {
			return true
		}
	}
	return false
}

// sentences cuts a text at its stops and at blank lines. Lines in a paragraph
// belong together, for mail programs break them, if the first of them is long
// or the second goes on in lower case.
func sentences(text string) []string {
	var out []string
	var b strings.Builder
	end := func() {
		if s := b.String(); strings.TrimSpace(normal(s)) != "" {
			out = append(out, s)
		}
		b.Reset()
	}
	short := false
	for line := range strings.Lines(text) {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if first, _ := utf8.DecodeRuneInString(line); short && !unicode.IsLower(first) {
			end()
		}
		if line == "" || strings.HasPrefix(strings.TrimLeft(line, " "), ">") {
			end()
			continue
		}
		for _, r := range line {
			b.WriteRune(r)
			if strings.ContainsRune(".!?;。！？；…", r) {
				end()
			}
		}
		short = len(line) < 50
		b.WriteByte(' ')
	}
	end()
	return out
}

// unquoted removes what stands in quotation marks on one line.
func unquoted(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		for _, q := range quotes {
			line = without(line, q[0], q[1])
		}
		out.WriteString(line)
	}
	return out.String()
}

// without puts "_" where a line has quoted words.
func without(line, begin, end string) string {
	if !strings.Contains(line, begin) {
		return line
	}
	var b strings.Builder
	for {
		i := strings.Index(line, begin)
		if i < 0 {
			break
		}
		j := strings.Index(line[i+len(begin):], end)
		if j < 0 {
			break
		}
		b.WriteString(line[:i])
		b.WriteString(" _ ")
		line = line[i+len(begin)+j+len(end):]
	}
	b.WriteString(line)
	return b.String()
}

// normal is the lower case words of s, with a space before and after each.
// Plain and typographic apostrophes are one.
func normal(s string) string {
	var b strings.Builder
	b.WriteByte(' ')
	space := true
	for _, r := range strings.ToLower(s) {
		switch {
		case r == '’' || r == '´' || r == '`':
			r = '\''
			fallthrough
		case r == '\'' && !space, unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), r == '_':
			b.WriteRune(r)
			space = false
		case !space:
			b.WriteByte(' ')
			space = true
		}
	}
	if !space {
		b.WriteByte(' ')
	}
	return b.String()
}
