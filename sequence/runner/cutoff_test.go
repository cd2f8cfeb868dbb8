package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// inRounds is a feed of two halves: what becomes visible between them comes in
// the next round.
type inRounds struct {
	provider.Mailbox
	cut *bool // the second half can't be had
}

const half = "+half"

func (m inRounds) Changes(ctx context.Context, since provider.Cursor) (provider.Page, error) {
	if begin, second := strings.CutSuffix(string(since), half); second {
		if *m.cut {
			return provider.Page{}, &provider.Error{Kind: provider.ErrTemporary, Op: "changes", Reason: "cut"}
		}
		return provider.Page{Next: provider.Cursor(begin)}, nil
	}
	page, err := m.Mailbox.Changes(ctx, since)
	page.Next, page.More = page.Next+half, true
	return page, err
}

// TestReadCutOff: a read that goes on where an earlier one was cut off is not
// whole, and no follow-up leaves on it.
func TestReadCutOff(t *testing.T) { onEachStore(t, testReadCutOff) }

func testReadCutOff(t *testing.T, on storage) {
	w := newWorld(t, on)
	cut := false
	w.open.wrap = func(mb provider.Mailbox) provider.Mailbox { return inRounds{mb, &cut} }
	w.person("ada@example.com", postoffice.Behaviour{Do: postoffice.Answer, On: 1, From: "private@example.org", After: 47*time.Hour + 40*time.Minute})
	id := w.enroll("ada@example.com").ID
	w.pass(47 * time.Hour)
	w.want(id, runner.StatusActive, 1)
	cut = true
	w.pass(30 * time.Minute)
	cut = false
	w.clock.Advance(time.Hour)
	w.tick()
	w.want(id, runner.StatusReplied, 1)
}
