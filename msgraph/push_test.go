package msgraph_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

func post(t *testing.T, address, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestValidationHandshake(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	echo := func(token string) (provider.Push, error) {
		return f.prov.ReceivePush(post(t, pushURL+"&validationToken="+url.QueryEscape(token), `{"value":[]}`))
	}
	for name, c := range map[string]struct{ token, want string }{
		"as it is":     {"Validation: Testing client application reachability for subscription Request-Id: 1+2", ""},
		"a script":     {`<script>alert(document.domain)</script>`, "&lt;script&gt;alert(document.domain)&lt;/script&gt;"},
		"an attribute": {`" onload='x' &`, "&#34; onload=&#39;x&#39; &amp;"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.want == "" {
				c.want = c.token
			}
			push, err := echo(c.token)
			if err != nil || push.Echo != c.want || len(push.Notices) > 0 {
				t.Errorf("it answers %q, %v", push.Echo, err)
			}
		})
	}
	for name, token := range map[string]string{"empty": "", "far too long": strings.Repeat("A", 5000)} {
		t.Run(name, func(t *testing.T) {
			if push, err := echo(token); !errors.Is(err, provider.ErrRejected) {
				t.Errorf("it answers %d bytes, %v", len(push.Echo), err)
			}
		})
	}
}

// TestHandshakeOnTheWire: Graph makes a subscription only if both addresses
// answer as they should.
func TestHandshakeOnTheWire(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		made   bool
	}{
		"as it should": {nil, true},
		"nobody there": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false},
		"not found":    {http.NotFound, false},
		"a page": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(r.URL.Query().Get("validationToken")))
		}, false},
		"something else": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte("hello"))
		}, false},
		"a code of its own": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusAccepted)
			_, _ = w.Write([]byte(r.URL.Query().Get("validationToken")))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeMicrosoft(t, false, msgraphtest.Config{})
			if c.answer != nil {
				f.microsoft.SetWebhook(c.answer)
			}
			_, err := f.watcher(t).Watch(t.Context(), provider.WatchParams{Secret: secret})
			if (err == nil) != c.made {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// watcher opens maria's mailbox.
func (f *fakeMicrosoft) watcher(t *testing.T) provider.Watcher {
	t.Helper()
	f.mailbox(t, maria, "Maria Silva")
	g := f.consent(t, maria, provider.AccessReplies)
	acc := provider.Account{Subject: g.Identity.Subject, Address: maria, Access: g.Access}
	return f.prov.Open(acc, &refresher{p: f.prov, g: g}).(provider.Watcher)
}

const secret = "a-secret-that-nobody-guesses"

func TestNotificationForms(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	const (
		one = "7F105C7D-2DC5-4530-97CD-4E7AE6534C07"
		two = "aaaaaaaa-2dc5-4530-97cd-4e7ae6534c07"
	)
	item := func(sub, state, event string) string {
		s := `{"subscriptionId":"` + sub + `","clientState":"` + state + `","tenantId":"84bd8158-6d4d-4958-8b9f-9d6445542f95"`
		if event != "" {
			return s + `,"lifecycleEvent":"` + event + `"}`
		}
		return s + `,"changeType":"created","resource":"users/u/messages/m","resourceData":{"id":"m"}}`
	}
	all := func(items ...string) string { return `{"value":[` + strings.Join(items, ",") + `]}` }
	of := func(kind provider.NoticeKind, sub, state string) provider.Notice {
		return provider.Notice{Kind: kind, Route: "msgraph/" + strings.ToLower(sub), Secret: state}
	}
	for name, c := range map[string]struct {
		body    string
		want    []provider.Notice
		ignored int
		kind    provider.ErrorKind
	}{
		"one":             {all(item(one, secret, "")), []provider.Notice{of(provider.NoticeChanged, one, secret)}, 0, ""},
		"the same twice":  {all(item(one, secret, ""), item(one, secret, "")), []provider.Notice{of(provider.NoticeChanged, one, secret)}, 0, ""},
		"of two, mixed":   {all(item(one, secret, ""), item(two, "other", "missed")), []provider.Notice{of(provider.NoticeChanged, one, secret), of(provider.NoticeMissed, two, "other")}, 0, ""},
		"reauthorize":     {all(item(one, secret, "reauthorizationRequired")), []provider.Notice{of(provider.NoticeRenew, one, secret)}, 0, ""},
		"removed":         {all(item(one, secret, "subscriptionRemoved")), []provider.Notice{of(provider.NoticeRemoved, one, secret)}, 0, ""},
		"a new event":     {all(item(one, secret, "somethingNew"), item(one, secret, "")), []provider.Notice{of(provider.NoticeChanged, one, secret)}, 1, ""},
		"no subscription": {all(item("", secret, ""), item("../../me", secret, "")), nil, 2, ""},
		"a long secret":   {all(item(one, strings.Repeat("x", 129), "")), nil, 1, ""},
		"no secret":       {`{"value":[{"subscriptionId":"` + one + `","clientState":null}]}`, []provider.Notice{of(provider.NoticeChanged, one, "")}, 0, ""},
		"nothing in it":   {all(), nil, 0, ""},
		"no list":         {`{}`, nil, 0, provider.ErrRejected},
		"no JSON":         {`hello`, nil, 0, provider.ErrRejected},
		"empty":           {``, nil, 0, provider.ErrRejected},
		"far too much":    {`{"value":[` + strings.Repeat(item(one, secret, "")+",", 8000) + `{}]}`, nil, 0, provider.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			push, err := f.prov.ReceivePush(post(t, pushURL, c.body))
			if c.kind != "" {
				if !errors.Is(err, c.kind) || strings.Contains(err.Error(), secret) {
					t.Errorf("the error is %v, want %s", err, c.kind)
				}
				return
			}
			if err != nil || len(push.Notices) != len(c.want) || push.Ignored != c.ignored {
				t.Fatalf("it is read as %d notices, %d ignored, %v", len(push.Notices), push.Ignored, err)
			}
			for i, n := range push.Notices {
				if n != c.want[i] {
					t.Errorf("notice %d is %s of %s", i, n.Kind, n.Route)
				}
			}
		})
	}
}

// TestSubscriptionOnTheWire: what is asked of Graph, and that what it answers
// counts.
func TestSubscriptionOnTheWire(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	w := f.watcher(t)
	got, err := w.Watch(t.Context(), provider.WatchParams{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	subs := f.microsoft.Subscriptions(maria)
	if len(subs) != 1 || subs[0].ClientState != secret || !subs[0].Expires.Equal(got.Expires) {
		t.Fatalf("Graph holds %+v, the watch is %+v", subs, got)
	}
	f.office.Clock().Advance(30 * time.Minute)
	f.microsoft.RequireReauthorization(maria)
	f.office.Clock().Advance(time.Second)
	if list := f.drain(); len(list) != 1 || list[0].Kind != provider.NoticeRenew {
		t.Errorf("told: %v", list)
	}
	if _, err := w.Renew(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	if subs := f.microsoft.Subscriptions(maria); subs[0].Paused || !subs[0].Expires.After(got.Expires) {
		t.Errorf("renewed, Graph holds %+v", subs)
	}
	for name, bad := range map[string]string{"short": "short", "long": strings.Repeat("x", 129), "not ASCII": "sécret-sécret-sécret", "a space": "a secret of many words"} {
		if _, err := w.Watch(t.Context(), provider.WatchParams{Secret: bad}); !errors.Is(err, provider.ErrRejected) || strings.Contains(err.Error(), bad) {
			t.Errorf("a secret that is %s: %v", name, err)
		}
	}
	for _, id := range []string{"", "../me/messages", "a b", strings.Repeat("a", 65)} {
		if err := w.Unwatch(t.Context(), provider.Watch{ID: id, Target: got.Target}); err != nil {
			t.Errorf("unwatch %q: %v", id, err)
		}
		if _, err := w.Renew(t.Context(), provider.Watch{ID: id, Target: got.Target}); !errors.Is(err, provider.ErrNotFound) {
			t.Errorf("renew %q: %v", id, err)
		}
	}
}

func TestPushNotConfigured(t *testing.T) {
	prov, err := msgraph.New(msgraph.Config{ClientID: "a", ClientSecret: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prov.ReceivePush(post(t, pushURL+"&validationToken=x", "")); !errors.Is(err, provider.ErrApp) {
		t.Errorf("the error is %v", err)
	}
	for field, push := range map[string]msgraph.PushConfig{
		"Config.Push.URL":          {URL: "/push"},
		"Config.Push.LifecycleURL": {URL: pushURL, LifecycleURL: "ftp://ats.example.com"},
		"Config.Push.Life":         {URL: pushURL, Life: time.Minute},
	} {
		_, err := msgraph.New(msgraph.Config{ClientID: "a", ClientSecret: "b", Push: &push})
		var fe *provider.FieldError
		if !errors.As(err, &fe) || fe.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestNotificationsComeAgain: for four hours, to a host that does not
// acknowledge them.
func TestNotificationsComeAgain(t *testing.T) {
	f := newFakeMicrosoft(t, false, msgraphtest.Config{})
	if _, err := f.watcher(t).Watch(t.Context(), provider.WatchParams{Secret: secret}); err != nil {
		t.Fatal(err)
	}
	f.microsoft.SetWebhook(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	deliver(t, f, "<1@example.net>")
	f.office.Clock().Advance(time.Hour)
	f.microsoft.SetWebhook(f)
	f.office.Clock().Advance(time.Hour)
	if n := len(f.drain()); n != 1 {
		t.Errorf("after an outage of an hour it came %d times", n)
	}
	f.microsoft.SetWebhook(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	deliver(t, f, "<2@example.net>")
	f.office.Clock().Advance(5 * time.Hour)
	f.microsoft.SetWebhook(f)
	f.office.Clock().Advance(24 * time.Hour)
	if n := len(f.drain()); n != 0 {
		t.Errorf("after an outage of five hours it came %d times", n)
	}
}

func deliver(t *testing.T, f *fakeMicrosoft, id string) {
	t.Helper()
	raw := "From: news@example.org\r\nTo: " + maria + "\r\nSubject: Hello\r\nMessage-ID: " + id + "\r\n\r\nHello.\r\n"
	if _, err := f.office.Deliver(postoffice.Mail{To: maria, Raw: []byte(raw)}); err != nil {
		t.Fatal(err)
	}
}
