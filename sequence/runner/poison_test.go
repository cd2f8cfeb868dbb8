package runner_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// oddBox is a mailbox that answers as a test says.
type oddBox struct {
	provider.Mailbox
	envelope func(provider.Ref) error // nil goes on
	content  func(provider.Ref) error
}

func (o *oddBox) Envelope(ctx context.Context, ref provider.Ref) (*provider.Envelope, error) {
	if o.envelope != nil {
		if err := o.envelope(ref); err != nil {
			return nil, err
		}
	}
	return o.Mailbox.Envelope(ctx, ref)
}

func (o *oddBox) Content(ctx context.Context, w provider.Warrant) (*provider.Message, error) {
	if o.content != nil {
		if err := o.content(w.Ref()); err != nil {
			return nil, err
		}
	}
	return o.Mailbox.Content(ctx, w)
}

// oddly has the link's mailbox answer so.
func (w *world) oddly(o oddBox) {
	w.open.wrap = func(mb provider.Mailbox) provider.Mailbox {
		o := o
		o.Mailbox = mb
		return &o
	}
}

// TestAnswerDeletedWhileRead: an answer whose headers were read is one,
// whoever deletes it before its text is.
func TestAnswerDeletedWhileRead(t *testing.T) { onEachStore(t, testAnswerDeletedWhileRead) }

func testAnswerDeletedWhileRead(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour})
	id := w.enroll("grace@example.net").ID
	w.tick()
	w.oddly(oddBox{content: func(ref provider.Ref) error {
		var n int64
		fmt.Sscanf(string(ref), "m%d", &n)
		if err := w.box.Delete(n); err != nil {
			t.Error(err)
		}
		return nil
	}})
	w.pass(8 * day)
	w.want(id, runner.StatusReplied, 1)
	if got := directions(w.conversation(id)); got != "out in(human)" {
		t.Errorf("the conversation is %q", got)
	}
	w.sound()
}

// TestUnreadableAnswerStopsAll: an answer whose content can't be read stops
// what any other does.
func TestUnreadableAnswerStopsAll(t *testing.T) { onEachStore(t, testUnreadableAnswerStopsAll) }

func testUnreadableAnswerStopsAll(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour})
	first := w.enroll("grace@example.net").ID
	w.tick()
	second := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Key, p.Sequence = "second", later(threeSteps()) }).ID
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpContent, Fault: postoffice.FaultRefuse, Times: -1})
	w.pass(3 * day)
	w.want(first, runner.StatusReplied, 1)
	w.want(second, runner.StatusReplied, 0)
	w.sound()
}

// TestPoisonFromASender: a mail of a tracked sender whose headers can't be
// read holds what is sent to them, and nothing else.
func TestPoisonFromASender(t *testing.T) { onEachStore(t, testPoisonFromASender) }

func testPoisonFromASender(t *testing.T, on storage) {
	for name, kind := range map[string]provider.ErrorKind{"for good": provider.ErrRejected, "for long": provider.ErrTemporary} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, on)
			var ids []string
			for i := range 7 {
				addr := fmt.Sprintf("p%d@example.net", i)
				w.person(addr)
				ids = append(ids, w.enroll(addr).ID)
			}
			w.tick()
			w.clock.Advance(time.Hour)
			m := w.deliver("From: p3@example.net", "To: "+sender, "Subject: A question", "Message-ID: <1@example.net>", "", "What is this?", "")
			bad := true
			w.oddly(oddBox{envelope: func(ref provider.Ref) error {
				if bad && string(ref) == fmt.Sprintf("m%d", m.Number) {
					return &provider.Error{Kind: kind, Op: "envelope", Reason: "no_good"}
				}
				return nil
			}})
			w.pass(12 * day)
			for i, id := range ids {
				if i == 3 {
					if e := w.want(id, runner.StatusHeld, 1); !e.Flagged {
						t.Error("it is not flagged")
					}
					continue
				}
				w.want(id, runner.StatusCompleted, 3)
			}
			bad = false
			w.pass(2 * day)
			if kind == provider.ErrTemporary {
				w.want(ids[3], runner.StatusReplied, 1)
			}
			w.sound()
		})
	}
}

// TestTwoPoisons: two messages that can't be read hold what they may answer,
// keep nothing else waiting, and are read once they can be.
func TestTwoPoisons(t *testing.T) { onEachStore(t, testTwoPoisons) }

func testTwoPoisons(t *testing.T, on storage) {
	w := newWorld(t, on)
	var ids []string
	for i := range 4 {
		addr := fmt.Sprintf("p%d@example.net", i)
		w.person(addr)
		ids = append(ids, w.enroll(addr).ID)
	}
	w.tick()
	w.clock.Advance(time.Hour)
	poison := make(map[string]bool)
	for i := range 2 {
		addr := fmt.Sprintf("p%d@example.net", i)
		m := w.deliver("From: "+addr, "To: "+sender, "Subject: Re: A role in Lisbon", "Message-ID: <1@"+addr+">", "In-Reply-To: "+w.first(addr).MessageID, "", "Yes.", "")
		poison[fmt.Sprintf("m%d", m.Number)] = true
	}
	w.oddly(oddBox{envelope: func(ref provider.Ref) error {
		if poison[string(ref)] {
			return &provider.Error{Kind: provider.ErrTemporary, Op: "envelope", Reason: "no_good"}
		}
		return nil
	}})
	w.pass(30 * day)
	w.want(ids[0], runner.StatusHeld, 1)
	w.want(ids[1], runner.StatusHeld, 1)
	w.want(ids[2], runner.StatusCompleted, 3)
	w.want(ids[3], runner.StatusCompleted, 3)
	clear(poison)
	w.pass(2 * day)
	w.want(ids[0], runner.StatusReplied, 1)
	w.want(ids[1], runner.StatusReplied, 1)
	w.sound()
}

// TestPoisonedReport: a delivery report that can't be read is nobody's answer,
// and in nobody's way.
func TestPoisonedReport(t *testing.T) { onEachStore(t, testPoisonedReport) }

func testPoisonedReport(t *testing.T, on storage) {
	for name, kind := range map[string]provider.ErrorKind{"for good": provider.ErrRejected, "for long": provider.ErrTemporary} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, on)
			w.person("anna@example.net")
			w.person("ben@example.net", postoffice.Behaviour{Do: postoffice.BounceLater, On: 1, After: time.Hour})
			anna, ben := w.enroll("anna@example.net").ID, w.enroll("ben@example.net").ID
			w.tick()
			bad := true
			w.oddly(oddBox{envelope: func(ref provider.Ref) error {
				var n int64
				fmt.Sscanf(string(ref), "m%d", &n)
				if m, ok := w.box.Message(n); bad && ok && provider.IsSystemSender([]provider.Address{{Addr: m.From[0]}}) {
					return &provider.Error{Kind: kind, Op: "envelope", Reason: "no_good"}
				}
				return nil
			}})
			w.pass(5 * day)
			w.want(anna, runner.StatusActive, 2)
			bad = false
			w.pass(4 * day)
			w.want(anna, runner.StatusCompleted, 3)
			if kind == provider.ErrTemporary {
				w.want(ben, runner.StatusBounced, 2)
			}
			w.sound()
		})
	}
}
