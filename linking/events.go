package linking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/store"
)

// teller is who tells the host of a link's changes now.
type teller struct {
	By    string    `json:"by"`
	Until time.Time `json:"until"` // by the clock of the processes
}

// tellFor is how long a call of OnChange may take before another process
// takes the one that tells for dead.
const tellFor = time.Minute

// changeID names a change: the link or registration, and its number there.
func changeID(id string, seq int) string { return fmt.Sprintf("%s/%d", id, seq) }

// untold are the entries that the host has not taken yet.
func (r *record) untold(link store.Link) []entry {
	list := r.happened(link)
	for i, e := range list {
		if e.Seq > r.Told {
			return list[i:]
		}
	}
	return nil
}

// tell hands the host what it has not taken yet of a link's changes, oldest
// first. Who tells is written down first, so that of many processes one does;
// what was told is written down after, so that a crash in between tells it
// again. A handler that fails ends the telling until somebody touches the
// link again.
func (l *Linker) tell(ctx context.Context, link store.Link) {
	if l.cfg.OnChange == nil {
		return
	}
	ctx = context.WithoutCancel(ctx) // what was begun is finished
	me, err := l.secret()
	if err == nil {
		err = l.tellAs(ctx, link, me)
	}
	if err != nil {
		l.log.WarnContext(ctx, "linking: a change of a link is told later", "link", link.ID, "error", err)
	}
}

func (l *Linker) tellAs(ctx context.Context, link store.Link, me string) error {
	for {
		link, ours, err := l.claimTelling(ctx, link, me)
		if err != nil || !ours {
			return err
		}
		rec, err := recordOf(link)
		if err != nil {
			return err
		}
		told, failed := rec.Told, error(nil)
		for _, e := range rec.untold(link) {
			if failed = attempt(func() error { return l.cfg.OnChange(ctx, l.change(link, e)) }); failed != nil {
				failed = fmt.Errorf("OnChange: %w", failed)
				break
			}
			told = e.Seq
		}
		more := false
		_, err = l.update(ctx, link.ID, func(link *store.Link, rec *record) error {
			if rec.Teller == nil || rec.Teller.By != me {
				return errUnchanged // we stood still, and another has taken over
			}
			rec.Told, rec.Teller = max(rec.Told, told), nil
			more = failed == nil && len(rec.untold(*link)) > 0
			return nil
		})
		if err != nil || failed != nil || !more {
			return errors.Join(failed, err)
		}
	}
}

// attempt runs the host's code. Its panic is an error: what was begun with a
// link is written down all the same.
func attempt(call func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panicked: %v", r)
		}
	}()
	return call()
}

// claimTelling writes down that we tell.
func (l *Linker) claimTelling(ctx context.Context, link store.Link, me string) (store.Link, bool, error) {
	ours := false
	link, err := l.updateFrom(ctx, link, func(link *store.Link, rec *record) error {
		now := l.cfg.Now()
		if ours = len(rec.untold(*link)) > 0 && (rec.Teller == nil || !rec.Teller.Until.After(now)); !ours {
			return errUnchanged
		}
		rec.Teller = &teller{By: me, Until: now.Add(tellFor)}
		return nil
	})
	return link, ours, err
}

// errUnchanged ends an update that has nothing to write.
var errUnchanged = errors.New("nothing to change")

// update changes a link's record by compare-and-swap, as often as it takes.
// fn may run several times.
func (l *Linker) update(ctx context.Context, id string, fn func(link *store.Link, rec *record) error) (store.Link, error) {
	link, err := l.get(ctx, id)
	if err != nil {
		return store.Link{}, err
	}
	return l.updateFrom(ctx, link, fn)
}

// updateFrom is update, from a link that was read before.
func (l *Linker) updateFrom(ctx context.Context, link store.Link, fn func(link *store.Link, rec *record) error) (store.Link, error) {
	for range maxConflicts {
		rec, err := recordOf(link)
		if err != nil {
			return link, err
		}
		next := link
		err = fn(&next, &rec)
		if errors.Is(err, errUnchanged) {
			return link, nil
		}
		if err == nil {
			err = keepRecord(&next, rec)
		}
		if err != nil {
			return link, err
		}
		stored, err := l.cfg.Links.CompareAndSwap(ctx, next)
		if !errors.Is(err, store.ErrConflict) {
			if err != nil {
				return link, fmt.Errorf("linking: link %s: %w", link.ID, err)
			}
			return stored, nil
		}
		if link, err = l.get(ctx, link.ID); err != nil {
			return link, err
		}
	}
	return link, fmt.Errorf("linking: link %s changed under every attempt: %w", link.ID, store.ErrConflict)
}

// Deliver tells the host what Config.OnChange has not taken yet, of all links
// and registrations. A change is told when it happens; what was not, because
// the process died or the handler failed, is told when the link is next
// checked, refreshed or changed, or by this. It returns how many links still
// have something to tell. One that can't be read doesn't stop the others: the
// error names each.
func (l *Linker) Deliver(ctx context.Context) (left int, err error) {
	var failed []error
	err = l.each(ctx, "", func(link store.Link) error {
		more, err := l.deliver(ctx, link)
		if err != nil {
			failed = append(failed, fmt.Errorf("linking: deliver: link %s: %w", link.ID, err))
		}
		if more {
			left++
		}
		return nil
	})
	return left, errors.Join(append(failed, err)...)
}

// deliver tells what a link has to tell, and reports whether something is left.
func (l *Linker) deliver(ctx context.Context, link store.Link) (bool, error) {
	rec, err := recordOf(link)
	if err != nil || len(rec.untold(link)) == 0 {
		return false, err
	}
	l.tell(ctx, link)
	if link, err = l.get(ctx, link.ID); err != nil {
		return true, err
	}
	if rec, err = recordOf(link); err != nil {
		return true, err
	}
	return len(rec.untold(link)) > 0, nil
}

// each goes through all links, those of registrations among them.
func (l *Linker) each(ctx context.Context, after string, fn func(store.Link) error) error {
	for {
		page, err := l.cfg.Links.List(ctx, store.ListLinks{After: after, Limit: 100})
		if err != nil {
			return fmt.Errorf("linking: list: %w", err)
		}
		for _, link := range page {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := fn(link); err != nil {
				return err
			}
			after = link.ID
		}
		if len(page) < 100 {
			return nil
		}
	}
}
