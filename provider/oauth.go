package provider

import (
	"log/slog"
	"time"

	"golang.org/x/oauth2"
)

// AuthRequest asks for a consent page (RFC 6749 section 4.1.1, RFC 7636,
// OpenID Connect Core section 3.1.2.1). State, Challenge, Nonce and
// RedirectURL are required.
type AuthRequest struct {
	Access      Access
	Tenant      string // Microsoft: a tenant, or empty for any; Google ignores it
	LoginHint   string // an address to offer first; empty lets the user choose
	RedirectURL string
	State       string
	Challenge   string // PKCE code challenge, method S256
	Nonce       string

	// Claims is the claims parameter (OpenID Connect Core section 5.5): what
	// the service said that this sign-in has to prove, see Error.Claims. Empty
	// is nothing. A Provider whose service never says so ignores it.
	Claims string
}

// Callback is what Exchange needs from the redirect and from the pending flow.
type Callback struct {
	Code        string
	Verifier    string // PKCE code verifier
	Nonce       string // as sent in AuthRequest
	RedirectURL string // as sent in AuthRequest
	Tenant      string // as sent in AuthRequest
	Access      Access // as sent in AuthRequest; empty is not known
	Issuer      string // the redirect's iss parameter (RFC 9207); empty if absent
}

// Identity is who granted, from the verified ID token.
type Identity struct {
	Subject string   // the stable key, see Account.Subject
	Address string   // the mailbox's address as far as known; display only
	Aliases []string // further addresses that mail for the mailbox may go to, as far as the access shows them
	Name    string
	Tenant  string // Google's hd, Microsoft's tid; may be empty
}

// Grant is a user's consent: tokens and what they are good for. It never
// prints its tokens.
type Grant struct {
	Token    *oauth2.Token
	Identity Identity
	Access   Access
	Scopes   []string // as granted, in the service's canonical spelling

	// Ends is when the service said that it ends the grant, whatever is done
	// with it. Zero is not said.
	Ends time.Time
}

// RevokeEffect is what Provider.Revoke ends.
type RevokeEffect string

// The effects.
const (
	RevokesNothing RevokeEffect = "nothing" // the service has no way; the user or an administrator removes the app
	RevokesGrant   RevokeEffect = "grant"   // this grant
	RevokesAll     RevokeEffect = "all"     // all that the user granted to the host's project, also to its other apps
)

// Revoker is a Provider that says what Revoke ends. One that doesn't ends
// the grant.
type Revoker interface {
	RevokeEffect() RevokeEffect
}

// String hides the tokens.
func (g Grant) String() string {
	return "grant(" + string(g.Access) + ", tokens hidden)"
}

// GoString hides the tokens.
func (g Grant) GoString() string { return g.String() }

// LogValue hides the tokens.
func (g Grant) LogValue() slog.Value { return slog.StringValue(g.String()) }

// String hides the code and the verifier.
func (cb Callback) String() string { return "callback(code hidden)" }

// GoString hides the code and the verifier.
func (cb Callback) GoString() string { return cb.String() }

// LogValue hides the code and the verifier.
func (cb Callback) LogValue() slog.Value { return slog.StringValue(cb.String()) }

// String hides state and nonce.
func (r AuthRequest) String() string { return "provider.AuthRequest(state and nonce hidden)" }

// GoString hides state and nonce.
func (r AuthRequest) GoString() string { return r.String() }

// LogValue hides state and nonce.
func (r AuthRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }
