package runner

import (
	"cmp"
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
	if p.comesLater(now) {
		return false
	}
	return p.claim.Mailbox.Marked || !p.box.ReadAt.IsZero() && !p.box.ReadAt.After(now)
}

// read brings in everything that concerns our conversations: the change feed
// to its end, what tracked senders wrote elsewhere, and reports outside our
// threads. It counts from its start: what became visible while it ran may
// have been missed.
//
// A read for a follow-up is not full: it looks for no reports, and where many
// are tracked only for mail of those who are written to in this pass.
func (p *pass) read(ctx context.Context, full bool) error {
	start, before := p.r.cfg.Now(), p.fed
	p.failed = false
	if err := p.feed(ctx); err != nil {
		return err
	}
	if full {
		p.judgePushes(p.fed - before)
	}
	if err := p.catchUp(ctx); err != nil { // the feed may have told a thread
		return err
	}
	var tracked, all bool
	var err error
	if p.linked.Abilities.SenderReplies {
		tracked, all, err = p.searchSenders(ctx, start, full)
	} else {
		tracked, err = p.tracks(ctx)
		all = true
	}
	if err != nil {
		return err
	}
	p.data.LastRead, p.readStart = start, start
	if !all {
		p.changed = true
		return p.save(ctx)
	}
	p.data.ReadStart = start
	p.r.noteRead(p.box.ID, start)
	p.changed = true
	if !tracked && !p.waits {
		p.box.ReadAt = time.Time{}
		if err := p.endWatch(ctx); err != nil {
			return err
		}
		return p.save(ctx)
	}
	now := p.r.cfg.Now()
	if p.box.ReadAt = p.pollAt(now); p.waits { // no push tells of our own copies
		p.box.ReadAt = earlier(p.box.ReadAt, now.Add(p.r.opts.ReadEvery))
	}
	return p.save(ctx)
}

// lastRead is when this process began its last complete read of a mailbox.
// It is kept in memory alone: another process's clock may differ by more than
// Freshness, and a time that was stored has lost the monotonic reading that
// tells when a clock was set back.
func (r *Runner) lastRead(mailbox string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reads[mailbox]
}

// noteRead takes the start of a complete read; a zero one is forgotten.
func (r *Runner) noteRead(mailbox string, start time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if start.IsZero() {
		delete(r.reads, mailbox)
		return
	}
	if len(r.reads) >= maxReads {
		for id, at := range r.reads {
			if start.Sub(at) > r.opts.Freshness {
				delete(r.reads, id)
			}
		}
	}
	r.reads[mailbox] = start
}

// ahead is how far after now a search reaches: what came just now may bear a
// later time, by the mail service's clock.
const ahead = provider.ClockSlack + time.Minute

// maxReads is how many reads are remembered before the old ones are dropped.
const maxReads = 1000

// feed follows the change feed to its end. The cursor is stored after what
// its page caused, and every step of that is idempotent, so a crash in
// between reads the page again and changes nothing twice.
//
// Where an earlier read was cut off within the feed, this one follows it to its
// end twice: what became visible since then may lie before the place where it
// goes on.
func (p *pass) feed(ctx context.Context) error {
	again := p.data.CutOff
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
		p.fed += len(page.Items)
		if err := p.items(ctx, page.Items, ReasonThread); err != nil {
			return err
		}
		if page.More && page.Next == provider.Cursor(p.box.Cursor) {
			return &provider.Error{Kind: provider.ErrTemporary, Op: "runner: read", Reason: "cursor_stands_still"}
		}
		if page.Next != provider.Cursor(p.box.Cursor) {
			p.box.Cursor, p.changed = []byte(page.Next), true
			if page.More {
				p.data.CutOff = true
				if err := p.save(ctx); err != nil {
					return err
				}
			}
		}
		if page.More {
			continue
		}
		if p.data.CutOff {
			p.data.CutOff, p.changed = false, true
		}
		if !again {
			return nil
		}
		again = false
	}
}

// searchSenders looks for mail of tracked senders outside the threads of our
// mail, and in a full read for delivery reports. It reports whether anybody is
// tracked, and whether all of them were searched for.
func (p *pass) searchSenders(ctx context.Context, start time.Time, full bool) (tracked, all bool, err error) {
	senders, all, err := p.senders(ctx, start, full)
	if err != nil || len(senders) == 0 {
		return false, all, err
	}
	known := p.linked.Abilities.Reports
	able := known == provider.DetectContent || known == provider.DetectSender
	reports := full && !p.r.opts.NoReports && able && p.data.reportsDue()
	// Mail of the lost time may be known only since the last search.
	searched := p.data.Searched
	if reports {
		searched = earlier(searched, p.data.Reported)
	}
	lost := p.restored != nil && searched.Before(p.restored.Until)
	for chunk := range slices.Chunk(senders, provider.MaxQuerySenders) {
		for _, q := range p.queries(chunk, p.data.Searched.Add(-p.r.opts.SearchOverlap), start, reports) {
			items, err := p.searchAll(ctx, q, ReasonSearch)
			if err != nil {
				return true, all, err
			}
			p.searched = q
			if err := p.itemsAnew(ctx, items, ReasonSender, lost); err != nil {
				return true, all, err
			}
		}
	}
	if all {
		p.data.Searched = start
	}
	if reports {
		p.data.Reported = start
	}
	return true, all, nil
}

// senders lists whom to search for. If that takes more than one search, a
// read that is not full leaves it at the recipients of what is due now: all
// others are searched for at the pace of reading.
func (p *pass) senders(ctx context.Context, start time.Time, full bool) (list []string, all bool, err error) {
	var after store.IndexRow
	for {
		rows, err := p.r.cfg.Store.Index(ctx, store.ListIndex{Mailbox: p.box.ID, Kind: store.IndexSender, Now: p.r.trackedAt(start), After: after, Limit: 1000})
		if err != nil {
			return nil, false, fmt.Errorf("runner: tracked senders: %w", err)
		}
		for _, row := range rows {
			if len(list) == 0 || list[len(list)-1] != row.Value {
				list = append(list, row.Value)
			}
			after = row
		}
		if !full && len(list) > provider.MaxQuerySenders {
			list, err = p.dueSenders(ctx)
			return list, false, err
		}
		if len(rows) < 1000 {
			return list, true, nil
		}
	}
}

// dueSenders lists the addresses, as far as they are known, of the recipients
// of what is due.
func (p *pass) dueSenders(ctx context.Context) ([]string, error) {
	var list []string
	var keys []store.IndexKey
	for _, row := range p.claim.Due {
		list, keys = append(list, row.Recipient), append(keys, indexKey(store.IndexAddress, row.Recipient))
	}
	rows, err := p.r.cfg.Store.Match(ctx, p.box.ID, keys)
	if err != nil {
		return nil, fmt.Errorf("runner: match: %w", err)
	}
	ls, err := p.r.load(ctx, enrollmentIDs(rows))
	if err != nil {
		return nil, err
	}
	for _, l := range ls {
		list = append(list, l.rec.Known...)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// tracks reports whether answers of anybody are waited for.
func (p *pass) tracks(ctx context.Context) (bool, error) {
	rows, err := p.r.cfg.Store.Index(ctx, store.ListIndex{Mailbox: p.box.ID, Kind: store.IndexSender, Now: p.r.cfg.Now(), Limit: 1})
	if err != nil {
		return false, fmt.Errorf("runner: tracked senders: %w", err)
	}
	return len(rows) > 0, nil
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
	return p.itemsAnew(ctx, items, reason, false)
}

// itemsAnew, if anew is set, also looks again at those that were found to be
// none of ours: mail that they may answer was not known then.
func (p *pass) itemsAnew(ctx context.Context, items []provider.Item, reason string, anew bool) error {
	var failed error
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
			switch {
			case row.Kind != store.IndexRef:
				ours[row.Value] = true
			case row.Enrollment != nobody || !anew:
				seen[row.Value] = true
			}
		}
		for _, it := range chunk {
			ref := indexed(string(it.Ref))
			if it.Draft || seen[ref] || p.passedOver(it.Ref) || reason == ReasonThread && !ours[indexed(it.Thread)] {
				continue
			}
			seen[ref] = true
			if err := p.hold(ctx); err != nil {
				return err
			}
			// The others need not wait until one that can't be read is passed over.
			switch err := p.item(ctx, it, reason); {
			case errors.Is(err, provider.ErrTemporary) && !p.failed:
				failed, p.failed = err, true
			case err != nil:
				return cmp.Or(failed, err)
			}
		}
	}
	return failed
}
