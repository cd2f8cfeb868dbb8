package providertest

import (
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// Harness is one world with a fresh Provider in it. Each subtest gets its
// own. Functions that take a *testing.T end the test when they fail.
type Harness struct {
	// Provider is what is tested. Required.
	Provider provider.Provider

	// Address and Peer are two mailboxes at the service. Required.
	Address, Peer string

	// Alias is a further address of the mailbox Address, which Consent's
	// accounts own. Empty skips what needs one.
	Alias string

	// Now and Advance are the clock that provider and service go by.
	// Required.
	Now     func() time.Time
	Advance func(d time.Duration)

	// Visible is how long a delivered mail may take to appear in feed and
	// search. PageMessages is a number of new messages that one page of
	// changes does not hold; zero skips what needs several pages.
	Visible      time.Duration
	PageMessages int

	// Consent grants access to a mailbox and returns the account as a link
	// would know it. Required.
	Consent func(t *testing.T, addr string, access provider.Access) (provider.Account, provider.Grant)

	// Redeem is what a user does at the address that Authorize returned, for
	// the mailbox Address: it grants this access, which is what was asked for,
	// or AccessSend, or nothing if it is empty, and returns the Code and Issuer
	// of the redirect. Nil skips Exchange.
	Redeem func(t *testing.T, page string, granted provider.Access) provider.Callback

	// Deliver brings a mail from outside into a mailbox, filed in the Inbox,
	// in Junk or, for PlaceOther, in a folder of the user's. Required.
	Deliver func(t *testing.T, addr string, place provider.Place, raw []byte)

	// Sent returns the mails that the service accepted from Address, in
	// order, by its own books. Required.
	Sent func() []Sent

	// Requests returns how many requests of each class the service had for
	// Address; Reads what was read of the message with this Message-ID there.
	// Nil skips what counts requests.
	Requests func() Requests
	Reads    func(messageID string) (envelopes, contents int)

	// Notices returns what ReceivePush, or its equal, read in the pushes that
	// came since the last call, none of which is on its way for longer than
	// Visible after what it tells of is visible. Nil skips pushes, as does a
	// Provider whose mailboxes are no provider.Watcher.
	Notices func() []provider.Notice

	// Faults are the things that the harness can make go wrong.
	Faults Faults
}

// Sent is one accepted mail.
type Sent struct {
	MessageID  string // as supplied
	Key        string // value of provider.KeyHeader
	Recipients []string
	Raw        []byte
}

// Requests are counts of requests by class.
type Requests struct {
	Send, Envelope, Content, Changes, Search, Other int
}

// Faults are things that go wrong at the mailbox Address. A nil function is
// one that the harness can't produce.
type Faults struct {
	// LoseAnswer lets the service carry out the next request, calls then if
	// it is not nil, and loses the answer. LoseRequest loses the next request
	// on its way, after it has left.
	LoseAnswer  func(then func())
	LoseRequest func()

	// Answer has the next request answered with this HTTP status, or its
	// equal, without effect.
	Answer func(status int)

	// Throttle has the next request refused for now; a zero retryAfter names
	// no time.
	Throttle func(retryAfter time.Duration)

	// ExpireCursors makes every cursor handed out so far too old.
	ExpireCursors func()

	// RevokeGrant is the user withdrawing consent. RefuseApp has the next
	// refresh refused because of the app's registration.
	RevokeGrant func()
	RefuseApp   func()

	// EndWatches has the service forget every watch on the mailbox, and tell
	// nobody.
	EndWatches func()

	// HideSentCopies has the service keep no copies of sent mail.
	// DelaySentCopies has them appear later.
	HideSentCopies  func()
	DelaySentCopies func(d time.Duration)

	// RewriteAlias has the service send mail from the alias under the
	// mailbox's primary address from now on, or leave it.
	RewriteAlias func(on bool)

	// Portal has the next request answered by somebody in between, with status
	// 200 and a page for people.
	Portal func()

	// Move puts every message with this Message-ID into another folder, as its
	// user would.
	Move func(t *testing.T, messageID string, to provider.Place)

	// Delete removes every message with this Message-ID from the mailbox for
	// good, as its user would. Draft leaves a draft with these bytes in it.
	Delete func(t *testing.T, messageID string)
	Draft  func(t *testing.T, raw []byte)
}

// check ends the test if the harness lacks what every subtest needs.
func (h Harness) check(t *testing.T) {
	t.Helper()
	for _, f := range []struct {
		name    string
		missing bool
	}{
		{"Provider", h.Provider == nil}, {"Address", h.Address == ""}, {"Peer", h.Peer == ""}, {"Now", h.Now == nil},
		{"Advance", h.Advance == nil}, {"Consent", h.Consent == nil}, {"Deliver", h.Deliver == nil}, {"Sent", h.Sent == nil},
	} {
		if f.missing {
			t.Fatalf("Harness.%s is required", f.name)
		}
	}
}

func need(t *testing.T, ok bool, what string) {
	t.Helper()
	if !ok {
		t.Skipf("this harness has no %s", what)
	}
}
