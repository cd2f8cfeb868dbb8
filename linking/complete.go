package linking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// CompleteParams is a callback. All fields are required.
type CompleteParams struct {
	Query   url.Values // the callback's query
	Owner   string     // the user of the session that the callback came in
	Session string     // as in BeginParams
}

// Completed is a linked mailbox. Provider, ReturnTo and Asked are set beside an
// error too, once the flow is known to be this user's.
type Completed struct {
	Link     Link
	Provider string // BeginParams.Provider
	ReturnTo string // BeginParams.ReturnTo
	Relinked bool   // the link was there before
	Asked    provider.Access
}

// Limited reports whether less was granted than asked: the user left a box
// unticked, or agreed to less for now.
func (c Completed) Limited() bool { return !c.Link.Access.Includes(c.Asked) }

// Complete finishes a flow. The state is taken first and is used up whatever
// follows. A mailbox belongs to one owner: of two who finish at once one gets
// it and the other ErrOwned, with nothing of theirs stored. Their grant is
// not revoked, because at Google that would end the other's too.
//
// A link that works and is to do more is probed with the new grant before that
// is stored; if the probe fails the link keeps what it has, and the error is a
// *StepUpError.
//
// Errors: ErrState, ErrDenied, ErrRefused, ErrOwned, ErrWrongMailbox,
// ErrUnusable, ErrUnlinking, and what Provider.Exchange returns.
func (l *Linker) Complete(ctx context.Context, p CompleteParams) (Completed, error) {
	flow, err := l.take(ctx, p)
	if err != nil {
		return Completed{}, err
	}
	out := Completed{Provider: flow.Provider, ReturnTo: flow.ReturnTo, Asked: flow.Asked}
	if flow.Admin {
		return out, &StateError{Reason: StateUnknown} // an administrator's answer, which links nothing
	}
	prov, ok := l.providers[flow.Provider]
	if !ok {
		return out, notConfigured("linking: complete")
	}
	if p.Query.Get("error") != "" {
		// Whoever has the browser can write anything here, so it changes
		// nothing, and raises no alarm.
		return out, flowError(prov, p.Query)
	}
	if p.Query.Get("code") == "" {
		return out, &FlowError{Code: "no_code"}
	}
	grant, err := prov.Exchange(ctx, provider.Callback{
		Code: p.Query.Get("code"), Verifier: flow.Verifier, Nonce: flow.Nonce, RedirectURL: flow.Redirect,
		Tenant: flow.Tenant, Access: flow.Access, Issuer: p.Query.Get("iss"),
	})
	if err != nil {
		l.appTrouble(ctx, flow.Provider, err)
		l.noteClaims(ctx, flow, err)
		if stepUp := l.stepUpRefused(ctx, flow, err); stepUp != nil {
			return out, stepUp
		}
		return out, fmt.Errorf("linking: complete: %w", err)
	}
	l.heal(ctx, flow.Provider, true)
	// A service may add what was granted to the same app earlier. A link does
	// not read because its user once allowed another one to.
	grant.Access = grant.Access.AtMost(flow.Access)
	link, relinked, err := l.keep(ctx, prov, flow, grant)
	if err != nil {
		l.noteClaims(ctx, flow, err)
		return out, err
	}
	out.Link, out.Relinked = view(link), relinked
	return out, nil
}

// take takes the flow that the callback's state names, and checks that this
// user, in this browser, began it (RFC 9700 section 4.7).
func (l *Linker) take(ctx context.Context, p CompleteParams) (pending, error) {
	switch {
	case p.Owner == "":
		return pending{}, bad("complete", "Owner", "is empty")
	case p.Session == "":
		return pending{}, bad("complete", "Session", "is empty; give the browser session's id, the same as to Begin")
	}
	state := p.Query.Get("state")
	if state == "" {
		return pending{}, &StateError{Reason: StateMissing}
	}
	key := flowKey(state)
	stored, err := l.cfg.Flows.Take(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return pending{}, &StateError{Reason: StateUnknown}
	}
	if err != nil {
		return pending{}, fmt.Errorf("linking: complete: take the flow: %w", err)
	}
	data, err := l.open(stored.Data, "flow "+key)
	if seal.Temporary(err) {
		// The flow is used up all the same: the user has to begin again.
		return pending{}, &provider.Error{Kind: provider.ErrTemporary, Op: "linking: complete", Reason: ReasonSealer, Err: err}
	}
	var flow pending
	if err != nil || json.Unmarshal(data, &flow) != nil {
		return pending{}, &StateError{Reason: StateUnknown}
	}
	switch {
	case !sameSession(flow.Session, p.Session):
		return pending{}, &StateError{Reason: StateSession}
	case flow.Owner != p.Owner:
		return pending{}, &StateError{Reason: StateOwner}
	case !l.cfg.Now().Before(flow.Expires):
		return pending{}, &StateError{Reason: StateExpired}
	}
	return flow, nil
}

var codeForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// errorCode repeats only what looks like a code: the parameter comes from
// whoever made the URL.
func errorCode(s string) string {
	if codeForm.MatchString(s) {
		return s
	}
	return ""
}

// keep stores a grant: in the link to be mended, in the owner's link of this
// mailbox, or in a new one.
func (l *Linker) keep(ctx context.Context, prov provider.Provider, flow pending, grant provider.Grant) (store.Link, bool, error) {
	for range maxConflicts {
		was, err := l.target(ctx, prov, flow, grant)
		if err != nil {
			return store.Link{}, false, err
		}
		if err := l.probeStepUp(ctx, prov, was, grant); err != nil {
			return store.Link{}, false, err
		}
		link := was
		if was.ID == "" {
			id, err := l.secret()
			if err != nil {
				return store.Link{}, false, err
			}
			link = store.Link{
				ID: "lnk_" + id[:22], Owner: flow.Owner, Provider: prov.Name(), Kind: string(prov.Kind()),
				Subject: grant.Identity.Subject, Created: l.cfg.Now(),
			}
		}
		if err := l.fill(&link, prov, flow, grant); err != nil {
			return store.Link{}, false, err
		}
		if was.ID == "" {
			link, err = l.cfg.Links.Create(ctx, link)
			if errors.Is(err, store.ErrOwned) {
				continue // somebody was faster: look who
			}
		} else {
			link, err = l.cfg.Links.CompareAndSwap(ctx, link)
			if errors.Is(err, store.ErrConflict) {
				continue
			}
		}
		if err != nil {
			return store.Link{}, false, fmt.Errorf("linking: complete: store the link: %w", err)
		}
		l.tell(ctx, link)
		return link, was.ID != "", nil
	}
	return store.Link{}, false, fmt.Errorf("linking: complete: %w", store.ErrConflict)
}

const maxConflicts = 16

// target finds the link that a grant belongs to; the zero Link is none.
func (l *Linker) target(ctx context.Context, prov provider.Provider, flow pending, grant provider.Grant) (store.Link, error) {
	if flow.Relink != "" {
		link, err := l.owned(ctx, flow.Owner, flow.Relink)
		if err != nil {
			return store.Link{}, err
		}
		if link.Subject != grant.Identity.Subject || link.Kind != string(prov.Kind()) {
			want, got := maskBoth(link.Address, grant.Identity.Address)
			return store.Link{}, &MailboxError{Want: want, Got: got}
		}
		if link.Status == store.LinkUnlinked || link.Status == store.LinkUnlinking {
			return store.Link{}, fmt.Errorf("linking: complete: link %s was unlinked meanwhile: %w", link.ID, ErrNotFound)
		}
		return link, unusable(link)
	}
	link, err := l.cfg.Links.Find(ctx, string(prov.Kind()), grant.Identity.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return store.Link{}, nil
	}
	if err != nil {
		return store.Link{}, fmt.Errorf("linking: complete: %w", err)
	}
	switch {
	case link.Owner != flow.Owner:
		return store.Link{}, &OwnedError{Address: mask(grant.Identity.Address)}
	case link.Status == store.LinkUnlinking:
		return store.Link{}, fmt.Errorf("linking: complete: %w: call Unlink for link %s again, and then begin anew", ErrUnlinking, link.ID)
	}
	return link, unusable(link)
}

// unusable refuses to mend a link that broke too often.
func unusable(link store.Link) error {
	if link.Status == store.LinkUnusable {
		return fmt.Errorf("%w (%s): choose another account", ErrUnusable, mask(link.Address))
	}
	return nil
}

// fill writes a grant into a link.
func (l *Linker) fill(link *store.Link, prov provider.Provider, flow pending, grant provider.Grant) error {
	rec, err := recordOf(*link)
	if err != nil {
		return err
	}
	link.Provider = prov.Name()
	link.Access, link.Tenant, link.Scopes = string(grant.Access), grant.Identity.Tenant, slices.Clone(grant.Scopes)
	if grant.Identity.Address != "" {
		link.Address = grant.Identity.Address
	}
	link.Addresses = slices.Clone(link.Addresses)
	for _, a := range append([]string{link.Address}, grant.Identity.Aliases...) {
		if a != "" && !slices.Contains(link.Addresses, a) {
			link.Addresses = append(link.Addresses, a)
		}
	}
	link.Mark, link.Changed = nil, l.cfg.Now()
	rec.Asked, rec.Requested, rec.Tenant = flow.Asked, flow.Access, flow.Tenant
	rec.Health.Checked, rec.Health.Silent = link.Changed, time.Time{}
	rec.Health.Linked, rec.Health.Token, rec.Health.Ends = link.Changed, link.Changed, grant.Ends
	if err := l.move(link, &rec, working(grant.Access, flow.Asked), fault{}); err != nil {
		return err
	}
	if err := keepRecord(link, rec); err != nil {
		return err
	}
	return l.sealToken(link, grant.Token)
}

// owned loads a link of this owner. Another's is as good as none.
func (l *Linker) owned(ctx context.Context, owner, id string) (store.Link, error) {
	link, err := l.cfg.Links.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && (link.Owner != owner || link.Kind == store.KindApp) {
		return store.Link{}, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	if err != nil {
		return store.Link{}, fmt.Errorf("linking: link %s: %w", id, err)
	}
	return link, nil
}

func (l *Linker) sealToken(link *store.Link, tok *oauth2.Token) error {
	data, err := json.Marshal(storedToken{Access: tok.AccessToken, Refresh: tok.RefreshToken, Type: tok.TokenType, Expiry: tok.Expiry})
	if err != nil {
		return fmt.Errorf("linking: link %s: %w", link.ID, err)
	}
	link.Token, err = l.seal(data, linkRecord(link.ID))
	return err
}

// String hides the callback.
func (p CompleteParams) String() string { return "linking.CompleteParams(the callback hidden)" }

// GoString hides the callback.
func (p CompleteParams) GoString() string { return p.String() }

// LogValue hides the callback.
func (p CompleteParams) LogValue() slog.Value { return slog.StringValue(p.String()) }
