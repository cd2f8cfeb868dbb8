package gmail_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/memstore"
)

const day = 24 * time.Hour

// drip is a runner with one Gmail mailbox, to which Google pushes.
type drip struct {
	*fakeGoogle
	t   *testing.T
	run *runner.Runner
	acc provider.Account
	src *granted
}

// granted is a TokenSource over one grant.
type granted struct {
	p   provider.Provider
	now func() time.Time
	g   provider.Grant
}

func (s *granted) Token(ctx context.Context) (*oauth2.Token, error) {
	if !s.now().Before(s.g.Token.Expiry) {
		g, err := s.p.Refresh(ctx, s.g)
		if err != nil {
			return nil, err
		}
		s.g = g
	}
	return s.g.Token, nil
}

func (s *granted) Refused(context.Context, *oauth2.Token, error) {
	s.g.Token.Expiry = time.Time{}.Add(1)
}

func newDrip(t *testing.T) *drip {
	t.Helper()
	d := &drip{fakeGoogle: newFakeGoogle(t, false, gmailtest.Config{}), t: t}
	d.mailbox(t, maria, "Maria Silva").SetDelays(postoffice.Delays{Visible: time.Second, SentCopy: 5 * time.Second})
	g := d.consent(t, maria, provider.AccessReplies)
	clock := d.office.Clock()
	d.src = &granted{p: d.prov, now: clock.Now, g: g}
	d.acc = provider.Account{Subject: g.Identity.Subject, Address: maria, Access: g.Access}
	run, err := runner.New(runner.Config{
		Store: memstore.New(memstore.Options{Now: clock.Now}).Enrollments(), Mailboxes: d, Now: clock.Now, Push: &runner.PushConfig{},
		Key: []byte("a secret of thirty-two bytes ...."), Domain: "mail.agency.example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	d.run, d.host = run, run.PushHandler(d.prov)
	return d
}

func (d *drip) Open(context.Context, string) (provider.Linked, error) {
	return provider.Linked{
		Link: "link", Owner: "maria", Provider: d.prov.Name(), Kind: d.prov.Kind(), Account: d.acc, Limits: d.prov.Limits(),
		Abilities: d.prov.Abilities(d.acc.Access), Mailbox: d.prov.Open(d.acc, d.src),
	}, nil
}

func (d *drip) tick() {
	d.t.Helper()
	if _, err := d.run.Tick(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// pass lets time pass, with a tick every five minutes.
func (d *drip) pass(span time.Duration) {
	d.t.Helper()
	for end := d.office.Clock().Now().Add(span); d.office.Clock().Now().Before(end); {
		d.office.Clock().Advance(5 * time.Minute)
		d.tick()
	}
}

// enroll begins a drip, and goes on until pushes are known to come.
func (d *drip) enroll(answers time.Duration) string {
	d.t.Helper()
	const ada = "ada@example.net"
	if err := d.office.AddPerson(postoffice.Person{Address: ada, Name: "Ada", Behaviours: []postoffice.Behaviour{{Do: postoffice.Answer, On: 1, After: answers}}}); err != nil {
		d.t.Fatal(err)
	}
	e, err := d.run.Enroll(d.t.Context(), runner.EnrollParams{
		Key: "cand/" + ada, Link: "link", Recipient: provider.Address{Addr: ada},
		Sequence: &sequence.Sequence{ID: "lisbon", Version: 1, Steps: []sequence.Step{
			{ID: 1, Subject: "A role in Lisbon", Text: "Hello."}, {ID: 2, Days: 3, Text: "Did you see my mail?"}, {ID: 3, Days: 7, Text: "Goodbye."},
		}},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.tick()
	d.pass(15 * time.Minute)
	d.unrelated()
	d.office.Clock().Advance(time.Minute)
	d.tick()
	if s := d.status(); !s.Watched || s.Doubtful {
		d.t.Fatalf("the mailbox is not watched, or its pushes are doubted: %+v", s)
	}
	return e.ID
}

func (d *drip) status() runner.PushStatus {
	d.t.Helper()
	s, err := d.run.PushStatus(d.t.Context(), "link")
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

func (d *drip) unrelated() {
	d.t.Helper()
	raw := "From: news@example.org\r\nTo: " + maria + "\r\nSubject: News\r\nMessage-ID: <n" + d.office.Clock().Now().Format("020304.05") + "@example.org>\r\n\r\nHello.\r\n"
	if _, err := d.office.Deliver(postoffice.Mail{To: maria, Raw: []byte(raw), Unrelated: true}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *drip) want(id string, status runner.Status) {
	d.t.Helper()
	e, err := d.run.Get(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	if e.Status != status {
		d.t.Errorf("status %q, want %q", e.Status, status)
	}
	if dup := d.office.Books().Duplicates(); len(dup) > 0 {
		d.t.Errorf("sent twice: %v", dup)
	}
	if env, content := d.office.Books().UnrelatedReads(); env+content > 0 {
		d.t.Errorf("unrelated mail was read: %d envelopes, %d contents", env, content)
	}
}

// TestPushedAnswer: what becomes of an answer by what becomes of its push.
func TestPushedAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		rule  gmailtest.Rule
		after time.Duration // when it is seen at the latest
		times int           // how often it is pushed
	}{
		"at once":     {gmailtest.Rule{Op: "push", Fault: gmailtest.Call}, time.Minute, 1},
		"twice":       {gmailtest.Rule{Op: "push", Fault: gmailtest.RepeatPush}, time.Minute, 2},
		"late":        {gmailtest.Rule{Op: "push", Fault: gmailtest.DelayPush, Delay: 6 * time.Minute}, 11 * time.Minute, 1},
		"not at all":  {gmailtest.Rule{Op: "push", Fault: gmailtest.DropPush}, 35 * time.Minute, 0},
		"host's down": {gmailtest.Rule{Op: "push", Fault: gmailtest.Call}, time.Minute, 2}, // it comes again after ten seconds
	} {
		t.Run(name, func(t *testing.T) {
			d := newDrip(t)
			id := d.enroll(2*time.Hour + time.Minute)
			d.pass(d.office.Clock().Now().Truncate(time.Hour).Add(2 * time.Hour).Sub(d.office.Clock().Now()))
			before := len(d.google.Pushes())
			if name == "host's down" {
				d.host = brokenOnce(d.host)
			}
			d.google.Inject(c.rule)
			d.office.Clock().Advance(61 * time.Second) // the answer is there
			d.tick()
			if c.after > time.Minute {
				d.want(id, runner.StatusActive)
				d.pass(c.after)
			}
			d.want(id, runner.StatusReplied)
			if n := len(d.google.Pushes()) - before; n != c.times {
				t.Errorf("pushed %d times, want %d", n, c.times)
			}
		})
	}
}

// TestWatchLives: for a month there is a watch at every moment.
func TestWatchLives(t *testing.T) {
	d := newDrip(t)
	id := d.enroll(29 * day)
	for range 28 * 4 {
		for range 3 {
			d.office.Clock().Advance(2 * time.Hour)
			d.tick()
		}
		if left := d.google.WatchedUntil(maria).Sub(d.office.Clock().Now()); left < 5*day {
			t.Fatalf("at %v the watch has %v left", d.office.Clock().Now(), left)
		}
	}
	d.office.Clock().Advance(day)
	d.tick()
	d.want(id, runner.StatusCompleted)
	d.google.EndWatch(maria)
	d.pass(25 * time.Hour)
	if d.google.WatchedUntil(maria).IsZero() {
		t.Error("a watch that was forgotten is not made again within a day")
	}
}

// TestPushForAnother: a push about a mailbox that is not ours, and one that
// cites our own after it was renamed, mark nothing and fail nothing.
func TestPushForAnother(t *testing.T) {
	d := newDrip(t)
	d.enroll(2 * day)
	for _, addr := range []string{"somebody@elsewhere.example.com", "MARIA@agency.example.com"} {
		req, err := d.google.PushRequest(addr)
		if err != nil {
			t.Fatal(err)
		}
		push, err := d.prov.ReceivePush(req)
		if err != nil {
			t.Fatal(err)
		}
		rep, err := d.run.Pushed(t.Context(), push)
		if ours := addr != "somebody@elsewhere.example.com"; err != nil || (rep.Mailboxes == 1) != ours || (rep.Ignored == 1) == ours {
			t.Errorf("%s: %+v, %v", addr, rep, err)
		}
	}
}

// brokenOnce is a host that does not acknowledge the first push.
func brokenOnce(up http.Handler) http.Handler {
	failed := false
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !failed {
			failed = true
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		up.ServeHTTP(w, r)
	})
}
