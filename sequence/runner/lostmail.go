package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// lostMail is what a copy tells of a mail whose record is lost.
type lostMail struct {
	subject, text, html string
	parts               []store.Part
}

// foundLost records that a mail left in the lost time.
func (p *pass) foundLost(ctx context.Context, l *loaded, step sequence.Step, c provider.Located) error {
	p.recovery.found++
	if c.Place == provider.PlaceSent {
		p.data.Proven, p.data.Missing = true, 0
	}
	p.data.expectReports(c.At)
	m, err := p.readLost(ctx, l, step, c)
	if err != nil {
		return err
	}
	if !p.canOpen(l) {
		return p.skipLost(ctx, l, step, c, m)
	}
	in, err := p.openLost(ctx, l, step, m, false)
	if err != nil {
		return err
	}
	return p.foundSent(ctx, in, c)
}

// readLost reads what our own copy says. A copy that can't be read tells
// nothing, and was sent all the same.
func (p *pass) readLost(ctx context.Context, l *loaded, step sequence.Step, c provider.Located) (lostMail, error) {
	env, err := p.mb.envelope(ctx, c.Ref, ReasonReconcile)
	if errors.Is(err, provider.ErrNotFound) || errors.Is(err, provider.ErrRejected) {
		return lostMail{}, nil
	}
	if err != nil {
		return lostMail{}, err
	}
	m := lostMail{subject: plain(env.Subject)}
	messageID, key, err := p.r.mailIDs(l.id(), step.ID)
	if err != nil || !p.linked.Abilities.Content {
		return m, err
	}
	known := &provider.Known{Account: p.linked.Account, NoReports: true, Sent: []provider.Sent{{
		Key: l.id(), MessageIDs: []string{messageID}, SendKeys: []string{key}, Recipients: []string{l.row.Recipient},
	}}}
	matched := provider.Match(env, known)
	if matched.Direction != provider.DirectionSent {
		return m, nil
	}
	msg, err := p.mb.content(ctx, matched.Warrant, ReasonMatched)
	if errors.Is(err, provider.ErrNotFound) || errors.Is(err, provider.ErrRejected) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	m.text, m.html = plain(msg.Text), plain(msg.HTML)
	for _, a := range msg.Attachments {
		m.parts = append(m.parts, store.Part{Part: plain(a.Part), Name: plain(a.Name), ContentType: plain(a.ContentType), Size: a.Size, Inline: a.Inline})
	}
	return m, nil
}

// openLost commits the intent that a lost mail would have had. It has no
// bytes: if the mail never left, it is made anew when it is due.
func (p *pass) openLost(ctx context.Context, l *loaded, step sequence.Step, m lostMail, unknown bool) (store.Intent, error) {
	re, now := p.restored, p.r.cfg.Now()
	in, mail, err := p.lostIntent(l, step, m)
	if err != nil {
		return in, err
	}
	p.reachBack()
	p.changed = true
	return in, p.r.commit(ctx, []*loaded{l}, func(_ []*loaded, b *store.Batch) error {
		b.Fence = &p.claim.Fence
		b.Intents = []store.Intent{in}
		p.asked(l, step)
		l.rec.Open, l.rec.Try, l.rec.LookAt = &mail, l.rec.Try+1, now
		l.rec.NotBefore = time.Time{}
		if l.row.Kind != kindPreview {
			p.r.index(l, b, mail)
		}
		at := sequence.InstantOf(now)
		if err := p.r.happen(l, b, sequence.Event{Kind: sequence.EventOpened, Step: step.ID, At: at}, ""); err != nil || !unknown {
			return err
		}
		return p.r.happen(l, b, sequence.Event{Kind: sequence.EventUnknown, Step: step.ID, At: at},
			"the store was restored from a backup of about "+re.Since.UTC().Format(time.RFC3339)+", and the mail may have left since")
	})
}

func (p *pass) lostIntent(l *loaded, step sequence.Step, m lostMail) (store.Intent, sentMail, error) {
	re := p.restored
	messageID, key, err := p.r.mailIDs(l.id(), step.ID)
	if err != nil {
		return store.Intent{}, sentMail{}, err
	}
	thread := p.thread(l, step, cmp.Or(m.subject, step.Subject))
	meta := intentMeta{
		From: provider.Address{Name: l.rec.FromName, Addr: cmp.Or(l.rec.From, p.linked.Account.Address)}, To: []provider.Address{l.rec.To}, Cc: l.rec.Cc, Bcc: l.rec.Bcc,
		Thread: thread, Subject: cmp.Or(m.subject, thread.Subject), Text: m.text, HTML: m.html, Parts: m.parts,
		Cursor: provider.Cursor(p.data.Before), Proven: p.data.Proven, Original: re.Since,
	}
	in := store.Intent{
		ID: fmt.Sprintf("%s.%d.%d", l.id(), step.ID, l.rec.Try+1), Enrollment: l.id(), Mailbox: p.box.ID, Step: int(step.ID),
		MessageID: messageID, Key: key, Created: re.Since, Deadline: re.Until, State: store.IntentOpen,
	}
	if err = p.r.sealIntent(&in, nil, meta); err != nil {
		return in, sentMail{}, err
	}
	return in, sentMail{
		Step: int(step.ID), Intent: in.ID, MessageID: messageID, Key: key, Thread: thread.ID, Subject: thread.Subject,
		Starts: thread.InReplyTo == "", At: re.Since, From: l.rec.From,
	}, nil
}

// skipLost records a lost mail of an enrollment that is held, for which the
// engine opens none: the step is skipped, and its mail is known.
func (p *pass) skipLost(ctx context.Context, l *loaded, step sequence.Step, c provider.Located, m lostMail) error {
	in, mail, err := p.lostIntent(l, step, m)
	if err != nil {
		return err
	}
	at := c.At
	if at.IsZero() {
		at = p.restored.Since
	}
	mail.At, mail.Ref, mail.Real = at, plain(string(c.Ref)), plain(c.MessageID)
	mail.Thread = cmp.Or(plain(c.Thread), mail.Thread)
	p.reachBack()
	if err := p.learn(ctx, p.restored.Since, mail.Thread); err != nil {
		return err
	}
	return p.r.commit(ctx, []*loaded{l}, func(_ []*loaded, b *store.Batch) error {
		b.Fence = &p.claim.Fence
		p.asked(l, step)
		l.rec.Mails = append(l.rec.Mails, mail)
		if err := p.r.happen(l, b, sequence.Event{Kind: sequence.EventSkipped, Step: step.ID, At: sequence.InstantOf(at)}, ""); err != nil {
			return err
		}
		p.r.tell(l, b, Event{Kind: EventSent, At: at, Step: int(step.ID), Reason: "found after the store was restored"})
		if l.row.Kind == kindPreview {
			return nil
		}
		p.r.index(l, b, mail)
		row, err := p.r.outEntry(l, in, mail)
		if err != nil {
			return err
		}
		b.Outbox = append(b.Outbox, row)
		return nil
	})
}
