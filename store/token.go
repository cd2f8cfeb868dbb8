package store

import (
	"context"
	"log/slog"
	"time"
)

// LinkStatus is where a link stands.
type LinkStatus string

// The link statuses.
const (
	LinkLinked      LinkStatus = "linked"       // it works, with all that was asked for
	LinkLimited     LinkStatus = "limited"      // it works, with less than was asked for
	LinkNeedsRelink LinkStatus = "needs_relink" // the grant is dead; Reason says why
	LinkHeld        LinkStatus = "held"         // the mail service does not serve the mailbox now; Reason says why
	LinkUnusable    LinkStatus = "unusable"     // it broke too often
	LinkUnlinking   LinkStatus = "unlinking"    // being revoked; still holds its mailbox
	LinkUnlinked    LinkStatus = "unlinked"     // released; kept for its history
)

// KindApp is the Kind of records that are no mailbox's. Package linking keeps
// in them how an app registration does, from the first time that it was at
// fault (the Subject is the registration's name), and which links a colleague
// was allowed to send from (the Subject is "actor/" and a digest of their id).
// Their Owner is this word. Each is one link more to a TokenStore, and is told
// apart by nothing else; hosts that read the table leave them out.
const KindApp = "-/app"

// Link is an owner's grant on a mailbox.
type Link struct {
	ID       string // chosen by the caller of Create, unique for ever
	Owner    string // the host's user
	Provider string // provider.Provider.Name
	Kind     string // the mail service
	Subject  string // the service's stable id of the account

	Address   string // display only
	Addresses []string
	Access    string
	Tenant    string
	Scopes    []string

	Status LinkStatus
	Reason string // a stable code, empty while it works

	// Token is opaque to the store: sealed or not as linking was configured.
	Token []byte

	// Data is opaque to the store: the link's history and health, and who may
	// send over it.
	Data []byte

	// Mark says that somebody is refreshing the token. Nil is nobody.
	Mark *RefreshMark

	Created, Changed time.Time // by the caller's clock
	Version          int64     // the store's; 0 before Create, grows by one with each change
}

// RefreshMark is a claim on refreshing a link's token.
type RefreshMark struct {
	By string // who refreshes, unique for each attempt

	// Left is how long the mark holds. Written, it counts from the moment of
	// writing by the store's clock; read, it is what was left at the moment
	// of reading, and not positive once the mark has lapsed.
	Left time.Duration
}

// TokenStore keeps links. All methods are safe for concurrent use by many
// processes; every change is durable when the method returns nil. Returned
// values are the caller's to change and share no memory with the store.
type TokenStore interface {
	// Create adds a link. Of two links that are not unlinked only one may
	// have the same Kind and Subject: the other gets ErrOwned, decided
	// atomically. The same ID twice is ErrConflict.
	Create(ctx context.Context, link Link) (Link, error)

	// Get returns the link, ErrNotFound if there is none.
	Get(ctx context.Context, id string) (Link, error)

	// Find returns the link that holds the mailbox now, ErrNotFound if none
	// does.
	Find(ctx context.Context, kind, subject string) (Link, error)

	// CompareAndSwap replaces the link whose stored Version equals
	// link.Version and returns it with the new one; else ErrConflict, and
	// nothing has changed. ID, Kind, Subject, Owner and Created never change:
	// a link that differs in them is ErrConflict. A link becomes LinkUnlinked
	// by Release alone and can't come back: from one to the other or back is
	// ErrConflict. Of a link that is unlinked only Data and Changed change.
	CompareAndSwap(ctx context.Context, link Link) (Link, error)

	// List returns links by ID, in ascending order.
	List(ctx context.Context, p ListLinks) ([]Link, error)

	// Release sets the status of the link to LinkUnlinked, erases its Token
	// and Mark, and frees the mailbox for another link. It is idempotent.
	// version must match as in CompareAndSwap, unless the link is already
	// unlinked.
	Release(ctx context.Context, id string, version int64) (Link, error)
}

// ListLinks narrows List. Zero fields don't.
type ListLinks struct {
	Owner  string
	Status LinkStatus
	After  string // IDs greater than this
	Limit  int    // zero is 100
}

// String hides the token.
func (l Link) String() string {
	return "store.Link(" + l.ID + " of " + l.Owner + ", " + string(l.Status) + ", the token hidden)"
}

// GoString hides the token.
func (l Link) GoString() string { return l.String() }

// LogValue hides the token.
func (l Link) LogValue() slog.Value { return slog.StringValue(l.String()) }
