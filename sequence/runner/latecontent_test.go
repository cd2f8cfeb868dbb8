package runner_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// TestContentComesLater: where a message's content can't be had for long, what
// its headers show counts at once; what it says is read and logged when it can
// be had.
func TestContentComesLater(t *testing.T) { onEachStore(t, testContentComesLater) }

func testContentComesLater(t *testing.T, on storage) {
	for name, c := range map[string]struct {
		does   postoffice.Behaviour
		before runner.Status // while it can't be read
		after  runner.Status
		log    string
	}{
		"an answer":  {postoffice.Behaviour{Do: postoffice.Answer, Text: "Gladly."}, runner.StatusReplied, runner.StatusReplied, "out in(human)"},
		"an absence": {postoffice.Behaviour{Do: postoffice.OutOfOffice, On: 1, Until: start.Add(30 * day)}, runner.StatusHeld, runner.StatusHeld, "out in(out_of_office)"},
		"a report":   {postoffice.Behaviour{Do: postoffice.BounceLater, Code: "5.1.1"}, runner.StatusHeld, runner.StatusBounced, "out in(bounce)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, on)
			w.apart()
			c.does.After = time.Hour
			w.person("grace@example.net", c.does)
			id := w.enroll("grace@example.net").ID
			w.tick()
			down := &provider.Error{Kind: provider.ErrTemporary, Op: "content", Reason: "down"}
			w.oddly(oddBox{content: func(provider.Ref) error { return down }})
			w.pass(4 * day)
			w.want(id, c.before, 1)
			if got := directions(w.conversation(id)); got != "out" {
				t.Errorf("while it can't be read the conversation is %q", got)
			}
			w.open.wrap = nil
			w.pass(4 * day)
			w.want(id, c.after, 1)
			log := w.conversation(id)
			if got := directions(log); got != c.log || c.does.Text != "" && !strings.Contains(log[1].Text, c.does.Text) {
				t.Errorf("the conversation is %q: %+v", got, log)
			}
			if n := w.events.count(runner.EventReplied); n > 1 {
				t.Errorf("told %d times", n)
			}
			w.sound()
		})
	}
}

// TestContentNeverComes: after a week it is logged as its headers show it.
func TestContentNeverComes(t *testing.T) { onEachStore(t, testContentNeverComes) }

func testContentNeverComes(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, After: time.Hour})
	id := w.enroll("grace@example.net").ID
	w.tick()
	down := &provider.Error{Kind: provider.ErrTemporary, Op: "content", Reason: "down"}
	asked := 0
	w.oddly(oddBox{content: func(provider.Ref) error { asked++; return down }})
	w.pass(10 * day)
	w.want(id, runner.StatusReplied, 1)
	if got := directions(w.conversation(id)); got != "out in(human)" {
		t.Errorf("the conversation is %q", got)
	}
	before := asked
	w.pass(2 * day)
	if asked != before {
		t.Errorf("it was asked for %d times more", asked-before)
	}
	w.sound()
}

// TestPoisonIsNotInTheWay: an answer is seen at the next read whatever lies
// beside it in the feed, and so is all that comes later once what can't be read
// is passed over, within two hours.
func TestPoisonIsNotInTheWay(t *testing.T) { onEachStore(t, testPoisonIsNotInTheWay) }

func testPoisonIsNotInTheWay(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("ada@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 50 * time.Minute})
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour})
	w.person("kim@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 3 * time.Hour})
	other := func(subject string) func(*runner.EnrollParams) {
		return func(p *runner.EnrollParams) { p.Sequence = threeSteps(); p.Sequence.Steps[0].Subject = subject }
	}
	poison := w.enroll("ada@example.net").ID
	grace, kim := w.enroll("grace@example.net", other("Two")).ID, w.enroll("kim@example.net", other("Three")).ID
	w.tick()
	var bad provider.Ref
	down := &provider.Error{Kind: provider.ErrTemporary, Op: "envelope", Reason: "down"}
	w.oddly(oddBox{envelope: func(ref provider.Ref) error {
		for m := range w.box.Visible() {
			if len(m.From) == 1 && m.From[0] == "ada@example.net" {
				bad = provider.Ref("m" + strconv.FormatInt(m.Number, 10))
			}
		}
		if ref == bad {
			return down
		}
		return nil
	}})
	w.clock.Advance(61 * time.Minute) // both have answered when the mailbox is read
	w.tick()
	w.want(grace, runner.StatusReplied, 1)
	for range 12 {
		w.clock.Advance(15 * time.Minute)
		w.tick()
	}
	w.want(kim, runner.StatusReplied, 1)
	w.want(poison, runner.StatusHeld, 1)
	w.open.wrap = nil
	w.pass(day)
	w.want(poison, runner.StatusReplied, 1)
	w.sound()
}

// TestRefusedHeadersAreTriedAgain: headers that the service refuses hold, and
// are asked for again for a week, more and more rarely.
func TestRefusedHeadersAreTriedAgain(t *testing.T) { onEachStore(t, testRefusedHeadersAreTriedAgain) }

func testRefusedHeadersAreTriedAgain(t *testing.T, on storage) {
	for name, mended := range map[string]time.Duration{"after two days": 2 * day, "never": 20 * day} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, on)
			w.person("ada@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour})
			id := w.enroll("ada@example.net").ID
			w.tick()
			asked := 0
			no := &provider.Error{Kind: provider.ErrRejected, Op: "envelope", Reason: "corrupt"}
			w.oddly(oddBox{envelope: func(provider.Ref) error {
				if w.clock.Now().After(start.Add(mended)) {
					return nil
				}
				asked++
				return no
			}})
			w.pass(2 * day)
			w.want(id, runner.StatusHeld, 1)
			w.pass(8 * day)
			if mended > 9*day {
				w.want(id, runner.StatusHeld, 1)
				before := asked
				w.pass(3 * day)
				if asked != before {
					t.Errorf("after a week it was asked for %d times more", asked-before)
				}
			} else {
				w.want(id, runner.StatusReplied, 1)
			}
			if asked < 3 || asked > 80 {
				t.Errorf("it was asked for %d times", asked)
			}
		})
	}
}

// TestHeadersThenContent: a message whose headers come only after a while, and
// its content later still, counts by its headers as soon as they are there.
func TestHeadersThenContent(t *testing.T) { onEachStore(t, testHeadersThenContent) }

func testHeadersThenContent(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour})
	id := w.enroll("grace@example.net").ID
	w.tick()
	down := &provider.Error{Kind: provider.ErrTemporary, Op: "test", Reason: "down"}
	until := func(at time.Time) func(provider.Ref) error {
		return func(provider.Ref) error {
			if w.clock.Now().Before(at) {
				return down
			}
			return nil
		}
	}
	w.oddly(oddBox{envelope: until(start.Add(day)), content: until(start.Add(4 * day))})
	w.pass(day)
	w.want(id, runner.StatusHeld, 1)
	w.pass(2 * day)
	w.want(id, runner.StatusReplied, 1)
	if got := directions(w.conversation(id)); got != "out" {
		t.Errorf("while its content can't be had the conversation is %q", got)
	}
	w.pass(3 * day)
	if log := w.conversation(id); directions(log) != "out in(human)" || log[1].Text == "" {
		t.Errorf("the conversation is %q: %+v", directions(log), log)
	}
	w.sound()
}
