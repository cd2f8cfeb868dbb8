package sqlstore

import (
	"context"
	"database/sql"
	"slices"

	"github.com/outreachkit/outreach/store"
)

const (
	pastText = `SELECT kind, value, mailbox, enrollment, until FROM outreach_index WHERE until <= ? ORDER BY until LIMIT ? {skip}`

	// latestText does not ask for the rows of what is no enrollment: there may
	// be very many under one name. The + 0 keeps PostgreSQL from looking for the
	// latest among the rows of all.
	latestText = `SELECT e.id, e.status, (SELECT max(i.until + 0) FROM outreach_index AS i WHERE i.enrollment = e.id)
		FROM outreach_enrollments AS e WHERE e.id {in}`
)

// Prune implements store.EnrollmentStore. It waits for nobody's row: what
// others are writing is left for the next time.
func (e *Enrollments) Prune(ctx context.Context, p store.PruneParams) (int, error) {
	const op = "prune"
	if p.Now.IsZero() || len(p.Keep) > 0 && !p.KeepUntil.After(p.Now) {
		return 0, e.h.explain(ctx, op, invalid("pruning needs Now, and with Keep a KeepUntil after it"))
	}
	n := 0
	err := e.h.write(ctx, op, func(c conn) error {
		var past []store.IndexRow
		if err := c.query(func(r *sql.Rows) error {
			row, err := scanRow(r)
			past = append(past, row)
			return err
		}, pastText, micros(p.Now), limit(p.Limit, 1000)); err != nil {
			return err
		}
		if n = len(past); n == 0 {
			return nil
		}
		until, err := c.keptUntil(p, past)
		if err != nil {
			return err
		}
		var gone, kept [][]any
		for _, row := range past {
			to, known := until[row.Enrollment]
			written := []any{row.Mailbox, string(row.Kind), row.Value, row.Enrollment, to}
			if known && to > micros(p.Now) {
				kept = append(kept, written)
			} else {
				gone = append(gone, written)
			}
		}
		const same = ` v WHERE outreach_index.mailbox = v.mailbox AND outreach_index.kind = v.kind
			AND outreach_index.value = v.value AND outreach_index.enrollment = v.enrollment`
		if err := c.each(writtenRow, kept, "UPDATE outreach_index SET until = v.until FROM"+same); err != nil {
			return err
		}
		return c.each(writtenRow, gone, `DELETE FROM outreach_index WHERE (mailbox, kind, value, enrollment) IN
			(SELECT mailbox, kind, value, enrollment FROM v)`)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// keptUntil says until when each of the enrollments of some rows keeps them.
func (c conn) keptUntil(p store.PruneParams, rows []store.IndexRow) (map[string]int64, error) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.Enrollment
	}
	slices.Sort(ids)
	until := make(map[string]int64)
	err := c.query(func(r *sql.Rows) error {
		var id, status string
		var latest sql.NullInt64
		err := r.Scan(&id, &status, &latest)
		until[id] = latest.Int64
		if slices.Contains(p.Keep, status) {
			until[id] = max(latest.Int64, micros(p.KeepUntil))
		}
		return err
	}, latestText, c.list(slices.Compact(ids)))
	return until, err
}
