package classify

import (
	"strings"
	"time"
	"unicode/utf8"
)

// dated is a date that stands in a text.
type dated struct {
	day     time.Time
	at, end int
	lasts   bool // it ends a range of days in one month: 3 - 17 September
}

// datesIn returns the dates near marks, in the order of the text. A weekday
// counts as a date only where a mark announces it.
func datesIn(text string, marks []hit[mark], base time.Time) []dated {
	var out []dated
	s := scanner{text: text, base: base, order: orderIn(text)}
	for i := 0; i < len(text) && len(out) < 30; {
		c := text[i]
		if isDigit(c) {
			if d, ok := s.date(i); ok {
				out = append(out, d)
				i = d.end
				continue
			}
			i += digits(text[i:])
			continue
		}
		n := wordEnd(text[i:])
		if n == 0 {
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
			continue
		}
		word := text[i : i+n]
		if month := monthOf(word); month != 0 {
			d, ok := s.monthFirst(i, month)
			if !ok && endsAt(marks, i, monthEnd) {
				d, ok = s.lastOf(i, i+n, month)
			}
			if ok {
				out = append(out, d)
				i = d.end
				continue
			}
		} else if day, ok := weekdays[word]; ok && n > 2 && announcedAt(marks, i, i+n) && !s.dateSoon(i+n) {
			out = append(out, dated{day: nextWeekday(base, day), at: i, end: i + n})
		} else if tomorrows[word] && announcedAt(marks, i, i+n) {
			y, m, d := base.Date()
			out = append(out, dated{day: time.Date(y, m, d+1, 0, 0, 0, 0, base.Location()), at: i, end: i + n})
		}
		i += n
	}
	return out
}

// announcedAt reports whether a mark ends just before a word or begins just
// behind it.
func announcedAt(marks []hit[mark], at, end int) bool {
	for _, h := range marks {
		switch h.tag {
		case lastDay, firstDay:
			if g := at - h.end; g >= 0 && g <= 8 {
				return true
			}
		case lastDayEnds, firstDayEnds:
			if g := h.at - end; g >= 0 && g <= 2 {
				return true
			}
		}
	}
	return false
}

// endsAt reports whether such a mark ends just before i.
func endsAt(marks []hit[mark], i int, tag mark) bool {
	for _, h := range marks {
		if g := i - h.end; h.tag == tag && g >= 0 && g <= 2 {
			return true
		}
	}
	return false
}

// tomorrows are words that name no date. Those that mean the morning as well
// count like the others only where a mark stands beside them.
var tomorrows = map[string]bool{
	"tomorrow": true, "morgen": true, "demain": true, "mañana": true, "domani": true, "amanhã": true, "imorgon": true, "morgon": true,
	"huomenna": true, "jutro": true, "zítra": true, "yarın": true, "завтра": true, "holnap": true, "mâine": true, "αύριο": true,
}

func nextWeekday(base time.Time, day time.Weekday) time.Time {
	y, m, d := base.Date()
	ahead := (int(day) - int(base.Weekday()) + 7) % 7
	if ahead == 0 {
		ahead = 7
	}
	return time.Date(y, m, d+ahead, 0, 0, 0, 0, base.Location())
}

// scanner reads dates as people write them.
type scanner struct {
	text  string
	base  time.Time
	order order
}

// dateSoon reports whether a date begins within the next bytes: a weekday
// before it only repeats it.
func (s scanner) dateSoon(i int) bool {
	for j := i; j < min(len(s.text), i+14); j++ {
		if isDigit(s.text[j]) {
			if _, ok := s.date(j); ok {
				return true
			}
			break
		}
		if s.text[j] == '.' && j > i+3 { // not that of an abbreviation: torsdag d. 17. september
			return false
		}
	}
	n := len(s.text) - i
	for _, word := range strings.Fields(s.text[i : i+min(n, 24)]) {
		if monthOf(strings.Trim(word, ".,")) != 0 {
			return true
		}
	}
	return false
}

// date reads a date that begins with a number at i.
func (s scanner) date(i int) (dated, bool) {
	t := s.text
	n1 := digits(t[i:])
	if n1 > 4 || i > 0 && (t[i-1] == '.' || t[i-1] == '/' || t[i-1] == ':' || t[i-1] == '+' || t[i-1] == '@') {
		return dated{}, false
	}
	a := number(t[i : i+n1])
	j := i + n1
	if r, size := utf8.DecodeRuneInString(strings.TrimLeft(t[j:], " ")); r == '年' || r == '년' {
		return s.eastern(i, a, len(t)-len(strings.TrimLeft(t[j:], " "))+size)
	} else if r == '月' || r == '월' {
		return s.eastern(i, 0, i)
	}
	if j < len(t) && strings.IndexByte("./-", t[j]) >= 0 {
		sep := t[j]
		k := j + 1
		if sep == '.' && k < len(t) && t[k] == ' ' {
			k++
		}
		if n2 := digits(t[k:]); n2 == 1 || n2 == 2 {
			if d, ok := s.numeric(i, a, n1, sep, k, n2); ok {
				return d, true
			}
		}
	}
	if n1 == 4 { // Hungarian and others: 2026. szeptember 14.
		k := skip(t, j, ". ,")
		if n := wordEnd(t[k:]); n > 0 {
			if month := monthOf(t[k : k+n]); month != 0 {
				k = skip(t, k+n, ". ")
				if n2 := digits(t[k:]); n2 == 1 || n2 == 2 {
					day, end, lasts := number(t[k:k+n2]), k+n2, false
					if m := rangeSign(t, end); m > 0 {
						if n3 := digits(t[m:]); (n3 == 1 || n3 == 2) && number(t[m:m+n3]) > day {
							day, end, lasts = number(t[m:m+n3]), m+n3, true
						}
					}
					d, ok := s.day(i, end, a, month, day)
					d.lasts = lasts
					return d, ok
				}
			}
		}
		return dated{}, false
	}
	if n1 > 2 {
		return dated{}, false
	}
	// 14 September 2026, 14th of September, 14. září, 14 de septiembre de 2026
	k := ordinal(t, j)
	for range 2 {
		n := wordEnd(t[k:])
		if n == 0 {
			return dated{}, false
		}
		word := t[k : k+n]
		if month := monthOf(word); month != 0 {
			y, end := s.year(k + n)
			return s.day(i, end, y, month, a)
		}
		switch word {
		case "de", "of", "d", "di", "den", "da", "of the", "del":
			k = skip(t, k+n, " '")
		default:
			return dated{}, false
		}
	}
	return dated{}, false
}

// numeric reads 14.09.2026, 14.9., 2026-09-14, 14/9, 9/14/26.
func (s scanner) numeric(i, a, n1 int, sep byte, k, n2 int) (dated, bool) {
	t := s.text
	b := number(t[k : k+n2])
	end := k + n2
	c, has := 0, false
	if end < len(t) && t[end] == sep {
		m := end + 1
		if sep == '.' && m < len(t) && t[m] == ' ' {
			m++
		}
		if n3 := digits(t[m:]); n3 == 2 || n3 == 4 || n1 == 4 && n3 == 1 {
			c, has, end = number(t[m:m+n3]), true, m+n3
		} else if sep == '.' {
			end++
		}
	}
	switch {
	case n1 == 4 && has:
		return s.day(i, end, a, b, c)
	case n1 == 4 || n1 > 2 || sep == '-' && !has:
		return dated{}, false
	case sep == '.':
		if !has && end == k+n2 { // 3.14 is a number; 14.09. is a day
			return dated{}, false
		}
		return s.day(i, end, c, b, a)
	}
	switch s.order {
	case dayFirst:
		if d, ok := s.day(i, end, c, b, a); ok {
			return d, true
		}
	case monthFirst:
		if d, ok := s.day(i, end, c, a, b); ok {
			return d, true
		}
	}
	// The order is not known: the later of the two readings where both are
	// dates, so that nothing is sent too early.
	first, ok1 := s.day(i, end, c, b, a)
	second, ok2 := s.day(i, end, c, a, b)
	if ok1 && (!ok2 || first.day.After(second.day)) {
		return first, true
	}
	return second, ok2
}

// eastern reads 2026年9月14日 and 9월 14일; k is behind the sign of the year.
func (s scanner) eastern(i, y, k int) (dated, bool) {
	t := s.text
	part := func(signs string) (int, bool) {
		k = skip(t, k, " ")
		n := digits(t[k:])
		if n == 0 || n > 2 {
			return 0, false
		}
		v := number(t[k : k+n])
		k = skip(t, k+n, " ")
		r, size := utf8.DecodeRuneInString(t[k:])
		if !strings.ContainsRune(signs, r) {
			return 0, false
		}
		k += size
		return v, true
	}
	month, ok1 := part("月월")
	if !ok1 {
		return dated{}, false
	}
	day, ok2 := part("日일号號")
	if !ok2 {
		return dated{}, false
	}
	d, ok := s.day(i, k, y, month, day)
	k = behindBracket(t, k)                                                        // 9月7日(月)から
	for _, sign := range []string{"到", "至", "~", "～", "〜", "-", "–", "から", "부터"} { // 9月3日到17日
		if rest, is := strings.CutPrefix(strings.TrimLeft(t[k:], " "), sign); is && ok {
			if k = len(t) - len(rest); digits(strings.TrimLeft(rest, " ")) > 0 {
				if last, is := part("日일号號"); is && last > day {
					d, ok = s.day(i, k, y, month, last)
					d.lasts = true
				}
			}
			break
		}
	}
	return d, ok
}

// behindBracket skips the day of the week in brackets.
func behindBracket(t string, k int) int {
	rest := t[k:min(len(t), k+20)]
	for _, pair := range [][2]string{{"(", ")"}, {"（", "）"}} {
		if inside, ok := strings.CutPrefix(rest, pair[0]); ok {
			if i := strings.Index(inside, pair[1]); i >= 0 {
				return k + len(pair[0]) + i + len(pair[1])
			}
		}
	}
	return k
}

// monthFirst reads September 14th, 2026.
func (s scanner) monthFirst(i, month int) (dated, bool) {
	t := s.text
	k := skip(t, i+wordEnd(t[i:]), ". ")
	n := digits(t[k:])
	if n == 0 || n > 2 {
		return dated{}, false
	}
	day, end := number(t[k:k+n]), ordinal(t, k+n)
	lasts := false
	if m := rangeSign(t, k+n); m > 0 { // September 3 - 17
		if n2 := digits(t[m:]); (n2 == 1 || n2 == 2) && number(t[m:m+n2]) > day {
			day, end, lasts = number(t[m:m+n2]), ordinal(t, m+n2), true
			n = m + n2 - k
		}
	}
	y, after := s.year(end)
	if y == 0 {
		after = k + n
	}
	d, ok := s.day(i, after, y, month, day)
	d.lasts = lasts
	return d, ok
}

// rangeSign returns where the second day of a range begins, if the sign of a
// range stands at i, or 0.
func rangeSign(t string, i int) int {
	rest := strings.TrimLeft(t[i:], " .")
	for _, sign := range []string{"-", "–", "—", "to ", "és ", "through ", "thru "} {
		if after, ok := strings.CutPrefix(rest, sign); ok {
			return len(t) - len(strings.TrimLeft(after, " "))
		}
	}
	return 0
}

// lastOf is the last day of a month that is named without a day.
func (s scanner) lastOf(at, end, month int) (dated, bool) {
	y, after := s.year(end)
	if y == 0 {
		if y, after = s.base.Year(), end; time.Month(month) < s.base.Month() {
			y++
		}
	}
	day := time.Date(y, time.Month(month)+1, 0, 0, 0, 0, 0, s.base.Location())
	return dated{day: day, at: at, end: after}, true
}

// year reads the year behind a day and month, if there is one.
func (s scanner) year(k int) (y, end int) {
	t := s.text
	j := skip(t, k, " .,")
	for _, word := range []string{"de ", "del ", "do ", "roku "} {
		if strings.HasPrefix(t[j:], word) {
			j += len(word)
		}
	}
	if digits(t[j:]) == 4 && (t[j] == '2' || t[j] == '1') {
		return number(t[j : j+4]), j + 4
	}
	return 0, k
}

// day makes a day in the base's zone. Without a year it is the next such day
// after the base, but not one so far ahead that the last is more likely meant.
func (s scanner) day(at, end, y, m, d int) (dated, bool) {
	if m < 1 || m > 12 || d < 1 || d > 31 {
		return dated{}, false
	}
	given := y != 0
	switch {
	case !given:
		y = s.base.Year()
	case y < 100:
		y += 2000
	}
	day := time.Date(y, time.Month(m), d, 0, 0, 0, 0, s.base.Location())
	if day.Day() != d {
		return dated{}, false
	}
	if !given && !day.After(s.base.AddDate(0, 0, -1)) {
		next := time.Date(y+1, time.Month(m), d, 0, 0, 0, 0, s.base.Location())
		if next.Day() == d && next.Before(s.base.Add(maxUnsaid)) {
			day = next // else it is one that was: an absence that is over
		}
	}
	return dated{day: day, at: at, end: end}, true
}

// skip returns where the next byte after i is that is none of these.
func skip(t string, i int, any string) int {
	for i < len(t) && strings.IndexByte(any, t[i]) >= 0 {
		i++
	}
	return i
}

// ordinal skips what may follow a day: 1st, 1er, 14., 1º, 14-го, ", ".
func ordinal(t string, i int) int {
	for _, suffix := range []string{"st", "nd", "rd", "th", "er", "º", "ª", "-го", "-го", "го", "-ого", ":e", ":a", "e "} {
		if strings.HasPrefix(t[i:], suffix) {
			i += len(suffix)
			break
		}
	}
	return skip(t, i, ". ,-")
}

// number reads digits, of which there are at most four.
func number(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}
