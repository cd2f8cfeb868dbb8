package runner

import (
	"context"
	"errors"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// recovery counts what a pass made up for.
type recovery struct {
	asked, found, unsettled, undecided int
	done                               bool
}

// skipEvents is added to the counters that make ids of events unique. Those
// of the lost time may have reached the host, and must not come again for
// something else.
const skipEvents = 1 << 20

// noteRestored keeps the backup's cursor before anything moves it: only a
// feed from before the lost time proves what did not leave in it.
func (p *pass) noteRestored(ctx context.Context) error {
	if p.restored == nil || p.data.Restored == p.restored.key() {
		return nil
	}
	p.data.Restored, p.data.Before = p.restored.key(), string(p.box.Cursor)
	p.data.Marks += skipEvents
	return p.save(ctx)
}

// recover makes up for the time that a restored store knows nothing of:
// what left in it is asked for, and what came in it is read. Until it returns
// nil nothing is sent from the mailbox.
func (p *pass) recover(ctx context.Context) error {
	re := p.restored
	if re == nil || p.data.Recovered == re.key() {
		return nil
	}
	var ids []string
	for _, status := range []Status{StatusActive, StatusHeld} {
		err := p.r.listAll(ctx, store.ListEnrollments{Mailbox: p.box.ID, Status: string(status)}, func(row store.Enrollment) { ids = append(ids, row.ID) })
		if err != nil {
			return err
		}
	}
	// A mail that is found proves that the mailbox keeps copies. So what is
	// not found is looked at once all others are.
	for round := 1; round <= 2 && len(ids) > 0; round++ {
		var left []string
		for _, id := range ids {
			if err := p.hold(ctx); err != nil {
				return err
			}
			wait, err := p.recoverOne(ctx, id, round == 2 || p.data.Proven)
			if err != nil {
				return err
			}
			if wait {
				left = append(left, id)
			}
		}
		ids = left
	}
	if err := p.lostTime(ctx); err != nil {
		return err
	}
	p.data.Recovered, p.recovery.done = re.key(), true
	return p.save(ctx)
}

// lostTime reads what came since the backup. Its cursor may have expired, or
// be one that the mailbox has not reached, so it is not relied on.
func (p *pass) lostTime(ctx context.Context) error {
	if !p.linked.Abilities.ThreadReplies {
		return nil
	}
	p.reachBack()
	p.data.LastRead = earlier(p.data.LastRead, p.restored.Since)
	if err := p.closeGap(ctx); err != nil {
		return err
	}
	return p.read(ctx, true)
}

// reachBack has the next search for senders and reports begin at the backup,
// and no follow-up leave before it.
func (p *pass) reachBack() {
	p.readStart, p.data.ReadStart = time.Time{}, time.Time{}
	p.r.noteRead(p.box.ID, time.Time{})
	p.data.Searched = earlier(p.data.Searched, p.restored.Since)
	p.data.Reported = earlier(p.data.Reported, p.restored.Since)
}

// recoverDue asks about an enrollment that is due, if it was not asked about:
// one that was held until now, or was enrolled again. It reports true if that
// changed the enrollment, which then is looked at anew when it is due.
func (p *pass) recoverDue(ctx context.Context, l *loaded) (bool, error) {
	if len(p.mayHaveLeft(l)) == 0 {
		return false, nil
	}
	was, asked := l.row.Version, l.rec.Asked
	if _, err := p.recoverOne(ctx, l.id(), true); err != nil {
		return true, err
	}
	now, err := p.again(ctx, l.id())
	if err != nil || now == nil {
		return true, err
	}
	if now.st == l.st && (now.row.Version == was || now.rec.Asked != asked) {
		*l = *now // nothing had left
		return false, nil
	}
	if err := p.watch(ctx); err != nil {
		return true, err
	}
	return true, p.catchUp(ctx)
}

// mayHaveLeft lists the steps, from the next one on, up to the last whose mail
// can have left in the lost time; none if the next one was asked about. Windows
// and holds are left out of account: a hold may have ended in the lost time,
// and a step may have been skipped.
func (p *pass) mayHaveLeft(l *loaded) []sequence.Step {
	re := p.restored
	if re == nil || l.st.Terminal() || l.st.Open != 0 || l.row.Created.After(re.Reenroll) || l.row.Link != p.box.Link {
		return nil
	}
	base := re.Since
	if !l.row.Created.After(re.Since) {
		base = later(l.st.EnrolledAt.Time(), l.st.LastSent.Time())
	}
	const clocks = 3 * time.Hour // a calendar day can be shorter than 24 hours
	var steps []sequence.Step
	possible := 0
	for _, step := range l.seq.Steps {
		bit := stepBit(step.ID)
		if (l.st.Done|l.st.Skipped)&bit != 0 {
			continue
		}
		if len(steps) == 0 && l.rec.Restored == re.key() && l.rec.Asked&bit != 0 {
			return nil
		}
		steps = append(steps, step)
		if !base.AddDate(0, 0, step.Days).Add(step.After - clocks).After(re.Until) {
			possible = len(steps)
		}
		base = later(base, re.Since) // those before it may have been skipped at once
	}
	return steps[:possible]
}

func stepBit(id sequence.StepID) uint64 { return 1 << (uint64(id) - 1) }

// recoverOne finds out which of an enrollment's mails left in the lost time,
// one after the other. Unless decide is set, one that can't be told about
// changes nothing, and true says so.
func (p *pass) recoverOne(ctx context.Context, id string, decide bool) (bool, error) {
	for tries := 0; ; tries++ {
		l, err := p.again(ctx, id)
		if err != nil || l == nil {
			return false, err
		}
		steps := p.mayHaveLeft(l)
		if len(steps) == 0 {
			return false, nil
		}
		wait, err := p.recoverStep(ctx, l, steps, decide)
		if errors.Is(err, store.ErrConflict) && tries < maxConflicts {
			continue // somebody else decided something about it
		}
		if err != nil || wait {
			return wait, err
		}
	}
}

// recoverStep deals with the next mail of an enrollment. One that left after
// it says that it left itself, or was skipped.
func (p *pass) recoverStep(ctx context.Context, l *loaded, steps []sequence.Step, decide bool) (bool, error) {
	copies, answer, err := p.locateLost(ctx, l, steps[0])
	if err != nil {
		return false, err
	}
	if gone := departed(copies); gone != nil {
		return false, p.foundLost(ctx, l, steps[0], *gone)
	}
	absent := errors.Is(answer, provider.ErrNotSent) && !l.seq.HoldUnknown
	for _, step := range steps[1:] {
		after, _, err := p.locateLost(ctx, l, step)
		if err != nil {
			return false, err
		}
		if departed(after) != nil {
			return false, p.r.commit(ctx, []*loaded{l}, func(_ []*loaded, b *store.Batch) error {
				b.Fence = &p.claim.Fence
				p.asked(l, steps[0])
				return p.r.happen(l, b, sequence.Event{Kind: sequence.EventSkipped, Step: steps[0].ID, At: sequence.InstantOf(p.restored.Since)}, "")
			})
		}
	}
	switch {
	case absent, l.row.Kind == kindPreview && errors.Is(answer, provider.ErrOutcomeUnknown):
		// A preview that may come twice comes to its own sender.
		return false, p.r.commit(ctx, []*loaded{l}, func(_ []*loaded, b *store.Batch) error {
			b.Fence = &p.claim.Fence
			p.asked(l, steps...)
			return nil
		})
	case !decide, !p.canOpen(l):
		return true, nil
	}
	in, err := p.openLost(ctx, l, steps[0], lostMail{}, true)
	if err != nil {
		return false, err
	}
	if errors.Is(answer, provider.ErrOutcomeUnknown) {
		p.recovery.undecided++
	} else {
		p.recovery.unsettled++
	}
	return false, p.answered(ctx, in, copies, answer)
}

// asked remembers that the mailbox was asked about these steps.
func (p *pass) asked(l *loaded, steps ...sequence.Step) {
	if l.rec.Restored != p.restored.key() {
		l.rec.Restored, l.rec.Asked = p.restored.key(), 0
		l.rec.Notes += skipEvents
	}
	for _, step := range steps {
		l.rec.Asked |= stepBit(step.ID)
	}
}

// canOpen reports whether the engine takes an open mail now.
func (p *pass) canOpen(l *loaded) bool {
	now := sequence.InstantOf(p.r.cfg.Now())
	return l.st.Holds == 0 && l.st.HeldUntil <= now && l.st.RetryAt <= now
}

// locateLost asks the mailbox for a mail that may have left in the lost time.
// The answer is one of the kinds that say what became of it, or nil if copies
// were found.
func (p *pass) locateLost(ctx context.Context, l *loaded, step sequence.Step) (copies []provider.Located, answer, err error) {
	if err := p.hold(ctx); err != nil {
		return nil, nil, err
	}
	p.recovery.asked++
	messageID, sendKey, err := p.r.mailIDs(l.id(), step.ID)
	if err != nil {
		return nil, nil, err
	}
	key := provider.SendKey{
		MessageID: messageID, Key: sendKey, To: []string{l.rec.To.Addr},
		From: p.restored.Since, Deadline: p.restored.Until, Cursor: provider.Cursor(p.data.Before), Proven: p.data.Proven,
	}
	copies, err = p.mb.locate(ctx, key, ReasonReconcile)
	if errors.Is(err, provider.ErrRejected) && key.Cursor != "" {
		key.Cursor, p.data.Before = "", "" // the mailbox does not know it, so nothing can be proven by it
		copies, err = p.mb.locate(ctx, key, ReasonReconcile)
	}
	var pe *provider.Error
	if !errors.As(err, &pe) {
		return copies, nil, err
	}
	switch pe.Kind {
	case provider.ErrNotSent, provider.ErrNotSettled, provider.ErrOutcomeUnknown:
		return nil, pe, nil
	case provider.ErrRejected:
		// One question that is refused for good must not hold all others.
		return nil, &provider.Error{Kind: provider.ErrOutcomeUnknown, Op: pe.Op, Reason: pe.Reason, Err: pe}, nil
	}
	return nil, nil, err
}
