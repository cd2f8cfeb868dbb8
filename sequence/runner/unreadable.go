package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// maxStuck is how many reads in a row may fail on one message before its
// conversations are held and it is passed over, and stuckFor for how long they
// must have: a mail service that is out of order for a while spoils nothing.
// Meanwhile nothing that needs a whole read leaves the mailbox.
const (
	maxStuck = 5
	stuckFor = time.Hour
)

// maxRetry is how rarely at the most a message is tried again.
const maxRetry = 6 * time.Hour

// maxPassed bounds how many messages are tried again.
const maxPassed = 100

// giveUpReading is for how long a message is tried again whose content can't be
// had, or whose headers the service refuses. Then it is logged without, or
// stays what a person has to look at.
const giveUpReading = 7 * 24 * time.Hour

// passedItem is a message that nobody could read, and that is tried again,
// more and more rarely.
type passedItem struct {
	Ref    string   `json:"ref"`
	Thread string   `json:"thread,omitempty"`
	Reason string   `json:"reason"`       // that it was found for
	Of     []string `json:"of,omitempty"` // the enrollments of the tracked senders that it may be of: no address, which Erase would not find here

	Since  time.Time `json:"since,omitzero"` // when its headers could be read and its content not
	Passed time.Time `json:"passed"`         // when it was passed over
	Next   time.Time `json:"next,omitzero"`  // it is not tried again before
}

// stuckOn counts a failure on a message and reports whether it has failed too
// often: one message must not keep all others waiting for ever.
func (p *pass) stuckOn(ref provider.Ref) bool {
	if p.failed {
		return false // one at a time
	}
	name, now := indexed(string(ref)), p.r.cfg.Now()
	if p.data.Stuck != name {
		p.data.Stuck, p.data.StuckTimes, p.data.StuckSince = name, 0, now
	}
	p.data.StuckTimes++
	return p.data.StuckTimes >= maxStuck && (now.Sub(p.data.StuckSince) >= stuckFor || p.retrying != nil)
}

// passedOver reports whether a message was passed over and is tried again.
func (p *pass) passedOver(ref provider.Ref) bool {
	return slices.ContainsFunc(p.data.Passed, func(it passedItem) bool { return it.Ref == string(ref) })
}

// passOver holds the conversations of a message that nobody could read for too
// long, and has it tried again at every pass. It reports false where it is not
// known whose answer it may be: then nothing may pass it.
func (p *pass) passOver(ctx context.Context, it provider.Item, reason string) (bool, error) {
	passed := passedItem{Ref: string(it.Ref), Thread: it.Thread, Reason: reason}
	if p.retrying != nil {
		passed = *p.retrying
	} else if !p.mayPass(it.Ref, it.Thread) {
		return false, nil
	}
	var err error
	if reason == ReasonSender && p.retrying == nil {
		if passed.Of, err = p.foundFor(ctx, it); err != nil {
			return false, err
		}
	}
	ids, err := p.concerned(ctx, passed)
	if err != nil || len(ids) == 0 && reason != ReasonSender {
		return false, err
	}
	if err := p.poisoned(ctx, it, ids, false); err != nil {
		return false, err
	}
	if p.retrying != nil {
		p.retrying = nil // again in vain
		return true, nil
	}
	return true, p.readLater(ctx, passed)
}

// mayPass reports whether one more message can be kept to be tried again.
func (p *pass) mayPass(ref provider.Ref, thread string) bool {
	name := string(ref) + thread
	return len(p.data.Passed) < maxPassed && plain(name) == name
}

// readLater has a message tried again.
func (p *pass) readLater(ctx context.Context, it passedItem) error {
	if p.retrying != nil { // of which more is known now
		p.retrying = nil
		p.data.Passed = slices.Clone(p.data.Passed)
		i := slices.IndexFunc(p.data.Passed, func(was passedItem) bool { return was.Ref == it.Ref })
		p.data.Passed[i].Since = it.Since
		return p.save(ctx)
	}
	it.Passed = p.r.cfg.Now()
	p.data.Passed = append(slices.Clone(p.data.Passed), it)
	return p.save(ctx)
}

// retryPassed tries what was passed over once more, if it may still be of
// somebody: who was erased meanwhile is nobody.
func (p *pass) retryPassed(ctx context.Context) error {
	defer func() { p.retrying = nil }()
	for _, it := range p.data.Passed {
		now := p.r.cfg.Now()
		if now.Before(it.Next) {
			continue
		}
		if err := p.hold(ctx); err != nil {
			return err
		}
		p.retrying = &it
		ours, err := p.stillOurs(ctx, it)
		if err != nil {
			return err
		}
		if ours {
			err = p.item(ctx, provider.Item{Ref: provider.Ref(it.Ref), Thread: it.Thread}, it.Reason)
		}
		if err != nil {
			return err
		}
		left := slices.Clone(p.data.Passed)
		i := slices.IndexFunc(left, func(was passedItem) bool { return was.Ref == it.Ref })
		if p.retrying != nil { // it could be read, or is gone
			left = slices.Delete(left, i, i+1)
		} else {
			left[i].Next = now.Add(min(now.Sub(it.Passed)/8, maxRetry))
		}
		p.data.Passed = left
	}
	return nil
}

// stillOurs reports whether an enrollment is left that a message may be an
// answer to. Of a delivery report none is known.
func (p *pass) stillOurs(ctx context.Context, it passedItem) (bool, error) {
	if it.Reason == ReasonSender && len(it.Of) == 0 {
		return true, nil
	}
	ids, err := p.concerned(ctx, it)
	if err != nil || len(ids) == 0 {
		return false, err
	}
	rows, err := p.r.cfg.Store.Load(ctx, ids)
	if err != nil {
		return false, fmt.Errorf("runner: load: %w", err)
	}
	return len(rows) > 0, nil
}

// refusedItem deals with a message whose headers the service refuses. A refusal
// may be the service's own fault and pass, unless it is for the message's size.
func (p *pass) refusedItem(ctx context.Context, it provider.Item, reason string, forGood bool) error {
	if p.retrying != nil && p.r.cfg.Now().Sub(p.retrying.Passed) < giveUpReading {
		p.retrying = nil // again in vain
		return nil
	}
	if p.retrying == nil && !forGood {
		if held, err := p.passOver(ctx, it, reason); err != nil || held {
			return err
		}
	}
	return p.unreadable(ctx, it, reason)
}

// unreadable deals with a message whose headers the service refuses for good.
func (p *pass) unreadable(ctx context.Context, it provider.Item, reason string) error {
	of := passedItem{Ref: string(it.Ref), Thread: it.Thread}
	var err error
	if reason == ReasonSender {
		if of.Of, err = p.foundFor(ctx, it); err != nil {
			return err
		}
	}
	ids, err := p.concerned(ctx, of)
	if err != nil {
		return err
	}
	if len(ids) == 0 { // a report, and no answer
		return p.forget(ctx, it.Ref)
	}
	return p.poisoned(ctx, it, ids, true)
}

// concerned lists the enrollments that a message may be an answer to.
func (p *pass) concerned(ctx context.Context, it passedItem) ([]string, error) {
	ids := slices.Clone(it.Of)
	if it.Thread == "" {
		return ids, nil
	}
	rows, err := p.r.cfg.Store.Match(ctx, p.box.ID, []store.IndexKey{indexKey(store.IndexThread, it.Thread)})
	if err != nil {
		return nil, fmt.Errorf("runner: match: %w", err)
	}
	for _, id := range enrollmentIDs(rows) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// foundFor lists the enrollments of those of the senders that were searched for
// whom a message was found for: each half of them is searched for by itself. A
// delivery report is found for none.
func (p *pass) foundFor(ctx context.Context, it provider.Item) ([]string, error) {
	if p.retrying != nil {
		return p.retrying.Of, nil
	}
	var found []store.IndexKey
	q := p.searched
	q.System = false
	var seek func(from []string) error
	seek = func(from []string) error {
		if len(from) == 0 {
			return nil
		}
		q.From = from
		items, err := p.searchAll(ctx, q, ReasonSearch)
		if err != nil || !slices.ContainsFunc(items, func(i provider.Item) bool { return i.Ref == it.Ref }) {
			return err
		}
		if len(from) == 1 {
			found = append(found, indexKey(store.IndexAddress, from[0]))
			return nil
		}
		if err := seek(from[:len(from)/2]); err != nil {
			return err
		}
		return seek(from[len(from)/2:])
	}
	if err := seek(q.From); err != nil || len(found) == 0 {
		return nil, err
	}
	rows, err := p.r.cfg.Store.Match(ctx, p.box.ID, found)
	if err != nil {
		return nil, fmt.Errorf("runner: match: %w", err)
	}
	return enrollmentIDs(rows), nil
}

// poisoned holds the conversations of a message whose headers can't be read:
// it may be the answer. For good says that they will never be readable.
func (p *pass) poisoned(ctx context.Context, it provider.Item, ids []string, forGood bool) error {
	_, err := p.r.change(ctx, ids, func(ls []*loaded, b *store.Batch) error {
		b.Fence = &p.claim.Fence
		for _, l := range ls {
			if forGood {
				b.Index = append(b.Index, p.refRow(l, it.Ref))
			}
			if l.st.Holds&sequence.HoldReview != 0 || l.st.Terminal() && l.row.Flagged {
				continue // it was told
			}
			if err := p.r.happen(l, b, sequence.Event{Kind: sequence.EventUnsure, At: sequence.InstantOf(p.r.cfg.Now())}, "a message that may be the answer can't be read"); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}
