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
	oldGmail    = regexp.MustCompile(`^(?:19[89]|20\d)\d-\d\d-\d\d \d?\d:\d\d GMT[+-]\d\d:\d\d \p{L}[^<>:]{0,60}$`)
	namedWriter = regexp.MustCompile(`^(?:\p{Lu}[\p{L}.'-]+,?\s){2,4}(?:wrote|writes|schrieb|skrev|schreef|scrisse)\s?[:：]$`)
)

// attribution is a line, or a few broken ones, that says who wrote what
// follows.
type attribution struct {
	start, end int  // lines[start:end]
	sure       bool // even without quote marks below it
	program    bool // no person types it
	timed      bool // it has the verb, the day and the time
}

// attributionAt looks for an attribution whose last line is i. Mail programs
// break long ones, by a width or before an address, over up to four lines.
func attributionAt(lines []line, i int) (attribution, bool) {
	if !endsAttribution(lines[i].text) {
		alone := oldGmail.MatchString(lines[i].text) && (i+1 == len(lines) || lines[i+1].text == "")
		return attribution{start: i, end: i + 1, sure: true, program: true}, alone
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
		j := attributes(joined)
		if !j.ok {
			continue
		}
		// The first line of a broken attribution has its opening word.
		for up := start - 1; up >= 0 && up > i-4 && (!j.opened || strings.HasSuffix(lines[up].text, ",")); up-- {
			if lines[up].depth != lines[i].depth || lines[up].text == "" || len(lines[up].text) > maxMark {
				break
			}
			if joined = join(lines[up].text, joined); opens(strings.ToLower(plain(lines[up].text))) && strings.ContainsAny(lines[up].text, "0123456789") {
				if wider := attributes(joined); wider.ok {
					start, j = up, wider
					j.opened = true
				}
			}
		}
		return attribution{start: start, end: i + 1, sure: j.sure, program: j.program, timed: j.timed}, true
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

// judgement is what the joined lines are.
type judgement struct {
	ok      bool // they may be an attribution
	sure    bool // beyond doubt, also without marks below
	program bool // with more in them than a person types
	timed   bool // they have the verb, the day and the time
	opened  bool // they begin as one
}

// attributes judges the joined lines. A program names the writer's address,
// or the time of day. What has neither is an attribution only if it names a
// writer in capitals and a year: "On 3 May my boss wrote:" introduces what
// the author quotes.
func attributes(s string) (j judgement) {
	if !strings.ContainsAny(s, "@0123456789") {
		return j
	}
	drawn := strings.HasPrefix(s, "---") && strings.HasSuffix(s, "---")
	s = clean(strings.TrimRight(plain(s), ":： *_-"))
	low := strings.ToLower(s)
	w := words(low)
	verb := anyIn(w, writingWords) || anyIn(low, writingSigns)
	year, clock := yearIn.MatchString(low), timeIn.MatchString(low)
	date := year || dateIn.MatchString(low)
	when := date || clock || dayIn.MatchString(low)
	from := strings.Contains(low, "@") && angleAt.MatchString(low)
	last := angleAtEnd.MatchString(low)
	j.opened = opens(low)
	j.program = from && (date && clock || verb && drawn) // Notes draws dashes on both sides
	j.timed = verb && date && clock
	if !j.program && verb && (wroteMyself(w) || related(s)) {
		return j
	}
	j.sure = verb && j.opened && date && (from || clock && endsWithVerb(w, low)) ||
		verb && from && when && clock && endsWithVerb(w, low) ||
		last && date && clock && verb ||
		from && verb && drawn
	j.ok = j.sure || j.program || j.timed || verb && from && (when || !j.opened && endsWithVerb(w, low)) || last && (date || clock) ||
		verb && j.opened && (clock || date && endsWithWriter(address.ReplaceAllString(s, " ")) || year && screenName(low))
	j.sure = j.sure && !anyIn(" "+w, personWords)
	return j
}

// related reports whether the writer is told by a relation: "my boss", "your
// colleague Anna". Programs write names.
func related(s string) bool {
	for _, t := range tokens(s) {
		if relationWords[t] {
			return true
		}
	}
	return false
}

// screenName reports whether one word stands between a comma and the last: the
// name of a writer that is in small letters.
func screenName(low string) bool {
	_, end, ok := strings.Cut(low[strings.LastIndexByte(low, ',')+1:], " ")
	return ok && strings.Contains(low, ",") && strings.Count(clean(end), " ") == 1
}

// wroteMyself reports whether the verb of writing stands beside "I" or "we":
// the author tells what they wrote.
func wroteMyself(w string) bool {
	for _, v := range writingWords {
		i := strings.Index(w, v)
		if i < 0 {
			continue
		}
		before := strings.TrimSpace(w[:i])
		before = before[strings.LastIndexByte(before, ' ')+1:]
		after, _, _ := strings.Cut(strings.TrimSpace(w[i+len(v)-1:]), " ")
		if tellers[before] || tellers[after] {
			return true
		}
	}
	return false
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
