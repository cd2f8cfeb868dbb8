package runner

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// judgement is one message of a conversation and what it means.
type judgement struct {
	env       *provider.Envelope
	msg       *provider.Message // nil where content can't be read
	verdict   classify.Verdict
	direction provider.Direction
	said      said
	hits      map[string]provider.Hit // the conversations it is part of
	told      bool                    // that it is an answer was told when its headers were read
	later     bool                    // its content can't be had now: it is judged and logged once more then
	guessed   bool                    // a report, which may be about anybody: it holds and is in no conversation
	shared    bool                    // it lies in a thread of several people, and its author is none of them
	opened    bool                    // it began its thread
	address   string                  // an address that it shows to be the recipient's too; empty is none
}

// meansAll reports whether the message concerns every enrollment of its
// author, not only those whose conversation it is in: an answer ends them,
// what may be one holds them, and who is away is so for all of them.
func (j *judgement) meansAll() bool {
	if j.direction != provider.DirectionIn || j.shared {
		return false
	}
	switch j.verdict.Class {
	case classify.Human:
		return true
	case classify.Bounce, classify.Delayed, classify.Receipt, classify.FeedbackReport:
		return false
	}
	return !provider.IsSystemSender(j.env.From)
}

// elsewhere says what the message means to another enrollment of its author.
func (j *judgement) elsewhere(zone *time.Location) (sequence.Event, string) {
	switch j.verdict.Class {
	case classify.Human:
		return sequence.Event{Kind: sequence.EventReplied}, answeredElsewhere
	case classify.OutOfOffice, classify.AutoReply:
		return j.away(zone)
	}
	return sequence.Event{Kind: sequence.EventUnsure}, "an unclear message arrived elsewhere: " + j.verdict.Evidence
}

const answeredElsewhere = "answered elsewhere"

// endsElsewhere reports whether an answer of the recipient's that is not part
// of its conversation ends the enrollment.
func (l *loaded) endsElsewhere() bool {
	return !l.st.Terminal() && !l.seq.Independent && l.row.Kind != kindPreview
}

func (j *judgement) away(zone *time.Location) (sequence.Event, string) {
	return sequence.Event{Kind: sequence.EventAutoReplied, Until: sequence.InstantOf(inZone(j.verdict.Until, zone))}, "out of office"
}

// byHand reports whether the mailbox's owner wrote the message, and not a
// program for them.
func (j *judgement) byHand() bool {
	return j.direction == provider.DirectionOwn && j.verdict.Class != classify.AutoReply && j.verdict.Class != classify.OutOfOffice
}

// judge applies the judgement to one enrollment: one of its conversations,
// or another enrollment of the same author.
func (p *pass) judge(l *loaded, b *store.Batch, j *judgement) error {
	at := sequence.InstantOf(j.env.Received)
	if at <= 0 {
		at = sequence.InstantOf(p.r.cfg.Now())
	}
	hit, direct := j.hits[l.id()]
	if !direct && j.verdict.Class == classify.FeedbackReport { // another of who complained
		return p.r.happen(l, b, sequence.Event{Kind: sequence.EventUnsubscribed, At: at}, complained)
	}
	if !direct {
		if !l.endsElsewhere() || j.env.Received.Before(l.row.Created.Add(-provider.ClockSlack)) {
			return nil
		}
		ev, reason := j.elsewhere(p.r.calendar(l).Zone)
		ev.At = at
		return p.r.happen(l, b, ev, reason)
	}
	if !j.later {
		b.Index = append(b.Index, p.refRow(l, j.env.Ref))
	}
	if t := j.env.Thread; t != "" && hit.Evidence == provider.EvidenceAddress && j.opened {
		// The thread that the recipient opened is part of the conversation now.
		if !slices.Contains(l.rec.Threads, t) {
			l.rec.Threads = append(l.rec.Threads, t)
		}
		b.Index = append(b.Index, store.IndexRow{
			Kind: store.IndexThread, Value: indexed(t), Mailbox: p.box.ID, Enrollment: l.id(), Until: p.r.cfg.Now().Add(p.r.opts.TrackFor),
		})
	}
	p.r.meet(l, b, j.address, p.r.cfg.Now())
	if !hit.Copied && !j.shared {
		l.hear(j, p.linked.Account)
	}
	ev, reason := j.event(l, hit, p.r.calendar(l).Zone)
	ev.At = at
	if ev.Kind != sequence.EventNone && !(ev.Kind == sequence.EventReplied && j.told && l.st.Terminal()) {
		if err := p.r.happen(l, b, ev, reason); err != nil {
			return err
		}
	}
	if ev.Kind == sequence.EventUnsubscribed {
		l.row.Flagged = true
		p.r.tell(l, b, Event{Kind: EventFlagged, At: at.Time(), Reason: reason})
		b.Suppressions = append(b.Suppressions, store.Suppression{Hash: p.r.suppressionHash(l.row.Recipient), Reason: "complaint", At: p.r.cfg.Now()})
	}
	if j.later || j.guessed {
		return nil
	}
	j.offer(p.r, l, b, hit)
	// A gap is read newest first, so either may be read before the other.
	if j.byHand() {
		l.wroteByHand(j.env, p.linked.Account)
	}
	unheard := l.rec.Heard == nil || !l.rec.Heard.At.After(l.rec.Answered)
	if unheard && (j.byHand() || j.settled(l) && ev.Kind == sequence.EventReplied) {
		p.r.answered(l, b, at.Time())
	}
	row, err := p.r.entryRow(j.entry(l, hit))
	if err != nil {
		return err
	}
	b.Outbox = append(b.Outbox, row)
	return nil
}

// asks reports whether a person should look at the message, and maybe answer:
// a person's, and what may be one. A report is nobody's to answer.
func (j *judgement) asks() bool {
	switch j.verdict.Class {
	case classify.OutOfOffice, classify.AutoReply, classify.Bounce, classify.Delayed, classify.Receipt, classify.FeedbackReport:
		return false
	}
	return j.direction == provider.DirectionIn
}

// settled reports whether the owner wrote in the conversation by hand after
// the message came.
func (j *judgement) settled(l *loaded) bool {
	return !l.rec.Answered.IsZero() && !j.env.Received.After(l.rec.Answered)
}

// event says what the message means to the engine. No kind is nothing: the
// message is logged and changes nothing.
func (j *judgement) event(l *loaded, hit provider.Hit, zone *time.Location) (sequence.Event, string) {
	v := j.verdict
	if j.direction == provider.DirectionOwn {
		if !j.byHand() {
			return sequence.Event{}, ""
		}
		return sequence.Event{Kind: sequence.EventTookOver}, "the owner wrote in the thread by hand"
	}
	switch v.Class {
	case classify.Bounce:
		return j.bounce(l, hit)
	case classify.FeedbackReport:
		return j.complaint(l, hit)
	case classify.Receipt, classify.Delayed:
		return sequence.Event{}, ""
	}
	if hit.Copied {
		return sequence.Event{}, ""
	}
	switch v.Class {
	case classify.Human:
		if j.shared {
			return sequence.Event{Kind: sequence.EventUnsure}, "somebody unknown wrote in a thread that holds mail to several people"
		}
		return sequence.Event{Kind: sequence.EventReplied}, answerBy[hit.Evidence]
	case classify.OutOfOffice, classify.AutoReply:
		return j.away(zone)
	}
	return sequence.Event{Kind: sequence.EventUnsure}, "an unclear message arrived: " + v.Evidence
}

// inZone reads a return date that names nothing but a day as that day where
// the recipient is, if that is later: nobody is back before.
func inZone(back time.Time, zone *time.Location) time.Time {
	y, m, d := back.Date()
	if back.IsZero() || !back.Equal(time.Date(y, m, d, 0, 0, 0, 0, back.Location())) {
		return back
	}
	return later(back, time.Date(y, m, d, 0, 0, 0, 0, zone))
}

// answerBy says in words what made a message an answer.
var answerBy = map[provider.Evidence]string{
	provider.EvidenceReference: "an answer to our mail",
	provider.EvidenceThread:    "an answer in the thread of our mail",
	provider.EvidenceAddress:   "a new mail from the recipient",
}

// cites reports whether the message names a mail of this enrollment: whoever
// wrote it has seen that mail. Anybody can forge the rest of a report.
func (j *judgement) cites(l *loaded, hit provider.Hit) bool {
	return hit.Evidence == provider.EvidenceReference ||
		j.msg != nil && j.msg.Report != nil && l.wrote(provider.BareID(j.msg.Report.OriginalMessageID), j.msg.Report.OriginalKey)
}

// bounce ends the enrollment only if the report says that this recipient
// can't be reached, and cites mail of ours. What may pass changes nothing:
// the next step is tried. What a person must judge is held for one.
func (j *judgement) bounce(l *loaded, hit provider.Hit) (sequence.Event, string) {
	unsure := sequence.Event{Kind: sequence.EventUnsure}
	if !j.cites(l, hit) {
		return unsure, "a delivery report that cites no mail of ours"
	}
	if len(j.verdict.Failed) == 0 {
		return unsure, "a delivery report that names nobody"
	}
	forwarded := false
	for _, f := range j.verdict.Failed {
		if provider.Normalize(f.Recipient) != l.row.Recipient && (f.Recipient != "" || f.Kind != classify.Limit) {
			forwarded = forwarded || f.Kind == classify.Hard && f.Recipient != "" && !l.copied(f.Recipient)
			continue
		}
		switch f.Kind {
		case classify.Limit:
			return unsure, "the mail service refused to send: " + cmp.Or(f.Status, "its limit is reached")
		case classify.Hard:
			return sequence.Event{Kind: sequence.EventBounced}, "the address takes no mail: " + cmp.Or(f.Status, v5)
		case classify.Policy:
			return unsure, "the mail was refused by a rule, and the address may be good: " + cmp.Or(f.Status, v5)
		case classify.Unclear:
			return unsure, "the mail was not delivered, and the report does not say why: " + cmp.Or(f.Status, v5)
		}
		return sequence.Event{}, "" // it may still arrive, or a later mail may
	}
	if forwarded {
		return unsure, "the mail was not delivered to an address that it was not sent to, as where the recipient's mail is forwarded"
	}
	return sequence.Event{}, "" // somebody in copy
}

// copied reports whether mail of the conversation went to the address beside
// the recipient.
func (l *loaded) copied(addr string) bool {
	s, _ := l.known()
	return slices.ContainsFunc(s.Copied, func(a string) bool { return provider.Normalize(a) == provider.Normalize(addr) })
}

// complaint is a report of the recipient's service that the recipient called
// the mail abuse, or wants no more. It counts as an opt-out if it cites a
// mail of ours; a report that a program caused changes nothing.
func (j *judgement) complaint(l *loaded, hit provider.Hit) (sequence.Event, string) {
	switch {
	case !j.verdict.Complaint:
		return sequence.Event{}, ""
	case !j.cites(l, hit):
		return sequence.Event{Kind: sequence.EventUnsure}, "a complaint that cites no mail of ours"
	}
	return sequence.Event{Kind: sequence.EventUnsubscribed}, complained
}

const complained = "the recipient's mail service passed on a complaint"

// v5 stands for a failure whose report has no status code.
const v5 = "5.0.0"

// entry is the message as the conversation shows it.
func (j *judgement) entry(l *loaded, hit provider.Hit) store.Entry {
	env := j.env
	e := store.Entry{
		Key: l.row.Mailbox + "/" + string(env.Ref) + "/" + l.id(), Conversation: l.id(), Mailbox: l.row.Mailbox,
		Link: l.row.Link, Owner: l.row.Owner, Actor: l.row.Actor, Recipient: l.row.Recipient,
		Direction: DirectionIn, Class: string(j.verdict.Class), Evidence: string(hit.Evidence),
		Ref: string(env.Ref), MessageID: env.MessageID, From: joinAddresses(env.From), To: joinAddresses(env.To),
		Cc: joinAddresses(env.Cc), Subject: env.Subject, At: env.Received,
		Answers:      j.byHand(),
		AnswerNeeded: j.asks() && !hit.Copied && !j.settled(l),
	}
	if j.direction == provider.DirectionOwn {
		e.Direction = DirectionOwn
	}
	if j.msg != nil {
		e.Text, e.Fresh, e.HTML = j.msg.Text, j.said.fresh, j.said.html
		if !hit.Copied {
			e.OptOut = string(j.said.wish.Kind)
		}
		for _, a := range j.msg.Attachments {
			e.Parts = append(e.Parts, store.Part{Part: a.Part, Name: a.Name, ContentType: a.ContentType, Size: a.Size, ContentID: a.ContentID, Inline: a.Inline})
		}
	}
	return e
}

func joinAddresses(as []provider.Address) string {
	parts := make([]string, len(as))
	for i, a := range as {
		parts[i] = a.String()
	}
	return strings.Join(parts, ", ")
}
