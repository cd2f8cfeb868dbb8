package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// sendDue sends what is due, one mail after the other.
func (p *pass) sendDue(ctx context.Context) error {
	for _, row := range p.claim.Due {
		if err := ctx.Err(); err != nil {
			return err
		}
		if slices.Contains(p.damaged, row.ID) {
			continue
		}
		if err := p.hold(ctx); err != nil {
			return err
		}
		err := p.aside(ctx, row.ID, p.due(ctx, row.ID))
		var paced *pacedError
		if errors.As(err, &paced) {
			p.pacedTill = paced.until
			return nil
		}
		if errors.Is(err, store.ErrConflict) {
			continue // somebody else decided meanwhile; it comes up again if it is still due
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// due looks at one enrollment whose time has come. When it returns nil the
// enrollment's due time has moved, or its mail is sent.
func (p *pass) due(ctx context.Context, id string) error {
	l, err := p.again(ctx, id)
	if err != nil || l == nil {
		return err
	}
	if l.row.Link != p.box.Link {
		l.rec.Barred = ""
		return p.only(ctx, l, sequence.EventMailboxLost, "the mailbox belongs to another link now")
	}
	if _, zone, ok := p.r.zoned(l); !ok {
		return p.only(ctx, l, sequence.EventUnsure, fmt.Sprintf("the time zone %q is not known here any more", zone))
	}
	if l.rec.Barred != "" {
		if still, err := p.askAgain(ctx, l); err != nil || still {
			return err
		}
	}
	now := p.r.cfg.Now()
	next := sequence.Next(l.seq, l.st, p.r.calendar(l), now)
	switch {
	case next.Kind == sequence.DueComplete:
		return p.only(ctx, l, sequence.EventEdited, "")
	case next.Kind != sequence.DueSend || next.At.After(now) || l.rec.NotBefore.After(now):
		return p.putOff(ctx, l, l.rec.NotBefore, l.rec.Hold)
	}
	if p.data.StoppedUntil.After(now) {
		return p.putOff(ctx, l, p.data.StoppedUntil, "the mail service refuses mail of this mailbox: "+p.data.StopReason)
	}
	if asked, err := p.recoverDue(ctx, l); err != nil || asked {
		return err
	}
	step, ok := stepOf(l.seq, next.Step)
	if !ok {
		return fmt.Errorf("runner: enrollment %s: the sequence has no step %d", l.id(), next.Step)
	}
	if p.unsought(l) && !p.paced().After(now) {
		if err := p.seekPrior(ctx, l); err != nil {
			return err
		}
		if l, err = p.again(ctx, id); err != nil || l == nil {
			return err
		}
		if now = p.r.cfg.Now(); !p.r.dueNow(l, now) {
			return nil
		}
	}
	deadline := now.Add(p.sendTimeout())
	if l.row.Kind == kindDrip && len(l.rec.Mails) > 0 {
		fresh, err := p.fresh(ctx, l)
		if err != nil || !fresh.ok {
			return err
		}
		if !fresh.until.IsZero() {
			deadline = earlier(deadline, fresh.until)
			// The read may have brought the answer.
			if l, err = p.again(ctx, id); err != nil || l == nil {
				return err
			}
			if n := sequence.Next(l.seq, l.st, p.r.calendar(l), p.r.cfg.Now()); n.Kind != sequence.DueSend || n.Step != step.ID {
				return p.putOff(ctx, l, time.Time{}, l.rec.Hold)
			}
		}
	}
	if at := p.paced(); at.After(p.r.cfg.Now()) {
		return &pacedError{until: at}
	}
	return p.sendStep(ctx, l, step, earlier(deadline, p.leaseEnd))
}

// again reads one enrollment anew; nil if it is gone.
func (p *pass) again(ctx context.Context, id string) (*loaded, error) {
	ls, err := p.r.load(ctx, []string{id})
	if err != nil || len(ls) == 0 {
		return nil, err
	}
	return ls[0], nil
}

func stepOf(s *sequence.Sequence, id sequence.StepID) (sequence.Step, bool) {
	for _, step := range s.Steps {
		if step.ID == id {
			return step, true
		}
	}
	return sequence.Step{}, false
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (p *pass) sendTimeout() time.Duration {
	if t := p.linked.Limits.SendTimeout; t > 0 {
		return t
	}
	return time.Minute
}

// only commits one event of one enrollment.
func (p *pass) only(ctx context.Context, l *loaded, kind sequence.EventKind, reason string) error {
	return p.r.commit(ctx, []*loaded{l}, func(_ []*loaded, b *store.Batch) error {
		return p.r.happen(l, b, sequence.Event{Kind: kind, At: sequence.InstantOf(p.r.cfg.Now())}, reason)
	})
}

// putOff moves an enrollment's due time to what the engine says now, and not
// before until.
func (p *pass) putOff(ctx context.Context, l *loaded, until time.Time, why string) error {
	return p.r.commit(ctx, []*loaded{l}, func([]*loaded, *store.Batch) error {
		l.rec.NotBefore, l.rec.Hold = until, why
		return nil
	})
}

// freshness is whether a follow-up may leave, and how long.
type freshness struct {
	ok    bool
	until time.Time // zero: no read was made and none is needed
}

// fresh makes sure that the mailbox was read, as far as the link can, and
// that the previous mail's real Message-ID is known.
func (p *pass) fresh(ctx context.Context, l *loaded) (freshness, error) {
	now := p.r.cfg.Now()
	if !p.linked.Abilities.ThreadReplies {
		if l.seq.AcceptBlind {
			return freshness{ok: true}, nil
		}
		return freshness{}, p.putOff(ctx, l, now.Add(p.r.opts.ReadEvery), "the link can't read answers")
	}
	if !p.linked.Abilities.SenderReplies && !l.seq.AcceptThreadOnly && !l.seq.AcceptBlind { // its access was wider once
		return freshness{}, p.putOff(ctx, l, now.Add(p.r.opts.ReadEvery), "the link can't see answers in a new thread")
	}
	if ok, err := p.confirmLast(ctx, l); err != nil || !ok {
		return freshness{}, err
	}
	if err := p.catchUp(ctx); err != nil {
		return freshness{}, err
	}
	// A read past half its time would leave too little of it for the send.
	if p.readStart.IsZero() || now.Sub(p.readStart) > p.r.opts.Freshness/2 || now.Before(p.readStart) {
		if err := p.read(ctx, false); err != nil {
			return freshness{}, err
		}
	}
	return freshness{ok: true, until: p.readStart.Add(p.r.opts.Freshness)}, nil
}

// lastWord asks the suppression list and the host's guard. It reports true
// when the mail does not go now.
func (p *pass) lastWord(ctx context.Context, l *loaded, step sequence.Step) (bool, error) {
	if l.row.Kind == kindPreview {
		return false, nil
	}
	var hashes []string
	for _, addr := range l.addresses() {
		hashes = append(hashes, p.r.suppressionHash(addr))
	}
	hit, err := p.r.cfg.Store.Suppressed(ctx, hashes)
	if err != nil {
		return true, fmt.Errorf("runner: suppression list: %w", err)
	}
	if len(hit) > 0 {
		return true, p.only(ctx, l, sequence.EventUnsubscribed, "the recipient is on the suppression list")
	}
	if p.r.cfg.Guard == nil {
		return false, nil
	}
	verdict, err := guarded(func() (Verdict, error) { return p.r.cfg.Guard(ctx, p.r.view(l), step) })
	why := "the host's guard says wait"
	switch {
	case err != nil:
		why = "the host's guard failed"
		p.r.log.ErrorContext(ctx, "runner: the guard failed, the mail waits", "enrollment", l.id(), "error", err)
	case verdict == VerdictSend:
		return false, nil
	case verdict == VerdictStop:
		return true, p.only(ctx, l, sequence.EventStopped, "stopped by the host's guard")
	case verdict != VerdictWait:
		why = "the host's guard gave no known verdict"
		p.r.log.ErrorContext(ctx, "runner: the guard's verdict is unknown, the mail waits", "enrollment", l.id(), "verdict", verdict)
	}
	return true, p.putOff(ctx, l, p.r.cfg.Now().Add(p.r.opts.RetryEvery), why)
}

// sendStep commits the intent, makes the one request, and commits the
// result, in this order and never another.
func (p *pass) sendStep(ctx context.Context, l *loaded, step sequence.Step, deadline time.Time) error {
	in, err := p.prepare(ctx, l, step, deadline)
	var field *provider.FieldError
	switch unmade := errors.Is(err, errRender); {
	case errors.As(err, &field), unmade && p.r.cfg.Now().Sub(l.rec.Unmade) > giveUpMaking && !l.rec.Unmade.IsZero():
		p.r.log.ErrorContext(ctx, "runner: the mail can't be made", "enrollment", l.id(), "step", step.ID, "error", err)
		return p.only(ctx, l, sequence.EventUnsure, "the mail can't be made: "+err.Error())
	case unmade:
		p.r.log.ErrorContext(ctx, "runner: the renderer failed, the mail waits", "enrollment", l.id(), "step", step.ID, "error", err)
		if l.rec.Unmade.IsZero() {
			l.rec.Unmade = p.r.cfg.Now()
		}
		return p.putOff(ctx, l, p.r.cfg.Now().Add(p.r.opts.RetryEvery), err.Error())
	}
	if err != nil {
		return err
	}
	if barred, err := p.bar(ctx, l); err != nil || barred {
		return err
	}
	if stop, err := p.lastWord(ctx, l, step); err != nil || stop {
		return err
	}
	now := p.r.cfg.Now()
	if !now.Before(deadline) {
		return p.putOff(ctx, l, now.Add(time.Second), "rendering and the guard took longer than the mailbox's read is fresh")
	}
	if err := p.watch(ctx); err != nil {
		return err
	}
	if err := p.aboutToSend(ctx, now); err != nil {
		return err
	}
	if err := p.r.commit(ctx, []*loaded{l}, func(_ []*loaded, b *store.Batch) error {
		b.Fence = &p.claim.Fence
		b.Intents = []store.Intent{in.intent}
		in.mail.At = now // answers may come before the result does
		l.rec.Open, l.rec.Try = &in.mail, l.rec.Try+1
		l.rec.LookAt = deadline.Add(time.Second)
		l.rec.NotBefore, l.rec.Hold, l.rec.Unmade = time.Time{}, "", time.Time{}
		if l.row.Kind != kindPreview {
			p.r.index(l, b, in.mail)
		}
		return p.r.happen(l, b, sequence.Event{Kind: sequence.EventOpened, Step: step.ID, At: sequence.InstantOf(now)}, "")
	}); err != nil {
		return err
	}
	p.paceSend(now)

	// From here on a caller who gives up must not make the outcome unknown.
	ctx = context.WithoutCancel(ctx)
	receipt, err := p.mb.send(ctx, in.outgoing)
	return p.record(ctx, l.id(), in, receipt, err)
}

// watch has the mailbox read again from now on, before a mail leaves that may
// be answered: one without tracked conversations is not.
func (p *pass) watch(ctx context.Context) error {
	if !p.linked.Abilities.ThreadReplies || !p.box.ReadAt.IsZero() {
		return nil
	}
	p.box.ReadAt, p.changed = p.r.cfg.Now().Add(p.r.opts.ReadEvery), true
	return p.save(ctx)
}

// prepared is a mail ready to leave.
type prepared struct {
	intent   store.Intent
	mail     sentMail
	outgoing *provider.Outgoing
}

var errRender = errors.New("the host's renderer failed")

// giveUpMaking is how long a failing Renderer is asked again.
const giveUpMaking = 24 * time.Hour

// guarded runs the host's code. Its panic must not take down the process, and
// with it every other mailbox, each time the mail comes up again.
func guarded[T any](call func() (T, error)) (v T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panicked: %v", r)
		}
	}()
	return call()
}

// attempt is guarded for what returns an error alone.
func attempt(call func() error) error {
	_, err := guarded(func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// prepare renders the step, or takes up the bytes of an earlier attempt that
// provably never left: what is sent again is the same mail.
func (p *pass) prepare(ctx context.Context, l *loaded, step sequence.Step, deadline time.Time) (*prepared, error) {
	earlierTry, err := p.lastTry(ctx, l, step)
	if err != nil {
		return nil, err
	}
	now := p.r.cfg.Now()
	in := store.Intent{
		ID: fmt.Sprintf("%s.%d.%d", l.id(), step.ID, l.rec.Try+1), Enrollment: l.id(), Mailbox: p.box.ID, Step: int(step.ID),
		Created: now, Deadline: deadline, State: store.IntentOpen,
	}
	var meta intentMeta
	var raw []byte
	if earlierTry != nil {
		if meta, err = p.r.metaOf(*earlierTry); err != nil {
			return nil, err
		}
		if raw, err = p.r.rawOf(*earlierTry); err != nil {
			return nil, err
		}
		in.MessageID, in.Key, in.Group = earlierTry.MessageID, earlierTry.Key, earlierTry.Group
	} else if meta, err = p.compose(ctx, l, step, &in); err != nil {
		return nil, err
	} else {
		raw = in.Raw
	}
	meta.Cursor, meta.Proven = provider.Cursor(p.box.Cursor), p.data.Proven
	if err = p.r.sealIntent(&in, raw, meta); err != nil {
		return nil, err
	}
	return &prepared{
		intent: in,
		mail: sentMail{
			Step: int(step.ID), Intent: in.ID, MessageID: in.MessageID, Key: in.Key, Thread: meta.Thread.ID,
			Subject: meta.Thread.Subject, Starts: meta.Thread.InReplyTo == "", From: l.rec.From,
		},
		outgoing: &provider.Outgoing{
			Raw: raw, MessageID: in.MessageID, Key: in.Key, From: meta.From, To: meta.To, Cc: meta.Cc, Bcc: meta.Bcc,
			Thread: meta.Thread, NotAfter: deadline,
		},
	}, nil
}

// lastTry returns the latest attempt of this step whose mail provably never
// left. That of a mail whose record was lost has no bytes: see openLost.
func (p *pass) lastTry(ctx context.Context, l *loaded, step sequence.Step) (*store.Intent, error) {
	if l.rec.Try == 0 {
		return nil, nil
	}
	intents, err := p.r.cfg.Store.LoadIntents(ctx, l.id())
	if err != nil {
		return nil, fmt.Errorf("runner: intents of %s: %w", l.id(), err)
	}
	var last *store.Intent
	for i := range intents {
		if intents[i].Step == int(step.ID) && intents[i].State == store.IntentNotSent && len(intents[i].Raw) > 0 {
			last = &intents[i]
		}
	}
	return last, nil
}

func stepKey(step sequence.StepID) string { return strconv.Itoa(int(step)) }
