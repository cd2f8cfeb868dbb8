package mimemsg

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
)

// decodeBody undoes a transfer encoding (RFC 2045 section 6) as far as that
// can be done. problem says what was wrong, or is empty.
func decodeBody(body []byte, transfer string) (out []byte, problem string) {
	transfer, _, _ = strings.Cut(strings.ToLower(transfer), ";")
	transfer, _, _ = strings.Cut(transfer, "(")
	switch strings.Trim(transfer, " \t\"'") {
	case "", "7bit", "8bit", "binary", "7-bit", "8-bit", "7bits", "8bits":
		return body, ""
	case "quoted-printable", "quoted printable":
		out, ok := decodeQuoted(body)
		if !ok {
			return out, "the quoted-printable text is broken"
		}
		return out, ""
	case "base64":
		return decodeBase64(body)
	}
	return body, "the transfer encoding is unknown"
}

// decodeQuoted leaves what is no escape as it stands.
func decodeQuoted(b []byte) (out []byte, ok bool) {
	out, ok = make([]byte, 0, len(b)), true
	for len(b) > 0 {
		line, rest, found := bytes.Cut(b, []byte("\n"))
		end := b[len(line) : len(b)-len(rest)]
		b = rest
		if found && bytes.HasSuffix(line, []byte("\r")) {
			line, end = line[:len(line)-1], []byte("\r\n")
		}
		line = bytes.TrimRight(line, " \t") // added on the way (rule 3)
		if soft, is := bytes.CutSuffix(line, []byte("=")); is {
			line, end = soft, nil
		}
		for {
			i := bytes.IndexByte(line, '=')
			if i < 0 {
				out = append(out, line...)
				break
			}
			out = append(out, line[:i]...)
			line = line[i:]
			if len(line) > 2 {
				if hi, lo := unhex(line[1]), unhex(line[2]); hi < 16 && lo < 16 {
					out = append(out, hi<<4|lo)
					line = line[3:]
					continue
				}
			}
			ok = false
			out = append(out, '=')
			line = line[1:]
		}
		out = append(out, end...)
	}
	return out, ok
}

// decodeBase64 leaves out what is no base64, decodes what was cut off up to
// where it was, and goes on after padding, since some programs join texts
// that were encoded apart.
func decodeBase64(b []byte) (out []byte, problem string) {
	out = make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	if n, err := base64.StdEncoding.Decode(out, b); err == nil { // line ends are skipped
		return out[:n], ""
	}
	out = out[:0]
	strange := 0
	acc, n := uint32(0), 0
	flush := func() {
		switch n {
		case 2:
			out = append(out, byte(acc>>4))
		case 3:
			out = append(out, byte(acc>>10), byte(acc>>2))
		}
		acc, n = 0, 0
	}
	for _, c := range b {
		var v byte
		switch {
		case 'A' <= c && c <= 'Z':
			v = c - 'A'
		case 'a' <= c && c <= 'z':
			v = c - 'a' + 26
		case '0' <= c && c <= '9':
			v = c - '0' + 52
		case c == '+':
			v = 62
		case c == '/':
			v = 63
		case c == '=':
			flush()
			continue
		case c == '\r' || c == '\n' || c == '\t':
			continue
		default:
			strange++
			continue
		}
		acc = acc<<6 | uint32(v)
		if n++; n == 4 {
			out = append(out, byte(acc>>16), byte(acc>>8), byte(acc))
			acc, n = 0, 0
		}
	}
	cut := n != 0
	flush()
	line, _, _ := bytes.Cut(bytes.TrimLeft(b, "\r\n"), []byte("\n"))
	if strange*20 > len(b) && bytes.ContainsAny(line, " .,:;!?<>'\"-_()@*&%$#") {
		return b, "the text says it is base64 and is not"
	}
	if cut {
		return out, "the base64 text is cut off"
	}
	return out, "the base64 text is broken"
}

// toUTF8 decodes with the named charset. Bytes that are not what they claim
// to be are taken for Windows-1252, which most often they are; ok is false
// then. An encoding of the web's list counts first: what mail calls
// ISO-8859-1 is Windows-1252.
func toUTF8(b []byte, charset string) (s string, ok bool) {
	charset = strings.ToLower(strings.Trim(charset, " \t\"'"))
	switch charset {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "default", "x-unknown":
		if utf8.Valid(b) {
			return string(b), true
		}
		return windows(b), false
	}
	if charset == "utf-7" || charset == "unicode-1-1-utf-7" {
		return fromUTF7(b)
	}
	enc := encodingOf(charset)
	if enc == nil {
		if utf8.Valid(b) {
			return string(b), false
		}
		return windows(b), false
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return windows(b), false
	}
	s = string(out)
	if !utf8.ValidString(s) {
		return strings.ToValidUTF8(s, "\uFFFD"), false
	}
	return s, true
}

func encodingOf(charset string) encoding.Encoding {
	if enc, err := htmlindex.Get(charset); err == nil && enc != encoding.Replacement {
		return enc
	}
	enc, err := ianaindex.MIME.Encoding(charset)
	if err != nil {
		return nil
	}
	return enc // nil if the name is known and the encoding is not
}

func windows(b []byte) string {
	out, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(out)
}

// fromUTF7 decodes UTF-7 (RFC 2152), which delivery reports of Microsoft's
// use and no library of ours knows.
func fromUTF7(b []byte) (s string, ok bool) {
	ok = true
	var out strings.Builder
	for len(b) > 0 {
		plain, rest, shifted := bytes.Cut(b, []byte("+"))
		if !utf8.Valid(plain) {
			plain, ok = []byte(windows(plain)), false
		}
		out.Write(plain)
		if !shifted {
			break
		}
		n := 0
		for n < len(rest) && strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", rest[n]) >= 0 {
			n++
		}
		units := make([]byte, base64.RawStdEncoding.DecodedLen(n))
		m, err := base64.RawStdEncoding.Decode(units, rest[:n])
		ok = ok && err == nil && (n > 0 || bytes.HasPrefix(rest, []byte("-")))
		if n == 0 {
			out.WriteByte('+')
		}
		var text []uint16
		for i := 0; i+1 < m; i += 2 {
			text = append(text, uint16(units[i])<<8|uint16(units[i+1]))
		}
		out.WriteString(string(utf16.Decode(text)))
		b = bytes.TrimPrefix(rest[n:], []byte("-"))
	}
	return out.String(), ok
}
