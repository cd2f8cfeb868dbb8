package mimemsg

import (
	"net/mail"
	"net/textproto"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// ReadHeader reads an envelope from header fields in any order and case, not
// decoded, as a mail service's header format returns them. Fields that can't
// be read are left out; of a field that may stand once the first counts. No
// value has a line break or another control character.
func ReadHeader(fields []Field) provider.Envelope {
	var env provider.Envelope
	h := make(textproto.MIMEHeader)
	for _, f := range fields {
		key := textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(f.Name))
		if structured(key) || isFurther(key) {
			h[key] = append(h[key], unfold(f.Value))
		}
	}
	env.MessageID = firstID(h.Get("Message-Id"))
	env.InReplyTo = ids(h["In-Reply-To"])
	env.References = ids(h["References"])
	env.From = addresses(h.Get("From"))
	env.Sender = addresses(h.Get("Sender"))
	env.ReplyTo = addresses(h.Get("Reply-To"))
	env.To = addresses(strings.Join(h["To"], ", "))
	env.Cc = addresses(strings.Join(h["Cc"], ", "))
	env.Subject = strings.TrimSpace(decodeWords(h.Get("Subject")))
	env.Date = date(h.Get("Date"))
	env.ContentType = contentType(h.Get("Content-Type"))
	env.Header = make(textproto.MIMEHeader)
	for key, values := range h {
		if structured(key) {
			continue
		}
		for _, v := range values {
			env.Header[key] = append(env.Header[key], strings.TrimSpace(decodeWords(v)))
		}
	}
	return env
}

// structured reports whether a header has a field of its own in an Envelope.
func structured(key string) bool {
	switch key {
	case "Message-Id", "In-Reply-To", "References", "From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Content-Type":
		return true
	}
	return false
}

// isFurther reports whether Envelope.Header may hold this header.
func isFurther(key string) bool {
	for _, name := range provider.EnvelopeHeaders() {
		if strings.EqualFold(name, key) {
			return true
		}
	}
	return false
}

// ids finds the Message-IDs in fields that may hold comments, words and
// broken brackets beside them. None comes twice.
func ids(values []string) []string {
	var out []string
	seen := make(map[string]bool)
	add := func(id string) {
		if id = clean(id); len(id) < maxWord && !seen[id] {
			seen[id] = true
			out = append(out, "<"+id+">")
		}
	}
	for _, v := range values {
		if !strings.Contains(v, "<") {
			v = decodeWords(v) // some programs encode what is long
		}
		if !strings.Contains(v, "<") {
			for word := range strings.FieldsSeq(v) { // some programs leave out the brackets
				if word = strings.Trim(word, "<>,;"); strings.Contains(strings.Trim(word, "@"), "@") {
					add(word)
				}
			}
			continue
		}
		for {
			_, after, ok := strings.Cut(v, "<")
			if !ok {
				break
			}
			end := strings.IndexAny(after, "<>")
			if end < 0 {
				break
			}
			if after[end] == '>' {
				// Folding in the middle of an id leaves spaces in it.
				if id := strings.Join(strings.Fields(after[:end]), ""); id != "" {
					add(id)
				}
				end++
			}
			v = after[end:]
		}
	}
	return trimChain(out)
}

func firstID(v string) string {
	if all := ids([]string{v}); len(all) > 0 {
		return all[0]
	}
	return ""
}

// contentType returns the media type with no parameter but report-type.
func contentType(v string) string {
	ct, params, _ := parseParams(v)
	if kind := params["report-type"]; kind != "" && ct == "multipart/report" {
		return ct + "; report-type=" + strings.ToLower(clean(kind))
	}
	return clean(ct)
}

// date reads a date (RFC 5322 sections 3.3 and 4.3), or what programs write
// instead. A zone that is not known counts as UTC: the standard library
// would ask the machine's own.
func date(v string) time.Time {
	v, _, _ = strings.Cut(v, "(")
	if len(v) > 100 {
		return time.Time{}
	}
	words := strings.Fields(v)
	if n := len(words); n > 1 && strings.Trim(words[n-1], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == "" {
		words[n-1] = zone(words[n-1])
	}
	v = strings.Join(words, " ")
	for _, try := range []string{v, v + " +0000"} {
		if t, err := mail.ParseDate(try); err == nil {
			return t
		}
	}
	// The weekday, which only repeats what the rest says, may be in another
	// language or wrong.
	if _, rest, ok := strings.Cut(v, ","); ok {
		for _, try := range []string{rest, rest + " +0000"} {
			if t, err := mail.ParseDate(strings.TrimSpace(try)); err == nil {
				return t
			}
		}
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", "Mon Jan _2 15:04:05 2006 -0700",
		"Mon Jan _2 15:04:05 -0700 2006", time.ANSIC, "Mon, 2 Jan 2006 15.04.05 -0700",
	} {
		if t, err := time.Parse(layout, v); err == nil {
			return t
		}
	}
	return time.Time{}
}

func zone(name string) string {
	switch strings.ToUpper(name) {
	case "EDT":
		return "-0400"
	case "EST", "CDT":
		return "-0500"
	case "CST", "MDT":
		return "-0600"
	case "MST", "PDT":
		return "-0700"
	case "PST":
		return "-0800"
	case "CET", "MEZ", "BST":
		return "+0100"
	case "CEST", "MESZ":
		return "+0200"
	}
	return "+0000"
}
