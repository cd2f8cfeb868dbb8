package sequence

import "time"

// DueKind says what an enrollment waits for.
type DueKind uint8

// The kinds of Due.
const (
	DueNone     DueKind = iota // nothing: not begun, or ended with no mail open
	DueSend                    // Step is to be sent at At
	DueLocate                  // the mailbox is to be asked what became of Step
	DueOpen                    // Step's mail is on its way: its outcome is to be reported
	DueHeld                    // Holds keep Step back
	DueComplete                // no step is left since the sequence was edited: apply EventEdited
)

// Due is what an enrollment waits for next, and why then.
type Due struct {
	Kind DueKind

	// Step is the step that Kind speaks of. It is zero for DueNone and
	// DueComplete.
	Step StepID

	// At is when, in the Calendar's zone. For DueSend it is never outside
	// the window. It may lie in the past, but only while the window is open
	// now. For DueHeld it is when Step would be due if the holds ended now,
	// and zero where no time can be told. For DueLocate, DueOpen and
	// DueComplete it is now, as nothing in a State says otherwise. Zero for
	// DueNone.
	At time.Time

	// Holds is what holds the run. With DueLocate it can be more than zero,
	// as a lookup goes on while a run is held; with HoldMailbox in it the
	// lookup waits until the mailbox can be used.
	Holds Holds

	// Trace tells which rule set At, in the order in which they were read.
	// It is nil where no rule did.
	Trace Trace
}

// Next returns what the enrollment waits for at the instant now. It is a
// pure function: now and the Calendar are all that it knows of time.
//
// Send when, and only when, Kind is DueSend and At is not after now. The
// window is then open now. Keep At to know when to ask again.
//
// The time of a step is made so: the previous mail's time, or that of the
// enrollment; Days calendar days later at the same time of day; After later;
// not before an out-of-office hold or the wait after a refusal ends; not
// before the window opens. If that has passed and the window is closed now,
// it is the next opening; and if the window has opened again since, At is
// that opening, so that a later now never has an earlier At.
//
// Days and windows are read on the wall clock in the Calendar's zone. A time
// of day that the clocks jump over becomes the first instant after the jump.
// One that they show twice is the first of the two. A window is open
// whenever the clock shows a time in it: one that lies in the repeated hour
// opens twice, and one in the hour that is jumped over does not open that
// day. A day that a zone left out of its calendar is jumped over in the same
// way. After is time that passes, whatever the clocks do.
//
// With a state or a sequence that can't be used (see ErrBadState and
// Validate) the result is DueHeld without a time, so that the run is visible
// and nothing is sent.
func Next(s *Sequence, st State, cal Calendar, now time.Time) Due {
	now = now.Round(0).In(cal.location())
	if s == nil || len(s.Steps) == 0 || st.problem() != "" {
		return never(st)
	}
	due := Due{Kind: DueHeld, Step: st.Open, At: now, Holds: st.Holds}
	switch {
	case st.Holds&HoldDecide != 0:
		return due
	case st.Unknown:
		due.Kind = DueLocate
		return due
	case st.Open != 0:
		due.Kind = DueOpen
		return due
	case st.Status != StatusActive:
		return Due{}
	}
	i := s.next(&st)
	if i < 0 {
		due.Kind = DueComplete
		return due
	}
	step := &s.Steps[i]
	at, trace, ok := s.schedule(step, &st, now)
	if !ok || step.ID.bit() == 0 {
		return never(st)
	}
	due.Step, due.At, due.Trace = step.ID, at, trace
	if st.Holds == 0 {
		due.Kind = DueSend
	}
	return due
}

func never(st State) Due {
	return Due{Kind: DueHeld, Step: st.Open, Holds: st.Holds, Trace: Trace{{Rule: RuleNever}}}
}

// schedule reads the rules in order. It reports false for a window that
// never opens.
func (s *Sequence) schedule(step *Step, st *State, now time.Time) (time.Time, Trace, bool) {
	loc := now.Location()
	trace := make(Trace, 0, 6)
	t := st.EnrolledAt.Time().In(loc)
	rule := RuleEnrolled
	if st.LastSent != 0 {
		t, rule = st.LastSent.Time().In(loc), RuleLastSent
	}
	trace = append(trace, Cause{Rule: rule, At: t})
	if days := min(step.Days, maxDelayDays); days > 0 {
		reading, _ := wall(t)
		at, skipped := resolve(reading.AddDate(0, 0, days), loc)
		t = at
		trace = append(trace, Cause{Rule: RuleDays, At: t, Days: days})
		if skipped {
			trace = append(trace, Cause{Rule: RuleGap, At: t})
		}
	}
	if after := min(step.After, maxDelay); after > 0 {
		t = t.Add(after)
		trace = append(trace, Cause{Rule: RuleAfter, At: t, After: after})
	}
	later := func(rule Rule, at time.Time) {
		if at.After(t) {
			t = at
			trace = append(trace, Cause{Rule: rule, At: t})
		}
	}
	later(RuleHeldUntil, st.HeldUntil.Time().In(loc))
	later(RuleRetryAt, st.RetryAt.Time().In(loc))
	if s.Window.always() {
		return t, trace, true
	}
	open, ok := s.Window.opens(t)
	if !ok {
		return time.Time{}, nil, false
	}
	if open.After(now) || s.Window.contains(now) && !open.Before(s.Window.opened(now)) {
		later(RuleWindow, open)
		return t, trace, true
	}
	// The time has passed. It would be wrong to send in a closed window, and
	// of no use to name an earlier one that is over.
	later(RuleOverdue, now)
	if s.Window.contains(now) {
		open = s.Window.opened(now)
	} else if open, ok = s.Window.opens(now); !ok {
		return time.Time{}, nil, false
	}
	return open, append(trace, Cause{Rule: RuleWindow, At: open}), true
}
