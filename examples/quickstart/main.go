// Quickstart runs the whole main job against a fake Google, over HTTP, with no
// credentials: it links a mailbox through the consent page, previews a
// sequence, enrolls eight candidates and lets three weeks pass in a few
// seconds. Then it prints one conversation as a recruiter would read it.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -json
//	go run ./examples/quickstart -store sqlite:outreach.db
//
// With -json it prints one object instead. Its counts come from the fake's own
// books, not from the library.
//
// With -store the host keeps everything in SQLite or PostgreSQL. Stop it with
// Ctrl-C and run it again: it goes on where it stopped. The fake Google lives
// in the process, so a journal of the requests that it had lies in the same
// database, and the fake is rebuilt from it.
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
	"github.com/outreachkit/outreach/provider"
)

func main() {
	asJSON := flag.Bool("json", false, "print one JSON object instead of the story")
	where := flag.String("store", "", story.StoreUsage)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	if err := run(ctx, *asJSON, *where, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, asJSON bool, where string, out io.Writer) (err error) {
	storage, err := story.OpenStorage(where, "quickstart")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, storage.Close()) }()
	sender := story.Sender{Address: "maria.silva@agency.example.com", Service: string(provider.Gmail)}
	world, err := story.NewWorld(ctx, storage, sender)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	google, err := gmailtest.New(world.Office, gmailtest.Config{ClientID: "quickstart", ClientSecret: "not a real secret"})
	if err != nil {
		return err
	}
	if err := world.Host(google, google.URL()); err != nil {
		return err
	}

	// With the true Google the Endpoints and the HTTPClient are left out, and
	// the client's id and secret come from Google's console.
	prov, err := gmail.New(gmail.Config{
		ClientID: "quickstart", ClientSecret: "not a real secret", Endpoints: google.Endpoints(), HTTPClient: world.Client(), Now: world.Office.Clock().Now,
	})
	if err != nil {
		return err
	}
	told := out
	if asJSON {
		told = io.Discard
	}
	s, err := story.New(ctx, world, sender.Address, story.Service{
		Provider: prov,
		Consent: func(authURL, addr string) (*url.URL, error) {
			return google.Consent(world.Client(), authURL, gmailtest.Answer{Account: addr})
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
