package msgraph

import (
	"net/url"
	"strings"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

var _ provider.AdminConsenter = (*Provider)(nil)

// adminTenant returns the tenant whose administrator is asked. The page knows
// neither common nor consumers.
func (p *Provider) adminTenant(op, tenant string) (string, error) {
	if tenant == "" {
		if tenant = p.tenant; tenant == anyTenant {
			return "organizations", nil
		}
	}
	if !validTenant(tenant) || strings.EqualFold(tenant, anyTenant) || strings.EqualFold(tenant, "consumers") {
		return "", courier.Invalid(op, "Tenant", "must be a tenant's id or domain, or organizations: common and consumers have no administrator")
	}
	return tenant, nil
}

// AuthorizeAdmin implements provider.AdminConsenter
// (https://learn.microsoft.com/entra/identity-platform/v2-admin-consent).
func (p *Provider) AuthorizeAdmin(req provider.AdminRequest) (string, error) {
	const op = "msgraph: authorize admin"
	if req.State == "" {
		return "", courier.Invalid(op, "State", "is empty")
	}
	return p.adminPage(op, req)
}

func (p *Provider) adminPage(op string, req provider.AdminRequest) (string, error) {
	if req.RedirectURL == "" {
		return "", courier.Invalid(op, "RedirectURL", "is empty")
	}
	tenant, err := p.adminTenant(op, req.Tenant)
	if err != nil {
		return "", err
	}
	scopes := scopesFor(req.Access)
	if scopes == nil {
		return "", &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: "access_not_offered"}
	}
	for i, s := range scopes {
		if strings.Contains(s, ".") { // Graph's; those of OpenID Connect belong to nobody
			scopes[i] = p.ends.Graph + "/" + s
		}
	}
	q := url.Values{"client_id": {p.id}, "scope": {strings.Join(scopes, " ")}, "redirect_uri": {req.RedirectURL}}
	if req.State != "" {
		q.Set("state", req.State)
	}
	return p.ends.Login + "/" + tenant + "/v2.0/adminconsent?" + q.Encode(), nil
}

// ReadAdminAnswer implements provider.AdminConsenter. admin_consent=True says
// that the question was put, and stands there also beside an error: the error
// comes first.
func (p *Provider) ReadAdminAnswer(req provider.AdminRequest, q url.Values) (string, error) {
	const op = "msgraph: admin consent"
	if q.Get("error") != "" {
		e := callbackError(op, q)
		if n := callbackNumber(q); e.Kind == provider.ErrAccess && (n == 0 || n == 65004) {
			e.Reason = string(provider.ReasonAdminDeclined)
		}
		return "", e
	}
	if !strings.EqualFold(q.Get("admin_consent"), "true") {
		return "", &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: "no_admin_answer"}
	}
	tenant := strings.ToLower(q.Get("tenant"))
	if !tenantID.MatchString(tenant) {
		return "", &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: "no_admin_answer"}
	}
	if want := strings.ToLower(p.tenantOr(req.Tenant)); tenantID.MatchString(want) && want != tenant {
		return "", &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: "tenant_mismatch"}
	}
	return tenant, nil
}

// AdviseAdmin implements provider.AdminAdviser. The page's address is there
// where a RedirectURL is.
func (p *Provider) AdviseAdmin(req provider.AdminRequest) (provider.AdminAdvice, error) {
	const op = "msgraph: advise"
	scopes := scopesFor(req.Access)
	if scopes == nil {
		return provider.AdminAdvice{}, &provider.Error{Kind: provider.ErrAccess, Op: op, Reason: "access_not_offered"}
	}
	a := provider.AdminAdvice{Service: serviceName + " 365", ClientID: p.id}
	if req.RedirectURL != "" {
		page, err := p.adminPage(op, req)
		if err != nil {
			return provider.AdminAdvice{}, err
		}
		a.URL = page
		a.Steps = append(a.Steps, "Open the link as an administrator who may approve applications, check the permissions, and accept.")
	} else {
		a.Steps = append(a.Steps, "In the Microsoft Entra admin center open Enterprise applications, find the application by its client ID, and under Permissions grant consent.")
	}
	a.Steps = append(a.Steps,
		"To allow it for some people only, set Assignment required under the application's Properties and add them under Users and groups.",
		"Where Conditional Access or an application access policy of Exchange keeps applications out, allow this one.")
	for _, s := range scopes {
		a.Permissions = append(a.Permissions, provider.Permission{Name: s, Why: purpose(s)})
	}
	return a, nil
}

// purpose says why a permission is asked for. All are delegated: they reach
// what the signed-in user reaches.
func purpose(scope string) string {
	switch scope {
	case "openid", "profile":
		return "To recognise the account by its number in your directory, so that nobody can link another's mailbox."
	case "offline_access":
		return "To go on working between sign-ins, so that a follow-up leaves on its day."
	case scopeUser:
		return "To know and show the address of the mailbox that is linked. It reads the signed-in user's own profile only."
	case scopeSend:
		return "To send mail that the mailbox's user writes or approves, from their own address. It reads nothing."
	case scopeBasic:
		return "To see by its headers that an answer to that mail has come, so that follow-ups stop at once. It reads the signed-in user's mailbox only; no text and no attachment of any mail can be read with it, and nothing is changed or deleted."
	case scopeRead:
		return "To see answers to that mail and reports on its delivery, so that follow-ups stop at once and the conversation can be shown. It reads the signed-in user's mailbox only; mail that belongs to no such conversation is not opened, and nothing is changed or deleted."
	}
	return ""
}
