package privacytest_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/memstore"
)

const (
	day          = 24 * time.Hour
	maria        = "maria@agency.example.com"
	clientID     = "00000000-0000-4000-8000-000000000077"
	clientSecret = "a secret of the proof"
	subject      = "A role in Lisbon"
)

// begin is a Monday.
var begin = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 1024) // small: a fake's signature protects nothing
	if err != nil {
		panic(err)
	}
	return k
})

// service is one fake and the adapter for it.
type service struct {
	kind    provider.Kind
	prov    provider.Provider
	consent func(page string) (*url.URL, error)
	lose    func() // the answer to the next send
}

func newService(t *testing.T, kind provider.Kind, office *postoffice.Office, wire *wire) service {
	t.Helper()
	clock, client := office.Clock(), &http.Client{Transport: wire}
	if kind == provider.Gmail {
		fake, err := gmailtest.New(office, gmailtest.Config{ClientID: clientID, ClientSecret: clientSecret, SigningKey: signingKey()})
		if err != nil {
			t.Fatal(err)
		}
		wire.next = fake.Transport()
		if err := fake.Subscribe(gmailtest.PushSubscription{Topic: topic, Endpoint: pushURL, ServiceAccount: pushAccount, Handler: wire}); err != nil {
			t.Fatal(err)
		}
		p, err := gmail.New(gmail.Config{
			ClientID: clientID, ClientSecret: clientSecret, Endpoints: fake.Endpoints(), HTTPClient: client, Now: clock.Now,
			Push: &gmail.PushConfig{Topic: topic, Audience: pushURL, ServiceAccount: pushAccount},
		})
		if err != nil {
			t.Fatal(err)
		}
		return service{kind, p, func(page string) (*url.URL, error) {
			return fake.Consent(nil, page, gmailtest.Answer{Account: maria})
		}, func() { fake.Inject(gmailtest.Rule{Op: "messages.send", Fault: gmailtest.CutAfter}) }}
	}
	fake, err := msgraphtest.New(office, msgraphtest.Config{
		ClientID: clientID, ClientSecret: clientSecret, SigningKey: signingKey(), Policy: msgraphtest.PolicyAny,
	})
	if err != nil {
		t.Fatal(err)
	}
	wire.next = fake.Transport()
	fake.SetWebhook(wire)
	p, err := msgraph.New(msgraph.Config{
		ClientID: clientID, ClientSecret: clientSecret, HTTPClient: client, Now: clock.Now, Push: &msgraph.PushConfig{URL: pushURL},
		Endpoints: &msgraph.Endpoints{Login: fake.LoginURL(), Graph: fake.GraphURL()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return service{kind, p, func(page string) (*url.URL, error) {
		return fake.Consent(nil, page, msgraphtest.Answer{Account: maria})
	}, func() { fake.Inject(msgraphtest.Rule{Op: "sendMail", Fault: msgraphtest.CutAfter}) }}
}

const (
	topic       = "projects/agency/topics/gmail"
	pushURL     = "https://ats.example.com/push"
	pushAccount = "push@agency.iam.gserviceaccount.com"
)

// wire is what lies between the adapters and the fake: it counts the requests
// to the mailbox, and hands pushes to the host.
type wire struct {
	next http.RoundTripper
	host http.Handler

	mu      sync.Mutex
	untold  []string // requests to the mailbox since the last that was observed
	tooMuch []string // requests that ask for more than may be
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if at := r.URL.Path; strings.Contains(at, "/users/me/") || strings.Contains(at, "/me/") || strings.HasSuffix(at, "/me") || strings.Contains(at, "/subscriptions") {
		w.mu.Lock()
		w.untold = append(w.untold, r.Method+" "+at)
		if why := tooMuch(r); why != "" {
			w.tooMuch = append(w.tooMuch, why+" by "+r.URL.RequestURI())
		}
		w.mu.Unlock()
	}
	return w.next.RoundTrip(r)
}

// ServeHTTP implements http.Handler.
func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) { w.host.ServeHTTP(rw, r) }

// observed takes it that all requests so far were those of one observation:
// a mailbox is worked on serially.
func (w *wire) observed() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, w.untold = len(w.untold), nil
	return n
}

// told reports the requests that nobody observed.
func (w *wire) told(t *testing.T, what string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.untold) > 0 {
		t.Errorf("%s: requests that the host was not told of: %v", what, w.untold)
	}
	if len(w.tooMuch) > 0 {
		t.Errorf("%s: %v", what, w.tooMuch)
	}
	w.untold, w.tooMuch = nil, nil
}

// world is one mailbox at one service, linked, with a runner over it.
type world struct {
	t      *testing.T
	office *postoffice.Office
	box    *postoffice.Mailbox
	run    *runner.Runner
	log    store.ConversationLog
	linker *linking.Linker
	svc    service
	wire   *wire
	link   string
	audit  *audit
	ids    []string
}

func newWorld(t *testing.T, kind provider.Kind) *world {
	return newWorldOf(t, kind, provider.AccessReplies)
}

func newWorldOf(t *testing.T, kind provider.Kind, access provider.Access, change ...func(*runner.Config)) *world {
	t.Helper()
	office, err := postoffice.New(postoffice.Config{Clock: postoffice.NewClock(begin)})
	if err != nil {
		t.Fatal(err)
	}
	beliefs := postoffice.GmailBeliefs()
	cfg := postoffice.MailboxConfig{Address: maria, Name: "Maria Silva", Service: string(kind), Beliefs: &beliefs}
	if kind == provider.MSGraph {
		beliefs = postoffice.GraphBeliefs()
		cfg.IDDomain = "namprd00.prod.outlook.com"
	}
	box, err := office.AddMailbox(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, office: office, box: box, wire: &wire{}}
	w.audit = &audit{reasons: make(map[string]int), wire: w.wire}
	svc := newService(t, kind, office, w.wire)
	mem := memstore.New(memstore.Options{Now: office.Clock().Now})
	linker, err := linking.New(linking.Config{
		Providers: []provider.Provider{svc.prov}, Links: mem.Tokens(), Flows: mem.Flows(), InsecurePlainTokens: true, Now: office.Clock().Now,
		OnRequest: func(r linking.Request) { w.audit.linking(r) }, StopPush: func(ctx context.Context, mailbox provider.Linked) error { return w.run.StopPush(ctx, mailbox) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.linker, w.svc = linker, svc
	w.log = mem.Conversations()
	conf := runner.Config{
		Store: mem.Enrollments(), Mailboxes: linker, Log: w.log, Observer: w.audit, Now: office.Clock().Now,
		Key: []byte("a secret of thirty-two bytes ...."), Domain: "mail.agency.example.com",
		Options: runner.Options{ReadEvery: 6 * time.Hour, PerMailbox: 500},
	}
	for _, f := range change {
		f(&conf)
	}
	w.run, err = runner.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	w.wire.host = w.run.PushHandler(svc.prov.(provider.PushReceiver))
	flow, err := linker.Begin(t.Context(), linking.BeginParams{
		Owner: "maria", Session: "session", Provider: svc.prov.Name(), Access: access, RedirectURL: "https://ats.example.com/callback",
	})
	if err != nil {
		t.Fatal(err)
	}
	back, err := svc.consent(flow.URL)
	if err != nil {
		t.Fatal(err)
	}
	done, err := linker.Complete(t.Context(), linking.CompleteParams{Query: back.Query(), Owner: "maria", Session: "session"})
	if err != nil {
		t.Fatal(err)
	}
	w.link = done.Link.ID
	if done.Link.Access != access {
		t.Fatalf("the link has access %q, want %q", done.Link.Access, access)
	}
	return w
}

// audit is a host's Observer: it counts requests by what they ask and why.
type audit struct {
	mu                  sync.Mutex
	reasons             map[string]int // "op reason"
	envelopes, contents int
	nameless            int // requests without a reason
	linkless            int // and without the link that they were made over
	wire                *wire
}

func (a *audit) Observe(o runner.Observation) {
	if o.Kind != runner.ObserveRequest {
		return
	}
	a.wire.observed()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reasons[o.Op+" "+o.Reason]++
	if o.Link == "" || o.Mailbox == "" {
		a.linkless++
	}
	switch {
	case o.Reason == "":
		a.nameless++
	case o.Op == "envelope" && o.Err == nil:
		a.envelopes++
	case o.Op == "content" && o.Err == nil:
		a.contents++
	}
}

// linking is a host's hook for the requests of the Linker.
func (a *audit) linking(r linking.Request) {
	a.wire.observed()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reasons[r.Op+" "+r.Reason]++
	switch {
	case r.Reason == "":
		a.nameless++
	case r.Link == "":
		a.linkless++
	}
}

// enroll adds a candidate with a mind of their own.
func (w *world) enroll(i int) {
	w.t.Helper()
	p := candidate(i)
	if err := w.office.AddPerson(p); err != nil {
		w.t.Fatal(err)
	}
	e, err := w.run.Enroll(w.t.Context(), runner.EnrollParams{
		Key: p.Address, Link: w.link, Recipient: provider.Address{Name: p.Name, Addr: p.Address}, Sequence: &sequence.Sequence{
			ID: "lisbon", Version: 1, AcceptThreadOnly: true, Steps: []sequence.Step{
				{ID: 1, Subject: subject, Text: "Hello, I saw your work."}, {ID: 2, Days: 3, Text: "Did my mail reach you?"}, {ID: 3, Days: 4, Text: "A last word from me."},
			},
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.ids = append(w.ids, e.ID)
}

func address(i int) string { return fmt.Sprintf("candidate%d@firm%d.example.net", i, i%50) }

// candidate answers in one of the ways in which people and machines do.
func candidate(i int) postoffice.Person {
	after := time.Duration(1+i%70) * time.Hour
	ways := [][]postoffice.Behaviour{
		nil,
		{{Do: postoffice.Answer, On: 1, After: after}},
		{{Do: postoffice.AnswerNew, On: 2, After: after}},
		{{Do: postoffice.Answer, On: 1 + i%2, After: after, From: fmt.Sprintf("private%d@home.example.org", i)}},
		{{Do: postoffice.OutOfOffice, On: 1, After: time.Second, Until: begin.Add(9 * day)}},
		{{Do: postoffice.OutOfOfficeExchange, On: 1, After: time.Second, Until: begin.Add(9 * day)}},
		{{Do: postoffice.Bounce, On: 1, After: time.Minute}},
		{{Do: postoffice.BounceLater, On: 1, After: time.Hour}},
		{{Do: postoffice.ReadReceipt, On: 1, After: time.Hour}},
		{{Do: postoffice.BounceDelay, On: 1, After: time.Hour}},
	}
	return postoffice.Person{Address: address(i), Name: fmt.Sprintf("Candidate %d", i), Behaviours: ways[i%len(ways)]}
}

func (w *world) deliver(raw string, received time.Time) {
	w.t.Helper()
	_, err := w.office.Deliver(postoffice.Mail{
		To: maria, Raw: []byte(strings.ReplaceAll(raw, "\n", "\r\n")), Received: received, Unrelated: true,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// lookalikes are mails that have much in common with a candidate's answer,
// and are none: a sloppy match would read them.
func (w *world) lookalikes(i int, at time.Time) {
	firm, id := i%50, fmt.Sprintf("%d.%d", i, at.Unix())
	date := at.Format(time.RFC1123Z)
	// The same subject, from somebody else.
	w.deliver(fmt.Sprintf("From: other%d@elsewhere.example.org\nTo: %s\nSubject: Re: %s\nDate: %s\nMessage-ID: <same.%s@elsewhere.example.org>\n\nWhat a role.\n", i, maria, subject, date, id), at)
	// A colleague of the candidate's, whom nobody wrote to.
	w.deliver(fmt.Sprintf("From: Candidate %d <boss%d@firm%d.example.net>\nTo: %s\nSubject: Lunch\nDate: %s\nMessage-ID: <lunch.%s@firm.example.net>\n\nLunch?\n", i, i, firm, maria, date, id), at)
	// An address that has the candidate's in it.
	w.deliver(fmt.Sprintf("From: not-%s\nTo: %s\nSubject: Hello\nDate: %s\nMessage-ID: <near.%s@firm.example.net>\nReferences: <something.else@agency.example.com>\n\nHello.\n", address(i), maria, date, id), at)
	// The candidate's address as a display name only.
	w.deliver(fmt.Sprintf("From: \"%s\" <spoof%d@spam.example.org>\nReply-To: %s\nTo: %s\nSubject: Urgent\nDate: %s\nMessage-ID: <spoof.%s@spam.example.org>\n\nPay.\n", address(i), i, address(i), maria, date, id), at)
}

// put files a mail that the owner wrote to somebody else by hand.
func (w *world) put(i int, at time.Time) {
	w.box.Put(postoffice.PutParams{
		Raw: fmt.Appendf(nil, "From: %s\r\nTo: friend%d@elsewhere.example.org\r\nSubject: Private %d\r\nDate: %s\r\nMessage-ID: <own.%d@agency.example.com>\r\n\r\nOnly for you.\r\n",
			maria, i, i, at.Format(time.RFC1123Z), i),
		Labels: []string{postoffice.LabelSent}, Received: at, Own: true, Unrelated: true,
	})
}

func (w *world) pass(ctx context.Context, span time.Duration) {
	w.t.Helper()
	clock := w.office.Clock()
	for end := clock.Now().Add(span); clock.Now().Before(end); {
		clock.Advance(min(2*time.Hour, end.Sub(clock.Now())))
		if _, err := w.run.Tick(ctx); err != nil {
			w.t.Fatal(err)
		}
	}
}
