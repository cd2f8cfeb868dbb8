package msgraphtest

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// request is an authorisation, or an administrator's consent, that is asked
// for.
type request struct {
	segment   segment
	admin     bool // of the admin consent endpoint
	redirect  string
	state     string
	nonce     string
	challenge string
	scopes    []string
	prompt    string
	hint      string
	domain    string
	claims    string // what the sign-in has to prove; it does
}

// page is the consent page: whose account, and all that the app asks for.
// Unlike at Google nothing can be left out.
var page = template.Must(template.New("consent").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Permissions requested</title>
<style>body{font:16px/1.5 sans-serif;max-width:30em;margin:3em auto}fieldset{margin:1em 0;border:1px solid #ccc;border-radius:8px}label{display:block;margin:.4em 0}</style></head>
<body><h1>{{if .Admin}}Permissions requested for your organization{{else}}Pick an account{{end}}</h1>
<p>This is a fake of Microsoft’s page, for tests.</p>
<form method="post" action="{{.Action}}">
<input type="hidden" name="request" value="{{.Request}}">
<fieldset><legend>Account</legend>
{{range .Accounts}}<label><input type="radio" name="account" value="{{.Address}}"{{if .Hinted}} checked{{end}} required> {{.Name}} {{.SignInName}}</label>
{{end}}</fieldset>
<p>This app would like to:</p>
<ul>{{range .Scopes}}<li>{{.}}</li>
{{end}}</ul>
{{if not .Admin}}<label><input type="checkbox" name="organization" value="yes"> Consent on behalf of your organization (administrators only)</label>
{{end}}<button name="answer" value="allow">Accept</button>
<button name="answer" value="deny" formnovalidate>Cancel</button>
</form></body></html>
`))

type pageAccount struct {
	Name, Address, SignInName string
	Hinted                    bool
}

// showPage asks the user. Accounts that may not sign in here are left out,
// but are refused with Entra's error if they try.
func (s *Server) showPage(w http.ResponseWriter, r *http.Request, c *request) {
	data := struct {
		Action, Request string
		Admin           bool
		Accounts        []pageAccount
		Scopes          []string
	}{Action: r.URL.EscapedPath(), Admin: c.admin, Scopes: c.scopes}
	for _, box := range s.office.Mailboxes() {
		if !serves(box) {
			continue
		}
		p := s.person(box)
		if c.segment.admits(p) && c.hinted(p) {
			data.Accounts = append(data.Accounts, pageAccount{box.Name(), box.Address(), p.upn, c.hint != "" && p.named(c.hint)})
		}
	}
	s.entra.mu.Lock()
	data.Request = s.next("req-")
	s.entra.pending[data.Request] = c
	s.entra.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, data)
}

// hinted reports whether domain_hint leaves the account in.
func (c *request) hinted(p person) bool {
	switch c.domain {
	case "":
		return true
	case "consumers":
		return p.tenant.Personal
	case workAccount:
		return !p.tenant.Personal
	}
	return slices.Contains(p.tenant.Domains, c.domain)
}

// named reports whether somebody signs in under this name.
func (p person) named(name string) bool {
	return provider.Normalize(p.upn) == provider.Normalize(name) || p.box.Owns(name)
}

// read takes what both endpoints have in common from a query. A problem means
// that the browser can't be sent back.
func (s *Server) read(r *http.Request) (*request, *problem) {
	q := r.URL.Query()
	c := &request{redirect: q.Get("redirect_uri"), state: q.Get("state")}
	g, ok := s.segment(r.PathValue("tenant"))
	c.segment = g
	if !ok {
		return c, s.problem(90002)
	}
	switch id := q.Get("client_id"); {
	case id == "":
		return c, s.missingParameter("client_id")
	case id != s.cfg.ClientID:
		return c, s.problem(700016)
	}
	if s.cfg.HomeTenant != "" {
		switch home, _ := s.segment(s.cfg.HomeTenant); {
		case g.key == anyAccount || g.key == workAccount:
			return c, s.problem(50194)
		case g.key != home.key:
			return c, s.problem(700016)
		}
	}
	if c.redirect == "" {
		return c, s.missingParameter("redirect_uri")
	}
	target, err := url.Parse(c.redirect)
	known := len(s.cfg.RedirectURLs) == 0 || slices.Contains(s.cfg.RedirectURLs, c.redirect)
	if err != nil || target.Host == "" || target.Fragment != "" || !known {
		return c, s.problem(50011)
	}
	return c, nil
}

// authorize is the authorisation endpoint (RFC 6749 section 4.1.1, RFC 7636,
// OpenID Connect Core section 3.1.2.1). Mistakes that Entra shows on its own
// page, and does not send back with, are shown here too.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	c, p := s.read(r)
	if p != nil {
		showError(w, p)
		return
	}
	q := r.URL.Query()
	c.nonce, c.challenge, c.prompt = q.Get("nonce"), q.Get("code_challenge"), q.Get("prompt")
	c.hint, c.domain = q.Get("login_hint"), strings.ToLower(q.Get("domain_hint"))
	c.claims = q.Get("claims")
	c.scopes, p = s.scopes(q.Get("scope"))
	switch mode := q.Get("response_mode"); {
	case p != nil:
	case q.Get("response_type") == "":
		p = s.missingParameter("response_type")
	case q.Get("response_type") != "code":
		p = s.problem(70016)
	case len(c.scopes) == 0:
		p = s.missingParameter("scope")
	case mode != "" && mode != "query":
		p = s.problem(90023)
	case c.challenge == "" && q.Get("code_challenge_method") != "":
		p = s.problem(501491)
	case c.challenge != "" && q.Get("code_challenge_method") != "S256":
		p = s.problem(90023) // Entra has "plain" too; nobody ought to ask for it
	case c.challenge != "" && len(c.challenge) != 43:
		p = s.problem(501491)
	case !slices.Contains([]string{"", "login", "none", "consent", "select_account"}, c.prompt):
		p = s.problem(90023)
	}
	if p != nil {
		s.sendBack(w, c, p, nil)
		return
	}
	if c.claims == "" && c.prompt == "" || c.prompt == "none" {
		if s.silently(w, r, c) {
			return
		}
	}
	s.showPage(w, r, c)
}

// cookie is the browser's session at Entra.
const cookie = "ESTSAUTH"

// silently answers without a page, where the browser's session knows who it
// is and nothing is left to consent to. It reports whether it answered; a
// request for prompt=none it always does.
func (s *Server) silently(w http.ResponseWriter, r *http.Request, c *request) bool {
	var box *postoffice.Mailbox
	if k, err := r.Cookie(cookie); err == nil {
		s.entra.mu.Lock()
		box = s.entra.sessions[k.Value]
		s.entra.mu.Unlock()
	}
	number := 0
	if box == nil {
		number = 50058
	} else {
		who := s.person(box)
		s.entra.mu.Lock()
		missing := s.entra.missing(who, c.scopes)
		s.entra.mu.Unlock()
		switch {
		case !c.segment.admits(who), !c.hinted(who), c.hint != "" && !who.named(c.hint):
			number = 50058
		case who.tenant.Block != 0:
			number = who.tenant.Block
		case len(missing) > 0:
			number = 65001
		}
	}
	switch {
	case number == 0:
		s.giveCode(w, c, box)
		return true
	case c.prompt != "none":
		return false
	}
	p := s.problem(number)
	switch number {
	case 50058:
	case 65001:
		p.code = "consent_required"
	default:
		p.code = "interaction_required"
	}
	s.sendBack(w, c, p, nil)
	return true
}

// giveCode sends the browser back with a code.
func (s *Server) giveCode(w http.ResponseWriter, c *request, box *postoffice.Mailbox) {
	who := s.person(box)
	s.entra.mu.Lock()
	name := s.next("1.B")
	s.entra.codes[name] = &code{request: *c, box: box, ends: s.clock.Now().Add(s.cfg.CodeLife)}
	s.entra.mu.Unlock()
	q := url.Values{"code": {name}, "session_state": {guid("session " + who.object)}}
	if s.cfg.Beliefs.SendsIssuer {
		q.Set("iss", s.LoginURL()+"/"+who.tenant.ID+"/v2.0")
	}
	s.redirect(w, c, q)
}

// signIn takes the form of a page: what was asked, and who answers. It
// answers itself, and returns no request, where the browser stays.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, admin bool) (*request, person) {
	if err := r.ParseForm(); err != nil {
		showError(w, s.problem(9002313))
		return nil, person{}
	}
	id := r.PostForm.Get("request")
	s.entra.mu.Lock()
	c := s.entra.pending[id]
	delete(s.entra.pending, id)
	s.entra.mu.Unlock()
	if c == nil || c.admin != admin {
		showError(w, s.problem(9002313))
		return nil, person{}
	}
	if r.PostForm.Get("answer") != "allow" {
		return c, person{}
	}
	box := s.mailbox(r.PostForm.Get("account"))
	if box == nil {
		showError(w, s.problem(50034))
		return nil, person{}
	}
	who := s.person(box)
	switch {
	case !c.segment.admits(who):
		showError(w, s.problem(50020))
		return nil, person{}
	case who.tenant.Block != 0:
		showError(w, s.problem(who.tenant.Block))
		return nil, person{}
	}
	s.entra.mu.Lock()
	session := s.next("s.")
	s.entra.sessions[session] = box
	s.entra.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return c, who
}

// consentAnswer takes the form of the consent page and sends the browser
// back.
func (s *Server) consentAnswer(w http.ResponseWriter, r *http.Request) {
	c, who := s.signIn(w, r, false)
	switch {
	case c == nil:
		return
	case who.box == nil:
		p, more := s.declined(r)
		s.sendBack(w, c, p, more)
		return
	}
	organization := r.PostForm.Get("organization") != ""
	s.entra.mu.Lock()
	missing := s.entra.missing(who, c.scopes)
	number := 0
	switch {
	case organization && !who.admin:
		number = 90093
	case organization:
		s.entra.consent(who.tenant.ID, c.scopes)
	case !who.admin && !who.tenant.allows(missing):
		number = 90094
		if who.tenant.ConsentRequests {
			number = 90095
		}
	default:
		s.entra.consent(who.object, missing)
	}
	s.entra.mu.Unlock()
	if number != 0 {
		s.sendBack(w, c, s.problem(number), nil)
		return
	}
	s.giveCode(w, c, who.box)
}

// declined is what the browser is sent back with where nobody accepted: the
// user cancelled, or the test ordered another error (Answer.Refuse).
func (s *Server) declined(r *http.Request) (*problem, url.Values) {
	n, err := strconv.Atoi(r.PostForm.Get("refuse"))
	if err != nil || n <= 0 {
		return s.problem(65004), url.Values{"error_subcode": {"cancel"}}
	}
	p := s.problem(n)
	if code := r.PostForm.Get("refuse_code"); code != "" {
		p.code = code
	}
	return p, nil
}

// allows reports whether the tenant's users may consent to the scopes.
func (t Tenant) allows(scopes []string) bool {
	if t.Personal || t.Policy == PolicyAny {
		return true
	}
	users := permissions()
	return !slices.ContainsFunc(scopes, func(sc string) bool { return t.Policy == PolicyNone || !users[sc] })
}
