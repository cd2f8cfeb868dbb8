package gmail

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// subtype reads error_subtype, which tells kinds of invalid_grant apart.
func subtype(body []byte) string {
	var v struct {
		Subtype string `json:"error_subtype"`
	}
	if json.Unmarshal(body, &v) != nil {
		return ""
	}
	return courier.Code(v.Subtype)
}

// fault turns what a read request returned into this module's error. Context
// errors stay what they are.
func (m *mailbox) fault(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return courier.Interrupted(op, ctx.Err())
	}
	return m.p.classify(op, err)
}

// classify judges by status and reason, never by text.
func (p *Provider) classify(op string, err error) *provider.Error {
	var own *provider.Error
	if errors.As(err, &own) {
		out := *own
		out.Op = op
		return &out
	}
	var api *googleapi.Error
	if !errors.As(err, &api) {
		return &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "network", Err: err}
	}
	e := &provider.Error{Op: op, Reason: reasonOf(api), RetryAfter: courier.RetryAfter(api.Header, p.now()), Err: err}
	e.Kind = kindOf(api.Code, e.Reason)
	if e.Reason == "" {
		e.Reason = courier.StatusCode(api.Code)
	}
	if e.Kind == provider.ErrThrottled && e.RetryAfter == 0 {
		if t, ok := retryTime(api.Message); ok {
			e.RetryAfter = max(0, t.Sub(p.now()))
		}
	}
	return e
}

// reasonOf returns the most specific code of an answer: the error details'
// or the first error's reason.
func reasonOf(api *googleapi.Error) string {
	for _, item := range api.Errors {
		if r := courier.Code(item.Reason); r != "" {
			return r
		}
	}
	var body struct {
		Error struct {
			Status string `json:"status"`
		} `json:"error"`
	}
	if json.Unmarshal([]byte(api.Body), &body) == nil {
		if s := courier.Code(body.Error.Status); s != "" {
			return s
		}
	}
	return ""
}

// kindOf maps the codes of
// https://developers.google.com/workspace/gmail/api/guides/handle-errors and
// those that users report beside them.
func kindOf(status int, reason string) provider.ErrorKind {
	switch reason {
	case "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "RESOURCE_EXHAUSTED", "dailyLimitExceeded":
		// The daily limit is the whole project's; it passes by itself too.
		return provider.ErrThrottled
	case "insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT":
		return provider.ErrAccess
	case "domainPolicy", "failedPrecondition", "FAILED_PRECONDITION":
		return provider.ErrMailboxUnusable
	case "delegationDenied":
		// A token of another mailbox: something is badly mixed up.
		return provider.ErrMailboxUnusable
	case "accessNotConfigured", "SERVICE_DISABLED":
		return provider.ErrApp
	case "backendError", "internalError":
		return provider.ErrTemporary
	}
	switch status {
	case http.StatusUnauthorized:
		// The token source was told and judges on its next call.
		return provider.ErrTemporary
	case http.StatusForbidden:
		return provider.ErrAccess
	case http.StatusNotFound:
		return provider.ErrNotFound
	case http.StatusRequestEntityTooLarge:
		return provider.ErrTooLarge
	case http.StatusTooManyRequests:
		return provider.ErrThrottled
	}
	if status >= 400 && status < 500 && status != http.StatusRequestTimeout {
		return provider.ErrRejected
	}
	return provider.ErrTemporary
}

// retryText is the one hint that Gmail gives in its text alone: "User-rate
// limit exceeded.  Retry after 2026-09-01T12:00:00.000Z".
var retryText = regexp.MustCompile(`Retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)`)

func retryTime(message string) (time.Time, bool) {
	m := retryText.FindStringSubmatch(message)
	if m == nil {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, m[1])
	return t, err == nil
}
