package memstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/outreachkit/outreach/store"
)

// Prune implements store.EnrollmentStore.
func (e *Enrollments) Prune(ctx context.Context, p store.PruneParams) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if p.Now.IsZero() || len(p.Keep) > 0 && !p.KeepUntil.After(p.Now) {
		return 0, invalid("pruning needs Now, and with Keep a KeepUntil after it")
	}
	now := micro(p.Now)
	e.mu.Lock()
	defer e.mu.Unlock()
	var past []store.IndexRow
	latest := make(map[string]time.Time)
	for _, rows := range e.index {
		for at, row := range rows {
			if !row.Until.After(now) {
				past = append(past, row)
			}
			if row.Until.After(latest[at.enrollment]) {
				latest[at.enrollment] = row.Until
			}
		}
	}
	slices.SortFunc(past, func(a, b store.IndexRow) int { return cmp.Or(a.Until.Compare(b.Until), byRow(a, b)) })
	past = past[:min(len(past), limit(p.Limit, 1000))]
	for _, row := range past {
		key, at := store.IndexKey{Kind: row.Kind, Value: row.Value}, rowKey{row.Mailbox, row.Enrollment}
		of, stored := e.enrollments[row.Enrollment]
		until := latest[row.Enrollment]
		if keep := micro(p.KeepUntil); stored && slices.Contains(p.Keep, of.Status) && keep.After(until) {
			until = keep
		}
		if stored && until.After(now) {
			row.Until = until
			e.index[key][at] = row
			continue
		}
		delete(e.index[key], at)
		if len(e.index[key]) == 0 {
			delete(e.index, key)
		}
	}
	return len(past), nil
}
