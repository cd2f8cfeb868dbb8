package msgraphtest_test

import (
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// A user may let an app send in their name, but not read their mail: that
// takes their administrator.
func ExampleServer_Consent() {
	office, err := postoffice.New(postoffice.Config{Clock: postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))})
	if err != nil {
		panic(err)
	}
	for _, addr := range []string{"maria@agency.example.com", "omar@agency.example.com"} {
		if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: addr}); err != nil {
			panic(err)
		}
	}
	microsoft, err := msgraphtest.New(office, msgraphtest.Config{ClientID: "client", ClientSecret: "secret"})
	if err != nil {
		panic(err)
	}
	if err := microsoft.SetAccount(msgraphtest.Account{Address: "omar@agency.example.com", Administrator: true}); err != nil {
		panic(err)
	}
	app := oauth2.Config{
		ClientID: "client", RedirectURL: "http://127.0.0.1/callback",
		Endpoint: oauth2.Endpoint{AuthURL: microsoft.LoginURL() + "/common/oauth2/v2.0/authorize"},
	}
	ask := func(answer msgraphtest.Answer, scopes ...string) {
		app.Scopes = scopes
		back, err := microsoft.Consent(nil, app.AuthCodeURL("state"), answer)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s, %v: code %t, error %q\n", answer.Account, scopes, back.Query().Has("code"), back.Query().Get("error"))
	}
	ask(msgraphtest.Answer{Account: "maria@agency.example.com"}, "Mail.Send")
	ask(msgraphtest.Answer{Account: "maria@agency.example.com"}, "Mail.Read")
	ask(msgraphtest.Answer{Account: "omar@agency.example.com", AdminConsent: true}, "Mail.Read")
	ask(msgraphtest.Answer{Account: "maria@agency.example.com"}, "Mail.Read")
	// Output:
	// maria@agency.example.com, [Mail.Send]: code true, error ""
	// maria@agency.example.com, [Mail.Read]: code false, error "access_denied"
	// omar@agency.example.com, [Mail.Read]: code true, error ""
	// maria@agency.example.com, [Mail.Read]: code true, error ""
}
