package provider

import "time"

// AliasHealth is whether a further address of a mailbox, which mail is or was
// to be sent from, is proven to be one.
type AliasHealth struct {
	Address string
	Proven  bool
	At      time.Time // when mail from it to it was last seen to arrive unchanged; zero is never
}

// Health is how a pass over a mailbox ended: what a runner tells whoever
// keeps the links.
type Health struct {
	Read    time.Time // start of the last complete read; zero is never
	Sent    time.Time // the last mail that was accepted; zero is none of late
	Reading bool      // the mailbox is to be read again: somebody's answer is waited for
	Push    time.Time // new mail is announced until then; zero is that it is not
	Aliases []AliasHealth
	Err     error // what kept the pass from its end; nil is nothing
}
