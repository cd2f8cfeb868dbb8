package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// PreviewParams sends a whole sequence to the sender's own inbox. Key, Link
// and Sequence are required.
type PreviewParams struct {
	// Key names this preview: the same Key again is the same preview, a new
	// one sends all mails again.
	Key string

	Link     string
	Actor    string
	FromName string

	// From is an address of the mailbox's to send from; empty is its own. The
	// preview goes to the same address, and so proves an alias for sending:
	// once one of its mails has arrived in this mailbox with its From kept,
	// Enroll and Send take the alias. A link that can't read proves nothing,
	// and is refused with provider.ErrSenderNotAllowed.
	From string

	Sequence *sequence.Sequence
	Data     map[string]string
	Zone     string
}

// Preview queues every step of a sequence as a mail to the sender's own
// address, all due at once, with Message-IDs of their own. A preview is no
// conversation, and nothing that happens to it counts as an answer. Its
// errors are those of Enroll.
func (r *Runner) Preview(ctx context.Context, p PreviewParams) (Enrollment, error) {
	if p.Sequence == nil {
		return Enrollment{}, &provider.FieldError{Op: "runner: preview", Field: "Sequence", Problem: "is nil"}
	}
	if err := p.Sequence.Validate(); err != nil {
		return Enrollment{}, fmt.Errorf("runner: preview: %w", err)
	}
	linked, err := r.cfg.Mailboxes.Open(ctx, p.Link)
	if err != nil {
		return Enrollment{}, fmt.Errorf("runner: preview: open link %s: %w", p.Link, err)
	}
	now := *p.Sequence
	now.Window = sequence.Window{}
	now.Steps = slices.Clone(p.Sequence.Steps)
	for i := range now.Steps {
		now.Steps[i].Days, now.Steps[i].After = 0, 0
	}
	return r.enroll(ctx, EnrollParams{
		Key: p.Key, Link: p.Link, Actor: p.Actor, FromName: p.FromName, From: p.From, Sequence: &now, Data: p.Data, Zone: p.Zone,
		Recipient: provider.Address{Name: p.FromName, Addr: cmp.Or(p.From, linked.Account.Address)},
	}, kindPreview)
}

// PreviewState is how far one mail of a preview has come.
type PreviewState string

// The states of a preview's mail.
const (
	PreviewQueued  PreviewState = "queued"  // not sent yet
	PreviewPending PreviewState = "pending" // accepted, and not seen in the mailbox yet
	PreviewSeen    PreviewState = "seen"    // a copy was found; InSent, InInbox and Elsewhere say where
	PreviewFailed  PreviewState = "failed"  // refused for good
)

// PreviewMail is one mail of a preview.
type PreviewMail struct {
	Step      int
	Subject   string
	State     PreviewState
	InSent    bool
	InInbox   bool
	Elsewhere []provider.Place // where else copies lie, such as junk
}

// PreviewReport is how far a preview has come.
type PreviewReport struct {
	Enrollment Enrollment
	Mails      []PreviewMail
}

// Proven reports whether every mail was seen both in Sent and in the inbox:
// the link sends and receives.
func (p PreviewReport) Proven() bool {
	for _, m := range p.Mails {
		if !m.InSent || !m.InInbox {
			return false
		}
	}
	return len(p.Mails) > 0
}

// PreviewStatus asks the mailbox where the mails of a preview are.
// provider.ErrAccess: the link can't look.
func (r *Runner) PreviewStatus(ctx context.Context, id string) (PreviewReport, error) {
	l, err := r.find(ctx, id)
	if err != nil {
		return PreviewReport{}, err
	}
	if l.row.Kind != kindPreview {
		return PreviewReport{}, fmt.Errorf("%w: %s is no preview", ErrNotFound, id)
	}
	linked, err := r.cfg.Mailboxes.Open(ctx, l.row.Link)
	if err != nil {
		return PreviewReport{}, fmt.Errorf("runner: preview status: open link %s: %w", l.row.Link, err)
	}
	if !linked.Abilities.Preview {
		return PreviewReport{}, &provider.Error{Kind: provider.ErrAccess, Op: "runner: preview status", Reason: "access_" + string(linked.Account.Access)}
	}
	intents, err := r.cfg.Store.LoadIntents(ctx, id)
	if err != nil {
		return PreviewReport{}, fmt.Errorf("runner: preview status: %w", err)
	}
	report := PreviewReport{Enrollment: r.view(l)}
	if mailboxID(linked) != l.row.Mailbox {
		return PreviewReport{}, &provider.Error{Kind: provider.ErrMailboxUnusable, Op: "runner: preview status", Reason: "other_mailbox"}
	}
	mb := observed{mb: linked.Mailbox, r: r, mailbox: l.row.Mailbox, link: linked.Link}
	for _, step := range l.seq.Steps {
		m := PreviewMail{Step: int(step.ID), Subject: step.Subject, State: PreviewQueued}
		for _, in := range intents {
			if in.Step != int(step.ID) {
				continue
			}
			if err := r.previewMail(ctx, mb, in, &m); err != nil {
				return PreviewReport{}, err
			}
		}
		if m.State == PreviewQueued && l.st.Terminal() {
			m.State = PreviewFailed
		}
		report.Mails = append(report.Mails, m)
	}
	return report, nil
}

func (r *Runner) previewMail(ctx context.Context, mb observed, in store.Intent, m *PreviewMail) error {
	if in.State == store.IntentNotSent {
		return nil
	}
	m.State = PreviewPending
	meta, err := r.metaOf(in)
	if err != nil {
		return err
	}
	m.Subject = meta.Subject
	if in.State != store.IntentSent {
		return nil // on its way, or of unknown outcome: Tick finds out
	}
	copies, err := mb.copies(ctx, in, false, ReasonPreview)
	switch {
	case errors.Is(err, provider.ErrNotSettled), errors.Is(err, provider.ErrNotSent), errors.Is(err, provider.ErrOutcomeUnknown):
		return nil
	case err != nil:
		return fmt.Errorf("runner: preview status: %w", err)
	}
	for _, c := range copies {
		m.State = PreviewSeen
		switch c.Place {
		case provider.PlaceSent:
			m.InSent = true
		case provider.PlaceInbox:
			m.InInbox = true
		default:
			if !slices.Contains(m.Elsewhere, c.Place) {
				m.Elsewhere = append(m.Elsewhere, c.Place)
			}
		}
	}
	return nil
}
