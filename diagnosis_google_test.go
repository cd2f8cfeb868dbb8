package outreach_test

import (
	"net/http"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
)

func googleSituations() []situation {
	const s = "gmail"
	api := func(status int, code string) answer { return answer{status: status, code: code} }
	return []situation{
		{"the user cancels, or is no tester", s, "consent", refusal{code: "access_denied"}, answer{}, provider.ReasonUserDeclined, provider.MendUser, linking.ErrDenied, "access_denied"},
		{"an administrator's no that does come back", s, "consent", refusal{code: "admin_policy_enforced"}, answer{}, provider.ReasonAdminBlocked, provider.MendAdmin, linking.ErrRefused, "admin_policy_enforced"},
		{"a code nobody knows", s, "consent", refusal{code: "something_new"}, answer{}, provider.ReasonRejected, provider.MendNobody, linking.ErrRefused, "something_new"},
		{"a bad moment", s, "consent", refusal{code: "temporarily_unavailable"}, answer{}, provider.ReasonTemporary, provider.MendNobody, provider.ErrTemporary, "temporarily_unavailable"},
		{"the box for sending is unticked", s, "consent", refusal{untick: []string{"gmail.send"}}, answer{}, provider.ReasonScopesUnticked, provider.MendUser, provider.ErrAccess, "send_scope_missing"},

		{"a code that was used", s, "exchange", refusal{}, googleToken(400, "invalid_grant", ""), provider.ReasonCodeMisused, provider.MendUser, provider.ErrRejected, "invalid_grant"},
		{"a wrong secret", s, "exchange", refusal{}, googleToken(401, "invalid_client", ""), provider.ReasonAppSecretWrong, provider.MendOperator, provider.ErrApp, "invalid_client"},
		{"a wrong redirect", s, "exchange", refusal{}, googleToken(400, "redirect_uri_mismatch", ""), provider.ReasonAppMisconfigured, provider.MendOperator, provider.ErrApp, ""},
		{"a bad request", s, "exchange", refusal{}, googleToken(400, "invalid_request", ""), provider.ReasonRejected, provider.MendNobody, provider.ErrRejected, ""},

		{"withdrawn", s, "refresh", refusal{}, googleToken(400, "invalid_grant", ""), provider.ReasonGrantRevoked, provider.MendUser, provider.ErrRelink, "invalid_grant"},
		{"session control", s, "refresh", refusal{}, googleToken(400, "invalid_grant", "invalid_rapt"), provider.ReasonSignInAgain, provider.MendUser, provider.ErrRelink, "invalid_rapt"},
		{"a wrong secret", s, "refresh", refusal{}, googleToken(401, "invalid_client", ""), provider.ReasonAppSecretWrong, provider.MendOperator, provider.ErrApp, "invalid_client"},
		{"a deleted client", s, "refresh", refusal{}, googleToken(401, "deleted_client", ""), provider.ReasonAppDisabled, provider.MendOperator, provider.ErrApp, "deleted_client"},
		{"another client's token", s, "refresh", refusal{}, googleToken(401, "unauthorized_client", ""), provider.ReasonAppMisconfigured, provider.MendOperator, provider.ErrApp, ""},
		{"a bad request", s, "refresh", refusal{}, googleToken(400, "invalid_request", ""), provider.ReasonAppMisconfigured, provider.MendOperator, provider.ErrApp, ""},
		{"a scope that is none", s, "refresh", refusal{}, googleToken(400, "invalid_scope", ""), provider.ReasonAppMisconfigured, provider.MendOperator, provider.ErrApp, ""},
		{"the administrator blocks", s, "refresh", refusal{}, googleToken(400, "admin_policy_enforced", ""), provider.ReasonAdminBlocked, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"access denied", s, "refresh", refusal{}, googleToken(403, "access_denied", ""), provider.ReasonAdminBlocked, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"an outage", s, "refresh", refusal{}, googleToken(503, "internal_failure", ""), provider.ReasonTemporary, provider.MendNobody, provider.ErrTemporary, ""},
		{"too fast", s, "refresh", refusal{}, answer{status: 429, body: `{"error":"rate_limit_exceeded"}`, retry: 30 * time.Second}, provider.ReasonThrottled, provider.MendNobody, provider.ErrThrottled, ""},
		{"a page instead of an answer", s, "refresh", refusal{}, answer{status: 502, body: `<html>canary</html>`}, provider.ReasonTemporary, provider.MendNobody, provider.ErrTemporary, "http_502"},
		{"a page instead of Gmail's answer", s, "profile", refusal{}, answer{status: 502, body: `<html>canary</html>`}, provider.ReasonTemporary, provider.MendNobody, provider.ErrTemporary, "http_502"},
		{"a code nobody knows", s, "refresh", refusal{}, googleToken(400, "something_new", ""), provider.ReasonTemporary, provider.MendNobody, provider.ErrTemporary, "something_new"},

		// https://developers.google.com/workspace/gmail/api/guides/handle-errors
		{"no token does", s, "profile", refusal{}, api(http.StatusUnauthorized, "authError"), provider.ReasonTemporary, provider.MendNobody, provider.ErrTemporary, "authError"},
		{"a box was unticked", s, "profile", refusal{}, api(403, "insufficientPermissions"), provider.ReasonAccessMissing, provider.MendUser, provider.ErrAccess, ""},
		{"metadata gets in the way", s, "profile", refusal{}, api(403, "forbidden"), provider.ReasonAccessMissing, provider.MendUser, provider.ErrAccess, "forbidden"},
		{"the project's day is over", s, "profile", refusal{}, api(403, "dailyLimitExceeded"), provider.ReasonAppQuota, provider.MendOperator, provider.ErrThrottled, ""},
		{"too fast", s, "send", refusal{}, api(429, "rateLimitExceeded"), provider.ReasonThrottled, provider.MendNobody, provider.ErrThrottled, ""},
		{"the domain's policy", s, "profile", refusal{}, api(403, "domainPolicy"), provider.ReasonAdminBlocked, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"Gmail is switched off", s, "profile", refusal{}, api(400, "failedPrecondition"), provider.ReasonMailboxMissing, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"Gmail is switched off and only sending tells", s, "send", refusal{}, api(400, "failedPrecondition"), provider.ReasonMailboxMissing, provider.MendAdmin, provider.ErrMailboxUnusable, ""},
		{"another's token", s, "profile", refusal{}, api(403, "delegationDenied"), provider.ReasonMailboxMixup, provider.MendOperator, provider.ErrMailboxUnusable, ""},
		{"the API is not switched on", s, "profile", refusal{}, api(403, "accessNotConfigured"), provider.ReasonAppMisconfigured, provider.MendOperator, provider.ErrApp, ""},
		{"a bad moment", s, "profile", refusal{}, api(503, "backendError"), provider.ReasonTemporary, provider.MendNobody, provider.ErrTemporary, ""},
		{"nobody knows whether it left", s, "send", refusal{}, api(503, "backendError"), provider.ReasonOutcomeUnknown, provider.MendUser, provider.ErrOutcomeUnknown, ""},
		{"too large", s, "send", refusal{}, api(413, "uploadTooLarge"), provider.ReasonTooLarge, provider.MendUser, provider.ErrTooLarge, ""},
		{"gone", s, "profile", refusal{}, api(404, "notFound"), provider.ReasonNotFound, provider.MendNobody, provider.ErrNotFound, ""},
		{"a refusal nobody knows", s, "send", refusal{}, api(400, "somethingNew"), provider.ReasonRejected, provider.MendNobody, provider.ErrRejected, "somethingNew"},
	}
}
