package outreach_test

import (
	"strconv"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
)

// microsoftSituations are, for the token endpoint, all numbers of
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
// that a grant or a sign-in can meet.
func microsoftSituations() []situation {
	const s = "msgraph"
	var out []situation
	refresh := func(reason provider.Reason, mender provider.Mender, kind error, code string, numbers ...int) {
		for _, n := range numbers {
			name := "AADSTS" + strconv.Itoa(n)
			out = append(out, situation{name, s, "refresh", refusal{}, entraToken(code, n, ""), reason, mender, kind, name})
		}
	}
	const grant = "invalid_grant"
	refresh(provider.ReasonAdminConsentRequired, provider.MendAdmin, provider.ErrRelink, grant, 90094, 650056)
	refresh(provider.ReasonAdminConsentPending, provider.MendAdmin, provider.ErrRelink, "interaction_required", 90095)
	refresh(provider.ReasonAdminRightsMissing, provider.MendAdmin, provider.ErrRelink, grant, 90093)
	refresh(provider.ReasonConsentRequired, provider.MendUser, provider.ErrRelink, grant, 65001, 90008)
	refresh(provider.ReasonConsentRequired, provider.MendUser, provider.ErrRelink, "consent_required", 65001)
	refresh(provider.ReasonUserDeclined, provider.MendUser, provider.ErrRelink, "consent_required", 65004)
	refresh(provider.ReasonNotAssigned, provider.MendAdmin, provider.ErrMailboxUnusable, grant, 50105)
	refresh(provider.ReasonAppUnknown, provider.MendAdmin, provider.ErrApp, "unauthorized_client", 700016, 700011, 70001, 1000031, 90099)
	refresh(provider.ReasonAppUnknown, provider.MendAdmin, provider.ErrApp, "invalid_resource", 650052, 500011)
	refresh(provider.ReasonAppDisabled, provider.MendAdmin, provider.ErrApp, grant, 7000112)
	refresh(provider.ReasonWrongTenant, provider.MendUser, provider.ErrRelink, grant, 50020, 50034, 51004, 16000, 90072, 50128, 50059)
	refresh(provider.ReasonWrongTenant, provider.MendUser, provider.ErrApp, "invalid_request", 90002)
	refresh(provider.ReasonWrongAccountType, provider.MendUser, nil, grant, 9002332, 500208)
	refresh(provider.ReasonTenantRestricted, provider.MendAdmin, provider.ErrMailboxUnusable, grant, 500021, 500022, 500212, 500213)
	refresh(provider.ReasonConditionalAccess, provider.MendAdmin, provider.ErrRelink, grant, 53000, 53001, 53002, 53003, 530032, 530035, 50005, 50097, 50131, 50155, 50158, 53011)
	refresh(provider.ReasonMFARequired, provider.MendUser, provider.ErrRelink, "interaction_required", 50072, 50074, 50076, 50078, 50079, 53004, 53010)
	refresh(provider.ReasonExpiredDisuse, provider.MendUser, provider.ErrRelink, grant, 70008, 700082)
	refresh(provider.ReasonExpiredLimit, provider.MendOperator, provider.ErrRelink, grant, 700084)
	refresh(provider.ReasonGrantRevoked, provider.MendUser, provider.ErrRelink, grant, 50173, 70000)
	refresh(provider.ReasonSignInAgain, provider.MendUser, provider.ErrRelink, grant, 50089, 70043, 50126)
	refresh(provider.ReasonPasswordChanged, provider.MendUser, provider.ErrRelink, grant, 50132, 50133)
	refresh(provider.ReasonPasswordExpired, provider.MendUser, provider.ErrRelink, grant, 50055, 50144, 50056, 50135)
	refresh(provider.ReasonAccountDisabled, provider.MendAdmin, provider.ErrMailboxUnusable, grant, 50057)
	refresh(provider.ReasonAccountLocked, provider.MendUser, provider.ErrMailboxUnusable, grant, 50053)
	refresh(provider.ReasonAppSecretWrong, provider.MendOperator, provider.ErrApp, "invalid_client", 7000215, 70002, 700027)
	refresh(provider.ReasonAppSecretExpired, provider.MendOperator, provider.ErrApp, "invalid_client", 7000222)
	refresh(provider.ReasonClockSkew, provider.MendOperator, provider.ErrApp, "invalid_client", 700024)
	refresh(provider.ReasonAppMisconfigured, provider.MendOperator, provider.ErrApp, "invalid_client", 7000218, 700025)
	refresh(provider.ReasonAppMisconfigured, provider.MendOperator, provider.ErrApp, "invalid_scope", 70011)
	refresh(provider.ReasonAppMisconfigured, provider.MendOperator, provider.ErrApp, "invalid_resource", 65005, 650057)
	refresh(provider.ReasonAppMisconfigured, provider.MendOperator, provider.ErrApp, "invalid_request", 50011, 50194)
	refresh(provider.ReasonTemporary, provider.MendNobody, provider.ErrTemporary, "temporarily_unavailable", 50033, 90006, 90012, 90024, 90033, 90090, 50087, 70012)
	refresh(provider.ReasonThrottled, provider.MendNobody, provider.ErrThrottled, "temporarily_unavailable", 90055)
	// Whatever error these come with: the grant is not at fault.
	refresh(provider.ReasonLooping, provider.MendOperator, provider.ErrThrottled, grant, 50196)
	refresh(provider.ReasonAppSecretExpired, provider.MendOperator, provider.ErrApp, grant, 7000222)
	refresh(provider.ReasonTemporary, provider.MendNobody, provider.ErrTemporary, grant, 90033)
	// A number explains, and condemns nothing: the error does that.
	refresh(provider.ReasonGrantRevoked, provider.MendUser, provider.ErrTemporary, "temporarily_unavailable", 50173)
	// Numbers that are not known keep the code, and fall to what the error says.
	for code, want := range map[string]situation{
		grant:                  {reason: provider.ReasonGrantRevoked, mender: provider.MendUser, kind: provider.ErrRelink},
		"invalid_client":       {reason: provider.ReasonAppSecretWrong, mender: provider.MendOperator, kind: provider.ErrApp},
		"interaction_required": {reason: provider.ReasonSignInAgain, mender: provider.MendUser, kind: provider.ErrRelink},
		"something_new":        {reason: provider.ReasonTemporary, mender: provider.MendNobody, kind: provider.ErrTemporary},
	} {
		out = append(out, situation{"an unknown number with " + code, s, "refresh", refusal{}, entraToken(code, 599999, ""), want.reason, want.mender, want.kind, "AADSTS599999." + code})
	}

	api := func(status int, code string) answer { return answer{status: status, code: code} }
	return append(out, []situation{
		{"suberror bad_token", s, "refresh", refusal{}, entraToken(grant, 599999, "bad_token"), provider.ReasonGrantRevoked, provider.MendUser, provider.ErrRelink, "AADSTS599999.bad_token"},
		{"suberror message_only", s, "refresh", refusal{}, entraToken(grant, 599999, "message_only"), provider.ReasonConditionalAccess, provider.MendAdmin, provider.ErrRelink, "AADSTS599999.message_only"},
		{"suberror basic_action", s, "refresh", refusal{}, entraToken("interaction_required", 0, "basic_action"), provider.ReasonSignInAgain, provider.MendUser, provider.ErrRelink, "interaction_required.basic_action"},
		{"suberror user_password_expired", s, "refresh", refusal{}, entraToken(grant, 599999, "user_password_expired"), provider.ReasonPasswordExpired, provider.MendUser, provider.ErrRelink, ""},
		{"suberror consent_required", s, "refresh", refusal{}, entraToken(grant, 0, "consent_required"), provider.ReasonConsentRequired, provider.MendUser, provider.ErrRelink, ""},
		{"an organisation that waits", s, "refresh", refusal{}, answer{status: 429, body: `{"error":"throttled"}`, retry: time.Minute}, provider.ReasonThrottled, provider.MendNobody, provider.ErrThrottled, ""},
		{"a page instead of an answer", s, "refresh", refusal{}, answer{status: 502, body: `<html>canary</html>`}, provider.ReasonTemporary, provider.MendNobody, provider.ErrTemporary, "http_502"},

		{"the user cancels", s, "consent", refusal{number: 65004}, answer{}, provider.ReasonUserDeclined, provider.MendUser, linking.ErrDenied, "AADSTS65004"},
		{"the user cancels, in other words", s, "consent", refusal{number: 65004, code: "consent_required"}, answer{}, provider.ReasonUserDeclined, provider.MendUser, linking.ErrDenied, "AADSTS65004"},
		{"an administrator has to approve", s, "consent", refusal{number: 90094}, answer{}, provider.ReasonAdminConsentRequired, provider.MendAdmin, linking.ErrDenied, "AADSTS90094"},
		{"an administrator was asked", s, "consent", refusal{number: 90095}, answer{}, provider.ReasonAdminConsentPending, provider.MendAdmin, linking.ErrDenied, ""},
		{"no administrator", s, "consent", refusal{number: 90093}, answer{}, provider.ReasonAdminRightsMissing, provider.MendAdmin, linking.ErrDenied, ""},
		{"not one of the chosen", s, "consent", refusal{number: 50105, code: "invalid_grant"}, answer{}, provider.ReasonNotAssigned, provider.MendAdmin, linking.ErrRefused, ""},
		{"a policy", s, "consent", refusal{number: 53003, code: "interaction_required"}, answer{}, provider.ReasonConditionalAccess, provider.MendAdmin, linking.ErrDenied, ""},
		{"a number nobody knows", s, "consent", refusal{number: 599999, code: "server_error"}, answer{}, provider.ReasonTemporary, provider.MendNobody, linking.ErrRefused, "AADSTS599999.server_error"},

		{"a code that was used", s, "exchange", refusal{}, entraToken(grant, 54005, ""), provider.ReasonCodeMisused, provider.MendUser, provider.ErrRejected, "AADSTS54005"},
		{"a code that is too old", s, "exchange", refusal{}, entraToken(grant, 70008, ""), provider.ReasonCodeMisused, provider.MendUser, provider.ErrRejected, "AADSTS70008"},
		{"another verifier", s, "exchange", refusal{}, entraToken(grant, 501481, ""), provider.ReasonCodeMisused, provider.MendUser, provider.ErrRejected, ""},
		{"no verifier", s, "exchange", refusal{}, entraToken("invalid_request", 50147, ""), provider.ReasonCodeMisused, provider.MendUser, provider.ErrRejected, ""},
		{"a challenge of a wrong size", s, "exchange", refusal{}, entraToken("invalid_request", 501491, ""), provider.ReasonCodeMisused, provider.MendUser, provider.ErrRejected, ""},
		{"another tenant's code", s, "exchange", refusal{}, entraToken(grant, 700005, ""), provider.ReasonCodeMisused, provider.MendUser, provider.ErrRejected, ""},
		{"a second proof is asked for", s, "exchange", refusal{}, entraToken("interaction_required", 50079, "basic_action"), provider.ReasonMFARequired, provider.MendUser, provider.ErrRejected, "AADSTS50079"},
		{"a secret that has expired", s, "exchange", refusal{}, entraToken("invalid_client", 7000222, ""), provider.ReasonAppSecretExpired, provider.MendOperator, provider.ErrApp, ""},
		{"a wrong redirect", s, "exchange", refusal{}, entraToken("invalid_client", 50011, ""), provider.ReasonAppMisconfigured, provider.MendOperator, provider.ErrApp, ""},

		// https://learn.microsoft.com/graph/errors, https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode
		{"no licence, or on premises, or a guest", s, "profile", refusal{}, api(404, "MailboxNotEnabledForRESTAPI"), provider.ReasonMailboxNotServed, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"the same behind a 401", s, "profile", refusal{}, api(401, "MailboxNotEnabledForRESTAPI"), provider.ReasonMailboxNotServed, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"another kind of mailbox", s, "profile", refusal{}, api(404, "MailboxNotSupportedForRESTAPI"), provider.ReasonMailboxNotServed, provider.MendUser, provider.ErrMailboxUnusable, ""},
		{"no such user", s, "profile", refusal{}, api(404, "ResourceNotFound"), provider.ReasonMailboxMissing, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"no such mailbox", s, "profile", refusal{}, api(404, "ErrorMailboxNotFound"), provider.ReasonMailboxMissing, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"no such mailbox at all", s, "profile", refusal{}, api(404, "ErrorNonExistentMailbox"), provider.ReasonMailboxMissing, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"an invalid user", s, "profile", refusal{}, api(404, "ErrorInvalidUser"), provider.ReasonMailboxMissing, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"an application access policy", s, "profile", refusal{}, api(403, "extensionError"), provider.ReasonMailboxNotServed, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"suspended", s, "profile", refusal{}, api(403, "ErrorAccountSuspend"), provider.ReasonMailboxSuspended, provider.MendUser, provider.ErrMailboxUnusable, ""},
		{"suspended, and told to pay", s, "send", refusal{}, api(403, "ErrorAccountSuspendShowTierUpgrade"), provider.ReasonMailboxSuspended, provider.MendUser, provider.ErrMailboxUnusable, ""},
		{"blocked", s, "send", refusal{}, api(403, "ErrorMessageSubmissionBlocked"), provider.ReasonSendingBlocked, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"blocked for this mail", s, "send", refusal{}, api(403, "ErrorMessageBlocked"), provider.ReasonSendingBlocked, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"too many mails", s, "send", refusal{}, api(429, "ErrorExceededMessageLimit"), provider.ReasonSendingLimit, provider.MendNobody, provider.ErrThrottled, ""},
		{"too many mails, and told to pay", s, "send", refusal{}, api(429, "ErrorExceededMessageLimitShowTierUpgrade"), provider.ReasonSendingLimit, provider.MendNobody, provider.ErrThrottled, ""},
		{"too many recipients", s, "send", refusal{}, api(403, "ErrorExceededMaxRecipientLimit"), provider.ReasonSendingLimit, provider.MendNobody, provider.ErrThrottled, ""},
		{"too many recipients, and blocked", s, "send", refusal{}, api(403, "ErrorExceededMaxRecipientLimitBlock"), provider.ReasonSendingLimit, provider.MendNobody, provider.ErrThrottled, ""},
		{"full", s, "send", refusal{}, api(403, "ErrorQuotaExceeded"), provider.ReasonMailboxFull, provider.MendUser, provider.ErrMailboxUnusable, ""},
		{"full, by its status", s, "profile", refusal{}, answer{status: 507, body: `{}`}, provider.ReasonMailboxFull, provider.MendUser, provider.ErrMailboxUnusable, "http_507"},
		{"full, by an inner code", s, "profile", refusal{}, answer{status: 507, code: "generalException", inner: "quotaLimitReached"}, provider.ReasonMailboxFull, provider.MendUser, provider.ErrMailboxUnusable, "quotaLimitReached"},
		{"no permission", s, "profile", refusal{}, api(403, "ErrorAccessDenied"), provider.ReasonAccessMissing, provider.MendAdmin, provider.ErrAccess, ""},
		{"another's address", s, "send", refusal{}, api(403, "ErrorSendAsDenied"), provider.ReasonSenderNotAllowed, provider.MendAdmin, provider.ErrSenderNotAllowed, ""},
		{"moved", s, "profile", refusal{}, api(404, "ErrorItemNotFound"), provider.ReasonNotFound, provider.MendNobody, provider.ErrNotFound, ""},
		{"no token does", s, "profile", refusal{}, api(401, "InvalidAuthenticationToken"), provider.ReasonTemporary, provider.MendNobody, provider.ErrTemporary, ""},
		{"a policy", s, "profile", refusal{}, api(403, "insufficient_claims"), provider.ReasonConditionalAccess, provider.MendUser, provider.ErrAccess, ""},
		{"too fast", s, "profile", refusal{}, answer{status: 429, code: "ApplicationThrottled", retry: time.Second}, provider.ReasonThrottled, provider.MendNobody, provider.ErrThrottled, ""},
		{"the feed is too old", s, "profile", refusal{}, api(410, "syncStateNotFound"), provider.ReasonCursorExpired, provider.MendNobody, provider.ErrCursorExpired, ""},
		{"a code nobody knows", s, "profile", refusal{}, api(403, "ErrorOfTomorrow"), provider.ReasonAccessMissing, provider.MendUser, provider.ErrAccess, "ErrorOfTomorrow"},
	}...)
}
