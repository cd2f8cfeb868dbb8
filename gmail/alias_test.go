package gmail_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/memstore"
)

const (
	owner     = "maria@agency.example.com"
	ownAlias  = "jobs@agency.example.com"
	elsewhere = "maria@home.example.org"
	unproven  = "boss@agency.example.com"
)

// aliased is a fake Google with a user who sends from several addresses: an
// alias of her mailbox, an address of another mailbox, and one that she has
// not verified.
func aliased(t *testing.T) (*fakeGoogle, *postoffice.Mailbox) {
	t.Helper()
	f := newFakeGoogle(t, false, gmailtest.Config{TokenLife: 1000 * time.Hour, PendingSenders: map[string][]string{owner: {unproven}}})
	box, err := f.office.AddMailbox(postoffice.MailboxConfig{
		Address: owner, Name: "Maria Silva", Aliases: []string{ownAlias}, Senders: []string{elsewhere},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f, box
}

// TestSendersAreRead holds that a link learns at once which addresses its user
// has verified, where its access shows them, and only those.
func TestSendersAreRead(t *testing.T) {
	f, _ := aliased(t)
	g := f.consent(t, owner, provider.AccessReplies)
	if want := []string{ownAlias, elsewhere}; !slices.Equal(g.Identity.Aliases, want) {
		t.Errorf("aliases %v, want %v", g.Identity.Aliases, want)
	}
	prof, err := f.prov.Open(provider.Account{Subject: g.Identity.Subject, Address: owner, Access: g.Access}, fixed{g.Token}).Profile(t.Context())
	if want := []string{owner, ownAlias, elsewhere}; err != nil || !slices.Equal(prof.Addresses, want) {
		t.Errorf("addresses %v, want %v; %v", prof.Addresses, want, err)
	}
	if g := f.consent(t, owner, provider.AccessSend); len(g.Identity.Aliases) != 0 {
		t.Errorf("gmail.send shows addresses: %v", g.Identity.Aliases)
	}
	// That they can't be read now keeps nobody from linking.
	f.google.Inject(gmailtest.Rule{Op: "settings.sendAs.list", Fault: gmailtest.Refuse, Status: 500})
	if g := f.consent(t, owner, provider.AccessReplies); len(g.Identity.Aliases) != 0 || g.Identity.Address != owner {
		t.Errorf("%+v", g.Identity)
	}
}

// fixed is a source of one token.
type fixed struct{ tok *oauth2.Token }

func (f fixed) Token(context.Context) (*oauth2.Token, error) { return f.tok, nil }
func (fixed) Refused(context.Context, *oauth2.Token, error)  {}

type opened struct{ provider.Linked }

func (o opened) Open(context.Context, string) (provider.Linked, error) { return o.Linked, nil }

func notAllowed(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, provider.ErrSenderNotAllowed) {
		t.Errorf("%v, want %v", err, provider.ErrSenderNotAllowed)
	}
}

// TestAliasIsProven proves the one alias that mail comes back to, and never
// the one whose answers would go to another mailbox.
func TestAliasIsProven(t *testing.T) {
	f, box := aliased(t)
	if err := f.office.AddPerson(postoffice.Person{Address: elsewhere}); err != nil {
		t.Fatal(err)
	}
	g := f.consent(t, owner, provider.AccessReplies)
	acc := provider.Account{
		Subject: g.Identity.Subject, Address: owner, Addresses: append([]string{owner}, g.Identity.Aliases...), Access: g.Access,
	}
	clock := f.office.Clock()
	run, err := runner.New(runner.Config{
		Store: memstore.New(memstore.Options{Now: clock.Now}).Enrollments(), Now: clock.Now,
		Key: []byte("a secret of thirty-two bytes ...."), Domain: "mail.agency.example.com",
		Mailboxes: opened{provider.Linked{
			Link: "link", Owner: "maria", Provider: f.prov.Name(), Kind: f.prov.Kind(), Account: acc, Limits: f.prov.Limits(),
			Abilities: f.prov.Abilities(g.Access), Mailbox: f.prov.Open(acc, fixed{g.Token}),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	pass := func(d time.Duration) {
		t.Helper()
		for end := clock.Now().Add(d); clock.Now().Before(end); {
			clock.Advance(30 * time.Minute)
			if _, err := run.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	seq := &sequence.Sequence{ID: "s", Version: 1, Steps: []sequence.Step{{ID: 1, Subject: "A role", Text: "Hello."}}}
	for _, addr := range []string{ownAlias, elsewhere} {
		if _, err := run.Preview(t.Context(), runner.PreviewParams{Key: addr, Link: "link", From: addr, Sequence: seq}); err != nil {
			t.Fatal(err)
		}
	}
	pass(26 * time.Hour)
	list, err := run.Aliases(t.Context(), "link")
	if err != nil || len(list) != 2 || list[0].Problem != "" || list[1].Problem != "not_delivered" {
		t.Fatalf("%+v, %v", list, err)
	}
	enroll := func(key, from string) (runner.Enrollment, error) {
		return run.Enroll(t.Context(), runner.EnrollParams{
			Key: key, Link: "link", From: from, Recipient: provider.Address{Addr: key + "@example.net"}, Sequence: seq,
		})
	}
	for _, addr := range []string{elsewhere, unproven} {
		_, err := enroll("grace", addr)
		notAllowed(t, err)
	}
	if _, err := enroll("grace", ownAlias); err != nil {
		t.Fatal(err)
	}
	pass(time.Hour)

	// Google begins to rewrite it: the first mail shows that, in the answer to
	// the request that confirms it.
	b := box.Beliefs()
	b.RewritesAlias = true
	box.SetBeliefs(b)
	henry, err := enroll("henry", ownAlias)
	if err != nil {
		t.Fatal(err)
	}
	pass(30 * time.Minute)
	if e, err := run.Get(t.Context(), henry.ID); err != nil || !e.Flagged {
		t.Errorf("%+v, %v", e, err)
	}
	_, err = enroll("iris", ownAlias)
	notAllowed(t, err)
}
