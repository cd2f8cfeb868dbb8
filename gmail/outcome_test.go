package gmail_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/internal/wiretest"
	"github.com/outreachkit/outreach/provider"
)

// newWire answers every request on the loopback in one way.
func newWire(t *testing.T, answer string, readBody, reset bool) *wiretest.Server {
	t.Helper()
	w, err := wiretest.Start(t.Context(), wiretest.Params{Answer: answer, Unread: !readBody, Reset: reset})
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

func sender(t *testing.T, api string, client *http.Client, ts provider.TokenSource, access provider.Access) provider.Mailbox {
	t.Helper()
	ends := gmail.GoogleEndpoints()
	ends.API = api
	p, err := gmail.New(gmail.Config{ClientID: "id", ClientSecret: "client-secret-canary", HTTPClient: client, Endpoints: &ends})
	if err != nil {
		t.Fatal(err)
	}
	return p.Open(provider.Account{Subject: "sub", Address: "maria@agency.example.com", Access: access}, ts)
}

func outgoing() *provider.Outgoing {
	return &provider.Outgoing{
		Raw: []byte("From: maria@agency.example.com\r\nTo: grace@example.net\r\nSubject: x\r\n\r\nmail-body-canary\r\n"), MessageID: "<a@mail.example.com>",
		From: provider.Address{Addr: "maria@agency.example.com"}, To: []provider.Address{{Addr: "grace@example.net"}}, NotAfter: time.Now().Add(time.Minute),
	}
}

func answer(status int, body string) string { return wiretest.JSON(status, body) }

func googleError(status int, reason string) string {
	return answer(status, fmt.Sprintf(`{"error":{"code":%d,"message":"text-canary Bearer access-token-canary","errors":[{"reason":%q,"message":"text-canary"}]}}`, status, reason))
}

// TestOutcomes goes through what can become of a send, byte by byte.
func TestOutcomes(t *testing.T) {
	good := answer(200, `{"id":"1987000000000001","threadId":"1987000000000001"}`)
	cases := []struct {
		name   string
		answer string
		unread bool // the server does not read the mail
		reset  bool
		kind   error // nil is accepted
		ref    provider.Ref
	}{
		{name: "accepted", answer: good, ref: "1987000000000001"},
		{name: "accepted, the answer cut in its body", answer: good[:len(good)-20]},
		{name: "accepted, the answer not JSON", answer: answer(200, "<html>")},
		{name: "accepted, the answer empty", answer: answer(200, "")},
		{name: "cut before an answer", answer: "", kind: provider.ErrOutcomeUnknown},
		{name: "cut within the headers", answer: "HTTP/1.1 200 OK\r\nContent-", kind: provider.ErrOutcomeUnknown},
		{name: "reset", reset: true, kind: provider.ErrOutcomeUnknown},
		{name: "reset before the mail was read", reset: true, unread: true, kind: provider.ErrOutcomeUnknown},
		{name: "not HTTP", answer: "220 smtp.example.com ESMTP\r\n", kind: provider.ErrOutcomeUnknown},
		{name: "204", answer: "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", kind: provider.ErrOutcomeUnknown},
		{name: "a redirect", answer: "HTTP/1.1 307 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", kind: provider.ErrOutcomeUnknown},
		{name: "400", answer: googleError(400, "invalidArgument"), kind: provider.ErrRejected},
		{name: "400, no mailbox", answer: googleError(400, "failedPrecondition"), kind: provider.ErrMailboxUnusable},
		{name: "401", answer: googleError(401, "authError"), kind: provider.ErrTemporary},
		{name: "403, scope", answer: googleError(403, "insufficientPermissions"), kind: provider.ErrAccess},
		{name: "403, rate", answer: googleError(403, "rateLimitExceeded"), kind: provider.ErrThrottled},
		{name: "403, policy", answer: googleError(403, "domainPolicy"), kind: provider.ErrMailboxUnusable},
		{name: "404", answer: googleError(404, "notFound"), kind: provider.ErrNotFound},
		{name: "413", answer: answer(413, "too large"), kind: provider.ErrTooLarge},
		{name: "415", answer: answer(415, ""), kind: provider.ErrRejected},
		{name: "429", answer: googleError(429, "userRateLimitExceeded"), kind: provider.ErrThrottled},
		{name: "408", answer: answer(408, ""), kind: provider.ErrOutcomeUnknown},
		{name: "409", answer: answer(409, ""), kind: provider.ErrOutcomeUnknown},
		{name: "500", answer: googleError(500, "backendError"), kind: provider.ErrOutcomeUnknown},
		{name: "502", answer: answer(502, "<html>"), kind: provider.ErrOutcomeUnknown},
		{name: "503", answer: googleError(503, "backendError"), kind: provider.ErrOutcomeUnknown},
		{name: "504", answer: answer(504, ""), kind: provider.ErrOutcomeUnknown},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, c.answer, !c.unread, c.reset)
			ts := &token{}
			rec, err := sender(t, "http://"+w.Addr, nil, ts, provider.AccessSend).Send(t.Context(), outgoing())
			if n := len(w.Requests()); n != 1 {
				t.Errorf("%d requests reached the server, want 1", n)
			}
			quiet(t, err)
			if c.kind == nil {
				if err != nil || rec.Ref != c.ref || rec.At.IsZero() {
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
	// A dial that hangs until the caller gives up.
	hanging := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}, Timeout: 50 * time.Millisecond}
	plain := newWire(t, "this is no TLS", false, false)
	late := outgoing()
	late.NotAfter = time.Now().Add(-time.Second)
	cases := []struct {
		name string
		api  string
		http *http.Client
		out  *provider.Outgoing
	}{
		{"a refused connection", "http://" + refusing, nil, outgoing()},
		{"a name that does not resolve", "http://gmail.invalid", noNames, outgoing()},
		{"a dial that hangs", "http://gmail.invalid", hanging, outgoing()},
		{"no TLS", "https://" + plain.Addr, nil, outgoing()},
		{"too late", "http://" + plain.Addr, nil, late},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := sender(t, c.api, c.http, &token{}, provider.AccessSend).Send(t.Context(), c.out)
			if !errors.Is(err, provider.ErrTemporary) {
				t.Errorf("the error is %v, want a temporary one: nothing left", err)
			}
			quiet(t, err)
		})
	}
	if n := len(plain.Requests()); n != 0 {
		t.Errorf("%d requests reached the server", n)
	}
}

func TestCancelled(t *testing.T) {
	w := newWire(t, answer(200, "{}"), true, false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sender(t, "http://"+w.Addr, nil, &token{}, provider.AccessSend).Send(ctx, outgoing())
	if !errors.Is(err, context.Canceled) || len(w.Requests()) != 0 {
		t.Errorf("error %v, %d requests", err, len(w.Requests()))
	}
}

// TestRefusedBeforeAnyRequest are sends and reads that never leave.
func TestRefusedBeforeAnyRequest(t *testing.T) {
	w := newWire(t, answer(200, "{}"), true, false)
	mb := sender(t, "http://"+w.Addr, nil, &token{}, provider.AccessReplies)
	for name, c := range map[string]struct {
		change func(*provider.Outgoing)
		kind   error
	}{
		"another sender":      {func(o *provider.Outgoing) { o.From.Addr = "eve@example.org" }, provider.ErrSenderNotAllowed},
		"too large":           {func(o *provider.Outgoing) { o.Raw = make([]byte, 37_000_000) }, provider.ErrTooLarge},
		"no deadline":         {func(o *provider.Outgoing) { o.NotAfter = time.Time{} }, provider.ErrInvalid},
		"no recipient":        {func(o *provider.Outgoing) { o.To = nil }, provider.ErrInvalid},
		"too many recipients": {func(o *provider.Outgoing) { o.Bcc = make([]provider.Address, 100) }, provider.ErrRejected},
		"a thread of no kind": {func(o *provider.Outgoing) { o.Thread.ID = "../labels" }, provider.ErrInvalid},
	} {
		out := outgoing()
		c.change(out)
		_, err := mb.Send(t.Context(), out)
		if !errors.Is(err, c.kind) {
			t.Errorf("%s: the error is %v, want %v", name, err, c.kind)
		}
	}
	if _, err := mb.Content(t.Context(), provider.Warrant{}); !errors.Is(err, provider.ErrNoWarrant) {
		t.Errorf("the zero warrant: %v", err)
	}
	if _, err := mb.Envelope(t.Context(), "../../drafts"); !errors.Is(err, provider.ErrNotFound) {
		t.Errorf("a ref of no kind: %v", err)
	}
	if n := len(w.Requests()); n != 0 {
		t.Errorf("%d requests reached the server", n)
	}
}

// TestTokenStaysAtHome holds that the token goes to the API's host only.
func TestTokenStaysAtHome(t *testing.T) {
	elsewhere := newWire(t, answer(200, "{}"), true, false)
	home := newWire(t, "HTTP/1.1 302 X\r\nLocation: http://"+elsewhere.Addr+"/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", true, false)
	_, err := sender(t, "http://"+home.Addr, nil, &token{}, provider.AccessReplies).Profile(t.Context())
	if err == nil || len(elsewhere.Requests()) != 0 {
		t.Errorf("error %v, %d requests elsewhere", err, len(elsewhere.Requests()))
	}
	if got := home.Requests(); len(got) != 1 || got[0].Header.Get("Authorization") != "Bearer access-token-canary" {
		t.Errorf("the home got %d requests", len(got))
	}
}

// TestReadsTellTheTokenSource: a read is tried once more with a new token.
func TestReadsTellTheTokenSource(t *testing.T) {
	w := newWire(t, googleError(401, "authError"), true, false)
	ts := &token{}
	_, err := sender(t, "http://"+w.Addr, nil, ts, provider.AccessReplies).Profile(t.Context())
	if !errors.Is(err, provider.ErrTemporary) || ts.refused != 2 || len(w.Requests()) != 2 {
		t.Errorf("error %v, %d refusals, %d requests", err, ts.refused, len(w.Requests()))
	}
}

// TestEscapeHatch reaches the SDK's own error.
func TestEscapeHatch(t *testing.T) {
	w := newWire(t, googleError(403, "domainPolicy"), true, false)
	_, err := sender(t, "http://"+w.Addr, nil, &token{}, provider.AccessReplies).Profile(t.Context())
	var api *googleapi.Error
	if !errors.As(err, &api) || api.Code != 403 {
		t.Errorf("no googleapi.Error behind %v", err)
	}
	var pe *provider.Error
	if !errors.As(err, &pe) || pe.Reason != "domainPolicy" {
		t.Errorf("the reason is missing: %v", err)
	}
}

// TestRetryAfter reads the header in both forms, and the one in the text.
func TestRetryAfter(t *testing.T) {
	in := time.Now().Add(2 * time.Hour).UTC()
	for name, c := range map[string]struct{ header, message string }{
		"seconds":  {header: "Retry-After: 7200\r\n"},
		"a date":   {header: "Retry-After: " + in.Format(http.TimeFormat) + "\r\n"},
		"the text": {message: "User-rate limit exceeded.  Retry after " + in.Format("2006-01-02T15:04:05.000Z")},
	} {
		body := fmt.Sprintf(`{"error":{"code":429,"message":%q,"errors":[{"reason":"rateLimitExceeded"}]}}`, c.message)
		w := newWire(t, fmt.Sprintf("HTTP/1.1 429 X\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", c.header, len(body), body), true, false)
		_, err := sender(t, "http://"+w.Addr, nil, &token{}, provider.AccessReplies).Profile(t.Context())
		var pe *provider.Error
		if !errors.As(err, &pe) || pe.Kind != provider.ErrThrottled || pe.RetryAfter < 119*time.Minute || pe.RetryAfter > 121*time.Minute {
			t.Errorf("%s: %+v", name, pe)
		}
	}
}
