package provider

import (
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Address is a mail address with an optional display name, both decoded
// (RFC 5322 section 3.4, RFC 6532).
type Address struct {
	Name string `json:"name,omitempty"`
	Addr string `json:"addr"`
}

// String returns the address as people write it. It is not encoded for a
// header.
func (a Address) String() string {
	if a.Name == "" {
		return a.Addr
	}
	return a.Name + " <" + a.Addr + ">"
}

// ParseAddress reads one address: "ada@example.com" or "Ada <ada@example.com>".
// The error is a FieldError that names field.
func ParseAddress(op, field, s string) (Address, error) {
	if strings.ContainsAny(s, "\r\n\x00") {
		return Address{}, &FieldError{Op: op, Field: field, Problem: "has a line break or NUL; give one plain address"}
	}
	a, err := mail.ParseAddress(s)
	if err != nil || Normalize(a.Address) == "" { // what can't be compared can't be matched with an answer
		return Address{}, &FieldError{Op: op, Field: field, Problem: "is not a mail address; give one like ada@example.com"}
	}
	if strings.ContainsAny(a.Name, "\r\n\x00") { // hidden in an encoded word (RFC 2047)
		return Address{}, &FieldError{Op: op, Field: field, Problem: "has a name with a line break or NUL; give one plain address"}
	}
	return Address{Name: a.Name, Addr: a.Address}, nil
}

// Normalize returns the form in which addresses are compared and indexed:
// trimmed and lower case. Local parts are case-sensitive on paper (RFC 5321
// section 2.4) and nowhere else; plus tags and dots are kept, because only
// some services ignore them. A domain with other letters than ASCII's is
// written as it goes over the wire (RFC 5891). Anything that is no address
// yields "".
func Normalize(addr string) string {
	addr = strings.ToLower(strings.TrimSpace(addr))
	if at := strings.LastIndexByte(addr, '@'); at <= 0 || at == len(addr)-1 || strings.ContainsAny(addr, " \t\r\n<>\x00") {
		return ""
	}
	if at := strings.LastIndexByte(addr, '@'); strings.ContainsFunc(addr[at:], func(r rune) bool { return r >= utf8.RuneSelf }) {
		domain, err := idna.Lookup.ToASCII(addr[at+1:])
		if err != nil {
			return ""
		}
		return addr[:at+1] + domain
	}
	return addr
}
