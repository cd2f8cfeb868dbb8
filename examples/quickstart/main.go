// Quickstart runs the whole main job against a fake Google, over HTTP, with no
// credentials: it links a mailbox through the consent page, previews a
// sequence, enrolls eight candidates and lets three weeks pass in a few
// seconds. Then it prints one conversation as a recruiter would read it.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -json
//
// With -json it prints one object instead. Its counts come from the fake's own
// books, not from the library.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"

	"github.com/outreachkit/outreach/examples/internal/story"
	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/provider"
)

func main() {
	asJSON := flag.Bool("json", false, "print one JSON object instead of the story")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *asJSON, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, asJSON bool, out io.Writer) error {
	sender := story.Sender{Address: "maria.silva@agency.example.com", Service: string(provider.Gmail)}
	office, err := story.NewOffice(sender)
	if err != nil {
		return err
	}
	google, err := gmailtest.New(office, gmailtest.Config{ClientID: "quickstart", ClientSecret: "not a real secret"})
	if err != nil {
		return err
	}
	if err := google.Start(); err != nil {
		return err
	}
	defer google.Close()

	// With the true Google the Endpoints are left out, and the client's id
	// and secret come from Google's console.
	prov, err := gmail.New(gmail.Config{
		ClientID: "quickstart", ClientSecret: "not a real secret", Endpoints: google.Endpoints(), Now: office.Clock().Now,
	})
	if err != nil {
		return err
	}
	told := out
	if asJSON {
		told = io.Discard
	}
	s, err := story.New(office, sender.Address, story.Service{
		Provider: prov,
		Consent: func(authURL, addr string) (*url.URL, error) {
			return google.Consent(nil, authURL, gmailtest.Answer{Account: addr})
		},
		LoseAnswer: func(addr string, nth int) {
			google.Inject(gmailtest.Rule{Op: "messages.send", To: addr, Skip: nth - 1, Fault: gmailtest.CutAfter})
		},
	}, told)
	if err != nil {
		return err
	}
	results, err := story.Tell(ctx, s)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(out).Encode(results[0])
	}
	if err := s.Conversation(ctx, "Finn Larsen"); err != nil {
		return err
	}
	return s.Summary(results[0])
}
