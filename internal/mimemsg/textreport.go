package mimemsg

import (
	"html"
	"regexp"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// The bounds of reading a report that is written for people.
const (
	maxReportText  = 256 << 10 // bytes that are looked at
	maxReportLines = 400       // lines before the returned mail
	maxDiagnostic  = 1500      // bytes that are kept of what is said of one recipient
	maxSpan        = 16        // lines
)

// enhancedStatus is an enhanced status code of a failure (RFC 3463).
var enhancedStatus = regexp.MustCompile(`\b[45]\.\d{1,3}\.\d{1,3}\b`)

// replyCode is a reply of a mail server that refuses (RFC 5321 section 4.2).
var replyCode = regexp.MustCompile(`(?:^|[^\d.\[])([45][0-5]\d)(?:[ \-:]|$)`)

// textReport reads a delivery report that has no part for programs, as
// Exchange, qmail, Exim, old sendmail and many gateways write theirs: the
// addresses that stand where failed ones do, what the servers answered near
// them, and further down the mail that is returned, or its header. own are
// the addresses that the report was sent to; they have not failed. The words
// for people are in any language and count for nothing here. Nil is that
// neither a recipient nor the mail was found.
func textReport(text string, own []provider.Address) *provider.Report {
	if len(text) > maxReportText {
		text = text[:maxReportText]
	}
	rep := &provider.Report{Type: "delivery-status"}
	words, returned := cutReturned(text, rep)
	if at := statusFields(words); at >= 0 {
		r := reader{msg: &provider.Message{Report: rep}}
		r.status([]byte(words[at:]))
	}
	if len(rep.Recipients) == 0 {
		rep.Recipients = failedIn(textLines(words), own)
	}
	cite(rep, returned)
	if len(rep.Recipients) == 0 && rep.OriginalMessageID == "" && rep.OriginalKey == "" {
		return nil
	}
	return rep
}

// statusFields returns where the fields of a delivery status begin that
// stand in the text, or -1.
func statusFields(text string) int {
	at := lineWith(text, "final-recipient:")
	if at < 0 {
		return -1
	}
	if mta := lineWith(text, "reporting-mta:"); mta >= 0 && mta < at {
		return mta
	}
	// Some begin with another field, but never far above.
	for _, name := range []string{"action:", "original-recipient:"} {
		if other := lineWith(text, name); other >= 0 && other < at && at-other < 300 {
			at = other
		}
	}
	return at
}

// lineWith returns where the first line begins that starts with this name in
// lower case, or -1.
func lineWith(text, name string) int {
	at := 0
	for line := range strings.Lines(text) {
		if len(line) > len(name) && strings.EqualFold(line[:len(name)], name) {
			return at
		}
		at += len(line)
	}
	return -1
}

// cite reads the header lines of the mail that a report is about.
func cite(rep *provider.Report, returned string) {
	lines := textLines(returned)
	for i, line := range lines[:min(len(lines), maxReportLines)] {
		name, value, ok := strings.Cut(strings.TrimLeft(line, "> "), ":")
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
}

// failedIn finds whom a report names, and what it says of them.
func failedIn(lines []string, own []provider.Address) []provider.RecipientReport {
	if len(lines) > maxReportLines {
		lines = lines[:maxReportLines]
	}
	found := namedIn(lines, own)
	var out []provider.RecipientReport
	index := make(map[string]int)
	for i, n := range found {
		end := min(len(lines), n.line+maxSpan)
		if i+1 < len(found) && found[i+1].line > n.line {
			end = min(end, found[i+1].line)
		}
		said := oneLine(lines[n.line:end])
		at, again := index[n.key]
		switch {
		case !again && len(out) == maxParts:
		case !again:
			index[n.key] = len(out)
			out = append(out, provider.RecipientReport{Final: n.addr, Diagnostic: said})
		case !hasCode(out[at].Diagnostic): // named before what was answered
			out[at].Diagnostic = oneLine([]string{said, out[at].Diagnostic})
		}
	}
	coded := codedLines(lines)
	for i := range out {
		rec := &out[i]
		if !hasCode(rec.Diagnostic) {
			rec.Diagnostic = oneLine(append(linesOn(lines, coded, rec.Final, len(out) == 1), rec.Diagnostic))
		}
		rec.Status = enhancedStatus.FindString(rec.Diagnostic)
		code := ""
		if m := replyCode.FindStringSubmatch(rec.Diagnostic); m != nil {
			code = m[1]
		}
		switch {
		case code != "" && code[0] == '5', code == "" && strings.HasPrefix(rec.Status, "5"):
			rec.Action = "failed"
		case code != "" || rec.Status != "":
			rec.Action = "delayed"
		}
	}
	return out
}

func hasCode(s string) bool { return enhancedStatus.MatchString(s) || replyCode.MatchString(s) }

// codedLines returns which lines have a code.
func codedLines(lines []string) []int {
	var out []int
	for i, line := range lines {
		if hasCode(line[:min(len(line), maxDiagnostic)]) {
			out = append(out, i)
		}
	}
	return out
}

// linesOn returns of the lines with a code those that speak of this address
// or, where it is the only one, of anything.
func linesOn(lines []string, coded []int, addr string, only bool) []string {
	var out []string
	for _, i := range coded {
		if len(out) < 4 && (only || strings.Contains(lines[i], addr) || i > 0 && strings.Contains(lines[i-1], addr)) {
			out = append(out, lines[i])
		}
	}
	return out
}

// oneLine joins the lines of what is said of a recipient.
func oneLine(lines []string) string {
	s := strings.Join(lines, " ")
	if len(s) > maxDiagnostic {
		s = strings.ToValidUTF8(s[:maxDiagnostic], "")
	}
	return s
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

// lineTags begin a new line where HTML is shown.
var lineTags = regexp.MustCompile(`(?i)<(br|/p|/div|/tr|/td|/li|/h[1-6]|/pre)\b[^>]*>`)

var anyTag = regexp.MustCompile(`<[^>]*>`)

// htmlLines is the text of a report that has only HTML.
func htmlLines(s string) string {
	if len(s) > maxReportText {
		s = s[:maxReportText]
	}
	return html.UnescapeString(anyTag.ReplaceAllString(lineTags.ReplaceAllString(s, "\n"), ""))
}
