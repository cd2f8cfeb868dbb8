package mimemsg

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message/textproto"

	"github.com/outreachkit/outreach/provider"
)

const (
	softLine = 76  // where lines are folded (RFC 5322 section 2.1.1, RFC 2047 section 2)
	hardLine = 998 // what no line may exceed
	maxWord  = 900 // a longer word is encoded, so that it can be folded
)

// rawHeader folds the fields. Names keep their spelling, which the library
// would change, and its own folding can't be told to keep a field whole.
func rawHeader(fields []Field) textproto.Header {
	var h textproto.Header
	for _, f := range slices.Backward(fields) { // each new field goes on top
		h.AddRaw(fold(f))
	}
	return h
}

// unfolded reports whether a header must stand on one line: folded, a
// List-Unsubscribe broke signatures on its way.
func unfolded(name string) bool {
	return strings.EqualFold(name, "List-Unsubscribe") || strings.EqualFold(name, "List-Unsubscribe-Post")
}

// fold breaks a field before the spaces between its words, and nowhere else,
// so that unfolding yields the same value.
func fold(f Field) []byte {
	out := make([]byte, 0, len(f.Name)+len(f.Value)+16)
	out = append(append(out, f.Name...), ": "...)
	if unfolded(f.Name) {
		return append(append(out, f.Value...), "\r\n"...)
	}
	start, rest, first := 0, f.Value, true
	for rest != "" {
		end := len(rest) - len(strings.TrimLeft(rest, " \t")) // a word and the spaces before it
		if i := strings.IndexAny(rest[end:], " \t"); i >= 0 {
			end += i
		} else {
			end = len(rest)
		}
		word := rest[:end]
		rest = rest[end:]
		if !first && len(out)-start+len(word) > softLine {
			out = append(out, "\r\n"...)
			start = len(out)
		}
		out = append(out, word...)
		first = false
	}
	return append(out, "\r\n"...)
}

// formatDate writes a date (RFC 5322 section 3.3). Zones of the past had
// seconds in their offsets, which a mail can't tell.
func formatDate(t time.Time) string {
	if _, offset := t.Zone(); offset%60 != 0 {
		t = t.UTC()
	}
	return t.Format("Mon, 02 Jan 2006 15:04:05 -0700")
}

// encodeText makes unstructured text ASCII, as encoded words if need be.
func encodeText(s string) string {
	s = strings.TrimSpace(s)
	if plain(s) {
		return s
	}
	return encodeWords(s)
}

// plain reports whether text can stand in a header as it is: printable
// ASCII, no word too long for a line, nothing that would be taken for an
// encoded word.
func plain(s string) bool {
	unit := 0 // a word and the spaces before it, which fold keeps together
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' {
			return false
		}
		if c == ' ' && i > 0 && s[i-1] != ' ' {
			unit = 0
		}
		if unit++; unit > maxWord {
			return false
		}
	}
	return !strings.Contains(s, "=?")
}

// encodeWords writes encoded words (RFC 2047), in the shorter of the two
// encodings. No character is torn between words. Its quoted form keeps to
// what is allowed in a display name (section 5 (3)), the strictest place.
func encodeWords(s string) string {
	const room = 45 // bytes before encoding, so that a word has at most 72 characters
	escaped := 0
	for i := range len(s) {
		if !wordSafe(s[i]) && s[i] != ' ' {
			escaped++
		}
	}
	quoted := escaped*3 < len(s)
	var b strings.Builder
	for s != "" {
		n, cost := 0, 0
		for n < len(s) {
			_, size := utf8.DecodeRuneInString(s[n:])
			step := size
			if quoted && !wordSafe(s[n]) && s[n] != ' ' {
				step = 3 * size
			}
			limit := room
			if quoted {
				limit = 60
			}
			if cost+step > limit {
				break
			}
			cost += step
			n += size
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		if quoted {
			b.WriteString("=?utf-8?q?")
			for _, c := range []byte(s[:n]) {
				switch {
				case c == ' ':
					b.WriteByte('_')
				case wordSafe(c):
					b.WriteByte(c)
				default:
					b.Write([]byte{'=', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15]})
				}
			}
		} else {
			b.WriteString("=?utf-8?b?")
			b.WriteString(base64.StdEncoding.EncodeToString([]byte(s[:n])))
		}
		b.WriteString("?=")
		s = s[n:]
	}
	return b.String()
}

func wordSafe(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!*+-/", c) >= 0
}

// formatAddresses writes an address list (RFC 5322 section 3.4).
func formatAddresses(as []provider.Address) string {
	parts := make([]string, len(as))
	for i, a := range as {
		addr := asciiAddr(a.Addr)
		name := strings.TrimSpace(a.Name)
		switch {
		case name == "":
			parts[i] = addr
			continue
		case !plain(name) || len(name) > 200:
			name = encodeWords(name)
		case !atoms(name):
			name = quote(name)
		}
		parts[i] = name + " <" + addr + ">"
	}
	return strings.Join(parts, ", ")
}

// atoms reports whether a display name needs no quoting: atoms and single
// spaces.
func atoms(s string) bool {
	for word := range strings.SplitSeq(s, " ") {
		if word == "" || strings.Contains(word, ".") || !dotAtom(word) {
			return false
		}
	}
	return true
}

// quote writes a quoted string (RFC 5322 section 3.2.4).
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

type param struct{ name, value string }

// formatParams writes a media type or disposition with its parameters; what
// is not ASCII goes as RFC 2231 has it.
func formatParams(value string, params []param) string {
	for _, p := range params {
		value += "; " + p.name
		switch {
		case !plain(p.value):
			value += "*=" + "utf-8''" + percent(p.value)
		case token(p.value):
			value += "=" + p.value
		default:
			value += "=" + quote(p.value)
		}
	}
	return value
}

func percent(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if wordSafe(c) && c != '*' && c != '/' || c == '.' || c == '_' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15]})
		}
	}
	return b.String()
}

// token is RFC 2045's token.
func token(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
