package gmail

import (
	"context"
	"slices"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
)

// senders lists the further addresses that the user may send from and has
// proven to be theirs
// (https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.settings.sendAs).
// Mail to one of them may still go to another mailbox: that it comes back here
// is for a preview to prove. gmail.send alone does not show them.
func (m *mailbox) senders(ctx context.Context, op string) ([]string, error) {
	if err := m.may(op, provider.AccessReplies); err != nil {
		return nil, err
	}
	list, err := m.svc.Users.Settings.SendAs.List(me).Fields("sendAs(sendAsEmail,isPrimary,verificationStatus)").Context(ctx).Do()
	if err != nil {
		return nil, m.fault(ctx, op, err)
	}
	var out []string
	for _, s := range list.SendAs {
		if !s.IsPrimary && s.VerificationStatus == "accepted" && provider.Normalize(s.SendAsEmail) != "" {
			out = append(out, s.SendAsEmail)
		}
	}
	return out, nil
}

// sendersOf asks with a token that was just granted. What can't be asked now
// is found out by a later Profile, and keeps nobody from linking.
func (p *Provider) sendersOf(ctx context.Context, g provider.Grant) []string {
	if !g.Access.Includes(provider.AccessReplies) {
		return nil
	}
	m := p.open(provider.Account{Subject: g.Identity.Subject, Address: g.Identity.Address, Access: g.Access}, granted{g.Token})
	list, err := m.senders(ctx, "gmail: exchange")
	if err != nil {
		return nil
	}
	return list
}

// granted is a TokenSource of one token.
type granted struct{ tok *oauth2.Token }

func (g granted) Token(context.Context) (*oauth2.Token, error) { return g.tok, nil }
func (granted) Refused(context.Context, *oauth2.Token, error)  {}

// merge adds the addresses that are not yet in the list.
func merge(list []string, more ...string) []string {
	for _, a := range more {
		if !slices.ContainsFunc(list, func(have string) bool { return provider.Normalize(have) == provider.Normalize(a) }) {
			list = append(list, a)
		}
	}
	return list
}
