package story

import (
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
)

const day = 24 * time.Hour

// begin is a Tuesday morning in Lisbon.
var begin = time.Date(2026, 9, 1, 8, 30, 0, 0, time.UTC)

// enrolled is when the preview has been looked at at the latest, and mail that
// is none of ours begins to come in. The story ends a span later.
var enrolled = begin.Add(3 * time.Hour)

// candidate is one of the cast.
type candidate struct {
	name, addr string
	role       string // what they are here to show
	zone       string
	behalf     bool // enrolled by a colleague of the sender's
	loseSend   int  // the answer to this send of theirs is lost on the way
	does       []postoffice.Behaviour
}

func cast() []candidate {
	return []candidate{
		{name: "Anna Berg", addr: "anna.berg@example.net", role: "answers in the thread",
			does: []postoffice.Behaviour{{Do: postoffice.Answer, On: 1, After: 26 * time.Hour, Text: "Hello Maria,\n\nthat sounds good. Can we talk on Thursday?\n\nAnna"}}},
		{name: "Ben Okafor", addr: "ben.okafor@example.org", role: "answers from another address",
			does: []postoffice.Behaviour{{Do: postoffice.Answer, On: 2, After: 3 * time.Hour, From: "ben.private@example.net", Text: "Please write to this address. I am interested."}}},
		{name: "Chloé Martin", addr: "chloe.martin@example.net", role: "answers in a new mail", zone: "Europe/Paris",
			does: []postoffice.Behaviour{{Do: postoffice.AnswerNew, On: 1, After: 50 * time.Hour, Text: "Hi, a colleague of yours wrote to me about a role in Lisbon. Is it still open?"}}},
		{name: "Dev Patel", addr: "dev.patel@example.org", role: "is out of office, and gets the rest afterwards", zone: "Asia/Kolkata",
			does: []postoffice.Behaviour{{Do: postoffice.OutOfOffice, On: 1, After: time.Minute, Until: begin.Add(9 * day)}}},
		{name: "Elif Kaya", addr: "elif.kaya@example.org", role: "bounces",
			does: []postoffice.Behaviour{{Do: postoffice.Bounce, After: time.Minute}}},
		{name: "Finn Larsen", addr: "finn.larsen@example.net", role: "answers while the response to a send is lost", loseSend: 2,
			does: []postoffice.Behaviour{{Do: postoffice.Answer, On: 2, After: time.Minute, Text: "You caught me at a good moment. Yes, let us talk."}}},
		{name: "Grace Mbeki", addr: "grace.mbeki@example.net", role: "never answers", zone: "Africa/Johannesburg"},
		{name: "Hana Sato", addr: "hana.sato@example.org", role: "is written to on behalf of a colleague, and answers", behalf: true, zone: "Asia/Tokyo",
			does: []postoffice.Behaviour{{Do: postoffice.Answer, On: 2, After: 2 * time.Hour, Text: "Thank you for your patience. I would like to hear more."}}},
	}
}

// drip is the sequence: three mails on working days, in the recipient's zone.
func drip() *sequence.Sequence {
	return &sequence.Sequence{
		ID: "engineers-lisbon", Version: 1, Zone: "Europe/Lisbon",
		Window: sequence.Window{Days: sequence.Workdays, From: 9 * time.Hour, To: 17 * time.Hour},
		Steps: []sequence.Step{
			{ID: 1, Subject: "A role in Lisbon, {{.first}}?", Text: "Hello {{.first}},\n\nI read about your work and think of you for a role in Lisbon.\n\nMaria"},
			{ID: 2, Days: 3, Text: "Hello {{.first}},\n\ndid my mail reach you?\n\nMaria"},
			{ID: 3, Days: 4, Text: "Hello {{.first}},\n\na last word from me: the role is open until the end of the month.\n\nMaria"},
		},
	}
}

func (c candidate) address() provider.Address { return provider.Address{Name: c.name, Addr: c.addr} }
