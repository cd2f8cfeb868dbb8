package linking

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/outreachkit/outreach/store"
)

// CheckAllParams narrow CheckAll. The zero value checks every link once a day.
type CheckAllParams struct {
	// Every is how often each link is checked. When in that time is the
	// link's own, so that checks are spread over it. Default 24 h; at least 1 h.
	Every time.Duration

	// PerMinute is how many links are asked about in a minute: CheckAll waits
	// in between. Default 60.
	PerMinute int

	// After leaves out links up to this ID: where an earlier call stopped,
	// CheckedAll.Last. Max ends the call after so many checks; zero is never.
	After string
	Max   int
}

// CheckedAll counts what CheckAll did.
type CheckedAll struct {
	Seen    int // links that were looked at
	Checked int // of them, asked about
	Bad     int // of them, found not to work
	Silent  int // mailboxes that were found silent in this call
	Failed  int // links that could not be looked at; each is in the error

	Last string // the last link that was dealt with
	Done bool   // all links were
}

// CheckAll checks those links whose turn it is, tells what was not told yet,
// and notices mailboxes that have gone silent. Call it every few minutes; many
// processes may, and each link is asked about once. One link that can't be
// looked at doesn't stop the others: the error names each. A context that ends
// stops it; call it again with CheckAllParams.After to go on.
func (l *Linker) CheckAll(ctx context.Context, p CheckAllParams) (CheckedAll, error) {
	out := CheckedAll{Last: p.After}
	setDefault(&p.Every, 24*time.Hour)
	if p.PerMinute == 0 {
		p.PerMinute = 60
	}
	switch {
	case p.Every < time.Hour:
		return out, bad("check all", "Every", "is less than an hour")
	case p.PerMinute < 0 || p.Max < 0:
		return out, bad("check all", "PerMinute", "or Max is negative")
	}
	var failed []error
	err := l.each(ctx, p.After, func(link store.Link) error {
		if p.Max > 0 && out.Checked >= p.Max {
			return errStop
		}
		err := l.look(ctx, link, p, &out)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			out.Failed++
			failed = append(failed, fmt.Errorf("linking: check all: link %s: %w", link.ID, err))
		}
		out.Last = link.ID
		return nil
	})
	if errors.Is(err, errStop) {
		return out, errors.Join(failed...)
	}
	out.Done = err == nil
	return out, errors.Join(append(failed, err)...)
}

var errStop = errors.New("enough for this call")

// look deals with one link.
func (l *Linker) look(ctx context.Context, link store.Link, p CheckAllParams, out *CheckedAll) error {
	rec, err := recordOf(link)
	if err != nil {
		return err
	}
	if link.Kind == store.KindApp || !works(link.Status) && link.Status != store.LinkHeld {
		if len(rec.untold(link)) > 0 {
			l.tell(ctx, link)
		}
		return nil
	}
	out.Seen++
	now, due := l.cfg.Now(), false
	checked := later(rec.Health.Checked, link.Created)
	if due = turn(link.ID, now, p.Every) > turn(link.ID, checked, p.Every); due && out.Checked > 0 {
		if err := l.cfg.Wait(ctx, time.Minute/time.Duration(p.PerMinute)); err != nil {
			return err
		}
	}
	was := rec.Health.Silent
	ours := false
	link, err = l.updateFrom(ctx, link, func(link *store.Link, rec *record) error {
		ours = due && !rec.Health.Checked.After(checked)
		seq := rec.Seq
		l.listen(link, rec, now)
		if !ours && rec.Seq == seq {
			return errUnchanged
		}
		if ours {
			rec.Health.Checked = l.cfg.Now() // before it is asked about, so that one process does
		}
		return nil
	})
	if err != nil {
		return err
	}
	if rec, err = recordOf(link); err != nil {
		return err
	}
	if was.IsZero() && !rec.Health.Silent.IsZero() {
		out.Silent++
	}
	if len(rec.untold(link)) > 0 {
		l.tell(ctx, link)
	}
	if !ours {
		return nil
	}
	out.Checked++
	report, err := l.check(ctx, link)
	if err == nil && !report.Status.Works {
		out.Bad++
	}
	return err
}

// turn numbers the spans of a link: each begins at a moment of its own.
func turn(id string, t time.Time, every time.Duration) int64 {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(id)) // it can't fail
	shift := int64(sum.Sum64() % uint64(every))
	return (t.UnixNano() - shift) / int64(every)
}
