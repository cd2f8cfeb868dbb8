package runner

import (
	"cmp"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// Enrollment is an enrollment as the host sees it. Its times are in UTC.
type Enrollment struct {
	ID        string
	Key       string // the host's own
	Kind      EnrollmentKind
	Link      string
	Mailbox   string
	Owner     string
	Actor     string
	Recipient provider.Address
	Sequence  string // Sequence.ID
	Version   int    // Sequence.Version

	Status    Status
	Reason    string // what ended or holds it, in words; empty while all is well
	Hold      string // why it is held, in the words of Explain; empty if it isn't
	Barred    Bar    // what keeps it from its link, beside the link's own trouble; empty is nothing
	From      string // the alias it is sent from; empty is the mailbox's own address
	Flagged   bool   // a person should look at the conversation
	StepsSent int

	// Conversation is the enrollment in whose conversation its mails are: its
	// own ID, and of a reply that of what it answers.
	Conversation string

	InFlight bool      // a mail is on its way or its outcome is not known
	Crossed  int       // the step that crossed with an answer, or zero
	Due      time.Time // when it next needs work; zero is never
	Created  time.Time
}

// EnrollmentKind is what began an enrollment. Its values are stored and never
// change.
type EnrollmentKind string

// The kinds of enrollment.
const (
	KindDrip    EnrollmentKind = "drip"    // Enroll
	KindMail    EnrollmentKind = "mail"    // Send
	KindPreview EnrollmentKind = "preview" // Preview
	KindReply   EnrollmentKind = "reply"   // Reply
)

// Status is where an enrollment stands. Its values are stored and never change.
type Status string

// The statuses of an enrollment.
const (
	StatusActive       Status = "active"
	StatusHeld         Status = "held"
	StatusCompleted    Status = "completed"
	StatusReplied      Status = "replied"
	StatusBounced      Status = "bounced"
	StatusUnsubscribed Status = "unsubscribed"
	StatusTookOver     Status = "took_over"
	StatusRejected     Status = "rejected"
	StatusStopped      Status = "stopped"
)

// damagedView is what can be told of a record that can't be read.
func damagedView(row store.Enrollment) Enrollment {
	return Enrollment{
		ID: row.ID, Key: hostKey(row), Kind: EnrollmentKind(row.Kind), Link: row.Link, Mailbox: row.Mailbox, Owner: row.Owner, Actor: row.Actor,
		Recipient: provider.Address{Addr: row.Recipient}, Status: StatusHeld, Flagged: true, Created: row.Created.UTC(),
		Reason: "its record can't be read", Hold: "its record can't be read",
	}
}

func (r *Runner) view(l *loaded) Enrollment {
	e := Enrollment{
		ID: l.row.ID, Key: hostKey(l.row), Kind: EnrollmentKind(l.row.Kind),
		Link: l.row.Link, Mailbox: l.row.Mailbox, Owner: l.row.Owner, Actor: l.row.Actor,
		Conversation: l.conversation(), Recipient: l.rec.To, From: l.rec.From, Sequence: l.seq.ID, Version: l.seq.Version,
		Status: l.status(), Flagged: l.row.Flagged, StepsSent: len(l.rec.Mails),
		InFlight: l.st.Open != 0, Crossed: int(l.st.Crossed), Due: l.row.Due.UTC(), Created: l.row.Created.UTC(),
	}
	if e.Status == StatusHeld {
		e.Hold, e.Barred = l.rec.Hold, l.rec.Barred
	}
	e.Reason = cmp.Or(l.rec.Ended, e.Hold)
	return e
}
