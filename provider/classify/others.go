package classify

import (
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// meeting knows Exchange's class and the text/calendar body of other
// services. A person's mail may carry a calendar file, so an attached one
// counts only under a subject that answers.
func meeting(m *message) (Verdict, bool) {
	if strings.HasPrefix(m.env.Class, "IPM.Schedule.Meeting") {
		return Verdict{Class: Meeting, Evidence: "Exchange message class"}, true
	}
	if strings.HasPrefix(m.env.ContentType, "text/calendar") {
		return Verdict{Class: Meeting, Evidence: "Content-Type"}, true
	}
	if m.msg != nil && answersInvitation(m.subject) {
		for _, a := range m.msg.Attachments {
			if strings.HasPrefix(strings.ToLower(a.ContentType), "text/calendar") {
				return Verdict{Class: Meeting, Evidence: "calendar part and Subject"}, true
			}
		}
	}
	return Verdict{}, false
}

// answersInvitation knows the first word of the subjects that calendars make.
func answersInvitation(subject string) bool {
	word, _, ok := strings.Cut(subject, ":")
	if !ok {
		return false
	}
	switch word {
	case "accepted", "declined", "tentative", "tentatively accepted", "invitation", "updated invitation", "canceled", "cancelled", "new time proposed",
		"zugesagt", "abgesagt", "mit vorbehalt", "angenommen", "abgelehnt", "einladung", "accepté", "acceptée", "refusé", "refusée", "provisoire", "aceptada", "aceptado",
		"rechazada", "rechazado", "provisional", "accettato", "rifiutato", "provvisorio", "aceite", "aceito", "recusado", "geaccepteerd", "geweigerd", "voorlopig",
		"zaakceptowano", "odrzucono", "accepterat", "accepteret", "akseptert", "hyväksytty", "принято", "отклонено", "承諾", "已接受", "수락":
		return true
	}
	return false
}

// list takes list headers as a list's only where nothing is being answered:
// a person may write through a group address.
func list(m *message) (Verdict, bool) {
	answers := len(m.env.InReplyTo) > 0 || len(m.env.References) > 0
	for _, name := range []string{"List-Id", "List-Unsubscribe", "Feedback-Id"} {
		switch {
		case m.header(name) == "":
		case !answers:
			return Verdict{Class: List, Evidence: name}, true
		case name == "List-Id":
			return Verdict{Class: Unsure, Evidence: "List-Id on an answer"}, true
		}
	}
	return Verdict{}, false
}

// notice finds what a mail system writes of its own accord, and what no rule
// can say more about.
func notice(m *message) (Verdict, bool) {
	switch m.header("X-Ms-Exchange-Generated-Message-Source") {
	case "", "Mailbox Rules Agent":
		return Verdict{}, false
	}
	return Verdict{Class: Unsure, Evidence: "X-MS-Exchange-Generated-Message-Source"}, true
}

func (m *message) system() bool { return provider.IsSystemSender(m.env.From) }
