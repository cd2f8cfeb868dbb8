package gmail_test

import (
	"errors"
	"fmt"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/provider"
)

func ExampleNew() {
	p, err := gmail.New(gmail.Config{ClientID: "1234.apps.googleusercontent.com", ClientSecret: "from Google's console"})
	if err != nil {
		fmt.Println(err)
		return
	}
	able := p.Abilities(provider.AccessReplies)
	fmt.Println("sees answers in the thread:", able.ThreadReplies)
	fmt.Println("sees answers in a new mail:", able.SenderReplies)

	_, err = gmail.New(gmail.Config{ClientID: "1234.apps.googleusercontent.com"})
	fmt.Println(errors.Is(err, provider.ErrInvalid), err)
	// Output:
	// sees answers in the thread: true
	// sees answers in a new mail: true
	// true gmail: new: Config.ClientSecret: is empty; Google's console shows it with the OAuth client
}
