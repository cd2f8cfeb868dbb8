package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// Prior is what is done about mail of a recipient that lay in the mailbox
// before the first step of a drip leaves.
type Prior string

// What may be done about earlier mail. The zero Prior is PriorTell.
const (
	PriorTell Prior = ""     // EventPriorContact, and the first step leaves
	PriorHold Prior = "hold" // the drip is held and flagged besides: Resume lets it go
	PriorSkip Prior = "skip" // nobody looks for it, and no request is made
)

// MaxPrior is the most mails that are counted of one recipient.
const MaxPrior = 100

// seekPrior looks for earlier mail of a recipient whom the first step is
// about to be sent to, and of those who are due after them, in one search.
// What it lists are identifiers: none of that mail is opened.
func (p *pass) seekPrior(ctx context.Context, l *loaded) error {
	first := slices.IndexFunc(p.claim.Due, func(row store.Enrollment) bool { return row.ID == l.id() })
	var ids []string
	for _, row := range p.claim.Due[max(first, 0):] {
		ids = append(ids, row.ID)
	}
	ls, err := p.r.load(ctx, ids)
	if err != nil {
		return err
	}
	now := p.r.cfg.Now()
	ls = slices.DeleteFunc(ls, func(l *loaded) bool { return !p.unsought(l) || !p.r.dueNow(l, now) })
	var senders []string
	ids = nil
	for _, l := range ls {
		if !slices.Contains(senders, l.row.Recipient) {
			if len(senders) == provider.MaxQuerySenders {
				break
			}
			senders = append(senders, l.row.Recipient)
		}
		ids = append(ids, l.id())
	}
	if len(ids) == 0 {
		return nil
	}
	found := make(map[string]int)
	if err := p.countPrior(ctx, senders, now, found); err != nil {
		return err
	}
	_, err = p.r.change(ctx, ids, func(ls []*loaded, b *store.Batch) error {
		b.Fence = &p.claim.Fence
		for _, l := range ls {
			if !l.rec.Sought.IsZero() {
				continue
			}
			l.rec.Sought = now
			if n := found[l.row.Recipient]; n > 0 {
				if err := p.r.toldPrior(l, b, n, now); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return err
}

// unsought reports whether earlier mail is still to be looked for.
func (p *pass) unsought(l *loaded) bool {
	return p.r.opts.Prior != PriorSkip && p.linked.Abilities.SenderReplies && l.row.Kind == kindDrip &&
		l.rec.Sought.IsZero() && len(l.rec.Mails) == 0 && l.row.Link == p.box.Link && !l.st.Terminal()
}

// dueNow reports whether the enrollment's next mail may leave.
func (r *Runner) dueNow(l *loaded, now time.Time) bool {
	next := sequence.Next(l.seq, l.st, r.calendar(l), now)
	return next.Kind == sequence.DueSend && !next.At.After(now) && !l.rec.NotBefore.After(now)
}

// countPrior counts the mails of each sender. Nearly always there are none,
// and one request says so for all of them; else they are halved until it is
// known whose they are.
func (p *pass) countPrior(ctx context.Context, senders []string, now time.Time, found map[string]int) error {
	if err := p.hold(ctx); err != nil {
		return err
	}
	q := provider.Query{From: senders, Since: now.Add(-p.r.opts.PriorSpan), To: now, Limit: 1}
	if len(senders) == 1 {
		q.Limit = MaxPrior
	}
	items, err := p.mb.search(ctx, q, ReasonPrior)
	switch {
	case err != nil || len(items) == 0:
		return err
	case len(senders) == 1:
		found[senders[0]] = len(items)
		return p.forgetPrior(ctx, senders[0], items)
	}
	half := len(senders) / 2
	if err := p.countPrior(ctx, senders[:half], now, found); err != nil {
		return err
	}
	return p.countPrior(ctx, senders[half:], now, found)
}

// forgetPrior remembers that a recipient's earlier mails are none of ours: the
// search for answers reaches back to before our first mail, and would have the
// headers of those read that came just before. Somebody who was written to
// before may have answered in them, and what lies in a thread of ours is.
func (p *pass) forgetPrior(ctx context.Context, sender string, items []provider.Item) error {
	rows, err := p.r.cfg.Store.Match(ctx, p.box.ID, []store.IndexKey{indexKey(store.IndexSender, sender)})
	if err != nil {
		return fmt.Errorf("runner: match: %w", err)
	}
	if len(rows) > 0 {
		return nil
	}
	var keys []store.IndexKey
	for _, it := range items {
		keys = append(keys, indexKey(store.IndexThread, it.Thread), indexKey(store.IndexRef, string(it.Ref)))
	}
	if rows, err = p.r.cfg.Store.Match(ctx, p.box.ID, keys); err != nil {
		return fmt.Errorf("runner: match: %w", err)
	}
	known := make(map[string]bool)
	for _, row := range rows {
		known[row.Value] = true
	}
	b := store.Batch{Fence: &p.claim.Fence}
	for _, it := range items {
		if it.Thread != "" && !known[indexed(it.Thread)] && !known[indexed(string(it.Ref))] {
			b.Index = append(b.Index, p.forgotten(it.Ref))
		}
	}
	if len(b.Index) == 0 {
		return nil
	}
	if err := p.r.cfg.Store.Commit(ctx, b); err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	return nil
}

// toldPrior tells the host of earlier mail, and holds the drip if it is to.
func (r *Runner) toldPrior(l *loaded, b *store.Batch, n int, now time.Time) error {
	count := fmt.Sprint(n)
	if n >= MaxPrior {
		count = fmt.Sprintf("%d or more", n)
	}
	reason := count + " earlier mails of the recipient lie in the mailbox"
	if n == 1 {
		reason = "an earlier mail of the recipient lies in the mailbox"
	}
	r.tell(l, b, Event{Kind: EventPriorContact, At: now, Reason: reason, Count: n})
	if r.opts.Prior != PriorHold {
		return nil
	}
	return r.happen(l, b, sequence.Event{Kind: sequence.EventUnsure, At: sequence.InstantOf(now)}, reason)
}
