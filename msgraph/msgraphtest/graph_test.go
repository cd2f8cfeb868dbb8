package msgraphtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	kiotahttp "github.com/microsoft/kiota-http-go"
	kiotajson "github.com/microsoft/kiota-serialization-json-go"
	graphcore "github.com/microsoftgraph/msgraph-sdk-go-core"
	graphmodels "github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/internal/contracttest"
	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

const anna = "anna@clients.example.org" // a person, without a mailbox

// graphWorld is a fake Graph with Maria's mailbox and a token for it, over
// sockets or without.
type graphWorld struct {
	t      *testing.T
	clock  *postoffice.Clock
	office *postoffice.Office
	box    *postoffice.Mailbox
	ms     *msgraphtest.Server
	http   *http.Client
	bearer string
}

// newGraphWorld makes one. Without scopes the token may send and read.
func newGraphWorld(t *testing.T, sockets bool, cfg msgraphtest.Config, scopes ...string) *graphWorld {
	t.Helper()
	w := &graphWorld{t: t, clock: postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))}
	beliefs := postoffice.GraphBeliefs()
	var err error
	w.office, err = postoffice.New(postoffice.Config{Clock: w.clock, Beliefs: &beliefs})
	w.must(err)
	w.box, err = w.office.AddMailbox(postoffice.MailboxConfig{Address: maria, Name: "Maria Lopez", Aliases: []string{"jobs@agency.example.com"}})
	w.must(err)
	_, err = w.office.AddMailbox(postoffice.MailboxConfig{Address: omar, Name: "Omar"})
	w.must(err)
	cfg.ClientID, cfg.ClientSecret, cfg.SigningKey, cfg.Policy = "client-1", "secret-1", signingKey(), msgraphtest.PolicyAny
	if cfg.TokenLife == 0 {
		cfg.TokenLife = 24 * time.Hour // no test here is about tokens
	}
	if cfg.Check == nil {
		cfg.Check = graphChecked(t)
	}
	w.ms, err = msgraphtest.New(w.office, cfg)
	w.must(err)
	w.http = &http.Client{Transport: w.ms.Transport()}
	if sockets {
		w.must(w.ms.Start())
		t.Cleanup(func() { _ = w.ms.Close() })
		w.http = &http.Client{Transport: &http.Transport{}}
		t.Cleanup(w.http.CloseIdleConnections)
	}
	if len(scopes) == 0 {
		scopes = []string{"User.Read", "Mail.Send", "Mail.Read"}
	}
	w.bearer = w.token(maria, scopes...)
	return w
}

func (w *graphWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// token goes through consent for an access token.
func (w *graphWorld) token(account string, scopes ...string) string {
	w.t.Helper()
	base := w.ms.LoginURL() + "/common/oauth2/v2.0"
	app := oauth2.Config{
		ClientID: "client-1", ClientSecret: "secret-1", RedirectURL: "http://127.0.0.1/callback", Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: base + "/authorize", TokenURL: base + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	back, err := w.ms.Consent(w.http, app.AuthCodeURL("state"), msgraphtest.Answer{Account: account})
	w.must(err)
	tok, err := app.Exchange(context.WithValue(w.t.Context(), oauth2.HTTPClient, w.http), back.Query().Get("code"))
	w.must(err)
	return tok.AccessToken
}

// AuthenticateRequest has the SDK send the token.
func (w *graphWorld) AuthenticateRequest(_ context.Context, info *abstractions.RequestInformation, _ map[string]any) error {
	info.Headers.Add("Authorization", "Bearer "+w.bearer)
	return nil
}

// adapter is the SDK's, with all its middleware but for repeating requests.
func (w *graphWorld) adapter() *graphcore.GraphRequestAdapterBase {
	w.t.Helper()
	parsers, writers := serialization.NewParseNodeFactoryRegistry(), serialization.NewSerializationWriterFactoryRegistry()
	parsers.ContentTypeAssociatedFactories["application/json"] = kiotajson.NewJsonParseNodeFactory()
	writers.ContentTypeAssociatedFactories["application/json"] = kiotajson.NewJsonSerializationWriterFactory()
	middleware, err := kiotahttp.GetDefaultMiddlewaresWithOptions(&kiotahttp.RetryHandlerOptions{
		ShouldRetry: func(time.Duration, int, *http.Request, *http.Response) bool { return false },
	})
	w.must(err)
	middleware = append(middleware, kiotahttp.NewUrlReplaceHandler(true, graphcore.ReplacementPairs))
	client := &http.Client{Transport: kiotahttp.NewCustomTransportWithParentTransport(w.http.Transport, middleware...)}
	a, err := graphcore.NewGraphRequestAdapterBaseWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		w, graphcore.GraphClientOptions{}, parsers, writers, client)
	w.must(err)
	a.SetBaseUrl(w.ms.GraphURL() + "/v1.0")
	return a
}

// me is the SDK's builder for /me.
func (w *graphWorld) me() *users.UserItemRequestBuilder {
	return users.NewUserItemRequestBuilderInternal(map[string]string{"user%2Did": "me-token-to-replace"}, w.adapter())
}

// answer is one to plain net/http.
type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

// at reads a value below the answer, by keys.
func (a answer) at(keys ...string) any {
	var v any = a.json
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

func (a answer) code() string {
	s, _ := a.at("error", "code").(string)
	return s
}

// rows are what a list answered with.
func (a answer) rows() []map[string]any {
	var out []map[string]any
	list, _ := a.json["value"].([]any)
	for _, row := range list {
		m, _ := row.(map[string]any)
		out = append(out, m)
	}
	return out
}

// column is one property of all rows.
func (a answer) column(name string) string {
	var out []string
	for _, row := range a.rows() {
		s, _ := row[name].(string)
		out = append(out, s)
	}
	return strings.Join(out, ",")
}

// send makes a request below /v1.0, or of a whole URL.
func (w *graphWorld) send(method, path, body string, header ...string) (answer, error) {
	w.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = w.ms.GraphURL() + "/v1.0" + path
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(body))
	w.must(err)
	req.Header.Set("Authorization", "Bearer "+w.bearer)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(b)}
	_ = json.Unmarshal(b, &a.json) // what is not JSON has no json
	return a, err
}

func (w *graphWorld) do(method, path, body string, header ...string) answer {
	w.t.Helper()
	a, err := w.send(method, path, body, header...)
	w.must(err)
	return a
}

// get reads what must be there.
func (w *graphWorld) get(path string, header ...string) answer {
	w.t.Helper()
	a := w.do(http.MethodGet, path, "", header...)
	if a.status != http.StatusOK {
		w.t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	return a
}

// refuses checks that a request is refused with a code.
func (w *graphWorld) refuses(path string, status int, code string, header ...string) answer {
	w.t.Helper()
	a := w.do(http.MethodGet, path, "", header...)
	if a.status != status || a.code() != code {
		w.t.Errorf("GET %s: %d %s, want %d %s", path, a.status, a.body, status, code)
	}
	return a
}

// odata checks the error that the SDK made of a refusal.
func odata(t *testing.T, err error, status int, code string) {
	t.Helper()
	var e *odataerrors.ODataError
	if !errors.As(err, &e) || e.GetErrorEscaped() == nil || e.GetErrorEscaped().GetCode() == nil {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	if got := *e.GetErrorEscaped().GetCode(); e.ResponseStatusCode != status || got != code {
		t.Errorf("refused with %d %s, want %d %s", e.ResponseStatusCode, got, status, code)
	}
}

// query writes options as a query.
func query(pairs ...string) string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, pairs[i]+"="+url.QueryEscape(pairs[i+1]))
	}
	return "?" + strings.Join(out, "&")
}

const immutable = `IdType="ImmutableId"`

// mail is a mail of Maria's to Anna.
func (w *graphWorld) mail(subject string, change ...func(*mimemsg.Draft)) []byte {
	w.t.Helper()
	d := mimemsg.Draft{
		From: provider.Address{Name: "Maria Lopez", Addr: maria}, To: []provider.Address{{Addr: anna}}, Subject: subject,
		Date: w.clock.Now(), MessageID: "<" + strings.ReplaceAll(subject, " ", "-") + "@agency.example.com>", Text: "About " + subject + ".",
	}
	for _, c := range change {
		c(&d)
	}
	raw, err := mimemsg.Build(d)
	w.must(err)
	return raw
}

// arrives has Anna write to Maria.
func (w *graphWorld) arrives(subject string) postoffice.Message {
	w.t.Helper()
	m, err := w.office.Write(provider.Address{Name: "Anna Bell", Addr: anna}, maria, subject, "", "Words about "+subject+".")
	w.must(err)
	return m
}

func ptr[T any](v T) *T { return &v }

// value is what a pointer of the SDK's points to.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// subjects are what the SDK's list has.
func subjects(list []graphmodels.Messageable) string {
	var out []string
	for _, m := range list {
		out = append(out, value(m.GetSubject()))
	}
	return strings.Join(out, ",")
}

// graphContract is Microsoft's own description of Graph's mail, where it is
// at hand.
var graphContract = sync.OnceValues(func() (*contracttest.Contract, error) {
	return contracttest.Load("graph-mail-openapi.strict.json", "/v1.0")
})

// graphChecked has every answer of Graph checked against the contract. Of
// what was refused only the answer is: the request was wrong on purpose.
func graphChecked(t *testing.T) func(msgraphtest.Exchange) {
	t.Helper()
	rec := contracttest.Watch(t, graphContract)
	return func(ex msgraphtest.Exchange) {
		path := ex.Request.URL.Path
		switch {
		case !strings.HasPrefix(path, "/v1.0/me"),
			strings.Contains(path, "/attachments/") && strings.HasSuffix(path, "/$value"), // the contract has no such path
			strings.HasPrefix(ex.Header.Get("Content-Type"), "text/html"):                 // somebody in between answered
			return
		case ex.Status >= 400:
			ex.Request, _ = http.NewRequest(http.MethodGet, "http://graph.invalid/v1.0/me/messages", nil)
		}
		rec.Check(contracttest.Exchange{Request: ex.Request, Status: ex.Status, Header: ex.Header, Body: ex.ResponseBody})
	}
}

// TestMe: the two ways of naming one's own mailbox, and another's, which no
// token may read.
func TestMe(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	user, err := w.me().Get(t.Context(), nil)
	w.must(err)
	if value(user.GetMail()) != maria || value(user.GetDisplayName()) != "Maria Lopez" || value(user.GetSurname()) != "Lopez" {
		t.Errorf("the user is %s, %s", value(user.GetMail()), value(user.GetDisplayName()))
	}
	user, err = w.me().Get(t.Context(), &users.UserItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UserItemRequestBuilderGetQueryParameters{Select: []string{"id", "proxyAddresses"}},
	})
	w.must(err)
	if got := strings.Join(user.GetProxyAddresses(), " "); got != "SMTP:"+maria+" smtp:jobs@agency.example.com" || user.GetMail() != nil {
		t.Errorf("$select gave %q", got)
	}
	id := value(user.GetId())
	for _, name := range []string{id, maria, "jobs@agency.example.com"} {
		if got := w.get("/users/" + name + "/messages"); len(got.rows()) != 0 {
			t.Errorf("%s has %d messages", name, len(got.rows()))
		}
	}
	w.refuses("/users/"+omar+"/messages", http.StatusForbidden, "ErrorAccessDenied")
	w.refuses("/users/"+omar, http.StatusForbidden, "Authorization_RequestDenied")
	w.refuses("/me?$select=shoeSize", http.StatusBadRequest, "BadRequest")
	w.refuses("/me/events", http.StatusBadRequest, "BadRequest")
	w.refuses("/beta", http.StatusBadRequest, "BadRequest")
	if a := w.do(http.MethodDelete, "/me/messages", ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE was answered with %d", a.status)
	}

	a := w.get("/me", "client-request-id", "mine")
	if a.header.Get("client-request-id") != "mine" || a.header.Get("request-id") == "" || a.header.Get("Date") != "Mon, 02 Mar 2026 09:00:00 GMT" {
		t.Errorf("the header is %v", a.header)
	}
	a = w.refuses("/me/messages", http.StatusUnauthorized, "InvalidAuthenticationToken", "Authorization", "Bearer other")
	if a.at("error", "innerError", "request-id") != a.header.Get("request-id") || a.at("error", "innerError", "date") != "2026-03-02T09:00:00" {
		t.Errorf("the error is %s", a.body)
	}
}

// TestGraphScopes: which token may do what.
func TestGraphScopes(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	m := w.arrives("Hello")
	id := msgraphtest.MessageID(m)
	paths := []string{"/me", "/me/mailFolders", "/me/messages", "/me/messages/" + id, "/me/messages/" + id + "/$value", "/me/messages/" + id + "/attachments"}
	for scope, want := range map[string]string{
		"User.Read": "200 403 403 403 403 403 403", "Mail.Send": "403 403 403 403 403 403 400", "Mail.ReadBasic": "403 200 200 200 403 403 403",
		"Mail.Read": "403 200 200 200 200 200 403", "Mail.ReadWrite": "403 200 200 200 200 200 403",
	} {
		w.bearer = w.token(maria, scope)
		var got []string
		for _, p := range paths {
			got = append(got, statusOf(w.do(http.MethodGet, p, "")))
		}
		got = append(got, statusOf(w.do(http.MethodPost, "/me/sendMail", "{}", "Content-Type", "application/json")))
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", scope, strings.Join(got, " "), want)
		}
	}
}

func statusOf(a answer) string {
	b, _ := json.Marshal(a.status)
	return string(b)
}
