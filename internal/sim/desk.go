package sim

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// desk is where somebody answers candidates through the host: some once they
// are told that the candidate answered, some without waiting for it.
type desk struct {
	answered map[string]time.Time // when, by the candidate's key
	gaveUp   map[string]bool      // those whom nobody may write to any more
	owed     map[string]bool      // those answered before all was lost
	failed   map[string]error     // why the last try failed
}

func newDesk() *desk {
	return &desk{answered: make(map[string]time.Time), gaveUp: make(map[string]bool), owed: make(map[string]bool), failed: make(map[string]error)}
}

// atDesk opens mailboxes through the process that is alive now.
type atDesk struct{ w *world }

// Open implements runner.Mailboxes.
func (d atDesk) Open(ctx context.Context, link string) (provider.Linked, error) {
	return d.w.hosts[0].Open(ctx, link)
}

// deskKey is the host's name of the answer, and deskText its words.
func (c Candidate) deskKey() string { return "desk/" + c.key() }

func (c Candidate) deskText() string { return "A word to " + c.key() + " from the desk." }

// drawDesks decides whom somebody answers. It has dice of its own.
func (p *Plan) drawDesks() {
	for i := range p.Candidates {
		c := &p.Candidates[i]
		switch n := p.desks.IntN(100); {
		case c.TwinOf > 0:
		case n < 40:
			c.Desk = time.Duration(p.desks.Int64N(int64(12 * time.Hour)))
		case n < 50:
			c.Desk, c.Unasked = time.Duration(p.desks.Int64N(int64(4*day))), true
		}
	}
}

// answerFromDesk queues the answers whose time has come. Some are queued twice.
func (w *world) answerFromDesk(ctx context.Context) {
	for i, c := range w.plan.Candidates {
		due, told := w.handled[c.key()]
		if c.Unasked {
			due, told = start(), true
		}
		_, done := w.desk.answered[c.key()]
		again := done && (w.desk.owed[c.key()] || w.plan.desks.IntN(200) == 0)
		if told && c.Desk > 0 && !w.desk.gaveUp[c.key()] && !w.clock.Now().Before(due.Add(c.Desk)) && (!done || again) {
			w.reply(ctx, i)
		}
	}
}

func (w *world) reply(ctx context.Context, i int) {
	c := w.plan.Candidates[i]
	_, err := w.clerk.Reply(ctx, runner.ReplyParams{Key: c.deskKey(), Enrollment: w.ids[i], Text: c.deskText()})
	var field *provider.FieldError
	switch {
	case errors.Is(err, runner.ErrSuppressed):
		w.desk.gaveUp[c.key()] = true
	case errors.As(err, &field): // no mail has left yet
	case err != nil: // the process died, or the link is broken: once more later
		w.desk.failed[c.key()] = err
	default:
		delete(w.desk.failed, c.key())
		delete(w.desk.owed, c.key())
		w.note("%s is answered from the desk", c.key())
		if _, done := w.desk.answered[c.key()]; !done {
			w.desk.answered[c.key()] = w.clock.Now()
		}
	}
}

// fromDesk are the accepted mails from the desk to the candidate, whatever
// address they went to.
func (c *candidate) fromDesk() []postoffice.Submission {
	return slices.DeleteFunc(c.office.Books().SentFrom(c.service().plan.Address), func(s postoffice.Submission) bool {
		return !bytes.Contains(s.Raw, []byte(c.deskText()))
	})
}

// checkDesk: what was answered from the desk left once or ended visibly, and
// ended the drip.
func (c *candidate) checkDesk(ctx context.Context, drip []postoffice.Submission, say func(string, ...any)) error {
	if err := c.desk.failed[c.key()]; err != nil {
		say("nobody can answer from the desk: %v", err)
	}
	at, answered := c.desk.answered[c.key()]
	if !answered {
		return nil
	}
	mails := len(c.fromDesk())
	if mails > 1 {
		say("the words %q left %d times", c.deskText(), mails)
	}
	for i, m := range drip {
		if left := c.left(m.At); left.After(at) {
			say("mail %d left at %v, after the answer from the desk at %v", i+1, left, at)
		}
	}
	e, err := c.clerk.ByKey(ctx, c.deskKey())
	if err != nil {
		return err
	}
	if c.mutant.View != nil {
		c.mutant.View(&e)
	}
	switch {
	case e.Status == runner.StatusActive:
		say("the answer from the desk has not left: %s", e.Reason)
	case e.Status == runner.StatusHeld && e.Reason == "":
		say("the answer from the desk is held, and nobody knows why")
	case e.Status == runner.StatusCompleted && mails == 0:
		say("the answer from the desk is completed, and no mail left")
	}
	return nil
}
