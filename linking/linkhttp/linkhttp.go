package linkhttp

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
)

// User is who is signed in.
type User struct {
	Owner   string // the host's own id of the user
	Session string // see linking.BeginParams.Session
}

// String hides the session.
func (u User) String() string { return "linkhttp.User(" + u.Owner + ", the session hidden)" }

// GoString hides the session.
func (u User) GoString() string { return u.String() }

// LogValue hides the session.
func (u User) LogValue() slog.Value { return slog.StringValue(u.String()) }

// ErrSignedOut is what Config.User returns if nobody is signed in.
const ErrSignedOut = Error("nobody is signed in")

// Error is the type of this package's constant errors.
type Error string

func (e Error) Error() string { return "linkhttp: " + string(e) }

// Config is what the handlers need. Linker, User, RedirectURL and Fail are
// required. User and Fail are called by several requests at once.
type Config struct {
	Linker *linking.Linker

	// User tells who is signed in in the browser that r comes from.
	User func(r *http.Request) (User, error)

	// RedirectURL is the whole address of Callback, as registered with the
	// mail services. AdminRedirectURL is that of AdminCallback; empty if the
	// host serves no administrators.
	RedirectURL, AdminRedirectURL string

	// Fail answers a request that did not go well: it shows f.Diagnosis, or
	// keeps it and redirects to f.ReturnTo. It writes the status.
	Fail func(w http.ResponseWriter, r *http.Request, f Failure)

	// Home is where to go where a flow has no ReturnTo. Default "/".
	Home string

	// Origins says whose forms may begin a flow. Nil is those of the host's
	// own origin alone.
	Origins *http.CrossOriginProtection
}

// Failure is why a request did not go well.
type Failure struct {
	Status    int // that fits, such as 400
	Err       error
	Diagnosis provider.Diagnosis
	Provider  string // empty where it is not known
	ReturnTo  string // the flow's; empty where there is none, or it is not this user's
}

// Handlers are the handlers. They are safe for concurrent use.
type Handlers struct{ cfg Config }

// New returns the handlers. A *provider.FieldError names what is wrong with the
// configuration.
func New(cfg Config) (*Handlers, error) {
	for _, f := range [...]struct {
		name    string
		missing bool
	}{
		{"Linker", cfg.Linker == nil}, {"User", cfg.User == nil}, {"RedirectURL", cfg.RedirectURL == ""}, {"Fail", cfg.Fail == nil},
	} {
		if f.missing {
			return nil, &provider.FieldError{Op: "linkhttp: new", Field: "Config." + f.name, Problem: "is required"}
		}
	}
	if cfg.Home == "" {
		cfg.Home = "/"
	}
	if cfg.Origins == nil {
		cfg.Origins = http.NewCrossOriginProtection()
	}
	return &Handlers{cfg: cfg}, nil
}

// Start begins a flow and sends the browser to the consent page. It takes a
// form by POST, with the fields of linking.BeginParams: provider, access,
// asked, tenant, login_hint, return_to, relink, and start_over=yes. A new link
// needs provider, one to mend relink.
func (h *Handlers) Start(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, http.MethodPost, func(r *http.Request, u User) (string, Failure) {
		begun, err := h.cfg.Linker.Begin(r.Context(), linking.BeginParams{
			Owner: u.Owner, Session: u.Session, RedirectURL: h.cfg.RedirectURL, Provider: r.PostFormValue("provider"),
			Access: provider.Access(r.PostFormValue("access")), Asked: provider.Access(r.PostFormValue("asked")),
			Tenant: r.PostFormValue("tenant"), LoginHint: r.PostFormValue("login_hint"), ReturnTo: r.PostFormValue("return_to"),
			Relink: r.PostFormValue("relink"), StartOver: r.PostFormValue("start_over") == "yes",
		})
		return begun.URL, Failure{Err: err, Provider: r.PostFormValue("provider")}
	})
}

// StartAdmin sends an administrator to the page on which they approve the app
// for their organisation. It takes a form by POST: provider, access, tenant
// and return_to.
func (h *Handlers) StartAdmin(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, http.MethodPost, func(r *http.Request, u User) (string, Failure) {
		begun, err := h.cfg.Linker.BeginAdminConsent(r.Context(), linking.BeginAdminParams{
			Owner: u.Owner, Session: u.Session, RedirectURL: h.cfg.AdminRedirectURL, Provider: r.PostFormValue("provider"),
			Access: provider.Access(r.PostFormValue("access")), Tenant: r.PostFormValue("tenant"), ReturnTo: r.PostFormValue("return_to"),
		})
		return begun.URL, Failure{Err: err, Provider: r.PostFormValue("provider")}
	})
}

// Callback takes what comes back from the consent page, links the mailbox, and
// sends the browser to where the flow was to return to.
func (h *Handlers) Callback(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, http.MethodGet, func(r *http.Request, u User) (string, Failure) {
		done, err := h.cfg.Linker.Complete(r.Context(), linking.CompleteParams{Query: r.URL.Query(), Owner: u.Owner, Session: u.Session})
		return done.ReturnTo, Failure{Err: err, Provider: done.Provider, ReturnTo: done.ReturnTo}
	})
}

// AdminCallback takes what comes back from the administrator's page. It links
// nothing.
func (h *Handlers) AdminCallback(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, http.MethodGet, func(r *http.Request, u User) (string, Failure) {
		done, err := h.cfg.Linker.CompleteAdminConsent(r.Context(), linking.CompleteParams{Query: r.URL.Query(), Owner: u.Owner, Session: u.Session})
		return done.ReturnTo, Failure{Err: err, Provider: done.Provider, ReturnTo: done.ReturnTo}
	})
}

// maxForm bounds a form.
const maxForm = 64 << 10

// serve does what all handlers have in common. What do returns is where to
// send the browser, and why not.
func (h *Handlers) serve(w http.ResponseWriter, r *http.Request, method string, do func(*http.Request, User) (string, Failure)) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	to, f := h.admit(w, r, method, do)
	if f.Err == nil {
		http.Redirect(w, r, cmp.Or(to, h.cfg.Home), http.StatusSeeOther)
		return
	}
	if f.Status = cmp.Or(f.Status, statusOf(f.Err)); f.Diagnosis.Reason == "" {
		f.Diagnosis = h.cfg.Linker.Diagnose(f.Provider, f.Err)
	}
	h.cfg.Fail(w, r, f)
}

// admit lets a request in that comes in the right way, from somebody.
func (h *Handlers) admit(w http.ResponseWriter, r *http.Request, method string, do func(*http.Request, User) (string, Failure)) (string, Failure) {
	if r.Method != method {
		w.Header().Set("Allow", method)
		return "", Failure{Status: http.StatusMethodNotAllowed, Err: &provider.FieldError{Op: "linkhttp", Field: "method", Problem: "must be " + method}}
	}
	u, err := h.cfg.User(r)
	if err == nil && (u.Owner == "" || u.Session == "") {
		err = ErrSignedOut
	}
	if errors.Is(err, ErrSignedOut) {
		return "", Failure{Err: err, Diagnosis: foreign("You are not signed in here any more. Sign in, then start linking again.")}
	}
	if err != nil {
		return "", Failure{Err: err}
	}
	if method == http.MethodPost {
		if err := h.cfg.Origins.Check(r); err != nil {
			return "", Failure{Status: http.StatusForbidden, Err: err, Diagnosis: foreign("This was not asked for on a page of this application, so nothing was done. Start linking on its own page.")}
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if r.ParseForm() != nil {
			return "", Failure{Err: &provider.FieldError{Op: "linkhttp: start", Field: "form", Problem: "can't be read"}}
		}
	}
	return do(r, u)
}

func foreign(remedy string) provider.Diagnosis {
	return provider.Explain(provider.ReasonFlowForeign, "", nil).With("", remedy)
}

func statusOf(err error) int {
	for _, s := range [...]struct {
		target error
		status int
	}{
		{ErrSignedOut, http.StatusUnauthorized}, {linking.ErrNotFound, http.StatusNotFound}, {linking.ErrOwned, http.StatusConflict},
		{linking.ErrWrongMailbox, http.StatusConflict}, {linking.ErrUnlinking, http.StatusConflict}, {linking.ErrUnusable, http.StatusConflict},
		{linking.ErrState, http.StatusBadRequest}, {linking.ErrDenied, http.StatusForbidden}, {provider.ErrApp, http.StatusBadGateway},
		{provider.ErrTemporary, http.StatusServiceUnavailable}, {provider.ErrThrottled, http.StatusServiceUnavailable},
		{provider.ErrInvalid, http.StatusBadRequest}, {linking.ErrRefused, http.StatusBadGateway},
	} {
		if errors.Is(err, s.target) {
			return s.status
		}
	}
	if pe := new(provider.Error); errors.As(err, &pe) {
		return http.StatusBadGateway
	}
	return http.StatusInternalServerError
}
