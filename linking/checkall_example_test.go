package linking_test

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store/memstore"
)

// A mailbox that nobody sends from breaks, and its owner hears of it within a
// day.
func ExampleLinker_CheckAll() {
	ctx := context.Background()
	clock := postoffice.NewClock(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	office, _ := postoffice.New(postoffice.Config{Clock: clock})
	if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com"}); err != nil {
		fmt.Println(err)
		return
	}
	service := postoffice.NewProvider(office, postoffice.ProviderConfig{Name: "mail"})
	mem := memstore.New(memstore.Options{Now: clock.Now})
	linker, err := linking.New(linking.Config{
		Providers: []provider.Provider{service}, Links: mem.Tokens(), Flows: mem.Flows(), Now: clock.Now, InsecurePlainTokens: true,
		OnChange: func(_ context.Context, c linking.Change) error { // a real host writes to the owner here
			fmt.Printf("%s is told %q\n", c.Link.Owner, cmp.Or(c.Diagnosis.Remedy, string(c.Status)))
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := link(ctx, linker, service, "maria@agency.example.com"); err != nil {
		fmt.Println(err)
		return
	}
	service.Withdraw("maria@agency.example.com") // she removes the app in her account's settings

	// A real host calls it from a ticker.
	for range 24 * 12 {
		clock.Advance(5 * time.Minute)
		if _, err := linker.CheckAll(ctx, linking.CheckAllParams{Every: 24 * time.Hour}); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// maria is told "linked"
	// maria is told "Postoffice no longer accepts the permission you gave: it was withdrawn, or it ended. Link the mailbox again."
}

// link walks through both pages of a flow.
func link(ctx context.Context, linker *linking.Linker, service *postoffice.MemProvider, addr string) error {
	begun, err := linker.Begin(ctx, linking.BeginParams{
		Owner: "maria", Session: "her session's id", Provider: service.Name(), RedirectURL: "https://app.example.com/callback",
	})
	if err != nil {
		return err
	}
	back, err := service.Visit(begun.URL, addr, provider.AccessReplies)
	if err != nil {
		return err
	}
	callback, err := url.Parse(back)
	if err != nil {
		return err
	}
	_, err = linker.Complete(ctx, linking.CompleteParams{Query: callback.Query(), Owner: "maria", Session: "her session's id"})
	return err
}
