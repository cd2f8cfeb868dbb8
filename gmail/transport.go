package gmail

import (
	"context"
	"errors"
	"io"
	"net/http"
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

// attempt is what is known of one send request.
type attempt struct {
	notAfter time.Time

	mu     sync.Mutex
	tried  bool // handed to the base transport
	taken  bool // some byte of the body was
	sealed bool // no byte will be any more
	status int  // of the answer, zero if none came
}

type attemptKey struct{}

// sealedBody hands the mail to the base transport until the attempt is
// sealed. Of a request whose body was never asked for, nothing can have been
// accepted: that is proof, whatever kind of failure it was (a name that does
// not resolve, a refused connection, a failed handshake, a wait for a
// connection that was cut short).
type sealedBody struct {
	io.ReadCloser
	a *attempt
}

func (b *sealedBody) Read(p []byte) (int, error) {
	b.a.mu.Lock()
	defer b.a.mu.Unlock()
	if b.a.sealed {
		return 0, errSealed
	}
	n, err := b.ReadCloser.Read(p)
	b.a.taken = b.a.taken || n > 0
	return n, err
}

var errSealed = errors.New("gmail: the send was given up")

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
	out := req.Clone(req.Context())
	out.Header.Set("Authorization", "Bearer "+tok.AccessToken)
	if a != nil {
		if late(t.now(), a.notAfter) {
			closeBody(req)
			return nil, nil, &provider.Error{Kind: provider.ErrTemporary, Reason: "not_after_passed"}
		}
		a.begin(out)
	}
	resp, err := t.base.RoundTrip(out)
	if a != nil {
		a.end(resp)
	}
	return resp, tok, err
}

// begin watches the request's body. A body that can be had again would let
// the base transport send it again, unseen.
func (a *attempt) begin(req *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tried = true
	req.GetBody = nil
	if req.Body != nil {
		req.Body = &sealedBody{ReadCloser: req.Body, a: a}
	}
}

func (a *attempt) end(resp *http.Response) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if resp != nil {
		a.status = resp.StatusCode
		return
	}
	a.sealed = true
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

// outcome is what an attempt proves.
type outcome int

const (
	outcomeUnknown outcome = iota
	outcomeNotSent
	outcomeAccepted
)

// outcome judges a finished attempt. Only positive proof makes it anything
// but unknown.
func (a *attempt) outcome() outcome {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch a.status {
	case 0:
		if !a.tried || !a.taken && a.sealed {
			return outcomeNotSent
		}
	case http.StatusOK, http.StatusAccepted:
		return outcomeAccepted
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusTooManyRequests:
		return outcomeNotSent
	}
	return outcomeUnknown
}

// withAttempt makes a context in which the transport watches one send.
func withAttempt(ctx context.Context, notAfter time.Time) (context.Context, *attempt) {
	a := &attempt{notAfter: notAfter}
	return context.WithValue(ctx, attemptKey{}, a), a
}
