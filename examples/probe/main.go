// Probe tells how a mail service really behaves. It is run by a person with
// real credentials: it links a mailbox, sends a preview to it, sends a few
// mails from the account to itself, and prints what turned out true of each
// thing that this module believes of the service without proof. At the end it
// prints a report to paste into an issue; it holds no address and no id.
//
//	export OUTREACH_CLIENT_ID=... OUTREACH_CLIENT_SECRET=...
//	go run ./examples/probe -provider gmail
//	go run ./examples/probe -provider msgraph -tenant organizations
//
// The client must allow the redirect to the loopback (RFC 8252 section 7.3):
// at Google a desktop client does; in Microsoft Entra ID add
// http://localhost under Web. Nobody else gets mail, and nothing is kept.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/provider"
)

func main() {
	kind := flag.String("provider", "", "gmail or msgraph")
	tenant := flag.String("tenant", "", "Microsoft: who may sign in; a tenant, organizations or common")
	redirect := flag.String("redirect", "", "the redirect as registered; a port of 0 takes any (default http://127.0.0.1:0/callback, for Microsoft http://localhost:0/callback)")
	patience := flag.Duration("patience", 15*time.Minute, "how long to wait for a mail to appear")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w := &wire{base: http.DefaultTransport}
	prov, err := newProvider(*kind, *tenant, os.Getenv("OUTREACH_CLIENT_ID"), os.Getenv("OUTREACH_CLIENT_SECRET"), &http.Client{Transport: w})
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(2)
	}
	if *redirect == "" {
		*redirect = "http://127.0.0.1:0/callback"
		if prov.Kind() == provider.MSGraph {
			*redirect = "http://localhost:0/callback"
		}
	}
	p := &probe{prov: &overheard{Provider: prov}, wire: w, api: "https://graph.microsoft.com/v1.0", now: time.Now, wait: wait, patience: *patience, out: os.Stdout}
	err = p.run(ctx, func(ctx context.Context, begin begin) (callback, error) {
		return browse(ctx, *redirect, begin, os.Stdout)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		var pe *provider.Error
		if errors.As(err, &pe) {
			fmt.Fprintln(os.Stderr, prov.Diagnose(err).Remedy)
		}
		os.Exit(1)
	}
}

func newProvider(kind, tenant, id, secret string, client *http.Client) (provider.Provider, error) {
	if id == "" || secret == "" {
		return nil, errors.New("OUTREACH_CLIENT_ID and OUTREACH_CLIENT_SECRET are not set; they are in the environment so that no shell remembers them")
	}
	switch provider.Kind(kind) {
	case provider.Gmail:
		return gmail.New(gmail.Config{ClientID: id, ClientSecret: secret, HTTPClient: client})
	case provider.MSGraph:
		return msgraph.New(msgraph.Config{ClientID: id, ClientSecret: secret, Tenant: tenant, HTTPClient: client})
	}
	return nil, fmt.Errorf("-provider is %q; it must be %q or %q", kind, provider.Gmail, provider.MSGraph)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
