package outreach_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store/memstore"
)

// TestTwoRegistrations: a customer brings their own OAuth client. Each link is
// refreshed by the registration that it was made with, the fault of one stays
// its own, and a mailbox still has one owner over both.
func TestTwoRegistrations(t *testing.T) {
	clock := postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	office, err := postoffice.New(postoffice.Config{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	const ours, theirs = "gail@agency.example.com", "kim@customer.example.com"
	for _, addr := range []string{ours, theirs} {
		if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: addr}); err != nil {
			t.Fatal(err)
		}
	}
	tokens := make(map[string]int) // requests to the token endpoint, by registration
	fakes := make(map[string]*gmailtest.Server)
	var providers []provider.Provider
	for _, name := range []string{"gmail", "gmail-customer"} {
		cfg := gmailtest.Config{ClientID: "id-of-" + name, ClientSecret: "secret-of-" + name, SigningKey: testKey(), Check: func(ex gmailtest.Exchange) {
			if ex.Request.URL.Path == "/token" {
				tokens[name]++
			}
		}}
		fake, err := gmailtest.New(office, cfg)
		if err != nil {
			t.Fatal(err)
		}
		p, err := gmail.New(gmail.Config{
			Name: name, ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret, Now: clock.Now, Endpoints: fake.Endpoints(),
			HTTPClient: &http.Client{Transport: fake.Transport()},
		})
		if err != nil {
			t.Fatal(err)
		}
		fakes[name] = fake
		providers = append(providers, p)
	}
	mem := memstore.New(memstore.Options{Now: clock.Now})
	linker, err := linking.New(linking.Config{Providers: providers, Links: mem.Tokens(), Flows: mem.Flows(), Now: clock.Now, InsecurePlainTokens: true})
	if err != nil {
		t.Fatal(err)
	}
	link := func(owner, name, addr string) (linking.Completed, error) {
		begun, err := linker.Begin(t.Context(), linking.BeginParams{Owner: owner, Session: "s", Provider: name, RedirectURL: callback})
		if err != nil {
			t.Fatal(err)
		}
		back, err := fakes[name].Consent(nil, begun.URL, gmailtest.Answer{Account: addr})
		if err != nil {
			t.Fatal(err)
		}
		return linker.Complete(t.Context(), linking.CompleteParams{Query: back.Query(), Owner: owner, Session: "s"})
	}
	a, err := link("gail", "gmail", ours)
	if err != nil {
		t.Fatal(err)
	}
	b, err := link("kim", "gmail-customer", theirs)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := link("eve", "gmail-customer", ours); !errors.Is(err, linking.ErrOwned) {
		t.Errorf("one mailbox over two registrations: %v", err)
	}
	use := func(l linking.Link) error {
		opened, err := linker.Open(t.Context(), l.ID)
		if err != nil {
			return err
		}
		_, err = opened.Mailbox.Profile(t.Context())
		return err
	}
	for name, l := range map[string]linking.Link{"gmail": a.Link, "gmail-customer": b.Link} {
		clock.Advance(2 * time.Hour)
		clear(tokens)
		if err := use(l); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(tokens) != 1 || tokens[name] != 1 {
			t.Errorf("the link of %s was refreshed by %v", name, tokens)
		}
	}

	// The customer's secret is gone: theirs alone stops, and comes back.
	clock.Advance(2 * time.Hour)
	fakes["gmail-customer"].RemoveSecret("secret-of-gmail-customer")
	if err := use(a.Link); err != nil {
		t.Error(err)
	}
	if err := use(b.Link); !errors.Is(err, provider.ErrApp) || linker.Diagnose(b.Link.Provider, err).Mender != provider.MendOperator {
		t.Errorf("without a secret: %v", err)
	}
	fakes["gmail-customer"].AddSecret("secret-of-gmail-customer")
	if err := use(b.Link); err != nil {
		t.Errorf("mended: %v", err)
	}
}
