package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence/runner"
)

// sends is a mailbox that remembers until when a mail may leave.
type sends struct {
	provider.Mailbox
	notAfter time.Time
}

func (s *sends) Send(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
	s.notAfter = out.NotAfter
	return s.Mailbox.Send(ctx, out)
}

// TestDeadlineIsMonotonic: over a clock with a monotonic reading the deadline of
// a mail has one too, so that a clock that is set back lets none leave late.
func TestDeadlineIsMonotonic(t *testing.T) {
	w := newWorld(t, onMemstore, func(c *runner.Config) { c.Now = time.Now })
	box := &sends{}
	w.open.wrap = func(mb provider.Mailbox) provider.Mailbox { box.Mailbox = mb; return box }
	w.person("ada@example.net")
	w.enroll("ada@example.net")
	w.tick()
	if box.notAfter.IsZero() || !strings.Contains(box.notAfter.String(), " m=") {
		t.Errorf("a mail may leave until %v", box.notAfter)
	}
}
