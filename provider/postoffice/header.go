package postoffice

import (
	"bytes"
	"mime"
	"net/mail"
	"net/textproto"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// Field is one header field as it stands in a mail, unfolded and not decoded.
type Field struct {
	Name  string
	Value string
}

// Split takes a mail apart into its header fields, in order, and its body. It
// accepts anything: lines that are no field are left out, and a mail without
// an empty line is all header.
func Split(raw []byte) (fields []Field, body []byte) {
	rest := raw
	for len(rest) > 0 {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		rest = after
		if len(line) == 0 {
			return fields, rest
		}
		if line[0] == ' ' || line[0] == '\t' {
			if n := len(fields); n > 0 {
				fields[n-1].Value += " " + strings.TrimSpace(string(line))
			}
			continue
		}
		name, value, ok := strings.Cut(string(line), ":")
		if name = strings.TrimRight(name, " \t"); !ok || name == "" || strings.ContainsAny(name, " \t") {
			continue
		}
		fields = append(fields, Field{Name: name, Value: strings.TrimSpace(value)})
	}
	return fields, nil
}

// headerOf collects fields under canonical names.
func headerOf(fields []Field) textproto.MIMEHeader {
	h := make(textproto.MIMEHeader, len(fields))
	for _, f := range fields {
		h.Add(f.Name, f.Value)
	}
	return h
}

// edit returns raw with the named fields removed and others put in front. The
// lines that stay keep their bytes.
func edit(raw []byte, front []Field, remove ...string) []byte {
	var out bytes.Buffer
	for _, f := range front {
		out.WriteString(f.Name + ": " + f.Value + "\r\n")
	}
	rest, dropping := raw, false
	for len(rest) > 0 {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		whole := rest[:len(rest)-len(after)]
		if len(bytes.TrimSuffix(line, []byte("\r"))) == 0 {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := strings.Cut(string(line), ":")
			dropping = false
			for _, r := range remove {
				dropping = dropping || strings.EqualFold(strings.TrimRight(name, " \t"), r)
			}
		}
		if !dropping {
			out.Write(whole)
		}
		rest = after
	}
	out.Write(rest)
	return out.Bytes()
}

func decoded(s string) string {
	var d mime.WordDecoder
	if out, err := d.DecodeHeader(s); err == nil {
		return out
	}
	return s
}

// addresses reads an address list and, where it is malformed, what of it
// looks like addresses.
func addresses(values []string) []provider.Address {
	var out []provider.Address
	for _, v := range values {
		if list, err := mail.ParseAddressList(v); err == nil {
			for _, a := range list {
				out = append(out, provider.Address{Name: a.Name, Addr: a.Address})
			}
			continue
		}
		for part := range strings.SplitSeq(v, ",") {
			name := ""
			if open := strings.LastIndexByte(part, '<'); open >= 0 {
				name = strings.Trim(strings.TrimSpace(part[:open]), `"`)
				part = strings.TrimSuffix(strings.TrimSpace(part[open+1:]), ">")
			}
			if part = strings.TrimSpace(part); provider.Normalize(part) != "" {
				out = append(out, provider.Address{Name: decoded(name), Addr: part})
			}
		}
	}
	return out
}

// messageIDs reads the ids of a Message-ID, In-Reply-To or References field,
// with angle brackets.
func messageIDs(values []string) []string {
	var out []string
	for _, v := range values {
		for {
			_, after, ok := strings.Cut(v, "<")
			if !ok {
				break
			}
			id, rest, ok := strings.Cut(after, ">")
			if !ok {
				break
			}
			if id = strings.TrimSpace(id); id != "" {
				out = append(out, "<"+id+">")
			}
			v = rest
		}
	}
	return out
}

// wellFormedID reports whether a service that checks Message-IDs would keep
// this one: one "@", a dotted domain that does not end in a dot, brackets.
func wellFormedID(id string) bool {
	inner, ok := strings.CutPrefix(id, "<")
	if !ok {
		return false
	}
	if inner, ok = strings.CutSuffix(inner, ">"); !ok {
		return false
	}
	local, domain, ok := strings.Cut(inner, "@")
	return ok && local != "" && !strings.ContainsAny(inner, "<> \t") && !strings.Contains(domain, "@") &&
		strings.Contains(domain, ".") && !strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".")
}

// baseSubject is a subject without its reply and forward marks, decoded, in
// lower case and with single spaces: what threads compare.
func baseSubject(subject string) string {
	s := strings.ToLower(strings.Join(strings.Fields(decoded(subject)), " "))
	for {
		rest := s
		for _, mark := range []string{"re:", "fw:", "fwd:", "aw:", "wg:", "sv:", "vs:", "antw:", "tr:", "rv:"} {
			rest = strings.TrimSpace(strings.TrimPrefix(rest, mark))
		}
		if rest == s {
			return s
		}
		s = rest
	}
}
