package sequence_test

import (
	"bytes"
	"fmt"

	"github.com/outreachkit/outreach/sequence"
)

// engine is sequence.Apply, or a broken copy of it.
type engine func(*sequence.Sequence, sequence.State, sequence.Event) (sequence.State, sequence.Effects, error)

// The promises that the verifier watches, by the names it reports.
const (
	ruleErrorChangesNothing = "an error changes nothing"
	rulePure                = "same input, same output"
	ruleRoundTrip           = "every state survives as bytes"
	ruleTerminalAbsorbs     = "a terminal status absorbs"
	ruleSendOnlyIfActive    = "no send after the end or while held"
	ruleSendNeedsIntent     = "a send has its step open in the state beside it"
	ruleOneOpen             = "one step is open at most"
	ruleOrder               = "steps leave in order"
	ruleNoReopen            = "a done or skipped step is never opened"
	ruleProof               = "an open step closes only by a fact about it"
	ruleFactAccepted        = "a fact about the open step is accepted"
	ruleDoneOnce            = "done is set by the mail's own fact, and never cleared"
	ruleStopStops           = "an answer, a bounce or a request to stop ends the run"
	ruleFlagged             = "what wants a person is flagged"
	ruleCrossed             = "a mail found sent after the end is marked as crossed"
	ruleWaits               = "nothing opens before its hold or wait ends"
	ruleHolds               = "a hold is ended only by what ends it"
	ruleDecide              = "with HoldUnknown a person decides before a mail is due again"
	ruleCompleted           = "completed when, and only when, nothing is left"
	ruleNeverLost           = "a run that has not ended waits for something"
	ruleAttempts            = "the eighth refusal is held for a person"
	ruleLastSent            = "the wait counts from the mail"
	ruleLocate              = "an unknown outcome is looked up"
)

// verifier applies events and keeps its own, much simpler account of what
// they may lead to. It shares no code with the engine.
type verifier struct {
	apply  engine
	seq    *sequence.Sequence
	st     sequence.State
	faults map[string]string // rule to the first breach

	sends    map[sequence.StepID]bool // a send is out and no fact has come back
	finished map[sequence.StepID]bool // done or skipped
	decided  bool                     // a person was asked about the open step
	refusals int
}

func newVerifier(apply engine, seq *sequence.Sequence) *verifier {
	return &verifier{
		apply:    apply,
		seq:      seq,
		faults:   map[string]string{},
		sends:    map[sequence.StepID]bool{},
		finished: map[sequence.StepID]bool{},
	}
}

func (v *verifier) breach(rule string, ok bool, ev sequence.Event, next sequence.State, effects sequence.Effects) {
	if ok || v.faults[rule] != "" {
		return
	}
	v.faults[rule] = fmt.Sprintf("%s\n  event %s\n  from  %s\n  to    %s\n  -> %s", rule, ev, v.st, next, effects)
}

func in(set uint64, step sequence.StepID) bool { return step > 0 && set>>(step-1)&1 == 1 }

func has(effects sequence.Effects, kind sequence.EffectKind, step sequence.StepID) bool {
	for _, e := range effects.List[:effects.N] {
		if e.Kind == kind && (step == 0 || e.Step == step) {
			return true
		}
	}
	return false
}

// first is the step to send, by the verifier's own account.
func (v *verifier) first() sequence.StepID {
	for _, step := range v.seq.Steps {
		if !v.finished[step.ID] {
			return step.ID
		}
	}
	return 0
}

// step applies one event and checks it against every rule.
func (v *verifier) step(ev sequence.Event) {
	prev := v.st
	next, effects, err := v.apply(v.seq, prev, ev)
	check := func(rule string, ok bool) { v.breach(rule, ok, ev, next, effects) }

	again, effectsAgain, errAgain := v.apply(v.seq, prev, ev)
	check(rulePure, again == next && effectsAgain == effects && (err == nil) == (errAgain == nil))
	factual := ev.At > 0 && ev.Until >= 0 && ev.Step != 0 && ev.Step == prev.Open && (ev.Kind == sequence.EventSent ||
		ev.Kind == sequence.EventFailed || ev.Kind == sequence.EventUnknown ||
		prev.Unknown && (ev.Kind == sequence.EventNotSent || ev.Kind == sequence.EventUndecided))
	if err != nil {
		check(ruleErrorChangesNothing, next == prev && effects == sequence.Effects{})
		check(ruleFactAccepted, !factual)
		return
	}
	v.bytes(next, check)
	v.opening(prev, next, ev, effects, check)
	v.closing(prev, next, ev, effects, check)
	v.ending(prev, next, ev, effects, check)
	v.holding(prev, next, ev, effects, check)
	v.st = next
	check(ruleNeverLost, next.Terminal() ||
		sequence.Next(v.seq, next, sequence.Calendar{}, ev.At.Time()).Kind != sequence.DueNone)
}

func (v *verifier) bytes(next sequence.State, check func(string, bool)) {
	b, err := next.MarshalBinary()
	var back sequence.State
	if err == nil {
		err = back.UnmarshalBinary(b)
	}
	b2, _ := back.MarshalBinary()
	check(ruleRoundTrip, err == nil && back == next && bytes.Equal(b, b2))
}

func (v *verifier) opening(prev, next sequence.State, ev sequence.Event, effects sequence.Effects, check func(string, bool)) {
	sends := 0
	for _, e := range effects.List[:effects.N] {
		if e.Kind == sequence.EffectSend {
			sends++
			check(ruleSendNeedsIntent, next.Open == e.Step && !next.Unknown && ev.Kind == sequence.EventOpened)
		}
	}
	opened := next.Open != 0 && next.Open != prev.Open
	check(ruleSendNeedsIntent, sends <= 1 && opened == (sends == 1))
	check(ruleOneOpen, !opened || prev.Open == 0)
	if !opened {
		return
	}
	check(ruleSendOnlyIfActive, prev.Status == sequence.StatusActive && next.Status == sequence.StatusActive && prev.Holds == 0)
	check(ruleWaits, prev.HeldUntil <= ev.At && prev.RetryAt <= ev.At)
	check(ruleOrder, next.Open == v.first())
	check(ruleNoReopen, !v.finished[next.Open])
	check(ruleOneOpen, len(v.sends) == 0)
	v.sends[next.Open] = true
	v.decided = false
}

func (v *verifier) closing(prev, next sequence.State, ev sequence.Event, effects sequence.Effects, check func(string, bool)) {
	check(ruleDoneOnce, prev.Done&^next.Done == 0)
	check(ruleNoReopen, prev.Skipped&^next.Skipped == 0)
	if fresh := next.Done &^ prev.Done; fresh != 0 {
		check(ruleDoneOnce, ev.Kind == sequence.EventSent && ev.Step == prev.Open && fresh == 1<<(ev.Step-1) && !v.finished[ev.Step])
		check(ruleLastSent, next.LastSent == ev.At)
		v.finished[ev.Step] = true
		v.refusals = 0
	}
	if fresh := next.Skipped &^ prev.Skipped; fresh != 0 {
		check(ruleDoneOnce, ev.Kind == sequence.EventSkipped && ev.Step != prev.Open && fresh == 1<<(ev.Step-1) && !v.finished[ev.Step])
		if v.first() == ev.Step {
			check(ruleLastSent, next.LastSent == ev.At)
			v.refusals = 0
		}
		v.finished[ev.Step] = true
	} else if next.Done == prev.Done {
		check(ruleLastSent, next.LastSent == prev.LastSent)
	}
	if ev.Kind == sequence.EventSent && ev.Step == prev.Open {
		check(ruleDoneOnce, in(next.Done, ev.Step))
	}
	if ev.Kind == sequence.EventUnknown {
		check(ruleLocate, next.Unknown && (has(effects, sequence.EffectLocate, ev.Step) || prev.Holds&sequence.HoldDecide != 0))
	}
	if prev.Open == 0 || next.Open == prev.Open {
		if prev.Unknown {
			check(ruleProof, next.Unknown)
		}
		return
	}
	check(ruleOneOpen, next.Open == 0)
	proof := ev.Kind == sequence.EventSent || ev.Kind == sequence.EventFailed ||
		prev.Unknown && ev.Kind == sequence.EventNotSent ||
		prev.Unknown && ev.Kind == sequence.EventUndecided && prev.Terminal()
	check(ruleProof, proof && ev.Step == prev.Open && !next.Unknown)
	if ev.Kind == sequence.EventNotSent && !prev.Terminal() {
		check(ruleDecide, !v.seq.HoldUnknown || v.decided)
	}
	delete(v.sends, prev.Open)
}

func (v *verifier) ending(prev, next sequence.State, ev sequence.Event, effects sequence.Effects, check func(string, bool)) {
	reason, ends := map[sequence.EventKind]sequence.Reason{
		sequence.EventReplied:      sequence.ReasonReplied,
		sequence.EventBounced:      sequence.ReasonBounced,
		sequence.EventUnsubscribed: sequence.ReasonUnsubscribed,
		sequence.EventTookOver:     sequence.ReasonTookOver,
		sequence.EventStopped:      sequence.ReasonHost,
	}[ev.Kind]
	if ev.Kind == sequence.EventFailed && ev.Permanent {
		reason, ends = sequence.ReasonRejected, true
	}
	switch ev.Kind {
	case sequence.EventReplied, sequence.EventUnsure:
		check(ruleFlagged, has(effects, sequence.EffectFlag, 0))
	case sequence.EventBounced:
		check(ruleFlagged, has(effects, sequence.EffectFlag, 0) == prev.Terminal())
	}
	if prev.Terminal() {
		check(ruleTerminalAbsorbs, next.Status == prev.Status && next.Reason == prev.Reason && next.Holds == 0 &&
			!effects.Has(sequence.EffectHeld) && !effects.Has(sequence.EffectStopped) && !effects.Has(sequence.EffectCompleted))
		found := next.Done != prev.Done
		check(ruleCrossed, found == effects.Has(sequence.EffectCrossed) && (!found || next.Crossed == ev.Step))
		check(ruleFlagged, !found || has(effects, sequence.EffectFlag, ev.Step))
		return
	}
	check(ruleCrossed, next.Crossed == 0 && !effects.Has(sequence.EffectCrossed))
	stopped := next.Status == sequence.StatusStopped
	check(ruleStopStops, stopped == ends && (!ends || next.Reason == reason && effects.Has(sequence.EffectStopped)))
	nothingLeft := v.first() == 0 && next.Open == 0 && prev.Status == sequence.StatusActive
	decisive := ev.Kind == sequence.EventSent && ev.Step == prev.Open || ev.Kind == sequence.EventSkipped || ev.Kind == sequence.EventEdited ||
		ev.Kind == sequence.EventFailed || ev.Kind == sequence.EventNotSent
	completed := next.Status == sequence.StatusCompleted
	check(ruleCompleted, completed == (nothingLeft && decisive && !stopped) && completed == effects.Has(sequence.EffectCompleted))
}

func (v *verifier) holding(prev, next sequence.State, ev sequence.Event, effects sequence.Effects, check func(string, bool)) {
	if ev.Kind == sequence.EventResumed && !prev.Terminal() {
		v.refusals = 0
	}
	if next.Terminal() || prev.Status != sequence.StatusActive {
		return
	}
	mayEnd := map[sequence.EventKind]sequence.Holds{
		sequence.EventResumed:     sequence.HoldPaused | sequence.HoldReview,
		sequence.EventMailboxBack: sequence.HoldMailbox,
		sequence.EventSent:        sequence.HoldDecide,
		sequence.EventNotSent:     sequence.HoldDecide,
		sequence.EventFailed:      sequence.HoldDecide,
	}[ev.Kind]
	check(ruleHolds, (prev.Holds&^next.Holds)&^mayEnd == 0)
	check(ruleHolds, next.HeldUntil >= prev.HeldUntil)
	check(ruleHolds, (prev.Holds != 0 && next.Holds == 0) == effects.Has(sequence.EffectResumed))
	check(ruleHolds, (next.Holds&^prev.Holds != 0 || next.HeldUntil > prev.HeldUntil) == effects.Has(sequence.EffectHeld))
	must := map[sequence.EventKind]sequence.Holds{
		sequence.EventPaused:      sequence.HoldPaused,
		sequence.EventUnsure:      sequence.HoldReview,
		sequence.EventMailboxLost: sequence.HoldMailbox,
		sequence.EventUndecided:   sequence.HoldDecide,
	}[ev.Kind]
	check(ruleHolds, next.Holds&must == must)
	if next.Holds&sequence.HoldDecide != 0 && prev.Holds&sequence.HoldDecide == 0 {
		check(ruleFlagged, has(effects, sequence.EffectFlag, prev.Open))
		v.decided = true
	}
	if ev.Kind == sequence.EventFailed {
		v.refusals++
		check(ruleAttempts, v.refusals < sequence.MaxAttempts ||
			next.Holds&sequence.HoldReview != 0 && effects.Has(sequence.EffectFlag))
		check(ruleWaits, next.RetryAt == ev.Until)
	}
}
