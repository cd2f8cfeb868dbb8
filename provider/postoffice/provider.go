package postoffice

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
)

// Kind is the kind a MemProvider says it is, unless configured otherwise.
const Kind provider.Kind = "postoffice"

// ProviderConfig sets up a MemProvider. All fields may be zero.
type ProviderConfig struct {
	Name string        // "postoffice" if empty
	Kind provider.Kind // Kind if empty

	// Limits replaces DefaultLimits, Abilities replaces DefaultAbilities.
	Limits    *provider.Limits
	Abilities map[provider.Access]provider.Abilities

	PageSize  int           // changes per page; 100 if zero
	TokenLife time.Duration // of access tokens; one hour if zero

	// Push is told when something new is in a watched mailbox, while the clock
	// moves. Nil: mailboxes are no provider.Watcher.
	Push func(provider.Push)

	// Rotates: each refresh answers with a new refresh token and the old one
	// is dead. Otherwise the answer leaves it out.
	Rotates bool
}

// DefaultLimits are Gmail's.
func DefaultLimits() provider.Limits {
	return provider.Limits{MaxMessageBytes: 36_700_160, MaxRecipients: 100, SendTimeout: time.Minute, Settle: 15 * time.Minute}
}

// DefaultAbilities are Gmail's. A token for AccessEnvelopes reads no content
// here, and searches only for threads.
func DefaultAbilities() map[provider.Access]provider.Abilities {
	return map[provider.Access]provider.Abilities{
		provider.AccessSend: {Offered: true},
		provider.AccessEnvelopes: {
			Offered: true, Locate: provider.ReachThread, ThreadReplies: true, AutoReplies: provider.DetectHeaders, Preview: true,
		},
		provider.AccessReplies: {
			Offered: true, Locate: provider.ReachMailbox, ThreadReplies: true, SenderReplies: true,
			AutoReplies: provider.DetectContent, Reports: provider.DetectContent, Content: true, Preview: true,
		},
	}
}

// MemProvider is a provider.Provider over an Office, without any wire. Its
// users consent by Visit or Consent; its tokens, like its mail, live as long
// as the Office's process.
type MemProvider struct {
	office *Office
	cfg    ProviderConfig

	mu      sync.Mutex
	rules   []Rule
	issued  int
	codes   map[string]*consent
	grants  map[string]*grant // by refresh token, live ones only
	access  map[string]*token // by access token
	history []*grant
	watches map[string]*memWatch // by id
	hooked  map[string]bool      // by subject: its changes are told
}

type consent struct {
	subject, challenge, nonce, redirect string
	access                              provider.Access
}

type grant struct {
	subject string
	access  provider.Access
	dead    bool
}

type token struct {
	grant   *grant
	expires time.Time
	refused bool
}

var _ provider.Provider = (*MemProvider)(nil)

// NewProvider returns a provider over the office, which must not be nil.
func NewProvider(office *Office, cfg ProviderConfig) *MemProvider {
	cfg.Name = cmp.Or(cfg.Name, "postoffice")
	cfg.Kind = cmp.Or(cfg.Kind, Kind)
	cfg.PageSize = cmp.Or(max(cfg.PageSize, 0), 100)
	cfg.TokenLife = cmp.Or(max(cfg.TokenLife, 0), time.Hour)
	limits, abilities := DefaultLimits(), DefaultAbilities()
	if cfg.Limits != nil {
		limits = *cfg.Limits
	}
	if cfg.Abilities != nil {
		abilities = maps.Clone(cfg.Abilities)
	}
	cfg.Limits, cfg.Abilities = &limits, abilities
	return &MemProvider{
		office: office, cfg: cfg,
		codes: make(map[string]*consent), grants: make(map[string]*grant), access: make(map[string]*token),
		watches: make(map[string]*memWatch), hooked: make(map[string]bool),
	}
}

// Name implements provider.Provider.
func (p *MemProvider) Name() string { return p.cfg.Name }

// Kind implements provider.Provider.
func (p *MemProvider) Kind() provider.Kind { return p.cfg.Kind }

// Limits implements provider.Provider.
func (p *MemProvider) Limits() provider.Limits { return *p.cfg.Limits }

// Abilities implements provider.Provider.
func (p *MemProvider) Abilities(a provider.Access) provider.Abilities { return p.cfg.Abilities[a] }

const (
	consentPage = "https://consent.postoffice.example/authorize"
	issuer      = "https://consent.postoffice.example"
)

func scopes(a provider.Access) []string { return []string{"openid", "mail." + string(a)} }

// Authorize implements provider.Provider. The address is good for Visit.
func (p *MemProvider) Authorize(req provider.AuthRequest) (string, error) {
	const op = "postoffice: authorize"
	for _, f := range []struct{ name, value string }{
		{"State", req.State}, {"Challenge", req.Challenge}, {"Nonce", req.Nonce}, {"RedirectURL", req.RedirectURL},
	} {
		if f.value == "" {
			return "", &provider.FieldError{Op: op, Field: f.name, Problem: "is empty; every consent needs its own"}
		}
	}
	if !p.Abilities(req.Access).Offered {
		return "", &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: "not_offered"}
	}
	v := url.Values{
		"response_type": {"code"}, "client_id": {p.cfg.Name}, "redirect_uri": {req.RedirectURL}, "state": {req.State},
		"code_challenge": {req.Challenge}, "code_challenge_method": {"S256"}, "nonce": {req.Nonce},
		"scope": {string(req.Access)},
	}
	if req.LoginHint != "" {
		v.Set("login_hint", req.LoginHint)
	}
	return consentPage + "?" + v.Encode(), nil
}

// Visit is what the owner of the mailbox addr does with the address that
// Authorize returned: consent, and grant this access, which may be less than
// was asked for, or none if it is empty. It returns the address that the
// browser is sent to, with code and state.
func (p *MemProvider) Visit(page, addr string, granted provider.Access) (string, error) {
	u, err := url.Parse(page)
	if err != nil {
		return "", fmt.Errorf("postoffice: visit: the page's address can't be read: %w", err)
	}
	m := p.office.Mailbox(addr)
	if m == nil {
		return "", fmt.Errorf("visit: %w", ErrNoMailbox)
	}
	q := u.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil {
		return "", fmt.Errorf("postoffice: visit: the redirect's address can't be read: %w", err)
	}
	p.mu.Lock()
	code := p.secret("code")
	p.codes[code] = &consent{
		subject: m.Subject(), challenge: q.Get("code_challenge"), nonce: q.Get("nonce"), redirect: q.Get("redirect_uri"), access: granted,
	}
	p.mu.Unlock()
	answer := back.Query()
	answer.Set("code", code)
	answer.Set("state", q.Get("state"))
	answer.Set("iss", issuer)
	back.RawQuery = answer.Encode()
	return back.String(), nil
}

// Consent grants access to the mailbox of addr without a browser.
func (p *MemProvider) Consent(addr string, access provider.Access) (provider.Grant, error) {
	m := p.office.Mailbox(addr)
	if m == nil {
		return provider.Grant{}, fmt.Errorf("consent: %w", ErrNoMailbox)
	}
	return p.issue(m, access), nil
}

// secret makes a code or token: different each time, equal in every run. The
// caller holds the lock.
func (p *MemProvider) secret(kind string) string {
	p.issued++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", p.cfg.Name, kind, p.issued))
	return kind + "-" + base64.RawURLEncoding.EncodeToString(sum[:18])
}

func (p *MemProvider) issue(m *Mailbox, access provider.Access) provider.Grant {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := &grant{subject: m.Subject(), access: access}
	refresh := p.secret("refresh")
	p.grants[refresh] = g
	p.history = append(p.history, g)
	tok := p.accessToken(g)
	tok.RefreshToken = refresh
	return provider.Grant{
		Token: tok, Access: access, Scopes: scopes(access),
		Identity: provider.Identity{Subject: m.Subject(), Address: m.Address(), Aliases: append(m.Addresses()[1:], m.Senders()...), Name: m.Name()},
	}
}

func (p *MemProvider) accessToken(g *grant) *oauth2.Token {
	expires := p.office.clock.Now().Add(p.cfg.TokenLife)
	s := p.secret("access")
	p.access[s] = &token{grant: g, expires: expires}
	return &oauth2.Token{AccessToken: s, TokenType: "Bearer", Expiry: expires}
}

// Exchange implements provider.Provider.
func (p *MemProvider) Exchange(ctx context.Context, cb provider.Callback) (provider.Grant, error) {
	const op = "postoffice: exchange"
	if err := ctx.Err(); err != nil {
		return provider.Grant{}, fmt.Errorf("%s: %w", op, err)
	}
	if err := p.strike(OpExchange).fail(OpExchange); err != nil {
		return provider.Grant{}, err
	}
	refuse := func(reason provider.Reason) (provider.Grant, error) {
		return provider.Grant{}, &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: string(reason)}
	}
	if cb.Issuer != "" && cb.Issuer != issuer {
		return refuse(provider.ReasonIdentity)
	}
	p.mu.Lock()
	c := p.codes[cb.Code]
	delete(p.codes, cb.Code)
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(cb.Verifier))
	switch {
	case c == nil:
		return refuse(provider.ReasonCodeMisused)
	case base64.RawURLEncoding.EncodeToString(sum[:]) != c.challenge:
		return refuse(provider.ReasonCodeMisused)
	case cb.RedirectURL != c.redirect:
		return refuse(provider.ReasonCodeMisused)
	case cb.Nonce == "" || cb.Nonce != c.nonce:
		return refuse(provider.ReasonIdentity)
	case !c.access.Includes(provider.AccessSend):
		return provider.Grant{}, &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: string(provider.ReasonScopesUnticked)}
	}
	m := p.office.BySubject(c.subject)
	if m == nil {
		return refuse(provider.ReasonCodeMisused)
	}
	return p.issue(m, c.access), nil
}

// Refresh implements provider.Provider.
func (p *MemProvider) Refresh(ctx context.Context, g provider.Grant) (provider.Grant, error) {
	const op = "postoffice: refresh"
	if err := ctx.Err(); err != nil {
		return provider.Grant{}, fmt.Errorf("%s: %w", op, err)
	}
	if err := p.strike(OpRefresh).fail(OpRefresh); err != nil {
		return provider.Grant{}, err
	}
	if g.Token == nil || g.Token.RefreshToken == "" {
		return provider.Grant{}, &provider.Error{Kind: provider.ErrRelink, Op: op, Reason: string(provider.ReasonNoLastingAccess)}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	live := p.grants[g.Token.RefreshToken]
	if live == nil || live.dead {
		return provider.Grant{}, &provider.Error{Kind: provider.ErrRelink, Op: op, Reason: "invalid_grant"}
	}
	tok := p.accessToken(live)
	tok.RefreshToken = g.Token.RefreshToken
	if p.cfg.Rotates {
		delete(p.grants, g.Token.RefreshToken)
		tok.RefreshToken = p.secret("refresh")
		p.grants[tok.RefreshToken] = live
	}
	g.Token, g.Access, g.Scopes = tok, live.access, scopes(live.access)
	return g, nil
}

// Revoke implements provider.Provider.
func (p *MemProvider) Revoke(ctx context.Context, g provider.Grant) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("postoffice: revoke: %w", err)
	}
	if g.Token == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if live := p.grants[g.Token.RefreshToken]; live != nil {
		live.dead = true
	}
	if t := p.access[g.Token.AccessToken]; t != nil {
		t.grant.dead = true
	}
	return nil
}

// Withdraw is what the owner of the mailbox addr does in their account's
// settings: all grants on it are dead from now on.
func (p *MemProvider) Withdraw(addr string) {
	m := p.office.Mailbox(addr)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.history {
		if m != nil && g.subject == m.Subject() {
			g.dead = true
		}
	}
}

// authorise says whether a token is good now, and for what.
func (p *MemProvider) authorise(tok *oauth2.Token) (subject string, access provider.Access, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.access[tok.AccessToken]
	if t == nil || t.refused || t.grant.dead || !p.office.clock.Now().Before(t.expires) {
		return "", "", false
	}
	return t.grant.subject, t.grant.access, true
}

// Diagnose implements provider.Provider. It knows no codes but this module's
// own reasons.
func (p *MemProvider) Diagnose(err error) provider.Diagnosis {
	return provider.ExplainKind(err, p.cfg.Kind.Service())
}

// Open implements provider.Provider.
func (p *MemProvider) Open(acc provider.Account, ts provider.TokenSource) provider.Mailbox {
	m := &memMailbox{provider: p, account: acc, tokens: ts}
	if p.cfg.Push != nil && p.Abilities(acc.Access).ThreadReplies {
		return watchedMailbox{m}
	}
	return m
}
