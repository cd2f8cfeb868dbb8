package msgraphtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// accessToken is a provider.TokenSource that has one token.
type accessToken struct{ t *oauth2.Token }

func (a accessToken) Token(context.Context) (*oauth2.Token, error) { return a.t, nil }
func (accessToken) Refused(context.Context, *oauth2.Token, error)  {}

// A host's test of the worst that can happen to a send: Graph takes the mail
// and says 504. Nobody may send it again; the mailbox tells what became of it.
func Example_graph() {
	ctx := context.Background()
	clock, beliefs := postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), postoffice.GraphBeliefs()
	office, err := postoffice.New(postoffice.Config{Clock: clock, Beliefs: &beliefs})
	if err != nil {
		panic(err)
	}
	box, err := office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com", Name: "Maria"})
	if err != nil {
		panic(err)
	}
	// Anna answers after an hour. Of 100 other mails nothing is to be read.
	anna := postoffice.Person{Address: "anna@clients.example.org", Behaviours: []postoffice.Behaviour{{Do: postoffice.Answer, After: time.Hour}}}
	if err := office.AddPerson(anna); err != nil {
		panic(err)
	}
	if err := office.DeliverUnrelated(postoffice.Traffic{To: box.Address(), N: 100}); err != nil {
		panic(err)
	}

	microsoft, err := msgraphtest.New(office, msgraphtest.Config{
		ClientID: "id", ClientSecret: "secret", Policy: msgraphtest.PolicyAny, TokenLife: 24 * time.Hour, Outbox: time.Minute,
	})
	if err != nil {
		panic(err)
	}
	p, err := msgraph.New(msgraph.Config{
		ClientID: "id", ClientSecret: "secret", Now: clock.Now, HTTPClient: &http.Client{Transport: microsoft.Transport()},
		Endpoints: &msgraph.Endpoints{Login: microsoft.LoginURL(), Graph: microsoft.GraphURL()},
	})
	if err != nil {
		panic(err)
	}
	page, err := p.Authorize(provider.AuthRequest{
		Access: provider.AccessReplies, State: "s", Nonce: "n", RedirectURL: "http://127.0.0.1/callback",
		Challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", // RFC 7636, appendix B
	})
	if err != nil {
		panic(err)
	}
	back, err := microsoft.Consent(nil, page, msgraphtest.Answer{Account: box.Address()})
	if err != nil {
		panic(err)
	}
	grant, err := p.Exchange(ctx, provider.Callback{
		Code: back.Query().Get("code"), Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", Nonce: "n", RedirectURL: "http://127.0.0.1/callback",
	})
	if err != nil {
		panic(err)
	}
	mailbox := p.Open(provider.Account{Subject: grant.Identity.Subject, Address: box.Address(), Access: grant.Access}, accessToken{grant.Token})
	profile, err := mailbox.Profile(ctx)
	if err != nil {
		panic(err)
	}

	const id, key = "<offer@agency.example.com>", "key-1"
	from, to := provider.Address{Addr: box.Address()}, []provider.Address{{Addr: anna.Address}}
	raw := []byte("From: maria@agency.example.com\r\nTo: anna@clients.example.org\r\nSubject: An offer\r\nMessage-ID: " + id + "\r\n" +
		provider.KeyHeader + ": " + key + "\r\n\r\nHello Anna.\r\n")
	microsoft.Inject(msgraphtest.Rule{Op: "sendMail", Fault: msgraphtest.RefuseAfter, Status: http.StatusGatewayTimeout})
	_, err = mailbox.Send(ctx, &provider.Outgoing{Raw: raw, MessageID: id, Key: key, From: from, To: to, NotAfter: clock.Now().Add(time.Minute)})
	fmt.Println("nobody knows whether it was sent:", errors.Is(err, provider.ErrOutcomeUnknown))

	sent := provider.SendKey{
		MessageID: id, Key: key, To: []string{anna.Address}, Subject: "An offer", From: clock.Now(), Deadline: clock.Now().Add(time.Minute), Cursor: profile.Cursor,
	}
	for range 2 {
		found, err := mailbox.Locate(ctx, sent)
		if err != nil {
			panic(err)
		}
		fmt.Println("it is found in:", found[0].Place)
		clock.Advance(time.Minute)
	}

	clock.Advance(time.Hour)
	changes, err := mailbox.Changes(ctx, profile.Cursor)
	if err != nil {
		panic(err)
	}
	for _, item := range changes.Items {
		fmt.Println("new in:", item.Place)
	}
	books := office.Books()
	headers, texts := books.UnrelatedReads()
	fmt.Println("sends:", box.Requests()[postoffice.RequestSend], "duplicates:", len(books.Duplicates()), "reads of other mail:", headers+texts)
	// Output:
	// nobody knows whether it was sent: true
	// it is found in: outbox
	// it is found in: sent
	// new in: inbox
	// new in: sent
	// sends: 1 duplicates: 0 reads of other mail: 0
}
