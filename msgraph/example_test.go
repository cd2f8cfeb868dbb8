package msgraph_test

import (
	"errors"
	"fmt"

	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/provider"
)

func ExampleNew() {
	p, err := msgraph.New(msgraph.Config{ClientID: "00000000-0000-4000-8000-000000000001", ClientSecret: "from the app registration"})
	if err != nil {
		fmt.Println(err)
		return
	}
	able := p.Abilities(provider.AccessReplies)
	fmt.Println("sees answers in the thread:", able.ThreadReplies)
	fmt.Println("headers alone are offered:", p.Abilities(provider.AccessEnvelopes).Offered)

	_, err = msgraph.New(msgraph.Config{ClientID: "00000000-0000-4000-8000-000000000001"})
	fmt.Println(errors.Is(err, provider.ErrInvalid), err)
	// Output:
	// sees answers in the thread: true
	// headers alone are offered: true
	// true msgraph: new: Config.ClientSecret: is empty; it is the value, not the id, of a client secret of the app registration, unless there is a Certificate
}
