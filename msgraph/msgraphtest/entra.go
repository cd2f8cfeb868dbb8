package msgraphtest

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// entra is what Entra remembers.
type entra struct {
	keys   keys
	policy Policy // of tenants without one

	mu            sync.Mutex
	serial        int
	secretExpired bool
	secrets       []string
	certificates  []*x509.Certificate
	tenants       []Tenant
	accounts      map[*postoffice.Mailbox]Account
	pending       map[string]*request
	sessions      map[string]*postoffice.Mailbox // by the browser's cookie
	codes         map[string]*code
	access        map[string]*token
	refresh       map[string]*token
	consents      map[string][]string            // scopes by tenant's or account's id
	claims        map[*postoffice.Mailbox]string // what Graph wants a sign-in to have proven
}

func newEntra(cfg Config) *entra {
	e := &entra{
		policy:   cfg.Policy,
		secrets:  []string{cfg.ClientSecret},
		accounts: make(map[*postoffice.Mailbox]Account), pending: make(map[string]*request), sessions: make(map[string]*postoffice.Mailbox),
		codes: make(map[string]*code), access: make(map[string]*token), refresh: make(map[string]*token), consents: make(map[string][]string),
		claims: make(map[*postoffice.Mailbox]string),
	}
	if cfg.SigningKey != nil {
		e.keys.publish(cfg.SigningKey)
	}
	return e
}

func (s *Server) entraRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("GET /{tenant}/discovery/v2.0/keys", s.keySet)
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", s.authorize)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/authorize", s.consentAnswer)
	mux.HandleFunc("GET /{tenant}/v2.0/adminconsent", s.adminConsent)
	mux.HandleFunc("POST /{tenant}/v2.0/adminconsent", s.adminAnswer)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.token)
}

// entraOp names what a request to Entra asks for: "token", "keys" (also the
// discovery document) or "page".
func entraOp(r *http.Request) string {
	switch {
	case strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token"):
		return "token"
	case strings.HasSuffix(r.URL.Path, "/discovery/v2.0/keys"), strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		return "keys"
	}
	return "page"
}

// next makes a name that nobody guesses, the same in every run. The caller
// holds s.entra.mu.
func (s *Server) next(prefix string) string {
	s.entra.serial++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", s.cfg.ClientSecret, prefix, s.entra.serial))
	return prefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// trace makes the id of an answer.
func (s *Server) trace() string {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	return guid(s.next("trace "))
}

// Withdraw ends what the owner of a mailbox granted: from now on refreshes of
// it are refused as invalid_grant with the given AADSTS number, 50173 if it
// is zero. Access tokens live on, as at Microsoft. With 65001 the user's
// consent is forgotten as well, so that they are asked again.
func (s *Server) Withdraw(address string, errorCode int) {
	box := s.mailbox(address)
	if box == nil {
		return
	}
	if errorCode == 0 {
		errorCode = 50173
	}
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	for _, t := range s.entra.refresh {
		if t.root.box == box {
			t.root.dead = errorCode
		}
	}
	if errorCode == 65001 {
		delete(s.entra.consents, s.entra.person(box).object)
	}
}

// WithdrawTenant takes back what an administrator consented to for the tenant
// with this id or domain. Refreshes that relied on it are refused with
// AADSTS65001.
func (s *Server) WithdrawTenant(tenant string) {
	g, ok := s.segment(tenant)
	if !ok {
		return
	}
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	delete(s.entra.consents, g.key)
}

// ExpireAccessTokens makes Graph refuse every access token given out so far,
// whatever their clients think.
func (s *Server) ExpireAccessTokens() {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	for _, t := range s.entra.access {
		t.ends = time.Time{}
	}
}

// ChallengeAccessTokens has continuous access evaluation end the access
// tokens of a mailbox given out so far: Graph answers them with a claims
// challenge (https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation).
func (s *Server) ChallengeAccessTokens(address string) {
	box := s.mailbox(address)
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	for _, t := range s.entra.access {
		if t.root.box == box {
			t.challenged = true
		}
	}
}

// RequireClaims has Graph refuse all tokens of a mailbox, new ones too, whose
// sign-in did not prove what these claims ask for: it answers with them as a
// claims challenge, and takes a token for which the authorisation endpoint got
// them (https://learn.microsoft.com/entra/identity-platform/claims-challenge).
// Empty asks for nothing.
func (s *Server) RequireClaims(address, claims string) {
	box := s.mailbox(address)
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	s.entra.claims[box] = claims
}

// ExpireSecret has the first client secret run out, or be renewed under the same
// value.
func (s *Server) ExpireSecret(expired bool) {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	s.entra.secretExpired = expired
}

// AddSecret gives the registration another client secret beside those it has.
func (s *Server) AddSecret(secret string) {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	s.entra.secrets = append(s.entra.secrets, secret)
}

// RemoveSecret takes a client secret from the registration, the first one
// (Config.ClientSecret) too.
func (s *Server) RemoveSecret(secret string) {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	s.entra.secrets = slices.DeleteFunc(s.entra.secrets, func(have string) bool { return have == secret })
}

// resource is what names of scopes without one belong to.
const resource = "https://graph.microsoft.com/"

// The scopes of OpenID Connect, in the order in which answers have them.
var openIDScopes = [...]string{"openid", "profile", "email"}

const offlineScope = "offline_access"

func isOpenID(scope string) bool {
	return slices.Contains(openIDScopes[:], scope) || scope == offlineScope
}

// permissions are the delegated permissions of Graph that exist here, and
// whether users of a tenant under PolicyManaged may consent to them.
func permissions() map[string]bool {
	return map[string]bool{
		"User.Read": true, "Mail.Send": true, "Mail.Send.Shared": true,
		"Mail.Read": false, "Mail.ReadBasic": false, "Mail.ReadWrite": false,
		"Mail.Read.Shared": false, "Mail.ReadBasic.Shared": false, "Mail.ReadWrite.Shared": false,
		"MailboxSettings.Read": false, "MailboxSettings.ReadWrite": false,
	}
}

// scopes reads a scope parameter: OpenID scopes and permissions of Graph,
// by their short names in the spelling of Graph's reference.
func (s *Server) scopes(list string) ([]string, *problem) {
	var out []string
	known := slices.Collect(maps.Keys(permissions()))
	for _, asked := range strings.Fields(list) {
		short := asked
		if i := strings.LastIndexByte(asked, '/'); i >= 0 {
			if base := asked[:i+1]; !strings.EqualFold(base, resource) && base != s.GraphURL()+"/" {
				return nil, s.problem(700022)
			}
			short = asked[i+1:]
		}
		switch i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, short) }); {
		case isOpenID(strings.ToLower(short)):
			out = append(out, strings.ToLower(short))
		case i >= 0:
			out = append(out, known[i])
		case short == ".default":
			out = append(out, s.cfg.Permissions...)
		default:
			p := s.problem(650053)
			p.text = fmt.Sprintf("The application asked for scope '%s' that doesn't exist on the resource '%s'.", short, resource)
			return nil, p
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// graphOnly leaves the scopes of OpenID out.
func graphOnly(scopes []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), isOpenID)
}

// spell writes scopes as Entra's answers do: those of OpenID last, and never
// offline_access.
func (s *Server) spell(scopes []string, full bool) string {
	out := graphOnly(scopes)
	if full {
		for i := range out {
			out[i] = resource + out[i]
		}
	}
	for _, o := range openIDScopes {
		if slices.Contains(scopes, o) {
			out = append(out, o)
		}
	}
	return strings.Join(out, " ")
}

// missing returns those of the scopes that neither the account nor its
// tenant's administrator consented to. The caller holds e.mu.
func (e *entra) missing(p person, scopes []string) []string {
	return slices.DeleteFunc(graphOnly(scopes), func(sc string) bool {
		return slices.Contains(e.consents[p.object], sc) || slices.Contains(e.consents[p.tenant.ID], sc)
	})
}

// consent remembers a consent under a tenant's or an account's id. The caller
// holds e.mu.
func (e *entra) consent(id string, scopes []string) {
	e.consents[id] = append(e.consents[id], graphOnly(scopes)...)
}
