package linking

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// health is what is remembered of how a mailbox does.
type health struct {
	Linked  time.Time `json:"linked,omitzero"`   // the latest consent
	Read    time.Time `json:"read,omitzero"`     // start of the last complete read
	Sent    time.Time `json:"sent,omitzero"`     // a mail was accepted
	Token   time.Time `json:"token,omitzero"`    // the latest refresh
	Ends    time.Time `json:"ends,omitzero"`     // of the grant, as far as the service said
	Checked time.Time `json:"checked,omitzero"`  // the last Check began, or the link was made
	Push    time.Time `json:"push,omitzero"`     // new mail is announced until then; zero is that it is not
	Reading bool      `json:"reading,omitempty"` // the mailbox is to be read again: somebody's answers are waited for
	Silent  time.Time `json:"silent,omitzero"`   // since when the host knows that it was not read; zero is that it is
}

// aliasHealth is provider.AliasHealth as it is kept.
type aliasHealth struct {
	Address string    `json:"address"`
	Proven  bool      `json:"proven,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

func aliasesOf(h provider.Health) []aliasHealth {
	var out []aliasHealth
	for _, a := range h.Aliases {
		out = append(out, aliasHealth(a))
	}
	return out
}

// noted is what Report last wrote down of a link, so that a pass that brings
// no news costs no write.
type noted struct {
	at      time.Time
	reading bool
	push    time.Time
	aliases []aliasHealth
	good    bool
}

// noteEvery is how old a stored Read or Sent may be.
const noteEvery = time.Hour

// maxNoted bounds what a process remembers of links that it reported on.
const maxNoted = 100_000

// Report takes in how a pass over a link's mailbox ended. The runner calls it
// after each pass; what brings no news is written down once an hour. A
// mailbox that its service does not serve is held, and works again after a
// pass that had no error; a fault of the app registration raises its alarm.
func (l *Linker) Report(ctx context.Context, id string, h provider.Health) error {
	now := l.cfg.Now()
	l.mu.Lock()
	last, known := l.noted[id]
	l.mu.Unlock()
	if known && last.good && h.Err == nil && last.reading == h.Reading && last.push.Equal(h.Push) && slices.Equal(last.aliases, aliasesOf(h)) &&
		now.Sub(last.at) < noteEvery && now.Sub(last.at) >= 0 {
		return nil
	}
	link, err := l.mailbox(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	f := fault{}
	if h.Err != nil {
		if f = faultOf(h.Err, false); l.atFault(link.Provider, f) {
			l.alarm(ctx, link.Provider, f)
			f = fault{Kind: provider.ErrTemporary} // no fault of the mailbox
		}
	} else {
		l.heal(ctx, link.Provider, false)
	}
	link, err = l.updateFrom(ctx, link, func(link *store.Link, rec *record) error {
		was, aliases, status := rec.Health, rec.Aliases, link.Status
		l.takeIn(link, rec, h, now)
		if err := l.follow(link, rec, f); err != nil {
			return err
		}
		if rec.Health == was && slices.Equal(rec.Aliases, aliases) && link.Status == status && rec.Seq == rec.Told {
			return errUnchanged
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	if len(l.noted) >= maxNoted {
		clear(l.noted)
	}
	l.noted[id] = noted{at: now, reading: h.Reading, push: h.Push, aliases: aliasesOf(h), good: h.Err == nil}
	l.mu.Unlock()
	l.tell(ctx, link)
	return nil
}

// takeIn brings a link's health up to date, and notes when silence begins and
// ends. A failure says nothing of what is to be read.
func (l *Linker) takeIn(link *store.Link, rec *record, h provider.Health, now time.Time) {
	rec.Health.Read, rec.Health.Sent = later(rec.Health.Read, h.Read), later(rec.Health.Sent, h.Sent)
	if h.Err == nil {
		rec.Health.Reading, rec.Health.Push, rec.Aliases = h.Reading, h.Push, aliasesOf(h)
	}
	l.listen(link, rec, now)
}

// listen notes that a mailbox has gone silent, or is read again: once each.
func (l *Linker) listen(link *store.Link, rec *record, now time.Time) {
	h := &rec.Health
	heard := later(h.Read, h.Linked)
	silent := works(link.Status) && h.Reading && !heard.IsZero() && now.Sub(heard) > l.cfg.SilentAfter
	e := entry{At: now, From: link.Status, To: link.Status, Access: provider.Access(link.Access)}
	switch {
	case silent && h.Silent.IsZero():
		h.Silent, e.Kind, e.Fault = now, ChangeSilent, ours(provider.ErrTemporary, provider.ReasonSilent)
		e.Mender = l.diagnose(link.Provider, e.Fault).Mender
		l.note(rec, e)
	case !silent && !h.Silent.IsZero() && works(link.Status):
		h.Silent, e.Kind = time.Time{}, ChangeHeard
		l.note(rec, e)
	}
}

// follow moves a link by what became of using it. A grant that is dead is
// believed from who refreshed alone.
func (l *Linker) follow(link *store.Link, rec *record, f fault) error {
	switch {
	case f == (fault{}) && link.Status == store.LinkHeld:
		return l.move(link, rec, working(provider.Access(link.Access), rec.Asked), fault{})
	case (f.Kind == provider.ErrMailboxUnusable || f.Kind == provider.ErrAccess || f.Kind == provider.ErrApp) && (works(link.Status) || link.Status == store.LinkHeld):
		return l.move(link, rec, store.LinkHeld, f)
	}
	return nil
}

// appTrouble raises the alarm of a registration if an error is its fault.
func (l *Linker) appTrouble(ctx context.Context, registration string, err error) {
	if f := faultOf(err, true); l.atFault(registration, f) {
		l.alarm(ctx, registration, f)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
