package quote

import "strings"

// splitter gives each line of a body its kind.
type splitter struct {
	lines []line
	kinds []Kind // "" is not decided yet
	cut   cut    // where unmarked history starts; its start is len(lines) if there is none

	attributed bool // there is an attribution above marked lines
}

// classify returns the kind of each line.
func classify(lines []line) []Kind {
	s := &splitter{lines: lines, kinds: make([]Kind, len(lines)), cut: cut{start: len(lines), body: len(lines)}}
	s.unsign()
	s.banner()
	s.find()
	end := s.peel(s.cut.start)
	s.inner(end)
	s.history()
	s.rest()
	return s.kinds
}

func (s *splitter) mark(from, to int, k Kind) {
	for i := from; i < to; i++ {
		if s.kinds[i] == "" || k != Attribution {
			s.kinds[i] = k
		}
	}
}

// unsign takes back the marks of a signature that nothing stands above: the
// author typed into it.
func (s *splitter) unsign() {
	for i := next(s.lines, 0); i < len(s.lines) && (s.lines[i].hint&hintSignature != 0 || s.lines[i].blank()); i++ {
		s.lines[i].hint &^= hintSignature
	}
}

// banner marks what a gateway put above the mail.
func (s *splitter) banner() {
	start := next(s.lines, 0)
	end := start
	for end < len(s.lines) && s.lines[end].text != "" && s.lines[end].depth == 0 && end < start+8 {
		end++
	}
	end = start + noticeEnd(s.lines[start:end])
	if noticeStart(s.lines[start:end]) == 0 && notice(s.lines[start:end]) {
		s.mark(start, end, Disclaimer)
	}
}

// find looks for the attributions of marked passages, and for the place from
// which on all is unmarked history.
func (s *splitter) find() {
	for i := 0; i < len(s.lines); i++ {
		l := s.lines[i]
		switch {
		case l.hint&(hintHistory|hintSignature) != 0 || s.kinds[i] != "":
			continue
		case l.hint&hintCut != 0:
			s.cut = cut{start: i, body: i}
			if c, ok := headerAt(s.lines, next(s.lines, i)); ok {
				s.cut.body, s.cut.forward = c.body, c.forward
			}
			return
		case l.depth > 0 || l.text == "":
			continue
		}
		if c, ok := headerAt(s.lines, i); ok {
			if n := next(s.lines, c.body); c.forward || n == len(s.lines) || s.lines[n].depth == 0 {
				s.cut = c
				return
			}
			s.mark(c.start, c.body, Attribution)
			s.attributed = true
			i = c.body - 1
			continue
		}
		a, ok := attributionAt(s.lines, i)
		if !ok && l.hint&hintAttribution != 0 {
			a, ok = attribution{start: i, end: i + 1}, true
		}
		n := 0
		if !ok {
			// Without a colon it takes what follows to make it one.
			if n = next(s.lines, i+1); n == len(s.lines) || n > i+2 {
				continue
			}
			follows := s.lines[n].depth > 0 || s.lines[n].hint&hintHistory != 0
			c, header := cut{}, false
			if !follows {
				c, header = headerAt(s.lines, n)
			}
			if !follows && !header {
				continue
			}
			if a, ok = looseAt(s.lines, i); !ok {
				continue
			}
			if header {
				if c.forward {
					continue // the author introduces what is sent on
				}
				if b := next(s.lines, c.body); b == len(s.lines) || s.lines[b].depth == 0 {
					s.cut = cut{start: a.start, body: c.body, spoken: true}
					return
				}
				s.mark(a.start, a.end, Attribution)
				continue
			}
		}
		n = next(s.lines, a.end)
		switch {
		case n < len(s.lines) && (s.lines[n].depth > 0 || s.lines[n].hint&hintHistory != 0):
			s.mark(a.start, a.end, Attribution)
			s.attributed = true
		case a.sure:
			s.cut = cut{start: a.start, body: a.end, spoken: true}
			return
		}
	}
}

// peel marks what stands below the author's last words, from end upwards, and
// returns where it stopped.
func (s *splitter) peel(end int) int {
	for end > 0 {
		l := s.lines[end-1]
		switch {
		case s.kinds[end-1] == Attribution || s.kinds[end-1] == Disclaimer:
			end--
			continue
		case l.hint&hintHistory != 0:
			s.kinds[end-1] = Quote
			end--
			continue
		case l.hint&hintSignature != 0:
			s.kinds[end-1] = Signature
			end--
			continue
		case l.blank():
			end--
			continue
		}
		if l.depth > 0 {
			start := s.block(end)
			if !s.quoted(start, end) {
				return end
			}
			s.mark(start, end, Quote)
			end = start
			continue
		}
		if at := signatureAt(s.lines, end, s.above(end)); at >= 0 {
			s.mark(at, end, Signature)
			end = at
			continue
		}
		if mobile(l.text) {
			s.kinds[end-1] = Signature
			end--
			continue
		}
		if at := s.imprintAt(end); at >= 0 {
			s.mark(at, end, Disclaimer)
			end = at
			continue
		}
		start := s.paragraph(end)
		start += noticeStart(s.lines[start:end])
		if notice(s.lines[start:end]) {
			s.mark(start, end, Disclaimer)
			end = start
			continue
		}
		return end
	}
	return end
}

// paragraph returns the first line of the paragraph that ends before end, or
// of its last 40 lines.
func (s *splitter) paragraph(end int) int {
	start := end - 1
	for start > 0 && s.lines[start-1].depth == 0 && s.lines[start-1].text != "" && s.kinds[start-1] == "" && end-start < 40 {
		start--
	}
	return start
}

// above returns the first line of the text that ends before end: after the
// last marked passage or what is decided.
func (s *splitter) above(end int) int {
	floor := end
	for floor > 0 && floor > end-2*maxSignature && s.lines[floor-1].depth == 0 && s.kinds[floor-1] == "" {
		floor--
	}
	return floor
}

// block returns the first line of the marked passage that ends before end,
// blank lines between marked lines included.
func (s *splitter) block(end int) int {
	start := end
	for i := end - 1; i >= 0 && s.kinds[i] == ""; i-- {
		if s.lines[i].depth > 0 {
			start = i
		} else if !s.lines[i].blank() {
			break
		}
	}
	return start
}

// quoted reports whether a marked passage is history and not the author's own
// use of the mark.
func (s *splitter) quoted(start, end int) bool {
	marked, nested, cited, inside := 0, false, false, false
	for i := start; i < end; i++ {
		l := s.lines[i]
		if l.depth == 0 {
			continue
		}
		if l.text == "" {
			continue
		}
		marked++
		nested = nested || l.depth > 1
		cited = cited || l.hint&hintCited != 0
		if inside || marked > 40 {
			continue
		}
		if _, ok := attributionAt(s.lines, i); ok {
			inside = true
		} else if k, _ := label(l.text); k == headFrom {
			_, have := headerLines(s.lines, i)
			inside = have.block()
		}
	}
	if cited || marked == 0 {
		return true
	}
	above := start - 1
	for above >= 0 && s.lines[above].blank() {
		above--
	}
	if above >= 0 && s.kinds[above] == Attribution {
		return true
	}
	if above >= 0 && strings.HasSuffix(s.lines[above].text, ":") {
		return false // the author introduces it
	}
	if s.attributed {
		return marked > 1 || above < start-1
	}
	return nested || inside || marked >= 5 && above >= 0
}

// inner decides on the marked passages above the author's last words: a
// single one with nothing but a greeting above it is folded, others are what
// is answered.
func (s *splitter) inner(end int) {
	passages, before, attributed := 0, false, false
	seen, open := false, false
	hello := s.greeting()
	for i := 0; i < end; i++ {
		l := s.lines[i]
		switch {
		case l.hint&hintHistory != 0:
			s.kinds[i] = Quote
		case l.hint&hintSignature != 0:
			s.kinds[i] = Signature
		case s.kinds[i] == Attribution:
			attributed = attributed || !seen
		case i == hello:
		case l.depth > 0:
			attributed = attributed || !seen && l.hint&hintCited != 0
			if !open {
				passages++
			}
			seen, open = true, true
		case l.text != "" && s.kinds[i] == "":
			before = before || !seen
			open = false
		}
	}
	kind := Context
	if passages == 1 && attributed && !before {
		kind = Quote
	}
	for i := 0; i < end; i++ {
		switch {
		case s.kinds[i] == Attribution && kind == Context:
			s.kinds[i] = Context
		case s.kinds[i] == "" && s.lines[i].depth > 0:
			s.kinds[i] = kind
		}
	}
}

// greeting returns the line of a greeting that stands alone above the first
// attribution, or -1.
func (s *splitter) greeting() int {
	i := next(s.lines, 0)
	n := next(s.lines, min(i+1, len(s.lines)))
	if n == len(s.lines) || s.lines[i].depth > 0 || s.kinds[i] != "" || s.kinds[n] != Attribution || n == i+1 {
		return -1
	}
	if t := s.lines[i].text; len(t) > 60 || !strings.ContainsAny(lastRune(t), ",，、!！") {
		return -1
	}
	return i
}

// history marks what is below the cut.
func (s *splitter) history() {
	if s.cut.start == len(s.lines) {
		return
	}
	head, body := Attribution, Quote
	if s.cut.forward {
		head, body = Forwarded, Forwarded
	}
	written := false
	for i := 0; i < s.cut.start && !written; i++ {
		written = s.lines[i].text != "" && (s.kinds[i] == "" || s.kinds[i] == Context)
	}
	if !written {
		body = Context
		if s.cut.spoken {
			head = Context
		}
	}
	for i := s.cut.start; i < len(s.lines); i++ {
		s.kinds[i] = body
		if i < s.cut.body {
			s.kinds[i] = head
		}
	}
}

// rest gives the lines that nothing was decided on to the author. Blank ones
// go with what is above them.
func (s *splitter) rest() {
	last := Written
	for i := range s.kinds {
		switch {
		case s.kinds[i] == "" && s.lines[i].blank():
			s.kinds[i] = last
		case s.kinds[i] == "":
			s.kinds[i] = Written
		}
		last = s.kinds[i]
	}
}
