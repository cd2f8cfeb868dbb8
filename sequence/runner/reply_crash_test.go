package runner_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// TestReplyCrashes dies once at every commit of a reply's life, before it or
// after it. The host asks for the reply again until it is told that it is
// queued, as hosts do.
func TestReplyCrashes(t *testing.T) { onSome(t, testReplyCrashes, onMemstore) }

func testReplyCrashes(t *testing.T, on storage) {
	for _, after := range []bool{false, true} {
		for _, sealed := range []bool{false, true} {
			at := 1
			for ; replyCrash(t, on, at, after, sealed); at++ {
			}
			if at < 6 {
				t.Errorf("only %d commits in a reply's life", at-1)
			}
		}
	}
}

func replyCrash(t *testing.T, on storage, at int, after, sealed bool) (more bool) {
	t.Run(fmt.Sprintf("commit %d, after it %t, sealed %t", at, after, sealed), func(t *testing.T) {
		w := newWorld(t, on, func(c *runner.Config) {
			if sealed {
				c.Sealer = ring(t, 1)
			}
		})
		w.proven()
		w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour}, postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: 3 * time.Hour})
		id := w.enroll("anna@example.net").ID
		w.tick()
		w.pass(2 * time.Hour)
		d := &dying{EnrollmentStore: w.store}
		w.cfg.Store = d
		w.run = w.runner()
		n, died := 0, false
		d.dead = func(b store.Batch) bool {
			n++
			if died || n != at {
				return died
			}
			died = true
			if after {
				if err := d.EnrollmentStore.Commit(t.Context(), b); err != nil {
					t.Errorf("commit: %v", err)
				}
			}
			return true
		}
		revive := func(err error) {
			t.Helper()
			if !errors.Is(err, errDead) {
				t.Fatal(err)
			}
			d.dead = nil
			w.run = w.runner()
		}
		p := runner.ReplyParams{Key: "r1", Enrollment: id, Text: "Shall we talk on Monday?"}
		e, err := w.run.Reply(t.Context(), p)
		if err != nil {
			revive(err)
			e = w.reply(p)
		}
		for end := w.clock.Now().Add(2 * day); w.clock.Now().Before(end); w.clock.Advance(15 * time.Minute) {
			if _, err := w.run.Tick(t.Context()); err != nil {
				revive(err)
			}
		}
		more = died
		w.want(e.ID, runner.StatusCompleted, 1)
		w.want(id, runner.StatusReplied, 1)
		if n := w.mails("anna@example.net"); n != 2 {
			t.Errorf("%d mails", n)
		}
		if got := directions(w.conversation(id)); got != "out in(human) out in(human)" {
			t.Errorf("the conversation is %q", got)
		}
		if w.needed("maria") != id {
			t.Error("the second answer asks nobody for one")
		}
		w.sound()
	})
	return more && !t.Failed()
}

// TestReplyRestored: a reply left in the time that a restoration lost. Asked
// for again under its key it is found, and not sent a second time.
func TestReplyRestored(t *testing.T) { onEachDatabase(t, testReplyRestored) }

func testReplyRestored(t *testing.T, on storage) {
	w := newBacked(t, on)
	w.proven()
	w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour})
	id := w.enroll("anna@example.net").ID
	w.tick()
	w.pass(2 * time.Hour)
	since := w.clock.Now()
	w.backUp()
	p := runner.ReplyParams{Key: "r1", Enrollment: id, Text: "Shall we talk on Monday?"}
	w.reply(p)
	w.pass(3 * time.Hour)
	w.restore()
	w.recover(runner.RecoverParams{Since: since, Reenroll: 12 * time.Hour})
	e := w.reply(p)
	w.pass(3 * time.Hour)
	w.want(e.ID, runner.StatusCompleted, 1)
	if n := w.duplicates(); n != 0 {
		t.Errorf("sent twice: %v", w.office.Books().Duplicates())
	}
	if n := w.mails("anna@example.net"); n != 2 {
		t.Errorf("%d mails", n)
	}
	entries, err := w.cfg.Log.Conversation(t.Context(), id)
	if err != nil || directions(entries) != "out in(human) out" {
		t.Errorf("the conversation is %q, %v", directions(entries), err)
	}
}
