package classify

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of what is looked at, in bytes. Automatic answers say at their
// beginning what they are.
const (
	maxText = 4 << 10
	maxHTML = 48 << 10
)

// normalize returns the beginning of text as phrases are compared with it: in
// lower case, with one kind of apostrophe and one space where any are, without
// the lines that quote another mail.
func normalize(text string, limit int) string {
	text = text[:min(len(text), 16*limit)] // of white space and quoted lines there may be no end
	var b strings.Builder
	b.Grow(min(len(text), limit) + 16)
	space, begin := true, true
	for i := 0; i < len(text) && b.Len() < limit; {
		c := text[i]
		if begin && (c == '>' && !transcript(text[i:]) || c == '|') {
			n := strings.IndexByte(text[i:], '\n')
			if n < 0 {
				break
			}
			i += n + 1
			continue
		}
		if c < utf8.RuneSelf {
			i++
			switch {
			case c <= ' ':
				if c == '\n' {
					begin = true
				}
				if !space {
					b.WriteByte(' ')
					space = true
				}
				continue
			case 'A' <= c && c <= 'Z':
				c += 'a' - 'A'
			case c == '`':
				c = '\''
			}
			b.WriteByte(c)
			space, begin = false, false
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch {
		case unicode.IsSpace(r):
			if !space {
				b.WriteByte(' ')
				space = true
			}
			continue
		case r == '’' || r == '‘' || r == '´' || r == 'ʼ':
			r = '\''
		case r == '\u00ad' || r == '\u200b' || r == '\ufeff': // nothing to see
			continue
		case 0xFF10 <= r && r <= 0xFF19: // digits of full width
			r -= 0xFF10 - '0'
		case r == 'İ':
			r = 'i'
		case 0x0430 <= r && r <= 0x045F || r < 0xFF00 && unspaced(r): // Cyrillic in lower case, and scripts that have none
		case 0x0410 <= r && r <= 0x042F:
			r += 0x0430 - 0x0410
		default:
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
		space, begin = false, false
	}
	return b.String()
}

// transcript reports whether a line is one of an SMTP dialogue, as mail
// systems show them: >>> RCPT To:<ada@example.com>
func transcript(line string) bool {
	return len(line) > 8 && line[:4] == ">>> " && strings.IndexByte("DEHMRdehmr", line[4]) >= 0 && strings.IndexByte("ATHECPLOathecplo", line[5]) >= 0
}

// plainText returns the words of HTML, as far as phrases need them.
func plainText(s string) string {
	if len(s) > maxHTML {
		s = s[:maxHTML]
	}
	var b strings.Builder
	b.Grow(min(len(s), 2*maxText) + 256)
	for s != "" && b.Len() < 3*maxText/2 {
		open := strings.IndexByte(s, '<')
		if open < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:open])
		s = s[open:]
		if len(s) > 1 && strings.IndexByte("sSbB", s[1]) < 0 {
			end := strings.IndexByte(s, '>')
			if end < 0 {
				break
			}
			b.WriteByte(' ')
			s = s[end+1:]
			continue
		}
		for _, hidden := range []string{"style", "script", "blockquote"} {
			if len(s) > len(hidden) && strings.EqualFold(s[1:1+len(hidden)], hidden) {
				if i := indexFold(s, "</"+hidden); i >= 0 {
					s = s[i:]
				} else {
					s = ""
				}
				break
			}
		}
		end := strings.IndexByte(s, '>')
		if end < 0 {
			break
		}
		b.WriteByte(' ')
		s = s[end+1:]
	}
	return html.UnescapeString(b.String())
}

// indexFold is strings.Index for a lower-case ASCII substring in any case.
func indexFold(s, sub string) int {
	for at := 0; ; {
		i := strings.Index(s[at:], sub[:2])
		if i < 0 || at+i+len(sub) > len(s) {
			return -1
		}
		if strings.EqualFold(s[at+i:at+i+len(sub)], sub) {
			return at + i
		}
		at += i + 2
	}
}
