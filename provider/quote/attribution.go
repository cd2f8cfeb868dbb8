package quote

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	yearIn      = regexp.MustCompile(`(?:^|[^\d])(?:19[89]|20\d)\d(?:[^\d]|$)`)
	timeIn      = regexp.MustCompile(`(?:^|[^\d])[012]?\d\s?[:.hH時时시]\s?[0-5]\d`)
	dateIn      = regexp.MustCompile(`(?:^|[^\d])\d{1,2}\s?[./-]\s?\d{1,2}(?:\s?[./-]\s?\d{2,4})?(?:[^\d]|$)`)
	dayIn       = regexp.MustCompile(`\p{L}[\p{L}.]*\s\d{1,2}\b|\b\d{1,2}\.?\s(?:de\s)?\p{L}`)
	angleAtEnd  = regexp.MustCompile(`[<(\[][^<>()\[\]\s]+@[^<>()\[\]\s]+\s*[>)\]]+$`)
	angleAt     = regexp.MustCompile(`[<(\[](?:mailto:)?[^<>()\[\]\s]+@`)
	namedWriter = regexp.MustCompile(`^(?:\p{Lu}[\p{L}.'-]+,?\s){2,4}(?:wrote|writes|schrieb|skrev|schreef|scrisse)\s?[:：]$`)
)

// attribution is a line, or a few broken ones, that says who wrote what
// follows.
type attribution struct {
	start, end int  // lines[start:end]
	sure       bool // even without quote marks below it
}

// attributionAt looks for an attribution whose last line is i. Mail programs
// break long ones, by a width or before an address, over up to four lines.
func attributionAt(lines []line, i int) (attribution, bool) {
	if !endsAttribution(lines[i].text) {
		return attribution{}, false
	}
	joined := ""
	for start := i; start >= 0 && start > i-4; start-- {
		l := lines[start]
		if l.depth != lines[i].depth || l.text == "" || len(l.text) > maxMark {
			break
		}
		joined = join(l.text, joined)
		if start == i && namedWriter.MatchString(plain(l.text)) {
			return attribution{start: i, end: i + 1}, true
		}
		ok, sure, opened := attributes(joined)
		if !ok {
			continue
		}
		// The first line of a broken attribution has its opening word.
		for up := start - 1; up >= 0 && up > i-4 && (!opened || strings.HasSuffix(lines[up].text, ",")); up-- {
			if lines[up].depth != lines[i].depth || lines[up].text == "" || len(lines[up].text) > maxMark {
				break
			}
			if joined = join(lines[up].text, joined); opens(strings.ToLower(plain(lines[up].text))) && strings.ContainsAny(lines[up].text, "0123456789") {
				if ok, s, _ := attributes(joined); ok {
					start, sure, opened = up, s, true
				}
			}
		}
		return attribution{start: start, end: i + 1, sure: sure}, true
	}
	return attribution{}, false
}

// join undoes a line break. One beside an address's < or > had no space.
func join(a, b string) string {
	if strings.HasSuffix(a, "<") || strings.HasPrefix(b, ">") {
		return a + b
	}
	return clean(a + " " + b)
}

// endsAttribution is the cheap test: nearly every program ends with a colon.
func endsAttribution(s string) bool {
	if len(s) > maxMark {
		return false
	}
	s = strings.TrimRight(s, "*_ \u00a0")
	return strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：") || strings.HasSuffix(s, "--") && strings.HasPrefix(s, "--") && len(s) > 20
}

// attributes judges the joined lines: whether they may be an attribution at
// all, whether they are one beyond doubt, and whether they begin as one.
func attributes(s string) (ok, sure, opened bool) {
	if !strings.ContainsAny(s, "@0123456789") {
		return false, false, false
	}
	s = clean(strings.TrimRight(plain(s), ":： *_-"))
	low := strings.ToLower(s)
	w := words(low)
	verb := anyIn(w, writingWords) || anyIn(low, writingSigns)
	year, clock := yearIn.MatchString(low), timeIn.MatchString(low)
	date := year || dateIn.MatchString(low)
	when := date || clock || dayIn.MatchString(low)
	address := strings.Contains(low, "@") && angleAt.MatchString(low)
	last := angleAtEnd.MatchString(low)
	opened = opens(low)
	switch {
	case verb && opened && date && (address || clock && endsWithVerb(w, low)),
		verb && address && when && clock && endsWithVerb(w, low),
		last && date && clock:
		return true, !anyIn(" "+w, personWords), opened
	case verb && when && (opened || address), verb && address, last && when:
		return true, false, opened
	}
	return false, false, opened
}

// opens reports whether s begins as attributions do: with "on" in some
// language, a day of the week, or a date.
func opens(low string) bool {
	r, _ := utf8.DecodeRuneInString(low)
	if unicode.IsDigit(r) {
		return true
	}
	if anyPrefix(low, openingSigns) {
		return true
	}
	first, _, _ := strings.Cut(low, " ")
	first = strings.TrimRight(first, ".,")
	return openingWords[first]
}

func anyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// endsWithVerb reports whether the verb of writing is among the last words.
func endsWithVerb(w, low string) bool {
	for _, v := range writingWords {
		if strings.HasSuffix(w, v) || strings.HasSuffix(w, v+"a ") {
			return true
		}
	}
	for _, v := range writingSigns {
		if i := strings.LastIndex(low, v); i >= 0 && len(low)-i-len(v) < 24 {
			return true
		}
	}
	return false
}
