package postoffice

import (
	"context"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// memWatchLife is how long a watch of a MemProvider lives.
const memWatchLife = 72 * time.Hour

// memWatch is a watch on one mailbox.
type memWatch struct {
	subject string
	secret  string
	ends    time.Time
}

// watchedMailbox is a mailbox of a MemProvider that pushes.
type watchedMailbox struct{ *memMailbox }

var _ provider.Watcher = watchedMailbox{}

const memTarget = "ProviderConfig.Push"

func (p *MemProvider) route(id string) string { return string(p.cfg.Kind) + "/" + id }

// Watch implements provider.Watcher. A mailbox may have several watches.
func (b watchedMailbox) Watch(ctx context.Context, params provider.WatchParams) (provider.Watch, error) {
	m, rule, err := b.begin(ctx, OpWatch, provider.AccessEnvelopes, RequestOther)
	if err != nil {
		return provider.Watch{}, err
	}
	if len(params.Secret) < 16 || len(params.Secret) > provider.MaxWatchSecret {
		return provider.Watch{}, fail(OpWatch, provider.ErrRejected, "secret")
	}
	p := b.provider
	p.mu.Lock()
	p.issued++
	id := fmt.Sprintf("watch-%06d", p.issued)
	w := &memWatch{subject: m.Subject(), secret: params.Secret, ends: p.office.clock.Now().Add(memWatchLife)}
	p.watches[id] = w
	hook := !p.hooked[w.subject]
	p.hooked[w.subject] = true
	p.mu.Unlock()
	if hook {
		m.OnChange(func(ch Change) {
			if ch.Kind == Added {
				p.office.clock.At(p.office.clock.Now(), func() { p.tell(m.Subject()) })
			}
		})
	}
	return b.told(ctx, id, w, rule)
}

func (b watchedMailbox) told(ctx context.Context, id string, w *memWatch, rule Rule) (provider.Watch, error) {
	if err := finish(ctx, OpWatch, rule); err != nil {
		return provider.Watch{}, err
	}
	return provider.Watch{ID: id, Route: b.provider.route(id), Target: memTarget, Expires: w.ends}, nil
}

// tell pushes that a mailbox has a new message, once for each watch.
func (p *MemProvider) tell(subject string) {
	p.mu.Lock()
	var push provider.Push
	for id, w := range p.watches {
		if w.subject == subject && w.ends.After(p.office.clock.Now()) {
			push.Notices = append(push.Notices, provider.Notice{Kind: provider.NoticeChanged, Route: p.route(id), Secret: w.secret})
		}
	}
	p.mu.Unlock()
	if len(push.Notices) > 0 {
		p.cfg.Push(push)
	}
}

// Renew implements provider.Watcher.
func (b watchedMailbox) Renew(ctx context.Context, w provider.Watch) (provider.Watch, error) {
	_, rule, err := b.begin(ctx, OpWatch, provider.AccessEnvelopes, RequestOther)
	if err != nil {
		return provider.Watch{}, err
	}
	p := b.provider
	p.mu.Lock()
	live := p.watches[w.ID]
	now := p.office.clock.Now()
	if live == nil || live.subject != b.account.Subject || !live.ends.After(now) || w.Target != memTarget {
		p.mu.Unlock()
		return provider.Watch{}, fail(OpWatch, provider.ErrNotFound, "no_such_watch")
	}
	live.ends = now.Add(memWatchLife)
	p.mu.Unlock()
	return b.told(ctx, w.ID, live, rule)
}

// Unwatch implements provider.Watcher.
func (b watchedMailbox) Unwatch(ctx context.Context, w provider.Watch) error {
	_, rule, err := b.begin(ctx, OpWatch, provider.AccessEnvelopes, RequestOther)
	if err != nil {
		return err
	}
	p := b.provider
	p.mu.Lock()
	if live := p.watches[w.ID]; live != nil && live.subject == b.account.Subject {
		delete(p.watches, w.ID)
	}
	p.mu.Unlock()
	return finish(ctx, OpWatch, rule)
}

// EndWatches has the service forget the watches on the mailbox addr. It tells
// nobody.
func (p *MemProvider) EndWatches(addr string) {
	m := p.office.Mailbox(addr)
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, w := range p.watches {
		if m != nil && w.subject == m.Subject() {
			delete(p.watches, id)
		}
	}
}

// Watches returns how many watches on the mailbox addr are alive.
func (p *MemProvider) Watches(addr string) int {
	m := p.office.Mailbox(addr)
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, w := range p.watches {
		if m != nil && w.subject == m.Subject() && w.ends.After(p.office.clock.Now()) {
			n++
		}
	}
	return n
}
