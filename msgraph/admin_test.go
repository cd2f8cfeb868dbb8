package msgraph_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
)

// TestAdminConsent: users may not let an app read mail; their administrator
// approves exactly what is asked for, and then they may.
func TestAdminConsent(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	f.mailbox(t, "root@agency.example.com", "The administrator")
	if err := f.microsoft.SetTenant(msgraphtest.Tenant{Domains: []string{"agency.example.com"}, Policy: msgraphtest.PolicyNone}); err != nil {
		t.Fatal(err)
	}
	if err := f.microsoft.SetAccount(msgraphtest.Account{Address: "root@agency.example.com", Administrator: true}); err != nil {
		t.Fatal(err)
	}
	ask := func() url.Values {
		page, err := f.prov.Authorize(provider.AuthRequest{
			Access: provider.AccessReplies, RedirectURL: redirectURL, State: "s", Nonce: "n", Challenge: oauth2.S256ChallengeFromVerifier(verifier),
		})
		if err != nil {
			t.Fatal(err)
		}
		back, err := f.microsoft.Consent(nil, page, msgraphtest.Answer{Account: maria})
		if err != nil {
			t.Fatal(err)
		}
		return back.Query()
	}
	if q := ask(); f.prov.Diagnose(f.prov.ReadCallbackError(q)).Reason != provider.ReasonAdminConsentRequired {
		t.Errorf("before: %v", q)
	}
	tenant, _ := f.microsoft.Identity(maria)
	req := provider.AdminRequest{Access: provider.AccessReplies, Tenant: tenant, RedirectURL: redirectURL + "/admin", State: "admin-state"}
	page, err := f.prov.AuthorizeAdmin(req)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	graph := f.microsoft.GraphURL() + "/"
	want := "openid profile offline_access " + graph + "User.Read " + graph + "Mail.Send " + graph + "Mail.Read"
	if q := u.Query(); u.Path != "/"+tenant+"/v2.0/adminconsent" || q.Get("scope") != want || q.Get("state") != "admin-state" || q.Get("client_id") == "" || q.Get("redirect_uri") != req.RedirectURL || len(q) != 4 {
		t.Errorf("the page is %s", page)
	}
	answer := func(a msgraphtest.Answer) (string, error) {
		back, err := f.microsoft.Consent(nil, page, a)
		if err != nil {
			t.Fatal(err)
		}
		if q := back.Query(); q.Get("admin_consent") != "True" || q.Get("state") != "admin-state" {
			t.Errorf("sent back with %v", q)
		}
		return f.prov.ReadAdminAnswer(req, back.Query())
	}
	for name, c := range map[string]struct {
		a      msgraphtest.Answer
		reason provider.Reason
	}{
		"cancelled":            {msgraphtest.Answer{Deny: true}, provider.ReasonAdminDeclined},
		"no administrator":     {msgraphtest.Answer{Account: maria}, provider.ReasonAdminRightsMissing},
		"a policy in the way":  {msgraphtest.Answer{Refuse: 53003, RefuseCode: "interaction_required"}, provider.ReasonConditionalAccess},
		"a moment of weakness": {msgraphtest.Answer{Refuse: 90033}, provider.ReasonTemporary},
	} {
		if _, err := answer(c.a); f.prov.Diagnose(err).Reason != c.reason {
			t.Errorf("%s: %v, diagnosed %+v", name, err, f.prov.Diagnose(err))
		}
	}
	if got, err := answer(msgraphtest.Answer{Account: "root@agency.example.com"}); err != nil || got != tenant {
		t.Errorf("approved by %q: %v", got, err)
	}
	if q := ask(); q.Get("code") == "" {
		t.Errorf("after the approval: %v", q)
	}

	for _, bad := range []string{"common", "Common", "consumers", "../x", "a b"} {
		r := req
		r.Tenant = bad
		if _, err := f.prov.AuthorizeAdmin(r); !errors.Is(err, provider.ErrInvalid) {
			t.Errorf("tenant %q: %v", bad, err)
		}
	}
	req.Tenant = ""
	if page, err := f.prov.AuthorizeAdmin(req); err != nil || !strings.Contains(page, "/organizations/v2.0/adminconsent") {
		t.Errorf("of any organisation: %s, %v", page, err)
	}
	req.State = ""
	if _, err := f.prov.AuthorizeAdmin(req); !errors.Is(err, provider.ErrInvalid) {
		t.Errorf("without a state: %v", err)
	}
	req.Access = "everything"
	if _, err := f.prov.AdviseAdmin(req); !errors.Is(err, provider.ErrAccess) {
		t.Errorf("an access that is not offered: %v", err)
	}
}

// TestAdminAdvice names all that an access asks for, and nothing else.
func TestAdminAdvice(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	for access, want := range map[provider.Access][]string{
		provider.AccessSend:    {"openid", "profile", "offline_access", "User.Read", "Mail.Send"},
		provider.AccessReplies: {"openid", "profile", "offline_access", "User.Read", "Mail.Send", "Mail.Read"},
	} {
		a, err := f.prov.AdviseAdmin(provider.AdminRequest{Access: access, RedirectURL: redirectURL})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range a.Permissions {
			if names = append(names, p.Name); len(p.Why) < 20 {
				t.Errorf("%s is asked for because %q", p.Name, p.Why)
			}
		}
		if !slices.Equal(names, want) || strings.Contains(a.URL, "state=") || !strings.Contains(a.URL, "adminconsent") || a.ClientID == "" || len(a.Steps) < 2 {
			t.Errorf("%s: %+v", access, a)
		}
	}
	if a, err := f.prov.AdviseAdmin(provider.AdminRequest{Access: provider.AccessSend}); err != nil || a.URL != "" || len(a.Steps) < 2 {
		t.Errorf("without a way back: %+v, %v", a, err)
	}
}
