package providertest

import (
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
)

const (
	suiteVerifier = "suite-verifier-0123456789-0123456789-0123456789"
	suiteNonce    = "suite-nonce-5f2b"
	suiteState    = "suite-state-81c0"
	suiteRedirect = "http://127.0.0.1:8080/callback"
)

type tests map[string]func(*testing.T, *world)

func authRequest(access provider.Access) provider.AuthRequest {
	return provider.AuthRequest{
		Access: access, RedirectURL: suiteRedirect, State: suiteState, Nonce: suiteNonce,
		Challenge: oauth2.S256ChallengeFromVerifier(suiteVerifier),
	}
}

// most is the most access that is offered.
func (w *world) most(t *testing.T) provider.Access {
	t.Helper()
	for _, a := range accesses() {
		if w.Provider.Abilities(a).Offered {
			return a
		}
	}
	t.Fatal("no access is offered")
	return ""
}

func providerTests() tests {
	return tests{
		"NameAndKind": func(t *testing.T, w *world) {
			if w.Provider.Name() == "" || w.Provider.Kind() == "" {
				t.Errorf("name %q, kind %q: neither may be empty", w.Provider.Name(), w.Provider.Kind())
			}
		},
		"Limits": func(t *testing.T, w *world) {
			if l := w.Provider.Limits(); l.MaxMessageBytes <= 0 || l.MaxRecipients <= 0 || l.SendTimeout <= 0 || l.Settle <= 0 {
				t.Errorf("%+v: every limit must be positive", l)
			}
		},
		"OpenMakesNoRequest": func(t *testing.T, w *world) {
			l := w.sender(t)
			before, calls := w.requests(t), l.tokens.calls
			w.Provider.Open(l.account, l.tokens)
			w.Provider.Open(provider.Account{}, nil)
			if w.requests(t) != before || l.tokens.calls != calls {
				t.Error("Open made a request or asked for a token")
			}
		},
		"Diagnose": func(t *testing.T, w *world) {
			errs := []error{nil, errors.New("something else")}
			for _, k := range []provider.ErrorKind{
				provider.ErrRelink, provider.ErrAccess, provider.ErrApp, provider.ErrThrottled, provider.ErrTemporary,
				provider.ErrOutcomeUnknown, provider.ErrNotSettled, provider.ErrNotSent, provider.ErrRejected, provider.ErrTooLarge,
				provider.ErrMailboxUnusable, provider.ErrNotFound, provider.ErrCursorExpired, provider.ErrNoWarrant, provider.ErrSenderNotAllowed,
			} {
				errs = append(errs, &provider.Error{Kind: k, Reason: "some_code"})
			}
			for _, err := range errs {
				d := w.Provider.Diagnose(err)
				switch d.Mender {
				case provider.MendNobody, provider.MendUser, provider.MendAdmin, provider.MendOperator:
				default:
					t.Errorf("%v: mender %q", err, d.Mender)
				}
				if err != nil && d.Remedy == "" {
					t.Errorf("%v: %+v lacks a remedy", err, d)
				}
				if known := slices.Contains(provider.Reasons(), d.Reason); known != (err != nil) {
					t.Errorf("%v: the reason is %q; an error has one of provider.Reasons, and nil has none", err, d.Reason)
				}
				var pe *provider.Error
				if errors.As(err, &pe) && d.Params[provider.ParamCode] != pe.Reason {
					t.Errorf("%v: the code %q is not kept: %v", err, pe.Reason, d.Params)
				}
			}
			if d := w.Provider.Diagnose(&provider.Error{Kind: provider.ErrRelink}); d.Mender != provider.MendUser && d.Mender != provider.MendAdmin {
				t.Errorf("a dead grant is mended by %q", d.Mender)
			}
		},
	}
}

func authorizeTests() tests {
	return tests{
		"Parameters": func(t *testing.T, w *world) {
			req := authRequest(w.most(t))
			page, err := w.Provider.Authorize(req)
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(page)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			for name, want := range map[string]string{
				"state": req.State, "nonce": req.Nonce, "code_challenge": req.Challenge, "code_challenge_method": "S256",
				"redirect_uri": req.RedirectURL, "response_type": "code",
			} {
				if q.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, q.Get(name), want)
				}
			}
		},
		"RefusesEmpty": func(t *testing.T, w *world) {
			for name, spoil := range map[string]func(*provider.AuthRequest){
				"State": func(r *provider.AuthRequest) { r.State = "" }, "Challenge": func(r *provider.AuthRequest) { r.Challenge = "" },
				"Nonce": func(r *provider.AuthRequest) { r.Nonce = "" }, "RedirectURL": func(r *provider.AuthRequest) { r.RedirectURL = "" },
			} {
				req := authRequest(w.most(t))
				spoil(&req)
				if page, err := w.Provider.Authorize(req); err == nil || page != "" {
					t.Errorf("an empty %s gives %q", name, page)
				}
			}
		},
		"NotOffered": func(t *testing.T, w *world) {
			for _, a := range append(accesses(), "", "everything") {
				if w.Provider.Abilities(a).Offered {
					continue
				}
				_, err := w.Provider.Authorize(authRequest(a))
				is(t, err, provider.ErrAccess)
			}
		},
	}
}

// redeem consents to access after it was asked for the most.
func (w *world) redeem(t *testing.T, granted provider.Access) provider.Callback {
	t.Helper()
	return w.redeemOf(t, w.most(t), granted)
}

// redeemOf consents to access after another was asked for.
func (w *world) redeemOf(t *testing.T, asked, granted provider.Access) provider.Callback {
	t.Helper()
	need(t, w.Redeem != nil, "way to consent at a page (Redeem)")
	req := authRequest(asked)
	page, err := w.Provider.Authorize(req)
	if err != nil {
		t.Fatal(err)
	}
	got := w.Redeem(t, page, granted)
	return provider.Callback{
		Code: got.Code, Issuer: got.Issuer, Access: asked, Verifier: suiteVerifier, Nonce: suiteNonce, RedirectURL: suiteRedirect,
	}
}

func exchangeTests() tests {
	return tests{
		"Grants": func(t *testing.T, w *world) {
			for _, access := range accesses() {
				if !w.Provider.Abilities(access).Offered {
					continue
				}
				g, err := w.Provider.Exchange(t.Context(), w.redeemOf(t, access, access))
				if err != nil {
					t.Fatal(err)
				}
				acc, _ := w.Consent(t, w.Address, access)
				if g.Identity.Subject == "" || g.Identity.Subject != acc.Subject {
					t.Errorf("subject %q, want the account's %q", g.Identity.Subject, acc.Subject)
				}
				if !g.Access.Includes(access) { // more is what was granted earlier
					t.Errorf("access %q, want %q", g.Access, access)
				}
				if len(g.Scopes) == 0 || g.Token == nil || g.Token.AccessToken == "" || g.Token.RefreshToken == "" {
					t.Error("the grant lacks scopes or tokens")
				} else if left := g.Token.Expiry.Sub(w.Now()); left <= 0 || left > 25*time.Hour {
					t.Errorf("the token expires in %s by the caller's clock", left)
				}
			}
		},
		"LessThanAsked": func(t *testing.T, w *world) {
			if w.most(t) == provider.AccessSend {
				t.Skip("there is no less than sending")
			}
			g, err := w.Provider.Exchange(t.Context(), w.redeem(t, provider.AccessSend))
			if err != nil || g.Access != provider.AccessSend {
				t.Errorf("access %q, error %v; want what was granted, %q", g.Access, err, provider.AccessSend)
			}
		},
		"NotEvenSending": func(t *testing.T, w *world) {
			_, err := w.Provider.Exchange(t.Context(), w.redeem(t, ""))
			is(t, err, provider.ErrAccess)
		},
		"Refuses": func(t *testing.T, w *world) {
			for name, spoil := range map[string]func(*provider.Callback){
				"Code": func(cb *provider.Callback) { cb.Code = "made-up" }, "Verifier": func(cb *provider.Callback) { cb.Verifier += "x" },
				"Nonce": func(cb *provider.Callback) { cb.Nonce = "another" }, "EmptyNonce": func(cb *provider.Callback) { cb.Nonce = "" },
				"RedirectURL": func(cb *provider.Callback) { cb.RedirectURL += "/else" },
				"Issuer":      func(cb *provider.Callback) { cb.Issuer = "https://issuer.example.org" },
			} {
				cb := w.redeem(t, w.most(t))
				spoil(&cb)
				g, err := w.Provider.Exchange(t.Context(), cb)
				if err == nil || g.Token != nil {
					t.Errorf("a wrong %s is accepted", name)
				}
				typed(t, err)
				if errors.Is(err, provider.ErrRelink) {
					t.Errorf("a wrong %s is blamed on a grant that there is not yet: %v", name, err)
				}
			}
		},
		"CodeOnlyOnce": func(t *testing.T, w *world) {
			cb := w.redeem(t, w.most(t))
			if _, err := w.Provider.Exchange(t.Context(), cb); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Provider.Exchange(t.Context(), cb); err == nil {
				t.Error("a code is good twice")
			}
		},
	}
}

func refreshTests() tests {
	grantOf := func(t *testing.T, w *world) provider.Grant {
		_, g := w.Consent(t, w.Address, w.most(t))
		return g
	}
	return tests{
		"KeepsRefreshToken": func(t *testing.T, w *world) {
			g := grantOf(t, w)
			for range 3 {
				w.Advance(time.Minute)
				next, err := w.Provider.Refresh(t.Context(), g)
				if err != nil {
					t.Fatal(err)
				}
				if next.Token == nil || next.Token.AccessToken == "" || next.Token.RefreshToken == "" {
					t.Fatal("a token is missing from the refreshed grant")
				}
				if !reflect.DeepEqual(next.Identity, g.Identity) || next.Access != g.Access {
					t.Errorf("refreshing changed %+v to %+v", g.Identity, next.Identity)
				}
				if left := next.Token.Expiry.Sub(w.Now()); left <= 0 || left > 25*time.Hour {
					t.Errorf("the token expires in %s by the caller's clock", left)
				}
				g = next
			}
		},
		"GivesANewToken": func(t *testing.T, w *world) {
			g := grantOf(t, w)
			old := *g.Token
			next, err := w.Provider.Refresh(t.Context(), g)
			if err != nil {
				t.Fatal(err)
			}
			if next.Token.AccessToken == old.AccessToken {
				t.Error("the access token is the old one")
			}
			if g.Token.AccessToken != old.AccessToken || g.Token.RefreshToken != old.RefreshToken {
				t.Error("the caller's grant was changed")
			}
		},
		"Relink": func(t *testing.T, w *world) {
			need(t, w.Faults.RevokeGrant != nil, "fault RevokeGrant")
			g := grantOf(t, w)
			w.Faults.RevokeGrant()
			_, err := w.Provider.Refresh(t.Context(), g)
			is(t, err, provider.ErrRelink)
			if err := w.Provider.Revoke(t.Context(), g); err != nil {
				t.Errorf("revoking a dead grant: %v", err)
			}
		},
		"AppAtFault": func(t *testing.T, w *world) {
			need(t, w.Faults.RefuseApp != nil, "fault RefuseApp")
			g := grantOf(t, w)
			w.Faults.RefuseApp()
			_, err := w.Provider.Refresh(t.Context(), g)
			is(t, err, provider.ErrApp)
			if errors.Is(err, provider.ErrRelink) {
				t.Error("the registration's fault is blamed on the grant")
			}
			if _, err := w.Provider.Refresh(t.Context(), g); err != nil {
				t.Errorf("the grant did not survive: %v", err)
			}
		},
		"Revoke": func(t *testing.T, w *world) {
			g := grantOf(t, w)
			for range 2 {
				if err := w.Provider.Revoke(t.Context(), g); err != nil {
					t.Errorf("revoke: %v", err)
				}
			}
		},
		"HidesTokens": func(t *testing.T, w *world) {
			g := grantOf(t, w)
			if s := g.String() + g.GoString(); strings.Contains(s, g.Token.AccessToken) || strings.Contains(s, g.Token.RefreshToken) {
				t.Error("the grant prints its tokens")
			}
		},
	}
}

func profileTests() tests {
	return tests{
		"CursorStartsNow": func(t *testing.T, w *world) {
			l := w.feeder(t)
			old, oldID := w.incoming("carol@example.org", "Before", "old")
			since := l.profile(t).Cursor
			before := w.arrive(t, l, old, oldID)
			if since == "" || len(since) > provider.MaxCursor {
				t.Fatalf("a cursor of %d bytes", len(since))
			}
			since = l.profile(t).Cursor
			raw, id := w.incoming("carol@example.org", "After", "new")
			w.deliver(t, provider.PlaceInbox, raw)
			items, _, _ := l.feed(t, since)
			if hasItem(items, before.Ref) {
				t.Error("the cursor starts before now")
			}
			l.find(t, items, id)
		},
		"SendHasNoCursor": func(t *testing.T, w *world) {
			p := w.open(t, w.Address, provider.AccessSend).profile(t)
			if p.Cursor != "" {
				t.Errorf("cursor %q over an access that can't read", p.Cursor)
			}
		},
		"Addresses": func(t *testing.T, w *world) {
			l := w.sender(t)
			p := l.profile(t)
			if provider.Normalize(p.Address) != provider.Normalize(w.Address) || !(provider.Account{Addresses: p.Addresses}).Owns(w.Address) {
				t.Errorf("address %q of %q, want %q among them", p.Address, p.Addresses, w.Address)
			}
		},
	}
}
