package msgraph

import (
	"net/http"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	kiotajson "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// kindOf judges by the most specific code that is known, and by the status
// where none is; never by a text. It returns that code, or the innermost.
func kindOf(status int, codes []string) (provider.ErrorKind, string) {
	for i := len(codes) - 1; i >= 0; i-- {
		if kind, ok := kindOfCode(codes[i]); ok {
			return kind, codes[i]
		}
	}
	reason := courier.StatusCode(status)
	if len(codes) > 0 {
		reason = codes[len(codes)-1]
	}
	return kindOfStatus(status), reason
}

// kindOfCode maps codes of https://learn.microsoft.com/graph/errors, of
// https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode,
// and those that users report beside them. Their case varies.
func kindOfCode(code string) (provider.ErrorKind, bool) {
	switch strings.ToLower(code) {
	case "mailboxnotenabledforrestapi", "mailboxnotsupportedforrestapi", "resourcenotfound", "request_resourcenotfound",
		"errormailboxnotfound", "errornonexistentmailbox", "errorinvaliduser", "extensionerror", "erroraccountsuspend",
		"erroraccountsuspendshowtierupgrade", "errormessagesubmissionblocked", "errormessageblocked", "errorquotaexceeded",
		"quotalimitreached":
		return provider.ErrMailboxUnusable, true
	case "errormailboxmoveinprogress", "errormailboxstoreunavailable":
		return provider.ErrTemporary, true
	case "applicationthrottled", "toomanyrequests", "activitylimitreached", "errorserverbusy", "errortoomanyobjectsopened",
		"errorexceededmessagelimit", "errorexceededmessagelimitshowtierupgrade", "errorexceededmaxrecipientlimit",
		"errorexceededmaxrecipientlimitblock", "mailboxconcurrency":
		return provider.ErrThrottled, true
	case "erroraccessdenied", "accessdenied", "authorization_requestdenied", "forbidden":
		return provider.ErrAccess, true
	case insufficientClaims, "invalidauthenticationtoken":
		// The token source was told, and asks for a new token, or finds that
		// there is none to be had.
		return provider.ErrTemporary, true
	case "errorsendasdenied", "errorcannotsendonbehalfof":
		return provider.ErrSenderNotAllowed, true
	case "erroritemnotfound", "itemnotfound", "errorfoldernotfound", "errorinvalididmalformed", "errorinvalidid":
		return provider.ErrNotFound, true
	case "syncstatenotfound", "syncstateinvalid", "resyncrequired", "resyncchangesapplydifferences", "resyncchangesuploaddifferences",
		"errorinvalidsyncstatedata":
		return provider.ErrCursorExpired, true
	case "errormessagesizeexceeded", "requestentitytoolarge", "maxrequestlengthexceeded":
		return provider.ErrTooLarge, true
	case "errormimecontentinvalidbase64string", "errormimecontentinvalid", "errorinvalidrecipients", "invalidinternetmessageheader",
		"invalidinternetmessageheadercollection", "badrequest", "errorinvalidrequest", "invalidrequest", "errorinvalidurlqueryfilter":
		return provider.ErrRejected, true
	case "generalexception", "serviceunavailable", "unknownerror", "errorinternalserver", "errorinternalservertransienterror",
		"errortimeoutexpired", "servicenotavailable", "gatewaytimeout", "internalservererror":
		return provider.ErrTemporary, true
	}
	return "", false
}

func kindOfStatus(status int) provider.ErrorKind {
	switch status {
	case http.StatusUnauthorized:
		return provider.ErrTemporary
	case http.StatusForbidden:
		return provider.ErrAccess
	case http.StatusNotFound:
		return provider.ErrNotFound
	case http.StatusGone:
		return provider.ErrCursorExpired
	case http.StatusRequestEntityTooLarge:
		return provider.ErrTooLarge
	case http.StatusTooManyRequests:
		return provider.ErrThrottled
	case http.StatusInsufficientStorage:
		return provider.ErrMailboxUnusable
	}
	if status >= 400 && status < 500 && status != http.StatusRequestTimeout {
		return provider.ErrRejected
	}
	return provider.ErrTemporary
}

// sdkError is the SDK's own error for an answer, for errors.As. The SDK's
// texts panic on an error object without a message, so such a one is not
// made.
func sdkError(resp *http.Response, body []byte) (err error) {
	headers := abstractions.NewResponseHeaders()
	for name, values := range resp.Header {
		for _, v := range values {
			headers.Add(name, v)
		}
	}
	plain := &abstractions.ApiError{Message: http.StatusText(resp.StatusCode), ResponseStatusCode: resp.StatusCode, ResponseHeaders: headers}
	defer func() {
		if recover() != nil {
			err = plain
		}
	}()
	node, err := kiotajson.NewJsonParseNode(body)
	if err != nil {
		return plain
	}
	v, err := node.GetObjectValue(odataerrors.CreateODataErrorFromDiscriminatorValue)
	if err != nil {
		return plain
	}
	odata, ok := v.(*odataerrors.ODataError)
	if !ok || odata.GetErrorEscaped() == nil || odata.GetErrorEscaped().GetMessage() == nil {
		return plain
	}
	odata.ResponseStatusCode, odata.ResponseHeaders = resp.StatusCode, headers
	return odata
}
