package linking

import (
	"fmt"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// Error is the type of this package's constant errors.
type Error string

func (e Error) Error() string { return "linking: " + string(e) }

// The errors, matched with errors.Is.
const (
	ErrState        = Error("the callback belongs to no flow of this user")
	ErrDenied       = Error("no permission was given: the user declined, or an administrator has to allow it first")
	ErrRefused      = Error("the mail service refused")
	ErrWrongMailbox = Error("another mailbox was chosen than the one to relink")
	ErrOwned        = Error("the mailbox is linked by another user")
	ErrUnusable     = Error("the mailbox lost its permission too often")
	ErrUnlinking    = Error("the mailbox is being unlinked, which is not finished")
	ErrNotFound     = Error("no such link")
	ErrSealed       = Error("a stored record does not open")
)

// The reasons of a StateError.
const (
	StateMissing = "missing" // the callback has no state parameter
	StateUnknown = "unknown" // never given out, used before, or forgotten after its time
	StateExpired = "expired" // the user took longer than Config.FlowTTL
	StateSession = "session" // another browser session began the flow
	StateOwner   = "owner"   // another user began the flow

	// StateForwarded: an administrator came back from a request that was
	// forwarded, which has no state. Nothing is proven by it, and nothing done.
	StateForwarded = "forwarded"
)

// StateError says why a callback was not accepted. It matches ErrState. The
// flow, if there was one, is used up.
type StateError struct{ Reason string }

func (e *StateError) Error() string {
	return fmt.Sprintf("%v (%s): begin again", ErrState, e.Reason)
}

// Is reports whether target is ErrState.
func (e *StateError) Is(target error) bool { return target == ErrState }

// FlowError is an error that the mail service put into the callback (RFC
// 6749 section 4.1.2.1). It matches ErrDenied where the user or an
// administrator gave no permission, and ErrRefused for all others.
type FlowError struct {
	Code    string // the error parameter, if it looks like one; no_code where there was neither error nor code
	Subcode string // Microsoft's error_subcode

	// Err is what the provider makes of it, nil if it makes nothing.
	Err *provider.Error
}

func (e *FlowError) Error() string {
	if e.Err != nil && e.Err.Reason != "" && e.Err.Reason != e.Code {
		return fmt.Sprintf("%v (%s, %s)", e.kind(), e.Code, e.Err.Reason)
	}
	return fmt.Sprintf("%v (%s)", e.kind(), e.Code)
}

func (e *FlowError) kind() Error {
	if e.Code == "access_denied" || e.Err != nil && e.Err.Kind == provider.ErrAccess {
		return ErrDenied
	}
	return ErrRefused
}

// Is reports whether target is the kind of the error.
func (e *FlowError) Is(target error) bool { return target == e.kind() }

// Unwrap returns what the provider makes of it.
func (e *FlowError) Unwrap() error {
	if e.Err == nil {
		return nil
	}
	return e.Err
}

// OwnedError says which mailbox another user has, masked. It matches
// ErrOwned.
type OwnedError struct{ Address string }

func (e *OwnedError) Error() string { return fmt.Sprintf("%v (%s)", ErrOwned, e.Address) }

// Is reports whether target is ErrOwned.
func (e *OwnedError) Is(target error) bool { return target == ErrOwned }

// MailboxError says which mailbox was expected and which was chosen, both
// masked. It matches ErrWrongMailbox.
type MailboxError struct{ Want, Got string }

func (e *MailboxError) Error() string {
	return fmt.Sprintf("%v: expected %s, got %s", ErrWrongMailbox, e.Want, e.Got)
}

// Is reports whether target is ErrWrongMailbox.
func (e *MailboxError) Is(target error) bool { return target == ErrWrongMailbox }

// mask shows enough of an address for its owner to know it.
func mask(addr string) string { return maskAfter(addr, 1) }

// maskBoth masks two addresses so that they can be told apart, if they differ.
func maskBoth(a, b string) (string, string) {
	n := 1
	for ; n < len(a) && n < len(b) && a != b && maskAfter(a, n) == maskAfter(b, n); n++ {
	}
	return maskAfter(a, n), maskAfter(b, n)
}

// maskAfter hides what follows the first n letters of the local part.
func maskAfter(addr string, n int) string {
	local, domain, ok := strings.Cut(addr, "@")
	if !ok || local == "" {
		return "***"
	}
	r := []rune(local)
	return string(r[:min(n, len(r))]) + "***@" + domain
}
