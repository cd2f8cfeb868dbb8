package sequence

import (
	"math/bits"
	"strconv"
	"strings"
)

// The texts in this file are stable: scripts compare them and logs are
// searched for them. They hold numbers, times and the words below, and never
// a person's data.

func name[T ~uint8](v T, names ...string) string {
	if int(v) < len(names) {
		return names[v]
	}
	return strconv.Itoa(int(v)) + "?"
}

// String returns the status in one lower-case word.
func (s Status) String() string {
	return name(s, "none", "active", "completed", "stopped")
}

// String returns the reason in one lower-case word.
func (r Reason) String() string {
	return name(r, "none", "replied", "bounced", "unsubscribed", "took-over", "host", "rejected")
}

// String returns the names of the holds with commas between, or "none".
func (h Holds) String() string {
	return set(uint64(h), func(i int) string {
		return name(uint8(i), "paused", "review", "mailbox", "decide")
	})
}

// String returns the days, Sunday first, with commas between, or "none".
func (d Weekdays) String() string {
	return set(uint64(d), func(i int) string {
		return name(uint8(i), "sun", "mon", "tue", "wed", "thu", "fri", "sat")
	})
}

func set(word uint64, member func(int) string) string {
	if word == 0 {
		return "none"
	}
	var b strings.Builder
	for ; word != 0; word &= word - 1 {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(member(bits.TrailingZeros64(word)))
	}
	return b.String()
}

func steps(word uint64) string {
	return set(word, func(i int) string { return strconv.Itoa(i + 1) })
}

// String returns the kind in one lower-case word.
func (k EventKind) String() string {
	return name(k, "none", "enrolled", "opened", "sent", "failed", "unknown", "not-sent", "undecided",
		"replied", "auto-replied", "bounced", "unsubscribed", "took-over", "unsure", "paused", "resumed",
		"skipped", "stopped", "mailbox-lost", "mailbox-back", "edited")
}

// String returns the kind in one lower-case word.
func (k EffectKind) String() string {
	return name(k, "none", "send", "locate", "flag", "stopped", "completed", "crossed", "held", "resumed")
}

// String returns the effect's kind, and its step in brackets if it has one.
func (e Effect) String() string {
	if e.Step == 0 {
		return e.Kind.String()
	}
	return e.Kind.String() + "(" + strconv.Itoa(int(e.Step)) + ")"
}

// String returns the effects in order with blanks between, or "none".
func (e Effects) String() string {
	if e.N <= 0 {
		return "none"
	}
	var b strings.Builder
	for i := range min(e.N, len(e.List)) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(e.List[i].String())
	}
	return b.String()
}

// Has reports whether the effects contain one of the kind.
func (e Effects) Has(kind EffectKind) bool {
	for i := range min(e.N, len(e.List)) {
		if e.List[i].Kind == kind {
			return true
		}
	}
	return false
}

// String returns the event on one line, its times in UTC.
func (e Event) String() string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	if e.Step != 0 {
		field(&b, "step", strconv.Itoa(int(e.Step)))
	}
	if e.Permanent {
		b.WriteString(" permanent")
	}
	field(&b, "at", e.At.String())
	if e.Until != 0 {
		field(&b, "until", e.Until.String())
	}
	return b.String()
}

// String returns the state on one line, its times in UTC. What is unset is
// left out.
func (st State) String() string {
	var b strings.Builder
	b.WriteString(st.Status.String())
	if st.Reason != ReasonNone {
		b.WriteString("(" + st.Reason.String() + ")")
	}
	if st.Open != 0 {
		field(&b, "open", strconv.Itoa(int(st.Open)))
	}
	if st.Unknown {
		b.WriteString(" unknown")
	}
	if st.Done != 0 {
		field(&b, "done", steps(st.Done))
	}
	if st.Skipped != 0 {
		field(&b, "skipped", steps(st.Skipped))
	}
	if st.Crossed != 0 {
		field(&b, "crossed", strconv.Itoa(int(st.Crossed)))
	}
	if st.Holds != 0 {
		field(&b, "holds", st.Holds.String())
	}
	if st.Attempts != 0 {
		field(&b, "attempts", strconv.Itoa(int(st.Attempts)))
	}
	for _, at := range [...]struct {
		key string
		at  Instant
	}{
		{"enrolled", st.EnrolledAt},
		{"last", st.LastSent},
		{"held-until", st.HeldUntil},
		{"retry-at", st.RetryAt},
	} {
		if at.at != 0 {
			field(&b, at.key, at.at.String())
		}
	}
	return b.String()
}

func field(b *strings.Builder, key, value string) {
	b.WriteByte(' ')
	b.WriteString(key)
	b.WriteByte('=')
	b.WriteString(value)
}
