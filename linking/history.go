package linking

import (
	"context"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// ChangeKind is what a Change is about.
type ChangeKind string

// The kinds of Change.
const (
	ChangeStatus      ChangeKind = "status"      // the link has another status, or another access
	ChangeSilent      ChangeKind = "silent"      // the mailbox should be read and was not for longer than Config.SilentAfter
	ChangeHeard       ChangeKind = "heard"       // it is read again
	ChangeDelegated   ChangeKind = "delegated"   // the owner lets Actor send from the link until Until
	ChangeUndelegated ChangeKind = "undelegated" // the owner withdrew that
	ChangeAlarm       ChangeKind = "alarm"       // an app registration needs its operator
	ChangeHealed      ChangeKind = "healed"      // it works again
)

// Change is one thing that happened to a link or to an app registration. Its
// times are in UTC.
type Change struct {
	// ID is the same each time that the change is told. Seq, its number among
	// the link's, grows by one: a gap is changes that were forgotten because
	// nobody took them.
	ID  string
	Seq int

	Kind     ChangeKind
	At       time.Time
	Provider string // the app registration, Provider.Name
	Link     Link   // as it was after the change; zero for a change of a registration

	Was    store.LinkStatus // empty for a new link
	Status store.LinkStatus
	Access provider.Access // after it
	Reason string          // the service's code or one of this package; empty where all is well

	Actor string    // of delegations: who may send, or might
	Until time.Time // of ChangeDelegated: when it ends by itself

	// Diagnosis is zero where nothing is wrong.
	Diagnosis provider.Diagnosis
}

// entry is one line of a link's history.
type entry struct {
	Seq    int              `json:"seq"`
	Kind   ChangeKind       `json:"kind"`
	At     time.Time        `json:"at"`
	From   store.LinkStatus `json:"from,omitempty"`
	To     store.LinkStatus `json:"to,omitempty"`
	Access provider.Access  `json:"access,omitempty"`
	Fault  fault            `json:"fault,omitzero"`
	Mender provider.Mender  `json:"mender,omitempty"`
	Actor  string           `json:"actor,omitempty"`
	Until  time.Time        `json:"until,omitzero"`
}

// brk is one involuntary end of a grant.
type brk struct {
	At    time.Time `json:"at"`
	Fault fault     `json:"fault"`
}

// maxHistory is how many entries a link keeps.
const maxHistory = 100

// note adds an entry. The oldest are forgotten, told or not: a handler that
// fails for ever must not let the record grow for ever.
func (l *Linker) note(rec *record, e entry) {
	rec.Seq++
	e.Seq = rec.Seq
	rec.History = append(rec.History, e)
	rec.History = rec.History[max(0, len(rec.History)-maxHistory):]
	if l.cfg.OnChange == nil {
		rec.Told = rec.Seq
	}
}

// lastAccess is the access that the history knows of.
func (r *record) lastAccess() provider.Access {
	for i := len(r.History) - 1; i >= 0; i-- {
		if r.History[i].Kind == ChangeStatus {
			return r.History[i].Access
		}
	}
	return ""
}

// change is an entry as it is told.
func (l *Linker) change(link store.Link, e entry) Change {
	c := Change{
		ID: changeID(link.ID, e.Seq), Seq: e.Seq, Kind: e.Kind, At: e.At, Provider: link.Provider,
		Was: e.From, Status: e.To, Access: e.Access, Reason: e.Fault.Reason, Diagnosis: l.diagnose(link.Provider, e.Fault),
		Actor: e.Actor, Until: e.Until,
	}
	if e.Fault == (fault{}) && e.To == store.LinkLimited {
		f := ours(provider.ErrAccess, provider.ReasonLimited)
		c.Reason, c.Diagnosis = f.Reason, l.diagnose(link.Provider, f)
	}
	if link.Kind == store.KindApp {
		return c
	}
	c.Link = view(link)
	c.Link.Status, c.Link.Reason, c.Link.Access, c.Link.Changed = e.To, e.Fault.Reason, e.Access, e.At
	return c
}

// History returns what happened to a link, oldest first: the latest 100
// changes. It makes no request, and knows unlinked links too.
func (l *Linker) History(ctx context.Context, id string) ([]Change, error) {
	link, err := l.mailbox(ctx, id)
	if err != nil {
		return nil, err
	}
	rec, err := recordOf(link)
	if err != nil {
		return nil, err
	}
	out := make([]Change, 0, len(rec.History))
	for _, e := range rec.happened(link) {
		out = append(out, l.change(link, e))
	}
	return out, nil
}

// happened leaves out the end of a link that is written down before the store
// releases it, until it is released.
func (r *record) happened(link store.Link) []entry {
	n := len(r.History)
	if n > 0 && r.History[n-1].To == store.LinkUnlinked && link.Status != store.LinkUnlinked {
		return r.History[:n-1]
	}
	return r.History
}
