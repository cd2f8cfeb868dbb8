package msgraph

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// anyTenant stands for work, school and personal accounts of every tenant.
const anyTenant = "common"

// tenantForm is a tenant's id, its domain, or one of the words for several:
// anything else could change the path it is put into.
var tenantForm = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$`)

func validTenant(s string) bool { return len(s) <= 253 && tenantForm.MatchString(s) }

// tenantOr returns the tenant whose endpoints a flow uses.
func (p *Provider) tenantOr(tenant string) string {
	if tenant == "" {
		return p.tenant
	}
	return tenant
}

// Authorize implements provider.Provider.
func (p *Provider) Authorize(req provider.AuthRequest) (string, error) {
	const op = "msgraph: authorize"
	for _, f := range []struct{ field, value string }{
		{"State", req.State}, {"Challenge", req.Challenge}, {"Nonce", req.Nonce}, {"RedirectURL", req.RedirectURL},
	} {
		if f.value == "" {
			return "", courier.Invalid(op, f.field, "is empty")
		}
	}
	if req.Tenant != "" && !validTenant(req.Tenant) {
		return "", courier.Invalid(op, "Tenant", "must be a tenant's id or domain, organizations, consumers or common")
	}
	scopes := scopesFor(req.Access)
	if scopes == nil {
		return "", &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: "access_not_offered"}
	}
	cfg := p.oauthConfig(p.tenantOr(req.Tenant))
	cfg.Scopes, cfg.RedirectURL = scopes, req.RedirectURL
	opts := []oauth2.AuthCodeOption{
		oauth2.SetAuthURLParam("code_challenge", req.Challenge),
		oauth2.SetAuthURLParam("code_challenge_method", "S256"),
		oauth2.SetAuthURLParam("nonce", req.Nonce),
		oauth2.SetAuthURLParam("response_mode", "query"),
	}
	if req.Claims != "" {
		opts = append(opts, oauth2.SetAuthURLParam("claims", req.Claims))
	}
	if req.LoginHint != "" {
		opts = append(opts, oauth2.SetAuthURLParam("login_hint", req.LoginHint))
	} else {
		// Else the browser's session decides, without a word, whose mailbox
		// it is.
		opts = append(opts, oauth2.SetAuthURLParam("prompt", "select_account"))
	}
	return cfg.AuthCodeURL(req.State, opts...), nil
}

// Exchange implements provider.Provider. A code is redeemed where it was
// issued. The mailbox's address comes from Graph: an ID token's are
// unverified names.
func (p *Provider) Exchange(ctx context.Context, cb provider.Callback) (provider.Grant, error) {
	const op = "msgraph: exchange"
	if cb.Code == "" || cb.Verifier == "" || cb.Nonce == "" {
		return provider.Grant{}, courier.Invalid(op, "Callback", "needs a Code, a Verifier and a Nonce")
	}
	if cb.Tenant != "" && !validTenant(cb.Tenant) {
		return provider.Grant{}, courier.Invalid(op, "Tenant", "must be a tenant's id or domain, organizations, consumers or common")
	}
	// RFC 9207: a redirect that names another issuer carries that one's code,
	// which is shown to nobody. Whether it is the right tenant's, the ID token
	// tells.
	if cb.Issuer != "" && !strings.HasPrefix(cb.Issuer, p.ends.Login+"/") {
		return provider.Grant{}, &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: "issuer_mismatch"}
	}
	cfg := p.oauthConfig(p.tenantOr(cb.Tenant))
	cfg.RedirectURL = cb.RedirectURL
	tok, err := cfg.Exchange(p.withClient(ctx), cb.Code, oauth2.VerifierOption(cb.Verifier))
	if err != nil {
		return provider.Grant{}, tokenError(ctx, op, err, p.now(), true)
	}
	id, err := p.identity(ctx, tok, cb)
	if err != nil {
		return provider.Grant{}, err
	}
	granted, _ := tok.Extra("scope").(string)
	g := provider.Grant{Token: courier.BareToken(tok, p.now()), Identity: id, Scopes: normalizeScopes(granted)}
	access, reason := accessOf(g.Scopes)
	if reason != "" {
		return provider.Grant{}, &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: reason}
	}
	if tok.RefreshToken == "" {
		return provider.Grant{}, &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: string(provider.ReasonNoLastingAccess)}
	}
	g.Access = access
	who, err := p.newClient(fixed{g.Token}).whoami(ctx, op)
	if err != nil {
		return provider.Grant{}, err
	}
	g.Identity.Address, g.Identity.Aliases = who.address(), who.addresses()[1:]
	return g, nil
}

// fixed is a source of the one token there is while a link is being made.
type fixed struct{ tok *oauth2.Token }

func (f fixed) Token(context.Context) (*oauth2.Token, error)  { return f.tok, nil }
func (f fixed) Refused(context.Context, *oauth2.Token, error) {}

// newKeySet reads the keys of ID tokens. All tenants share them.
func (p *Provider) newKeySet() oidc.KeySet {
	// The key set keeps this context for its fetches; the client's timeout
	// bounds them.
	ctx := oidc.ClientContext(context.Background(), p.plainClient())
	return oidc.NewRemoteKeySet(ctx, p.ends.Login+"/"+anyTenant+"/discovery/v2.0/keys")
}

// identity verifies the ID token
// (https://learn.microsoft.com/entra/identity-platform/id-tokens#validate-tokens).
// A flow that was open to several tenants learns the tenant from the token,
// and its issuer must be that tenant's.
func (p *Provider) identity(ctx context.Context, tok *oauth2.Token, cb provider.Callback) (provider.Identity, error) {
	const op = "msgraph: id token"
	fail := func(reason string, err error) (provider.Identity, error) {
		return provider.Identity{}, &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: reason, Err: err}
	}
	raw, _ := tok.Extra("id_token").(string)
	if raw == "" {
		return fail("id_token_missing", nil)
	}
	verifier := oidc.NewVerifier("", p.keys, &oidc.Config{
		ClientID: p.id, SupportedSigningAlgs: []string{oidc.RS256}, Now: p.now, SkipIssuerCheck: true,
	})
	idt, err := verifier.Verify(ctx, raw)
	if err != nil {
		if ctx.Err() != nil {
			return provider.Identity{}, courier.Interrupted(op, ctx.Err())
		}
		var expired *oidc.TokenExpiredError
		if errors.As(err, &expired) { // it came this second, so the clocks differ
			return fail(string(provider.ReasonClockSkew), err)
		}
		return fail("id_token_invalid", err)
	}
	var claims struct {
		Tenant string `json:"tid"`
		Object string `json:"oid"`
		Name   string `json:"name"`
	}
	if err := idt.Claims(&claims); err != nil {
		return fail("id_token_invalid", err)
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(idt.Nonce), []byte(cb.Nonce)) != 1:
		return fail("nonce_mismatch", nil)
	case claims.Tenant == "" || claims.Object == "" || !validTenant(claims.Tenant):
		return fail("subject_missing", nil)
	case idt.Issuer != p.ends.Login+"/"+claims.Tenant+"/v2.0":
		return fail("issuer_mismatch", nil)
	case cb.Issuer != "" && cb.Issuer != idt.Issuer && cb.Issuer != p.ends.Login+"/{tenantid}/v2.0":
		// RFC 9207. Entra's metadata for several tenants has the placeholder.
		return fail("issuer_mismatch", nil)
	}
	if want := p.tenantOr(cb.Tenant); tenantID.MatchString(want) && want != claims.Tenant {
		return fail("tenant_mismatch", nil)
	}
	return provider.Identity{Subject: claims.Tenant + "." + claims.Object, Name: claims.Name, Tenant: claims.Tenant}, nil
}

// tenantID tells a tenant's id from its domains and from the words.
var tenantID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Refresh implements provider.Provider. Each answer brings a new refresh
// token; the old one stays good for its time, and is not kept.
func (p *Provider) Refresh(ctx context.Context, g provider.Grant) (provider.Grant, error) {
	const op = "msgraph: refresh"
	if g.Token == nil || g.Token.RefreshToken == "" {
		return g, &provider.Error{Kind: provider.ErrRelink, Op: op, Reason: string(provider.ReasonNoLastingAccess)}
	}
	tenant := g.Identity.Tenant
	if !validTenant(tenant) {
		tenant = p.tenant
	}
	cfg := p.oauthConfig(tenant)
	// A source without an access token asks once, and is thrown away.
	tok, err := cfg.TokenSource(p.withClient(ctx), &oauth2.Token{RefreshToken: g.Token.RefreshToken}).Token()
	if err != nil {
		return g, tokenError(ctx, op, err, p.now(), false)
	}
	if tok.RefreshToken == "" {
		tok.RefreshToken = g.Token.RefreshToken
	}
	out := g
	out.Token = courier.BareToken(tok, p.now())
	if granted, _ := tok.Extra("scope").(string); granted != "" {
		scopes := normalizeScopes(granted)
		access, reason := accessOf(scopes)
		if reason != "" {
			return g, &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: reason}
		}
		out.Scopes, out.Access = scopes, access
	}
	return out, nil
}

// RevokeEffect implements provider.Revoker.
func (p *Provider) RevokeEffect() provider.RevokeEffect { return provider.RevokesNothing }

// Revoke implements provider.Provider. Entra has no endpoint that ends one
// grant; what there is ends all of a user's sessions everywhere. So nothing
// is asked: the host erases the tokens, and the user finds the app at
// https://myapps.microsoft.com, the administrator among the tenant's
// enterprise applications.
func (p *Provider) Revoke(context.Context, provider.Grant) error { return nil }

// plainClient makes requests that carry no mailbox's token.
func (p *Provider) plainClient() *http.Client {
	return &http.Client{Transport: p.transport, Timeout: p.timeout, CheckRedirect: courier.NoRedirect}
}

// withClient has x/oauth2 make its requests with the app's credential.
func (p *Provider) withClient(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: p.tokens, Timeout: p.timeout, CheckRedirect: courier.NoRedirect})
}
