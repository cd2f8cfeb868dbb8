package runner_test

import (
	"context"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/memstore"
)

// The whole loop: a link, an enrollment, a week of ticks, an answer.
func Example() {
	ctx := context.Background()
	// A world of mail to work in; a real host has gmail.New and the wall clock.
	clock := postoffice.NewClock(time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC))
	office, _ := postoffice.New(postoffice.Config{Clock: clock})
	_, _ = office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com", Name: "Maria"})
	_ = office.AddPerson(postoffice.Person{Address: "ada@example.net", Name: "Ada", Behaviours: []postoffice.Behaviour{
		{Do: postoffice.Answer, On: 2, After: time.Hour, Text: "Yes, let us talk."},
	}})
	mail := postoffice.NewProvider(office, postoffice.ProviderConfig{Name: "mail"})

	mem := memstore.New(memstore.Options{Now: clock.Now})
	linker, err := linking.New(linking.Config{
		Providers: []provider.Provider{mail}, Links: mem.Tokens(), Flows: mem.Flows(), Now: clock.Now, InsecurePlainTokens: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := runner.New(runner.Config{
		Store: mem.Enrollments(), Mailboxes: linker, Log: mem.Conversations(), Now: clock.Now,
		Key: []byte("thirty-two bytes that a host keeps"), Domain: "mail.example.com",
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	e, err := run.Enroll(ctx, runner.EnrollParams{
		Key: "campaign-7/candidate-42", Link: linked(linker, mail), Recipient: provider.Address{Name: "Ada", Addr: "ada@example.net"},
		Sequence: &sequence.Sequence{ID: "lisbon", Steps: []sequence.Step{
			{ID: 1, Subject: "A role in Lisbon", Text: "Hello Ada"},
			{ID: 2, Days: 3, Text: "Did my mail reach you?"},
			{ID: 3, Days: 4, Text: "A last word from me."},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 10 * 24 { // a real host: go run.Run(ctx)
		if _, err := run.Tick(ctx); err != nil {
			fmt.Println(err)
			return
		}
		clock.Advance(time.Hour)
	}
	e, _ = run.Get(ctx, e.ID)
	fmt.Println(e.Status, "after", e.StepsSent, "mails:", e.Reason)

	entries, _ := mem.Conversations().Conversation(ctx, e.ID)
	for _, entry := range entries {
		fmt.Println(entry.At.Format(time.DateOnly), entry.Direction, entry.Subject)
	}
	// Output:
	// replied after 2 mails: an answer to our mail
	// 2026-09-01 out A role in Lisbon
	// 2026-09-04 out Re: A role in Lisbon
	// 2026-09-04 in Re: A role in Lisbon
}

// linked walks through linking; see package linking.
func linked(linker *linking.Linker, mail *postoffice.MemProvider) string {
	ctx := context.Background()
	begun, err := linker.Begin(ctx, linking.BeginParams{Owner: "maria", Session: "s", Provider: "mail", RedirectURL: "https://app.example.com/callback"})
	if err != nil {
		return err.Error()
	}
	back, err := mail.Visit(begun.URL, "maria@agency.example.com", provider.AccessReplies)
	if err != nil {
		return err.Error()
	}
	done, err := linker.Complete(ctx, linking.CompleteParams{Query: query(back), Owner: "maria", Session: "s"})
	if err != nil {
		return err.Error()
	}
	return done.Link.ID
}

// A host that would rather receive its events than be called.
func ExampleChannel() {
	ctx := context.Background()
	clock := postoffice.NewClock(time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC))
	office, _ := postoffice.New(postoffice.Config{Clock: clock})
	_, _ = office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com", Name: "Maria"})
	_ = office.AddPerson(postoffice.Person{Address: "ada@example.net"})
	mail := postoffice.NewProvider(office, postoffice.ProviderConfig{Name: "mail"})
	mem := memstore.New(memstore.Options{Now: clock.Now})
	linker, _ := linking.New(linking.Config{
		Providers: []provider.Provider{mail}, Links: mem.Tokens(), Flows: mem.Flows(), Now: clock.Now, InsecurePlainTokens: true,
	})

	events := runner.NewChannel()
	run, err := runner.New(runner.Config{
		Store: mem.Enrollments(), Mailboxes: linker, Events: events, Now: clock.Now,
		Key: []byte("thirty-two bytes that a host keeps"), Domain: "mail.example.com",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for {
			select {
			case d := <-events.C():
				fmt.Println(d.Event.Of, d.Event.Kind) // keep it first,
				d.Done(nil)                           // and acknowledge it then
			case <-events.Closed():
				return
			}
		}
	}()
	if _, err := run.Send(ctx, runner.SendParams{
		Key: "mail-1", Link: linked(linker, mail), To: provider.Address{Addr: "ada@example.net"}, Subject: "Hello", Text: "Hello Ada",
	}); err != nil {
		fmt.Println(err)
	}
	if _, err := run.Tick(ctx); err != nil { // a real host: go run.Run(ctx)
		fmt.Println(err)
	}
	events.Close()
	<-finished
	// Output:
	// mail enrolled
	// mail sent
	// mail completed
}
