package sequence_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/outreachkit/outreach/sequence"
)

// play reads a history out of bytes and lets the verifier watch it: the
// first byte is the sequence, then two bytes an event. It edits the sequence
// on the way, as hosts do.
func play(apply engine, history []byte) map[string]string {
	if len(history) == 0 {
		return nil
	}
	shape := history[0]
	seq := &sequence.Sequence{ID: "fuzz", HoldUnknown: shape&8 != 0}
	for i := range 1 + shape%4 {
		seq.Steps = append(seq.Steps, sequence.Step{ID: sequence.StepID(i + 1), Subject: "Subject", Text: "Text"})
	}
	v := newVerifier(apply, seq)
	now := sequence.Instant(1_000_000)
	if shape&16 == 0 { // half of the histories begin as they should
		v.step(sequence.Event{Kind: sequence.EventEnrolled, At: now})
	}
	for ops := range slices.Chunk(history[1:], 2) {
		op, arg := ops[0], ops[len(ops)-1]
		now += sequence.Instant(arg >> 4)
		ev := sequence.Event{Kind: sequence.EventKind(op % 23), At: now}
		if op >= 240 {
			v.seq = edit(v.seq, arg)
			continue
		}
		switch choice := op / 23 % 4; {
		case choice < 2: // a likely step
			ev.Step = v.st.Open
			if ev.Step == 0 {
				ev.Step = v.first()
			}
		default:
			ev.Step = sequence.StepID(arg & 7)
		}
		switch arg & 15 {
		case 0:
			ev.Permanent = true
		case 1, 2, 3:
			ev.Until = now + sequence.Instant(arg)
		case 4:
			ev.Until = -1
		case 5:
			ev.At = 0
		}
		v.step(ev)
	}
	return v.faults
}

// edit drops a step, or adds one in front or behind. Numbers are never used
// again.
func edit(seq *sequence.Sequence, arg byte) *sequence.Sequence {
	edited := *seq
	fresh := sequence.Step{ID: sequence.StepID(16 + arg%48), Text: "Text"}
	used := slices.ContainsFunc(seq.Steps, func(s sequence.Step) bool { return s.ID == fresh.ID })
	switch {
	case arg&1 == 0 && len(seq.Steps) > 1:
		i := int(arg>>1) % len(seq.Steps)
		edited.Steps = slices.Delete(slices.Clone(seq.Steps), i, i+1)
	case arg&2 == 0 && !used:
		edited.Steps = slices.Concat([]sequence.Step{fresh}, seq.Steps)
	case !used:
		edited.Steps = slices.Concat(seq.Steps, []sequence.Step{fresh})
	}
	return &edited
}

func FuzzApply(f *testing.F) {
	f.Add([]byte{3, 2, 0, 3, 0, 2, 0, 3, 0})
	f.Add([]byte{11, 2, 0, 5, 0, 6, 0, 6, 0, 2, 0, 8, 0, 3, 0})
	f.Add([]byte{0, 2, 0, 8, 0, 5, 0, 7, 0})
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		f.Add(randomHistory(rng))
	}
	f.Fuzz(func(t *testing.T, history []byte) {
		for _, fault := range play(sequence.Apply, history) {
			t.Error(fault)
		}
	})
}

func randomHistory(rng *rand.Rand) []byte {
	history := make([]byte, 1+2*rng.IntN(120))
	for i := range history {
		history[i] = byte(rng.Uint32())
	}
	// Most random events end a run early. Turn half of them, or nearly all,
	// into what a run is made of, so that histories grow old: openings and
	// their outcomes, or nothing but refusals.
	keep, most := 2+rng.IntN(20), 5
	if rng.IntN(4) == 0 {
		most = 3
	}
	for i := 1; i+1 < len(history); i += 2 {
		if rng.IntN(keep) == 0 {
			continue
		}
		history[i] = byte(2 + rng.IntN(most))
		if most == 3 {
			history[i] = byte(2 + 2*rng.IntN(2)) // opened, failed
			history[i+1] |= 0xf0                 // later than any wait
		}
	}
	return history
}

func TestApplyRandomHistories(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		history := randomHistory(rng)
		for _, fault := range play(sequence.Apply, history) {
			t.Fatalf("%v\n%s", history, fault)
		}
	}
}

func FuzzUnmarshalState(f *testing.F) {
	for _, st := range []sequence.State{
		{},
		{Status: sequence.StatusActive, EnrolledAt: 1},
		{Status: sequence.StatusActive, EnrolledAt: 1, Open: 3, Unknown: true, Holds: sequence.HoldDecide, Done: 3, LastSent: 5},
		{Status: sequence.StatusStopped, Reason: sequence.ReasonReplied, EnrolledAt: 1, Done: 1, LastSent: 2, Crossed: 1},
	} {
		b, err := st.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := sequence.State{Status: sequence.StatusActive, EnrolledAt: 7}
		st := before
		if err := st.UnmarshalBinary(b); err != nil {
			if !errors.Is(err, sequence.ErrBadState) || st != before {
				t.Fatalf("error %v, state %s", err, st)
			}
			return
		}
		again, err := st.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x came back as %x, %v", b, again, err)
		}
		if _, _, err := sequence.Apply(&sequence.Sequence{}, st, sequence.Event{Kind: sequence.EventReplied, At: 1}); errors.Is(err, sequence.ErrBadState) {
			t.Fatalf("decoded, yet bad: %v", err)
		}
	})
}
