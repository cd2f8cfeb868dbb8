package msgraph

import (
	"errors"
	"strings"

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
		case "AADSTS65001", "AADSTS90094", "consent_required":
			return provider.Diagnosis{Reason: "consent_again", Mender: provider.MendUser,
				Remedy: "The permission is missing or was withdrawn. Link the mailbox again; where your organisation asks for it, an administrator has to approve the application first."}
		case "no_refresh_token":
			return provider.Diagnosis{Reason: "consent_again", Mender: provider.MendUser,
				Remedy: "Microsoft did not grant lasting access. Link the mailbox again and allow it."}
		case "AADSTS50076", "AADSTS50079", "AADSTS50078", "AADSTS50072", "AADSTS50074", "AADSTS70043", "interaction_required", "login_required":
			return provider.Diagnosis{Reason: "sign_in_again", Mender: provider.MendUser,
				Remedy: "Your organisation asks you to sign in to Microsoft again. Link the mailbox again."}
		case "AADSTS53000", "AADSTS53001", "AADSTS53002", "AADSTS53003", "AADSTS530032", "AADSTS530035":
			return provider.Diagnosis{Reason: "admin_blocked", Mender: provider.MendAdmin,
				Remedy: "A conditional access policy of your organisation blocks this application. Ask your administrator to allow it."}
		}
		return provider.Diagnosis{Reason: "grant_revoked", Mender: provider.MendUser,
			Remedy: "Microsoft no longer accepts the permission you gave: it was withdrawn, or it expired. Link the mailbox again."}
	case provider.ErrAccess:
		if pe.Reason == "send_scope_missing" {
			return provider.Diagnosis{Reason: "access_missing", Mender: provider.MendUser,
				Remedy: "The permission to send mail was not granted. Link the mailbox again and allow it."}
		}
		return provider.Diagnosis{Reason: "access_missing", Mender: provider.MendUser,
			Remedy: "This needs a permission that was not granted. Link the mailbox again, or ask your administrator to approve the application."}
	case provider.ErrApp:
		return provider.Diagnosis{Reason: "app_misconfigured", Mender: provider.MendOperator,
			Remedy: "Microsoft refuses this application. Its operator has to check the app registration and its client secret; your mailbox is not at fault."}
	case provider.ErrThrottled:
		return provider.Diagnosis{Reason: "throttled", Mender: provider.MendNobody,
			Remedy: "Microsoft asks to wait. Sending goes on by itself."}
	case provider.ErrSenderNotAllowed:
		return provider.Diagnosis{Reason: "sender_not_allowed", Mender: provider.MendAdmin,
			Remedy: "This mailbox may not send from that address. Your administrator can allow it."}
	case provider.ErrMailboxUnusable:
		return unusable(strings.ToLower(pe.Reason))
	}
	return provider.Diagnosis{Reason: "temporary", Mender: provider.MendNobody,
		Remedy: "Microsoft could not be reached or could not answer. It is tried again by itself."}
}

func unusable(reason string) provider.Diagnosis {
	switch reason {
	case "mailboxnotenabledforrestapi", "mailboxnotsupportedforrestapi", "errormailboxnotfound", "errornonexistentmailbox",
		"resourcenotfound", "request_resourcenotfound", "errorinvaliduser", "extensionerror":
		return provider.Diagnosis{Reason: "mailbox_missing", Mender: provider.MendAdmin,
			Remedy: "This account has no mailbox that Microsoft 365 opens to applications: it may be unlicensed, on premises, or blocked by a policy. Ask your administrator, or link another account."}
	case "errorquotaexceeded", "quotalimitreached":
		return provider.Diagnosis{Reason: "mailbox_full", Mender: provider.MendUser,
			Remedy: "The mailbox is full, so that not even mail can be sent. Delete something or ask your administrator for more space."}
	case "aadsts50057", "aadsts50053", "erroraccountsuspend", "erroraccountsuspendshowtierupgrade":
		return provider.Diagnosis{Reason: "account_disabled", Mender: provider.MendAdmin,
			Remedy: "Microsoft has disabled or locked this account. Ask your administrator."}
	case "access_denied":
		return provider.Diagnosis{Reason: "admin_blocked", Mender: provider.MendAdmin,
			Remedy: "Your organisation does not allow this application. Ask your administrator to approve it."}
	}
	return provider.Diagnosis{Reason: "mailbox_unusable", Mender: provider.MendAdmin,
		Remedy: "Microsoft refuses to use this mailbox. Ask your administrator, or choose another account."}
}
