package gmailtest_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/provider/postoffice"
)

const (
	maria     = "maria@agency.example.com"
	scopeSend = "https://www.googleapis.com/auth/gmail.send"
	scopeRead = "https://www.googleapis.com/auth/gmail.readonly"
	scopeMeta = "https://www.googleapis.com/auth/gmail.metadata"
)

var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// world is a fake Google and a real OAuth client, over sockets or without.
type world struct {
	t      *testing.T
	clock  *postoffice.Clock
	office *postoffice.Office
	box    *postoffice.Mailbox
	google *gmailtest.Server
	http   *http.Client
	oauth  oauth2.Config
}

func newWorld(t *testing.T, sockets bool, cfg gmailtest.Config) *world {
	t.Helper()
	w := &world{t: t, clock: postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))}
	var err error
	if w.office, err = postoffice.New(postoffice.Config{Clock: w.clock}); err != nil {
		t.Fatal(err)
	}
	if w.box, err = w.office.AddMailbox(postoffice.MailboxConfig{Address: maria, Name: `Maria <script>"`}); err != nil {
		t.Fatal(err)
	}
	cfg.ClientID, cfg.ClientSecret, cfg.SigningKey = "client-1", "secret-1", signingKey()
	if w.google, err = gmailtest.New(w.office, cfg); err != nil {
		t.Fatal(err)
	}
	w.http = &http.Client{Transport: w.google.Transport()}
	if sockets {
		if err := w.google.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.google.Close() })
		w.http = &http.Client{}
	}
	ends := w.google.Endpoints()
	w.oauth = oauth2.Config{
		ClientID: "client-1", ClientSecret: "secret-1", RedirectURL: "http://127.0.0.1/callback",
		Scopes:   []string{"openid", "email", scopeSend, scopeRead},
		Endpoint: oauth2.Endpoint{AuthURL: ends.Auth, TokenURL: ends.Token, AuthStyle: oauth2.AuthStyleInParams},
	}
	return w
}

func (w *world) ctx() context.Context {
	return context.WithValue(w.t.Context(), oauth2.HTTPClient, w.http)
}

const verifier = "a-verifier-of-at-least-forty-three-characters-in-all"

// code walks through the consent page.
func (w *world) code(a gmailtest.Answer, opts ...oauth2.AuthCodeOption) string {
	w.t.Helper()
	if a.Account == "" {
		a.Account = maria
	}
	opts = append(opts, oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("nonce", "nonce-1"))
	back, err := w.google.Consent(w.http, w.oauth.AuthCodeURL("state-1", opts...), a)
	if err != nil {
		w.t.Fatal(err)
	}
	if got := back.Query().Get("state"); got != "state-1" {
		w.t.Errorf("the state came back as %q", got)
	}
	return back.Query().Get("code")
}

func (w *world) token(a gmailtest.Answer) *oauth2.Token {
	w.t.Helper()
	tok, err := w.oauth.Exchange(w.ctx(), w.code(a), oauth2.VerifierOption(verifier))
	if err != nil {
		w.t.Fatal(err)
	}
	return tok
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var re *oauth2.RetrieveError
	if !errors.As(err, &re) || re.ErrorCode != code {
		t.Errorf("the error is %v, want %s", err, code)
	}
}

func TestOAuth(t *testing.T) {
	for name, sockets := range map[string]bool{"sockets": true, "in process": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sockets, gmailtest.Config{})
			tok := w.token(gmailtest.Answer{})
			if tok.RefreshToken == "" || tok.AccessToken == "" || tok.ExpiresIn != 3600 {
				t.Errorf("the token lives %d s", tok.ExpiresIn)
			}
			scope, _ := tok.Extra("scope").(string)
			for _, want := range []string{scopeSend, scopeRead, "userinfo.email"} {
				if !strings.Contains(scope, want) {
					t.Errorf("granted %q without %s", scope, want)
				}
			}
			w.verify(tok)
			again, err := w.oauth.TokenSource(w.ctx(), &oauth2.Token{RefreshToken: tok.RefreshToken}).Token()
			if err != nil || again.AccessToken == tok.AccessToken || again.RefreshToken != tok.RefreshToken {
				t.Errorf("refreshed to the same, or another refresh token: %v", err)
			}
		})
	}
}

// verify checks the ID token with go-oidc, through discovery.
func (w *world) verify(tok *oauth2.Token) {
	w.t.Helper()
	ctx := oidc.ClientContext(w.t.Context(), w.http)
	p, err := oidc.NewProvider(ctx, w.google.URL())
	if err != nil {
		w.t.Fatal(err)
	}
	raw, _ := tok.Extra("id_token").(string)
	idt, err := p.Verifier(&oidc.Config{ClientID: "client-1", Now: w.clock.Now}).Verify(ctx, raw)
	if err != nil {
		w.t.Fatal(err)
	}
	if idt.Subject != w.box.Subject() || idt.Nonce != "nonce-1" {
		w.t.Errorf("the ID token is of %q with nonce %q", idt.Subject, idt.Nonce)
	}
	if _, err := p.Verifier(&oidc.Config{ClientID: "client-2", Now: w.clock.Now}).Verify(ctx, raw); err == nil {
		w.t.Error("another client's ID token is accepted")
	}
	w.clock.Advance(2 * time.Hour)
	if _, err := p.Verifier(&oidc.Config{ClientID: "client-1", Now: w.clock.Now}).Verify(ctx, raw); err == nil {
		w.t.Error("an old ID token is accepted")
	}
}

func TestKeysRotate(t *testing.T) {
	w := newWorld(t, false, gmailtest.Config{})
	ctx := oidc.ClientContext(t.Context(), w.http)
	keys := oidc.NewRemoteKeySet(ctx, w.google.Endpoints().JWKS)
	for range 3 {
		raw, _ := w.token(gmailtest.Answer{}).Extra("id_token").(string)
		if _, err := keys.VerifySignature(ctx, raw); err != nil {
			t.Error(err)
		}
		if err := w.google.RotateKeys(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCodes(t *testing.T) {
	w := newWorld(t, false, gmailtest.Config{})
	_, err := w.oauth.Exchange(w.ctx(), w.code(gmailtest.Answer{}), oauth2.VerifierOption("another-verifier-of-at-least-43-characters-x"))
	wantCode(t, err, "invalid_grant")
	_, err = w.oauth.Exchange(w.ctx(), w.code(gmailtest.Answer{}))
	wantCode(t, err, "invalid_grant")

	code := w.code(gmailtest.Answer{})
	tok, err := w.oauth.Exchange(w.ctx(), code, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.oauth.Exchange(w.ctx(), code, oauth2.VerifierOption(verifier))
	wantCode(t, err, "invalid_grant")
	_, err = w.oauth.TokenSource(w.ctx(), &oauth2.Token{RefreshToken: tok.RefreshToken}).Token()
	wantCode(t, err, "invalid_grant") // a code used twice revokes what it gave

	code = w.code(gmailtest.Answer{})
	w.clock.Advance(11 * time.Minute)
	_, err = w.oauth.Exchange(w.ctx(), code, oauth2.VerifierOption(verifier))
	wantCode(t, err, "invalid_grant")

	code = w.code(gmailtest.Answer{})
	other := w.oauth
	other.RedirectURL = "http://127.0.0.1/other"
	_, err = other.Exchange(w.ctx(), code, oauth2.VerifierOption(verifier))
	wantCode(t, err, "redirect_uri_mismatch")
	other = w.oauth
	other.ClientSecret = "wrong"
	_, err = other.Exchange(w.ctx(), code, oauth2.VerifierOption(verifier))
	wantCode(t, err, "invalid_client")
}

func TestGrantsDie(t *testing.T) {
	refresh := func(w *world, tok *oauth2.Token) error {
		_, err := w.oauth.TokenSource(w.ctx(), &oauth2.Token{RefreshToken: tok.RefreshToken}).Token()
		return err
	}
	t.Run("withdrawn", func(t *testing.T) {
		w := newWorld(t, false, gmailtest.Config{})
		tok := w.token(gmailtest.Answer{})
		w.google.Withdraw(maria, "invalid_rapt")
		err := refresh(w, tok)
		wantCode(t, err, "invalid_grant")
		var re *oauth2.RetrieveError
		if errors.As(err, &re) && !strings.Contains(string(re.Body), "invalid_rapt") {
			t.Error("the subtype is missing")
		}
	})
	t.Run("rotated", func(t *testing.T) {
		w := newWorld(t, false, gmailtest.Config{Beliefs: gmailtest.Beliefs{RotatesRefreshTokens: true}})
		tok := w.token(gmailtest.Answer{})
		if err := refresh(w, tok); err != nil {
			t.Fatal(err)
		}
		wantCode(t, refresh(w, tok), "invalid_grant")
	})
	t.Run("testing", func(t *testing.T) {
		w := newWorld(t, false, gmailtest.Config{Beliefs: gmailtest.Beliefs{TestingMode: true}})
		tok := w.token(gmailtest.Answer{})
		w.clock.Advance(6 * 24 * time.Hour)
		if err := refresh(w, tok); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(25 * time.Hour)
		wantCode(t, refresh(w, tok), "invalid_grant")
	})
	t.Run("revoked", func(t *testing.T) {
		w := newWorld(t, false, gmailtest.Config{})
		tok := w.token(gmailtest.Answer{})
		for i, want := range []int{200, 400} {
			resp, err := w.http.PostForm(w.google.Endpoints().Revoke, map[string][]string{"token": {tok.RefreshToken}})
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("revocation %d is answered with %d", i+1, resp.StatusCode)
			}
		}
		wantCode(t, refresh(w, tok), "invalid_grant")
	})
}

func TestConsentPage(t *testing.T) {
	w := newWorld(t, true, gmailtest.Config{})
	page := w.oauth.AuthCodeURL("state-1", oauth2.S256ChallengeOption(verifier))
	resp, err := w.http.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body strings.Builder
	if _, err := copyTo(&body, resp); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(body.String(), `<script>"`) || !strings.Contains(body.String(), "&lt;script&gt;") {
		t.Error("a name is not escaped")
	}
	if !strings.Contains(body.String(), scopeRead) || strings.Contains(body.String(), `value="openid"`) {
		t.Error("the page has not a box for each scope beyond signing in")
	}

	back, err := w.google.Consent(w.http, page, gmailtest.Answer{Account: maria, Deny: true})
	if err != nil || back.Query().Get("error") != "access_denied" || back.Query().Get("code") != "" {
		t.Errorf("declined with %v, %v", back, err)
	}
	tok := w.token(gmailtest.Answer{Untick: []string{"gmail.readonly"}})
	if scope, _ := tok.Extra("scope").(string); strings.Contains(scope, "readonly") || !strings.Contains(scope, "gmail.send") {
		t.Errorf("granted %q", scope)
	}
	wrong := w.oauth
	wrong.ClientID = "client-2"
	if _, err := w.google.Consent(w.http, wrong.AuthCodeURL("s"), gmailtest.Answer{Account: maria}); err == nil {
		t.Error("an unknown client gets a consent page")
	}
	if _, err := w.google.Consent(w.http, page, gmailtest.Answer{Account: "nobody@example.com"}); err == nil {
		t.Error("nobody consents")
	}
}
