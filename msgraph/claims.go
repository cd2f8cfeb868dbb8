package msgraph

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/outreachkit/outreach/provider"
)

// A claims challenge says what the user's next sign-in has to prove. It comes
// with an error of the token endpoint, or in base64 with an answer of Graph
// (https://learn.microsoft.com/entra/identity-platform/claims-challenge), and
// goes back to the authorisation endpoint as it is: without it, a sign-in that
// is still good would bring a token that is refused the same way. That Entra
// asks for more once it gets it is a belief.

// maxClaims bounds a challenge, which travels in an address.
const maxClaims = 4096

// claimsOf takes a challenge if it is one: a JSON object.
func claimsOf(s string) string {
	var v map[string]json.RawMessage
	if len(s) > maxClaims || json.Unmarshal([]byte(s), &v) != nil || len(v) == 0 {
		return ""
	}
	return s
}

var challengedClaims = regexp.MustCompile(`(?i)\bclaims="([A-Za-z0-9+/_=-]+)"`)

// challengeOf reads the challenge of an answer.
func challengeOf(resp *http.Response) string {
	for _, h := range resp.Header.Values("WWW-Authenticate") {
		m := challengedClaims.FindStringSubmatch(h)
		if m == nil {
			continue
		}
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			if b, err := enc.DecodeString(m[1]); err == nil {
				return claimsOf(string(b))
			}
		}
	}
	return ""
}

// needsClaims is the error of an answer that no new token mends. A read was
// made with a second, new token before this is asked; a send is one request,
// and may have met a token that has just ended.
func needsClaims(resp *http.Response, e *provider.Error) {
	e.Claims = challengeOf(resp)
	read := resp.Request != nil && resp.Request.Method == http.MethodGet
	if e.Reason == insufficientClaims && resp.StatusCode == http.StatusForbidden || e.Claims != "" && read {
		e.Kind, e.Reason = provider.ErrAccess, insufficientClaims
	}
}

const insufficientClaims = "insufficient_claims"
