package mimemsg

import (
	"html"
	"regexp"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// enhancedStatus is an enhanced status code of a failure (RFC 3463).
var enhancedStatus = regexp.MustCompile(`\b[45]\.\d{1,3}\.\d{1,3}\b`)

// textReport reads a delivery report that has no part for programs, as
// Exchange writes its own: an address alone on a line, the answer of a server
// within the next lines, and further down the header lines of the mail. The
// words around them are in the reader's language and tell nothing. Nil is
// that no recipient was found.
func textReport(text string) *provider.Report {
	lines := textLines(text)
	rep := &provider.Report{Type: "delivery-status"}
	for i, line := range lines {
		if len(rep.Recipients) == maxParts {
			break
		}
		addr := loneAddress(line)
		if addr == "" {
			continue
		}
		for _, next := range lines[i+1 : min(i+4, len(lines))] {
			if loneAddress(next) != "" {
				break
			}
			if status := enhancedStatus.FindString(next); status != "" {
				action := "failed"
				if status[0] == '4' {
					action = "delayed"
				}
				rep.Recipients = append(rep.Recipients, provider.RecipientReport{
					Final: addr, Action: action, Status: status, Diagnostic: next,
				})
				break
			}
		}
	}
	if len(rep.Recipients) == 0 {
		return nil
	}
	for i, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch {
		case rep.OriginalMessageID == "" && strings.EqualFold(name, "Message-ID"):
			if value == "" && i+1 < len(lines) { // folded before the id
				value = lines[i+1]
			}
			rep.OriginalMessageID = firstID(value)
		case rep.OriginalKey == "" && strings.EqualFold(name, provider.KeyHeader):
			rep.OriginalKey = clean(value)
		case rep.OriginalTo == nil && strings.EqualFold(name, "To"):
			rep.OriginalTo = addresses(value)
		}
	}
	return rep
}

// textLines returns the lines that are not empty, trimmed.
func textLines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// loneAddress returns the address that a line consists of, in brackets or
// followed by itself as a link.
func loneAddress(line string) string {
	if len(line) > 600 || !strings.Contains(line, "@") {
		return ""
	}
	line = strings.Trim(line, "<>()[]'\" \t.,;:")
	if i := strings.IndexAny(line, "<("); i > 0 { // carol@example.org<mailto:carol@example.org>
		line = strings.TrimSpace(line[:i])
	}
	if strings.ContainsAny(line, " \t/:=") {
		return ""
	}
	return provider.Normalize(line)
}

// lineTags begin a new line where HTML is shown.
var lineTags = regexp.MustCompile(`(?i)<(br|/p|/div|/tr|/td|/li|/h[1-6]|/pre)\b[^>]*>`)

var anyTag = regexp.MustCompile(`<[^>]*>`)

// htmlLines is the text of a report that has only HTML.
func htmlLines(s string) string {
	return html.UnescapeString(anyTag.ReplaceAllString(lineTags.ReplaceAllString(s, "\n"), ""))
}
