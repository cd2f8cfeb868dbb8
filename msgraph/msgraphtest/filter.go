package msgraphtest

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// filter is a parsed $filter, in the part of OData's language that Graph
// takes for messages.
type filter struct {
	match      func(*view) bool
	properties []string // in the order in which they first occur
	extended   bool     // it looks at extended properties
}

var (
	errFilterSyntax = errors.New("msgraphtest: the filter is not well-formed")
	errFilterNode   = errors.New("msgraphtest: the filter has what is not supported for messages")
)

func badFilter(err error) *failure {
	if errors.Is(err, errFilterNode) {
		return fail(http.StatusBadRequest, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")
	}
	return badQuery("Invalid filter clause: the expression is not well-formed.")
}

func parseFilter(s string) (*filter, error) {
	toks, err := filterTokens(s)
	if err != nil {
		return nil, err
	}
	p := &filterParser{tokens: toks, out: &filter{}}
	m, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.at != len(p.tokens) {
		return nil, errFilterSyntax
	}
	p.out.match = m
	return p.out, nil
}

// parsePropertyIDs reads the filter within $expand: id eq '..' or id eq '..'.
func parsePropertyIDs(s string) ([]string, error) {
	toks, err := filterTokens(s)
	if err != nil {
		return nil, err
	}
	toks = slices.DeleteFunc(toks, func(t filterToken) bool { return !t.text && (t.s == "(" || t.s == ")") })
	var out []string
	for i := 0; ; i += 4 {
		if i+3 > len(toks) || toks[i].s != "id" || toks[i+1].s != "eq" || !toks[i+2].text {
			return nil, errFilterSyntax
		}
		if !validProperty(toks[i+2].s) {
			return nil, errFilterNode
		}
		out = append(out, toks[i+2].s)
		if i+3 == len(toks) {
			return out, nil
		}
		if toks[i+3].s != "or" {
			return nil, errFilterNode
		}
	}
}

// filterToken is a word, a bracket, a comma, or a text in quotes.
type filterToken struct {
	s    string
	text bool
}

func filterTokens(s string) ([]filterToken, error) {
	var out []filterToken
	for i := 0; i < len(s); {
		switch ch := s[i]; ch {
		case ' ', '\t':
			i++
		case '(', ')', ',':
			out = append(out, filterToken{s: s[i : i+1]})
			i++
		case '\'':
			var b strings.Builder
			i++
			for {
				end := strings.IndexByte(s[i:], '\'')
				if end < 0 {
					return nil, errFilterSyntax
				}
				b.WriteString(s[i : i+end])
				i += end + 1
				if i == len(s) || s[i] != '\'' {
					break
				}
				b.WriteByte('\'') // two of them are one within the text
				i++
			}
			out = append(out, filterToken{s: b.String(), text: true})
		default:
			end := i
			for end < len(s) && !strings.ContainsRune(" \t(),'", rune(s[end])) {
				end++
			}
			out = append(out, filterToken{s: s[i:end]})
			i = end
		}
	}
	return out, nil
}

type filterParser struct {
	tokens []filterToken
	at     int
	depth  int
	out    *filter
}

type matcher = func(*view) bool

func (p *filterParser) next() filterToken {
	if p.at == len(p.tokens) {
		return filterToken{}
	}
	p.at++
	return p.tokens[p.at-1]
}

// take goes past a word if it comes next.
func (p *filterParser) take(word string) bool {
	if p.at < len(p.tokens) && !p.tokens[p.at].text && p.tokens[p.at].s == word {
		p.at++
		return true
	}
	return false
}

func (p *filterParser) or() (matcher, error) {
	if p.depth++; p.depth > 50 {
		return nil, errFilterSyntax
	}
	defer func() { p.depth-- }()
	return p.join("or", p.and, func(list []matcher) matcher {
		return func(v *view) bool { return slices.ContainsFunc(list, func(m matcher) bool { return m(v) }) }
	})
}

func (p *filterParser) and() (matcher, error) {
	return p.join("and", p.unary, func(list []matcher) matcher {
		return func(v *view) bool { return !slices.ContainsFunc(list, func(m matcher) bool { return !m(v) }) }
	})
}

func (p *filterParser) join(word string, part func() (matcher, error), all func([]matcher) matcher) (matcher, error) {
	var list []matcher
	for {
		m, err := part()
		if err != nil {
			return nil, err
		}
		list = append(list, m)
		if !p.take(word) {
			return all(list), nil
		}
	}
}

func (p *filterParser) unary() (matcher, error) {
	switch {
	case p.take("not"):
		if p.depth++; p.depth > 50 {
			return nil, errFilterSyntax
		}
		defer func() { p.depth-- }()
		m, err := p.unary()
		return func(v *view) bool { return !m(v) }, err
	case p.take("("):
		m, err := p.or()
		if err == nil && !p.take(")") {
			err = errFilterSyntax
		}
		return m, err
	}
	return p.term()
}

func (p *filterParser) term() (matcher, error) {
	t := p.next()
	if t.text || t.s == "" || strings.Contains("(),", t.s) {
		return nil, errFilterSyntax
	}
	if p.take("(") {
		switch t.s {
		case "contains", "startswith", "endswith":
			return p.function(t.s)
		}
		if name, ok := strings.CutSuffix(strings.ToLower(t.s), "/any"); ok && name == "singlevalueextendedproperties" {
			return p.any()
		}
		return nil, errFilterNode
	}
	op, value := p.next(), p.next()
	if op.text || value.s == "" && !value.text {
		return nil, errFilterSyntax
	}
	return p.compare(t.s, op.s, value)
}

// function is contains(property,'text') and its like.
func (p *filterParser) function(name string) (matcher, error) {
	property := p.next()
	if property.text || !p.take(",") {
		return nil, errFilterSyntax
	}
	value := p.next()
	if !value.text || !p.take(")") {
		return nil, errFilterSyntax
	}
	get, ok := textProperty(property.s)
	if !ok {
		return nil, errFilterNode
	}
	p.note(property.s)
	test, want := textTest(name), strings.ToLower(value.s)
	return func(v *view) bool { return test(strings.ToLower(get(v)), want) }, nil
}

func textTest(name string) func(s, part string) bool {
	switch name {
	case "contains":
		return strings.Contains
	case "startswith":
		return strings.HasPrefix
	}
	return strings.HasSuffix
}

func (p *filterParser) note(name string) {
	if !slices.Contains(p.out.properties, name) {
		p.out.properties = append(p.out.properties, name)
	}
}

func (p *filterParser) compare(name, op string, value filterToken) (matcher, error) {
	p.note(name)
	if !slices.Contains([]string{"eq", "ne", "gt", "ge", "lt", "le"}, op) {
		return nil, errFilterSyntax
	}
	order := func(n int) bool {
		switch op {
		case "eq":
			return n == 0
		case "ne":
			return n != 0
		case "gt":
			return n > 0
		case "ge":
			return n >= 0
		case "lt":
			return n < 0
		}
		return n <= 0
	}
	if get, ok := timeProperty(name); ok {
		at, err := filterTime(value)
		return func(v *view) bool { return order(get(v).Compare(at)) }, err
	}
	if op != "eq" && op != "ne" {
		return nil, errFilterNode
	}
	if get, ok := flagProperty(name); ok {
		if value.text || value.s != "true" && value.s != "false" {
			return nil, errFilterSyntax
		}
		want := value.s == "true"
		return func(v *view) bool { return (get(v) == want) == (op == "eq") }, nil
	}
	get, ok := textProperty(name)
	if !ok {
		return nil, errFilterNode
	}
	if !value.text {
		return nil, errFilterSyntax
	}
	same := strings.EqualFold
	if name == "conversationId" || name == "parentFolderId" || name == "internetMessageId" {
		same = func(a, b string) bool { return a == b }
	}
	return func(v *view) bool { return same(get(v), value.s) == (op == "eq") }, nil
}

// filterTime reads an instant, which stands without quotes.
func filterTime(t filterToken) (time.Time, error) {
	if t.text {
		return time.Time{}, errFilterSyntax
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, t.s); err == nil {
			return at, nil
		}
	}
	return time.Time{}, errFilterSyntax
}

func timeProperty(name string) (func(*view) time.Time, bool) {
	switch name {
	case "receivedDateTime", "createdDateTime", "lastModifiedDateTime":
		return func(v *view) time.Time { return v.msg.Received }, true
	case "sentDateTime":
		return func(v *view) time.Time {
			t, _ := time.Parse(time.RFC3339, v.sent().(string))
			return t
		}, true
	}
	return nil, false
}

func flagProperty(name string) (func(*view) bool, bool) {
	switch name {
	case "isDraft":
		return (*view).draft, true
	case "isRead":
		return func(v *view) bool { return isRead(v.msg) }, true
	case "hasAttachments":
		return func(v *view) bool { return len(v.files(false)) > 0 }, true
	}
	return nil, false
}

func textProperty(name string) (func(*view) string, bool) {
	addr := func(list []string) string {
		if len(list) == 0 {
			return ""
		}
		return list[0]
	}
	switch name {
	case "internetMessageId":
		return func(v *view) string { return v.msg.MessageID }, true
	case "conversationId":
		return func(v *view) string { return conversationID(v.msg.Thread) }, true
	case "parentFolderId":
		return func(v *view) string { return folderID(v.call.box, v.folder) }, true
	case "subject":
		return func(v *view) string { return v.msg.Subject }, true
	case "importance":
		return func(*view) string { return "normal" }, true
	case "inferenceClassification":
		return func(*view) string { return "focused" }, true
	case "from/emailAddress/address":
		return func(v *view) string { return addr(v.msg.From) }, true
	case "sender/emailAddress/address":
		return func(v *view) string {
			if s := v.header().Sender; len(s) > 0 {
				return s[0].Addr
			}
			return addr(v.msg.From)
		}, true
	case "from/emailAddress/name":
		return func(v *view) string {
			if from := v.header().From; len(from) > 0 {
				return from[0].Name
			}
			return ""
		}, true
	}
	return nil, false
}

// any is what stands in singleValueExtendedProperties/Any(ep: ep/id eq '..'
// and ep/value eq '..'). Values are compared without regard to case.
func (p *filterParser) any() (matcher, error) {
	p.out.extended = true
	name, ok := strings.CutSuffix(p.next().s, ":")
	if !ok || name == "" {
		return nil, errFilterSyntax
	}
	id := ""
	var tests []func(string) bool
	for {
		t := p.next()
		switch {
		case (t.s == "contains" || t.s == "startswith") && p.take("("):
			if p.next().s != name+"/value" || !p.take(",") {
				return nil, errFilterSyntax
			}
			want := p.next()
			if !want.text || !p.take(")") {
				return nil, errFilterSyntax
			}
			test := textTest(t.s)
			tests = append(tests, func(s string) bool { return test(strings.ToLower(s), strings.ToLower(want.s)) })
		case t.s == name+"/id" && p.take("eq"):
			v := p.next()
			if !v.text || !validProperty(v.s) {
				return nil, errFilterNode
			}
			id = v.s
		case t.s == name+"/value":
			op, want := p.next().s, p.next()
			if op != "eq" && op != "ne" || !want.text {
				return nil, errFilterNode
			}
			tests = append(tests, func(s string) bool { return strings.EqualFold(s, want.s) == (op == "eq") })
		default:
			return nil, errFilterSyntax
		}
		if p.take(")") {
			break
		}
		if !p.take("and") {
			return nil, errFilterSyntax
		}
	}
	if id == "" || len(tests) == 0 {
		return nil, errFilterNode
	}
	return func(v *view) bool {
		value, _, ok := v.extended(id)
		return ok && !slices.ContainsFunc(tests, func(test func(string) bool) bool { return !test(value) })
	}, nil
}
