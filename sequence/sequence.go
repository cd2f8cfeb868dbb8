package sequence

import (
	"fmt"
	"time"
)

// MaxSteps is how many steps a sequence may have, because a State keeps
// what became of each step as one bit of a 64-bit word.
const MaxSteps = 64

// StepID is a step's stable number, 1 to MaxSteps, unique in its sequence.
// It is what a State remembers a step by, so that an edited sequence reaches
// the people already enrolled: keep the number of a step whose words change,
// give a new step a number never used before.
type StepID uint8

// Sequence is an immutable list of steps and the rules they are sent by.
// Treat a Sequence as a value: nothing in this package keeps or changes one,
// and many goroutines may use one at once.
//
// Its JSON is a storage format: the runner keeps it, and its hash, with every
// enrollment. So the names in it never change. A zero field is left out, and so
// must a field be that is added: what is stored keeps its hash. Durations are in
// nanoseconds, and Window.Days is a sum of bits, Sunday 1 to Saturday 64.
type Sequence struct {
	// ID and Version name the sequence to the host. The engine reads neither.
	ID      string `json:"id,omitempty"`
	Version int    `json:"version,omitempty"`

	// Steps are the mails, in the order in which they leave.
	Steps []Step `json:"steps"`

	// Zone is the IANA name of the time zone that Window and Step.Days are
	// read in where the enrollment names none of its own. Empty is UTC. The
	// engine resolves no names: whoever calls it does, and hands over a
	// Calendar.
	Zone string `json:"zone,omitempty"`

	// Window is when mail may leave. The zero Window is always.
	Window Window `json:"window,omitzero"`

	// AutoReplyHold is how long an out-of-office answer without a return
	// date holds the drip. Zero is DefaultAutoReplyHold.
	AutoReplyHold time.Duration `json:"auto_reply_hold,omitempty"`

	// HoldUnknown leaves every send whose outcome is not known to a person,
	// instead of asking the mailbox and sending again what provably was not
	// sent.
	HoldUnknown bool `json:"hold_unknown,omitempty"`

	// Independent keeps an answer to another sequence from stopping this one.
	Independent bool `json:"independent,omitempty"`

	// KeepGoing lets the drip go on when its sender writes in the thread by
	// hand. Without it that ends the drip: a person took over.
	KeepGoing bool `json:"keep_going,omitempty"`

	// AcceptThreadOnly allows enrolling over a link that sees answers in the
	// thread only, and misses those that come as a new mail.
	AcceptThreadOnly bool `json:"accept_thread_only,omitempty"`

	// AcceptBlind allows follow-ups over a link that can't read at all: the
	// host reports the answers itself.
	AcceptBlind bool `json:"accept_blind,omitempty"`
}

// DefaultAutoReplyHold is the wait after an out-of-office answer that names
// no return date.
const DefaultAutoReplyHold = 7 * 24 * time.Hour

// Step is one mail of a sequence.
type Step struct {
	// ID is the step's stable number.
	ID StepID `json:"id"`

	// Days and After are the wait since the previous step's mail left, or
	// since enrollment for the first step: Days whole calendar days at the
	// same time of day in the Calendar's zone, then After. Neither is negative.
	Days  int           `json:"days,omitempty"`
	After time.Duration `json:"after,omitempty"`

	// Subject, Text and HTML are the mail's words, in the syntax of the
	// host's renderer. The engine reads none of them. A step without a
	// Subject answers the previous step's mail in its thread; the first step
	// must have one.
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text,omitempty"`
	HTML    string `json:"html,omitempty"`
}

// Weekdays is a set of days of the week.
type Weekdays uint8

// Weekday sets for Window.
const (
	Sunday Weekdays = 1 << iota
	Monday
	Tuesday
	Wednesday
	Thursday
	Friday
	Saturday

	Workdays = Monday | Tuesday | Wednesday | Thursday | Friday
)

// Window is the part of the week in which mail may leave, in the Calendar's
// zone.
type Window struct {
	// Days are the days on which mail may leave. None set is every day.
	Days Weekdays `json:"days,omitempty"`

	// From and To are times of day as a duration since local midnight on the
	// wall clock, in whole minutes; To is exclusive. Both zero is the whole
	// day. From must be less than To: a window does not cross midnight.
	From time.Duration `json:"from,omitempty"`
	To   time.Duration `json:"to,omitempty"`
}

// Calendar turns the engine's rules into instants.
type Calendar struct {
	// Zone is where days begin and windows open. Nil is UTC.
	Zone *time.Location
}

// ErrInvalid matches, with errors.Is, every error that says a value handed
// in can't be used.
const ErrInvalid = Error("sequence: invalid value")

// Error is the type of this package's constant errors.
type Error string

func (e Error) Error() string { return string(e) }

// FieldError names the field at fault and what is wrong with it. It matches
// ErrInvalid.
type FieldError struct {
	Field   string // as a path: Steps[2].Days
	Problem string // what is wrong, and what would be right
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("sequence: %s: %s", e.Field, e.Problem)
}

// Is reports whether target is ErrInvalid.
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }
