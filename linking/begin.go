package linking

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// BeginParams begins a flow. Owner, Session, Provider and RedirectURL are
// required.
type BeginParams struct {
	Owner string // the host's user

	// Session is the browser session that the callback must come in: an
	// unguessable value that is the same in both requests, such as the host's
	// session id. Only a digest of it is stored.
	Session string

	Provider    string          // Provider.Name
	Access      provider.Access // empty is AccessReplies
	Tenant      string
	LoginHint   string
	RedirectURL string // the callback's address, as registered with the service

	// ReturnTo is where the host sends the user afterwards: a path on the
	// host's own site, nothing else.
	ReturnTo string

	// Asked is what the host wants the link to do in the end; empty is Access.
	// It is more than Access after a step down: an organisation refuses
	// reading, and the user agrees to send only. The link is then
	// store.LinkLimited, and steps up when it is linked again with more.
	Asked provider.Access

	// Claims is what this sign-in has to prove, as the provider.Error of a
	// Complete that failed says (provider.Error.Claims, by errors.As). With
	// Relink an empty one is what the service said of that link last.
	Claims string

	// Relink is the id of a link to mend, or to change the access of. It keeps
	// its id, its conversations and its place in the mailbox, whatever became
	// of its token. An empty Access is then what the user was last asked for,
	// an empty Asked what the link was to do, and an empty LoginHint its
	// address. An empty Tenant is the one that the latest flow was limited to.
	Relink string

	// StartOver ends the grant at the service before another is asked for.
	// Only with Relink. At Google a user who ever granted gmail.metadata to the
	// project can't be read with a wider scope until all was revoked; a
	// StepUpError says when to try this. The link does not work until the user
	// has consented.
	StartOver bool
}

// Begun is a flow under way.
type Begun struct {
	URL     string    // the consent page: redirect the browser there
	Expires time.Time // the callback must come before
}

// pending is a flow's stored data.
type pending struct {
	Owner    string          `json:"owner"`
	Session  []byte          `json:"session,omitempty"` // digest
	Provider string          `json:"provider,omitempty"`
	Access   provider.Access `json:"access,omitempty"`
	Asked    provider.Access `json:"asked,omitempty"`
	Tenant   string          `json:"tenant,omitempty"`
	Redirect string          `json:"redirect,omitempty"`
	ReturnTo string          `json:"return_to,omitempty"`
	Relink   string          `json:"relink,omitempty"`
	Verifier string          `json:"verifier,omitempty"`
	Nonce    string          `json:"nonce,omitempty"`
	Expires  time.Time       `json:"expires"`
	Admin    bool            `json:"admin,omitempty"` // an administrator's approval is asked for, not a link
}

// Begin starts linking a mailbox: state and PKCE verifier are drawn, bound to
// owner and session, and stored; the URL of the consent page comes back.
func (l *Linker) Begin(ctx context.Context, p BeginParams) (Begun, error) {
	if p.Relink != "" && p.Owner != "" {
		if err := l.beginRelink(ctx, &p); err != nil {
			return Begun{}, err
		}
	}
	prov, err := l.checkBegin(&p)
	if err != nil {
		return Begun{}, err
	}
	now := l.cfg.Now()
	flow := pending{
		Owner: p.Owner, Session: digest("session", p.Session), Provider: p.Provider, Access: p.Access, Asked: p.Asked, Tenant: p.Tenant,
		Redirect: p.RedirectURL, ReturnTo: p.ReturnTo, Relink: p.Relink, Expires: now.Add(l.cfg.FlowTTL),
	}
	var state string
	for _, secret := range []*string{&state, &flow.Verifier, &flow.Nonce} {
		if *secret, err = l.secret(); err != nil {
			return Begun{}, err
		}
	}
	challenge := sha256.Sum256([]byte(flow.Verifier)) // RFC 7636 section 4.2
	page, err := prov.Authorize(provider.AuthRequest{
		Access: p.Access, Tenant: p.Tenant, LoginHint: p.LoginHint, RedirectURL: p.RedirectURL, State: state, Nonce: flow.Nonce,
		Challenge: base64.RawURLEncoding.EncodeToString(challenge[:]), Claims: p.Claims,
	})
	if err != nil {
		return Begun{}, fmt.Errorf("linking: begin: %w", err)
	}
	if err := l.putFlow(ctx, state, flow); err != nil {
		return Begun{}, err
	}
	// Last, so that a grant that works is not ended for a flow that can't begin.
	if p.StartOver {
		if err := l.startOver(ctx, p); err != nil {
			return Begun{}, err
		}
	}
	return Begun{URL: page, Expires: flow.Expires}, nil
}

// putFlow stores a flow under its state. The store keeps it somewhat longer
// than it is good for, so that one that comes late is told so.
func (l *Linker) putFlow(ctx context.Context, state string, flow pending) error {
	data, err := json.Marshal(flow)
	if err != nil {
		return fmt.Errorf("linking: begin: %w", err)
	}
	key := flowKey(state)
	if data, err = l.seal(data, "flow "+key); err != nil {
		return err
	}
	if err := l.cfg.Flows.Put(ctx, store.Flow{Key: key, Data: data, Expires: flow.Expires, TTL: 2 * l.cfg.FlowTTL}); err != nil {
		return fmt.Errorf("linking: begin: store the flow: %w", err)
	}
	return nil
}

func (l *Linker) checkBegin(p *BeginParams) (provider.Provider, error) {
	switch {
	case p.Owner == "":
		return nil, bad("begin", "Owner", "is empty")
	case p.Session == "":
		return nil, bad("begin", "Session", "is empty; give the browser session's id")
	case !callbackURL(p.RedirectURL):
		return nil, bad("begin", "RedirectURL", "must be the whole https address of your callback, without a fragment, as registered with the service; http only at localhost")
	case !localPath(p.ReturnTo):
		return nil, bad("begin", "ReturnTo", "must be empty or a path on your own site, such as /settings")
	}
	prov, ok := l.providers[p.Provider]
	if !ok {
		return nil, bad("begin", "Provider", fmt.Sprintf("%q is not one of the configured providers", p.Provider))
	}
	if p.Access == "" {
		p.Access = provider.AccessReplies
	}
	if !prov.Abilities(p.Access).Offered {
		return nil, bad("begin", "Access", fmt.Sprintf("%q is not offered by %s; give provider.AccessSend, provider.AccessEnvelopes or provider.AccessReplies", p.Access, p.Provider))
	}
	if p.Asked == "" {
		p.Asked = p.Access
	}
	switch {
	case !prov.Abilities(p.Asked).Offered || !p.Asked.Includes(p.Access):
		return nil, bad("begin", "Asked", fmt.Sprintf("%q is not offered by %s, or is less than Access", p.Asked, p.Provider))
	case p.StartOver && p.Relink == "":
		return nil, bad("begin", "StartOver", "needs Relink: there is nothing to end")
	}
	return prov, nil
}

func bad(op, field, problem string) error {
	return &provider.FieldError{Op: "linking: " + op, Field: field, Problem: problem}
}

// callbackURL accepts what a service may send a code to (RFC 9700 section
// 4.1.1, RFC 6749 section 3.1.2).
func callbackURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Fragment != "" || strings.Contains(s, "#") || u.User != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// localPath refuses everything that a browser could take for another site's
// address (RFC 9700 section 4.11).
func localPath(s string) bool {
	if s == "" {
		return true
	}
	if s[0] != '/' || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\") {
		return false
	}
	// "/.//there" is a path of this site to a browser, and "//there" once
	// somebody on the way has cleaned it.
	if path, _, _ := strings.Cut(s, "?"); strings.Contains(path, "//") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// secret draws 256 bits.
func (l *Linker) secret() (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(l.cfg.Rand, b[:]); err != nil {
		return "", fmt.Errorf("linking: no randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

func digest(purpose, s string) []byte {
	sum := sha256.Sum256([]byte("outreach " + purpose + "\x00" + s))
	return sum[:]
}

func flowKey(state string) string { return hex.EncodeToString(digest("state", state)) }

func sameSession(want []byte, session string) bool {
	return subtle.ConstantTimeCompare(want, digest("session", session)) == 1
}

// String hides the session.
func (p BeginParams) String() string { return "linking.BeginParams(the session hidden)" }

// GoString hides the session.
func (p BeginParams) GoString() string { return p.String() }

// LogValue hides the session.
func (p BeginParams) LogValue() slog.Value { return slog.StringValue(p.String()) }
