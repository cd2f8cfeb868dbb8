package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// readDue reports whether the mailbox is to be read whether or not a
// follow-up wants it.
func (p *pass) readDue() bool {
	if !p.linked.Abilities.ThreadReplies {
		return false
	}
	now := p.r.cfg.Now()
	return p.claim.Mailbox.Marked || !p.box.ReadAt.IsZero() && !p.box.ReadAt.After(now)
}

// read brings in everything that concerns our conversations: the change feed
// to its end, and what tracked senders wrote elsewhere. It counts from its
// start: what became visible while it ran may have been missed. Reports
// outside our threads are looked for where that is asked for too: a
// follow-up does not wait for them.
func (p *pass) read(ctx context.Context, reports bool) error {
	start := p.r.cfg.Now()
	if err := p.feed(ctx); err != nil {
		return err
	}
	tracked := true
	if p.linked.Abilities.SenderReplies {
		var err error
		if tracked, err = p.searchSenders(ctx, start, reports); err != nil {
			return err
		}
	}
	p.data.LastRead, p.data.ReadStart, p.readStart = start, start, start
	p.box.ReadAt = time.Time{}
	if tracked {
		p.box.ReadAt = p.r.cfg.Now().Add(p.r.opts.ReadEvery)
	}
	p.changed = true
	return p.save(ctx)
}

// feed follows the change feed to its end. The cursor is stored after what
// its page caused, and every step of that is idempotent, so a crash in
// between reads the page again and changes nothing twice.
func (p *pass) feed(ctx context.Context) error {
	for {
		if err := p.hold(ctx); err != nil {
			return err
		}
		page, err := p.mb.changes(ctx, provider.Cursor(p.box.Cursor))
		if errors.Is(err, provider.ErrCursorExpired) {
			if err := p.closeGap(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := p.items(ctx, page.Items, ReasonThread); err != nil {
			return err
		}
		if page.More && page.Next == provider.Cursor(p.box.Cursor) {
			return &provider.Error{Kind: provider.ErrTemporary, Op: "runner: read", Reason: "cursor_stands_still"}
		}
		if page.Next != provider.Cursor(p.box.Cursor) {
			p.box.Cursor, p.changed = []byte(page.Next), true
			if page.More {
				if err := p.save(ctx); err != nil {
					return err
				}
			}
		}
		if !page.More {
			return nil
		}
	}
}

// closeGap replaces an expired cursor. The fresh one is taken first and the
// span behind it is listed by time, so nothing falls between the two.
func (p *pass) closeGap(ctx context.Context) error {
	prof, err := p.mb.profile(ctx, ReasonGap)
	if err != nil {
		return err
	}
	since := p.data.LastRead.Add(-p.r.opts.SearchOverlap)
	items, err := p.searchAll(ctx, provider.Query{Since: since, To: p.r.cfg.Now().Add(time.Minute)}, ReasonGap)
	if err != nil {
		return err
	}
	if err := p.items(ctx, items, ReasonThread); err != nil {
		return err
	}
	p.box.Cursor, p.changed = []byte(prof.Cursor), true
	return p.save(ctx)
}

// catchUp lists what came since a mail left whose thread was learned only
// now, because the answer to its send was lost.
func (p *pass) catchUp(ctx context.Context) error {
	if p.learned.IsZero() || !p.linked.Abilities.SenderReplies {
		return nil
	}
	now := p.r.cfg.Now()
	items, err := p.searchAll(ctx, provider.Query{Since: p.learned.Add(-time.Minute), To: now.Add(time.Minute)}, ReasonGap)
	if err != nil {
		return err
	}
	p.learned = time.Time{}
	return p.items(ctx, items, ReasonThread)
}

// searchSenders looks for mail of tracked senders outside the threads of our
// mail, and for delivery reports. It reports whether anybody is tracked.
func (p *pass) searchSenders(ctx context.Context, start time.Time, reports bool) (bool, error) {
	var senders []string
	var after store.IndexRow
	for {
		rows, err := p.r.cfg.Store.Index(ctx, store.ListIndex{Mailbox: p.box.ID, Kind: store.IndexSender, Now: start, After: after, Limit: 1000})
		if err != nil {
			return false, fmt.Errorf("runner: tracked senders: %w", err)
		}
		for _, row := range rows {
			if len(senders) == 0 || senders[len(senders)-1] != row.Value {
				senders = append(senders, row.Value)
			}
			after = row
		}
		if len(rows) < 1000 {
			break
		}
	}
	if len(senders) == 0 {
		return false, nil
	}
	since := p.data.Searched
	if reports && p.data.Reported.Before(since) {
		since = p.data.Reported
	}
	since = since.Add(-p.r.opts.SearchOverlap)
	reports = reports && !p.r.opts.NoReports && p.linked.Abilities.Reports == provider.DetectContent &&
		!p.data.LastSend.IsZero() && start.Before(p.data.LastSend.Add(provider.ReportSpan))
	for chunk := range slices.Chunk(senders, provider.MaxQuerySenders) {
		q := provider.Query{From: chunk, System: reports, Since: since, To: start.Add(time.Minute)}
		items, err := p.searchAll(ctx, q, ReasonSearch)
		if err != nil {
			return true, err
		}
		if err := p.items(ctx, items, ReasonSender); err != nil {
			return true, err
		}
	}
	p.data.Searched = start
	if reports {
		p.data.Reported = start
	}
	return true, nil
}

// searchAll returns all that a query matches. A full answer may be a cut
// one, so its span is halved until the parts fit.
func (p *pass) searchAll(ctx context.Context, q provider.Query, reason string) ([]provider.Item, error) {
	if err := p.hold(ctx); err != nil {
		return nil, err
	}
	const limit = 5000
	q.Limit = limit
	items, err := p.mb.search(ctx, q, reason)
	span := q.To.Sub(q.Since)
	if err != nil || len(items) < limit || span < 2*time.Second {
		return items, err
	}
	older, newer := q, q
	middle := q.Since.Add(span / 2).Truncate(time.Second)
	older.To, newer.Since = middle, middle
	first, err := p.searchAll(ctx, older, reason)
	if err != nil {
		return nil, err
	}
	second, err := p.searchAll(ctx, newer, reason)
	return append(first, second...), err
}

// items deals with those items that may concern us: all of a search for
// tracked senders, and of a feed those in a thread of ours. Of the others
// nothing more than their identifiers is ever known.
func (p *pass) items(ctx context.Context, items []provider.Item, reason string) error {
	for chunk := range slices.Chunk(items, 500) {
		keys := make([]store.IndexKey, 0, 2*len(chunk))
		for _, it := range chunk {
			keys = append(keys, indexKey(store.IndexRef, string(it.Ref)))
			if it.Thread != "" {
				keys = append(keys, indexKey(store.IndexThread, it.Thread))
			}
		}
		rows, err := p.r.cfg.Store.Match(ctx, p.box.ID, keys)
		if err != nil {
			return fmt.Errorf("runner: match: %w", err)
		}
		seen := make(map[string]bool)
		ours := make(map[string]bool)
		for _, row := range rows {
			if row.Kind == store.IndexRef {
				seen[row.Value] = true
			} else {
				ours[row.Value] = true
			}
		}
		for _, it := range chunk {
			ref := indexed(string(it.Ref))
			if it.Draft || seen[ref] || reason == ReasonThread && !ours[indexed(it.Thread)] {
				continue
			}
			seen[ref] = true
			if err := p.hold(ctx); err != nil {
				return err
			}
			if err := p.item(ctx, it, reason); err != nil {
				return err
			}
		}
	}
	return nil
}
