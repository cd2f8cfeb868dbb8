package gmailtest

import (
	"errors"
	"strings"
)

// fieldTree is a parsed fields parameter
// (https://developers.google.com/workspace/gmail/api/guides/performance#partial).
// A nil tree is everything.
type fieldTree map[string]fieldTree

var errFields = errors.New("gmailtest: bad fields parameter")

func parseFields(s string) (fieldTree, error) {
	p := fieldParser{s: s}
	tree, err := p.list()
	if err != nil || p.at != len(s) {
		return nil, errFields
	}
	return tree, nil
}

type fieldParser struct {
	s     string
	at    int
	depth int
}

func (p *fieldParser) list() (fieldTree, error) {
	if p.depth++; p.depth > 20 {
		return nil, errFields
	}
	defer func() { p.depth-- }()
	tree := make(fieldTree)
	for {
		name, sub, err := p.path()
		if err != nil {
			return nil, err
		}
		if old, ok := tree[name]; ok && old != nil && sub != nil {
			for k, v := range sub {
				old[k] = v
			}
		} else {
			tree[name] = sub
		}
		if p.at == len(p.s) || p.s[p.at] != ',' {
			return tree, nil
		}
		p.at++
	}
}

// path is name, name/path or name(list).
func (p *fieldParser) path() (string, fieldTree, error) {
	start := p.at
	for p.at < len(p.s) && !strings.ContainsRune(",/()", rune(p.s[p.at])) {
		p.at++
	}
	name := p.s[start:p.at]
	if name == "" {
		return "", nil, errFields
	}
	if p.at == len(p.s) {
		return name, nil, nil
	}
	switch p.s[p.at] {
	case '/':
		p.at++
		next, sub, err := p.path()
		return name, fieldTree{next: sub}, err
	case '(':
		p.at++
		sub, err := p.list()
		if err != nil || p.at == len(p.s) || p.s[p.at] != ')' {
			return "", nil, errFields
		}
		p.at++
		return name, sub, nil
	}
	return name, nil, nil
}

// cut keeps of v what the tree names.
func (t fieldTree) cut(v map[string]any) map[string]any {
	if t == nil {
		return v
	}
	out := make(map[string]any)
	for key, val := range v {
		sub, ok := t[key]
		if !ok {
			if sub, ok = t["*"]; !ok {
				continue
			}
		}
		out[key] = sub.cutAny(val)
	}
	return out
}

func (t fieldTree) cutAny(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return t.cut(v)
	case []map[string]any:
		out := make([]map[string]any, len(v))
		for i := range v {
			out[i] = t.cut(v[i])
		}
		return out
	}
	return v
}
