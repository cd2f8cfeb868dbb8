package runner

// Errors of enrolling and of control, matched with errors.Is.
const (
	ErrSelfRecipient = Error("the recipient is the sender's own address")
	ErrNotAllowed    = Error("the actor may not send over this link: it is another's, and Config.MayAct does not allow it")
	ErrKeyTaken      = Error("the key belongs to a different enrollment")
	ErrSuppressed    = Error("the recipient asked for no more mail, or was erased, and is not written to again")
	ErrAbilities     = Error("the link's access is too narrow for this sequence")
	ErrNotFound      = Error("no such enrollment")
	ErrNoDecision    = Error("nothing waits for a decision")
)

// ErrChannelClosed is what a closed Channel answers to events. They stay in
// the outbox, for the next process.
const ErrChannelClosed = Error("the channel of events is closed; they stay in the outbox")

// Error is the type of this package's constant errors.
type Error string

func (e Error) Error() string { return "runner: " + string(e) }
