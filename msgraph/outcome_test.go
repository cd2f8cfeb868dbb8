package msgraph_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/internal/wiretest"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/provider"
)

func newWire(t *testing.T, p wiretest.Params) *wiretest.Server {
	t.Helper()
	w, err := wiretest.Start(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// token is a TokenSource that counts what it was told.
type token struct{ refused int }

func (*token) Token(context.Context) (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: "access-token-canary"}, nil
}
func (s *token) Refused(context.Context, *oauth2.Token, error) { s.refused++ }

func sender(t *testing.T, graph string, client *http.Client, ts provider.TokenSource, access provider.Access) provider.Mailbox {
	t.Helper()
	p, err := msgraph.New(msgraph.Config{
		ClientID: "id", ClientSecret: "client-secret-canary", HTTPClient: client,
		Endpoints: &msgraph.Endpoints{Login: "http://login.invalid", Graph: graph},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.Open(provider.Account{Subject: "sub", Address: "maria@agency.example.com", Access: access}, ts)
}

func outgoing() *provider.Outgoing {
	return &provider.Outgoing{
		Raw:       []byte("From: maria@agency.example.com\r\nTo: grace@example.net\r\nSubject: x\r\n\r\nmail-body-canary\r\n" + strings.Repeat("x", 4000)),
		MessageID: "<a@mail.example.com>", From: provider.Address{Addr: "maria@agency.example.com"},
		To: []provider.Address{{Addr: "grace@example.net"}}, NotAfter: time.Now().Add(time.Minute),
	}
}

func graphError(status int, code, inner string) string {
	return wiretest.JSON(status, fmt.Sprintf(
		`{"error":{"code":%q,"message":"text-canary Bearer access-token-canary","innerError":{"code":%q,"date":"2026-09-01T08:00:00","request-id":"r"}}}`, code, inner))
}

const accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

// TestOutcomes goes through what can become of a send, byte by byte. Each is
// one request, whatever the SDK's own habits are.
func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer string
		unread bool
		reset  bool
		kind   error // nil is accepted
	}{
		{name: "accepted", answer: accepted},
		{name: "accepted, with a body that nobody expects", answer: wiretest.JSON(202, "<html>")},
		{name: "accepted, with a body that is cut", answer: "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{"},
		{name: "200 of a proxy", answer: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>", kind: provider.ErrOutcomeUnknown},
		{name: "204", answer: "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", kind: provider.ErrOutcomeUnknown},
		{name: "cut before an answer", kind: provider.ErrOutcomeUnknown},
		{name: "cut within the headers", answer: "HTTP/1.1 202 Acc", kind: provider.ErrOutcomeUnknown},
		{name: "reset", reset: true, kind: provider.ErrOutcomeUnknown},
		{name: "reset before the mail was read", reset: true, unread: true, kind: provider.ErrOutcomeUnknown},
		{name: "not HTTP", answer: "220 smtp.example.com ESMTP\r\n", kind: provider.ErrOutcomeUnknown},
		{name: "a redirect that keeps the method", answer: "HTTP/1.1 307 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", kind: provider.ErrOutcomeUnknown},
		{name: "a redirect", answer: "HTTP/1.1 302 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", kind: provider.ErrOutcomeUnknown},
		{name: "400", answer: graphError(400, "ErrorMimeContentInvalidBase64String", ""), kind: provider.ErrRejected},
		{name: "400, the error object empty", answer: wiretest.JSON(400, `{"error":{}}`), kind: provider.ErrRejected},
		{name: "400, no error object", answer: wiretest.JSON(400, `{}`), kind: provider.ErrRejected},
		{name: "400, null", answer: wiretest.JSON(400, `null`), kind: provider.ErrRejected},
		{name: "400, broken", answer: wiretest.JSON(400, `{"error":{"code":"E`), kind: provider.ErrRejected},
		{name: "401", answer: graphError(401, "InvalidAuthenticationToken", ""), kind: provider.ErrTemporary},
		{name: "401, a challenge", answer: "HTTP/1.1 401 X\r\nWWW-Authenticate: Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJhIjoxfQ==\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", kind: provider.ErrTemporary},
		{name: "401, an odd challenge", answer: "HTTP/1.1 401 X\r\nWWW-Authenticate: Bearer claims=abc\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", kind: provider.ErrTemporary},
		{name: "401, no mailbox", answer: graphError(401, "MailboxNotEnabledForRESTAPI", ""), kind: provider.ErrMailboxUnusable},
		{name: "403", answer: graphError(403, "ErrorAccessDenied", ""), kind: provider.ErrAccess},
		{name: "403, the sender", answer: graphError(403, "ErrorSendAsDenied", ""), kind: provider.ErrSenderNotAllowed},
		{name: "403, full", answer: graphError(403, "ErrorQuotaExceeded", ""), kind: provider.ErrMailboxUnusable},
		{name: "403, the inner code tells", answer: graphError(403, "accessDenied", "ErrorExceededMessageLimit"), kind: provider.ErrThrottled},
		{name: "404, no mailbox", answer: graphError(404, "MailboxNotEnabledForRESTAPI", ""), kind: provider.ErrMailboxUnusable},
		{name: "413", answer: wiretest.JSON(413, "too large"), kind: provider.ErrTooLarge},
		{name: "415", answer: wiretest.JSON(415, ""), kind: provider.ErrRejected},
		{name: "429", answer: graphError(429, "ApplicationThrottled", "MailboxConcurrency"), kind: provider.ErrThrottled},
		{name: "408", answer: wiretest.JSON(408, ""), kind: provider.ErrOutcomeUnknown},
		{name: "409", answer: graphError(409, "conflict", ""), kind: provider.ErrOutcomeUnknown},
		{name: "500", answer: graphError(500, "generalException", ""), kind: provider.ErrOutcomeUnknown},
		{name: "502", answer: wiretest.JSON(502, "<html>"), kind: provider.ErrOutcomeUnknown},
		{name: "503", answer: graphError(503, "serviceNotAvailable", ""), kind: provider.ErrOutcomeUnknown},
		{name: "503 with a wait", answer: "HTTP/1.1 503 X\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", kind: provider.ErrOutcomeUnknown},
		{name: "504", answer: graphError(504, "UnknownError", ""), kind: provider.ErrOutcomeUnknown},
		{name: "507", answer: graphError(507, "quotaLimitReached", ""), kind: provider.ErrOutcomeUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, wiretest.Params{Answer: c.answer, Unread: c.unread, Reset: c.reset})
			ts := &token{}
			out := outgoing()
			rec, err := sender(t, "http://"+w.Addr, nil, ts, provider.AccessSend).Send(t.Context(), out)
			got := w.Requests()
			if len(got) != 1 {
				t.Fatalf("%d requests reached the server, want 1", len(got))
			}
			r := got[0]
			if r.Method != "POST" || r.Path != "/v1.0/me/sendMail" || r.Header.Get("Content-Type") != "text/plain" ||
				r.Header.Get("Content-Encoding") != "" || r.Header.Get("Prefer") != `IdType="ImmutableId"` || r.ContentLength <= 0 {
				t.Errorf("the request is %s %s %v, %d bytes", r.Method, r.Path, r.Header, r.ContentLength)
			}
			if raw, err := base64.StdEncoding.DecodeString(r.Body); !c.unread && (err != nil || string(raw) != string(out.Raw)) {
				t.Errorf("the body is not the mail in base64: %v", err)
			}
			quiet(t, err)
			if c.kind == nil {
				if err != nil || rec.Ref != "" || rec.At.IsZero() {
					t.Fatalf("receipt %+v, error %v", rec, err)
				}
				return
			}
			if !errors.Is(err, c.kind) {
				t.Fatalf("the error is %v, want %v", err, c.kind)
			}
			if want := strings.HasPrefix(c.name, "401"); (ts.refused == 1) != want {
				t.Errorf("the token source was told of %d refusals", ts.refused)
			}
		})
	}
}

// quiet holds that an error says nothing it should not.
func quiet(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{"canary", "grace@example.net", "Bearer"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error %q holds %q", err, secret)
		}
	}
}

// TestNeverLeft is proof that a mail was not sent.
func TestNeverLeft(t *testing.T) {
	refusing, err := wiretest.RefusingAddr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	noNames := &http.Client{Transport: &http.Transport{DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}}
	}}}
	plain := newWire(t, wiretest.Params{Answer: "this is no TLS", Unread: true})
	late := outgoing()
	late.NotAfter = time.Now().Add(-time.Second)
	for _, c := range []struct {
		name  string
		graph string
		http  *http.Client
		out   *provider.Outgoing
	}{
		{"a refused connection", "http://" + refusing, nil, outgoing()},
		{"a name that does not resolve", "http://graph.invalid", noNames, outgoing()},
		{"no TLS", "https://" + plain.Addr, nil, outgoing()},
		{"too late", "http://" + plain.Addr, nil, late},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := sender(t, c.graph, c.http, &token{}, provider.AccessSend).Send(t.Context(), c.out)
			if !errors.Is(err, provider.ErrTemporary) {
				t.Errorf("the error is %v, want a temporary one: nothing left", err)
			}
			quiet(t, err)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sender(t, "http://"+plain.Addr, nil, &token{}, provider.AccessSend).Send(ctx, outgoing()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if n := len(plain.Requests()); n != 0 {
		t.Errorf("%d requests reached the server", n)
	}
}

// TestRefusedBeforeAnyRequest are sends and reads that never leave.
func TestRefusedBeforeAnyRequest(t *testing.T) {
	w := newWire(t, wiretest.Params{Answer: accepted})
	mb := sender(t, "http://"+w.Addr, nil, &token{}, provider.AccessReplies)
	for name, c := range map[string]struct {
		change func(*provider.Outgoing)
		kind   error
	}{
		"another sender":      {func(o *provider.Outgoing) { o.From.Addr = "eve@example.org" }, provider.ErrSenderNotAllowed},
		"too large":           {func(o *provider.Outgoing) { o.Raw = make([]byte, 3_000_001) }, provider.ErrTooLarge},
		"no deadline":         {func(o *provider.Outgoing) { o.NotAfter = time.Time{} }, provider.ErrInvalid},
		"no recipient":        {func(o *provider.Outgoing) { o.To = nil }, provider.ErrInvalid},
		"no mail":             {func(o *provider.Outgoing) { o.Raw = nil }, provider.ErrInvalid},
		"too many recipients": {func(o *provider.Outgoing) { o.Bcc = make([]provider.Address, 500) }, provider.ErrRejected},
	} {
		out := outgoing()
		c.change(out)
		if _, err := mb.Send(t.Context(), out); !errors.Is(err, c.kind) {
			t.Errorf("%s: the error is %v, want %v", name, err, c.kind)
		}
	}
	if _, err := mb.Content(t.Context(), provider.Warrant{}); !errors.Is(err, provider.ErrNoWarrant) {
		t.Errorf("the zero warrant: %v", err)
	}
	for _, ref := range []provider.Ref{"", "../../drafts", "a/b", "a?b", "a%2fb", "ä"} {
		if _, err := mb.Envelope(t.Context(), ref); !errors.Is(err, provider.ErrNotFound) {
			t.Errorf("the ref %q: %v", ref, err)
		}
	}
	for _, access := range []provider.Access{provider.AccessSend, ""} {
		if _, err := sender(t, "http://"+w.Addr, nil, &token{}, access).Envelope(t.Context(), "AAMk"); !errors.Is(err, provider.ErrAccess) {
			t.Errorf("access %q: %v", access, err)
		}
	}
	if n := len(w.Requests()); n != 0 {
		t.Errorf("%d requests reached the server", n)
	}
}

// TestTokenStaysAtHome: the token goes to Graph's host only, neither after a
// redirect nor along a link.
func TestTokenStaysAtHome(t *testing.T) {
	elsewhere := newWire(t, wiretest.Params{Answer: wiretest.JSON(200, `{"value":[]}`)})
	for name, answer := range map[string]string{
		"a redirect":         "HTTP/1.1 302 X\r\nLocation: http://" + elsewhere.Addr + "/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		"a next link":        wiretest.JSON(200, `{"value":[],"@odata.nextLink":"http://`+elsewhere.Addr+`/v1.0/me/messages/delta?$skiptoken=x"}`),
		"a delta link":       wiretest.JSON(200, `{"value":[],"@odata.deltaLink":"http://`+elsewhere.Addr+`/v1.0/me/messages/delta?$deltatoken=x"}`),
		"a link out of v1.0": wiretest.JSON(200, `{"value":[],"@odata.nextLink":"http://HOME/beta/me/messages?$skiptoken=x"}`),
		"a link with dots":   wiretest.JSON(200, `{"value":[],"@odata.nextLink":"http://HOME/v1.0/../beta/x?$skiptoken=x"}`),
	} {
		home := newWire(t, wiretest.Params{Answer: answer})
		_, err := sender(t, "http://"+home.Addr, nil, &token{}, provider.AccessReplies).Profile(t.Context())
		if err == nil || len(elsewhere.Requests()) != 0 {
			t.Errorf("%s: error %v, %d requests elsewhere", name, err, len(elsewhere.Requests()))
		}
		if got := home.Requests(); len(got) != 1 || got[0].Header.Get("Authorization") != "Bearer access-token-canary" {
			t.Errorf("%s: the home got %d requests", name, len(got))
		}
	}
}

// TestOddAnswers: what is no list is never taken for an empty one, and
// nothing panics.
func TestOddAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"an HTML page":      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>",
		"nothing":           "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		"204":               "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
		"an empty object":   wiretest.JSON(200, `{}`),
		"null":              wiretest.JSON(200, `null`),
		"an array":          wiretest.JSON(200, `[]`),
		"a null list":       wiretest.JSON(200, `{"value":null}`),
		"cut JSON":          wiretest.JSON(200, `{"value":[{"id":"A"`),
		"wrong types":       wiretest.JSON(200, `{"value":[{"id":5}]}`),
		"no link":           wiretest.JSON(200, `{"value":[null,{"id":null}]}`),
		"a broken link":     wiretest.JSON(200, `{"value":[],"@odata.deltaLink":"http://%zz"}`),
		"an endless header": "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 300_000),
	} {
		w := newWire(t, wiretest.Params{Answer: answer})
		_, err := sender(t, "http://"+w.Addr, nil, &token{}, provider.AccessReplies).Profile(t.Context())
		if !errors.Is(err, provider.ErrTemporary) {
			t.Errorf("%s: %v, want a temporary failure", name, err)
		}
		quiet(t, err)
	}
}

// TestReadsTellTheTokenSource: a read is tried once more with a new token.
func TestReadsTellTheTokenSource(t *testing.T) {
	w := newWire(t, wiretest.Params{Answer: graphError(401, "InvalidAuthenticationToken", "")})
	ts := &token{}
	_, err := sender(t, "http://"+w.Addr, nil, ts, provider.AccessReplies).Profile(t.Context())
	if !errors.Is(err, provider.ErrTemporary) || ts.refused != 2 || len(w.Requests()) != 2 {
		t.Errorf("error %v, %d refusals, %d requests", err, ts.refused, len(w.Requests()))
	}
}

// TestEscapeHatch reaches the SDK's own errors.
func TestEscapeHatch(t *testing.T) {
	w := newWire(t, wiretest.Params{Answer: graphError(403, "ErrorAccessDenied", "")})
	_, err := sender(t, "http://"+w.Addr, nil, &token{}, provider.AccessReplies).Profile(t.Context())
	var odata *odataerrors.ODataError
	if !errors.As(err, &odata) || odata.ResponseStatusCode != 403 || !strings.Contains(odata.Error(), "text-canary") {
		t.Errorf("no ODataError behind %v", err)
	}
	var pe *provider.Error
	if !errors.As(err, &pe) || pe.Reason != "ErrorAccessDenied" {
		t.Errorf("the reason is missing: %v", err)
	}
	w = newWire(t, wiretest.Params{Answer: wiretest.JSON(503, "<html>")})
	_, err = sender(t, "http://"+w.Addr, nil, &token{}, provider.AccessReplies).Profile(t.Context())
	var api *abstractions.ApiError
	if !errors.As(err, &api) || api.ResponseStatusCode != 503 {
		t.Errorf("no ApiError behind %v", err)
	}
}

// TestRetryAfter reads the header in both forms.
func TestRetryAfter(t *testing.T) {
	in := time.Now().Add(2 * time.Hour).UTC()
	for _, header := range []string{"7200", "7200.5", in.Format(http.TimeFormat)} {
		w := newWire(t, wiretest.Params{Answer: "HTTP/1.1 429 X\r\nRetry-After: " + header + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"})
		_, err := sender(t, "http://"+w.Addr, nil, &token{}, provider.AccessReplies).Profile(t.Context())
		var pe *provider.Error
		if !errors.As(err, &pe) || pe.Kind != provider.ErrThrottled || pe.RetryAfter < 119*time.Minute || pe.RetryAfter > 121*time.Minute {
			t.Errorf("%s: %+v", header, pe)
		}
	}
}
