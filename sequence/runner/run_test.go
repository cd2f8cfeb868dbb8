package runner_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/outreachkit/outreach/sequence/runner"
)

// TestRun works until its context ends, waits only when there is nothing to
// do, and outlives errors.
func TestRun(t *testing.T) { onEachStore(t, testRun) }

func testRun(t *testing.T, on storage) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var w *world
	waits := 0
	w = newWorld(t, on, func(c *runner.Config) {
		c.Wait = func(ctx context.Context, d time.Duration) error {
			waits++
			w.clock.Advance(time.Hour)
			w.events.mu.Lock()
			defer w.events.mu.Unlock()
			w.events.err = nil
			if waits == 5 {
				w.events.err = errors.New("the sink is down for a moment")
			}
			if w.clock.Now().After(start.Add(9 * day)) {
				cancel()
			}
			return ctx.Err()
		}
	})
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	if err := w.run.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("run ended with %v", err)
	}
	w.want(id, runner.StatusCompleted, 3)
	if waits < 200 {
		t.Errorf("%d waits in nine days of an hour each", waits)
	}
	w.sound()
}

// TestAudit holds that every request is reported with its reason, and that
// the reports are as many as the service counted.
func TestAudit(t *testing.T) { onEachStore(t, testAudit) }

func testAudit(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	w.enroll("grace@example.net")
	w.tick()
	w.pass(5 * day)
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	reported := 0
	for key, n := range w.seen.counts {
		reported += n
		switch key {
		case "send send", "envelope sent_copy", "changes feed", "search prior", "search search", "profile profile":
		default:
			t.Errorf("%d requests for %q", n, key)
		}
	}
	counted := 0
	for _, n := range w.box.Requests() {
		counted += n
	}
	if reported != counted {
		t.Errorf("%d requests were reported, %d were made", reported, counted)
	}
}

// query is what a callback's address carries.
func query(address string) url.Values {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	return u.Query()
}
