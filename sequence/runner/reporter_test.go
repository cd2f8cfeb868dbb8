package runner_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence/runner"
)

// keeper is a Mailboxes that is told how passes ended.
type keeper struct {
	*opener
	mu   sync.Mutex
	told []provider.Health
	err  error
}

func (k *keeper) Report(_ context.Context, id string, h provider.Health) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if id == link {
		k.told = append(k.told, h)
	}
	return k.err
}

// TestReporter: who keeps the links is told how each pass ended, and what it
// makes of that changes nothing.
func TestReporter(t *testing.T) { onEachStore(t, testReporter) }

func testReporter(t *testing.T, on storage) {
	w := newWorld(t, on)
	k := &keeper{opener: w.open, err: errors.New("down")}
	w.cfg.Mailboxes = k
	w.run = w.runner()
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	last := func() provider.Health { return k.told[len(k.told)-1] }
	if len(k.told) == 0 || last().Err != nil || !last().Sent.Equal(w.clock.Now()) || last().Read.IsZero() {
		t.Fatalf("told was %+v", k.told)
	}
	w.pass(time.Hour)
	if h := last(); !h.Reading || w.clock.Now().Sub(h.Read) > 10*time.Minute || !h.Sent.IsZero() {
		t.Errorf("after reads: %+v", h)
	}
	w.open.err = &provider.Error{Kind: provider.ErrRelink, Op: "open", Reason: "gone"}
	w.pass(4 * day)
	if h := last(); !errors.Is(h.Err, provider.ErrRelink) {
		t.Errorf("told was %+v", h)
	}
	w.want(id, runner.StatusHeld, 1)
}

// TestAppFaultIsOneAlarm: a fault of the app is the Reporter's to tell, once
// for all mailboxes. Where there is none, each mailbox is told of.
func TestAppFaultIsOneAlarm(t *testing.T) { onEachStore(t, testAppFaultIsOneAlarm) }

func testAppFaultIsOneAlarm(t *testing.T, on storage) {
	for want, with := range map[int]bool{0: true, 1: false} {
		w := newWorld(t, on)
		k := &keeper{opener: w.open}
		if with {
			w.cfg.Mailboxes = k
			w.run = w.runner()
		}
		w.person("grace@example.net")
		id := w.enroll("grace@example.net").ID
		w.open.err = &provider.Error{Kind: provider.ErrApp, Op: "open", Reason: "invalid_client"}
		w.pass(10 * time.Hour)
		flagged := 0
		for _, ev := range w.events.events {
			if ev.Kind == runner.EventMailboxFlagged {
				flagged++
			}
		}
		if flagged != want {
			t.Errorf("with a Reporter %t: the mailbox is flagged %d times", with, flagged)
		}
		if with && (len(k.told) == 0 || !errors.Is(k.told[0].Err, provider.ErrApp)) {
			t.Errorf("told was %+v", k.told)
		}
		w.open.err = nil
		w.pass(2 * time.Hour)
		w.want(id, runner.StatusActive, 1)
	}
}
