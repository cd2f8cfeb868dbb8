package provider

import (
	"fmt"
	"strings"
	"time"
)

// ErrorKind is one of the closed set of things that can go wrong at a mail
// service. Match with errors.Is(err, provider.ErrThrottled).
//
// Its value is a code that never changes: records of links keep it, and a host
// may keep it, or count by it. The words for it are Text's.
type ErrorKind string

// The kinds.
const (
	ErrRelink           ErrorKind = "relink"             // the grant is dead: the user must consent again
	ErrAccess           ErrorKind = "access"             // the grant does not cover this
	ErrApp              ErrorKind = "app"                // the operator must mend it; no mailbox is to blame
	ErrThrottled        ErrorKind = "throttled"          // try again after Error.RetryAfter
	ErrTemporary        ErrorKind = "temporary"          // try again later
	ErrOutcomeUnknown   ErrorKind = "outcome_unknown"    // the mail may have left
	ErrNotSettled       ErrorKind = "not_settled"        // ask again at Error.Until
	ErrNotSent          ErrorKind = "not_sent"           // proven: the mail never left
	ErrRejected         ErrorKind = "rejected"           // this request is refused for good
	ErrTooLarge         ErrorKind = "too_large"          // make it smaller; nothing was sent
	ErrMailboxUnusable  ErrorKind = "mailbox_unusable"   // no mailbox, suspended, full, blocked
	ErrNotFound         ErrorKind = "not_found"          // the message, the link or the part is not there, or not any more
	ErrCursorExpired    ErrorKind = "cursor_expired"     // the change feed no longer reaches back so far
	ErrNoWarrant        ErrorKind = "no_warrant"         // content asked for without a match
	ErrSenderNotAllowed ErrorKind = "sender_not_allowed" // From is not an address of this mailbox
)

// ErrInvalid matches, with errors.Is, a FieldError.
const ErrInvalid ErrorKind = "invalid"

// Text is the kind in English words, for a person who reads a log. They may
// change. A kind that is none of this package's reads as it is.
func (k ErrorKind) Text() string {
	switch k {
	case ErrRelink:
		return "relink required"
	case ErrAccess:
		return "access not granted"
	case ErrApp:
		return "app set-up at fault"
	case ErrTemporary:
		return "temporary failure"
	case ErrOutcomeUnknown:
		return "outcome unknown"
	case ErrNotSettled:
		return "not settled"
	case ErrNotSent:
		return "not sent"
	case ErrTooLarge:
		return "message too large"
	case ErrMailboxUnusable:
		return "mailbox unusable"
	case ErrNotFound:
		return "not found"
	case ErrCursorExpired:
		return "cursor expired"
	case ErrNoWarrant:
		return "no warrant"
	case ErrSenderNotAllowed:
		return "sender not allowed"
	case ErrInvalid:
		return "invalid value"
	}
	return string(k) // throttled and rejected are words
}

// Error makes a kind usable as a target of errors.Is.
func (k ErrorKind) Error() string { return "provider: " + k.Text() }

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
	b.WriteString(e.Kind.Text())
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
