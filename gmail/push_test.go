package gmail_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/provider"
)

// genuine are the claims of a push as Google makes them.
func (f *fakeGoogle) genuine() map[string]any {
	now := f.office.Clock().Now()
	return map[string]any{
		"iss": f.google.URL(), "aud": pushURL, "sub": "1", "email": pushAccount, "email_verified": true,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

// push makes a push about maria with this token.
func (f *fakeGoogle) push(t *testing.T, token string) *http.Request {
	t.Helper()
	req, err := f.google.PushRequest(maria)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return req
}

func (f *fakeGoogle) signed(t *testing.T, claims map[string]any) string {
	t.Helper()
	token, err := f.google.SignPush(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// sign signs claims with a key that is not Google's, under the name of one
// that is.
func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: "key-1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestForgedPushes: each of them differs in one thing from a push that is
// taken, so that one defence alone is in its way.
func TestForgedPushes(t *testing.T) {
	f := newFakeGoogle(t, false, gmailtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	push, err := f.prov.ReceivePush(f.push(t, f.signed(t, f.genuine())))
	if err != nil || len(push.Notices) != 1 || push.Notices[0].Kind != provider.NoticeChanged || push.Notices[0].Route != "gmail/"+maria {
		t.Fatalf("a genuine push is %+v, %v", push, err)
	}
	with := func(name string, v any) string {
		claims := f.genuine()
		if claims[name] = v; v == nil {
			delete(claims, name)
		}
		return f.signed(t, claims)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&signingKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := json.Marshal(f.genuine())
	if err != nil {
		t.Fatal(err)
	}
	payload := base64.RawURLEncoding.EncodeToString(claims)
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + payload + "."
	changed := strings.Split(f.signed(t, f.genuine()), ".")
	changed[1] = payload[:len(payload)-2] + "AA"
	now := f.office.Clock().Now()
	for name, attack := range map[string]struct{ token, reason string }{
		"signed by somebody else":           {sign(t, jose.RS256, stranger, f.genuine()), "token_invalid"},
		"signed with Google's public key":   {sign(t, jose.HS256, public, f.genuine()), "token_invalid"},
		"not signed":                        {unsigned, "token_invalid"},
		"changed after it was signed":       {strings.Join(changed, "."), ""},
		"for somebody else's endpoint":      {with("aud", "https://elsewhere.example.com/push"), "wrong_audience"},
		"for nobody":                        {with("aud", nil), "wrong_audience"},
		"by another issuer":                 {with("iss", "https://issuer.example.com"), "wrong_issuer"},
		"by the issuer's short name":        {with("iss", "accounts.google.com"), "wrong_issuer"},
		"somebody else's service account":   {with("email", "attacker@evil.iam.gserviceaccount.com"), "wrong_service_account"},
		"no account":                        {with("email", nil), "wrong_service_account"},
		"an account that is not verified":   {with("email_verified", false), "service_account_not_verified"},
		"an account nobody says is":         {with("email_verified", nil), "service_account_not_verified"},
		"expired":                           {with("exp", now.Add(-time.Second).Unix()), "token_expired"},
		"without an end":                    {with("exp", nil), "token_expired"},
		"not yet valid":                     {with("nbf", now.Add(time.Hour).Unix()), "token_invalid"},
		"a person's token for another app":  {f.signed(t, map[string]any{"iss": f.google.URL(), "aud": "client-2", "sub": "2", "email": "eve@example.org", "email_verified": true, "exp": now.Add(time.Hour).Unix()}), "wrong_audience"},
		"a person's token for our own push": {with("email", "eve@example.org"), "wrong_service_account"},
		"no token at all":                   {"", "token_missing"},
		"half a token":                      {strings.Join(changed[:2], "."), "token_malformed"},
		"no JSON":                           {"a.b.c", "token_malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			push, err := f.prov.ReceivePush(f.push(t, attack.token))
			var pe *provider.Error
			if !errors.Is(err, provider.ErrAccess) || !errors.As(err, &pe) || len(push.Notices) > 0 {
				t.Fatalf("it is taken: %+v, %v", push, err)
			}
			if attack.reason != "" && pe.Reason != attack.reason {
				t.Errorf("it is refused for %q, want %q", pe.Reason, attack.reason)
			}
			for _, secret := range []string{attack.token, payload, maria, "eve@"} {
				if secret != "" && strings.Contains(err.Error(), secret) {
					t.Errorf("the error tells %s: %v", secret, err)
				}
			}
		})
	}
	t.Run("another scheme", func(t *testing.T) {
		req := f.push(t, "")
		req.Header.Set("Authorization", "Basic "+f.signed(t, f.genuine()))
		if _, err := f.prov.ReceivePush(req); !errors.Is(err, provider.ErrAccess) {
			t.Errorf("it is taken: %v", err)
		}
	})
}

// TestReplayedPush: a push that comes again says the same again. There is
// nothing in it that could move anything back.
func TestReplayedPush(t *testing.T) {
	f := newFakeGoogle(t, false, gmailtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	token := f.signed(t, f.genuine())
	for range 3 {
		push, err := f.prov.ReceivePush(f.push(t, token))
		if err != nil || len(push.Notices) != 1 || push.Notices[0] != (provider.Notice{Kind: provider.NoticeChanged, Route: "gmail/" + maria}) {
			t.Errorf("replayed it is %+v, %v", push, err)
		}
	}
	f.office.Clock().Advance(2 * time.Hour)
	if _, err := f.prov.ReceivePush(f.push(t, token)); !errors.Is(err, provider.ErrAccess) {
		t.Errorf("after its hour it is still taken: %v", err)
	}
}

// TestPushForms: what was seen of pushes in the wild.
func TestPushForms(t *testing.T) {
	f := newFakeGoogle(t, false, gmailtest.Config{})
	body := func(data string) string {
		return `{"message":{"data":"` + data + `","messageId":"1"},"subscription":"s"}`
	}
	told := `{"emailAddress":"Maria@Agency.example.com","historyId":"9"}??>`
	for name, c := range map[string]struct {
		body    string
		notices int
		kind    provider.ErrorKind
	}{
		"base64":           {body(base64.StdEncoding.EncodeToString([]byte(told))), 1, ""},
		"base64url":        {body(base64.URLEncoding.EncodeToString([]byte(told))), 1, ""},
		"without padding":  {body(base64.RawURLEncoding.EncodeToString([]byte(told))), 1, ""},
		"a number":         {body(base64.StdEncoding.EncodeToString([]byte(`{"emailAddress":"maria@agency.example.com","historyId":18446744073709551615}`))), 1, ""},
		"no history":       {body(base64.StdEncoding.EncodeToString([]byte(`{"emailAddress":"maria@agency.example.com"}`))), 1, ""},
		"no address":       {body(base64.StdEncoding.EncodeToString([]byte(`{"historyId":1}`))), 0, ""},
		"no mail address":  {body(base64.StdEncoding.EncodeToString([]byte(`{"emailAddress":"maria","historyId":1}`))), 0, ""},
		"no base64":        {body("!"), 0, ""},
		"no JSON in it":    {body(base64.StdEncoding.EncodeToString([]byte("hello"))), 0, ""},
		"no JSON":          {"hello", 0, ""},
		"nothing":          {"", 0, ""},
		"far too much":     {body(strings.Repeat("A", 1<<20)), 0, provider.ErrTooLarge},
		"something else":   {`[1,2,3]`, 0, ""},
		"a null for a map": {`{"message":null}`, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			req := f.push(t, f.signed(t, f.genuine()))
			req.Body = io.NopCloser(bytes.NewReader([]byte(c.body)))
			push, err := f.prov.ReceivePush(req)
			if c.kind != "" {
				if !errors.Is(err, c.kind) {
					t.Errorf("the error is %v, want %s", err, c.kind)
				}
				return
			}
			// What Google signed and nobody understands is acknowledged: it
			// would come again for a week.
			if err != nil || len(push.Notices) != c.notices || push.Ignored != 1-c.notices {
				t.Errorf("it is read as %+v, %v", push, err)
			}
			for _, n := range push.Notices {
				if n.Route != "gmail/maria@agency.example.com" {
					t.Errorf("its route is %q", n.Route)
				}
			}
		})
	}
}

// TestPushWithoutKeys: whether a push is genuine can't be told while Google's
// keys can't be had, so it has to come again.
func TestPushWithoutKeys(t *testing.T) {
	f := newFakeGoogle(t, false, gmailtest.Config{})
	f.google.Inject(gmailtest.Rule{Op: "certs", Fault: gmailtest.CutBefore})
	token := f.signed(t, f.genuine())
	if _, err := f.prov.ReceivePush(f.push(t, token)); !errors.Is(err, provider.ErrTemporary) {
		t.Errorf("the error is %v, want %s", err, provider.ErrTemporary)
	}
	// A push comes until it is taken. One that comes while a fetch is being put
	// away gets that fetch's result, so the next may still be refused.
	again := func(token string) (push provider.Push, err error) {
		for range 100_000 {
			if push, err = f.prov.ReceivePush(f.push(t, token)); err == nil {
				break
			}
			runtime.Gosched()
		}
		return push, err
	}
	if push, err := again(token); err != nil || len(push.Notices) != 1 {
		t.Errorf("when they are back it is %+v, %v", push, err)
	}
	f.office.Clock().Advance(time.Minute)
	if err := f.google.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	if push, err := again(f.signed(t, f.genuine())); err != nil || len(push.Notices) != 1 {
		t.Errorf("after a rotation it is %+v, %v", push, err)
	}
}

// counting counts the requests for Google's keys.
type counting struct {
	next http.RoundTripper
	keys int
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/certs") {
		c.keys++
	}
	return c.next.RoundTrip(r)
}

// TestStormOfKeys: forged pushes that are right in all but their signature,
// and each name another key, make no more than a request a minute for Google's
// keys.
func TestStormOfKeys(t *testing.T) {
	f := newFakeGoogle(t, false, gmailtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	c := &counting{next: f.google.Transport()}
	prov, err := gmail.New(gmail.Config{
		ClientID: "client-1", ClientSecret: "client-secret-canary", HTTPClient: &http.Client{Transport: c}, Now: f.office.Clock().Now, Endpoints: f.google.Endpoints(),
		Push: &gmail.PushConfig{Topic: pushTopic, Audience: pushURL, ServiceAccount: pushAccount},
	})
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: stranger, KeyID: fmt.Sprint("key-", i)}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		payload, err := json.Marshal(f.genuine())
		if err != nil {
			t.Fatal(err)
		}
		jws, err := signer.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		token, err := jws.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := prov.ReceivePush(f.push(t, token)); !errors.Is(err, provider.ErrAccess) {
			t.Fatalf("push %d: %v", i, err)
		}
		f.office.Clock().Advance(time.Second)
	}
	if c.keys > 4 {
		t.Errorf("200 forged pushes in 200 seconds made %d requests for keys", c.keys)
	}
	if push, err := prov.ReceivePush(f.push(t, f.signed(t, f.genuine()))); err != nil || len(push.Notices) != 1 {
		t.Errorf("a genuine push after them is %+v, %v", push, err)
	}
}

func TestPushNotConfigured(t *testing.T) {
	ends := gmail.GoogleEndpoints()
	prov, err := gmail.New(gmail.Config{ClientID: "a", ClientSecret: "b", Endpoints: &ends})
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, pushURL, nil)
	if _, err := prov.ReceivePush(req); !errors.Is(err, provider.ErrApp) {
		t.Errorf("the error is %v", err)
	}
	if _, ok := prov.Open(provider.Account{Access: provider.AccessReplies}, nil).(provider.Watcher); ok {
		t.Error("a mailbox can be watched though no topic is known")
	}
	for field, push := range map[string]gmail.PushConfig{
		"Config.Push.Topic":          {Topic: "gmail", Audience: "a", ServiceAccount: "b"},
		"Config.Push.Audience":       {Topic: pushTopic, ServiceAccount: "b"},
		"Config.Push.ServiceAccount": {Topic: pushTopic, Audience: "a"},
	} {
		_, err := gmail.New(gmail.Config{ClientID: "a", ClientSecret: "b", Push: &push})
		var fe *provider.FieldError
		if !errors.As(err, &fe) || fe.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestOtherTopic: a topic that the host changed is one for which Gmail wants
// the old watch ended first.
func TestOtherTopic(t *testing.T) {
	f := newFakeGoogle(t, false, gmailtest.Config{})
	f.mailbox(t, maria, "Maria Silva")
	g := f.consent(t, maria, provider.AccessReplies)
	acc := provider.Account{Subject: g.Identity.Subject, Address: maria, Access: g.Access}
	const topic = "projects/agency/topics/other"
	if err := f.google.Subscribe(gmailtest.PushSubscription{Topic: topic, Endpoint: pushURL, ServiceAccount: pushAccount, Handler: f}); err != nil {
		t.Fatal(err)
	}
	other, err := gmail.New(gmail.Config{
		ClientID: "client-1", ClientSecret: "client-secret-canary", HTTPClient: &http.Client{Transport: f.google.Transport()}, Now: f.office.Clock().Now,
		Endpoints: f.google.Endpoints(), Push: &gmail.PushConfig{Topic: topic, Audience: pushURL, ServiceAccount: pushAccount},
	})
	if err != nil {
		t.Fatal(err)
	}
	old := f.prov.Open(acc, fixed{g.Token}).(provider.Watcher)
	now := other.Open(acc, fixed{g.Token}).(provider.Watcher)
	w, err := old.Watch(t.Context(), provider.WatchParams{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := now.Renew(t.Context(), w); !errors.Is(err, provider.ErrNotFound) {
		t.Errorf("renewed for another topic: %v", err)
	}
	if _, err := now.Watch(t.Context(), provider.WatchParams{}); err == nil {
		t.Error("Gmail took a second topic")
	}
	if err := now.Unwatch(t.Context(), w); err != nil {
		t.Error(err)
	}
	if _, err := now.Watch(t.Context(), provider.WatchParams{}); err != nil {
		t.Error(err)
	}
}

const maria = "maria@agency.example.com"
