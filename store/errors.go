package store

import "fmt"

// Error is the type of this package's constant errors.
type Error string

func (e Error) Error() string { return "store: " + string(e) }

// The errors, matched with errors.Is.
const (
	ErrConflict = Error("conflict: the record has changed; read it again")
	ErrFenced   = Error("the claim on the mailbox is lost")
	ErrOwned    = Error("the mailbox has another link")
	ErrNotFound = Error("not found")
	ErrInvalid  = Error("invalid value")

	// ErrUnknown: the connection was lost, or the context ended, while the
	// change was being made permanent. It is made or it is not; nobody who
	// has not read again may act on either.
	ErrUnknown = Error("the change may have been made or not; read it again")
)

// ConflictError names the record whose version did not match. It matches
// ErrConflict.
type ConflictError struct {
	Record string // enrollment, intent, mailbox, link, flow
	ID     string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("store: %s %s has changed or exists already; read it again", e.Record, e.ID)
}

// Is reports whether target is ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }
