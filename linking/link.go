package linking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// Link is a link without its tokens, as a host shows it.
type Link struct {
	ID       string
	Owner    string // the host's user
	Provider string // the app registration, Provider.Name
	Kind     provider.Kind
	Address  string          // the mailbox's own, for display; it may change
	Access   provider.Access // what it may do, which can be less than was asked for
	Tenant   string          // the organisation, as the service names it; may be empty
	Status   store.LinkStatus
	Reason   string    // why it does not work: the service's code, or one of this package
	Created  time.Time // by Config.Now, in UTC, as is Changed
	Changed  time.Time // the latest change of Status or Access, or consent
}

func view(l store.Link) Link {
	return Link{
		ID: l.ID, Owner: l.Owner, Provider: l.Provider, Kind: provider.Kind(l.Kind), Address: l.Address,
		Access: provider.Access(l.Access), Tenant: l.Tenant, Status: l.Status, Reason: l.Reason, Created: l.Created, Changed: l.Changed,
	}
}

// Get returns a link, ErrNotFound if there is none.
func (l *Linker) Get(ctx context.Context, id string) (Link, error) {
	link, err := l.mailbox(ctx, id)
	if err != nil {
		return Link{}, err
	}
	return view(link), nil
}

func (l *Linker) get(ctx context.Context, id string) (store.Link, error) {
	link, err := l.cfg.Links.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Link{}, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	if err != nil {
		return store.Link{}, fmt.Errorf("linking: link %s: %w", id, err)
	}
	return link, nil
}

// mailbox loads what is a mailbox's link, and no registration's record.
func (l *Linker) mailbox(ctx context.Context, id string) (store.Link, error) {
	link, err := l.get(ctx, id)
	if err == nil && link.Kind == store.KindApp {
		return store.Link{}, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return link, err
}

// List returns an owner's links, unlinked ones among them. An empty owner is
// refused, since it would be everybody.
func (l *Linker) List(ctx context.Context, owner string) ([]Link, error) {
	if owner == "" || owner == store.KindApp {
		return nil, bad("list", "owner", "is empty, or a word of this package")
	}
	var out []Link
	after := ""
	for {
		page, err := l.cfg.Links.List(ctx, store.ListLinks{Owner: owner, After: after, Limit: 100})
		if err != nil {
			return nil, fmt.Errorf("linking: list: %w", err)
		}
		for _, link := range page {
			out = append(out, view(link))
			after = link.ID
		}
		if len(page) < 100 {
			return out, nil
		}
	}
}

// Open returns the link's mailbox. It makes no request. Its errors are
// *provider.Error: ErrRelink for a link whose grant is dead,
// ErrMailboxUnusable for one that is unlinked, ErrNotFound.
func (l *Linker) Open(ctx context.Context, id string) (provider.Linked, error) {
	const op = "linking: open"
	link, err := l.mailbox(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return provider.Linked{}, &provider.Error{Kind: provider.ErrNotFound, Op: op, Reason: "no_such_link", Err: err}
	}
	if err != nil {
		return provider.Linked{}, err
	}
	if err := usable(op, link); err != nil {
		return provider.Linked{}, err
	}
	prov, ok := l.providers[link.Provider]
	if !ok {
		return provider.Linked{}, &provider.Error{Kind: provider.ErrApp, Op: op, Reason: reasonNotConfigured}
	}
	return linked(link, prov, &source{l: l, id: link.ID}), nil
}

func linked(link store.Link, prov provider.Provider, ts provider.TokenSource) provider.Linked {
	acc := provider.Account{
		Subject: link.Subject, Address: link.Address, Addresses: slices.Clone(link.Addresses), Access: provider.Access(link.Access),
	}
	return provider.Linked{
		Link: link.ID, Owner: link.Owner, Provider: link.Provider, Kind: provider.Kind(link.Kind), Account: acc,
		Limits: prov.Limits(), Abilities: prov.Abilities(acc.Access), Mailbox: prov.Open(acc, ts),
	}
}
