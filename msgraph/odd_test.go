package msgraph_test

import (
	"testing"
	"time"

	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

const grace, private = "grace@example.net", "grace.private@example.org"

func (d *drip) write(from, subject, inReplyTo string) {
	d.t.Helper()
	if _, err := d.office.Write(provider.Address{Addr: from}, maria, subject, inReplyTo, "Yes, please call me."); err != nil {
		d.t.Fatal(err)
	}
}

func (d *drip) believe(change func(*postoffice.Beliefs)) {
	b := d.box.Beliefs()
	change(&b)
	d.box.SetBeliefs(b)
}

// TestAnswersWhileInDoubt: an answer that comes before the library knows what
// became of the mail, or where it lies.
func TestAnswersWhileInDoubt(t *testing.T) {
	t.Run("a new mail while a step is unknown", func(t *testing.T) {
		d := newDrip(t)
		id := d.enroll(grace)
		d.pass(2 * day)
		d.microsoft.Inject(msgraphtest.Rule{Op: "sendMail", Fault: msgraphtest.CutBefore})
		for d.told(runner.EventUnknown) == 0 {
			d.pass(10 * time.Minute)
		}
		d.write(grace, "Your offer", "")
		d.pass(10 * day)
		d.want(id, grace, runner.StatusReplied, 1)
	})
	t.Run("a new mail while the first step is unknown", func(t *testing.T) {
		d := newDrip(t)
		d.box.SetDelays(postoffice.Delays{SentCopy: 30 * time.Minute})
		id := d.enroll(grace, postoffice.Behaviour{Do: postoffice.AnswerNew, On: 1, After: 5 * time.Minute})
		d.microsoft.Inject(msgraphtest.Rule{Op: "sendMail", Fault: msgraphtest.CutAfter})
		d.pass(10 * day)
		d.want(id, grace, runner.StatusReplied, 1)
	})
	t.Run("from another address, and the listing fails once", func(t *testing.T) {
		d := newDrip(t)
		d.box.SetDelays(postoffice.Delays{SentCopy: 7 * time.Minute})
		id := d.enroll(grace)
		d.pass(0)
		clock := d.office.Clock()
		clock.Advance(time.Minute)
		d.write(private, "Re: A role", d.office.Books().SentFrom(maria)[0].MessageID)
		clock.Advance(4 * time.Minute)
		d.pass(0) // the feed tells the answer; its thread is not known yet
		clock.Advance(5 * time.Minute)
		d.microsoft.Inject(msgraphtest.Rule{Op: "messages.list", Skip: 1, Fault: msgraphtest.Refuse, Status: 503, Reason: "serviceNotAvailable"})
		d.pass(10 * day)
		d.want(id, grace, runner.StatusReplied, 1)
	})
	t.Run("in a conversation that Exchange began anew", func(t *testing.T) {
		d := newDrip(t)
		d.believe(func(b *postoffice.Beliefs) { b.KeepsReferences = false })
		id := d.enroll(grace, postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: 3 * time.Hour, From: private})
		d.pass(12 * day)
		d.want(id, grace, runner.StatusReplied, 2)
	})
	t.Run("after the first copy was purged", func(t *testing.T) {
		d := newDrip(t)
		id := d.enroll(grace, postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: 3 * time.Hour, From: private})
		d.pass(day)
		for m := range d.box.Visible() {
			if err := d.box.Delete(m.Number); err != nil {
				t.Fatal(err)
			}
		}
		d.pass(12 * day)
		d.want(id, grace, runner.StatusReplied, 2)
	})
}

// TestOutbox: mail that waits in the Outbox is neither missing nor overtaken.
func TestOutbox(t *testing.T) {
	t.Run("for longer than it takes to settle, with another Message-ID", func(t *testing.T) {
		d := newDripOf(t, msgraphtest.Config{Outbox: 90 * time.Minute}, time.Hour)
		d.believe(func(b *postoffice.Beliefs) { b.KeepsMessageID = false })
		id := d.enroll(grace)
		d.pass(2 * day)
		d.microsoft.Inject(msgraphtest.Rule{Op: "sendMail", Fault: msgraphtest.CutAfter, To: grace})
		d.pass(12 * day)
		d.want(id, grace, runner.StatusCompleted, 3)
	})
	t.Run("a follow-up waits for the mail before it", func(t *testing.T) {
		d := newDripOf(t, msgraphtest.Config{Outbox: 4 * day}, time.Hour)
		id := d.enroll(grace)
		d.pass(3*day + 12*time.Hour)
		d.want(id, grace, runner.StatusActive, 1)
		d.pass(25 * day)
		d.want(id, grace, runner.StatusCompleted, 3)
	})
	t.Run("stuck after a lost answer", func(t *testing.T) {
		d := newDripOf(t, msgraphtest.Config{Outbox: 30 * day}, time.Hour)
		id := d.enroll(grace)
		d.microsoft.Inject(msgraphtest.Rule{Op: "sendMail", Fault: msgraphtest.CutAfter})
		d.pass(3 * day)
		d.want(id, grace, runner.StatusHeld, 1)
	})
}

// TestWrongContent: what somebody in between answers is not what was written.
func TestWrongContent(t *testing.T) {
	page := msgraphtest.Rule{Op: "messages.value", Fault: msgraphtest.HTML}
	refused := msgraphtest.Rule{Op: "messages.value", Fault: msgraphtest.Refuse, Status: 400, Reason: "ErrorInternalServerError"}
	for name, c := range map[string]struct {
		does   postoffice.Behaviour
		rule   msgraphtest.Rule
		status runner.Status
		span   time.Duration
	}{
		"a page in place of a report":        {postoffice.Behaviour{Do: postoffice.Bounce, On: 1, After: 10 * time.Minute}, page, runner.StatusBounced, 10 * day},
		"a report is refused":                {postoffice.Behaviour{Do: postoffice.Bounce, On: 1, After: 10 * time.Minute}, refused, runner.StatusHeld, 10 * day},
		"a page in place of an absence":      {postoffice.Behaviour{Do: postoffice.OutOfOfficeExchange, On: 1, After: 10 * time.Minute, Until: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}, page, runner.StatusActive, 25 * day},
		"an absence is refused":              {postoffice.Behaviour{Do: postoffice.OutOfOfficeExchange, On: 1, After: 10 * time.Minute}, refused, runner.StatusHeld, 25 * day},
		"a page in place of an answer":       {postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 10 * time.Minute}, page, runner.StatusReplied, 10 * day},
		"an answer in the thread is refused": {postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 10 * time.Minute}, refused, runner.StatusReplied, 10 * day},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDrip(t)
			id := d.enroll(grace, c.does)
			d.microsoft.Inject(c.rule)
			d.pass(c.span)
			d.want(id, grace, c.status, 1)
		})
	}
}

// TestUnreadable: a mailbox that nobody can work on says so, and one message
// that can't be read doesn't keep all others waiting for ever.
func TestUnreadable(t *testing.T) {
	t.Run("the feed", func(t *testing.T) {
		d := newDrip(t)
		id := d.enroll(grace)
		d.pass(day)
		d.microsoft.Inject(msgraphtest.Rule{Op: "delta", Fault: msgraphtest.Refuse, Status: 503, Reason: "serviceNotAvailable", Times: -1})
		d.pass(5 * day)
		d.want(id, grace, runner.StatusActive, 1)
		if n := d.told(runner.EventMailboxFlagged); n != 1 {
			t.Errorf("somebody was told %d times, want once", n)
		}
	})
	t.Run("one content", func(t *testing.T) {
		d := newDrip(t)
		id := d.enroll(grace, postoffice.Behaviour{Do: postoffice.OutOfOffice, On: 1, After: time.Hour})
		other := d.enroll("alan@example.net")
		d.microsoft.Inject(msgraphtest.Rule{Op: "messages.value", Fault: msgraphtest.Refuse, Status: 500, Reason: "ErrorInternalServerError", Times: -1})
		d.pass(12 * day)
		d.want(id, grace, runner.StatusHeld, 1)
		d.want(other, "alan@example.net", runner.StatusCompleted, 3)
	})
}

// TestDomainsInOtherLetters: a domain is the same in both spellings.
func TestDomainsInOtherLetters(t *testing.T) {
	const wide, wire = "anna@b\u00fccher.example", "anna@xn--bcher-kva.example"
	for name, does := range map[string]postoffice.Act{"a new mail": postoffice.AnswerNew, "a report": postoffice.Bounce} {
		t.Run(name, func(t *testing.T) {
			d := newDrip(t)
			if err := d.office.AddPerson(postoffice.Person{Address: wire, Behaviours: []postoffice.Behaviour{{Do: does, On: 1, After: time.Hour}}}); err != nil {
				t.Fatal(err)
			}
			e, err := d.run.Enroll(t.Context(), runner.EnrollParams{Key: "k", Link: "link", Recipient: provider.Address{Addr: wide}, Sequence: threeSteps()})
			if err != nil {
				t.Fatal(err)
			}
			d.pass(12 * day)
			d.want(e.ID, wire, map[postoffice.Act]runner.Status{postoffice.AnswerNew: runner.StatusReplied, postoffice.Bounce: runner.StatusBounced}[does], 1)
		})
	}
}
