package provider

import (
	"context"
	"io"
	"time"

	"golang.org/x/oauth2"
)

// Kind is a mail service. Two Providers of one Kind (two app registrations)
// may coexist in a host.
type Kind string

// The kinds this module implements.
const (
	Gmail   Kind = "gmail"
	MSGraph Kind = "msgraph"
)

// Service is the mail service's name, as people know it. A kind that is not
// known is its own name.
func (k Kind) Service() string {
	switch k {
	case Gmail:
		return "Google"
	case MSGraph:
		return "Microsoft"
	}
	return string(k)
}

// Provider is one app registration at one mail service. Implementations are
// safe for concurrent use, hold no state that a restart would lose, and do
// no I/O but in the methods that take a context.
type Provider interface {
	// Name tells registrations apart within a host; links remember it, so it
	// must not change. Kind is the service.
	Name() string
	Kind() Kind

	// Limits are the service's limits as configured. Abilities is what a
	// link with the given access can do: callers branch on it and never on
	// Kind or Name.
	Limits() Limits
	Abilities(Access) Abilities

	// Authorize returns the address of the consent page. It makes no request.
	// ErrAccess: this provider does not offer the access.
	Authorize(AuthRequest) (string, error)

	// Exchange redeems the code of a callback, verifies the ID token
	// (signature, issuer, audience, expiry, nonce) and reads the granted
	// scopes. The Grant's Access is what was granted, which may be less than
	// was asked, or more where the service adds what was granted earlier;
	// when not even sending was granted the error is ErrAccess. ErrRejected: the
	// code was used, expired, or is another's, or nobody's identity could be
	// verified. There is no grant yet that could be dead, so never ErrRelink.
	Exchange(ctx context.Context, cb Callback) (Grant, error)

	// Refresh makes one request, without cache or goroutine, and returns g
	// with the new token; a refresh token the answer leaves out is kept.
	// ErrRelink: the grant is dead. ErrApp: the registration is at fault and
	// the grant is not. The token's Expiry is the caller's clock plus
	// expires_in (RFC 6749 section 5.1).
	Refresh(ctx context.Context, g Grant) (Grant, error)

	// Revoke ends the grant where the service offers that. A grant that is
	// already dead is no error.
	Revoke(ctx context.Context, g Grant) error

	// Diagnose says what an error of this provider means to people. It makes
	// no request. A Situation that was added to err may tell more of why a
	// grant ended than the service does. A code that is not known is explained
	// by the error's kind, and kept under ParamCode.
	Diagnose(err error) Diagnosis

	// Open returns the mailbox of acc. It makes no request.
	Open(acc Account, ts TokenSource) Mailbox
}

// TokenSource hands out access tokens. Unlike the one of x/oauth2 it takes a
// context and can be told that a token was refused. Implementations are safe
// for concurrent use.
type TokenSource interface {
	// Token returns a token that was valid when last heard of.
	Token(ctx context.Context) (*oauth2.Token, error)

	// Refused reports that the service answered 401 to tok. The next Token
	// call must not return the same access token again.
	Refused(ctx context.Context, tok *oauth2.Token, err error)
}

// Mailbox is one mail account, opened with a link's access. Every error it
// returns is an *Error, or wraps the context's error. Methods may be called
// concurrently, but the runner works on one mailbox serially.
type Mailbox interface {
	// Profile returns what the account knows of itself and a Cursor that
	// starts now. With AccessSend the Cursor is zero.
	Profile(ctx context.Context) (Profile, error)

	// Send transmits m in exactly one request, never retried below it. A nil
	// error means accepted; ErrOutcomeUnknown means that nobody knows; every
	// other error is positive proof that the mail was not sent.
	Send(ctx context.Context, m *Outgoing) (Receipt, error)

	// Locate asks the mailbox what became of a mail whose outcome is unknown.
	// It returns where copies lie, or one of: ErrNotSettled (ask again at
	// Error.Until), ErrNotSent (it was never sent and may be sent again),
	// ErrOutcomeUnknown (this mailbox can't tell; a person decides).
	// ErrNotSent comes only from a complete view read after Deadline plus
	// Limits.Settle on a mailbox whose sent copies are Proven, without an
	// unexplained deletion since Cursor. A copy that lies in Draft or Outbox
	// is found, but not yet sent. Of an Accepted mail without a copy nobody can
	// tell more than that. Any other error says that the asking failed.
	Locate(ctx context.Context, key SendKey) ([]Located, error)

	// Changes returns one page of what changed since the cursor, oldest
	// first as far as the service orders it: identifiers only. An Item may
	// come more than once. Follow Page.Next until Page.More is false; each
	// Next is a valid cursor to store, and following from that of a last page
	// to the end sees all that was visible when the following began. From that
	// of another page it goes on where it was cut off: what became visible
	// since may come only in the following after it. An empty page may have
	// more after it. ErrCursorExpired: the span can't be read any more; take a
	// new Profile and close the gap with Search, by thread and by sender.
	// ErrRejected: the cursor is malformed or belongs to another mailbox.
	Changes(ctx context.Context, since Cursor) (Page, error)

	// Search lists messages from the given senders, or of the given threads, in
	// a span of time, in every folder. ErrAccess where the grant forbids it:
	// Threads need ThreadReplies, all else needs SenderReplies.
	Search(ctx context.Context, q Query) ([]Item, error)

	// Envelope reads the named headers of one message, never its text. Of the
	// copy of a mail that the account sent it tells the From under which the
	// mail left, which the service may have replaced.
	// ErrNotFound: it is gone.
	Envelope(ctx context.Context, ref Ref) (*Envelope, error)

	// Content reads the message that w permits. ErrNoWarrant: w is zero or
	// speaks of another mailbox. Of a malformed message as much as could be
	// read is returned, with Message.Defect set.
	Content(ctx context.Context, w Warrant) (*Message, error)

	// Attachment opens one part named in Message.Attachments. The caller
	// closes it.
	Attachment(ctx context.Context, w Warrant, part string) (io.ReadCloser, error)
}

// Account is a mailbox as a link knows it.
type Account struct {
	// Subject is the service's stable id of the account: Google's sub,
	// Microsoft's tid and oid. Never an address.
	Subject string

	// Address is the primary address and Addresses are all that are known to
	// be the account's, Address among them. Mail to one of them need not reach
	// this mailbox: Gmail lets a user send from addresses of other mailboxes.
	// Display and matching only.
	Address   string
	Addresses []string

	Access Access
}

// Owns reports whether addr is one of the account's addresses.
func (a Account) Owns(addr string) bool {
	key := Normalize(addr)
	if key == "" {
		return false
	}
	if key == Normalize(a.Address) {
		return true
	}
	for _, own := range a.Addresses {
		if key == Normalize(own) {
			return true
		}
	}
	return false
}

// Profile is what an account says of itself.
type Profile struct {
	Address   string
	Addresses []string
	Cursor    Cursor
}

// Linked is a link opened for use: what a runner needs of it.
type Linked struct {
	Link      string // the link's id
	Owner     string // the host's user who owns it
	Provider  string // Provider.Name
	Kind      Kind
	Account   Account
	Limits    Limits
	Abilities Abilities
	Mailbox   Mailbox
}

// Limits are what a service allows and how long it may take.
type Limits struct {
	// MaxMessageBytes is the size of a finished MIME message; MaxRecipients
	// counts To, Cc and Bcc together.
	MaxMessageBytes int64
	MaxRecipients   int

	// SendsPerMinute is how many mails a mailbox may send in any minute,
	// counted over all of its links. Zero is no limit.
	SendsPerMinute int

	// SendTimeout is how long one send request may take. Settle is how long
	// after a send's deadline an accepted mail may still be on its way to the
	// Sent folder.
	SendTimeout time.Duration
	Settle      time.Duration
}
