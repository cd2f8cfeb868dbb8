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

// Resealed counts what Reseal did, in records: each enrollment is one, and
// each of its mails that the store keeps, sent or not.
type Resealed struct {
	Sealed  int // records that were rewritten
	Current int // those that the newest key had sealed already
	Failed  int // those that do not open; each is in the error

	Last string // the last enrollment that was dealt with
}

// Reseal rewrites what was sealed by another key than the newest of
// Config.Sealer, and with Options.ReadPlain what is plain: all enrollments,
// ended ones among them, with their mails, and it delivers what waits in the
// outbox. It changes nothing else of them, and may run beside everything else.
// Once it has returned no error nothing in Config.Store needs the older keys,
// if every process seals by the new one already.
//
// A record that does not open is left as it is, and does not stop the
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
			broken, err := r.resealRow(ctx, row, &out)
			failed = append(failed, broken...)
			if err != nil {
				return out, errors.Join(append(failed, err)...)
			}
			out.Last = row.ID
		}
		if len(rows) < resealPage {
			break
		}
	}
	if _, err := r.drain(ctx); err != nil {
		failed = append(failed, fmt.Errorf("runner: reseal: conversation entries wait in the outbox as they were sealed: %w", err))
	}
	return out, errors.Join(failed...)
}

const resealPage = 200

// resealRow seals an enrollment and its mails anew, in one commit. What does
// not open is counted, and returned in broken.
func (r *Runner) resealRow(ctx context.Context, row store.Enrollment, total *Resealed) (broken []error, err error) {
	for range maxConflicts {
		var n Resealed
		var b store.Batch
		broken = nil
		note := func(current bool, err error) error {
			switch {
			case errors.Is(err, errDamaged):
				n.Failed++
				broken = append(broken, err)
			case err != nil:
				return err
			case current:
				n.Current++
			default:
				n.Sealed++
			}
			return nil
		}
		data, current, err := r.sealAgain(row.Data, enrollmentData(row.ID))
		if err := note(current, err); err != nil {
			return nil, err
		}
		if err == nil && !current {
			row.Data = data
			b.Enrollments = []store.Enrollment{row}
		}
		intents, err := r.cfg.Store.LoadIntents(ctx, row.ID)
		if err != nil {
			return nil, fmt.Errorf("runner: intents of %s: %w", row.ID, err)
		}
		for _, in := range intents {
			w, current, err := r.rewriteOf(in)
			if err := note(current, err); err != nil {
				return nil, err
			}
			if err == nil && !current {
				b.Rewrites = append(b.Rewrites, w)
			}
		}
		if len(b.Enrollments)+len(b.Rewrites) > 0 {
			err = r.cfg.Store.Commit(ctx, b)
		}
		switch {
		case err == nil:
			total.Sealed, total.Current, total.Failed = total.Sealed+n.Sealed, total.Current+n.Current, total.Failed+n.Failed
			return broken, nil
		case !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrNotFound): // not found: erased meanwhile
			return nil, fmt.Errorf("runner: reseal %s: %w", row.ID, err)
		}
		rows, err := r.cfg.Store.Load(ctx, []string{row.ID})
		if err != nil {
			return nil, fmt.Errorf("runner: load: %w", err)
		}
		if len(rows) == 0 {
			return nil, nil // erased
		}
		row = rows[0]
	}
	return nil, fmt.Errorf("runner: reseal %s: it changed under every attempt: %w", row.ID, store.ErrConflict)
}

// sealAgain seals data by the newest key, unless that is what has sealed it.
func (r *Runner) sealAgain(data []byte, what string) (sealed []byte, current bool, err error) {
	if r.box().Current(data) {
		return data, true, nil
	}
	plain, err := r.box().Open(data, what)
	if err != nil {
		return nil, false, unopened(err)
	}
	if sealed, err = r.box().Seal(plain, what); err != nil {
		return nil, false, fmt.Errorf("runner: %w", err)
	}
	return sealed, false, nil
}

// rewriteOf seals a mail anew: all of it or nothing.
func (r *Runner) rewriteOf(in store.Intent) (w store.Rewrite, current bool, err error) {
	raw, rawCurrent, err := r.sealAgain(in.Raw, intentRaw(in.ID))
	if err != nil {
		return w, false, err
	}
	meta, metaCurrent, err := r.sealAgain(in.Meta, intentData(in.ID))
	return store.Rewrite{Intent: in.ID, Raw: raw, Meta: meta}, rawCurrent && metaCurrent, err
}
