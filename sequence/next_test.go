package sequence_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/outreachkit/outreach/sequence"
)

var zoneNames = [...]string{
	"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca",
	"Pacific/Apia", "Asia/Beirut", "America/St_Johns", "Asia/Kathmandu", "Europe/Dublin",
}

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// clockOf is what a clock on the wall shows, as a UTC time.
func clockOf(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// open reads the window in the plainest way there is.
func open(w sequence.Window, t time.Time) bool {
	clock := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute +
		time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())
	from, to := w.From, w.To
	if to == 0 {
		to = 24 * time.Hour
	}
	return (w.Days == 0 || w.Days>>t.Weekday()&1 == 1) && from <= clock && clock < to
}

// plan is one random case, all its times on whole minutes, near a change of
// the clocks as often as not.
type plan struct {
	seq  sequence.Sequence
	st   sequence.State
	cal  sequence.Calendar
	base time.Time
}

func randomPlan(t *testing.T, rng *rand.Rand) plan {
	loc := location(t, zoneNames[rng.IntN(len(zoneNames))])
	base := time.Unix(1293840000+rng.Int64N(25*365*24*3600), 0).In(loc) // 2011 to 2035
	if _, end := base.ZoneBounds(); !end.IsZero() && rng.IntN(2) == 0 {
		base = end.Add(time.Duration(rng.IntN(6*24*60)-4*24*60) * time.Minute)
	}
	base = base.Truncate(time.Minute)
	p := plan{cal: sequence.Calendar{Zone: loc}, base: base}
	p.seq.ID = "random"
	for i := range 1 + rng.IntN(4) {
		p.seq.Steps = append(p.seq.Steps, sequence.Step{
			ID:      sequence.StepID(i + 1),
			Subject: "Subject", Text: "Text",
			Days:  rng.IntN(5),
			After: time.Duration(rng.IntN(3)*rng.IntN(2000)) * time.Minute,
		})
	}
	if rng.IntN(4) > 0 {
		p.seq.Window.Days = sequence.Weekdays(rng.IntN(128))
	}
	if rng.IntN(4) > 0 {
		from := rng.IntN(24*60 - 1)
		p.seq.Window.From = time.Duration(from) * time.Minute
		p.seq.Window.To = time.Duration(from+1+rng.IntN(min(24*60-from, 1+rng.IntN(600)))) * time.Minute
	}
	if err := p.seq.Validate(); err != nil {
		t.Fatal(err)
	}
	at := sequence.InstantOf(base)
	p.st = sequence.State{Status: sequence.StatusActive, EnrolledAt: at}
	if rng.IntN(4) == 0 {
		p.st.HeldUntil = at + sequence.Instant(time.Duration(rng.IntN(9*24*60))*time.Minute)
	}
	if rng.IntN(4) == 0 {
		p.st.RetryAt = at + sequence.Instant(time.Duration(rng.IntN(5*24*60))*time.Minute)
	}
	return p
}

// ideal finds the time before the window by walking every minute.
func (p plan) ideal() time.Time {
	step := p.seq.Steps[0]
	at := p.base
	if step.Days > 0 {
		want := clockOf(p.base).AddDate(0, 0, step.Days)
		for at = at.AddDate(0, 0, step.Days).Add(-30 * time.Hour); clockOf(at).Before(want); {
			at = at.Add(time.Minute)
		}
	}
	at = at.Add(step.After)
	for _, other := range []sequence.Instant{p.st.HeldUntil, p.st.RetryAt} {
		if other != 0 && other.Time().After(at) {
			at = other.Time().In(p.base.Location())
		}
	}
	return at
}

// TestNextAgainstMinutes compares Next with a walk over every minute.
func TestNextAgainstMinutes(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 1500 {
		p := randomPlan(t, rng)
		ideal := p.ideal()
		want := ideal
		for !open(p.seq.Window, want) {
			want = want.Add(time.Minute)
		}
		due := sequence.Next(&p.seq, p.st, p.cal, p.base)
		if due.Kind != sequence.DueSend || due.Step != 1 || !due.At.Equal(want) {
			t.Fatalf("%+v\nfrom %s in %s\nwant %s\n got %s\n     %s", p.seq, p.base, p.cal.Zone, want, due.At, due.Trace)
		}
		if last := due.Trace[len(due.Trace)-1]; !last.At.Equal(due.At) {
			t.Fatalf("the trace ends at %s, not at %s", last.At, due.At)
		}

		// Nothing a later now brings is out of the window, before the ideal,
		// or earlier than what an earlier now brought. And whoever asks at
		// the time that was named may send.
		before := due.At
		now := p.base
		for range 40 {
			now = now.Add(time.Duration(rng.IntN(12*60)) * time.Minute)
			due := sequence.Next(&p.seq, p.st, p.cal, now)
			if !open(p.seq.Window, due.At) || due.At.Before(ideal) || due.At.Before(before) {
				t.Fatalf("%+v\nat %s: %s, before that %s, ideal %s", p.seq, now, due.At, before, ideal)
			}
			if mayGo := !now.Before(ideal) && open(p.seq.Window, now); mayGo != !due.At.After(now) {
				t.Fatalf("%+v\nat %s: %s, ideal %s", p.seq, now, due.At, ideal)
			}
			if then := sequence.Next(&p.seq, p.st, p.cal, due.At); due.At.After(now) && !then.At.Equal(due.At) {
				t.Fatalf("%+v\nat %s: %s, but then %s", p.seq, now, due.At, then.At)
			}
			if last := due.Trace[len(due.Trace)-1]; !last.At.Equal(due.At) {
				t.Fatalf("the trace ends at %s, not at %s", last.At, due.At)
			}
			before = due.At
		}
	}
}

// TestForecastComesTrue feeds the engine with sends at exactly the forecast
// times.
func TestForecastComesTrue(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 3000 {
		p := randomPlan(t, rng)
		now := p.base.Add(time.Duration(rng.IntN(20*24*60)) * time.Minute)
		list := sequence.Forecast(&p.seq, p.st, p.cal, now)
		if len(list) != len(p.seq.Steps) {
			t.Fatalf("%d of %d steps", len(list), len(p.seq.Steps))
		}
		st := p.st
		for i, want := range list {
			if want.At.Before(now) || !open(p.seq.Window, want.At) {
				t.Fatalf("%+v\nat %s: %s", p.seq, now, want)
			}
			now = want.At
			due := sequence.Next(&p.seq, st, p.cal, now)
			if due.Kind != sequence.DueSend || due.Step != want.Step || due.At.After(now) {
				t.Fatalf("at %s: %s, forecast %s", now, due, want)
			}
			for _, kind := range []sequence.EventKind{sequence.EventOpened, sequence.EventSent} {
				var err error
				ev := sequence.Event{Kind: kind, Step: due.Step, At: sequence.InstantOf(now)}
				if st, _, err = sequence.Apply(&p.seq, st, ev); err != nil {
					t.Fatal(err)
				}
			}
			rest := sequence.Forecast(&p.seq, st, p.cal, now)
			if len(rest) != len(list)-i-1 {
				t.Fatalf("%d left of %d", len(rest), len(list))
			}
			for j, due := range rest {
				if later := list[i+1+j]; due.String() != later.String() {
					t.Fatalf("forecast %s, now %s", later, due)
				}
			}
		}
		if st.Status != sequence.StatusCompleted {
			t.Fatalf("ends as %s", st)
		}
	}
}

// A held run is told with its times, and never as something to send.
func TestNextWhileHeld(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range 500 {
		p := randomPlan(t, rng)
		free := sequence.Next(&p.seq, p.st, p.cal, p.base)
		list := sequence.Forecast(&p.seq, p.st, p.cal, p.base)
		p.st.Holds = sequence.HoldPaused | sequence.HoldMailbox
		due := sequence.Next(&p.seq, p.st, p.cal, p.base)
		if due.Kind != sequence.DueHeld || due.Holds != p.st.Holds || !due.At.Equal(free.At) {
			t.Fatalf("%s, free %s", due, free)
		}
		for i, due := range sequence.Forecast(&p.seq, p.st, p.cal, p.base) {
			if due.Kind != sequence.DueHeld || !due.At.Equal(list[i].At) {
				t.Fatalf("%s, free %s", due, list[i])
			}
		}
	}
}

// Windows that Validate refuses never open: the run is held, visibly.
func TestNextBadWindow(t *testing.T) {
	st := sequence.State{Status: sequence.StatusActive, EnrolledAt: 1}
	for _, w := range []sequence.Window{
		{From: time.Hour, To: time.Hour},
		{From: 2 * time.Hour, To: time.Hour},
		{From: 25 * time.Hour, To: 26 * time.Hour},
		{From: -time.Hour, To: time.Hour},
		{From: 9 * time.Hour},
		{Days: 1 << 7},
	} {
		seq := &sequence.Sequence{Steps: manySteps(2), Window: w}
		due := sequence.Next(seq, st, sequence.Calendar{}, time.Unix(0, 2))
		if due.Kind != sequence.DueHeld || !due.At.IsZero() || due.Trace[0].Rule != sequence.RuleNever {
			t.Errorf("%+v: %s", w, due)
		}
		if list := sequence.Forecast(seq, st, sequence.Calendar{}, time.Unix(0, 2)); len(list) != 1 {
			t.Errorf("%+v: %v", w, list)
		}
	}
	if due := sequence.Next(nil, st, sequence.Calendar{}, time.Unix(0, 2)); due.Kind != sequence.DueHeld {
		t.Errorf("no sequence: %s", due)
	}
}

// A forecast of what is under way counts from now.
func TestForecastWhileOpen(t *testing.T) {
	seq := &sequence.Sequence{Steps: manySteps(3)}
	seq.Steps[1].Days = 1
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for _, st := range []sequence.State{
		{Open: 1},
		{Open: 1, Unknown: true},
		{Open: 1, Unknown: true, Holds: sequence.HoldDecide},
	} {
		st.Status, st.EnrolledAt = sequence.StatusActive, sequence.InstantOf(now.Add(-time.Hour))
		list := sequence.Forecast(seq, st, sequence.Calendar{}, now)
		if len(list) != 3 || list[0].Step != 1 || !list[0].At.Equal(now) || list[0].Kind == sequence.DueSend ||
			list[1].Kind != sequence.DueSend || !list[1].At.Equal(now.AddDate(0, 0, 1)) || !list[2].At.Equal(list[1].At) {
			t.Errorf("%s: %v", st, list)
		}
		st.Status, st.Reason, st.Holds = sequence.StatusStopped, sequence.ReasonHost, 0
		if list := sequence.Forecast(seq, st, sequence.Calendar{}, now); list != nil {
			t.Errorf("%s: %v", st, list)
		}
	}
}

// The longest sequence is forecast to its end, and the farthest times do not
// wrap.
func TestForecastExtremes(t *testing.T) {
	seq := &sequence.Sequence{ID: "long", Steps: manySteps(64), Window: sequence.Window{Days: sequence.Sunday, To: time.Hour}}
	for i := range seq.Steps {
		seq.Steps[i].Days = 3653
	}
	if err := seq.Validate(); err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	st := sequence.State{Status: sequence.StatusActive, EnrolledAt: sequence.InstantOf(start)}
	list := sequence.Forecast(seq, st, sequence.Calendar{Zone: location(t, "Europe/Berlin")}, start)
	if len(list) != 64 {
		t.Fatalf("%d steps", len(list))
	}
	for i := range list[1:] {
		if list[i+1].At.Before(list[i].At) {
			t.Fatalf("step %d at %s, the next at %s", list[i].Step, list[i].At, list[i+1].At)
		}
	}
}

// FuzzNext hands over sequences that nobody validated, in zones that do not
// exist. Whatever comes of it, nothing is sent into a closed window, and the
// walk ends.
func FuzzNext(f *testing.F) {
	f.Add(int64(1), int64(2), int64(3), 4, int64(5), byte(6), int64(7), int64(8), 9)
	f.Add(int64(1.7e18), int64(1.7e18), int64(1.8e18), 3, int64(3.6e12), byte(0x3e), int64(9*3.6e12), int64(17*3.6e12), 3600)
	f.Add(int64(1<<62), int64(1<<62), int64(-1<<62), -1, int64(-1), byte(0x80), int64(1<<62), int64(-1<<62), 1<<30)
	f.Fuzz(func(t *testing.T, enrolled, last, now int64, days int, after int64, weekdays byte, from, to int64, offset int) {
		seq := &sequence.Sequence{
			Steps: []sequence.Step{{ID: 1}, {ID: 2, Days: days, After: time.Duration(after)}, {ID: 2}, {ID: 64, Days: days}},
			Window: sequence.Window{
				Days: sequence.Weekdays(weekdays), From: time.Duration(from), To: time.Duration(to),
			},
		}
		st := sequence.State{
			Status: sequence.StatusActive, EnrolledAt: sequence.Instant(enrolled),
			LastSent: sequence.Instant(last), HeldUntil: sequence.Instant(last), Done: 1,
		}
		zone := time.FixedZone("fuzz", offset%(1<<30))
		if offset%2 == 0 {
			zone = location(t, zoneNames[uint(offset)%uint(len(zoneNames))])
		}
		cal := sequence.Calendar{Zone: zone}
		at := time.Unix(0, now).In(zone)
		due := sequence.Next(seq, st, cal, at)
		if due.Kind == sequence.DueSend && !open(seq.Window, due.At) {
			t.Fatalf("%s in %+v", due, seq.Window)
		}
		if due.Kind == sequence.DueSend && !due.At.After(at) && !open(seq.Window, at) {
			t.Fatalf("%s at %s in %+v", due, at, seq.Window)
		}
		if list := sequence.Forecast(seq, st, cal, at); len(list) > len(seq.Steps) {
			t.Fatalf("%d entries", len(list))
		}
	})
}

// TestKeepGoing: a sequence may go on when its sender writes by hand.
func TestKeepGoing(t *testing.T) {
	for keep, want := range map[bool]sequence.Status{false: sequence.StatusStopped, true: sequence.StatusActive} {
		s := &sequence.Sequence{ID: "s", KeepGoing: keep, Steps: []sequence.Step{{ID: 1, Subject: "Hello", Text: "Hello."}}}
		st, _, err := sequence.Apply(s, sequence.State{}, sequence.Event{Kind: sequence.EventEnrolled, At: 1})
		if err != nil {
			t.Fatal(err)
		}
		after, effects, err := sequence.Apply(s, st, sequence.Event{Kind: sequence.EventTookOver, At: 2})
		if err != nil || after.Status != want || keep && (after != st || effects.N != 0) {
			t.Errorf("with KeepGoing %t: %+v, %+v, %v", keep, after, effects, err)
		}
	}
}
