package msgraphtest

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/outreachkit/outreach/provider"
)

var errSearch = errors.New("msgraphtest: the search is not well-formed")

// parseSearch reads a $search: KQL within quotes
// (https://learn.microsoft.com/graph/search-query-parameter#using-search-on-message-collections).
// Words and quoted phrases, AND, OR, NOT, a minus, brackets, and from:, to:,
// cc:, bcc:, participants:, recipients:, subject:, body:, attachment:,
// hasAttachments:, received and sent with :, =, >, >=, <, <=. Words are found
// whole, or by their beginning with an asterisk.
func parseSearch(s string) (matcher, error) {
	s, ok := strings.CutPrefix(strings.TrimSpace(s), `"`)
	if !ok {
		return nil, errSearch
	}
	if s, ok = strings.CutSuffix(s, `"`); !ok || strings.HasSuffix(s, `\`) {
		return nil, errSearch
	}
	tokens, ok := searchTokens(s)
	if !ok || len(tokens) == 0 {
		return nil, errSearch
	}
	p := &searchParser{tokens: tokens}
	m, err := p.or()
	if err != nil || p.at != len(tokens) {
		return nil, errSearch
	}
	return m, nil
}

// searchTokens splits at spaces and brackets outside phrases. Quotes of
// phrases come escaped. A property stays with its operator: "from:",
// "received>=".
func searchTokens(s string) ([]string, bool) {
	var out []string
	var word strings.Builder
	phrase := false
	flush := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case ch == '\\' && i+1 < len(s):
			i++
			if s[i] != '"' {
				word.WriteByte(s[i])
				continue
			}
			if phrase = !phrase; phrase {
				flush()
			}
			word.WriteByte('"')
			if !phrase {
				flush()
			}
		case ch == '"':
			return nil, false // one that is not escaped ends the search
		case phrase:
			word.WriteByte(ch)
		case ch == ' ' || ch == '\t':
			flush()
		case ch == '(' || ch == ')':
			flush()
			out = append(out, string(ch))
		case strings.IndexByte(":=<>", ch) >= 0 && isName(word.String()):
			word.WriteByte(ch)
			if i+1 < len(s) && s[i+1] == '=' {
				word.WriteByte('=')
				i++
			}
			flush()
		default:
			word.WriteByte(ch)
		}
	}
	flush()
	return out, !phrase
}

func isName(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
}

type searchParser struct {
	tokens []string
	at     int
	depth  int
}

func (p *searchParser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *searchParser) or() (matcher, error) {
	if p.depth++; p.depth > 50 {
		return nil, errSearch
	}
	defer func() { p.depth-- }()
	var list []matcher
	for {
		m, err := p.and()
		if err != nil {
			return nil, err
		}
		list = append(list, m)
		if p.peek() != "OR" {
			return func(v *view) bool { return slices.ContainsFunc(list, func(m matcher) bool { return m(v) }) }, nil
		}
		p.at++
	}
}

// and is terms side by side or joined by AND.
func (p *searchParser) and() (matcher, error) {
	var list []matcher
	for {
		m, err := p.term()
		if err != nil {
			return nil, err
		}
		list = append(list, m)
		switch p.peek() {
		case "AND":
			p.at++
		case "", ")", "OR":
			return func(v *view) bool { return !slices.ContainsFunc(list, func(m matcher) bool { return !m(v) }) }, nil
		}
	}
}

func (p *searchParser) term() (matcher, error) {
	if p.depth++; p.depth > 50 {
		return nil, errSearch
	}
	defer func() { p.depth-- }()
	t := p.peek()
	p.at++
	not := func(m matcher, err error) (matcher, error) {
		return func(v *view) bool { return !m(v) }, err
	}
	switch {
	case t == "" || t == ")" || t == "OR" || t == "AND":
		return nil, errSearch
	case t == "NOT":
		return not(p.term())
	case t == "(":
		m, err := p.or()
		if err != nil || p.peek() != ")" {
			return nil, errSearch
		}
		p.at++
		return m, nil
	case len(t) > 1 && t[0] == '-':
		p.at--
		p.tokens = slices.Clone(p.tokens)
		p.tokens[p.at] = t[1:]
		return not(p.term())
	}
	if i := strings.IndexAny(t, ":=<>"); i > 0 && isName(t[:i]) && strings.Trim(t[i:], ":=<>") == "" {
		value := p.peek()
		if value == "" || value == ")" || value == "(" {
			return nil, errSearch
		}
		p.at++
		return restriction(strings.ToLower(t[:i]), t[i:], value)
	}
	return wordsIn(t, func(v *view) [][]string { return v.words() })
}

// restriction is one property of KQL.
func restriction(name, op, value string) (matcher, error) {
	switch name {
	case "received", "sent":
		return dated(name, op, strings.Trim(value, `"`))
	}
	if op != ":" && op != "=" {
		return nil, errSearch
	}
	people := func(list func(*view) []provider.Address) func(*view) []string {
		return func(v *view) []string {
			var out []string
			for _, a := range list(v) {
				out = append(out, a.Name+" "+a.Addr)
			}
			return out
		}
	}
	switch name {
	case "from":
		return words(value, people(func(v *view) []provider.Address { return v.header().From }))
	case "to":
		return words(value, people(func(v *view) []provider.Address { return v.header().To }))
	case "cc":
		return words(value, people(func(v *view) []provider.Address { return v.header().Cc }))
	case "bcc":
		return words(value, people(func(v *view) []provider.Address { return v.list("Bcc") }))
	case "recipients":
		return words(value, people(recipientsOf))
	case "participants":
		return words(value, people(func(v *view) []provider.Address { return slices.Concat(v.header().From, recipientsOf(v)) }))
	case "subject":
		return words(value, func(v *view) []string { return []string{v.msg.Subject} })
	case "body":
		return words(value, func(v *view) []string { return []string{v.text()} })
	case "attachment":
		return words(value, func(v *view) []string {
			var out []string
			for _, a := range v.files(true) {
				out = append(out, a.Name)
			}
			return out
		})
	case "hasattachments":
		want := strings.EqualFold(value, "true")
		return func(v *view) bool { return (len(v.files(false)) > 0) == want }, nil
	}
	return nil, errSearch
}

func recipientsOf(v *view) []provider.Address {
	return slices.Concat(v.header().To, v.header().Cc, v.list("Bcc"))
}

// words finds a word or a phrase.
func words(t string, in func(*view) []string) (matcher, error) {
	return wordsIn(t, func(v *view) [][]string {
		var out [][]string
		for _, s := range in(v) {
			out = append(out, tokenized(s))
		}
		return out
	})
}

// wordsIn finds a word or a phrase in texts that were taken apart.
func wordsIn(t string, in func(*view) [][]string) (matcher, error) {
	begins := strings.HasSuffix(t, "*")
	want := tokenized(t)
	if len(want) == 0 {
		return nil, errSearch
	}
	return func(v *view) bool {
		return slices.ContainsFunc(in(v), func(have []string) bool {
			for i := 0; i+len(want) <= len(have); i++ {
				last := i + len(want) - 1
				if slices.Equal(have[i:last], want[:len(want)-1]) &&
					(have[last] == want[len(want)-1] || begins && strings.HasPrefix(have[last], want[len(want)-1])) {
					return true
				}
			}
			return false
		})
	}, nil
}

// tokenized are the words of a text as an index has them.
func tokenized(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// dated compares the day, or with a time the instant.
func dated(name, op, value string) (matcher, error) {
	day := true
	at, err := time.Parse(time.DateOnly, value)
	if err != nil {
		if at, err = time.Parse("1/2/2006", value); err != nil {
			if at, err = time.Parse(time.RFC3339, value); err != nil {
				return nil, errSearch
			}
			day = false
		}
	}
	return func(v *view) bool {
		have := v.msg.Received
		if name == "sent" {
			have, _ = time.Parse(time.RFC3339, v.sent().(string))
		}
		if day {
			have = have.UTC().Truncate(24 * time.Hour)
		}
		switch n := have.Compare(at); op {
		case ">":
			return n > 0
		case ">=":
			return n >= 0
		case "<":
			return n < 0
		case "<=":
			return n <= 0
		default:
			return n == 0
		}
	}, nil
}
