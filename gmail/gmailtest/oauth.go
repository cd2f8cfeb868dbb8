package gmailtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// consent is a consent page that waits for its user.
type consent struct {
	redirect  string
	state     string
	nonce     string
	challenge string
	scopes    []string
	hint      string
}

// code is an authorisation code. Used twice, it kills what it gave.
type code struct {
	consent
	box     *postoffice.Mailbox
	granted []string
	ends    time.Time
	grant   *grant // once redeemed
}

// grant is what one consent gave. Google ends grants as a whole.
type grant struct {
	box    *postoffice.Mailbox
	scopes []string
	born   time.Time
	dead   string // error_subtype of the refusal; "-" is none
}

// token is an access or a refresh token.
type token struct {
	grant *grant
	ends  time.Time // zero lives as long as the grant
}

func (s *Server) next(prefix string) string {
	s.serial++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", s.cfg.ClientSecret, prefix, s.serial))
	return prefix + base64.RawURLEncoding.EncodeToString(sum[:24])
}

// token is the token endpoint (RFC 6749 section 4.1.3 and 6).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		oauthError(w, http.StatusBadRequest, "invalid_request", "", "")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if u, p, ok := r.BasicAuth(); ok {
		id, secret = u, p
	}
	if id != s.cfg.ClientID || !slices.Contains(s.secrets, secret) {
		oauthError(w, http.StatusUnauthorized, "invalid_client", "", "The OAuth client was not found.")
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		s.redeem(w, r.PostForm)
	case "refresh_token":
		s.renew(w, r.PostForm)
	default:
		oauthError(w, http.StatusBadRequest, "unsupported_grant_type", "", "Invalid grant_type")
	}
}

func (s *Server) redeem(w http.ResponseWriter, form url.Values) {
	c, ok := s.codes[form.Get("code")]
	switch {
	case !ok, !c.ends.After(s.clock.Now()):
		oauthError(w, http.StatusBadRequest, "invalid_grant", "", "Malformed auth code.")
		return
	case c.grant != nil:
		c.grant.dead = "-" // RFC 6749 section 4.1.2: a reused code revokes its tokens
		oauthError(w, http.StatusBadRequest, "invalid_grant", "", "Bad Request")
		return
	case c.redirect != form.Get("redirect_uri"):
		oauthError(w, http.StatusBadRequest, "redirect_uri_mismatch", "", "Bad Request")
		return
	}
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	if c.challenge != "" && base64.RawURLEncoding.EncodeToString(sum[:]) != c.challenge {
		oauthError(w, http.StatusBadRequest, "invalid_grant", "", "Invalid code verifier.")
		return
	}
	c.grant = &grant{box: c.box, scopes: c.granted, born: s.clock.Now()}
	refresh := s.next("1//")
	s.refresh[refresh] = &token{grant: c.grant}
	s.issue(w, c.grant, refresh, c.nonce, true)
}

// testingLife is how long a grant lives while the consent screen is in
// testing.
const testingLife = 7 * 24 * time.Hour

func (s *Server) renew(w http.ResponseWriter, form url.Values) {
	old := form.Get("refresh_token")
	t, ok := s.refresh[old]
	if ok && s.cfg.Beliefs.TestingMode && !t.grant.born.Add(testingLife).After(s.clock.Now()) {
		t.grant.dead = "-"
	}
	if !ok || t.grant.dead != "" {
		sub := ""
		if ok {
			sub = strings.TrimPrefix(t.grant.dead, "-")
		}
		oauthError(w, http.StatusBadRequest, "invalid_grant", sub, "Token has been expired or revoked.")
		return
	}
	refresh := ""
	if s.cfg.Beliefs.RotatesRefreshTokens {
		delete(s.refresh, old)
		refresh = s.next("1//")
		s.refresh[refresh] = &token{grant: t.grant}
	}
	s.issue(w, t.grant, refresh, "", false)
}

// issue answers with a new access token.
func (s *Server) issue(w http.ResponseWriter, g *grant, refresh, nonce string, first bool) {
	access := s.next("ya29.")
	s.access[access] = &token{grant: g, ends: s.clock.Now().Add(s.cfg.TokenLife)}
	answer := map[string]any{
		"access_token": access, "expires_in": int(s.cfg.TokenLife / time.Second), "token_type": "Bearer",
		"scope": strings.Join(s.spell(g.scopes), " "),
	}
	if refresh != "" {
		answer["refresh_token"] = refresh
	}
	if b := s.cfg.Beliefs; b.TestingMode && b.AnnouncesEnd {
		answer["refresh_token_expires_in"] = int(g.born.Add(testingLife).Sub(s.clock.Now()) / time.Second)
	}
	if slices.Contains(g.scopes, "openid") && first {
		idt, err := s.idToken(g.box, nonce)
		if err != nil {
			oauthError(w, http.StatusInternalServerError, "server_error", "", "")
			return
		}
		answer["id_token"] = idt
	}
	writeJSON(w, http.StatusOK, answer)
}

// spell writes scopes as Google's answer does.
func (s *Server) spell(scopes []string) []string {
	out := slices.Clone(scopes)
	for i, sc := range out {
		if !s.cfg.Beliefs.ShortScopes && (sc == "email" || sc == "profile") {
			out[i] = "https://www.googleapis.com/auth/userinfo." + sc
		}
	}
	return out
}

// revoke ends the whole grant of either kind of token; a dead one is a 400.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		oauthError(w, http.StatusBadRequest, "invalid_request", "", "")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := r.Form.Get("token")
	t := s.refresh[name]
	if t == nil {
		t = s.access[name]
	}
	if t == nil || t.grant.dead != "" {
		oauthError(w, http.StatusBadRequest, "invalid_token", "", "Token expired or revoked")
		return
	}
	s.kill(t.grant.box, "-")
	writeJSON(w, http.StatusOK, map[string]any{})
}

// kill ends every grant on a mailbox, as Google does.
func (s *Server) kill(box *postoffice.Mailbox, why string) {
	for _, set := range []map[string]*token{s.refresh, s.access} {
		for _, t := range set {
			if t.grant.box == box && t.grant.dead == "" {
				t.grant.dead = why
			}
		}
	}
}

// Withdraw is what a user does in their account's settings, or a change of
// password does: all grants on the mailbox of addr are dead. subtype is the
// error_subtype that refreshes are then refused with; empty is none.
func (s *Server) Withdraw(addr, subtype string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if box := s.office.Mailbox(addr); box != nil {
		s.kill(box, "-"+subtype)
	}
}

// AddSecret gives the OAuth client another secret beside those it has.
func (s *Server) AddSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets = append(s.secrets, secret)
}

// RemoveSecret takes a secret from the OAuth client, the first one
// (Config.ClientSecret) too.
func (s *Server) RemoveSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets = slices.DeleteFunc(s.secrets, func(have string) bool { return have == secret })
}

// ExpireAccessTokens makes the server refuse every access token given out so
// far, whatever their clients think.
func (s *Server) ExpireAccessTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings, numbers and slices
	}
	_, _ = w.Write(b)
}

func oauthError(w http.ResponseWriter, status int, code, subtype, description string) {
	v := map[string]any{"error": code}
	if description != "" {
		v["error_description"] = description
	}
	if subtype != "" {
		v["error_subtype"] = subtype
	}
	writeJSON(w, status, v)
}
