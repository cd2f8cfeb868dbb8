package linking

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// source is a link's TokenSource. It keeps nothing but what was refused: the
// store is the truth, because other processes refresh too.
type source struct {
	l  *Linker
	id string

	mu      sync.Mutex
	refused string // the access token that the service answered 401 to
}

var _ provider.TokenSource = (*source)(nil)

// Refused implements provider.TokenSource.
func (s *source) Refused(_ context.Context, tok *oauth2.Token, _ error) {
	if tok == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = tok.AccessToken
}

// Token implements provider.TokenSource.
func (s *source) Token(ctx context.Context) (*oauth2.Token, error) {
	s.mu.Lock()
	refused := s.refused
	s.mu.Unlock()
	return s.l.token(ctx, s.id, refused)
}

// flight is one refresh that several callers of this process wait for.
type flight struct {
	done chan struct{}
	tok  *oauth2.Token
	err  error
}

// token returns a live token that is not the refused one.
func (l *Linker) token(ctx context.Context, id, refused string) (*oauth2.Token, error) {
	link, err := l.get(ctx, id)
	if err != nil {
		return nil, err
	}
	tok, fresh, err := l.live(link, refused)
	if err != nil || fresh {
		return tok, err
	}
	l.mu.Lock()
	f, joined := l.flights[id]
	if !joined {
		f = &flight{done: make(chan struct{})}
		l.flights[id] = f
		go func() {
			defer func() {
				l.mu.Lock()
				delete(l.flights, id)
				l.mu.Unlock()
				close(f.done)
			}()
			f.tok, f.err = l.refresh(context.WithoutCancel(ctx), id, refused)
		}()
	}
	l.mu.Unlock()
	return l.wait(ctx, f, refused)
}

// wait waits for a refresh as long as the caller wants to. The refresh goes on
// without them: a token that was rotated must be stored.
func (l *Linker) wait(ctx context.Context, f *flight, refused string) (*oauth2.Token, error) {
	select {
	case <-f.done:
		if f.err == nil && f.tok.AccessToken == refused {
			return nil, stillRefused()
		}
		return f.tok, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func stillRefused() error {
	return &provider.Error{Kind: provider.ErrTemporary, Op: "linking: token", Reason: "token_still_refused"}
}

// live opens the stored token and says whether it may be used as it is.
func (l *Linker) live(link store.Link, refused string) (*oauth2.Token, bool, error) {
	if err := usable("linking: token", link); err != nil {
		return nil, false, err
	}
	tok, err := l.tokenOf(link)
	if seal.Temporary(err) {
		return nil, false, &provider.Error{Kind: provider.ErrTemporary, Op: "linking: token", Reason: ReasonSealer, Err: err}
	}
	if err != nil {
		// The key ring is the operator's, and the mailbox is not at fault.
		l.log.Error("linking: a stored token does not open", "link", link.ID, "error", err)
		return nil, false, &provider.Error{Kind: provider.ErrApp, Op: "linking: token", Reason: reasonNotOpen, Err: err}
	}
	early := l.cfg.Now().Add(l.cfg.RefreshEarly)
	fresh := tok.AccessToken != "" && tok.AccessToken != refused && (tok.Expiry.IsZero() || tok.Expiry.After(early))
	return tok, fresh, nil
}

// refresh gets a new token, alone in all processes: the right to do so is a
// mark in the link's record, set by compare-and-swap. The new token is stored
// before anybody sees it.
func (l *Linker) refresh(ctx context.Context, id, refused string) (*oauth2.Token, error) {
	for range maxTurns {
		link, err := l.get(ctx, id)
		if err != nil {
			return nil, err
		}
		tok, fresh, err := l.live(link, refused)
		if err != nil || fresh {
			return tok, err
		}
		if link.Mark != nil && link.Mark.Left > 0 {
			// Somebody else refreshes. They are done soon, or their mark lapses.
			if err := l.cfg.Wait(ctx, min(link.Mark.Left, pollEvery)); err != nil {
				return nil, err
			}
			continue
		}
		tookOver := link.Mark != nil
		by, err := l.secret()
		if err != nil {
			return nil, err
		}
		link.Mark = &store.RefreshMark{By: by, Left: l.cfg.RefreshTTL}
		marked, err := l.cfg.Links.CompareAndSwap(ctx, link)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("linking: token: mark link %s: %w", id, err)
		}
		return l.holdAndRefresh(ctx, marked, tok, tookOver)
	}
	return nil, &provider.Error{Kind: provider.ErrTemporary, Op: "linking: token", Reason: "refresh_contended"}
}

const (
	maxTurns  = 1000
	pollEvery = 250 * time.Millisecond
	maxPoll   = 4 * time.Second
)

// holdAndRefresh refreshes under a mark that this call has set. After taking
// over a dead holder's mark, a refused refresh token may be one that the
// holder rotated and never stored: nobody's fault, and nothing revoked.
func (l *Linker) holdAndRefresh(ctx context.Context, link store.Link, tok *oauth2.Token, tookOver bool) (*oauth2.Token, error) {
	prov, ok := l.providers[link.Provider]
	if !ok {
		l.unmark(ctx, link, fault{})
		l.alarm(ctx, link.Provider, fault{Kind: provider.ErrApp, Reason: reasonNotConfigured, Token: true})
		return nil, &provider.Error{Kind: provider.ErrApp, Op: "linking: token", Reason: reasonNotConfigured}
	}
	started := l.cfg.Now()
	// Past the mark's time another may refresh, so there is nothing to wait for.
	limited, cancel := context.WithTimeout(ctx, l.cfg.RefreshTTL)
	defer cancel()
	grant, err := prov.Refresh(limited, provider.Grant{
		Token: tok, Access: provider.Access(link.Access), Scopes: link.Scopes,
		Identity: provider.Identity{Subject: link.Subject, Address: link.Address, Tenant: link.Tenant},
	})
	if err == nil {
		return l.saveToken(ctx, link, grant)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		// The mark lapses by itself. The answer may still have rotated the token.
		return nil, &provider.Error{Kind: provider.ErrTemporary, Op: "linking: token", Reason: "refresh_took_too_long", Err: err}
	}
	var pe *provider.Error
	f := faultOf(err, true)
	if !errors.As(err, &pe) || pe.Kind != provider.ErrRelink && pe.Kind != provider.ErrAccess {
		atFault := l.atFault(link.Provider, f)
		if f.Kind != provider.ErrMailboxUnusable && (f.Kind != provider.ErrApp || atFault) {
			f = fault{} // it passes, and says nothing of this mailbox
		}
		l.unmark(ctx, link, f)
		if atFault {
			l.appTrouble(ctx, link.Provider, err)
		}
		return nil, fmt.Errorf("linking: token: link %s: %w", link.ID, err)
	}
	if l.cfg.Now().Sub(started) >= l.cfg.RefreshTTL {
		// The mark lapsed while we waited: another may have rotated the token
		// we presented. Their word counts.
		return nil, &provider.Error{Kind: provider.ErrTemporary, Op: "linking: token", Reason: "refresh_took_too_long", Err: err}
	}
	if f.Reason = cmp.Or(f.Reason, "invalid_grant"); tookOver && pe.Kind == provider.ErrRelink {
		f.Reason = string(provider.ReasonTokenLost)
	}
	if f.Reason != string(provider.ReasonTokenLost) {
		f.Cause = l.cause(link, prov, pe)
	}
	by, moved := link.Mark.By, false
	stored, err := l.updateFrom(ctx, link, func(link *store.Link, rec *record) error {
		if moved = link.Mark != nil && link.Mark.By == by; !moved {
			return errUnchanged
		}
		link.Mark = nil
		return l.move(link, rec, store.LinkNeedsRelink, f)
	})
	if err == nil && !moved {
		// The record moved on, so what we saw is old news.
		return nil, &provider.Error{Kind: provider.ErrTemporary, Op: "linking: token", Reason: "link_changed_meanwhile"}
	}
	if err != nil {
		return nil, fmt.Errorf("linking: token: %w", err)
	}
	l.tell(ctx, stored)
	kind, reason := provider.ErrRelink, stored.Reason
	if stored.Status == store.LinkUnusable {
		kind, reason = provider.ErrMailboxUnusable, string(provider.ReasonKeepsBroken)
	}
	return nil, &provider.Error{Kind: kind, Op: "linking: token", Reason: reason, Err: pe}
}

// saveToken stores a refreshed token. It is handed out only once it is
// stored: a rotated token that only this process knew would die with it.
func (l *Linker) saveToken(ctx context.Context, link store.Link, grant provider.Grant) (*oauth2.Token, error) {
	mark, presented := link.Mark.By, link.Token
	var last error
	for try := range maxConflicts {
		next := link
		next.Mark, next.Changed = nil, l.cfg.Now()
		next.Access, next.Scopes = string(grant.Access.AtMost(provider.Access(link.Access))), grant.Scopes
		if err := l.refreshed(&next, provider.Access(link.Access), grant); err != nil {
			// A record that can't be read must not cost the token.
			l.log.ErrorContext(ctx, "linking: the status of a link could not be changed", "link", link.ID, "error", err)
		}
		if err := l.sealToken(&next, grant.Token); err != nil {
			last = err
			if !seal.Temporary(err) || l.cfg.Wait(ctx, pollEvery) != nil {
				break
			}
			continue // the old token may be dead, and this one is known here alone
		}
		stored, err := l.cfg.Links.CompareAndSwap(ctx, next)
		if err == nil {
			l.heal(ctx, link.Provider, true)
			l.tell(ctx, stored)
			return grant.Token, nil
		}
		last = err
		if !errors.Is(err, store.ErrConflict) && l.cfg.Wait(ctx, min(pollEvery<<min(try, 10), maxPoll)) != nil {
			break
		}
		current, getErr := l.cfg.Links.Get(ctx, link.ID)
		if getErr != nil {
			last = getErr
			continue
		}
		switch {
		case current.Mark != nil && current.Mark.By == mark:
		case overtaken(current, presented):
			// We stood still for longer than our mark holds, and were taken for
			// dead. The token that they miss is the one in our hand.
		default:
			// Stored after all (the answer was lost), relinked, or taken over:
			// the record knows better than we do.
			tok, fresh, err := l.live(current, "")
			if err != nil {
				return nil, err
			}
			if fresh {
				return tok, nil
			}
			return nil, &provider.Error{Kind: provider.ErrTemporary, Op: "linking: token", Reason: "link_changed_meanwhile"}
		}
		link = current
	}
	l.log.ErrorContext(ctx, "linking: a refreshed token could not be stored", "link", link.ID, "error", last)
	return nil, fmt.Errorf("linking: token: link %s: store the refreshed token: %w", link.ID, last)
}

// overtaken reports whether a link still has the token that a refresher
// presented, though its mark is gone: others wait for the new one, or have
// found that the old one is dead.
func overtaken(current store.Link, presented []byte) bool {
	return bytes.Equal(current.Token, presented) && (works(current.Status) && current.Mark != nil ||
		current.Status == store.LinkNeedsRelink && current.Reason == string(provider.ReasonTokenLost))
}

// refreshed brings a link's status in line with a grant that works: a token
// that was taken for lost has turned up, a mailbox was held because getting a
// token failed, or the grant has less than it had.
func (l *Linker) refreshed(link *store.Link, had provider.Access, grant provider.Grant) error {
	rec, err := recordOf(*link)
	if err != nil {
		return err
	}
	if rec.Asked == "" { // made before there were records
		rec.Asked = had
	}
	rec.Health.Token = l.cfg.Now()
	if !grant.Ends.IsZero() {
		rec.Health.Ends = grant.Ends
	}
	access, f := provider.Access(link.Access), fault{}
	if access != had {
		f = ours(provider.ErrAccess, provider.ReasonScopesLost)
	}
	switch {
	case link.Status == store.LinkHeld && !rec.Fault.Token: // the mailbox has to show that it is over
	case access == had && works(link.Status) && rec.lastAccess() == "":
	default:
		if err := l.move(link, &rec, working(access, rec.Asked), f); err != nil {
			return err
		}
	}
	return keepRecord(link, rec)
}

// cause is what the age of a grant tells of its end, if that is more than the
// service says.
func (l *Linker) cause(link store.Link, prov provider.Provider, pe *provider.Error) provider.Reason {
	rec, err := recordOf(link)
	if err != nil {
		return ""
	}
	s := provider.Situation{Now: l.cfg.Now(), Consented: rec.Health.Linked, Used: later(rec.Health.Linked, rec.Health.Token), Ends: rec.Health.Ends}
	if told := prov.Diagnose(s.In(pe)).Reason; told != prov.Diagnose(pe).Reason {
		return told
	}
	return ""
}

// unmark gives back the right to refresh, and holds the link where there is a
// reason to. If that fails the mark lapses.
func (l *Linker) unmark(ctx context.Context, link store.Link, f fault) {
	by := link.Mark.By
	stored, err := l.updateFrom(ctx, link, func(link *store.Link, rec *record) error {
		if link.Mark == nil || link.Mark.By != by {
			return errUnchanged
		}
		link.Mark = nil
		if f == (fault{}) {
			return nil
		}
		return l.follow(link, rec, f)
	})
	if err != nil {
		l.log.WarnContext(ctx, "linking: a refresh mark is left to lapse", "link", link.ID, "error", err)
		return
	}
	l.tell(ctx, stored)
}
