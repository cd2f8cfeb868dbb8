package msgraph_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
)

const maria = "maria@agency.example.com"

// TestIdentity: a mailbox is known by tenant and object, and its address is
// what Graph says, whatever the ID token claims.
func TestIdentity(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	if err := f.microsoft.SetAccount(msgraphtest.Account{Address: maria, SignInName: "msilva@sign-in.example.net", Email: "boss@victim.example.org"}); err != nil {
		t.Fatal(err)
	}
	tenant, object := f.microsoft.Identity(maria)
	g := f.consent(t, maria, provider.AccessReplies)
	if g.Identity.Subject != tenant+"."+object || g.Identity.Tenant != tenant || g.Identity.Address != maria {
		t.Errorf("identity %+v, want %s.%s at %s", g.Identity, tenant, object, maria)
	}
	if strings.Contains(strings.Join(g.Scopes, " "), "ReadWrite") || strings.Contains(strings.Join(g.Scopes, " "), "ReadBasic") {
		t.Errorf("scopes %v", g.Scopes)
	}
	again, err := f.prov.Refresh(t.Context(), g)
	if err != nil || again.Token.RefreshToken == g.Token.RefreshToken || again.Token.AccessToken == g.Token.AccessToken || !slices.Equal(again.Identity.Aliases, g.Identity.Aliases) || again.Identity.Subject != g.Identity.Subject || again.Identity.Address != g.Identity.Address || again.Access != g.Access {
		t.Errorf("refreshed: %v, %v", again.Identity, err)
	}
}

// TestTenants: a flow for one tenant takes no account of another.
func TestTenants(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	tenant, _ := f.microsoft.Identity(maria)
	link := func(asked, redeemed string) error {
		page, err := f.prov.Authorize(provider.AuthRequest{
			Access: provider.AccessReplies, Tenant: asked, RedirectURL: redirectURL, State: "s", Nonce: "n", Challenge: oauth2.S256ChallengeFromVerifier(verifier),
		})
		if err != nil {
			return err
		}
		back, err := f.microsoft.Consent(nil, page, msgraphtest.Answer{Account: maria})
		if err != nil {
			return err
		}
		_, err = f.prov.Exchange(t.Context(), provider.Callback{
			Code: back.Query().Get("code"), Verifier: verifier, Nonce: "n", RedirectURL: redirectURL, Tenant: redeemed,
		})
		return err
	}
	for _, segment := range []string{"", "common", "organizations", tenant, "agency.example.com"} {
		if err := link(segment, segment); err != nil {
			t.Errorf("tenant %q: %v", segment, err)
		}
	}
	if err := link("organizations", "common"); !errors.Is(err, provider.ErrRejected) || errors.Is(err, provider.ErrRelink) {
		t.Errorf("a code of another endpoint: %v", err)
	}
	for _, bad := range []string{"../evil", "a/b", "a b", "a..b", "?", ".", strings.Repeat("a", 300)} {
		if err := link(bad, bad); !errors.Is(err, provider.ErrInvalid) {
			t.Errorf("tenant %q: %v", bad, err)
		}
	}
	if _, err := msgraph.New(msgraph.Config{ClientID: "id", ClientSecret: "s", Tenant: "a/b"}); !errors.Is(err, provider.ErrInvalid) || !strings.Contains(err.Error(), "Config.Tenant") {
		t.Errorf("a configured tenant: %v", err)
	}
}

// TestAuthorize asks for as little as does, and lets the user choose.
func TestAuthorize(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	for access, want := range map[provider.Access]string{
		provider.AccessSend:    "openid profile offline_access User.Read Mail.Send",
		provider.AccessReplies: "openid profile offline_access User.Read Mail.Send Mail.Read",

		provider.AccessEnvelopes: "openid profile offline_access User.Read Mail.Send Mail.ReadBasic",
	} {
		page, err := f.prov.Authorize(provider.AuthRequest{Access: access, RedirectURL: redirectURL, State: "s", Nonce: "n", Challenge: "c"})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(page)
		if err != nil {
			t.Fatal(err)
		}
		if q := u.Query(); q.Get("scope") != want || q.Get("prompt") != "select_account" || q.Get("code_challenge_method") != "S256" {
			t.Errorf("%s: %v", access, q)
		}
	}
	if _, err := f.prov.Authorize(provider.AuthRequest{Access: "everything", RedirectURL: redirectURL, State: "s", Nonce: "n", Challenge: "c"}); !errors.Is(err, provider.ErrAccess) {
		t.Errorf("everything: %v", err)
	}
}

// TestTokenErrors: what Entra says, who can mend it, and that the error says
// no more than the number.
func TestTokenErrors(t *testing.T) {
	for _, c := range []struct {
		number int
		kind   error
		mender provider.Mender
	}{
		{50173, provider.ErrRelink, provider.MendUser},
		{700082, provider.ErrRelink, provider.MendUser},
		{70008, provider.ErrRelink, provider.MendUser},
		{65001, provider.ErrRelink, provider.MendUser},
		{50076, provider.ErrRelink, provider.MendUser},
		{70043, provider.ErrRelink, provider.MendUser},
		{53003, provider.ErrRelink, provider.MendAdmin},
		{50057, provider.ErrMailboxUnusable, provider.MendAdmin},
		{7000215, provider.ErrApp, provider.MendOperator},
		{7000222, provider.ErrApp, provider.MendOperator},
		{700016, provider.ErrApp, provider.MendAdmin},
		{90033, provider.ErrTemporary, provider.MendNobody},
		{50196, provider.ErrThrottled, provider.MendOperator},
	} {
		f := newFakeMicrosoft(t, false, msgraphtest.Config{})
		f.mailbox(t, maria, "Maria Silva")
		g := f.consent(t, maria, provider.AccessReplies)
		f.microsoft.Inject(msgraphtest.Rule{Op: "token", Fault: msgraphtest.Refuse, Code: c.number})
		_, err := f.prov.Refresh(t.Context(), g)
		var pe *provider.Error
		if !errors.Is(err, c.kind) || !errors.As(err, &pe) || !strings.HasPrefix(pe.Reason, "AADSTS") {
			t.Errorf("AADSTS%d: %v, want %v", c.number, err, c.kind)
			continue
		}
		d := f.prov.Diagnose(err)
		if d.Mender != c.mender || d.Remedy == "" || d.Params["code"] != pe.Reason {
			t.Errorf("AADSTS%d: %+v, want the %s to mend it", c.number, d, c.mender)
		}
		if strings.Contains(err.Error(), "maria") || strings.Contains(err.Error(), "Trace ID") || strings.Contains(err.Error(), "canary") {
			t.Errorf("AADSTS%d: the error says %q", c.number, err)
		}
		if _, err := f.prov.Refresh(t.Context(), g); err != nil {
			t.Errorf("AADSTS%d: the grant is not to blame: %v", c.number, err)
		}
	}
}

// TestWithdrawn: a dead grant is dead, and Revoke asks nobody.
func TestWithdrawn(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	g := f.consent(t, maria, provider.AccessReplies)
	if err := f.prov.Revoke(t.Context(), g); err != nil {
		t.Error(err)
	}
	f.microsoft.Withdraw(maria, 0)
	_, err := f.prov.Refresh(t.Context(), g)
	if !errors.Is(err, provider.ErrRelink) || f.prov.Diagnose(err).Reason != "grant_revoked" {
		t.Errorf("%v, %+v", err, f.prov.Diagnose(err))
	}
}

// TestChallenge: Graph takes a token back early (continuous access
// evaluation). The read is tried once more with a fresh token.
func TestChallenge(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	g := f.consent(t, maria, provider.AccessReplies)
	src := &refresher{p: f.prov, g: g}
	mb := f.prov.Open(provider.Account{Subject: g.Identity.Subject, Address: maria, Access: g.Access}, src)
	f.microsoft.ChallengeAccessTokens(maria)
	if _, err := mb.Profile(t.Context()); err != nil || src.refused != 1 {
		t.Errorf("%v after %d refusals", err, src.refused)
	}
	f.office.Clock().Advance(2 * time.Hour)
	if _, err := mb.Profile(t.Context()); err != nil {
		t.Errorf("an expired token: %v", err)
	}
}

// TestSecretExpired: with the app's secret gone no mailbox is to blame.
func TestSecretExpired(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	g := f.consent(t, maria, provider.AccessReplies)
	f.microsoft.ExpireSecret(true)
	_, err := f.prov.Refresh(t.Context(), g)
	if !errors.Is(err, provider.ErrApp) || f.prov.Diagnose(err).Mender != provider.MendOperator {
		t.Errorf("%v", err)
	}
	f.microsoft.ExpireSecret(false)
	if _, err := f.prov.Refresh(t.Context(), g); err != nil {
		t.Error(err)
	}
}

// TestConfig names the field at fault.
func TestConfig(t *testing.T) {
	good := msgraph.Config{ClientID: "id", ClientSecret: "secret", Endpoints: &msgraph.Endpoints{Login: "https://login.example.com", Graph: "https://graph.example.com"}}
	for field, change := range map[string]func(*msgraph.Config){
		"Config.ClientID":        func(c *msgraph.Config) { c.ClientID = "" },
		"Config.ClientSecret":    func(c *msgraph.Config) { c.ClientSecret = "" },
		"Config.Tenant":          func(c *msgraph.Config) { c.Tenant = "?" },
		"Config.Endpoints.Login": func(c *msgraph.Config) { c.Endpoints = &msgraph.Endpoints{Graph: "https://graph.example.com"} },
		"Config.Endpoints.Graph": func(c *msgraph.Config) {
			c.Endpoints = &msgraph.Endpoints{Login: "https://login.example.com", Graph: "https://graph.example.com/"}
		},
		"Config.Limits.Settle": func(c *msgraph.Config) { c.Limits = &provider.Limits{Settle: -1} },
	} {
		cfg := good
		change(&cfg)
		if _, err := msgraph.New(cfg); !errors.Is(err, provider.ErrInvalid) || !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
	if p, err := msgraph.New(good); err != nil || p.Name() != "msgraph" || p.Kind() != provider.MSGraph {
		t.Errorf("%v %v", p, err)
	}
}
