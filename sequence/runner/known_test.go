package runner_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
)

// TestKnownAddress: an address from which a recipient answered our mail is
// theirs from then on: a new mail from it belongs to the conversation, and
// stops every other drip of the same person.
func TestKnownAddress(t *testing.T) { onEachStore(t, testKnownAddress) }

func testKnownAddress(t *testing.T, on storage) {
	const private = "anna.private@example.org"
	w := newWorld(t, on)
	w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, From: private})
	id := w.enroll("anna@example.net").ID
	free := threeSteps()
	free.Independent = true
	w.tick()
	second := w.enroll("anna@example.net", func(p *runner.EnrollParams) { p.Key, p.Sequence = "later", later(threeSteps()) }).ID
	third := w.enroll("anna@example.net", func(p *runner.EnrollParams) { p.Key, p.Sequence = "free", later(free) }).ID
	w.pass(3 * time.Hour)
	w.want(id, runner.StatusReplied, 1)
	w.want(second, runner.StatusReplied, 0) // answered elsewhere, from whatever address
	w.want(third, runner.StatusActive, 0)

	fourth := w.enroll("anna@example.net", func(p *runner.EnrollParams) { p.Key, p.Sequence = "fourth", later(threeSteps()) }).ID
	w.write(private, "Something else", "", "I have a question.")
	w.write("stranger@example.org", "Something else", "", "I have a question, too.")
	w.pass(time.Hour)
	w.want(fourth, runner.StatusReplied, 0)
	talk := w.conversation(id)
	if got := directions(talk); got != "out in(human) in(human)" || talk[1].Evidence != "reference" || talk[2].Evidence != "address" {
		t.Errorf("the conversation is %q: %+v", got, talk)
	}
	w.sound()
}

// later is a sequence whose first step leaves in two days.
func later(s *sequence.Sequence) *sequence.Sequence {
	s.Steps[0].Days = 2
	return s
}

// TestNoKnownAddress: what is no proof that an address is the recipient's. A
// new mail from it is not asked for.
func TestNoKnownAddress(t *testing.T) {
	const other = "tom@example.org"
	strip := func(r postoffice.Reaction) []byte { // an answer that cites nothing, under the same subject
		return fmt.Appendf(nil, "From: <%s>\r\nTo: <%s>\r\nSubject: Re: A role in Lisbon\r\nMessage-ID: %s\r\nDate: %s\r\n\r\nWhat is this?\r\n",
			other, r.To.Addr, r.ID, r.Now.Format(time.RFC1123Z))
	}
	for name, c := range map[string]struct {
		does   postoffice.Behaviour
		change func(w *world, p *runner.EnrollParams)
		status runner.Status
	}{
		"the thread alone": {
			does: postoffice.Behaviour{Do: postoffice.Custom, On: 1, After: time.Hour, Write: strip}, status: runner.StatusReplied,
		},
		"somebody in copy": {
			does:   postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, From: other},
			change: func(_ *world, p *runner.EnrollParams) { p.Cc = []provider.Address{{Addr: other}} }, status: runner.StatusActive,
		},
		"an automatic answer": {
			does: postoffice.Behaviour{Do: postoffice.OutOfOffice, On: 1, After: time.Hour, From: other}, status: runner.StatusActive,
		},
		"another candidate": {
			does: postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, From: other},
			change: func(w *world, _ *runner.EnrollParams) {
				w.enroll(other, func(p *runner.EnrollParams) { p.Sequence = later(threeSteps()) })
			}, status: runner.StatusReplied,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, onMemstore)
			b := w.box.Beliefs()
			b.EqualSubjectsMerge = true
			w.box.SetBeliefs(b)
			w.person("anna@example.net", c.does)
			id := w.enroll("anna@example.net", func(p *runner.EnrollParams) {
				if c.change != nil {
					c.change(w, p)
				}
			}).ID
			w.tick()
			w.pass(3 * time.Hour)
			if got := directions(w.conversation(id)); !strings.HasPrefix(got, "out in") {
				t.Fatalf("the conversation is %q", got)
			}
			before := len(w.conversation(id))
			w.write(other, "Something else", "", "I have a question.")
			w.pass(3 * time.Hour)
			if n := len(w.conversation(id)); n != before {
				t.Errorf("a new mail of %s is in the conversation", other)
			}
		})
	}
}

// TestKnownAddressesAreBounded: three further addresses are taken for one
// recipient's.
func TestKnownAddressesAreBounded(t *testing.T) {
	w := newWorld(t, onMemstore)
	w.person("anna@example.net")
	id := w.enroll("anna@example.net").ID
	w.tick()
	ours := w.office.Books().Submissions()[0].MessageID
	for i := range 5 {
		w.write(fmt.Sprintf("a%d@example.org", i), "Re: A role in Lisbon", ours, "Hello.")
	}
	w.pass(time.Hour)
	for i := range 5 {
		w.write(fmt.Sprintf("a%d@example.org", i), "Another subject", "", "Hello again.")
	}
	w.pass(time.Hour)
	if got := directions(w.conversation(id)); got != "out"+strings.Repeat(" in(human)", 5+3) {
		t.Errorf("the conversation is %q", got)
	}
}

// TestSharedThread is a thread that the service merged because two mails have
// the same subject: each of the two people keeps a conversation, and what
// somebody unknown writes there, citing nothing, holds and flags both.
func TestSharedThread(t *testing.T) { onEachStore(t, testSharedThread) }

func testSharedThread(t *testing.T, on storage) {
	w := newWorld(t, on)
	b := w.box.Beliefs()
	b.EqualSubjectsMerge = true
	w.box.SetBeliefs(b)
	w.person("anna@example.net")
	w.person("ben@example.net")
	w.person("cleo@example.net")
	anna, ben := w.enroll("anna@example.net").ID, w.enroll("ben@example.net").ID
	w.tick()
	threads := make(map[int64]bool)
	for m := range w.box.Visible() {
		threads[m.Thread] = true
	}
	if len(threads) != 1 {
		t.Fatalf("the mails lie in %d threads", len(threads))
	}
	w.clock.Advance(time.Minute)
	w.write("eve@example.org", "Re: A role in Lisbon", "", "Is this still open?")
	w.pass(time.Hour)
	for _, id := range []string{anna, ben} {
		if e := w.want(id, runner.StatusHeld, 1); !e.Flagged || !strings.Contains(e.Hold, "several people") {
			t.Errorf("%s: flagged %t, held because %q", e.Recipient.Addr, e.Flagged, e.Hold)
		}
		if got := directions(w.conversation(id)); got != "out in(human)" {
			t.Errorf("the conversation is %q", got)
		}
		if _, err := w.run.Resume(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	// A recipient who cites nothing either is known by the address.
	w.write("ben@example.net", "Re: A role in Lisbon", "", "Yes, please.")
	w.pass(time.Hour)
	w.want(ben, runner.StatusReplied, 1)
	w.want(anna, runner.StatusActive, 1)
	if got := directions(w.conversation(anna)); got != "out in(human)" {
		t.Errorf("what ben wrote is in the conversation with anna: %q", got)
	}
	w.pass(9 * day)
	w.want(anna, runner.StatusCompleted, 3)
	w.sound()
}

// TestSharedThreadOfOne: two conversations with the same person in one thread
// are no reason for doubt.
func TestSharedThreadOfOne(t *testing.T) {
	w := newWorld(t, onMemstore)
	b := w.box.Beliefs()
	b.EqualSubjectsMerge = true
	w.box.SetBeliefs(b)
	w.person("anna@example.net")
	first := w.enroll("anna@example.net").ID
	second := w.enroll("anna@example.net", func(p *runner.EnrollParams) { p.Key = "second" }).ID
	w.tick()
	w.write("anna.private@example.org", "Re: A role in Lisbon", "", "Yes, please.")
	w.pass(time.Hour)
	w.want(first, runner.StatusReplied, 1)
	w.want(second, runner.StatusReplied, 1)
}
