package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// load reads enrollments and what they need to be understood. Unknown ids
// are left out.
func (r *Runner) load(ctx context.Context, ids []string) ([]*loaded, error) {
	rows, err := r.cfg.Store.Load(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("runner: load: %w", err)
	}
	ls := make([]*loaded, 0, len(rows))
	for _, row := range rows {
		l, err := r.understand(ctx, row)
		if errors.Is(err, errDamaged) {
			if err := r.setAside(ctx, row, err); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		ls = append(ls, l)
	}
	return ls, r.withReplies(ctx, ls)
}

// errDamaged is a record that can't be read, and never will be by itself.
var errDamaged = errors.New("the record is damaged")

func (r *Runner) understand(ctx context.Context, row store.Enrollment) (*loaded, error) {
	damaged := func(what string, err error) (*loaded, error) {
		return nil, fmt.Errorf("runner: the %s of enrollment %s: %w: %w", what, row.ID, errDamaged, err)
	}
	l := &loaded{row: row}
	if err := l.st.UnmarshalBinary(row.State); err != nil {
		return damaged("state", err)
	}
	var err error
	if l.rec, err = r.recordOf(row); err != nil {
		return nil, err
	}
	if l.rec.Words != nil {
		l.seq = new(sequence.Sequence)
		if err := json.Unmarshal(l.rec.Words, l.seq); err != nil {
			return damaged("words", err)
		}
		return l, nil
	}
	seq, err := r.sequence(ctx, row.Sequence)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, errDamaged) {
		return damaged("sequence", err)
	}
	if err != nil {
		return nil, err
	}
	l.seq = seq
	return l, nil
}

// setAside takes an enrollment that can't be read out of the work, so that it
// doesn't keep its mailbox from everything else. Nothing of it is changed but
// what says that a person must look.
func (r *Runner) setAside(ctx context.Context, row store.Enrollment, why error) error {
	if row.Due.IsZero() && row.Flagged {
		return nil
	}
	r.log.ErrorContext(ctx, "runner: an enrollment can't be read and is set aside", "enrollment", row.ID, "error", why)
	row.Due, row.Flagged, row.Status = time.Time{}, true, string(StatusHeld)
	ev := Event{
		ID: fmt.Sprintf("%s/damaged/%d", row.ID, row.Version), Kind: EventFlagged, At: r.cfg.Now(), Enrollment: row.ID, Key: hostKey(row), Of: EnrollmentKind(row.Kind),
		Mailbox: row.Mailbox, Link: row.Link, Owner: row.Owner, Actor: row.Actor, Reason: "its record can't be read",
	}
	err := r.cfg.Store.Commit(ctx, store.Batch{Enrollments: []store.Enrollment{row}, Outbox: []store.Event{eventRow(ev)}})
	if err != nil && !errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("runner: set enrollment %s aside: %w", row.ID, err)
	}
	return nil
}

// aside sets an enrollment aside if err says that something of it is damaged,
// and returns every other error as it is.
func (p *pass) aside(ctx context.Context, id string, err error) error {
	if !errors.Is(err, errDamaged) {
		return err
	}
	rows, loadErr := p.r.cfg.Store.Load(ctx, []string{id})
	if loadErr != nil {
		return fmt.Errorf("runner: load: %w", loadErr)
	}
	for _, row := range rows {
		if err := p.r.setAside(ctx, row, err); err != nil {
			return err
		}
	}
	p.damaged = append(p.damaged, id)
	return nil
}

// maxConflicts bounds how often a change is tried again after losing a
// version. Losing so often in a row means that the store is broken.
const maxConflicts = 32

// change reads the enrollments, lets fn decide, and commits the decision
// with their new states in one batch. Whoever loses a version reads again and
// decides again, so fn may run several times and must change nothing but its
// arguments.
func (r *Runner) change(ctx context.Context, ids []string, fn func(ls []*loaded, b *store.Batch) error) ([]*loaded, error) {
	for range maxConflicts {
		ls, err := r.load(ctx, ids)
		if err != nil {
			return nil, err
		}
		err = r.commit(ctx, ls, fn)
		if !errors.Is(err, store.ErrConflict) {
			return ls, err
		}
	}
	return nil, fmt.Errorf("runner: enrollment %v changed under every attempt: %w", ids, store.ErrConflict)
}

// commit lets fn decide over enrollments as they were read, and commits once.
func (r *Runner) commit(ctx context.Context, ls []*loaded, fn func(ls []*loaded, b *store.Batch) error) error {
	var b store.Batch
	if err := fn(ls, &b); err != nil {
		return err
	}
	now := r.cfg.Now()
	for _, l := range ls {
		r.schedule(l, now)
		row, err := r.stored(l)
		if err != nil {
			return err
		}
		b.Enrollments = append(b.Enrollments, row)
	}
	if err := r.cfg.Store.Commit(ctx, b); err != nil {
		return fmt.Errorf("runner: commit: %w", err)
	}
	for _, l := range ls {
		l.row.Version++
	}
	return nil
}

// calendar is the enrollment's, in UTC where its zone is unknown: see zoned.
func (r *Runner) calendar(l *loaded) sequence.Calendar {
	if loc, _, ok := r.zoned(l); ok {
		return sequence.Calendar{Zone: loc}
	}
	return sequence.Calendar{Zone: time.UTC}
}

// zoned resolves the enrollment's zone. It may not be known any more, because
// this host's zone data differ: nothing leaves by a wrong clock.
func (r *Runner) zoned(l *loaded) (loc *time.Location, name string, ok bool) {
	if name = cmp.Or(l.rec.Zone, l.seq.Zone); name == "" {
		return time.UTC, name, true
	}
	loc, err := r.cfg.Zones(name)
	return loc, name, err == nil && loc != nil
}

// schedule sets when the enrollment next needs a pass over its mailbox.
func (r *Runner) schedule(l *loaded, now time.Time) {
	due := sequence.Next(l.seq, l.st, r.calendar(l), now)
	switch due.Kind {
	case sequence.DueSend, sequence.DueComplete:
		l.row.Due = later(due.At, l.rec.NotBefore).UTC()
	case sequence.DueOpen, sequence.DueLocate:
		l.row.Due = l.rec.LookAt
	default:
		l.row.Due = time.Time{}
		if due.Kind == sequence.DueHeld && l.rec.Barred != "" {
			l.row.Due = l.rec.AskAt
		}
	}
}

// happen applies an engine event and writes what it means for the host into
// the batch. l.row.Flagged follows.
func (r *Runner) happen(l *loaded, b *store.Batch, ev sequence.Event, reason string) error {
	before := l.st
	st, effects, err := sequence.Apply(l.seq, l.st, ev)
	if err != nil {
		return fmt.Errorf("runner: enrollment %s: %w", l.id(), err)
	}
	l.st = st
	at := ev.At.Time()
	if kind, ok := factOf(ev.Kind); ok && (st != before || arrived(ev.Kind) && before.Terminal()) {
		r.tell(l, b, Event{Kind: kind, At: at, Step: int(ev.Step), Reason: reason, Until: ev.Until.Time()})
	}
	for _, e := range effects.List[:effects.N] {
		switch e.Kind {
		case sequence.EffectFlag:
			l.row.Flagged = true
			r.tell(l, b, Event{Kind: EventFlagged, At: at, Step: int(e.Step), Reason: reason})
		case sequence.EffectStopped:
			l.rec.Ended = reason
			if !arrived(ev.Kind) { // else it was told
				r.tell(l, b, Event{Kind: stopKind(st.Reason), At: at, Step: int(e.Step), Reason: reason})
			}
		case sequence.EffectCompleted:
			r.tell(l, b, Event{Kind: EventCompleted, At: at})
		case sequence.EffectCrossed:
			r.tell(l, b, Event{Kind: EventCrossed, At: at, Step: int(e.Step)})
		case sequence.EffectHeld:
			l.rec.Hold = reason
			if ev.Kind != sequence.EventAutoReplied {
				r.tell(l, b, Event{Kind: EventHeld, At: at, Step: int(e.Step), Reason: reason, Until: st.HeldUntil.Time()})
			}
		case sequence.EffectResumed:
			l.rec.Hold = ""
			r.tell(l, b, Event{Kind: EventResumed, At: at})
		}
	}
	return nil
}

// factOf says which engine events are told to the host as they are. The
// others are told by their effects.
func factOf(k sequence.EventKind) (EventKind, bool) {
	switch k {
	case sequence.EventEnrolled:
		return EventEnrolled, true
	case sequence.EventSent:
		return EventSent, true
	case sequence.EventUnknown:
		return EventUnknown, true
	case sequence.EventFailed:
		return EventFailed, true
	case sequence.EventAutoReplied:
		return EventAutoReplied, true
	case sequence.EventReplied:
		return EventReplied, true
	case sequence.EventBounced:
		return EventBounced, true
	}
	return "", false
}

// arrived reports whether an engine event is a mail that came, which is told
// though it changes nothing of a run that has ended.
func arrived(k sequence.EventKind) bool {
	switch k {
	case sequence.EventAutoReplied, sequence.EventReplied, sequence.EventBounced:
		return true
	}
	return false
}

func stopKind(r sequence.Reason) EventKind {
	switch r {
	case sequence.ReasonReplied:
		return EventReplied
	case sequence.ReasonBounced:
		return EventBounced
	case sequence.ReasonUnsubscribed:
		return EventUnsubscribed
	case sequence.ReasonTookOver:
		return EventTookOver
	}
	return EventStopped
}

// tell puts an event about the enrollment into the batch's outbox rows.
func (r *Runner) tell(l *loaded, b *store.Batch, ev Event) {
	l.rec.Notes++
	ev.ID = fmt.Sprintf("%s/%d", l.id(), l.rec.Notes)
	ev.Enrollment, ev.Mailbox, ev.Link = l.id(), l.row.Mailbox, l.row.Link
	ev.Owner, ev.Actor = l.row.Owner, l.row.Actor
	ev.Key, ev.Of = hostKey(l.row), EnrollmentKind(l.row.Kind)
	b.Outbox = append(b.Outbox, eventRow(ev))
}

func eventRow(ev Event) store.Event {
	data, err := json.Marshal(ev)
	if err != nil { // a time that JSON can't hold; all else are strings and numbers
		ev.At, ev.Until = time.Time{}, time.Time{}
		data, _ = json.Marshal(ev)
	}
	return store.Event{Key: "event/" + ev.ID, Kind: rowEvent, Enrollment: ev.Enrollment, Data: data}
}
