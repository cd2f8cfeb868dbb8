package msgraph

import (
	"cmp"
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
// 6749 section 5.2) decides. The numbers of error_codes, which may change
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes),
// choose the explanation; all that they can do to the kind is to spare a
// grant. At the exchange of a code there is no grant yet that could be dead.
func tokenError(ctx context.Context, op string, err error, now time.Time, exchange bool) error {
	if ctx.Err() != nil {
		return courier.Interrupted(op, ctx.Err())
	}
	var own *provider.Error
	if errors.As(err, &own) { // the client's assertion could not be made
		out := *own
		out.Op = op
		return &out
	}
	var re *oauth2.RetrieveError
	if !errors.As(err, &re) {
		return &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "network", Err: err}
	}
	status := 0
	e := &provider.Error{Op: op, Err: err}
	if re.Response != nil {
		status, e.RetryAfter = re.Response.StatusCode, courier.RetryAfter(re.Response.Header, now)
	}
	answer := readTokenAnswer(re.Body)
	e.Claims = claimsOf(answer.Claims)
	e.Kind = kindOfCode6749(re.ErrorCode, status)
	for _, n := range answer.Numbers {
		e.Kind = spare(e.Kind, n)
	}
	if exchange {
		e.Kind = atExchange(e.Kind, re.ErrorCode)
	}
	e.Reason = codeFor(courier.Code(re.ErrorCode), answer.Numbers, answer.Sub)
	if e.Reason == "" {
		e.Reason = courier.StatusCode(status)
	}
	return e
}

// tokenAnswer is what Entra adds to RFC 6749's error.
type tokenAnswer struct {
	Numbers []int  `json:"error_codes"`
	Sub     string `json:"suberror"`
	Claims  string `json:"claims"`
}

func readTokenAnswer(body []byte) tokenAnswer {
	var v tokenAnswer
	if json.Unmarshal(body, &v) != nil {
		return tokenAnswer{}
	}
	return v
}

// codeFor is the code to keep: the number, else RFC 6749's error. What
// explains a number that is not known here, the suberror or the error, is kept
// behind a dot.
func codeFor(code string, numbers []int, sub string) string {
	for _, n := range numbers {
		if known(n) {
			return numbered + strconv.Itoa(n)
		}
	}
	if meaningOfSuberror(sub).reason == "" {
		sub = ""
	}
	switch {
	case len(numbers) > 0:
		return dotted(numbered+strconv.Itoa(numbers[0]), cmp.Or(sub, code))
	case code == "":
		return ""
	}
	return dotted(code, sub)
}

func dotted(code, why string) string {
	if why == "" {
		return code
	}
	return code + "." + why
}

const numbered = "AADSTS"

// kindOfCode6749 is what an error code means at a refresh. One that is not
// known, or a page instead of an answer, condemns nothing.
func kindOfCode6749(code string, status int) provider.ErrorKind {
	switch code {
	case "invalid_grant", "interaction_required", "consent_required", "login_required":
		return provider.ErrRelink
	case "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_resource", "invalid_request", "invalid_scope":
		return provider.ErrApp
	case "access_denied":
		return provider.ErrMailboxUnusable
	}
	if status == http.StatusTooManyRequests {
		return provider.ErrThrottled
	}
	return provider.ErrTemporary
}

// atExchange: a refused code is no dead grant, and a request that is refused
// as such can be what the callback brought.
func atExchange(kind provider.ErrorKind, code string) provider.ErrorKind {
	if kind == provider.ErrRelink || kind == provider.ErrApp && code == "invalid_request" {
		return provider.ErrRejected
	}
	return kind
}

// spare knows the numbers that say of a grant that seems dead that it is not.
// They never make an error worse than its code says.
func spare(kind provider.ErrorKind, n int) provider.ErrorKind {
	if kind != provider.ErrRelink && kind != provider.ErrTemporary {
		return kind
	}
	switch n {
	case 7000215, 7000222, 7000218, 700025, 70002, 65005, 70011, 650052, 650057, 500011, 7000112, 1000031, 700016, 700011, 70001, 90099,
		700021, 700023, 700024, 700027, 50011, 50194:
		// A secret or a certificate that is wrong or expired, an app that is
		// set up wrongly, disabled or not there: no user's grant is at fault.
		return provider.ErrApp
	case 50057, 50053, 50105, 500021, 500022, 500212, 500213:
		return provider.ErrMailboxUnusable // the account is disabled, locked, or kept out
	case 50033, 90006, 90012, 90024, 90033, 90090, 50087, 70012:
		return provider.ErrTemporary
	case 90055, 50196:
		return provider.ErrThrottled
	}
	return kind
}
