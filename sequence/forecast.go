package sequence

import "time"

// Forecast returns when every remaining step will leave, in order, if each
// leaves as soon as it is due and nothing else happens: no answer, no
// refusal, no change of the sequence. Feeding Apply with EventOpened and
// EventSent at exactly these times brings about exactly these times.
//
// No time lies before now: a step that is due already leaves now. A mail
// that is open is taken to have left now. While a run is held the times are
// those that would come true if the holds ended now, and every entry that
// they keep back is DueHeld. A run that has ended, or not begun, has no
// forecast. An entry without a time is the last: nothing can be told.
func Forecast(s *Sequence, st State, cal Calendar, now time.Time) []Due {
	now = now.Round(0).In(cal.location())
	if st.Terminal() && st.problem() == "" {
		return nil
	}
	var list []Due
	for {
		due := Next(s, st, cal, now)
		if due.Kind == DueNone || due.Kind == DueComplete {
			return list
		}
		if due.At.IsZero() {
			return append(list, due)
		}
		if due.At.Before(now) {
			due.At = now
			due.Trace = append(due.Trace, Cause{Rule: RuleOverdue, At: now})
		}
		list = append(list, due)
		now = due.At

		// As if sent, whatever holds it. Each round marks a step, so at most
		// MaxSteps follow.
		st.Open, st.Unknown = 0, false
		st.Holds &^= HoldDecide
		st.Done |= due.Step.bit()
		st.LastSent = InstantOf(due.At)
	}
}
