package quote

import "strings"

func (s *splitter) passage(start, end int) {
	if divider(s.lines[start].text) != forwardRule {
		s.trailing = s.trailing || !s.introduced(start)
		s.mark(start, end, Quote)
		return
	}
	s.mark(start, end, Forwarded)
	if next(s.lines, 0) == start {
		body, _ := headerLines(s.lines, s.pastMarks(start+1))
		s.mark(s.pastMarks(body), end, Context)
	}
}

func (s *splitter) pastMarks(i int) int {
	for i < len(s.lines) && s.lines[i].text == "" {
		i++
	}
	return i
}

func (s *splitter) introduced(i int) bool {
	for i > 0 && s.lines[i-1].blank() {
		i--
	}
	return i > 0 && s.kinds[i-1] == Attribution
}

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

func (s *splitter) quoted(start, end int) bool {
	marked, nested, cited, inside, prose := 0, false, false, false, false
	depth := 0
	for i := start; i < end; i++ {
		l := s.lines[i]
		if l.depth == 0 {
			continue
		}
		if l.text == "" {
			prose = true
			continue
		}
		marked++
		prose = prose || len(l.text) > 60 || l.raw[0] == '|' // bars were looked at before
		nested = nested || depth > 0 && l.depth != depth
		depth = l.depth
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
	// Nothing but marked lines may be what the author meant to send. A short
	// list and the prompts of a shell are marked by their author.
	return inside || above >= 0 && (nested || marked >= 5 && prose)
}

func (s *splitter) inner(end int) {
	passages, before, attributed := 0, false, false
	if s.trailing {
		passages++
	}
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
				attributed = s.heading(i, end) || attributed
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
		case s.typed[i] && kind == Context:
			s.kinds[i] = Context
		case s.kinds[i] == "" && s.lines[i].depth > 0:
			s.kinds[i] = kind
		}
	}
}

func (s *splitter) heading(start, end int) bool {
	for i := start; i < min(end, start+4) && s.lines[i].depth > 0; i++ {
		a, ok := attributionAt(s.lines, i)
		if !ok || !a.sure && !a.program && !a.timed || a.start < start {
			continue
		}
		for a.end < end && s.lines[a.end].depth > 0 && s.lines[a.end].text == "" {
			a.end++
		}
		s.mark(start, a.end, Attribution)
		return true
	}
	return false
}

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
