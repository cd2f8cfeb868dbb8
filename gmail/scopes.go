package gmail

import (
	"slices"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// The scopes, as Google spells them
// (https://developers.google.com/workspace/gmail/api/auth/scopes).
const (
	scopeSend     = "https://www.googleapis.com/auth/gmail.send"
	scopeReadonly = "https://www.googleapis.com/auth/gmail.readonly"
	scopeMetadata = "https://www.googleapis.com/auth/gmail.metadata"
	scopeModify   = "https://www.googleapis.com/auth/gmail.modify"
	scopeFull     = "https://mail.google.com/"
	scopeCompose  = "https://www.googleapis.com/auth/gmail.compose"
)

// scopesFor returns what is asked for; nil for an access not offered.
func scopesFor(a provider.Access) []string {
	switch a {
	case provider.AccessSend:
		return []string{"openid", "email", scopeSend}
	case provider.AccessEnvelopes:
		return []string{"openid", "email", scopeSend, scopeMetadata}
	case provider.AccessReplies:
		return []string{"openid", "email", scopeSend, scopeReadonly}
	}
	return nil
}

// normalizeScopes undoes the spellings that Google answers with.
func normalizeScopes(granted string) []string {
	var out []string
	for _, s := range strings.Fields(granted) {
		switch s {
		case "https://www.googleapis.com/auth/userinfo.email":
			s = "email"
		case "https://www.googleapis.com/auth/userinfo.profile":
			s = "profile"
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

// accessOf says what the scopes are good for. The reason is empty if they
// are good for anything. Asked is what the consent page asked for, or the
// access that a grant has: empty where it is not known.
func accessOf(scopes []string, asked provider.Access) (provider.Access, string) {
	has := func(any ...string) bool {
		return slices.ContainsFunc(any, func(s string) bool { return slices.Contains(scopes, s) })
	}
	if !has(scopeSend, scopeCompose, scopeModify, scopeFull) {
		return "", "send_scope_missing"
	}
	wide, metadata := has(scopeReadonly, scopeModify, scopeFull), has(scopeMetadata)
	switch {
	case metadata && (!wide || asked == provider.AccessEnvelopes):
		return provider.AccessEnvelopes, "" // all that Gmail lets such a token do
	case metadata:
		// Reads would be refused although the wider scope was granted.
		return "", "metadata_scope_beside_wider"
	case wide:
		return provider.AccessReplies, ""
	}
	return provider.AccessSend, ""
}
