package linking

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// Config is what a Linker needs of its host. Providers, Links, Flows and
// Sealer are required.
type Config struct {
	Providers []provider.Provider
	Links     store.TokenStore
	Flows     store.FlowStore

	// Sealer encrypts tokens and pending flows, with the id of the link or
	// the flow as associated data, so that a record moved to another place
	// does not open. seal.KeyRing is one, and Google Tink's AEAD. After its key
	// was changed, call Reseal. Nil is refused unless InsecurePlainTokens is
	// set.
	Sealer              Sealer
	InsecurePlainTokens bool

	// FlowTTL is how long a user may take on the consent page. Default 10 min.
	FlowTTL time.Duration

	// RefreshTTL is how long a claim on refreshing a token holds: longer than
	// a refresh takes. Default 30 s.
	RefreshTTL time.Duration

	// RefreshEarly is how long before its end a token is refreshed. Default
	// 2 min.
	RefreshEarly time.Duration

	// OnChange is told of every change of a link's status, after it is
	// stored. Nil tells nobody.
	OnChange func(ctx context.Context, c Change)

	Now    func() time.Time                                 // nil is time.Now
	Wait   func(ctx context.Context, d time.Duration) error // waits for another's refresh; nil waits on the wall clock
	Rand   io.Reader                                        // nil is crypto/rand
	Logger *slog.Logger                                     // nil is silent
}

// Change is a link's new status.
type Change struct {
	Link   Link
	Was    store.LinkStatus // empty for a new link
	Reason string
}

// Linker links mailboxes and opens them. It is safe for concurrent use; many
// Linkers, in many processes, may share a store.
type Linker struct {
	cfg       Config
	providers map[string]provider.Provider
	log       *slog.Logger

	mu      sync.Mutex
	flights map[string]*flight // refreshes under way in this process, by link
}

// New returns a Linker. It makes no request.
func New(cfg Config) (*Linker, error) {
	l := &Linker{cfg: cfg, providers: make(map[string]provider.Provider), flights: make(map[string]*flight)}
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
		l.providers[p.Name()] = p
	}
	setDefault(&l.cfg.FlowTTL, 10*time.Minute)
	setDefault(&l.cfg.RefreshTTL, 30*time.Second)
	setDefault(&l.cfg.RefreshEarly, 2*time.Minute)
	if l.cfg.Now == nil {
		l.cfg.Now = time.Now
	}
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

func (l *Linker) changed(ctx context.Context, link store.Link, was store.LinkStatus) {
	if l.cfg.OnChange != nil && link.Status != was {
		l.cfg.OnChange(ctx, Change{Link: view(link), Was: was, Reason: link.Reason})
	}
}
