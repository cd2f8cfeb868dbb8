package msgraphtest

import (
	"net/http"
	"net/url"
)

// adminConsent is the admin consent endpoint
// (https://learn.microsoft.com/entra/identity-platform/v2-admin-consent). It
// gives no code: users sign in afterwards. Its address for a tenant is
// {LoginURL}/{tenant}/v2.0/adminconsent.
func (s *Server) adminConsent(w http.ResponseWriter, r *http.Request) {
	c, p := s.read(r)
	c.admin = true
	if p == nil && (c.segment.key == anyAccount || c.segment.key == personalTenant) {
		p = s.problem(9001023)
	}
	if p != nil {
		showError(w, p)
		return
	}
	c.scopes, p = s.scopes(r.URL.Query().Get("scope"))
	if p == nil && len(c.scopes) == 0 {
		p = s.missingParameter("scope")
	}
	if p != nil {
		s.refuseAdmin(w, c, p)
		return
	}
	s.showPage(w, r, c)
}

// refuseAdmin sends the browser back. That an administrator was asked stands
// there also where the answer was no.
func (s *Server) refuseAdmin(w http.ResponseWriter, c *request, p *problem) {
	s.sendBack(w, c, p, url.Values{"admin_consent": {"True"}})
}

// adminAnswer takes the form and sends the browser back.
func (s *Server) adminAnswer(w http.ResponseWriter, r *http.Request) {
	c, who := s.signIn(w, r, true)
	switch {
	case c == nil:
		return
	case who.box == nil:
		p, _ := s.declined(r)
		if p.number == 65004 {
			p.code = "consent_required"
		}
		s.refuseAdmin(w, c, p)
		return
	case !who.admin:
		s.refuseAdmin(w, c, s.problem(90093))
		return
	}
	s.entra.mu.Lock()
	s.entra.consent(who.tenant.ID, c.scopes)
	s.entra.mu.Unlock()
	s.redirect(w, c, url.Values{"admin_consent": {"True"}, "tenant": {who.tenant.ID}, "scope": {s.spell(c.scopes, true)}})
}
