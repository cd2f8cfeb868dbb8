package courier

import (
	"net"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

// NoRedirect is for http.Client.CheckRedirect: an answer that points
// elsewhere is an answer, and a token does not follow it.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Timeout bounds a request, with its answer, where the host sets no bound: a
// socket that says nothing more must not hold up a mailbox for ever.
const Timeout = 5 * time.Minute

// NewTransport is for hosts that bring none. It differs from
// http.DefaultTransport in being one Provider's own.
func NewTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          100,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// BareToken drops what x/oauth2 keeps of an answer beside the token, the ID
// token among it, and sets the expiry to now plus expires_in (RFC 6749
// section 5.1): x/oauth2 would count from its own clock.
func BareToken(tok *oauth2.Token, now time.Time) *oauth2.Token {
	out := &oauth2.Token{AccessToken: tok.AccessToken, TokenType: tok.TokenType, RefreshToken: tok.RefreshToken}
	if tok.ExpiresIn > 0 {
		out.Expiry = now.Add(time.Duration(tok.ExpiresIn) * time.Second).Round(0)
	}
	return out
}
