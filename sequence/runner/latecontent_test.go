package runner_test

import (
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
		does       postoffice.Behaviour
		before     string // the status while it can't be read
		after, log string
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
