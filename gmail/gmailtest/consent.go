package gmailtest

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// page is the consent page: whose account, and a box for each scope beyond
// signing in, as Google's granular consent has them.
var page = template.Must(template.New("consent").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in</title>
<style>body{font:16px/1.5 sans-serif;max-width:30em;margin:3em auto}fieldset{margin:1em 0;border:1px solid #ccc;border-radius:8px}label{display:block;margin:.4em 0}</style></head>
<body><h1>Choose an account</h1>
<p>This is a fake of Google's page, for tests.</p>
<form method="post" action="/o/oauth2/v2/auth">
<input type="hidden" name="request" value="{{.Request}}">
<fieldset><legend>Account</legend>
{{range .Accounts}}<label><input type="radio" name="account" value="{{.Address}}"{{if .Hinted}} checked{{end}} required> {{.Name}} {{.Address}}</label>
{{end}}</fieldset>
<fieldset><legend>What the app may do</legend>
{{range .Scopes}}<label><input type="checkbox" name="scope" value="{{.}}"> {{.}}</label>
{{end}}</fieldset>
<button name="answer" value="allow">Continue</button>
<button name="answer" value="deny" formnovalidate>Cancel</button>
</form></body></html>
`))

type pageAccount struct {
	Name, Address string
	Hinted        bool
}

// consentPage is the authorisation endpoint. Mistakes that Google shows on
// its own page, and does not redirect with, are shown here too.
func (s *Server) consentPage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	c := consent{
		redirect: q.Get("redirect_uri"), state: q.Get("state"), nonce: q.Get("nonce"), challenge: q.Get("code_challenge"),
		scopes: strings.Fields(q.Get("scope")), hint: q.Get("login_hint"),
	}
	target, err := url.Parse(c.redirect)
	switch {
	case q.Get("client_id") != s.cfg.ClientID:
		http.Error(w, "Error 401: invalid_client", http.StatusUnauthorized)
		return
	case q.Get("response_type") != "code" || len(c.scopes) == 0:
		http.Error(w, "Error 400: invalid_request", http.StatusBadRequest)
		return
	case err != nil || target.Host == "" || target.Fragment != "":
		http.Error(w, "Error 400: redirect_uri_mismatch", http.StatusBadRequest)
		return
	case c.challenge != "" && q.Get("code_challenge_method") != "S256":
		http.Error(w, "Error 400: invalid_request", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	id := s.next("req-")
	s.pending[id] = &c
	s.mu.Unlock()
	data := struct {
		Request  string
		Accounts []pageAccount
		Scopes   []string
	}{Request: id, Scopes: boxes(c.scopes)}
	for _, m := range s.office.Mailboxes() {
		data.Accounts = append(data.Accounts, pageAccount{m.Name(), m.Address(), c.hint != "" && m.Owns(c.hint)})
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, data)
}

// boxes are the scopes that a user may leave unticked: all but those for
// signing in.
func boxes(scopes []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return s == "openid" || s == "email" || s == "profile" })
}

// consentAnswer takes the form and sends the browser back.
func (s *Server) consentAnswer(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "Error 400: invalid_request", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.PostForm.Get("request")
	c, ok := s.pending[id]
	delete(s.pending, id)
	if !ok {
		http.Error(w, "Error 400: invalid_request", http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {c.state}}
	if !s.cfg.Beliefs.NoIssuer {
		back.Set("iss", s.base)
	}
	if r.PostForm.Get("answer") != "allow" {
		back.Set("error", cmp.Or(r.PostForm.Get("refuse"), "access_denied"))
		redirect(w, c.redirect, back)
		return
	}
	box := s.office.Mailbox(r.PostForm.Get("account"))
	if box == nil {
		http.Error(w, "Error 400: no such account", http.StatusBadRequest)
		return
	}
	asked := boxes(c.scopes)
	granted := slices.DeleteFunc(slices.Clone(c.scopes), func(sc string) bool {
		return slices.Contains(asked, sc) && !slices.Contains(r.PostForm["scope"], sc)
	})
	name := s.next("4/0")
	s.codes[name] = &code{consent: *c, box: box, granted: granted, ends: s.clock.Now().Add(s.cfg.CodeLife)}
	back.Set("code", name)
	back.Set("scope", strings.Join(s.spell(granted), " "))
	redirect(w, c.redirect, back)
}

func redirect(w http.ResponseWriter, to string, q url.Values) {
	sep := "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	w.Header().Set("Location", to+sep+q.Encode())
	w.WriteHeader(http.StatusFound)
}

// Answer is what a user does on the consent page.
type Answer struct {
	Account string   // the address chosen
	Untick  []string // scopes left unticked, by their end: "gmail.readonly"
	Deny    bool     // Cancel

	// Refuse has Google send the browser back with this error, whoever
	// signed in: access_denied is also for who is no listed tester.
	Refuse string
}

var hidden = regexp.MustCompile(`name="request" value="([^"]+)"`)
var box = regexp.MustCompile(`name="scope" value="([^"]+)"`)

// Consent walks through the consent page as a browser does, over HTTP, and
// returns the address that it is sent back to. A nil client uses Transport.
func (s *Server) Consent(client *http.Client, authURL string, a Answer) (*url.URL, error) {
	if client == nil {
		client = &http.Client{Transport: s.Transport()}
	}
	browser := *client
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := browser.Get(authURL)
	if err != nil {
		return nil, fmt.Errorf("gmailtest: consent page: %w", err)
	}
	html, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("gmailtest: consent page: %s: %s", resp.Status, strings.TrimSpace(string(html)))
	}
	m := hidden.FindSubmatch(html)
	if m == nil {
		return nil, errors.New("gmailtest: the consent page has no form")
	}
	form := url.Values{"request": {string(m[1])}, "account": {a.Account}, "answer": {"allow"}}
	for _, b := range box.FindAllSubmatch(html, -1) {
		scope := string(b[1])
		if !slices.ContainsFunc(a.Untick, func(u string) bool { return strings.HasSuffix(scope, u) }) {
			form.Add("scope", scope)
		}
	}
	if a.Deny || a.Refuse != "" {
		form.Set("answer", "deny")
		form.Set("refuse", a.Refuse)
	}
	resp, err = browser.PostForm(s.URL()+"/o/oauth2/v2/auth", form)
	if err != nil {
		return nil, fmt.Errorf("gmailtest: consent: %w", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		return nil, fmt.Errorf("gmailtest: consent: %s", resp.Status)
	}
	return resp.Location()
}
