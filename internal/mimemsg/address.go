package mimemsg

import (
	"net/mail"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// maxAddresses bounds one address list.
const maxAddresses = 5000

// addresses reads an unfolded address list (RFC 5322 section 3.4), groups
// included, and as much as can be read of one that is none. Names are
// decoded.
func addresses(v string) []provider.Address {
	var out []provider.Address
	for _, member := range splitList(v) {
		if a, ok := address(member); ok && len(out) < maxAddresses {
			out = append(out, a)
		}
	}
	return out
}

// address reads one member of a list.
func address(s string) (provider.Address, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return provider.Address{}, false
	}
	if plain(s) {
		if a, err := mail.ParseAddress(s); err == nil && bare(a.Address) != "" {
			return provider.Address{Name: strings.TrimSpace(clean(a.Name)), Addr: bare(a.Address)}, true
		}
	}
	// Encoded words are decoded here, also where the standard forbids them.
	// The address in brackets is the one that counts, since a name may look
	// like another; without brackets it is the last word with an @.
	name, addr := "", ""
	if open := strings.LastIndexByte(s, '<'); open >= 0 {
		name = s[:open]
		addr, _, _ = strings.Cut(s[open+1:], ">")
		if strings.HasPrefix(strings.TrimSpace(addr), "@") {
			_, addr, _ = strings.Cut(addr, ":") // a source route (RFC 5322 section 4.4)
		}
	}
	if addr = bare(addr); addr == "" {
		name = ""
		for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(" \t<>()", r) }) {
			if found := bare(word); found != "" {
				addr = found
			}
		}
	}
	return provider.Address{Name: phrase(name), Addr: addr}, addr != ""
}

// bare returns an address without what surrounds it, or "" if it is none.
func bare(s string) string {
	s = strings.Trim(decodeWords(s), " \t\"'<>,;:()[]")
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	if provider.Normalize(s) == "" {
		return ""
	}
	return s
}

// phrase reads a display name: words, quoted or encoded.
func phrase(s string) string {
	s = strings.TrimSpace(s)
	if strings.Contains(s, `"`) {
		var b strings.Builder
		for i := 0; i < len(s); i++ {
			switch {
			case s[i] == '\\' && i+1 < len(s):
				i++
				b.WriteByte(s[i])
			case s[i] != '"':
				b.WriteByte(s[i])
			}
		}
		s = b.String()
	}
	return strings.TrimSpace(decodeWords(s))
}

// splitList cuts a list at its commas, outside quotes, comments and brackets,
// and takes the names off groups. If those don't balance it cuts at each.
func splitList(v string) []string {
	var parts []string
	quoted, angle, comment, start := false, false, 0, 0
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c == '\\' && (quoted || comment > 0):
			i++
		case c == '"' && comment == 0:
			quoted = !quoted
		case quoted:
		case c == '(':
			comment++
		case c == ')':
			comment = max(0, comment-1)
		case comment > 0:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case angle:
		case c == ',' || c == ';':
			parts = append(parts, v[start:i])
			start = i + 1
		case c == ':':
			start = i + 1
		}
	}
	if quoted || angle || comment > 0 {
		return strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ';' })
	}
	return append(parts, v[start:])
}
