package msgraphtest_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/msgraph/msgraphtest"
)

func TestCodes(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	_, err := w.oauth.Exchange(w.ctx(), w.code(msgraphtest.Answer{}), oauth2.VerifierOption("another-verifier-of-at-least-43-characters-x"))
	wantToken(t, err, "invalid_grant", 501481)
	_, err = w.oauth.Exchange(w.ctx(), w.code(msgraphtest.Answer{}))
	wantToken(t, err, "invalid_grant", 501481)
	unchallenged := w.oauth.AuthCodeURL("state-1")
	back, err := w.ms.Consent(nil, unchallenged, msgraphtest.Answer{Account: maria})
	w.must(err)
	_, err = w.exchange(back.Query().Get("code"))
	wantToken(t, err, "invalid_grant", 501481) // a verifier where nothing was to be verified
	back, err = w.ms.Consent(nil, unchallenged, msgraphtest.Answer{Account: maria})
	w.must(err)
	if _, err := w.oauth.Exchange(w.ctx(), back.Query().Get("code")); err != nil {
		t.Errorf("no code without PKCE: %v", err)
	}
	_, err = w.exchange("garbage")
	wantToken(t, err, "invalid_grant", 9002313)
	_, err = w.exchange("")
	wantToken(t, err, "invalid_request", 900144)

	code := w.code(msgraphtest.Answer{})
	tid, _ := w.ms.Identity(maria)
	for _, elsewhere := range []string{"organizations", tid, "other.example.net"} {
		w.at(elsewhere)
		_, err = w.exchange(code)
		wantToken(t, err, "invalid_grant", 700005)
	}
	w.at("nowhere.example.com")
	_, err = w.exchange(code)
	wantToken(t, err, "invalid_request", 90002)
	w.at("common")
	tok, err := w.exchange(code)
	w.must(err)
	_, err = w.exchange(code)
	wantToken(t, err, "invalid_grant", 54005)
	if _, err := w.refresh(tok); err != nil {
		t.Errorf("a code used twice ended its grant: %v", err)
	}

	code = w.code(msgraphtest.Answer{})
	w.clock.Advance(11 * time.Minute)
	_, err = w.exchange(code)
	wantToken(t, err, "invalid_grant", 70008)

	// The id and a domain of a tenant are the same segment.
	w.at("agency.example.com")
	code = w.code(msgraphtest.Answer{})
	w.at(tid)
	if _, err := w.exchange(code); err != nil {
		t.Error(err)
	}
}

func TestClient(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	good := w.oauth
	for name, c := range map[string]struct {
		change func(*oauth2.Config)
		code   string
		number int
	}{
		"another redirect URL": {func(c *oauth2.Config) { c.RedirectURL += "/other" }, "invalid_client", 50011},
		"a wrong secret":       {func(c *oauth2.Config) { c.ClientSecret = "wrong" }, "invalid_client", 7000215},
		"no secret":            {func(c *oauth2.Config) { c.ClientSecret = "" }, "invalid_client", 7000218},
		"another client":       {func(c *oauth2.Config) { c.ClientID = "client-2" }, "unauthorized_client", 700016},
		"no client":            {func(c *oauth2.Config) { c.ClientID = "" }, "invalid_request", 900144},
	} {
		t.Run(name, func(t *testing.T) {
			w.oauth = good
			code := w.code(msgraphtest.Answer{})
			c.change(&w.oauth)
			_, err := w.exchange(code)
			wantToken(t, err, c.code, c.number)
			w.oauth = good
			if _, err := w.exchange(code); err != nil {
				t.Errorf("the refusal used the code up: %v", err)
			}
		})
	}
	w.oauth = good
	w.oauth.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	tok := w.token(maria)
	w.ms.ExpireSecret(true)
	_, err := w.refresh(tok)
	wantToken(t, err, "invalid_client", 7000222)
	w.ms.ExpireSecret(false)
	if _, err := w.refresh(tok); err != nil {
		t.Errorf("an expired secret ended the grant: %v", err)
	}
	for grant, want := range map[string]struct {
		code   string
		number int
	}{"": {"invalid_request", 900144}, "password": {"unsupported_grant_type", 70003}} {
		resp, err := w.http.PostForm(w.oauth.Endpoint.TokenURL, url.Values{"client_id": {"client-1"}, "client_secret": {"secret-1"}, "grant_type": {grant}})
		w.must(err)
		body := decode(t, resp)
		if body["error"] != want.code || body["error_codes"].([]any)[0] != float64(want.number) {
			t.Errorf("grant type %q: %v", grant, body)
		}
	}
}

func TestGrantsDie(t *testing.T) {
	t.Run("withdrawn", func(t *testing.T) {
		w := newEntraWorld(t, false, msgraphtest.Config{})
		tok, other := w.token(maria), w.token(omar)
		newer, err := w.refresh(tok)
		w.must(err)
		w.ms.Withdraw(maria, 50057)
		_, err = w.refresh(tok)
		wantToken(t, err, "invalid_grant", 50057)
		w.ms.Withdraw(maria, 0)
		for _, old := range []*oauth2.Token{tok, newer} {
			_, err = w.refresh(old)
			body := wantToken(t, err, "invalid_grant", 50173)
			for _, key := range []string{"error_description", "timestamp", "trace_id", "correlation_id", "error_uri", "suberror"} {
				if s, _ := body[key].(string); s == "" {
					t.Errorf("%s is missing", key)
				}
			}
			text, _ := body["error_description"].(string)
			if !strings.HasPrefix(text, "AADSTS50173: ") || !strings.Contains(text, "\r\nTrace ID: ") || !strings.Contains(text, "\r\nCorrelation ID: ") {
				t.Errorf("the description is %q", text)
			}
			if body["error_uri"] != w.ms.LoginURL()+"/error?code=50173" || body["timestamp"] != "2026-03-02 09:00:00Z" {
				t.Errorf("the refusal is %v", body)
			}
		}
		if _, err := w.refresh(other); err != nil {
			t.Errorf("somebody else's grant ended too: %v", err)
		}
		if _, err := w.refresh(w.token(maria)); err != nil {
			t.Errorf("linking again is of no use: %v", err)
		}
	})
	t.Run("with claims", func(t *testing.T) {
		w := newEntraWorld(t, false, msgraphtest.Config{})
		tok := w.token(maria)
		w.ms.Withdraw(maria, 50076)
		_, err := w.refresh(tok)
		body := wantToken(t, err, "invalid_grant", 50076)
		if claims, _ := body["claims"].(string); !strings.Contains(claims, "capolids") || body["suberror"] != "basic_action" {
			t.Errorf("the refusal is %v", body)
		}
	})
	t.Run("idle", func(t *testing.T) {
		w := newEntraWorld(t, false, msgraphtest.Config{})
		tok := w.token(maria)
		w.clock.Advance(89 * 24 * time.Hour)
		newer, err := w.refresh(tok)
		w.must(err)
		w.clock.Advance(25 * time.Hour)
		_, err = w.refresh(tok)
		wantToken(t, err, "invalid_grant", 700082)
		if _, err := w.refresh(newer); err != nil {
			t.Errorf("the newer refresh token died with the old one: %v", err)
		}
	})
	t.Run("blocked", func(t *testing.T) {
		w := newEntraWorld(t, false, msgraphtest.Config{})
		tok := w.token(maria)
		w.must(w.ms.SetTenant(msgraphtest.Tenant{Domains: []string{"agency.example.com"}, Block: 53003}))
		_, err := w.refresh(tok)
		wantToken(t, err, "invalid_grant", 53003)
		w.wantPage(w.page(), msgraphtest.Answer{}, "53003")
	})
	t.Run("elsewhere", func(t *testing.T) {
		w := newEntraWorld(t, false, msgraphtest.Config{})
		tok := w.token(maria)
		tid, _ := w.ms.Identity(maria)
		w.at(tid)
		if _, err := w.refresh(tok); err != nil {
			t.Errorf("no refresh at the account's own tenant: %v", err)
		}
		w.at("other.example.net")
		_, err := w.refresh(tok)
		wantToken(t, err, "invalid_grant", 50020)
		w.at("consumers")
		_, err = w.refresh(tok)
		wantToken(t, err, "invalid_grant", 50020)
		w.at("common")
		_, err = w.refresh(&oauth2.Token{RefreshToken: "garbage"})
		wantToken(t, err, "invalid_grant", 9002313)
	})
}

// narrow refreshes with a scope parameter, which x/oauth2 has no way to send.
func (w *entraWorld) narrow(refresh, scope string) map[string]any {
	w.t.Helper()
	resp, err := w.http.PostForm(w.oauth.Endpoint.TokenURL, url.Values{
		"client_id": {"client-1"}, "client_secret": {"secret-1"}, "grant_type": {"refresh_token"}, "refresh_token": {refresh}, "scope": {scope},
	})
	w.must(err)
	if got := resp.Header.Get("Cache-Control"); resp.StatusCode == http.StatusOK && !strings.Contains(got, "no-store") {
		w.t.Errorf("tokens are answered with Cache-Control %q", got) // RFC 6749 section 5.1
	}
	return decode(w.t, resp)
}

func TestScopes(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	w.must(w.ms.SetTenant(msgraphtest.Tenant{Domains: []string{"agency.example.com"}, Policy: msgraphtest.PolicyAny}))
	w.oauth.Scopes = []string{"offline_access", "https://graph.microsoft.com/Mail.Read", "mail.send"}
	tok := w.token(maria)
	if got := scopeOf(tok); !slices.Equal(got, []string{"Mail.Read", "Mail.Send"}) {
		t.Errorf("granted %q", got)
	}
	code := w.code(msgraphtest.Answer{})
	_, err := w.oauth.Exchange(w.ctx(), code, oauth2.VerifierOption(verifier), param("scope", "Mail.Everything"))
	wantToken(t, err, "invalid_scope", 650053)
	fewer, err := w.oauth.Exchange(w.ctx(), code, oauth2.VerifierOption(verifier), param("scope", "Mail.Send offline_access"))
	w.must(err)
	if got := scopeOf(fewer); !slices.Equal(got, []string{"Mail.Send"}) || fewer.RefreshToken == "" {
		t.Errorf("redeemed for %q", got)
	}
	got := w.narrow(tok.RefreshToken, "Mail.Send")
	if got["scope"] != "Mail.Send" {
		t.Errorf("narrowed to %v", got)
	}
	next, _ := got["refresh_token"].(string)
	if got := w.narrow(next, "Mail.Read Mail.Send"); got["scope"] != "Mail.Read Mail.Send" {
		t.Errorf("widened again to %v", got)
	}
	if got := w.narrow(next, w.ms.GraphURL()+"/Mail.Send openid"); got["scope"] != "Mail.Send openid" {
		t.Errorf("the fake's own Graph is another resource: %v", got)
	}
	for scope, want := range map[string]string{
		"Mail.ReadWrite": "invalid_grant", "Mail.Everything": "invalid_scope", "https://outlook.office.com/Mail.Send": "invalid_scope",
	} {
		if got := w.narrow(tok.RefreshToken, scope); got["error"] != want {
			t.Errorf("%s: %v", scope, got)
		}
	}

	w = newEntraWorld(t, false, msgraphtest.Config{Beliefs: msgraphtest.Beliefs{FullScopes: true, WidensScopes: true}})
	w.token(maria)
	w.oauth.Scopes = []string{"openid", "Mail.Send"}
	if got := scopeOf(w.token(maria)); !slices.Equal(got, []string{"https://graph.microsoft.com/Mail.Send", "https://graph.microsoft.com/User.Read", "openid"}) {
		t.Errorf("granted %q", got)
	}
}
