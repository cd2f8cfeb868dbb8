package classify_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider/classify"
)

// TestReturnDates reads the day of return in what absent people write in
// 22 languages. A date that is not found costs a wait; one that is too
// early lets a mail go to somebody who is away.
func TestReturnDates(t *testing.T) {
	b, err := os.ReadFile("testdata/dates.txt")
	if err != nil {
		t.Fatal(err)
	}
	sent := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	var right score
	var early int
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if day, ok := strings.CutPrefix(line, "@ "); ok {
			if sent, err = time.Parse(time.DateOnly, day); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, text, ok := strings.Cut(line, " | ")
		if !ok {
			continue
		}
		env, msg := mail("olga@example.org", "Automatic reply: A role", text, "Auto-Submitted", "auto-replied")
		env.Date = sent
		v := classify.Classify(env, msg)
		got := "none"
		if !v.Until.IsZero() {
			got = v.Until.Format(time.DateOnly)
		}
		right.add(got == want)
		if got == want {
			continue
		}
		t.Logf("%s, want %s (%s): %s", got, want, v.Class, text)
		if got != "none" && (want == "none" || got < want) {
			early++
		}
		if !v.Until.IsZero() && (v.Until.Before(sent) || v.Until.After(sent.AddDate(1, 0, 2))) {
			t.Errorf("%s is no day to come back: %s", got, text)
		}
	}
	t.Logf("return dates: %v; %d too early", right, early)
	if right.share() < 0.97 || early > 0 {
		t.Error("below the floor")
	}
}
