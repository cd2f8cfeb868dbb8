package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// RecoverParams says which time the restored store knows nothing of.
type RecoverParams struct {
	// Since is a time before the backup was begun. Required. Too early costs
	// some questions to the mailboxes; too late can send a mail twice.
	Since time.Time

	// Until is when the last process ended that worked on the lost store.
	// Zero is now, which costs a wait: a mail that left at Until may take
	// Limits.Settle to be seen.
	Until time.Time

	// Reenroll is for how long from now the mails of new enrollments are asked
	// about too: they may have been enrolled under the same Key, and written
	// to, in the lost time. Where a mailbox can't prove what did not leave,
	// they wait for a person, so make it no longer than enrolling again takes.
	// Default a day.
	Reenroll time.Duration
}

// RecoverReport is what Recover found.
type RecoverReport struct {
	Mailboxes int // worked through
	Asked     int // mails asked about
	Found     int // of them, mails that had left: recorded as sent
	Unsettled int // may yet show up: looked up by Tick, and not sent before
	Undecided int // nobody can tell: held for a person, see Decide
	Incoming  int // messages that were put into a conversation

	// Pending are mailboxes that could not be worked through, with what it
	// failed on. Tick does it when they can be used, before they send.
	Pending map[string]string
}

// restoration is what is remembered of a restored store.
type restoration struct {
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	At       time.Time `json:"at"`       // when the host told
	Reenroll time.Time `json:"reenroll"` // until when new enrollments are asked about
}

func (re *restoration) key() string { return re.Since.UTC().Format(time.RFC3339Nano) }

// restorationID names the mailbox record whose Link holds the restoration: the
// one thing in a store that is no mailbox's own and needs no fence. It is
// never due, and no Kind makes this name.
const restorationID = "-/restoration"

// restoration returns the latest one, nil if there was none.
func (r *Runner) restoration(ctx context.Context) (*restoration, error) {
	box, err := r.cfg.Store.GetMailbox(ctx, restorationID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("runner: was the store restored: %w", err)
	}
	var re restoration
	if err := json.Unmarshal([]byte(box.Link), &re); err != nil {
		return nil, fmt.Errorf("runner: mailbox record %s, by which Recover holds mail back: %w", restorationID, err)
	}
	return &re, nil
}

// Recover makes up for the time between a backup and its restoration. Call it
// after the store was restored and before anything else is done with it: no
// process may Tick from before the restoration until Recover has been called.
// Once it has, nothing is sent from a mailbox that was not asked about what
// left it in the lost time, also where Recover was cut short; calling it again
// with the same Since goes on.
//
// For every active enrollment whose next mail can have left, the mailbox is
// asked for the Message-ID that this mail has, which derives from Config.Key,
// EnrollParams.Key and the step. One that left is recorded as sent. One that
// provably didn't is sent when it is due. About all others a person decides
// (Decide): on a mailbox that is not known to keep sent copies, after a
// deletion among its own mail, and when the change feed does not reach back to
// the backup any more. Gmail's reaches back about a week. Then what came since
// is read, so answers stop drips. An enrollment that was held in the backup is
// asked about when its hold ends.
//
// An enrollment made after the backup is lost. Enroll it again with the same
// Key within Reenroll: its mails have the same Message-IDs, and are asked
// about too. With another Key, or later, its recipient gets its mails again.
//
// What the host did in the lost time is lost as well, and Recover can't find
// it. Tell the runner again: of erasures before Recover; of stops, pauses,
// unsubscriptions, answers reported with RecordReply and replies (Reply, under
// the same Key: it is not sent twice) after it, before the first Tick. A drip
// that so ends while its mailbox is Pending is not asked about any more: a mail
// of its that left in the lost time is missing in its conversation.
func (r *Runner) Recover(ctx context.Context, p RecoverParams) (RecoverReport, error) {
	re, err := r.noteRestoration(ctx, p)
	if err != nil {
		return RecoverReport{}, err
	}
	boxes, err := r.tracked(ctx)
	if err != nil {
		return RecoverReport{}, err
	}
	for _, id := range boxes {
		if err := r.cfg.Store.Notify(ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
			return RecoverReport{}, fmt.Errorf("runner: recover: mark mailbox %s: %w", id, err)
		}
	}
	report := RecoverReport{Pending: make(map[string]string)}
	failed := errors.Join(r.prune(ctx), r.recoverAll(ctx, &report))
	for _, id := range boxes {
		box, err := r.cfg.Store.GetMailbox(ctx, id)
		if err != nil {
			return report, errors.Join(failed, fmt.Errorf("runner: recover: mailbox %s: %w", id, err))
		}
		var data boxData
		if len(box.Data) > 0 {
			if err := json.Unmarshal(box.Data, &data); err != nil {
				return report, errors.Join(failed, fmt.Errorf("runner: the data of mailbox %s: %w", id, err))
			}
		}
		if data.Recovered != re.key() {
			report.Pending[id] = cmp.Or(data.Trouble, "it is being worked on")
		}
	}
	_, err = r.drain(ctx)
	return report, errors.Join(failed, err)
}

// noteRestoration writes down that the store was restored. From then on every
// pass knows.
func (r *Runner) noteRestoration(ctx context.Context, p RecoverParams) (*restoration, error) {
	now := r.cfg.Now()
	until, reenroll := p.Until, p.Reenroll
	if until.IsZero() {
		until = now
	}
	if reenroll == 0 {
		reenroll = 24 * time.Hour
	}
	bad := func(field, problem string) (*restoration, error) {
		return nil, &provider.FieldError{Op: "runner: recover", Field: field, Problem: problem}
	}
	switch {
	case p.Since.IsZero():
		return bad("Since", "is not set; give a time before the backup was begun")
	case p.Since.After(now):
		return bad("Since", "is in the future")
	case until.Before(p.Since) || until.After(now):
		return bad("Until", "is before Since or in the future; give the time when the last process ended, or leave it out")
	case reenroll < 0:
		return bad("Reenroll", "is negative")
	}
	was, err := r.restoration(ctx)
	if err != nil {
		return nil, err
	}
	if was != nil {
		switch {
		case was.Since.Equal(p.Since):
			return was, nil
		case p.Since.Before(was.At):
			// The cursors in the store are newer than Since: nothing could be
			// proven by them, and this store was not restored since.
			return bad("Since", "is before the last restoration that Recover was told of, at "+was.At.UTC().Format(time.RFC3339)+
				"; restore the backup again first, or give the same Since to go on")
		}
	}
	re := &restoration{Since: p.Since, Until: until, At: now, Reenroll: now.Add(reenroll)}
	data, err := json.Marshal(re)
	if err != nil {
		return nil, fmt.Errorf("runner: recover: %w", err)
	}
	if _, err := r.cfg.Store.EnsureMailbox(ctx, restorationID, string(data)); err != nil {
		return nil, fmt.Errorf("runner: recover: write down that the store was restored: %w", err)
	}
	return re, nil
}

// tracked lists the mailboxes that have enrollments which mail may leave for.
func (r *Runner) tracked(ctx context.Context) ([]string, error) {
	boxes := make(map[string]bool)
	for _, status := range []Status{StatusActive, StatusHeld} {
		if err := r.listAll(ctx, store.ListEnrollments{Status: string(status)}, func(row store.Enrollment) { boxes[row.Mailbox] = true }); err != nil {
			return nil, err
		}
	}
	ids := make([]string, 0, len(boxes))
	for id := range boxes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

func (r *Runner) listAll(ctx context.Context, q store.ListEnrollments, each func(store.Enrollment)) error {
	q.Limit = 500
	for {
		rows, err := r.cfg.Store.List(ctx, q)
		if err != nil {
			return fmt.Errorf("runner: list enrollments: %w", err)
		}
		for _, row := range rows {
			q.After = row.ID
			each(row)
		}
		if len(rows) < q.Limit {
			return nil
		}
	}
}

// recoverAll claims every mailbox that has work, once, and works through it.
// They stay claimed until all are done, so that none comes twice.
func (r *Runner) recoverAll(ctx context.Context, report *RecoverReport) error {
	var failed error
	var kept []store.Fence
	seen := make(map[string]bool)
	for {
		now := r.cfg.Now()
		claims, err := r.cfg.Store.Claim(ctx, store.ClaimParams{
			By: r.opts.Name, Now: now, TTL: r.opts.Lease, Mailboxes: r.opts.Workers, PerMailbox: r.opts.PerMailbox,
		})
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("runner: recover: claim: %w", err))
			break
		}
		again := true
		for _, c := range claims {
			again = again && seen[c.Mailbox.ID]
			seen[c.Mailbox.ID] = true
		}
		if again { // none is left, or leases ended meanwhile
			for _, c := range claims {
				kept = append(kept, c.Fence)
			}
			break
		}
		passes, err := r.passes(ctx, claims, now.Add(r.opts.Lease), true)
		if err != nil && failed == nil {
			failed = err
		}
		for _, p := range passes {
			if p.kept {
				kept = append(kept, p.claim.Fence)
			}
			report.Incoming += p.incoming
			report.Asked += p.recovery.asked
			report.Found += p.recovery.found
			report.Unsettled += p.recovery.unsettled
			report.Undecided += p.recovery.undecided
			if p.recovery.done {
				report.Mailboxes++
			}
		}
		if ctx.Err() != nil {
			return errors.Join(failed, ctx.Err())
		}
	}
	for _, f := range kept {
		if err := r.cfg.Store.Unclaim(ctx, f); err != nil && failed == nil {
			failed = fmt.Errorf("runner: recover: give back mailbox %s: %w", f.Mailbox, err)
		}
	}
	return failed
}
