package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// troubled deals with a mail service that did not do as asked. A link that
// somebody must mend holds its enrollments; everything else is a wait.
func (p *pass) troubled(ctx context.Context, pe *provider.Error) error {
	now := p.r.cfg.Now()
	p.data.Failures++
	p.data.Trouble = pe.Kind.Text()
	if pe.Reason != "" {
		p.data.Trouble += " (" + pe.Reason + ")"
	}
	if p.data.FailingSince.IsZero() {
		p.data.FailingSince = now
	}
	wait := max(p.r.backoff(p.data.Failures), pe.RetryAfter, pe.Until.Sub(now))
	p.r.log.WarnContext(ctx, "runner: the mailbox could not be worked on", "mailbox", p.box.ID, "error", pe)
	switch pe.Kind {
	case provider.ErrRelink, provider.ErrAccess, provider.ErrMailboxUnusable:
		if err := p.lost(ctx, pe); err != nil {
			if errors.Is(err, store.ErrFenced) {
				return nil
			}
			return err
		}
		// Probed at the reading pace: a link may be mended without anybody
		// telling us.
		p.box.ReadAt = now.Add(p.r.opts.ReadEvery)
		p.changed = true
		return p.finish(ctx, 0)
	case provider.ErrApp:
		wait = max(wait, p.r.opts.ReadEvery)
	}
	if _, told := p.r.cfg.Mailboxes.(Reporter); pe.Kind != provider.ErrApp || !told {
		if !p.data.Alarmed && now.Sub(p.data.FailingSince) >= p.r.opts.AlarmAfter {
			p.data.Alarmed = true
			if err := p.announce(ctx, EventMailboxFlagged, "it can't be worked on since "+p.data.FailingSince.UTC().Format(time.RFC3339)+": "+p.data.Trouble); err != nil {
				return err
			}
		}
	}
	return p.finish(ctx, min(wait, maxWait))
}

// report tells who keeps the links how the pass ended. What is the store's
// trouble says nothing of the mailbox.
func (p *pass) report(ctx context.Context, trouble error) {
	rep, ok := p.r.cfg.Mailboxes.(Reporter)
	if !ok || ctx.Err() != nil {
		return
	}
	h := provider.Health{Read: p.data.LastRead, Reading: !p.box.ReadAt.IsZero()}
	if p.sent > 0 {
		h.Sent = p.r.cfg.Now()
	}
	if p.alive(p.r.cfg.Now()) {
		h.Push = p.data.Push.Expires
	}
	for _, addr := range slices.Sorted(maps.Keys(p.data.Aliases)) {
		a := p.data.Aliases[addr]
		h.Aliases = append(h.Aliases, provider.AliasHealth{Address: addr, Proven: a.Lost == "" && !a.Proven.IsZero(), At: a.Proven})
	}
	if trouble != nil {
		var pe *provider.Error
		if !errors.As(trouble, &pe) {
			return
		}
		h.Err = pe
	}
	if err := attempt(func() error { return rep.Report(ctx, p.box.Link, h) }); err != nil {
		p.r.log.WarnContext(ctx, "runner: how a mailbox does could not be reported", "mailbox", p.box.ID, "error", err)
	}
}

// maxWait bounds every wait for a mail service: a Retry-After of a year must
// not silence a mailbox for a year.
const maxWait = 24 * time.Hour

// backoff is the wait after so many failures in a row.
func (r *Runner) backoff(failures int) time.Duration {
	d := r.opts.RetryEvery
	for range min(failures-1, 10) {
		d *= 2
	}
	return min(d, time.Hour)
}

// lost holds the due enrollments of a mailbox that can't be used. The others
// are held when their turn comes, so that a loss costs what is due and not
// what is enrolled.
func (p *pass) lost(ctx context.Context, pe *provider.Error) error {
	reason := p.data.Trouble
	if p.data.Lost == "" {
		p.data.Lost = reason
		if err := p.announce(ctx, EventMailboxLost, reason); err != nil {
			return err
		}
	}
	p.data.Lost = reason
	ids := make([]string, len(p.claim.Due))
	for i, e := range p.claim.Due {
		ids[i] = e.ID
	}
	_, err := p.r.change(ctx, ids, func(ls []*loaded, b *store.Batch) error {
		b.Fence = &p.claim.Fence
		now := p.r.cfg.Now()
		for _, l := range ls {
			if err := p.r.happen(l, b, sequence.Event{Kind: sequence.EventMailboxLost, At: sequence.InstantOf(now)}, reason); err != nil {
				return err
			}
			// A mail that may have left stays to be looked up, when the
			// mailbox can be used again.
			if l.st.Open != 0 {
				l.rec.LookAt = now.Add(p.r.opts.ReadEvery)
			}
			if l.rec.Barred != "" {
				l.rec.AskAt = now.Add(p.r.opts.ReadEvery)
			}
		}
		return nil
	})
	return err
}

// back ends the hold of every enrollment that lost held.
func (p *pass) back(ctx context.Context) error {
	after := ""
	for {
		rows, err := p.r.cfg.Store.List(ctx, store.ListEnrollments{Mailbox: p.box.ID, Status: string(StatusHeld), After: after, Limit: 200})
		if err != nil {
			return fmt.Errorf("runner: list held enrollments: %w", err)
		}
		var ids []string
		for _, row := range rows {
			after = row.ID
			if row.Link == p.box.Link {
				ids = append(ids, row.ID)
			}
		}
		if len(ids) > 0 {
			if _, err := p.r.change(ctx, ids, func(ls []*loaded, b *store.Batch) error {
				b.Fence = &p.claim.Fence
				at := sequence.InstantOf(p.r.cfg.Now())
				for _, l := range ls {
					if l.st.Holds&sequence.HoldMailbox == 0 || l.rec.Barred != "" {
						continue
					}
					if err := p.r.happen(l, b, sequence.Event{Kind: sequence.EventMailboxBack, At: at}, ""); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				return err
			}
		}
		if len(rows) < 200 {
			break
		}
	}
	p.data.Lost, p.data.Failures = "", 0
	return p.announce(ctx, EventMailboxBack, "")
}
