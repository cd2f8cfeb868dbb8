package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// reconcile finds out what became of the mailbox's open intents. One that is
// open when a pass begins was cut off: its process died, its answer was
// lost, or its result could not be stored.
func (p *pass) reconcile(ctx context.Context) error {
	for _, in := range p.claim.Open {
		ls, err := p.r.load(ctx, []string{in.Enrollment})
		if err != nil {
			return err
		}
		if len(ls) == 0 {
			continue // erased
		}
		l := ls[0]
		now := p.r.cfg.Now()
		if l.st.Holds&sequence.HoldDecide != 0 || l.rec.LookAt.After(now) {
			continue
		}
		if l.st.Open == 0 || l.rec.Open == nil || l.rec.Open.Intent != in.ID {
			if err := p.giveUp(ctx, in, now); err != nil {
				return err
			}
			continue
		}
		if err := p.aside(ctx, l.id(), p.reconcileOne(ctx, l, in)); err != nil {
			return err
		}
	}
	return nil
}

// giveUp closes an intent that its enrollment does not know any more.
func (p *pass) giveUp(ctx context.Context, in store.Intent, now time.Time) error {
	err := p.r.cfg.Store.Commit(ctx, store.Batch{Results: []store.Result{{Intent: in.ID, State: store.IntentGivenUp, At: now}}})
	if err != nil && !errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("runner: intent %s: %w", in.ID, err)
	}
	return nil
}

func (p *pass) reconcileOne(ctx context.Context, l *loaded, in store.Intent) error {
	now := p.r.cfg.Now()
	if !now.After(in.Deadline) && !l.st.Unknown {
		// The process that opened it may still be about to send.
		return p.lookLater(ctx, in, in.Deadline.Add(time.Second))
	}
	if !l.st.Unknown {
		if _, err := p.r.change(ctx, []string{l.id()}, func(ls []*loaded, b *store.Batch) error {
			if len(ls) == 0 || ls[0].st.Open == 0 || ls[0].st.Unknown {
				return nil
			}
			return p.r.happen(ls[0], b, sequence.Event{Kind: sequence.EventUnknown, Step: ls[0].st.Open, At: sequence.InstantOf(now)}, "no result was recorded")
		}); err != nil {
			return err
		}
	}
	copies, err := p.mb.copies(ctx, in, p.data.Proven, ReasonReconcile)
	return p.answered(ctx, in, copies, err)
}

// answered records what the mailbox says became of an open intent.
func (p *pass) answered(ctx context.Context, in store.Intent, copies []provider.Located, err error) error {
	var pe *provider.Error
	switch {
	case err == nil:
		if gone := departed(copies); gone != nil {
			return p.foundSent(ctx, in, *gone)
		}
		// It lies in the Outbox, or among the drafts: it may still leave.
		if since := p.r.cfg.Now().Sub(in.Deadline); since < maxWaiting {
			return p.lookLater(ctx, in, p.r.cfg.Now().Add(max(p.r.opts.RetryEvery, since/4)))
		}
		return p.undecided(ctx, in, "the mail has not left the mailbox for a day")
	case !errors.As(err, &pe):
		return err
	case pe.Kind == provider.ErrNotSettled:
		return p.lookLater(ctx, in, later(pe.Until, p.r.cfg.Now().Add(p.r.opts.RetryEvery)))
	case pe.Kind == provider.ErrNotSent:
		_, err := p.r.change(ctx, []string{in.Enrollment}, func(ls []*loaded, b *store.Batch) error {
			if len(ls) == 0 {
				return nil
			}
			return p.r.markNotSent(ls[0], b, in, p.r.cfg.Now(), "the mailbox shows that it was never sent")
		})
		return err
	case pe.Kind == provider.ErrOutcomeUnknown:
		return p.undecided(ctx, in, "nobody can tell whether the mail left")
	}
	return err
}

// maxWaiting is how long a mail may lie in the mailbox before it leaves.
const maxWaiting = 24 * time.Hour

// copies asks the mailbox where copies of an intent's mail lie. Proven is
// whether the mailbox is still known to keep them; it must have been when the
// mail was about to leave, too. Of a mail that is known to have left they are
// asked for by the ids that it has, and no other mail is looked at.
func (o observed) copies(ctx context.Context, in store.Intent, proven bool, reason string) ([]provider.Located, error) {
	meta, err := o.r.metaOf(in)
	if err != nil {
		return nil, err
	}
	key := provider.SendKey{
		MessageID: in.MessageID, Key: in.Key, Subject: meta.Subject, Thread: meta.Thread.ID,
		From: in.Created, Deadline: in.Deadline, Cursor: meta.Cursor, Proven: proven && meta.Proven,
	}
	for _, a := range meta.To {
		key.To = append(key.To, a.Addr)
	}
	key.Accepted = in.State == store.IntentSent
	if key.Accepted {
		key.Thread = cmp.Or(in.Thread, key.Thread)
	}
	found, err := o.locate(ctx, key, reason)
	if key.Accepted && len(found) == 0 && in.RealMessageID != "" && in.RealMessageID != in.MessageID {
		key.MessageID = in.RealMessageID
		return o.locate(ctx, key, reason)
	}
	return found, err
}

// departed picks the copy that proves that the mail left, the one in Sent
// before all others.
func departed(copies []provider.Located) *provider.Located {
	var best *provider.Located
	for i := range copies {
		c := &copies[i]
		if c.Departed() && (best == nil || c.Place == provider.PlaceSent) {
			best = c
		}
	}
	return best
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// lookLater puts off the next look at an open intent.
func (p *pass) lookLater(ctx context.Context, in store.Intent, at time.Time) error {
	_, err := p.r.change(ctx, []string{in.Enrollment}, func(ls []*loaded, _ *store.Batch) error {
		for _, l := range ls {
			l.rec.LookAt = at
		}
		return nil
	})
	return err
}

// foundSent records that a mail of unknown outcome had left.
func (p *pass) foundSent(ctx context.Context, in store.Intent, c provider.Located) error {
	at := c.At
	if at.IsZero() {
		at = in.Created
	}
	p.sent++
	// Until now nobody knew its thread.
	if err := p.learn(ctx, in.Created, c.Thread); err != nil {
		return err
	}
	_, err := p.r.change(ctx, []string{in.Enrollment}, func(ls []*loaded, b *store.Batch) error {
		if len(ls) == 0 {
			return nil
		}
		return p.r.markSent(ls[0], b, in, store.Result{
			Intent: in.ID, State: store.IntentSent, Ref: string(c.Ref), Thread: c.Thread, RealMessageID: c.MessageID, At: p.r.cfg.Now(),
		}, at)
	})
	return err
}

// undecided holds the enrollment for a person. One that has ended needs no
// decision.
func (p *pass) undecided(ctx context.Context, in store.Intent, reason string) error {
	_, err := p.r.change(ctx, []string{in.Enrollment}, func(ls []*loaded, b *store.Batch) error {
		if len(ls) == 0 || ls[0].st.Open == 0 {
			return nil
		}
		l, now := ls[0], p.r.cfg.Now()
		if err := p.r.happen(l, b, sequence.Event{Kind: sequence.EventUndecided, Step: l.st.Open, At: sequence.InstantOf(now)}, reason); err != nil {
			return err
		}
		if l.st.Open == 0 {
			l.rec.Open = nil
			b.Results = append(b.Results, store.Result{Intent: in.ID, State: store.IntentGivenUp, At: now})
		}
		return nil
	})
	return err
}

// markSent writes into the batch that an intent's mail left: the result, the
// engine's event, what to recognise answers by, and the conversation entry.
func (r *Runner) markSent(l *loaded, b *store.Batch, in store.Intent, res store.Result, at time.Time) error {
	if l.rec.Open == nil || l.rec.Open.Intent != in.ID {
		return nil // recorded already
	}
	meta, err := r.metaOf(in)
	if err != nil {
		return err
	}
	m := *l.rec.Open
	res.Ref, res.Thread, res.RealMessageID = plain(res.Ref), plain(res.Thread), plain(res.RealMessageID)
	m.At, m.Ref, m.Real = at, res.Ref, res.RealMessageID
	m.Thread = cmp.Or(res.Thread, meta.Thread.ID)
	l.rec.Mails = append(l.rec.Mails, m)
	l.rec.Open, l.rec.LookAt = nil, time.Time{}
	b.Results = append(b.Results, res)
	if err := r.happen(l, b, sequence.Event{Kind: sequence.EventSent, Step: sequence.StepID(in.Step), At: sequence.InstantOf(at)}, ""); err != nil {
		return err
	}
	if m.Ref == "" && m.Real == "" || m.From != "" {
		b.Index = append(b.Index, r.pendingRow(l, m))
	}
	if l.row.Kind == kindPreview {
		return nil
	}
	r.index(l, b, m)
	row, err := r.outEntry(l, in, m)
	if err != nil {
		return err
	}
	b.Outbox = append(b.Outbox, row)
	return nil
}

// outEntry is a mail of ours as the conversation shows it.
func (r *Runner) outEntry(l *loaded, in store.Intent, m sentMail) (store.Event, error) {
	meta, err := r.metaOf(in)
	if err != nil {
		return store.Event{}, err
	}
	return r.entryRow(store.Entry{
		Key: in.ID, Conversation: l.conversation(), Answers: l.row.Kind == kindReply, Mailbox: l.row.Mailbox, Link: l.row.Link, Owner: l.row.Owner, Actor: l.row.Actor,
		Recipient: l.row.Recipient, Direction: DirectionOut, Step: in.Step, Crossed: l.st.Crossed == sequence.StepID(in.Step),
		Ref: m.Ref, MessageID: m.id(), From: meta.From.String(), To: joinAddresses(meta.To), Cc: joinAddresses(meta.Cc),
		Subject: meta.Subject, At: m.At, Text: meta.Text, HTML: meta.HTML, Parts: meta.Parts,
	})
}

// markNotSent writes into the batch that an intent's mail never left. The
// bytes are kept with the intent, and go out again when the step is due.
func (r *Runner) markNotSent(l *loaded, b *store.Batch, in store.Intent, now time.Time, reason string) error {
	if l.rec.Open == nil || l.rec.Open.Intent != in.ID {
		return nil
	}
	if err := r.happen(l, b, sequence.Event{Kind: sequence.EventNotSent, Step: sequence.StepID(in.Step), At: sequence.InstantOf(now)}, reason); err != nil {
		return err
	}
	if l.st.Open != 0 {
		return nil // the sequence leaves unknown outcomes to a person
	}
	l.rec.Open, l.rec.LookAt = nil, time.Time{}
	b.Results = append(b.Results, store.Result{Intent: in.ID, State: store.IntentNotSent, At: now})
	return nil
}

// index writes what an answer to the mail can be recognised by.
func (r *Runner) index(l *loaded, b *store.Batch, m sentMail) {
	add := func(kind store.IndexKind, value string) {
		if value != "" {
			b.Index = append(b.Index, store.IndexRow{
				Kind: kind, Value: indexed(value), Mailbox: l.row.Mailbox, Enrollment: l.conversation(), Until: m.At.Add(r.opts.TrackFor),
			})
		}
	}
	add(store.IndexMessageID, provider.BareID(m.MessageID))
	if m.Real != m.MessageID {
		add(store.IndexMessageID, provider.BareID(m.Real))
	}
	add(store.IndexThread, m.Thread)
	add(store.IndexRef, m.Ref)
	for _, addr := range l.addresses() {
		add(store.IndexAddress, addr)
		add(store.IndexSender, addr)
	}
}
