package linking

import (
	"context"
	"errors"
	"fmt"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// UnlinkParams names a link to end. Owner and Link are required.
type UnlinkParams struct {
	Owner string
	Link  string

	// KeepGrant leaves the user's consent at the service as it is. Revoking
	// at Google ends all that the user granted to the project, so a host
	// whose users consent for other things too may want to keep it.
	KeepGrant bool
}

// Unlink ends a link, in this order: nobody uses it any more, the grant is
// revoked, the mailbox is free for another owner. If the last two came in the
// opposite order, a late revoke could kill the next owner's grant. If revoking
// fails, or the token can't be opened now because the Sealer's key service is
// down, the link stays in LinkUnlinking; call Unlink again.
func (l *Linker) Unlink(ctx context.Context, p UnlinkParams) error {
	for range maxConflicts {
		link, err := l.owned(ctx, p.Owner, p.Link)
		if err != nil {
			return err
		}
		if link.Status == store.LinkUnlinked {
			return nil
		}
		if link.Status != store.LinkUnlinking {
			was := link.Status
			link.Status, link.Reason, link.Mark, link.Changed = store.LinkUnlinking, "", nil, l.cfg.Now()
			link, err = l.cfg.Links.CompareAndSwap(ctx, link)
			if errors.Is(err, store.ErrConflict) {
				continue
			}
			if err != nil {
				return fmt.Errorf("linking: unlink %s: %w", p.Link, err)
			}
			l.changed(ctx, link, was)
		}
		if !p.KeepGrant {
			if err := l.revoke(ctx, link); err != nil {
				return err
			}
		}
		released, err := l.cfg.Links.Release(ctx, link.ID, link.Version)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("linking: unlink %s: release: %w", p.Link, err)
		}
		l.changed(ctx, released, store.LinkUnlinking)
		return nil
	}
	return fmt.Errorf("linking: unlink %s: %w", p.Link, store.ErrConflict)
}

// revoke ends the grant. A token that does not open can't be revoked, and
// must not keep the mailbox from being released. One that may open later
// does: released, it would stay alive at the service for ever.
func (l *Linker) revoke(ctx context.Context, link store.Link) error {
	prov, ok := l.providers[link.Provider]
	if !ok {
		return nil
	}
	tok, err := l.tokenOf(link)
	if seal.Temporary(err) {
		return fmt.Errorf("linking: unlink %s (call Unlink again): %w", link.ID,
			&provider.Error{Kind: provider.ErrTemporary, Op: "revoke", Reason: ReasonSealer, Err: err})
	}
	if err != nil {
		l.log.WarnContext(ctx, "linking: unlinking without revoking", "link", link.ID, "error", err)
		return nil
	}
	err = prov.Revoke(ctx, provider.Grant{Token: tok, Access: provider.Access(link.Access), Identity: provider.Identity{Subject: link.Subject, Tenant: link.Tenant}})
	if err != nil {
		return fmt.Errorf("linking: unlink %s: revoke (call Unlink again): %w", link.ID, err)
	}
	return nil
}
