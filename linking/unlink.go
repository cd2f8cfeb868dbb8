package linking

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// UnlinkParams names a link to end. Owner and Link are required.
type UnlinkParams struct {
	Owner string
	Link  string

	// KeepGrant leaves the user's consent at the service as it is, as
	// Config.KeepGrants does for all links of a registration.
	KeepGrant bool
}

// Unlink ends a link, in this order: nobody uses it any more, push is stopped,
// the grant is revoked (see Config.KeepGrants), the mailbox is free for
// another owner. If the last two came in the opposite order, a late revoke
// could kill the next owner's grant. If stopping or revoking fails, or the
// token can't be opened now because the Sealer's key service is down, the link
// stays in LinkUnlinking; call Unlink again. What was said over the link stays
// with its owner.
//
// Errors: ErrNotFound for a link that is not the owner's, and what StopPush,
// the service or the store returned. Unlinking again is no error.
func (l *Linker) Unlink(ctx context.Context, p UnlinkParams) error {
	link, err := l.owned(ctx, p.Owner, p.Link)
	if err != nil {
		return err
	}
	if link.Status == store.LinkUnlinked {
		l.tell(ctx, link)
		return nil
	}
	link, err = l.updateFrom(ctx, link, func(link *store.Link, rec *record) error {
		if link.Status == store.LinkUnlinked || link.Status == store.LinkUnlinking {
			return errUnchanged
		}
		link.Mark = nil
		return l.move(link, rec, store.LinkUnlinking, fault{})
	})
	if err != nil {
		return fmt.Errorf("linking: unlink: %w", err)
	}
	l.tell(ctx, link)
	if err := l.stopPush(ctx, link); err != nil {
		return err
	}
	if !p.KeepGrant && !slices.Contains(l.cfg.KeepGrants, link.Provider) {
		if _, err := l.revoke(ctx, link); err != nil {
			return err
		}
	}
	return l.release(ctx, link)
}

// release frees the mailbox. The end is written down before, since the store
// erases nothing else, and counts once the link is released.
func (l *Linker) release(ctx context.Context, link store.Link) error {
	for range maxConflicts {
		var err error
		link, err = l.update(ctx, link.ID, func(link *store.Link, rec *record) error {
			if n := len(rec.History); link.Status == store.LinkUnlinked || n > 0 && rec.History[n-1].To == store.LinkUnlinked {
				return errUnchanged
			}
			rec.Fault, rec.Breaks, rec.Aliases, rec.Health, rec.Delegations = fault{}, nil, nil, health{}, nil
			l.note(rec, entry{Kind: ChangeStatus, At: l.cfg.Now(), From: store.LinkUnlinking, To: store.LinkUnlinked})
			return nil
		})
		if err != nil {
			return fmt.Errorf("linking: unlink: %w", err)
		}
		released, err := l.cfg.Links.Release(ctx, link.ID, link.Version)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("linking: unlink %s: release: %w", link.ID, err)
		}
		l.tell(ctx, released)
		return nil
	}
	return fmt.Errorf("linking: unlink %s: %w", link.ID, store.ErrConflict)
}

// stopPush calls the host's hook with the mailbox as it was.
func (l *Linker) stopPush(ctx context.Context, link store.Link) error {
	prov, ok := l.providers[link.Provider]
	if l.cfg.StopPush == nil || !ok {
		return nil
	}
	tok, err := l.tokenOf(link)
	if err != nil {
		return nil // what it began ends by itself
	}
	if err := attempt(func() error { return l.cfg.StopPush(ctx, linked(link, prov, fixedToken{tok})) }); err != nil {
		return fmt.Errorf("linking: unlink %s: stop push (call Unlink again): %w", link.ID, err)
	}
	return nil
}

// Effect tells what revoking ends for the users of a registration, so that a
// host can say so before it unlinks.
func (l *Linker) Effect(registration string) provider.RevokeEffect {
	prov, ok := l.providers[registration]
	if !ok {
		return provider.RevokesNothing
	}
	if r, ok := prov.(provider.Revoker); ok {
		return r.RevokeEffect()
	}
	return provider.RevokesGrant
}

// revoke ends the grant, and reports whether the service was asked to. A
// token that does not open can't be revoked, and must not keep the mailbox
// from being released. One that may open later does: released, it would stay
// alive at the service for ever.
func (l *Linker) revoke(ctx context.Context, link store.Link) (bool, error) {
	prov, ok := l.providers[link.Provider]
	if !ok {
		return false, nil
	}
	tok, err := l.tokenOf(link)
	if seal.Temporary(err) {
		return false, fmt.Errorf("linking: unlink %s (call Unlink again): %w", link.ID,
			&provider.Error{Kind: provider.ErrTemporary, Op: "revoke", Reason: ReasonSealer, Err: err})
	}
	if err != nil {
		l.log.WarnContext(ctx, "linking: unlinking without revoking", "link", link.ID, "error", err)
		return false, nil
	}
	err = prov.Revoke(ctx, provider.Grant{Token: tok, Access: provider.Access(link.Access), Identity: provider.Identity{Subject: link.Subject, Tenant: link.Tenant}})
	if err != nil {
		return false, fmt.Errorf("linking: unlink %s: revoke (call Unlink again): %w", link.ID, err)
	}
	return true, nil
}
