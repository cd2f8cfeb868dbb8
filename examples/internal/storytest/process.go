package storytest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"

	"github.com/outreachkit/outreach/examples/internal/story"
)

// Cut is a moment at which a program is stopped: when it has printed a line
// with these words.
type Cut struct {
	Words  string
	Signal os.Signal
}

// Cuts are moments of one sender's story, in its order. Between two lines lie
// hundreds of requests and commits, and where the signal finds the program
// among them is left to chance.
func Cuts() []Cut {
	return []Cut{
		{"Maria Silva links", os.Interrupt},
		{"Chloé Martin is enrolled", os.Kill},
		{"step 1 is sent to Elif Kaya", os.Interrupt},
		{"step 2 to Finn Larsen got no answer", os.Kill},
		{"step 3 is sent to Grace Mbeki", os.Interrupt},
	}
}

// Play runs a program with the given arguments until the cut, or to its end
// if the cut has no words, and returns what it printed, and whether it was cut
// off. On a busy machine a program may have done more by the time that the
// signal arrives, even all it had to do. A program that ends otherwise than it
// should is an error.
func Play(ctx context.Context, program string, env []string, cut Cut, args ...string) (printed string, stopped bool, err error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), env...)
	var errout bytes.Buffer
	cmd.Stderr = &errout
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return "", false, err
	}
	if err := cmd.Start(); err != nil {
		return "", false, err
	}
	var out strings.Builder
	seen := false
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		out.WriteString(lines.Text() + "\n")
		if !seen && cut.Words != "" && strings.Contains(lines.Text(), cut.Words) {
			seen = true
			if err := cmd.Process.Signal(cut.Signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return "", false, errors.Join(err, cmd.Wait())
			}
		}
	}
	err = cmd.Wait()
	said := errout.String()
	switch {
	case err == nil:
		return out.String(), false, nil
	case !seen:
		return "", false, fmt.Errorf("it ended with %w: %s", err, said)
	case cut.Signal == os.Interrupt && !strings.Contains(said, "the same command goes on from there"):
		return "", false, fmt.Errorf("after Ctrl-C at %q it ended with %w and said %q", cut.Words, err, said)
	}
	return out.String(), true, nil
}

// Decode reads what a program printed with -json, and leaves out how often it
// read the mailbox: who was stopped reads again.
func Decode(out string) ([]story.Result, error) {
	var results []story.Result
	for line := range strings.Lines(out) {
		var r story.Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, fmt.Errorf("%w in %s", err, line)
		}
		r.Requests = story.Requests{Send: r.Requests.Send}
		results = append(results, r)
	}
	return results, nil
}

// Resume stops a program at each of the cuts, runs it to its end, and once
// more after that, and returns how its results differ from those that an
// uninterrupted run printed; nothing is as it must be.
func Resume(ctx context.Context, program string, env []string, cuts []Cut, uninterrupted string, args ...string) (wrong []string, err error) {
	want, err := Decode(uninterrupted)
	if err != nil {
		return nil, err
	}
	times := 0
	for i, cut := range cuts {
		out, stopped, err := Play(ctx, program, env, cut, args...)
		if err != nil {
			return nil, err
		}
		if stopped {
			times++
		}
		if i > 0 && !strings.Contains(out, "the story goes on") {
			wrong = append(wrong, fmt.Sprintf("run %d does not say that it goes on: %.200s", i+1, out))
		}
	}
	if times == 0 {
		wrong = append(wrong, "it was never stopped")
	}
	for range 2 {
		out, _, err := Play(ctx, program, env, Cut{}, append([]string{"-json"}, args...)...)
		if err != nil {
			return nil, err
		}
		got, err := Decode(out)
		if err != nil {
			return nil, err
		}
		if !reflect.DeepEqual(got, want) {
			wrong = append(wrong, fmt.Sprintf("got\n%+v, want\n%+v", got, want))
		}
	}
	return wrong, nil
}
