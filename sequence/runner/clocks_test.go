package runner_test

import (
	"context"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence/runner"
)

// TestReadOfAnotherClock: a process whose clock is ahead reads the mailbox,
// and then somebody answers. To another process that read looks as if it had
// just begun, and a follow-up is due; it reads by itself before it sends.
func TestReadOfAnotherClock(t *testing.T) { onEachStore(t, testReadOfAnotherClock) }

func testReadOfAnotherClock(t *testing.T, on storage) {
	const ahead = 3 * time.Minute
	w := newWorld(t, on)
	w.proven()
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	due := w.get(id).Due
	w.clock.Set(due.Add(-ahead - 10*time.Second))
	w.tick()
	now := w.cfg.Now
	w.cfg.Now = func() time.Time { return now().Add(ahead) }
	fast := w.runner()
	if err := fast.Notify(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	if rep, err := fast.Tick(t.Context()); err != nil || rep.Mailboxes == 0 || rep.Sent > 0 {
		t.Fatalf("%+v, %v", rep, err)
	}
	w.clock.Advance(time.Minute)
	if _, err := w.office.Write(provider.Address{Addr: "grace@example.net"}, sender, "Your mail", "", "Tell me more."); err != nil {
		t.Fatal(err)
	}
	w.clock.Set(due)
	w.tick()
	w.want(id, runner.StatusReplied, 1)
	w.sound()
}

// TestDeadlineWithinLease: no mail may leave once the lease of its mailbox is
// over, so that is part of the deadline that is checked before the first byte.
func TestDeadlineWithinLease(t *testing.T) { onEachStore(t, testDeadlineWithinLease) }

func testDeadlineWithinLease(t *testing.T, on storage) {
	const lease = 40 * time.Second // shorter than a send may take
	w := newWorld(t, on, func(c *runner.Config) { c.Options.Lease = lease })
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	var late []time.Duration
	w.open.wrap = func(mb provider.Mailbox) provider.Mailbox {
		return &timed{Mailbox: mb, see: func(out *provider.Outgoing) { late = append(late, out.NotAfter.Sub(w.clock.Now())) }}
	}
	w.pass(9 * day)
	w.want(id, runner.StatusCompleted, 3)
	for _, d := range late {
		if d <= 0 || d > lease {
			t.Errorf("a mail may leave for %v, and the lease is over in %v", d, lease)
		}
	}
	if len(late) != 3 {
		t.Errorf("%d mails left", len(late))
	}
}

type timed struct {
	provider.Mailbox
	see func(*provider.Outgoing)
}

func (m *timed) Send(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
	m.see(out)
	return m.Mailbox.Send(ctx, out)
}
