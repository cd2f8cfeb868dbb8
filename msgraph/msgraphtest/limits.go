package msgraphtest

import (
	"net/http"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// The limits per mailbox that Graph documents for Outlook
// (https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits),
// and Exchange Online for sending.
const (
	maxConcurrent  = 4
	maxRequests    = 10_000
	requestWindow  = 10 * time.Minute
	sendsPerMinute = 30
)

// usage is what a mailbox has had of its limits.
type usage struct {
	serving int
	times   []time.Time // of requests in the window, oldest first
	sends   []time.Time // when mails leave the Outbox, in order
}

// use returns a mailbox's usage. The caller holds s.mu.
func (s *Server) use(box *postoffice.Mailbox) *usage {
	u := s.usage[box]
	if u == nil {
		u = &usage{}
		s.usage[box] = u
	}
	return u
}

// enter counts a request that is being served until leave is called.
func (s *Server) enter(box *postoffice.Mailbox) (leave func(), f *failure) {
	if s.cfg.Unlimited {
		return func() {}, nil
	}
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.use(box)
	u.serving++
	leave = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		u.serving--
	}
	old, _ := slices.BinarySearchFunc(u.times, now.Add(-requestWindow), func(t, limit time.Time) int {
		if t.After(limit) {
			return 1
		}
		return -1
	})
	u.times = u.times[old:]
	switch {
	case u.serving > maxConcurrent:
		f = fail(http.StatusTooManyRequests, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")
		f.retryAfter = time.Second
	case len(u.times) >= maxRequests:
		f = fail(http.StatusTooManyRequests, "ApplicationThrottled", "Application is over its RequestCount limit.")
		f.retryAfter = u.times[0].Add(requestWindow).Sub(now)
	default:
		u.times = append(u.times, now)
	}
	return leave, f
}

// hold says how long a mail accepted now waits in the Outbox: Exchange sends
// on what is over the rate later, and refuses nothing.
func (s *Server) hold(box *postoffice.Mailbox) time.Duration {
	if s.cfg.Unlimited {
		return 0
	}
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.use(box)
	at := now
	if n := len(u.sends); n >= sendsPerMinute {
		if free := u.sends[n-sendsPerMinute].Add(time.Minute); free.After(at) {
			at = free
		}
		u.sends = u.sends[n-sendsPerMinute+1:]
	}
	u.sends = append(u.sends, at)
	return at.Sub(now)
}
