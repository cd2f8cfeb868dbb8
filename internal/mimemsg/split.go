package mimemsg

import (
	"bytes"
	"strings"
)

// split takes header and body apart, and reports whether the header was in
// order. It accepts anything. A line that is no field is left out where
// fields follow it, as after a wrongly folded one; where none follow, the
// empty line is missing and the body begins with it.
func split(raw []byte) (fields []Field, body []byte, tidy bool) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	tidy = true
	var (
		name  string
		value []byte // from the colon to the end of the last folded line
		junk  []byte // from the first line that is no field, if none came since
		size  int
	)
	flush := func() {
		if name == "" {
			return
		}
		if size += len(name) + len(value); size > maxHeader || len(fields) >= maxFields {
			tidy = false
		} else {
			fields = append(fields, Field{Name: name, Value: string(value)})
		}
		name = ""
	}
	for rest := raw; ; {
		if len(rest) == 0 {
			flush()
			return fields, junk, tidy
		}
		line, next, _ := bytes.Cut(rest, []byte("\n"))
		whole := rest[:len(rest)-len(next)]
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			flush()
			if junk != nil {
				return fields, junk, false
			}
			return fields, next, tidy
		}
		n, colon := fieldName(line)
		switch {
		case line[0] == ' ' || line[0] == '\t':
			if name != "" {
				value = value[:len(value)+len(whole)] // the lines lie one after the other
			} else if junk == nil {
				junk, tidy = rest, false
			}
		case n == "" && name != "" && bytes.HasSuffix(bytes.TrimRight(value, " \t\r\n"), []byte(";")):
			value, tidy = value[:len(value)+len(whole)], false // a parameter whose line was not indented
		case n == "":
			flush()
			tidy = tidy && bytes.HasPrefix(line, []byte("From ")) && len(fields) == 0 // a mailbox file's first line
			if junk == nil && !bytes.HasPrefix(line, []byte("From ")) {
				junk = rest
			}
		default:
			flush()
			junk = nil
			name, value = n, whole[colon+1:]
		}
		rest = next
	}
}

// fieldName returns the name of the field that begins on this line, and
// where its colon is.
func fieldName(line []byte) (name string, colon int) {
	colon = bytes.IndexByte(line, ':')
	if colon <= 0 || colon > 200 {
		return "", 0
	}
	n := bytes.TrimRight(line[:colon], " \t")
	for _, c := range n {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '=' {
			return "", 0
		}
	}
	return string(n), colon
}

// first returns the value of the first field of this name, unfolded.
func first(fields []Field, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return unfold(f.Value)
		}
	}
	return ""
}

// unfold joins the lines of a field (RFC 5322 section 2.2.3).
func unfold(s string) string {
	if strings.ContainsAny(s, "\r\n") {
		s = strings.NewReplacer("\r\n", "", "\n", "", "\r", "").Replace(s)
	}
	return strings.TrimSpace(s)
}

// splitParts cuts the body of a multipart at its boundary lines. closed
// reports whether the last one was there.
func splitParts(body []byte, boundary string) (parts [][]byte, closed bool) {
	mark := []byte("--" + boundary)
	begin := -1 // of the current part
	for at := 0; at < len(body); {
		end := len(body)
		if i := bytes.IndexByte(body[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if tail, ok := bytes.CutPrefix(body[at:end], mark); ok {
			tail = bytes.TrimRight(tail, " \t\r\n")
			last := string(tail) == "--"
			if last || len(tail) == 0 {
				if begin >= 0 {
					parts = append(parts, chomp(body[begin:at]))
				}
				if last || len(parts) > maxParts {
					return parts, last
				}
				begin = end
			}
		}
		at = end
	}
	if begin >= 0 && begin < len(body) {
		parts = append(parts, body[begin:])
	}
	return parts, false
}

// chomp takes off the line end before a boundary, which belongs to it (RFC
// 2046 section 5.1.1).
func chomp(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}

// guessBoundary finds the boundary of a multipart that doesn't name it, or
// names a wrong one: the first line that looks like one and comes again.
func guessBoundary(body []byte) string {
	for tries, rest := 0, body; len(rest) > 0 && tries < 10; {
		line, next, _ := bytes.Cut(rest, []byte("\n"))
		rest = next
		line = bytes.TrimRight(line, " \t\r")
		if len(line) < 4 || len(line) > 200 || !bytes.HasPrefix(line, []byte("--")) || bytes.HasSuffix(line, []byte("--")) {
			continue
		}
		tries++
		if bytes.Contains(next, append([]byte("\n"), line...)) {
			return string(line[2:])
		}
	}
	return ""
}
