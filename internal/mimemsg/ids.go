package mimemsg

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// NewMessageID derives a Message-ID, in angle brackets, from the key and the
// parts: the same ones yield the same id. The parts are told apart, so that
// ("ab", "c") differs from ("a", "bc"). Who has no key can neither compute
// nor read it: it holds no data of anybody. The error is a
// provider.FieldError.
func NewMessageID(key []byte, domain string, parts ...string) (string, error) {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		mac.Write(n[:])
		mac.Write([]byte(p))
	}
	left := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:20]))
	id := "<" + left + "@" + domain + ">"
	if !WellFormedID(id) {
		return "", &provider.FieldError{Op: "mime: message id", Field: "Domain", Problem: "must be an ASCII domain with a dot in it, such as example.com"}
	}
	return id, nil
}

// WellFormedID reports whether a Message-ID is one that services keep:
// <left@domain>, one @, a domain with an inner dot. Ids with two @, an empty
// or dotless domain, or one that ends in a dot were seen replaced.
func WellFormedID(id string) bool {
	if len(id) < 5 || len(id) > 250 || id[0] != '<' || id[len(id)-1] != '>' {
		return false
	}
	left, domain, ok := strings.Cut(id[1:len(id)-1], "@")
	return ok && dotAtom(left) && strings.Contains(domain, ".") && dotAtom(domain)
}

// dotAtom is RFC 5322's dot-atom-text.
func dotAtom(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for i := range len(atom) {
			c := atom[i]
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0) {
				return false
			}
		}
	}
	return true
}

// SubjectReply returns the subject of an answer: "Re: " once, however often
// it is answered (RFC 5322 section 3.6.5). Marks of other languages stay,
// since services compare subjects to find the thread.
func SubjectReply(subject string) string {
	subject = strings.TrimSpace(subject)
	if len(subject) >= 3 && strings.EqualFold(subject[:3], "re:") {
		return subject
	}
	return "Re: " + subject
}

// maxChain bounds References and what is read of them: far above what people
// write, far below what a service refuses.
const maxChain = 1000

// References returns the References of an answer to parent (RFC 5322 section
// 3.6.4): the parent's own chain, oldest first, and the parent. Nothing is
// there twice. Beyond 1000 ids the oldest stays, which programs take for the
// thread's, and the newest; those after the oldest go.
func References(chain []string, parent string) []string {
	var out []string
	seen := make(map[string]bool, len(chain)+1)
	for _, id := range chain {
		if bare := provider.BareID(id); bare != "" && !seen[bare] && bare != provider.BareID(parent) {
			seen[bare] = true
			out = append(out, "<"+bare+">")
		}
	}
	if bare := provider.BareID(parent); bare != "" {
		out = append(out, "<"+bare+">")
	}
	return trimChain(out)
}

func trimChain(ids []string) []string {
	if over := len(ids) - maxChain; over > 0 {
		ids = slices.Delete(ids, 1, 1+over)
	}
	return ids
}
