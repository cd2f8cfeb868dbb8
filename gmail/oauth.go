package gmail

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// Authorize implements provider.Provider.
func (p *Provider) Authorize(req provider.AuthRequest) (string, error) {
	const op = "gmail: authorize"
	for field, v := range map[string]string{
		"State": req.State, "Challenge": req.Challenge, "Nonce": req.Nonce, "RedirectURL": req.RedirectURL,
	} {
		if v == "" {
			return "", courier.Invalid(op, field, "is empty")
		}
	}
	scopes := scopesFor(req.Access)
	if scopes == nil {
		return "", &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: "access_not_offered"}
	}
	cfg := p.oauth
	cfg.Scopes, cfg.RedirectURL = scopes, req.RedirectURL
	// A refresh token comes only with offline access, and after the first
	// consent only when the user is asked again. Scopes granted earlier are
	// not included: gmail.metadata among them would spoil the others.
	prompt := "consent"
	opts := []oauth2.AuthCodeOption{
		oauth2.AccessTypeOffline,
		oauth2.SetAuthURLParam("code_challenge", req.Challenge),
		oauth2.SetAuthURLParam("code_challenge_method", "S256"),
		oauth2.SetAuthURLParam("nonce", req.Nonce),
	}
	if req.LoginHint != "" {
		opts = append(opts, oauth2.SetAuthURLParam("login_hint", req.LoginHint))
	} else {
		prompt += " select_account"
	}
	opts = append(opts, oauth2.SetAuthURLParam("prompt", prompt))
	return cfg.AuthCodeURL(req.State, opts...), nil
}

// Exchange implements provider.Provider.
func (p *Provider) Exchange(ctx context.Context, cb provider.Callback) (provider.Grant, error) {
	const op = "gmail: exchange"
	if cb.Code == "" || cb.Verifier == "" || cb.Nonce == "" {
		return provider.Grant{}, courier.Invalid(op, "Callback", "needs a Code, a Verifier and a Nonce")
	}
	// RFC 9207: a redirect that names another issuer carries that one's code.
	if cb.Issuer != "" && cb.Issuer != p.ends.Issuer {
		return provider.Grant{}, &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: "issuer_mismatch"}
	}
	cfg := p.oauth
	cfg.RedirectURL = cb.RedirectURL
	tok, err := cfg.Exchange(p.withClient(ctx), cb.Code, oauth2.VerifierOption(cb.Verifier))
	if err != nil {
		return provider.Grant{}, p.tokenError(ctx, op, err, true)
	}
	id, err := p.identity(ctx, tok, cb.Nonce)
	if err != nil {
		return provider.Grant{}, err
	}
	granted, _ := tok.Extra("scope").(string)
	g := provider.Grant{Token: courier.BareToken(tok, p.now()), Identity: id, Scopes: normalizeScopes(granted)}
	access, reason := accessOf(g.Scopes, cb.Access)
	if reason != "" {
		return provider.Grant{}, &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: reason}
	}
	if tok.RefreshToken == "" {
		return provider.Grant{}, &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: string(provider.ReasonNoLastingAccess)}
	}
	g.Access, g.Ends = access, p.grantEnds(tok)
	g.Identity.Aliases = p.sendersOf(ctx, g)
	return g, nil
}

func (p *Provider) newVerifier() *oidc.IDTokenVerifier {
	// The key set keeps this context for its fetches; the client's timeout
	// bounds them.
	ctx := oidc.ClientContext(context.Background(), p.plainClient())
	return oidc.NewVerifier(p.ends.Issuer, oidc.NewRemoteKeySet(ctx, p.ends.JWKS), &oidc.Config{
		ClientID: p.oauth.ClientID, SupportedSigningAlgs: []string{oidc.RS256}, Now: p.now,
	})
}

// identity verifies the ID token (OpenID Connect Core section 3.1.3.7).
func (p *Provider) identity(ctx context.Context, tok *oauth2.Token, nonce string) (provider.Identity, error) {
	const op = "gmail: id token"
	fail := func(reason string, err error) (provider.Identity, error) {
		return provider.Identity{}, &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: reason, Err: err}
	}
	raw, _ := tok.Extra("id_token").(string)
	if raw == "" {
		return fail("id_token_missing", nil)
	}
	idt, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		if ctx.Err() != nil {
			return provider.Identity{}, ctx.Err()
		}
		var expired *oidc.TokenExpiredError
		if errors.As(err, &expired) { // it came this second, so the clocks differ
			return fail(string(provider.ReasonClockSkew), err)
		}
		return fail("id_token_invalid", err)
	}
	if subtle.ConstantTimeCompare([]byte(idt.Nonce), []byte(nonce)) != 1 {
		return fail("nonce_mismatch", nil)
	}
	var claims struct {
		Email    string `json:"email"`
		Verified any    `json:"email_verified"` // a boolean, and in some answers a string
		Name     string `json:"name"`
		HD       string `json:"hd"`
	}
	if err := idt.Claims(&claims); err != nil {
		return fail("id_token_invalid", err)
	}
	if idt.Subject == "" {
		return fail("subject_missing", nil)
	}
	id := provider.Identity{Subject: idt.Subject, Name: claims.Name, Tenant: claims.HD}
	if claims.Verified == true || claims.Verified == "true" {
		id.Address = claims.Email
	}
	if id.Address == "" {
		return fail("address_not_verified", nil)
	}
	return id, nil
}

// Refresh implements provider.Provider.
func (p *Provider) Refresh(ctx context.Context, g provider.Grant) (provider.Grant, error) {
	const op = "gmail: refresh"
	if g.Token == nil || g.Token.RefreshToken == "" {
		return g, &provider.Error{Kind: provider.ErrRelink, Op: op, Reason: string(provider.ReasonNoLastingAccess)}
	}
	// A source without an access token asks once, and is thrown away.
	tok, err := p.oauth.TokenSource(p.withClient(ctx), &oauth2.Token{RefreshToken: g.Token.RefreshToken}).Token()
	if err != nil {
		return g, p.tokenError(ctx, op, err, false)
	}
	if tok.RefreshToken == "" {
		tok.RefreshToken = g.Token.RefreshToken
	}
	out := g
	out.Token = courier.BareToken(tok, p.now())
	if ends := p.grantEnds(tok); !ends.IsZero() {
		out.Ends = ends
	}
	if granted, _ := tok.Extra("scope").(string); granted != "" {
		scopes := normalizeScopes(granted)
		access, reason := accessOf(scopes, g.Access)
		if reason != "" {
			return g, &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: reason}
		}
		out.Scopes, out.Access = scopes, access
	}
	return out, nil
}

// grantEnds reads refresh_token_expires_in, which Google adds where the user
// gave access for a limited time
// (https://developers.google.com/identity/protocols/oauth2/web-server#exchange-authorization-code).
func (p *Provider) grantEnds(tok *oauth2.Token) time.Time {
	if s, ok := tok.Extra("refresh_token_expires_in").(float64); ok && s > 0 && s < 1e9 {
		return p.now().Add(time.Duration(s) * time.Second)
	}
	return time.Time{}
}

// RevokeEffect implements provider.Revoker.
func (p *Provider) RevokeEffect() provider.RevokeEffect { return provider.RevokesAll }

// Revoke implements provider.Provider. At Google it ends all that the user
// granted to the project, for all of its OAuth clients
// (https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke).
func (p *Provider) Revoke(ctx context.Context, g provider.Grant) error {
	const op = "gmail: revoke"
	if g.Token == nil {
		return nil
	}
	token := g.Token.RefreshToken
	if token == "" {
		token = g.Token.AccessToken
	}
	if token == "" {
		return nil
	}
	body := strings.NewReader(url.Values{"token": {token}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.ends.Revoke, body)
	if err != nil {
		return &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: "bad_endpoint"}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.plainClient().Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "network", Err: err}
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	switch {
	case resp.StatusCode < 300, resp.StatusCode == http.StatusBadRequest: // 400: dead already
		return nil
	case resp.StatusCode == http.StatusTooManyRequests:
		return &provider.Error{Kind: provider.ErrThrottled, Op: op, Reason: courier.StatusCode(resp.StatusCode), RetryAfter: courier.RetryAfter(resp.Header, p.now())}
	}
	return &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: courier.StatusCode(resp.StatusCode)}
}

// plainClient makes requests that carry no mailbox's token.
func (p *Provider) plainClient() *http.Client {
	return &http.Client{Transport: p.transport, Timeout: p.timeout, CheckRedirect: courier.NoRedirect}
}

func (p *Provider) withClient(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, p.plainClient())
}

// tokenError classifies an answer of the token endpoint (RFC 6749 section
// 5.2) by its error code. At the exchange of a code there is no grant yet that
// could be dead, and a request that is refused as such is the code's fault;
// at a refresh it is the app's.
func (p *Provider) tokenError(ctx context.Context, op string, err error, exchange bool) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var re *oauth2.RetrieveError
	if !errors.As(err, &re) {
		return &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "network", Err: err}
	}
	e := &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: courier.Code(re.ErrorCode), Err: err}
	switch re.ErrorCode {
	case "invalid_grant":
		e.Kind = provider.ErrRelink
		if sub := subtype(re.Body); sub != "" {
			e.Reason = sub
		}
	case "invalid_client", "unauthorized_client", "deleted_client", "disabled_client", "redirect_uri_mismatch", "unsupported_grant_type",
		"invalid_scope", "access_not_configured":
		e.Kind = provider.ErrApp
	case "admin_policy_enforced", "access_denied", "org_internal":
		e.Kind = provider.ErrMailboxUnusable
	case "invalid_request":
		e.Kind = provider.ErrApp
		if exchange {
			e.Kind = provider.ErrRejected
		}
	default:
		if re.Response != nil && re.Response.StatusCode == http.StatusTooManyRequests {
			e.Kind = provider.ErrThrottled
		}
	}
	if exchange && e.Kind == provider.ErrRelink {
		e.Kind = provider.ErrRejected
	}
	if re.Response != nil {
		e.RetryAfter = courier.RetryAfter(re.Response.Header, p.now())
		if e.Reason == "" {
			e.Reason = courier.StatusCode(re.Response.StatusCode)
		}
	}
	return e
}
