package linking

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// BeginAdminParams asks an administrator who is signed in to the host to
// approve the app for their organisation. Owner, Session, Provider and
// RedirectURL are required, as in BeginParams.
type BeginAdminParams struct {
	Owner    string
	Session  string
	Provider string
	Access   provider.Access // empty is AccessReplies

	// Tenant is the organisation, see provider.AdminRequest. Where it is a
	// tenant's id, an answer for another is refused.
	Tenant string

	// RedirectURL is another one than that of links, since CompleteAdminConsent
	// takes what comes there.
	RedirectURL string
	ReturnTo    string
}

// AdminConsented is an administrator's approval, as the callback reports it.
// It links nothing, and nobody gets a right by it: users sign in and consent
// for themselves afterwards, and only then it shows whether it is true.
type AdminConsented struct {
	Provider string
	Access   provider.Access // what was asked for
	ReturnTo string

	// ClaimedTenant is the organisation that the callback names. Anybody can
	// write that: display it, and decide nothing by it.
	ClaimedTenant string
}

// BeginAdminConsent begins an administrator's approval, bound to owner and
// session as in Begin. provider.ErrAccess: at this service there is no such
// page; see AdviseAdmin.
func (l *Linker) BeginAdminConsent(ctx context.Context, p BeginAdminParams) (Begun, error) {
	const op = "begin admin consent"
	asked := BeginParams{Owner: p.Owner, Session: p.Session, Provider: p.Provider, Access: p.Access, RedirectURL: p.RedirectURL, ReturnTo: p.ReturnTo}
	prov, err := l.checkBegin(&asked)
	if err != nil {
		return Begun{}, err
	}
	consenter, ok := prov.(provider.AdminConsenter)
	if !ok {
		return Begun{}, &provider.Error{Kind: provider.ErrAccess, Op: "linking: " + op, Reason: "no_admin_page"}
	}
	state, err := l.secret()
	if err != nil {
		return Begun{}, err
	}
	req := provider.AdminRequest{Access: asked.Access, Tenant: p.Tenant, RedirectURL: p.RedirectURL, State: state}
	page, err := consenter.AuthorizeAdmin(req)
	if err != nil {
		return Begun{}, fmt.Errorf("linking: %s: %w", op, err)
	}
	flow := pending{
		Admin: true, Owner: p.Owner, Session: digest("session", p.Session), Provider: p.Provider, Access: asked.Access, Tenant: p.Tenant,
		Redirect: p.RedirectURL, ReturnTo: p.ReturnTo, Expires: l.cfg.Now().Add(l.cfg.FlowTTL),
	}
	if err := l.putFlow(ctx, state, flow); err != nil {
		return Begun{}, err
	}
	return Begun{URL: page, Expires: flow.Expires}, nil
}

// CompleteAdminConsent takes the callback of an administrator's approval. The
// state is used up whatever follows. The service's error comes before its
// word that there was consent.
//
// Errors: ErrState, with StateForwarded for who comes from a request that was
// forwarded (show them the Remedy, and do nothing); ErrDenied, ErrRefused.
func (l *Linker) CompleteAdminConsent(ctx context.Context, p CompleteParams) (AdminConsented, error) {
	if p.Query.Get("state") == "" && (p.Query.Has("admin_consent") || p.Query.Has("tenant")) {
		return AdminConsented{}, &StateError{Reason: StateForwarded}
	}
	flow, err := l.take(ctx, p)
	if err != nil {
		return AdminConsented{}, err
	}
	out := AdminConsented{Provider: flow.Provider, Access: flow.Access, ReturnTo: flow.ReturnTo}
	if !flow.Admin {
		return out, &StateError{Reason: StateUnknown} // a link's, which approves nothing
	}
	consenter, ok := l.providers[flow.Provider].(provider.AdminConsenter)
	if !ok {
		return out, notConfigured("linking: complete admin consent")
	}
	tenant, err := consenter.ReadAdminAnswer(provider.AdminRequest{Access: flow.Access, Tenant: flow.Tenant, RedirectURL: flow.Redirect}, p.Query)
	if err != nil {
		return out, adminError(p.Query, err)
	}
	out.ClaimedTenant = tenant
	return out, nil
}

// adminError is a FlowError where the callback had an error parameter.
func adminError(q url.Values, err error) error {
	pe, ok := err.(*provider.Error)
	if code := q.Get("error"); code != "" && ok {
		return &FlowError{Code: errorCode(code), Subcode: errorCode(q.Get("error_subcode")), Err: pe}
	}
	return fmt.Errorf("linking: complete admin consent: %w", err)
}

// AdviseAdminParams asks for a message that a user can forward to their
// administrator. Provider and App are required.
type AdviseAdminParams struct {
	Provider string
	App      string          // the host's own name, as the administrator will find it
	Access   provider.Access // empty is AccessReplies
	Tenant   string          // as in BeginAdminParams

	// RedirectURL is where a page for administrators sends them back to, as
	// for BeginAdminConsent; empty leaves the page's address out.
	RedirectURL string
}

// AdminMessage is that message, in English, and what it was made of.
type AdminMessage struct {
	Subject, Text string
	Advice        provider.AdminAdvice
}

// AdviseAdmin writes the message: which app, exactly which permissions and why
// each, and what to do. It makes no request and begins no flow: an
// administrator who approves comes back as StateForwarded. provider.ErrAccess:
// this provider has no advice, or does not offer the access.
func (l *Linker) AdviseAdmin(p AdviseAdminParams) (AdminMessage, error) {
	const op = "advise admin"
	prov, ok := l.providers[p.Provider]
	switch {
	case !ok:
		return AdminMessage{}, bad(op, "Provider", fmt.Sprintf("%q is not one of the configured providers", p.Provider))
	case strings.TrimSpace(p.App) == "" || strings.ContainsAny(p.App, "\r\n"):
		return AdminMessage{}, bad(op, "App", "must be the application's name, in one line")
	case p.RedirectURL != "" && !callbackURL(p.RedirectURL):
		return AdminMessage{}, bad(op, "RedirectURL", "must be empty or the whole https address of your callback for administrators")
	}
	adviser, ok := prov.(provider.AdminAdviser)
	if !ok {
		return AdminMessage{}, &provider.Error{Kind: provider.ErrAccess, Op: "linking: " + op, Reason: "no_admin_advice"}
	}
	access := p.Access
	if access == "" {
		access = provider.AccessReplies
	}
	advice, err := adviser.AdviseAdmin(provider.AdminRequest{Access: access, Tenant: p.Tenant, RedirectURL: p.RedirectURL})
	if err != nil {
		return AdminMessage{}, fmt.Errorf("linking: %s: %w", op, err)
	}
	return AdminMessage{Subject: "Please allow " + p.App + " in " + advice.Service, Text: adminText(p.App, access, advice), Advice: advice}, nil
}

func adminText(app string, access provider.Access, a provider.AdminAdvice) string {
	var b strings.Builder
	what := "send mail from my own mailbox"
	if access != provider.AccessSend {
		what += " and see the answers to it"
	}
	fmt.Fprintf(&b, "Hello,\n\nI would like to use %s to %s. In our organisation an administrator has to allow that first.\n\n", app, what)
	fmt.Fprintf(&b, "Application: %s\nClient ID at %s: %s\n\nThe permissions it asks for, and why:\n\n", app, a.Service, a.ClientID)
	for _, p := range a.Permissions {
		fmt.Fprintf(&b, "- %s\n  %s\n", p.Name, p.Why)
	}
	b.WriteString("\nIt asks for no others. It acts only for people who sign in and link their own mailbox, and reaches no other: allowing it links none.\n\nWhat to do:\n\n")
	for i, s := range a.Steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, s)
	}
	if a.URL != "" {
		fmt.Fprintf(&b, "\nThe link: %s\n", a.URL)
	}
	b.WriteString("\nI can link my mailbox once that is done. Thank you.\n")
	return b.String()
}

// String hides the session.
func (p BeginAdminParams) String() string { return "linking.BeginAdminParams(the session hidden)" }

// GoString hides the session.
func (p BeginAdminParams) GoString() string { return p.String() }

// LogValue hides the session.
func (p BeginAdminParams) LogValue() slog.Value { return slog.StringValue(p.String()) }
