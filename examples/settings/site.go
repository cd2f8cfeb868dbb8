package main

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/linking/linkhttp"
	"github.com/outreachkit/outreach/provider"
)

// session is a browser's. What is to be said once is kept in it.
type session struct {
	id, user string
	trouble  *trouble
	reports  map[string]linking.CheckReport // by link
}

// trouble is an answer that did not go well.
type trouble struct {
	Diagnosis provider.Diagnosis
	Provider  string
}

// site is the host's web server.
func (w *world) site() http.Handler {
	h, err := linkhttp.New(linkhttp.Config{
		Linker: w.linker, RedirectURL: w.base + "/link/callback", AdminRedirectURL: w.base + "/admin/callback",
		User: func(r *http.Request) (linkhttp.User, error) {
			s := w.session(r)
			if s == nil {
				return linkhttp.User{}, linkhttp.ErrSignedOut
			}
			return linkhttp.User{Owner: s.user, Session: s.id}, nil
		},
		Fail: func(rw http.ResponseWriter, r *http.Request, f linkhttp.Failure) {
			w.say(r, &trouble{Diagnosis: f.Diagnosis, Provider: f.Provider})
			http.Redirect(rw, r, "/", http.StatusSeeOther)
		},
	})
	if err != nil {
		panic(err) // every field is there
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", w.page)
	mux.HandleFunc("POST /link", h.Start)
	mux.HandleFunc("GET /link/callback", h.Callback)
	mux.HandleFunc("POST /admin", h.StartAdmin)
	mux.HandleFunc("GET /admin/callback", h.AdminCallback)
	mux.HandleFunc("POST /sign-in", w.signIn)
	action := func(path string, do func(r *http.Request, s *session) error) {
		mux.HandleFunc("POST "+path, func(rw http.ResponseWriter, r *http.Request) {
			s := w.session(r)
			if s == nil {
				http.Redirect(rw, r, "/", http.StatusSeeOther)
				return
			}
			if err := do(r, s); err != nil {
				w.say(r, &trouble{Diagnosis: w.linker.Diagnose("", err)})
			}
			http.Redirect(rw, r, "/", http.StatusSeeOther)
		})
	}
	action("/check", func(r *http.Request, s *session) error {
		link, err := w.own(r, s)
		if err != nil {
			return err
		}
		report, err := w.linker.Check(r.Context(), link.ID)
		if err == nil {
			w.mu.Lock()
			s.reports[link.ID] = report
			w.mu.Unlock()
		}
		return err
	})
	action("/unlink", func(r *http.Request, s *session) error {
		return w.linker.Unlink(r.Context(), linking.UnlinkParams{Owner: s.user, Link: r.PostFormValue("link")})
	})
	action("/delegate", func(r *http.Request, s *session) error {
		days, _ := strconv.Atoi(r.PostFormValue("days")) // no number is no day, which is refused
		_, err := w.linker.Delegate(r.Context(), linking.DelegateParams{
			Owner: s.user, Link: r.PostFormValue("link"), Actor: r.PostFormValue("actor"), Until: w.clock.Now().AddDate(0, 0, days),
		})
		return err
	})
	action("/undelegate", func(r *http.Request, s *session) error {
		return w.linker.Undelegate(r.Context(), linking.UndelegateParams{Owner: s.user, Link: r.PostFormValue("link"), Actor: r.PostFormValue("actor")})
	})
	action("/break", func(r *http.Request, s *session) error {
		link, err := w.own(r, s)
		if err != nil {
			return err
		}
		return w.breaks(r.Context(), r.PostFormValue("what"), link)
	})
	action("/day", func(*http.Request, *session) error {
		w.clock.Advance(24 * time.Hour)
		return nil
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

// own is the link that a form names, if it is the user's.
func (w *world) own(r *http.Request, s *session) (linking.Link, error) {
	link, err := w.linker.Get(r.Context(), r.PostFormValue("link"))
	if err == nil && link.Owner != s.user {
		err = linking.ErrNotFound
	}
	return link, err
}

const cookie = "settings_session"

// session is the browser's, or nil.
func (w *world) session(r *http.Request) *session {
	c, err := r.Cookie(cookie)
	if err != nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sessions[c.Value]
}

// enter begins a session. A real host asks for a password first.
func (w *world) enter(rw http.ResponseWriter, user string) *session {
	s := &session{id: rand.Text(), user: user, reports: make(map[string]linking.CheckReport)}
	w.mu.Lock()
	w.sessions[s.id] = s
	w.mu.Unlock()
	// Lax, since the way back from the consent page begins at another site.
	http.SetCookie(rw, &http.Cookie{Name: cookie, Value: s.id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return s
}

func (w *world) signIn(rw http.ResponseWriter, r *http.Request) {
	for _, u := range users {
		if u.id == r.PostFormValue("user") {
			w.enter(rw, u.id)
		}
	}
	http.Redirect(rw, r, "/", http.StatusSeeOther)
}

func (w *world) say(r *http.Request, t *trouble) {
	if s := w.session(r); s != nil {
		w.mu.Lock()
		s.trouble = t
		w.mu.Unlock()
	}
}
