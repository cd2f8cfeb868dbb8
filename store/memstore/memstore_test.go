package memstore_test

import (
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/memstore"
	"github.com/outreachkit/outreach/store/storetest"
)

// clock is a store's clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Harness {
		c := &clock{now: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)}
		s := memstore.New(memstore.Options{Now: c.Now})
		return storetest.Harness{Tokens: s.Tokens(), Flows: s.Flows(), Conversations: s.Conversations(), Enrollments: s.Enrollments(), Advance: c.Advance}
	})
}

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, func(*testing.B) store.EnrollmentStore { return memstore.New(memstore.Options{}).Enrollments() })
}
