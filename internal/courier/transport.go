package courier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
)

// Transport is the one place where requests to a mailbox leave. It adds the
// token, only for the API's host, watches sends, and asks once more with a
// fresh token when a request without a body was answered 401.
type Transport struct {
	Base   http.RoundTripper
	Tokens provider.TokenSource
	Host   string // with its port, as in a URL
	Now    func() time.Time
}

// Attempt is what is known of one send request.
type Attempt struct {
	notAfter time.Time
	accept   []int

	mu     sync.Mutex
	tried  bool // handed to the base transport
	taken  bool // some byte of the body was
	sealed bool // no byte will be any more
	status int  // of the answer, zero if none came
	page   bool // the answer is one for people
}

type attemptKey struct{}

// sealedBody hands the mail to the base transport until the attempt is
// sealed. Of a request whose body was never asked for, nothing can have been
// accepted: that is proof, whatever kind of failure it was (a name that does
// not resolve, a refused connection, a failed handshake, a wait for a
// connection that was cut short).
type sealedBody struct {
	io.ReadCloser
	a *Attempt
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

var errSealed = errors.New("the send was given up")

var errUnauthorized = errors.New("the access token was refused")

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != t.Host {
		return nil, &provider.Error{Kind: provider.ErrRejected, Reason: "foreign_host"}
	}
	a, sending := req.Context().Value(attemptKey{}).(*Attempt)
	resp, tok, err := t.once(req, a)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	t.Tokens.Refused(req.Context(), tok, errUnauthorized)
	if sending || req.Body != nil {
		return resp, nil // a send is one request
	}
	_ = resp.Body.Close()
	resp, tok, err = t.once(req, nil)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		t.Tokens.Refused(req.Context(), tok, errUnauthorized)
	}
	return resp, err
}

func (t *Transport) once(req *http.Request, a *Attempt) (*http.Response, *oauth2.Token, error) {
	tok, err := t.Tokens.Token(req.Context())
	if err != nil {
		closeBody(req)
		return nil, nil, err
	}
	out := req.Clone(req.Context())
	out.Header.Set("Authorization", "Bearer "+tok.AccessToken)
	if a != nil {
		if late(t.Now(), a.notAfter) {
			closeBody(req)
			return nil, nil, &provider.Error{Kind: provider.ErrTemporary, Reason: "not_after_passed"}
		}
		a.begin(out)
	}
	resp, err := t.Base.RoundTrip(out)
	if a != nil {
		a.end(resp)
	}
	return resp, tok, err
}

// begin watches the request's body. A body that can be had again would let
// the base transport send it again, unseen.
func (a *Attempt) begin(req *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tried = true
	req.GetBody = nil
	if req.Body != nil {
		req.Body = &sealedBody{ReadCloser: req.Body, a: a}
	}
}

func (a *Attempt) end(resp *http.Response) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if resp != nil {
		a.status = resp.StatusCode
		a.page = strings.HasPrefix(strings.ToLower(resp.Header.Get("Content-Type")), "text/html")
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

// Outcome is what an attempt proves.
type Outcome int

// The outcomes.
const (
	Unknown Outcome = iota
	NotSent
	Accepted
)

// Outcome judges a finished attempt. Only positive proof makes it anything
// but Unknown.
func (a *Attempt) Outcome() Outcome {
	a.mu.Lock()
	defer a.mu.Unlock()
	if slices.Contains(a.accept, a.status) {
		if a.page { // of somebody in between, such as a network's sign-in: no API answers so
			return Unknown
		}
		return Accepted
	}
	switch a.status {
	case 0:
		if !a.tried || !a.taken && a.sealed {
			return NotSent
		}
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusTooManyRequests:
		return NotSent
	}
	return Unknown
}

// Status is the answer's, zero if none came.
func (a *Attempt) Status() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status
}

// UnknownReason names what came instead of an answer that would settle it.
func (a *Attempt) UnknownReason() string {
	if status := a.Status(); status != 0 {
		return fmt.Sprintf("status_%d", status)
	}
	return "no_answer"
}

// Watch makes a context in which a Transport watches one send. The request
// does not leave after notAfter, and only the statuses in accept are an
// acceptance.
func Watch(ctx context.Context, notAfter time.Time, accept ...int) (context.Context, *Attempt) {
	a := &Attempt{notAfter: notAfter, accept: accept}
	return context.WithValue(ctx, attemptKey{}, a), a
}
