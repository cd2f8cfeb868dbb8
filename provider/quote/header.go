package quote

import (
	"strings"
	"unicode"
)

// cut is where history starts that goes on to the end without quote marks.
type cut struct {
	start   int // the first line of it
	body    int // the first line after its header lines
	end     int // the first line after it
	forward bool
	spoken  bool // by an attribution, which may be the author's sentence if nothing stands above it
}

// headerAt looks for a block of header lines at line i, as Outlook writes it
// above the mail that is answered, with the line of dashes that may stand
// before it. It returns the first line after it.
func headerAt(lines []line, i int) (c cut, ok bool) {
	l := lines[i]
	if l.depth > 0 || l.text == "" || len(l.text) > maxMark {
		return cut{}, false
	}
	c.start = i
	at, announced := i, false
	if originalWords[strings.ToLower(l.text)] {
		at = i + 1 // BlackBerry draws no dashes
	} else if kind := divider(l.text); kind != notDivider {
		announced = kind != plainRule
		c.forward = kind == forwardRule
		at = next(lines, i+1)
		if announced && at < len(lines) && kind == originalRule && divider(lines[at].text) == plainRule {
			at = next(lines, at+1)
		}
		if at-i > 4 && !announced {
			return cut{}, false
		}
	}
	end, have := headerLines(lines, at)
	bare := announced && strings.Trim(l.text, "-_=—–‐‑―") == l.text // nothing is drawn beside the words
	if announced && !bare && (have&headFrom != 0 || end == at) || have.block() {
		c.body = max(end, i+1)
		if end == at {
			c.body = i + 1
		}
		return c, true
	}
	return cut{}, false
}

// next returns the index of the first line from i on that is not blank.
func next(lines []line, i int) int {
	for i < len(lines) && lines[i].blank() {
		i++
	}
	return i
}

// heads is the set of header lines that a block has.
type heads uint16

const (
	headFrom heads = 1 << iota
	headDate
	headTo
	headSubject
	headOther
	headAddress // the From line has an address
	headDated   // the date line has a year or a time
	headOpening // the From line is the first
	headRaw     // lines that are for programs: somebody pasted the header
)

// block reports whether the lines are a mail's header: a sender and two
// more, one of them the subject or the sender an address, and something that
// prose does not have. A journey's From, To and Date are none.
func (h heads) block() bool {
	if h&(headFrom|headRaw) != headFrom || h&headAddress == 0 && h&(headDated|headOpening) != headDated|headOpening {
		return false
	}
	if h&headSubject != 0 {
		return h&headDated != 0 || h&headDate != 0 && h&headTo != 0
	}
	return h&headAddress != 0 && h&(headDated|headOpening) == headDated|headOpening && h&headTo != 0
}

// headerLines reads header lines from i on: labelled ones, what continues
// them, and blank lines between two of them.
func headerLines(lines []line, i int) (end int, have heads) {
	end = i
	mark := -1
	if i < len(lines) {
		mark = lines[i].depth
	}
	continued := 0
	for at := i; at < len(lines) && at < i+24; at++ {
		l := lines[at]
		if l.depth != mark || len(l.text) > 4*maxMark {
			break
		}
		if l.text == "" {
			// A blank line goes on only before one more label.
			n := at + 1
			if n < len(lines) && lines[n].text == "" {
				n++
			}
			if end != at && continued > 0 || n >= len(lines) || lines[n].depth != mark {
				break
			}
			k, _ := label(lines[n].text)
			if k == 0 || have&k != 0 {
				break
			}
			end, at = n, n-1
			continue
		}
		k, value := label(l.text)
		if k == 0 {
			if low := strings.ToLower(l.text); have != 0 && (strings.HasPrefix(low, "message-id:") || strings.HasPrefix(low, "x-") && strings.Contains(low, ":")) {
				have |= headRaw
			}
			if have == 0 || continued == 3 || divider(l.text) != notDivider {
				break
			}
			continued++ // it is of the block if one more label follows, or if it is a list of addresses
			if end == at && (strings.Contains(l.text, "@") && !strings.Contains(l.text, ". ") || l.raw[0] == '\t') {
				end = at + 1
			}
			continue
		}
		if k == headFrom && have&headFrom != 0 {
			break // another block; what came before may be a sentence
		}
		if k == headDate && have == 0 && !dated(value) {
			break // "Date: Friday works for me."
		}
		if k == headFrom && have == 0 {
			have |= headOpening
		}
		if k == headFrom && strings.Contains(value, "@") {
			have |= headAddress
		}
		if k == headDate && dated(value) {
			have |= headDated
		}
		have |= k
		end, continued = at+1, 0
	}
	return end, have
}

// dated reports whether a date line's value has a year or a time.
func dated(value string) bool {
	return len(value) < 200 && (yearIn.MatchString(value) || timeIn.MatchString(value))
}

// label reads "Subject: ..." in many languages, with or without the asterisks
// of bold.
func label(s string) (heads, string) {
	if cells := strings.SplitN(s, "|", 4); len(cells) == 4 && cells[0] == "" { // a row, as NetEase writes it
		return headLabels[strings.ToLower(clean(cells[1]))], cells[2]
	}
	s = strings.TrimLeft(s, "*_•- \t")
	i := strings.IndexAny(s, ":：")
	if i <= 0 || i > 40 {
		return 0, ""
	}
	name := strings.ToLower(clean(strings.Trim(s[:i], "* _\u00a0")))
	return headLabels[strings.Join(strings.FieldsFunc(name, unicode.IsSpace), " ")], s[i:]
}

// dividers are the lines that programs draw above history.
type dividerKind uint8

const (
	notDivider   dividerKind = iota
	plainRule                // a line of dashes: it means nothing by itself
	originalRule             // -----Original Message-----
	forwardRule              // ---------- Forwarded message ---------
)

// divider says what a line of dashes is.
func divider(s string) dividerKind {
	inner := strings.Trim(s, "-_=—–‐‑―*~ \u00a0")
	if inner == "" {
		if len(s) >= 3 && !strings.Contains(s, " ") || len(s) >= 5 {
			return plainRule
		}
		return notDivider
	}
	if len(inner) > 80 {
		return notDivider
	}
	low := strings.ToLower(strings.TrimRight(inner, ":： "))
	low = strings.ReplaceAll(strings.Join(strings.Fields(low), " "), "’", "'")
	if forwardOpenings[low] {
		return forwardRule
	}
	if !strings.HasPrefix(s, "--") && !strings.HasPrefix(s, "__") && !strings.HasPrefix(s, "==") && !strings.HasPrefix(s, "—") && !strings.HasPrefix(s, "‐‐") {
		return notDivider
	}
	switch {
	case forwardWords[low]:
		return forwardRule
	case originalWords[low]:
		return originalRule
	}
	return notDivider
}
