package msgraph

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// tokenError classifies an answer of the token endpoint. Its error code (RFC
// 6749 section 5.2) decides; the numbers of error_codes, which may change
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes),
// only refine it.
func tokenError(ctx context.Context, op string, err error, now time.Time) error {
	if ctx.Err() != nil {
		return courier.Interrupted(op, ctx.Err())
	}
	var re *oauth2.RetrieveError
	if !errors.As(err, &re) {
		return &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "network", Err: err}
	}
	e := &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: courier.Code(re.ErrorCode), Err: err}
	status := 0
	if re.Response != nil {
		status, e.RetryAfter = re.Response.StatusCode, courier.RetryAfter(re.Response.Header, now)
	}
	numbers := aadsts(re.Body)
	switch re.ErrorCode {
	case "invalid_grant", "interaction_required", "consent_required", "login_required":
		e.Kind = provider.ErrRelink
	case "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_resource":
		e.Kind = provider.ErrApp
	case "access_denied":
		e.Kind = provider.ErrMailboxUnusable
	case "invalid_request", "invalid_scope":
		e.Kind = provider.ErrRejected
	default:
		if status == http.StatusTooManyRequests {
			e.Kind = provider.ErrThrottled
		}
	}
	for _, n := range numbers {
		if kind, ok := kindOfNumber(n); ok {
			e.Kind = kind
		}
	}
	switch {
	case len(numbers) > 0:
		e.Reason = "AADSTS" + strconv.Itoa(numbers[0])
	case e.Reason == "":
		e.Reason = http.StatusText(status)
	}
	return e
}

// aadsts reads error_codes.
func aadsts(body []byte) []int {
	var v struct {
		Codes []int `json:"error_codes"`
	}
	if json.Unmarshal(body, &v) != nil {
		return nil
	}
	return v.Codes
}

// kindOfNumber knows the numbers that mean something else than the error code
// they come with says.
func kindOfNumber(n int) (provider.ErrorKind, bool) {
	switch n {
	case 7000215, 7000222, 7000218, 700025, 70002, 650052, 500011, 7000112, 700016:
		// A secret that is wrong or expired, an app that is disabled or not
		// there: no user's grant is at fault.
		return provider.ErrApp, true
	case 50057, 50053:
		return provider.ErrMailboxUnusable, true // the account is disabled or locked
	case 50033, 90006, 90012, 90024, 90033, 90090, 50087, 70012:
		return provider.ErrTemporary, true
	case 90055, 50196:
		return provider.ErrThrottled, true
	}
	return "", false
}
