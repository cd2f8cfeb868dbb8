package quote

import (
	"strings"
	"unicode"
)

// How long a signature may be, in lines, below "-- " and below "--", which
// people also type as a line between paragraphs.
const (
	maxSignature     = 30
	maxLooseSigature = 14
)

// signatureAt returns the line of the delimiter of the signature that ends
// before end, or -1.
func signatureAt(lines []line, end, floor int) int {
	found, stop := -1, end
	for i := end - 1; i >= floor && i > end-2-maxSignature; i-- {
		l := lines[i]
		if l.depth > 0 || l.hint&hintSignature != 0 {
			break
		}
		exact := strings.TrimRight(l.raw, "\r\n") == "-- "
		if !exact && l.text != "--" && l.text != "—" && l.text != "- --" {
			continue
		}
		if !exact && (end-i-1 > maxLooseSigature || !signs(lines[i+1:stop])) {
			break
		}
		found, stop = i, i
	}
	if found >= 0 && (next(lines, 0) == found || typedFirst(lines, found+1, end)) {
		return -1 // with nothing above it, it is what was written
	}
	return found
}

// typedFirst reports whether the first line of lines[from:to] with text is
// written by hand.
func typedFirst(lines []line, from, to int) bool {
	i := next(lines, from)
	return i < to && speaks(lines[i].text)
}

// signs reports whether lines look like a signature: a name, an address, a
// number or a program's line is among the first of them, they begin with a
// short line, and none of them asks. Good and bad sides are parted by dashes
// too.
func signs(lines []line) bool {
	count, named := 0, false
	for start := 0; start < len(lines); {
		if lines[start].text == "" {
			start++
			continue
		}
		end := start
		for end < len(lines) && lines[end].text != "" {
			end++
		}
		if notice(lines[start:end]) {
			count, named = count+1, true
			start = end
			continue
		}
		for _, l := range lines[start:end] {
			count++
			reached := contact(l.text)
			named = named || reached || count <= 3 && nameLike(l.text)
			if !reached && (endsSentence(l.text) || count == 1 && len(l.text) > 90) || strings.HasSuffix(l.text, "?") || strings.HasSuffix(l.text, "？") {
				return false
			}
		}
		start = end
	}
	return named || count == 0 || count == 1 && brief(lines)
}

// brief reports whether the only line with text is of one or two words, and
// no number: a name in small letters.
func brief(lines []line) bool {
	l := lines[next(lines, 0)].text
	return strings.Count(l, " ") <= 1 && strings.IndexFunc(l, func(r rune) bool { return !unicode.IsLetter(r) && r != ' ' && r != '.' && r != '-' }) < 0
}

// nameLike reports whether a line may be a person's or a company's name: up to
// five words, all of them with a capital.
func nameLike(s string) bool {
	t := tokens(s)
	return len(t) > 0 && len(t) <= 5 && names(t, false) && !strings.HasSuffix(s, ":")
}

// contact reports whether a line says how its writer is reached, or is what a
// program or a gateway adds.
func contact(s string) bool {
	digits := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	low := strings.ToLower(s)
	return digits >= 7 || strings.Contains(s, "@") || strings.Contains(low, "http") || strings.Contains(low, "www.") || mobile(s) || speaksAsNotice(s)
}

func endsSentence(s string) bool {
	return strings.HasSuffix(s, "?") || strings.Count(s, " ") >= 4 && (strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, ":"))
}

// mobile reports whether a line is what a program adds below its user's
// words: "Sent from my iPhone", "Get Outlook for iOS".
func mobile(s string) bool {
	s = strings.Trim(s, "*_-–—()[] \t.!")
	if len(s) == 0 || len(s) > 200 {
		return false
	}
	if i := strings.IndexAny(s, "<("); i > 0 && strings.HasPrefix(clean(s[i+1:]), "http") {
		rest := ""
		if end := strings.IndexAny(s[i:], ">)"); end > 0 {
			rest = s[i+end+1:]
		}
		s = s[:i] + " " + rest // without the address of a link
	}
	w := words(s)
	if strings.Contains(w, " outlook") && (strings.Contains(w, "ios") || strings.Contains(w, "android")) && strings.Count(w, " ") <= 7 && len(w) < 60 {
		return true // "Get Outlook for iOS", in every language
	}
	for _, p := range sentPhrases {
		i := strings.Index(w, p.phrase)
		switch {
		case i < 0, p.first && i > 0, p.last && len(w)-i-len(p.phrase) > 1:
			continue
		}
		if p.also != nil && !anyIn(w, p.also) {
			continue
		}
		rest := w[i+len(p.phrase)-1:]
		if p.last {
			rest = w[:i+1]
		}
		if namesProgram(rest, p) {
			return !anyIn(w, subjectWords) || anyIn(w, excuses)
		}
	}
	return false
}

// namesProgram reports whether rest is a device or a program, with little
// beside it. After it may stand an excuse for its typing, not a sentence.
func namesProgram(rest string, p sentPhrase) bool {
	before := p.last
	at, size := -1, 0
	known := devices
	if p.app {
		known = apps
	}
	for _, d := range known {
		i := strings.Index(rest, d)
		if i < 0 || at >= 0 && i >= at || d[0] == ' ' && rest[i+len(d)] != ' ' {
			continue
		}
		at, size = i, len(d)
	}
	if at < 0 {
		return false
	}
	room := 3
	if before {
		room = 6
	}
	if strings.Count(clean(rest[:at]), " ") > room {
		return false
	}
	after := clean(rest[at+size:])
	if before || moreOfDevice(after) {
		return true
	}
	if strings.Contains(" "+after, " network") && strings.Count(after, " ") < 10 {
		return true // a carrier's name
	}
	return anyIn(" "+after+" ", excuses) && strings.Count(after, " ") < 14 && !anyIn(" "+after+" ", firstPerson)
}

// moreOfDevice reports whether the words after a device go on naming it:
// "Pro Max", "S21", "for Android". "The phone shop in Leeds" goes on.
func moreOfDevice(after string) bool {
	if strings.Count(after, " ") > 6 {
		return false
	}
	for word := range strings.FieldsSeq(after) {
		letters := strings.IndexFunc(word, unicode.IsLetter) >= 0 && strings.IndexFunc(word, unicode.IsDigit) < 0
		if letters && !deviceWords[word] && !isDevice(word) && len([]rune(word)) > 3 {
			return false
		}
	}
	return true
}

func isDevice(word string) bool {
	return anyIn(" "+word+" ", devices)
}

// noticeStart returns the first line of a paragraph that speaks as notices
// do: what a person wrote directly above one is not part of it.
func noticeStart(paragraph []line) int {
	for i, l := range paragraph {
		if speaksAsNotice(l.text) {
			return i
		}
	}
	return len(paragraph)
}

// noticeEnd is the first line after the last that speaks so.
func noticeEnd(paragraph []line) int {
	for i := len(paragraph); i > 0; i-- {
		if speaksAsNotice(paragraph[i-1].text) {
			return i
		}
	}
	return 0
}

func speaksAsNotice(s string) bool {
	if len(s) > 20 && strings.Trim(s, "_") == "" {
		return true
	}
	low := strings.ToLower(s)
	for _, g := range noticeGroups {
		if anyIn(low, g) {
			return true
		}
	}
	return anyIn(low, scannerSigns) || anyIn(low, bannerSigns)
}

// notice reports whether a paragraph is a legal notice, or what a scanner or
// gateway added.
func notice(paragraph []line) bool {
	if len(paragraph) == 0 {
		return false
	}
	var b strings.Builder
	for _, l := range paragraph {
		if b.Len() > 4000 {
			break
		}
		b.WriteString(l.text)
		b.WriteByte(' ')
	}
	text := b.String()
	low := strings.ToLower(text)
	if first := paragraph[0].text; len(first) > 20 && strings.Trim(first, "_") == "" && anyIn(low, listSigns) {
		return true
	}
	if len(text) < 400 && anyIn(low, scannerSigns) && !anyIn(words(text), personWords) {
		return true
	}
	if len(text) < 90 {
		return false
	}
	w := words(text)
	if speaksOfSelf(text, w) || strings.HasSuffix(clean(text), "?") {
		return false
	}
	groups := 0
	for _, g := range noticeGroups {
		if anyIn(low, g) {
			groups++
		}
	}
	if anyIn(low, noticeGroups[0]) || anyIn(low, errorSigns) {
		return groups >= 3 || groups == 2 && anyIn(low, noticeGroups[0])
	}
	return groups >= 4 && !anyIn(w, askingWords) // who asks the reader is a person
}

// speaksOfSelf reports whether a text has a word of the first person. The
// English one is a capital: "i" is a word of Italian notices.
func speaksOfSelf(text, w string) bool {
	if !anyIn(w, firstPerson) {
		return false
	}
	if anyIn(strings.ReplaceAll(w, " i ", " "), firstPerson) {
		return true
	}
	for _, t := range tokens(text) {
		if t == "I" {
			return true
		}
	}
	return false
}
