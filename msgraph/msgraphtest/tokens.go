package msgraphtest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// code is an authorisation code.
type code struct {
	request
	box  *postoffice.Mailbox
	ends time.Time
	used bool
}

// root is what one sign-in gave, whatever refreshes made of it.
type root struct {
	box    *postoffice.Mailbox
	scopes []string // also those of OpenID
	dead   int      // the AADSTS number that refreshes are refused with
	claims string   // what the sign-in proved
}

// token is an access or a refresh token.
type token struct {
	root       *root
	scopes     []string
	ends       time.Time
	challenged bool // ended by continuous access evaluation
}

// idle is how long a refresh token lives unused
// (https://learn.microsoft.com/entra/identity-platform/refresh-tokens).
const idle = 90 * 24 * time.Hour

// token is the token endpoint (RFC 6749 sections 4.1.3 and 6).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.refuseToken(w, s.problem(9002313))
		return
	}
	g, p := s.client(r)
	if p == nil {
		switch grant := r.PostForm.Get("grant_type"); grant {
		case "":
			p = s.missingParameter("grant_type")
		case "authorization_code":
			p = s.redeem(w, g, r.PostForm)
		case "refresh_token":
			p = s.renew(w, g, r.PostForm)
		default:
			p = s.problem(70003)
		}
	}
	if p != nil {
		s.refuseToken(w, p)
	}
}

// client checks who asks, and where.
func (s *Server) client(r *http.Request) (segment, *problem) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if u, p, ok := r.BasicAuth(); ok {
		id, secret = u, p
	}
	g, ok := s.segment(r.PathValue("tenant"))
	s.entra.mu.Lock()
	expired, good := s.entra.secretExpired && secret == s.cfg.ClientSecret, slices.Contains(s.entra.secrets, secret)
	s.entra.mu.Unlock()
	switch assertion := r.PostForm.Get("client_assertion"); {
	case !ok:
		return g, s.problem(90002)
	case id == "":
		return g, s.missingParameter("client_id")
	case id != s.cfg.ClientID:
		return g, s.problem(700016)
	case assertion != "" && secret == "":
		return g, s.checkAssertion(r, assertion)
	case secret == "":
		return g, s.problem(7000218)
	case !good:
		return g, s.problem(7000215)
	case expired:
		return g, s.problem(7000222)
	}
	return g, nil
}

func (s *Server) redeem(w http.ResponseWriter, g segment, form url.Values) *problem {
	name := form.Get("code")
	if name == "" {
		return s.missingParameter("code")
	}
	// A redemption may ask for less than the authorisation did.
	asked, p := s.scopes(form.Get("scope"))
	if p != nil {
		return p
	}
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	now := s.clock.Now()
	s.entra.mu.Lock()
	c := s.entra.codes[name]
	number := 0
	switch {
	case c == nil:
		number = 9002313
	case c.segment.key != g.key:
		number = 700005
	case c.used:
		number = 54005
	case !c.ends.After(now):
		number = 70008
	case c.redirect != form.Get("redirect_uri"):
		number = 50011
	case c.challenge != "" && c.challenge != challenge, c.challenge == "" && form.Get("code_verifier") != "":
		number = 501481
	default:
		c.used = true
	}
	s.entra.mu.Unlock()
	if number != 0 {
		return s.problem(number)
	}
	return s.issue(w, &root{box: c.box, scopes: c.scopes, claims: c.claims}, asked, c.nonce)
}

func (s *Server) renew(w http.ResponseWriter, g segment, form url.Values) *problem {
	name := form.Get("refresh_token")
	if name == "" {
		return s.missingParameter("refresh_token")
	}
	asked, p := s.scopes(form.Get("scope"))
	if p != nil {
		return p
	}
	s.entra.mu.Lock()
	t := s.entra.refresh[name]
	number := 0
	if t == nil {
		number = 9002313
	} else {
		switch p := s.entra.person(t.root.box); {
		case t.root.dead != 0:
			number = t.root.dead
		case !t.ends.After(s.clock.Now()):
			number = 700082
		case !g.admits(p):
			number = 50020
		case p.tenant.Block != 0:
			number = p.tenant.Block
		}
	}
	s.entra.mu.Unlock()
	if number != 0 {
		return s.problem(number)
	}
	return s.issue(w, t.root, asked, "")
}

// issue answers with tokens for the scopes asked for, or all of the sign-in's
// if none are.
func (s *Server) issue(w http.ResponseWriter, from *root, scopes []string, nonce string) *problem {
	if len(scopes) == 0 {
		scopes = from.scopes
	}
	who := s.person(from.box)
	s.entra.mu.Lock()
	if len(s.entra.missing(who, scopes)) > 0 {
		s.entra.mu.Unlock()
		return s.problem(65001)
	}
	if s.cfg.Beliefs.WidensScopes {
		scopes = slices.Concat(scopes, s.entra.consents[who.object], s.entra.consents[who.tenant.ID])
		slices.Sort(scopes)
		scopes = slices.Compact(scopes)
	}
	now := s.clock.Now()
	access := s.next("EwB")
	s.entra.access[access] = &token{root: from, scopes: scopes, ends: now.Add(s.cfg.TokenLife)}
	life := int(s.cfg.TokenLife / time.Second)
	answer := map[string]any{
		"token_type": "Bearer", "scope": s.spell(scopes, s.cfg.Beliefs.FullScopes), "expires_in": life, "ext_expires_in": life, "access_token": access,
	}
	if slices.Contains(from.scopes, offlineScope) {
		refresh := s.next("1.A")
		s.entra.refresh[refresh] = &token{root: from, ends: now.Add(idle)}
		answer["refresh_token"] = refresh
	}
	s.entra.mu.Unlock()
	if slices.Contains(scopes, "openid") {
		idt, err := s.idToken(who, scopes, nonce)
		if err != nil {
			return &problem{status: http.StatusInternalServerError, code: "server_error"}
		}
		answer["id_token"] = idt
	}
	w.Header().Set("Cache-Control", "no-store, no-cache")
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// grant is what an access token is good for.
type grant struct {
	mailbox *postoffice.Mailbox
	scopes  []string // of Graph, such as Mail.Send
	person  person
}

// bearer finds what a request to Graph is allowed to do.
func (s *Server) bearer(r *http.Request) (*grant, *failure) {
	f := &failure{
		status: http.StatusUnauthorized, code: "InvalidAuthenticationToken",
		challenge: `Bearer realm="", authorization_uri="` + s.LoginURL() + `/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`,
	}
	scheme, name, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || name == "" {
		f.message = "Access token is empty."
		return nil, f
	}
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	t := s.entra.access[name]
	switch {
	case t == nil:
		f.message = "Access token validation failure. Invalid audience."
	case s.entra.claims[t.root.box] != t.root.claims && s.entra.claims[t.root.box] != "":
		f.message = "The request was blocked by a conditional access policy."
		f.challenge += `, error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(s.entra.claims[t.root.box])) + `"`
	case t.challenged:
		f.message = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"
		claims := base64.StdEncoding.EncodeToString([]byte(`{"access_token":{"nbf":{"essential":true,"value":"` + strconv.FormatInt(s.clock.Now().Unix(), 10) + `"}}}`))
		f.challenge += `, error="insufficient_claims", claims="` + claims + `"`
	case !t.ends.After(s.clock.Now()):
		f.message = "Lifetime validation failed, the token is expired."
	default:
		return &grant{mailbox: t.root.box, scopes: graphOnly(t.scopes), person: s.entra.person(t.root.box)}, nil
	}
	return nil, f
}
