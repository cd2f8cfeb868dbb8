package provider_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// Match tells from the envelope alone that a message answers our mail, and
// gives the Warrant to read it.
func ExampleMatch() {
	sentAt := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	known := &provider.Known{
		Account: provider.Account{Subject: "1067", Address: "ada@example.com"},
		Sent: []provider.Sent{{
			Key: "enrollment-7", MessageIDs: []string{"<1@example.com>"}, Recipients: []string{"carol@example.org"}, First: sentAt, Last: sentAt,
		}},
	}
	answer := provider.Match(&provider.Envelope{
		Ref: "m2", From: []provider.Address{{Addr: "assistant@example.org"}}, References: []string{"<1@example.com>"}, Received: sentAt.Add(time.Hour),
	}, known)
	fmt.Println(answer.Direction, answer.Hits[0].Key, answer.Hits[0].Evidence, answer.Warrant.Permits("1067"))

	private := provider.Match(&provider.Envelope{
		Ref: "m3", From: []provider.Address{{Addr: "friend@example.net"}}, Received: sentAt.Add(time.Hour),
	}, known)
	fmt.Println(len(private.Hits), private.Warrant.Permits("1067"))
	// Output:
	// in enrollment-7 reference true
	// 0 false
}

// Kinds of error match with errors.Is; what more there is to know comes with
// errors.As.
func ExampleError() {
	var err error = &provider.Error{Kind: provider.ErrThrottled, Op: "gmail: send", RetryAfter: time.Minute}
	var e *provider.Error
	if errors.Is(err, provider.ErrThrottled) && errors.As(err, &e) {
		fmt.Println("wait", e.RetryAfter)
	}
	fmt.Println(err)
	// Output:
	// wait 1m0s
	// gmail: send: throttled, retry after 1m0s
}
