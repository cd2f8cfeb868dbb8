package postoffice

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
)

// tokens is a TokenSource that refreshes when a token was refused or expired.
type tokens struct {
	p     *MemProvider
	grant provider.Grant
	dirty bool
}

func (s *tokens) Token(ctx context.Context) (*oauth2.Token, error) {
	if s.dirty || !s.p.office.clock.Now().Before(s.grant.Token.Expiry) {
		g, err := s.p.Refresh(ctx, s.grant)
		if err != nil {
			return nil, err
		}
		s.grant, s.dirty = g, false
	}
	return s.grant.Token, nil
}

func (s *tokens) Refused(context.Context, *oauth2.Token, error) { s.dirty = true }

func open(t *testing.T, w *world, cfg ProviderConfig, access provider.Access) (*MemProvider, provider.Mailbox, provider.Account) {
	t.Helper()
	p := NewProvider(w.Office, cfg)
	g, err := p.Consent("ada@example.com", access)
	if err != nil {
		t.Fatal(err)
	}
	acc := provider.Account{Subject: g.Identity.Subject, Address: w.ada.Address(), Addresses: w.ada.Addresses(), Access: access}
	return p, p.Open(acc, &tokens{p: p, grant: g}), acc
}

func mailOf(w *world, id, to string) *provider.Outgoing {
	return &provider.Outgoing{
		Raw: outgoing(id, to, "Hello"), MessageID: id, Key: "key-" + id, From: provider.Address{Addr: "ada@example.com"},
		To: []provider.Address{{Addr: to}}, NotAfter: w.clock.Now().Add(time.Minute),
	}
}

func TestConsentByBrowser(t *testing.T) {
	w := newWorld(t)
	p := NewProvider(w.Office, ProviderConfig{Rotates: true})
	const verifier = "a-verifier-of-enough-length-to-be-one-000000"
	req := provider.AuthRequest{
		Access: provider.AccessReplies, RedirectURL: "https://host.example/back?x=1", State: "the-state", Nonce: "the-nonce",
		Challenge: oauth2.S256ChallengeFromVerifier(verifier),
	}
	page, err := p.Authorize(req)
	if err != nil {
		t.Fatal(err)
	}
	back, err := p.Visit(page, "ada@example.com", provider.AccessSend)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(back)
	if u.Query().Get("state") != "the-state" || u.Query().Get("x") != "1" {
		t.Fatalf("sent back to %s", back)
	}
	cb := provider.Callback{Code: u.Query().Get("code"), Verifier: verifier, Nonce: "the-nonce", RedirectURL: req.RedirectURL, Issuer: u.Query().Get("iss")}
	g, err := p.Exchange(t.Context(), cb)
	if err != nil || g.Access != provider.AccessSend || g.Identity.Subject != w.ada.Subject() {
		t.Fatalf("%v %v", g, err)
	}
	if _, err := p.Exchange(t.Context(), cb); !errors.Is(err, provider.ErrRejected) {
		t.Fatalf("a code was good twice: %v", err)
	}
	next, err := p.Refresh(t.Context(), g)
	if err != nil || next.Token.RefreshToken == g.Token.RefreshToken {
		t.Fatalf("no rotation: %v", err)
	}
	if _, err := p.Refresh(t.Context(), g); !errors.Is(err, provider.ErrRelink) {
		t.Fatalf("a rotated token was good again: %v", err)
	}
	if err := p.Revoke(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Refresh(t.Context(), next); !errors.Is(err, provider.ErrRelink) {
		t.Fatalf("refresh after revoke: %v", err)
	}
	if err := p.Revoke(t.Context(), next); err != nil {
		t.Fatalf("revoking a dead grant: %v", err)
	}
}

func TestExpiredTokenIsRefreshed(t *testing.T) {
	w := newWorld(t)
	_, box, _ := open(t, w, ProviderConfig{TokenLife: time.Minute}, provider.AccessReplies)
	w.clock.Advance(time.Hour)
	if _, err := box.Profile(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestLocateAnswers(t *testing.T) {
	w := newWorld(t)
	p, box, acc := open(t, w, ProviderConfig{}, provider.AccessReplies)
	profile, err := box.Profile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := mailOf(w, "<1@example.com>", "bob@example.net")
	key := provider.SendKey{
		MessageID: out.MessageID, Key: out.Key, From: w.clock.Now(), Deadline: out.NotAfter, Cursor: profile.Cursor, Proven: true,
	}
	locate := func(want error) {
		t.Helper()
		if _, err := box.Locate(t.Context(), key); !errors.Is(err, want) {
			t.Fatalf("located with %v, want %v", err, want)
		}
	}
	p.Inject(Rule{Op: OpSend, Fault: FaultLoseBefore})
	if _, err := box.Send(t.Context(), out); !errors.Is(err, provider.ErrOutcomeUnknown) {
		t.Fatal(err)
	}
	locate(provider.ErrNotSettled)
	w.clock.Set(key.Deadline.Add(p.Limits().Settle))
	locate(provider.ErrNotSent)
	key.Proven = false
	locate(provider.ErrOutcomeUnknown)
	key.Proven = true

	out.NotAfter = w.clock.Now().Add(time.Minute)
	key.Deadline = out.NotAfter
	p.Inject(Rule{Op: OpSend, Fault: FaultLoseAfter})
	if _, err := box.Send(t.Context(), out); !errors.Is(err, provider.ErrOutcomeUnknown) {
		t.Fatal(err)
	}
	found, err := box.Locate(t.Context(), key)
	if err != nil || len(found) != 1 || found[0].Place != provider.PlaceSent || !found[0].Departed() {
		t.Fatalf("%+v %v", found, err)
	}
	n, _ := numberOf(string(found[0].Ref), "m")
	if err := w.ada.Delete(n); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Hour)
	locate(provider.ErrOutcomeUnknown)
	key.Cursor = ""
	locate(provider.ErrOutcomeUnknown)
	key.Cursor = "rubbish"
	locate(provider.ErrRejected)

	acc.Access = provider.AccessSend
	sendOnly := p.Open(acc, &tokens{p: p})
	if _, err := sendOnly.Locate(t.Context(), key); !errors.Is(err, provider.ErrOutcomeUnknown) {
		t.Fatalf("send-only: %v", err)
	}
}

func TestFaults(t *testing.T) {
	w := newWorld(t)
	p, box, _ := open(t, w, ProviderConfig{}, provider.AccessReplies)
	for _, c := range []struct {
		rule Rule
		want error
		sent int
	}{
		{Rule{Fault: FaultRefuse}, provider.ErrRejected, 0},
		{Rule{Fault: FaultRefuse, Kind: provider.ErrMailboxUnusable}, provider.ErrMailboxUnusable, 0},
		{Rule{Fault: FaultThrottle, RetryAfter: time.Minute}, provider.ErrThrottled, 0},
		{Rule{Fault: FaultUnauthorized}, provider.ErrTemporary, 0},
		{Rule{Fault: FaultTemporary}, provider.ErrOutcomeUnknown, 0},
		{Rule{Fault: FaultLoseAfter}, provider.ErrOutcomeUnknown, 1},
		{Rule{Fault: FaultCall}, nil, 1},
	} {
		before := len(w.Books().Submissions())
		called := false
		c.rule.Op, c.rule.Call = OpSend, func() { called = true }
		p.Inject(c.rule)
		_, err := box.Send(t.Context(), mailOf(w, fmt.Sprintf("<%s@example.com>", strings.ReplaceAll(string(c.rule.Fault), " ", "")), "bob@example.net"))
		if !errors.Is(err, c.want) || len(w.Books().Submissions())-before != c.sent || !called {
			t.Errorf("%s: %v, %d sent, called %v", c.rule.Fault, err, len(w.Books().Submissions())-before, called)
		}
	}
	p.Inject(Rule{Fault: FaultRefuse, Times: -1})
	for range 3 {
		if _, err := box.Profile(t.Context()); !errors.Is(err, provider.ErrRejected) {
			t.Fatal(err)
		}
	}
	p.ClearFaults()
	if _, err := box.Profile(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestScriptedPeople(t *testing.T) {
	for _, c := range []struct {
		act      Act
		inThread bool
		check    func(*provider.Message) bool
	}{
		{Answer, true, func(m *provider.Message) bool {
			return m.Envelope.From[0].Addr == "carol@example.org" && strings.Contains(m.Text, "> Hello.")
		}},
		{AnswerNew, false, func(m *provider.Message) bool { return len(m.Envelope.References) == 0 }},
		{OutOfOffice, true, func(m *provider.Message) bool {
			return m.Envelope.Header.Get("Auto-Submitted") == "auto-replied" && strings.Contains(m.Text, "9 March 2026")
		}},
		{OutOfOfficeExchange, false, func(m *provider.Message) bool {
			return m.Envelope.Header.Get("X-MS-Exchange-Parent-Message-Id") == "<1@example.com>"
		}},
		{Bounce, true, func(m *provider.Message) bool {
			return m.Report.Recipients[0].Final == "carol@example.org" && m.Report.Recipients[0].Action == "failed" &&
				m.Report.OriginalMessageID == "<1@example.com>" && m.Report.OriginalKey == "key-<1@example.com>" &&
				m.Envelope.Header.Get("X-Failed-Recipients") == "carol@example.org" && slices.Contains(m.Envelope.References, "<1@example.com>")
		}},
		{BounceDelay, true, func(m *provider.Message) bool {
			return m.Report.Recipients[0].Action == "delayed" && m.Report.Recipients[0].Status == "4.4.1"
		}},
		{BounceLater, false, func(m *provider.Message) bool {
			return len(m.Envelope.References) == 0 && m.Report.OriginalMessageID == "<1@example.com>" &&
				provider.IsSystemSender(m.Envelope.From)
		}},
		{ReadReceipt, false, func(m *provider.Message) bool {
			return m.Report.Type == "disposition-notification" && m.Report.OriginalMessageID == "<1@example.com>"
		}},
	} {
		t.Run(string(c.act), func(t *testing.T) {
			w := newWorld(t)
			err := w.AddPerson(Person{Address: "carol@example.org", Name: "Carol", Behaviours: []Behaviour{
				{Do: c.act, On: 1, After: time.Hour, Until: start.AddDate(0, 0, 7)},
			}})
			if err != nil {
				t.Fatal(err)
			}
			sent := submit(t, w.ada, 0, outgoing("<1@example.com>", "carol@example.org", "Hello"))
			submit(t, w.ada, 0, outgoing("<2@example.com>", "carol@example.org", "Second"))
			if len(visible(w.ada)) != 2 {
				t.Fatal("it came too early")
			}
			w.clock.Advance(time.Hour)
			got := visible(w.ada)
			if len(got) != 3 {
				t.Fatalf("%d messages, want 3", len(got))
			}
			msg := readContent(got[0])
			if msg.Defect != nil || !c.check(msg) {
				t.Fatalf("%+v\n%s", msg, got[0].Raw)
			}
			if (got[0].Thread == sent.Thread) != c.inThread {
				t.Errorf("in the thread: %v", !c.inThread)
			}
			fate := w.Books().Deliveries()[0].Fate
			if want := c.act == Bounce || c.act == BounceLater; (fate == Bounced) != want {
				t.Errorf("fate %s", fate)
			}
		})
	}
}
