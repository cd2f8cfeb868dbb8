package sequence_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/sequence"
)

func twoSteps() *sequence.Sequence {
	return &sequence.Sequence{
		ID: "welcome",
		Steps: []sequence.Step{
			{ID: 1, Subject: "A question", Text: "Hello"},
			{ID: 2, Days: 3, Text: "Did you see my mail?"},
		},
		Window: sequence.Window{Days: sequence.Workdays, From: 9 * time.Hour, To: 17 * time.Hour},
	}
}

// One step from due to sent. A host stores the state before it runs the
// effects, and again after.
func ExampleApply() {
	seq := twoSteps()
	if err := seq.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	var st sequence.State
	for _, ev := range []sequence.Event{
		{Kind: sequence.EventEnrolled},
		{Kind: sequence.EventOpened, Step: 1},
		{Kind: sequence.EventSent, Step: 1},
		{Kind: sequence.EventReplied},
	} {
		ev.At = sequence.InstantOf(now)
		next, effects, err := sequence.Apply(seq, st, ev)
		if err != nil {
			fmt.Println(err)
			return
		}
		st = next // store it here, and only then run the effects
		fmt.Printf("%s: %s\n", ev.Kind, effects)
		now = now.Add(time.Minute)
	}
	fmt.Println(st)
	// Output:
	// enrolled: none
	// opened: send(1)
	// sent: none
	// replied: stopped flag
	// stopped(replied) done=1 enrolled=2026-03-02T10:00:00Z last=2026-03-02T10:02:00Z
}

// An answer arrives while a mail is on its way: the mail can't be called
// back, but the run has stopped and a person is told.
func ExampleApply_crossing() {
	seq := twoSteps()
	at := sequence.InstantOf(time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC))
	st := sequence.State{Status: sequence.StatusActive, EnrolledAt: at, Open: 1}

	st, effects, _ := sequence.Apply(seq, st, sequence.Event{Kind: sequence.EventReplied, At: at})
	fmt.Println(effects)
	st, effects, _ = sequence.Apply(seq, st, sequence.Event{Kind: sequence.EventSent, Step: 1, At: at})
	fmt.Println(effects)
	_, _, err := sequence.Apply(seq, st, sequence.Event{Kind: sequence.EventOpened, Step: 2, At: at})
	fmt.Println(errors.Is(err, sequence.ErrTransition))
	// Output:
	// stopped flag
	// crossed(1) flag(1)
	// true
}

// When the next mail leaves, and why then.
func ExampleNext() {
	friday := time.Date(2026, 3, 6, 16, 0, 0, 0, time.UTC)
	st := sequence.State{
		Status:     sequence.StatusActive,
		EnrolledAt: sequence.InstantOf(friday),
		LastSent:   sequence.InstantOf(friday),
		Done:       1, // step 1
	}
	due := sequence.Next(twoSteps(), st, sequence.Calendar{}, friday)
	fmt.Println(due)
	fmt.Println(due.Trace)

	late := friday.AddDate(0, 0, 3).Add(2 * time.Hour)
	due = sequence.Next(twoSteps(), st, sequence.Calendar{}, late)
	fmt.Println(due.Trace)
	// Output:
	// send step=2 at=2026-03-09T16:00:00Z
	// previous step Fri 2026-03-06 16:00:00 UTC; 3 days later, Mon 2026-03-09 16:00:00 UTC
	// previous step Fri 2026-03-06 16:00:00 UTC; 3 days later, Mon 2026-03-09 16:00:00 UTC; that has passed, now Mon 2026-03-09 18:00:00 UTC; window opens Tue 2026-03-10 09:00:00 UTC
}

// The whole campaign before it starts.
func ExampleForecast() {
	sunday := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	st := sequence.State{Status: sequence.StatusActive, EnrolledAt: sequence.InstantOf(sunday)}
	for _, due := range sequence.Forecast(twoSteps(), st, sequence.Calendar{}, sunday) {
		fmt.Println(due)
	}
	// Output:
	// send step=1 at=2026-03-02T09:00:00Z
	// send step=2 at=2026-03-05T09:00:00Z
}

// A state survives as bytes, and damage is noticed.
func ExampleState_UnmarshalBinary() {
	at := sequence.InstantOf(time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC))
	b, _ := sequence.State{Status: sequence.StatusActive, EnrolledAt: at}.MarshalBinary()

	var st sequence.State
	fmt.Println(st.UnmarshalBinary(b), st)
	fmt.Println(errors.Is(st.UnmarshalBinary(b[1:]), sequence.ErrBadState))
	// Output:
	// <nil> active enrolled=2026-03-02T10:00:00Z
	// true
}

// What is wrong with a sequence, by the name of the field.
func ExampleSequence_Validate() {
	seq := twoSteps()
	seq.Steps[1].Days = -1
	err := seq.Validate()
	if field, ok := errors.AsType[*sequence.FieldError](err); ok {
		fmt.Println(field.Field)
	}
	// Output: Steps[1].Days
}
