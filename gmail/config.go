package gmail

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// Endpoints are where Google is. They are replaced together, by a fake's.
type Endpoints struct {
	Auth   string // consent page
	Token  string
	Revoke string
	JWKS   string // keys of ID tokens
	Issuer string // iss of ID tokens
	API    string // base URL of the Gmail API, without a path
}

// GoogleEndpoints returns the true ones.
func GoogleEndpoints() Endpoints {
	return Endpoints{
		Auth:   "https://accounts.google.com/o/oauth2/v2/auth",
		Token:  "https://oauth2.googleapis.com/token",
		Revoke: "https://oauth2.googleapis.com/revoke",
		JWKS:   "https://www.googleapis.com/oauth2/v3/certs",
		Issuer: "https://accounts.google.com",
		API:    "https://gmail.googleapis.com",
	}
}

// Config describes one OAuth client at Google. ClientID and ClientSecret are
// required.
type Config struct {
	// Name tells this registration from the host's others, such as that of a
	// customer who brings their own. Links remember it: a link is refreshed by
	// the registration that it was made with, so it must not change, also when
	// the secret does. Empty is "gmail".
	Name string

	// ClientSecret rolls over without a gap: a client may have two. Add the
	// new one in Google's console, deploy it, then disable the old one
	// (https://support.google.com/cloud/answer/15549257).
	ClientID     string
	ClientSecret string

	// HTTPClient's transport makes all requests. It must not retry: a send
	// would go out twice. Its redirect policy and cookies are not used. Nil
	// is a transport of this package's own.
	HTTPClient *http.Client

	// Now is the clock. Nil is time.Now.
	Now func() time.Time

	// Endpoints replaces Google's. All of them are required then.
	Endpoints *Endpoints

	// Limits replaces the limits in the package documentation.
	Limits *provider.Limits

	// Push sets up pushes (provider.Watcher, provider.PushReceiver). Nil goes
	// without.
	Push *PushConfig

	// UnitsPerMinute is how much of the project's quota one mailbox may use.
	// Requests beyond it are refused before they leave, as ErrThrottled. Zero
	// is 6,000; a project from before May 2026 has 15,000. Negative is no
	// limit.
	UnitsPerMinute int
}

// Provider is Gmail for one OAuth client. It is safe for concurrent use.
type Provider struct {
	name      string
	oauth     oauth2.Config
	ends      Endpoints
	limits    provider.Limits
	now       func() time.Time
	transport http.RoundTripper
	timeout   time.Duration
	verifier  *oidc.IDTokenVerifier
	apiHost   string
	meter     *meter

	push         *PushConfig // nil is none
	pushVerifier *oidc.IDTokenVerifier
}

var (
	_ provider.Provider     = (*Provider)(nil)
	_ provider.PushReceiver = (*Provider)(nil)
)

// New returns a Provider. It makes no request. A FieldError names what is
// wrong with the configuration.
func New(cfg Config) (*Provider, error) {
	ends := GoogleEndpoints()
	if cfg.Endpoints != nil {
		ends = *cfg.Endpoints
	}
	if err := cfg.validate(ends); err != nil {
		return nil, err
	}
	p := &Provider{name: cfg.Name, ends: ends, limits: defaultLimits(), now: cfg.Now}
	if p.name == "" {
		p.name = string(provider.Gmail)
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
	api, err := url.Parse(ends.API)
	if err != nil {
		return nil, badConfig("Endpoints.API", "is not a URL")
	}
	p.apiHost = api.Host
	p.meter = &meter{perMinute: cfg.UnitsPerMinute, now: p.now, boxes: make(map[string]budget)}
	if cfg.UnitsPerMinute == 0 {
		p.meter.perMinute = defaultUnits
	}
	p.oauth = oauth2.Config{
		ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret,
		// With the style known, x/oauth2 does not try the other one first:
		// a code or a refresh token is presented exactly once.
		Endpoint: oauth2.Endpoint{AuthURL: ends.Auth, TokenURL: ends.Token, AuthStyle: oauth2.AuthStyleInParams},
	}
	p.verifier = p.newVerifier()
	if cfg.Push != nil {
		push := *cfg.Push
		p.push = &push
		p.pushVerifier = p.newPushVerifier()
	}
	return p, nil
}

func badConfig(field, problem string) error {
	return &provider.FieldError{Op: "gmail: new", Field: "Config." + field, Problem: problem}
}

func (c *Config) validate(ends Endpoints) error {
	if c.ClientID == "" {
		return badConfig("ClientID", "is empty; Google's console shows it with the OAuth client")
	}
	if c.ClientSecret == "" {
		return badConfig("ClientSecret", "is empty; Google's console shows it with the OAuth client")
	}
	for _, e := range []struct{ field, address string }{
		{"Auth", ends.Auth}, {"Token", ends.Token}, {"Revoke", ends.Revoke}, {"JWKS", ends.JWKS}, {"Issuer", ends.Issuer}, {"API", ends.API},
	} {
		u, err := url.Parse(e.address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return badConfig("Endpoints."+e.field, "must be an absolute http or https URL")
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

func defaultLimits() provider.Limits {
	return provider.Limits{MaxMessageBytes: 36_700_160, MaxRecipients: 100, SendsPerMinute: 30, SendTimeout: time.Minute, Settle: 15 * time.Minute}
}

// Name implements provider.Provider.
func (p *Provider) Name() string { return p.name }

// Kind implements provider.Provider.
func (p *Provider) Kind() provider.Kind { return provider.Gmail }

// Limits implements provider.Provider.
func (p *Provider) Limits() provider.Limits { return p.limits }

// Abilities implements provider.Provider.
func (p *Provider) Abilities(a provider.Access) provider.Abilities {
	switch a {
	case provider.AccessSend:
		return provider.Abilities{Offered: true}
	case provider.AccessEnvelopes:
		return provider.Abilities{
			Offered: true, Locate: provider.ReachThread, ThreadReplies: true, AutoReplies: provider.DetectHeaders, Preview: true,
		}
	case provider.AccessReplies:
		return provider.Abilities{
			Offered: true, Locate: provider.ReachMailbox, ThreadReplies: true, SenderReplies: true,
			AutoReplies: provider.DetectContent, Reports: provider.DetectContent, Content: true, Preview: true,
		}
	}
	return provider.Abilities{}
}

// String hides the secret.
func (c Config) String() string { return "gmail.Config(the secret hidden)" }

// GoString hides the secret.
func (c Config) GoString() string { return c.String() }

// LogValue hides the secret.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
