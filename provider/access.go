package provider

// Access is what a link may do. Each includes the one before.
type Access string

// The accesses, from least to most.
const (
	// AccessSend sends and reads nothing.
	AccessSend Access = "send"

	// AccessEnvelopes sends and reads headers.
	AccessEnvelopes Access = "envelopes"

	// AccessReplies sends, reads headers, and reads the content of messages
	// that a Warrant permits. The default.
	AccessReplies Access = "replies"
)

// Includes reports whether a allows all that b does.
func (a Access) Includes(b Access) bool { return a.rank() >= b.rank() && b.rank() > 0 }

// AtMost returns a, or limit where that is less.
func (a Access) AtMost(limit Access) Access {
	if limit.rank() < a.rank() {
		return limit
	}
	return a
}

func (a Access) rank() int {
	switch a {
	case AccessSend:
		return 1
	case AccessEnvelopes:
		return 2
	case AccessReplies:
		return 3
	}
	return 0
}

// Reach says how much of a question a link can answer.
type Reach string

// The reaches.
const (
	ReachNone    Reach = ""        // not at all: the host or a person must
	ReachThread  Reach = "thread"  // within the threads of our own mail
	ReachMailbox Reach = "mailbox" // in the whole mailbox
)

// Detection says what a link can tell about mail that no person wrote.
type Detection string

// The detections.
const (
	DetectNone    Detection = ""        // nothing
	DetectSender  Detection = "sender"  // by the sender's address: enough to hold, not to judge
	DetectHeaders Detection = "headers" // by headers
	DetectContent Detection = "content" // by headers and content
)

// Abilities is one column of the table in the package documentation: what
// can be promised over a link with a given access.
type Abilities struct {
	// Offered is false where the provider does not offer this access at all.
	Offered bool

	// Locate: what becomes known of a send whose outcome is unknown.
	Locate Reach

	// ThreadReplies and SenderReplies: whether an answer in the thread of our
	// mail, and one in a new thread, are seen.
	ThreadReplies, SenderReplies bool

	// AutoReplies: how an out-of-office is told from a person. Reports: how a
	// bounce outside the thread is recognised.
	AutoReplies, Reports Detection

	// Content: whether text, attachments and report parts can be read.
	Content bool

	// Preview: whether a preview can be proven to have arrived.
	Preview bool
}
