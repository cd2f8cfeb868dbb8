package msgraph

import (
	"context"
	"errors"
	"slices"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/outreachkit/outreach/provider"
)

// mailbox is one mailbox. It keeps nothing between calls.
type mailbox struct {
	*client
	acc provider.Account
}

var _ provider.Mailbox = (*mailbox)(nil)

// Open implements provider.Provider.
func (p *Provider) Open(acc provider.Account, ts provider.TokenSource) provider.Mailbox {
	acc.Addresses = slices.Clone(acc.Addresses)
	m := &mailbox{client: p.newClient(ts), acc: acc}
	if p.push != nil && p.Abilities(acc.Access).ThreadReplies {
		return watched{m}
	}
	return m
}

// may refuses what the access does not cover, before any request.
func (m *mailbox) may(op string, need provider.Access) error {
	if m.err != nil {
		return m.err
	}
	if !m.acc.Access.Includes(need) || !m.p.Abilities(m.acc.Access).Offered {
		return &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: "access_" + string(m.acc.Access)}
	}
	return nil
}

// basic reports whether the access is to headers alone: Mail.ReadBasic shows
// no extended properties, and neither takes a $search nor shows content.
func (m *mailbox) basic() bool { return !m.acc.Access.Includes(provider.AccessReplies) }

// Profile implements provider.Mailbox. The cursor is taken first: what comes
// while the rest is asked for comes after it.
func (m *mailbox) Profile(ctx context.Context) (provider.Profile, error) {
	const op = "msgraph: profile"
	if m.err != nil {
		return provider.Profile{}, m.err
	}
	var prof provider.Profile
	if m.acc.Access.Includes(provider.AccessEnvelopes) {
		cursor, err := m.start(ctx, op)
		if err != nil {
			return provider.Profile{}, err
		}
		prof.Cursor = cursor
	}
	who, err := m.whoami(ctx, op)
	if err != nil {
		return provider.Profile{}, err
	}
	prof.Address, prof.Addresses = who.address(), who.addresses()
	for _, a := range m.acc.Addresses {
		if !slices.ContainsFunc(prof.Addresses, func(have string) bool { return provider.Normalize(have) == provider.Normalize(a) }) {
			prof.Addresses = append(prof.Addresses, a)
		}
	}
	return prof, nil
}

// person is the signed-in user as /me tells.
type person struct {
	Mail  string   `json:"mail"`
	UPN   string   `json:"userPrincipalName"`
	Proxy []string `json:"proxyAddresses"`
}

// address is where the mailbox's mail comes from. The name to sign in with
// is only the next best: in many tenants it is no mail address.
func (p person) address() string {
	if p.Mail != "" {
		return p.Mail
	}
	return p.UPN
}

// addresses are all that mail for this mailbox may go to.
func (p person) addresses() []string {
	out := []string{p.address()}
	for _, s := range p.Proxy {
		kind, addr, ok := strings.Cut(s, ":")
		if ok && strings.EqualFold(kind, "smtp") && addr != "" &&
			!slices.ContainsFunc(out, func(have string) bool { return provider.Normalize(have) == provider.Normalize(addr) }) {
			out = append(out, addr)
		}
	}
	return out
}

func (c *client) whoami(ctx context.Context, op string) (person, error) {
	var who person
	err := c.object(ctx, op, func(ctx context.Context) (*abstractions.RequestInformation, error) {
		return c.user().ToGetRequestInformation(ctx, &users.UserItemRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: []string{"mail", "userPrincipalName", "proxyAddresses"}},
		})
	}, &who)
	if err == nil && who.address() == "" {
		return person{}, &provider.Error{Kind: provider.ErrMailboxUnusable, Op: op, Reason: "no_address"}
	}
	return who, err
}

// wellKnown are the folders that a place stands for, by the names that Graph
// takes in place of their ids
// (https://learn.microsoft.com/graph/api/resources/mailfolder).
func wellKnown() []struct {
	name  string
	place provider.Place
} {
	return []struct {
		name  string
		place provider.Place
	}{
		{"sentitems", provider.PlaceSent}, {"inbox", provider.PlaceInbox}, {"junkemail", provider.PlaceJunk},
		{"drafts", provider.PlaceDraft}, {"outbox", provider.PlaceOutbox}, {"deleteditems", provider.PlaceTrash},
	}
}

// place says what a folder is for. What is not known yet is asked, once.
func (m *mailbox) place(ctx context.Context, op, folder string) (provider.Place, error) {
	if folder == "" {
		return provider.PlaceUnknown, nil
	}
	if p, ok := m.p.folders.place(m.acc.Subject, folder); ok {
		return p, nil
	}
	for _, w := range wellKnown() {
		var f struct {
			ID string `json:"id"`
		}
		err := m.object(ctx, op, func(ctx context.Context) (*abstractions.RequestInformation, error) {
			return m.user().MailFolders().ByMailFolderId(w.name).ToGetRequestInformation(ctx, &users.ItemMailFoldersMailFolderItemRequestBuilderGetRequestConfiguration{
				QueryParameters: &users.ItemMailFoldersMailFolderItemRequestBuilderGetQueryParameters{Select: []string{"id"}},
			})
		}, &f)
		if errors.Is(err, provider.ErrNotFound) {
			continue // not every mailbox has every folder
		}
		if err != nil {
			return provider.PlaceUnknown, err
		}
		m.p.folders.learn(m.acc.Subject, f.ID, w.place)
		if f.ID == folder {
			return w.place, nil
		}
	}
	m.p.folders.learn(m.acc.Subject, folder, provider.PlaceOther)
	return provider.PlaceOther, nil
}

// validRef reports whether a ref can be one of Graph's: others are not put
// into a request's path.
func validRef(ref provider.Ref) bool {
	if len(ref) == 0 || len(ref) > 512 {
		return false
	}
	return !strings.ContainsFunc(string(ref), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '=' || r == '+')
	})
}
