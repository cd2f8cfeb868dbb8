package runner_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// lives is a Sink that keeps apart what each process tells.
type lives struct {
	told [][]runner.Event
}

func (k *lives) Handle(_ context.Context, ev runner.Event) error {
	last := len(k.told) - 1
	k.told[last] = append(k.told[last], ev)
	return nil
}

// TestEventsComeAgain: of whatever kind, an event whose delivery was not
// acknowledged is told again by the next process, the same and under the same
// ID, and before those that came after it.
func TestEventsComeAgain(t *testing.T) { onEachStore(t, testEventsComeAgain) }

func testEventsComeAgain(t *testing.T, on storage) {
	k, f := &lives{told: make([][]runner.Event, 1)}, &forgetful{}
	w := newWorld(t, on, func(c *runner.Config) { c.Events = k })
	f.EnrollmentStore = w.store
	w.cfg.Store = f
	w.run = w.runner()
	after := 3 * time.Hour
	w.person("answers@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: after, Text: "Yes, please."})
	w.person("enough@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: after, Text: "No thanks. Please remove me from your list."})
	w.person("away@example.net", postoffice.Behaviour{Do: postoffice.OutOfOffice, On: 1, After: after, Until: start.Add(9 * day)})
	w.person("gone@example.net", postoffice.Behaviour{Do: postoffice.Bounce, On: 1, After: after})
	for _, to := range []string{"answers@example.net", "enough@example.net", "away@example.net", "gone@example.net", "stops@example.net", "pauses@example.net"} {
		if to == "stops@example.net" || to == "pauses@example.net" {
			w.person(to)
		}
		w.enroll(to)
	}
	paused := w.enroll("later@example.net", func(p *runner.EnrollParams) { p.Sequence = later(threeSteps()) }).ID
	for n := range 40 {
		f.dies = n%3 != 2
		switch n {
		case 12:
			if _, err := w.run.Pause(t.Context(), paused, "on holiday"); err != nil {
				t.Fatal(err)
			}
			if _, err := w.run.Unsubscribe(t.Context(), "stops@example.net"); err != nil {
				t.Fatal(err)
			}
		case 18:
			if _, err := w.run.Resume(t.Context(), paused); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.run.Tick(t.Context()); err != nil && !errors.Is(err, errDead) {
			t.Fatal(err)
		}
		if f.dies {
			w.run = w.runner() // another process
		}
		k.told = append(k.told, nil)
		w.clock.Advance(30 * time.Minute)
	}
	known, kinds, again := make(map[string]runner.Event), make(map[runner.EventKind]bool), make(map[runner.EventKind]bool)
	var order []string
	for _, told := range k.told {
		if len(told) > 0 && len(order) > 0 {
			if at := slices.Index(order, told[0].ID); at >= 0 {
				for i := range min(len(told), len(order)-at) {
					if told[i].ID != order[at+i] {
						t.Fatalf("%s %s came again in another order", told[i].Kind, told[i].ID)
					}
				}
			}
		}
		for _, ev := range told {
			kinds[ev.Kind] = true
			was, ok := known[ev.ID]
			if !ok {
				known[ev.ID] = ev
				order = append(order, ev.ID)
				continue
			}
			again[ev.Kind] = true
			if was != ev {
				t.Errorf("the same ID for %+v and %+v", was, ev)
			}
		}
	}
	for _, kind := range []runner.EventKind{
		runner.EventReplied, runner.EventAutoReplied, runner.EventBounced, runner.EventUnsubscribed, runner.EventOptOut,
		runner.EventFlagged, runner.EventHeld, runner.EventResumed,
	} {
		if !kinds[kind] || !again[kind] {
			t.Errorf("%s: told %t, and told again %t", kind, kinds[kind], again[kind])
		}
	}
	// Each thing that happened has one event.
	once := make(map[runner.Event]string)
	for id, ev := range known {
		ev.ID = ""
		if other, ok := once[ev]; ok && ev.Kind != runner.EventSent {
			t.Errorf("%s of %s is told as %s and as %s", ev.Kind, ev.Key, other, id)
		}
		once[ev] = id
	}
	if w.get(paused).Status != runner.StatusActive {
		t.Errorf("%+v", w.get(paused))
	}
}
