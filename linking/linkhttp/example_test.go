package linkhttp_test

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/linking/linkhttp"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store/memstore"
)

// sessionOf is the host's own: who is signed in, and their session's id.
func sessionOf(r *http.Request) (user, session string, ok bool) {
	c, err := r.Cookie("session")
	if err != nil {
		return "", "", false
	}
	return "maria", c.Value, true
}

var sorry = template.Must(template.New("sorry").Parse(`<h1>That did not work</h1><p>{{.Diagnosis.Remedy}}</p><p><a href="{{.ReturnTo}}">Back</a></p>`))

// routes are a host's two routes. Its page has a form that posts to the first:
//
//	<form method="post" action="/link">
//	  <input type="hidden" name="provider" value="mail">
//	  <input type="hidden" name="return_to" value="/settings">
//	  <button>Link my mailbox</button>
//	</form>
func routes(linker *linking.Linker) (http.Handler, error) {
	handlers, err := linkhttp.New(linkhttp.Config{
		Linker: linker, RedirectURL: "https://app.example.com/link/callback",
		User: func(r *http.Request) (linkhttp.User, error) {
			user, session, ok := sessionOf(r)
			if !ok {
				return linkhttp.User{}, linkhttp.ErrSignedOut
			}
			return linkhttp.User{Owner: user, Session: session}, nil
		},
		Fail: func(w http.ResponseWriter, r *http.Request, f linkhttp.Failure) {
			if errors.Is(f.Err, linkhttp.ErrSignedOut) {
				http.Redirect(w, r, "/login", http.StatusSeeOther)
				return
			}
			w.WriteHeader(f.Status)
			_ = sorry.Execute(w, f)
		},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/link", handlers.Start)
	mux.HandleFunc("/link/callback", handlers.Callback)
	return mux, nil
}

func Example() {
	// A mail service to link with: gmail.New in a real host.
	clock := postoffice.NewClock(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	office, _ := postoffice.New(postoffice.Config{Clock: clock})
	if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com"}); err != nil {
		fmt.Println(err)
		return
	}
	service := postoffice.NewProvider(office, postoffice.ProviderConfig{Name: "mail"})
	mem := memstore.New(memstore.Options{Now: clock.Now})
	linker, err := linking.New(linking.Config{
		Providers: []provider.Provider{service}, Links: mem.Tokens(), Flows: mem.Flows(), Now: clock.Now,
		InsecurePlainTokens: true, // a real host gives a Sealer
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	site, err := routes(linker)
	if err != nil {
		fmt.Println(err)
		return
	}

	// Maria's browser sends the form, and is sent to the consent page.
	visit := func(method, target, form string) *http.Response {
		r := httptest.NewRequest(method, target, strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(&http.Cookie{Name: "session", Value: "what nobody can guess"})
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		return w.Result()
	}
	begun := visit(http.MethodPost, "/link", url.Values{"provider": {"mail"}, "return_to": {"/settings"}}.Encode())
	back, err := service.Visit(begun.Header.Get("Location"), "maria@agency.example.com", provider.AccessReplies)
	if err != nil {
		fmt.Println(err)
		return
	}
	done := visit(http.MethodGet, back, "")
	fmt.Println(begun.StatusCode, done.StatusCode, done.Header.Get("Location"), done.Header.Get("Referrer-Policy"))
	replayed := visit(http.MethodGet, back, "")
	fmt.Println(replayed.StatusCode)
	// Output:
	// 303 303 /settings no-referrer
	// 400
}
