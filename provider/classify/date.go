package classify

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxAway bounds a believable absence.
const maxAway = 366 * 24 * time.Hour

// returnDate finds when an absent person is back: the first believable date
// soon after a word that announces one. Days begin at midnight in the zone
// of the message's Date, which is the sender's.
func returnDate(m message) time.Time {
	base := m.env.Date
	if base.IsZero() {
		base = m.env.Received
	}
	if base.IsZero() || m.msg == nil {
		return time.Time{}
	}
	text := strings.ToLower(m.env.Subject + "\n" + m.text())
	if len(text) > maxText {
		text = text[:maxText]
	}
	for _, at := range announce.FindAllStringSubmatchIndex(text, 20) {
		word := text[at[2]:at[3]]
		rest := text[at[1]:min(len(text), at[1]+80)]
		if i := strings.IndexByte(rest, '\n'); i >= 0 && i > 40 {
			rest = rest[:i]
		}
		day, ok := firstDate(rest, base)
		if !ok {
			continue
		}
		if through[word] {
			day = day.AddDate(0, 0, 1) // away through that day: back on the next
		}
		if day.After(base) && day.Before(base.Add(maxAway)) {
			return day
		}
	}
	return time.Time{}
}

const maxText = 64 << 10

// announce matches the words before a return date: of those that name the
// last day away, and of those that name the first day back.
var announce = regexp.MustCompile(`(?:^|[^\pL])(until|till|through|bis(?: zum| einschließlich)?|jusqu'au|jusqu’au|hasta(?: el)?|fino al|tot(?: en met)?|` +
	`back on|back in the office on|back in the office|back|return on|returning on|returning|return|returns|` +
	`wieder am|wieder ab|ab dem|zurück am|zurück|de retour le|retour le|vuelvo el|regreso el|di ritorno il|rientro il|terug op|terug)\b`)

// through are the words that name the last day away.
var through = map[string]bool{
	"until": true, "till": true, "through": true, "bis": true, "bis zum": true, "bis einschließlich": true,
	"jusqu'au": true, "jusqu’au": true, "hasta": true, "hasta el": true, "fino al": true, "tot en met": true,
}

var (
	isoDate  = regexp.MustCompile(`\b(\d{4})-(\d{1,2})-(\d{1,2})\b`)
	dayMonth = regexp.MustCompile(`\b(\d{1,2})(?:st|nd|rd|th|er|\.|º)?\s+(?:de\s+|of\s+)?(\pL{3,10})\.?(?:,?\s+(?:de\s+)?(\d{4}))?`)
	monthDay = regexp.MustCompile(`\b(\pL{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4}))?`)
	dotted   = regexp.MustCompile(`\b(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})?`)
	slashed  = regexp.MustCompile(`\b(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})\b`)
)

// firstDate returns the earliest-standing date in s.
func firstDate(s string, base time.Time) (time.Time, bool) {
	best, found := time.Time{}, false
	at := len(s) + 1
	take := func(re *regexp.Regexp, read func(g []string) (y, m, d int)) {
		loc := re.FindStringSubmatchIndex(s)
		if loc == nil || loc[0] >= at {
			return
		}
		g := re.FindStringSubmatch(s)
		y, m, d := read(g)
		if day, ok := date(y, m, d, base); ok {
			best, found, at = day, true, loc[0]
		}
	}
	take(isoDate, func(g []string) (int, int, int) { return num(g[1]), num(g[2]), num(g[3]) })
	take(dayMonth, func(g []string) (int, int, int) { return num(g[3]), months[g[2]], num(g[1]) })
	take(monthDay, func(g []string) (int, int, int) { return num(g[3]), months[g[1]], num(g[2]) })
	take(dotted, func(g []string) (int, int, int) { return num(g[3]), num(g[2]), num(g[1]) })
	take(slashed, func(g []string) (int, int, int) { return slash(num(g[3]), num(g[1]), num(g[2]), base) })
	return best, found
}

// slash reads a date whose order is not known: the later of the two readings
// where both are dates, so that nothing is sent too early.
func slash(y, a, b int, base time.Time) (int, int, int) {
	first, ok1 := date(y, b, a, base)
	second, ok2 := date(y, a, b, base)
	if ok1 && (!ok2 || first.After(second)) {
		return y, b, a
	}
	return y, a, b
}

func num(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// date makes a day in the base's zone. Without a year it is the next such
// day after the base.
func date(y, m, d int, base time.Time) (time.Time, bool) {
	if m < 1 || m > 12 || d < 1 || d > 31 {
		return time.Time{}, false
	}
	given := y != 0
	switch {
	case !given:
		y = base.Year()
	case y < 100:
		y += 2000
	}
	day := time.Date(y, time.Month(m), d, 0, 0, 0, 0, base.Location())
	if day.Day() != d {
		return time.Time{}, false
	}
	if !given && !day.After(base.AddDate(0, 0, -1)) {
		day = time.Date(y+1, time.Month(m), d, 0, 0, 0, 0, base.Location())
	}
	return day, true
}

// months are the names of months, in full and as people cut them.
var months = map[string]int{
	"january": 1, "jan": 1, "januar": 1, "janvier": 1, "enero": 1, "gennaio": 1, "januari": 1,
	"february": 2, "feb": 2, "februar": 2, "février": 2, "febrero": 2, "febbraio": 2, "februari": 2,
	"march": 3, "mar": 3, "märz": 3, "mars": 3, "marzo": 3, "maart": 3,
	"april": 4, "apr": 4, "avril": 4, "abril": 4, "aprile": 4,
	"may": 5, "mai": 5, "mayo": 5, "maggio": 5, "mei": 5,
	"june": 6, "jun": 6, "juni": 6, "juin": 6, "junio": 6, "giugno": 6,
	"july": 7, "jul": 7, "juli": 7, "juillet": 7, "julio": 7, "luglio": 7,
	"august": 8, "aug": 8, "août": 8, "agosto": 8, "augustus": 8,
	"september": 9, "sep": 9, "sept": 9, "septembre": 9, "septiembre": 9, "settembre": 9,
	"october": 10, "oct": 10, "oktober": 10, "okt": 10, "octobre": 10, "octubre": 10, "ottobre": 10,
	"november": 11, "nov": 11, "novembre": 11, "noviembre": 11,
	"december": 12, "dec": 12, "dezember": 12, "dez": 12, "décembre": 12, "diciembre": 12, "dicembre": 12,
}
