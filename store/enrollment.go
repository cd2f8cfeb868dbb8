package store

import (
	"context"
	"time"
)

// Enrollment is one recipient's run through one sequence from one link.
type Enrollment struct {
	ID        string
	HostKey   string // the host's own key, unique; ID derives from it
	Kind      string // what began it, as the runner names it
	Mailbox   string
	Link      string
	Owner     string // the link's owner
	Actor     string // who enrolled: differs from Owner when sent on behalf
	Recipient string // normalised address
	Sequence  string // content hash of the definition
	Status    string // active, held, completed, replied, bounced, ...
	Flagged   bool   // a person should look

	// Due is when the enrollment next needs work; zero is never. It is what
	// Claim looks at.
	Due time.Time

	State []byte // the engine's, opaque
	Data  []byte // merge data and the like, opaque

	Created time.Time
	Version int64 // the store's; see Batch
}

// Definition is a sequence as it was when somebody was first enrolled in it.
type Definition struct {
	Hash string // of Data
	Data []byte
}

// IntentState is what became of an intent.
type IntentState string

// The intent states. All but IntentOpen are final.
const (
	IntentOpen    IntentState = "open"     // it may leave, may have left, or may have to be looked up
	IntentSent    IntentState = "sent"     // accepted, or found sent
	IntentNotSent IntentState = "not_sent" // proven: never left
	IntentGivenUp IntentState = "given_up" // nobody can tell, and nobody needs to any more
)

// Intent is the durable record that one mail is about to be sent.
type Intent struct {
	ID         string // unique for ever
	Enrollment string
	Mailbox    string
	Step       int
	Group      int // grows when the same step is rendered anew; a resend of the same bytes keeps it
	MessageID  string
	Key        string
	Raw        []byte    // the finished MIME
	Meta       []byte    // opaque: what sending and locating Raw again needs
	Created    time.Time // by the caller's clock
	Deadline   time.Time // no request leaves after this, by the caller's clock
	State      IntentState

	// Set by the Result.
	Ref           string
	Thread        string
	RealMessageID string // as read back from the sent copy; may come later
	Settled       time.Time
}

// Result closes an open intent. It is a fact: it is accepted under any fence
// and without one, once.
type Result struct {
	Intent        string
	State         IntentState // not IntentOpen
	Ref           string
	Thread        string
	RealMessageID string
	At            time.Time
}

// Rewrite gives a stored intent, open or closed, other opaque bytes that mean
// the same: sealed anew. It needs no fence, and no version guards it, since
// the meaning of an intent's bytes never changes.
type Rewrite struct {
	Intent string
	Raw    []byte
	Meta   []byte
}

// IndexKind is what an index row is found by.
type IndexKind string

// The index kinds.
const (
	IndexMessageID IndexKind = "message_id" // without angle brackets
	IndexThread    IndexKind = "thread"
	IndexAddress   IndexKind = "address" // normalised; enrolled, whether mail has left or not
	IndexSender    IndexKind = "sender"  // normalised; mail to it has left, or is about to: worth a search
	IndexRef       IndexKind = "ref"     // a message already dealt with

	// IndexPush is what a service's push tells of itself, so that it is known
	// for which mailbox it is meant.
	IndexPush IndexKind = "push"

	// IndexUnconfirmed is an accepted mail, by its intent's id, whose copy in
	// Sent is still to be seen.
	IndexUnconfirmed IndexKind = "unconfirmed"
)

// MaxIndexValue is the most bytes that the Value of an index row has, so that
// every database can index it.
const MaxIndexValue = 1024

// IndexRow connects something seen in a mailbox with an enrollment.
type IndexRow struct {
	Kind       IndexKind
	Value      string
	Mailbox    string
	Enrollment string
	Until      time.Time // Prune forgets the row after this
}

// IndexKey is one thing to look up.
type IndexKey struct {
	Kind  IndexKind
	Value string
}

// Mailbox is what the runner remembers of a mailbox.
type Mailbox struct {
	ID   string // kind/subject
	Link string // the link that works on it now

	Cursor []byte    // the change feed's position, opaque
	ReadAt time.Time // when it next needs reading; zero is never
	Data   []byte    // pace, health and the like, opaque

	// Marked says that somebody asked for a read (Notify) and no claim has
	// dealt with it yet: Unclaim clears the marks that were there when the
	// mailbox was claimed. A claim whose process died clears nothing, so the
	// next one reports the mark again. Commit does not touch it.
	Marked bool

	Version int64
}

// Suppression keeps an address, as a keyed hash, from being enrolled again.
type Suppression struct {
	Hash   string
	Reason string
	At     time.Time
}

// Event is one row of the outbox.
type Event struct {
	Key        string // a second row with the same key is dropped, at least until the first is acknowledged
	Kind       string
	Enrollment string // whom it is about, for Erase; empty for events of a whole mailbox
	Data       []byte
	Seq        int64 // the store's, for Ack; grows, may have gaps
}

// Fence proves a claim on a mailbox. It is good until its lease ends, by the
// store's clock, or somebody else claims the mailbox.
type Fence struct {
	Mailbox string
	Token   int64 // grows with each claim of the mailbox
}

// Batch is one decision. Commit writes all of it or nothing.
//
// Each record has a Version: the one that was read, or 0 to create it. If the
// stored one differs the batch fails with a ConflictError that names the
// record. Stored versions grow by one with each write. A record stands in a
// batch once, and a result is of an intent of an earlier batch.
//
// What is wrong in itself (Validate) is ErrInvalid, before anything is looked
// up; then ErrFenced; then ErrNotFound and ErrConflict.
type Batch struct {
	// Fence is required for Mailbox and Intents and checked whenever it is
	// set: ErrFenced if it is no longer good.
	Fence   *Fence
	Mailbox *Mailbox
	Intents []Intent // new ones; the same ID twice is a conflict

	// Results close intents. One that repeats the stored result (the same
	// state) is accepted and changes nothing but a RealMessageID, Ref or
	// Thread that was empty; one that contradicts it is a conflict.
	Results []Result

	// Rewrites replace Raw and Meta of intents of earlier batches and change
	// nothing else; of an unknown intent, an erased one among them, it is
	// ErrNotFound. A Result and a Rewrite of one intent in one batch are
	// ErrInvalid.
	Rewrites []Rewrite

	Definitions  []Definition // written if absent
	Enrollments  []Enrollment // HostKey, Mailbox and Created of a stored one never change: ErrInvalid
	Index        []IndexRow   // written if absent; a later Until wins
	Suppressions []Suppression
	Outbox       []Event
}

// ClaimParams says how much work to take.
type ClaimParams struct {
	By         string        // who claims, for people who read the database
	Now        time.Time     // what is due: enrollments and reads, by the caller's clock
	TTL        time.Duration // the lease's length, by the store's clock
	Mailboxes  int           // at most so many mailboxes
	PerMailbox int           // at most so many due enrollments of each, by Due, then ID
}

// Claim is one leased mailbox and its work.
type Claim struct {
	Fence   Fence
	Mailbox Mailbox
	Due     []Enrollment
	Open    []Intent // every open intent of the mailbox, by Created, then ID
	More    bool     // there are more due enrollments than PerMailbox
}

// EnrollmentStore is the truth that the promises rest on. All methods are
// safe for concurrent use by many processes, and what a method returned nil
// for survives a crash of the database. Returned values are the caller's to
// change.
//
// Times are kept to the microsecond: finer parts may be cut off. A zero time
// is kept as zero. Nil and empty bytes are the same. Strings are UTF-8
// without NUL, compare byte by byte (IDs differ by case), and as the Value of
// an index row have at most MaxIndexValue bytes: ErrInvalid for others, also
// where they are only looked up. Lists may have any length.
type EnrollmentStore interface {
	// Claim leases mailboxes that have work: a due enrollment, a due read or
	// a mark, and no live lease. Longest-waiting first, as far as is known: a
	// mailbox that is being written at this moment may be left out. Only a
	// mailbox that EnsureMailbox has made known is ever claimed.
	Claim(ctx context.Context, p ClaimParams) ([]Claim, error)

	// Renew extends the lease to ttl from now, ErrFenced if it is lost: a
	// lease that has ended is lost, though nobody else has claimed since.
	// Unclaim ends it; one that is already lost is no error.
	Renew(ctx context.Context, f Fence, ttl time.Duration) error
	Unclaim(ctx context.Context, f Fence) error

	// EnsureMailbox creates the mailbox's record if there is none, and sets
	// its Link if it differs, without a fence. Marked and leases stay.
	EnsureMailbox(ctx context.Context, id, link string) (Mailbox, error)

	// GetMailbox returns the record, ErrNotFound if there is none.
	GetMailbox(ctx context.Context, id string) (Mailbox, error)

	// Notify marks a mailbox as read-due. No version guards the mark; an
	// unknown mailbox is ErrNotFound.
	Notify(ctx context.Context, mailbox string) error

	// Load returns the enrollments with these IDs, in their order, leaving
	// out unknown ones. LoadDefinition and LoadIntents work likewise; the
	// intents of an enrollment come by Created, then ID.
	Load(ctx context.Context, ids []string) ([]Enrollment, error)
	LoadDefinition(ctx context.Context, hash string) (Definition, error)
	LoadIntents(ctx context.Context, enrollment string) ([]Intent, error)

	// List pages through enrollments by ID.
	List(ctx context.Context, p ListEnrollments) ([]Enrollment, error)

	// Match returns the index rows with these keys; an empty mailbox looks
	// in all of them.
	Match(ctx context.Context, mailbox string, keys []IndexKey) ([]IndexRow, error)

	// Index pages through the index rows of one mailbox and kind that are not
	// past Until at now, by Value, then Enrollment.
	Index(ctx context.Context, p ListIndex) ([]IndexRow, error)

	// Prune removes index rows past Until at p.Now, the oldest first, and says
	// how many it dealt with, at most p.Limit: fewer tells that no more are
	// past it but what others are writing at this moment. The rows of an
	// enrollment that is stored go together: while one of them is not past
	// Until, the others get its Until, the latest if there are several; while
	// the enrollment's Status is one of p.Keep, they get p.KeepUntil. Nothing
	// else is ever pruned: enrollments and their intents are the host's record.
	Prune(ctx context.Context, p PruneParams) (int, error)

	// Commit writes b. After ErrConflict, ErrFenced, ErrInvalid and
	// ErrNotFound nothing has changed. After any other error, and a context
	// that ended, the batch may be committed or not, and callers read again;
	// a store that knows that it doesn't know says ErrUnknown. Deadlocks and
	// failed serializations are the store's to try again.
	Commit(ctx context.Context, b Batch) error

	// Suppressed returns those of the hashes that are suppressed.
	Suppressed(ctx context.Context, hashes []string) ([]string, error)

	// Outbox returns the oldest rows not yet acknowledged, at most limit (100
	// if it is not positive). It leases nothing: two callers get the same
	// rows. A row is never skipped because a later one was committed first.
	// Ack removes rows; unknown ones are no error.
	Outbox(ctx context.Context, limit int) ([]Event, error)
	Ack(ctx context.Context, seqs []int64) error

	// Erase removes the enrollments of a recipient, named by normalised
	// address, with their intents, index rows and outbox rows, and says how
	// many enrollments there were.
	Erase(ctx context.Context, recipient string) (int, error)
}

// ListEnrollments narrows List. Zero fields don't.
type ListEnrollments struct {
	Mailbox   string
	Recipient string
	Status    string
	Kind      string
	After     string // IDs greater than this
	Limit     int    // zero is 100
}

// ListIndex says which index rows to list. All fields but After and Limit are
// required.
type ListIndex struct {
	Mailbox string
	Kind    IndexKind
	Now     time.Time // by the caller's clock
	After   IndexRow  // rows greater than this by Value, then Enrollment
	Limit   int       // zero is 1000
}

// PruneParams says what Prune removes. Now is required, and with Keep a
// KeepUntil after it.
type PruneParams struct {
	Now       time.Time // by the caller's clock, as Until is
	Keep      []string  // statuses of enrollments that keep their rows
	KeepUntil time.Time
	Limit     int // zero is 1000
}
