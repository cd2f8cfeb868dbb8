package sequence

import "math"

// MaxAttempts is how many definite refusals of one step are tried again. The
// last of them holds the run for a person, whose EventResumed begins a new
// count.
const MaxAttempts = 8

// Apply returns the state after the event, and what the caller has to do
// once that state is durable. It is a pure function: the same input has the
// same output on every machine, and nothing is kept.
//
// The error is ErrTransition for an event that can't happen in this state,
// ErrBadState for a state that Apply never returned, and ErrInvalid for an
// event without a usable Kind or At, or no sequence. With an error the state
// comes back as it was handed in, and there are no effects.
//
// Apply does not ask whether a step is due by its delay and the window: that
// needs a Calendar, and is for Next. It does refuse to open a step while
// something holds it, including HeldUntil and RetryAt.
//
// Facts win over plans. What became of the open step's mail is accepted
// whatever has happened since it was opened, and an event that repeats what
// the state already knows changes nothing and is no error. The package
// documentation has the table of events.
func Apply(s *Sequence, st State, ev Event) (State, Effects, error) {
	if err := admit(s, &st, &ev); err != nil {
		return st, Effects{}, err
	}
	r := run{s: s, st: st, ev: ev}
	if !r.apply() {
		return st, Effects{}, &TransitionError{Event: ev, State: st}
	}
	return r.st, r.out, nil
}

// admit finds what is wrong with the input before any event is looked at.
func admit(s *Sequence, st *State, ev *Event) error {
	switch {
	case s == nil:
		return &FieldError{Field: "Sequence", Problem: "is nil"}
	case ev.Kind == EventNone || ev.Kind > EventEdited:
		return &FieldError{Field: "Event.Kind", Problem: "is no event of this release"}
	case ev.At <= 0:
		return &FieldError{Field: "Event.At", Problem: "is not set, or before 1970; say when it happened"}
	case ev.Until < 0:
		return &FieldError{Field: "Event.Until", Problem: "is before 1970"}
	case ev.Kind == EventEnrolled && len(s.Steps) == 0:
		return &FieldError{Field: "Steps", Problem: "is empty; a sequence has at least one step"}
	}
	if problem := st.problem(); problem != "" {
		return &BadStateError{Problem: problem}
	}
	return nil
}

// run is one Apply under way. Its methods report whether the event was
// possible.
type run struct {
	s   *Sequence
	st  State
	ev  Event
	out Effects
}

func (r *run) apply() bool {
	if r.st.Status == StatusNone {
		return r.enroll()
	}
	switch r.ev.Kind {
	case EventOpened:
		return r.open()
	case EventSent:
		return r.sent()
	case EventFailed:
		return r.failed()
	case EventUnknown:
		return r.unknown()
	case EventNotSent:
		return r.notSent()
	case EventUndecided:
		return r.undecided()
	case EventSkipped:
		return r.skip()
	case EventReplied:
		r.stop(ReasonReplied)
		r.flag(0)
	case EventBounced:
		if r.st.Terminal() {
			r.flag(0)
		}
		r.stop(ReasonBounced)
	case EventUnsubscribed:
		r.stop(ReasonUnsubscribed)
	case EventTookOver:
		if !r.s.KeepGoing {
			r.stop(ReasonTookOver)
		}
	case EventStopped:
		r.stop(ReasonHost)
	case EventAutoReplied:
		r.autoReplied()
	case EventUnsure:
		r.hold(HoldReview, 0)
		r.flag(0)
	case EventPaused:
		r.hold(HoldPaused, 0)
	case EventMailboxLost:
		r.hold(HoldMailbox, 0)
	case EventMailboxBack:
		r.release(HoldMailbox)
	case EventResumed:
		r.resume()
	case EventEdited:
		r.finish()
	default: // EventEnrolled: a run begins once
		return false
	}
	return true
}

func (r *run) enroll() bool {
	if r.ev.Kind != EventEnrolled {
		return false
	}
	r.st = State{Status: StatusActive, EnrolledAt: r.ev.At}
	return true
}

func (r *run) open() bool {
	st := &r.st
	if st.Status != StatusActive || st.Holds != 0 || st.Open != 0 ||
		st.HeldUntil > r.ev.At || st.RetryAt > r.ev.At {
		return false
	}
	i := r.s.next(st)
	if i < 0 || r.s.Steps[i].ID != r.ev.Step || r.ev.Step.bit() == 0 {
		return false
	}
	st.Open = r.ev.Step
	r.add(EffectSend, r.ev.Step)
	return true
}

func (r *run) sent() bool {
	st, step := &r.st, r.ev.Step
	if step == 0 || st.Open != step {
		return step.bit()&st.Done != 0
	}
	r.close()
	st.Done |= step.bit()
	st.LastSent = r.ev.At
	if st.Terminal() {
		st.Crossed = step
		r.add(EffectCrossed, step)
		r.flag(step)
		return true
	}
	st.Attempts, st.RetryAt = 0, 0
	if !r.finish() {
		r.release(HoldDecide)
	}
	return true
}

func (r *run) failed() bool {
	st, step := &r.st, r.ev.Step
	if step == 0 || st.Open != step {
		return false
	}
	r.close()
	switch {
	case st.Terminal():
		return true
	case r.ev.Permanent:
		r.stop(ReasonRejected)
		r.flag(step)
		return true
	case r.finish():
		return true
	}
	if st.Attempts < math.MaxUint8 {
		st.Attempts++
	}
	st.RetryAt = r.ev.Until
	if st.Attempts >= MaxAttempts {
		r.hold(HoldReview, step)
		r.flag(step)
	}
	r.release(HoldDecide)
	return true
}

func (r *run) unknown() bool {
	st, step := &r.st, r.ev.Step
	if step == 0 || st.Open != step {
		return false
	}
	st.Unknown = true
	if st.Holds&HoldDecide == 0 {
		r.add(EffectLocate, step)
	}
	return true
}

func (r *run) notSent() bool {
	st, step := &r.st, r.ev.Step
	if step == 0 || st.Open != step || !st.Unknown {
		return false
	}
	if r.s.HoldUnknown && st.Status == StatusActive && st.Holds&HoldDecide == 0 {
		r.hold(HoldDecide, step)
		r.flag(step)
		return true
	}
	r.close()
	if !r.finish() {
		r.release(HoldDecide)
	}
	return true
}

// undecided asks a person, once. An ended run needs no decision, as nothing
// more is sent either way; but its mail must not be looked up for ever, so
// the person is shown the conversation and the lookup ends.
func (r *run) undecided() bool {
	st, step := &r.st, r.ev.Step
	if step == 0 || st.Open != step || !st.Unknown {
		return false
	}
	switch {
	case st.Terminal():
		r.close()
		r.flag(step)
	case st.Holds&HoldDecide == 0:
		r.hold(HoldDecide, step)
		r.flag(step)
	}
	return true
}

func (r *run) skip() bool {
	st, step := &r.st, r.ev.Step
	i := r.s.index(step)
	if st.Status != StatusActive || i < 0 || step.bit() == 0 || step == st.Open ||
		step.bit()&(st.Done|st.Skipped) != 0 {
		return false
	}
	if r.s.next(st) == i {
		// The skip takes the mail's place: the next step's wait begins here,
		// and the refusals were this step's.
		st.LastSent = r.ev.At
		if st.Open == 0 {
			st.Attempts, st.RetryAt = 0, 0
		}
	}
	st.Skipped |= step.bit()
	r.finish()
	return true
}

func (r *run) autoReplied() {
	if r.st.Status != StatusActive {
		return
	}
	until := r.ev.Until
	if until == 0 {
		hold := r.s.AutoReplyHold
		if hold <= 0 {
			hold = DefaultAutoReplyHold
		}
		until = r.ev.At.after(hold)
	}
	// A return date that has passed when the answer is read holds nothing.
	if until > r.st.HeldUntil && until > r.ev.At {
		r.st.HeldUntil = until
		r.add(EffectHeld, 0)
	}
}

func (r *run) resume() {
	if r.st.Status != StatusActive {
		return
	}
	r.st.Attempts, r.st.RetryAt = 0, 0
	r.release(HoldPaused | HoldReview)
}

// stop ends an active run. Its open step stays open: what became of that
// mail is still looked up, and never sent again.
func (r *run) stop(reason Reason) {
	if r.st.Status != StatusActive {
		return
	}
	r.st.Status, r.st.Reason = StatusStopped, reason
	r.settle()
	r.add(EffectStopped, 0)
}

// finish completes an active run with no step open and none left, and
// reports whether it did.
func (r *run) finish() bool {
	if r.st.Status != StatusActive || r.st.Open != 0 || len(r.s.Steps) == 0 || r.s.next(&r.st) >= 0 {
		return false
	}
	r.st.Status = StatusCompleted
	r.settle()
	r.add(EffectCompleted, 0)
	return true
}

// settle forgets what held a run that has now ended.
func (r *run) settle() {
	r.st.Holds, r.st.Attempts, r.st.HeldUntil, r.st.RetryAt = 0, 0, 0, 0
}

func (r *run) close() {
	r.st.Open, r.st.Unknown = 0, false
}

func (r *run) hold(h Holds, step StepID) {
	if r.st.Status != StatusActive || r.st.Holds&h == h {
		return
	}
	r.st.Holds |= h
	r.add(EffectHeld, step)
}

func (r *run) release(h Holds) {
	if r.st.Holds == 0 {
		return
	}
	r.st.Holds &^= h
	if r.st.Holds == 0 {
		r.add(EffectResumed, 0)
	}
}

func (r *run) flag(step StepID) { r.add(EffectFlag, step) }

func (r *run) add(kind EffectKind, step StepID) {
	r.out.List[r.out.N] = Effect{Kind: kind, Step: step}
	r.out.N++
}
