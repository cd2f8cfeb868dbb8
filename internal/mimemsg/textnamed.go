package mimemsg

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/outreachkit/outreach/provider"
)

// named is an address in the words of a report.
type named struct {
	addr, key string // as it stands, and as it is compared
	line      int
	rank      rank
}

// rank says how surely an address is that of a failed recipient.
type rank int

const (
	heads    rank = iota // a line begins with it, as lists of the failed do
	labelled             // the words beside it say what it is
	merely               // it is there
)

// namedIn returns the surest addresses of the text, in the order of it.
func namedIn(lines []string, own []provider.Address) []named {
	var all []named
	best := merely
	for i, line := range lines {
		if len(line) > 2000 || !strings.Contains(line, "@") {
			continue
		}
		for _, n := range addressesIn(line) {
			n.line = i
			if isOwn(n.key, own) || len(all) == maxParts {
				continue
			}
			all = append(all, n)
			best = min(best, n.rank)
		}
	}
	var out []named
	for _, n := range all {
		if n.rank == best {
			out = append(out, n)
		}
	}
	return out
}

func isOwn(key string, own []provider.Address) bool {
	for _, a := range own {
		if provider.Normalize(a.Addr) == key {
			return true
		}
	}
	return false
}

// addressesIn returns the addresses on one line, but for those that the line
// calls the sender's.
func addressesIn(line string) []named {
	var out []named
	for from := 0; from < len(line) && len(out) < 20; {
		i := strings.IndexByte(line[from:], '@')
		if i < 0 {
			break
		}
		begin, end := from+i, from+i+1
		for begin > from {
			r, size := utf8.DecodeLastRuneInString(line[from:begin])
			if !inAddress(r) {
				break
			}
			begin -= size
		}
		for end < len(line) {
			r, size := utf8.DecodeRuneInString(line[end:])
			if !inAddress(r) {
				break
			}
			end += size
		}
		begin, end = withoutWords(line, begin, end)
		before, after := line[:begin], line[end:]
		from = end
		addr := strings.Trim(line[begin:end], ".'")
		key := provider.Normalize(addr)
		if key == "" || strings.HasSuffix(before, "//") || strings.HasPrefix(strings.ToLower(before), "message-id") || strings.HasSuffix(before, "mailto:") {
			continue
		}
		if r, ok := rankOf(before, after); ok {
			out = append(out, named{addr: addr, key: key, rank: r})
		}
	}
	return out
}

// inAddress reports whether a sign may be part of an address as reports write
// it, plain. The colons, stops and brackets of full width that Chinese and
// Japanese reports put around one are no part of it.
func inAddress(r rune) bool {
	switch r {
	case '.', '!', '#', '$', '%', '&', '\'', '*', '+', '-', '/', '?', '^', '_', '`', '{', '|', '}', '~', utf8.RuneError:
		return true
	}
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))
}

// withoutWords leaves out of an address the words that scripts without spaces
// put right before and behind it.
func withoutWords(line string, begin, end int) (int, int) {
	at := strings.IndexByte(line[begin:end], '@') + begin
	for b := begin; b < at; {
		r, size := utf8.DecodeRuneInString(line[b:])
		if !unspaced(r) {
			begin = b
			break
		}
		b += size
	}
	for e := end; e > at+1; {
		r, size := utf8.DecodeLastRuneInString(line[:e])
		if !unspaced(r) {
			end = e
			break
		}
		e -= size
	}
	return begin, end
}

func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}

// rankOf judges an address by what is on its line before and after it. False
// is that it is somebody else's.
func rankOf(before, after string) (rank, bool) {
	lead := strings.ToLower(strings.TrimRight(before, " \t<\"'(["))
	if strings.Trim(lead, " \t<>()[]'\"*-|•·#=0123456789.") == "" && !replyCode.MatchString(before) {
		rest := strings.TrimLeft(after, ">)]'\"")
		if rest == "" || strings.ContainsRune(":;.,<( \t", rune(rest[0])) {
			return heads, true
		}
	}
	for _, other := range []string{"from", "sender", "from:", "sender:", "return-path:", "reply-to:", "contact", "postmaster", "administrator", "to contact"} {
		if strings.HasSuffix(lead, other) {
			return 0, false
		}
	}
	for _, word := range []string{"recipient", "rcpt", "deliver", "failed", "fail:", "address", "rejected", "unknown", "reach", "user", "mailbox"} {
		if strings.Contains(lead, word) {
			return labelled, true
		}
	}
	tail := strings.ToLower(strings.TrimLeft(after, "> )\"'"))
	if strings.HasPrefix(tail, "...") || replyCode.MatchString(before) ||
		strings.HasSuffix(lead, "to") || strings.HasSuffix(lead, "to:") {
		return labelled, true
	}
	return merely, true
}
