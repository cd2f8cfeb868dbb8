package linking_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store/memstore"
)

// linkedHost is a host in which maria has linked her mailbox. It returns the
// link's id.
func linkedHost(ctx context.Context) (*linking.Linker, *postoffice.Clock, string, error) {
	clock := postoffice.NewClock(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	office, err := postoffice.New(postoffice.Config{Clock: clock})
	if err != nil {
		return nil, nil, "", err
	}
	if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com"}); err != nil {
		return nil, nil, "", err
	}
	service := postoffice.NewProvider(office, postoffice.ProviderConfig{Name: "mail"})
	mem := memstore.New(memstore.Options{Now: clock.Now})
	linker, err := linking.New(linking.Config{
		Providers: []provider.Provider{service}, Links: mem.Tokens(), Flows: mem.Flows(), Now: clock.Now, InsecurePlainTokens: true,
	})
	if err != nil {
		return nil, nil, "", err
	}
	if err := link(ctx, linker, service, "maria@agency.example.com"); err != nil {
		return nil, nil, "", err
	}
	links, err := linker.List(ctx, "maria")
	if err != nil {
		return nil, nil, "", err
	}
	return linker, clock, links[0].ID, nil
}

// Maria lets Tom send from her mailbox for a week.
func ExampleLinker_Delegate() {
	ctx := context.Background()
	linker, clock, id, err := linkedHost(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := linker.Delegate(ctx, linking.DelegateParams{Owner: "maria", Link: id, Actor: "tom", Until: clock.Now().AddDate(0, 0, 7)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Actor, "may send from", d.Address, "until", d.Until.Format(time.DateOnly))

	mailbox, err := linker.Open(ctx, id)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(linker.MayAct(ctx, "tom", mailbox)) // runner.Config.MayAct asks this before each mail
	clock.Advance(8 * 24 * time.Hour)
	fmt.Println(linker.MayAct(ctx, "tom", mailbox))
	// Output:
	// tom may send from maria@agency.example.com until 2026-09-08
	// true <nil>
	// false <nil>
}

// Maria's page says what unlinking ends before she does it.
func ExampleLinker_Unlink() {
	ctx := context.Background()
	linker, _, id, err := linkedHost(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the service ends:", linker.Effect("mail"))
	if err := linker.Unlink(ctx, linking.UnlinkParams{Owner: "maria", Link: id}); err != nil {
		fmt.Println(err) // the link is not used any more; call Unlink again
		return
	}
	link, err := linker.Get(ctx, id)
	fmt.Println(link.Status, err)
	_, err = linker.Open(ctx, id)
	fmt.Println(errors.Is(err, provider.ErrMailboxUnusable))
	// Output:
	// the service ends: grant
	// unlinked <nil>
	// true
}
