package classify

import (
	"strings"

	"github.com/outreachkit/outreach/provider"
)

const (
	deliveryStatus  = "delivery-status"
	dispositionNote = "disposition-notification"
	feedbackReport  = "feedback-report"
)

// report finds delivery reports, receipts and feedback. A report attached to
// a person's mail is that person's mail: only the message's own type counts.
func report(m *message) (Verdict, bool) {
	switch m.reportType() {
	case dispositionNote:
		return Verdict{Class: Receipt, Evidence: "report-type"}, true
	case feedbackReport:
		return feedback(m, "report-type"), true
	case deliveryStatus:
		return fromStatus(m, "report-type"), true
	}
	class := strings.ToUpper(m.env.Class)
	switch {
	case strings.HasPrefix(class, "REPORT.") && (strings.HasSuffix(class, ".NDR") || strings.HasSuffix(class, ".DELAYED")):
		return fromStatus(m, "Exchange message class"), true
	case strings.HasPrefix(class, "REPORT."):
		return Verdict{Class: Receipt, Evidence: "Exchange message class"}, true
	case m.header("X-Failed-Recipients") != "":
		return fromStatus(m, "X-Failed-Recipients"), true
	case strings.HasPrefix(m.subject, "complaint about message from ") && m.holdsMail():
		return feedback(m, "Subject and the mail that is returned"), true
	}
	return freeForm(m)
}

// freeForm finds delivery reports that call themselves none. No one sign is
// enough but the sender's own address: people write about failed mail too,
// and mail systems about other things.
func freeForm(m *message) (Verdict, bool) {
	local, _, _ := strings.Cut(firstAddr(m.env.From), "@")
	if local == "mailer-daemon" || strings.HasPrefix(local, "microsoftexchange329e") {
		if automaticSubject(m.subject) || challengeWords.has(m.text) || awayWords.has(m.subject) {
			return Verdict{}, false
		}
		return fromStatus(m, "system sender"), true
	}
	if m.system() && !answers(m.subject) && (limitReached(m.subject) || limitReached(m.text)) {
		return fromStatus(m, "system sender and wording"), true
	}
	subject := !answers(m.subject) && bounceWords.has(m.subject)
	told := m.msg != nil && m.msg.Report != nil && m.msg.Report.Type == deliveryStatus
	switch {
	case told && (subject || bounceWords.has(m.text) || m.failedWithCode()):
		return fromStatus(m, "a mail system's own words"), true
	case !m.system() && !m.nullSender() && len(m.env.From) > 0 && !m.autoSubmitted():
		return Verdict{}, false
	case subject && !automaticSubject(m.subject) && (told || m.system() || m.nullSender() || len(m.env.From) == 0 || bounceWords.has(m.text)):
		return fromStatus(m, "machine-sent, and Subject"), true
	case (m.nullSender() || len(m.env.From) == 0 || m.system()) && bounceWords.has(m.text) && !awayWords.has(m.text) && !answers(m.subject):
		return fromStatus(m, "null return path or system sender, and wording"), true
	}
	return Verdict{}, false
}

// limitReached reports whether a text says that the sending account is at its
// limit.
func limitReached(text string) bool {
	found := false
	failureWords.find(text, func(h hit[reason]) bool {
		found = h.tag == accountLimit
		return !found
	})
	return found
}

// failedWithCode reports whether the report names a recipient with a status.
func (m *message) failedWithCode() bool {
	for _, r := range m.msg.Report.Recipients {
		if r.Status != "" || replyClass(r.Diagnostic) != 0 {
			return true
		}
	}
	return false
}

func (m *message) holdsMail() bool {
	if m.msg != nil {
		for _, a := range m.msg.Attachments {
			if a.ContentType == "message/rfc822" {
				return true
			}
		}
	}
	return false
}

func (m *message) reportType() string {
	ct := strings.ToLower(m.env.ContentType)
	if !strings.HasPrefix(ct, "multipart/report") {
		return ""
	}
	if m.msg != nil && m.msg.Report != nil && m.msg.Report.Type != "" {
		return m.msg.Report.Type
	}
	if _, params, ok := strings.Cut(ct, "report-type="); ok {
		kind, _, _ := strings.Cut(params, ";")
		return strings.Trim(strings.TrimSpace(kind), `"`)
	}
	return ""
}

// feedback judges a report of what became of a mail after it arrived. RFC
// 5965 section 7.3 and RFC 6430 have the types that a person causes; those
// that programs cause, such as auth-failure and not-spam, are no complaints.
func feedback(m *message, evidence string) Verdict {
	v := Verdict{Class: FeedbackReport, Evidence: evidence, Complaint: true}
	if m.msg == nil || m.msg.Report == nil {
		return v
	}
	switch m.msg.Report.Feedback {
	case "auth-failure", "dkim", "not-spam", "virus", "other", "miscategorized":
		v.Complaint = false
	}
	return v
}

// fromStatus reads whom a report names and how it ended for them.
func fromStatus(m *message, evidence string) Verdict {
	v := Verdict{Class: Bounce, Evidence: evidence}
	late := lateWords.has(m.subject) || strings.HasSuffix(strings.ToUpper(m.env.Class), ".DELAYED")
	coded := strings.HasPrefix(m.env.ContentType, "multipart/report")
	failed, delivered := false, false
	for _, r := range m.recipients() {
		action := r.Action
		if !coded && action != "failed" && (late || lateWords.has(m.text)) {
			action = "delayed"
		} else if !coded && action == "delayed" {
			action = "failed" // the words say nothing of another try
		}
		switch action {
		case "failed", "", "delayed":
			f := m.judge(r, action == "delayed")
			failed = failed || action != "delayed"
			v.Failed = append(v.Failed, f)
		default: // delivered, relayed, expanded
			delivered = true
		}
	}
	switch {
	case failed:
	case len(v.Failed) > 0, late && !delivered:
		v.Class = Delayed
	case delivered:
		v.Class = Receipt
	case m.system():
		// A notice that the account's own limit is reached names nobody.
		if f := failure("", "", m.text[:min(len(m.text), maxDiagnosis)], "", false); f.Kind == Limit {
			v.Failed = []Failure{f}
		}
	}
	return v
}

// recipients are those that the report or, without one, its header names.
func (m *message) recipients() []provider.RecipientReport {
	var out []provider.RecipientReport
	if m.msg != nil && m.msg.Report != nil && m.msg.Report.Type == deliveryStatus {
		out = m.msg.Report.Recipients
	}
	failed := m.header("X-Failed-Recipients")
	for addr := range strings.SplitSeq(failed[:min(len(failed), 8<<10)], ",") {
		if addr = provider.Normalize(addr); addr == "" || len(out) > maxFailed || names(out, addr) {
			continue
		}
		// What the text says of anybody is said of the one that failed.
		out = append(out[:len(out):len(out)], provider.RecipientReport{Final: addr, Diagnostic: m.text[:min(len(m.text), maxDiagnosis)]})
	}
	return out[:min(len(out), maxFailed)]
}

// maxFailed bounds the recipients of one report that are told.
const maxFailed = 100

func names(list []provider.RecipientReport, addr string) bool {
	for _, r := range list {
		if provider.Normalize(r.Final) == addr || provider.Normalize(r.Original) == addr {
			return true
		}
	}
	return false
}

// judge is failure with the words for people, where those for programs say
// nothing.
func (m *message) judge(r provider.RecipientReport, late bool) Failure {
	addr := r.Final
	if provider.Normalize(addr) == "" {
		addr = r.Original
	}
	around := m.around(addr)
	said := normalize(r.Diagnostic, maxDiagnosis)
	f := failure(addr, r.Status, said, around, late)
	if f.Kind == Unclear && len(m.report().Recipients) <= 1 && m.text != "" {
		said += " " + m.text
		f = failure(addr, f.Status, said[:min(len(said), maxDiagnosis)], "", late)
	}
	return f
}

// around returns what the text says near an address: all of it where the
// report names no other, else no further than the next address, for the
// refusal of one recipient tells nothing of another's.
func (m *message) around(addr string) string {
	text := m.text[:min(len(m.text), 2*maxDiagnosis)]
	if len(m.report().Recipients) <= 1 {
		return text
	}
	addr = strings.ToLower(addr)
	_, text, _ = strings.Cut(text, addr)
	text = text[:min(len(text), maxAround)]
	for from := 0; ; {
		i := strings.IndexByte(text[from:], '@')
		if i < 0 {
			return text
		}
		i += from
		if begin := strings.LastIndexAny(text[:i], " <(,;:") + 1; !strings.HasPrefix(text[begin:], addr) {
			return text[:begin]
		}
		from = i + 1
	}
}

// maxAround bounds what is read around one address of several, in bytes.
const maxAround = 600

var noReport provider.Report

func (m *message) report() *provider.Report {
	if m.msg == nil || m.msg.Report == nil {
		return &noReport
	}
	return m.msg.Report
}
