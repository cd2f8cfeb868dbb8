package postoffice_test

import (
	"context"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// A recruiter writes to a candidate, who answers the next morning.
func Example() {
	clock := postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	office, err := postoffice.New(postoffice.Config{Clock: clock})
	if err != nil {
		panic(err)
	}
	ada, err := office.AddMailbox(postoffice.MailboxConfig{Address: "ada@example.com", Name: "Ada"})
	if err != nil {
		panic(err)
	}
	err = office.AddPerson(postoffice.Person{Address: "carol@example.org", Name: "Carol", Behaviours: []postoffice.Behaviour{
		{Do: postoffice.Answer, On: 1, After: 23 * time.Hour, Text: "Yes, please call me."},
	}})
	if err != nil {
		panic(err)
	}
	sent, err := ada.Submit(postoffice.SubmitParams{Raw: []byte("From: ada@example.com\r\nTo: carol@example.org\r\n" +
		"Subject: A position\r\nMessage-ID: <1@example.com>\r\n\r\nWould you like to talk?\r\n")})
	if err != nil {
		panic(err)
	}
	clock.Advance(24 * time.Hour)
	for _, msg := range ada.Thread(sent.Thread) {
		fmt.Println(msg.Received.Format(time.DateTime), msg.Labels, msg.Subject)
	}
	fmt.Println("sent twice:", len(office.Books().Duplicates()))
	// Output:
	// 2026-03-02 09:00:00 [sent] A position
	// 2026-03-03 08:00:00 [inbox] Re: A position
	// sent twice: 0
}

// A provider without a wire, for tests of what stands on package provider.
func ExampleNewProvider() {
	clock := postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	office, err := postoffice.New(postoffice.Config{Clock: clock})
	if err != nil {
		panic(err)
	}
	if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: "ada@example.com"}); err != nil {
		panic(err)
	}
	p := postoffice.NewProvider(office, postoffice.ProviderConfig{Name: "test"})
	grant, err := p.Consent("ada@example.com", "replies")
	if err != nil {
		panic(err)
	}
	grant, err = p.Refresh(context.Background(), grant)
	fmt.Println(grant, err)
	// Output: grant(replies, tokens hidden) <nil>
}
