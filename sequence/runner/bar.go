package runner

import (
	"context"
	"fmt"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// Bar is why an enrollment may not send over its link just now, though the
// link itself works. It is held, asked again at the pace of reading, and goes
// on by itself.
type Bar string

// The bars.
const (
	BarNone  Bar = ""
	BarActor Bar = "actor_not_allowed" // Config.MayAct does not allow the actor any more
	BarAlias Bar = "alias_not_proven"  // the alias to send from lost its proof; see EnrollParams.From
)

// mayAct asks whether an actor may send over a link.
func (r *Runner) mayAct(ctx context.Context, actor string, linked provider.Linked) (bool, error) {
	if r.cfg.MayAct == nil {
		return actor == linked.Owner, nil
	}
	return guarded(func() (bool, error) { return r.cfg.MayAct(ctx, actor, linked) })
}

// barred says what keeps an enrollment from sending over this link, and the
// same in words.
func (p *pass) barred(ctx context.Context, l *loaded) (Bar, string, error) {
	may, err := p.r.mayAct(ctx, l.row.Actor, p.linked)
	switch {
	case err != nil:
		return BarNone, "", err
	case !may:
		return BarActor, "the actor may not send over this link any more; its owner can allow it again", nil
	}
	if l.rec.From == "" || l.row.Kind == kindPreview {
		return BarNone, "", nil
	}
	if why := aliasProblem(l.rec.From, p.linked.Account, p.data); why != "" {
		return BarAlias, "the alias to send from is not proven: " + aliasWords[why] + "; a preview from it proves it again", nil
	}
	return BarNone, "", nil
}

// bar is asked before each mail leaves. It reports true where the mail does
// not go now: the enrollment is held, or the host could not say.
func (p *pass) bar(ctx context.Context, l *loaded) (bool, error) {
	why, words, err := p.barred(ctx, l)
	if err != nil {
		p.r.log.ErrorContext(ctx, "runner: MayAct failed, the mail waits", "enrollment", l.id(), "error", err)
		return true, p.putOff(ctx, l, p.r.cfg.Now().Add(p.r.opts.RetryEvery), "the host could not say whether the actor may send over this link")
	}
	if why == BarNone {
		return false, nil
	}
	return true, p.r.commit(ctx, []*loaded{l}, func(_ []*loaded, b *store.Batch) error {
		now := p.r.cfg.Now()
		l.rec.AskAt = now.Add(p.r.opts.ReadEvery)
		if l.rec.Barred != "" {
			l.rec.Barred, l.rec.Hold = why, words
			return nil
		}
		l.rec.Barred = why
		return p.r.happen(l, b, sequence.Event{Kind: sequence.EventMailboxLost, At: sequence.InstantOf(now)}, words)
	})
}

// askAgain asks whether a barred enrollment may go on, and lets it. It
// reports true where it still may not.
func (p *pass) askAgain(ctx context.Context, l *loaded) (bool, error) {
	why, _, err := p.barred(ctx, l)
	if err != nil || why != BarNone {
		if err != nil {
			p.r.log.ErrorContext(ctx, "runner: MayAct failed, the mail stays held", "enrollment", l.id(), "error", err)
			return true, p.r.commit(ctx, []*loaded{l}, func([]*loaded, *store.Batch) error {
				l.rec.AskAt = p.r.cfg.Now().Add(p.r.opts.RetryEvery)
				return nil
			})
		}
		return p.bar(ctx, l)
	}
	err = p.r.commit(ctx, []*loaded{l}, func(_ []*loaded, b *store.Batch) error {
		l.rec.Barred = ""
		return p.r.happen(l, b, sequence.Event{Kind: sequence.EventMailboxBack, At: sequence.InstantOf(p.r.cfg.Now())}, "")
	})
	return false, err
}

// sender checks the address to send from, and returns it if it is an alias.
func (r *Runner) sender(ctx context.Context, from string, linked provider.Linked, kind string) (string, error) {
	key := provider.Normalize(from)
	if key == "" || key == provider.Normalize(linked.Account.Address) {
		return "", nil
	}
	refuse := func(why, problem string) (string, error) {
		return "", &provider.Error{
			Kind: provider.ErrSenderNotAllowed, Op: opOf(kind), Reason: "from_" + why,
			Err: &provider.FieldError{Op: opOf(kind), Field: "From", Problem: problem},
		}
	}
	box, err := r.boxOf(ctx, mailboxID(linked))
	if err != nil {
		return "", fmt.Errorf("%s: %w", opOf(kind), err)
	}
	why := aliasProblem(from, linked.Account, box)
	switch {
	case why == "":
	case why == aliasForeign:
		return refuse(why, "is no address of this mailbox, as far as its link knows")
	case kind != kindPreview:
		return refuse(why, "is an alias that is not proven ("+aliasWords[why]+"): send a Preview with the same From first")
	case !linked.Abilities.Preview:
		return refuse("not_provable", fmt.Sprintf("is an alias that is not proven, and a link with access %q can't see whether mail to it arrives", linked.Account.Access))
	}
	return key, nil
}
