package sequence

const allHolds = HoldPaused | HoldReview | HoldMailbox | HoldDecide

// bit is the step's place in State.Done and State.Skipped, or 0 for a number
// that no step can have.
func (id StepID) bit() uint64 {
	if id == 0 || id > MaxSteps {
		return 0
	}
	return 1 << (id - 1)
}

// next returns the index of the step that is to be sent next: the first in
// order that is neither done nor skipped. It is -1 when none is left.
func (s *Sequence) next(st *State) int {
	past := st.Done | st.Skipped
	for i := range s.Steps {
		if s.Steps[i].ID.bit()&past == 0 {
			return i
		}
	}
	return -1
}

func (s *Sequence) index(id StepID) int {
	for i := range s.Steps {
		if s.Steps[i].ID == id {
			return i
		}
	}
	return -1
}

// problem says what no run of Apply could have brought about, or "". It
// looks at no sequence: after an edit a state may speak of steps that are
// gone.
func (st *State) problem() string {
	if st.Status == StatusNone {
		if *st != (State{}) {
			return "not begun, yet not the zero State"
		}
		return ""
	}
	switch {
	case st.Status > StatusStopped:
		return "unknown status"
	case st.Reason > ReasonRejected:
		return "unknown reason"
	case (st.Status == StatusStopped) != (st.Reason != ReasonNone):
		return "status and reason contradict each other"
	case st.Holds&^allHolds != 0:
		return "unknown hold"
	case st.Open > MaxSteps || st.Crossed > MaxSteps:
		return "step number beyond 64"
	case st.Done&st.Skipped != 0:
		return "a step is both done and skipped"
	case st.Open.bit()&(st.Done|st.Skipped) != 0:
		return "the open step is done or skipped"
	case st.Unknown && st.Open == 0:
		return "unknown outcome without an open step"
	case st.Holds&HoldDecide != 0 && !st.Unknown:
		return "a decision is asked for without an unknown outcome"
	case st.EnrolledAt <= 0:
		return "no time of enrollment"
	case st.LastSent < 0 || st.HeldUntil < 0 || st.RetryAt < 0:
		return "time before 1970"
	case st.Done != 0 && st.LastSent == 0:
		return "mail sent at no time"
	case st.Crossed != 0 && (st.Status != StatusStopped || st.Crossed.bit()&st.Done == 0):
		return "crossed without a stop or without a sent mail"
	}
	if !st.Terminal() {
		return ""
	}
	switch {
	case st.Holds != 0 || st.Attempts != 0 || st.HeldUntil != 0 || st.RetryAt != 0:
		return "ended, yet held"
	case st.Status == StatusCompleted && (st.Open != 0 || st.Done|st.Skipped == 0):
		return "completed with a step open or none done"
	}
	return ""
}
