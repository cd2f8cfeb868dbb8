package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

const me = "maria@agency.example.com"

// world is a mail world with one mailbox.
func world(t *testing.T, b postoffice.Beliefs) (*postoffice.Office, *postoffice.Clock) {
	t.Helper()
	clock := postoffice.NewClock(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	office, err := postoffice.New(postoffice.Config{Clock: clock, Beliefs: &b})
	if err != nil {
		t.Fatal(err)
	}
	box, err := office.AddMailbox(postoffice.MailboxConfig{Address: me, Name: "Maria Silva", Aliases: []string{"jobs@agency.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	box.SetDelays(postoffice.Delays{Visible: 7 * time.Second})
	return office, clock
}

// runProbe runs the probe, through its loopback page, on virtual time.
func runProbe(t *testing.T, prov provider.Provider, w *wire, api string, clock *postoffice.Clock, consent func(page string) (*url.URL, error)) (*probe, string) {
	t.Helper()
	var out strings.Builder
	p := &probe{
		prov: &overheard{Provider: prov}, wire: w, api: api, now: clock.Now, patience: 10 * time.Minute, out: &out,
		wait: func(_ context.Context, d time.Duration) error { clock.Advance(d); return nil },
	}
	err := p.run(t.Context(), func(ctx context.Context, b begin) (callback, error) {
		return browse(ctx, "http://127.0.0.1:0/callback", func(redirectURL string) (string, error) {
			page, err := b(redirectURL)
			if err != nil {
				return "", err
			}
			back, err := consent(page)
			if err != nil {
				return "", err
			}
			go func() { // the browser
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, back.String(), nil)
				if err != nil {
					return
				}
				if resp, err := http.DefaultClient.Do(req); err == nil {
					_ = resp.Body.Close()
				}
			}()
			return page, nil
		}, &out)
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return p, out.String()
}

func overGmail(t *testing.T, b postoffice.Beliefs, of gmailtest.Beliefs) (*probe, string) {
	t.Helper()
	office, clock := world(t, b)
	google, err := gmailtest.New(office, gmailtest.Config{ClientID: "id", ClientSecret: "secret", Beliefs: of})
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{base: google.Transport()}
	prov, err := gmail.New(gmail.Config{
		ClientID: "id", ClientSecret: "secret", Endpoints: google.Endpoints(), HTTPClient: &http.Client{Transport: w}, Now: clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return runProbe(t, prov, w, "", clock, func(page string) (*url.URL, error) {
		return google.Consent(nil, page, gmailtest.Answer{Account: me})
	})
}

func overMicrosoft(t *testing.T, b postoffice.Beliefs, of msgraphtest.Beliefs) (*probe, string) {
	t.Helper()
	office, clock := world(t, b)
	microsoft, err := msgraphtest.New(office, msgraphtest.Config{ClientID: "id", ClientSecret: "secret", Policy: msgraphtest.PolicyAny, SigningKey: signingKey(), Beliefs: of})
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{base: microsoft.Transport()}
	prov, err := msgraph.New(msgraph.Config{
		ClientID: "id", ClientSecret: "secret", HTTPClient: &http.Client{Transport: w}, Now: clock.Now,
		Endpoints: &msgraph.Endpoints{Login: microsoft.LoginURL(), Graph: microsoft.GraphURL()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return runProbe(t, prov, w, microsoft.GraphURL()+"/v1.0", clock, func(page string) (*url.URL, error) {
		return microsoft.Consent(nil, page, msgraphtest.Answer{Account: me})
	})
}

// signingKey is one for all tests: making one takes a while.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// flips are single changes of what a service does, and what the probe must
// find of it.
func flips() map[string]struct {
	change func(*postoffice.Beliefs)
	want   map[string]string
} {
	type flip = struct {
		change func(*postoffice.Beliefs)
		want   map[string]string
	}
	return map[string]flip{
		"as believed":          {func(*postoffice.Beliefs) {}, map[string]string{"KeepsMessageID": "true", "SentCopyMissing": "false", "KeepsReferences": "true", "FollowUpJoinsThread": "true", "EqualSubjectsMerge": "false", "SentCopyKeepsID": "true", "preview": "proven", "KeepsMalformedID": "false"}},
		"ids are replaced":     {func(b *postoffice.Beliefs) { b.KeepsMessageID = false }, map[string]string{"KeepsMessageID": "false"}},
		"no copies":            {func(b *postoffice.Beliefs) { b.SentCopyMissing = true; b.SelfMailOneMessage = false }, map[string]string{"SentCopyMissing": "true", "KeepsMessageID": "true", "preview": "not proven"}},
		"references are lost":  {func(b *postoffice.Beliefs) { b.KeepsReferences = false }, map[string]string{"KeepsReferences": "false"}},
		"equal subjects merge": {func(b *postoffice.Beliefs) { b.EqualSubjectsMerge = true }, map[string]string{"EqualSubjectsMerge": "true"}},
		"From is refused":      {func(b *postoffice.Beliefs) { b.RewritesFrom = false }, map[string]string{"RewritesFrom": "false"}},
		"From is rewritten":    {func(b *postoffice.Beliefs) { b.RewritesFrom = true }, map[string]string{"RewritesFrom": "true"}},
		"aliases are kept":     {func(b *postoffice.Beliefs) { b.RewritesAlias = false }, map[string]string{"RewritesAlias": "false"}},
		"aliases are changed":  {func(b *postoffice.Beliefs) { b.RewritesAlias = true }, map[string]string{"RewritesAlias": "true"}},
		"self mail is two":     {func(b *postoffice.Beliefs) { b.SelfMailOneMessage = false }, map[string]string{"SelfMailOneMessage": "false"}},
		"self mail is one":     {func(b *postoffice.Beliefs) { b.SelfMailOneMessage = true }, map[string]string{"SelfMailOneMessage": "true"}},
		"copies differ":        {func(b *postoffice.Beliefs) { b.SentCopyKeepsID = false; b.SelfMailOneMessage = false }, map[string]string{"SentCopyKeepsID": "false", "KeepsMessageID": "true"}},
	}
}

// TestGmail: whatever the service does, the probe finds it, and its report
// names nobody.
func TestGmail(t *testing.T) {
	for name, f := range flips() {
		t.Run(name, func(t *testing.T) {
			b := postoffice.GmailBeliefs()
			f.change(&b)
			p, out := overGmail(t, b, gmailtest.Beliefs{})
			check(t, p, out, f.want)
		})
	}
	for belief, of := range map[string]gmailtest.Beliefs{
		"RotatesRefreshTokens": {RotatesRefreshTokens: true}, "HistoryWithoutLabels": {HistoryWithoutLabels: true},
		"ShortScopes": {ShortScopes: true}, "NoIssuer": {NoIssuer: true},
	} {
		t.Run(belief, func(t *testing.T) {
			p, out := overGmail(t, postoffice.GmailBeliefs(), gmailtest.Beliefs{})
			check(t, p, out, map[string]string{belief: "false"})
			p, out = overGmail(t, postoffice.GmailBeliefs(), of)
			check(t, p, out, map[string]string{belief: "true"})
			named(t, p, gmailtest.Beliefs{})
		})
	}
}

func TestMicrosoft(t *testing.T) {
	for name, f := range flips() {
		if name == "self mail is one" {
			continue // a message lies in one folder
		}
		t.Run(name, func(t *testing.T) {
			b := postoffice.GraphBeliefs()
			f.change(&b)
			p, out := overMicrosoft(t, b, msgraphtest.Beliefs{})
			check(t, p, out, f.want)
		})
	}
	for belief, of := range map[string]msgraphtest.Beliefs{
		"FullScopes": {FullScopes: true}, "SendsIssuer": {SendsIssuer: true}, "SentCopyHeaders": {SentCopyHeaders: true},
		"DropsCustomHeaders": {DropsCustomHeaders: true}, "PropertyIDsAsAsked": {PropertyIDsAsAsked: true},
		"DeltaWithoutProperties": {DeltaWithoutProperties: true}, "DeltaReplays": {DeltaReplays: true},
	} {
		t.Run(belief, func(t *testing.T) {
			p, out := overMicrosoft(t, postoffice.GraphBeliefs(), msgraphtest.Beliefs{})
			check(t, p, out, map[string]string{belief: "false"})
			p, out = overMicrosoft(t, postoffice.GraphBeliefs(), of)
			check(t, p, out, map[string]string{belief: "true"})
			named(t, p, msgraphtest.Beliefs{})
		})
	}
}

// named: the report has a line for each switch of the fakes, so that what is
// believed can be set right.
func named(t *testing.T, p *probe, fake any) {
	t.Helper()
	for _, kind := range []reflect.Type{reflect.TypeFor[postoffice.Beliefs](), reflect.TypeOf(fake)} {
		for i := range kind.NumField() {
			if name := kind.Field(i).Name; p.report.value(name) == "" {
				t.Errorf("the report says nothing of %s", name)
			}
		}
	}
}

func check(t *testing.T, p *probe, out string, want map[string]string) {
	t.Helper()
	for belief, value := range want {
		if got := p.report.value(belief); got != value {
			t.Errorf("%s is %q, want %q", belief, got, value)
		}
	}
	_, pasted, ok := strings.Cut(out, "Paste this into an issue")
	if !ok || strings.Contains(pasted, "maria") || strings.Contains(pasted, "@") {
		t.Errorf("the report is missing or names somebody:\n%s", pasted)
	}
	if t.Failed() {
		t.Log(out)
	}
}

// TestMistakes are what a person may do wrong.
func TestMistakes(t *testing.T) {
	if _, err := newProvider("gmail", "", "", "", nil); err == nil || !strings.Contains(err.Error(), "OUTREACH_CLIENT_ID") {
		t.Errorf("no credentials: %v", err)
	}
	if _, err := newProvider("yahoo", "", "id", "secret", nil); err == nil || !strings.Contains(err.Error(), "yahoo") {
		t.Errorf("an unknown service: %v", err)
	}
	if _, err := browse(t.Context(), "http://example.com/callback", nil, nil); err == nil || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("a redirect to elsewhere: %v", err)
	}
}
