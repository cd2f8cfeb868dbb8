package msgraph_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/provider/providertest"
)

const (
	redirectURL = "https://ats.example.com/oauth/callback"
	verifier    = "a-verifier-of-at-least-forty-three-characters-canary"
)

// fakeMicrosoft is a Provider over a fake Microsoft.
type fakeMicrosoft struct {
	office    *postoffice.Office
	microsoft *msgraphtest.Server
	prov      *msgraph.Provider

	notices []provider.Notice // of the pushes so far
	refused []error
	host    http.Handler // takes pushes instead, if it is not nil
}

const pushURL = "https://ats.example.com/push/graph?host=1"

// ServeHTTP takes pushes as a host does, and keeps what they say.
func (f *fakeMicrosoft) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.host != nil {
		f.host.ServeHTTP(w, r)
		return
	}
	push, err := f.prov.ReceivePush(r)
	w.Header().Set("Content-Type", "text/plain")
	switch {
	case err != nil:
		f.refused = append(f.refused, err)
		w.WriteHeader(http.StatusServiceUnavailable)
	case push.Echo != "":
		_, _ = w.Write([]byte(push.Echo))
	default:
		f.notices = append(f.notices, push.Notices...)
		w.WriteHeader(http.StatusAccepted)
	}
}

func (f *fakeMicrosoft) drain() []provider.Notice {
	defer func() { f.notices = nil }()
	return f.notices
}

func newFakeMicrosoft(t testing.TB, sockets bool, cfg msgraphtest.Config) *fakeMicrosoft {
	t.Helper()
	clock := postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	beliefs := postoffice.GraphBeliefs()
	office, err := postoffice.New(postoffice.Config{Clock: clock, Beliefs: &beliefs})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Policy = msgraphtest.PolicyAny
	cfg.ClientID, cfg.ClientSecret, cfg.SigningKey = "00000000-0000-4000-8000-000000000001", "client-secret-canary", signingKey()
	cfg.Check = checked(t)
	microsoft, err := msgraphtest.New(office, cfg)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: microsoft.Transport()}
	if sockets {
		if err := microsoft.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = microsoft.Close() })
		client = nil
	}
	prov, err := msgraph.New(msgraph.Config{
		ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret, HTTPClient: client, Now: clock.Now,
		Endpoints: &msgraph.Endpoints{Login: microsoft.LoginURL(), Graph: microsoft.GraphURL()}, Push: &msgraph.PushConfig{URL: pushURL},
	})
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeMicrosoft{office: office, microsoft: microsoft, prov: prov}
	microsoft.SetWebhook(f)
	return f
}

// signingKey is one for all tests: making one takes a while.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func (f *fakeMicrosoft) mailbox(t testing.TB, addr, name string, aliases ...string) *postoffice.Mailbox {
	t.Helper()
	m, err := f.office.AddMailbox(postoffice.MailboxConfig{Address: addr, Name: name, Aliases: aliases, IDDomain: "namprd00.prod.outlook.com"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// consent walks through the consent page and exchanges the code.
func (f *fakeMicrosoft) consent(t testing.TB, addr string, access provider.Access) provider.Grant {
	t.Helper()
	page, err := f.prov.Authorize(provider.AuthRequest{
		Access: access, RedirectURL: redirectURL, State: "state", Nonce: "nonce", Challenge: oauth2.S256ChallengeFromVerifier(verifier), LoginHint: addr,
	})
	if err != nil {
		t.Fatal(err)
	}
	back, err := f.microsoft.Consent(nil, page, msgraphtest.Answer{Account: addr})
	if err != nil {
		t.Fatal(err)
	}
	g, err := f.prov.Exchange(t.Context(), provider.Callback{
		Code: back.Query().Get("code"), Issuer: back.Query().Get("iss"), Verifier: verifier, Nonce: "nonce", RedirectURL: redirectURL,
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestConformance(t *testing.T) {
	for name, sockets := range map[string]bool{"sockets": true, "in process": false} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.Harness { return harness(t, sockets, msgraphtest.Config{}) })
		})
	}
}

// TestBeliefs flips what is believed of Microsoft, one at a time: the contract
// must hold either way.
func TestBeliefs(t *testing.T) {
	for name, b := range map[string]msgraphtest.Beliefs{
		"scopes as URLs":                    {FullScopes: true},
		"wider scopes":                      {WidensScopes: true},
		"an issuer":                         {SendsIssuer: true},
		"headers of sent copies":            {SentCopyHeaders: true},
		"custom headers get lost":           {DropsCustomHeaders: true},
		"no headers to ReadBasic":           {BasicWithoutHeaders: true},
		"properties as asked":               {PropertyIDsAsAsked: true},
		"no properties in a delta":          {DeltaWithoutProperties: true},
		"a delta that repeats":              {DeltaReplays: true},
		"pushes for a week":                 {WeekOfPushes: true},
		"pushes cut short":                  {ShortensPushes: true},
		"a delta that tells not of flashes": {DeltaSkipsBrief: true},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.Harness {
				h := harness(t, false, msgraphtest.Config{Beliefs: b})
				h.PageMessages = 0 // paging believes nothing
				return h
			})
		})
	}
}

func harness(t *testing.T, sockets bool, cfg msgraphtest.Config) providertest.Harness {
	t.Helper()
	const address, alias, peer, visible = "suite@mail.example.com", "alias@mail.example.com", "peer@mail.example.net", 2 * time.Second
	if cfg.PageSize == 0 {
		cfg.PageSize = pageSize
	}
	f := newFakeMicrosoft(t, sockets, cfg)
	box := f.mailbox(t, address, "The Suite", alias)
	f.mailbox(t, peer, "The Peer")
	for _, m := range f.office.Mailboxes() {
		m.SetDelays(postoffice.Delays{Visible: visible})
	}
	clock := f.office.Clock()
	return providertest.Harness{
		Provider: f.prov, Address: address, Alias: alias, Peer: peer, Now: clock.Now, Advance: clock.Advance, Visible: visible, PageMessages: pageSize,
		Consent: func(t *testing.T, addr string, access provider.Access) (provider.Account, provider.Grant) {
			t.Helper()
			g := f.consent(t, addr, access)
			m := f.office.Mailbox(addr)
			return provider.Account{Subject: g.Identity.Subject, Address: m.Address(), Addresses: m.Addresses(), Access: g.Access.AtMost(access)}, g
		},
		Redeem: func(t *testing.T, page string, granted provider.Access) provider.Callback {
			t.Helper()
			// Users can't untick anything here, but a page that asks for less
			// yields a token for less.
			less := map[provider.Access][]string{"": {"Mail.Send", "Mail.Read", "Mail.ReadBasic"}, provider.AccessSend: {"Mail.Read", "Mail.ReadBasic"}}[granted]
			u, err := url.Parse(page)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			q.Set("scope", strings.Join(slices.DeleteFunc(strings.Fields(q.Get("scope")), func(s string) bool { return slices.Contains(less, s) }), " "))
			u.RawQuery = q.Encode()
			back, err := f.microsoft.Consent(nil, u.String(), msgraphtest.Answer{Account: address})
			if err != nil {
				t.Fatal(err)
			}
			return provider.Callback{Code: back.Query().Get("code"), Issuer: back.Query().Get("iss")}
		},
		Deliver: func(t *testing.T, addr string, place provider.Place, raw []byte) {
			t.Helper()
			labels := map[provider.Place][]string{
				provider.PlaceInbox: {postoffice.LabelInbox}, provider.PlaceJunk: {postoffice.LabelJunk}, provider.PlaceOther: {"Candidates"},
			}[place]
			if _, err := f.office.Deliver(postoffice.Mail{To: addr, Raw: raw, Labels: labels}); err != nil {
				t.Fatal(err)
			}
		},
		Sent: func() []providertest.Sent {
			var out []providertest.Sent
			for _, s := range f.office.Books().SentFrom(address) {
				out = append(out, providertest.Sent{MessageID: s.SuppliedID, Key: s.Key, Recipients: s.Recipients, Raw: s.Raw})
			}
			return out
		},
		Requests: func() providertest.Requests {
			n := box.Requests()
			return providertest.Requests{
				Send: n[postoffice.RequestSend], Envelope: n[postoffice.RequestEnvelope], Content: n[postoffice.RequestContent],
				Changes: n[postoffice.RequestChanges], Search: n[postoffice.RequestSearch], Other: n[postoffice.RequestOther],
			}
		},
		Reads: func(messageID string) (envelopes, contents int) {
			for _, r := range f.office.Books().Reads() {
				msg, ok := box.Message(r.Number)
				if ok && provider.BareID(msg.MessageID) == provider.BareID(messageID) {
					envelopes, contents = envelopes+r.Envelopes, contents+r.Contents
				}
			}
			return envelopes, contents
		},
		Notices: f.drain,
		Faults:  faults(f.microsoft, box),
	}
}

// pageSize is small, so that few messages make several pages.
const pageSize = 20

func faults(microsoft *msgraphtest.Server, box *postoffice.Mailbox) providertest.Faults {
	return providertest.Faults{
		LoseAnswer:  func(then func()) { microsoft.Inject(msgraphtest.Rule{Fault: msgraphtest.CutAfter, Call: then}) },
		LoseRequest: func() { microsoft.Inject(msgraphtest.Rule{Fault: msgraphtest.CutBefore}) },
		Answer: func(status int) {
			reason := map[int]string{
				401: "InvalidAuthenticationToken", 403: "ErrorAccessDenied", 404: "ErrorItemNotFound", 429: "ApplicationThrottled", 503: "serviceNotAvailable",
			}[status]
			if reason == "" {
				reason = "UnknownError"
			}
			microsoft.Inject(msgraphtest.Rule{Fault: msgraphtest.Refuse, Status: status, Reason: reason})
		},
		Throttle: func(after time.Duration) {
			microsoft.Inject(msgraphtest.Rule{Fault: msgraphtest.Refuse, Status: 429, Reason: "ApplicationThrottled", RetryAfter: after})
		},
		ExpireCursors: box.ExpireChanges,
		RevokeGrant: func() {
			microsoft.Withdraw(box.Address(), 0)
			microsoft.ChallengeAccessTokens(box.Address()) // else they live out their hour
		},
		RefuseApp: func() {
			microsoft.Inject(msgraphtest.Rule{Op: "token", Fault: msgraphtest.RefuseClient})
		},
		EndWatches: func() { microsoft.RemoveSubscriptions(box.Address(), false) },
		RewriteAlias: func(on bool) {
			b := box.Beliefs()
			b.RewritesAlias = on
			box.SetBeliefs(b)
		},
		HideSentCopies: func() {
			b := box.Beliefs()
			b.SentCopyMissing = true
			box.SetBeliefs(b)
		},
		DelaySentCopies: func(d time.Duration) { box.SetDelays(postoffice.Delays{SentCopy: d}) },
		Portal:          func() { microsoft.Inject(msgraphtest.Rule{Fault: msgraphtest.HTML}) },
		Move:            providertest.Mover(box),
		Delete: func(t *testing.T, messageID string) {
			t.Helper()
			for _, msg := range box.ByMessageID(messageID) {
				if err := box.Delete(msg.Number); err != nil {
					t.Fatal(err)
				}
			}
		},
		Draft: func(t *testing.T, raw []byte) {
			box.Put(postoffice.PutParams{Raw: raw, Labels: []string{postoffice.LabelDraft}, Own: true})
		},
	}
}

// refresher is a TokenSource over one grant.
type refresher struct {
	p       provider.Provider
	g       provider.Grant
	stale   bool
	refused int
	now     func() time.Time // nil learns that a token has expired from refusals alone
}

func (s *refresher) Token(ctx context.Context) (*oauth2.Token, error) {
	if s.stale || s.now != nil && !s.now().Before(s.g.Token.Expiry) {
		g, err := s.p.Refresh(ctx, s.g)
		if err != nil {
			return nil, err
		}
		s.g, s.stale = g, false
	}
	return s.g.Token, nil
}

func (s *refresher) Refused(context.Context, *oauth2.Token, error) {
	s.refused++
	s.stale = true
}
