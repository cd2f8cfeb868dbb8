package gmailtest

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// matcher is a parsed search.
type matcher func(*postoffice.Message) bool

var errQuery = errors.New("gmailtest: bad query")

// parseQuery reads the part of Gmail's search language that is in use:
// words, "phrases", OR and |, parentheses, - for not, and from:, to:, subject:, in:,
// after:, before: and rfc822msgid: with a word or a group.
func parseQuery(q string) (matcher, error) {
	p := queryParser{tokens: lex(q)}
	m, err := p.any("")
	if err != nil || p.at != len(p.tokens) {
		return nil, errQuery
	}
	return m, nil
}

// lex splits at spaces and parentheses outside quotes. A key keeps its colon.
func lex(q string) []string {
	var out []string
	var word strings.Builder
	quoted := false
	flush := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	for _, r := range q {
		switch {
		case r == '"':
			quoted = !quoted
			word.WriteRune(r)
		case quoted:
			word.WriteRune(r)
		case r == ' ' || r == '\t':
			flush()
		case r == '(' || r == ')':
			flush()
			out = append(out, string(r))
		case r == '|':
			flush()
			out = append(out, "OR")
		default:
			word.WriteRune(r)
			if r == ':' && !strings.Contains(strings.TrimSuffix(word.String(), ":"), ":") {
				flush()
			}
		}
	}
	flush()
	return out
}

type queryParser struct {
	tokens []string
	at     int
	depth  int
	text   lowered
}

// lowered is the last message that was looked at, in lower case: a query may
// have a hundred phrases.
type lowered struct {
	number int64
	text   string
}

func (l *lowered) of(m *postoffice.Message) string {
	if l.number != m.Number {
		l.number, l.text = m.Number, strings.ToLower(string(m.Raw))
	}
	return l.text
}

func (p *queryParser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

// any is alternatives joined by OR; key is what words in a group are about.
func (p *queryParser) any(key string) (matcher, error) {
	if p.depth++; p.depth > 50 {
		return nil, errQuery
	}
	defer func() { p.depth-- }()
	var alternatives []matcher
	for {
		m, err := p.all(key)
		if err != nil {
			return nil, err
		}
		alternatives = append(alternatives, m)
		if p.peek() != "OR" {
			break
		}
		p.at++
	}
	return func(msg *postoffice.Message) bool {
		return slices.ContainsFunc(alternatives, func(m matcher) bool { return m(msg) })
	}, nil
}

// all is terms side by side, all of which must match.
func (p *queryParser) all(key string) (matcher, error) {
	var terms []matcher
	for {
		switch t := p.peek(); t {
		case "", ")", "OR":
			return func(msg *postoffice.Message) bool {
				return !slices.ContainsFunc(terms, func(m matcher) bool { return !m(msg) })
			}, nil
		case "AND":
			p.at++
		default:
			m, err := p.term(key)
			if err != nil {
				return nil, err
			}
			// Times come first: a look at each word of a large mailbox would
			// take minutes.
			if t == "after:" || t == "before:" {
				terms = slices.Insert(terms, 0, m)
				continue
			}
			terms = append(terms, m)
		}
	}
}

func (p *queryParser) term(key string) (matcher, error) {
	t := p.peek()
	p.at++
	switch {
	case t == "(":
		m, err := p.any(key)
		if err != nil || p.peek() != ")" {
			return nil, errQuery
		}
		p.at++
		return m, nil
	case strings.HasSuffix(t, ":"):
		negate := strings.HasPrefix(t, "-")
		name := strings.ToLower(strings.Trim(t, "-:"))
		if p.peek() == "" {
			return nil, errQuery
		}
		m, err := p.term(name)
		if err == nil && negate {
			return func(msg *postoffice.Message) bool { return !m(msg) }, nil
		}
		return m, err
	}
	if word, negate := strings.CutPrefix(t, "-"); negate && word != "" {
		m, err := p.word(key, strings.ToLower(strings.Trim(word, `"`)))
		return func(msg *postoffice.Message) bool { return !m(msg) }, err
	}
	return p.word(key, strings.ToLower(strings.Trim(t, `"`)))
}

// word is one value of a key; without a key it is searched in the whole mail.
func (p *queryParser) word(key, value string) (matcher, error) {
	switch key {
	case "":
		address := provider.Normalize(value)
		return func(m *postoffice.Message) bool {
			text := p.text.of(m)
			return strings.Contains(text, value) || address != "" && strings.Contains(text, address)
		}, nil
	case "from":
		return func(m *postoffice.Message) bool {
			return slices.ContainsFunc(m.From, func(a string) bool { return strings.Contains(a, value) })
		}, nil
	case "to":
		return func(m *postoffice.Message) bool { return headerContains(m, value, "To", "Cc", "Bcc") }, nil
	case "subject":
		return func(m *postoffice.Message) bool { return strings.Contains(strings.ToLower(m.Subject), value) }, nil
	case "rfc822msgid":
		want := provider.BareID(value)
		return func(m *postoffice.Message) bool { return strings.EqualFold(provider.BareID(m.MessageID), want) }, nil
	case "in":
		return func(m *postoffice.Message) bool {
			return value == "anywhere" || m.Has(value) || value == "spam" && m.Has(postoffice.LabelJunk)
		}, nil
	case "after":
		t, err := instant(value)
		return func(m *postoffice.Message) bool { return !m.Received.Before(t) }, err
	case "before":
		t, err := instant(value)
		return func(m *postoffice.Message) bool { return m.Received.Before(t) }, err
	}
	return nil, errQuery
}

// instant is seconds since the epoch, or a day.
func instant(v string) (time.Time, error) {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return time.Unix(n, 0), nil
	}
	for _, layout := range []string{"2006/1/2", "2006-1-2"} {
		if t, err := time.Parse(layout, v); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errQuery
}

func headerContains(m *postoffice.Message, value string, names ...string) bool {
	for _, h := range headersOf(m.Raw, names) {
		if strings.Contains(strings.ToLower(h["value"].(string)), value) {
			return true
		}
	}
	return false
}
