package gmail

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// maxPush bounds what is read of a push, in bytes. What Gmail publishes has a
// few hundred.
const maxPush = 64 << 10

// ReceivePush implements provider.PushReceiver for a push subscription with
// authentication. The push must be signed by Google, for our audience, in the
// name of our service account: a signature alone proves no more than that
// somebody has an account at Google
// (https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions).
//
// The signature is not one of the body, so who got hold of a push can push
// again with its token until that has expired, within the hour. All that comes
// of it are reads of mailboxes that are read anyway.
//
// Google's keys are fetched when one is needed that is not known yet, and not
// twice within a minute: whoever knows our audience and the service account's
// address, and neither is a secret, can name keys that nobody has.
func (p *Provider) ReceivePush(r *http.Request) (provider.Push, error) {
	const op = "gmail: receive push"
	fail := func(kind provider.ErrorKind, reason string) (provider.Push, error) {
		return provider.Push{}, &provider.Error{Kind: kind, Op: op, Reason: reason}
	}
	if p.push == nil {
		return fail(provider.ErrApp, "push_not_configured")
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return fail(provider.ErrAccess, "token_missing")
	}
	if err := p.verifyPush(r.Context(), op, token); err != nil {
		return provider.Push{}, err
	}
	body, err := courier.PushBody(op, r, maxPush)
	if err != nil {
		return provider.Push{}, err
	}
	address, ok := readPush(body)
	if !ok {
		// It is Google's, and would come again and again if it were refused.
		return provider.Push{Ignored: 1}, nil
	}
	return provider.Push{Notices: []provider.Notice{{Kind: provider.NoticeChanged, Route: route(address)}}}, nil
}

// pushClaims are those of a push's token that are compared here.
type pushClaims struct {
	Issuer   string   `json:"iss"`
	Audience audience `json:"aud"`
	Email    string   `json:"email"`
	Verified any      `json:"email_verified"` // a boolean; a string in some of Google's tokens
}

// audience is one text or several (RFC 7519 section 4.1.3).
type audience []string

func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// fits says what is wrong with the claims, or nothing.
func (c pushClaims) fits(p *Provider) string {
	switch {
	case c.Issuer != p.ends.Issuer:
		return "wrong_issuer"
	case !slices.Contains(c.Audience, p.push.Audience):
		return "wrong_audience"
	case c.Email != p.push.ServiceAccount:
		return "wrong_service_account"
	case c.Verified != true && c.Verified != "true":
		return "service_account_not_verified"
	}
	return ""
}

// verifyPush checks a push's token. Its claims are looked at before its
// signature, too: only who knows them can make us fetch keys.
func (p *Provider) verifyPush(ctx context.Context, op, token string) error {
	refuse := func(reason string) error { return &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: reason} }
	var claims pushClaims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return refuse("token_malformed")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return refuse("token_malformed")
	}
	if reason := claims.fits(p); reason != "" {
		return refuse(reason)
	}
	var fetch error
	verified, err := p.pushVerifier.Verify(context.WithValue(ctx, fetchKey{}, &fetch), token)
	var expired *oidc.TokenExpiredError
	switch {
	case ctx.Err() != nil:
		return courier.Interrupted(op, ctx.Err())
	case fetch != nil:
		return &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "keys_not_fetched", Err: fetch}
	case errors.As(err, &expired):
		return refuse("token_expired")
	case err != nil:
		return refuse("token_invalid")
	}
	claims = pushClaims{}
	if verified.Claims(&claims) != nil {
		return refuse("token_malformed")
	}
	if reason := claims.fits(p); reason != "" {
		return refuse(reason)
	}
	return nil
}

// fetchKey is where a pushKeys leaves why keys could not be fetched.
type fetchKey struct{}

// pushKeys tells a failure to fetch keys, which says nothing of the token,
// from a bad signature. The verifier makes one text of both.
type pushKeys struct{ oidc.KeySet }

// VerifySignature implements oidc.KeySet.
func (k pushKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, token)
	if cause := errors.Unwrap(err); cause != nil {
		if at, ok := ctx.Value(fetchKey{}).(*error); ok {
			*at = cause
		}
	}
	return payload, err
}

// keysEvery is how often Google's keys are fetched at most. Google publishes a
// key long before it signs with it.
const keysEvery = time.Minute

// sparing answers a GET of a document with what it was, if it was fetched just
// now.
type sparing struct {
	next http.RoundTripper
	now  func() time.Time

	mu      sync.Mutex
	fetched time.Time
	body    []byte
	header  http.Header
}

// RoundTrip implements http.RoundTripper.
func (s *sparing) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if since := s.now().Sub(s.fetched); s.body != nil && since >= 0 && since < keysEvery {
		return s.answer(r), nil
	}
	resp, err := s.next.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys))
	if err != nil {
		return nil, err
	}
	s.fetched, s.body, s.header = s.now(), body, resp.Header
	return s.answer(r), nil
}

// maxKeys bounds the document of Google's keys, in bytes.
const maxKeys = 1 << 20

func (s *sparing) answer(r *http.Request) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: s.header.Clone(),
		Body: io.NopCloser(bytes.NewReader(s.body)), ContentLength: int64(len(s.body)), Request: r,
	}
}

func (p *Provider) newPushVerifier() *oidc.IDTokenVerifier {
	client := p.plainClient()
	client.Transport = &sparing{next: client.Transport, now: p.now}
	ctx := oidc.ClientContext(context.Background(), client)
	return oidc.NewVerifier(p.ends.Issuer, pushKeys{oidc.NewRemoteKeySet(ctx, p.ends.JWKS)}, &oidc.Config{
		ClientID: p.push.Audience, SupportedSigningAlgs: []string{oidc.RS256}, Now: p.now,
	})
}

// readPush reads whose mailbox a Pub/Sub message speaks of. The historyId in
// it is where the mailbox is now: reading from there would find nothing.
func readPush(body []byte) (address string, ok bool) {
	var envelope struct {
		Message struct {
			Data string `json:"data"`
		} `json:"message"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return "", false
	}
	// Both alphabets of base64 have been seen, with and without padding.
	data := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(envelope.Message.Data, "="))
	raw, err := base64.RawStdEncoding.DecodeString(data)
	if err != nil {
		return "", false
	}
	var told struct {
		EmailAddress string          `json:"emailAddress"`
		HistoryID    json.RawMessage `json:"historyId"` // a number or a string
	}
	if json.NewDecoder(bytes.NewReader(raw)).Decode(&told) != nil || provider.Normalize(told.EmailAddress) == "" {
		return "", false
	}
	return told.EmailAddress, true
}
