package msgraph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	kiotahttp "github.com/microsoft/kiota-http-go"
	graphcore "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// version is the API's. Nothing of beta is used.
const version = "/v1.0"

// me stands for the token's own mailbox: the SDK has builders for users
// alone, and its middleware rewrites this name. Naming an address instead
// could only ever name another mailbox.
const me = "me-token-to-replace"

// maxAnswer bounds what is read of one answer, in bytes. Exchange lets a
// message grow to 150 MB.
const maxAnswer = 256 << 20

// client makes requests of one mailbox through the SDK's adapter. Of the
// SDK's middleware two handlers are used: the one that writes /me, and the
// one that decodes parameter names. Its retry handler would send a mail again
// after a 503 or 504, its compression mislabels a body that is sent again,
// and its redirect handler would carry the token elsewhere.
type client struct {
	p       *Provider
	adapter *graphcore.GraphRequestAdapterBase
	err     error         // why the adapter could not be made
	slots   chan struct{} // one for each request under way
}

// maxConcurrent bounds the requests under way of one opened mailbox. It is one
// less than what Graph allows an app at a mailbox
// (https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits).
const maxConcurrent = 3

func (p *Provider) newClient(ts provider.TokenSource) *client {
	c := &client{p: p, slots: make(chan struct{}, maxConcurrent)}
	wire := &edge{p: p, next: &courier.Transport{Base: p.transport, Tokens: ts, Host: p.host, Now: p.now}}
	httpClient := &http.Client{
		Transport: kiotahttp.NewCustomTransportWithParentTransport(wire,
			kiotahttp.NewUrlReplaceHandler(true, graphcore.ReplacementPairs), kiotahttp.NewParametersNameDecodingHandler()),
		Timeout:       p.timeout,
		CheckRedirect: courier.NoRedirect,
	}
	// Registries of its own: the SDK's default ones are shared by the process.
	adapter, err := graphcore.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		&authentication.AnonymousAuthenticationProvider{}, graphcore.GraphClientOptions{},
		serialization.NewParseNodeFactoryRegistry(), serialization.NewSerializationWriterFactoryRegistry(), httpClient)
	if err != nil {
		c.err = &provider.Error{Kind: provider.ErrApp, Op: "msgraph: open", Reason: "client_config", Err: err}
		return c
	}
	adapter.SetBaseUrl(p.ends.Graph + version)
	c.adapter = adapter
	return c
}

// user starts a request's path. Builders are not reused: they keep state.
func (c *client) user() *users.UserItemRequestBuilder {
	return users.NewUserItemRequestBuilderInternal(map[string]string{"user%2Did": me}, c.adapter)
}

// request is how the SDK's builders make one.
type request func(ctx context.Context) (*abstractions.RequestInformation, error)

// do makes a request and returns the answer's body. A panic inside the SDK
// comes out as an error.
func (c *client) do(ctx context.Context, op string, make request) (body []byte, err error) {
	if c.err != nil {
		return nil, c.err
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, courier.Interrupted(op, ctx.Err())
	}
	defer func() {
		if r := recover(); r != nil {
			body, err = nil, &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "sdk_panic", Err: fmt.Errorf("the SDK panicked: %v", r)}
		}
	}()
	info, err := make(ctx)
	if err != nil {
		return nil, &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: "request_not_built", Err: err}
	}
	v, err := c.adapter.SendPrimitive(ctx, info, "[]byte", nil)
	if err != nil {
		return nil, fault(ctx, op, err)
	}
	body, _ = v.([]byte)
	return body, nil
}

// object makes a request whose answer is one JSON object.
func (c *client) object(ctx context.Context, op string, make request, into any) error {
	body, err := c.do(ctx, op, make)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "answer_not_json"}
	}
	return nil
}

// page is one page of a list or of a delta.
type page struct {
	Value []message `json:"value"`
	Next  string    `json:"@odata.nextLink"`
	Delta string    `json:"@odata.deltaLink"`
}

// list makes a request whose answer is a page. An answer without the list is
// not taken for an empty one.
func (c *client) list(ctx context.Context, op string, make request) (page, error) {
	var pg page
	if err := c.object(ctx, op, make, &pg); err != nil {
		return page{}, err
	}
	if pg.Value == nil {
		return page{}, &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "answer_without_value"}
	}
	return pg, nil
}

// fault turns what a request returned into this module's error. Context
// errors stay what they are.
func fault(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return courier.Interrupted(op, ctx.Err())
	}
	var own *provider.Error
	if errors.As(err, &own) {
		out := *own
		out.Op = op
		return &out
	}
	return &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "network", Err: err}
}

// edge is the transport under the SDK. It sets what every request needs, and
// makes errors of all answers but 2xx, so that the SDK never sees them: it
// would ask again on its own after a challenge, and can panic on an odd one.
type edge struct {
	p    *Provider
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (e *edge) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	// Ids that survive a move (https://learn.microsoft.com/graph/outlook-immutable-id).
	out.Header.Add("Prefer", `IdType="ImmutableId"`)
	resp, err := e.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		resp.Body = &bounded{ReadCloser: resp.Body, left: maxAnswer}
		return resp, nil
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return nil, e.p.failure(resp, body)
}

// bounded fails a read that goes on for ever.
type bounded struct {
	io.ReadCloser
	left int64
}

var errAnswerTooLong = errors.New("the answer is longer than any message can be")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errAnswerTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// failure makes an error of an answer. What the service wrote for people is
// left to the SDK's own error behind it.
func (p *Provider) failure(resp *http.Response, body []byte) error {
	e := &provider.Error{RetryAfter: courier.RetryAfter(resp.Header, p.now())}
	codes := errorCodes(resp.Header.Get("Content-Type"), body)
	e.Kind, e.Reason = kindOf(resp.StatusCode, codes)
	e.Err = sdkError(resp, body)
	needsClaims(resp, e)
	return e
}

// errorCodes returns the codes of Graph's error object, the outermost first
// (https://learn.microsoft.com/graph/errors).
func errorCodes(contentType string, body []byte) []string {
	if t, _, err := mime.ParseMediaType(contentType); err == nil && t != "application/json" {
		return nil
	}
	type inner struct {
		Code  string          `json:"code"`
		Inner json.RawMessage `json:"innerError"`
		Lower json.RawMessage `json:"innererror"`
	}
	var outer struct {
		Error inner `json:"error"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return nil
	}
	var codes []string
	for at := outer.Error; len(codes) < 8; {
		if c := courier.Code(at.Code); c != "" {
			codes = append(codes, c)
		}
		raw := at.Inner
		if raw == nil {
			raw = at.Lower
		}
		at = inner{}
		if raw == nil || json.Unmarshal(raw, &at) != nil {
			break
		}
	}
	return codes
}
