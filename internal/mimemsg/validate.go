package mimemsg

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/outreachkit/outreach/provider"
)

const opBuild = "mime: build"

func refuse(field, problem string) error {
	return &provider.FieldError{Op: opBuild, Field: field, Problem: problem}
}

func (d *Draft) validate() error {
	if d.From.Addr == "" {
		return refuse("From", "is empty")
	}
	if len(d.To)+len(d.Cc)+len(d.Bcc) == 0 {
		return refuse("To", "names no recipient, and neither do Cc and Bcc")
	}
	if err := checkAddress("From", d.From); err != nil {
		return err
	}
	if d.Sender != nil {
		if err := checkAddress("Sender", *d.Sender); err != nil {
			return err
		}
	}
	for _, l := range []struct {
		field string
		list  []provider.Address
	}{{"ReplyTo", d.ReplyTo}, {"To", d.To}, {"Cc", d.Cc}, {"Bcc", d.Bcc}} {
		for i, a := range l.list {
			if err := checkAddress(fmt.Sprintf("%s[%d]", l.field, i), a); err != nil {
				return err
			}
		}
	}
	switch {
	case d.Date.IsZero():
		return refuse("Date", "is not set")
	case d.Date.Year() < 1900 || d.Date.Year() > 9998: // with room for a change of zone
		return refuse("Date", "is not in the years a mail can name (RFC 5322 section 3.3)")
	case d.Text == "" && d.HTML == "":
		return refuse("Text", "is empty, and so is HTML: a mail needs one of them")
	case !utf8.ValidString(d.Text):
		return refuse("Text", "is not UTF-8")
	case !utf8.ValidString(d.HTML):
		return refuse("HTML", "is not UTF-8")
	}
	if err := checkLine("Subject", d.Subject); err != nil {
		return err
	}
	if err := d.checkIDs(); err != nil {
		return err
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

// checkLine refuses what would end a header line early, and what no reader
// shows. The tab is allowed.
func checkLine(field, s string) error {
	if strings.ContainsAny(s, "\r\n\x00") {
		return refuse(field, "has a line break or NUL; give one line")
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 && r != '\t' || 0x7f <= r && r < 0xa0 }) {
		return refuse(field, "has a control character")
	}
	if !utf8.ValidString(s) {
		return refuse(field, "is not UTF-8")
	}
	return nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

func checkAddress(field string, a provider.Address) error {
	if err := checkLine(field+".Name", a.Name); err != nil {
		return err
	}
	if err := checkLine(field, a.Addr); err != nil {
		return err
	}
	local, domain, ok := cutLast(a.Addr, '@')
	if !ok || local == "" || domain == "" {
		return refuse(field, "is not a mail address; give one like ada@example.com")
	}
	if !isASCII(local) {
		return refuse(field, "has non-ASCII letters before the @, which not every service delivers (RFC 6531)")
	}
	// Some addresses in real use have dots at the ends or in a row. Nothing
	// that needs quoting is taken: not all readers undo it.
	if !dotAtom(strings.ReplaceAll(local, ".", "")) {
		return refuse(field, "has characters before the @ that need quoting; give an address like ada@example.com")
	}
	if !isASCII(domain) {
		ascii, err := idna.Lookup.ToASCII(domain)
		if err != nil {
			return refuse(field, "has a domain that is not valid (RFC 5891)")
		}
		domain = ascii
	}
	if !dotAtom(domain) {
		return refuse(field, "has a domain that is not valid")
	}
	if len(local)+len(domain) > 320 { // RFC 5321 section 4.5.3.1 allows 64 and 255
		return refuse(field, "is longer than an address can be")
	}
	return nil
}

// asciiAddr writes an internationalised domain as it goes over the wire
// (RFC 5891). The address was checked.
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

func (d *Draft) checkIDs() error {
	if d.MessageID == "" {
		return refuse("MessageID", "is empty; make one with NewMessageID")
	}
	if err := checkLine("MessageID", d.MessageID); err != nil {
		return err
	}
	if !WellFormedID(d.MessageID) {
		return refuse("MessageID", "must look like <left@dotted.domain>: a service replaces any other")
	}
	if err := checkLine("Key", d.Key); err != nil {
		return err
	}
	if !plain(d.Key) || strings.Contains(d.Key, " ") || len(d.Key) > 500 {
		return refuse("Key", "must be one short ASCII word")
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
	return nil
}

// checkID accepts any id that fits on a line: those of others need not be as
// ours.
func checkID(field, id string) error {
	if err := checkLine(field, id); err != nil {
		return err
	}
	if len(id) < 3 || len(id) > maxWord || id[0] != '<' || id[len(id)-1] != '>' || strings.ContainsAny(id[1:len(id)-1], "<> \t") || !isASCII(id) {
		return refuse(field, "must be one Message-ID in angle brackets")
	}
	return nil
}

func checkFile(field string, f File) error {
	if err := checkLine(field+".Name", f.Name); err != nil {
		return err
	}
	if strings.ContainsAny(f.Name, "/\\") || f.Name == "." || f.Name == ".." {
		return refuse(field+".Name", "is a path; give the file's name alone")
	}
	if f.Name != strings.TrimSpace(f.Name) {
		return refuse(field+".Name", "begins or ends with a space")
	}
	if len(f.Name) > 255 {
		return refuse(field+".Name", "is longer than 255 bytes, which most file systems can't keep")
	}
	if err := checkLine(field+".ContentID", f.ContentID); err != nil {
		return err
	}
	if strings.ContainsAny(f.ContentID, "<> \t") || !isASCII(f.ContentID) || len(f.ContentID) > maxWord {
		return refuse(field+".ContentID", "must be a short ASCII word without angle brackets")
	}
	if f.ContentType == "" {
		return nil
	}
	if err := checkLine(field+".ContentType", f.ContentType); err != nil {
		return err
	}
	ct, _, ok := parseParams(f.ContentType)
	kind, sub, slash := strings.Cut(ct, "/")
	if !ok || !slash || f.ContentType != strings.TrimSpace(f.ContentType) || !token(kind) || !token(sub) || !isASCII(f.ContentType) || len(f.ContentType) > 255 {
		return refuse(field+".ContentType", "is not a media type such as application/pdf")
	}
	if kind == "multipart" || kind == "message" {
		return refuse(field+".ContentType", "is a container; attach it as application/octet-stream")
	}
	return nil
}

// reservedField reports whether a header is one that the builder writes
// itself, or belongs to those who carry the mail. The name is lower case.
func reservedField(name string) bool {
	switch name {
	case "date", "from", "sender", "reply-to", "to", "cc", "bcc", "subject", "message-id", "in-reply-to", "references",
		"mime-version", "received", "received-spf", "return-path", "delivered-to", "dkim-signature", "domainkey-signature",
		"authentication-results", strings.ToLower(provider.KeyHeader):
		return true
	}
	return strings.HasPrefix(name, "content-") || strings.HasPrefix(name, "arc-") || strings.HasPrefix(name, "resent-")
}

func checkField(f Field) error {
	field := "Header[" + f.Name + "]"
	if f.Name == "" || len(f.Name) > 70 || strings.ContainsFunc(f.Name, notInName) {
		return refuse("Header", "has a name that is not one: letters, digits and hyphens, at most 70")
	}
	if reservedField(strings.ToLower(f.Name)) {
		return refuse(field, "is written by the builder or by the service")
	}
	if err := checkLine(field, f.Value); err != nil {
		return err
	}
	if unfolded(f.Name) && !isASCII(f.Value) {
		return refuse(field, "is not ASCII; encode the address first (RFC 2369)")
	}
	if len(f.Name)+len(": ")+len(f.Value) > hardLine {
		return refuse(field, "is longer than a line may be (RFC 5322 section 2.1.1)")
	}
	return nil
}

// notInName is narrower than RFC 5322 section 2.2, which allows any printable
// character: no header in use has others.
func notInName(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
}
