package linkhttp

import (
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
var ErrSignedOut = errors.New("linkhttp: nobody is signed in")

// Config is what the handlers need. Linker, User, RedirectURL and Fail are
// required.
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

// New checks the configuration.
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
	h.begin(w, r, func(u User) (linking.Begun, error) {
		return h.cfg.Linker.Begin(r.Context(), linking.BeginParams{
			Owner: u.Owner, Session: u.Session, RedirectURL: h.cfg.RedirectURL, Provider: r.PostFormValue("provider"),
			Access: provider.Access(r.PostFormValue("access")), Asked: provider.Access(r.PostFormValue("asked")),
			Tenant: r.PostFormValue("tenant"), LoginHint: r.PostFormValue("login_hint"), ReturnTo: r.PostFormValue("return_to"),
			Relink: r.PostFormValue("relink"), StartOver: r.PostFormValue("start_over") == "yes",
		})
	})
}

// StartAdmin sends an administrator to the page on which they approve the app
// for their organisation. It takes a form by POST: provider, access, tenant
// and return_to.
func (h *Handlers) StartAdmin(w http.ResponseWriter, r *http.Request) {
	h.begin(w, r, func(u User) (linking.Begun, error) {
		return h.cfg.Linker.BeginAdminConsent(r.Context(), linking.BeginAdminParams{
			Owner: u.Owner, Session: u.Session, RedirectURL: h.cfg.AdminRedirectURL, Provider: r.PostFormValue("provider"),
			Access: provider.Access(r.PostFormValue("access")), Tenant: r.PostFormValue("tenant"), ReturnTo: r.PostFormValue("return_to"),
		})
	})
}

// maxForm bounds a form of Start.
const maxForm = 64 << 10

func (h *Handlers) begin(w http.ResponseWriter, r *http.Request, begin func(User) (linking.Begun, error)) {
	u, ok := h.enter(w, r, http.MethodPost)
	if !ok {
		return
	}
	if err := h.cfg.Origins.Check(r); err != nil {
		h.fail(w, r, Failure{Status: http.StatusForbidden, Err: err})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		h.fail(w, r, Failure{Err: &provider.FieldError{Op: "linkhttp: start", Field: "form", Problem: "can't be read"}})
		return
	}
	begun, err := begin(u)
	if err != nil {
		h.fail(w, r, Failure{Err: err, Provider: r.PostFormValue("provider")})
		return
	}
	http.Redirect(w, r, begun.URL, http.StatusSeeOther)
}

// Callback takes what comes back from the consent page, links the mailbox, and
// sends the browser to where the flow was to return to.
func (h *Handlers) Callback(w http.ResponseWriter, r *http.Request) {
	u, ok := h.enter(w, r, http.MethodGet)
	if !ok {
		return
	}
	done, err := h.cfg.Linker.Complete(r.Context(), linking.CompleteParams{Query: r.URL.Query(), Owner: u.Owner, Session: u.Session})
	h.finish(w, r, done.Provider, done.ReturnTo, err)
}

// AdminCallback takes what comes back from the administrator's page. It links
// nothing.
func (h *Handlers) AdminCallback(w http.ResponseWriter, r *http.Request) {
	u, ok := h.enter(w, r, http.MethodGet)
	if !ok {
		return
	}
	done, err := h.cfg.Linker.CompleteAdminConsent(r.Context(), linking.CompleteParams{Query: r.URL.Query(), Owner: u.Owner, Session: u.Session})
	h.finish(w, r, done.Provider, done.ReturnTo, err)
}

func (h *Handlers) finish(w http.ResponseWriter, r *http.Request, providerName, returnTo string, err error) {
	if err != nil {
		h.fail(w, r, Failure{Err: err, Provider: providerName, ReturnTo: returnTo})
		return
	}
	if returnTo == "" {
		returnTo = h.cfg.Home
	}
	http.Redirect(w, r, returnTo, http.StatusSeeOther)
}

// enter does what all handlers begin with.
func (h *Handlers) enter(w http.ResponseWriter, r *http.Request, method string) (User, bool) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != method {
		w.Header().Set("Allow", method)
		h.fail(w, r, Failure{Status: http.StatusMethodNotAllowed, Err: &provider.FieldError{Op: "linkhttp", Field: "method", Problem: "must be " + method}})
		return User{}, false
	}
	u, err := h.cfg.User(r)
	if err == nil && (u.Owner == "" || u.Session == "") {
		err = ErrSignedOut
	}
	if err != nil {
		f := Failure{Err: err}
		if errors.Is(err, ErrSignedOut) {
			f.Status = http.StatusUnauthorized
		}
		h.fail(w, r, f)
		return User{}, false
	}
	return u, true
}

func (h *Handlers) fail(w http.ResponseWriter, r *http.Request, f Failure) {
	f.Diagnosis = h.cfg.Linker.Diagnose(f.Provider, f.Err)
	if f.Status == 0 {
		f.Status = statusOf(f.Err)
	}
	h.cfg.Fail(w, r, f)
}

func statusOf(err error) int {
	for _, s := range [...]struct {
		target error
		status int
	}{
		{linking.ErrNotFound, http.StatusNotFound}, {linking.ErrOwned, http.StatusConflict}, {linking.ErrWrongMailbox, http.StatusConflict},
		{linking.ErrState, http.StatusBadRequest}, {linking.ErrDenied, http.StatusForbidden}, {provider.ErrApp, http.StatusBadGateway},
		{provider.ErrTemporary, http.StatusServiceUnavailable}, {provider.ErrThrottled, http.StatusServiceUnavailable},
		{provider.ErrInvalid, http.StatusBadRequest}, {linking.ErrRefused, http.StatusBadGateway},
	} {
		if errors.Is(err, s.target) {
			return s.status
		}
	}
	var pe *provider.Error
	if errors.As(err, &pe) {
		return http.StatusBadGateway
	}
	return http.StatusInternalServerError
}
