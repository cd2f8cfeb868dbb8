package mimemsg

import (
	"strings"

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
		for begin > from && inAddress(line[begin-1]) {
			begin--
		}
		for end < len(line) && inAddress(line[end]) {
			end++
		}
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

// inAddress reports whether a byte may be part of an address as reports write
// it, plain.
func inAddress(c byte) bool {
	switch c {
	case '.', '!', '#', '$', '%', '&', '\'', '*', '+', '-', '/', '?', '^', '_', '`', '{', '|', '}', '~':
		return true
	}
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= 0x80
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
