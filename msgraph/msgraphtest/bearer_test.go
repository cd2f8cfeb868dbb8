package msgraphtest

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// tokenServer is a server, and an access token with a scope.
func tokenServer(t *testing.T) (*Server, *postoffice.Mailbox, string) {
	t.Helper()
	office, err := postoffice.New(postoffice.Config{Clock: postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))})
	if err != nil {
		t.Fatal(err)
	}
	box, err := office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(office, Config{ClientID: "client-1", ClientSecret: "secret-1"})
	if err != nil {
		t.Fatal(err)
	}
	return s, box, giveToken(s, box)
}

func giveToken(s *Server, box *postoffice.Mailbox) string {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	name := s.next("EwB")
	s.entra.access[name] = &token{root: &root{box: box}, scopes: []string{"Mail.Send", "offline_access", "openid"}, ends: s.clock.Now().Add(time.Hour)}
	return name
}

func TestBearer(t *testing.T) {
	s, box, name := tokenServer(t)
	bear := func(authorization string) (*grant, *failure) {
		r := httptest.NewRequest(http.MethodGet, s.GraphURL()+"/v1.0/me", nil)
		r.Header.Set("Authorization", authorization)
		return s.bearer(r)
	}
	good := func(authorization string) {
		t.Helper()
		g, f := bear(authorization)
		if f != nil || g.mailbox != box || !slices.Equal(g.scopes, []string{"Mail.Send"}) || g.person.upn != "maria@agency.example.com" {
			t.Errorf("the grant is %+v, %+v", g, f)
		}
	}
	bad := func(authorization, message string) http.Header {
		t.Helper()
		g, f := bear(authorization)
		if g != nil || f == nil || !strings.Contains(f.message, message) {
			t.Fatalf("refused with %+v, want %q", f, message)
		}
		rec := httptest.NewRecorder()
		f.write(rec)
		if rec.Code != http.StatusUnauthorized || !strings.Contains(rec.Body.String(), "InvalidAuthenticationToken") {
			t.Errorf("answered with %d %s", rec.Code, rec.Body)
		}
		if h := rec.Header().Get("WWW-Authenticate"); !strings.HasPrefix(h, "Bearer ") || !strings.Contains(h, "authorization_uri") {
			t.Errorf("the challenge is %q", h)
		}
		return rec.Header()
	}
	good("Bearer " + name)
	good("bearer " + name)
	bad("", "empty")
	bad("Basic "+name, "empty")
	bad("Bearer other", "audience")

	other, err := s.office.AddMailbox(postoffice.MailboxConfig{Address: "omar@agency.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	others := giveToken(s, other)
	s.ChallengeAccessTokens("maria@agency.example.com")
	if _, f := bear("Bearer " + others); f != nil {
		t.Errorf("another mailbox's token is challenged: %+v", f)
	}
	h := bad("Bearer "+name, "Continuous access evaluation").Get("WWW-Authenticate")
	_, rest, _ := strings.Cut(h, `claims="`)
	claims, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(rest, `"`))
	if err != nil || !strings.Contains(h, `error="insufficient_claims"`) || !strings.Contains(string(claims), `"value":"1772442000"`) {
		t.Errorf("the challenge is %q with claims %s: %v", h, claims, err)
	}

	name = giveToken(s, box)
	good("Bearer " + name)
	s.clock.Advance(59 * time.Minute)
	good("Bearer " + name)
	s.clock.Advance(time.Minute)
	bad("Bearer "+name, "expired")

	name = giveToken(s, box)
	s.ExpireAccessTokens()
	bad("Bearer "+name, "expired")
}

func TestEntraOp(t *testing.T) {
	for path, want := range map[string]string{
		"/common/oauth2/v2.0/token": "token", "/common/oauth2/v2.0/authorize": "page", "/agency.example.com/v2.0/adminconsent": "page",
		"/common/discovery/v2.0/keys": "keys", "/common/v2.0/.well-known/openid-configuration": "keys",
	} {
		if got := entraOp(httptest.NewRequest(http.MethodGet, path, nil)); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}
