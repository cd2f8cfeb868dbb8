package msgraph_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/memstore"
)

const day = 24 * time.Hour

// drip is a runner with one Microsoft mailbox.
type drip struct {
	*fakeMicrosoft
	t      *testing.T
	box    *postoffice.Mailbox
	run    *runner.Runner
	linked provider.Linked
	cfg    runner.Config
	events []runner.Event
}

func newDrip(t *testing.T) *drip { return newDripOf(t, msgraphtest.Config{}, time.Hour) }

func newDripOf(t *testing.T, cfg msgraphtest.Config, readEvery time.Duration, aliases ...string) *drip {
	t.Helper()
	d := &drip{fakeMicrosoft: newFakeMicrosoft(t, false, cfg), t: t}
	d.box = d.mailbox(t, maria, "Maria Silva", aliases...)
	d.box.SetDelays(postoffice.Delays{Visible: 5 * time.Second, SentCopy: 30 * time.Second})
	g := d.consent(t, maria, provider.AccessReplies)
	acc := provider.Account{Subject: g.Identity.Subject, Address: maria, Addresses: append([]string{maria}, g.Identity.Aliases...), Access: g.Access}
	d.linked = provider.Linked{
		Link: "link", Owner: "maria", Provider: d.prov.Name(), Kind: d.prov.Kind(), Account: acc, Limits: d.prov.Limits(),
		Abilities: d.prov.Abilities(g.Access), Mailbox: d.prov.Open(acc, &refresher{p: d.prov, g: g, now: d.office.Clock().Now}),
	}
	clock := d.office.Clock()
	d.cfg = runner.Config{
		Store: memstore.New(memstore.Options{Now: clock.Now}).Enrollments(), Mailboxes: d, Events: d, Now: clock.Now,
		Key: []byte("a secret of thirty-two bytes ...."), Domain: "mail.agency.example.com",
		Options: runner.Options{ReadEvery: readEvery},
	}
	run, err := runner.New(d.cfg)
	if err != nil {
		t.Fatal(err)
	}
	d.run = run
	return d
}

func (d *drip) Open(context.Context, string) (provider.Linked, error) { return d.linked, nil }

func (d *drip) Handle(_ context.Context, ev runner.Event) error {
	d.events = append(d.events, ev)
	return nil
}

func (d *drip) told(kind runner.EventKind) int {
	n := 0
	for _, ev := range d.events {
		if ev.Kind == kind {
			n++
		}
	}
	return n
}

func threeSteps() *sequence.Sequence {
	return &sequence.Sequence{ID: "s", Version: 1, Steps: []sequence.Step{
		{ID: 1, Subject: "A role", Text: "Hello."}, {ID: 2, Days: 3, Text: "Again."}, {ID: 3, Days: 4, Text: "A last word."},
	}}
}

func (d *drip) enroll(addr string, does ...postoffice.Behaviour) string {
	d.t.Helper()
	if err := d.office.AddPerson(postoffice.Person{Address: addr, Behaviours: does}); err != nil {
		d.t.Fatal(err)
	}
	e, err := d.run.Enroll(d.t.Context(), runner.EnrollParams{
		Key: addr, Link: "link", Recipient: provider.Address{Addr: addr}, Sequence: threeSteps(),
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return e.ID
}

func (d *drip) pass(span time.Duration) {
	d.t.Helper()
	clock := d.office.Clock()
	for end := clock.Now().Add(span); ; {
		if _, err := d.run.Tick(d.t.Context()); err != nil {
			d.t.Fatal(err)
		}
		if !clock.Now().Before(end) {
			return
		}
		clock.Advance(min(30*time.Minute, end.Sub(clock.Now())))
	}
}

// want checks where an enrollment stands, by the library and by the books.
func (d *drip) want(id, addr string, status runner.Status, mails int) {
	d.t.Helper()
	e, err := d.run.Get(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	n := 0
	for _, s := range d.office.Books().SentFrom(maria) {
		if slices.Contains(s.Recipients, addr) {
			n++
		}
	}
	if e.Status != status || n != mails {
		ex, _ := d.run.Explain(d.t.Context(), id)
		d.t.Errorf("%s: %q (%s) with %d mails, want %q with %d\n%s", addr, e.Status, e.Reason, n, status, mails, strings.Join(ex.Text, "\n"))
	}
	if dup := d.office.Books().Duplicates(); len(dup) > 0 {
		d.t.Errorf("sent twice: %v", dup)
	}
	if env, content := d.office.Books().UnrelatedReads(); env+content > 0 {
		d.t.Errorf("unrelated mail was read: %d envelopes, %d contents", env, content)
	}
}

// TestNeverTwice: whatever is lost after a mail was accepted, there is no
// second one; whatever is lost before, it is sent in the end.
func TestNeverTwice(t *testing.T) {
	for name, rule := range map[string]msgraphtest.Rule{
		"503 after it was accepted":       {Fault: msgraphtest.RefuseAfter, Status: 503, Reason: "serviceNotAvailable"},
		"504 after it was accepted":       {Fault: msgraphtest.RefuseAfter, Status: 504, Reason: "UnknownError"},
		"504 with a wait, after it":       {Fault: msgraphtest.RefuseAfter, Status: 504, Reason: "UnknownError", RetryAfter: time.Second},
		"429 is never after":              {Fault: msgraphtest.Refuse, Status: 429, Reason: "ApplicationThrottled", RetryAfter: time.Minute},
		"the connection cut after it":     {Fault: msgraphtest.CutAfter},
		"the connection cut before it":    {Fault: msgraphtest.CutBefore},
		"503 before":                      {Fault: msgraphtest.Refuse, Status: 503, Reason: "serviceNotAvailable"},
		"504 before":                      {Fault: msgraphtest.Refuse, Status: 504, Reason: "UnknownError"},
		"a page of somebody in between":   {Fault: msgraphtest.HTML},
		"a page with 503 from in between": {Fault: msgraphtest.HTML, Status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDrip(t)
			rule.Op, rule.Skip, rule.Times = "sendMail", 1, 1 // the first mail proves that copies are kept
			d.microsoft.Inject(rule)
			id := d.enroll("grace@example.net")
			d.pass(12 * day)
			d.want(id, "grace@example.net", runner.StatusCompleted, 3)
		})
	}
}

// TestAnswers: an answer stops the drip wherever it comes from and wherever a
// rule files it.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		does postoffice.Behaviour
		rule func(postoffice.Message) []string
	}{
		"in the inbox":              {does: postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour}},
		"from another address":      {does: postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, From: "grace.private@example.org"}},
		"at once, before the copy":  {does: postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Second, From: "grace.private@example.org"}},
		"in a new mail":             {does: postoffice.Behaviour{Do: postoffice.AnswerNew, On: 1, After: time.Hour}},
		"filed by a rule":           {does: postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, From: "grace.private@example.org"}, rule: filed("Candidates")},
		"taken for junk":            {does: postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour}, rule: filed(postoffice.LabelJunk)},
		"thrown away by a rule":     {does: postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour}, rule: filed(postoffice.LabelTrash)},
		"new, and filed by a rule":  {does: postoffice.Behaviour{Do: postoffice.AnswerNew, On: 1, After: time.Hour}, rule: filed("Candidates")},
		"late, an hour under way":   {does: postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: time.Hour, From: "grace.private@example.org"}},
		"an out-of-office comes in": {does: postoffice.Behaviour{Do: postoffice.OutOfOfficeExchange, On: 1, After: time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDrip(t)
			if c.rule != nil {
				d.box.SetRule(c.rule)
			}
			id := d.enroll("grace@example.net", c.does)
			if err := d.office.DeliverUnrelated(postoffice.Traffic{To: maria, N: 50, First: d.office.Clock().Now(), Every: time.Hour}); err != nil {
				t.Fatal(err)
			}
			d.pass(12 * day)
			switch {
			case c.does.Do == postoffice.OutOfOfficeExchange:
				d.want(id, "grace@example.net", runner.StatusCompleted, 3)
			default:
				d.want(id, "grace@example.net", runner.StatusReplied, c.does.On)
			}
		})
	}
}

func filed(label string) func(postoffice.Message) []string {
	return func(postoffice.Message) []string { return []string{label} }
}

// TestDeltaExpires: whatever expires, nothing that came meanwhile is missed.
func TestDeltaExpires(t *testing.T) {
	d := newDrip(t)
	d.box.SetRule(filed("Candidates"))
	id := d.enroll("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 7 * time.Hour, From: "grace.private@example.org"})
	d.pass(time.Hour)
	d.office.Clock().Advance(8 * time.Hour) // nobody looked
	d.box.ExpireChanges()
	d.pass(12 * day)
	d.want(id, "grace@example.net", runner.StatusReplied, 1)
}

// TestReports: what Exchange reports of mail that it had accepted.
func TestReports(t *testing.T) {
	for name, c := range map[string]struct {
		does   postoffice.Behaviour
		status runner.Status
		mails  int
		stops  int // of the mailbox
	}{
		"no such address":   {postoffice.Behaviour{Do: postoffice.Bounce, After: time.Minute, Code: "5.1.10"}, runner.StatusBounced, 1, 0},
		"a remote report":   {postoffice.Behaviour{Do: postoffice.BounceLater, After: time.Hour}, runner.StatusBounced, 1, 0},
		"it is only late":   {postoffice.Behaviour{Do: postoffice.BounceDelay, After: time.Minute, On: 1}, runner.StatusCompleted, 3, 0},
		"the daily limit":   {postoffice.Behaviour{Do: postoffice.Bounce, After: time.Minute, Code: "5.1.90", On: 1}, runner.StatusHeld, 1, 1},
		"the tenant":        {postoffice.Behaviour{Do: postoffice.Bounce, After: time.Minute, Code: "5.7.705", On: 1}, runner.StatusHeld, 1, 1},
		"the tenant's rate": {postoffice.Behaviour{Do: postoffice.Bounce, After: time.Minute, Code: "5.7.232", On: 1}, runner.StatusHeld, 1, 1},
		"a read receipt":    {postoffice.Behaviour{Do: postoffice.ReadReceipt, After: time.Minute, On: 1}, runner.StatusCompleted, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDrip(t)
			id := d.enroll("grace@example.net", c.does)
			d.pass(12 * day)
			d.want(id, "grace@example.net", c.status, c.mails)
			if n := d.told(runner.EventMailboxStopped); n != c.stops {
				t.Errorf("the mailbox was stopped %d times, want %d", n, c.stops)
			}
		})
	}
}

// TestCopies: 202 is accepted; the copy confirms it; none is a note.
func TestCopies(t *testing.T) {
	d := newDrip(t)
	b := d.box.Beliefs()
	b.SentCopyMissing = true
	d.box.SetBeliefs(b)
	id := d.enroll("grace@example.net")
	d.pass(12 * day)
	d.want(id, "grace@example.net", runner.StatusCompleted, 3)
	if d.told(runner.EventUnconfirmed) != 3 || d.told(runner.EventMailboxFlagged) != 1 || d.told(runner.EventHeld) != 0 {
		t.Errorf("%d notes, %d flags, %d holds", d.told(runner.EventUnconfirmed), d.told(runner.EventMailboxFlagged), d.told(runner.EventHeld))
	}
}

// TestRequestBudget: a follow-up costs at most six requests with its read of
// the mailbox, and an unrelated message none.
func TestRequestBudget(t *testing.T) {
	d := newDripOf(t, msgraphtest.Config{}, 5*time.Minute)
	id := d.enroll("grace@example.net")
	d.pass(3*day - 10*time.Minute)
	clock := d.office.Clock()
	clock.Advance(6 * time.Minute)
	d.pass(0) // the last read that is made by itself
	total := func() int {
		n := 0
		for _, c := range d.box.Requests() {
			n += c
		}
		return n
	}
	clock.Advance(4 * time.Minute)
	before, sent := total(), d.box.Requests()[postoffice.RequestSend]
	if _, err := d.run.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d.box.Requests()[postoffice.RequestSend] != sent+1 {
		t.Fatalf("no follow-up was sent: %v", d.box.Requests())
	}
	if n := total() - before; n > 6 {
		t.Errorf("%d requests for a follow-up: %v", n, d.box.Requests())
	}
	d.want(id, "grace@example.net", runner.StatusActive, 2)
}
