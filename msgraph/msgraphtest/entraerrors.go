package msgraphtest

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// problem is one of Entra's errors
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
// Numbers are from there; which error and suberror they come with is held
// true as widely reported, not documented.
type problem struct {
	number int // AADSTS
	status int
	code   string // RFC 6749 section 5.2, or one of Entra's own
	sub    string
	claims string // a claims challenge
	text   string

	trace, correlation, time string
}

// problem makes the error with this number, as of now.
func (s *Server) problem(number int) *problem {
	p := &problem{number: number, status: http.StatusBadRequest, code: "invalid_grant"}
	switch number {
	case 50011:
		p.code, p.text = "invalid_client", "The redirect URI specified in the request does not match the redirect URIs configured for the application, or the one the authorization code was requested with."
	case 50020:
		p.text = "The user account from this identity provider does not exist in the tenant and cannot access the application in it."
	case 50034:
		p.text = "The user account does not exist in the directory."
	case 50058:
		p.code, p.text = "login_required", "A silent sign-in request was sent but no user is signed in."
	case 50057:
		p.text = "The user account is disabled."
	case 50076, 50079:
		p.sub, p.claims = "basic_action", `{"access_token":{"capolids":{"essential":true,"values":["`+guid("policy")+`"]}}}`
		p.text = "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication."
	case 50105:
		p.text = "Your administrator has configured the application to block users unless they are specifically granted access."
	case 50173:
		p.sub, p.text = "bad_token", "The provided grant has expired due to it being revoked, a fresh auth token is needed."
	case 50194:
		p.code, p.text = "invalid_request", "The application is not configured as a multi-tenant application. Use a tenant-specific endpoint or configure the application to be multi-tenant."
	case 50196:
		p.text = "The server terminated an operation because it encountered a client request loop."
	case 53000, 53001, 53002, 53003:
		p.sub, p.claims = "message_only", `{"access_token":{"capolids":{"essential":true,"values":["`+guid("policy")+`"]}}}`
		p.text = "Access has been blocked by Conditional Access policies."
	case 54005:
		p.text = "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."
	case 65001:
		p.sub, p.text = "consent_required", "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource."
	case 65004:
		p.code, p.text = "access_denied", "User declined to consent to access the app."
	case 70000:
		p.text = "The provided value for the input parameter 'refresh_token' is not valid."
	case 70008:
		p.text = "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource."
	case 70043:
		p.sub, p.text = "token_expired", "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access."
	case 90002:
		p.code, p.text = "invalid_request", "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
	case 90023:
		p.code, p.text = "invalid_request", "The value of a parameter is not supported."
	case 90033, 90024, 90012, 90006, 50033:
		p.code, p.status, p.text = "temporarily_unavailable", http.StatusServiceUnavailable, "A transient error has occurred. Please try again."
	case 90055:
		p.code, p.status, p.text = "temporarily_unavailable", http.StatusTooManyRequests, "Tenant has been throttled."
	case 90093:
		p.code, p.text = "access_denied", "Calling principal cannot consent due to lack of permissions."
	case 90094:
		p.code, p.text = "access_denied", "The grant requires administrator permission."
	case 90095:
		p.code, p.text = "access_denied", "Admin consent is required; the request for it was submitted."
	case 501481:
		p.text = "The Code_Verifier does not match the code_challenge supplied in the authorization request."
	case 501491:
		p.code, p.text = "invalid_request", "Invalid size of Code_Challenge parameter."
	case 650053:
		p.code, p.text = "invalid_scope", "The application asked for a scope that doesn't exist."
	case 700005:
		p.text = "The provided authorization code is intended to be used against another tenant."
	case 700016:
		p.code, p.text = "unauthorized_client", "Application was not found in the directory. You may have sent your authentication request to the wrong tenant."
	case 700022:
		p.code, p.text = "invalid_scope", "The provided value for the input parameter scope is not valid because it contains more than one resource."
	case 700082:
		p.sub, p.text = "bad_token", "The refresh token has expired due to inactivity. The token was inactive for 90.00:00:00."
	case 70003:
		p.code, p.text = "unsupported_grant_type", "The app requested an unsupported grant type."
	case 70016:
		p.code, p.text = "unsupported_response_type", "The response type is not supported."
	case 7000215:
		p.code, p.status, p.text = "invalid_client", http.StatusUnauthorized, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID."
	case 7000218:
		p.code, p.status, p.text = "invalid_client", http.StatusUnauthorized, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
	case 7000222:
		p.code, p.status, p.text = "invalid_client", http.StatusUnauthorized, "The provided client secret keys are expired."
	case 700021, 700023, 700024, 700027:
		p.code, p.status, p.text = "invalid_client", http.StatusUnauthorized, "The client assertion was not taken: it is signed with a key that is not registered, or its claims or its time do not fit."
	case 900144:
		p.code, p.text = "invalid_request", "The request body must contain a parameter that is missing."
	case 9001023:
		p.code, p.text = "invalid_request", "This is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint."
	case 9002313:
		p.text = "Invalid request. Request is malformed or invalid."
	default:
		p.text = "The request was refused."
	}
	p.trace, p.correlation = s.trace(), s.trace()
	p.time = s.clock.Now().UTC().Format("2006-01-02 15:04:05Z")
	return p
}

// missingParameter names what a request lacks.
func (s *Server) missingParameter(name string) *problem {
	p := s.problem(900144)
	p.text = "The request body must contain the following parameter: '" + name + "'."
	return p
}

// description is error_description.
func (p *problem) description() string {
	return fmt.Sprintf("AADSTS%d: %s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s", p.number, p.text, p.trace, p.correlation, p.time)
}

// uri is error_uri.
func (p *problem) uri(s *Server) string {
	return fmt.Sprintf("%s/error?code=%d", s.LoginURL(), p.number)
}

// refuseToken answers as the token endpoint does.
func (s *Server) refuseToken(w http.ResponseWriter, p *problem) {
	v := map[string]any{
		"error": p.code, "error_description": p.description(), "error_codes": []int{p.number},
		"timestamp": p.time, "trace_id": p.trace, "correlation_id": p.correlation, "error_uri": p.uri(s),
	}
	if p.sub != "" {
		v["suberror"] = p.sub
	}
	if p.claims != "" {
		v["claims"] = p.claims
	}
	writeJSON(w, p.status, v)
}

var errorPage = template.Must(template.New("error").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in</title></head>
<body><h1>Sorry, but we’re having trouble signing you in.</h1>
<p>This is a fake of Microsoft’s page, for tests.</p><pre>{{.}}</pre></body></html>
`))

// showError shows an error that does not send the browser back.
func showError(w http.ResponseWriter, p *problem) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	_ = errorPage.Execute(w, p.description())
}

// sendBack redirects the browser with an error.
func (s *Server) sendBack(w http.ResponseWriter, c *request, p *problem, more url.Values) {
	q := url.Values{"error": {p.code}, "error_description": {p.description()}, "error_uri": {p.uri(s)}}
	for k, v := range more {
		q[k] = v
	}
	s.redirect(w, c, q)
}

func (s *Server) redirect(w http.ResponseWriter, c *request, q url.Values) {
	if c.state != "" {
		q.Set("state", c.state)
	}
	sep := "?"
	if strings.Contains(c.redirect, "?") {
		sep = "&"
	}
	w.Header().Set("Location", c.redirect+sep+q.Encode())
	w.WriteHeader(http.StatusFound)
}
