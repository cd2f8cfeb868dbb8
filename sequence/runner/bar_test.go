package runner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// permits is a MayAct that can be changed.
type permits struct {
	may bool
	err error
}

func (p *permits) ask(_ context.Context, actor string, l provider.Linked) (bool, error) {
	return actor == l.Owner || p.may, p.err
}

func asTom(p *runner.EnrollParams) { p.Actor = "tom" }

// TestActorLosesPermission withdraws what Tom was allowed while his drip is
// under way: no further mail leaves, it is held with the reason, and goes on
// when it is allowed again.
func TestActorLosesPermission(t *testing.T) { onEachStore(t, testActorLosesPermission) }

func testActorLosesPermission(t *testing.T, on storage) {
	p := &permits{may: true}
	w := newWorld(t, on, func(c *runner.Config) { c.MayAct = p.ask })
	w.person("grace@example.net")
	w.person("henry@example.net")
	toms := w.enroll("grace@example.net", asTom)
	marias := w.enroll("henry@example.net")
	w.tick()
	p.may = false
	queued := w.enrollQueued(p)
	w.pass(8 * day)
	w.want(marias.ID, runner.StatusCompleted, 3)
	w.want(queued.ID, runner.StatusHeld, 0)
	got := w.want(toms.ID, runner.StatusHeld, 1)
	if got.Barred != runner.BarActor || !strings.Contains(got.Hold, "may not send over this link any more") || got.Due.IsZero() {
		t.Errorf("%+v", got)
	}
	if kinds := w.events.kinds(toms.ID); kinds != "enrolled sent held" {
		t.Errorf("events: %s", kinds)
	}
	ex, err := w.run.Explain(t.Context(), toms.ID)
	if text := strings.Join(ex.Text, "\n"); err != nil || !strings.Contains(text, "Sending is held: the actor may not send") {
		t.Errorf("%v: %s", err, text)
	}

	p.may = true
	w.pass(10 * time.Minute)
	w.want(toms.ID, runner.StatusActive, 2)
	if kinds := w.events.kinds(toms.ID); kinds != "enrolled sent held resumed sent" {
		t.Errorf("events: %s", kinds)
	}
	w.pass(5 * day)
	w.want(toms.ID, runner.StatusCompleted, 3)
	w.sound()
}

// enrollQueued enrolls for Tom at a time when he may, and withdraws it before
// the first mail leaves.
func (w *world) enrollQueued(p *permits) runner.Enrollment {
	w.t.Helper()
	p.may = true
	defer func() { p.may = false }()
	return w.enroll("iris@example.net", asTom)
}

// TestPermissionEndsJustBefore withdraws it after the mail was rendered, which
// is the last instant at which it can count.
func TestPermissionEndsJustBefore(t *testing.T) { onEachStore(t, testPermissionEndsJustBefore) }

func testPermissionEndsJustBefore(t *testing.T, on storage) {
	p := &permits{may: true}
	w := newWorld(t, on, func(c *runner.Config) {
		c.MayAct = p.ask
		c.Renderer = renderFunc(func(r runner.RenderRequest) (runner.Rendered, error) {
			p.may = false
			return runner.Rendered{Subject: r.Step.Subject, Text: r.Step.Text}, nil
		})
	})
	e := w.enroll("grace@example.net", asTom)
	w.tick()
	w.want(e.ID, runner.StatusHeld, 0)
	if n := len(w.office.Books().Submissions()); n != 0 {
		t.Errorf("%d mails left", n)
	}
}

type renderFunc func(runner.RenderRequest) (runner.Rendered, error)

func (f renderFunc) Render(_ context.Context, r runner.RenderRequest) (runner.Rendered, error) {
	return f(r)
}

// TestPermissionUnknown is a host that can't say: the mail waits, whether it
// was held or not, and is not failed.
func TestPermissionUnknown(t *testing.T) { onEachStore(t, testPermissionUnknown) }

func testPermissionUnknown(t *testing.T, on storage) {
	p := &permits{may: true}
	w := newWorld(t, on, func(c *runner.Config) { c.MayAct = p.ask })
	e := w.enroll("grace@example.net", asTom)
	p.err = errors.New("the directory is down")
	w.pass(time.Hour)
	w.want(e.ID, runner.StatusActive, 0)
	p.err, p.may = nil, false
	w.pass(time.Hour)
	w.want(e.ID, runner.StatusHeld, 0)
	p.err = errors.New("the directory is down")
	w.pass(time.Hour)
	w.want(e.ID, runner.StatusHeld, 0)
	p.err, p.may = nil, true
	w.pass(time.Hour)
	w.want(e.ID, runner.StatusActive, 1)
}

// TestBarredAndLost loses the mailbox while an enrollment is barred: that it
// comes back does not end the bar, and the bar's end does not end a pause.
func TestBarredAndLost(t *testing.T) { onEachStore(t, testBarredAndLost) }

func testBarredAndLost(t *testing.T, on storage) {
	p := &permits{may: true}
	w := newWorld(t, on, func(c *runner.Config) { c.MayAct = p.ask })
	e := w.enroll("grace@example.net", asTom)
	p.may = false
	w.pass(time.Hour)
	w.want(e.ID, runner.StatusHeld, 0)
	w.open.err = &provider.Error{Kind: provider.ErrRelink, Op: "open", Reason: "invalid_grant"}
	w.pass(time.Hour)
	if n := w.tick().Mailboxes; n != 0 {
		t.Errorf("a barred enrollment keeps its lost mailbox busy: %d passes", n)
	}
	w.open.err = nil
	w.pass(time.Hour)
	if got := w.want(e.ID, runner.StatusHeld, 0); got.Barred != runner.BarActor {
		t.Errorf("%+v", got)
	}
	if kinds := w.events.kinds(e.ID); kinds != "enrolled held" {
		t.Errorf("events: %s", kinds)
	}
	if _, err := w.run.Pause(t.Context(), e.ID, "a word first"); err != nil {
		t.Fatal(err)
	}
	p.may = true
	w.pass(time.Hour)
	w.want(e.ID, runner.StatusHeld, 0)
	if _, err := w.run.Resume(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	w.tick()
	w.want(e.ID, runner.StatusActive, 1)
}

// TestActorEverywhere holds that whose mailbox it is and who acts are told of
// everything: in every entry of the conversation and every event about it.
func TestActorEverywhere(t *testing.T) { onEachStore(t, testActorEverywhere) }

func testActorEverywhere(t *testing.T, on storage) {
	p := &permits{may: true}
	w := newWorld(t, on, func(c *runner.Config) { c.MayAct = p.ask })
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, After: 6 * day})
	e := w.enroll("grace@example.net", asTom)
	w.tick()
	p.may = false
	w.pass(4 * day)
	p.may = true
	w.pass(10 * day)
	if got := w.get(e.ID); got.Actor != "tom" || got.Owner != "maria" {
		t.Errorf("%+v", got)
	}
	log := w.conversation(e.ID)
	dirs := make(map[string]bool)
	for _, entry := range log {
		dirs[entry.Direction] = true
		if entry.Actor != "tom" || entry.Owner != "maria" {
			t.Errorf("an entry (%s) does not tell who acted: %q over the link of %q", entry.Direction, entry.Actor, entry.Owner)
		}
	}
	if !dirs[runner.DirectionIn] || !dirs[runner.DirectionOut] {
		t.Errorf("the conversation is not a whole one: %v", directions(log))
	}
	kinds := make(map[runner.EventKind]bool)
	for _, ev := range w.events.events {
		if ev.Enrollment == "" {
			continue
		}
		kinds[ev.Kind] = true
		if ev.Actor != "tom" || ev.Owner != "maria" {
			t.Errorf("%s does not tell who acted: %q over the link of %q", ev.Kind, ev.Actor, ev.Owner)
		}
	}
	for _, kind := range []runner.EventKind{runner.EventEnrolled, runner.EventSent, runner.EventHeld, runner.EventResumed, runner.EventReplied} {
		if !kinds[kind] {
			t.Errorf("no %s was told", kind)
		}
	}
	mine, err := w.log.Find(t.Context(), store.FindConversations{Owner: "tom"})
	if err != nil || len(mine) != 1 {
		t.Errorf("Tom's conversations: %v, %v", mine, err)
	}
}
