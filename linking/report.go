package linking

import (
	"context"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// Status is how a link does, as a settings page shows it.
type Status struct {
	Link Link // as stored

	// Status is Link.Status, but store.LinkHeld for a link that would work and
	// whose app registration is at fault. Since is since when. Works is
	// whether mail leaves and answers are seen; a held link comes back by
	// itself.
	Status store.LinkStatus
	Since  time.Time
	Works  bool

	// Asked is what the host wants the link to do. Link.Access is what it does,
	// and Can is what that is good for.
	Asked provider.Access
	Can   provider.Abilities

	// Diagnosis says what is wrong, who can mend it and what they should do. It
	// is zero where nothing is wrong; a limited link has one.
	Diagnosis provider.Diagnosis

	// Relink says that linking again is what mends it, or may: call Begin with
	// BeginParams.Relink. It is so for a held link too whose mailbox wants more
	// than was granted.
	Relink bool

	// Breaks are the involuntary ends of the grant in the last
	// Config.UnusableWithin, BreaksAllowed is how many make the link unusable.
	Breaks        []Break
	BreaksAllowed int

	// Read is when the last complete read of the mailbox began, Sent when a
	// mail was last accepted, to the hour. Reading is whether somebody's answer
	// is waited for, Silent since when the mailbox was not read though it
	// should have been: zero is that it was.
	Read, Sent time.Time
	Reading    bool
	Silent     time.Time

	Checked time.Time // the last Check, or the linking
	Push    time.Time // new mail is announced until then; zero is that the mailbox is only read at intervals

	Registration Registration
	Revoking     provider.RevokeEffect // what Unlink ends at the service, if it is to revoke
	Revokes      bool                  // whether it is to: see Config.KeepGrants
}

// Break is one involuntary end of a grant.
type Break struct {
	At        time.Time
	Reason    string // the service's code
	Diagnosis provider.Diagnosis
}

// Status returns how a link does, from what is known. It makes no request.
func (l *Linker) Status(ctx context.Context, id string) (Status, error) {
	link, err := l.mailbox(ctx, id)
	if err != nil {
		return Status{}, err
	}
	return l.status(ctx, link)
}

func (l *Linker) status(ctx context.Context, link store.Link) (Status, error) {
	rec, err := recordOf(link)
	if err != nil {
		return Status{}, err
	}
	reg, err := l.registration(ctx, link.Provider)
	if err != nil {
		return Status{}, err
	}
	h := rec.Health
	s := Status{
		Link: view(link), Status: link.Status, Since: rec.since(link), Works: works(link.Status), Asked: rec.Asked,
		BreaksAllowed: max(0, l.cfg.UnusableAfter), Read: h.Read, Sent: h.Sent, Reading: h.Reading, Silent: h.Silent, Checked: h.Checked, Push: h.Push,
		Registration: reg, Revoking: l.Effect(link.Provider), Revokes: !slices.Contains(l.cfg.KeepGrants, link.Provider), Diagnosis: l.diagnose(link.Provider, rec.Fault),
	}
	if s.Asked == "" {
		s.Asked = s.Link.Access
	}
	if prov, ok := l.providers[link.Provider]; ok {
		s.Can = prov.Abilities(s.Link.Access)
	}
	for _, b := range l.recent(rec.Breaks, l.cfg.Now()) {
		s.Breaks = append(s.Breaks, Break{At: b.At, Reason: b.Fault.Reason, Diagnosis: l.diagnose(link.Provider, b.Fault)})
	}
	switch {
	case works(link.Status) && reg.Alarm:
		s.Status, s.Since, s.Works, s.Diagnosis = store.LinkHeld, reg.Since, false, reg.Diagnosis
	case link.Status == store.LinkUnusable:
		s.Diagnosis = l.diagnose(link.Provider, ours(provider.ErrMailboxUnusable, provider.ReasonKeepsBroken))
	case works(link.Status) && !h.Silent.IsZero():
		s.Diagnosis = l.diagnose(link.Provider, ours(provider.ErrTemporary, provider.ReasonSilent))
	case link.Status == store.LinkLimited && s.Diagnosis.Reason == "":
		s.Diagnosis = l.diagnose(link.Provider, ours(provider.ErrAccess, provider.ReasonLimited))
	case link.Status == store.LinkNeedsRelink && s.Diagnosis.Reason == "": // of before there were records
		s.Diagnosis = l.diagnose(link.Provider, fault{Kind: provider.ErrRelink, Reason: link.Reason})
	}
	s.Relink = s.Status == store.LinkNeedsRelink || s.Status == store.LinkLimited ||
		link.Status == store.LinkHeld && rec.Fault.Kind == provider.ErrAccess && !reg.Alarm
	return s, nil
}

// since is when the link came to its status.
func (r *record) since(link store.Link) time.Time {
	list := r.happened(link)
	for i := len(list) - 1; i >= 0; i-- {
		if e := list[i]; e.Kind == ChangeStatus && e.To == link.Status && e.From != link.Status {
			return e.At
		}
	}
	return link.Created
}

// Forgive lets a link that is unusable be linked again: it needs its user
// then, and what broke before counts no more. It is the host's decision, or a
// person's whom it asked; the other way out is to unlink. A link in another
// status is left as it is.
func (l *Linker) Forgive(ctx context.Context, owner, id string) error {
	link, err := l.owned(ctx, owner, id)
	if err != nil {
		return err
	}
	link, err = l.updateFrom(ctx, link, func(link *store.Link, rec *record) error {
		if link.Status != store.LinkUnusable {
			return errUnchanged
		}
		rec.Breaks = nil
		return l.move(link, rec, store.LinkNeedsRelink, ours(provider.ErrRelink, provider.ReasonForgiven))
	})
	if err == nil {
		l.tell(ctx, link)
	}
	return err
}
