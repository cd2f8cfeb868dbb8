package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// pass is one claim on one mailbox under work. Everything in it happens in
// one goroutine, so work on a mailbox is serial.
type pass struct {
	r        *Runner
	claim    store.Claim
	box      store.Mailbox
	data     boxData
	was      []byte // data as stored
	linked   provider.Linked
	mb       observed
	leaseEnd time.Time

	readStart time.Time      // of the last complete read; zero is none
	retrying  *passedItem    // what is being tried again; nil is nothing
	within    bool           // a thread is looked through
	searched  provider.Query // the last search for senders
	pacedTill time.Time      // the mailbox has sent as fast as it may until then
	keptSend  time.Time      // LastSend as it is stored
	failed    bool           // a message could not be read in this pass
	changed   bool           // box or data differ from what is stored
	waits     bool           // there are copies that are not seen yet
	damaged   []string       // enrollments that this pass set aside: no more is done with them

	extra []store.IndexRow // to be stored with the mailbox's record
	fed   int              // items that this pass got from the feed

	sent, incoming int

	restored    *restoration // the last one that the host told of; nil is none
	recoverOnly bool         // makes up for lost time, and sends nothing
	kept        bool         // stays claimed until Recover gives it back
	recovery    recovery
}

func newPass(r *Runner, c store.Claim, leaseEnd time.Time) *pass {
	return &pass{r: r, claim: c, box: c.Mailbox, leaseEnd: leaseEnd}
}

// run works on the mailbox. Troubles with the mail service are kept with the
// mailbox and are no error; the store's are.
func (p *pass) run(ctx context.Context) (err error) {
	start := p.r.cfg.Now()
	var trouble error
	defer func() {
		if errors.Is(err, store.ErrFenced) {
			err = nil // somebody else has the mailbox now, and does its work
		}
		p.r.observe(Observation{
			Kind: ObservePass, Mailbox: p.box.ID, Link: p.box.Link, At: start, Took: p.r.cfg.Now().Sub(start), Count: p.sent, Err: errors.Join(trouble, err),
		})
	}()
	if len(p.box.Data) > 0 {
		if err := json.Unmarshal(p.box.Data, &p.data); err != nil {
			return fmt.Errorf("runner: the data of mailbox %s: %w", p.box.ID, err)
		}
	}
	p.readStart = p.r.lastRead(p.box.ID)
	if p.was, err = json.Marshal(p.data); err != nil {
		return fmt.Errorf("runner: mailbox %s: %w", p.box.ID, err)
	}
	trouble = p.work(ctx)
	p.report(ctx, trouble)
	if trouble == nil {
		p.data.Failures, p.data.Trouble, p.data.FailingSince, p.data.Alarmed = 0, "", time.Time{}, false
		if !p.linked.Abilities.ThreadReplies && !p.box.ReadAt.IsZero() {
			p.box.ReadAt, p.changed = time.Time{}, true // it was to be probed, and nothing is read of it
		}
		return p.finish(ctx, p.pacedTill.Sub(p.r.cfg.Now()))
	}
	switch {
	case errors.Is(trouble, store.ErrFenced):
		return nil // somebody else has the mailbox now, and does its work
	case errors.Is(trouble, store.ErrConflict):
		// The mailbox's record changed under us: its link did. The next pass
		// starts from what it is now.
		return p.abandon(ctx)
	case ctx.Err() != nil:
		// The lease ends by itself; open intents are looked up then.
		return ctx.Err()
	}
	var pe *provider.Error
	if !errors.As(trouble, &pe) {
		return errors.Join(trouble, p.leave(ctx))
	}
	return p.troubled(ctx, pe)
}

// leave keeps the mailbox for a while after the store failed, so that one
// mailbox whose record is at fault doesn't take the place of all others. A
// mark stays.
func (p *pass) leave(ctx context.Context) error {
	err := p.r.cfg.Store.Renew(ctx, p.claim.Fence, p.r.opts.RetryEvery)
	if err != nil && !errors.Is(err, store.ErrFenced) {
		return fmt.Errorf("runner: keep mailbox %s: %w", p.box.ID, err)
	}
	return nil
}

// abandon gives the mailbox back undone: a mark stays.
func (p *pass) abandon(ctx context.Context) error {
	if p.claim.Mailbox.Marked {
		if err := p.r.cfg.Store.Notify(ctx, p.box.ID); err != nil {
			return fmt.Errorf("runner: mark mailbox %s again: %w", p.box.ID, err)
		}
	}
	return p.giveBack(ctx)
}

// work is one pass: the link is opened, open intents are looked up, the
// mailbox is read, and what is due is sent. The order matters: nothing new
// leaves before what may have left is known, and no follow-up before the
// mailbox was read.
func (p *pass) work(ctx context.Context) error {
	linked, err := p.r.cfg.Mailboxes.Open(ctx, p.box.Link)
	if err != nil {
		return asTrouble(err)
	}
	if mailboxID(linked) != p.box.ID {
		return &provider.Error{Kind: provider.ErrMailboxUnusable, Op: "runner: open link", Reason: "other_mailbox"}
	}
	p.linked = linked
	p.mb = observed{mb: linked.Mailbox, r: p.r, mailbox: p.box.ID, link: p.box.Link}
	if err := p.noteRestored(ctx); err != nil {
		return err
	}
	if err := p.start(ctx); err != nil {
		return err
	}
	if p.data.Lost != "" {
		if err := p.back(ctx); err != nil {
			return err
		}
	}
	if err := p.startAgain(ctx); err != nil {
		return err
	}
	if p.readDue() || len(p.claim.Open) > 0 {
		if err := p.confirmPending(ctx); err != nil {
			return err
		}
	}
	if err := p.reconcile(ctx); err != nil {
		return err
	}
	if err := p.recover(ctx); err != nil {
		return err
	}
	if err := p.catchUp(ctx); err != nil {
		return err
	}
	if p.recoverOnly {
		return nil
	}
	if err := p.keepWatch(ctx); err != nil {
		return err
	}
	if p.readDue() {
		if err := p.read(ctx, true); err != nil {
			return err
		}
	}
	return p.sendDue(ctx)
}

// asTrouble makes what Mailboxes.Open returned a trouble of this mailbox, so
// that one broken link does not stop the others.
func asTrouble(err error) error {
	var pe *provider.Error
	switch {
	case errors.As(err, &pe) && pe.Kind == provider.ErrNotFound: // there is no such link any more
		return &provider.Error{Kind: provider.ErrMailboxUnusable, Op: pe.Op, Reason: pe.Reason, Err: err}
	case pe != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return &provider.Error{Kind: provider.ErrTemporary, Op: "runner: open link", Reason: "open_failed", Err: err}
}

// start takes a cursor, and stores it before the first intent, so that
// everything after the first mail is in the feed.
func (p *pass) start(ctx context.Context) error {
	if !p.linked.Abilities.ThreadReplies || len(p.box.Cursor) > 0 {
		return nil
	}
	now := p.r.cfg.Now()
	prof, err := p.mb.profile(ctx, ReasonProfile)
	if err != nil {
		return err
	}
	p.box.Cursor = []byte(prof.Cursor)
	p.data.LastRead, p.data.Searched, p.data.Reported = now, now, now
	p.box.ReadAt = now.Add(p.r.opts.ReadEvery)
	p.changed = true
	return p.save(ctx)
}

// hold extends the lease when half of it is gone. It is called before every
// piece of work, so that no request leaves on a lease that has ended.
func (p *pass) hold(ctx context.Context) error {
	now := p.r.cfg.Now()
	if p.leaseEnd.Sub(now) > p.r.opts.Lease/2 {
		return nil
	}
	if err := p.r.cfg.Store.Renew(ctx, p.claim.Fence, p.r.opts.Lease); err != nil {
		return fmt.Errorf("runner: mailbox %s: %w", p.box.ID, err)
	}
	p.leaseEnd = now.Add(p.r.opts.Lease)
	return nil
}

// save stores the mailbox's record under the fence.
func (p *pass) save(ctx context.Context) error {
	data, err := json.Marshal(p.data)
	if err != nil {
		return fmt.Errorf("runner: mailbox %s: %w", p.box.ID, err)
	}
	if !p.changed && bytes.Equal(data, p.was) {
		return nil
	}
	p.box.Data = data
	box := p.box
	if err := p.r.cfg.Store.Commit(ctx, store.Batch{Fence: &p.claim.Fence, Mailbox: &box, Index: p.extra}); err != nil {
		return fmt.Errorf("runner: mailbox %s: %w", p.box.ID, err)
	}
	p.box.Version++
	p.was, p.changed, p.extra = data, false, nil
	return nil
}

// finish stores the mailbox and gives it back, or keeps it for a while so
// that nobody asks a throttled service again too early.
func (p *pass) finish(ctx context.Context, keep time.Duration) error {
	if err := p.save(ctx); err != nil {
		if errors.Is(err, store.ErrFenced) {
			return nil
		}
		return err
	}
	if keep <= 0 {
		return p.giveBack(ctx)
	}
	if err := p.r.cfg.Store.Renew(ctx, p.claim.Fence, keep); err != nil && !errors.Is(err, store.ErrFenced) {
		return fmt.Errorf("runner: keep mailbox %s: %w", p.box.ID, err)
	}
	return nil
}

func (p *pass) giveBack(ctx context.Context) error {
	if p.recoverOnly {
		p.kept = true
		return nil
	}
	if err := p.r.cfg.Store.Unclaim(ctx, p.claim.Fence); err != nil {
		return fmt.Errorf("runner: give back mailbox %s: %w", p.box.ID, err)
	}
	return nil
}

// announce stores the mailbox's record together with an event about it.
func (p *pass) announce(ctx context.Context, kind EventKind, reason string) error {
	return p.announceThat(ctx, Event{Kind: kind, Reason: reason})
}

func (p *pass) announceThat(ctx context.Context, ev Event) error {
	p.data.Marks++
	data, err := json.Marshal(p.data)
	if err != nil {
		return fmt.Errorf("runner: mailbox %s: %w", p.box.ID, err)
	}
	p.box.Data = data
	box := p.box
	ev.ID, ev.At = fmt.Sprintf("%s/%d", p.box.ID, p.data.Marks), p.r.cfg.Now()
	ev.Mailbox, ev.Link, ev.Owner = p.box.ID, p.box.Link, p.linked.Owner
	if ev.Kind == EventMailboxStopped {
		ev.Until = p.data.StoppedUntil
	}
	if err := p.r.cfg.Store.Commit(ctx, store.Batch{
		Fence: &p.claim.Fence, Mailbox: &box, Index: p.extra, Outbox: []store.Event{eventRow(ev)},
	}); err != nil {
		return fmt.Errorf("runner: mailbox %s: %w", p.box.ID, err)
	}
	p.box.Version++
	p.was, p.changed, p.extra = data, false, nil
	return nil
}
