package msgraph

import (
	"slices"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// The delegated permissions, as
// https://learn.microsoft.com/graph/permissions-reference spells them. Mail.ReadBasic
// is never asked for beside a wider one, and nothing that writes ever is.
const (
	scopeSend      = "Mail.Send"
	scopeBasic     = "Mail.ReadBasic"
	scopeRead      = "Mail.Read"
	scopeReadWrite = "Mail.ReadWrite"
	scopeUser      = "User.Read"
)

// scopesFor returns what is asked for; nil for an access not offered. Names
// without a resource are Microsoft Graph's.
func scopesFor(a provider.Access) []string {
	base := []string{"openid", "profile", "offline_access", scopeUser, scopeSend}
	switch a {
	case provider.AccessSend:
		return base
	case provider.AccessEnvelopes:
		return append(base, scopeBasic)
	case provider.AccessReplies:
		return append(base, scopeRead)
	}
	return nil
}

// normalizeScopes undoes the spellings that Entra answers with: any case, and
// with or without the resource.
func normalizeScopes(granted string) []string {
	var out []string
	for _, s := range strings.Fields(granted) {
		if i := strings.LastIndexByte(s, '/'); i >= 0 {
			s = s[i+1:]
		}
		for _, known := range []string{scopeSend, scopeRead, scopeReadWrite, scopeUser, scopeBasic, "openid", "profile", "email", "offline_access"} {
			if strings.EqualFold(s, known) {
				s = known
			}
		}
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

// accessOf says what the scopes are good for. The reason is empty if they
// are good for anything.
func accessOf(scopes []string) (provider.Access, string) {
	has := func(s string) bool { return slices.Contains(scopes, s) }
	switch {
	case !has(scopeSend):
		return "", "send_scope_missing"
	case has(scopeRead) || has(scopeReadWrite):
		return provider.AccessReplies, ""
	case has(scopeBasic):
		return provider.AccessEnvelopes, ""
	}
	return provider.AccessSend, ""
}
