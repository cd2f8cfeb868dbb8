package msgraphtest_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider/postoffice"
)

const (
	maria = "maria@agency.example.com"
	omar  = "omar@agency.example.com" // an administrator
	nadia = "nadia@other.example.net"
	pat   = "pat@personal.example.org" // a personal account
)

var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// entraWorld is a fake Entra and a real OAuth client, over sockets or without.
type entraWorld struct {
	t      *testing.T
	clock  *postoffice.Clock
	office *postoffice.Office
	ms     *msgraphtest.Server
	http   *http.Client
	oauth  oauth2.Config
}

func newEntraWorld(t *testing.T, sockets bool, cfg msgraphtest.Config) *entraWorld {
	t.Helper()
	w := &entraWorld{t: t, clock: postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))}
	var err error
	if w.office, err = postoffice.New(postoffice.Config{Clock: w.clock}); err != nil {
		t.Fatal(err)
	}
	for addr, name := range map[string]string{maria: `Maria <script>"`, omar: "Omar", nadia: "Nadia", pat: "Pat"} {
		if _, err := w.office.AddMailbox(postoffice.MailboxConfig{Address: addr, Name: name, Subject: "subject of " + addr}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.office.AddMailbox(postoffice.MailboxConfig{Address: "gail@elsewhere.example.com", Service: "gmail"}); err != nil {
		t.Fatal(err)
	}
	cfg.ClientID, cfg.ClientSecret, cfg.SigningKey = "client-1", "secret-1", signingKey()
	if w.ms, err = msgraphtest.New(w.office, cfg); err != nil {
		t.Fatal(err)
	}
	w.must(w.ms.SetTenant(msgraphtest.Tenant{Domains: []string{"personal.example.org"}, Personal: true}))
	w.must(w.ms.SetAccount(msgraphtest.Account{Address: omar, Administrator: true}))
	w.http = &http.Client{Transport: w.ms.Transport()}
	if sockets {
		w.must(w.ms.Start())
		t.Cleanup(func() { _ = w.ms.Close() })
		w.http = &http.Client{Transport: &http.Transport{}}
		t.Cleanup(w.http.CloseIdleConnections)
	}
	w.oauth = oauth2.Config{
		ClientID: "client-1", ClientSecret: "secret-1", RedirectURL: "http://127.0.0.1/callback",
		Scopes: []string{"openid", "profile", "offline_access", "User.Read", "Mail.Send"},
	}
	w.at("common")
	return w
}

func (w *entraWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// at has the client use a tenant's endpoints.
func (w *entraWorld) at(tenant string) {
	base := w.ms.LoginURL() + "/" + tenant + "/oauth2/v2.0"
	w.oauth.Endpoint = oauth2.Endpoint{AuthURL: base + "/authorize", TokenURL: base + "/token", AuthStyle: oauth2.AuthStyleInParams}
}

func (w *entraWorld) ctx() context.Context {
	return context.WithValue(w.t.Context(), oauth2.HTTPClient, w.http)
}

const verifier = "a-verifier-of-at-least-forty-three-characters-in-all"

func (w *entraWorld) page(opts ...oauth2.AuthCodeOption) string {
	return w.oauth.AuthCodeURL("state-1", append([]oauth2.AuthCodeOption{
		oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("nonce", "nonce-1"),
	}, opts...)...)
}

func param(name, value string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam(name, value) }

// answer walks through the consent page and returns the callback's query.
func (w *entraWorld) answer(a msgraphtest.Answer, opts ...oauth2.AuthCodeOption) url.Values {
	w.t.Helper()
	if a.Account == "" {
		a.Account = maria
	}
	back, err := w.ms.Consent(w.http, w.page(opts...), a)
	w.must(err)
	q := back.Query()
	if got := q.Get("state"); got != "state-1" {
		w.t.Errorf("the state came back as %q", got)
	}
	return q
}

func (w *entraWorld) code(a msgraphtest.Answer) string {
	w.t.Helper()
	q := w.answer(a)
	if q.Get("code") == "" {
		w.t.Fatalf("no code: %s", q.Get("error_description"))
	}
	return q.Get("code")
}

func (w *entraWorld) exchange(code string) (*oauth2.Token, error) {
	return w.oauth.Exchange(w.ctx(), code, oauth2.VerifierOption(verifier))
}

func (w *entraWorld) token(account string) *oauth2.Token {
	w.t.Helper()
	tok, err := w.exchange(w.code(msgraphtest.Answer{Account: account}))
	w.must(err)
	return tok
}

func (w *entraWorld) refresh(tok *oauth2.Token) (*oauth2.Token, error) {
	return w.oauth.TokenSource(w.ctx(), &oauth2.Token{RefreshToken: tok.RefreshToken}).Token()
}

// wantToken checks a refusal of the token endpoint, and returns its body.
func wantToken(t *testing.T, err error, code string, number int) map[string]any {
	t.Helper()
	var re *oauth2.RetrieveError
	if !errors.As(err, &re) {
		t.Errorf("the error is %v, want %s", err, code)
		return nil
	}
	var body map[string]any
	if err := json.Unmarshal(re.Body, &body); err != nil {
		t.Fatal(err)
	}
	numbers, _ := body["error_codes"].([]any)
	if re.ErrorCode != code || len(numbers) != 1 || numbers[0] != float64(number) {
		t.Errorf("refused with %s %v, want %s %d: %s", re.ErrorCode, numbers, code, number, re.ErrorDescription)
	}
	return body
}

// wantBack checks an error in the callback.
func wantBack(t *testing.T, q url.Values, code, number string) {
	t.Helper()
	if q.Get("error") != code || !strings.HasPrefix(q.Get("error_description"), "AADSTS"+number+": ") || q.Has("code") {
		t.Errorf("sent back with %v, want %s and AADSTS%s", q, code, number)
	}
}

// wantPage checks that the browser stays on Entra's page with an error.
func (w *entraWorld) wantPage(page string, a msgraphtest.Answer, number string) {
	w.t.Helper()
	if a.Account == "" {
		a.Account = maria
	}
	back, err := w.ms.Consent(w.http, page, a)
	if err == nil || !strings.Contains(err.Error(), "AADSTS"+number+": ") {
		w.t.Errorf("sent back to %v with error %v, want a page with AADSTS%s", back, err, number)
	}
}

func scopeOf(tok *oauth2.Token) []string {
	scope, _ := tok.Extra("scope").(string)
	return strings.Fields(scope)
}

func TestOAuth(t *testing.T) {
	for name, sockets := range map[string]bool{"sockets": true, "in process": false} {
		t.Run(name, func(t *testing.T) {
			w := newEntraWorld(t, sockets, msgraphtest.Config{})
			tok := w.token(maria)
			if tok.RefreshToken == "" || tok.AccessToken == "" || tok.ExpiresIn != 3600 || tok.Extra("ext_expires_in") != float64(3600) {
				t.Errorf("the token lives %d s", tok.ExpiresIn)
			}
			if got := scopeOf(tok); !slices.Equal(got, []string{"Mail.Send", "User.Read", "openid", "profile"}) {
				t.Errorf("granted %q", got)
			}
			w.verify(tok, maria)
			again, err := w.refresh(tok)
			w.must(err)
			if again.AccessToken == tok.AccessToken || again.RefreshToken == tok.RefreshToken || again.RefreshToken == "" {
				t.Error("refreshed to the same token")
			}
			if third, err := w.refresh(tok); err != nil || third.RefreshToken == again.RefreshToken {
				t.Errorf("the old refresh token no longer works: %v", err)
			}
		})
	}
}

// provider discovers a tenant with go-oidc.
func (w *entraWorld) provider(tenant, issuer string) (context.Context, *oidc.Provider) {
	w.t.Helper()
	ctx := oidc.ClientContext(w.t.Context(), w.http)
	p, err := oidc.NewProvider(oidc.InsecureIssuerURLContext(ctx, issuer), w.ms.LoginURL()+"/"+tenant+"/v2.0")
	w.must(err)
	return ctx, p
}

// verify checks an ID token with go-oidc, through its tenant's discovery.
func (w *entraWorld) verify(tok *oauth2.Token, account string) map[string]any {
	w.t.Helper()
	tenant, object := w.ms.Identity(account)
	issuer := w.ms.LoginURL() + "/" + tenant + "/v2.0"
	ctx, p := w.provider(tenant, issuer)
	raw, _ := tok.Extra("id_token").(string)
	idt, err := p.Verifier(&oidc.Config{ClientID: "client-1", Now: w.clock.Now}).Verify(ctx, raw)
	w.must(err)
	var claims map[string]any
	w.must(idt.Claims(&claims))
	if idt.Issuer != issuer || idt.Nonce != "nonce-1" || claims["tid"] != tenant || claims["oid"] != object || claims["ver"] != "2.0" {
		w.t.Errorf("the ID token has %v", claims)
	}
	if idt.Subject == object || idt.Subject == "" {
		w.t.Errorf("the subject is %q", idt.Subject)
	}
	if _, err := p.Verifier(&oidc.Config{ClientID: "client-2", Now: w.clock.Now}).Verify(ctx, raw); err == nil {
		w.t.Error("another client's ID token is accepted")
	}
	later := func() time.Time { return w.clock.Now().Add(2 * time.Hour) }
	if _, err := p.Verifier(&oidc.Config{ClientID: "client-1", Now: later}).Verify(ctx, raw); err == nil {
		w.t.Error("an old ID token is accepted")
	}
	return claims
}

func TestIdentity(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	w.oauth.Scopes = append(w.oauth.Scopes, "email")
	claims := w.verify(w.token(maria), maria)
	if _, ok := claims["email"]; ok || claims["preferred_username"] != maria {
		t.Errorf("the claims are %v", claims)
	}
	w.must(w.ms.SetAccount(msgraphtest.Account{Address: maria, SignInName: "m.alvarez@agency.example.com", Email: "unverified@example.net"}))
	claims = w.verify(w.token(maria), maria)
	if claims["email"] != "unverified@example.net" || claims["preferred_username"] != "m.alvarez@agency.example.com" {
		t.Errorf("the claims are %v", claims)
	}
	claims = w.verify(w.token(pat), pat)
	if oid, _ := claims["oid"].(string); claims["tid"] != "9188040d-6c67-4c5b-b112-36a304b66dad" || !strings.HasPrefix(oid, "00000000-0000-0000-") {
		t.Errorf("a personal account is of tenant %v", claims["tid"])
	}
	w.oauth.Scopes = []string{"openid", "profile"}
	if _, ok := w.verify(w.token(maria), maria)["email"]; ok {
		t.Error("an email without the email scope")
	}
	tm, om := w.ms.Identity(maria)
	to, oo := w.ms.Identity(omar)
	tn, _ := w.ms.Identity(nadia)
	if tm != to || om == oo || tm == tn {
		t.Errorf("tenants %s %s %s, objects %s %s", tm, to, tn, om, oo)
	}
	if tid, oid := w.ms.Identity("gail@elsewhere.example.com"); tid != "" || oid != "" {
		t.Error("another service's mailbox is in the directory")
	}

	w.oauth.Scopes = []string{"openid", "Mail.Send"}
	tok := w.token(maria)
	if tok.RefreshToken != "" {
		t.Error("a refresh token without offline_access")
	}
	raw, _ := tok.Extra("id_token").(string)
	ctx, p := w.provider("common", w.ms.LoginURL()+"/{tenantid}/v2.0")
	idt, err := p.Verifier(&oidc.Config{ClientID: "client-1", Now: w.clock.Now, SkipIssuerCheck: true}).Verify(ctx, raw)
	w.must(err)
	claims = nil
	w.must(idt.Claims(&claims))
	if _, ok := claims["oid"]; ok {
		t.Error("oid without the profile scope")
	}
	w.oauth.Scopes = []string{"Mail.Send"}
	if w.token(maria).Extra("id_token") != nil {
		t.Error("an ID token without the openid scope")
	}
}

func TestDiscovery(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	login := w.ms.LoginURL()
	tid, _ := w.ms.Identity(maria)
	for tenant, issuer := range map[string]string{
		"common": login + "/{tenantid}/v2.0", "organizations": login + "/{tenantid}/v2.0",
		"consumers": login + "/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
		tid:         login + "/" + tid + "/v2.0", "agency.example.com": login + "/" + tid + "/v2.0",
	} {
		_, p := w.provider(tenant, issuer)
		if got := p.Endpoint().TokenURL; got != login+"/"+tenant+"/oauth2/v2.0/token" {
			t.Errorf("%s: the token endpoint is %s", tenant, got)
		}
	}
	for _, path := range []string{"/nowhere.example.com/v2.0/.well-known/openid-configuration", "/nowhere.example.com/discovery/v2.0/keys"} {
		resp, err := w.http.Get(login + path)
		w.must(err)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s is answered with %d", path, resp.StatusCode)
		}
	}
	for _, tenant := range []string{"nowhere.example.com", "elsewhere.example.com", "personal.example.org", "11111111-2222-4333-8444-555555555555"} {
		w.at(tenant)
		w.wantPage(w.page(), msgraphtest.Answer{}, "90002")
	}
}

func TestKeysRotate(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	ctx := oidc.ClientContext(t.Context(), w.http)
	keys := oidc.NewRemoteKeySet(ctx, w.ms.LoginURL()+"/common/discovery/v2.0/keys")
	last := ""
	for range 3 {
		raw, _ := w.token(maria).Extra("id_token").(string)
		if last != "" {
			fresh := oidc.NewRemoteKeySet(ctx, w.ms.LoginURL()+"/organizations/discovery/v2.0/keys")
			if _, err := fresh.VerifySignature(ctx, last); err != nil {
				t.Errorf("the key before the last is gone: %v", err)
			}
		}
		last = raw
		if _, err := keys.VerifySignature(ctx, raw); err != nil {
			t.Error(err)
		}
		w.must(w.ms.RotateKeys())
	}
}

// jar gives the browser a memory, so that it stays signed in.
func (w *entraWorld) jar() {
	jar, err := cookiejar.New(nil)
	w.must(err)
	w.http = &http.Client{Transport: w.http.Transport, Jar: jar}
}

// TestPairwise holds that two registrations know one account under different
// subjects.
func TestPairwise(t *testing.T) {
	w := newEntraWorld(t, false, msgraphtest.Config{})
	subject := func(ms *msgraphtest.Server, client string) string {
		t.Helper()
		w.ms, w.http = ms, &http.Client{Transport: ms.Transport()}
		w.oauth.ClientID = client
		raw, _ := w.token(maria).Extra("id_token").(string)
		ctx, p := w.provider("common", ms.LoginURL()+"/{tenantid}/v2.0")
		idt, err := p.Verifier(&oidc.Config{ClientID: client, Now: w.clock.Now, SkipIssuerCheck: true}).Verify(ctx, raw)
		w.must(err)
		return idt.Subject
	}
	first := subject(w.ms, "client-1")
	again := subject(w.ms, "client-1")
	other, err := msgraphtest.New(w.office, msgraphtest.Config{ClientID: "client-2", ClientSecret: "secret-1", SigningKey: signingKey()})
	w.must(err)
	if second := subject(other, "client-2"); first == second || first != again {
		t.Errorf("the subjects are %q, %q and for another client %q", first, again, second)
	}
}
