package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// Get returns an enrollment, ErrNotFound if there is none.
func (r *Runner) Get(ctx context.Context, id string) (Enrollment, error) {
	l, err := r.find(ctx, id)
	if err != nil {
		return Enrollment{}, err
	}
	return r.view(l), nil
}

// ByKey returns the enrollment that Enroll made for the host's key, else the
// one that Send, else the one that Preview, else the one that Reply did.
// ErrNotFound if there is none.
func (r *Runner) ByKey(ctx context.Context, key string) (Enrollment, error) {
	var ids []string
	for _, kind := range []string{kindDrip, kindMail, kindPreview, kindReply} {
		ids = append(ids, r.enrollmentID(kind, key))
	}
	ls, err := r.load(ctx, ids)
	if err != nil {
		return Enrollment{}, err
	}
	if len(ls) == 0 {
		return Enrollment{}, fmt.Errorf("%w: key %q", ErrNotFound, key)
	}
	return r.view(ls[0]), nil
}

// ListParams narrows List. Zero fields don't.
type ListParams struct {
	Mailbox   string // as in Enrollment.Mailbox
	Recipient string // an address
	Status    Status
	Kind      EnrollmentKind
	After     string // IDs greater than this
	Limit     int    // zero is 100
}

// List pages through enrollments by ID. One whose record can't be read is
// listed too, held and flagged. A Recipient that is no address is a
// *provider.FieldError.
func (r *Runner) List(ctx context.Context, p ListParams) ([]Enrollment, error) {
	recipient := provider.Normalize(p.Recipient)
	if p.Recipient != "" && recipient == "" {
		return nil, &provider.FieldError{Op: "runner: list", Field: "Recipient", Problem: "is not a mail address"}
	}
	rows, err := r.cfg.Store.List(ctx, store.ListEnrollments{
		Mailbox: p.Mailbox, Recipient: recipient, Status: string(p.Status), Kind: string(p.Kind), After: p.After, Limit: p.Limit,
	})
	if err != nil {
		return nil, fmt.Errorf("runner: list: %w", err)
	}
	out := make([]Enrollment, 0, len(rows))
	for _, row := range rows {
		l, err := r.understand(ctx, row)
		if errors.Is(err, errDamaged) {
			out = append(out, damagedView(row))
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r.view(l))
	}
	return out, nil
}

func (r *Runner) find(ctx context.Context, id string) (*loaded, error) {
	ls, err := r.load(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	if len(ls) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return ls[0], nil
}

// Pause holds an enrollment until Resume. A mail that is on its way is not
// called back. An ended enrollment stays as it is. ErrNotFound if there is
// none; like every method that changes something, it returns the store's error
// besides, and store.ErrConflict where others changed the same at every
// attempt.
func (r *Runner) Pause(ctx context.Context, id, reason string) (Enrollment, error) {
	return r.event(ctx, id, sequence.EventPaused, 0, cmp.Or(reason, "paused"))
}

// Resume ends a pause and a hold for review, and clears Enrollment.Flagged.
// The mark of the conversation in the log stays: see Answered. ErrNotFound if
// there is no such enrollment.
func (r *Runner) Resume(ctx context.Context, id string) (Enrollment, error) {
	return r.event(ctx, id, sequence.EventResumed, 0, "")
}

// Skip leaves out a step that is neither sent nor on its way. ErrNotFound if
// there is no such enrollment, a *provider.FieldError if its sequence has no
// such step, and sequence.ErrTransition if the step was sent or skipped, is on
// its way, or the enrollment has ended.
func (r *Runner) Skip(ctx context.Context, id string, step sequence.StepID) (Enrollment, error) {
	l, err := r.find(ctx, id)
	if err != nil {
		return Enrollment{}, err
	}
	if _, ok := stepOf(l.seq, step); !ok {
		var ids []sequence.StepID
		for _, s := range l.seq.Steps {
			ids = append(ids, s.ID)
		}
		return Enrollment{}, &provider.FieldError{Op: "runner: skip", Field: "step", Problem: fmt.Sprintf("%d is none of the sequence's: it has %d", step, ids)}
	}
	return r.event(ctx, id, sequence.EventSkipped, step, "skipped")
}

// Stop ends an enrollment. Enrollment.InFlight says whether a mail is on its
// way: it may arrive, and will be marked as crossed if it did. It is looked
// up and never sent again. An ended enrollment stays as it is. ErrNotFound if
// there is none.
func (r *Runner) Stop(ctx context.Context, id, reason string) (Enrollment, error) {
	return r.event(ctx, id, sequence.EventStopped, 0, cmp.Or(reason, "stopped by the host"))
}

// Unsubscribe ends every enrollment of an address and keeps it from being
// enrolled again. Only a keyed hash of the address is kept for that. It
// returns how many enrollments of the address are tracked, ended ones among
// them, and zero with an error. The hash is stored first: after an error the address is not enrolled again, and
// no further mail of its enrollments begins; call it again to end those that
// were not reached. An addr that is none is a *provider.FieldError.
func (r *Runner) Unsubscribe(ctx context.Context, addr string) (int, error) {
	if provider.Normalize(addr) == "" {
		return 0, &provider.FieldError{Op: "runner: unsubscribe", Field: "addr", Problem: "is not a mail address"}
	}
	now := r.cfg.Now()
	if err := r.cfg.Store.Commit(ctx, store.Batch{Suppressions: []store.Suppression{{
		Hash: r.suppressionHash(addr), Reason: "unsubscribed", At: now,
	}}}); err != nil {
		return 0, fmt.Errorf("runner: unsubscribe: %w", err)
	}
	ids, err := r.enrollmentsOf(ctx, addr)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if _, err := r.event(ctx, id, sequence.EventUnsubscribed, 0, "unsubscribed"); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// RecordReply says that the recipient answered in a way that the mailbox
// does not show: by telephone, or to a link that can't read. Like any other
// answer it ends every enrollment of the recipient but those of sequences
// marked Independent, all in one commit or none. ErrNotFound if there is no
// such enrollment.
func (r *Runner) RecordReply(ctx context.Context, id string) (Enrollment, error) {
	l, err := r.find(ctx, id)
	if err != nil {
		return Enrollment{}, err
	}
	ids := []string{id}
	for _, addr := range l.addresses() {
		more, err := r.enrollmentsOf(ctx, addr)
		if err != nil {
			return Enrollment{}, err
		}
		for _, other := range more {
			if !slices.Contains(ids, other) {
				ids = append(ids, other)
			}
		}
	}
	ls, err := r.change(ctx, ids, func(ls []*loaded, b *store.Batch) error {
		if len(ls) == 0 || ls[0].id() != id {
			return fmt.Errorf("%w: %s", ErrNotFound, id)
		}
		ev := sequence.Event{Kind: sequence.EventReplied, At: sequence.InstantOf(r.cfg.Now())}
		for _, l := range ls {
			reason := "reported by the host"
			if l.id() != id {
				if !l.endsElsewhere() {
					continue
				}
				reason = answeredElsewhere
			}
			if err := r.happen(l, b, ev, reason); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Enrollment{}, err
	}
	return r.view(ls[0]), nil
}

// Decide tells what became of a mail whose outcome nobody could find out:
// sent, or not sent and to be sent again. ErrNoDecision if nothing waits for
// one.
func (r *Runner) Decide(ctx context.Context, id string, sent bool) (Enrollment, error) {
	intents, err := r.cfg.Store.LoadIntents(ctx, id)
	if err != nil {
		return Enrollment{}, fmt.Errorf("runner: decide: %w", err)
	}
	now := r.cfg.Now()
	ls, err := r.change(ctx, []string{id}, func(ls []*loaded, b *store.Batch) error {
		if len(ls) == 0 {
			return fmt.Errorf("%w: %s", ErrNotFound, id)
		}
		l := ls[0]
		if l.st.Holds&sequence.HoldDecide == 0 {
			return fmt.Errorf("%w: %s", ErrNoDecision, id)
		}
		for _, in := range intents {
			if in.State != store.IntentOpen {
				continue
			}
			if sent {
				at := in.Created
				if len(in.Raw) == 0 { // it left at some time in a lost span: no follow-up may come early
					at = in.Deadline
				}
				return r.markSent(l, b, in, store.Result{Intent: in.ID, State: store.IntentSent, At: at}, at)
			}
			return r.markNotSent(l, b, in, now, "a person decided")
		}
		return fmt.Errorf("%w: %s", ErrNoDecision, id)
	})
	if err != nil {
		return Enrollment{}, err
	}
	return r.view(ls[0]), nil
}

// Notify says that a mailbox may have something new: a push arrived, or a
// link was mended. It marks the mailbox for the next Tick and reads nothing.
// A mailbox that nothing was enrolled from is no error; a link that does not
// open is, with what Mailboxes.Open returned.
func (r *Runner) Notify(ctx context.Context, link string) error {
	linked, err := r.cfg.Mailboxes.Open(ctx, link)
	if err != nil {
		return fmt.Errorf("runner: notify: open link %s: %w", link, err)
	}
	err = r.cfg.Store.Notify(ctx, mailboxID(linked))
	if errors.Is(err, store.ErrNotFound) {
		return nil // nothing was ever enrolled from this mailbox
	}
	if err != nil {
		return fmt.Errorf("runner: notify: %w", err)
	}
	return nil
}

// event applies one engine event to one enrollment.
func (r *Runner) event(ctx context.Context, id string, kind sequence.EventKind, step sequence.StepID, reason string) (Enrollment, error) {
	ls, err := r.change(ctx, []string{id}, func(ls []*loaded, b *store.Batch) error {
		if len(ls) == 0 {
			return fmt.Errorf("%w: %s", ErrNotFound, id)
		}
		if kind == sequence.EventResumed {
			ls[0].row.Flagged = false
		}
		at := sequence.InstantOf(r.cfg.Now())
		return r.happen(ls[0], b, sequence.Event{Kind: kind, Step: step, At: at}, reason)
	})
	if err != nil {
		return Enrollment{}, err
	}
	return r.view(ls[0]), nil
}

// enrollmentsOf lists every enrollment of an address, in all mailboxes.
func (r *Runner) enrollmentsOf(ctx context.Context, addr string) ([]string, error) {
	rows, err := r.cfg.Store.Match(ctx, "", []store.IndexKey{indexKey(store.IndexAddress, provider.Normalize(addr))})
	if err != nil {
		return nil, fmt.Errorf("runner: match: %w", err)
	}
	return enrollmentIDs(rows), nil
}

// Explanation says what an enrollment waits for and why. The times of Due and
// Forecast are in the zone that the enrollment is sent by, as is Text; all
// others are in UTC.
type Explanation struct {
	Enrollment Enrollment
	Due        sequence.Due   // the next thing, with the trace of the rules that set its time
	Forecast   []sequence.Due // every remaining step, if each leaves when due
	Trouble    string         // what the last try to work on the mailbox failed on, or empty
	LastRead   time.Time      // start of the mailbox's last complete read; zero is never

	// StoppedUntil is set while the mail service refuses what the mailbox
	// sends, for its volume or its reputation: when sending is tried again.
	StoppedUntil time.Time

	Text []string // the same in English, one sentence a line, with the forecast
}
