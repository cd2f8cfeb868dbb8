package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
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

func newOffice(senders []Sender) (*postoffice.Office, error) {
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
		office.Clock().At(enrolled, func() {
			// The mailbox is there, and nothing else can go wrong.
			_ = office.DeliverUnrelated(postoffice.Traffic{To: s.Address, N: unrelated, First: enrolled, Every: span / unrelated})
		})
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
	world  *World
	office *postoffice.Office
	clock  *postoffice.Clock
	box    *postoffice.Mailbox
	svc    Service
	sender string
	stores stores
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
func New(ctx context.Context, world *World, sender string, svc Service, out io.Writer) (*Story, error) {
	office := world.Office
	s := &Story{
		world: world, office: office, clock: office.Clock(), box: office.Mailbox(sender), svc: svc, sender: sender, out: out,
		ids: make(map[string]string), names: make(map[string]string),
	}
	for _, c := range cast() {
		if c.loseSend > 0 {
			svc.LoseAnswer(c.addr, c.loseSend)
		}
	}
	var err error
	if s.stores, err = world.storage.host(ctx, s.box.Service(), s.clock.Now); err != nil {
		return nil, err
	}
	sealer, err := newSealer("a host keeps the key to its tokens apart from them: " + sender)
	if err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(sender, "@")
	s.linker, err = linking.New(linking.Config{
		Providers: []provider.Provider{svc.Provider}, Links: s.stores.tokens, Flows: s.stores.flows, Sealer: sealer, Now: s.clock.Now,
		// Whoever waits for another process's refresh waits in the world's time.
		// The other may be this one before it was stopped.
		Wait: world.advance,
	})
	if err != nil {
		return nil, err
	}
	s.run, err = runner.New(runner.Config{
		Store: s.stores.enrollments, Mailboxes: s.linker, Log: s.stores.log, Events: timeline{s},
		Key: []byte("a host keeps its own secret for ever: " + sender), Domain: "mail." + domain, Renderer: renderer{}, Now: s.clock.Now,
		MayAct:  s.linker.MayAct,
		Options: runner.Options{ReadEvery: 30 * time.Minute},
	})
	return s, err
}

func (s *Story) say(format string, args ...any) {
	fmt.Fprintf(s.out, "%s%s  %s\n", s.tag, s.clock.Now().Format("Mon 02 Jan 15:04"), fmt.Sprintf(format, args...))
}

// ErrStopped: the context ended before the story did.
var ErrStopped = errors.New("stopped")

// Tell plays the three weeks, of several senders at once, and returns what
// the service's own books say of each. With a storage that lasts it goes on
// where it was stopped: every step of it is either known to have been done,
// or may be done again.
func Tell(ctx context.Context, stories ...*Story) ([]*Result, error) {
	results, err := tell(ctx, stories)
	if err == nil || ctx.Err() == nil {
		return results, err
	}
	world := stories[0].world
	if world.journal == nil {
		return nil, fmt.Errorf("%w; without -store nothing was kept", ErrStopped)
	}
	return nil, fmt.Errorf("%w at %s; the same command goes on from there", ErrStopped, world.Office.Clock().Now().Format("Mon 02 Jan 15:04"))
}

const opening = `Three weeks in a few seconds, with fake mail services in this process: nothing leaves this machine.
Times are UTC. Mail leaves on working days between 9:00 and 17:00 where each candidate is.

`

func tell(ctx context.Context, stories []*Story) ([]*Result, error) {
	world := stories[0].world
	if err := world.replay(ctx); err != nil {
		return nil, err
	}
	if world.replayed > 0 {
		stories[0].say("the story goes on: the fake services are rebuilt from %d requests they had, and give out the same tokens again", world.replayed)
	}
	fmt.Fprint(stories[0].out, opening)
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

// linkMailbox is what a host's two HTTP handlers do, one after the other. A
// link that is there is used; one that the service refuses by now is mended.
func (s *Story) linkMailbox(ctx context.Context) error {
	const session = "the browser session of the signed-in user"
	links, err := s.linker.List(ctx, owner)
	if err != nil {
		return err
	}
	mend := ""
	for _, l := range links {
		if s.link = l.ID; l.Status == store.LinkLinked {
			s.say("%s's link to %s, with access %q, goes on with its stored token", senderName, l.Address, l.Access)
			return s.allow(ctx) // the program may have been stopped before it did
		}
		s.say("the link to %s needs its user (%s): %s consents again", l.Address, l.Reason, senderName)
		mend = l.ID
	}
	begun, err := s.linker.Begin(ctx, linking.BeginParams{
		Owner: owner, Session: session, Provider: s.svc.Provider.Name(), RedirectURL: "http://127.0.0.1/oauth/callback", ReturnTo: "/settings",
		Relink: mend,
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
	return s.allow(ctx)
}

// allow lets the colleague send from the mailbox.
func (s *Story) allow(ctx context.Context) error {
	_, err := s.linker.Delegate(ctx, linking.DelegateParams{Owner: owner, Link: s.link, Actor: colleague, Until: s.clock.Now().Add(10 * span)})
	return err
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
	if s.preview, err = s.run.PreviewStatus(ctx, e.ID); err != nil || s.preview.Proven() {
		return err
	}
	for s.clock.Now().Before(enrolled) && !s.preview.Proven() {
		if err := s.world.advance(ctx, 15*time.Minute); err != nil {
			return err
		}
		if _, err := s.run.Tick(ctx); err != nil {
			return err
		}
		if s.preview, err = s.run.PreviewStatus(ctx, e.ID); err != nil {
			return err
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
		if e.Created.Before(s.clock.Now()) {
			continue // before the story was stopped
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
	for clock.Now().Before(enrolled.Add(span)) {
		if err := stories[0].world.advance(ctx, 15*time.Minute); err != nil {
			return err
		}
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
		entries, err := s.stores.log.Conversation(ctx, s.ids[c.addr])
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
