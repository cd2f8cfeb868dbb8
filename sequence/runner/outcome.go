package runner

import (
	"context"
	"errors"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// settleTries bounds how often a result is offered to a store that fails.
const settleTries = 5

// settle commits what became of a send. A result is never dropped because a
// store failed once, or lost the connection and may have it already: it is
// read and decided again, which changes nothing where it was stored. What
// can't be stored at all is found out from the mailbox, as after a crash.
func (p *pass) settle(ctx context.Context, id string, fn func(ls []*loaded, b *store.Batch) error) error {
	for try := 1; ; try++ {
		_, err := p.r.change(ctx, []string{id}, fn)
		switch {
		case err == nil, try == settleTries, errors.Is(err, store.ErrInvalid), errors.Is(err, sequence.ErrTransition):
			return err
		}
		p.r.log.WarnContext(ctx, "runner: what became of a send could not be stored, trying again", "enrollment", id, "error", err)
		if err := p.r.cfg.Wait(ctx, time.Second); err != nil {
			return err
		}
	}
}

// opened reports whether the enrollment still waits for this mail's outcome.
func opened(ls []*loaded, in *prepared) bool {
	return len(ls) > 0 && ls[0].st.Open != 0 && ls[0].rec.Open != nil && ls[0].rec.Open.Intent == in.intent.ID
}

// record commits what became of a send.
func (p *pass) record(ctx context.Context, id string, in *prepared, receipt provider.Receipt, sendErr error) error {
	now := p.r.cfg.Now()
	if sendErr == nil {
		p.sent++
		if err := p.settle(ctx, id, func(ls []*loaded, b *store.Batch) error {
			if len(ls) == 0 {
				return nil
			}
			return p.r.markSent(ls[0], b, in.intent, store.Result{
				Intent: in.intent.ID, State: store.IntentSent, Ref: string(receipt.Ref), Thread: receipt.Thread, At: now,
			}, now)
		}); err != nil {
			return err
		}
		return p.confirmNow(ctx, id)
	}
	var pe *provider.Error
	if errors.Is(sendErr, provider.ErrOutcomeUnknown) || !errors.As(sendErr, &pe) && !errors.Is(sendErr, provider.ErrRejected) {
		return p.settle(ctx, id, func(ls []*loaded, b *store.Batch) error {
			if !opened(ls, in) || ls[0].st.Unknown {
				return nil
			}
			ls[0].rec.LookAt = now.Add(p.r.opts.RetryEvery)
			return p.r.happen(ls[0], b, sequence.Event{Kind: sequence.EventUnknown, Step: ls[0].st.Open, At: sequence.InstantOf(now)}, "the send got no answer")
		})
	}
	return p.refused(ctx, id, in, sendErr, pe)
}

// refused records a definite refusal: nothing left. Refusals of this one mail
// are the enrollment's; all others are the mailbox's trouble too.
func (p *pass) refused(ctx context.Context, id string, in *prepared, sendErr error, pe *provider.Error) error {
	now := p.r.cfg.Now()
	kind := provider.ErrRejected
	var wait time.Duration
	if pe != nil {
		kind, wait = pe.Kind, max(pe.RetryAfter, pe.Until.Sub(now))
	}
	if kind == provider.ErrSenderNotAllowed && in.mail.From != "" {
		if err := p.setAlias(ctx, in.mail.From, aliasRefused); err != nil {
			return err
		}
	}
	err := p.settle(ctx, id, func(ls []*loaded, b *store.Batch) error {
		if !opened(ls, in) {
			return nil
		}
		l := ls[0]
		l.rec.Open, l.rec.LookAt = nil, time.Time{}
		b.Results = append(b.Results, store.Result{Intent: in.intent.ID, State: store.IntentNotSent, At: now})
		ev := sequence.Event{Kind: sequence.EventFailed, Step: l.st.Open, At: sequence.InstantOf(now)}
		switch kind {
		case provider.ErrRejected, provider.ErrTooLarge:
			ev.Permanent = true
		default:
			wait := max(wait, p.r.backoff(int(l.st.Attempts)+1))
			ev.Until = sequence.InstantOf(now.Add(min(wait, maxWait)))
		}
		if err := p.r.happen(l, b, ev, sendErr.Error()); err != nil {
			return err
		}
		if kind == provider.ErrSenderNotAllowed && (l.rec.From == "" || l.row.Kind == kindPreview) { // else it is barred when it is next due
			return p.r.happen(l, b, sequence.Event{Kind: sequence.EventUnsure, At: ev.At}, sendErr.Error())
		}
		return nil
	})
	if err != nil {
		return err
	}
	switch kind {
	case provider.ErrRejected, provider.ErrTooLarge, provider.ErrSenderNotAllowed, provider.ErrNotFound:
		return nil
	}
	return sendErr
}
