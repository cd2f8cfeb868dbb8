package runner

import (
	"context"
	"fmt"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// maxStuck is how many reads may fail on one message before its conversations
// are held and it is passed over, if they have failed for Options.AlarmAfter:
// a mail service that is out of order for a while spoils nothing.
const maxStuck = 5

// stuckOn counts a failure on a message and reports whether it has failed too
// often: one message must not keep all others waiting for ever.
func (p *pass) stuckOn(ref provider.Ref) bool {
	name := indexed(string(ref))
	if p.data.Stuck != name {
		p.data.Stuck, p.data.StuckTimes = name, 0
	}
	p.data.StuckTimes++
	failing := p.data.FailingSince
	long := !failing.IsZero() && p.r.cfg.Now().Sub(failing) >= p.r.opts.AlarmAfter
	return p.data.StuckTimes >= maxStuck && (long || !p.retrying.IsZero())
}

// passOver holds the conversations of a message that nobody could read for too
// long, and has it tried again at every pass. It reports false where it is not
// known whose answer it may be: then nothing may pass it.
func (p *pass) passOver(ctx context.Context, it provider.Item) (bool, error) {
	held, err := p.poisoned(ctx, it, false)
	if err != nil || !held {
		return held, err
	}
	since := p.retrying // it came before the failures that it caused
	if since.IsZero() {
		since = p.data.FailingSince
	}
	in := p.data.PoisonedIn
	if in == "" && !p.data.Poisoned.IsZero() {
		in = anyThread
	}
	p.data.PoisonedIn, p.stillIn = withThread(in, plain(it.Thread)), withThread(p.stillIn, plain(it.Thread))
	if p.data.Poisoned.IsZero() || since.Before(p.data.Poisoned) {
		p.data.Poisoned = since
	}
	return true, p.save(ctx)
}

// poisoned holds the conversations in whose thread a message lies whose
// envelope can't be read: it may be the answer. It reports whether there are
// any. For good says that the message will never be readable.
func (p *pass) poisoned(ctx context.Context, it provider.Item, forGood bool) (bool, error) {
	if it.Thread == "" {
		return false, nil
	}
	rows, err := p.r.cfg.Store.Match(ctx, p.box.ID, []store.IndexKey{indexKey(store.IndexThread, it.Thread)})
	if err != nil {
		return false, fmt.Errorf("runner: match: %w", err)
	}
	ids := enrollmentIDs(rows)
	_, err = p.r.change(ctx, ids, func(ls []*loaded, b *store.Batch) error {
		b.Fence = &p.claim.Fence
		for _, l := range ls {
			if forGood {
				b.Index = append(b.Index, p.refRow(l, it.Ref))
			}
			if l.st.Holds&sequence.HoldReview != 0 || l.st.Terminal() && l.row.Flagged {
				continue // it was told
			}
			if err := p.r.happen(l, b, sequence.Event{Kind: sequence.EventUnsure, At: sequence.InstantOf(p.r.cfg.Now())}, "a message in the thread can't be read"); err != nil {
				return err
			}
		}
		return nil
	})
	return len(ids) > 0, err
}

// unreadable deals with a message whose content the service refuses for good.
// What a person wrote stops the drip all the same. Of all else nobody knows
// what it says, and a person has to look.
func (p *pass) unreadable(ctx context.Context, env *provider.Envelope, m provider.Matched) error {
	j := judgement{env: env, verdict: classify.Classify(env, nil), direction: m.Direction, hits: make(map[string]provider.Hit)}
	var ids []string
	for _, h := range m.Hits {
		j.hits[h.Key] = h
		ids = append(ids, h.Key)
	}
	if j.verdict.Class != classify.Human || m.Direction == provider.DirectionReport {
		j.verdict = classify.Verdict{Class: classify.Unsure, Evidence: "its content can't be read"}
	}
	p.incoming++
	_, err := p.r.change(ctx, ids, func(ls []*loaded, b *store.Batch) error {
		b.Fence = &p.claim.Fence
		for _, l := range ls {
			if err := p.judge(l, b, &j); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}
