package linking

import "time"

// The reasons of a Request.
const (
	RequestCheck  = "check"   // how the link does: Check and CheckAll
	RequestStepUp = "step_up" // whether a new grant reads, before it takes the place of one that works
)

// Request is one call to a mailbox that a Linker made, for metrics and audit.
// It holds no address and no token. Requests for consent and tokens go to no
// mailbox and are not told, and neither is the question for the account's own
// addresses that Provider.Exchange may ask.
type Request struct {
	At     time.Time // when it began
	Link   string
	Op     string // profile, search
	Reason string
	Took   time.Duration
	Err    error
}

// ask makes a call to a mailbox and tells of it.
func (l *Linker) ask(link, op, reason string, call func() error) error {
	start := l.cfg.Now()
	err := call()
	if l.cfg.OnRequest != nil {
		l.cfg.OnRequest(Request{At: start, Link: link, Op: op, Reason: reason, Took: l.cfg.Now().Sub(start), Err: err})
	}
	return err
}
