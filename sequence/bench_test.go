package sequence_test

import (
	"testing"
	"time"

	"github.com/outreachkit/outreach/sequence"
)

// history is a run with everything in it, from begin to end.
func history() (*sequence.Sequence, []sequence.Event) {
	seq := &sequence.Sequence{ID: "bench", Steps: manySteps(3)}
	events := []sequence.Event{
		{Kind: sequence.EventEnrolled},
		{Kind: sequence.EventOpened, Step: 1},
		{Kind: sequence.EventSent, Step: 1},
		{Kind: sequence.EventPaused},
		{Kind: sequence.EventUnsure},
		{Kind: sequence.EventMailboxLost},
		{Kind: sequence.EventMailboxBack},
		{Kind: sequence.EventResumed},
		{Kind: sequence.EventAutoReplied, Until: 8},
		{Kind: sequence.EventOpened, Step: 2},
		{Kind: sequence.EventFailed, Step: 2},
		{Kind: sequence.EventOpened, Step: 2},
		{Kind: sequence.EventUnknown, Step: 2},
		{Kind: sequence.EventUndecided, Step: 2},
		{Kind: sequence.EventNotSent, Step: 2},
		{Kind: sequence.EventSkipped, Step: 2},
		{Kind: sequence.EventEdited},
		{Kind: sequence.EventOpened, Step: 3},
		{Kind: sequence.EventReplied},
		{Kind: sequence.EventSent, Step: 3},
		{Kind: sequence.EventBounced},
		{Kind: sequence.EventUnsubscribed},
		{Kind: sequence.EventTookOver},
		{Kind: sequence.EventStopped},
	}
	for i := range events {
		events[i].At = sequence.Instant(i + 1)
	}
	return seq, events
}

func TestApplyAllocatesNothing(t *testing.T) {
	seq, events := history()
	seen := map[sequence.EventKind]bool{}
	for _, ev := range events {
		seen[ev.Kind] = true
	}
	if len(seen) != int(sequence.EventEdited) {
		t.Fatalf("the history has %d of %d events", len(seen), sequence.EventEdited)
	}
	failed := error(nil)
	allocs := testing.AllocsPerRun(100, func() {
		var st sequence.State
		for _, ev := range events {
			next, _, err := sequence.Apply(seq, st, ev)
			if err != nil {
				failed = err
				return
			}
			st = next
		}
	})
	if failed != nil || allocs != 0 {
		t.Fatalf("%v allocations, %v", allocs, failed)
	}
}

func TestAppendBinaryAllocatesNothing(t *testing.T) {
	b := make([]byte, 0, 128)
	st := sequence.State{Status: sequence.StatusActive, EnrolledAt: 1}
	allocs := testing.AllocsPerRun(100, func() {
		out, err := st.AppendBinary(b)
		if err != nil || st.UnmarshalBinary(out) != nil {
			panic("can't encode")
		}
	})
	if allocs != 0 {
		t.Fatalf("%v allocations", allocs)
	}
}

// BenchmarkApply is one event, averaged over a run with all of them.
func BenchmarkApply(b *testing.B) {
	seq, events := history()
	b.ReportAllocs()
	var st sequence.State
	i := 0
	for b.Loop() {
		if i == len(events) {
			st, i = sequence.State{}, 0
		}
		next, _, err := sequence.Apply(seq, st, events[i])
		if err != nil {
			b.Fatal(err)
		}
		st = next
		i++
	}
}

func BenchmarkNext(b *testing.B) {
	for _, zone := range []string{"UTC", "Europe/Berlin"} {
		b.Run(zone, func(b *testing.B) {
			seq := &sequence.Sequence{ID: "bench", Steps: manySteps(3), Window: sequence.Window{
				Days: sequence.Workdays, From: 9 * time.Hour, To: 17 * time.Hour,
			}}
			seq.Steps[1].Days = 3
			now := time.Date(2026, 3, 25, 16, 0, 0, 0, time.UTC)
			at := sequence.InstantOf(now)
			st := sequence.State{Status: sequence.StatusActive, EnrolledAt: at, LastSent: at, Done: 1}
			cal := sequence.Calendar{Zone: location(b, zone)}
			b.ReportAllocs()
			for b.Loop() {
				if due := sequence.Next(seq, st, cal, now); due.Kind != sequence.DueSend {
					b.Fatal(due)
				}
			}
		})
	}
}
