package sequence

import (
	"strconv"
	"strings"
	"time"
)

// Rule is one of the rules that set the time of a step.
type Rule uint8

// The rules.
const (
	RuleNone      Rule = iota
	RuleEnrolled       // counted from the enrollment
	RuleLastSent       // counted from the previous mail, or the skip in its place
	RuleDays           // the step's Days, on the calendar
	RuleGap            // that time of day does not exist on that day: the clocks jump over it
	RuleAfter          // the step's After
	RuleHeldUntil      // an out-of-office answer holds until then
	RuleRetryAt        // a refused mail waits until then
	RuleOverdue        // that has passed: from now
	RuleWindow         // the window opens
	RuleNever          // no time can be told: the window never opens, or state or sequence can't be used
)

// Cause is one rule's part in a time.
type Cause struct {
	Rule Rule

	// At is the time after the rule, in the Calendar's zone. Zero for
	// RuleNever.
	At time.Time

	// Days is the step's wait, for RuleDays; After the step's, for RuleAfter.
	Days  int
	After time.Duration
}

// Trace is the rules that set a time, in the order in which they were read.
// A rule that changed nothing is not in it.
type Trace []Cause

// String returns the trace in plain English, for a person who asks why a
// mail leaves when it does.
func (tr Trace) String() string {
	var b strings.Builder
	for i, c := range tr {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(c.String())
	}
	return b.String()
}

// String returns the cause in plain English.
func (c Cause) String() string {
	at := clock(c.At)
	switch c.Rule {
	case RuleEnrolled:
		return "enrolled " + at
	case RuleLastSent:
		return "previous step " + at
	case RuleDays:
		if c.Days == 1 {
			return "1 day later, " + at
		}
		return strconv.Itoa(c.Days) + " days later, " + at
	case RuleGap:
		return "the clocks jump over that time of day, so " + at
	case RuleAfter:
		return c.After.String() + " later, " + at
	case RuleHeldUntil:
		return "out of office until " + at
	case RuleRetryAt:
		return "refused, tried again at " + at
	case RuleOverdue:
		return "that has passed, now " + at
	case RuleWindow:
		return "window opens " + at
	case RuleNever:
		return "no time can be told"
	}
	return c.Rule.String() + " " + at
}

func clock(t time.Time) string {
	return t.Format("Mon 2006-01-02 15:04:05.999999999 MST")
}

// String returns the rule in one lower-case word.
func (r Rule) String() string {
	return name(r, "none", "enrolled", "last-sent", "days", "gap", "after", "held-until", "retry-at",
		"overdue", "window", "never")
}

// String returns the kind in one lower-case word.
func (k DueKind) String() string {
	return name(k, "none", "send", "locate", "open", "held", "complete")
}

// String returns what is due and when, without the trace.
func (d Due) String() string {
	var b strings.Builder
	b.WriteString(d.Kind.String())
	if d.Step != 0 {
		field(&b, "step", strconv.Itoa(int(d.Step)))
	}
	if !d.At.IsZero() {
		field(&b, "at", d.At.Format(time.RFC3339Nano))
	}
	if d.Holds != 0 {
		field(&b, "holds", d.Holds.String())
	}
	return b.String()
}
