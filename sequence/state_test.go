package sequence_test

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/outreachkit/outreach/sequence"
)

func TestBadStates(t *testing.T) {
	good := sequence.State{
		Status: sequence.StatusActive, EnrolledAt: 1, LastSent: 2,
		Done: 1, Skipped: 2, Open: 3, Unknown: true, Holds: sequence.HoldDecide,
		Attempts: 3, HeldUntil: 9, RetryAt: 9,
	}
	ended := sequence.State{
		Status: sequence.StatusStopped, Reason: sequence.ReasonReplied,
		EnrolledAt: 1, LastSent: 2, Done: 1, Crossed: 1,
	}
	finished := sequence.State{Status: sequence.StatusCompleted, EnrolledAt: 1, LastSent: 2, Done: 1}
	for _, st := range []sequence.State{{}, good, ended, finished} {
		if _, err := st.MarshalBinary(); err != nil {
			t.Errorf("%s: %v", st, err)
		}
	}
	type st = sequence.State
	for name, bad := range map[string]sequence.State{
		"not begun, yet enrolled":  {EnrolledAt: 1},
		"unknown status":           with(good, func(s *st) { s.Status = 4 }),
		"unknown reason":           with(ended, func(s *st) { s.Reason = 7 }),
		"active with a reason":     with(good, func(s *st) { s.Reason = sequence.ReasonHost }),
		"stopped without a reason": with(ended, func(s *st) { s.Reason = 0 }),
		"unknown hold":             with(good, func(s *st) { s.Holds |= 1 << 4 }),
		"open step 65":             with(good, func(s *st) { s.Open = 65 }),
		"crossed step 65":          with(ended, func(s *st) { s.Crossed = 65 }),
		"done and skipped":         with(good, func(s *st) { s.Skipped |= 1 }),
		"open and done":            with(good, func(s *st) { s.Open = 1 }),
		"open and skipped":         with(good, func(s *st) { s.Open = 2 }),
		"unknown and not open":     with(good, func(s *st) { s.Open = 0 }),
		"decide what is known":     with(good, func(s *st) { s.Unknown = false }),
		"never enrolled":           with(good, func(s *st) { s.EnrolledAt = 0 }),
		"enrolled before 1970":     with(good, func(s *st) { s.EnrolledAt = -1 }),
		"sent before 1970":         with(good, func(s *st) { s.LastSent = -1 }),
		"held before 1970":         with(good, func(s *st) { s.HeldUntil = -1 }),
		"retried before 1970":      with(good, func(s *st) { s.RetryAt = math.MinInt64 }),
		"sent at no time":          with(good, func(s *st) { s.LastSent = 0 }),
		"active and crossed":       with(good, func(s *st) { s.Crossed = 1 }),
		"crossed and not sent":     with(ended, func(s *st) { s.Crossed = 2 }),
		"ended and held":           with(ended, func(s *st) { s.Holds = sequence.HoldPaused }),
		"ended and refused":        with(ended, func(s *st) { s.Attempts = 1 }),
		"ended, held until":        with(ended, func(s *st) { s.HeldUntil = 9 }),
		"ended, tried again":       with(ended, func(s *st) { s.RetryAt = 9 }),
		"completed and open":       with(finished, func(s *st) { s.Open = 2 }),
		"completed with nothing":   with(finished, func(s *st) { s.Done = 0 }),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := bad.MarshalBinary(); !errors.Is(err, sequence.ErrBadState) {
				t.Errorf("MarshalBinary: %v", err)
			}
			prefix := []byte("prefix")
			if b, err := bad.AppendBinary(prefix); err == nil || !bytes.Equal(b, prefix) {
				t.Errorf("AppendBinary: %q, %v", b, err)
			}
			seq := &sequence.Sequence{Steps: manySteps(4)}
			next, effects, err := sequence.Apply(seq, bad, sequence.Event{Kind: sequence.EventReplied, At: 5})
			if !errors.Is(err, sequence.ErrBadState) || next != bad || effects.N != 0 {
				t.Errorf("Apply: %s, %s, %v", next, effects, err)
			}
			due := sequence.Next(seq, bad, sequence.Calendar{}, time.Unix(0, 5))
			if due.Kind != sequence.DueHeld || !due.At.IsZero() || due.Trace.String() == "" {
				t.Errorf("Next: %s", due)
			}
			if list := sequence.Forecast(seq, bad, sequence.Calendar{}, time.Unix(0, 5)); len(list) != 1 || list[0].Kind != sequence.DueHeld {
				t.Errorf("Forecast: %v", list)
			}
		})
	}
}

func with(s sequence.State, harm func(*sequence.State)) sequence.State {
	harm(&s)
	return s
}

// TestStateBytes pins version 1 of the encoding, byte for byte: states of
// this version lie in databases.
func TestStateBytes(t *testing.T) {
	st := sequence.State{
		Status: sequence.StatusActive, Holds: sequence.HoldPaused | sequence.HoldDecide,
		Open: 3, Unknown: true, Attempts: 7,
		Done: 1, Skipped: 1 << 63,
		EnrolledAt: 0x0102030405060708, LastSent: 0x1112131415161718, HeldUntil: 0x2122232425262728, RetryAt: 0x3132333435363738,
	}
	want := []byte{
		1, 1, 0, 9, 3, 1, 0, 7,
		0, 0, 0, 0, 0, 0, 0, 1,
		0x80, 0, 0, 0, 0, 0, 0, 0,
		1, 2, 3, 4, 5, 6, 7, 8,
		0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
		0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
		0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38,
	}
	got, err := st.MarshalBinary()
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%x, %v, want %x", got, err, want)
	}
	// Every single damaged byte of the head, and every other length, is
	// noticed or gives another state; none panics or gives the same one.
	for i := range want {
		for v := range 256 {
			b := bytes.Clone(want)
			if b[i] == byte(v) {
				continue
			}
			b[i] = byte(v)
			var back sequence.State
			if err := back.UnmarshalBinary(b); err == nil && back == st {
				t.Fatalf("byte %d as %d gives the same state", i, v)
			} else if err != nil && !errors.Is(err, sequence.ErrBadState) {
				t.Fatal(err)
			}
		}
	}
	for n := range 2 * len(want) {
		b := make([]byte, n)
		copy(b, want)
		var back sequence.State
		if err := back.UnmarshalBinary(b); (err == nil) != (n == len(want)) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	for v := range 256 {
		b := bytes.Clone(want)
		b[3], b[5] = 0, byte(v) // nothing held, so that any outcome would do
		var back sequence.State
		if err := back.UnmarshalBinary(b); (err == nil) != (v <= 1) {
			t.Fatalf("unknown as %d: %v", v, err)
		}
	}
	for v := range 256 {
		b := bytes.Clone(want)
		b[0] = byte(v)
		var back sequence.State
		if err := back.UnmarshalBinary(b); (err == nil) != (v == 1) {
			t.Fatalf("version %d: %v", v, err)
		}
	}
}

func TestInstant(t *testing.T) {
	for _, test := range []struct {
		t    time.Time
		want sequence.Instant
		text string
	}{
		{time.Time{}, 0, "unset"},
		{time.Date(2026, 3, 2, 10, 0, 0, 1, time.FixedZone("", 3600)), 1772442000000000001, "2026-03-02T09:00:00.000000001Z"},
		{time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), -1e9, "1969-12-31T23:59:59Z"},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), math.MaxInt64, "2262-04-11T23:47:16.854775807Z"},
		{time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC), math.MinInt64, "1677-09-21T00:12:43.145224192Z"},
	} {
		got := sequence.InstantOf(test.t)
		if got != test.want || got.String() != test.text {
			t.Errorf("%s: %d %s", test.t, got, got)
		}
		if back := sequence.InstantOf(got.Time()); back != got {
			t.Errorf("%s came back as %s", got, back)
		}
	}
}

func TestApplyRefusesBadInput(t *testing.T) {
	seq := &sequence.Sequence{Steps: manySteps(2)}
	active := sequence.State{Status: sequence.StatusActive, EnrolledAt: 1}
	for name, test := range map[string]struct {
		seq   *sequence.Sequence
		st    sequence.State
		ev    sequence.Event
		field string
	}{
		"no sequence": {nil, active, sequence.Event{Kind: sequence.EventReplied, At: 1}, "Sequence"},
		"no steps":    {&sequence.Sequence{}, sequence.State{}, sequence.Event{Kind: sequence.EventEnrolled, At: 1}, "Steps"},
		"no kind":     {seq, active, sequence.Event{At: 1}, "Event.Kind"},
		"new kind":    {seq, active, sequence.Event{Kind: sequence.EventEdited + 1, At: 1}, "Event.Kind"},
		"no time":     {seq, active, sequence.Event{Kind: sequence.EventReplied}, "Event.At"},
		"old time":    {seq, active, sequence.Event{Kind: sequence.EventReplied, At: -1}, "Event.At"},
		"old until":   {seq, active, sequence.Event{Kind: sequence.EventAutoReplied, At: 1, Until: -1}, "Event.Until"},
	} {
		t.Run(name, func(t *testing.T) {
			st, effects, err := sequence.Apply(test.seq, test.st, test.ev)
			field, ok := errors.AsType[*sequence.FieldError](err)
			if !ok || field.Field != test.field || st != test.st || effects.N != 0 {
				t.Errorf("%s, %s, %v", st, effects, err)
			}
		})
	}
	_, _, err := sequence.Apply(seq, active, sequence.Event{Kind: sequence.EventSent, Step: 2, At: 7})
	transition, ok := errors.AsType[*sequence.TransitionError](err)
	if !ok || !errors.Is(err, sequence.ErrTransition) || errors.Is(err, sequence.ErrInvalid) ||
		transition.State != active || transition.Event.Step != 2 {
		t.Errorf("%v", err)
	}
}

// An out-of-office hold can't overflow, and step numbers that no step can
// have never match.
func TestApplyExtremes(t *testing.T) {
	seq := &sequence.Sequence{AutoReplyHold: math.MaxInt64, Steps: []sequence.Step{{ID: 0}, {ID: 255}}}
	active := sequence.State{Status: sequence.StatusActive, EnrolledAt: 1}
	st, _, err := sequence.Apply(seq, active, sequence.Event{Kind: sequence.EventAutoReplied, At: math.MaxInt64 - 1})
	if err != nil || st.HeldUntil != math.MaxInt64 {
		t.Errorf("%s, %v", st, err)
	}
	for kind := sequence.EventOpened; kind <= sequence.EventEdited; kind++ {
		for _, step := range []sequence.StepID{0, 65, 128, 255} {
			st, effects, err := sequence.Apply(seq, active, sequence.Event{Kind: kind, Step: step, At: 1})
			if st.Open != 0 || st.Done|st.Skipped != 0 || effects.Has(sequence.EffectSend) {
				t.Errorf("%s %d: %s, %v", kind, step, st, err)
			}
		}
	}
	if due := sequence.Next(seq, active, sequence.Calendar{}, time.Unix(5, 0)); due.Kind != sequence.DueHeld || !due.At.IsZero() {
		t.Errorf("%s", due)
	}
}
