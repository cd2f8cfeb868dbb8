package story

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/memstore"
)

// Service is the mail service that a quickstart brings.
type Service struct {
	Provider provider.Provider

	// Consent walks through the consent page as the sender would, and returns
	// where the browser is sent back to.
	Consent func(authURL, addr string) (*url.URL, error)

	// LoseAnswer makes the service take the nth send to an address and lose
	// its answer on the way.
	LoseAnswer func(addr string, nth int)
}

// Sender is whose mailbox sends.
type Sender struct {
	Address string
	Service string // the kind of mail service that runs the mailbox
}

const (
	senderName = "Maria Silva"
	owner      = "maria"
	colleague  = "tom"
)

// NewOffice returns the world of the story: the senders' mailboxes, the
// candidates, and their clock. With several senders the candidates have
// mailboxes too, at the services of the senders in turn.
func NewOffice(senders ...Sender) (*postoffice.Office, error) {
	office, err := postoffice.New(postoffice.Config{Clock: postoffice.NewClock(begin)})
	if err != nil {
		return nil, err
	}
	for _, s := range senders {
		box, err := office.AddMailbox(mailbox(s, senderName, nil))
		if err != nil {
			return nil, err
		}
		box.SetDelays(postoffice.Delays{Visible: 20 * time.Second})
	}
	for i, c := range cast() {
		if len(senders) > 1 {
			_, err = office.AddMailbox(mailbox(Sender{Address: c.addr, Service: senders[i%len(senders)].Service}, c.name, c.does))
		} else {
			err = office.AddPerson(postoffice.Person{Address: c.addr, Name: c.name, Behaviours: c.does})
		}
		if err != nil {
			return nil, err
		}
	}
	return office, nil
}

func mailbox(at Sender, name string, does []postoffice.Behaviour) postoffice.MailboxConfig {
	cfg := postoffice.MailboxConfig{Address: at.Address, Name: name, Service: at.Service, Behaviours: does}
	beliefs := postoffice.GmailBeliefs()
	if at.Service == string(provider.MSGraph) {
		beliefs = postoffice.GraphBeliefs()
		cfg.IDDomain = "namprd00.prod.outlook.com"
	}
	cfg.Beliefs = &beliefs
	return cfg
}

// Story tells it.
type Story struct {
	office *postoffice.Office
	clock  *postoffice.Clock
	box    *postoffice.Mailbox
	svc    Service
	sender string
	mem    *memstore.Store
	linker *linking.Linker
	run    *runner.Runner
	out    io.Writer
	tag    string // before each line, where several stories are told

	link    string
	preview runner.PreviewReport
	ids     map[string]string // candidate's address to enrollment
	names   map[string]string // enrollment to candidate's name
}

// New sets the story of one sender up: a host of its own, with one linked
// mailbox. It prints the timeline to out.
func New(office *postoffice.Office, sender string, svc Service, out io.Writer) (*Story, error) {
	s := &Story{
		office: office, clock: office.Clock(), box: office.Mailbox(sender), svc: svc, sender: sender, out: out,
		mem: memstore.New(memstore.Options{Now: office.Clock().Now}), ids: make(map[string]string), names: make(map[string]string),
	}
	_, domain, _ := strings.Cut(sender, "@")
	var err error
	s.linker, err = linking.New(linking.Config{
		Providers: []provider.Provider{svc.Provider}, Links: s.mem.Tokens(), Flows: s.mem.Flows(), Now: s.clock.Now,
		InsecurePlainTokens: true, // nothing here outlives the process
	})
	if err != nil {
		return nil, err
	}
	s.run, err = runner.New(runner.Config{
		Store: s.mem.Enrollments(), Mailboxes: s.linker, Log: s.mem.Conversations(), Events: timeline{s},
		Key: []byte("a host keeps its own secret for ever: " + sender), Domain: "mail." + domain, Renderer: renderer{}, Now: s.clock.Now,
		MayAct: func(_ context.Context, actor string, l provider.Linked) (bool, error) {
			return actor == l.Owner || actor == colleague, nil
		},
		Options: runner.Options{ReadEvery: 30 * time.Minute},
	})
	return s, err
}

func (s *Story) say(format string, args ...any) {
	fmt.Fprintf(s.out, "%s%s  %s\n", s.tag, s.clock.Now().Format("Mon 02 Jan 15:04"), fmt.Sprintf(format, args...))
}

// Tell plays the three weeks, of several senders at once, and returns what
// the service's own books say of each.
func Tell(ctx context.Context, stories ...*Story) ([]*Result, error) {
	for _, s := range stories {
		if len(stories) > 1 {
			s.tag = fmt.Sprintf("%-9s", s.box.Service())
		}
		if err := s.linkMailbox(ctx); err != nil {
			return nil, err
		}
		if err := s.sendPreview(ctx); err != nil {
			return nil, err
		}
	}
	for _, s := range stories {
		if err := s.enroll(ctx); err != nil {
			return nil, err
		}
		if err := s.office.DeliverUnrelated(postoffice.Traffic{To: s.sender, N: unrelated, First: s.clock.Now(), Every: span / unrelated}); err != nil {
			return nil, err
		}
	}
	if err := pass(ctx, stories); err != nil {
		return nil, err
	}
	var results []*Result
	for _, s := range stories {
		r, err := s.result(ctx)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

const (
	unrelated = 500
	span      = 21 * day
)

// linkMailbox is what a host's two HTTP handlers do, one after the other.
func (s *Story) linkMailbox(ctx context.Context) error {
	const session = "the browser session of the signed-in user"
	begun, err := s.linker.Begin(ctx, linking.BeginParams{
		Owner: owner, Session: session, Provider: s.svc.Provider.Name(), RedirectURL: "http://127.0.0.1/oauth/callback", ReturnTo: "/settings",
	})
	if err != nil {
		return err
	}
	back, err := s.svc.Consent(begun.URL, s.sender)
	if err != nil {
		return err
	}
	done, err := s.linker.Complete(ctx, linking.CompleteParams{Query: back.Query(), Owner: owner, Session: session})
	if err != nil {
		return err
	}
	s.link = done.Link.ID
	s.say("%s links %s with access %q", senderName, done.Link.Address, done.Link.Access)
	return nil
}

// sendPreview sends the sequence to the sender's own inbox and looks where
// it arrived.
func (s *Story) sendPreview(ctx context.Context) error {
	e, err := s.run.Preview(ctx, runner.PreviewParams{
		Key: "first look", Link: s.link, FromName: senderName, Sequence: drip(), Data: map[string]string{"first": "Maria"},
	})
	if err != nil {
		return err
	}
	for range 5 {
		s.clock.Advance(15 * time.Minute)
		if _, err := s.run.Tick(ctx); err != nil {
			return err
		}
		if s.preview, err = s.run.PreviewStatus(ctx, e.ID); err != nil {
			return err
		}
		if s.preview.Proven() {
			break
		}
	}
	for _, m := range s.preview.Mails {
		s.say("preview: %q seen in Sent %t, in the inbox %t", m.Subject, m.InSent, m.InInbox)
	}
	return nil
}

func (s *Story) enroll(ctx context.Context) error {
	for _, c := range cast() {
		actor := owner
		if c.behalf {
			actor = colleague
		}
		e, err := s.run.Enroll(ctx, runner.EnrollParams{
			Key: "engineers-lisbon/" + c.addr, Link: s.link, Actor: actor, Recipient: c.address(), FromName: senderName,
			Sequence: drip(), Data: map[string]string{"first": firstName(c.name)}, Zone: c.zone,
		})
		if err != nil {
			return err
		}
		s.ids[c.addr], s.names[e.ID] = e.ID, c.name
		if c.loseSend > 0 {
			s.svc.LoseAnswer(c.addr, c.loseSend)
		}
		by := ""
		if c.behalf {
			by = ", by " + colleague + " on behalf of " + owner
		}
		s.say("%s is enrolled%s (%s)", c.name, by, c.role)
	}
	return nil
}

// pass lets the weeks go by, a quarter of an hour at a time.
func pass(ctx context.Context, stories []*Story) error {
	clock := stories[0].clock
	for end := clock.Now().Add(span); clock.Now().Before(end); {
		clock.Advance(15 * time.Minute)
		for _, s := range stories {
			if _, err := s.run.Tick(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// Conversation prints one conversation as a recruiter reads it.
func (s *Story) Conversation(ctx context.Context, name string) error {
	for _, c := range cast() {
		if c.name != name {
			continue
		}
		entries, err := s.mem.Conversations().Conversation(ctx, s.ids[c.addr])
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "\nThe conversation with %s, who %s:\n", c.name, c.role)
		for _, e := range entries {
			what := e.Direction
			if e.Class != "" {
				what += ", " + strings.ReplaceAll(e.Class, "_", " ")
			}
			if e.Crossed {
				what += ", crossed with the answer"
			}
			fmt.Fprintf(s.out, "\n  %s  %s\n  from %s to %s\n  %s\n\n", e.At.Format("Mon 02 Jan 15:04"), what, e.From, e.To, e.Subject)
			for line := range strings.SplitSeq(strings.TrimSpace(e.Text), "\n") {
				fmt.Fprintf(s.out, "    %s\n", line)
			}
		}
	}
	return nil
}
