package gmail

import (
	"errors"
	"net/url"
	"time"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

const serviceName = "Google"

// Diagnose implements provider.Provider. Codes are those of the token
// endpoint, of Gmail's API, of this package, and those that Google shows on
// its own pages.
func (p *Provider) Diagnose(err error) provider.Diagnosis {
	var pe *provider.Error
	if !errors.As(err, &pe) {
		return provider.ExplainKind(err, serviceName)
	}
	if s, ok := provider.SituationOf(err); ok && pe.Kind == provider.ErrRelink && pe.Reason == "invalid_grant" {
		if reason := ended(s); reason != "" {
			return provider.Explain(reason, serviceName, provider.ErrorParams(err))
		}
	}
	reason, mender, remedy := reasonOfCode(pe)
	if reason == "" {
		return provider.ExplainKind(err, serviceName)
	}
	return provider.Explain(reason, serviceName, provider.ErrorParams(err)).With(mender, remedy)
}

// The lives of a grant
// (https://developers.google.com/identity/protocols/oauth2#expiration).
const (
	testingLife = 7 * 24 * time.Hour
	disuseLife  = 180 * 24 * time.Hour

	// bracket is how far apart the last good refresh and the first refused
	// one may lie for the end between them to count as found out at once.
	bracket = 48 * time.Hour
)

// ended tells from its age why a grant ended: all that Google says is
// invalid_grant. It tells only what the times leave no better explanation
// for; else the reason is empty.
func ended(s provider.Situation) provider.Reason {
	if s.Now.IsZero() {
		return ""
	}
	testing := s.Consented.Add(testingLife)
	switch {
	case !s.Used.IsZero() && s.Now.Sub(s.Used) >= disuseLife:
		return provider.ReasonExpiredDisuse
	case !s.Ends.IsZero() && !s.Now.Before(s.Ends):
		if !s.Consented.IsZero() && s.Ends.Sub(testing).Abs() < time.Minute {
			return provider.ReasonExpiredTesting
		}
		return provider.ReasonExpiredLimit
	case !s.Consented.IsZero() && !s.Used.IsZero() && s.Used.Before(testing) && !s.Now.Before(testing) && s.Now.Sub(s.Used) <= bracket:
		return provider.ReasonExpiredTesting
	}
	return ""
}

// reasonOfCode knows the codes that say more than their kind does. Mender and
// remedy are empty where the common ones fit.
func reasonOfCode(pe *provider.Error) (provider.Reason, provider.Mender, string) {
	switch pe.Reason {
	// The token endpoint (RFC 6749 section 5.2) and the callback.
	case "invalid_grant":
		if pe.Kind == provider.ErrRelink {
			return provider.ReasonGrantRevoked, "", "Google no longer accepts the permission you gave: it was withdrawn, it expired, or your password was changed. Link the mailbox again."
		}
		return provider.ReasonCodeMisused, "", ""
	case "invalid_rapt", "rapt_required":
		return provider.ReasonSignInAgain, "", ""
	case "invalid_client":
		return provider.ReasonAppSecretWrong, "", ""
	case "deleted_client", "disabled_client":
		return provider.ReasonAppDisabled, provider.MendOperator, "Google has no use for this application any more: its OAuth client was deleted or switched off. Whoever runs it has to bring that back; your mailbox is not at fault."
	case "access_denied":
		if pe.Kind == provider.ErrMailboxUnusable {
			return provider.ReasonAdminBlocked, "", ""
		}
		return provider.ReasonUserDeclined, "", "No permission was given, so nothing was linked: you cancelled, or Google said that this application is being tested and you are not one of its testers. Link the mailbox again; in the latter case whoever runs this application has to add you first."
	case "admin_policy_enforced":
		return provider.ReasonAdminBlocked, "", "Your Google Workspace administrator does not allow this application. Send them the request for approval, and link the mailbox again once they have allowed it."
	case "org_internal":
		return provider.ReasonWrongTenant, "", "This application is only for accounts of the organisation that made it. Link again and choose your account there."
	case "access_not_configured":
		return provider.ReasonAdminConsentRequired, "", "Your school's administrator has to set up this application before you can use it. Ask them to, then link the mailbox again."
	case "redirect_uri_mismatch", "unauthorized_client", "unsupported_grant_type", "invalid_scope":
		return provider.ReasonAppMisconfigured, "", ""
	case "disallowed_useragent":
		return provider.ReasonRequestInvalid, provider.MendUser, "Google does not let people sign in from within another application. Open this page in your browser, such as Chrome, Firefox or Safari, and link the mailbox there."
	case "temporarily_unavailable", "server_error", "internal_failure":
		return provider.ReasonTemporary, "", ""

	// The Gmail API (https://developers.google.com/workspace/gmail/api/guides/handle-errors).
	case "authError":
		return provider.ReasonTemporary, "", "Google did not take the key to this mailbox this time. A new one is fetched by itself."
	case "insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT":
		return provider.ReasonAccessMissing, "", "Google's page has a box for each permission, and one that this needs was left unticked. Link the mailbox again and leave all boxes ticked."
	case "domainPolicy":
		return provider.ReasonAdminBlocked, "", "Your Google Workspace administrator has blocked this application, or all that read mail. Ask them to allow it."
	case "failedPrecondition", "FAILED_PRECONDITION":
		return provider.ReasonMailboxMissing, "", "This Google account has no Gmail mailbox: Gmail is switched off for it, or its mail is kept elsewhere. Link an account that has one, or ask your administrator to switch Gmail on."
	case "delegationDenied":
		return provider.ReasonMailboxMixup, "", ""
	case "dailyLimitExceeded":
		return provider.ReasonAppQuota, "", ""
	case "accessNotConfigured", "SERVICE_DISABLED":
		return provider.ReasonAppMisconfigured, "", "The Gmail API is not switched on for this application. Whoever runs it has to do that in its Google Cloud project; your mailbox is not at fault."

	// This package.
	case "send_scope_missing":
		return provider.ReasonScopesUnticked, "", "Google's page has a box for each permission, and the one for sending mail was left unticked. Link the mailbox again and leave all boxes ticked."
	case "metadata_scope_beside_wider":
		return provider.ReasonScopesConflict, "", ""
	case "id_token_missing", "id_token_invalid", "nonce_mismatch", "subject_missing", "issuer_mismatch":
		return provider.ReasonIdentity, "", ""
	case "address_not_verified":
		return provider.ReasonMailboxMissing, provider.MendUser, "Google has not verified the address of this account, so it is no Gmail mailbox. Link an account that has one."
	case "client_config":
		return provider.ReasonAppMisconfigured, "", ""
	}
	return "", "", ""
}

// ReadCallbackError implements provider.CallbackReader. Google sends back
// with access_denied; what else RFC 6749 section 4.1.2.1 names is taken as it
// is meant there.
func (p *Provider) ReadCallbackError(q url.Values) *provider.Error {
	e := &provider.Error{Kind: provider.ErrRejected, Op: "gmail: consent", Reason: courier.Code(q.Get("error"))}
	switch e.Reason {
	case "access_denied":
		e.Kind = provider.ErrAccess
	case "admin_policy_enforced", "org_internal", "access_not_configured":
		e.Kind = provider.ErrMailboxUnusable
	case "invalid_client", "deleted_client", "disabled_client", "unauthorized_client", "redirect_uri_mismatch", "invalid_scope",
		"unsupported_response_type", "invalid_request":
		e.Kind = provider.ErrApp
	case "temporarily_unavailable", "server_error":
		e.Kind = provider.ErrTemporary
	}
	return e
}

// Abandoned implements provider.Abandonment: the errors that Google shows on
// its own page (https://support.google.com/accounts/answer/16668185).
func (p *Provider) Abandoned() []provider.Diagnosis {
	var out []provider.Diagnosis
	for _, code := range []string{"admin_policy_enforced", "access_not_configured", "org_internal", "disallowed_useragent", "redirect_uri_mismatch", "invalid_client", "deleted_client"} {
		d := p.Diagnose(&provider.Error{Kind: provider.ErrMailboxUnusable, Reason: code})
		d.Remedy = "If Google said " + code + ": " + d.Remedy
		out = append(out, d)
	}
	return out
}

var (
	_ provider.CallbackReader = (*Provider)(nil)
	_ provider.Abandonment    = (*Provider)(nil)
)
