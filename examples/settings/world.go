package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/memstore"
)

// world is what the page stands on: two fakes, and a Linker over them.
type world struct {
	base      string // of the page
	clock     *postoffice.Clock
	google    *gmailtest.Server
	microsoft *msgraphtest.Server
	linker    *linking.Linker
	names     []string // of the app registrations

	mu       sync.Mutex
	sessions map[string]*session
	expired  map[string]bool // app registrations whose secret has expired
}

const (
	clientID = "settings"
	secret   = "not a real secret"
	tenant   = "contoso.example.com"
)

// users are the host's, with a mailbox or two each.
var users = []struct{ id, name string }{{"maria", "Maria Silva"}, {"tom", "Tom Becker"}, {"olga", "Olga Ivanova (admin)"}}

func newWorld(base string) (*world, error) {
	w := &world{base: base, clock: postoffice.NewClock(time.Now()), sessions: make(map[string]*session), expired: make(map[string]bool)}
	office, err := postoffice.New(postoffice.Config{Clock: w.clock})
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		name, _, _ := strings.Cut(u.name, " (")
		for service, domain := range map[string]string{string(provider.Gmail): "agency.example.com", string(provider.MSGraph): tenant} {
			beliefs := postoffice.GmailBeliefs()
			if service == string(provider.MSGraph) {
				beliefs = postoffice.GraphBeliefs()
			}
			if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: u.id + "@" + domain, Name: name, Service: service, Beliefs: &beliefs}); err != nil {
				return nil, err
			}
		}
	}
	if w.google, err = gmailtest.New(office, gmailtest.Config{ClientID: clientID, ClientSecret: secret}); err != nil {
		return nil, err
	}
	if w.microsoft, err = msgraphtest.New(office, msgraphtest.Config{ClientID: clientID, ClientSecret: secret}); err != nil {
		return nil, err
	}
	if err := w.microsoft.SetAccount(msgraphtest.Account{Address: "olga@" + tenant, Administrator: true}); err != nil {
		return nil, err
	}
	if err := errors.Join(w.google.Start(), w.microsoft.Start()); err != nil {
		w.close()
		return nil, err
	}
	// With the true services the Endpoints are left out, and id and secret come
	// from the consoles of Google and Microsoft.
	g, err := gmail.New(gmail.Config{ClientID: clientID, ClientSecret: secret, Endpoints: w.google.Endpoints(), Now: w.clock.Now})
	if err == nil {
		var m *msgraph.Provider
		m, err = msgraph.New(msgraph.Config{
			ClientID: clientID, ClientSecret: secret, Now: w.clock.Now,
			Endpoints: &msgraph.Endpoints{Login: w.microsoft.LoginURL(), Graph: w.microsoft.GraphURL()},
		})
		if err == nil {
			w.names = []string{g.Name(), m.Name()}
			mem := memstore.New(memstore.Options{Now: w.clock.Now})
			w.linker, err = linking.New(linking.Config{
				Providers: []provider.Provider{g, m}, Links: mem.Tokens(), Flows: mem.Flows(), Now: w.clock.Now,
				InsecurePlainTokens: true, // nothing outlives the process; a real host gives a Sealer
			})
		}
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) close() {
	_ = w.google.Close()
	_ = w.microsoft.Close()
}

// mishap is a button that makes something go wrong, or right again.
type mishap struct{ What, Label string }

// mishaps are the buttons for a link; none for one that is gone.
func (w *world) mishaps(link linking.Link) []mishap {
	if link.Status == store.LinkUnlinked {
		return nil
	}
	if link.Status == store.LinkUnusable {
		return []mishap{{"forgive", "The operator lets it be tried again"}}
	}
	service := link.Kind.Service()
	out := []mishap{{"withdraw", "The user withdraws it at " + service}}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.expired[link.Provider] {
		out = append(out, mishap{"renew", "The operator renews our secret"})
	} else {
		out = append(out, mishap{"expire", "Our secret at " + service + " expires"})
	}
	if link.Kind == provider.MSGraph {
		out = append(out, mishap{"policy", "Conditional access blocks it"}, mishap{"unassign", "The user is not assigned to the app"}, mishap{"unblock", "The administrator lifts that"})
	}
	return out
}

// breaks makes it happen, and has every link of the service looked at, as
// CheckAll would in time.
func (w *world) breaks(ctx context.Context, what string, link linking.Link) error {
	microsoft := link.Kind == provider.MSGraph
	block := func(number int) error {
		return w.microsoft.SetTenant(msgraphtest.Tenant{Domains: []string{tenant}, Block: number})
	}
	var err error
	switch what {
	case "withdraw":
		if w.google.Withdraw(link.Address, ""); microsoft {
			w.microsoft.Withdraw(link.Address, 0)
		}
	case "expire", "renew":
		w.mu.Lock()
		w.expired[link.Provider] = what == "expire"
		w.mu.Unlock()
		switch {
		case microsoft:
			w.microsoft.ExpireSecret(what == "expire")
		case what == "expire":
			w.google.RemoveSecret(secret)
		default:
			w.google.AddSecret(secret)
		}
	case "forgive":
		err = w.linker.Forgive(ctx, link.Owner, link.ID)
	case "policy":
		err = block(53003)
	case "unassign":
		err = block(50105)
	case "unblock":
		err = block(0)
	default:
		err = fmt.Errorf("nobody knows how to %q", what)
	}
	if err != nil {
		return err
	}
	for _, u := range users {
		links, err := w.linker.List(ctx, u.id)
		if err != nil {
			return err
		}
		for _, other := range links {
			if other.Provider != link.Provider || other.Status == store.LinkUnlinked {
				continue
			}
			if _, err := w.linker.Check(ctx, other.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
