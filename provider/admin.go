package provider

import (
	"log/slog"
	"net/url"
)

// AdminRequest asks an organisation's administrator to allow the app.
type AdminRequest struct {
	Access Access

	// Tenant is the organisation: at Microsoft a tenant's id or domain, or
	// "organizations" for that of whoever signs in, which an empty one is too.
	// Google ignores it.
	Tenant string

	// RedirectURL is where an administrator is sent back to, as registered
	// with the service. State comes back with them; it is empty in a request
	// that is forwarded, since nothing can be bound to a stranger's browser.
	RedirectURL string
	State       string
}

// String hides the state.
func (r AdminRequest) String() string { return "provider.AdminRequest(the state hidden)" }

// GoString hides the state.
func (r AdminRequest) GoString() string { return r.String() }

// LogValue hides the state.
func (r AdminRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Permission is one that the app asks for, and what for.
type Permission struct {
	Name string // exactly as the service lists it
	Why  string // one English sentence
}

// AdminAdvice is what an administrator needs to know and to do to allow the
// app in their organisation.
type AdminAdvice struct {
	Service     string       // the service's name: Google, Microsoft
	ClientID    string       // the app, as the service knows it
	URL         string       // a page that does it; empty where there is none
	Permissions []Permission // all that the access asks for, and no others
	Steps       []string     // English sentences, in order
}

// AdminAdviser is implemented by Providers at whose service an administrator
// can allow the app. It is found by a type assertion on a Provider.
type AdminAdviser interface {
	// AdviseAdmin makes no request. ErrAccess: the access is not offered.
	AdviseAdmin(AdminRequest) (AdminAdvice, error)
}

// AdminConsenter is implemented by Providers whose service has a page where an
// administrator approves the app for the whole organisation, and is then sent
// back. It is found by a type assertion on a Provider.
type AdminConsenter interface {
	AdminAdviser

	// AuthorizeAdmin returns the page's address. It makes no request. State
	// and RedirectURL are required. ErrAccess: the access is not offered.
	AuthorizeAdmin(AdminRequest) (string, error)

	// ReadAdminAnswer reads the query of the way back from req: nil says that
	// the service reports approval, by the tenant asked for where that was a
	// certain one. The tenant is whatever the query says, and anybody can write
	// a query: it is for display alone.
	ReadAdminAnswer(req AdminRequest, query url.Values) (tenant string, err error)
}

// CallbackReader is implemented by Providers that know what the error in a
// callback of Authorize means: its kind, and the service's own code as
// Error.Reason. It is found by a type assertion on a Provider.
type CallbackReader interface {
	// ReadCallbackError is called where the query has an error parameter (RFC
	// 6749 section 4.1.2.1). The query comes from whoever made the URL:
	// nothing of it but what looks like a code may be repeated.
	ReadCallbackError(query url.Values) *Error
}

// Abandonment is implemented by Providers whose pages show errors that never
// come back. It is found by a type assertion on a Provider.
type Abandonment interface {
	// Abandoned returns what such errors mean, each with the code that the
	// page shows under ParamCode. A host shows them once a flow has expired
	// without a callback.
	Abandoned() []Diagnosis
}
