package quote

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How much an attribution without a final colon may say.
const (
	maxLoose      = 4   // lines
	maxLooseBytes = 300 // joined
)

var (
	monthDay = regexp.MustCompile(`\d{1,2}\s?[月월]\s?\d{1,2}`)
	clockIn  = regexp.MustCompile(`\d{1,2}\s?[:hH時时시]\s?\d{2}`)
	address  = regexp.MustCompile(`[<(\[](?:mailto:)?[^<>()\[\]\s]+@[^<>()\[\]\s]+[>)\]]`)
)

// nameParticles are the words of a name that may be written small.
var nameParticles = set("von|van|der|den|de|di|da|del|della|dos|du|la|le|el|al|bin|zu|zur|af|av|ter|ten|y|e|via|uhr|a|r|год|року|г|о|в|at|om|o")

// looseAt reads the paragraph that ends at line i as an attribution without a
// final colon: "On 3 May 2024 Anna Berg wrote". A person writes such lines
// too. So it has to be the whole paragraph and say the day and who wrote, and
// whoever asks has to see that marked lines or a mail's header follow.
func looseAt(lines []line, i int) (attribution, bool) {
	if endsAttribution(lines[i].text) || strings.ContainsAny(lastRune(lines[i].text), ".!?。？！;,") {
		return attribution{}, false
	}
	joined, start := "", i+1
	for start > 0 && lines[start-1].depth == lines[i].depth && lines[start-1].text != "" {
		start--
		if joined = join(lines[start].text, joined); i-start >= maxLoose || len(joined) > maxLooseBytes {
			return attribution{}, false
		}
	}
	if !attributesLoosely(joined) {
		return attribution{}, false
	}
	return attribution{start: start, end: i + 1}, true
}

func lastRune(s string) string {
	_, n := utf8.DecodeLastRuneInString(s)
	return s[len(s)-n:]
}

// attributesLoosely judges the joined lines: they begin as an attribution,
// name a day and a year or a time, and end with the verb beside a name, or
// with an address right after a date and a name.
func attributesLoosely(s string) bool {
	if !strings.ContainsAny(s, "0123456789") {
		return false
	}
	s = plain(s)
	low := strings.ToLower(s)
	w := words(low)
	dates := clockIn.ReplaceAllString(low, " ") // "at 10:30" names no day
	day := dateIn.MatchString(dates) || dayIn.MatchString(dates) || monthDay.MatchString(dates)
	if !day || !yearIn.MatchString(low) && !timeIn.MatchString(low) || !opens(low) || anyIn(w, personWords) {
		return false
	}
	if at := angleAtEnd.FindStringIndex(s); at != nil {
		before := clean(s[:at[0]])
		first, _ := utf8.DecodeRuneInString(s)
		if unicode.IsDigit(first) && strings.Count(before, " ") <= 8 && names(tokens(before), true) {
			return true
		}
	}
	return endsWithWriter(address.ReplaceAllString(s, " "))
}

// endsWithWriter reports whether s ends with the verb of writing after a
// name, or with a name after the verb.
func endsWithWriter(s string) bool {
	low := strings.ToLower(s)
	for _, v := range writingSigns {
		if i := strings.LastIndex(low, v); i > 0 && len(low)-i-len(v) <= 3 {
			return true
		}
	}
	t := tokens(s)
	for _, v := range writingWords {
		verb := strings.Fields(v)
		for at := len(t) - len(verb); at > 0 && at >= len(t)-len(verb)-6; at-- {
			if !strings.EqualFold(strings.Join(t[at:at+len(verb)], " "), strings.Join(verb, " ")) {
				continue
			}
			after := t[at+len(verb):]
			if len(after) == 0 || len(after) == 1 && after[0] == "a" {
				return at > 0 && named(t[at-1])
			}
			return named(after[len(after)-1]) && names(after, false)
		}
	}
	return false
}

// tokens are the words of s as they are written.
func tokens(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\'' && r != '’'
	})
}

// named reports whether a word may be a name: it begins with a capital, or is
// in letters that have none.
func named(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return unicode.IsLetter(r) && !unicode.IsLower(r)
}

// names reports whether all words may belong to a name. With dates, two of
// them may be small: a month, or a name on a screen.
func names(list []string, dates bool) bool {
	small, any := 0, false
	for _, word := range list {
		r, _ := utf8.DecodeRuneInString(word)
		switch {
		case named(word):
			any = true
		case dates && unicode.IsDigit(r):
		case nameParticles[strings.ToLower(word)]:
		default:
			small++
		}
	}
	return small == 0 && any || dates && small <= 2
}
