package msgraph_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence/runner"
)

const jobs = "jobs@agency.example.com"

// previewFrom sends one mail from an alias to itself, and returns what is
// known of the alias a while later.
func (d *drip) previewFrom(key, alias string) runner.Alias {
	d.t.Helper()
	seq := threeSteps()
	seq.Steps = seq.Steps[:1]
	if _, err := d.run.Preview(d.t.Context(), runner.PreviewParams{Key: key, Link: "link", From: alias, Sequence: seq}); err != nil {
		d.t.Fatal(err)
	}
	d.pass(3 * time.Hour)
	list, err := d.run.Aliases(d.t.Context(), "link")
	if err != nil || len(list) != 1 || list[0].Address != alias {
		d.t.Fatalf("%+v, %v", list, err)
	}
	return list[0]
}

func (d *drip) allowAliases(on bool) {
	b := d.box.Beliefs()
	b.RewritesAlias = !on
	d.box.SetBeliefs(b)
}

// TestAlias is an alias that the directory lists for the mailbox: whether mail
// may leave from it is the organisation's setting, which no API tells, and a
// preview does.
func TestAlias(t *testing.T) {
	d := newDripOf(t, msgraphtest.Config{}, time.Hour, jobs)
	d.allowAliases(false)
	if got := d.previewFrom("p1", jobs); got.Problem != "rewritten" {
		t.Errorf("%+v", got)
	}
	_, err := d.run.Send(t.Context(), runner.SendParams{
		Key: "m", Link: "link", From: jobs, To: provider.Address{Addr: "grace@example.net"}, Subject: "Hello", Text: "Hello.",
	})
	if !errors.Is(err, provider.ErrSenderNotAllowed) {
		t.Errorf("%v, want %v", err, provider.ErrSenderNotAllowed)
	}

	d.allowAliases(true)
	if got := d.previewFrom("p2", jobs); got.Problem != "" {
		t.Fatalf("%+v", got)
	}
	e, err := d.run.Enroll(t.Context(), runner.EnrollParams{
		Key: "e", Link: "link", From: jobs, Recipient: provider.Address{Addr: "grace@example.net"}, Sequence: threeSteps(),
	})
	if err != nil {
		t.Fatal(err)
	}
	d.pass(2 * time.Hour)
	sent := d.office.Books().SentFrom(maria)
	if last := string(sent[len(sent)-1].Raw); !strings.Contains(last, "From: <"+jobs+">") && !strings.Contains(last, "From: "+jobs) {
		t.Errorf("%s", last)
	}
	// The organisation takes it back: the follow-up is seen to leave under
	// another name, and is the last that does.
	d.allowAliases(false)
	d.pass(4 * day)
	d.want(e.ID, "grace@example.net", runner.StatusActive, 2)
	if d.told(runner.EventRewritten) != 2 { // the first preview's, and this
		t.Errorf("told of a rewritten sender %d times", d.told(runner.EventRewritten))
	}
	d.pass(6 * day)
	d.want(e.ID, "grace@example.net", runner.StatusHeld, 2)
}

// TestForeignSender holds that Graph's refusal of another's address is the
// sender's, whatever the link believes to own.
func TestForeignSender(t *testing.T) {
	d := newDrip(t)
	acc := d.linked.Account
	acc.Addresses = append(acc.Addresses, "boss@agency.example.com")
	d.linked.Account = acc
	d.linked.Mailbox = d.prov.Open(acc, &refresher{p: d.prov, g: d.consent(t, maria, provider.AccessReplies)})
	seq := threeSteps()
	seq.Steps = seq.Steps[:1]
	if _, err := d.run.Preview(t.Context(), runner.PreviewParams{Key: "p", Link: "link", From: "boss@agency.example.com", Sequence: seq}); err != nil {
		t.Fatal(err)
	}
	b := d.box.Beliefs()
	b.RewritesFrom = false
	d.box.SetBeliefs(b)
	d.pass(time.Hour)
	list, err := d.run.Aliases(t.Context(), "link")
	if err != nil || len(list) != 1 || list[0].Problem != "refused" {
		t.Errorf("%+v, %v", list, err)
	}
	if n := len(d.office.Books().SentFrom(maria)); n != 0 {
		t.Errorf("%d mails left", n)
	}
}
