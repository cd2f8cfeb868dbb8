package gmail

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// defaultUnits is what a user may use of a project's quota in a minute, for
// projects that first used the API since May 2026. Older ones have 15,000
// (https://developers.google.com/workspace/gmail/api/reference/quota).
const defaultUnits = 6000

// units is what a request costs of the quota. The costs of reading are from a
// report of the vendor's table.
func units(req *http.Request) int {
	_, path, _ := strings.Cut(req.URL.Path, "/users/me/")
	switch {
	case path == "messages/send", path == "watch":
		return 100
	case path == "stop":
		return 50
	case path == "messages":
		return 5
	case strings.HasPrefix(path, "messages/"):
		return 20
	case strings.HasPrefix(path, "threads/"):
		return 40
	case path == "history":
		return 2
	}
	return 1
}

// meter keeps each mailbox under its quota, so that Gmail need not refuse: its
// refusals last longer, and count against all that the user runs. It is what
// this Provider knows; other processes have meters of their own.
type meter struct {
	perMinute int
	now       func() time.Time

	mu    sync.Mutex
	boxes map[string]budget // by subject
}

type budget struct {
	left float64
	at   time.Time
}

// maxMeters bounds the memory. A mailbox that was forgotten starts afresh.
const maxMeters = 100_000

// take uses units, or says how long to wait for them. Half of a minute's
// units may be used at once and the other half come back within a minute, so
// no minute has more than all.
func (m *meter) take(subject string, n int) time.Duration {
	if m.perMinute <= 0 {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	full := max(float64(m.perMinute)/2, float64(n))
	now := m.now()
	b, ok := m.boxes[subject]
	if elapsed := now.Sub(b.at); !ok || elapsed < 0 {
		b.left = full // a clock that was set back silences nothing
	} else {
		b.left = min(full, b.left+elapsed.Minutes()*float64(m.perMinute)/2)
	}
	b.at = now
	wait := time.Duration(0)
	if b.left < float64(n) {
		wait = time.Duration((float64(n) - b.left) / (float64(m.perMinute) / 2) * float64(time.Minute))
		wait = max(wait, time.Millisecond)
	} else {
		b.left -= float64(n)
	}
	if len(m.boxes) >= maxMeters && !ok {
		clear(m.boxes)
	}
	m.boxes[subject] = b
	return wait
}

// metered refuses requests that would go over the quota, before they leave.
type metered struct {
	next    http.RoundTripper
	meter   *meter
	subject string
}

// RoundTrip implements http.RoundTripper.
func (t *metered) RoundTrip(req *http.Request) (*http.Response, error) {
	if wait := t.meter.take(t.subject, units(req)); wait > 0 {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, &provider.Error{Kind: provider.ErrThrottled, Reason: "own_quota", RetryAfter: wait}
	}
	return t.next.RoundTrip(req)
}
