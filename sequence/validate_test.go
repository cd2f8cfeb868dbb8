package sequence_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/sequence"
)

func TestValidate(t *testing.T) {
	type seq = sequence.Sequence
	step := sequence.Step{ID: 1, Subject: "Subject", Text: "Text"}
	for _, test := range []struct {
		name  string
		field string // empty: valid
		harm  func(*seq)
	}{
		{"as it is", "", func(*seq) {}},
		{"no ID", "ID", func(s *seq) { s.ID = "" }},
		{"blank ID", "ID", func(s *seq) { s.ID = " \t" }},
		{"no steps", "Steps", func(s *seq) { s.Steps = nil }},
		{"64 steps", "", func(s *seq) { s.Steps = manySteps(64) }},
		{"65 steps", "Steps", func(s *seq) { s.Steps = append(manySteps(64), step) }},
		{"step 0", "Steps[1].ID", func(s *seq) { s.Steps[1].ID = 0 }},
		{"step 65", "Steps[1].ID", func(s *seq) { s.Steps[1].ID = 65 }},
		{"step 255", "Steps[1].ID", func(s *seq) { s.Steps[1].ID = 255 }},
		{"same number twice", "Steps[1].ID", func(s *seq) { s.Steps[1].ID = 1 }},
		{"numbers out of order", "", func(s *seq) { s.Steps[0].ID, s.Steps[1].ID = 64, 3 }},
		{"negative days", "Steps[1].Days", func(s *seq) { s.Steps[1].Days = -1 }},
		{"days for a century", "Steps[0].Days", func(s *seq) { s.Steps[0].Days = 36525 }},
		{"negative wait", "Steps[1].After", func(s *seq) { s.Steps[1].After = -1 }},
		{"a wait of eleven years", "Steps[1].After", func(s *seq) { s.Steps[1].After = 11 * 365 * 24 * time.Hour }},
		{"a wait of nine years", "", func(s *seq) { s.Steps[1].After = 9 * 365 * 24 * time.Hour }},
		{"first without a subject", "Steps[0].Subject", func(s *seq) { s.Steps[0].Subject = "" }},
		{"later with a subject", "", func(s *seq) { s.Steps[1].Subject = "Another thread" }},
		{"blank subject", "Steps[1].Subject", func(s *seq) { s.Steps[1].Subject = "  " }},
		{"subject with a line feed", "Steps[0].Subject", func(s *seq) { s.Steps[0].Subject = "a\nBcc: eve@example.net" }},
		{"subject with a carriage return", "Steps[1].Subject", func(s *seq) { s.Steps[1].Subject = "a\rb" }},
		{"subject with a NUL", "Steps[1].Subject", func(s *seq) { s.Steps[1].Subject = "a\x00b" }},
		{"subject with a line separator", "Steps[1].Subject", func(s *seq) { s.Steps[1].Subject = "a\u2028b" }},
		{"subject with a tab and umlauts", "", func(s *seq) { s.Steps[1].Subject = "Grüße,\tJürgen" }},
		{"no words", "Steps[1].Text", func(s *seq) { s.Steps[1].Text, s.Steps[1].HTML = "\n", " " }},
		{"HTML only", "", func(s *seq) { s.Steps[1].Text, s.Steps[1].HTML = "", "<p>Hello" }},
		{"zone", "", func(s *seq) { s.Zone = "America/Argentina/ComodRivadavia" }},
		{"zone with digits", "", func(s *seq) { s.Zone = "Etc/GMT+14" }},
		{"zone on another planet", "", func(s *seq) { s.Zone = "Mars/Olympus_Mons" }},
		{"zone of the machine", "Zone", func(s *seq) { s.Zone = "Local" }},
		{"zone that climbs", "Zone", func(s *seq) { s.Zone = "../../etc/passwd" }},
		{"zone from the root", "Zone", func(s *seq) { s.Zone = "/Europe/Berlin" }},
		{"zone with a line break", "Zone", func(s *seq) { s.Zone = "Europe/Berlin\n" }},
		{"zone with a blank", "Zone", func(s *seq) { s.Zone = "Europe/New Berlin" }},
		{"zone without an end", "Zone", func(s *seq) { s.Zone = "Europe/" }},
		{"long zone", "Zone", func(s *seq) { s.Zone = strings.Repeat("a", 129) }},
		{"a day that is none", "Window.Days", func(s *seq) { s.Window.Days = 1 << 7 }},
		{"weekend only", "", func(s *seq) { s.Window.Days = sequence.Saturday | sequence.Sunday }},
		{"from before midnight", "Window.From", func(s *seq) { s.Window.From, s.Window.To = -1, time.Hour }},
		{"from at midnight after", "Window.From", func(s *seq) { s.Window.From, s.Window.To = 24*time.Hour, 25*time.Hour }},
		{"to the day after", "Window.To", func(s *seq) { s.Window.From, s.Window.To = time.Hour, 24*time.Hour+1 }},
		{"to before midnight", "Window.To", func(s *seq) { s.Window.To = -1 }},
		{"over midnight", "Window.To", func(s *seq) { s.Window.From, s.Window.To = 22*time.Hour, 6*time.Hour }},
		{"no time at all", "Window.To", func(s *seq) { s.Window.From, s.Window.To = time.Hour, time.Hour }},
		{"from without to", "Window.To", func(s *seq) { s.Window.From = 9 * time.Hour }},
		{"to without from", "", func(s *seq) { s.Window.To = 9 * time.Hour }},
		{"the whole day", "", func(s *seq) { s.Window.To = 24 * time.Hour }},
		{"negative auto-reply hold", "AutoReplyHold", func(s *seq) { s.AutoReplyHold = -1 }},
		{"auto-reply hold for ever", "AutoReplyHold", func(s *seq) { s.AutoReplyHold = 1 << 62 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &seq{ID: "valid", Steps: []sequence.Step{step, {ID: 2, Days: 3, After: time.Hour, HTML: "<p>Hello"}}}
			test.harm(s)
			err := s.Validate()
			if test.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			field, ok := errors.AsType[*sequence.FieldError](err)
			if !ok || !errors.Is(err, sequence.ErrInvalid) || field.Field != test.field || field.Problem == "" {
				t.Fatalf("got %v, want a fault in %s", err, test.field)
			}
		})
	}
	if err := (*seq)(nil).Validate(); !errors.Is(err, sequence.ErrInvalid) {
		t.Errorf("nil: %v", err)
	}
}

func manySteps(n int) []sequence.Step {
	var steps []sequence.Step
	for i := range n {
		steps = append(steps, sequence.Step{ID: sequence.StepID(i + 1), Subject: "Subject", Text: "Text"})
	}
	return steps
}
