package linking_test

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store/memstore"
)

// What a host's two HTTP handlers do, one after the other.
func Example() {
	ctx := context.Background()
	// A mail service to link with: gmail.New in a real host.
	clock := postoffice.NewClock(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	office, _ := postoffice.New(postoffice.Config{Clock: clock})
	if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com"}); err != nil {
		fmt.Println(err)
		return
	}
	service := postoffice.NewProvider(office, postoffice.ProviderConfig{Name: "mail"})

	mem := memstore.New(memstore.Options{Now: clock.Now})
	linker, err := linking.New(linking.Config{
		Providers: []provider.Provider{service}, Links: mem.Tokens(), Flows: mem.Flows(), Now: clock.Now,
		InsecurePlainTokens: true, // a real host gives a Sealer
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The first handler redirects the browser to begun.URL.
	begun, err := linker.Begin(ctx, linking.BeginParams{
		Owner: "maria", Session: "her session's id", Provider: "mail", RedirectURL: "https://app.example.com/callback", ReturnTo: "/settings",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// The user consents, and the browser comes back.
	back, err := service.Visit(begun.URL, "maria@agency.example.com", provider.AccessReplies)
	if err != nil {
		fmt.Println(err)
		return
	}
	callback, err := url.Parse(back)
	if err != nil {
		fmt.Println(err)
		return
	}

	// The second handler completes the flow and redirects to done.ReturnTo.
	done, err := linker.Complete(ctx, linking.CompleteParams{Query: callback.Query(), Owner: "maria", Session: "her session's id"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(done.Link.Address, done.Link.Access, done.Link.Status, done.ReturnTo)

	// The same callback again, from whoever saw it.
	_, err = linker.Complete(ctx, linking.CompleteParams{Query: callback.Query(), Owner: "maria", Session: "her session's id"})
	fmt.Println(err)
	// Output:
	// maria@agency.example.com replies linked /settings
	// linking: the callback belongs to no flow of this user (unknown): begin again
}
