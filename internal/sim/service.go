package sim

import (
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

const clientID, clientSecret = "00000000-0000-4000-8000-000000000051", "a secret of the simulation"

// service is one sender's mailbox at its fake.
type service struct {
	plan   Sender
	box    *postoffice.Mailbox
	google *gmailtest.Server
	entra  *msgraphtest.Server
	reads  []time.Time // when requests for what is new left, of any process
	feeds  []time.Time // those of them that follow the feed
	begun  []time.Time // those of them that begin a feed of Graph's anew
	sends  []time.Time // when mail left
	feed   feed
}

// newService starts the fake of one sender.
func newService(office *postoffice.Office, plan Sender, key *rsa.PrivateKey) (*service, error) {
	s := &service{plan: plan}
	cfg := postoffice.MailboxConfig{Address: plan.Address, Name: "Maria Silva", Service: string(plan.Kind), Beliefs: &plan.World}
	if plan.Kind == provider.MSGraph {
		cfg.IDDomain = "namprd00.prod.outlook.com"
	}
	var err error
	if s.box, err = office.AddMailbox(cfg); err != nil {
		return nil, err
	}
	s.box.SetDelays(plan.Delays)
	if plan.Filed {
		n := 0
		labels := []string{"Candidates", postoffice.LabelJunk, postoffice.LabelTrash, postoffice.LabelInbox}
		s.box.SetRule(func(postoffice.Message) []string { n++; return []string{labels[n%len(labels)]} })
	}
	if plan.Kind == provider.Gmail {
		g := plan.Google
		g.ClientID, g.ClientSecret, g.SigningKey = clientID, clientSecret, key
		s.google, err = gmailtest.New(office, g)
		return s, err
	}
	e := plan.Entra
	e.ClientID, e.ClientSecret, e.SigningKey, e.Policy = clientID, clientSecret, key, msgraphtest.PolicyAny
	s.entra, err = msgraphtest.New(office, e)
	return s, err
}

func (s *service) transport() http.RoundTripper {
	if s.google != nil {
		return s.google.Transport()
	}
	return s.entra.Transport()
}

// provider makes the adapter of one process.
func (s *service) provider(rt http.RoundTripper, now func() time.Time) (provider.Provider, error) {
	client := &http.Client{Transport: rt}
	if s.google != nil {
		return gmail.New(gmail.Config{
			Name: s.name(), ClientID: clientID, ClientSecret: clientSecret, Endpoints: s.google.Endpoints(), HTTPClient: client, Now: now, Push: s.pubsub(),
		})
	}
	return msgraph.New(msgraph.Config{
		Name: s.name(), ClientID: clientID, ClientSecret: clientSecret, HTTPClient: client, Now: now, Push: s.webhook(),
		Endpoints: &msgraph.Endpoints{Login: s.entra.LoginURL(), Graph: s.entra.GraphURL()},
	})
}

// name tells the registrations apart.
func (s *service) name() string { return string(s.plan.Kind) }

// consent walks through the consent page.
func (s *service) consent(page string) (*url.URL, error) {
	if s.google != nil {
		return s.google.Consent(nil, page, gmailtest.Answer{Account: s.plan.Address})
	}
	return s.entra.Consent(nil, page, msgraphtest.Answer{Account: s.plan.Address})
}

// ref is the service's name of a message.
func (s *service) ref(m postoffice.Message) string {
	if s.google != nil {
		return string(gmailtest.Ref(m))
	}
	return string(msgraphtest.Ref(m))
}

// isRead reports whether a request asks what is new, and isFeed whether it
// follows the feed. Graph is asked for the changes of a folder only where its
// numbers say that there are any.
func isRead(r *http.Request) bool {
	return isFeed(r) || strings.HasSuffix(r.URL.Path, "/messages") && strings.Contains(r.URL.Path, "/me/")
}

func isFeed(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, "/history") || strings.Contains(r.URL.Path, "/delta")
}

// begins reports whether a feed of Graph's begins anew: it tells of nothing that
// was received more than relisted before.
func begins(r *http.Request) bool {
	return strings.Contains(r.URL.Path, "/delta") && strings.Contains(r.URL.Query().Get("$filter"), "receivedDateTime")
}

func isSend(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, "/messages/send") || strings.HasSuffix(r.URL.Path, "/sendMail")
}

// op is a kind of request, by the service's own name.
func (s *service) op(kind string) string {
	names := map[string][2]string{
		"send": {"messages.send", "sendMail"}, "get": {"messages.get", "messages.get"}, "content": {"messages.get", "messages.value"},
		"list": {"messages.list", "messages.list"}, "changes": {"history.list", "delta"}, "token": {"token", "token"}, "any": {"", ""},
	}[kind]
	if s.google != nil {
		return names[0]
	}
	return names[1]
}

// fault is something that goes wrong with one request.
type fault struct {
	op, kind string
	status   int
	wait     time.Duration
	skip     int
	call     func()
}

func (f fault) String() string {
	return fmt.Sprintf("%s on %s, status %d, wait %v, skip %d", f.kind, f.op, f.status, f.wait, f.skip)
}

func (s *service) inject(f fault) {
	if s.google != nil {
		s.google.Inject(gmailtest.Rule{
			Op: s.op(f.op), Fault: gmailtest.Fault(f.kind), Status: f.status, Reason: "backendError", RetryAfter: f.wait, Skip: f.skip, Call: f.call,
		})
		return
	}
	s.entra.Inject(msgraphtest.Rule{
		Op: s.op(f.op), Fault: msgraphtest.Fault(f.kind), Status: f.status, Reason: "serviceNotAvailable", RetryAfter: f.wait, Skip: f.skip, Call: f.call,
	})
}

func (s *service) clear() {
	if s.google != nil {
		s.google.ClearFaults()
		return
	}
	s.entra.ClearFaults()
}

// withdraw ends the grant, as its user or an administrator does.
func (s *service) withdraw() {
	if s.google != nil {
		s.google.Withdraw(s.plan.Address, "")
		s.google.ExpireAccessTokens()
		return
	}
	s.entra.Withdraw(s.plan.Address, 0)
	s.entra.ChallengeAccessTokens(s.plan.Address)
}
