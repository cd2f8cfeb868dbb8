package msgraph

import (
	"crypto"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// Endpoints are where Microsoft is: base URLs without a trailing slash. They
// are replaced together, by those of a sovereign cloud or of a fake.
type Endpoints struct {
	Login string // of Microsoft Entra ID
	Graph string // of Microsoft Graph, without the API's version
}

// GlobalEndpoints returns those of the global service. Those of the national
// clouds are listed at https://learn.microsoft.com/graph/deployments.
func GlobalEndpoints() Endpoints {
	return Endpoints{Login: "https://login.microsoftonline.com", Graph: "https://graph.microsoft.com"}
}

// Config describes one app registration in Microsoft Entra ID. ClientID and
// either ClientSecret or Certificate and Key are required.
type Config struct {
	// Name tells this registration from the host's others, such as that of a
	// customer who brings their own. Links remember it: a link is refreshed by
	// the registration that it was made with, so it must not change, also when
	// the secret or the certificate does. Empty is "msgraph".
	Name string

	// ClientSecret rolls over without a gap: a registration may have two.
	// Add the new one in the Entra admin center, deploy it, remove the old one.
	ClientID     string
	ClientSecret string

	// Certificate, with its Key, is in place of a secret. Its public part is
	// uploaded to the registration; it rolls over in the same way. Key makes
	// RSA signatures (PS256), one for each token request: an *rsa.PrivateKey
	// or a key service's signer.
	Certificate *x509.Certificate
	Key         crypto.Signer

	// Tenant is who may link where a request names no tenant: a tenant's id
	// or domain, "organizations", "consumers" or "common". Empty is "common".
	Tenant string

	// HTTPClient's transport makes all requests. It must not retry: a send
	// would go out twice. Its redirect policy and cookies are not used. Nil
	// is a transport of this package's own.
	HTTPClient *http.Client

	// Now is the clock. Nil is time.Now.
	Now func() time.Time

	// Endpoints replaces the global service's. Both are required then.
	Endpoints *Endpoints

	// Limits replaces the limits in the package documentation.
	Limits *provider.Limits

	// Push sets up pushes (provider.Watcher, provider.PushReceiver). Nil goes
	// without.
	Push *PushConfig
}

// Provider is Microsoft 365 for one app registration. It is safe for
// concurrent use.
type Provider struct {
	name      string
	id        string
	secret    string
	tenant    string
	ends      Endpoints
	host      string // Graph's, with its port
	root      string // the path that all of Graph's own links begin with
	limits    provider.Limits
	now       func() time.Time
	transport http.RoundTripper
	timeout   time.Duration
	tokens    http.RoundTripper // transport, or one that adds what proves who the app is
	keys      oidc.KeySet
	folders   folders
	push      *PushConfig // nil is none

	headersShown atomic.Bool // to Mail.ReadBasic, once
}

var (
	_ provider.Provider     = (*Provider)(nil)
	_ provider.PushReceiver = (*Provider)(nil)
)

// New returns a Provider. It makes no request. A FieldError names what is
// wrong with the configuration.
func New(cfg Config) (*Provider, error) {
	ends := GlobalEndpoints()
	if cfg.Endpoints != nil {
		ends = *cfg.Endpoints
	}
	if err := cfg.validate(ends); err != nil {
		return nil, err
	}
	graph, err := url.Parse(ends.Graph)
	if err != nil {
		return nil, badConfig("Endpoints.Graph", "is not a URL")
	}
	p := &Provider{
		name: cfg.Name, id: cfg.ClientID, secret: cfg.ClientSecret, tenant: cfg.Tenant, ends: ends, host: graph.Host,
		root: graph.Path + version + "/", limits: defaultLimits(), now: cfg.Now, folders: folders{known: make(map[string]map[string]provider.Place)},
	}
	if p.name == "" {
		p.name = string(provider.MSGraph)
	}
	if p.tenant == "" {
		p.tenant = anyTenant
	}
	if p.now == nil {
		p.now = time.Now
	}
	if cfg.Limits != nil {
		p.limits = *cfg.Limits
	}
	if c := cfg.HTTPClient; c != nil {
		p.transport, p.timeout = c.Transport, c.Timeout
	}
	if p.transport == nil {
		p.transport = courier.NewTransport()
	}
	if p.timeout == 0 {
		p.timeout = courier.Timeout
	}
	p.tokens = p.transport
	if cfg.Certificate != nil {
		p.tokens = newAsserting(p.transport, p.id, cfg.Certificate, cfg.Key, p.now)
	}
	p.keys = p.newKeySet()
	if cfg.Push != nil {
		p.push = cfg.Push.filled()
	}
	return p, nil
}

func badConfig(field, problem string) error {
	return &provider.FieldError{Op: "msgraph: new", Field: "Config." + field, Problem: problem}
}

func (c *Config) validate(ends Endpoints) error {
	if c.ClientID == "" {
		return badConfig("ClientID", "is empty; the app registration shows it as Application (client) ID")
	}
	if err := c.validCredential(); err != nil {
		return err
	}
	if c.Tenant != "" && !validTenant(c.Tenant) {
		return badConfig("Tenant", "must be a tenant's id or domain, organizations, consumers or common")
	}
	for _, e := range []struct{ field, base string }{{"Login", ends.Login}, {"Graph", ends.Graph}} {
		u, err := url.Parse(e.base)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || strings.HasSuffix(u.Path, "/") {
			return badConfig("Endpoints."+e.field, "must be an absolute http or https URL without a query or a trailing slash")
		}
	}
	if c.Limits != nil {
		if field := courier.NegativeLimit(*c.Limits); field != "" {
			return badConfig("Limits."+field, "is negative")
		}
	}
	if c.Push != nil {
		return c.Push.validate()
	}
	return nil
}

// defaultLimits: a request may have 4 MB, of which base64 leaves 3.
func defaultLimits() provider.Limits {
	return provider.Limits{MaxMessageBytes: 3_000_000, MaxRecipients: 500, SendsPerMinute: 30, SendTimeout: time.Minute, Settle: time.Hour}
}

// Name implements provider.Provider.
func (p *Provider) Name() string { return p.name }

// Kind implements provider.Provider.
func (p *Provider) Kind() provider.Kind { return provider.MSGraph }

// Limits implements provider.Provider.
func (p *Provider) Limits() provider.Limits { return p.limits }

// Abilities implements provider.Provider.
func (p *Provider) Abilities(a provider.Access) provider.Abilities {
	switch a {
	case provider.AccessSend:
		return provider.Abilities{Offered: true}
	case provider.AccessEnvelopes:
		return provider.Abilities{
			Offered: true, Locate: provider.ReachMailbox, ThreadReplies: true, SenderReplies: true,
			AutoReplies: provider.DetectHeaders, Reports: provider.DetectSender, Preview: true,
		}
	case provider.AccessReplies:
		return provider.Abilities{
			Offered: true, Locate: provider.ReachMailbox, ThreadReplies: true, SenderReplies: true,
			AutoReplies: provider.DetectContent, Reports: provider.DetectContent, Content: true, Preview: true,
		}
	}
	return provider.Abilities{}
}

// folders remembers what folders of mailboxes are for: their ids never
// change (https://learn.microsoft.com/graph/outlook-immutable-id).
type folders struct {
	mu    sync.Mutex
	known map[string]map[string]provider.Place // by subject, by folder id
}

// maxFolderMailboxes bounds what is remembered; forgetting costs requests.
const maxFolderMailboxes = 10_000

func (f *folders) place(subject, folder string) (provider.Place, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.known[subject][folder]
	return p, ok
}

func (f *folders) learn(subject, folder string, p provider.Place) {
	if folder == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.known[subject]
	if m == nil {
		if len(f.known) >= maxFolderMailboxes {
			clear(f.known)
		}
		m = make(map[string]provider.Place)
		f.known[subject] = m
	}
	if len(m) < 10_000 {
		m[folder] = p
	}
}

// oauthConfig is the registration at one tenant's endpoints. With the style
// known, x/oauth2 does not try the other one first: a code or a refresh token
// is presented exactly once.
func (p *Provider) oauthConfig(tenant string) oauth2.Config {
	base := p.ends.Login + "/" + tenant + "/oauth2/v2.0"
	return oauth2.Config{
		ClientID: p.id, ClientSecret: p.secret,
		Endpoint: oauth2.Endpoint{AuthURL: base + "/authorize", TokenURL: base + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
}

// String hides the secret and the key.
func (c Config) String() string { return "msgraph.Config(the secret and the key hidden)" }

// GoString hides the secret and the key.
func (c Config) GoString() string { return c.String() }

// LogValue hides the secret and the key.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
