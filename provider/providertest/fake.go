package providertest

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// Fake returns a harness over the in-memory Provider of package postoffice.
// It can produce every fault.
func Fake(t *testing.T) Harness {
	t.Helper()
	return FakeWith(t, postoffice.ProviderConfig{}, nil)
}

// FakeWith is Fake with a configuration and, if it is not nil, other beliefs.
func FakeWith(t *testing.T, cfg postoffice.ProviderConfig, beliefs *postoffice.Beliefs) Harness {
	t.Helper()
	const address, alias, peer, pageSize = "suite@mail.example.com", "alias@mail.example.com", "peer@mail.example.net", 5
	clock := postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	office, err := postoffice.New(postoffice.Config{Clock: clock, Beliefs: beliefs})
	if err != nil {
		t.Fatal(err)
	}
	box, err := office.AddMailbox(postoffice.MailboxConfig{Address: address, Name: "The Suite", Aliases: []string{alias}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: peer, Name: "The Peer"}); err != nil {
		t.Fatal(err)
	}
	const visible = 2 * time.Second
	for _, m := range office.Mailboxes() {
		m.SetDelays(postoffice.Delays{Visible: visible})
	}
	if cfg.PageSize == 0 {
		cfg.PageSize = pageSize
	}
	var notices []provider.Notice
	cfg.Push = func(push provider.Push) { notices = append(notices, push.Notices...) }
	p := postoffice.NewProvider(office, cfg)

	h := Harness{
		Provider: p, Address: address, Alias: alias, Peer: peer, Now: clock.Now, Advance: clock.Advance, Visible: visible, PageMessages: cfg.PageSize + 1,
		Faults: fakeFaults(p, box),
	}
	h.Notices = func() []provider.Notice {
		defer func() { notices = nil }()
		return notices
	}
	h.Consent = func(t *testing.T, addr string, access provider.Access) (provider.Account, provider.Grant) {
		t.Helper()
		g, err := p.Consent(addr, access)
		if err != nil {
			t.Fatal(err)
		}
		m := office.Mailbox(addr)
		return provider.Account{Subject: m.Subject(), Address: m.Address(), Addresses: m.Addresses(), Access: access}, g
	}
	h.Redeem = func(t *testing.T, page string, granted provider.Access) provider.Callback {
		t.Helper()
		back, err := p.Visit(page, address, granted)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(back)
		if err != nil {
			t.Fatal(err)
		}
		return provider.Callback{Code: u.Query().Get("code"), Issuer: u.Query().Get("iss")}
	}
	h.Deliver = func(t *testing.T, addr string, place provider.Place, raw []byte) {
		t.Helper()
		labels := map[provider.Place][]string{
			provider.PlaceInbox: {postoffice.LabelInbox}, provider.PlaceJunk: {postoffice.LabelJunk}, provider.PlaceOther: {"Candidates"},
		}[place]
		if _, err := office.Deliver(postoffice.Mail{To: addr, Raw: raw, Labels: labels}); err != nil {
			t.Fatal(err)
		}
	}
	h.Sent = func() []Sent {
		var out []Sent
		for _, s := range office.Books().SentFrom(address) {
			out = append(out, Sent{MessageID: s.SuppliedID, Key: s.Key, Recipients: s.Recipients, Raw: s.Raw})
		}
		return out
	}
	h.Requests = func() Requests {
		n := box.Requests()
		return Requests{
			Send: n[postoffice.RequestSend], Envelope: n[postoffice.RequestEnvelope], Content: n[postoffice.RequestContent],
			Changes: n[postoffice.RequestChanges], Search: n[postoffice.RequestSearch], Other: n[postoffice.RequestOther],
		}
	}
	h.Reads = func(messageID string) (envelopes, contents int) {
		for _, r := range office.Books().Reads() {
			msg, ok := box.Message(r.Number)
			if ok && provider.BareID(msg.MessageID) == provider.BareID(messageID) {
				envelopes, contents = envelopes+r.Envelopes, contents+r.Contents
			}
		}
		return envelopes, contents
	}
	return h
}

func fakeFaults(p *postoffice.MemProvider, box *postoffice.Mailbox) Faults {
	return Faults{
		LoseAnswer: func(then func()) {
			p.Inject(postoffice.Rule{Fault: postoffice.FaultLoseAfter, Call: then})
		},
		LoseRequest: func() { p.Inject(postoffice.Rule{Fault: postoffice.FaultLoseBefore}) },
		Answer: func(status int) {
			r := postoffice.Rule{Fault: postoffice.FaultRefuse}
			switch status {
			case 401:
				r.Fault = postoffice.FaultUnauthorized
			case 403:
				r.Kind = provider.ErrAccess
			case 404:
				r.Kind = provider.ErrNotFound
			case 413:
				r.Kind = provider.ErrTooLarge
			case 429:
				r.Fault = postoffice.FaultThrottle
			case 408, 500, 502, 503, 504:
				r.Fault = postoffice.FaultTemporary
			}
			p.Inject(r)
		},
		Throttle: func(retryAfter time.Duration) {
			p.Inject(postoffice.Rule{Fault: postoffice.FaultThrottle, RetryAfter: retryAfter})
		},
		ExpireCursors: box.ExpireChanges,
		RevokeGrant:   func() { p.Withdraw(box.Address()) },
		RefuseApp: func() {
			p.Inject(postoffice.Rule{Op: postoffice.OpRefresh, Fault: postoffice.FaultRefuse, Kind: provider.ErrApp})
		},
		EndWatches: func() { p.EndWatches(box.Address()) },
		HideSentCopies: func() {
			b := box.Beliefs()
			b.SentCopyMissing = true
			box.SetBeliefs(b)
		},
		RewriteAlias: func(on bool) {
			b := box.Beliefs()
			b.RewritesAlias = on
			box.SetBeliefs(b)
		},
		DelaySentCopies: func(d time.Duration) { box.SetDelays(postoffice.Delays{SentCopy: d}) },
		Portal:          func() { p.Inject(postoffice.Rule{Fault: postoffice.FaultTemporary}) },
		Move:            Mover(box),
		Delete: func(t *testing.T, messageID string) {
			t.Helper()
			var numbers []int64
			for _, msg := range box.ByMessageID(messageID) {
				numbers = append(numbers, msg.Number)
			}
			for _, s := range box.Office().Books().SentFrom(box.Address()) {
				if s.SuppliedID == messageID && s.MessageID != messageID {
					numbers = append(numbers, s.Number)
				}
			}
			for _, n := range numbers {
				if err := box.Delete(n); err != nil {
					t.Fatal(err)
				}
			}
		},
		Draft: func(t *testing.T, raw []byte) {
			box.Put(postoffice.PutParams{Raw: raw, Labels: []string{postoffice.LabelDraft}, Own: true})
		},
	}
}

// Mover is Faults.Move over a mailbox of package postoffice, for harnesses of
// fakes that stand on it. The labels in stay are no folders.
func Mover(box *postoffice.Mailbox, stay ...string) func(t *testing.T, messageID string, to provider.Place) {
	return func(t *testing.T, messageID string, to provider.Place) {
		t.Helper()
		label := map[provider.Place]string{
			provider.PlaceInbox: postoffice.LabelInbox, provider.PlaceJunk: postoffice.LabelJunk, provider.PlaceOther: "Candidates",
		}[to]
		for _, msg := range box.ByMessageID(messageID) {
			if _, err := box.Relabel(msg.Number, []string{label}, slices.DeleteFunc(slices.Clone(msg.Labels), func(l string) bool {
				return l == label || slices.Contains(stay, l)
			})); err != nil {
				t.Fatal(err)
			}
		}
	}
}
