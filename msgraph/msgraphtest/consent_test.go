package msgraphtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/msgraph/msgraphtest"
)

func decode(t *testing.T, resp *http.Response) map[string]any {
	t.Helper()
	defer resp.Body.Close()
	var v map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// text fetches a page as it is shown.
func (w *entraWorld) text(page string) string {
	w.t.Helper()
	resp, err := w.http.Get(page)
	w.must(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	w.must(err)
	return string(b)
}

func TestConsentPage(t *testing.T) {
	w := newEntraWorld(t, true, msgraphtest.Config{})
	body := w.text(w.page())
	if strings.Contains(body, `<script>"`) || !strings.Contains(body, "&lt;script&gt;") {
		t.Error("a name is not escaped")
	}
	for _, want := range []string{maria, nadia, pat, "Mail.Send"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(body, "gail@") {
		t.Error("another service's mailbox is offered")
	}
	if body := w.text(w.page(param("domain_hint", "other.example.net"))); strings.Contains(body, maria) || !strings.Contains(body, nadia) {
		t.Error("domain_hint does not narrow the accounts")
	}
	if body := w.text(w.page(param("domain_hint", "consumers"))); strings.Contains(body, maria) || !strings.Contains(body, pat) {
		t.Error("domain_hint=consumers does not narrow the accounts")
	}
	if body := w.text(w.page(param("login_hint", nadia))); strings.Count(body, "checked") != 1 || !strings.Contains(body, nadia+`" checked`) {
		t.Error("login_hint does not choose the account")
	}

	if body := w.text(w.page(param("domain_hint", "organizations"))); !strings.Contains(body, maria) || strings.Contains(body, pat) {
		t.Error("domain_hint=organizations does not narrow the accounts")
	}

	q := w.answer(msgraphtest.Answer{Deny: true})
	wantBack(t, q, "access_denied", "65004")
	if q.Get("error_subcode") != "cancel" || q.Get("error_uri") == "" {
		t.Errorf("declined with %v", q)
	}
	w.wantPage(w.page(), msgraphtest.Answer{Account: "nobody@example.com"}, "50034")
	w.wantPage(w.page(), msgraphtest.Answer{Account: "gail@elsewhere.example.com"}, "50034")
}

func TestMistakes(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	for _, redirect := range []string{"http://127.0.0.1/callback#part", "/callback", "http://[/callback"} {
		w.wantPage(w.page(param("redirect_uri", redirect)), msgraphtest.Answer{}, "50011")
	}
	back, err := w.ms.Consent(nil, w.page(param("redirect_uri", "http://127.0.0.1/callback?of=host")), msgraphtest.Answer{Account: maria})
	if w.must(err); back.Query().Get("of") != "host" || back.Query().Get("code") == "" {
		t.Errorf("a redirect URL's own query became %v", back)
	}
	w = newEntraWorld(t, false, msgraphtest.Config{RedirectURLs: []string{"http://127.0.0.1/callback"}})
	for name, c := range map[string]struct {
		opt  oauth2.AuthCodeOption
		code string // empty: shown on the page
		num  string
	}{
		"no client":            {param("client_id", ""), "", "900144"},
		"another client":       {param("client_id", "client-2"), "", "700016"},
		"no redirect":          {param("redirect_uri", ""), "", "900144"},
		"unregistered":         {param("redirect_uri", "http://127.0.0.1/callback/"), "", "50011"},
		"no response type":     {param("response_type", ""), "invalid_request", "900144"},
		"another response":     {param("response_type", "token"), "unsupported_response_type", "70016"},
		"no scope":             {param("scope", ""), "invalid_request", "900144"},
		"unknown scope":        {param("scope", "Mail.Everything"), "invalid_scope", "650053"},
		"two resources":        {param("scope", "Mail.Send https://outlook.office.com/Mail.Send"), "invalid_scope", "700022"},
		"form_post":            {param("response_mode", "form_post"), "invalid_request", "90023"},
		"unknown prompt":       {param("prompt", "maybe"), "invalid_request", "90023"},
		"plain challenge":      {param("code_challenge_method", "plain"), "invalid_request", "90023"},
		"short challenge":      {param("code_challenge", "short"), "invalid_request", "501491"},
		"method, no challenge": {param("code_challenge", ""), "invalid_request", "501491"},
		"nobody signed in":     {param("prompt", "none"), "login_required", "50058"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			if c.code == "" {
				w.wantPage(w.page(c.opt), msgraphtest.Answer{}, c.num)
				return
			}
			wantBack(t, w.answer(msgraphtest.Answer{}, c.opt), c.code, c.num)
		})
	}
}

func TestAccountTypes(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	tid, _ := w.ms.Identity(maria)
	for _, c := range []struct {
		tenant, account string
		admitted        bool
	}{
		{"common", maria, true}, {"common", pat, true},
		{"organizations", maria, true}, {"organizations", pat, false},
		{"consumers", maria, false}, {"consumers", pat, true},
		{tid, maria, true}, {tid, nadia, false}, {tid, pat, false},
		{"agency.example.com", omar, true}, {"agency.example.com", nadia, false},
	} {
		w.at(c.tenant)
		if !c.admitted {
			w.wantPage(w.page(), msgraphtest.Answer{Account: c.account}, "50020")
			continue
		}
		if _, err := w.exchange(w.code(msgraphtest.Answer{Account: c.account})); err != nil {
			t.Errorf("%s at %s: %v", c.account, c.tenant, err)
		}
	}

	w = newEntraWorld(t, false, msgraphtest.Config{HomeTenant: "agency.example.com"})
	w.wantPage(w.page(), msgraphtest.Answer{}, "50194")
	w.at("other.example.net")
	w.wantPage(w.page(), msgraphtest.Answer{Account: nadia}, "700016")
	w.at("agency.example.com")
	w.token(maria)
}

func TestUserConsent(t *testing.T) {
	read := []string{"openid", "offline_access", "Mail.Send", "Mail.Read"}
	agency := []string{"agency.example.com"}
	for name, c := range map[string]struct {
		tenant  msgraphtest.Tenant
		account string
		scope   string
		number  string // empty passes
	}{
		"managed, sending":        {msgraphtest.Tenant{}, maria, "Mail.Send", ""},
		"managed, reading":        {msgraphtest.Tenant{}, maria, "Mail.Read", "90094"},
		"managed, reading basics": {msgraphtest.Tenant{}, maria, "Mail.ReadBasic", "90094"},
		"managed, writing":        {msgraphtest.Tenant{}, maria, "Mail.ReadWrite", "90094"},
		"managed, by an admin":    {msgraphtest.Tenant{}, omar, "Mail.Read", ""},
		"managed, with requests":  {msgraphtest.Tenant{ConsentRequests: true}, maria, "Mail.Read", "90095"},
		"any, reading":            {msgraphtest.Tenant{Policy: msgraphtest.PolicyAny}, maria, "Mail.Read", ""},
		"none, sending":           {msgraphtest.Tenant{Policy: msgraphtest.PolicyNone}, maria, "Mail.Send", "90094"},
		"none, signing in":        {msgraphtest.Tenant{Policy: msgraphtest.PolicyNone}, maria, "openid", ""},
		"personal, reading":       {msgraphtest.Tenant{}, pat, "Mail.Read", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEntraWorld(t, false, msgraphtest.Config{})
			c.tenant.Domains = agency
			w.must(w.ms.SetTenant(c.tenant))
			q := w.answer(msgraphtest.Answer{Account: c.account}, param("scope", c.scope))
			switch {
			case c.number != "":
				wantBack(t, q, "access_denied", c.number)
			case q.Get("code") == "":
				t.Errorf("refused with %v", q)
			}
		})
	}

	w0 := newEntraWorld(t, false, msgraphtest.Config{Policy: msgraphtest.PolicyAny})
	w0.oauth.Scopes = read
	w0.token(maria)
	w0.must(w0.ms.SetTenant(msgraphtest.Tenant{Domains: agency, Policy: msgraphtest.PolicyManaged}))
	w0.token(maria) // what was consented to stays so
	w0.token(nadia)
	wantBack(t, w0.answer(msgraphtest.Answer{}, param("scope", "Mail.ReadWrite")), "access_denied", "90094")

	// An administrator's own consent is theirs; on behalf of the
	// organisation it is everybody's.
	w := newEntraWorld(t, false, msgraphtest.Config{})
	w.oauth.Scopes = read
	w.token(omar)
	wantBack(t, w.answer(msgraphtest.Answer{}), "access_denied", "90094")
	wantBack(t, w.answer(msgraphtest.Answer{AdminConsent: true}), "access_denied", "90093")
	w.must(w.ms.SetAccount(msgraphtest.Account{Address: pat, Administrator: true}))
	wantBack(t, w.answer(msgraphtest.Answer{Account: pat, AdminConsent: true}), "access_denied", "90093")
	w.code(msgraphtest.Answer{Account: omar, AdminConsent: true})
	w.token(maria)
	wantBack(t, w.answer(msgraphtest.Answer{Account: nadia}), "access_denied", "90094")
}

func TestPrompt(t *testing.T) {
	for name, sockets := range map[string]bool{"sockets": true, "in process": false} {
		t.Run(name, func(t *testing.T) {
			w := newEntraWorld(t, sockets, msgraphtest.Config{})
			w.jar()
			w.token(maria)
			// The session answers without a page, whoever is meant.
			silent := w.answer(msgraphtest.Answer{Account: nadia})
			tok, err := w.exchange(silent.Get("code"))
			w.must(err)
			w.verify(tok, maria)
			if q := w.answer(msgraphtest.Answer{}, param("prompt", "none")); q.Get("code") == "" {
				t.Errorf("prompt=none of who is signed in: %v", q)
			}
			wantBack(t, w.answer(msgraphtest.Answer{}, param("prompt", "none"), param("login_hint", nadia)), "login_required", "50058")
			wantBack(t, w.answer(msgraphtest.Answer{}, param("prompt", "none"), param("domain_hint", "other.example.net")), "login_required", "50058")
			wantBack(t, w.answer(msgraphtest.Answer{}, param("prompt", "none"), param("scope", "Mail.Read")), "consent_required", "65001")
			// With a hint, or by choosing, another account signs in.
			for _, opt := range []oauth2.AuthCodeOption{param("login_hint", nadia), param("prompt", "select_account"), param("prompt", "consent"), param("prompt", "login")} {
				tok, err := w.exchange(w.answer(msgraphtest.Answer{Account: nadia}, opt).Get("code"))
				w.must(err)
				w.verify(tok, nadia)
				w.answer(msgraphtest.Answer{Account: maria}, param("prompt", "select_account"))
			}
			w.must(w.ms.SetTenant(msgraphtest.Tenant{Domains: []string{"agency.example.com"}, Block: 50105}))
			wantBack(t, w.answer(msgraphtest.Answer{}, param("prompt", "none")), "interaction_required", "50105")
		})
	}
}

func TestIssuerParameter(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	if w.answer(msgraphtest.Answer{}).Has("iss") {
		t.Error("the redirect has an issuer")
	}
	w = newEntraWorld(t, false, msgraphtest.Config{Beliefs: msgraphtest.Beliefs{SendsIssuer: true}})
	tid, _ := w.ms.Identity(maria)
	if got := w.answer(msgraphtest.Answer{}).Get("iss"); got != w.ms.LoginURL()+"/"+tid+"/v2.0" {
		t.Errorf("the issuer is %q", got)
	}
}

// adminPage is the address of the admin consent endpoint.
func (w *entraWorld) adminPage(tenant, scope string) string {
	return w.ms.LoginURL() + "/" + tenant + "/v2.0/adminconsent?" + url.Values{
		"client_id": {"client-1"}, "redirect_uri": {"http://127.0.0.1/admin"}, "state": {"state-2"}, "scope": {scope},
	}.Encode()
}

func TestAdminConsent(t *testing.T) {
	w := newEntraWorld(t, true, msgraphtest.Config{})
	w.oauth.Scopes = []string{"openid", "profile", "offline_access", "Mail.Send", "Mail.Read"}
	tid, _ := w.ms.Identity(maria)
	wantBack(t, w.answer(msgraphtest.Answer{}), "access_denied", "90094")

	ask := func(tenant, scope string, a msgraphtest.Answer) url.Values {
		t.Helper()
		back, err := w.ms.Consent(w.http, w.adminPage(tenant, scope), a)
		w.must(err)
		q := back.Query()
		if q.Get("admin_consent") != "True" || q.Get("state") != "state-2" || q.Has("code") {
			t.Errorf("sent back with %v", q)
		}
		return q
	}
	wantBack(t, ask(tid, "Mail.Read", msgraphtest.Answer{Account: omar, Deny: true}), "consent_required", "65004")
	wantBack(t, ask(tid, "Mail.Read", msgraphtest.Answer{Account: maria}), "access_denied", "90093")
	wantBack(t, ask(tid, "Mail.Everything", msgraphtest.Answer{Account: omar}), "invalid_scope", "650053")
	wantBack(t, ask(tid, "", msgraphtest.Answer{Account: omar}), "invalid_request", "900144")
	for _, tenant := range []string{"common", "consumers"} {
		w.wantPage(w.adminPage(tenant, "Mail.Read"), msgraphtest.Answer{Account: omar}, "9001023")
	}
	w.wantPage(w.adminPage("other.example.net", "Mail.Read"), msgraphtest.Answer{Account: omar}, "50020")
	w.wantPage(w.adminPage("organizations", "Mail.Read"), msgraphtest.Answer{Account: pat}, "50020")
	wantBack(t, w.answer(msgraphtest.Answer{}), "access_denied", "90094") // none of these was a consent

	q := ask("organizations", "https://graph.microsoft.com/Mail.Read https://graph.microsoft.com/Mail.Send", msgraphtest.Answer{Account: omar})
	if q.Get("tenant") != tid || q.Has("error") || q.Get("scope") != "https://graph.microsoft.com/Mail.Read https://graph.microsoft.com/Mail.Send" {
		t.Errorf("consented with %v", q)
	}
	tok := w.token(maria)
	if _, err := w.refresh(tok); err != nil {
		t.Fatal(err)
	}
	wantBack(t, w.answer(msgraphtest.Answer{Account: nadia}), "access_denied", "90094")

	w.ms.WithdrawTenant("agency.example.com")
	_, err := w.refresh(tok)
	if body := wantToken(t, err, "invalid_grant", 65001); body["suberror"] != "consent_required" {
		t.Errorf("the refusal is %v", body)
	}
	wantBack(t, w.answer(msgraphtest.Answer{}), "access_denied", "90094")

	ask(tid, "https://graph.microsoft.com/.default", msgraphtest.Answer{Account: omar})
	w.token(maria)
}

func TestConsentForgotten(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	w.jar()
	tok := w.token(maria)
	w.ms.Withdraw(maria, 65001)
	_, err := w.refresh(tok)
	wantToken(t, err, "invalid_grant", 65001)
	wantBack(t, w.answer(msgraphtest.Answer{}, param("prompt", "none")), "consent_required", "65001")
	w.token(maria)
}

func TestForms(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	id := func(page string) string {
		_, rest, _ := strings.Cut(w.text(page), `name="request" value="`)
		id, _, _ := strings.Cut(rest, `"`)
		return id
	}
	authorize, admin := w.oauth.Endpoint.AuthURL, w.ms.LoginURL()+"/organizations/v2.0/adminconsent"
	used := id(w.page())
	w.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := w.http.PostForm(authorize, url.Values{"request": {used}, "answer": {"deny"}})
	w.must(err)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		t.Errorf("the browser is not sent back but answered with %d", resp.StatusCode)
	}
	for name, form := range map[string]struct{ to, id string }{
		"an unknown request":                {authorize, "req-unknown"},
		"a request answered before":         {authorize, used},
		"a user's request as an admin's":    {admin, id(w.page())},
		"an admin's request as that of all": {authorize, id(w.adminPage("organizations", "Mail.Read"))},
	} {
		resp, err := w.http.PostForm(form.to, url.Values{"request": {form.id}, "account": {omar}, "answer": {"allow"}})
		w.must(err)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s is answered with %d", name, resp.StatusCode)
		}
	}
}

func TestSettings(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	for name, tenant := range map[string]msgraphtest.Tenant{
		"no domain":     {},
		"empty domain":  {Domains: []string{""}},
		"no GUID":       {Domains: []string{"a.example.com"}, ID: "agency"},
		"upper case":    {Domains: []string{"a.example.com"}, ID: "9188040D-6C67-4C5B-B112-36A304B66DAD"},
		"personal id":   {Domains: []string{"a.example.com"}, ID: "11111111-2222-4333-8444-555555555555", Personal: true},
		"a policy":      {Domains: []string{"a.example.com"}, Policy: "some"},
		"taken domains": {Domains: []string{"b.example.com", "personal.example.org"}},
	} {
		if w.ms.SetTenant(tenant) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for name, a := range map[string]msgraphtest.Account{
		"nobody": {}, "another service's": {Address: "gail@elsewhere.example.com"}, "no GUID": {Address: maria, ObjectID: "x"},
	} {
		if w.ms.SetAccount(a) == nil {
			t.Errorf("%s account is accepted", name)
		}
	}
	const tid, oid = "11111111-2222-4333-8444-555555555555", "66666666-2222-4333-8444-555555555555"
	w.must(w.ms.SetTenant(msgraphtest.Tenant{Domains: []string{"agency.example.com", "other.example.net"}, ID: tid}))
	w.must(w.ms.SetAccount(msgraphtest.Account{Address: maria, ObjectID: oid}))
	if gt, g := w.ms.Identity(maria); gt != tid || g != oid {
		t.Errorf("maria is %s.%s", gt, g)
	}
	if gt, _ := w.ms.Identity(nadia); gt != tid {
		t.Errorf("nadia's tenant is %s", gt)
	}
	w.at("other.example.net")
	w.verify(w.token(maria), maria)
}
