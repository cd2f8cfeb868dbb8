// Quickstart365 tells the story of the quickstart with a Microsoft 365
// mailbox, against a fake Microsoft Entra ID and Graph, over HTTP, with no
// credentials.
//
//	go run ./examples/quickstart365
//	go run ./examples/quickstart365 -json
//	go run ./examples/quickstart365 -both -json
//
// With -both there are two senders, one at Gmail and one at Microsoft 365, and
// the candidates have mailboxes at both: mail crosses over. With -json it
// prints one object for each sender, one a line. Its counts come from the
// fakes' own books, not from the library. With -store it keeps everything in
// SQLite or PostgreSQL, and goes on where it was stopped.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"

	"github.com/outreachkit/outreach/examples/internal/story"
	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
)

func main() {
	asJSON := flag.Bool("json", false, "print one JSON object for each sender instead of the story")
	both := flag.Bool("both", false, "with a Gmail sender too, and candidates on either side")
	where := flag.String("store", "", story.StoreUsage)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	if err := run(ctx, *asJSON, *both, *where, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart365:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, asJSON, both bool, where string, out io.Writer) (err error) {
	name := "quickstart365"
	senders := []story.Sender{{Address: "maria.silva@consulting.example.com", Service: string(provider.MSGraph)}}
	if both {
		name = "both"
		senders = append([]story.Sender{{Address: "maria.silva@agency.example.com", Service: string(provider.Gmail)}}, senders...)
	}
	storage, err := story.OpenStorage(where, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, storage.Close()) }()
	world, err := story.NewWorld(ctx, storage, senders...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	told := out
	if asJSON {
		told = io.Discard
	}
	var stories []*story.Story
	for _, sender := range senders {
		start := startMicrosoft
		if sender.Service == string(provider.Gmail) {
			start = startGoogle
		}
		svc, err := start(world, sender.Address)
		if err != nil {
			return err
		}
		s, err := story.New(ctx, world, sender.Address, svc, told)
		if err != nil {
			return err
		}
		stories = append(stories, s)
	}
	results, err := story.Tell(ctx, stories...)
	if err != nil {
		return err
	}
	if asJSON {
		enc := json.NewEncoder(out)
		for _, r := range results {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	for i, s := range stories {
		if err := s.Conversation(ctx, "Finn Larsen"); err != nil {
			return err
		}
		if err := s.Summary(results[i]); err != nil {
			return err
		}
	}
	return nil
}

const (
	clientID     = "00000000-0000-4000-8000-000000000365"
	clientSecret = "not a real secret"
)

// startMicrosoft starts a fake Entra ID and Graph and makes a Provider for
// them. With the true ones the Endpoints and the HTTPClient are left out, and
// the client's id and secret come from the app registration.
func startMicrosoft(world *story.World, sender string) (story.Service, error) {
	fake, err := msgraphtest.New(world.Office, msgraphtest.Config{ClientID: clientID, ClientSecret: clientSecret})
	if err != nil {
		return story.Service{}, err
	}
	// As new tenants are set up, only an administrator may consent to reading
	// mail. Here the sender is one.
	if err := fake.SetAccount(msgraphtest.Account{Address: sender, Administrator: true}); err != nil {
		return story.Service{}, err
	}
	if err := world.Host(fake, fake.LoginURL(), fake.GraphURL()); err != nil {
		return story.Service{}, err
	}
	prov, err := msgraph.New(msgraph.Config{
		ClientID: clientID, ClientSecret: clientSecret, HTTPClient: world.Client(), Now: world.Office.Clock().Now,
		Endpoints: &msgraph.Endpoints{Login: fake.LoginURL(), Graph: fake.GraphURL()},
	})
	return story.Service{
		Provider: prov,
		Consent: func(authURL, addr string) (*url.URL, error) {
			return fake.Consent(world.Client(), authURL, msgraphtest.Answer{Account: addr, AdminConsent: true})
		},
		LoseAnswer: func(addr string, nth int) {
			fake.Inject(msgraphtest.Rule{Op: "sendMail", To: addr, Skip: nth - 1, Fault: msgraphtest.CutAfter})
		},
	}, err
}

// startGoogle starts a fake Google and makes a Provider for it.
func startGoogle(world *story.World, _ string) (story.Service, error) {
	fake, err := gmailtest.New(world.Office, gmailtest.Config{ClientID: clientID, ClientSecret: clientSecret})
	if err != nil {
		return story.Service{}, err
	}
	if err := world.Host(fake, fake.URL()); err != nil {
		return story.Service{}, err
	}
	prov, err := gmail.New(gmail.Config{
		ClientID: clientID, ClientSecret: clientSecret, HTTPClient: world.Client(), Now: world.Office.Clock().Now, Endpoints: fake.Endpoints(),
	})
	return story.Service{
		Provider: prov,
		Consent: func(authURL, addr string) (*url.URL, error) {
			return fake.Consent(world.Client(), authURL, gmailtest.Answer{Account: addr})
		},
		LoseAnswer: func(addr string, nth int) {
			fake.Inject(gmailtest.Rule{Op: "messages.send", To: addr, Skip: nth - 1, Fault: gmailtest.CutAfter})
		},
	}, err
}
