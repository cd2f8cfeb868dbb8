package runner

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/sequence"
)

// Explain tells what an enrollment waits for and which rule set each time.
// It makes no request.
func (r *Runner) Explain(ctx context.Context, id string) (Explanation, error) {
	l, err := r.find(ctx, id)
	if err != nil {
		return Explanation{}, err
	}
	now := r.cfg.Now()
	cal := r.calendar(l)
	ex := Explanation{
		Enrollment: r.view(l),
		Due:        sequence.Next(l.seq, l.st, cal, now),
		Forecast:   sequence.Forecast(l.seq, l.st, cal, now),
	}
	data, err := r.boxOf(ctx, l.row.Mailbox)
	if err != nil {
		return Explanation{}, fmt.Errorf("runner: explain: %w", err)
	}
	ex.Trouble, ex.LastRead = cmp.Or(data.Lost, data.Trouble), data.LastRead.UTC()
	if data.StoppedUntil.After(now) {
		ex.StoppedUntil = data.StoppedUntil.UTC()
	}
	ex.Text = explain(l, ex, cal, now, data.Lost != "")
	re, err := r.restoration(ctx)
	if err != nil {
		return Explanation{}, err
	}
	if re != nil && data.Recovered != re.key() {
		ex.Text = append(ex.Text, "The store was restored from a backup: nothing is sent before the mailbox was asked what left it since.")
	}
	return ex, nil
}

func explain(l *loaded, ex Explanation, cal sequence.Calendar, now time.Time, lost bool) []string {
	var text []string
	add := func(format string, args ...any) { text = append(text, fmt.Sprintf(format, args...)) }
	clock := func(t time.Time) string { return t.In(cal.Zone).Format("Mon 2 Jan 2006 15:04 MST") }
	switch ex.Due.Kind {
	case sequence.DueNone:
		why := string(ex.Enrollment.Status)
		if ex.Enrollment.Reason != "" {
			why += " (" + ex.Enrollment.Reason + ")"
		}
		add("Nothing more will be sent: %s.", why)
	case sequence.DueSend:
		add("Step %d is due %s: %s.", ex.Due.Step, clock(ex.Due.At), ex.Due.Trace)
		switch {
		case l.rec.Hold == "" || l.rec.NotBefore.IsZero():
		case l.rec.NotBefore.After(now):
			add("It waits until %s: %s.", clock(l.rec.NotBefore), l.rec.Hold)
		case !ex.Due.At.After(now): // until the next Tick
			add("It was last put off until %s: %s.", clock(l.rec.NotBefore), l.rec.Hold)
		}
		if len(l.rec.Mails) > 0 && !l.seq.AcceptBlind {
			add("Before it leaves, the mailbox is read for an answer.")
		}
	case sequence.DueLocate, sequence.DueOpen:
		add("What became of step %d is not known; the mailbox is asked at %s.", ex.Due.Step, clock(l.rec.LookAt))
	case sequence.DueHeld:
		add("Sending is held: %s.", cmp.Or(l.rec.Hold, ex.Due.Holds.String()))
		if l.rec.Barred != "" {
			add("That is asked again %s, and it goes on by itself.", clock(l.rec.AskAt))
		}
		if ex.Due.Holds&sequence.HoldDecide != 0 {
			add("Nobody can tell whether step %d left. Look into the mailbox and call Decide.", ex.Due.Step)
		}
	case sequence.DueComplete:
		add("No step is left.")
	}
	for _, f := range ex.Forecast {
		if f.Step != ex.Due.Step && f.Kind == sequence.DueSend {
			add("Step %d follows %s at the earliest.", f.Step, clock(f.At))
		}
	}
	switch {
	case lost && l.rec.Hold != ex.Trouble: // else it was said
		add("The mailbox can't be used: %s.", ex.Trouble)
	case ex.Trouble != "" && !lost:
		add("The last try to work on the mailbox failed: %s. It is tried again by itself.", ex.Trouble)
	}
	if !ex.StoppedUntil.IsZero() {
		add("The mail service refuses mail of this mailbox; sending is tried again %s.", clock(ex.StoppedUntil))
	}
	if !ex.LastRead.IsZero() {
		add("The mailbox was last read %s.", clock(ex.LastRead))
	}
	return text
}
