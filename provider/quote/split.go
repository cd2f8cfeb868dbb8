package quote

import "strings"

// splitter gives each line of a body its kind.
type splitter struct {
	lines []line
	kinds []Kind // "" is not decided yet
	cut   cut    // where unmarked history starts; its start is len(lines) if there is none

	attributed bool         // there is an attribution above marked lines
	typed      map[int]bool // lines of attributions that a person may have typed
	trailing   bool         // there is a passage below the author's last words
}

// classify returns the kind of each line.
func classify(lines []line) []Kind {
	s := &splitter{lines: lines, kinds: make([]Kind, len(lines)), cut: cut{start: len(lines), body: len(lines), end: len(lines)}, typed: make(map[int]bool)}
	s.unsign()
	s.banner()
	s.find()
	s.mark(s.cut.start, s.cut.end, Quote)
	s.peel(len(lines), s.cut.end)
	end := s.peel(s.cut.start, 0)
	s.inner(end)
	s.history()
	s.answers()
	s.rest()
	return s.kinds
}

func (s *splitter) mark(from, to int, k Kind) {
	for i := from; i < to; i++ {
		if s.kinds[i] == "" || s.kinds[i] == Context || k != Attribution {
			s.kinds[i] = k
		}
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
			s.cut = cut{start: s.ruled(i), body: i, end: len(s.lines)}
			if c, ok := headerAt(s.lines, next(s.lines, i)); ok {
				s.cut.body, s.cut.forward = c.body, c.forward
			}
			s.cut.end = s.contained()
			return
		case l.depth == 3 && strings.HasSuffix(l.text, ">>>") && attributes(strings.TrimRight(l.text, "> ")).program:
			s.cut = cut{start: i, body: i + 1, end: len(s.lines)} // GroupWise
			return
		case l.depth > 0 || l.text == "":
			continue
		}
		if c, ok := headerAt(s.lines, i); ok {
			if n := next(s.lines, c.body); c.forward || n == len(s.lines) || s.lines[n].depth == 0 {
				s.cut = c
				s.cut.end = s.contained()
				return
			}
			s.mark(c.start, c.body, Attribution)
			s.attributed = true
			i = c.body - 1
			continue
		}
		a, ok := attributionAt(s.lines, i)
		if !ok && l.hint&hintAttribution != 0 && !s.attributedAbove(i) {
			a, ok = attribution{start: i, end: i + 1, program: true}, true
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
					s.cut = cut{start: a.start, body: c.body, end: len(s.lines), spoken: true}
					return
				}
				s.attribute(a)
				continue
			}
		}
		n = next(s.lines, a.end)
		for n < min(len(s.lines), i+maxTyped) && l.hint&s.lines[n].hint&hintAttribution != 0 {
			n = next(s.lines, n+1) // typed between the attribution and the passage
		}
		switch {
		case n < len(s.lines) && (s.lines[n].depth > 0 || s.lines[n].hint&hintHistory != 0):
			s.attribute(a)
			s.attributed = true
		case a.sure:
			s.cut = cut{start: a.start, body: a.end, end: len(s.lines), spoken: !a.program}
			return
		}
	}
}

// attribute marks an attribution.
func (s *splitter) attribute(a attribution) {
	s.mark(a.start, a.end, Attribution)
	for i := a.start; i < a.end && !a.sure && !a.program && !a.timed; i++ {
		s.typed[i] = true
	}
}

// maxTyped is how many lines are looked at between a program's attribution and
// what it stands above.
const maxTyped = 12

// attributedAbove reports whether an attribution stands in the same element as
// line i, above it: what follows it was typed there.
func (s *splitter) attributedAbove(i int) bool {
	for floor := i - maxTyped; i > 0 && i > floor && s.lines[i-1].hint&hintAttribution != 0; {
		i--
		if s.lines[i].text == "" {
			continue
		}
		_, ok := attributionAt(s.lines, i)
		return ok
	}
	return false
}

// ruled returns the line above line i if it is a rule that a program draws
// above history, else i.
func (s *splitter) ruled(i int) int {
	above := i - 1
	for above >= 0 && s.lines[above].blank() {
		above--
	}
	if above >= 0 && s.lines[above].depth == 0 && s.lines[above].text == "-----" {
		return above
	}
	return i
}

// contained returns where the program's container of history ends that the
// cut stands in: what is below it is the author's again.
func (s *splitter) contained() int {
	end := len(s.lines)
	if s.lines[s.cut.start].hint&hintContained == 0 && s.lines[max(s.cut.body-1, s.cut.start)].hint&hintContained == 0 {
		return end
	}
	for end > s.cut.body && s.lines[end-1].hint&hintContained == 0 {
		end--
	}
	if next(s.lines, s.cut.body) >= end {
		return len(s.lines) // the container has no more than the header
	}
	return end
}

// peel marks what stands below the author's last words, from end upwards to
// floor, and returns where it stopped.
func (s *splitter) peel(end, floor int) int {
	for end > floor {
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
			s.passage(start, end)
			end = start
			continue
		}
		if at := signatureAt(s.lines, end, s.above(end)); at >= 0 {
			from, to := afterthought(s.lines, at, end)
			s.mark(at, from, Signature)
			s.mark(to, end, Signature)
			if from < to {
				return to
			}
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

// passage marks a marked passage below the author's last words. Apple's
// programs mark what they send on, too.
// pastMarks is the first line from i on that has more than marks.
// introduced reports whether an attribution stands above line i.
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
// quoted reports whether a marked passage is history and not the author's own
// use of the mark.
// inner decides on the marked passages above the author's last words: a
// single one with nothing but a greeting above it is folded, others are what
// is answered.
// heading marks the attribution that a passage begins with, as Apple's
// programs write it, and reports whether there is one.
// greeting returns the line of a greeting that stands alone above the first
// attribution, or -1.
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
	for i := 0; i < len(s.lines) && !written; i++ {
		written = s.lines[i].text != "" && (s.kinds[i] == "" || s.kinds[i] == Context)
	}
	if !written {
		body = Context
		if s.cut.spoken {
			head = Context
		}
	}
	for i := s.cut.start; i < s.cut.end; i++ {
		s.kinds[i] = body
		if i < s.cut.body {
			s.kinds[i] = head
		} else if body == Context && s.lines[i].depth == 0 {
			if a, ok := attributionAt(s.lines, i); ok && a.program {
				s.mark(max(a.start, s.cut.body), a.end, Attribution)
			}
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
