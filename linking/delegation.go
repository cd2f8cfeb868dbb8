package linking

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// DelegateParams lets a colleague send from a link. All fields are required.
type DelegateParams struct {
	Owner string // the signed-in user, whose link it is
	Link  string
	Actor string // the host's user who may send from it

	// Until is when that ends by itself. What is left of the actor's drips is
	// held from then on, and goes on if the actor is allowed again.
	Until time.Time
}

// UndelegateParams withdraws what Delegate allowed. All fields are required.
type UndelegateParams struct {
	Owner string // the signed-in user, whose link it is
	Link  string
	Actor string
}

// Delegation is a colleague's right to send from a link.
type Delegation struct {
	Link     string
	Owner    string
	Provider string
	Address  string // the link's
	Actor    string
	Since    time.Time // when it was first given, in UTC as is Until
	Until    time.Time // when it ends by itself
}

// delegation is a Delegation in its link's record.
type delegation struct {
	Actor string    `json:"actor"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// delegated is a link in the record of an actor that may have been allowed to
// send from it. Whether it is is for the link's record to say: this finds the
// links, and may name too many but never too few.
type delegated struct {
	Link string    `json:"link"`
	At   time.Time `json:"at"`
}

// The bounds of records.
const (
	maxDelegations = 200 // of one link
	maxDelegated   = 500 // of one actor
)

// Delegate lets a colleague send from the owner's link until a time. The mail
// leaves from that mailbox; its log and events name both. Once more for the
// same actor sets another end. It outlives relinking, and ends with the link.
//
// Errors: ErrNotFound for a link that is not the owner's, or is unlinked;
// provider.ErrInvalid for a field that can't be used, for a 201st colleague of
// a link, and for a 501st link of an actor.
func (l *Linker) Delegate(ctx context.Context, p DelegateParams) (Delegation, error) {
	const op = "delegate"
	now := l.cfg.Now()
	switch {
	case !isUser(p.Actor):
		return Delegation{}, bad(op, "Actor", "is empty, longer than 512 bytes, or no text")
	case p.Actor == p.Owner:
		return Delegation{}, bad(op, "Actor", "is the owner, who may send anyway")
	case !p.Until.After(now):
		return Delegation{}, bad(op, "Until", "is not in the future; say when it ends")
	}
	link, err := l.owned(ctx, p.Owner, p.Link)
	if err != nil {
		return Delegation{}, err
	}
	if err := ended(link); err != nil {
		return Delegation{}, err
	}
	// The actor's record first: a crash in between leaves a link too many in
	// it, which is only looked at in vain.
	if err := l.enlist(ctx, p.Actor, p.Link); err != nil {
		return Delegation{}, err
	}
	var d delegation
	link, err = l.updateFrom(ctx, link, func(link *store.Link, rec *record) error {
		if err := ended(*link); err != nil {
			return err
		}
		list := alive(rec.Delegations, now)
		d = delegation{Actor: p.Actor, Since: now, Until: p.Until.UTC().Round(0)}
		i := slices.IndexFunc(list, func(d delegation) bool { return d.Actor == p.Actor })
		switch {
		case i >= 0 && list[i].Until.Equal(d.Until):
			d = list[i]
			return errUnchanged
		case i >= 0:
			d.Since = list[i].Since
			list[i] = d
		case len(list) >= maxDelegations:
			return bad(op, "Link", fmt.Sprintf("has %d colleagues who may send from it, which is the most; withdraw one first", maxDelegations))
		default:
			list = append(list, d)
		}
		rec.Delegations = list
		l.note(rec, entry{
			Kind: ChangeDelegated, At: now, From: link.Status, To: link.Status, Access: provider.Access(link.Access), Actor: d.Actor, Until: d.Until,
		})
		return nil
	})
	if err != nil {
		return Delegation{}, err
	}
	l.tell(ctx, link)
	return delegationOf(link, d), nil
}

// Undelegate withdraws what Delegate allowed. From when it returns nil no
// further mail of the actor's is begun; one whose request is under way leaves.
// It is no error if there was nothing to withdraw; ErrNotFound for a link that
// is not the owner's.
func (l *Linker) Undelegate(ctx context.Context, p UndelegateParams) error {
	link, err := l.owned(ctx, p.Owner, p.Link)
	if err != nil {
		return err
	}
	link, err = l.updateFrom(ctx, link, func(link *store.Link, rec *record) error {
		now := l.cfg.Now()
		list := alive(rec.Delegations, now)
		i := slices.IndexFunc(list, func(d delegation) bool { return d.Actor == p.Actor })
		if i < 0 {
			return errUnchanged
		}
		rec.Delegations = slices.Delete(list, i, i+1)
		l.note(rec, entry{
			Kind: ChangeUndelegated, At: now, From: link.Status, To: link.Status, Access: provider.Access(link.Access), Actor: p.Actor,
		})
		return nil
	})
	if err != nil {
		return err
	}
	l.tell(ctx, link)
	return nil
}

// Delegations lists who may send from the owner's link now, by actor;
// ErrNotFound for a link that is not the owner's.
func (l *Linker) Delegations(ctx context.Context, owner, id string) ([]Delegation, error) {
	link, err := l.owned(ctx, owner, id)
	if err != nil {
		return nil, err
	}
	return l.delegations(link)
}

func (l *Linker) delegations(link store.Link) ([]Delegation, error) {
	rec, err := recordOf(link)
	if err != nil || ended(link) != nil {
		return nil, err
	}
	var out []Delegation
	for _, d := range alive(rec.Delegations, l.cfg.Now()) {
		out = append(out, delegationOf(link, d))
	}
	slices.SortFunc(out, func(a, b Delegation) int { return strings.Compare(a.Actor, b.Actor) })
	return out, nil
}

// DelegatedTo lists the links of others that an actor may send from now, in no
// particular order. Those of one's own are listed by List. A link whose record
// can't be read hides none of the others: it is in the error beside them.
func (l *Linker) DelegatedTo(ctx context.Context, actor string) ([]Delegation, error) {
	if !isUser(actor) {
		return nil, bad("delegated to", "actor", "is empty, longer than 512 bytes, or no text")
	}
	index, err := l.app(ctx, actorSubject(actor))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rec, err := recordOf(index)
	if err != nil {
		return nil, err
	}
	var out []Delegation
	var failed []error
	for _, in := range rec.Delegated {
		d, ok, err := l.delegatedIn(ctx, actor, in.Link)
		if err != nil {
			failed = append(failed, err)
		}
		if ok {
			out = append(out, d)
		}
	}
	return out, errors.Join(failed...)
}

// MayAct reports whether an actor may send over a link: its owner, and whom
// the owner allowed. It has the form of runner.Config's MayAct, which asks it
// before each mail.
func (l *Linker) MayAct(ctx context.Context, actor string, linked provider.Linked) (bool, error) {
	if actor == "" || linked.Owner == "" {
		return false, nil
	}
	if actor == linked.Owner {
		return true, nil
	}
	d, ok, err := l.delegatedIn(ctx, actor, linked.Link)
	return ok && d.Owner == linked.Owner, err
}

// delegatedIn reads an actor's delegation from its link.
func (l *Linker) delegatedIn(ctx context.Context, actor, id string) (Delegation, bool, error) {
	link, err := l.mailbox(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Delegation{}, false, nil
	}
	if err != nil {
		return Delegation{}, false, err
	}
	all, err := l.delegations(link)
	if err != nil {
		return Delegation{}, false, err
	}
	i := slices.IndexFunc(all, func(d Delegation) bool { return d.Actor == actor })
	if i < 0 {
		return Delegation{}, false, nil
	}
	return all[i], true, nil
}

// enlist writes a link into its actor's record. It is written anew each time,
// so that whoever clears the record out at the same moment loses it.
func (l *Linker) enlist(ctx context.Context, actor, id string) error {
	now, subject := l.cfg.Now(), actorSubject(actor)
	index, err := l.app(ctx, subject)
	if errors.Is(err, store.ErrNotFound) {
		index, err = l.cfg.Links.Create(ctx, store.Link{
			ID: store.KindApp + "/" + subject, Owner: store.KindApp, Kind: store.KindApp, Subject: subject, Status: store.LinkLinked, Created: now, Changed: now,
		})
		if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrOwned) {
			index, err = l.app(ctx, subject)
		}
	}
	if err != nil {
		return fmt.Errorf("linking: delegate: the actor's record: %w", err)
	}
	_, err = l.updateFrom(ctx, index, func(_ *store.Link, rec *record) error {
		list := slices.DeleteFunc(slices.Clone(rec.Delegated), func(in delegated) bool { return in.Link == id })
		if len(list) >= maxDelegated {
			if list, err = l.clearOut(ctx, actor, list, now); err != nil {
				return err
			}
		}
		if len(list) >= maxDelegated {
			return bad("delegate", "Actor", fmt.Sprintf("may send from %d links already, which is the most", maxDelegated))
		}
		rec.Delegated = append(list, delegated{Link: id, At: now})
		return nil
	})
	return err
}

// clearOut keeps the links that an actor may still send from, and those that
// were written down of late: they may be about to be.
func (l *Linker) clearOut(ctx context.Context, actor string, list []delegated, now time.Time) ([]delegated, error) {
	var out []delegated
	for _, in := range list {
		_, ok, err := l.delegatedIn(ctx, actor, in.Link)
		if err != nil {
			return nil, err
		}
		if ok || now.Sub(in.At) < time.Hour {
			out = append(out, in)
		}
	}
	return out, nil
}

// actorPrefix begins the subjects of actors' records, and no registration's
// name.
const actorPrefix = "actor/"

// actorSubject names an actor's record beside those of registrations. The
// actor's own id stays out of what a store indexes.
func actorSubject(actor string) string {
	sum := sha256.Sum256([]byte("outreach actor\x00" + actor))
	return actorPrefix + hex.EncodeToString(sum[:])
}

func alive(list []delegation, now time.Time) []delegation {
	return slices.DeleteFunc(slices.Clone(list), func(d delegation) bool { return !d.Until.After(now) })
}

func delegationOf(link store.Link, d delegation) Delegation {
	return Delegation{
		Link: link.ID, Owner: link.Owner, Provider: link.Provider, Address: link.Address, Actor: d.Actor, Since: d.Since, Until: d.Until,
	}
}

// ended is ErrNotFound for a link that is unlinked, or about to be.
func ended(link store.Link) error {
	if link.Status == store.LinkUnlinking || link.Status == store.LinkUnlinked {
		return fmt.Errorf("%w: %s is unlinked", ErrNotFound, link.ID)
	}
	return nil
}

func isUser(s string) bool {
	return s != "" && len(s) <= 512 && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}
