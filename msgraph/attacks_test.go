package msgraph_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
)

// meddler sits between the Provider and Microsoft, remembers where requests
// go, and changes answers.
type meddler struct {
	next   http.RoundTripper
	change func(req *http.Request, body []byte) []byte // nil changes nothing
	answer func(req *http.Request) *http.Response      // nil, or in place of Microsoft's
	hosts  map[string]bool
	paths  map[string]bool // at Graph's host
	tokens int             // requests to the token endpoint
}

func (m *meddler) RoundTrip(req *http.Request) (*http.Response, error) {
	m.hosts[req.URL.Host] = true
	if req.Header.Get("Authorization") != "" {
		m.paths[req.URL.Path] = true
	}
	if strings.HasSuffix(req.URL.Path, "/token") {
		m.tokens++
	}
	if m.answer != nil {
		if resp := m.answer(req); resp != nil {
			return resp, nil
		}
	}
	resp, err := m.next.RoundTrip(req)
	if err != nil || m.change == nil {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	body = m.change(req, body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, nil
}

// meddle puts a meddler in front of the fake.
func (f *fakeMicrosoft) meddle(t *testing.T) *meddler {
	t.Helper()
	m := &meddler{next: f.microsoft.Transport(), hosts: make(map[string]bool), paths: make(map[string]bool)}
	p, err := msgraph.New(msgraph.Config{
		ClientID: "00000000-0000-4000-8000-000000000001", ClientSecret: "client-secret-canary", HTTPClient: &http.Client{Transport: m},
		Now: f.office.Clock().Now, Endpoints: &msgraph.Endpoints{Login: f.microsoft.LoginURL(), Graph: f.microsoft.GraphURL()},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.prov = p
	return m
}

// callback consents and returns what Exchange needs.
func (f *fakeMicrosoft) callback(t *testing.T, tenant string) provider.Callback {
	t.Helper()
	page, err := f.prov.Authorize(provider.AuthRequest{
		Access: provider.AccessReplies, Tenant: tenant, RedirectURL: redirectURL, State: "state", Nonce: "nonce", Challenge: oauth2.S256ChallengeFromVerifier(verifier),
	})
	if err != nil {
		t.Fatal(err)
	}
	back, err := f.microsoft.Consent(nil, page, msgraphtest.Answer{Account: maria})
	if err != nil {
		t.Fatal(err)
	}
	return provider.Callback{Code: back.Query().Get("code"), Verifier: verifier, Nonce: "nonce", RedirectURL: redirectURL, Tenant: tenant}
}

// TestAttackTenantForgery: whose mailbox it is, is what a verified ID token
// says, and its issuer must be the token's own tenant's. The token is signed
// with Microsoft's own key, which all tenants share.
func TestAttackTenantForgery(t *testing.T) {
	const theirs = "11111111-1111-4111-8111-111111111111"
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	type claims = map[string]any
	for name, c := range map[string]struct {
		forge  func(login string, c claims)
		key    any
		alg    jose.SignatureAlgorithm
		tenant bool // the flow is for the victim's tenant
		fine   bool
	}{
		"as it is":                        {fine: true},
		"as it is, for one tenant":        {fine: true, tenant: true},
		"the victim's tid, own issuer":    {forge: func(login string, c claims) { c["iss"] = login + "/" + theirs + "/v2.0" }},
		"the victim's issuer, own tid":    {forge: func(_ string, c claims) { c["tid"] = theirs }},
		"another tenant's token":          {tenant: true, forge: func(login string, c claims) { c["tid"], c["iss"] = theirs, login+"/"+theirs+"/v2.0" }},
		"the template as issuer":          {forge: func(login string, c claims) { c["iss"] = login + "/{tenantid}/v2.0" }},
		"a tid that is a path":            {forge: func(login string, c claims) { c["tid"], c["iss"] = "../x", login+"/../x/v2.0" }},
		"another issuer":                  {forge: func(_ string, c claims) { c["iss"] = "https://evil.example.org/" + c["tid"].(string) + "/v2.0" }},
		"no tid":                          {forge: func(_ string, c claims) { delete(c, "tid") }},
		"no oid":                          {forge: func(_ string, c claims) { delete(c, "oid") }},
		"for another app":                 {forge: func(_ string, c claims) { c["aud"] = theirs }},
		"of another flow":                 {forge: func(_ string, c claims) { c["nonce"] = "another" }},
		"of an hour ago":                  {forge: func(_ string, c claims) { c["exp"] = c["iat"].(float64) - 10 }},
		"signed by a stranger":            {key: stranger},
		"signed with the client's secret": {key: []byte("client-secret-canary-client-secret-canary"), alg: jose.HS256},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeMicrosoft(t, false, msgraphtest.Config{})
			f.mailbox(t, maria, "Maria Silva")
			m := f.meddle(t)
			login := f.microsoft.LoginURL()
			m.change = func(req *http.Request, body []byte) []byte {
				if !strings.HasSuffix(req.URL.Path, "/token") {
					return body
				}
				var answer, said claims
				if err := json.Unmarshal(body, &answer); err != nil {
					t.Error(err)
					return body
				}
				if err := json.Unmarshal(payload(t, answer["id_token"].(string)), &said); err != nil {
					t.Error(err)
				}
				if c.forge != nil {
					c.forge(login, said)
				}
				key, alg := c.key, c.alg
				if key == nil {
					key = signingKey()
				}
				if alg == "" {
					alg = jose.RS256
				}
				answer["id_token"] = signed(t, alg, key, said)
				out, _ := json.Marshal(answer)
				return out
			}
			tenant := ""
			if c.tenant {
				tenant, _ = f.microsoft.Identity(maria)
			}
			g, err := f.prov.Exchange(t.Context(), f.callback(t, tenant))
			if c.fine {
				if err != nil {
					t.Errorf("the control is refused, so this test proves nothing: %v", err)
				}
				return
			}
			if !errors.Is(err, provider.ErrRejected) || g.Token != nil {
				t.Errorf("it is taken for %+v: %v", g.Identity, err)
			}
			switch d := f.prov.Diagnose(err); d.Reason {
			case provider.ReasonIdentity, provider.ReasonWrongTenant, provider.ReasonClockSkew:
			default:
				t.Errorf("diagnosed as %s", d.Reason)
			}
		})
	}
}

// payload reads a token without verifying it.
func payload(t *testing.T, token string) []byte {
	t.Helper()
	jws, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	return jws.UnsafePayloadWithoutVerification()
}

func signed(t *testing.T, alg jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", "key-1"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestAttackIssuerMixUp: a callback that names another issuer brings that
// one's code, and it is shown to nobody.
func TestAttackIssuerMixUp(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	m := f.meddle(t)
	for _, issuer := range []string{"https://accounts.google.com", "https://evil.example.org", f.microsoft.LoginURL() + ".evil.example.org/x/v2.0"} {
		cb := f.callback(t, "")
		cb.Issuer = issuer
		if _, err := f.prov.Exchange(t.Context(), cb); !errors.Is(err, provider.ErrRejected) || m.tokens != 0 {
			t.Errorf("%s: %v, and %d codes were shown", issuer, err, m.tokens)
		}
	}
	cb := f.callback(t, "")
	cb.Issuer = f.microsoft.LoginURL() + "/11111111-1111-4111-8111-111111111111/v2.0"
	if _, err := f.prov.Exchange(t.Context(), cb); !errors.Is(err, provider.ErrRejected) {
		t.Errorf("another tenant as issuer: %v", err)
	}
	tenant, _ := f.microsoft.Identity(maria)
	for _, issuer := range []string{"", f.microsoft.LoginURL() + "/" + tenant + "/v2.0", f.microsoft.LoginURL() + "/{tenantid}/v2.0"} {
		cb := f.callback(t, "")
		cb.Issuer = issuer
		if _, err := f.prov.Exchange(t.Context(), cb); err != nil {
			t.Errorf("the control with issuer %q is refused: %v", issuer, err)
		}
	}
}

// opened links and opens a mailbox through a meddler.
func (f *fakeMicrosoft) opened(t *testing.T) (*meddler, provider.Mailbox) {
	t.Helper()
	f.mailbox(t, maria, "Maria Silva")
	m := f.meddle(t)
	g := f.consent(t, maria, provider.AccessReplies)
	src := &refresher{p: f.prov, g: g}
	return m, f.prov.Open(provider.Account{Subject: g.Identity.Subject, Address: maria, Access: g.Access}, src)
}

func (m *meddler) onlyMicrosoft(t *testing.T, f *fakeMicrosoft) {
	t.Helper()
	for host := range m.hosts {
		if "http://"+host != f.microsoft.LoginURL() && "http://"+host != f.microsoft.GraphURL() {
			t.Errorf("a request went to %s", host)
		}
	}
	for path := range m.paths {
		if !strings.HasPrefix(path, "/v1.0/") || strings.Contains(path, "..") {
			t.Errorf("a token went to the path %s", path)
		}
	}
}

// TestAttackSSRFByLinks: an answer's next and delta links are followed at
// Graph's own host, within its API, or not at all; the same holds for those in
// a stored cursor.
func TestAttackSSRFByLinks(t *testing.T) {
	for _, target := range []string{
		"http://169.254.169.254/latest/meta-data", "https://evil.example.org/v1.0/me/messages", "//evil.example.org/v1.0/me",
		"http://graph.invalid@evil.example.org/v1.0/me", "http://graph.invalid.evil.example.org/v1.0/me", "http://graph.invalid/../../internal", "/internal", "",
	} {
		for _, field := range []string{"@odata.nextLink", "@odata.deltaLink"} {
			f := newFakeMicrosoft(t, false, msgraphtest.Config{})
			m, mb := f.opened(t)
			prof, err := mb.Profile(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			forged := 0
			m.change = func(req *http.Request, body []byte) []byte {
				var v map[string]any
				if !strings.Contains(req.URL.Path, "delta") || json.Unmarshal(body, &v) != nil {
					return body
				}
				forged++
				delete(v, "@odata.nextLink")
				delete(v, "@odata.deltaLink")
				v[field] = target
				out, _ := json.Marshal(v)
				return out
			}
			cursor := prof.Cursor
			for range 5 { // as a runner goes on
				pg, err := mb.Changes(t.Context(), cursor)
				if err != nil {
					var pe *provider.Error
					if !errors.As(err, &pe) || strings.Contains(err.Error(), "evil") {
						t.Errorf("%q: %v", target, err)
					}
					break
				}
				cursor = pg.Next
			}
			if forged == 0 {
				t.Fatal("no link was forged, so this test proves nothing")
			}
			m.onlyMicrosoft(t, f)
		}
	}
}

// TestAttackRedirect: an answer that sends elsewhere is not followed, so no
// token, code or mail goes there.
func TestAttackRedirect(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	m, mb := f.opened(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		m.answer = func(req *http.Request) *http.Response {
			return &http.Response{StatusCode: status, Header: http.Header{"Location": {"https://evil.example.org/"}}, Body: http.NoBody, Request: req}
		}
		if _, err := mb.Profile(t.Context()); err == nil {
			t.Errorf("%d to a read is followed", status)
		}
		if _, err := mb.Send(t.Context(), &provider.Outgoing{
			Raw: []byte("From: " + maria + "\r\nTo: grace@example.net\r\n\r\nHello\r\n"), From: provider.Address{Addr: maria},
			To: []provider.Address{{Addr: "grace@example.net"}}, NotAfter: f.office.Clock().Now().Add(time.Minute),
		}); err == nil {
			t.Errorf("%d to a send is followed", status)
		}
		if _, err := f.prov.Exchange(t.Context(), provider.Callback{Code: "c", Verifier: verifier, Nonce: "n", RedirectURL: redirectURL}); err == nil {
			t.Errorf("%d to a code is followed", status)
		}
	}
	m.onlyMicrosoft(t, f)
}

// TestAttackAdminConsent goes through what may come back from the page for
// administrators. Its word that there was consent stands also beside an
// error.
func TestAttackAdminConsent(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	const theirs = "11111111-1111-4111-8111-111111111111"
	for name, c := range map[string]struct {
		tenant string
		query  string
		kind   error
	}{
		"approved":                         {"", "admin_consent=True&tenant=" + theirs, nil},
		"approved by the tenant asked for": {theirs, "admin_consent=True&tenant=" + theirs, nil},
		"an error beside it":               {"", "admin_consent=True&tenant=" + theirs + "&error=access_denied&error_description=AADSTS65004:+canary", provider.ErrAccess},
		"an error without words beside it": {"", "admin_consent=True&tenant=" + theirs + "&error=consent_required", provider.ErrAccess},
		"not an administrator":             {"", "admin_consent=True&error=access_denied&error_description=AADSTS90093:+canary", provider.ErrAccess},
		"another tenant":                   {"22222222-2222-4222-8222-222222222222", "admin_consent=True&tenant=" + theirs, provider.ErrRejected},
		"no tenant":                        {"", "admin_consent=True", provider.ErrRejected},
		"a tenant that is none":            {"", "admin_consent=True&tenant=../evil", provider.ErrRejected},
		"no word of it":                    {"", "tenant=" + theirs, provider.ErrRejected},
		"another word":                     {"", "admin_consent=False&tenant=" + theirs, provider.ErrRejected},
	} {
		q, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		tenant, err := f.prov.ReadAdminAnswer(provider.AdminRequest{Tenant: c.tenant}, q)
		switch {
		case c.kind == nil && (err != nil || tenant != theirs):
			t.Errorf("%s: %q, %v", name, tenant, err)
		case c.kind != nil && (!errors.Is(err, c.kind) || tenant != "" || strings.Contains(err.Error(), "canary")):
			t.Errorf("%s: %q, %v, want %v", name, tenant, err, c.kind)
		}
	}
}
