package mimemsg

import (
	"strconv"
	"strings"
)

// parseParams reads a media type or a disposition with its parameters, lower
// case but for the values of the parameters. It goes on where the standard
// library gives up: at unquoted spaces and colons, parameters that come
// twice (the first counts), missing quotes, and charsets other than UTF-8
// (RFC 2231). ok is false if something was wrong.
func parseParams(s string) (value string, params map[string]string, ok bool) {
	ok = true
	value, rest, _ := strings.Cut(s, ";")
	value, _, comment := strings.Cut(value, "(")
	value = strings.ToLower(strings.TrimSpace(value))
	if i := strings.IndexAny(value, " \t,"); i >= 0 {
		value, ok = value[:i], false
	}
	ok = ok && !comment
	var pieces map[string]map[int]piece // the numbered and the encoded ones
	for rest != "" && len(params)+len(pieces) < 100 {
		rest = strings.TrimLeft(rest, "; \t\r\n")
		if rest == "" {
			break
		}
		end := strings.IndexAny(rest, "=;")
		if end < 0 || rest[end] == ';' {
			ok = false
			if end < 0 {
				break
			}
			rest = rest[end:]
			continue
		}
		name := strings.ToLower(strings.TrimSpace(rest[:end]))
		var v string
		var fine bool
		v, rest, fine = paramValue(strings.TrimLeft(rest[end+1:], " \t\r\n"))
		ok = ok && fine
		if name == "" {
			ok = false
			continue
		}
		if base, number, encoded, is := pieceOf(name); is {
			if pieces == nil {
				pieces = make(map[string]map[int]piece)
			}
			if pieces[base] == nil {
				pieces[base] = make(map[int]piece)
			}
			if _, twice := pieces[base][number]; !twice {
				pieces[base][number] = piece{v, encoded}
			}
			continue
		}
		if params == nil {
			params = make(map[string]string)
		}
		if _, twice := params[name]; twice {
			ok = false
		} else {
			params[name] = v
		}
	}
	for base, list := range pieces {
		if params == nil {
			params = make(map[string]string)
		}
		params[base] = join(list)
	}
	return value, params, ok
}

// paramValue reads one value, quoted or not.
func paramValue(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		end := strings.IndexByte(s, ';')
		if end < 0 {
			end = len(s)
		}
		value = strings.TrimSpace(s[:end])
		return value, s[end:], value != "" && !strings.ContainsAny(value, " \t\"(),:<>@[]?=/\\")
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			rest = s[i+1:]
			end := strings.IndexByte(rest, ';')
			if end < 0 {
				end = len(rest)
			}
			return b.String(), rest[end:], strings.TrimSpace(rest[:end]) == ""
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'): // others are Windows paths
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	// The closing quote is missing.
	value, rest, _ = strings.Cut(s[1:], ";")
	return strings.TrimSpace(value), rest, false
}

// piece is a parameter, or a part of one, as RFC 2231 splits and encodes it.
type piece struct {
	value   string
	encoded bool
}

// pieceOf takes "filename*1*" apart. "filename*" is number 0, encoded.
func pieceOf(name string) (base string, number int, encoded, is bool) {
	base, tail, is := strings.Cut(name, "*")
	if !is {
		return name, 0, false, false
	}
	if tail == "" {
		return base, 0, true, true
	}
	digits, encoded := strings.CutSuffix(tail, "*")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || n > 1000 {
		return name, 0, false, false
	}
	return base, n, encoded, true
}

func join(pieces map[int]piece) string {
	charset := ""
	var b []byte
	for i := 0; ; i++ {
		p, found := pieces[i]
		if !found {
			break
		}
		v := p.value
		if i == 0 && p.encoded {
			if parts := strings.SplitN(v, "'", 3); len(parts) == 3 {
				charset, v = parts[0], parts[2]
			}
		}
		if p.encoded {
			b = appendHex(b, v, '%')
		} else {
			b = append(b, v...)
		}
	}
	s, _ := toUTF8(b, charset)
	return s
}

// appendHex appends s with its %XX or =XX decoded; what is none stays.
func appendHex(dst []byte, s string, mark byte) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == mark && i+2 < len(s) {
			if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi < 16 && lo < 16 {
				dst = append(dst, hi<<4|lo)
				i += 2
				continue
			}
		}
		dst = append(dst, s[i])
	}
	return dst
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}
