package classify

import (
	"regexp"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

const (
	deliveryStatus  = "delivery-status"
	dispositionNote = "disposition-notification"
)

// report finds delivery reports and receipts. A report attached to a
// person's mail is that person's mail: only the message's own type counts.
func report(m message) (Verdict, bool) {
	kind := m.reportType()
	switch kind {
	case dispositionNote:
		return Verdict{Class: Receipt, Evidence: "report-type"}, true
	case deliveryStatus:
		return fromStatus(m, "report-type"), true
	}
	switch {
	case strings.HasPrefix(m.env.Class, "REPORT.IPM.Note.NDR"):
		return fromStatus(m, "Exchange message class"), true
	case strings.HasPrefix(m.env.Class, "REPORT.IPM.Note"):
		return Verdict{Class: Receipt, Evidence: "Exchange message class"}, true
	case m.header("X-Failed-Recipients") != "":
		return fromStatus(m, "X-Failed-Recipients"), true
	case provider.IsSystemSender(m.env.From):
		return fromStatus(m, "system sender"), true
	}
	return Verdict{}, false
}

func (m message) reportType() string {
	ct := strings.ToLower(m.env.ContentType)
	if !strings.HasPrefix(ct, "multipart/report") {
		return ""
	}
	if _, params, ok := strings.Cut(ct, "report-type="); ok {
		params = strings.Trim(params, `"`)
		kind, _, _ := strings.Cut(params, ";")
		return strings.Trim(strings.TrimSpace(kind), `"`)
	}
	if m.msg != nil && m.msg.Report != nil {
		return m.msg.Report.Type
	}
	return ""
}

// fromStatus reads whom a report names and how it ended for them.
func fromStatus(m message, evidence string) Verdict {
	v := Verdict{Class: Bounce, Evidence: evidence}
	delayed, delivered := false, false
	if m.msg != nil && m.msg.Report != nil {
		for _, r := range m.msg.Report.Recipients {
			f := failure(r.Final, r.Status, r.Diagnostic)
			if f.Recipient == "" {
				f.Recipient = r.Original
			}
			switch r.Action {
			case "failed", "":
				v.Failed = append(v.Failed, f)
			case "delayed":
				delayed = true
			default: // delivered, relayed, expanded
				delivered = true
			}
		}
	}
	if len(v.Failed) > 0 {
		return v
	}
	for addr := range strings.SplitSeq(m.header("X-Failed-Recipients"), ",") {
		if addr = provider.Normalize(addr); addr != "" {
			v.Failed = append(v.Failed, failure(addr, "", m.text()))
		}
	}
	switch {
	case delayed, isDelayNotice(m):
		v.Class, v.Failed = Delayed, nil
	case len(v.Failed) > 0:
	case delivered:
		v.Class = Receipt
	case limitText(m.text()) && provider.IsSystemSender(m.env.From):
		// A notice that the account's own limit is reached names nobody.
		v.Failed = []Failure{{Limit: true}}
	}
	return v
}

func isDelayNotice(m message) bool {
	subject := strings.ToLower(m.env.Subject)
	return strings.Contains(subject, "(delay)") || strings.HasPrefix(subject, "warning: could not send message") ||
		strings.Contains(subject, "delivery delayed") || strings.HasPrefix(subject, "delayed:")
}

// enhanced finds an enhanced status code (RFC 3463) in free text.
var enhanced = regexp.MustCompile(`\b([245]\.\d{1,3}\.\d{1,3})\b`)

// failure judges one recipient. The group's Status is often only 5.0.0 while
// the remote server's own code stands in the diagnostic, so the more specific
// of the two counts.
func failure(recipient, status, diagnostic string) Failure {
	f := Failure{Recipient: recipient, Status: status}
	if status == "" || strings.HasSuffix(status, ".0.0") {
		if m := enhanced.FindStringSubmatch(diagnostic); m != nil {
			f.Status = m[1]
		}
	}
	text := strings.ToLower(diagnostic)
	f.Limit = limitCodes[f.Status] || limitText(text)
	switch {
	case f.Limit, strings.HasPrefix(f.Status, "4."):
	case hardCodes[f.Status]:
		f.Hard = !softText(text)
	case f.Status == "" || strings.HasSuffix(f.Status, ".0.0") || f.Status == "5.5.0":
		f.Hard = unknownUser(text)
	}
	return f
}

// hardCodes are the codes that speak of the address itself.
var hardCodes = map[string]bool{
	"5.1.0": true, "5.1.1": true, "5.1.2": true, "5.1.3": true, "5.1.6": true, "5.1.10": true, "5.4.4": true,
}

// limitCodes are Exchange Online's refusals of the sender: too many
// recipients a day, blocked for spam, the tenant blocked, its external limit.
var limitCodes = map[string]bool{
	"5.1.90": true, "5.1.8": true, "5.1.91": true, "5.7.705": true, "5.7.708": true, "5.7.232": true, "5.7.233": true,
}

func limitText(text string) bool {
	return containsAny(strings.ToLower(text), "you have reached a limit for sending mail", "daily user sending limit exceeded",
		"daily sending quota exceeded", "exceeded your sending limit")
}

func unknownUser(text string) bool {
	return containsAny(text, "user unknown", "unknown user", "no such user", "user not found", "unknown recipient", "recipient not found",
		"does not exist", "doesn't exist", "address not found", "no mailbox here", "mailbox unavailable", "invalid recipient",
		"unrouteable address", "host not found", "domain not found", "no such address", "account has been disabled")
}

// softText are the words of a passing trouble behind a code that says
// otherwise.
func softText(text string) bool {
	return containsAny(text, "mailbox full", "mailbox is full", "over quota", "quota exceeded", "temporarily", "greylist",
		"try again", "spam", "blocked", "blacklist", "policy", "reputation")
}

func containsAny(text string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
