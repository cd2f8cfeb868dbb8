package linking

import (
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// allowed reports whether a link may go from one status to another. The empty
// status is that of a link that does not exist yet. Linked to linked, and
// limited to limited, is a change of access.
func allowed(from, to store.LinkStatus) bool {
	switch from {
	case "":
		return works(to)
	case store.LinkLinked, store.LinkLimited:
		switch to {
		case store.LinkNeedsRelink, store.LinkHeld, store.LinkUnusable, store.LinkUnlinking:
			return true
		}
		return works(to)
	case store.LinkNeedsRelink: // the user links it again, or the lost token turns up
		return works(to) || to == store.LinkUnlinking
	case store.LinkHeld:
		switch to {
		case store.LinkNeedsRelink, store.LinkUnusable, store.LinkUnlinking:
			return true
		}
		return works(to)
	case store.LinkUnusable: // by the host's decision, see Forgive
		return to == store.LinkNeedsRelink || to == store.LinkUnlinking
	case store.LinkUnlinking:
		return to == store.LinkUnlinked
	}
	return false
}

// fault is what keeps a link from working.
type fault struct {
	Kind   provider.ErrorKind `json:"kind,omitempty"`
	Reason string             `json:"reason,omitempty"` // the service's code, or one of this package

	// Cause is what the age of the grant told of its end, which the code does
	// not.
	Cause provider.Reason `json:"cause,omitempty"`

	// Token says that getting a token failed, so that a new one ends it.
	// Otherwise only work on the mailbox proves that it is over.
	Token bool `json:"token,omitempty"`

	// claims is what the next sign-in has to prove; it is kept in the record.
	claims string
}

func faultOf(err error, token bool) fault {
	var pe *provider.Error
	if !errors.As(err, &pe) {
		return fault{Kind: provider.ErrTemporary, Reason: "unknown", Token: token}
	}
	return fault{Kind: pe.Kind, Reason: pe.Reason, Token: token, claims: pe.Claims}
}

// err is the fault as an adapter would have returned it.
func (f fault) err(op string) error { return &provider.Error{Kind: f.Kind, Op: op, Reason: f.Reason} }

// diagnose explains a fault of a link or a registration.
func (l *Linker) diagnose(registration string, f fault) provider.Diagnosis {
	if f == (fault{}) {
		return provider.Diagnosis{}
	}
	err := f.err("linking")
	if f.Cause != "" { // as it was found out when it happened
		service := ""
		if prov, ok := l.providers[registration]; ok {
			service = prov.Kind().Service()
		}
		return provider.Explain(f.Cause, service, provider.ErrorParams(err))
	}
	return l.Diagnose(registration, err)
}

// working is the status of a link that works.
func working(access, asked provider.Access) store.LinkStatus {
	if asked != "" && !access.Includes(asked) {
		return store.LinkLimited
	}
	return store.LinkLinked
}

// works reports whether a link in this status is good for its access.
func works(s store.LinkStatus) bool { return s == store.LinkLinked || s == store.LinkLimited }

// move takes a link to a status and writes down when, from which, and why.
// Nothing is stored yet: the caller does, and then calls tell. A link that is
// there already, with the same access, stays as it is.
func (l *Linker) move(link *store.Link, rec *record, to store.LinkStatus, f fault) error {
	from, now := link.Status, l.cfg.Now()
	rec.Claims, f.claims = f.claims, "" // the latest word of the service
	if to == store.LinkNeedsRelink && from != store.LinkNeedsRelink {
		if l.breaks(link.Provider, rec, f, now) {
			to = store.LinkUnusable
		}
	}
	access := provider.Access(link.Access)
	if from == to && (!works(to) || rec.lastAccess() == access) {
		if from == store.LinkHeld && rec.Fault != f { // held for another reason: no news, but the one to show
			rec.Fault, link.Reason = f, f.Reason
		}
		return nil
	}
	if !allowed(from, to) {
		return fmt.Errorf("linking: link %s: %q can't become %q", link.ID, from, to)
	}
	rec.Fault = f
	link.Status, link.Reason, link.Changed = to, f.Reason, now
	e := entry{Kind: ChangeStatus, At: now, From: from, To: to, Fault: f, Access: access}
	if f != (fault{}) {
		e.Mender = l.diagnose(link.Provider, f).Mender
	}
	l.note(rec, e)
	return nil
}

// breaks counts an involuntary end of the grant, and reports whether it is
// one too many. What an administrator made, or the operator, is not the
// mailbox's fault, nor is a token that was lost in a crash of ours.
func (l *Linker) breaks(registration string, rec *record, f fault, now time.Time) bool {
	switch provider.Reason(f.Reason) {
	case provider.ReasonTokenLost, provider.ReasonStartedOver, provider.ReasonForgiven:
		return false
	}
	d := l.diagnose(registration, f)
	switch {
	case d.Mender == provider.MendAdmin, d.Mender == provider.MendOperator:
		return false
	case d.Reason == provider.ReasonSignInAgain, d.Reason == provider.ReasonMFARequired: // the user mends what an administrator's rule ended
		return false
	}
	rec.Breaks = append(l.recent(rec.Breaks, now), brk{At: now, Fault: f})
	return l.cfg.UnusableAfter > 0 && len(rec.Breaks) >= l.cfg.UnusableAfter
}

// recent are the breaks that still count.
func (l *Linker) recent(all []brk, now time.Time) []brk {
	var out []brk
	for _, b := range all {
		if now.Sub(b.At) < l.cfg.UnusableWithin {
			out = append(out, b)
		}
	}
	return out[max(0, len(out)-maxBreaks):]
}

// maxBreaks bounds what is kept of them.
const maxBreaks = 100

// usable is nil if a link may be tried: a held one too, since only that shows
// when it is served again.
func usable(op string, link store.Link) error {
	switch link.Status {
	case store.LinkLinked, store.LinkLimited, store.LinkHeld:
		return nil
	case store.LinkNeedsRelink:
		return &provider.Error{Kind: provider.ErrRelink, Op: op, Reason: link.Reason}
	case store.LinkUnusable:
		return &provider.Error{Kind: provider.ErrMailboxUnusable, Op: op, Reason: string(provider.ReasonKeepsBroken)}
	}
	return &provider.Error{Kind: provider.ErrMailboxUnusable, Op: op, Reason: string(provider.ReasonUnlinked)}
}
