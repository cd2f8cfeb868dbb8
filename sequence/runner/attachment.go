package runner

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// AttachmentParams names one attachment of a conversation's entry. All fields
// are required.
type AttachmentParams struct {
	Enrollment string // Entry.Conversation
	Ref        string // Entry.Ref
	Part       string // Part.Part
}

// Attachment opens an attachment of a mail in a conversation. It is read from
// the mailbox at this moment, and only after the mail's headers were read and
// matched again: what can't be shown to belong to the conversation is not
// opened. The caller closes it. Nothing of it is kept, and nothing of it was
// looked at: scan it before it is shown to anybody.
//
// ErrNotFound: no such mail is in the conversation. provider.ErrNotFound: it
// was, and the mailbox has it no more, or it has no such part. ErrAbilities:
// the link may not read content. Requests are reported under ReasonAttachment.
func (r *Runner) Attachment(ctx context.Context, a AttachmentParams) (io.ReadCloser, error) {
	const op = "runner: attachment"
	l, err := r.talk(ctx, a.Enrollment)
	if err != nil {
		return nil, err
	}
	if ok, err := r.holds(ctx, l, a.Ref); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	} else if !ok {
		return nil, fmt.Errorf("%w: the conversation %s has no such mail", ErrNotFound, a.Enrollment)
	}
	linked, err := r.cfg.Mailboxes.Open(ctx, l.row.Link)
	if err != nil {
		return nil, fmt.Errorf("%s: open link %s: %w", op, l.row.Link, err)
	}
	switch {
	case mailboxID(linked) != l.row.Mailbox:
		return nil, &provider.Error{Kind: provider.ErrMailboxUnusable, Op: op, Reason: "other_mailbox"}
	case !linked.Abilities.Content:
		return nil, fmt.Errorf("%s: link %s has access %q: %w", op, l.row.Link, linked.Account.Access, ErrAbilities)
	}
	p := &pass{r: r, box: store.Mailbox{ID: l.row.Mailbox, Link: l.row.Link}, linked: linked}
	p.mb = observed{mb: linked.Mailbox, r: r, mailbox: p.box.ID, link: p.box.Link}
	w, err := p.warrant(ctx, l, provider.Ref(a.Ref))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	rc, err := p.mb.attachment(ctx, w, a.Part)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return rc, nil
}

// holds reports whether a message was found to be part of the conversation.
// Of any other not even the headers are read.
func (r *Runner) holds(ctx context.Context, l *loaded, ref string) (bool, error) {
	if ref == "" {
		return false, nil
	}
	rows, err := r.cfg.Store.Match(ctx, l.row.Mailbox, []store.IndexKey{indexKey(store.IndexRef, ref)})
	if err != nil {
		return false, err
	}
	if slices.Contains(enrollmentIDs(rows), l.id()) {
		return true, nil
	}
	if r.cfg.Log == nil {
		return false, nil
	}
	entries, err := r.cfg.Log.Conversation(ctx, l.id()) // the index forgets after Options.TrackFor
	return slices.ContainsFunc(entries, func(e store.Entry) bool { return e.Ref == ref && e.Mailbox == l.row.Mailbox }), err
}

// warrant matches a message of the conversation once more.
func (p *pass) warrant(ctx context.Context, l *loaded, ref provider.Ref) (provider.Warrant, error) {
	none := provider.Warrant{}
	env, err := p.mb.envelope(ctx, ref, ReasonAttachment)
	if err != nil {
		return none, err
	}
	known, ls, err := p.known(ctx, env)
	if err != nil {
		return none, err
	}
	if ls[l.id()] == nil { // the index has forgotten it
		s, _ := l.known()
		known.Sent, ls[l.id()] = append(known.Sent, s), l
	}
	m := provider.Match(env, known)
	if m.Direction == provider.DirectionReport {
		msg, err := p.mb.content(ctx, m.Warrant, ReasonAttachment)
		if err != nil {
			return none, err
		}
		m.Hits = citedHits(msg, m.Hits, ls)
	}
	if !slices.ContainsFunc(m.Hits, func(h provider.Hit) bool { return h.Key == l.id() }) {
		return none, fmt.Errorf("%w: the mail does not belong to the conversation %s", ErrNotFound, l.id())
	}
	return m.Warrant, nil
}
