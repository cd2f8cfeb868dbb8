package runner

import (
	"context"
	"sync"
)

// Channel is a Sink for hosts that would rather receive than be called: each
// event comes out of C as a Delivery, in the order that Sink promises.
//
// Nothing is lost: an event leaves the outbox only after its receiver called
// Done, and a Tick waits for that. A receiver that dies before Done gets the
// event again, from this process or another one. So it may come twice, and
// Event.ID tells. Done is to be called after the event's effect is kept: who
// acknowledges on receipt loses what a crash then catches.
//
// As Tick waits, somebody must be receiving while a Tick runs. Without a
// receiver it waits until its context ends, and Close makes it fail instead.
type Channel struct {
	c      chan Delivery
	closed chan struct{}
	once   sync.Once
}

// NewChannel returns a Channel. The channel has no buffer: what lay in one
// would be neither received nor in the receiver's care.
func NewChannel() *Channel {
	return &Channel{c: make(chan Delivery), closed: make(chan struct{})}
}

// Delivery is an event that waits to be acknowledged.
type Delivery struct {
	Event  Event
	answer chan error // has room for the one answer that counts
}

// Done acknowledges the event. With an error it is not: it comes again at the
// next Tick, and this Tick brings no later one. Of several calls the first
// counts; none ever blocks.
func (d Delivery) Done(err error) {
	select {
	case d.answer <- err:
	default:
	}
}

// C is where events come out. It is never closed; see Closed.
func (c *Channel) C() <-chan Delivery { return c.c }

// Closed is closed by Close: the end of a receiver's loop.
func (c *Channel) Closed() <-chan struct{} { return c.closed }

// Close has no more events come. One that was received may still be
// acknowledged. It may be called again.
func (c *Channel) Close() { c.once.Do(func() { close(c.closed) }) }

// Handle implements Sink.
func (c *Channel) Handle(ctx context.Context, ev Event) error {
	d := Delivery{Event: ev, answer: make(chan error, 1)}
	select {
	case <-c.closed: // before a receiver that is there, too
		return ErrChannelClosed
	default:
	}
	select {
	case c.c <- d:
	case <-c.closed:
		return ErrChannelClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-d.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
