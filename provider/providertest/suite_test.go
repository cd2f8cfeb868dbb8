package providertest

import (
	"testing"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

func TestInMemoryProvider(t *testing.T) { Run(t, Fake) }

// TestEveryAccess runs the suite with a column for each access, a rotating
// refresh token, and the beliefs about Graph.
func TestEveryAccess(t *testing.T) {
	abilities := postoffice.DefaultAbilities()
	abilities[provider.AccessEnvelopes] = provider.Abilities{
		Offered: true, Locate: provider.ReachMailbox, ThreadReplies: true, SenderReplies: true,
		AutoReplies: provider.DetectHeaders, Reports: provider.DetectSender, Preview: true,
	}
	graph := postoffice.GraphBeliefs()
	Run(t, func(t *testing.T) Harness {
		return FakeWith(t, postoffice.ProviderConfig{Name: "other", Rotates: true, Abilities: abilities}, &graph)
	})
}

// TestBeliefs flips the beliefs one at a time.
func TestBeliefs(t *testing.T) {
	for name, flip := range map[string]func(*postoffice.Beliefs){
		"KeepsMessageID":     func(b *postoffice.Beliefs) { b.KeepsMessageID = false },
		"SelfMailOneMessage": func(b *postoffice.Beliefs) { b.SelfMailOneMessage = false },
		"EqualSubjectsMerge": func(b *postoffice.Beliefs) { b.EqualSubjectsMerge = true },
		"RewritesFrom":       func(b *postoffice.Beliefs) { b.RewritesFrom = false },
		"ReportsJoinThread":  func(b *postoffice.Beliefs) { b.ReportsJoinThread = false },
	} {
		t.Run(name, func(t *testing.T) {
			b := postoffice.GmailBeliefs()
			flip(&b)
			Run(t, func(t *testing.T) Harness { return FakeWith(t, postoffice.ProviderConfig{}, &b) })
		})
	}
}

// TestPoorHarness runs the suite with all that a harness may lack: what needs
// it skips, and nothing fails.
func TestPoorHarness(t *testing.T) {
	Run(t, func(t *testing.T) Harness {
		h := Fake(t)
		h.Redeem, h.Requests, h.Reads, h.Notices, h.PageMessages, h.Faults = nil, nil, nil, nil, 0, Faults{}
		return h
	})
}
