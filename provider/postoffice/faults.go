package postoffice

import (
	"cmp"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// Fault is something that goes wrong between a client and a MemProvider.
type Fault string

// The faults.
const (
	// FaultRefuse answers a request with a definite refusal of Rule.Kind.
	FaultRefuse Fault = "refuse"

	// FaultLoseBefore loses the request on its way; FaultLoseAfter does what
	// was asked and loses the answer. A client can't tell them apart.
	FaultLoseBefore Fault = "lose before"
	FaultLoseAfter  Fault = "lose after"

	// FaultThrottle refuses for now, and names Rule.RetryAfter if that is not
	// zero. FaultTemporary is a passing failure of a read; of a send it is
	// as good as FaultLoseBefore.
	FaultThrottle  Fault = "throttle"
	FaultTemporary Fault = "temporary"

	// FaultUnauthorized refuses the access token.
	FaultUnauthorized Fault = "unauthorized"

	// FaultCall does nothing but run Rule.Call, and the request goes on.
	FaultCall Fault = "call"
)

// Op names a method of Mailbox or Provider in a Rule.
type Op string

// The operations a Rule can strike.
const (
	OpSend       Op = "send"
	OpLocate     Op = "locate"
	OpProfile    Op = "profile"
	OpChanges    Op = "changes"
	OpSearch     Op = "search"
	OpEnvelope   Op = "envelope"
	OpContent    Op = "content"
	OpAttachment Op = "attachment"
	OpWatch      Op = "watch" // Watch, Renew and Unwatch
	OpRefresh    Op = "refresh"
	OpExchange   Op = "exchange"
)

// Rule makes one fault happen.
type Rule struct {
	Op         Op // empty is any
	Fault      Fault
	Kind       provider.ErrorKind // of FaultRefuse; ErrRejected if empty
	Reason     string             // of FaultRefuse; "refused" if empty
	RetryAfter time.Duration
	Times      int // how often; zero is once, negative is for ever

	// Call runs when the fault strikes, for FaultLoseAfter once the request
	// was carried out. It may use the office and the clock.
	Call func()
}

// Inject adds a rule. Of several that fit a request the oldest strikes.
func (p *MemProvider) Inject(r Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Times == 0 {
		r.Times = 1
	}
	p.rules = append(p.rules, r)
}

// ClearFaults removes all rules.
func (p *MemProvider) ClearFaults() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = nil
}

// strike returns the fault for a request, if any.
func (p *MemProvider) strike(op Op) Rule {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, r := range p.rules {
		if r.Op != "" && r.Op != op {
			continue
		}
		if r.Times > 0 {
			if p.rules[i].Times--; p.rules[i].Times == 0 {
				p.rules = append(p.rules[:i:i], p.rules[i+1:]...)
			}
		}
		return r
	}
	return Rule{}
}

// fail turns a fault into the error of a request that had no effect, or nil
// where the request goes on.
func (r Rule) fail(op Op) error {
	if r.Call != nil && r.Fault != FaultLoseAfter {
		r.Call()
	}
	e := &provider.Error{Op: opName(op)}
	switch r.Fault {
	case FaultRefuse:
		e.Kind, e.Reason = r.Kind, cmp.Or(r.Reason, "refused")
		if e.Kind == "" {
			e.Kind = provider.ErrRejected
		}
	case FaultThrottle:
		e.Kind, e.Reason, e.RetryAfter = provider.ErrThrottled, "rate_limited", r.RetryAfter
	case FaultLoseBefore, FaultTemporary:
		e.Kind, e.Reason = provider.ErrTemporary, "backend_error"
		if op == OpSend {
			e.Kind = provider.ErrOutcomeUnknown
		}
	default:
		return nil
	}
	return e
}

func opName(op Op) string { return "postoffice: " + string(op) }
