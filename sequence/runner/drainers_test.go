package runner_test

import (
	"context"
	"sync"
	"testing"

	"github.com/outreachkit/outreach/sequence/runner"
)

// meeting is a Sink whose first event waits until two Ticks hand over events
// at once.
type meeting struct {
	mu   sync.Mutex
	n    int
	both chan struct{}
	got  map[string]int
}

func (m *meeting) Handle(_ context.Context, ev runner.Event) error {
	m.mu.Lock()
	m.n++
	if m.n == 2 {
		close(m.both)
	}
	m.got[ev.ID]++
	m.mu.Unlock()
	<-m.both
	return nil
}

// TestTwoDrainers: Ticks at the same time may both bring an event, and lose
// none.
func TestTwoDrainers(t *testing.T) { onEachStore(t, testTwoDrainers) }

func testTwoDrainers(t *testing.T, on storage) {
	m := &meeting{both: make(chan struct{}), got: make(map[string]int)}
	w := newWorld(t, on, func(c *runner.Config) { c.Events = m })
	for _, addr := range []string{"ada@example.net", "grace@example.net"} {
		w.person(addr)
		w.enroll(addr)
	}
	var wg sync.WaitGroup
	for _, r := range []*runner.Runner{w.run, w.runner()} {
		wg.Go(func() {
			if _, err := r.Tick(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if rows, err := w.store.Outbox(t.Context(), 1); err != nil || len(rows) != 0 {
		t.Errorf("%d rows are left, %v", len(rows), err)
	}
	twice := 0
	for _, n := range m.got {
		if n > 1 {
			twice++
		}
	}
	if len(m.got) < 4 || twice == 0 { // enrolled and sent, of two
		t.Errorf("came: %v", m.got)
	}
}
