package runner_test

import (
	"context"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// twoOpener opens link-1 as ever, and link-2 of another owner.
type twoOpener struct {
	*opener
	other *postoffice.Mailbox
}

func (o twoOpener) Open(ctx context.Context, id string) (provider.Linked, error) {
	if id != "link-2" {
		return o.opener.Open(ctx, id)
	}
	w := o.w
	grant, err := w.prov.Consent(o.other.Address(), o.access)
	if err != nil {
		return provider.Linked{}, err
	}
	acc := provider.Account{Subject: grant.Identity.Subject, Address: o.other.Address(), Addresses: o.other.Addresses(), Access: o.access}
	return provider.Linked{
		Link: "link-2", Owner: "tom", Provider: w.prov.Name(), Kind: w.prov.Kind(), Account: acc,
		Limits: w.prov.Limits(), Abilities: w.prov.Abilities(o.access), Mailbox: w.prov.Open(acc, staticToken{grant.Token}),
	}, nil
}

// TestTwoOwners: one person, written to from the mailboxes of two owners. What
// may be an answer to either holds both, and an answer ends both.
func TestTwoOwners(t *testing.T) { onEachStore(t, testTwoOwners) }

func testTwoOwners(t *testing.T, on storage) {
	const toms = "tom@agency.example.com"
	w := newWorld(t, on)
	other, err := w.office.AddMailbox(postoffice.MailboxConfig{Address: toms, Name: "Tom"})
	if err != nil {
		t.Fatal(err)
	}
	w.cfg.Mailboxes = twoOpener{w.open, other}
	w.run = w.runner()
	w.person("grace@example.net")
	w.person("ann@example.net")
	over := func(p *runner.EnrollParams) { p.Key, p.Link = "tom/"+p.Key, "link-2" }
	hers, his, ann := w.enroll("grace@example.net").ID, w.enroll("grace@example.net", over).ID, w.enroll("ann@example.net", over).ID
	w.tick()
	w.clock.Advance(time.Hour)
	if _, err := w.office.Deliver(postoffice.Mail{To: toms, Raw: crlfLines("From: grace@example.net", "To: "+toms, "Subject: Hm", "List-Id: <x.example.net>",
		"Message-ID: <1@example.net>", "", "Hm.", "")}); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	w.want(hers, runner.StatusHeld, 1)
	w.want(his, runner.StatusHeld, 1)
	w.write("grace@example.net", "Re: A role in Lisbon", w.first("grace@example.net").MessageID, "Yes.")
	w.pass(time.Hour)
	w.want(hers, runner.StatusReplied, 1)
	w.want(his, runner.StatusReplied, 1)
	w.want(ann, runner.StatusActive, 1)
	if got := directions(w.conversation(his)); got != "out in(list)" {
		t.Errorf("his conversation is %q", got)
	}
	w.sound()
}
