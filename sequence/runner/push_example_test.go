package runner_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/memstore"
)

// A host registers one handler for each service. Proving, storing and
// acknowledging, in this order, is PushHandler's.
func ExampleRunner_PushHandler() {
	var (
		run               *runner.Runner        // of runner.New, with Config.Push
		google, microsoft provider.PushReceiver // of gmail.New and msgraph.New, with their Config.Push
	)
	http.Handle("POST /push/gmail", run.PushHandler(google))
	http.Handle("POST /push/graph", run.PushHandler(microsoft))
}

// An answer stops the drip at the Tick after its push: here half a minute after
// it came, with polls half an hour apart.
func ExampleRunner_Pushed() {
	ctx := context.Background()
	clock := postoffice.NewClock(time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC))
	office, _ := postoffice.New(postoffice.Config{Clock: clock})
	_, _ = office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com", Name: "Maria"})
	_ = office.AddPerson(postoffice.Person{Address: "ada@example.net", Name: "Ada", Behaviours: []postoffice.Behaviour{
		{Do: postoffice.Answer, After: 2*time.Hour + 30*time.Second},
	}})
	var run *runner.Runner
	mail := postoffice.NewProvider(office, postoffice.ProviderConfig{Name: "mail", Push: func(p provider.Push) {
		if _, err := run.Pushed(ctx, p); err != nil {
			fmt.Println(err) // a host answers 503, and the push comes again
		}
	}})
	mem := memstore.New(memstore.Options{Now: clock.Now})
	linker, err := linking.New(linking.Config{
		Providers: []provider.Provider{mail}, Links: mem.Tokens(), Flows: mem.Flows(), Now: clock.Now, InsecurePlainTokens: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err = runner.New(runner.Config{
		Store: mem.Enrollments(), Mailboxes: linker, Now: clock.Now, Push: &runner.PushConfig{PollEvery: 30 * time.Minute},
		Key: []byte("thirty-two bytes that a host keeps"), Domain: "mail.example.com",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := run.Enroll(ctx, runner.EnrollParams{
		Key: "candidate-42", Link: linked(linker, mail), Recipient: provider.Address{Addr: "ada@example.net"},
		Sequence: &sequence.Sequence{ID: "lisbon", Steps: []sequence.Step{{ID: 1, Subject: "A role", Text: "Hello"}, {ID: 2, Days: 3, Text: "Again"}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for e.Status == runner.StatusActive {
		if _, err := run.Tick(ctx); err != nil {
			fmt.Println(err)
			return
		}
		clock.Advance(time.Minute)
		e, _ = run.Get(ctx, e.ID)
	}
	fmt.Println(e.Status, "at", clock.Now().Format(time.TimeOnly))
	// Output:
	// replied at 11:02:00
}
