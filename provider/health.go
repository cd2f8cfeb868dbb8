package provider

import "time"

// Health is how a pass over a mailbox ended: what a runner tells whoever
// keeps the links.
type Health struct {
	Read    time.Time // start of the last complete read; zero is never
	Sent    time.Time // the last mail that was accepted; zero is none of late
	Reading bool      // the mailbox is to be read again: somebody's answer is waited for
	Push    time.Time // new mail is announced until then; zero is that it is not
	Err     error     // what kept the pass from its end; nil is nothing
}
