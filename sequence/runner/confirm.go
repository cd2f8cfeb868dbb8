package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// maxMissing is how many accepted mails in a row may leave no copy before
// somebody is told.
const maxMissing = 3

// maxConfirm bounds how many copies one pass asks for.
const maxConfirm = 50

// confirmNow reads back the Message-ID of the mail just sent, where the
// answer to the send named its copy. Where it did not, the copy takes a while
// to appear, and is asked for when the mailbox is next read.
func (p *pass) confirmNow(ctx context.Context, id string) error {
	l, err := p.again(ctx, id)
	if err != nil || l == nil || !p.linked.Abilities.ThreadReplies || len(l.rec.Mails) == 0 {
		return err
	}
	i := len(l.rec.Mails) - 1
	if l.rec.Mails[i].Real != "" || l.rec.Mails[i].Ref == "" {
		return nil
	}
	c, _, err := p.sentCopy(ctx, id, l.rec.Mails[i])
	if err != nil {
		// The mail is sent and recorded: that its copy could not be read is
		// no reason to stop, but the next one should not be tried on a
		// mailbox that doesn't answer.
		return err
	}
	if c == nil {
		p.data.Proven = false
		return nil
	}
	return p.confirmed(ctx, id, l.rec.Mails[i], c)
}

// confirmLast makes sure that the Message-ID under which the previous mail
// was delivered is known, since the follow-up must cite it. It reports false
// after putting the follow-up off.
func (p *pass) confirmLast(ctx context.Context, l *loaded) (bool, error) {
	last := l.rec.Mails[len(l.rec.Mails)-1]
	if last.Real != "" {
		return true, nil
	}
	c, waits, err := p.sentCopy(ctx, l.id(), last)
	if err != nil {
		return false, err
	}
	if waits {
		return false, p.putOff(ctx, l, p.r.cfg.Now().Add(p.r.opts.ReadEvery), "the previous mail still lies in the Outbox")
	}
	if c == nil {
		if settled := last.At.Add(p.linked.Limits.Settle); p.r.cfg.Now().Before(settled) {
			return false, p.putOff(ctx, l, settled, "waiting for the sent copy of the previous mail")
		}
	}
	if err := p.confirmed(ctx, l.id(), last, c); err != nil {
		return false, err
	}
	fresh, err := p.again(ctx, l.id())
	if err == nil && fresh != nil {
		*l = *fresh
	}
	return err == nil && fresh != nil, err
}

// unconfirmed is an accepted mail whose copy has not been seen.
type unconfirmed struct {
	enrollment string
	mail       sentMail
}

// confirmPending asks for the copies of accepted mails that were not there
// yet, the oldest first.
func (p *pass) confirmPending(ctx context.Context) error {
	if !p.linked.Abilities.ThreadReplies {
		return nil
	}
	list, err := p.unconfirmed(ctx)
	if err != nil {
		return err
	}
	for _, u := range list[:min(len(list), maxConfirm)] {
		if err := p.hold(ctx); err != nil {
			return err
		}
		if err := p.aside(ctx, u.enrollment, p.confirmOne(ctx, u)); err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) confirmOne(ctx context.Context, u unconfirmed) error {
	if u.mail.Real == "" {
		c, waits, err := p.sentCopy(ctx, u.enrollment, u.mail)
		if err != nil {
			return err
		}
		if waits || c == nil && p.r.cfg.Now().Before(u.mail.At.Add(p.linked.Limits.Settle)) {
			p.waits = true
			return nil
		}
		if err := p.confirmed(ctx, u.enrollment, u.mail, c); err != nil {
			return err
		}
	}
	if u.mail.From == "" {
		return nil
	}
	return p.settleFrom(ctx, u)
}

func (p *pass) unconfirmed(ctx context.Context) ([]unconfirmed, error) {
	var list []unconfirmed
	var after store.IndexRow
	for {
		rows, err := p.r.cfg.Store.Index(ctx, store.ListIndex{Mailbox: p.box.ID, Kind: store.IndexUnconfirmed, Now: p.r.cfg.Now(), After: after, Limit: 500})
		if err != nil {
			return nil, fmt.Errorf("runner: unconfirmed mails: %w", err)
		}
		ls, err := p.r.load(ctx, enrollmentIDs(rows))
		if err != nil {
			return nil, err
		}
		for _, l := range ls {
			for _, m := range l.rec.Mails {
				if (m.Real == "" || m.From != "" && m.Fate == "") && slices.ContainsFunc(rows, func(row store.IndexRow) bool { return row.Value == m.Intent }) {
					list = append(list, unconfirmed{enrollment: l.id(), mail: m})
				}
			}
		}
		if len(rows) < 500 {
			slices.SortFunc(list, func(a, b unconfirmed) int { return a.mail.At.Compare(b.mail.At) })
			return list, nil
		}
		after = rows[len(rows)-1]
	}
}

// trackCopy is how long an accepted mail's copy is asked for: well past every
// Limits.Settle, since a pass may be late.
const trackCopy = 48 * time.Hour

// pendingRow has the copy of an accepted mail asked for.
func (r *Runner) pendingRow(l *loaded, m sentMail) store.IndexRow {
	return store.IndexRow{
		Kind: store.IndexUnconfirmed, Value: m.Intent, Mailbox: l.row.Mailbox, Enrollment: l.id(),
		Until: m.At.Add(trackCopy),
	}
}

// confirmed records what was found of an accepted mail's copy. Nil is none by
// the time it must have settled: the mail was deleted, or copies are not
// kept. That is a note and no hold: the mail was accepted, and the Message-ID
// as supplied is the best there is. Several in a row mean that this mailbox
// keeps no copies, or that nothing leaves it.
func (p *pass) confirmed(ctx context.Context, id string, mail sentMail, c *sentCopy) error {
	if c != nil {
		if mail.learns(c.Located) {
			if err := p.learn(ctx, mail.At, c.Thread); err != nil {
				return err
			}
		}
		if err := p.seenFrom(ctx, mail, c.from); err != nil {
			return err
		}
	}
	_, err := p.r.change(ctx, []string{id}, func(ls []*loaded, b *store.Batch) error {
		for _, l := range ls {
			for i := range l.rec.Mails {
				m := l.rec.Mails[i]
				if m.Intent != mail.Intent || m.Real != "" {
					continue
				}
				if c == nil {
					p.complete(l, b, i, provider.Located{MessageID: m.MessageID})
					p.r.tell(l, b, Event{Kind: EventUnconfirmed, At: p.r.cfg.Now(), Step: m.Step, Reason: "accepted, and no copy of it is in Sent"})
					continue
				}
				p.complete(l, b, i, c.Located)
				p.judgeFrom(l, b, i, c.from)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c != nil {
		p.data.Missing = 0
		if c.Place == provider.PlaceSent {
			p.data.Proven = true
		}
		return nil
	}
	p.data.Proven = false
	p.data.Missing++
	if p.data.Missing == maxMissing {
		return p.announce(ctx, EventMailboxFlagged, fmt.Sprintf("%d accepted mails in a row left no copy in Sent", maxMissing))
	}
	return nil
}

// learns reports whether the copy lies in a thread that was not known to be
// ours.
func (m sentMail) learns(c provider.Located) bool {
	return c.Thread != "" && plain(c.Thread) != m.Thread
}

// sentCopy is the copy of a mail of ours, with its From where that was read
// along.
type sentCopy struct {
	provider.Located
	from []provider.Address
}

// sentCopy looks for the copy of an accepted mail; nil if there is none yet.
// Waits says that it lies where mail lies before it leaves.
func (p *pass) sentCopy(ctx context.Context, id string, m sentMail) (c *sentCopy, waits bool, err error) {
	if m.Ref != "" {
		env, err := p.mb.envelope(ctx, provider.Ref(m.Ref), ReasonSentCopy)
		if errors.Is(err, provider.ErrNotFound) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		return &sentCopy{
			Located: provider.Located{Ref: env.Ref, Thread: env.Thread, MessageID: env.MessageID, Place: env.Place, At: env.Received}, from: env.From,
		}, false, nil
	}
	intents, err := p.r.cfg.Store.LoadIntents(ctx, id)
	if err != nil {
		return nil, false, fmt.Errorf("runner: intents of %s: %w", id, err)
	}
	for _, in := range intents {
		if in.ID != m.Intent {
			continue
		}
		copies, err := p.mb.copies(ctx, in, false, ReasonSentCopy)
		switch {
		case errors.Is(err, provider.ErrNotSettled), errors.Is(err, provider.ErrNotSent), errors.Is(err, provider.ErrOutcomeUnknown):
			return nil, false, nil
		case err != nil:
			return nil, false, err
		}
		if gone := departed(copies); gone != nil {
			return &sentCopy{Located: *gone}, false, nil
		}
		return nil, len(copies) > 0, nil
	}
	return nil, false, nil
}
