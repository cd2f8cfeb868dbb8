package msgraph

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

const serviceName = "Microsoft"

// Diagnose implements provider.Provider. Codes are Entra's numbers (as
// AADSTS50076), the error codes and suberrors of its endpoints, Graph's, and
// those of this package.
func (p *Provider) Diagnose(err error) provider.Diagnosis {
	var pe *provider.Error
	if !errors.As(err, &pe) {
		return provider.ExplainKind(err, serviceName)
	}
	m := meaningOf(pe)
	if m.reason == "" {
		return provider.ExplainKind(err, serviceName)
	}
	return provider.Explain(m.reason, serviceName, provider.ErrorParams(err)).With(m.mender, m.remedy)
}

func meaningOf(pe *provider.Error) meaning {
	code, why, _ := strings.Cut(pe.Reason, ".") // see codeFor
	if n, ok := numberOf(code); ok {
		if n == 70008 && pe.Kind == provider.ErrRejected {
			return meaning{reason: provider.ReasonCodeMisused} // it speaks of codes as well
		}
		if m := meaningOfNumber(n); m.reason != "" {
			return m
		}
	}
	if m := meaningOfSuberror(why); m.reason != "" {
		return m
	}
	for _, c := range []string{why, code} {
		if m := meaningOfError(c, pe.Kind); m.reason != "" {
			return m
		}
	}
	if m := meaningOfGraph(strings.ToLower(pe.Reason)); m.reason != "" {
		return m
	}
	return meaning{}
}

func numberOf(code string) (int, bool) {
	digits, ok := strings.CutPrefix(code, numbered)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0
}

// meaningOfGraph explains the codes of Graph and Exchange, see kindOfCode, and
// those of this package.
func meaningOfGraph(code string) meaning {
	switch code {
	case "mailboxnotenabledforrestapi":
		return meaning{reason: provider.ReasonMailboxNotServed}
	case "mailboxnotsupportedforrestapi":
		return meaning{provider.ReasonMailboxNotServed, provider.MendUser, "Microsoft does not open this kind of mailbox to applications. Link another account."}
	case "extensionerror":
		return meaning{provider.ReasonMailboxNotServed, "", "Microsoft does not open this mailbox to this application: it lies on a server of your organisation, or a policy of your organisation keeps applications out. Ask your administrator, or link another account."}
	case "resourcenotfound", "request_resourcenotfound", "errormailboxnotfound", "errornonexistentmailbox", "errorinvaliduser", "no_address":
		return meaning{reason: provider.ReasonMailboxMissing}
	case "errorquotaexceeded", "quotalimitreached", "http_507":
		return meaning{reason: provider.ReasonMailboxFull}
	case "erroraccountsuspend", "erroraccountsuspendshowtierupgrade":
		return meaning{reason: provider.ReasonMailboxSuspended}
	case "errormessagesubmissionblocked", "errormessageblocked":
		return meaning{reason: provider.ReasonSendingBlocked}
	case "errorexceededmessagelimit", "errorexceededmessagelimitshowtierupgrade", "errorexceededmaxrecipientlimit", "errorexceededmaxrecipientlimitblock":
		return meaning{reason: provider.ReasonSendingLimit}
	case "errorsendasdenied", "errorcannotsendonbehalfof":
		return meaning{reason: provider.ReasonSenderNotAllowed}
	case "erroraccessdenied", "accessdenied", "authorization_requestdenied":
		return meaning{provider.ReasonAccessMissing, provider.MendAdmin, "Microsoft does not allow this: the permission was not granted, a policy of your organisation keeps this application out, or the mailbox lost its licence. Link the mailbox again; if that does not help, ask your administrator."}
	case insufficientClaims:
		return meaning{provider.ReasonConditionalAccess, provider.MendUser, "A rule of your organisation asks for more proof of who you are than you gave when you linked this mailbox. Link it again and follow Microsoft's steps; if that does not help, ask your administrator."}
	case "invalidauthenticationtoken":
		return meaning{provider.ReasonTemporary, "", "Microsoft did not take the key to this mailbox this time. A new one is fetched by itself."}
	case "applicationthrottled", "toomanyrequests", "activitylimitreached", "errorserverbusy", "errortoomanyobjectsopened", "mailboxconcurrency":
		return meaning{reason: provider.ReasonThrottled}

	case "send_scope_missing":
		return meaning{provider.ReasonScopesUnticked, "", "The permission to send mail was not granted. Link the mailbox again and allow it; where your organisation asks for it, an administrator has to approve the application first."}
	case "no_admin_answer":
		return meaning{reason: provider.ReasonAdminDeclined}
	case "tenant_mismatch":
		return meaning{reason: provider.ReasonWrongTenant}
	case "id_token_missing", "id_token_invalid", "nonce_mismatch", "subject_missing", "issuer_mismatch":
		return meaning{reason: provider.ReasonIdentity}
	case "client_config", "assertion_not_signed":
		return meaning{reason: provider.ReasonAppMisconfigured}
	}
	return meaning{}
}

// descriptionNumber is the one place where a callback says which error it is:
// "AADSTS65004: ..." at the beginning of error_description
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes#handling-error-codes-in-your-application).
var descriptionNumber = regexp.MustCompile(`^AADSTS([0-9]{4,8}):`)

// callbackNumber returns the number of a callback's error, zero if there is
// none.
func callbackNumber(q url.Values) int {
	m := descriptionNumber.FindStringSubmatch(q.Get("error_description"))
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// ReadCallbackError implements provider.CallbackReader.
func (p *Provider) ReadCallbackError(q url.Values) *provider.Error {
	return callbackError("msgraph: consent", q)
}

func callbackError(op string, q url.Values) *provider.Error {
	code := courier.Code(q.Get("error"))
	e := &provider.Error{Kind: kindOfCode6749(code, 0), Op: op}
	if code == "access_denied" {
		e.Kind = provider.ErrAccess // there is no mailbox yet that could be blamed
	}
	var numbers []int
	if n := callbackNumber(q); n > 0 {
		numbers = []int{n}
		e.Kind = spare(e.Kind, n)
	}
	if e.Kind == provider.ErrRelink {
		e.Kind = provider.ErrAccess // nor a grant
	}
	e.Reason = codeFor(code, numbers, q.Get("error_subcode"))
	return e
}

// Abandoned implements provider.Abandonment: errors that Entra shows on its
// own page.
func (p *Provider) Abandoned() []provider.Diagnosis {
	var out []provider.Diagnosis
	for _, n := range []int{50105, 53003, 50020, 50034, 50057, 50053, 16000, 500208, 700016, 7000112, 500021, 500212, 90002, 50011, 50194} {
		code := numbered + strconv.Itoa(n)
		d := p.Diagnose(&provider.Error{Kind: provider.ErrAccess, Reason: code})
		d.Remedy = "If Microsoft said " + code + ": " + d.Remedy
		out = append(out, d)
	}
	return out
}

var (
	_ provider.CallbackReader = (*Provider)(nil)
	_ provider.Abandonment    = (*Provider)(nil)
)
