package gmail_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/provider/providertest"
)

// fakeGoogle is a Provider over a fake Google, in the same process.
type fakeGoogle struct {
	office *postoffice.Office
	google *gmailtest.Server
	prov   *gmail.Provider

	notices []provider.Notice // of the pushes so far
	refused []error
	host    http.Handler // takes pushes instead, if it is not nil
}

const (
	pushTopic   = "projects/agency/topics/gmail"
	pushURL     = "https://ats.example.com/push/gmail"
	pushAccount = "push@agency.iam.gserviceaccount.com"
)

// ServeHTTP takes pushes as a host does, and keeps what they say.
func (f *fakeGoogle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.host != nil {
		f.host.ServeHTTP(w, r)
		return
	}
	push, err := f.prov.ReceivePush(r)
	if err != nil {
		f.refused = append(f.refused, err)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	f.notices = append(f.notices, push.Notices...)
	w.WriteHeader(http.StatusNoContent)
}

func (f *fakeGoogle) drain() []provider.Notice {
	defer func() { f.notices = nil }()
	return f.notices
}

func newFakeGoogle(t testing.TB, sockets bool, cfg gmailtest.Config) *fakeGoogle {
	t.Helper()
	clock := postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	office, err := postoffice.New(postoffice.Config{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	cfg.ClientID, cfg.ClientSecret, cfg.SigningKey = "client-1", "client-secret-canary", signingKey()
	cfg.Check = checked(t)
	google, err := gmailtest.New(office, cfg)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: google.Transport()}
	if sockets {
		if err := google.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = google.Close() })
		client = nil
	}
	prov, err := gmail.New(gmail.Config{
		ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret, HTTPClient: client, Now: clock.Now, Endpoints: google.Endpoints(),
		Push: &gmail.PushConfig{Topic: pushTopic, Audience: pushURL, ServiceAccount: pushAccount},
	})
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeGoogle{office: office, google: google, prov: prov}
	if err := google.Subscribe(gmailtest.PushSubscription{Topic: pushTopic, Endpoint: pushURL, ServiceAccount: pushAccount, Handler: f}); err != nil {
		t.Fatal(err)
	}
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

func (f *fakeGoogle) mailbox(t testing.TB, addr, name string, aliases ...string) *postoffice.Mailbox {
	t.Helper()
	m, err := f.office.AddMailbox(postoffice.MailboxConfig{Address: addr, Name: name, Aliases: aliases})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// consent walks through the consent page and exchanges the code.
func (f *fakeGoogle) consent(t testing.TB, addr string, access provider.Access) provider.Grant {
	t.Helper()
	page, err := f.prov.Authorize(provider.AuthRequest{
		Access: access, RedirectURL: redirectURL, State: "state", Nonce: "nonce", Challenge: challenge(verifier), LoginHint: addr,
	})
	if err != nil {
		t.Fatal(err)
	}
	back, err := f.google.Consent(nil, page, gmailtest.Answer{Account: addr})
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
			providertest.Run(t, func(t *testing.T) providertest.Harness { return harness(t, sockets, gmailtest.Config{}) })
		})
	}
}

// TestBeliefs flips what is believed of Google, one at a time: the contract
// must hold either way.
func TestBeliefs(t *testing.T) {
	for name, b := range map[string]gmailtest.Beliefs{
		"rotating refresh tokens":  {RotatesRefreshTokens: true},
		"history without labels":   {HistoryWithoutLabels: true},
		"short scopes":             {ShortScopes: true},
		"no issuer":                {NoIssuer: true},
		"pushes spelled otherwise": {PushesText: true, PushesURLSafe: true},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, func(t *testing.T) providertest.Harness {
				h := harness(t, false, gmailtest.Config{Beliefs: b})
				h.PageMessages = 0 // paging believes nothing
				return h
			})
		})
	}
}

func harness(t *testing.T, sockets bool, cfg gmailtest.Config) providertest.Harness {
	t.Helper()
	const address, alias, peer, visible = "suite@mail.example.com", "alias@mail.example.com", "peer@mail.example.net", 2 * time.Second
	f := newFakeGoogle(t, sockets, cfg)
	box := f.mailbox(t, address, "The Suite", alias)
	f.mailbox(t, peer, "The Peer")
	for _, m := range f.office.Mailboxes() {
		m.SetDelays(postoffice.Delays{Visible: visible})
	}
	clock := f.office.Clock()
	return providertest.Harness{
		Provider: f.prov, Address: address, Alias: alias, Peer: peer, Now: clock.Now, Advance: clock.Advance, Visible: visible, PageMessages: 501,
		Consent: func(t *testing.T, addr string, access provider.Access) (provider.Account, provider.Grant) {
			t.Helper()
			g := f.consent(t, addr, access)
			m := f.office.Mailbox(addr)
			return provider.Account{Subject: g.Identity.Subject, Address: m.Address(), Addresses: m.Addresses(), Access: g.Access.AtMost(access)}, g
		},
		Redeem: func(t *testing.T, page string, granted provider.Access) provider.Callback {
			t.Helper()
			answer := gmailtest.Answer{Account: address}
			switch granted {
			case "":
				answer.Untick = []string{"gmail.send", "gmail.readonly", "gmail.metadata"}
			case provider.AccessSend:
				answer.Untick = []string{"gmail.readonly", "gmail.metadata"}
			}
			back, err := f.google.Consent(nil, page, answer)
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
		Faults:  faults(f.google, box),
	}
}

func faults(google *gmailtest.Server, box *postoffice.Mailbox) providertest.Faults {
	return providertest.Faults{
		LoseAnswer:  func(then func()) { google.Inject(gmailtest.Rule{Fault: gmailtest.CutAfter, Call: then}) },
		LoseRequest: func() { google.Inject(gmailtest.Rule{Fault: gmailtest.CutBefore}) },
		Answer: func(status int) {
			reason := map[int]string{401: "authError", 403: "insufficientPermissions", 404: "notFound", 429: "rateLimitExceeded", 503: "backendError"}[status]
			if reason == "" {
				reason = "badRequest"
			}
			google.Inject(gmailtest.Rule{Fault: gmailtest.Refuse, Status: status, Reason: reason})
		},
		Throttle: func(after time.Duration) {
			google.Inject(gmailtest.Rule{Fault: gmailtest.Refuse, Status: 429, Reason: "userRateLimitExceeded", RetryAfter: after})
		},
		ExpireCursors: box.ExpireChanges,
		RevokeGrant:   func() { google.Withdraw(box.Address(), "") },
		RefuseApp: func() {
			google.Inject(gmailtest.Rule{Op: "token", Fault: gmailtest.RefuseClient})
		},
		EndWatches: func() { google.EndWatch(box.Address()) },
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
		Portal:          func() { google.Inject(gmailtest.Rule{Fault: gmailtest.HTML}) },
		Move:            providertest.Mover(box, postoffice.LabelSent),
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
