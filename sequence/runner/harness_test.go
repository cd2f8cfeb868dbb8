package runner_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

const (
	sender = "maria@agency.example.com"
	link   = "link-1"
)

// start is a Tuesday.
var start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

// world is a runner over an in-memory mail world.
type world struct {
	t      *testing.T
	on     storage
	clock  *postoffice.Clock
	office *postoffice.Office
	box    *postoffice.Mailbox
	prov   *postoffice.MemProvider
	store  store.EnrollmentStore
	log    store.ConversationLog
	open   *opener
	cfg    runner.Config
	run    *runner.Runner
	events *sink
	seen   *audit
}

func newWorld(t *testing.T, on storage, change ...func(*runner.Config)) *world {
	t.Helper()
	clock := postoffice.NewClock(start)
	office, err := postoffice.New(postoffice.Config{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	box, err := office.AddMailbox(postoffice.MailboxConfig{Address: sender, Name: "Maria Silva", Aliases: []string{"ms@agency.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, on: on, clock: clock, office: office, box: box, prov: postoffice.NewProvider(office, postoffice.ProviderConfig{}),
		events: &sink{}, seen: &audit{},
	}
	w.store, w.log = on.open(t, clock.Now)
	w.open = &opener{w: w, access: provider.AccessReplies}
	w.cfg = runner.Config{
		Store: w.store, Mailboxes: w.open, Log: w.log, Events: w.events, Observer: w.seen,
		Key: []byte("a secret of thirty-two bytes ...."), Domain: "mail.agency.example.com", Now: clock.Now, Renderer: asWritten{},
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	for _, f := range change {
		f(&w.cfg)
	}
	w.run = w.runner()
	return w
}

// replaceMailbox has the link be one of another mailbox.
func (w *world) replaceMailbox(cfg postoffice.MailboxConfig) {
	w.t.Helper()
	box, err := w.office.AddMailbox(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.box = box
}

func (w *world) runner() *runner.Runner {
	w.t.Helper()
	r, err := runner.New(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// opener opens the one link, as linking would.
type opener struct {
	w      *world
	access provider.Access
	err    error
	wrap   func(provider.Mailbox) provider.Mailbox
}

func (o *opener) Open(_ context.Context, id string) (provider.Linked, error) {
	if o.err != nil {
		return provider.Linked{}, o.err
	}
	if id != link {
		return provider.Linked{}, &provider.Error{Kind: provider.ErrRelink, Op: "open", Reason: "no_such_link"}
	}
	grant, err := o.w.prov.Consent(o.w.box.Address(), o.access)
	if err != nil {
		return provider.Linked{}, err
	}
	acc := provider.Account{Subject: grant.Identity.Subject, Address: o.w.box.Address(), Addresses: append(o.w.box.Addresses(), o.w.box.Senders()...), Access: o.access}
	mb := o.w.prov.Open(acc, staticToken{grant.Token})
	if o.wrap != nil {
		mb = o.wrap(mb)
	}
	return provider.Linked{
		Link: link, Owner: "maria", Provider: o.w.prov.Name(), Kind: o.w.prov.Kind(), Account: acc,
		Limits: o.w.prov.Limits(), Abilities: o.w.prov.Abilities(o.access), Mailbox: mb,
	}, nil
}

type staticToken struct{ tok *oauth2.Token }

func (s staticToken) Token(context.Context) (*oauth2.Token, error) { return s.tok, nil }
func (staticToken) Refused(context.Context, *oauth2.Token, error)  {}

// sink keeps the events.
type sink struct {
	mu     sync.Mutex
	events []runner.Event
	err    error
}

func (s *sink) Handle(_ context.Context, ev runner.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.events = append(s.events, ev)
	return nil
}

// kinds lists what happened to an enrollment, in order.
func (s *sink) kinds(enrollment string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	seen := make(map[string]bool)
	for _, ev := range s.events {
		if ev.Enrollment == enrollment && !seen[ev.ID] {
			seen[ev.ID] = true
			out = append(out, string(ev.Kind))
		}
	}
	return strings.Join(out, " ")
}

// audit counts requests by op and reason.
type audit struct {
	mu     sync.Mutex
	counts map[string]int
}

func (a *audit) Observe(o runner.Observation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.counts == nil {
		a.counts = make(map[string]int)
	}
	if o.Kind == runner.ObserveRequest {
		a.counts[o.Op+" "+o.Reason]++
	}
}

func threeSteps() *sequence.Sequence {
	return &sequence.Sequence{
		ID: "lisbon", Version: 1,
		Steps: []sequence.Step{
			{ID: 1, Subject: "A role in Lisbon", Text: "Hello, I saw your work."},
			{ID: 2, Days: 3, Text: "Did you see my mail?"},
			{ID: 3, Days: 4, Text: "A last word from me."},
		},
	}
}

func (w *world) person(addr string, does ...postoffice.Behaviour) {
	w.t.Helper()
	if err := w.office.AddPerson(postoffice.Person{Address: addr, Name: strings.Split(addr, "@")[0], Behaviours: does}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) enroll(addr string, change ...func(*runner.EnrollParams)) runner.Enrollment {
	w.t.Helper()
	p := runner.EnrollParams{Key: "cand/" + addr, Link: link, Recipient: provider.Address{Addr: addr}, Sequence: threeSteps()}
	for _, f := range change {
		f(&p)
	}
	e, err := w.run.Enroll(w.t.Context(), p)
	if err != nil {
		w.t.Fatalf("enroll %s: %v", addr, err)
	}
	return e
}

func (w *world) tick() runner.Report {
	w.t.Helper()
	rep, err := w.run.Tick(w.t.Context())
	if err != nil {
		w.t.Fatalf("tick at %v: %v", w.clock.Now(), err)
	}
	return rep
}

// pass lets time pass, with a tick every quarter of an hour. On a database,
// which takes longer for each, only the first ones come so fast.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	end := w.clock.Now().Add(d)
	for n := 0; w.clock.Now().Before(end); n++ {
		step := 15 * time.Minute
		if w.on != onMemstore && n >= 4 {
			step = max(step, d/30)
		}
		w.clock.Advance(min(step, end.Sub(w.clock.Now())))
		w.tick()
	}
}

func (w *world) get(id string) runner.Enrollment {
	w.t.Helper()
	e, err := w.run.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// want checks where an enrollment stands.
func (w *world) want(id string, status runner.Status, sent int) runner.Enrollment {
	w.t.Helper()
	e := w.get(id)
	if e.Status != status || e.StepsSent != sent {
		ex, _ := w.run.Explain(w.t.Context(), id)
		w.t.Errorf("%s: status %q with %d sent, want %q with %d\nevents: %s\n%s", e.Recipient.Addr, e.Status, e.StepsSent, status, sent,
			w.events.kinds(id), strings.Join(ex.Text, "\n"))
	}
	return e
}

// mails returns how many mails the world accepted for an address.
func (w *world) mails(addr string) int {
	n := 0
	for _, s := range w.office.Books().Submissions() {
		for _, r := range s.Recipients {
			if r == addr {
				n++
			}
		}
	}
	return n
}

// sound checks what must hold at the end of every test.
func (w *world) sound() {
	w.t.Helper()
	if dup := w.office.Books().Duplicates(); len(dup) > 0 {
		w.t.Errorf("sent twice: %v", dup)
	}
	if env, content := w.office.Books().UnrelatedReads(); env+content > 0 {
		w.t.Errorf("unrelated mail was read: %d envelopes, %d contents", env, content)
	}
}

func (w *world) conversation(id string) []store.Entry {
	w.t.Helper()
	entries, err := w.log.Conversation(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return entries
}

func directions(entries []store.Entry) string {
	var out []string
	for _, e := range entries {
		d := e.Direction
		if e.Class != "" {
			d = fmt.Sprintf("%s(%s)", d, e.Class)
		}
		out = append(out, d)
	}
	return strings.Join(out, " ")
}

const day = 24 * time.Hour

// asWritten sends the words of a step, whatever data there is.
type asWritten struct{}

func (asWritten) Render(_ context.Context, r runner.RenderRequest) (runner.Rendered, error) {
	return runner.Rendered{Subject: r.Step.Subject, Text: r.Step.Text, HTML: r.Step.HTML}, nil
}
