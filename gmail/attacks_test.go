package gmail_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/provider"
)

// sentry sits between the Provider and Google and remembers where requests
// go. If status is not zero it answers with a redirect elsewhere.
type sentry struct {
	next   http.RoundTripper
	status int
	hosts  map[string]bool
	tokens int
}

func (s *sentry) RoundTrip(req *http.Request) (*http.Response, error) {
	s.hosts[req.URL.Host] = true
	if req.URL.Path == "/token" {
		s.tokens++
	}
	if s.status != 0 {
		return &http.Response{StatusCode: s.status, Header: http.Header{"Location": {"https://evil.example.org/"}}, Body: http.NoBody, Request: req}, nil
	}
	return s.next.RoundTrip(req)
}

func (f *fakeGoogle) guard(t *testing.T) *sentry {
	t.Helper()
	s := &sentry{next: f.google.Transport(), hosts: make(map[string]bool)}
	p, err := gmail.New(gmail.Config{
		ClientID: "client-1", ClientSecret: "client-secret-canary", HTTPClient: &http.Client{Transport: s}, Now: f.office.Clock().Now, Endpoints: f.google.Endpoints(),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.prov = p
	return s
}

// TestAttackIssuerMixUp: a callback that names another issuer brings that
// one's code, and it is shown to nobody. One that names none is good: not all
// of Google's do (RFC 9207 section 2.4).
func TestAttackIssuerMixUp(t *testing.T) {
	f := newFakeGoogle(t, false, gmailtest.Config{})
	f.mailbox(t, "maria@mail.example.com", "Maria")
	s := f.guard(t)
	code := func() provider.Callback {
		page, err := f.prov.Authorize(provider.AuthRequest{
			Access: provider.AccessReplies, RedirectURL: redirectURL, State: "state", Nonce: "nonce", Challenge: challenge(verifier),
		})
		if err != nil {
			t.Fatal(err)
		}
		back, err := f.google.Consent(nil, page, gmailtest.Answer{Account: "maria@mail.example.com"})
		if err != nil {
			t.Fatal(err)
		}
		return provider.Callback{Code: back.Query().Get("code"), Verifier: verifier, Nonce: "nonce", RedirectURL: redirectURL, Issuer: back.Query().Get("iss")}
	}
	for _, issuer := range []string{"https://evil.example.org", "https://login.microsoftonline.com/common/v2.0", f.google.URL() + ".evil.example.org"} {
		cb := code()
		cb.Issuer = issuer
		_, err := f.prov.Exchange(t.Context(), cb)
		if !errors.Is(err, provider.ErrRejected) || s.tokens != 0 {
			t.Errorf("%s: %v, and %d codes were shown", issuer, err, s.tokens)
		}
		if d := f.prov.Diagnose(err); d.Reason != provider.ReasonIdentity {
			t.Errorf("diagnosed %+v", d)
		}
	}
	for _, none := range []bool{false, true} {
		cb := code()
		if none {
			cb.Issuer = ""
		}
		if _, err := f.prov.Exchange(t.Context(), cb); err != nil {
			t.Errorf("the control is refused: %v", err)
		}
	}
}

// TestAttackRedirect: an answer that sends elsewhere is not followed, so no
// token, code or mail goes there.
func TestAttackRedirect(t *testing.T) {
	const maria = "maria@mail.example.com"
	f := newFakeGoogle(t, false, gmailtest.Config{})
	f.mailbox(t, maria, "Maria")
	s := f.guard(t)
	g := f.consent(t, maria, provider.AccessReplies)
	mb := f.prov.Open(provider.Account{Subject: g.Identity.Subject, Address: maria, Access: g.Access}, fixed{tok: g.Token})
	for _, s.status = range []int{301, 302, 303, 307, 308} {
		_, read := mb.Profile(t.Context())
		_, sent := mb.Send(t.Context(), &provider.Outgoing{
			Raw: []byte("From: " + maria + "\r\nTo: grace@example.net\r\n\r\nHello\r\n"), From: provider.Address{Addr: maria},
			To: []provider.Address{{Addr: "grace@example.net"}}, NotAfter: f.office.Clock().Now().Add(time.Minute),
		})
		_, redeemed := f.prov.Exchange(t.Context(), provider.Callback{Code: "c", Verifier: verifier, Nonce: "n", RedirectURL: redirectURL})
		_, refreshed := f.prov.Refresh(t.Context(), g)
		for what, err := range map[string]error{"a read": read, "a send": sent, "a code": redeemed, "a refresh": refreshed} {
			if err == nil || errors.Is(err, provider.ErrRelink) {
				t.Errorf("%d to %s: %v", s.status, what, err)
			}
		}
	}
	if len(s.hosts) != 1 || s.hosts["evil.example.org"] {
		t.Errorf("requests went to %v", s.hosts)
	}
}

// TestAttackSearch: no address of a recipient is read as a word of Gmail's
// search language, so that a search for it lists no other mail.
func TestAttackSearch(t *testing.T) {
	const maria = "maria@mail.example.com"
	f := newFakeGoogle(t, false, gmailtest.Config{})
	f.mailbox(t, maria, "Maria")
	g := f.consent(t, maria, provider.AccessReplies)
	mb := f.prov.Open(provider.Account{Subject: g.Identity.Subject, Address: maria, Access: g.Access}, fixed{tok: g.Token})
	start := f.office.Clock().Now()
	for _, addr := range []string{"-ann@example.net", "+ann@example.net", "{ann}@example.net", "ann|bob@example.net", "or@example.net", "eve@example.org"} {
		if _, err := f.office.Write(provider.Address{Addr: addr}, maria, "Hello", "", "Hello."); err != nil {
			t.Fatal(err)
		}
	}
	for _, addr := range []string{"-ann@example.net", "+ann@example.net", "{ann}@example.net", "ann|bob@example.net", "or@example.net"} {
		items, err := mb.Search(t.Context(), provider.Query{From: []string{addr, "nobody@example.net"}, Since: start.Add(-time.Minute), To: start.Add(time.Minute)})
		if err != nil || len(items) == 0 {
			t.Fatalf("%s: %v, %v", addr, items, err)
		}
		for _, it := range items {
			env, err := mb.Envelope(t.Context(), it.Ref)
			if err != nil || !strings.HasSuffix(env.From[0].Addr, addr) {
				t.Errorf("a search for %s lists mail from %s, %v", addr, env.From[0].Addr, err)
			}
		}
	}
}

// TestAdminAdvice names all that an access asks for, and nothing else.
func TestAdminAdvice(t *testing.T) {
	f := newFakeGoogle(t, false, gmailtest.Config{})
	const send, read = "https://www.googleapis.com/auth/gmail.send", "https://www.googleapis.com/auth/gmail.readonly"
	for access, want := range map[provider.Access][]string{
		provider.AccessSend: {"openid", "email", send}, provider.AccessReplies: {"openid", "email", send, read},
	} {
		a, err := f.prov.AdviseAdmin(provider.AdminRequest{Access: access})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range a.Permissions {
			if names = append(names, p.Name); len(p.Why) < 20 {
				t.Errorf("%s is asked for because %q", p.Name, p.Why)
			}
		}
		if !slices.Equal(names, want) || a.URL != "" || !strings.Contains(strings.Join(a.Steps, " "), "client-1") {
			t.Errorf("%s: %+v", access, a)
		}
	}
	if _, err := f.prov.AdviseAdmin(provider.AdminRequest{Access: "everything"}); !errors.Is(err, provider.ErrAccess) {
		t.Errorf("an access that is not offered: %v", err)
	}
}
