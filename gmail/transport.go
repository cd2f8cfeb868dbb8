package gmail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
)

// transport is the one place where requests leave: it adds the token, only
// for the API's host, and watches sends.
type transport struct {
	base http.RoundTripper
	ts   provider.TokenSource
	host string
	now  func() time.Time
}

// attempt is what is known of one send request. A missing event proves
// nothing; the ones that were seen do.
type attempt struct {
	notAfter time.Time

	mu        sync.Mutex
	tried     bool // handed to the base transport
	connected bool // a connection was ready for the request
	wrote     bool // some of it may have been written
	tlsFailed bool
	status    int // of the answer, zero if none came
}

type attemptKey struct{}

func (a *attempt) set(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

var errUnauthorized = errors.New("gmail: the access token was refused")

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != t.host {
		return nil, &provider.Error{Kind: provider.ErrRejected, Reason: "foreign_host"}
	}
	a, sending := req.Context().Value(attemptKey{}).(*attempt)
	resp, tok, err := t.once(req, a)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	t.ts.Refused(req.Context(), tok, errUnauthorized)
	if sending || req.Body != nil {
		return resp, nil // a send is one request
	}
	_ = resp.Body.Close()
	resp, tok, err = t.once(req, nil)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		t.ts.Refused(req.Context(), tok, errUnauthorized)
	}
	return resp, err
}

func (t *transport) once(req *http.Request, a *attempt) (*http.Response, *oauth2.Token, error) {
	tok, err := t.ts.Token(req.Context())
	if err != nil {
		closeBody(req)
		return nil, nil, err
	}
	ctx := req.Context()
	if a != nil {
		if late(t.now(), a.notAfter) {
			closeBody(req)
			return nil, nil, &provider.Error{Kind: provider.ErrTemporary, Reason: "not_after_passed"}
		}
		a.set(func() { a.tried = true })
		ctx = httptrace.WithClientTrace(ctx, a.trace())
	}
	out := req.Clone(ctx)
	out.Header.Set("Authorization", "Bearer "+tok.AccessToken)
	resp, err := t.base.RoundTrip(out)
	if err != nil {
		return nil, tok, err
	}
	if a != nil {
		a.set(func() { a.status = resp.StatusCode })
	}
	return resp, tok, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// late compares by the wall clock, and by the monotonic one where both
// times have a reading: a machine that slept, or whose clock was set back,
// must not send a mail whose time has passed.
func late(now, notAfter time.Time) bool {
	return now.After(notAfter) || now.Round(0).After(notAfter.Round(0))
}

func (a *attempt) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { a.set(func() { a.connected = true }) },
		WroteHeaders: func() { a.set(func() { a.wrote = true }) },
		WroteRequest: func(httptrace.WroteRequestInfo) { a.set(func() { a.wrote = true }) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				a.set(func() { a.tlsFailed = true })
			}
		},
	}
}

// outcome is what an attempt proves.
type outcome int

const (
	outcomeUnknown outcome = iota
	outcomeNotSent
	outcomeAccepted
)

// outcome judges a finished attempt. Only positive proof makes it anything
// but unknown.
func (a *attempt) outcome(err error) outcome {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.status >= 200 && a.status < 300:
		return outcomeAccepted
	case a.status != 0:
		switch a.status {
		case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
			http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusTooManyRequests:
			return outcomeNotSent
		}
		return outcomeUnknown
	case !a.tried:
		return outcomeNotSent // refused by us: no token, too late
	case a.connected || a.wrote:
		return outcomeUnknown
	}
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	var alert tls.AlertError
	switch {
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		return outcomeNotSent
	case errors.As(err, &cert), a.tlsFailed, errors.As(err, &alert):
		return outcomeNotSent
	}
	return outcomeUnknown
}

// withAttempt makes a context in which the transport watches one send.
func withAttempt(ctx context.Context, notAfter time.Time) (context.Context, *attempt) {
	a := &attempt{notAfter: notAfter}
	return context.WithValue(ctx, attemptKey{}, a), a
}
