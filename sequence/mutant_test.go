package sequence_test

import (
	"math/rand/v2"
	"testing"

	"github.com/outreachkit/outreach/sequence"
)

// A mutant is the engine with one thing broken after it has answered. The
// verifier must name the rule.
type mutant struct {
	name string
	rule string
	// harm changes the answer to an event that was possible.
	harm func(seq *sequence.Sequence, prev sequence.State, ev sequence.Event, st *sequence.State, effects *sequence.Effects)
}

func (m mutant) engine(seq *sequence.Sequence, st sequence.State, ev sequence.Event) (sequence.State, sequence.Effects, error) {
	next, effects, err := sequence.Apply(seq, st, ev)
	if err == nil {
		m.harm(seq, st, ev, &next, &effects)
	}
	return next, effects, err
}

func drop(effects *sequence.Effects, kind sequence.EffectKind) {
	var kept sequence.Effects
	for _, e := range effects.List[:effects.N] {
		if e.Kind != kind {
			kept.List[kept.N] = e
			kept.N++
		}
	}
	*effects = kept
}

func add(effects *sequence.Effects, kind sequence.EffectKind, step sequence.StepID) {
	if effects.N < len(effects.List) {
		effects.List[effects.N] = sequence.Effect{Kind: kind, Step: step}
		effects.N++
	}
}

func stopping(kind sequence.EventKind, prev sequence.State) bool {
	return kind == sequence.EventReplied && prev.Status == sequence.StatusActive
}

type (
	seqT = *sequence.Sequence
	st   = sequence.State
	stP  = *sequence.State
	evT  = sequence.Event
	efP  = *sequence.Effects
)

func mutants() []mutant {
	return []mutant{
		{"an answer does not stop", ruleStopStops, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if stopping(ev.Kind, prev) {
				*s = prev
			}
		}},
		{"an answer stops for the wrong reason", ruleStopStops, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if stopping(ev.Kind, prev) {
				s.Reason = sequence.ReasonHost
			}
		}},
		{"the host is not told of a stop", ruleStopStops, func(_ seqT, prev st, ev evT, s stP, e efP) {
			drop(e, sequence.EffectStopped)
		}},
		{"an answer is not flagged", ruleFlagged, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventReplied {
				drop(e, sequence.EffectFlag)
			}
		}},
		{"an unsure matter is not flagged", ruleFlagged, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventUnsure {
				drop(e, sequence.EffectFlag)
			}
		}},
		{"an answer forgets the open mail", ruleProof, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventReplied {
				s.Open, s.Unknown = 0, false
			}
		}},
		{"unknown is sent again at once", ruleProof, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventUnknown && !prev.Terminal() {
				s.Open, s.Unknown, s.Holds = 0, false, s.Holds&^sequence.HoldDecide
			}
		}},
		{"unknown asks for a send", ruleSendNeedsIntent, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventUnknown {
				add(e, sequence.EffectSend, ev.Step)
			}
		}},
		{"unknown is not looked up", ruleLocate, func(_ seqT, prev st, ev evT, s stP, e efP) {
			drop(e, sequence.EffectLocate)
		}},
		{"undecided is taken for not sent", ruleProof, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventUndecided {
				s.Open, s.Unknown, s.Holds = 0, false, s.Holds&^sequence.HoldDecide
			}
		}},
		{"nobody decides", ruleDecide, func(q seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventNotSent && s.Open != 0 {
				s.Open, s.Unknown, s.Holds = 0, false, s.Holds&^sequence.HoldDecide
			}
		}},
		{"a stopped run sends", ruleSendOnlyIfActive, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if prev.Terminal() && prev.Open == 0 && ev.Kind == sequence.EventUnsubscribed && prev.Status == sequence.StatusStopped {
				for id := range sequence.StepID(4) {
					if id > 0 && (s.Done|s.Skipped)>>(id-1)&1 == 0 {
						s.Open = id
						add(e, sequence.EffectSend, id)
						return
					}
				}
			}
		}},
		{"a completed run is revived", ruleTerminalAbsorbs, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if prev.Status == sequence.StatusCompleted && ev.Kind == sequence.EventEdited {
				s.Status = sequence.StatusActive
			}
		}},
		{"a stop changes its reason", ruleTerminalAbsorbs, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if prev.Status == sequence.StatusStopped && ev.Kind == sequence.EventBounced {
				s.Reason = sequence.ReasonBounced
			}
		}},
		{"a done step is forgotten", ruleDoneOnce, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventResumed && prev.Status == sequence.StatusActive {
				s.Done = 0
			}
		}},
		{"sent does not count", ruleDoneOnce, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventSent && prev.Status == sequence.StatusActive {
				s.Done = prev.Done
			}
		}},
		{"a refusal counts as sent", ruleDoneOnce, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventFailed && s.Status == sequence.StatusActive {
				s.Done |= 1 << (ev.Step - 1)
				s.LastSent = ev.At
			}
		}},
		{"a skip is forgotten", ruleNoReopen, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventMailboxBack && prev.Status == sequence.StatusActive {
				s.Skipped = 0
			}
		}},
		{"the last step leaves first", ruleOrder, func(q seqT, prev st, ev evT, s stP, e efP) {
			last := q.Steps[len(q.Steps)-1].ID
			if ev.Kind == sequence.EventOpened && (s.Done|s.Skipped)>>(last-1)&1 == 0 {
				s.Open = last
				e.List[0].Step = last
			}
		}},
		{"two sends for one intent", ruleSendNeedsIntent, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventOpened {
				add(e, sequence.EffectSend, ev.Step)
			}
		}},
		{"a send without its intent", ruleSendNeedsIntent, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventOpened {
				s.Open = 0
			}
		}},
		{"a crossing is not marked", ruleCrossed, func(_ seqT, prev st, ev evT, s stP, e efP) {
			s.Crossed = 0
		}},
		{"a crossing is not told", ruleCrossed, func(_ seqT, prev st, ev evT, s stP, e efP) {
			drop(e, sequence.EffectCrossed)
		}},
		{"an out-of-office answer holds nothing", ruleHolds, func(_ seqT, prev st, ev evT, s stP, e efP) {
			s.HeldUntil = 0
		}},
		{"a pause holds nothing", ruleHolds, func(_ seqT, prev st, ev evT, s stP, e efP) {
			s.Holds &^= sequence.HoldPaused
		}},
		{"a resume decides", ruleHolds, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventResumed {
				s.Holds &^= sequence.HoldDecide
			}
		}},
		{"a mailbox that is back ends a pause", ruleHolds, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventMailboxBack {
				s.Holds &^= sequence.HoldPaused
			}
		}},
		{"nobody is told of a hold", ruleHolds, func(_ seqT, prev st, ev evT, s stP, e efP) {
			drop(e, sequence.EffectHeld)
		}},
		{"nobody is told of the end of a hold", ruleHolds, func(_ seqT, prev st, ev evT, s stP, e efP) {
			drop(e, sequence.EffectResumed)
		}},
		{"a refused mail does not wait", ruleWaits, func(_ seqT, prev st, ev evT, s stP, e efP) {
			s.RetryAt = 0
		}},
		{"refused for ever", ruleAttempts, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventFailed {
				s.Attempts = min(s.Attempts, sequence.MaxAttempts-1)
				s.Holds &^= sequence.HoldReview
			}
		}},
		{"never completed", ruleCompleted, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if s.Status == sequence.StatusCompleted && prev.Status == sequence.StatusActive {
				s.Status = sequence.StatusActive
				drop(e, sequence.EffectCompleted)
			}
		}},
		{"completed too early", ruleCompleted, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventSent && s.Status == sequence.StatusActive {
				*s = st{Status: sequence.StatusCompleted, EnrolledAt: s.EnrolledAt, Done: s.Done, Skipped: s.Skipped, LastSent: s.LastSent}
			}
		}},
		{"the wait counts from the enrollment", ruleLastSent, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventSent {
				s.LastSent = s.EnrolledAt
			}
		}},
		{"a pause moves the wait", ruleLastSent, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventPaused && prev.Status == sequence.StatusActive {
				s.LastSent = ev.At
			}
		}},
		{"a state that can't be stored", ruleRoundTrip, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventUnsure {
				s.Unknown = true
			}
		}},
		{"an active run that waits for nothing", ruleNeverLost, func(_ seqT, prev st, ev evT, s stP, e efP) {
			if ev.Kind == sequence.EventEnrolled {
				*s = st{}
				s.Status = sequence.StatusNone
			}
		}},
	}
}

// Some mutants are broken in more than what they answer.
func otherMutants() map[string]struct {
	rule   string
	engine func() engine
} {
	type other = struct {
		rule   string
		engine func() engine
	}
	return map[string]other{
		"an error changes something": {ruleErrorChangesNothing, func() engine {
			return func(q seqT, s st, ev evT) (st, sequence.Effects, error) {
				next, effects, err := sequence.Apply(q, s, ev)
				if err != nil {
					next.Attempts++
				}
				return next, effects, err
			}
		}},
		"an error asks for something": {ruleErrorChangesNothing, func() engine {
			return func(q seqT, s st, ev evT) (st, sequence.Effects, error) {
				next, effects, err := sequence.Apply(q, s, ev)
				if err != nil {
					add(&effects, sequence.EffectFlag, 0)
				}
				return next, effects, err
			}
		}},
		"it remembers": {rulePure, func() engine {
			calls := 0
			return func(q seqT, s st, ev evT) (st, sequence.Effects, error) {
				next, effects, err := sequence.Apply(q, s, ev)
				if calls++; err == nil && calls%7 == 0 {
					next.Attempts++
				}
				return next, effects, err
			}
		}},
		"a late fact is refused": {ruleFactAccepted, func() engine {
			return func(q seqT, s st, ev evT) (st, sequence.Effects, error) {
				if s.Terminal() && ev.Kind == sequence.EventSent {
					return s, sequence.Effects{}, sequence.ErrTransition
				}
				return sequence.Apply(q, s, ev)
			}
		}},
		"holds are not looked at": {ruleSendOnlyIfActive, func() engine {
			return func(q seqT, s st, ev evT) (st, sequence.Effects, error) {
				if ev.Kind != sequence.EventOpened || s.Holds == 0 {
					return sequence.Apply(q, s, ev)
				}
				free := s
				free.Holds = 0
				next, effects, err := sequence.Apply(q, free, ev)
				if err != nil {
					return s, effects, err
				}
				next.Holds = s.Holds
				return next, effects, nil
			}
		}},
		"out of office is not looked at": {ruleWaits, func() engine {
			return func(q seqT, s st, ev evT) (st, sequence.Effects, error) {
				if ev.Kind != sequence.EventOpened {
					return sequence.Apply(q, s, ev)
				}
				free := s
				free.HeldUntil = 0
				next, effects, err := sequence.Apply(q, free, ev)
				if err != nil {
					return s, effects, err
				}
				next.HeldUntil = s.HeldUntil
				return next, effects, nil
			}
		}},
		"a second step opens beside the first": {ruleOneOpen, func() engine {
			return func(q seqT, s st, ev evT) (st, sequence.Effects, error) {
				if ev.Kind == sequence.EventOpened && s.Open != 0 && s.Open != ev.Step && !s.Unknown {
					free := s
					free.Open = 0
					free.Skipped |= 1 << (s.Open - 1)
					if next, effects, err := sequence.Apply(q, free, ev); err == nil {
						next.Skipped = s.Skipped
						return next, effects, nil
					}
				}
				return sequence.Apply(q, s, ev)
			}
		}},
	}
}

// TestVerifierCatchesMutants: a verifier that finds nothing proves something
// only if it finds what is there.
func TestVerifierCatchesMutants(t *testing.T) {
	caught := func(t *testing.T, rule string, fresh func() engine) {
		rng := rand.New(rand.NewPCG(5, 6))
		for range 20_000 {
			if play(fresh(), randomHistory(rng))[rule] != "" {
				return
			}
		}
		t.Errorf("no history breaches %q", rule)
	}
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			caught(t, m.rule, func() engine { return m.engine })
		})
	}
	for name, m := range otherMutants() {
		t.Run(name, func(t *testing.T) { caught(t, m.rule, m.engine) })
	}
}
