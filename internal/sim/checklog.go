package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// checkLog: the conversation has every mail that left once, and every message
// that the candidate wrote once.
func (c *candidate) checkLog(ctx context.Context, mails int, say func(string, ...any)) error {
	entries, err := c.stores.Log.Conversation(ctx, c.id)
	if err != nil {
		return err
	}
	out := 0
	in := make(map[string]int)
	class := make(map[string]string)
	wish := make(map[string]string)
	read := make(map[string]bool) // its content was, which a long outage may prevent
	there := make(map[string]bool)
	for m := range c.service().box.Visible() {
		there[provider.BareID(m.MessageID)] = !m.Unrelated
	}
	for _, e := range entries {
		switch e.Direction {
		case runner.DirectionOut:
			out++
		case runner.DirectionIn, runner.DirectionOwn:
			id := provider.BareID(e.MessageID)
			in[id]++
			class[id], wish[id] = e.Class, e.OptOut
			read[id] = read[id] || e.Text != ""
			if !there[provider.BareID(e.MessageID)] {
				say("the conversation has the message %s, which the mailbox has not", e.MessageID)
			}
		}
	}
	undecided := slices.ContainsFunc(c.told, func(s string) bool { return strings.Contains(s, c.Address) && strings.Contains(s, "nobody can tell") })
	if out != mails && !undecided && !(out < mails && c.endedUnasked()) {
		say("%d mails left, and the conversation has %d", mails, out)
	}
	for _, m := range c.wrote() {
		id := provider.BareID(m.MessageID)
		n := in[id]
		switch {
		case n > 1:
			say("the message %q of %v is in the conversation %d times", m.Subject, m.VisibleAt, n)
		case n == 1 && c.Way == wayForged && read[id] && !c.service().plan.World.EqualSubjectsMerge: // else it lies in the thread
			say("a report that cites nothing is in the conversation")
		case n == 0 && c.sees() && c.shown(m) != never && !c.optional(m) && !c.endedUnasked():
			say("the message %q of %v is in the conversation 0 times", m.Subject, m.VisibleAt)
		case n == 1 && (c.headers() || class[id] == string(classify.Unsure) && c.unread()):
		case n == 1 && class[id] != string(c.Way.expected().class):
			say("the message %q is logged as %q", m.Subject, class[id])
		case n == 1 && read[id] && (wish[id] != "") != (c.Way == wayOptOut):
			say("the message %q is logged with the wish %q", m.Subject, wish[id])
		}
	}
	return nil
}

// endedUnasked reports whether the drip was ended by hand once a backup was put
// back, before its mailbox could be asked what had left since.
func (c *candidate) endedUnasked() bool {
	_, stopped := c.stopped[c.id]
	_, answered := c.desk.answered[c.key()]
	return c.pending && (stopped || answered)
}

// optional reports whether a message need not be found: whoever answers from
// a further address is known by it only where the answer cited a Message-ID
// that was known.
func (c *candidate) optional(m postoffice.Message) bool {
	if !c.afresh(m) {
		return false
	}
	return c.headers() || c.unread() || !c.service().plan.World.KeepsMessageID || slices.ContainsFunc(c.wrote(), func(m postoffice.Message) bool {
		return !c.afresh(m) && c.shown(m) != m.VisibleAt
	})
}

// story is what a person needs to understand a finding.
func (c *candidate) story(ctx context.Context) string {
	var b strings.Builder
	e, err := c.clerk.Get(ctx, c.id)
	fmt.Fprintf(&b, "    %s, reason %q, crossed %d, in flight %t, due %v, %v\n", e.Status, e.Reason, e.Crossed, e.InFlight, e.Due.UTC().Format(time.RFC3339), err)
	for _, m := range c.sent() {
		fmt.Fprintf(&b, "    sent %v %s\n", m.At.Format(time.RFC3339), m.MessageID)
	}
	for _, m := range c.wrote() {
		rows, err := c.stores.Enrollments.Match(ctx, "", []store.IndexKey{{Kind: store.IndexRef, Value: c.service().ref(m)}})
		fmt.Fprintf(&b, "    wrote %v, visible %v, %v, from %v, thread %d, %s, indexed %v %v\n",
			m.Received.Format(time.RFC3339), m.VisibleAt.Format(time.RFC3339), m.Labels, m.From, m.Thread, m.MessageID, rows, err)
	}
	intents, err := c.stores.Enrollments.LoadIntents(ctx, c.id)
	for _, in := range intents {
		fmt.Fprintf(&b, "    intent %s %s until %v, ref %q thread %q %v\n", in.ID[len(in.ID)-4:], in.State, in.Deadline.UTC().Format(time.RFC3339), in.Ref, in.Thread, err)
	}
	entries, err := c.stores.Log.Conversation(ctx, c.id)
	for _, e := range entries {
		fmt.Fprintf(&b, "    logged %v %s %s %s %s %v\n", e.At.UTC().Format(time.RFC3339), e.Direction, e.Class, e.MessageID, e.Evidence, err)
	}
	for _, line := range c.told {
		if strings.Contains(line, c.Address) {
			fmt.Fprintf(&b, "    told %s\n", line)
		}
	}
	return b.String()
}
