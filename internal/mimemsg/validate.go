package mimemsg

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"mime"
	"net/textproto"
	"strings"

	"golang.org/x/net/idna"

	"github.com/outreachkit/outreach/provider"
)

const opBuild = "mime: build"

func refuse(field, problem string) error {
	return &provider.FieldError{Op: opBuild, Field: field, Problem: problem}
}

// reserved are the headers that the builder writes itself, and those that
// belong to whoever carries the mail.
var reserved = map[string]bool{
	"Date": true, "From": true, "Sender": true, "Reply-To": true, "To": true, "Cc": true, "Bcc": true, "Subject": true,
	"Message-Id": true, "In-Reply-To": true, "References": true, "Mime-Version": true, "Received": true, "Return-Path": true,
	"Dkim-Signature": true, "Delivered-To": true, provider.KeyHeader: true,
}

func (d *Draft) validate() error {
	if d.From.Addr == "" {
		return refuse("From", "is empty")
	}
	if len(d.To)+len(d.Cc)+len(d.Bcc) == 0 {
		return refuse("To", "names no recipient")
	}
	lists := []struct {
		field string
		list  []provider.Address
	}{{"From", []provider.Address{d.From}}, {"ReplyTo", d.ReplyTo}, {"To", d.To}, {"Cc", d.Cc}, {"Bcc", d.Bcc}}
	for _, l := range lists {
		for i, a := range l.list {
			field := l.field
			if field != "From" {
				field = fmt.Sprintf("%s[%d]", l.field, i)
			}
			if err := checkAddress(field, a); err != nil {
				return err
			}
		}
	}
	if d.Date.IsZero() {
		return refuse("Date", "is not set")
	}
	if d.Text == "" && d.HTML == "" {
		return refuse("Text", "is empty, and so is HTML: a mail needs one of them")
	}
	if err := checkLine("Subject", d.Subject); err != nil {
		return err
	}
	if err := checkLine("Key", d.Key); err != nil {
		return err
	}
	if !isASCII(d.Key) || strings.ContainsAny(d.Key, " \t") {
		return refuse("Key", "must be one ASCII word")
	}
	if !WellFormedID(d.MessageID) {
		return refuse("MessageID", "must look like <left@dotted.domain>: a service replaces any other")
	}
	if d.InReplyTo != "" {
		if err := checkID("InReplyTo", d.InReplyTo); err != nil {
			return err
		}
	}
	for i, id := range d.References {
		if err := checkID(fmt.Sprintf("References[%d]", i), id); err != nil {
			return err
		}
	}
	for i, f := range d.Attachments {
		if err := checkFile(fmt.Sprintf("Attachments[%d]", i), f); err != nil {
			return err
		}
	}
	for _, f := range d.Header {
		if err := checkField(f); err != nil {
			return err
		}
	}
	return nil
}

// checkLine refuses what would end a header line early.
func checkLine(field, s string) error {
	if i := strings.IndexFunc(s, func(r rune) bool { return r == '\r' || r == '\n' || r == 0 }); i >= 0 {
		return refuse(field, "has a line break or NUL; give one line")
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 && r != '\t' || r == 0x7f }) {
		return refuse(field, "has a control character")
	}
	if !validUTF8(s) {
		return refuse(field, "is not UTF-8")
	}
	return nil
}

func checkAddress(field string, a provider.Address) error {
	if err := checkLine(field+".Name", a.Name); err != nil {
		return err
	}
	if err := checkLine(field, a.Addr); err != nil {
		return err
	}
	local, domain, ok := cutLast(a.Addr, '@')
	if !ok || local == "" || domain == "" || strings.ContainsAny(a.Addr, " \t<>,;()[]\\\"") {
		return refuse(field, "is not a plain mail address; give one like ada@example.com")
	}
	if !isASCII(local) {
		return refuse(field, "has non-ASCII letters before the @, which not every service can deliver (RFC 6531)")
	}
	if _, err := idna.Lookup.ToASCII(domain); err != nil {
		return refuse(field, "has a domain that is not valid")
	}
	return nil
}

// asciiAddr writes an internationalised domain as it goes over the wire
// (RFC 5891).
func asciiAddr(addr string) string {
	local, domain, ok := cutLast(addr, '@')
	if !ok || isASCII(domain) {
		return addr
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return addr
	}
	return local + "@" + ascii
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// checkID accepts any id that fits on a line: those of others need not be as
// ours.
func checkID(field, id string) error {
	if err := checkLine(field, id); err != nil {
		return err
	}
	if len(id) < 3 || len(id) > 900 || id[0] != '<' || id[len(id)-1] != '>' || strings.ContainsAny(id[1:len(id)-1], "<> \t") || !isASCII(id) {
		return refuse(field, "must be one Message-ID in angle brackets")
	}
	return nil
}

func checkFile(field string, f File) error {
	if err := checkLine(field+".Name", f.Name); err != nil {
		return err
	}
	if strings.ContainsAny(f.Name, "/\\") {
		return refuse(field+".Name", "is a path; give the file's name alone")
	}
	if err := checkLine(field+".ContentID", f.ContentID); err != nil {
		return err
	}
	if strings.ContainsAny(f.ContentID, "<> \t") || !isASCII(f.ContentID) {
		return refuse(field+".ContentID", "must be without angle brackets and spaces")
	}
	if f.ContentType != "" {
		ct, _, err := mime.ParseMediaType(f.ContentType)
		if err != nil || !strings.Contains(ct, "/") {
			return refuse(field+".ContentType", "is not a media type such as application/pdf")
		}
		if strings.HasPrefix(ct, "multipart/") || strings.HasPrefix(ct, "message/") {
			return refuse(field+".ContentType", "is a container; attach it as application/octet-stream")
		}
	}
	return nil
}

func checkField(f Field) error {
	field := "Header[" + f.Name + "]"
	if f.Name == "" || strings.ContainsFunc(f.Name, func(r rune) bool { return r <= ' ' || r == ':' || r >= 0x7f }) {
		return refuse("Header", "has a name that is not one (RFC 5322 section 2.2)")
	}
	name := textproto.CanonicalMIMEHeaderKey(f.Name)
	if reserved[name] || strings.HasPrefix(name, "Content-") || strings.HasPrefix(name, "Arc-") || strings.HasPrefix(name, "Resent-") {
		return refuse(field, "is written by the builder or by the service")
	}
	if err := checkLine(field, f.Value); err != nil {
		return err
	}
	if len(f.Name)+len(f.Value) > 990 {
		return refuse(field, "is longer than a line may be (RFC 5322 section 2.1.1)")
	}
	return nil
}

// WellFormedID reports whether a Message-ID is one that services keep:
// <left@domain>, one @, a domain with an inner dot. Ids with two @, an empty
// or dotless domain, or one that ends in a dot were seen replaced.
func WellFormedID(id string) bool {
	if len(id) < 5 || len(id) > 250 || id[0] != '<' || id[len(id)-1] != '>' {
		return false
	}
	left, domain, ok := strings.Cut(id[1:len(id)-1], "@")
	return ok && left != "" && dotAtom(left) && strings.Contains(domain, ".") && dotAtom(domain)
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

// NewMessageID derives a Message-ID from the key and the parts. Who has no
// key can neither compute nor read it: it holds no data of anybody.
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
		return "", &provider.FieldError{Op: "mime: message id", Field: "Domain", Problem: "must be a domain with a dot in it"}
	}
	return id, nil
}
