package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// ResealParams narrow Reseal. The zero value is all enrollments.
type ResealParams struct {
	// After leaves out enrollments up to this ID: where an earlier call
	// stopped, Resealed.Last.
	After string
}

// Resealed counts what Reseal did.
type Resealed struct {
	Sealed  int // enrollments that were rewritten
	Current int // those that the newest key had sealed already
	Failed  int // those that do not open; each is in the error

	Last string // the last enrollment that was dealt with
}

// Reseal rewrites the enrollments, ended ones among them, that were sealed by
// another key than the newest of Config.Sealer, and with Options.ReadPlain
// those that are plain. It changes nothing else of them, and may run beside
// everything else. Mails that have left or are on their way stay as they were
// sealed, so the older key is needed until the enrollments of its time have
// ended.
//
// An enrollment that does not open is left as it is, and does not stop the
// others: the error names each. A store or a Sealer that can't be reached
// stops it; call it again, with ResealParams.After to go on.
func (r *Runner) Reseal(ctx context.Context, p ResealParams) (Resealed, error) {
	out := Resealed{Last: p.After}
	if r.cfg.Sealer == nil {
		return out, &provider.FieldError{Op: "runner: reseal", Field: "Config.Sealer", Problem: "is nil: nothing is sealed"}
	}
	var failed []error
	for {
		rows, err := r.cfg.Store.List(ctx, store.ListEnrollments{After: out.Last, Limit: resealPage})
		if err != nil {
			return out, errors.Join(append(failed, fmt.Errorf("runner: reseal: list: %w", err))...)
		}
		for _, row := range rows {
			done, err := r.resealRow(ctx, row)
			switch {
			case err == nil && done:
				out.Sealed++
			case err == nil:
				out.Current++
			case errors.Is(err, errDamaged):
				out.Failed++
				failed = append(failed, err)
			default:
				return out, errors.Join(append(failed, err)...)
			}
			out.Last = row.ID
		}
		if len(rows) < resealPage {
			return out, errors.Join(failed...)
		}
	}
}

const resealPage = 200

// resealRow reports whether the enrollment was rewritten.
func (r *Runner) resealRow(ctx context.Context, row store.Enrollment) (bool, error) {
	what := enrollmentData(row.ID)
	for range maxConflicts {
		if r.box().Current(row.Data) {
			return false, nil
		}
		data, err := r.box().Open(row.Data, what)
		if err != nil {
			return false, unopened(err)
		}
		if row.Data, err = r.box().Seal(data, what); err != nil {
			return false, fmt.Errorf("runner: %w", err)
		}
		err = r.cfg.Store.Commit(ctx, store.Batch{Enrollments: []store.Enrollment{row}})
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return false, fmt.Errorf("runner: reseal %s: %w", row.ID, err)
		}
		rows, err := r.cfg.Store.Load(ctx, []string{row.ID})
		if err != nil {
			return false, fmt.Errorf("runner: load: %w", err)
		}
		if len(rows) == 0 {
			return false, nil // erased
		}
		row = rows[0]
	}
	return false, fmt.Errorf("runner: reseal %s: it changed under every attempt: %w", row.ID, store.ErrConflict)
}
