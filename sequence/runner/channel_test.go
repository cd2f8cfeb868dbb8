package runner_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// receive takes events until the channel is closed, as each answers.
func receive(ch *runner.Channel, each func(runner.Delivery)) (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case d := <-ch.C():
				each(d)
			case <-ch.Closed():
				return
			}
		}
	}()
	return func() {
		ch.Close()
		<-done
	}
}

// TestChannel: events come in order, each once it is acknowledged and no
// earlier.
func TestChannel(t *testing.T) { onEachStore(t, testChannel) }

func testChannel(t *testing.T, on storage) {
	ch := runner.NewChannel()
	w := newWorld(t, on, func(c *runner.Config) { c.Events = ch })
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	var got []string
	refuse := 1
	stop := receive(ch, func(d runner.Delivery) {
		got = append(got, string(d.Event.Kind))
		if refuse > 0 && d.Event.Kind == runner.EventSent {
			refuse--
			d.Done(errors.New("not kept"))
			d.Done(nil) // too late, and no harm
			return
		}
		d.Done(nil)
	})
	if _, err := w.run.Tick(t.Context()); err == nil {
		t.Error("an event that was refused is not reported")
	}
	w.tick()
	w.pass(9 * day)
	w.want(id, runner.StatusCompleted, 3)
	stop()
	if s := strings.Join(got, " "); s != "enrolled sent enrolled sent sent sent completed" {
		t.Errorf("the events are %q", s)
	}
	w.enroll("ben@example.net")
	_, err := w.run.Tick(t.Context())
	wantIs(t, err, runner.ErrChannelClosed)
}

// forgetful is a store that dies before it is told that events were taken.
type forgetful struct {
	store.EnrollmentStore
	dies bool
}

func (f *forgetful) Ack(ctx context.Context, seqs []int64) error {
	if f.dies {
		return errDead
	}
	return f.EnrollmentStore.Ack(ctx, seqs)
}

// TestChannelCrash: the process dies after its receiver kept the events and
// before the outbox knows, or the receiver dies with an event in its hands.
// The next process tells them again, under the same ids and in the same order.
func TestChannelCrash(t *testing.T) { onEachStore(t, testChannelCrash) }

func testChannelCrash(t *testing.T, on storage) {
	ch := runner.NewChannel()
	f := &forgetful{}
	w := newWorld(t, on, func(c *runner.Config) { c.Events = ch })
	f.EnrollmentStore = w.store
	w.cfg.Store = f
	w.run = w.runner()
	w.person("grace@example.net")
	w.enroll("grace@example.net")
	var first, second []string
	f.dies = true
	stop := receive(ch, func(d runner.Delivery) { first = append(first, d.Event.ID); d.Done(nil) })
	_, err := w.run.Tick(t.Context())
	wantIs(t, err, errDead)
	stop()

	f.dies = false
	dead, cancel := context.WithCancel(t.Context())
	ch = runner.NewChannel()
	w.cfg.Events = ch
	w.run = w.runner()
	stop = receive(ch, func(runner.Delivery) { cancel() }) // its receiver dies, and so does the process
	_, err = w.run.Tick(dead)
	wantIs(t, err, context.Canceled)
	stop()

	ch = runner.NewChannel()
	w.cfg.Events = ch
	w.run = w.runner()
	stop = receive(ch, func(d runner.Delivery) { second = append(second, d.Event.ID); d.Done(nil) })
	w.tick()
	w.tick()
	stop()
	if len(first) != 2 || strings.Join(first, " ") != strings.Join(second, " ") {
		t.Errorf("told first %v, and then %v", first, second)
	}
}
