package postoffice

import (
	"container/heap"
	"sync"
	"time"
)

// Clock is a virtual clock. It stands still until Advance or Set moves it.
type Clock struct {
	mu    sync.Mutex
	now   time.Time
	next  uint64
	queue events

	moving sync.Mutex // held while time moves, so that moves don't interleave
}

// NewClock returns a clock that stands at start, in UTC and without a
// monotonic reading.
func NewClock(start time.Time) *Clock {
	return &Clock{now: start.UTC().Round(0)}
}

// Now returns the time the clock stands at.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d and runs what is due on the way: in order of
// time, and at the same instant in the order in which it was scheduled. While
// something runs the clock stands at the time it was scheduled for. Advance(0)
// runs what is due now. What runs must not call Advance or Set.
func (c *Clock) Advance(d time.Duration) {
	c.moving.Lock()
	defer c.moving.Unlock()
	c.move(c.Now().Add(max(d, 0)))
}

// Set moves the clock to t as Advance does. A t in the past is ignored: time
// never runs backwards.
func (c *Clock) Set(t time.Time) {
	c.moving.Lock()
	defer c.moving.Unlock()
	c.move(t.UTC().Round(0))
}

func (c *Clock) move(to time.Time) {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 || c.queue[0].at.After(to) {
			if to.After(c.now) {
				c.now = to
			}
			c.mu.Unlock()
			return
		}
		e := heap.Pop(&c.queue).(event)
		if e.at.After(c.now) {
			c.now = e.at
		}
		c.mu.Unlock()
		e.run()
	}
}

// At schedules run for t. A t that is not in the future is due at the next
// Advance.
func (c *Clock) At(t time.Time, run func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	heap.Push(&c.queue, event{at: t.UTC().Round(0), order: c.next, run: run})
}

// Pending returns how many scheduled things have not run, and when the next
// of them is due.
func (c *Clock) Pending() (n int, next time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) > 0 {
		next = c.queue[0].at
	}
	return len(c.queue), next
}

type event struct {
	at    time.Time
	order uint64
	run   func()
}

type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].order < q[j].order
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = event{}
	*q = old[:len(old)-1]
	return last
}
