package provider

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Watcher is met by a Mailbox whose service tells of changes without being
// asked, if its Provider was set up for that and the access lets it read. It
// is found by a type assertion.
//
// What a service pushes is a hint: it comes late, twice or not at all, and
// says no more than that there is something to read. So a caller follows the
// change feed from its own cursor when a push comes, and at times of its own
// besides.
type Watcher interface {
	// Watch has the service push until Watch.Expires. Where a service has one
	// watch for a mailbox, it takes the place of the one before.
	Watch(ctx context.Context, p WatchParams) (Watch, error)

	// Renew puts off the end of w, and undoes what holds back its pushes for
	// want of renewal. ErrNotFound: the service knows it no more, or it points
	// elsewhere than the Provider now says; Unwatch it and Watch anew.
	Renew(ctx context.Context, w Watch) (Watch, error)

	// Unwatch ends it. One that is gone is no error.
	Unwatch(ctx context.Context, w Watch) error
}

// MaxWatchSecret is the most bytes that WatchParams.Secret has
// (https://learn.microsoft.com/graph/api/resources/subscription).
const MaxWatchSecret = 128

// WatchParams says what to watch with.
type WatchParams struct {
	// Secret comes back in the pushes of services that don't sign them:
	// unguessable, another one for each watch, of printable ASCII.
	Secret string
}

// Watch is one watch on a mailbox. All of it is to be kept: Renew and Unwatch
// want it back.
type Watch struct {
	ID     string // the service's name for it; empty where it has none
	Route  string // what Notice.Route says in its pushes
	Target string // where it pushes to, as a digest

	// Expires is when the service ends it unless it is renewed, as the service
	// says. RenewAt is when the service wants it renewed, at the latest; zero
	// leaves that to the caller.
	Expires time.Time
	RenewAt time.Time

	// Signed says that the service signs its pushes, so that they bring no
	// Secret.
	Signed bool
}

// PushReceiver is met by a Provider whose service can push, if it was set up
// for that. Implementations are safe for concurrent use.
type PushReceiver interface {
	// ReceivePush reads a push and proves, as far as its service lets it, that
	// it is one. It makes no request to a mailbox, and reads a bounded part of
	// the body. ErrAccess: it is forged, or meant for somebody else.
	// ErrTooLarge and ErrRejected: it is no push. ErrTemporary: it can't be
	// judged now, and should be pushed again.
	ReceivePush(r *http.Request) (Push, error)
}

// Push is one request of a service to its host.
type Push struct {
	// Echo, if it is not empty, is the plain text to answer with: the service
	// asks whether somebody is there. Then there are no Notices. It holds
	// nothing that HTML would take for markup.
	Echo string

	// Notices are what it tells. One push may speak of several mailboxes.
	Notices []Notice

	// Ignored counts what it told besides that has no meaning here.
	Ignored int
}

// NoticeKind is what a push tells.
type NoticeKind string

// The notices.
const (
	NoticeChanged NoticeKind = "changed" // there may be something to read
	NoticeMissed  NoticeKind = "missed"  // pushes were lost: there may be something to read
	NoticeRenew   NoticeKind = "renew"   // the watch pushes no more until it is renewed
	NoticeRemoved NoticeKind = "removed" // the watch is gone
)

// Notice is what a push tells of one watch.
type Notice struct {
	Kind   NoticeKind
	Route  string // of which watch, as in Watch.Route
	Secret string // as it came; empty where pushes are signed
}

// String hides the secret.
func (p WatchParams) String() string { return "provider.WatchParams(the secret hidden)" }

// GoString hides the secret.
func (p WatchParams) GoString() string { return p.String() }

// LogValue hides the secret.
func (p WatchParams) LogValue() slog.Value { return slog.StringValue(p.String()) }

// String hides the secret.
func (n Notice) String() string { return "provider.Notice(" + string(n.Kind) + ")" }

// GoString hides the secret.
func (n Notice) GoString() string { return n.String() }

// LogValue hides the secret.
func (n Notice) LogValue() slog.Value { return slog.StringValue(n.String()) }

// LogValue hides the secrets of the notices.
func (p Push) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("notices", len(p.Notices)), slog.Int("ignored", p.Ignored))
}
