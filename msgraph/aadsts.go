package msgraph

import "github.com/outreachkit/outreach/provider"

// meaning is an explanation. Mender and remedy are empty where the common
// ones of the reason fit.
type meaning struct {
	reason provider.Reason
	mender provider.Mender
	remedy string
}

func known(number int) bool { return meaningOfNumber(number).reason != "" }

// meaningOfNumber explains the numbers of
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
// They only explain: what is done about an error does not hang on them.
func meaningOfNumber(n int) meaning {
	switch n {
	// An administrator has to approve the app.
	case 90094, 650056:
		return meaning{reason: provider.ReasonAdminConsentRequired}
	case 90095:
		return meaning{reason: provider.ReasonAdminConsentPending}
	case 90093:
		return meaning{reason: provider.ReasonAdminRightsMissing}

	// The user has to, or would not.
	case 65001, 90008:
		return meaning{reason: provider.ReasonConsentRequired}
	case 65004:
		return meaning{reason: provider.ReasonUserDeclined}
	case 50105:
		return meaning{reason: provider.ReasonNotAssigned}

	// The app is not there in the organisation.
	case 700016, 700011, 70001, 1000031, 650052, 500011, 90099:
		return meaning{provider.ReasonAppUnknown, "", "Your organisation does not know this application, or has removed it. Ask your administrator to approve it; if it is nobody's organisation that works, whoever runs the application has to check its registration."}
	case 7000112:
		return meaning{reason: provider.ReasonAppDisabled}

	// Another account, or another tenant.
	case 50020, 50034, 51004, 16000, 90072:
		return meaning{reason: provider.ReasonWrongTenant}
	case 90002, 50128, 50059:
		return meaning{provider.ReasonWrongTenant, "", "Microsoft does not know the organisation that was named. Check its name, or link without naming one."}
	case 9002332, 500208, 500200:
		return meaning{reason: provider.ReasonWrongAccountType}
	case 50194:
		return meaning{provider.ReasonAppMisconfigured, "", "This application is registered for one organisation and was asked to serve all. Whoever runs it has to name that organisation or register it for several; your mailbox is not at fault."}
	case 500021, 500022, 500212, 500213:
		return meaning{reason: provider.ReasonTenantRestricted}

	// How and where one may sign in.
	case 53000, 53001, 53002, 53003, 530032, 530035, 50005, 50097, 50131, 50155, 50158, 53011:
		return meaning{reason: provider.ReasonConditionalAccess}
	case 50072, 50074, 50076, 50078, 50079, 53004, 53010:
		return meaning{reason: provider.ReasonMFARequired}

	// The grant has ended.
	case 700082, 70008:
		return meaning{reason: provider.ReasonExpiredDisuse}
	case 700084:
		return meaning{provider.ReasonExpiredLimit, provider.MendOperator, "Microsoft ends the permission after a day, because this application is registered as a single-page one. Link the mailbox again to go on for now; whoever runs the application has to register its address under Web."}
	case 50173, 70000:
		return meaning{reason: provider.ReasonGrantRevoked}
	case 50089, 70043:
		return meaning{reason: provider.ReasonSignInAgain}
	case 50132, 50133:
		return meaning{reason: provider.ReasonPasswordChanged}
	case 50055, 50144, 50056, 50135:
		return meaning{reason: provider.ReasonPasswordExpired}
	case 50126:
		return meaning{provider.ReasonSignInAgain, "", "Microsoft did not take the name or the password. Link the mailbox again and sign in."}

	// The account.
	case 50057:
		return meaning{reason: provider.ReasonAccountDisabled}
	case 50053:
		return meaning{reason: provider.ReasonAccountLocked}

	// The code of a callback.
	case 54005, 50147, 501481, 501491, 700005:
		return meaning{reason: provider.ReasonCodeMisused}

	// The app's own credentials and set-up.
	case 7000215, 70002:
		return meaning{reason: provider.ReasonAppSecretWrong}
	case 7000222:
		return meaning{reason: provider.ReasonAppSecretExpired}
	case 700027:
		return meaning{provider.ReasonAppSecretWrong, "", "Microsoft does not take this application's own certificate: it has expired or is not registered. Whoever runs the application has to register it; your mailbox is not at fault, and all goes on by itself then."}
	case 700024:
		return meaning{reason: provider.ReasonClockSkew}
	case 7000218, 700025, 65005, 70011, 650057, 50011, 700021, 700023:
		return meaning{reason: provider.ReasonAppMisconfigured}

	// Later.
	case 50033, 90006, 90012, 90024, 90033, 90090, 50087, 70012:
		return meaning{reason: provider.ReasonTemporary}
	case 90055:
		return meaning{provider.ReasonThrottled, "", "Microsoft makes your whole organisation wait for now. It goes on by itself."}
	case 50196:
		return meaning{reason: provider.ReasonLooping}
	}
	return meaning{}
}

// meaningOfSuberror explains those of invalid_grant and interaction_required
// (https://learn.microsoft.com/entra/msal/dotnet/advanced/exceptions/msal-error-handling).
func meaningOfSuberror(sub string) meaning {
	switch sub {
	case "basic_action", "additional_action", "token_expired":
		return meaning{reason: provider.ReasonSignInAgain}
	case "message_only", "protection_policy_required", "device_authentication_failed":
		return meaning{reason: provider.ReasonConditionalAccess}
	case "consent_required":
		return meaning{reason: provider.ReasonConsentRequired}
	case "user_password_expired":
		return meaning{reason: provider.ReasonPasswordExpired}
	case "bad_token":
		return meaning{reason: provider.ReasonGrantRevoked}
	}
	return meaning{}
}

// meaningOfError explains the error codes of RFC 6749, OpenID Connect Core
// section 3.1.2.6 and Entra.
func meaningOfError(code string, kind provider.ErrorKind) meaning {
	switch code {
	case "invalid_grant":
		if kind == provider.ErrRejected {
			return meaning{reason: provider.ReasonCodeMisused}
		}
		return meaning{reason: provider.ReasonGrantRevoked}
	case "interaction_required", "login_required":
		return meaning{reason: provider.ReasonSignInAgain}
	case "consent_required":
		return meaning{reason: provider.ReasonConsentRequired}
	case "access_denied":
		if kind == provider.ErrMailboxUnusable {
			return meaning{reason: provider.ReasonAdminBlocked}
		}
		return meaning{reason: provider.ReasonUserDeclined}
	case "invalid_client":
		return meaning{reason: provider.ReasonAppSecretWrong}
	case "unauthorized_client", "unsupported_grant_type", "invalid_resource", "invalid_scope", "invalid_request", "unsupported_response_type":
		if kind == provider.ErrRejected {
			return meaning{reason: provider.ReasonCodeMisused}
		}
		return meaning{reason: provider.ReasonAppMisconfigured}
	case "temporarily_unavailable", "server_error":
		return meaning{reason: provider.ReasonTemporary}
	}
	return meaning{}
}
