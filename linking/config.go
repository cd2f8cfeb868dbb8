package linking

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// Config is what a Linker needs of its host. Providers, Links, Flows and
// Sealer are required. What is given is used by several goroutines at once.
type Config struct {
	Providers []provider.Provider
	Links     store.TokenStore
	Flows     store.FlowStore

	// Sealer encrypts tokens and pending flows, with the id of the link or
	// the flow as associated data, so that a record moved to another place
	// does not open. seal.KeyRing is one, and Google Tink's AEAD. After its key
	// was changed, call Reseal. Nil is refused unless InsecurePlainTokens is
	// set.
	Sealer              seal.Sealer
	InsecurePlainTokens bool

	// FlowTTL is how long a user may take on the consent page. Default 10 min.
	FlowTTL time.Duration

	// RefreshTTL is how long a claim on refreshing a token holds: longer than
	// a refresh takes. Default 30 s.
	RefreshTTL time.Duration

	// RefreshEarly is how long before its end a token is refreshed. Default
	// 2 min.
	RefreshEarly time.Duration

	// OnChange is told of every change of a link and of an app registration,
	// after it is stored, one link's in order, at least once: Change.ID tells
	// repetitions apart. A crash between the telling and the writing down of
	// it tells again, and so does a call that takes longer than a minute. An
	// error leaves the change, and all later ones of that link, to be told
	// when somebody touches the link again, or calls Deliver or CheckAll. Nil
	// tells nobody, and what happens meanwhile is never told. Several
	// goroutines may call it at once, for different links. A panic is an error.
	OnChange func(ctx context.Context, c Change) error

	// UnusableAfter is how many times in UnusableWithin a grant may end without
	// an administrator or the operator being the cause, before the link is
	// unusable. Defaults 3 and 30 days; a negative UnusableAfter is never.
	UnusableAfter  int
	UnusableWithin time.Duration

	// SilentAfter is how long a mailbox that is to be read may go unread
	// before ChangeSilent. Default 24 h; from 2 h.
	SilentAfter time.Duration

	// KeepGrants are the registrations, by Provider.Name, whose grant Unlink
	// leaves as it is at the mail service, as UnlinkParams.KeepGrant does for
	// one link. Every other is revoked: nobody holds a token that still works.
	// Effect tells what that ends.
	//
	// At Google it ends everything that the user granted to the project, for
	// all of its OAuth clients (see gmail.Provider.Revoke): keep it where the
	// same users sign in or grant other things to the same project. Microsoft
	// has nothing to end one grant with.
	KeepGrants []string

	// StopPush is called by Unlink while the token still works, to end what
	// announces new mail to the host. An error leaves the link in
	// LinkUnlinking; call Unlink again. The access token is the stored one and
	// may have ended, which is no reason to fail: subscriptions end by
	// themselves within days. A panic is an error. Several goroutines may call
	// it at once. Nil is nothing to end.
	StopPush func(ctx context.Context, mailbox provider.Linked) error

	// OnRequest is told of every call to a mailbox that the Linker makes
	// itself, with its reason: the runner's Observer is told of all others. It
	// is called from several goroutines at once and must not block. Its panic
	// is logged. Nil tells nobody.
	OnRequest func(r Request)

	Now    func() time.Time                                 // in any zone: times are told and stored in UTC; nil is time.Now
	Wait   func(ctx context.Context, d time.Duration) error // waits for another's refresh; nil waits on the wall clock
	Rand   io.Reader                                        // nil is crypto/rand
	Logger *slog.Logger                                     // nil is silent
}

// Linker links mailboxes and opens them. It is safe for concurrent use; many
// Linkers, in many processes, may share a store.
type Linker struct {
	cfg       Config
	providers map[string]provider.Provider
	log       *slog.Logger

	mu      sync.Mutex
	flights map[string]*flight // refreshes under way in this process, by link
	noted   map[string]noted   // what Report last wrote down, by link
}

// New returns a Linker. It makes no request. A *provider.FieldError names what
// is wrong with the configuration.
func New(cfg Config) (*Linker, error) {
	cfg.KeepGrants = slices.Clone(cfg.KeepGrants)
	l := &Linker{cfg: cfg, providers: make(map[string]provider.Provider), flights: make(map[string]*flight), noted: make(map[string]noted)}
	bad := func(field, problem string) (*Linker, error) {
		return nil, &provider.FieldError{Op: "linking: new", Field: "Config." + field, Problem: problem}
	}
	switch {
	case len(cfg.Providers) == 0:
		return bad("Providers", "is empty; give at least one, such as gmail's")
	case cfg.Links == nil:
		return bad("Links", "is nil; give a TokenStore")
	case cfg.Flows == nil:
		return bad("Flows", "is nil; give a FlowStore")
	case cfg.Sealer == nil && !cfg.InsecurePlainTokens:
		return bad("Sealer", "is nil; give an AEAD, or set InsecurePlainTokens in a test")
	case cfg.UnusableWithin < 0:
		return bad("UnusableWithin", "is negative")
	case cfg.SilentAfter != 0 && cfg.SilentAfter < 2*time.Hour:
		return bad("SilentAfter", "is less than 2 h: what was read is written down once an hour")
	case cfg.FlowTTL < 0 || cfg.RefreshTTL < 0 || cfg.RefreshEarly < 0:
		return bad("FlowTTL", "or RefreshTTL or RefreshEarly is negative")
	}
	for i, p := range cfg.Providers {
		field := fmt.Sprintf("Providers[%d]", i)
		if p == nil {
			return bad(field, "is nil")
		}
		if _, ok := l.providers[p.Name()]; ok || p.Name() == "" {
			return bad(field, "has no name, or the name of another: links remember a provider by its name")
		}
		if strings.HasPrefix(p.Name(), actorPrefix) {
			return bad(field, "has a name that begins with "+actorPrefix+": records of delegations are kept under such names")
		}
		l.providers[p.Name()] = p
	}
	for i, name := range cfg.KeepGrants {
		if _, ok := l.providers[name]; !ok {
			return bad(fmt.Sprintf("KeepGrants[%d]", i), fmt.Sprintf("names %q, which is none of Providers", name))
		}
	}
	setDefault(&l.cfg.FlowTTL, 10*time.Minute)
	setDefault(&l.cfg.RefreshTTL, 30*time.Second)
	setDefault(&l.cfg.RefreshEarly, 2*time.Minute)
	setDefault(&l.cfg.UnusableWithin, 30*24*time.Hour)
	setDefault(&l.cfg.SilentAfter, 24*time.Hour)
	if l.cfg.UnusableAfter == 0 {
		l.cfg.UnusableAfter = 3
	}
	now := l.cfg.Now
	if now == nil {
		now = time.Now
	}
	l.cfg.Now = func() time.Time { return now().UTC() }
	if l.cfg.Wait == nil {
		l.cfg.Wait = wait
	}
	if l.cfg.Rand == nil {
		l.cfg.Rand = rand.Reader
	}
	if l.log = cfg.Logger; l.log == nil {
		l.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return l, nil
}

func setDefault(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
