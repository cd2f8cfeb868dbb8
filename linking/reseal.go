package linking

import (
	"context"
	"errors"
	"fmt"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// ResealParams narrow Reseal. The zero value is all links.
type ResealParams struct {
	// After leaves out links up to this ID: where an earlier call stopped,
	// Resealed.Last.
	After string
}

// Resealed counts what Reseal did.
type Resealed struct {
	Seen    int // links that have a token
	Sealed  int // of them, rewritten with the current key
	Current int // of them, left alone: the current key has sealed them, or they were unlinked meanwhile
	Failed  int // of them, not opened; each is in the error

	Last string // the last link that was dealt with
}

// Reseal rewrites the tokens of all owners' links that were sealed by another
// key than the Sealer's current one. It may run beside everything else, in
// several processes, and again. Once it has returned no error nothing in the
// TokenStore needs the older keys, if every process seals by the new one
// already. A Sealer that is not a seal.Rotating can't tell, and has all of
// them rewritten.
//
// A link that does not open is left as it is, and does not stop the others:
// the error names each, and matches ErrSealed. A store or a Sealer that can't
// be reached stops it; call it again, with ResealParams.After to go on.
func (l *Linker) Reseal(ctx context.Context, p ResealParams) (Resealed, error) {
	out := Resealed{Last: p.After}
	if l.cfg.Sealer == nil {
		return out, bad("reseal", "Config.Sealer", "is nil: tokens are not sealed")
	}
	var failed []error
	for {
		page, err := l.cfg.Links.List(ctx, store.ListLinks{After: out.Last, Limit: resealPage})
		if err != nil {
			return out, errors.Join(append(failed, fmt.Errorf("linking: reseal: list: %w", err))...)
		}
		for _, link := range page {
			if len(link.Token) > 0 {
				done, err := l.resealLink(ctx, link)
				var broken *SealError
				switch {
				case err == nil && done:
					out.Sealed++
				case err == nil:
					out.Current++
				case errors.As(err, &broken) && !broken.Temporary():
					out.Failed++
					failed = append(failed, err)
				default:
					return out, errors.Join(append(failed, fmt.Errorf("linking: reseal: link %s: %w", link.ID, err))...)
				}
				out.Seen++
			}
			out.Last = link.ID
		}
		if len(page) < resealPage {
			return out, errors.Join(failed...)
		}
	}
}

const resealPage = 100

// resealLink reports whether the link's token was rewritten. While somebody
// refreshes it, it waits: the new token is sealed by the current key, and a
// write in between would cost them a turn.
func (l *Linker) resealLink(ctx context.Context, link store.Link) (bool, error) {
	for turn := range maxTurns {
		if turn > 0 {
			var err error
			link, err = l.cfg.Links.Get(ctx, link.ID)
			if errors.Is(err, store.ErrNotFound) {
				return false, nil // deleted, as a host may that has to forget somebody
			}
			if err != nil {
				return false, err
			}
		}
		if len(link.Token) == 0 || seal.Current(l.cfg.Sealer, link.Token) {
			return false, nil
		}
		if link.Mark != nil && link.Mark.Left > 0 {
			if err := l.cfg.Wait(ctx, min(link.Mark.Left, pollEvery)); err != nil {
				return false, err
			}
			continue
		}
		what := linkRecord(link.ID)
		data, err := l.open(link.Token, what)
		if err != nil {
			return false, err
		}
		if link.Token, err = l.seal(data, what); err != nil {
			return false, err
		}
		// A mark that has lapsed stays: who takes it over must know that
		// somebody was there.
		_, err = l.cfg.Links.CompareAndSwap(ctx, link)
		if !errors.Is(err, store.ErrConflict) {
			return err == nil, err
		}
	}
	return false, fmt.Errorf("it changed under every attempt: %w", store.ErrConflict)
}
