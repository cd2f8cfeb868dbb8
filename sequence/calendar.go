package sequence

import "time"

// A time zone is read here as a row of periods, in each of which the local
// clock runs at a fixed distance from UTC. Everything below walks that row
// with Time.ZoneBounds, because time.Date does not say which instant it
// picks where the clocks jump.

// maxPeriods bounds every walk. No zone has changed its offset more than a
// few times in the weeks that a walk may cross.
const maxPeriods = 64

// farthest is more than any zone's clock was ever away from UTC.
const farthest = 36 * time.Hour

func (c Calendar) location() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// wall returns what the local clock shows at t, as a UTC time: so days and
// times of day can be reckoned on it without a jump in between.
func wall(t time.Time) (reading time.Time, offset time.Duration) {
	_, seconds := t.Zone()
	offset = time.Duration(seconds) * time.Second
	return t.UTC().Add(offset), offset
}

// resolve returns the instant at which the local clock first shows the
// reading. If it never does, because the clocks jump over it, that is the
// first instant after the jump, and skipped is true.
func resolve(reading time.Time, loc *time.Location) (t time.Time, skipped bool) {
	at := reading.Add(-farthest).In(loc)
	for range maxPeriods {
		_, offset := wall(at)
		start, end := at.ZoneBounds()
		t = reading.Add(-offset).In(loc)
		if !start.IsZero() && t.Before(start) {
			return start, true
		}
		if end.IsZero() || t.Before(end) {
			return t, false
		}
		at = end
	}
	return t, false
}

// always reports whether the window never closes.
func (w Window) always() bool {
	return (w.Days == 0 || w.Days&allDays == allDays) && w.From == 0 && (w.To == 0 || w.To == wholeDay)
}

func (w Window) on(day time.Weekday) bool {
	return w.Days == 0 || w.Days&(1<<day) != 0
}

// hours are the window's times of day, once the zero ones have been read as
// the whole day.
func (w Window) hours() (from, to time.Duration) {
	if w.From == 0 && w.To == 0 {
		return 0, wholeDay
	}
	return w.From, w.To
}

// contains reports whether the local clock shows a time in the window at t.
func (w Window) contains(t time.Time) bool {
	reading, _ := wall(t)
	from, to := w.hours()
	clock := reading.Sub(midnight(reading))
	return w.on(reading.Weekday()) && from <= clock && clock < to
}

func midnight(reading time.Time) time.Time {
	return reading.Truncate(wholeDay)
}

// opens returns the first instant not before t at which the window is open.
// A day on which the clocks jump over the whole window has none, and the
// search goes on to the next. It reports false for a window that never
// opens, which Validate refuses.
func (w Window) opens(t time.Time) (time.Time, bool) {
	from, to := w.hours()
	if from < 0 || from >= to || from >= wholeDay || w.Days != 0 && w.Days&allDays == 0 {
		return time.Time{}, false
	}
	for range maxPeriods {
		if w.contains(t) {
			return t, true
		}
		reading, offset := wall(t)
		opening := midnight(reading).Add(from)
		for opening.Before(reading) || !w.on(opening.Weekday()) {
			opening = opening.AddDate(0, 0, 1)
		}
		at := opening.Add(-offset).In(t.Location())
		_, end := t.ZoneBounds()
		if end.IsZero() || at.Before(end) {
			return at, true
		}
		t = end // the clocks change before the window opens: look again from there
	}
	return time.Time{}, false
}

// opened returns when the window that is open at t was opened that day, or
// when the clocks last changed if that was later.
func (w Window) opened(t time.Time) time.Time {
	from, _ := w.hours()
	reading, offset := wall(t)
	at := midnight(reading).Add(from).Add(-offset).In(t.Location())
	if start, _ := t.ZoneBounds(); !start.IsZero() && at.Before(start) {
		return start
	}
	return at
}
