package gmail

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	gmailapi "google.golang.org/api/gmail/v1"
	"google.golang.org/api/option"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// me is the token's own mailbox. Naming an address instead could only ever
// name another.
const me = "me"

// mailbox is one mailbox. It keeps nothing between calls.
type mailbox struct {
	p   *Provider
	acc provider.Account
	svc *gmailapi.Service
	err error // why svc could not be made
}

var _ provider.Mailbox = (*mailbox)(nil)

// Open implements provider.Provider.
func (p *Provider) Open(acc provider.Account, ts provider.TokenSource) provider.Mailbox {
	m := p.open(acc, ts)
	if p.push != nil && p.Abilities(acc.Access).ThreadReplies {
		return watched{m}
	}
	return m
}

func (p *Provider) open(acc provider.Account, ts provider.TokenSource) *mailbox {
	acc.Addresses = slices.Clone(acc.Addresses)
	m := &mailbox{p: p, acc: acc}
	client := &http.Client{
		Transport: &metered{
			next:  &courier.Transport{Base: p.transport, Tokens: ts, Host: p.apiHost, Now: p.now},
			meter: p.meter, subject: acc.Subject,
		},
		Timeout:       p.timeout,
		CheckRedirect: courier.NoRedirect,
	}
	svc, err := gmailapi.NewService(context.Background(), option.WithHTTPClient(client), option.WithEndpoint(p.ends.API))
	if err != nil {
		m.err = &provider.Error{Kind: provider.ErrApp, Op: "gmail: open", Reason: "client_config", Err: err}
	}
	m.svc = svc
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

// Profile implements provider.Mailbox. With AccessSend nothing can be asked,
// so what the link knows is all there is; with AccessEnvelopes only the
// addresses to send from can't.
func (m *mailbox) Profile(ctx context.Context) (provider.Profile, error) {
	const op = "gmail: profile"
	if m.err != nil {
		return provider.Profile{}, m.err
	}
	if !m.acc.Access.Includes(provider.AccessEnvelopes) {
		return provider.Profile{Address: m.acc.Address, Addresses: slices.Clone(m.acc.Addresses)}, nil
	}
	prof, err := m.svc.Users.GetProfile(me).Fields("emailAddress", "historyId").Context(ctx).Do()
	if err != nil {
		return provider.Profile{}, m.fault(ctx, op, err)
	}
	var senders []string
	if m.acc.Access.Includes(provider.AccessReplies) {
		if senders, err = m.senders(ctx, op); err != nil {
			return provider.Profile{}, err
		}
	}
	return provider.Profile{
		Address: prof.EmailAddress, Addresses: merge(merge([]string{prof.EmailAddress}, m.acc.Addresses...), senders...), Cursor: m.cursor(prof.HistoryId),
	}, nil
}

// places says where a message lies, by its labels. Mail to oneself lies in
// two places.
func places(labels []string) []provider.Place {
	has := func(l string) bool { return slices.Contains(labels, l) }
	var out []provider.Place
	for _, p := range []struct {
		label string
		place provider.Place
	}{{"TRASH", provider.PlaceTrash}, {"SPAM", provider.PlaceJunk}, {"DRAFT", provider.PlaceDraft}, {"SENT", provider.PlaceSent}, {"INBOX", provider.PlaceInbox}} {
		if has(p.label) {
			out = append(out, p.place)
		}
	}
	if len(out) == 0 {
		out = append(out, provider.PlaceOther)
	}
	return out
}

// item is what a line of a feed tells. Without labels it tells the ids alone.
func item(msg *gmailapi.Message) provider.Item {
	it := provider.Item{Ref: provider.Ref(msg.Id), Thread: msg.ThreadId}
	if len(msg.LabelIds) > 0 {
		it.Place = places(msg.LabelIds)[0]
		it.Own = slices.Contains(msg.LabelIds, "SENT")
		it.Draft = slices.Contains(msg.LabelIds, "DRAFT")
	}
	return it
}

// received is internalDate: when Gmail took the message.
func received(msg *gmailapi.Message) time.Time {
	if msg.InternalDate == 0 {
		return time.Time{}
	}
	return time.UnixMilli(msg.InternalDate).UTC()
}

// validRef reports whether a ref can be one of Gmail's: others are not put
// into a request's path.
func validRef(ref provider.Ref) bool {
	if len(ref) == 0 || len(ref) > 64 {
		return false
	}
	_, err := strconv.ParseUint(string(ref), 16, 64)
	return err == nil
}
