package sequence

// Instant is a point in time as nanoseconds since the Unix epoch, UTC. Zero
// means unset.
type Instant int64

// Status is where an enrollment stands.
type Status uint8

// The statuses. Completed and Stopped are terminal: no event leaves them.
const (
	StatusNone      Status = iota // the zero State, before EventEnrolled
	StatusActive                  // steps are still to be sent
	StatusCompleted               // every step is sent or skipped
	StatusStopped                 // ended early; State.Reason says why
)

// Reason is why an enrollment was stopped.
type Reason uint8

// The reasons of StatusStopped.
const (
	ReasonNone         Reason = iota
	ReasonReplied             // the recipient, or someone in the thread, answered
	ReasonBounced             // the address does not take mail
	ReasonUnsubscribed        // the recipient asked for no more
	ReasonTookOver            // the sender wrote in the thread by hand
	ReasonHost                // the host stopped it
	ReasonRejected            // the provider refuses this mail for good
)

// Holds is the set of what keeps an active enrollment from sending.
type Holds uint8

// The holds.
const (
	HoldPaused  Holds = 1 << iota // a person paused it; EventResumed ends it
	HoldReview                    // something unclear arrived; EventResumed ends it
	HoldMailbox                   // the mailbox can't be used; EventMailboxBack ends it
	HoldDecide                    // nobody can tell whether a mail left; EventSent or EventNotSent ends it
)

// State is one enrollment's run through its sequence. It is a plain value:
// compare with ==, copy freely. The zero State is an enrollment that has not
// begun.
type State struct {
	Status Status
	Reason Reason
	Holds  Holds

	// Open is the step whose mail is on its way: its intent is committed and
	// its outcome not yet. Zero is none. Only one is ever open.
	Open StepID

	// Unknown says that the outcome of Open is not known: the mailbox must
	// be asked before anything else happens.
	Unknown bool

	// Crossed is the step whose mail was found sent after the enrollment had
	// been stopped: it crossed with the answer. Zero is none.
	Crossed StepID

	// Attempts counts the definite refusals of the step now due.
	Attempts uint8

	// Done and Skipped are bit sets by StepID-1.
	Done, Skipped uint64

	EnrolledAt Instant
	LastSent   Instant // when the last mail left, or a skip took its place
	HeldUntil  Instant // an out-of-office answer holds until then
	RetryAt    Instant // a refused step is not tried before then
}

// Terminal reports whether the enrollment has ended.
func (st State) Terminal() bool {
	return st.Status == StatusCompleted || st.Status == StatusStopped
}

// EventKind says what happened.
type EventKind uint8

// The events. Those that carry a Step need it to be the step they speak of.
const (
	EventNone         EventKind = iota
	EventEnrolled               // the run begins
	EventOpened                 // an intent to send Step is being committed
	EventSent                   // Step's mail was accepted, or found sent
	EventFailed                 // Step's mail was definitely not sent; retry at Until, or never when Permanent
	EventUnknown                // the outcome of Step's send is not known
	EventNotSent                // the mailbox, or a person, says that Step's mail was never sent
	EventUndecided              // the mailbox can't tell: a person decides
	EventReplied                // an answer arrived
	EventAutoReplied            // an out-of-office or automatic answer arrived; holds until Until
	EventBounced                // the mail can't be delivered to this recipient
	EventUnsubscribed           // the recipient asked for no more mail
	EventTookOver               // the sender wrote in the thread by hand
	EventUnsure                 // something arrived that can't be judged
	EventPaused                 // a person pauses
	EventResumed                // a person resumes: ends HoldPaused and HoldReview
	EventSkipped                // Step will not be sent
	EventStopped                // the host ends the run
	EventMailboxLost            // the mailbox can't be used
	EventMailboxBack            // it can again
	EventEdited                 // the sequence was replaced by an edited one; completes the run if no step is left
)

// Event is one thing that happened to an enrollment.
type Event struct {
	Kind EventKind
	Step StepID

	// At is when it happened, by the caller's clock. Required.
	At Instant

	// Until is the end of an EventAutoReplied hold (zero: none was named,
	// AutoReplyHold counts from At), or when an EventFailed may be retried.
	Until Instant

	// Permanent marks an EventFailed that no retry can mend.
	Permanent bool
}

// EffectKind says what the caller has to do.
type EffectKind uint8

// The effects.
const (
	EffectNone      EffectKind = iota
	EffectSend                 // send Step's committed intent, once
	EffectLocate               // ask the mailbox what became of Step
	EffectFlag                 // show the conversation to a person
	EffectStopped              // tell the host: the run ended early
	EffectCompleted            // tell the host: every step is sent or skipped
	EffectCrossed              // tell the host: Step crossed with an answer
	EffectHeld                 // tell the host: sending is held
	EffectResumed              // tell the host: no hold is left
)

// Effect is one thing to do, after the State it came with is durable and
// not before.
type Effect struct {
	Kind EffectKind
	Step StepID
}

// Effects is what an event asks for, in order. Run them only after the State
// returned beside them, and every record they depend on, is durable: a mail
// sent before that could be sent again after a crash.
type Effects struct {
	N    int
	List [4]Effect
}
