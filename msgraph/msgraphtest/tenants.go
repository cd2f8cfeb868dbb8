package msgraphtest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// personalTenant is the tenant of all personal Microsoft accounts
// (https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
const personalTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// Policy says what users may consent to without an administrator
// (https://learn.microsoft.com/entra/identity/enterprise-apps/manage-app-consent-policies).
type Policy string

// The policies.
const (
	PolicyManaged Policy = "managed" // as Microsoft manages it: not to reading mail, but to sending it
	PolicyAny     Policy = "any"     // to all that does not always need an administrator
	PolicyNone    Policy = "none"    // to nothing
)

func policies() []Policy { return []Policy{"", PolicyManaged, PolicyAny, PolicyNone} }

// Tenant is what the directory of an organisation is set to. Without one the
// accounts of each mail domain are a tenant of their own under Config.Policy.
type Tenant struct {
	Domains []string // of the addresses of its accounts. Required
	ID      string   // a GUID; empty makes one from the first domain
	Policy  Policy   // empty is Config.Policy

	// Personal makes the domains' accounts personal Microsoft accounts, as
	// those of outlook.com are. ID must be empty then.
	Personal bool

	// ConsentRequests: users may ask their administrator for approval from
	// the page, and are sent back with AADSTS90095 instead of 90094.
	ConsentRequests bool

	// Block is the AADSTS number that signing in and refreshing end with,
	// such as 50105 or 53003. Zero is none.
	Block int
}

// Account is what the directory holds of the owner of a mailbox. Without one
// the sign-in name is the mailbox's primary address and there is no email.
type Account struct {
	Address       string // of the mailbox. Required
	ObjectID      string // a GUID; empty makes one from the mailbox's subject
	SignInName    string // userPrincipalName, the claim preferred_username
	Email         string // the claim email, which nobody verified
	Administrator bool   // may consent for the tenant
}

// SetTenant sets up a tenant, or changes it from now on: a tenant is known by
// the first of its domains.
func (s *Server) SetTenant(t Tenant) error {
	t.Domains = slices.Clone(t.Domains)
	for i, d := range t.Domains {
		t.Domains[i] = strings.ToLower(strings.TrimSpace(d))
	}
	switch {
	case len(t.Domains) == 0 || slices.Contains(t.Domains, ""):
		return errors.New("msgraphtest: Tenant.Domains is empty, or one of them is")
	case t.ID != "" && !isGUID(t.ID):
		return errors.New("msgraphtest: Tenant.ID is not a GUID in lower case")
	case t.Personal && t.ID != "":
		return errors.New("msgraphtest: Tenant.ID is fixed for personal accounts; leave it empty")
	case !slices.Contains(policies(), t.Policy):
		return errors.New("msgraphtest: Tenant.Policy is none of the policies")
	}
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	s.entra.tenants = slices.DeleteFunc(s.entra.tenants, func(other Tenant) bool { return other.Domains[0] == t.Domains[0] })
	for _, other := range s.entra.tenants {
		for _, d := range t.Domains {
			if slices.Contains(other.Domains, d) {
				return fmt.Errorf("msgraphtest: Tenant.Domains: %s belongs to another tenant", d)
			}
		}
	}
	s.entra.tenants = append(s.entra.tenants, t)
	return nil
}

// SetAccount changes what the directory holds of a mailbox's owner.
func (s *Server) SetAccount(a Account) error {
	box := s.mailbox(a.Address)
	if box == nil {
		return errors.New("msgraphtest: Account.Address has no mailbox here")
	}
	if a.ObjectID != "" && !isGUID(a.ObjectID) {
		return errors.New("msgraphtest: Account.ObjectID is not a GUID in lower case")
	}
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	s.entra.accounts[box] = a
	return nil
}

// Identity returns the ids by which ID tokens know the owner of a mailbox:
// tid and oid. Both are empty if nobody here has the address.
func (s *Server) Identity(address string) (tenant, object string) {
	box := s.mailbox(address)
	if box == nil {
		return "", ""
	}
	a := s.person(box)
	return a.tenant.ID, a.object
}

// mailbox returns the mailbox with this address that this service runs, or
// nil.
func (s *Server) mailbox(address string) *postoffice.Mailbox {
	if box := s.office.Mailbox(address); box != nil && serves(box) {
		return box
	}
	return nil
}

// serves tells the mailboxes of this service from those of others in the same
// office. One that names no service is everybody's.
func serves(box *postoffice.Mailbox) bool {
	return box.Service() == "" || box.Service() == string(provider.MSGraph)
}

// person is the owner of a mailbox in their directory.
type person struct {
	box    *postoffice.Mailbox
	tenant Tenant // with its ID
	object string
	upn    string
	email  string
	admin  bool
}

// person looks the owner of a mailbox up.
func (s *Server) person(box *postoffice.Mailbox) person {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	return s.entra.person(box)
}

// person looks the owner of a mailbox up. The caller holds e.mu.
func (e *entra) person(box *postoffice.Mailbox) person {
	set := e.accounts[box]
	p := person{
		box: box, tenant: e.tenantOf(domainOf(box)), object: set.ObjectID, upn: set.SignInName, email: set.Email, admin: set.Administrator,
	}
	if p.tenant.Personal {
		p.admin = false // there is nobody whom it could speak for
	}
	if p.upn == "" {
		p.upn = box.Address()
	}
	if p.object == "" {
		p.object = guid("object " + box.Subject())
		if p.tenant.Personal {
			p.object = "00000000-0000-0000-" + p.object[19:] // a personal account's number, widened
		}
	}
	return p
}

func domainOf(box *postoffice.Mailbox) string {
	_, domain, _ := strings.Cut(provider.Normalize(box.Address()), "@")
	return domain
}

// tenantOf returns the tenant of a domain, set up or not. The caller holds
// e.mu.
func (e *entra) tenantOf(domain string) Tenant {
	t := Tenant{Domains: []string{domain}}
	for _, set := range e.tenants {
		if slices.Contains(set.Domains, domain) {
			t = set
		}
	}
	if t.Policy == "" {
		t.Policy = e.policy
	}
	switch {
	case t.Personal:
		t.ID = personalTenant
	case t.ID == "":
		t.ID = guid("tenant " + t.Domains[0])
	}
	return t
}

// segment is the tenant in the path of a URL: one tenant, or a word for
// several. Domains of one tenant are the same segment.
type segment struct {
	key    string // "common", "organizations", or a tenant's id
	tenant Tenant // of one
}

const (
	anyAccount  = "common"
	workAccount = "organizations"
)

// admits reports whether an account may sign in there.
func (g segment) admits(p person) bool {
	switch g.key {
	case anyAccount:
		return true
	case workAccount:
		return !p.tenant.Personal
	}
	return p.tenant.ID == g.key
}

// issuer is the issuer in the discovery document.
func (g segment) issuer(base string) string {
	if g.key == anyAccount || g.key == workAccount {
		return base + "/{tenantid}/v2.0"
	}
	return base + "/" + g.key + "/v2.0"
}

// segment finds the tenant that a path names.
func (s *Server) segment(name string) (segment, bool) {
	name = strings.ToLower(name)
	switch name {
	case anyAccount, workAccount:
		return segment{key: name}, true
	case "consumers", personalTenant:
		return segment{key: personalTenant, tenant: Tenant{ID: personalTenant, Personal: true}}, true
	}
	boxes := s.office.Mailboxes()
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	var domains []string
	for _, t := range s.entra.tenants {
		domains = append(domains, t.Domains...)
	}
	for _, box := range boxes {
		if serves(box) {
			domains = append(domains, domainOf(box))
		}
	}
	for _, d := range domains {
		if t := s.entra.tenantOf(d); !t.Personal && (d == name || t.ID == name) {
			return segment{key: t.ID, tenant: t}, true
		}
	}
	return segment{}, false
}

// guid makes a GUID from a seed, the same every time.
func guid(seed string) string {
	b := sha256.Sum256([]byte(seed))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // RFC 9562 section 5.4, by form
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
		if dash != (c == '-') || !dash && !hex {
			return false
		}
	}
	return true
}
