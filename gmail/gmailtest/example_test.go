package gmailtest_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// A host's test links a mailbox without a browser and without Google.
func Example() {
	clock := postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	office, _ := postoffice.New(postoffice.Config{Clock: clock})
	_, _ = office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com", Name: "Maria"})
	google, err := gmailtest.New(office, gmailtest.Config{ClientID: "id", ClientSecret: "secret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := gmail.New(gmail.Config{
		ClientID: "id", ClientSecret: "secret", Endpoints: google.Endpoints(), Now: clock.Now,
		HTTPClient: &http.Client{Transport: google.Transport()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	page, _ := p.Authorize(provider.AuthRequest{
		Access: provider.AccessReplies, State: "s", Nonce: "n", RedirectURL: "http://127.0.0.1/callback",
		Challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", // RFC 7636, appendix B
	})
	back, err := google.Consent(nil, page, gmailtest.Answer{Account: "maria@agency.example.com", Untick: []string{"gmail.readonly"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	grant, err := p.Exchange(context.Background(), provider.Callback{
		Code: back.Query().Get("code"), Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", Nonce: "n", RedirectURL: "http://127.0.0.1/callback",
	})
	fmt.Println(grant.Identity.Address, grant.Access, err)
	// Output:
	// maria@agency.example.com send <nil>
}
