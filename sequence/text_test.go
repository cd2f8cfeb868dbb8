package sequence_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/sequence"
)

// Every value has a name of its own, and one that this release does not know
// is shown by its number.
func TestNames(t *testing.T) {
	type kind struct {
		name   string
		count  int
		string func(int) string
	}
	for _, k := range []kind{
		{"Status", int(sequence.StatusStopped) + 1, func(i int) string { return sequence.Status(i).String() }},
		{"Reason", int(sequence.ReasonRejected) + 1, func(i int) string { return sequence.Reason(i).String() }},
		{"EventKind", int(sequence.EventEdited) + 1, func(i int) string { return sequence.EventKind(i).String() }},
		{"EffectKind", int(sequence.EffectResumed) + 1, func(i int) string { return sequence.EffectKind(i).String() }},
		{"DueKind", int(sequence.DueComplete) + 1, func(i int) string { return sequence.DueKind(i).String() }},
		{"Rule", int(sequence.RuleNever) + 1, func(i int) string { return sequence.Rule(i).String() }},
	} {
		seen := map[string]bool{}
		for i := range k.count {
			name := k.string(i)
			if name == "" || name != strings.ToLower(name) || strings.ContainsAny(name, " ?") || seen[name] {
				t.Errorf("%s(%d) is %q", k.name, i, name)
			}
			seen[name] = true
		}
		if got, want := k.string(k.count), fmt.Sprintf("%d?", k.count); got != want {
			t.Errorf("%s(%d) is %q, want %q", k.name, k.count, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	effects := sequence.Effects{N: 2, List: [4]sequence.Effect{{Kind: sequence.EffectCrossed, Step: 2}, {Kind: sequence.EffectFlag}}}
	for _, test := range []struct {
		got  fmt.Stringer
		want string
	}{
		{sequence.Holds(0), "none"},
		{sequence.HoldPaused | sequence.HoldReview | sequence.HoldMailbox | sequence.HoldDecide, "paused,review,mailbox,decide"},
		{sequence.Holds(1 << 4), "4?"},
		{sequence.Workdays | sequence.Sunday, "sun,mon,tue,wed,thu,fri"},
		{sequence.Saturday, "sat"},
		{sequence.Effects{}, "none"},
		{sequence.Effects{N: -1}, "none"},
		{effects, "crossed(2) flag"},
		{
			sequence.Event{Kind: sequence.EventFailed, Step: 2, Permanent: true, At: sequence.InstantOf(at), Until: sequence.InstantOf(at.Add(time.Hour))},
			"failed step=2 permanent at=2026-03-02T09:00:00Z until=2026-03-02T10:00:00Z",
		},
		{sequence.Event{}, "none at=unset"},
		{sequence.State{}, "none"},
		{sequence.Due{}, "none"},
		{sequence.Trace(nil), ""},
		{sequence.Cause{Rule: sequence.RuleNever}, "no time can be told"},
		{sequence.Cause{Rule: 99, At: at}, "99? Mon 2026-03-02 09:00:00 UTC"},
		{
			sequence.Trace{
				{Rule: sequence.RuleLastSent, At: at},
				{Rule: sequence.RuleDays, Days: 1, At: at.AddDate(0, 0, 1)},
				{Rule: sequence.RuleAfter, After: time.Minute, At: at.AddDate(0, 0, 1).Add(time.Minute)},
			},
			"previous step Mon 2026-03-02 09:00:00 UTC; 1 day later, Tue 2026-03-03 09:00:00 UTC; 1m0s later, Tue 2026-03-03 09:01:00 UTC",
		},
	} {
		if got := test.got.String(); got != test.want {
			t.Errorf("%#v\n got %q\nwant %q", test.got, got, test.want)
		}
	}
	if effects.Has(sequence.EffectSend) || !effects.Has(sequence.EffectFlag) || (sequence.Effects{}).Has(sequence.EffectNone) {
		t.Error("Has")
	}
}

// Errors say what happened to what.
func TestErrorTexts(t *testing.T) {
	_, _, err := sequence.Apply(&sequence.Sequence{}, sequence.State{Status: 9}, sequence.Event{Kind: sequence.EventReplied, At: 1})
	if got, want := err.Error(), "sequence: bad state: unknown status"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	err = new(sequence.State).UnmarshalBinary([]byte{2})
	if got, want := err.Error(), "sequence: bad state: encoding version 2 is not known to this release"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	err = (&sequence.Sequence{ID: "a"}).Validate()
	if got, want := err.Error(), "sequence: Steps: is empty; a sequence has at least one step"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := sequence.ErrTransition.Error(), "sequence: event impossible in this state"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
