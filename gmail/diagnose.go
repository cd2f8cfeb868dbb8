package gmail

import (
	"errors"

	"github.com/outreachkit/outreach/provider"
)

// Diagnose implements provider.Provider.
func (p *Provider) Diagnose(err error) provider.Diagnosis {
	var pe *provider.Error
	if !errors.As(err, &pe) {
		return provider.Diagnosis{
			Reason: "unknown", Mender: provider.MendNobody,
			Remedy: "Something went wrong that has no name. Try again later; if it stays, contact support.",
		}
	}
	d := diagnosisOf(pe)
	d.Params = map[string]string{"code": pe.Reason}
	return d
}

func diagnosisOf(pe *provider.Error) provider.Diagnosis {
	switch pe.Kind {
	case provider.ErrRelink:
		switch pe.Reason {
		case "invalid_rapt":
			return provider.Diagnosis{Reason: "sign_in_again", Mender: provider.MendUser,
				Remedy: "Your organisation asks you to sign in to Google again from time to time. Link the mailbox again."}
		case "no_refresh_token":
			return provider.Diagnosis{Reason: "consent_again", Mender: provider.MendUser,
				Remedy: "Google did not grant lasting access. Link the mailbox again and allow it."}
		}
		return provider.Diagnosis{Reason: "grant_revoked", Mender: provider.MendUser,
			Remedy: "Google no longer accepts the permission you gave: it was withdrawn, it expired, or your password changed. Link the mailbox again."}
	case provider.ErrAccess:
		if pe.Reason == "send_scope_missing" {
			return provider.Diagnosis{Reason: "scopes_unticked", Mender: provider.MendUser,
				Remedy: "Google's page has a box for each permission. Link the mailbox again and tick the box for sending mail."}
		}
		return provider.Diagnosis{Reason: "access_missing", Mender: provider.MendUser,
			Remedy: "This needs a permission that was not granted. Link the mailbox again and tick all boxes."}
	case provider.ErrApp:
		return provider.Diagnosis{Reason: "app_misconfigured", Mender: provider.MendOperator,
			Remedy: "Google refuses this application. Its operator has to check the OAuth client; your mailbox is not at fault."}
	case provider.ErrThrottled:
		return provider.Diagnosis{Reason: "throttled", Mender: provider.MendNobody,
			Remedy: "Google asks to wait. Sending goes on by itself."}
	case provider.ErrMailboxUnusable:
		switch pe.Reason {
		case "domainPolicy", "admin_policy_enforced", "access_denied", "org_internal":
			return provider.Diagnosis{Reason: "admin_blocked", Mender: provider.MendAdmin,
				Remedy: "Your Google Workspace administrator has blocked this application. Ask them to allow it."}
		case "failedPrecondition", "FAILED_PRECONDITION":
			return provider.Diagnosis{Reason: "mailbox_missing", Mender: provider.MendAdmin,
				Remedy: "This Google account has no Gmail mailbox. Link an account that has one, or ask your administrator to switch Gmail on."}
		}
		return provider.Diagnosis{Reason: "mailbox_unusable", Mender: provider.MendUser,
			Remedy: "This mailbox can't be used. Link it again; if that does not help, choose another account."}
	}
	return provider.Diagnosis{Reason: "temporary", Mender: provider.MendNobody,
		Remedy: "Google could not be reached or could not answer. It is tried again by itself."}
}
