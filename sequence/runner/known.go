package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
	"github.com/outreachkit/outreach/store"
)

// maxKnown bounds how many further addresses are taken for one recipient's.
const maxKnown = 3

// maxAddress is the longest address that mail can be sent to, in bytes (RFC
// 5321 section 4.5.3.1.3, less its brackets).
const maxAddress = 254

// addresses are the recipient's, as far as they are known: the one that was
// written to first.
func (l *loaded) addresses() []string {
	return append([]string{l.row.Recipient}, l.rec.Known...)
}

// shared reports whether a message is tied to conversations with several
// people by nothing but their thread, and its author is none of them. Services
// merge threads of equal subject, so nobody can tell whose answer it is.
func shared(hits []provider.Hit, ls map[string]*loaded) bool {
	people := make(map[string]bool)
	for _, h := range hits {
		if h.Evidence != provider.EvidenceThread || h.Copied || h.Recipient {
			return false
		}
		if l := ls[h.Key]; l != nil {
			people[l.row.Recipient] = true
		}
	}
	return len(people) > 1
}

// newAddress is the address that the message shows to be the recipient's too:
// a person answers from it and cites mail of one conversation alone. Lying in
// the thread is not enough, and neither is it if we wrote to that address in
// a conversation of its own.
func (p *pass) newAddress(ctx context.Context, j *judgement, hits []provider.Hit) (string, error) {
	if j.direction != provider.DirectionIn || j.verdict.Class != classify.Human || len(hits) != 1 || len(j.env.From) != 1 ||
		hits[0].Evidence != provider.EvidenceReference || hits[0].Copied || hits[0].Recipient || provider.IsSystemSender(j.env.From) {
		return "", nil
	}
	addr := provider.Normalize(j.env.From[0].Addr)
	// One that nobody can be enrolled under can't be searched for either, and
	// would spoil the search for all others.
	as := provider.Address{Addr: addr}
	if addr == "" || addr != plain(addr) || len(addr) > maxAddress || recipientOK("", "", &as) != nil {
		return "", nil
	}
	rows, err := p.r.cfg.Store.Match(ctx, "", []store.IndexKey{indexKey(store.IndexAddress, addr)})
	if err != nil {
		return "", fmt.Errorf("runner: match: %w", err)
	}
	if len(rows) > 0 { // somebody's already
		return "", nil
	}
	if shown, err := p.shownTo(ctx, j.env, hits[0].Key, addr); err != nil || shown {
		return "", err
	}
	return addr, nil
}

// opened reports whether a mail that a recipient wrote elsewhere began its
// thread. One that answers somebody else's mail, or that the service put beside
// older mail of the same subject, lies in a thread of others: of that nothing
// is ours but what the recipient writes.
func (p *pass) opened(ctx context.Context, j *judgement, hits []provider.Hit) (bool, error) {
	env := j.env
	if j.direction != provider.DirectionIn || len(hits) == 0 || hits[0].Evidence != provider.EvidenceAddress || env.Thread == "" ||
		len(env.InReplyTo)+len(env.References) > 0 || env.Partial {
		return false, nil
	}
	q := provider.Query{Threads: []string{env.Thread}, Since: env.Received.Add(-p.r.opts.PriorSpan), To: p.r.cfg.Now().Add(time.Minute)}
	items, err := p.searchAll(ctx, q, ReasonThread)
	return err == nil && len(items) > 0 && items[len(items)-1].Ref == env.Ref, err // the newest come first
}

// shownTo reports whether the owner wrote to the address by hand in the
// conversation: who answers a mail that was passed on to them is not its
// recipient. What the owner wrote may not have been read yet.
func (p *pass) shownTo(ctx context.Context, env *provider.Envelope, id, addr string) (bool, error) {
	l, err := p.again(ctx, id)
	if err != nil || l == nil || slices.Contains(l.rec.Shown, addr) {
		return true, err
	}
	first, _ := l.known()
	if env.Thread == "" || first.First.IsZero() || p.within {
		return false, nil
	}
	items, err := p.searchAll(ctx, provider.Query{Threads: []string{env.Thread}, Since: first.First.Add(-provider.ClockSlack), To: p.r.cfg.Now().Add(ahead)}, ReasonThread)
	if err != nil {
		return false, err
	}
	items = slices.DeleteFunc(items, func(it provider.Item) bool { return it.Ref == env.Ref || !it.Own && it.Place != provider.PlaceUnknown })
	retrying := p.retrying // these are none that are tried again
	p.within, p.retrying = true, nil
	err = p.items(ctx, items, ReasonThread)
	p.within, p.retrying = false, retrying
	if err != nil {
		return false, err
	}
	l, err = p.again(ctx, id)
	return err == nil && (l == nil || slices.Contains(l.rec.Shown, addr)), err
}

// wroteByHand remembers when and to whom the owner wrote in the conversation.
func (l *loaded) wroteByHand(env *provider.Envelope, account provider.Account) {
	if env.Received.After(l.rec.Answered) {
		l.rec.Answered = env.Received
	}
	for _, a := range slices.Concat(env.To, env.Cc) {
		addr := provider.Normalize(a.Addr)
		if addr == "" || addr != plain(addr) || account.Owns(addr) || len(l.rec.Shown) >= maxShown || slices.Contains(l.rec.Shown, addr) || slices.Contains(l.addresses(), addr) {
			continue
		}
		l.rec.Shown = append(l.rec.Shown, addr)
	}
}

// maxShown bounds what is kept of whom the owner wrote to.
const maxShown = 50

// meet has mail from a new address of the recipient's counted, and searched
// for, as that from the one we wrote to.
func (r *Runner) meet(l *loaded, b *store.Batch, addr string, now time.Time) {
	if addr == "" || len(l.rec.Known) >= maxKnown || slices.Contains(l.addresses(), addr) {
		return
	}
	l.rec.Known = append(l.rec.Known, addr)
	for _, kind := range []store.IndexKind{store.IndexAddress, store.IndexSender} {
		b.Index = append(b.Index, store.IndexRow{
			Kind: kind, Value: addr, Mailbox: l.row.Mailbox, Enrollment: l.id(), Until: now.Add(r.opts.TrackFor),
		})
	}
}
