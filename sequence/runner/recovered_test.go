package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
)

// lostMails has a person enrolled before a backup and does something in the
// two days after it, of which the restored store knows nothing.
func (b *backed) lostMails(seq *sequence.Sequence, then func(id string)) (id string, since time.Time) {
	b.t.Helper()
	b.proven()
	b.person("grace@example.net")
	id = b.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Sequence = seq }).ID
	b.tick()
	b.pass(2 * day)
	since = b.clock.Now()
	b.backUp()
	if then != nil {
		then(id)
	}
	b.pass(2 * day)
	b.restore()
	return id, since
}

// TestRecoverSkipped had a step skipped in the lost time, and the one after it
// left at once.
func TestRecoverSkipped(t *testing.T) { onEachDatabase(t, testRecoverSkipped) }

func testRecoverSkipped(t *testing.T, on storage) {
	w := newBacked(t, on)
	seq := threeSteps()
	seq.Steps[2].Days, seq.Steps[2].After = 0, time.Hour
	id, since := w.lostMails(seq, func(id string) {
		if _, err := w.run.Skip(t.Context(), id, 2); err != nil {
			t.Fatal(err)
		}
	})
	rep := w.recover(runner.RecoverParams{Since: since})
	if rep.Found != 1 || rep.Undecided != 0 {
		t.Errorf("the report is %+v", rep)
	}
	w.pass(10 * day)
	w.want(id, runner.StatusCompleted, 2)
	w.sound()
}

// TestRecoverHeld was paused in the backup, and went on in the lost time. A
// mail is known though the engine opens none for who is held.
func TestRecoverHeld(t *testing.T) { onEachDatabase(t, testRecoverHeld) }

func testRecoverHeld(t *testing.T, on storage) {
	w := newBacked(t, on)
	w.proven()
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: 2 * day})
	id := w.enroll("grace@example.net").ID
	w.tick()
	w.pass(2 * day)
	if _, err := w.run.Pause(t.Context(), id, "holiday"); err != nil {
		t.Fatal(err)
	}
	since := w.clock.Now()
	w.backUp()
	if _, err := w.run.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * day)
	w.restore()
	if rep := w.recover(runner.RecoverParams{Since: since}); rep.Found != 1 || rep.Undecided != 0 {
		t.Errorf("the report is %+v", rep)
	}
	w.want(id, runner.StatusHeld, 2)
	if _, err := w.run.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	w.pass(10 * day)
	w.want(id, runner.StatusReplied, 2)
	if entries, err := w.cfg.Log.Conversation(t.Context(), id); err != nil || directions(entries) != "out out in(human)" {
		t.Errorf("the conversation is %q, %v", directions(entries), err)
	}
	w.sound()
}

// ahead is a mailbox that is taken for older than a cursor of its own: it has
// nothing to tell after it.
type ahead struct {
	provider.Mailbox
	cursor *provider.Cursor
}

func (a ahead) Changes(ctx context.Context, since provider.Cursor) (provider.Page, error) {
	if *a.cursor == "" {
		*a.cursor = since
	}
	if *a.cursor == since {
		return provider.Page{Next: since}, nil
	}
	return a.Mailbox.Changes(ctx, since)
}

// TestRecoverCursorOfTheFuture has a cursor that the mailbox has not reached,
// as when the mailbox was restored too, and answers all the same.
func TestRecoverCursorOfTheFuture(t *testing.T) { onEachDatabase(t, testRecoverCursorOfTheFuture) }

func testRecoverCursorOfTheFuture(t *testing.T, on storage) {
	for name, wrap := range map[string]func(w *backed) func(provider.Mailbox) provider.Mailbox{
		"refused": func(w *backed) func(provider.Mailbox) provider.Mailbox {
			w.box.ExpireChanges()
			return nil
		},
		"silent": func(*backed) func(provider.Mailbox) provider.Mailbox {
			var cursor provider.Cursor
			return func(mb provider.Mailbox) provider.Mailbox { return ahead{mb, &cursor} }
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newBacked(t, on)
			w.proven()
			w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 3 * day, From: "anna.private@example.org"})
			w.person("ben@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: time.Hour})
			anna, ben := w.enroll("anna@example.net").ID, w.enroll("ben@example.net").ID
			w.tick()
			w.pass(2 * day)
			box, err := w.cfg.Store.GetMailbox(t.Context(), w.get(anna).Mailbox)
			if err != nil {
				t.Fatal(err)
			}
			since := w.clock.Now()
			w.backUp()
			w.pass(2 * day)
			w.restore()
			w.open.wrap = wrap(w)
			if w.open.wrap != nil {
				if _, err := w.open.wrap(nil).Changes(t.Context(), provider.Cursor(box.Cursor)); err != nil {
					t.Fatal(err)
				}
			}
			if name == "silent" { // so nothing is found that would have the time listed anyhow
				if _, err := w.run.Stop(t.Context(), ben, "not wanted"); err != nil {
					t.Fatal(err)
				}
			} else {
				defer func() { w.want(ben, runner.StatusReplied, 2) }()
			}
			if rep := w.recover(runner.RecoverParams{Since: since}); rep.Undecided != 0 {
				t.Errorf("the report is %+v", rep)
			}
			w.want(anna, runner.StatusReplied, 1)
			w.sound()
		})
	}
}

// TestRecoverNothingLost asks about what was due and did not leave, and goes
// on with it once that is settled.
func TestRecoverNothingLost(t *testing.T) { onEachDatabase(t, testRecoverNothingLost) }

func testRecoverNothingLost(t *testing.T, on storage) {
	w := newBacked(t, on)
	w.proven()
	w.person("grace@example.net")
	w.person("hugo@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	w.pass(2 * day)
	other := w.enroll("hugo@example.net", func(p *runner.EnrollParams) { p.Sequence.Steps[0].Days = 20 }).ID
	w.backUp()
	since := w.clock.Now()
	w.clock.Advance(2 * day) // nobody works
	w.restore()
	rep := w.recover(runner.RecoverParams{Since: since})
	if rep.Asked != 1 || rep.Found != 0 || rep.Undecided != 0 || rep.Unsettled != 1 {
		t.Errorf("the report is %+v", rep)
	}
	w.tick()
	w.want(id, runner.StatusActive, 1)
	w.pass(time.Hour)
	w.want(id, runner.StatusActive, 2)
	w.pass(30 * day)
	w.want(id, runner.StatusCompleted, 3)
	w.want(other, runner.StatusCompleted, 3)
	w.sound()
}

// TestRecoverUntil does not wait for what would have left long ago.
func TestRecoverUntil(t *testing.T) { onEachDatabase(t, testRecoverUntil) }

func testRecoverUntil(t *testing.T, on storage) {
	w := newBacked(t, on)
	w.proven()
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	w.pass(2 * day)
	w.backUp()
	since := w.clock.Now()
	w.clock.Advance(2 * day)
	w.restore()
	rep := w.recover(runner.RecoverParams{Since: since, Until: since.Add(day)})
	if rep.Unsettled != 0 || rep.Undecided != 0 {
		t.Errorf("the report is %+v", rep)
	}
	w.tick()
	w.want(id, runner.StatusActive, 2)
	w.sound()
}

// TestRecoverMail is a single mail that left in the lost time: sending it
// again under its key finds it, and past Reenroll it is another mail's risk.
func TestRecoverMail(t *testing.T) { onEachDatabase(t, testRecoverMail) }

func testRecoverMail(t *testing.T, on storage) {
	for _, late := range []bool{false, true} {
		w := newBacked(t, on)
		w.proven()
		w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour})
		since := w.clock.Now()
		w.backUp()
		mail := runner.SendParams{Key: "m", Link: link, To: provider.Address{Addr: "grace@example.net"}, Subject: "Hello", Text: "A word."}
		if _, err := w.run.Send(t.Context(), mail); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Hour)
		w.restore()
		w.recover(runner.RecoverParams{Since: since, Reenroll: 12 * time.Hour})
		if late {
			w.pass(day)
		}
		e, err := w.run.Send(t.Context(), mail)
		if err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Hour)
		if got := w.duplicates() > 0; got != late {
			t.Errorf("late %t: duplicates %v", late, w.office.Books().Duplicates())
		}
		if !late {
			w.want(e.ID, runner.StatusCompleted, 1)
			if entries, err := w.cfg.Log.Conversation(t.Context(), e.ID); err != nil || directions(entries) != "out in(human)" {
				t.Errorf("the conversation is %q, %v", directions(entries), err)
			}
		}
	}
}

// TestRecoverNewMailbox was linked and written from in the lost time: its
// record is gone, and nothing can be proven about what is not found.
func TestRecoverNewMailbox(t *testing.T) { onEachDatabase(t, testRecoverNewMailbox) }

func testRecoverNewMailbox(t *testing.T, on storage) {
	w := newBacked(t, on)
	w.person("grace@example.net")
	w.person("hugo@example.net")
	since := w.clock.Now()
	w.backUp()
	id := w.enroll("grace@example.net").ID
	w.pass(2 * time.Hour)
	w.restore()
	w.recover(runner.RecoverParams{Since: since})
	if w.enroll("grace@example.net").ID != id {
		t.Error("another id")
	}
	other := w.enroll("hugo@example.net").ID
	w.pass(25 * time.Hour)
	w.want(id, runner.StatusActive, 1)
	w.want(other, runner.StatusHeld, 0)
	if _, err := w.run.Decide(t.Context(), other, false); err != nil {
		t.Fatal(err)
	}
	w.person("ida@example.net")
	later := w.enroll("ida@example.net").ID // past Reenroll nothing is asked
	w.pass(20 * day)
	w.want(id, runner.StatusCompleted, 3)
	w.want(other, runner.StatusCompleted, 3)
	w.want(later, runner.StatusCompleted, 3)
	w.sound()
}

// rejecting is a mailbox that refuses to look for anything.
type rejecting struct{ provider.Mailbox }

func (rejecting) Locate(context.Context, provider.SendKey) ([]provider.Located, error) {
	return nil, &provider.Error{Kind: provider.ErrRejected, Op: "locate", Reason: "cursor"}
}

// TestRecoverRefused has a person decide where the question itself is refused.
func TestRecoverRefused(t *testing.T) { onEachDatabase(t, testRecoverRefused) }

func testRecoverRefused(t *testing.T, on storage) {
	w := newBacked(t, on)
	id, since := w.lostMails(threeSteps(), nil)
	w.open.wrap = func(mb provider.Mailbox) provider.Mailbox { return rejecting{mb} }
	if ex, err := w.run.Explain(t.Context(), id); err != nil || strings.Contains(strings.Join(ex.Text, " "), "restored") {
		t.Errorf("explained before Recover: %v, %v", ex.Text, err)
	}
	w.open.err = &provider.Error{Kind: provider.ErrTemporary}
	w.recover(runner.RecoverParams{Since: since})
	if ex, err := w.run.Explain(t.Context(), id); err != nil || !strings.Contains(strings.Join(ex.Text, " "), "restored") {
		t.Errorf("explained: %v, %v", ex.Text, err)
	}
	w.open.err = nil
	w.pass(2 * time.Hour)
	w.want(id, runner.StatusHeld, 1)
	if _, err := w.run.Decide(t.Context(), id, true); err != nil {
		t.Fatal(err)
	}
	w.open.wrap = nil
	w.pass(10 * day)
	w.want(id, runner.StatusCompleted, 3)
	w.sound()
}

// TestRecoverProvesItself finds a mail, which proves what the backup did not
// know: that the mailbox keeps copies. So nobody is asked about the others.
func TestRecoverProvesItself(t *testing.T) { onEachDatabase(t, testRecoverProvesItself) }

func testRecoverProvesItself(t *testing.T, on storage) {
	w := newBacked(t, on)
	beliefs := postoffice.GmailBeliefs()
	beliefs.SentCopyMissing = true
	w.box.SetBeliefs(beliefs)
	var paused []string
	for _, name := range []string{"a", "b", "c", "d", "grace"} {
		w.person(name + "@example.net")
		paused = append(paused, w.enroll(name+"@example.net").ID)
	}
	w.tick()
	w.pass(2 * day)
	for _, id := range paused[:4] {
		if _, err := w.run.Pause(t.Context(), id, "holiday"); err != nil {
			t.Fatal(err)
		}
	}
	beliefs.SentCopyMissing = false
	w.box.SetBeliefs(beliefs)
	since := w.clock.Now()
	w.backUp()
	w.pass(2 * day)
	until := w.clock.Now()
	w.restore()
	w.clock.Advance(2 * time.Hour)
	for _, id := range paused[:4] {
		if _, err := w.run.Resume(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if rep := w.recover(runner.RecoverParams{Since: since, Until: until}); rep.Found != 1 || rep.Undecided != 0 || rep.Unsettled != 0 {
		t.Errorf("the report is %+v", rep)
	}
	w.pass(10 * day)
	for _, id := range paused {
		w.want(id, runner.StatusCompleted, 3)
	}
	w.sound()
}
