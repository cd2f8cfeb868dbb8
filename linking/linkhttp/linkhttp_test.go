package linkhttp_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/linking/linkhttp"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/memstore"
)

const maria = "maria@agency.example.com"

// site is a host's web server with the handlers, and a fake Google.
type site struct {
	t        *testing.T
	clock    *postoffice.Clock
	google   *gmailtest.Server
	linker   *linking.Linker
	srv      *httptest.Server
	mu       sync.Mutex
	failures []linkhttp.Failure
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, clock: postoffice.NewClock(time.Now())}
	office, err := postoffice.New(postoffice.Config{Clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: maria, Name: "Maria"}); err != nil {
		t.Fatal(err)
	}
	if s.google, err = gmailtest.New(office, gmailtest.Config{ClientID: "id", ClientSecret: "secret"}); err != nil {
		t.Fatal(err)
	}
	if err := s.google.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.google.Close() })
	prov, err := gmail.New(gmail.Config{ClientID: "id", ClientSecret: "secret", Endpoints: s.google.Endpoints(), Now: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	mem := memstore.New(memstore.Options{Now: s.clock.Now})
	s.linker, err = linking.New(linking.Config{
		Providers: []provider.Provider{prov}, Links: mem.Tokens(), Flows: mem.Flows(), Now: s.clock.Now, InsecurePlainTokens: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.srv = httptest.NewServer(mux)
	t.Cleanup(s.srv.Close)
	h, err := linkhttp.New(linkhttp.Config{
		Linker: s.linker, User: signedIn, RedirectURL: s.srv.URL + "/callback", AdminRedirectURL: s.srv.URL + "/admin/callback",
		Fail: func(w http.ResponseWriter, _ *http.Request, f linkhttp.Failure) {
			s.mu.Lock()
			s.failures = append(s.failures, f)
			s.mu.Unlock()
			w.WriteHeader(f.Status)
			_, _ = io.WriteString(w, f.Diagnosis.Remedy)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux.HandleFunc("/link", h.Start)
	mux.HandleFunc("/callback", h.Callback)
	mux.HandleFunc("/admin", h.StartAdmin)
	mux.HandleFunc("/admin/callback", h.AdminCallback)
	mux.HandleFunc("/settings", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the settings") })
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: r.FormValue("user") + "." + r.FormValue("session"), SameSite: http.SameSiteLaxMode, HttpOnly: true})
	})
	return s
}

// signedIn reads the session cookie, as a host would.
func signedIn(r *http.Request) (linkhttp.User, error) {
	c, err := r.Cookie("session")
	if err != nil {
		return linkhttp.User{}, linkhttp.ErrSignedOut
	}
	user, session, _ := strings.Cut(c.Value, ".")
	return linkhttp.User{Owner: user, Session: session}, nil
}

// browser keeps cookies, and follows redirects unless it is told to stop.
func (s *site) browser(user string) *http.Client {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	b := &http.Client{Jar: jar}
	if user != "" {
		s.get(b, s.srv.URL+"/login?user="+user+"&session=of-"+user)
	}
	return b
}

type page struct {
	status int
	url    *url.URL
	header http.Header
	body   string
}

func (s *site) do(b *http.Client, req *http.Request) page {
	s.t.Helper()
	resp, err := b.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return page{status: resp.StatusCode, url: resp.Request.URL, header: resp.Header, body: string(body)}
}

func (s *site) get(b *http.Client, addr string) page {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, addr, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.do(b, req)
}

func (s *site) post(b *http.Client, addr string, form url.Values, header ...string) page {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, addr, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return s.do(b, req)
}

func (s *site) start(b *http.Client) page {
	s.t.Helper()
	return s.post(b, s.srv.URL+"/link", url.Values{"provider": {"gmail"}, "return_to": {"/settings"}})
}

var hidden = regexp.MustCompile(`name="request" value="([^"]+)"`)
var tick = regexp.MustCompile(`name="scope" value="([^"]+)"`)

// consent fills in Google's page.
func (s *site) consent(b *http.Client, p page, answer string) page {
	s.t.Helper()
	m := hidden.FindStringSubmatch(p.body)
	if m == nil {
		s.t.Fatalf("%d at %s: no consent page: %s", p.status, p.url, p.body)
	}
	form := url.Values{"request": {m[1]}, "account": {maria}, "answer": {answer}}
	for _, sc := range tick.FindAllStringSubmatch(p.body, -1) {
		form.Add("scope", sc[1])
	}
	return s.post(b, s.google.URL()+"/o/oauth2/v2/auth", form)
}

func (s *site) lastFailure() linkhttp.Failure {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) == 0 {
		s.t.Fatal("nothing failed")
	}
	return s.failures[len(s.failures)-1]
}

// TestLinking clicks through it with a browser that keeps cookies.
func TestLinking(t *testing.T) {
	s := newSite(t)
	b := s.browser("maria")
	end := s.consent(b, s.start(b), "allow")
	if end.status != http.StatusOK || end.url.Path != "/settings" || end.url.RawQuery != "" || end.body != "the settings" {
		t.Errorf("%+v", end)
	}
	links, err := s.linker.List(t.Context(), "maria")
	if err != nil || len(links) != 1 || links[0].Address != maria || links[0].Status != store.LinkLinked {
		t.Fatalf("%+v, %v", links, err)
	}
	// Once more, to mend it.
	again := s.post(b, s.srv.URL+"/link", url.Values{"relink": {links[0].ID}})
	if end := s.consent(b, again, "allow"); end.url.Path != "/" { // Config.Home
		t.Errorf("%+v", end)
	}
	// What the user declines is told, with the way back.
	if end := s.consent(b, s.start(b), "deny"); end.status != http.StatusForbidden || end.body == "" {
		t.Errorf("%+v", end)
	}
	if f := s.lastFailure(); !errors.Is(f.Err, linking.ErrDenied) || f.ReturnTo != "/settings" || f.Provider != "gmail" ||
		f.Diagnosis.Mender != provider.MendUser || f.Diagnosis.Reason != provider.ReasonUserDeclined {
		t.Errorf("%+v", f)
	}
}

// TestHeaders holds that a callback's address goes nowhere, whatever became of
// it.
func TestHeaders(t *testing.T) {
	s := newSite(t)
	b := s.browser("maria")
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	begun := s.start(b)
	at := s.get(b, begun.header.Get("Location"))
	good := s.consent(b, at, "allow")
	back := good.header.Get("Location")
	if !strings.HasPrefix(back, s.srv.URL+"/callback?") {
		t.Fatalf("sent to %s", back)
	}
	pages := map[string]page{"begun": begun, "linked": s.get(b, back), "replayed": s.get(b, back), "signed out": s.get(s.browser(""), back)}
	for name, p := range pages {
		if p.header.Get("Referrer-Policy") != "no-referrer" || p.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", name, p.header)
		}
	}
	for name, want := range map[string]int{"begun": 303, "linked": 303, "replayed": 400, "signed out": 401} {
		if got := pages[name].status; got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

// TestNotByAnotherSite holds that a flow begins by a form of the host's own
// alone, and comes back in the browser that began it alone.
func TestNotByAnotherSite(t *testing.T) {
	s := newSite(t)
	b := s.browser("maria")
	if p := s.get(b, s.srv.URL+"/link?provider=gmail"); p.status != http.StatusMethodNotAllowed || p.header.Get("Allow") != "POST" {
		t.Errorf("begun by GET: %+v", p)
	}
	form := url.Values{"provider": {"gmail"}}
	for name, header := range map[string][]string{
		"as browsers say": {"Sec-Fetch-Site", "cross-site"}, "by the origin": {"Origin", "https://evil.example"},
	} {
		for _, path := range []string{"/link", "/admin"} {
			if p := s.post(b, s.srv.URL+path, form, header...); p.status != http.StatusForbidden {
				t.Errorf("%s, %s: %d at %s", name, path, p.status, p.url)
			}
		}
	}
	if p := s.post(b, s.srv.URL+"/link", form, "Sec-Fetch-Site", "same-origin"); hidden.FindString(p.body) == "" {
		t.Errorf("the host's own form: %+v", p)
	}
	if p := s.post(b, s.srv.URL+"/link", url.Values{"provider": {"gmail"}, "return_to": {"https://evil.example/"}}); p.status != http.StatusBadRequest {
		t.Errorf("an open redirect: %+v", p)
	}
	if p := s.post(s.browser(""), s.srv.URL+"/link", form); p.status != http.StatusUnauthorized {
		t.Errorf("nobody signed in: %+v", p)
	}
	if p := s.post(b, s.srv.URL+"/link", url.Values{"provider": {strings.Repeat("x", 1<<20)}}); p.status != http.StatusBadRequest {
		t.Errorf("a large form: %d", p.status)
	}

	// Eve's code in Maria's browser, and a program that looks at the address.
	eve := s.browser("eve")
	eve.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	back := s.consent(eve, s.get(eve, s.start(eve).header.Get("Location")), "allow").header.Get("Location")
	head, err := http.NewRequestWithContext(t.Context(), http.MethodHead, back, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := s.do(eve, head); p.status != http.StatusMethodNotAllowed {
		t.Errorf("HEAD: %d", p.status)
	}
	if p := s.get(b, back); p.status != http.StatusBadRequest || p.url.Path != "/callback" {
		t.Errorf("%d at %s", p.status, p.url.Path)
	}
	for _, owner := range []string{"maria", "eve"} {
		if links, err := s.linker.List(t.Context(), owner); err != nil || len(links) != 0 {
			t.Errorf("%s: %v, %v", owner, links, err)
		}
	}
	for _, f := range s.failures {
		text := fmt.Sprint(f.Err, f.Diagnosis)
		for _, secret := range []string{"of-maria", "of-eve", "4/0"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is told: %s", secret, text)
			}
		}
		if f.Diagnosis.Remedy == "" || f.Diagnosis.Mender == "" || f.Diagnosis.Reason == provider.ReasonUnknown {
			t.Errorf("nothing to show for %v", f.Err)
		}
	}
}

// TestAdminAtGoogle holds that a service without a page for administrators is
// told as such.
func TestAdminAtGoogle(t *testing.T) {
	s := newSite(t)
	b := s.browser("maria")
	if p := s.post(b, s.srv.URL+"/admin", url.Values{"provider": {"gmail"}}); p.status != http.StatusBadGateway {
		t.Errorf("%+v", p)
	}
	if p := s.get(b, s.srv.URL+"/admin/callback?admin_consent=True&tenant=x&state=forged"); p.status != http.StatusBadRequest {
		t.Errorf("%+v", p)
	}
}

func TestConfig(t *testing.T) {
	for _, cfg := range []linkhttp.Config{{}, {Linker: new(linking.Linker)}, {Linker: new(linking.Linker), User: signedIn}} {
		if _, err := linkhttp.New(cfg); !errors.Is(err, provider.ErrInvalid) {
			t.Errorf("%v", err)
		}
	}
}
