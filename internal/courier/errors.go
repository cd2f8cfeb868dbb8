package courier

import (
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// word is what an error code looks like. Anything else in its place could be
// anything, an address among it, and is not repeated.
var word = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)

// Code returns s if it looks like an error code, else nothing.
func Code(s string) string {
	if word.MatchString(s) {
		return s
	}
	return ""
}

// StatusCode is the code of an answer that has none but its status: http_502
// for 502, and nothing for zero.
func StatusCode(status int) string {
	if status == 0 {
		return ""
	}
	return "http_" + strconv.Itoa(status)
}

// Invalid refuses a value before any request.
func Invalid(op, field, problem string) error {
	return &provider.Error{Kind: provider.ErrRejected, Op: op, Err: &provider.FieldError{Op: op, Field: field, Problem: problem}}
}

// Interrupted says what was attempted when the context ended.
func Interrupted(op string, err error) error { return &interrupted{op: op, err: err} }

type interrupted struct {
	op  string
	err error
}

func (e *interrupted) Error() string { return e.op + ": " + e.err.Error() }
func (e *interrupted) Unwrap() error { return e.err }

// RetryAfter reads the header in both of its forms (RFC 9110 section 10.2.3);
// zero if it is absent or unreadable.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.ParseFloat(v, 64); err == nil && n >= 0 && n < 1<<30 {
		return time.Duration(n * float64(time.Second))
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}
