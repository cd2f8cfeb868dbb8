package runner

import (
	"time"
)

// EventKind is what happened, for the host.
type EventKind string

// The events.
const (
	EventEnrolled       EventKind = "enrolled"
	EventSent           EventKind = "sent"
	EventUnknown        EventKind = "outcome_unknown" // a send got no answer; the mailbox will be asked
	EventFailed         EventKind = "send_failed"     // definitely not sent; Reason says why
	EventPriorContact   EventKind = "prior_contact"   // before the first step: Count mails of the recipient are in the mailbox
	EventReplied        EventKind = "replied"         // an answer came; a drip that was under way has ended
	EventAutoReplied    EventKind = "auto_replied"    // an automatic answer came; Until is when the hold of a drip that is under way ends
	EventBounced        EventKind = "bounced"         // a mail failed for good; a drip that was under way has ended
	EventUnsubscribed   EventKind = "unsubscribed"
	EventOptOut         EventKind = "opt_out"   // an answer seems to ask for no more mail: a person confirms it with Unsubscribe, nothing else is done
	EventTookOver       EventKind = "took_over" // the sender wrote in the thread by hand
	EventStopped        EventKind = "stopped"   // the host or a refusal ended it; Reason says which
	EventCompleted      EventKind = "completed"
	EventCrossed        EventKind = "crossed" // a mail left before the answer was seen
	EventHeld           EventKind = "held"    // Reason says why
	EventResumed        EventKind = "resumed"
	EventFlagged        EventKind = "flagged"     // a person should look
	EventAnswered       EventKind = "answered"    // a person of the sender's side did: it is flagged no more
	EventUnconfirmed    EventKind = "unconfirmed" // accepted, and no copy of it was found in Sent: a note, nothing is held
	EventMailboxLost    EventKind = "mailbox_lost"
	EventMailboxBack    EventKind = "mailbox_back"
	EventMailboxStopped EventKind = "mailbox_stopped"  // the mail service refuses what it sends, for its volume or its reputation; sending is tried again at Until
	EventMailboxFlagged EventKind = "mailbox_flagged"  // it works, and somebody should look; Reason says why
	EventRewritten      EventKind = "sender_rewritten" // a mail left under another address; its enrollment is flagged, and Alias is empty where it was the mailbox's own
	EventAliasProven    EventKind = "alias_proven"     // Alias may be sent from
	EventAliasLost      EventKind = "alias_lost"       // Alias may not be sent from until it is proven again; Reason says why
)

// Event is one thing that happened. It is delivered at least once: ID is the
// same each time. Its times are in UTC. Its JSON is a storage format, of the
// outbox: the names in it never change.
type Event struct {
	ID         string         `json:"id"`
	Kind       EventKind      `json:"kind"`
	At         time.Time      `json:"at"`
	Enrollment string         `json:"enrollment,omitempty"` // empty for events of a whole mailbox, as are Key and Of
	Key        string         `json:"key,omitempty"`        // the host's own, as in EnrollParams
	Of         EnrollmentKind `json:"of,omitempty"`
	Mailbox    string         `json:"mailbox,omitempty"`
	Link       string         `json:"link,omitempty"`
	Owner      string         `json:"owner,omitempty"`
	Actor      string         `json:"actor,omitempty"`
	Step       int            `json:"step,omitempty"`
	Reason     string         `json:"reason,omitempty"`
	Alias      string         `json:"alias,omitempty"` // of events about sending from one
	Until      time.Time      `json:"until,omitzero"`  // for held: when it ends by itself
	Count      int            `json:"count,omitempty"` // of prior_contact: how many mails, at most MaxPrior
}

// ObservationKind is what an Observer is told.
type ObservationKind string

// The observations.
const (
	ObserveRequest ObservationKind = "request" // one call of a provider.Mailbox has ended; Op and Reason say which and why
	ObservePass    ObservationKind = "pass"    // one pass over a mailbox has ended; Err is what kept it from its end
	ObserveDrain   ObservationKind = "drain"   // outbox rows were delivered
	ObservePush    ObservationKind = "push"    // a push was taken for a mailbox, ignored or refused; Reason says which
)

// The reasons of ObservePush, beside the provider.NoticeKind of a notice that
// was taken for Mailbox. With these no mailbox is named.
const (
	PushIgnored = "ignored" // Count notices of watches that are not ours, or without the secret of theirs
	PushRefused = "refused" // a request that is no push of the service's; Err says why
)

// The reasons of ObserveRequest: why a call was made. ReasonReport and
// ReasonReconcile are the two narrow exceptions to reading only what belongs
// to our conversations.
const (
	ReasonSend       = "send"
	ReasonFeed       = "feed"       // identifiers of what changed
	ReasonSearch     = "search"     // identifiers of mail from tracked addresses
	ReasonGap        = "gap"        // identifiers, to close a gap in the feed
	ReasonPrior      = "prior"      // identifiers of a recipient's earlier mail, before the first step
	ReasonProfile    = "profile"    // a cursor to start from
	ReasonThread     = "thread"     // a message in a thread of ours
	ReasonSender     = "sender"     // a message from a tracked address
	ReasonSentCopy   = "sent_copy"  // the copy of our own mail, for its Message-ID
	ReasonReport     = "report"     // a system sender's message that may be a delivery report
	ReasonReconcile  = "reconcile"  // what became of a mail whose outcome is unknown
	ReasonMatched    = "matched"    // content, under a Warrant
	ReasonAttachment = "attachment" // an attachment that the host asks for, and the headers that show that it may
	ReasonPreview    = "preview"    // where a preview's mail lies
	ReasonPush       = "push"       // to have the service push, and to end that
)

// Observation is one thing for metrics and audit. It holds no address, no
// header and no text.
//
// An ObserveRequest is one call of a method of provider.Mailbox or
// provider.Watcher, not one HTTP request: an adapter may need several for it.
// Changes over Microsoft Graph asks each folder that it follows for its delta,
// and may list besides; Locate and Search ask for page after page; where a
// token was refused the request is made once more with a new one. Requests for
// tokens and keys are not to a mailbox, and are not told. What linking asks of
// a mailbox is told to its own Config.OnRequest.
type Observation struct {
	Kind    ObservationKind
	At      time.Time // when it began, in UTC
	Mailbox string
	Link    string
	Ref     string // the message, of envelope, content and attachment
	Op      string // send, changes, search, envelope, content, attachment, locate, profile, watch, renew, unwatch
	Reason  string
	Took    time.Duration
	Count   int // items returned, mails sent or rows delivered; zero of what failed
	Err     error
}

// Observer is told what the runner does. It is called from several
// goroutines at once and must not block. Its panic is logged.
type Observer interface {
	Observe(o Observation)
}
