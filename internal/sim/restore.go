package sim

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/outreachkit/outreach/sequence/runner"
)

func (h *host) number() int {
	i, _ := strconv.Atoi(h.name)
	return i
}

// disaster makes the backup, and later loses all and puts it back, when it is
// time to.
func (w *world) disaster(ctx context.Context) {
	p, now := w.plan, w.clock.Now()
	switch {
	case p.Restore == 0:
	case w.backedUp.IsZero() && now.Sub(start()) >= p.Backup:
		w.backedUp = now
		var err error
		if w.putBack, err = w.stores.Backup(); err != nil {
			w.wrong = append(w.wrong, "backup: "+err.Error())
		}
		w.note("a backup is made")
	case w.putBack != nil && w.restored.to.IsZero() && now.Sub(start()) >= p.Restore:
		if err := w.restore(ctx); err != nil {
			w.wrong = append(w.wrong, "restore: "+err.Error())
		}
	}
}

// clocksDiffer is what a host allows for between the clocks of its processes
// and of its backups.
const clocksDiffer = 3 * time.Minute

// restore puts the backup back, and does what a host has to do then: Recover,
// and tell again what it did itself in the lost time.
func (w *world) restore(ctx context.Context) (err error) {
	w.note("all is lost, and the backup of %s is put back", w.backedUp.Format(time.DateTime))
	w.restored = span{w.backedUp, w.clock.Now()}
	if w.stores, err = w.putBack(); err != nil {
		return err
	}
	for i, h := range w.hosts {
		h.life.dead = true
		if err := w.birth(i); err != nil {
			return err
		}
	}
	if err := w.seat(); err != nil {
		return err
	}
	for {
		h := w.hosts[w.plan.rnd.IntN(len(w.hosts))]
		if w.plan.chance(w.plan.Trouble) {
			h.life.left, h.life.after = 1+w.plan.rnd.IntN(60), w.plan.chance(0.5)
			w.note("a process will die %d steps into Recover", h.life.left)
		}
		rep, err := h.run.Recover(ctx, runner.RecoverParams{Since: w.restored.from.Add(-clocksDiffer)})
		w.pending = len(rep.Pending) > 0
		w.note("recover: asked %d, found %d, unsettled %d, undecided %d, pending %v, %v", rep.Asked, rep.Found, rep.Unsettled, rep.Undecided, rep.Pending, err)
		if h.life.dead {
			if err := w.birth(h.number()); err != nil {
				return err
			}
		}
		if err == nil {
			break
		}
		w.clock.Advance(10 * time.Minute)
		w.mend(ctx)
	}
	for _, id := range slices.Sorted(maps.Keys(w.stopped)) {
		if _, err := w.clerk.Stop(ctx, id, "stopped by hand"); err != nil {
			w.note("stopping again: %v", err)
		}
	}
	for i, c := range w.plan.Candidates {
		if _, answered := w.desk.answered[c.key()]; answered {
			w.desk.owed[c.key()] = true
			w.reply(ctx, i)
		}
	}
	return nil
}
