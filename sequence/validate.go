package sequence

import (
	"fmt"
	"strings"
	"time"
)

// A wait longer than this is taken for a slip of the pen: seconds for
// nanoseconds, or minutes in a field of days.
const (
	maxDelayDays = 3653 // ten years
	maxDelay     = maxDelayDays * 24 * time.Hour
)

const (
	allDays   = Workdays | Saturday | Sunday
	wholeDay  = 24 * time.Hour
	maxZoneID = 128 // bytes; the longest IANA name has less than 40
)

// Validate returns nil if the sequence can be run, else a *FieldError that
// names the first field at fault. Apply, Next and Forecast take a sequence
// that passed for granted; one that would not pass makes them refuse or hold,
// never panic.
//
// Validate can't tell whether Zone names a time zone: whoever makes the
// Calendar finds out. It refuses only what no zone is called.
func (s *Sequence) Validate() error {
	switch {
	case s == nil:
		return &FieldError{Field: "Sequence", Problem: "is nil"}
	case strings.TrimSpace(s.ID) == "":
		return &FieldError{Field: "ID", Problem: "is empty; name the sequence"}
	case len(s.Steps) == 0:
		return &FieldError{Field: "Steps", Problem: "is empty; a sequence has at least one step"}
	case len(s.Steps) > MaxSteps:
		return &FieldError{Field: "Steps", Problem: fmt.Sprintf("has %d steps; at most %d fit", len(s.Steps), MaxSteps)}
	}
	var seen uint64
	for i := range s.Steps {
		step := &s.Steps[i]
		if problem := step.ID.problem(); problem != "" {
			return stepError(i, "ID", problem)
		}
		if seen&step.ID.bit() != 0 {
			return stepError(i, "ID", fmt.Sprintf("repeats %d; every step has a number of its own", step.ID))
		}
		seen |= step.ID.bit()
		if field, problem := step.problem(i == 0); problem != "" {
			return stepError(i, field, problem)
		}
	}
	if problem := zoneProblem(s.Zone); problem != "" {
		return &FieldError{Field: "Zone", Problem: problem}
	}
	if field, problem := s.Window.problem(); problem != "" {
		return &FieldError{Field: "Window." + field, Problem: problem}
	}
	if problem := delayProblem(s.AutoReplyHold); problem != "" {
		return &FieldError{Field: "AutoReplyHold", Problem: problem}
	}
	return nil
}

func stepError(i int, field, problem string) error {
	return &FieldError{Field: fmt.Sprintf("Steps[%d].%s", i, field), Problem: problem}
}

func (id StepID) problem() string {
	if id == 0 || id > MaxSteps {
		return fmt.Sprintf("is %d; step numbers are 1 to %d", id, MaxSteps)
	}
	return ""
}

// problem names the field at fault, and what is wrong with it.
func (s *Step) problem(first bool) (field, problem string) {
	if s.Days < 0 || s.Days > maxDelayDays {
		return "Days", fmt.Sprintf("is %d; 0 to %d days are possible", s.Days, maxDelayDays)
	}
	if problem := delayProblem(s.After); problem != "" {
		return "After", problem
	}
	switch {
	case first && s.Subject == "":
		return "Subject", "is empty; the first mail has no thread to answer in and needs a subject"
	case s.Subject != "" && strings.TrimSpace(s.Subject) == "":
		return "Subject", "is only blanks; leave it empty to answer in the thread"
	case strings.ContainsFunc(s.Subject, isControl):
		return "Subject", "contains a line break or another control character; a subject is one line"
	case strings.TrimSpace(s.Text) == "" && strings.TrimSpace(s.HTML) == "":
		return "Text", "is empty, and so is HTML; a mail needs one of them"
	}
	return "", ""
}

// isControl reports what must not stand in a header field: RFC 5322 section
// 2.2 forbids CR and LF, and no reader knows what to show for the rest.
// U+2028 and U+2029 are line breaks to some renderers.
func isControl(r rune) bool {
	return r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029
}

func delayProblem(d time.Duration) string {
	switch {
	case d < 0:
		return "is negative"
	case d > maxDelay:
		return fmt.Sprintf("is %s; more than %d days is taken for a mistake", d, maxDelayDays)
	}
	return ""
}

// zoneProblem refuses what is no IANA name by its letters. "Local" is what
// the time package calls the machine's own zone: a sequence must not depend
// on where it runs.
func zoneProblem(name string) string {
	switch {
	case name == "":
		return ""
	case len(name) > maxZoneID:
		return fmt.Sprintf("has %d bytes; no time zone name is longer than %d", len(name), maxZoneID)
	case name == "Local":
		return "is Local, which depends on the machine; use an IANA name such as Europe/Berlin"
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || strings.Trim(part, ".") == "" || strings.ContainsFunc(part, notZoneRune) {
			return "is no IANA time zone name such as Europe/Berlin"
		}
	}
	return ""
}

func notZoneRune(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_+-.", r))
}

func (w Window) problem() (field, problem string) {
	switch {
	case w.Days&^allDays != 0:
		return "Days", fmt.Sprintf("has bits %#x that are no day of the week", uint8(w.Days&^allDays))
	case w.From < 0 || w.From >= wholeDay:
		return "From", fmt.Sprintf("is %s; a time of day is 0 to less than 24h", w.From)
	case w.To < 0 || w.To > wholeDay:
		return "To", fmt.Sprintf("is %s; a time of day is 0 to 24h", w.To)
	case w.From%time.Minute != 0:
		return "From", fmt.Sprintf("is %s; give whole minutes, such as 9*time.Hour", w.From)
	case w.To%time.Minute != 0:
		return "To", fmt.Sprintf("is %s; give whole minutes, such as 17*time.Hour", w.To)
	case (w.From != 0 || w.To != 0) && w.From >= w.To:
		return "To", fmt.Sprintf("is %s, not after From, %s; a window does not cross midnight", w.To, w.From)
	}
	return "", ""
}
