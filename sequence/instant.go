package sequence

import (
	"math"
	"time"
)

// InstantOf returns t as an Instant. The zero Time is the zero Instant, and a
// time beyond what an Instant can hold (the years 1678 to 2261) is the
// nearest one that fits.
func InstantOf(t time.Time) Instant {
	switch {
	case t.IsZero():
		return 0
	case !t.After(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case !t.Before(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return Instant(t.UnixNano())
}

// Time returns the instant in UTC. The zero Instant is the zero Time.
func (i Instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(i)).UTC()
}

// String returns the instant as RFC 3339 in UTC, or "unset".
func (i Instant) String() string {
	if i == 0 {
		return "unset"
	}
	return i.Time().Format(time.RFC3339Nano)
}

// after returns i+d, or the last Instant where that overflows. Neither is
// negative.
func (i Instant) after(d time.Duration) Instant {
	if d > time.Duration(math.MaxInt64-i) {
		return math.MaxInt64
	}
	return i + Instant(d)
}
