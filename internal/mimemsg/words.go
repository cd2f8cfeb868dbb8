package mimemsg

import (
	"strings"
	"unicode/utf8"
)

// decodeWords decodes the encoded words (RFC 2047) of an unfolded header
// value, in any charset that browsers know, and raw 8-bit text. Words of one
// charset are decoded together, because some programs tear a character
// between them. What can't be decoded stays as it is. Control characters,
// which words can hide, become spaces: no decoded value has a line break.
func decodeWords(s string) string {
	if !utf8.ValidString(s) {
		s = windows([]byte(s))
	}
	if !strings.Contains(s, "=?") {
		return clean(s)
	}
	var out strings.Builder
	var pending []byte
	charset := ""
	last := len(s) - strings.LastIndex(s, "?=") // counted from the end, as s gets shorter
	flush := func() {
		text, _ := toUTF8(pending, charset)
		out.WriteString(text)
		pending = nil
	}
	for {
		i := strings.Index(s, "=?")
		if i < 0 || len(s)-i <= last {
			break
		}
		before := s[:i]
		cs, text, rest, ok := word(s[i+2:])
		if !ok {
			flush()
			out.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		if pending == nil || strings.TrimSpace(before) != "" {
			flush()
			out.WriteString(before)
		}
		if !strings.EqualFold(cs, charset) {
			flush()
		}
		charset = cs
		if pending = append(pending, text...); pending == nil {
			pending = []byte{}
		}
		s = rest
	}
	flush()
	out.WriteString(s)
	return clean(out.String())
}

// word reads one encoded word from after its "=?".
func word(s string) (charset string, text []byte, rest string, ok bool) {
	head := s[:min(len(s), 80)]
	charset, after, ok := strings.Cut(head, "?")
	if !ok || charset == "" || !token(charset) || len(after) < 2 || after[1] != '?' {
		return "", nil, "", false
	}
	kind := after[0] | 0x20
	if kind != 'q' && kind != 'b' { // before looking for the end, which may be far
		return "", nil, "", false
	}
	s = s[len(charset)+3:]
	body, rest, ok := strings.Cut(s, "?=")
	if !ok {
		return "", nil, "", false
	}
	charset, _, _ = strings.Cut(charset, "*") // a language (RFC 2231 section 5)
	if kind == 'q' {
		return charset, appendHex(nil, strings.ReplaceAll(body, "_", " "), '='), rest, true
	}
	text, _ = decodeBase64([]byte(body))
	return charset, text, rest, true
}

// clean replaces control characters, and what is no UTF-8.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || 0x7f <= r && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
