package gmail

import "github.com/outreachkit/outreach/provider"

var _ provider.AdminAdviser = (*Provider)(nil)

// AdviseAdmin implements provider.AdminAdviser: how a Workspace administrator
// allows an app (https://support.google.com/a/answer/7281227). Google has no
// page that does it in one step.
func (p *Provider) AdviseAdmin(req provider.AdminRequest) (provider.AdminAdvice, error) {
	scopes := scopesFor(req.Access)
	if scopes == nil {
		return provider.AdminAdvice{}, &provider.Error{Kind: provider.ErrAccess, Op: "gmail: advise", Reason: "access_not_offered"}
	}
	a := provider.AdminAdvice{Service: serviceName + " Workspace", ClientID: p.oauth.ClientID, Steps: []string{
		"In the Google Admin console open Security, Access and data control, API controls.",
		"Under App access control choose Manage third-party app access, and there Configure new app.",
		"Search for the OAuth client ID " + p.oauth.ClientID + " and choose the application.",
		"Choose the organisational units whose people may use it.",
		"Choose Specific Google data with exactly the permissions listed here, or Trusted, and finish.",
	}}
	for _, s := range scopes {
		a.Permissions = append(a.Permissions, provider.Permission{Name: s, Why: purpose(s)})
	}
	return a, nil
}

// purpose says why a scope is asked for.
func purpose(scope string) string {
	switch scope {
	case "openid":
		return "To recognise the account by Google's own number for it, so that nobody can link another's mailbox."
	case "email":
		return "To know and show the address of the mailbox that is linked."
	case scopeSend:
		return "To send mail that the mailbox's user writes or approves, from their own address. It reads nothing."
	case scopeMetadata:
		return "To see by its headers that an answer to that mail has come, so that follow-ups stop at once. No text and no attachment of any mail can be read with it, and nothing is changed or deleted."
	case scopeReadonly:
		return "To see answers to that mail and reports on its delivery, so that follow-ups stop at once and the conversation can be shown. Mail that belongs to no such conversation is not opened, and nothing is changed or deleted."
	}
	return ""
}
