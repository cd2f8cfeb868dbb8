package linking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// StepUpError says that a link did not get the access that it was to step up
// to. What it had before it keeps. The cause is wrapped.
type StepUpError struct {
	Link string
	Has  provider.Access // what it keeps
	Want provider.Access

	// StartOver says that consenting once more is no help before the earlier
	// grant has ended: call Begin with BeginParams.StartOver, if the user
	// agrees that the link does not work until they have consented.
	StartOver bool

	Err error
}

func (e *StepUpError) Error() string {
	s := fmt.Sprintf("linking: link %s does not step up to %s and keeps %s: %v", e.Link, e.Want, e.Has, e.Err)
	if e.StartOver {
		s += "; begin again with StartOver"
	}
	return s
}

// Unwrap returns the cause.
func (e *StepUpError) Unwrap() error { return e.Err }

// beginRelink fills in what a link knows of itself.
func (l *Linker) beginRelink(ctx context.Context, p *BeginParams) error {
	link, err := l.owned(ctx, p.Owner, p.Relink)
	if err != nil {
		return err
	}
	if link.Status == store.LinkUnlinked || link.Status == store.LinkUnlinking || p.Provider != "" && link.Provider != p.Provider {
		return bad("begin", "Relink", "names a link that is unlinked, or of another provider")
	}
	if err := unusable(link); err != nil {
		return err
	}
	rec, err := recordOf(link)
	if err != nil {
		return err
	}
	p.Provider = link.Provider
	if p.LoginHint == "" {
		p.LoginHint = link.Address
	}
	if p.Tenant == "" {
		p.Tenant = rec.Tenant
	}
	if p.Claims == "" {
		p.Claims = rec.Claims
	}
	if p.Access == "" {
		p.Access = rec.Requested
	}
	if p.Asked == "" && rec.Asked.Includes(p.Access) {
		p.Asked = rec.Asked
	}
	return nil
}

// startOver ends a grant. The token is erased only once it is revoked, so
// that a failure can be tried again.
func (l *Linker) startOver(ctx context.Context, p BeginParams) error {
	link, err := l.owned(ctx, p.Owner, p.Relink)
	if err != nil {
		return err
	}
	if len(link.Token) > 0 {
		if _, err := l.revoke(ctx, link); err != nil {
			return err
		}
	}
	link, err = l.updateFrom(ctx, link, func(link *store.Link, rec *record) error {
		switch link.Status {
		case store.LinkUnlinking, store.LinkUnlinked:
			return fmt.Errorf("linking: begin: link %s was unlinked meanwhile: %w", link.ID, ErrNotFound)
		case store.LinkUnusable:
			return unusable(*link)
		}
		link.Token, link.Mark = nil, nil
		return l.move(link, rec, store.LinkNeedsRelink, ours(provider.ErrRelink, provider.ReasonStartedOver))
	})
	if err != nil {
		return err
	}
	l.tell(ctx, link)
	return nil
}

// probeStepUp proves that a grant does what a link could not do before, while
// the link still has the grant that works.
func (l *Linker) probeStepUp(ctx context.Context, prov provider.Provider, link store.Link, grant provider.Grant) error {
	has := provider.Access(link.Access)
	if link.ID == "" || !works(link.Status) || has.Includes(grant.Access) {
		return nil
	}
	acc := provider.Account{Subject: link.Subject, Address: link.Address, Addresses: link.Addresses, Access: grant.Access}
	if err := l.probe(ctx, link.ID, prov.Open(acc, fixedToken{grant.Token}), prov.Abilities(grant.Access)); err != nil {
		return &StepUpError{Link: link.ID, Has: has, Want: grant.Access, StartOver: narrowed(err), Err: err}
	}
	return nil
}

// narrowed reports whether an earlier grant may be what stands in the way.
func narrowed(err error) bool {
	var pe *provider.Error
	return errors.As(err, &pe) && pe.Kind == provider.ErrAccess && pe.Claims == ""
}

// noteClaims keeps what the service wants a flow's next sign-in to prove, with
// the link that the flow was to mend.
func (l *Linker) noteClaims(ctx context.Context, flow pending, err error) {
	var pe *provider.Error
	if flow.Relink == "" || !errors.As(err, &pe) || pe.Claims == "" {
		return
	}
	link, err := l.owned(ctx, flow.Owner, flow.Relink)
	if err == nil {
		_, err = l.updateFrom(ctx, link, func(_ *store.Link, rec *record) error {
			rec.Claims = pe.Claims
			return nil
		})
	}
	if err != nil {
		l.log.WarnContext(ctx, "linking: what the next sign-in has to prove could not be stored", "link", flow.Relink, "error", err)
	}
}

// stepUpRefused is the error of a step up whose grant is no good; nil if the
// flow was none.
func (l *Linker) stepUpRefused(ctx context.Context, flow pending, err error) error {
	if flow.Relink == "" || !narrowed(err) {
		return nil
	}
	link, getErr := l.owned(ctx, flow.Owner, flow.Relink)
	if getErr != nil || !works(link.Status) || provider.Access(link.Access).Includes(flow.Access) {
		return nil
	}
	return &StepUpError{Link: link.ID, Has: provider.Access(link.Access), Want: flow.Access, StartOver: true, Err: err}
}

// probeSender writes no mail (RFC 2606 section 2), so that a search for it
// finds none.
const probeSender = "nobody@probe.invalid"

// probe reads as the runner will, and learns nothing of anybody's mail: the
// cursor that starts now, and a search that finds nothing.
func (l *Linker) probe(ctx context.Context, link string, mb provider.Mailbox, can provider.Abilities) error {
	if !can.ThreadReplies {
		return nil
	}
	_, err := l.profile(ctx, link, RequestStepUp, mb)
	if err != nil || !can.SenderReplies {
		return err
	}
	now := l.cfg.Now()
	_, err = l.search(ctx, link, RequestStepUp, mb, provider.Query{From: []string{probeSender}, Since: now.Add(-time.Minute), To: now, Limit: 1})
	return err
}

// fixedToken is a source of the one token there is.
type fixedToken struct{ tok *oauth2.Token }

func (f fixedToken) Token(context.Context) (*oauth2.Token, error)  { return f.tok, nil }
func (f fixedToken) Refused(context.Context, *oauth2.Token, error) {}
