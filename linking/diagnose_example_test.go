package linking_test

import (
	"fmt"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store/memstore"
)

// What a host shows for an error, whatever it is.
func ExampleLinker_Diagnose() {
	office, _ := postoffice.New(postoffice.Config{})
	service := postoffice.NewProvider(office, postoffice.ProviderConfig{Name: "mail"})
	mem := memstore.New(memstore.Options{})
	linker, err := linking.New(linking.Config{
		Providers: []provider.Provider{service}, Links: mem.Tokens(), Flows: mem.Flows(), InsecurePlainTokens: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, err := range []error{
		&linking.MailboxError{Want: "m***@example.com", Got: "t***@example.com"},
		&linking.StateError{Reason: linking.StateExpired},
		&provider.Error{Kind: provider.ErrApp, Op: "mail: refresh", Reason: "app_secret_expired"},
	} {
		d := linker.Diagnose("mail", err)
		fmt.Printf("%s, for the %s: %s\n", d.Reason, d.Mender, d.Remedy)
	}
	// Output:
	// wrong_mailbox, for the user: You chose t***@example.com, but this link belongs to m***@example.com. Start again and choose m***@example.com; to use the other mailbox, link it as a new one.
	// flow_expired, for the user: Linking took too long and was given up for safety. Start again.
	// app_secret_expired, for the operator: This application's own password at postoffice has expired. Whoever runs it has to renew that; your mailbox is not at fault, and all goes on by itself then.
}
