package sequence_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/outreachkit/outreach/sequence"
)

var rewrite = flag.Bool("rewrite", false, "write what the engine answers into testdata/*.txt; read the diff")

// TestScripts runs testdata/*.txt. A line that begins with "> " is a
// command, the lines below it that begin with two blanks are its answer, and
// all else is prose. The commands are in (*script).do.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := runScript(string(b))
			if *rewrite {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := firstDifference(string(b), got); diff != "" {
				t.Errorf("%s:%s", path, diff)
			}
		})
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	command := ""
	for i := range max(len(w), len(g)) {
		var wl, gl string
		if i < len(w) {
			wl = w[i]
		}
		if i < len(g) {
			gl = g[i]
		}
		if wl != gl {
			return fmt.Sprintf("%d: after %q\nwant %q\n got %q", i+1, command, wl, gl)
		}
		if strings.HasPrefix(wl, "> ") {
			command = wl
		}
	}
	return ""
}

type script struct {
	seq sequence.Sequence
	cal sequence.Calendar
	st  sequence.State
	now time.Time
}

func runScript(text string) string {
	s := &script{cal: sequence.Calendar{Zone: time.UTC}}
	var out strings.Builder
	answering := false
	for line := range strings.SplitAfterSeq(text, "\n") {
		command, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "> ")
		if !ok {
			if answering && strings.HasPrefix(line, "  ") {
				continue
			}
			answering = false
			out.WriteString(line)
			continue
		}
		answering = true
		out.WriteString("> " + command + "\n")
		answer, err := s.do(strings.Fields(command))
		if err != nil {
			answer = append(answer, "error: "+err.Error())
		}
		for _, a := range answer {
			out.WriteString("  " + a + "\n")
		}
	}
	return out.String()
}

// do runs one command:
//
//	sequence ID[/WAIT]... [window=DAYS,FROM-TO] [zone=NAME] [hold-unknown] [auto-reply-hold=DURATION]
//	new              back to the zero state
//	at TIME          set the clock;  wait DURATION  moves it on
//	EVENT [STEP] [until=TIME|until=+DURATION] [permanent]
//	next, forecast   with the reasons
//	every            what each event would do now, without doing it
//	times EVENT N    the same event N times, the last answer shown
func (s *script) do(args []string) ([]string, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("empty command")
	}
	switch args[0] {
	case "sequence":
		return s.define(args[1:])
	case "new":
		s.st = sequence.State{}
		return nil, nil
	case "at":
		t, err := time.Parse(time.RFC3339, args[1])
		s.now = t
		return nil, err
	case "wait":
		d, err := time.ParseDuration(args[1])
		s.now = s.now.Add(d)
		return nil, err
	case "next":
		d := sequence.Next(&s.seq, s.st, s.cal, s.now)
		return explain(d), nil
	case "forecast":
		var out []string
		for _, d := range sequence.Forecast(&s.seq, s.st, s.cal, s.now) {
			out = append(out, explain(d)...)
		}
		return out, nil
	case "every":
		return s.every(), nil
	case "times":
		n, err := strconv.Atoi(args[1])
		var out []string
		for range n {
			if out, err = s.do(args[2:]); err != nil {
				break
			}
		}
		return out, err
	}
	ev, err := s.event(args)
	if err != nil {
		return nil, err
	}
	st, effects, err := sequence.Apply(&s.seq, s.st, ev)
	if err != nil {
		return nil, err
	}
	s.st = st
	return []string{st.String(), "-> " + effects.String()}, nil
}

func explain(d sequence.Due) []string {
	out := []string{d.String()}
	for _, c := range d.Trace {
		out = append(out, "    "+c.String())
	}
	return out
}

func (s *script) event(args []string) (sequence.Event, error) {
	ev := sequence.Event{At: sequence.InstantOf(s.now)}
	for k := sequence.EventEnrolled; k <= sequence.EventEdited; k++ {
		if k.String() == args[0] {
			ev.Kind = k
		}
	}
	if ev.Kind == sequence.EventNone {
		return ev, fmt.Errorf("no such command: %s", args[0])
	}
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch {
		case key == "permanent":
			ev.Permanent = true
		case key == "until" && strings.HasPrefix(value, "+"):
			d, err := time.ParseDuration(value[1:])
			if err != nil {
				return ev, err
			}
			ev.Until = sequence.InstantOf(s.now.Add(d))
		case key == "until":
			t, err := time.Parse(time.RFC3339, value)
			if err != nil {
				return ev, err
			}
			ev.Until = sequence.InstantOf(t)
		default:
			n, err := strconv.ParseUint(arg, 10, 8)
			if err != nil {
				return ev, err
			}
			ev.Step = sequence.StepID(n)
		}
	}
	return ev, nil
}

func (s *script) define(args []string) ([]string, error) {
	seq := sequence.Sequence{ID: "script"}
	for _, arg := range args {
		key, value, found := strings.Cut(arg, "=")
		var err error
		switch {
		case !found && key == "hold-unknown":
			seq.HoldUnknown = true
		case !found:
			var step sequence.Step
			step, err = parseStep(arg)
			if len(seq.Steps) == 0 {
				step.Subject = "Subject"
			}
			seq.Steps = append(seq.Steps, step)
		case key == "zone":
			seq.Zone = value
			s.cal.Zone, err = time.LoadLocation(value)
		case key == "window":
			seq.Window, err = parseWindow(value)
		case key == "auto-reply-hold":
			seq.AutoReplyHold, err = time.ParseDuration(value)
		default:
			err = fmt.Errorf("no such setting: %s", arg)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := seq.Validate(); err != nil {
		return nil, err
	}
	s.seq = seq
	return nil, nil
}

func parseStep(arg string) (sequence.Step, error) {
	id, wait, _ := strings.Cut(arg, "/")
	n, err := strconv.ParseUint(id, 10, 8)
	step := sequence.Step{ID: sequence.StepID(n), Text: "Text"}
	if err != nil || wait == "" {
		return step, err
	}
	if days, rest, found := strings.Cut(wait, "d"); found {
		if step.Days, err = strconv.Atoi(days); err != nil {
			return step, err
		}
		wait = strings.TrimPrefix(rest, "+")
	}
	if wait != "" {
		step.After, err = time.ParseDuration(wait)
	}
	return step, err
}

// parseWindow reads mon-fri,09:00-17:00 or sun,02:00-03:00.
func parseWindow(value string) (sequence.Window, error) {
	var w sequence.Window
	days, hours, _ := strings.Cut(value, ",")
	first, last, isRange := strings.Cut(days, "-")
	if !isRange {
		last = first
	}
	in := false
	for range 2 {
		for d := sequence.Sunday; d <= sequence.Saturday && d != 0; d <<= 1 {
			in = in || d.String() == first
			if in {
				w.Days |= d
			}
			if in && d.String() == last {
				return w, parseHours(&w, hours)
			}
		}
	}
	if days != "" {
		return w, fmt.Errorf("no such days: %s", days)
	}
	return w, parseHours(&w, hours)
}

func parseHours(w *sequence.Window, hours string) error {
	if hours == "" {
		return nil
	}
	var h [4]int
	if _, err := fmt.Sscanf(hours, "%d:%d-%d:%d", &h[0], &h[1], &h[2], &h[3]); err != nil {
		return err
	}
	w.From = time.Duration(h[0])*time.Hour + time.Duration(h[1])*time.Minute
	w.To = time.Duration(h[2])*time.Hour + time.Duration(h[3])*time.Minute
	return nil
}

// every applies each event to a copy of the state and lists those that are
// impossible, those that do nothing, and what the rest do.
func (s *script) every() []string {
	var impossible, nothing, rest []string
	try := func(label string, ev sequence.Event) {
		ev.At = sequence.InstantOf(s.now)
		st, effects, err := sequence.Apply(&s.seq, s.st, ev)
		switch {
		case err != nil:
			impossible = append(impossible, label)
		case st == s.st && effects.N == 0:
			nothing = append(nothing, label)
		default:
			rest = append(rest, fmt.Sprintf("%s: %s\n      -> %s", label, st, effects))
		}
	}
	until := sequence.InstantOf(s.now.Add(time.Hour))
	for k := sequence.EventEnrolled; k <= sequence.EventEdited; k++ {
		switch k {
		case sequence.EventOpened, sequence.EventSent, sequence.EventFailed, sequence.EventUnknown,
			sequence.EventNotSent, sequence.EventUndecided, sequence.EventSkipped:
			for step := range sequence.StepID(4) {
				label := fmt.Sprintf("%s %d", k, step)
				try(label, sequence.Event{Kind: k, Step: step, Until: until})
				if k == sequence.EventFailed {
					try(label+" permanent", sequence.Event{Kind: k, Step: step, Permanent: true})
				}
			}
		default:
			try(k.String(), sequence.Event{Kind: k, Until: until})
		}
	}
	out := []string{"now: " + s.st.String()}
	if len(impossible) > 0 {
		out = append(out, "impossible: "+strings.Join(impossible, ", "))
	}
	if len(nothing) > 0 {
		out = append(out, "nothing: "+strings.Join(nothing, ", "))
	}
	for _, r := range rest {
		out = append(out, strings.Split("    "+r, "\n")...)
	}
	return out
}
