package outreach_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// linked is a host with links, a runner over them, and both services behind
// their adapters, over HTTP.
type linked struct {
	*diagnosed
	run     *runner.Runner
	events  []runner.Event
	changes []linking.Change
}

func newLinked(t *testing.T) *linked {
	t.Helper()
	w := &linked{diagnosed: newDiagnosed(t)}
	w.config.OnChange = func(_ context.Context, c linking.Change) error {
		w.changes = append(w.changes, c)
		return nil
	}
	var err error
	if w.linker, err = linking.New(w.config); err != nil {
		t.Fatal(err)
	}
	w.run, err = runner.New(runner.Config{
		Store: w.mem.Enrollments(), Mailboxes: w.linker, Log: w.mem.Conversations(), Events: w,
		Key: []byte("a secret of thirty-two bytes ...."), Domain: "mail.agency.example.com", Now: w.clock.Now,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *linked) Handle(_ context.Context, ev runner.Event) error {
	w.events = append(w.events, ev)
	return nil
}

func (w *linked) count(kind runner.EventKind) int {
	n := 0
	for _, ev := range w.events {
		if ev.Kind == kind {
			n++
		}
	}
	return n
}

// told are the changes so far, in short.
func (w *linked) told() string {
	var out []string
	for _, c := range w.changes {
		if c.Kind == linking.ChangeStatus {
			out = append(out, string(c.Status))
		} else {
			out = append(out, string(c.Kind))
		}
	}
	return strings.Join(out, " ")
}

func (w *linked) enroll(link, to string) string {
	w.t.Helper()
	e, err := w.run.Enroll(w.t.Context(), runner.EnrollParams{
		Key: to, Link: link, Recipient: provider.Address{Addr: to},
		Sequence: &sequence.Sequence{ID: "lisbon", Version: 1, Steps: []sequence.Step{
			{ID: 1, Subject: "A role in Lisbon", Text: "Hello, I saw your work."}, {ID: 2, Days: 3, Text: "Did you see my mail?"},
		}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

// pass lets time go by, with a look every step.
func (w *linked) pass(d, step time.Duration) {
	w.t.Helper()
	for end := w.clock.Now().Add(d); w.clock.Now().Before(end); w.clock.Advance(step) {
		if _, err := w.run.Tick(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *linked) of(id string) runner.Enrollment {
	w.t.Helper()
	e, err := w.run.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func (w *linked) status(id string) linking.Status {
	w.t.Helper()
	s, err := w.linker.Status(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// answered walks through the page of a flow for a user.
func (w *linked) answered(p linking.BeginParams, change func(page *url.URL)) (linking.Completed, error) {
	w.t.Helper()
	p.Session, p.RedirectURL = "session", callback
	if p.Owner == "" {
		p.Owner = "owner"
	}
	begun, err := w.linker.Begin(w.t.Context(), p)
	if err != nil {
		return linking.Completed{}, err
	}
	page, err := url.Parse(begun.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	if change != nil {
		change(page)
	}
	var back *url.URL
	if strings.Contains(page.Host, "google") || page.Host == w.googleHost() {
		back, err = w.google.Consent(nil, page.String(), gmailtest.Answer{Account: googleUser})
	} else {
		back, err = w.microsoft.Consent(nil, page.String(), msgraphtest.Answer{Account: microsoftUser})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return w.linker.Complete(w.t.Context(), linking.CompleteParams{Query: back.Query(), Owner: p.Owner, Session: "session"})
}

func (w *linked) googleHost() string {
	u, err := url.Parse(w.google.Endpoints().Auth)
	if err != nil {
		w.t.Fatal(err)
	}
	return u.Host
}

func addressOf(service string) string {
	if service == "gmail" {
		return googleUser
	}
	return microsoftUser
}

func (w *linked) withdraw(service string) {
	if service == "gmail" {
		w.google.Withdraw(googleUser, "")
	} else {
		w.microsoft.Withdraw(microsoftUser, 50173)
	}
	w.clock.Advance(2 * time.Hour) // the access token has ended too
}

func onBothServices(t *testing.T, f func(t *testing.T, service string)) {
	for _, service := range []string{"gmail", "msgraph"} {
		t.Run(service, func(t *testing.T) { f(t, service) })
	}
}

// TestHeldDripsGoOn: the drips of a broken link are held and not failed, and
// after a relink go on from where they were, no faster than the mailbox may.
func TestHeldDripsGoOn(t *testing.T) {
	onBothServices(t, func(t *testing.T, service string) {
		w := newLinked(t)
		l := w.link(service)
		first := w.enroll(l.ID, "first@example.org")
		w.pass(10*time.Minute, time.Minute)
		w.withdraw(service)
		const many = 65
		var ids []string
		for i := range many {
			ids = append(ids, w.enroll(l.ID, fmt.Sprintf("c%d@example.org", i)))
		}
		w.pass(20*time.Minute, time.Minute)
		for _, id := range ids {
			if e := w.of(id); e.Status != runner.StatusHeld {
				t.Fatalf("while the link is broken %s is %s", id, e.Status)
			}
		}
		if s := w.status(l.ID); s.Status != store.LinkNeedsRelink || s.Diagnosis.Mender != provider.MendUser {
			t.Fatalf("the link is %+v", s)
		}
		box, err := w.mem.Enrollments().GetMailbox(t.Context(), service+"/"+w.subject(l.ID))
		if err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Hour)
		hint := ""
		done, err := w.answered(linking.BeginParams{Relink: l.ID}, func(page *url.URL) { hint = page.Query().Get("login_hint") })
		if err != nil || done.Link.ID != l.ID || !done.Relinked || hint != addressOf(service) {
			t.Fatalf("relinked %+v with the hint %q, %v", done, hint, err)
		}
		if after, err := w.mem.Enrollments().GetMailbox(t.Context(), box.ID); err != nil || string(after.Cursor) != string(box.Cursor) || len(box.Cursor) == 0 {
			t.Errorf("the place in the mailbox went from %q to %q, %v", box.Cursor, after.Cursor, err)
		}
		relinked := w.clock.Now()
		w.pass(15*time.Minute, 10*time.Second)
		var sent []time.Time
		for _, s := range w.office.Books().SentFrom(addressOf(service)) {
			if s.At.After(relinked) || s.At.Equal(relinked) {
				sent = append(sent, s.At)
			}
		}
		if len(sent) != many {
			t.Fatalf("%d of %d held mails left", len(sent), many)
		}
		for i := range sent {
			n := 0
			for _, at := range sent[i:] {
				if at.Sub(sent[i]) < time.Minute {
					n++
				}
			}
			if n > 30 {
				t.Fatalf("%d mails left in a minute", n)
			}
		}
		for _, id := range append(ids, first) {
			if e := w.of(id); e.Status != runner.StatusActive {
				t.Errorf("%s is %s (%s)", id, e.Status, e.Reason)
			}
		}
		w.pass(5*24*time.Hour, time.Hour) // the follow-ups
		if n := len(w.office.Books().SentFrom(addressOf(service))); n != 2*(many+1) {
			t.Errorf("%d mails left in all", n)
		}
		if d := w.office.Books().Duplicates(); len(d) > 0 || w.count(runner.EventFailed) > 0 {
			t.Errorf("%d duplicates, %d failures", len(d), w.count(runner.EventFailed))
		}
		if w.told() != "linked needs_relink linked" {
			t.Errorf("told was %q", w.told())
		}
		if s := w.status(l.ID); s.Sent.IsZero() || s.Read.IsZero() || !s.Reading {
			t.Errorf("of the runner's passes is known %+v", s)
		}
	})
}

func (w *linked) subject(id string) string {
	w.t.Helper()
	l, err := w.mem.Tokens().Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return l.Subject
}

// TestSecretIsReplaced: the host's client secret is refused. Nobody is
// unlinked, one alarm is told, mail waits, and all goes on once it is mended.
func TestSecretIsReplaced(t *testing.T) {
	onBothServices(t, func(t *testing.T, service string) {
		w := newLinked(t)
		l := w.link(service)
		w.clock.Advance(2 * time.Hour)
		if service == "gmail" {
			w.google.RemoveSecret("secret-canary")
		} else {
			w.microsoft.ExpireSecret(true)
		}
		id := w.enroll(l.ID, "grace@example.org")
		w.pass(3*time.Hour, 5*time.Minute)
		s := w.status(l.ID)
		if s.Status != store.LinkHeld || s.Link.Status != store.LinkLinked || s.Diagnosis.Mender != provider.MendOperator || s.Relink || w.told() != "linked alarm" {
			t.Fatalf("while the secret is refused: %+v, told %q", s, w.told())
		}
		ex, err := w.run.Explain(t.Context(), id)
		if e := w.of(id); err != nil || e.Status != runner.StatusActive || !strings.Contains(ex.Trouble, "app set-up at fault") {
			t.Errorf("the drip is %s, explained as %q, %v", e.Status, ex.Text, err)
		}
		r, err := w.linker.Check(t.Context(), l.ID)
		if f := r.Finding(linking.CheckGrant); err != nil || f.State != linking.FindingBad || f.Diagnosis.Mender != provider.MendOperator {
			t.Errorf("checked: %+v, %v", r, err)
		}
		if service == "gmail" {
			w.google.AddSecret("secret-canary")
		} else {
			w.microsoft.ExpireSecret(false)
		}
		w.pass(2*time.Hour, 5*time.Minute)
		if n := len(w.office.Books().SentFrom(addressOf(service))); n != 1 || w.told() != "linked alarm healed" {
			t.Errorf("mended: %d mails, told %q", n, w.told())
		}
		if s := w.status(l.ID); s.Status != store.LinkLinked || !s.Works || s.Diagnosis.Reason != "" {
			t.Errorf("mended: %+v", s)
		}
	})
}

// TestAnotherOwner: a mailbox goes to another owner by unlinking and linking,
// and what was said before stays with whom it was said for.
func TestAnotherOwner(t *testing.T) {
	onBothServices(t, func(t *testing.T, service string) {
		w := newLinked(t)
		l := w.link(service)
		old := w.enroll(l.ID, "grace@example.org")
		w.pass(10*time.Minute, time.Minute)
		if _, err := w.answered(linking.BeginParams{Owner: "tom", Provider: service}, nil); !errors.Is(err, linking.ErrOwned) {
			t.Fatalf("linked by another while it is the first's: %v", err)
		}
		if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "owner", Link: l.ID}); err != nil {
			t.Fatal(err)
		}
		done, err := w.answered(linking.BeginParams{Owner: "tom", Provider: service}, nil)
		if err != nil || done.Link.ID == l.ID || done.Link.Owner != "tom" {
			t.Fatalf("linked by another: %+v, %v", done, err)
		}
		fresh := w.enroll(done.Link.ID, "alan@example.org")
		w.pass(5*24*time.Hour, time.Hour)
		for owner, want := range map[string]string{"owner": old, "tom": fresh} {
			list, err := w.mem.Conversations().Find(t.Context(), store.FindConversations{Owner: owner})
			if err != nil || len(list) != 1 || list[0].Conversation != want {
				t.Errorf("%s has the conversations %+v, %v", owner, list, err)
			}
		}
		if e := w.of(old); e.Status != runner.StatusHeld {
			t.Errorf("the first owner's drip is %s (%s)", e.Status, e.Reason)
		}
		if e := w.of(fresh); e.Status != runner.StatusActive && e.Status != runner.StatusCompleted {
			t.Errorf("the second owner's drip is %s (%s)", e.Status, e.Reason)
		}
		for _, s := range w.office.Books().SentFrom(addressOf(service)) {
			if s.At.After(done.Link.Created) && s.Recipients[0] == "grace@example.org" {
				t.Errorf("the first owner's candidate was written to at %s, over the second's link", s.At)
			}
		}
	})
}

// TestStepUpAtMicrosoft: a tenant lets its users send and not read. The link
// sends, and reads on the same grant once an administrator has approved it.
func TestStepUpAtMicrosoft(t *testing.T) {
	w := newLinked(t)
	tenant := msgraphtest.Tenant{Domains: []string{"firm.example.net"}, Policy: msgraphtest.PolicyManaged}
	if err := w.microsoft.SetTenant(tenant); err != nil {
		t.Fatal(err)
	}
	refused, err := w.answered(linking.BeginParams{Provider: "msgraph"}, nil)
	if d := w.linker.Diagnose(refused.Provider, err); d.Mender != provider.MendAdmin {
		t.Fatalf("reading is refused with %v: %+v", err, d)
	}
	done, err := w.answered(linking.BeginParams{Provider: "msgraph", Access: provider.AccessSend, Asked: provider.AccessReplies}, nil)
	if err != nil || done.Link.Status != store.LinkLimited || !done.Limited() {
		t.Fatalf("linked %+v, %v", done, err)
	}
	tenant.Policy = msgraphtest.PolicyAny
	if err := w.microsoft.SetTenant(tenant); err != nil {
		t.Fatal(err)
	}
	up, err := w.answered(linking.BeginParams{Relink: done.Link.ID, Access: provider.AccessReplies}, nil)
	if err != nil || up.Link.ID != done.Link.ID || up.Link.Status != store.LinkLinked || w.told() != "limited linked" {
		t.Fatalf("stepped up to %+v, %v, told %q", up, err, w.told())
	}
	r, err := w.linker.Check(t.Context(), done.Link.ID)
	if err != nil || r.Finding(linking.CheckMailbox).State != linking.FindingGood || !r.Status.Can.Content {
		t.Errorf("checked: %+v, %v", r, err)
	}
}

// TestStepUpAtGoogle: where gmail.metadata was granted, a wider scope does
// not read. The link goes on sending until the user starts over.
func TestStepUpAtGoogle(t *testing.T) {
	w := newLinked(t)
	done, err := w.answered(linking.BeginParams{Provider: "gmail", Access: provider.AccessSend, Asked: provider.AccessReplies}, nil)
	if err != nil {
		t.Fatal(err)
	}
	id := done.Link.ID
	poisoned := func(page *url.URL) {
		q := page.Query()
		q.Set("scope", q.Get("scope")+" https://www.googleapis.com/auth/gmail.metadata")
		page.RawQuery = q.Encode()
	}
	_, err = w.answered(linking.BeginParams{Relink: id, Access: provider.AccessReplies}, poisoned)
	var se *linking.StepUpError
	if !errors.As(err, &se) || !se.StartOver {
		t.Fatalf("the error is %v", err)
	}
	if d := w.linker.Diagnose("gmail", err); d.Reason != provider.ReasonScopesConflict {
		t.Errorf("diagnosed as %+v", d)
	}
	if err := w.use(done.Link, true); err != nil {
		t.Errorf("it does not send any more: %v", err)
	}
	up, err := w.answered(linking.BeginParams{Relink: id, Access: provider.AccessReplies, StartOver: true}, nil)
	if err != nil || up.Link.ID != id || up.Link.Status != store.LinkLinked {
		t.Fatalf("stepped up to %+v, %v", up, err)
	}
	if w.told() != "limited needs_relink linked" {
		t.Errorf("told was %q", w.told())
	}
	if s := w.status(id); len(s.Breaks) != 0 || s.Revoking != provider.RevokesAll {
		t.Errorf("it is %+v", s)
	}
}
