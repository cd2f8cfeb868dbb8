package quote

import "strings"

// postscripts begin what is written below a signature.
var postscripts = []string{"ps", "p.s", "pps", "p.p.s", "p-s", "nb:", "n.b", "n.b.", "пс:", "p.d", "pd:", "posdata", "postscript", "ach ja", "edit:", "зы", "з.ы", "附:", "又及", "追伸", "추신"}

// selfWords are the first person where it speaks. "Book a meeting with me" is
// a line of signatures.
var selfWords = spaced("i|i'm|i'd|i'll|i've|we'll|ich|j'ai|je|yo|eu|я|мой|jag|jeg|ik|minä|please|bitte|s'il te plaît|s'il vous plaît|por favor|per favore|alsjeblieft|alstublieft|пожалуйста|proszę|prosím")

// subjectWords are who did something. A program's line is not of the first
// person.
var subjectWords = spaced("i|i've|we|ich|wir|habe|haben|j'ai|je|yo|io|ho|eu|я|мы|jag|jeg|ik|minä")

// speaks reports whether a line below a signature is written by hand.
func speaks(s string) bool {
	low := strings.ToLower(s)
	for _, p := range postscripts {
		if rest, ok := strings.CutPrefix(low, p); ok && (strings.ContainsAny(p, ":附又追추") || rest == "" || strings.ContainsAny(rest[:1], ".: ,-–")) {
			return true
		}
	}
	if speaksAsNotice(s) || mobile(s) {
		return false
	}
	if (strings.HasSuffix(s, "?") || strings.HasSuffix(s, "？")) && !strings.Contains(s, "http") {
		return true
	}
	w := words(s)
	return anyIn(w, selfWords) && strings.Count(w, " ") > 3 && (!strings.Contains(w, " i ") || speaksOfSelf(s, w))
}

// afterthought finds what the author wrote below the signature that begins at
// line at: lines[from:to], which is empty if there is nothing. A legal notice
// is none, and neither is a signature's first paragraph.
func afterthought(lines []line, at, end int) (from, to int) {
	from, to = end, end
	for i := at + 1; i < end; {
		if lines[i].text == "" {
			i++
			continue
		}
		stop := i
		for stop < end && lines[stop].text != "" {
			stop++
		}
		if i > at+1 && lines[i-1].text == "" && !notice(lines[i:stop]) && anySpeaks(lines[i:stop]) {
			from, to = min(from, i), stop
		}
		i = stop
	}
	if from == end {
		return end, end
	}
	return from, to
}

func anySpeaks(paragraph []line) bool {
	for _, l := range paragraph {
		if speaks(l.text) {
			return true
		}
	}
	return false
}

// typedInto takes back the marks of a signature from line i on as long as it
// begins with a sentence: whoever clicks into it writes there.
func (s *splitter) typedInto(i int) {
	for ; i < len(s.lines); i++ {
		if s.lines[i].hint&hintSignature == 0 || i > 0 && s.lines[i-1].hint&hintSignature != 0 {
			continue
		}
		n := i
		for n < len(s.lines) && s.lines[n].hint&hintSignature != 0 && (s.lines[n].text == "" || s.lines[n].text == "--") {
			n++
		}
		if n < len(s.lines) && endsSentence(s.lines[n].text) && !contact(s.lines[n].text) {
			for ; n < len(s.lines) && s.lines[n].hint&hintSignature != 0 && s.lines[n].text != ""; n++ {
				s.lines[n].hint &^= hintSignature
			}
		}
		i = max(i, n-1)
	}
}

// unsign corrects the marks of signatures. They are taken back where nothing
// stands above them, and from a line on that is written by hand: a program's
// signature ends nowhere that the author would see. The delimiter above one
// belongs to it, and so does a phone's line above all that is written.
func (s *splitter) unsign() {
	first := next(s.lines, 0)
	i := first
	for i < len(s.lines) && (s.lines[i].hint&hintSignature != 0 || s.lines[i].blank()) {
		s.lines[i].hint &^= hintSignature
		i++
	}
	s.typedInto(i)
	above := -1 // the last line with text
	for ; i < len(s.lines); i++ {
		l := s.lines[i]
		if l.hint&hintSignature == 0 {
			if l.text != "" {
				above = i
			}
			continue
		}
		if above > first && (s.lines[above].text == "--" || s.lines[above].text == "—") && s.lines[above].depth == 0 {
			s.lines[above].hint |= hintSignature
		}
		above = -1
		if !speaks(l.text) {
			continue
		}
		for i < len(s.lines) && s.lines[i].hint&hintSignature != 0 && s.lines[i].text != "" && !speaksAsNotice(s.lines[i].text) {
			s.lines[i].hint &^= hintSignature
			i++
		}
		i--
	}
	if first+1 < len(s.lines) && s.lines[first].depth == 0 && s.lines[first+1].text == "" && mobile(s.lines[first].text) && next(s.lines, first+1) < len(s.lines) {
		s.lines[first].hint |= hintSignature
	}
}
