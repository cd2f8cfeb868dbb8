package sim

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// The runner's defaults.
const (
	freshness = time.Minute
	lease     = 5 * time.Minute
)

// fresh is how old a read may be when a mail leaves at t: by so much as a
// clock was set back since it began it seems younger, and where a machine
// stood still with all its clocks it is the store's clock that ends the lease.
func (w *world) fresh(read, t time.Time) time.Duration {
	d := freshness
	for _, s := range w.steps {
		if s.by < 0 && s.at.After(read) && !s.at.After(t) {
			d -= s.by
		}
	}
	for _, s := range w.still {
		if s.to.After(read) && !s.from.After(t) {
			return d + lease
		}
	}
	return d
}

// check holds what the books say against what is promised.
func (w *world) check(ctx context.Context) error {
	say := func(format string, args ...any) { w.wrong = append(w.wrong, fmt.Sprintf(format, args...)) }
	if d := w.office.Books().Duplicates(); len(d) > 0 {
		say("sent twice: %v", d)
	}
	if env, content := w.office.Books().UnrelatedReads(); env+content > 0 {
		say("unrelated mail was read: %d envelopes, %d contents", env, content)
	}
	for i := range w.plan.Candidates {
		c := &candidate{world: w, Candidate: w.plan.Candidates[i], id: w.ids[i]}
		if err := c.check(ctx, func(format string, args ...any) {
			say("%s, who %s: %s\n%s", c.Address, c.act(), fmt.Sprintf(format, args...), c.story(ctx))
		}); err != nil {
			return err
		}
	}
	return nil
}

// candidate is one candidate's part of a history.
type candidate struct {
	*world
	Candidate
	id string
}

func (c *candidate) service() *service { return c.services[c.Sender] }

// sent are the accepted mails to the candidate, in order.
func (c *candidate) sent() []postoffice.Submission {
	return slices.DeleteFunc(c.office.Books().SentFrom(c.service().plan.Address), func(s postoffice.Submission) bool {
		return !slices.Contains(s.Recipients, c.Address)
	})
}

// wrote are the messages that came from the candidate's addresses, the oldest
// first.
func (c *candidate) wrote() []postoffice.Message {
	var out []postoffice.Message
	for m := range c.service().box.Visible() {
		if !m.Own && (slices.Contains(m.From, c.Address) || c.Private != "" && slices.Contains(m.From, c.Private)) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b postoffice.Message) int { return a.VisibleAt.Compare(b.VisibleAt) })
	return out
}

// sees reports whether the access and the service let the library see what
// the candidate writes.
func (c *candidate) sees() bool {
	s := c.service().plan
	return s.Access == provider.AccessReplies && (c.Private == "" || s.joins())
}

// shown is when the library could first see an answer: one from an address
// that nobody searches for comes by the feed alone, where that is all there is.
func (c *candidate) shown(m postoffice.Message) time.Time {
	if c.Private == "" {
		return m.VisibleAt
	}
	switch at, silent := c.service().silent(m); {
	case silent && at.IsZero():
		return never
	case silent:
		return at
	}
	return m.VisibleAt
}

var never = start().AddDate(100, 0, 0)

// lastRead is when the latest request for what is new left before t.
func (c *candidate) lastRead(t time.Time) time.Time {
	return latest(c.service().reads, t)
}

// left is when the request left that was accepted at t: the network may have
// taken its time.
func (c *candidate) left(t time.Time) time.Time { return latest(c.service().sends, t) }

// latest is the last of an ascending list that is not after t.
func latest(list []time.Time, t time.Time) time.Time {
	n := sort.Search(len(list), func(i int) bool { return list[i].After(t) })
	if n == 0 {
		return time.Time{}
	}
	return list[n-1]
}

func (c *candidate) check(ctx context.Context, say func(string, ...any)) error {
	e, err := c.hosts[0].run.Get(ctx, c.id)
	if err != nil {
		return err
	}
	if c.mutant.View != nil {
		c.mutant.View(&e)
	}
	mails := c.sent()
	for step := range c.plan.Steps {
		text := stepText(step + 1)
		if n := len(slices.DeleteFunc(slices.Clone(mails), func(m postoffice.Submission) bool { return !bytes.Contains(m.Raw, []byte(text)) })); n > 1 {
			say("the words %q left %d times", text, n)
		}
	}
	if n, stopped := c.stopped[c.id]; stopped && len(mails) != n {
		say("%d mails left after it was stopped by hand", len(mails)-n)
	}
	reads := c.service().plan.Access == provider.AccessReplies
	for i, m := range mails {
		at := c.left(m.At)
		read := c.lastRead(at)
		if i > 0 && reads && at.Sub(read) > c.fresh(read, at) {
			say("mail %d left at %v, %v after the last read began", i+1, at, at.Sub(read))
		}
		if !c.sees() || !c.answers() {
			continue
		}
		for _, a := range c.wrote() {
			seen := c.shown(a)
			if seen.After(at) {
				continue
			}
			if seen.Before(read) && i > 0 {
				say("mail %d left at %v although the answer was visible at %v, before the read at %v", i+1, m.At, seen, read)
			}
			if e.Status == runner.StatusReplied && e.Crossed == 0 {
				say("mail %d left after the answer was visible and is not marked as crossed", i+1)
			}
		}
	}
	c.checkEnd(e, mails, say)
	return c.checkLog(ctx, mails, say)
}

// checkEnd: everything ended, or is visibly held, and for a reason that there
// is.
func (c *candidate) checkEnd(e runner.Enrollment, mails []postoffice.Submission, say func(string, ...any)) {
	keys := make(map[string]bool)
	for _, m := range mails {
		keys[m.Key] = true
	}
	var answer time.Time // when the first answer could be seen
	for _, m := range c.wrote() {
		if at := c.shown(m); c.answers() && c.sees() && at != never && (answer.IsZero() || at.Before(answer)) {
			answer = at
		}
	}
	answered := !answer.IsZero()
	switch e.Status {
	case runner.StatusActive:
		say("is still active")
	case runner.StatusHeld:
		if e.Reason == "" {
			say("is held without a reason")
		}
		if answered {
			say("is held although an answer came")
		}
	case runner.StatusCompleted:
		if len(keys) != c.plan.Steps {
			say("is completed with %d of %d mails", len(keys), c.plan.Steps)
		}
		if answered && len(mails) > 0 && answer.Before(mails[len(mails)-1].At) {
			say("is completed although an answer was there before the last mail")
		}
	case runner.StatusReplied:
		if !c.answers() {
			say("is replied, and nobody answered")
		}
	case runner.StatusBounced:
		if c.act() != postoffice.Bounce && c.act() != postoffice.BounceLater {
			say("is bounced, and nothing bounced")
		}
	case runner.StatusStopped:
		if _, byHand := c.stopped[c.id]; !byHand {
			say("is stopped, and nobody stopped it")
		}
	case runner.StatusTookOver:
		// A service that leaves nothing on our own mail makes a stranger of it.
		if c.service().plan.recognises() {
			say("is taken over, and the owner wrote nothing")
		}
	default:
		say("has the status %q", e.Status)
	}
}

// checkLog: the conversation has every mail that left once, and every message
// that the candidate wrote once.
func (c *candidate) checkLog(ctx context.Context, mails []postoffice.Submission, say func(string, ...any)) error {
	entries, err := c.stores.Log.Conversation(ctx, c.id)
	if err != nil {
		return err
	}
	out := 0
	in := make(map[string]int)
	there := make(map[string]bool)
	for m := range c.service().box.Visible() {
		there[provider.BareID(m.MessageID)] = !m.Unrelated
	}
	for _, e := range entries {
		switch e.Direction {
		case runner.DirectionOut:
			out++
		case runner.DirectionIn:
			in[provider.BareID(e.MessageID)]++
			if !there[provider.BareID(e.MessageID)] {
				say("the conversation has the message %s, which the mailbox has not", e.MessageID)
			}
		}
	}
	undecided := slices.ContainsFunc(c.told, func(s string) bool { return strings.Contains(s, c.Address) && strings.Contains(s, "nobody can tell") })
	if out != len(mails) && !undecided {
		say("%d mails left, and the conversation has %d", len(mails), out)
	}
	if !c.sees() {
		return nil
	}
	for _, m := range c.wrote() {
		if n := in[provider.BareID(m.MessageID)]; n != 1 && (n > 1 || c.shown(m) != never) {
			say("the message %q of %v is in the conversation %d times", m.Subject, m.VisibleAt, n)
		}
	}
	return nil
}

// story is what a person needs to understand a finding.
func (c *candidate) story(ctx context.Context) string {
	var b strings.Builder
	e, err := c.hosts[0].run.Get(ctx, c.id)
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
