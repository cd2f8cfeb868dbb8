package main

import (
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
)

// visitor is a user in a browser.
type visitor struct {
	t *testing.T
	w *world
	b *http.Client
}

func open(t *testing.T) *visitor {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWorld("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: w.site(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close(); w.close() })
	v := (&visitor{t: t, w: w}).another()
	v.sees("Signed in as")
	return v
}

// another is another browser at the same site.
func (v *visitor) another() *visitor {
	v.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return &visitor{t: v.t, w: v.w, b: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (v *visitor) send(method, path string, form url.Values) (*http.Response, string) {
	v.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = v.w.base + path
	}
	req, err := http.NewRequestWithContext(v.t.Context(), method, path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.b.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp, string(body)
}

// does presses a button.
func (v *visitor) does(path string, pairs ...string) {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	if resp, body := v.send(http.MethodPost, path, form); resp.StatusCode != http.StatusSeeOther {
		v.t.Errorf("%s: %d: %s", path, resp.StatusCode, body)
	}
}

// sees holds that the page says these things, and returns it.
func (v *visitor) sees(words ...string) string {
	v.t.Helper()
	resp, body := v.send(http.MethodGet, "/", nil)
	if resp.StatusCode != http.StatusOK {
		v.t.Fatalf("%d: %s", resp.StatusCode, body)
	}
	for _, w := range words {
		if !strings.Contains(body, w) {
			v.t.Errorf("the page does not say %q", w)
		}
	}
	return body
}

// links goes through a flow; consent is what the user does at the service.
func (v *visitor) links(path string, form url.Values, consent func(page string) (*url.URL, error)) {
	v.t.Helper()
	resp, _ := v.send(http.MethodPost, path, form)
	back, err := consent(resp.Header.Get("Location"))
	if err != nil {
		v.t.Fatal(err)
	}
	if resp, body := v.send(http.MethodGet, back.String(), nil); resp.StatusCode != http.StatusSeeOther {
		v.t.Fatalf("%d: %s", resp.StatusCode, body)
	}
}

func (v *visitor) atGoogle(addr string) func(string) (*url.URL, error) {
	return func(page string) (*url.URL, error) {
		return v.w.google.Consent(nil, page, gmailtest.Answer{Account: addr})
	}
}

func (v *visitor) atMicrosoft(addr string) func(string) (*url.URL, error) {
	return func(page string) (*url.URL, error) {
		return v.w.microsoft.Consent(nil, page, msgraphtest.Answer{Account: addr})
	}
}

func (v *visitor) link(user, addr string) string {
	v.t.Helper()
	links, err := v.w.linker.List(v.t.Context(), user)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, l := range links {
		if l.Address == addr {
			return l.ID
		}
	}
	v.t.Fatalf("%s has no link of %s: %v", user, addr, links)
	return ""
}

// TestLinkBreakMend goes through what can go wrong at Google.
func TestLinkBreakMend(t *testing.T) {
	v := open(t)
	const addr = "maria@agency.example.com"
	v.links("/link", url.Values{"provider": {"gmail"}}, v.atGoogle(addr))
	v.sees(addr, `badge good">Works<`, "sends, and sees answers", "Only you", "<span>Linked</span>", "Unlinking ends everything you allowed us at Google.")
	id := v.link("maria", addr)

	v.does("/break", "link", id, "what", "withdraw")
	v.sees(`badge bad">Link again<`, "You can mend this", "The permission ended", `class="main">Link again<`, "ended 1 time in a month. At 3")
	v.links("/link", url.Values{"relink": {id}}, v.atGoogle(addr))
	v.sees(`badge good">Works<`, "Works again")

	v.does("/break", "link", id, "what", "expire")
	v.sees("our registration at Google needs you", `badge warn">On hold<`, "We have to mend this")
	v.does("/break", "link", id, "what", "renew")
	if page := v.sees(`badge good">Works<`); strings.Contains(page, "needs you") {
		t.Error("the alarm does not end")
	}

	// Another's mailbox, and a check.
	v.links("/link", url.Values{"relink": {id}}, v.atGoogle("tom@agency.example.com"))
	v.sees(`id="trouble"`, "m***@agency.example.com", "t***@agency.example.com")
	if page := v.sees(addr); strings.Contains(page, `id="trouble"`) {
		t.Error("a trouble is said twice")
	}
	v.does("/check", "link", id)
	v.sees("What the check found", "Extent of the permission", `class="good-t">good<`)

	v.does("/unlink", "link", id)
	if page := v.sees("<h2>Unlinked</h2>"); strings.Contains(page, "Check now") {
		t.Error("an unlinked mailbox can be checked")
	}
}

// TestKeepsBreaking goes through a mailbox that breaks too often, and the way
// out of it.
func TestKeepsBreaking(t *testing.T) {
	v := open(t)
	const addr = "maria@agency.example.com"
	v.links("/link", url.Values{"provider": {"gmail"}}, v.atGoogle(addr))
	id := v.link("maria", addr)
	for n := range 3 {
		if n > 0 {
			v.links("/link", url.Values{"relink": {id}}, v.atGoogle(addr))
		}
		v.does("/break", "link", id, "what", "withdraw")
	}
	if page := v.sees(`badge bad">Not usable<`, "Choose another account", "can let it be tried again", "ended 3 times", `class="danger">Unlink<`); strings.Contains(page, `class="main">Link again<`) {
		t.Error("it can be linked again without anybody's leave")
	}
	v.does("/break", "link", id, "what", "forgive")
	v.sees(`badge bad">Link again<`, `class="main">Link again<`)
	v.links("/link", url.Values{"relink": {id}}, v.atGoogle(addr))
	v.sees(`badge good">Works<`)
}

// TestAdministrator is an organisation that lets nobody read without its
// administrator: sending alone for now, approval, and all of it.
func TestAdministrator(t *testing.T) {
	v := open(t)
	addr := "maria@" + tenant
	v.links("/link", url.Values{"provider": {"msgraph"}}, v.atMicrosoft(addr))
	page := v.sees(`id="trouble"`, "Your administrator can mend this", "A message to your administrator", "Mail.Read", "Link it for sending only, for now")
	if !strings.Contains(page, "Application: Example Recruiting") {
		t.Error("the message does not name the application")
	}
	v.links("/link", url.Values{"provider": {"msgraph"}, "access": {"send"}, "asked": {"replies"}}, v.atMicrosoft(addr))
	v.sees(`badge warn">Works in part<`, "sends, and sees no answers", "Allow the rest")
	id := v.link("maria", addr)

	olga := v.another()
	olga.sees("Signed in as")
	olga.does("/sign-in", "user", "olga")
	olga.links("/admin", url.Values{"provider": {"msgraph"}}, v.atMicrosoft("olga@"+tenant))
	if page := olga.sees("Olga"); strings.Contains(page, `id="trouble"`) {
		t.Error("the approval failed")
	}
	v.links("/link", url.Values{"relink": {id}, "access": {"replies"}}, v.atMicrosoft(addr))
	v.sees(`badge good">Works<`, "sends, and sees answers")

	v.does("/break", "link", id, "what", "unassign")
	v.sees("Your administrator can mend this", "AADSTS50105")
	v.does("/break", "link", id, "what", "unblock")
}

// TestColleagues lets Tom send from Maria's mailbox.
func TestColleagues(t *testing.T) {
	v := open(t)
	const addr = "maria@agency.example.com"
	v.links("/link", url.Values{"provider": {"gmail"}}, v.atGoogle(addr))
	id := v.link("maria", addr)
	v.does("/delegate", "link", id, "actor", "tom", "days", "7")
	v.sees("Tom Becker<br>", "Withdraw", "Tom Becker may send from it until")
	tom := v.another()
	tom.sees("Signed in as")
	tom.does("/sign-in", "user", "tom")
	tom.sees("Mailboxes of colleagues", addr, "of Maria Silva")
	// Tom can't touch Maria's link.
	for _, path := range []string{"/delegate", "/undelegate", "/unlink", "/check", "/break"} {
		tom.does(path, "link", id, "actor", "olga", "days", "7", "what", "withdraw")
		tom.sees(`id="trouble"`)
	}
	v.sees(`badge good">Works<`)
	for range 7 {
		v.does("/day")
	}
	if page := tom.sees("Signed in as"); strings.Contains(page, "Mailboxes of colleagues") {
		t.Error("a week has passed, and it did not end")
	}
	v.does("/delegate", "link", id, "actor", "tom", "days", "0")
	v.sees(`id="trouble"`, "Only you")
}

// TestForeignForms holds that no other site presses a button.
func TestForeignForms(t *testing.T) {
	v := open(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.w.base+"/sign-in", strings.NewReader("user=tom"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "https://evil.example")
	resp, err := v.b.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("%d", resp.StatusCode)
	}
}
