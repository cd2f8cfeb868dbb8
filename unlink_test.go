package outreach_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/memstore"
)

// TestUnlinkEndsPush: a mailbox that is unlinked is not announced any more.
// The runner's StopPush is what linking calls while the token still works.
func TestUnlinkEndsPush(t *testing.T) {
	const gail = "gail@agency.example.com"
	clock := postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	office, err := postoffice.New(postoffice.Config{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: gail}); err != nil {
		t.Fatal(err)
	}
	fake, err := gmailtest.New(office, gmailtest.Config{ClientID: "id", ClientSecret: "secret", SigningKey: testKey()})
	if err != nil {
		t.Fatal(err)
	}
	const topic, endpoint, account = "projects/ats/topics/gmail", "https://ats.example.com/push", "push@ats.iam.gserviceaccount.com"
	if err := fake.Subscribe(gmailtest.PushSubscription{Topic: topic, Endpoint: endpoint, ServiceAccount: account, Handler: http.NotFoundHandler()}); err != nil {
		t.Fatal(err)
	}
	google, err := gmail.New(gmail.Config{
		ClientID: "id", ClientSecret: "secret", Now: clock.Now, Endpoints: fake.Endpoints(), HTTPClient: &http.Client{Transport: fake.Transport()},
		Push: &gmail.PushConfig{Topic: topic, Audience: endpoint, ServiceAccount: account},
	})
	if err != nil {
		t.Fatal(err)
	}
	mem := memstore.New(memstore.Options{Now: clock.Now})
	var run *runner.Runner
	linker, err := linking.New(linking.Config{
		Providers: []provider.Provider{google}, Links: mem.Tokens(), Flows: mem.Flows(), Now: clock.Now, InsecurePlainTokens: true,
		StopPush: func(ctx context.Context, mailbox provider.Linked) error { return run.StopPush(ctx, mailbox) },
	})
	if err != nil {
		t.Fatal(err)
	}
	run, err = runner.New(runner.Config{
		Store: mem.Enrollments(), Mailboxes: linker, Key: []byte("a secret of thirty-two bytes ...."), Domain: "mail.agency.example.com",
		Now: clock.Now, Push: &runner.PushConfig{},
	})
	if err != nil {
		t.Fatal(err)
	}
	begun, err := linker.Begin(t.Context(), linking.BeginParams{Owner: "gail", Session: "s", Provider: google.Name(), RedirectURL: callback})
	if err != nil {
		t.Fatal(err)
	}
	back, err := fake.Consent(nil, begun.URL, gmailtest.Answer{Account: gail})
	if err != nil {
		t.Fatal(err)
	}
	done, err := linker.Complete(t.Context(), linking.CompleteParams{Query: back.Query(), Owner: "gail", Session: "s"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Enroll(t.Context(), runner.EnrollParams{
		Key: "ada", Link: done.Link.ID, Recipient: provider.Address{Addr: "ada@example.net"},
		Sequence: &sequence.Sequence{ID: "lisbon", Version: 1, Steps: []sequence.Step{{ID: 1, Subject: "A role in Lisbon", Text: "Hello."}}},
	}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := run.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock.Advance(10 * time.Minute)
	}
	if until := fake.WatchedUntil(gail); !until.After(clock.Now()) {
		t.Fatalf("the mailbox is watched until %v", until)
	}
	if err := linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "gail", Link: done.Link.ID}); err != nil {
		t.Fatal(err)
	}
	if until := fake.WatchedUntil(gail); until.After(clock.Now()) {
		t.Errorf("after unlinking the mailbox is watched until %v", until)
	}
}
