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
	if env, content := w.unrelatedReads(); env+content > 0 {
		say("unrelated mail was read: %d envelopes, %d contents", env, content)
	}
	for i, s := range w.services {
		w.checkWatch(i, say)
		for _, r := range w.office.Books().Reads() {
			if r.Mailbox == s.plan.Address && r.Contents > 0 && s.plan.Access != provider.AccessReplies {
				say("%s: content was read with access %q", r.Mailbox, s.plan.Access)
			}
		}
	}
	for i := range w.plan.Candidates {
		c := w.candidate(i)
		if err := c.check(ctx, func(format string, args ...any) {
			say("%s, who %s: %s\n%s", c.key(), c.Way, fmt.Sprintf(format, args...), c.story(ctx))
		}); err != nil {
			return err
		}
	}
	return nil
}

// unrelatedReads counts what was read of unrelated mail. Where reports are
// known by their sender alone, each one's header has to be read.
func (w *world) unrelatedReads() (envelopes, contents int) {
	for _, r := range w.office.Books().Reads() {
		known := r.System && slices.ContainsFunc(w.plan.Senders, func(s Sender) bool {
			return s.Address == r.Mailbox && s.Kind == provider.MSGraph && s.Access == provider.AccessEnvelopes
		})
		if !r.Unrelated {
			continue
		}
		contents += r.Contents
		if !known {
			envelopes += r.Envelopes
		}
	}
	return envelopes, contents
}

// candidate is one candidate's part of a history.
type candidate struct {
	*world
	Candidate
	id string
}

func (w *world) candidate(i int) *candidate {
	return &candidate{world: w, Candidate: w.plan.Candidates[i], id: w.ids[i]}
}

func (c *candidate) service() *service { return c.services[c.Sender] }

// sent are the accepted mails of the drip to the candidate, in order.
func (c *candidate) sent() []postoffice.Submission {
	return slices.DeleteFunc(c.office.Books().SentFrom(c.service().plan.Address), func(s postoffice.Submission) bool {
		return !slices.Contains(s.Recipients, c.Address) || bytes.Contains(s.Raw, []byte(c.deskText()))
	})
}

// wrote are the messages that the candidate's way brought into the mailbox,
// the oldest first.
func (c *candidate) wrote() []postoffice.Message {
	var out []postoffice.Message
	for m := range c.service().box.Visible() {
		if c.isOf(m) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b postoffice.Message) int { return a.VisibleAt.Compare(b.VisibleAt) })
	return out
}

func (c *candidate) isOf(m postoffice.Message) bool {
	switch {
	case m.Unrelated:
		return false
	case m.Own: // ours, or the owner's by hand
		return c.Way == wayOwner && strings.HasPrefix(m.MessageID, handPrefix) && bytes.Contains(m.Raw, []byte("To: "+c.Address))
	case c.from(m, c.Address), c.from(m, c.Private), c.from(m, c.Colleague):
		return true
	}
	var from []provider.Address
	for _, a := range m.From {
		from = append(from, provider.Address{Addr: a})
	}
	return c.Way.reports() && provider.IsSystemSender(from) && bytes.Contains(m.Raw, []byte(c.Address))
}

func (c *candidate) from(m postoffice.Message, addr string) bool {
	return addr != "" && slices.Contains(m.From, addr)
}

// foreign reports whether a message comes from an address that nobody
// searches for: what ties it to the mail is its thread.
func (c *candidate) foreign(m postoffice.Message) bool {
	return m.Own || c.threadsOnly() || c.from(m, c.Private) || c.from(m, c.Colleague)
}

// headers reports whether the access shows headers and nothing else: then what
// no person wrote may be taken for an answer.
func (c *candidate) headers() bool { return c.service().plan.Access == provider.AccessEnvelopes }

// threadsOnly reports whether nobody can be searched for.
func (c *candidate) threadsOnly() bool { return c.headers() && c.service().google != nil }

// afresh reports whether a message lies in a thread that a further address of
// the candidate's opened.
func (c *candidate) afresh(m postoffice.Message) bool {
	return c.Way == wayLater && !strings.HasPrefix(m.Subject, "Re: ")
}

// sees reports whether the access and the service let the library see what
// the way brings.
func (c *candidate) sees() bool {
	s := c.service().plan
	switch {
	case s.Access == provider.AccessSend || c.Way == wayForged:
		return false
	case c.headers() && !c.answers():
		return false // held, or taken for an answer, as the headers are
	case c.threadsOnly():
		return s.joins() && c.Way != wayNew && c.Way != wayParent && c.Way != wayBare
	case c.Way.reports():
		return s.cites()
	}
	return c.Private == "" && c.Colleague == "" && c.Way != wayOwner || s.joins()
}

// shown is when the library could first see a message: one from an address
// that nobody searches for comes by the feed alone, where that is all there is.
func (c *candidate) shown(m postoffice.Message) time.Time {
	if !c.foreign(m) || c.afresh(m) {
		return m.VisibleAt
	}
	switch at, silent := c.service().silent(m); {
	case silent && at.IsZero():
		return never
	case silent:
		return at
	}
	if s := c.service(); s.entra != nil && !m.Has(postoffice.LabelInbox) && !m.Has(postoffice.LabelJunk) && !m.Own && m.VisibleAt.Sub(m.Received) > relisted {
		return never
	}
	if at := latest(c.service().begun, m.VisibleAt); at.Sub(m.Received) > relisted {
		return never
	}
	return m.VisibleAt
}

// relisted is how late Graph may show what was filed away and comes from an
// address nobody searches for: no delta tells of it, and what was received is
// listed again for so long.
const relisted = time.Hour

// unread reports whether a message could not be read for so long that a person
// was asked to. Of a report that can't be read nobody knows whom it is about.
func (c *candidate) unread() bool {
	return slices.ContainsFunc(c.told, func(s string) bool {
		return strings.Contains(s, "can't be read") && (strings.Contains(s, c.key()) || c.Way.reports())
	})
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
	e, err := c.clerk.Get(ctx, c.id)
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
	reads := c.service().plan.Access != provider.AccessSend
	for i, m := range mails {
		at := c.left(m.At)
		read := c.lastRead(at)
		if i > 0 && reads && at.Sub(read) > c.fresh(read, at) {
			say("mail %d left at %v, %v after the last read began", i+1, at, at.Sub(read))
		}
		if !c.sees() {
			continue
		}
		for _, a := range c.wrote() {
			if seen := c.shown(a); !seen.After(at) && !c.afresh(a) {
				c.checkLate(e, i, at, latest(c.service().feeds, at), seen, say)
			}
		}
	}
	c.checkTwin(e, mails, say)
	c.checkEnd(e, mails, say)
	if err := c.checkDesk(ctx, mails, say); err != nil {
		return err
	}
	return c.checkLog(ctx, len(mails)+len(c.fromDesk()), say)
}

// reportsWithin is how long a delivery report may lie there unseen: it is
// looked for in whole reads alone, which may fail several times in a row.
const reportsWithin = 8 * time.Hour

// checkLate: no mail leaves though something that forbids it was there to
// see, seen, before the read began.
func (c *candidate) checkLate(e runner.Enrollment, i int, at, read, seen time.Time, say func(string, ...any)) {
	if c.Way.reports() {
		if c.unread() {
			return
		}
		seen = seen.Add(reportsWithin)
	}
	early := seen.Before(read) && i > 0
	if c.answers() && e.Status == runner.StatusReplied && e.Crossed == 0 {
		say("mail %d left after the answer was visible and is not marked as crossed", i+1)
	}
	switch {
	case c.Way.away():
		if early && at.Before(awayUntil()) {
			say("mail %d left at %v although %s is away until %v", i+1, at, c.Address, awayUntil())
		}
	case c.Way.expected().status == "":
	case early:
		say("mail %d left at %v although the answer was visible at %v, before the read at %v", i+1, at, seen, read)
	}
}

// checkTwin: who answered in one mailbox is not written to from another,
// unless the sequence is independent.
func (c *candidate) checkTwin(e runner.Enrollment, mails []postoffice.Submission, say func(string, ...any)) {
	if c.TwinOf == 0 {
		return
	}
	told, answered := c.handled[c.world.candidate(c.TwinOf-1).key()]
	switch {
	case c.Independent && e.Status == runner.StatusReplied:
		say("is replied, and independent of what was answered")
	case c.Independent || !answered:
	case e.Status != runner.StatusReplied && e.Status != runner.StatusCompleted && e.Status != runner.StatusStopped:
		say("is %s although the same person answered in another mailbox", e.Status)
	default:
		for i, m := range mails {
			if at := c.left(m.At); at.Sub(told) > c.fresh(told, at) {
				say("mail %d left at %v although the same person's answer in another mailbox was told at %v", i+1, at, told)
			}
		}
	}
}

// ends is when the message could be seen that decides how the enrollment
// ends; zero if there is none.
func (c *candidate) ends() time.Time {
	var first time.Time
	if !c.sees() || c.Way.expected().status == "" {
		return first
	}
	for _, m := range c.wrote() {
		if at := c.shown(m); at != never && !c.afresh(m) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// strange reports whether an answer came from an address that nobody knows,
// into a thread that the service merged: both drips in it are held then, and a
// person says whose it is.
func (c *candidate) strange(e runner.Enrollment) bool {
	return c.service().plan.World.EqualSubjectsMerge && (c.Way == wayPrivate || c.Way == wayLater) && strings.HasPrefix(e.Reason, "somebody unknown wrote")
}

// checkEnd: everything ended, or is visibly held, and for a reason that there
// is.
func (c *candidate) checkEnd(e runner.Enrollment, mails []postoffice.Submission, say func(string, ...any)) {
	keys := make(map[string]bool)
	for _, m := range mails {
		keys[m.Key] = true
	}
	want, ended := c.Way.expected().status, c.ends()
	because := func(status runner.Status) bool { return want == status && len(c.wrote()) > 0 }
	switch e.Status {
	case runner.StatusActive:
		say("is still active")
	case runner.StatusHeld:
		if e.Reason == "" {
			say("is held without a reason")
		}
		if !ended.IsZero() && want != runner.StatusHeld && !c.strange(e) && !(e.Flagged && c.unread()) {
			say("is held although an answer came")
		}
		if !ended.IsZero() && !e.Flagged {
			say("is held, and nobody is asked to look")
		}
	case runner.StatusCompleted:
		if len(keys) != c.plan.Steps {
			say("is completed with %d of %d mails", len(keys), c.plan.Steps)
		}
		if !ended.IsZero() && len(mails) > 0 && ended.Before(mails[len(mails)-1].At) && !(c.Way.reports() && c.unread()) {
			say("is completed although an answer was there before the last mail")
		}
	case runner.StatusReplied:
		if !because(e.Status) && !(c.headers() && len(c.wrote()) > 0) && (c.TwinOf == 0 || len(c.world.candidate(c.TwinOf-1).wrote()) == 0) {
			say("is replied, and nobody answered")
		}
	case runner.StatusBounced:
		if !because(e.Status) {
			say("is bounced, and nothing bounced")
		}
	case runner.StatusUnsubscribed:
		if !because(e.Status) {
			say("is unsubscribed, and nobody complained")
		}
	case runner.StatusStopped:
		if _, byHand := c.stopped[c.id]; !byHand {
			say("is stopped, and nobody stopped it")
		}
	case runner.StatusTookOver:
		// A service that leaves nothing on our own mail makes a stranger of it.
		_, fromDesk := c.desk.answered[c.key()]
		if c.service().plan.recognises() && !because(e.Status) && !fromDesk {
			say("is taken over, and the owner wrote nothing")
		}
	default:
		say("has the status %q", e.Status)
	}
}
