package provider

import (
	"fmt"
	"strings"
	"time"
)

// ErrorKind is one of the closed set of things that can go wrong at a mail
// service. Match with errors.Is(err, provider.ErrThrottled).
type ErrorKind string

// Error makes a kind usable as a target of errors.Is.
func (k ErrorKind) Error() string { return "provider: " + string(k) }

// The kinds.
const (
	ErrRelink           ErrorKind = "relink required"     // the grant is dead: the user must consent again
	ErrAccess           ErrorKind = "access not granted"  // the grant does not cover this
	ErrApp              ErrorKind = "app set-up at fault" // the operator must mend it; no mailbox is to blame
	ErrThrottled        ErrorKind = "throttled"           // try again after Error.RetryAfter
	ErrTemporary        ErrorKind = "temporary failure"   // try again later
	ErrOutcomeUnknown   ErrorKind = "outcome unknown"     // the mail may have left
	ErrNotSettled       ErrorKind = "not settled"         // ask again at Error.Until
	ErrNotSent          ErrorKind = "not sent"            // proven: the mail never left
	ErrRejected         ErrorKind = "rejected"            // this request is refused for good
	ErrTooLarge         ErrorKind = "message too large"   // make it smaller; nothing was sent
	ErrMailboxUnusable  ErrorKind = "mailbox unusable"    // no mailbox, suspended, full, blocked
	ErrNotFound         ErrorKind = "not found"           // the message, the link or the part is not there, or not any more
	ErrCursorExpired    ErrorKind = "cursor expired"      // the change feed no longer reaches back so far
	ErrNoWarrant        ErrorKind = "no warrant"          // content asked for without a match
	ErrSenderNotAllowed ErrorKind = "sender not allowed"  // From is not an address of this mailbox
)

// Error is what a Provider or a Mailbox returns. errors.Is matches its Kind;
// errors.As reaches Err, the SDK's own error. Its text holds no token, code,
// address or body.
type Error struct {
	Kind       ErrorKind
	Op         string        // what was attempted: "gmail: send"
	Reason     string        // the service's code, such as rateLimitExceeded, or one of this module's, such as http_502; never free text
	RetryAfter time.Duration // wait at least so long; zero is unknown
	Until      time.Time     // for ErrNotSettled, and where the service names a time
	Claims     string        // what the service wants the next sign-in to prove, for AuthRequest.Claims; not printed
	Err        error         // the cause; its text is not printed, but for a FieldError's
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		b.WriteString(": ")
	}
	b.WriteString(string(e.Kind))
	if e.Reason != "" {
		fmt.Fprintf(&b, " (%s)", e.Reason)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry after %s", e.RetryAfter)
	}
	if !e.Until.IsZero() {
		fmt.Fprintf(&b, ", ask again at %s", e.Until.UTC().Format(time.RFC3339))
	}
	if field, ok := e.Err.(*FieldError); ok { // which is written to be read, and names no secret
		fmt.Fprintf(&b, ": %s: %s", field.Field, field.Problem)
	}
	return b.String()
}

// Unwrap yields the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// ErrInvalid matches, with errors.Is, a FieldError.
const ErrInvalid ErrorKind = "invalid value"

// FieldError says which field of a value handed in can't be used. It matches
// ErrInvalid and, because a mail built from it is refused before any request,
// ErrRejected.
type FieldError struct {
	Op      string // what was attempted: "mime: build"
	Field   string // as a path: Header[X-Team]
	Problem string // what is wrong and what would be right; never the value of a secret
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Op, e.Field, e.Problem)
}

// Is reports whether target is ErrInvalid or ErrRejected.
func (e *FieldError) Is(target error) bool { return target == ErrInvalid || target == ErrRejected }
