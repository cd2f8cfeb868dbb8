package runner_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// proven sends a preview, so that the mailbox is known to keep sent copies.
func (w *world) proven() {
	w.t.Helper()
	if _, err := w.run.Preview(w.t.Context(), runner.PreviewParams{Key: "proof", Link: link, Sequence: threeSteps()}); err != nil {
		w.t.Fatal(err)
	}
	w.tick()
}

// TestLostAnswer is the answer to a send that gets lost: before the mail was
// taken, or after. From outside the two look the same.
func TestLostAnswer(t *testing.T) { onEachStore(t, testLostAnswer) }

func testLostAnswer(t *testing.T, on storage) {
	for name, fault := range map[string]postoffice.Fault{"before": postoffice.FaultLoseBefore, "after": postoffice.FaultLoseAfter} {
		for _, step := range []int{1, 2, 3} {
			t.Run(name+" in step "+string(rune('0'+step)), func(t *testing.T) {
				w := newWorld(t, on)
				w.proven()
				w.person("grace@example.net")
				id := w.enroll("grace@example.net").ID
				for w.get(id).StepsSent < step-1 {
					w.pass(time.Hour)
				}
				w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: fault})
				for w.mails("grace@example.net") < step && w.clock.Now().Before(start.Add(10*day)) {
					w.pass(15 * time.Minute)
				}
				if !strings.Contains(w.events.kinds(id), "outcome_unknown") {
					t.Fatalf("the outcome was not unknown: %s", w.events.kinds(id))
				}
				w.pass(12 * day)
				w.want(id, runner.StatusCompleted, 3)
				if n := w.mails("grace@example.net"); n != 3 {
					t.Errorf("%d mails, want 3", n)
				}
				w.sound()
			})
		}
	}
}

// TestUnprovenMailbox is a mailbox that is not known to keep sent copies: the
// absence of one proves nothing, and a person decides.
func TestUnprovenMailbox(t *testing.T) { onEachStore(t, testUnprovenMailbox) }

func testUnprovenMailbox(t *testing.T, on storage) {
	for _, sent := range []bool{true, false} {
		w := newWorld(t, on)
		w.person("grace@example.net")
		id := w.enroll("grace@example.net").ID
		w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: postoffice.FaultLoseBefore})
		w.tick()
		w.pass(2 * day)
		w.want(id, runner.StatusHeld, 0)
		if n := w.mails("grace@example.net"); n != 0 {
			t.Fatalf("%d mails without anybody's decision", n)
		}
		if _, err := w.run.Decide(t.Context(), id, sent); err != nil {
			t.Fatal(err)
		}
		w.tick()
		if n, want := w.mails("grace@example.net"), map[bool]int{true: 0, false: 1}[sent]; n != want {
			t.Errorf("after the decision %t: %d mails, want %d", sent, n, want)
		}
		_, err := w.run.Decide(t.Context(), id, sent)
		wantIs(t, err, runner.ErrNoDecision)
	}
}

// TestNoBlindFollowUp is a mailbox that can't be read: follow-ups wait, and
// say why, and leave once it can.
func TestNoBlindFollowUp(t *testing.T) { onEachStore(t, testNoBlindFollowUp) }

func testNoBlindFollowUp(t *testing.T, on storage) {
	for _, op := range []postoffice.Op{postoffice.OpChanges, postoffice.OpSearch, postoffice.OpEnvelope} {
		t.Run(string(op), func(t *testing.T) {
			w := newWorld(t, on)
			w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.AnswerNew, On: 1, After: time.Hour})
			id := w.enroll("grace@example.net").ID
			w.tick()
			w.prov.Inject(postoffice.Rule{Op: op, Fault: postoffice.FaultTemporary, Times: -1})
			w.pass(6 * day)
			if n := w.mails("grace@example.net"); n != 1 {
				t.Fatalf("%d mails although the answer could not be seen", n)
			}
			w.prov.ClearFaults()
			w.pass(day)
			w.want(id, runner.StatusReplied, 1)
			w.sound()
		})
	}
}

// TestFreshness holds that a follow-up leaves soon after the read began, or
// the mailbox is read once more.
func TestFreshness(t *testing.T) { onEachStore(t, testFreshness) }

func testFreshness(t *testing.T, on storage) {
	w := newWorld(t, on)
	var reads []time.Time
	w.open.wrap = func(mb provider.Mailbox) provider.Mailbox { return &watched{Mailbox: mb, w: w, reads: &reads} }
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	// Every search takes 50 seconds: a read takes longer than half of what a
	// follow-up may be late.
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpSearch, Fault: postoffice.FaultCall, Times: -1, Call: func() { w.clock.Advance(50 * time.Second) }})
	w.pass(9 * day)
	w.want(id, runner.StatusCompleted, 3)
	if len(reads) < 2 {
		t.Errorf("%d follow-ups were watched", len(reads))
	}
}

// watched checks at each send that the mailbox was read just before.
type watched struct {
	provider.Mailbox
	w        *world
	lastRead time.Time
	reads    *[]time.Time
}

func (m *watched) Changes(ctx context.Context, c provider.Cursor) (provider.Page, error) {
	m.lastRead = m.w.clock.Now()
	return m.Mailbox.Changes(ctx, c)
}

func (m *watched) Send(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
	if out.Thread.InReplyTo != "" {
		now := m.w.clock.Now()
		*m.reads = append(*m.reads, m.lastRead)
		if m.lastRead.IsZero() || now.Sub(m.lastRead) > time.Minute || out.NotAfter.After(m.lastRead.Add(time.Minute)) {
			m.w.t.Errorf("a follow-up may leave until %v, %v after the read of %v", out.NotAfter, now.Sub(m.lastRead), m.lastRead)
		}
	}
	return m.Mailbox.Send(ctx, out)
}

// TestGap is a feed that no longer reaches back: what came meanwhile is found.
func TestGap(t *testing.T) { onEachStore(t, testGap) }

func testGap(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("ben@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 2 * time.Hour, From: "ben.private@example.org"})
	id := w.enroll("ben@example.net").ID
	w.tick()
	if err := w.office.DeliverUnrelated(postoffice.Traffic{To: sender, N: 50, First: start.Add(time.Minute), Every: time.Minute}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(day) // nobody reads for a day
	w.box.ExpireChanges()
	w.tick()
	w.want(id, runner.StatusReplied, 1)
	w.sound()
}

// TestCrossing is an answer that comes while a mail's outcome is unknown.
func TestCrossing(t *testing.T) { onEachStore(t, testCrossing) }

func testCrossing(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.proven()
	w.person("finn@example.net")
	id := w.enroll("finn@example.net").ID
	w.tick()
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: postoffice.FaultLoseAfter})
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpLocate, Fault: postoffice.FaultTemporary})
	for !strings.Contains(w.events.kinds(id), "outcome_unknown") {
		w.pass(15 * time.Minute)
	}
	e, err := w.run.RecordReply(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if !e.InFlight {
		t.Error("the host is not told that a mail is on its way")
	}
	w.pass(2 * day)
	if e := w.want(id, runner.StatusReplied, 2); e.Crossed != 2 || !e.Flagged {
		t.Errorf("crossed %d, flagged %t", e.Crossed, e.Flagged)
	}
	if n := w.mails("finn@example.net"); n != 2 {
		t.Errorf("%d mails", n)
	}
	w.sound()
}

// TestAnswerElsewhere holds that an answer stops every enrollment of its
// author but independent ones.
func TestAnswerElsewhere(t *testing.T) { onEachStore(t, testAnswerElsewhere) }

func testAnswerElsewhere(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour})
	first := w.enroll("grace@example.net").ID
	w.tick()
	later := threeSteps()
	later.Steps[0].Days = 2
	second := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Key, p.Sequence = "second", later }).ID
	free := *later
	free.Independent = true
	third := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Key, p.Sequence = "third", &free }).ID
	w.pass(day)
	w.want(first, runner.StatusReplied, 1)
	w.want(second, runner.StatusReplied, 0)
	w.want(third, runner.StatusActive, 0)
}

// TestColleagueInCopy holds that who was put in copy can write without
// stopping the drip.
func TestColleagueInCopy(t *testing.T) { onEachStore(t, testColleagueInCopy) }

func testColleagueInCopy(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	w.person("tom@agency.example.com", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, Text: "Good luck with this one."})
	id := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Cc = []provider.Address{{Addr: "tom@agency.example.com"}} }).ID
	w.tick()
	w.pass(8 * day)
	w.want(id, runner.StatusCompleted, 3)
	if got := directions(w.conversation(id)); !strings.Contains(got, "in(human)") {
		t.Errorf("the colleague's mail is not in the conversation: %s", got)
	}
}

// TestTookOver is the owner writing in the thread by hand.
func TestTookOver(t *testing.T) { onEachStore(t, testTookOver) }

func testTookOver(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	sent := w.office.Books().Submissions()[0]
	raw := "From: " + sender + "\r\nTo: grace@example.net\r\nSubject: Re: A role in Lisbon\r\nMessage-ID: <byhand@agency.example.com>\r\n" +
		"In-Reply-To: " + sent.MessageID + "\r\nReferences: " + sent.MessageID + "\r\nDate: Tue, 01 Sep 2026 09:00:00 +0000\r\n\r\nI will call you.\r\n"
	if _, err := w.box.Submit(postoffice.SubmitParams{Raw: []byte(raw)}); err != nil {
		t.Fatal(err)
	}
	w.pass(8 * day)
	w.want(id, runner.StatusTookOver, 1)
	if got := directions(w.conversation(id)); got != "out own(human)" {
		t.Errorf("the conversation is %s", got)
	}
}

// TestMailboxLostAndBack holds drips of a broken link, and lets them go on.
func TestMailboxLostAndBack(t *testing.T) { onEachStore(t, testMailboxLostAndBack) }

func testMailboxLostAndBack(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	w.open.err = &provider.Error{Kind: provider.ErrRelink, Op: "open", Reason: "invalid_grant"}
	w.pass(5 * day)
	e := w.want(id, runner.StatusHeld, 1)
	if !strings.Contains(e.Reason, "invalid_grant") {
		t.Errorf("the reason is %q", e.Reason)
	}
	ex, err := w.run.Explain(t.Context(), id)
	if err != nil || !strings.Contains(strings.Join(ex.Text, " "), "invalid_grant") {
		t.Errorf("it is explained as %q, %v", ex.Text, err)
	}
	w.open.err = nil
	w.pass(10 * day)
	w.want(id, runner.StatusCompleted, 3)
	lost, back := 0, 0
	for _, ev := range w.events.events {
		switch ev.Kind {
		case runner.EventMailboxLost:
			lost++
		case runner.EventMailboxBack:
			back++
		}
	}
	if lost != 1 || back != 1 {
		t.Errorf("lost was told %d times, back %d times", lost, back)
	}
	w.sound()
}

// TestThrottled waits as long as it is told to, and no longer than a day.
func TestThrottled(t *testing.T) { onEachStore(t, testThrottled) }

func testThrottled(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: postoffice.FaultThrottle, RetryAfter: 3 * time.Hour})
	w.tick()
	w.pass(2 * time.Hour)
	if n := w.mails("grace@example.net"); n != 0 {
		t.Errorf("%d mails before the time that was asked for", n)
	}
	w.pass(2 * time.Hour)
	w.want(id, runner.StatusActive, 1)
	w.sound()
}

// TestTwoRunners share a store, as two processes do.
func TestTwoRunners(t *testing.T) { onEachStore(t, testTwoRunners) }

func testTwoRunners(t *testing.T, on storage) {
	w := newWorld(t, on)
	var ids []string
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		w.person(name + "@example.net")
		ids = append(ids, w.enroll(name+"@example.net").ID)
	}
	other := w.runner()
	for w.clock.Now().Before(start.Add(8 * day)) {
		w.clock.Advance(time.Hour)
		var wg sync.WaitGroup
		for _, r := range []*runner.Runner{w.run, other, w.run} {
			wg.Go(func() {
				if _, err := r.Tick(t.Context()); err != nil {
					t.Errorf("tick: %v", err)
				}
			})
		}
		wg.Wait()
	}
	for _, id := range ids {
		w.want(id, runner.StatusCompleted, 3)
	}
	w.sound()
}

// TestRequestBudget counts what a follow-up costs.
func TestRequestBudget(t *testing.T) { onEachStore(t, testRequestBudget) }

func testRequestBudget(t *testing.T, on storage) {
	w := newWorld(t, on, func(c *runner.Config) { c.Options.ReadEvery = 30 * day })
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	total := func() int {
		n := 0
		for _, k := range w.box.Requests() {
			n += k
		}
		return n
	}
	w.tick()
	// One for the cursor that a mailbox begins with, one that looks for earlier
	// mail, then the send and the look at its copy.
	if n := total(); n != 4 {
		t.Errorf("the first step took %d requests, want 4", n)
	}
	before := total()
	for w.get(id).StepsSent < 2 {
		w.pass(time.Hour)
	}
	if n := total() - before; n > 4 {
		t.Errorf("the follow-up took %d requests, want at most 4", n)
	}
}

// TestSinkFails keeps events until their sink takes them.
func TestSinkFails(t *testing.T) { onEachStore(t, testSinkFails) }

func testSinkFails(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	w.events.err = errors.New("the sink is down")
	id := w.enroll("grace@example.net").ID
	if _, err := w.run.Tick(t.Context()); err == nil {
		t.Error("a failing sink is not reported")
	}
	w.events.err = nil
	w.tick()
	if got := w.events.kinds(id); got != "enrolled sent" {
		t.Errorf("the events are %q", got)
	}
}

// TestLateThread is an answer, from another address, into a thread that
// nobody knew to be ours when it came: the answer to its first send was lost,
// and the sent copy came late.
func TestLateThread(t *testing.T) { onEachStore(t, testLateThread) }

func testLateThread(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.proven()
	w.box.SetDelays(postoffice.Delays{SentCopy: 12 * time.Minute})
	w.person("ben@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Minute, From: "ben.private@example.org"})
	id := w.enroll("ben@example.net").ID
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: postoffice.FaultLoseAfter})
	w.tick()
	for range 3 { // the answer passes by in the feed
		if err := w.run.Notify(t.Context(), link); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Minute)
	}
	w.pass(2 * day)
	w.want(id, runner.StatusReplied, 1)
	w.sound()
}
