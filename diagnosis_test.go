package outreach_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store/memstore"
)

const (
	googleUser    = "gail@agency.example.com"
	microsoftUser = "maria@firm.example.net"
	callback      = "https://app.example.com/callback"
	canary        = "canary"
)

// diagnosed is a host that links mailboxes at a fake Google and a fake
// Microsoft, over HTTP.
type diagnosed struct {
	t         *testing.T
	clock     *postoffice.Clock
	google    *gmailtest.Server
	microsoft *msgraphtest.Server
	mem       *memstore.Store
	linker    *linking.Linker
	office    *postoffice.Office
	config    linking.Config
}

func newDiagnosed(t *testing.T, beliefs ...gmailtest.Beliefs) *diagnosed {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	clock := postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	office, err := postoffice.New(postoffice.Config{Clock: clock})
	must(err)
	_, err = office.AddMailbox(postoffice.MailboxConfig{Address: googleUser, Service: string(provider.Gmail)})
	must(err)
	_, err = office.AddMailbox(postoffice.MailboxConfig{Address: microsoftUser, Service: string(provider.MSGraph)})
	must(err)
	w := &diagnosed{t: t, clock: clock, office: office, mem: memstore.New(memstore.Options{Now: clock.Now})}
	fake := gmailtest.Config{ClientID: "client-1", ClientSecret: "secret-canary", SigningKey: testKey()}
	for _, b := range beliefs {
		fake.Beliefs = b
	}
	w.google, err = gmailtest.New(office, fake)
	must(err)
	w.microsoft, err = msgraphtest.New(office, msgraphtest.Config{
		ClientID: "00000000-0000-4000-8000-000000000001", ClientSecret: "secret-canary", SigningKey: testKey(), Policy: msgraphtest.PolicyAny,
	})
	must(err)
	google, err := gmail.New(gmail.Config{
		ClientID: "client-1", ClientSecret: "secret-canary", Now: clock.Now, Endpoints: w.google.Endpoints(),
		HTTPClient: &http.Client{Transport: w.google.Transport()},
	})
	must(err)
	microsoft, err := msgraph.New(msgraph.Config{
		ClientID: "00000000-0000-4000-8000-000000000001", ClientSecret: "secret-canary", Now: clock.Now,
		Endpoints:  &msgraph.Endpoints{Login: w.microsoft.LoginURL(), Graph: w.microsoft.GraphURL()},
		HTTPClient: &http.Client{Transport: w.microsoft.Transport()},
	})
	must(err)
	w.config = linking.Config{
		Providers: []provider.Provider{google, microsoft}, Links: w.mem.Tokens(), Flows: w.mem.Flows(), Now: clock.Now, InsecurePlainTokens: true,
	}
	w.linker, err = linking.New(w.config)
	must(err)
	return w
}

// testKey is one for all tests: making one takes a while.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func (w *diagnosed) begin(service string) string {
	w.t.Helper()
	begun, err := w.linker.Begin(w.t.Context(), linking.BeginParams{Owner: "owner", Session: "session", Provider: service, RedirectURL: callback})
	if err != nil {
		w.t.Fatal(err)
	}
	return begun.URL
}

// consent walks through a service's page.
func (w *diagnosed) consent(service string, refuse refusal) url.Values {
	w.t.Helper()
	page := w.begin(service)
	var back *url.URL
	var err error
	if service == "gmail" {
		back, err = w.google.Consent(nil, page, gmailtest.Answer{Account: googleUser, Refuse: refuse.code, Untick: refuse.untick})
	} else {
		back, err = w.microsoft.Consent(nil, page, msgraphtest.Answer{Account: microsoftUser, Refuse: refuse.number, RefuseCode: refuse.code})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return back.Query()
}

// refusal is what a page sends back with instead of a code.
type refusal struct {
	code   string
	number int
	untick []string
}

func (w *diagnosed) complete(q url.Values) (linking.Completed, error) {
	return w.linker.Complete(w.t.Context(), linking.CompleteParams{Query: q, Owner: "owner", Session: "session"})
}

func (w *diagnosed) link(service string) linking.Link {
	w.t.Helper()
	done, err := w.complete(w.consent(service, refusal{}))
	if err != nil {
		w.t.Fatal(err)
	}
	return done.Link
}

func (w *diagnosed) use(l linking.Link, send bool) error {
	w.t.Helper()
	opened, err := w.linker.Open(w.t.Context(), l.ID)
	if err != nil {
		return err
	}
	if !send {
		_, err = opened.Mailbox.Profile(w.t.Context())
		return err
	}
	_, err = opened.Mailbox.Send(w.t.Context(), &provider.Outgoing{
		Raw:  []byte("From: " + l.Address + "\r\nTo: grace@example.org\r\nSubject: Hello\r\n\r\nHello\r\n"),
		From: provider.Address{Addr: l.Address}, To: []provider.Address{{Addr: "grace@example.org"}}, NotAfter: w.clock.Now().Add(time.Minute),
	})
	return err
}

// answer is a refusal over HTTP.
type answer struct {
	status int
	code   string // of Graph or Gmail: their own; of a token endpoint: RFC 6749's
	inner  string // Graph's
	body   string
	retry  time.Duration
}

func (w *diagnosed) inject(service, op string, a answer) {
	if service == "gmail" {
		w.google.Inject(gmailtest.Rule{Op: op, Fault: gmailtest.Refuse, Status: a.status, Reason: a.code, Message: canary + " " + googleUser, Body: a.body, RetryAfter: a.retry, Times: -1})
		return
	}
	w.microsoft.Inject(msgraphtest.Rule{Op: op, Fault: msgraphtest.Refuse, Status: a.status, Reason: a.code, InnerReason: a.inner, Message: canary + " " + microsoftUser, Body: a.body, RetryAfter: a.retry, Times: -1})
}

// situation is one way in which linking or a link goes wrong. Bodies are in
// the form that the vendors document; they were not captured from them.
type situation struct {
	name    string
	service string
	at      string // consent, exchange, refresh, profile, send
	refusal refusal
	answer  answer
	reason  provider.Reason
	mender  provider.Mender
	kind    error  // nil is not looked at
	code    string // what support is told
}

// googleToken is an answer of Google's token endpoint
// (https://developers.google.com/identity/protocols/oauth2/web-server).
func googleToken(status int, code, subtype string) answer {
	v := map[string]any{"error": code, "error_description": canary + " for " + googleUser}
	if subtype != "" {
		v["error_subtype"] = subtype
	}
	return answer{status: status, body: jsonText(v)}
}

// entraToken is one of Entra's
// (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#error-response-1).
func entraToken(code string, number int, sub string) answer {
	v := map[string]any{
		"error": code, "timestamp": "2026-03-02 09:00:00Z", "trace_id": "0000aaaa-11bb-cccc-dd22-eeeeee333333", "correlation_id": "aaaa0000-bb11-2222-33cc-444444dddddd",
		"error_description": fmt.Sprintf("AADSTS%d: %s for %s.\r\nTrace ID: 0000aaaa", number, canary, microsoftUser),
		"error_uri":         fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", number),
	}
	if number != 0 {
		v["error_codes"] = []int{number}
	}
	if sub != "" {
		v["suberror"], v["claims"] = sub, `{"access_token":{"capolids":{"essential":true,"values":["`+canary+`"]}}}`
	}
	return answer{status: http.StatusBadRequest, body: jsonText(v)}
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings and numbers
	}
	return string(b)
}

// run makes the situation and returns what the host is told.
func (s situation) run(t *testing.T) (provider.Diagnosis, error) {
	w := newDiagnosed(t)
	switch s.at {
	case "consent":
		done, err := w.complete(w.consent(s.service, s.refusal))
		if err == nil || done.Provider != s.service {
			t.Fatalf("%+v, %v", done, err)
		}
		return w.linker.Diagnose(done.Provider, err), err
	case "exchange":
		q := w.consent(s.service, s.refusal)
		w.inject(s.service, "token", s.answer)
		done, err := w.complete(q)
		return w.linker.Diagnose(done.Provider, err), err
	}
	l := w.link(s.service)
	if s.at == "refresh" {
		w.clock.Advance(2 * time.Hour)
		w.inject(s.service, "token", s.answer)
	} else {
		op := map[string]map[string]string{"gmail": {"profile": "getProfile", "send": "messages.send"}, "msgraph": {"profile": "me", "send": "sendMail"}}[s.service][s.at]
		w.inject(s.service, op, s.answer)
	}
	err := w.use(l, s.at == "send")
	return w.linker.Diagnose(l.Provider, err), err
}

// check compares, and looks for what must not be there.
func (s situation) check(t *testing.T, d provider.Diagnosis, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("nothing went wrong")
	}
	if d.Reason != s.reason || d.Mender != s.mender {
		t.Errorf("%v: diagnosed %s, mended by the %s; want %s by the %s", err, d.Reason, d.Mender, s.reason, s.mender)
	}
	if s.kind != nil && !errors.Is(err, s.kind) {
		t.Errorf("%v is no %v", err, s.kind)
	}
	if errors.Is(err, provider.ErrApp) && errors.Is(err, provider.ErrRelink) {
		t.Errorf("%v blames the app and the grant", err)
	}
	if s.code != "" && d.Params[provider.ParamCode] != s.code {
		t.Errorf("the code is %q, want %q", d.Params[provider.ParamCode], s.code)
	}
	presentable(t, d)
	if text := err.Error(); strings.Contains(text, canary) || strings.Contains(text, googleUser) || strings.Contains(text, microsoftUser) {
		t.Errorf("the error tells too much: %s", text)
	}
}

var addressForm = regexp.MustCompile(`[^\s*]+@[^\s]+\.[a-z]+`)

// presentable holds that a host may show a diagnosis as it is.
func presentable(t *testing.T, d provider.Diagnosis) {
	t.Helper()
	all := d.Remedy + jsonText(d.Params)
	switch {
	case len(d.Remedy) < 20 || !strings.HasSuffix(d.Remedy, ".") && !strings.HasSuffix(d.Remedy, "!"):
		t.Errorf("%s: the remedy is no sentence: %q", d.Reason, d.Remedy)
	case strings.ContainsAny(d.Remedy, "{}"):
		t.Errorf("%s: the remedy has a hole: %q", d.Reason, d.Remedy)
	case d.Remedy[0] >= 'a' && d.Remedy[0] <= 'z':
		t.Errorf("%s: the remedy begins small: %q", d.Reason, d.Remedy)
	case strings.Contains(all, canary), strings.Contains(all, "://"), addressForm.MatchString(all):
		t.Errorf("%s: it tells too much: %s", d.Reason, all)
	}
	switch d.Mender {
	case provider.MendNobody, provider.MendUser, provider.MendAdmin, provider.MendOperator:
	default:
		t.Errorf("%s: mended by %q", d.Reason, d.Mender)
	}
}

// TestDiagnoses makes every situation over HTTP and looks at what the host is
// told. Each reason must come of at least one of them.
func TestDiagnoses(t *testing.T) {
	seen := make(map[provider.Reason]bool)
	for _, list := range [][]situation{googleSituations(), microsoftSituations()} {
		for _, s := range list {
			t.Run(s.service+"/"+s.at+"/"+s.name, func(t *testing.T) {
				d, err := s.run(t)
				s.check(t, d, err)
				seen[d.Reason] = true
			})
		}
	}
	for name, make := range linkSituations() {
		t.Run("link/"+name, func(t *testing.T) {
			w := newDiagnosed(t)
			service, want, err := make(w)
			d := w.linker.Diagnose(service, fmt.Errorf("the host's own words: %w", err))
			if d.Reason != want {
				t.Errorf("%v: diagnosed %s, want %s", err, d.Reason, want)
			}
			presentable(t, d)
			seen[d.Reason] = true
		})
	}
	for _, service := range []string{"gmail", "msgraph", "unheard-of"} {
		for _, d := range newDiagnosed(t).linker.Abandoned(service) {
			presentable(t, d)
			seen[d.Reason] = true
		}
	}
	for _, r := range provider.Reasons() {
		if presentable(t, provider.Explain(r, "", nil)); !seen[r] {
			t.Errorf("no situation comes out as %s", r)
		}
	}
}

// TestTestingMode: the same mailbox breaks every week, and Google says no more
// than that it did. The settings page says why.
func TestTestingMode(t *testing.T) {
	for _, announced := range []bool{false, true} {
		w := newDiagnosed(t, gmailtest.Beliefs{TestingMode: true, AnnouncesEnd: announced})
		l := w.link("gmail")
		every := 6 * time.Hour
		if announced {
			every = 8 * 24 * time.Hour // nobody looked in the meantime
		}
		var err error
		for range 40 {
			w.clock.Advance(every)
			if err = w.use(l, false); err != nil {
				break
			}
		}
		if !errors.Is(err, provider.ErrRelink) {
			t.Fatalf("it lives: %v", err)
		}
		status, err := w.linker.Status(t.Context(), l.ID)
		if err != nil || status.Diagnosis.Reason != provider.ReasonExpiredTesting || status.Diagnosis.Mender != provider.MendOperator {
			t.Errorf("announced %t: %+v, %v", announced, status.Diagnosis, err)
		}
	}
}
