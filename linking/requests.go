package linking

import (
	"context"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// The reasons of a Request.
const (
	RequestCheck  = "check"   // how the link does: Check and CheckAll
	RequestStepUp = "step_up" // whether a new grant reads, before it takes the place of one that works
)

// Request is one call to a mailbox that a Linker made, for metrics and audit.
// It holds no address and no token. Requests for consent and tokens go to no
// mailbox and are not told, and neither is the question for the account's own
// addresses that Provider.Exchange may ask.
type Request struct {
	At     time.Time // when it began, in UTC
	Link   string
	Op     string // profile, search
	Reason string
	Took   time.Duration
	Count  int   // profiles or items returned
	Err    error // matches the kinds of package provider
}

// profile and search make a call to a mailbox and tell of it. Nothing else in
// this package makes one.
func (l *Linker) profile(ctx context.Context, link, reason string, mb provider.Mailbox) (provider.Profile, error) {
	start := l.cfg.Now()
	prof, err := mb.Profile(ctx)
	l.asked(Request{At: start, Link: link, Op: "profile", Reason: reason, Count: 1, Err: err})
	return prof, err
}

func (l *Linker) search(ctx context.Context, link, reason string, mb provider.Mailbox, q provider.Query) ([]provider.Item, error) {
	start := l.cfg.Now()
	items, err := mb.Search(ctx, q)
	l.asked(Request{At: start, Link: link, Op: "search", Reason: reason, Count: len(items), Err: err})
	return items, err
}

func (l *Linker) asked(r Request) {
	if l.cfg.OnRequest == nil {
		return
	}
	r.Took = l.cfg.Now().Sub(r.At)
	if r.Err != nil {
		r.Count = 0
	}
	err := attempt(func() error {
		l.cfg.OnRequest(r)
		return nil
	})
	if err != nil {
		l.log.Error("linking: OnRequest failed", "error", err)
	}
}
