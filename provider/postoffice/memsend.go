package postoffice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// Send implements provider.Mailbox.
func (b *memMailbox) Send(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
	thread, err := b.checkOutgoing(out)
	if err != nil {
		return provider.Receipt{}, err
	}
	m, rule, err := b.beginBefore(ctx, OpSend, provider.AccessSend, RequestSend, out.NotAfter)
	if err != nil {
		return provider.Receipt{}, err
	}
	msg, err := m.Submit(SubmitParams{Raw: out.Raw, Thread: thread})
	switch {
	case errors.Is(err, ErrSenderRefused):
		return provider.Receipt{}, fail(OpSend, provider.ErrSenderNotAllowed, "")
	case errors.Is(err, ErrNoThread):
		return provider.Receipt{}, fail(OpSend, provider.ErrNotFound, "no_thread")
	case err != nil:
		return provider.Receipt{}, fail(OpSend, provider.ErrRejected, "refused")
	}
	if err := finish(ctx, OpSend, rule); err != nil {
		e := &provider.Error{Kind: provider.ErrOutcomeUnknown, Op: opName(OpSend), Reason: "no_answer"}
		if ctx.Err() != nil {
			e.Err = err
		}
		return provider.Receipt{}, e
	}
	r := provider.Receipt{At: b.provider.office.clock.Now()}
	if msg.Number != 0 {
		r.Ref, r.Thread = refOf(msg.Number), threadOf(msg.Thread)
	}
	return r, nil
}

// checkOutgoing refuses what must not leave, before any request.
func (b *memMailbox) checkOutgoing(out *provider.Outgoing) (thread int64, err error) {
	field := func(kind provider.ErrorKind, name, problem string) error {
		return &provider.Error{
			Kind: kind, Op: opName(OpSend), Reason: strings.ToLower(name),
			Err: &provider.FieldError{Op: opName(OpSend), Field: name, Problem: problem},
		}
	}
	limits := b.provider.cfg.Limits
	switch {
	case out == nil || len(out.Raw) == 0:
		return 0, field(provider.ErrRejected, "Raw", "is empty")
	case out.NotAfter.IsZero():
		return 0, field(provider.ErrRejected, "NotAfter", "is zero; a send needs a deadline")
	case len(out.To)+len(out.Cc)+len(out.Bcc) == 0:
		return 0, field(provider.ErrRejected, "To", "names nobody")
	case limits.MaxRecipients > 0 && len(out.To)+len(out.Cc)+len(out.Bcc) > limits.MaxRecipients:
		return 0, field(provider.ErrRejected, "To", "has more recipients than the service takes")
	case limits.MaxMessageBytes > 0 && int64(len(out.Raw)) > limits.MaxMessageBytes:
		return 0, fail(OpSend, provider.ErrTooLarge, "raw")
	case !b.account.Owns(out.From.Addr):
		return 0, fail(OpSend, provider.ErrSenderNotAllowed, "from")
	}
	if out.Thread.ID != "" {
		n, ok := numberOf(out.Thread.ID, "t")
		if !ok {
			return 0, fail(OpSend, provider.ErrNotFound, "no_thread")
		}
		thread = n
	}
	return thread, nil
}

// Locate implements provider.Mailbox.
func (b *memMailbox) Locate(ctx context.Context, key provider.SendKey) ([]provider.Located, error) {
	unknown := fail(OpLocate, provider.ErrOutcomeUnknown, "")
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", opName(OpLocate), err)
	}
	if b.provider.Abilities(b.account.Access).Locate == provider.ReachNone {
		return nil, unknown
	}
	settled := key.Deadline.Add(b.provider.cfg.Limits.Settle)
	asked := b.provider.office.clock.Now() // before anything is read: what appears later proves nothing
	m, rule, err := b.begin(ctx, OpLocate, provider.AccessEnvelopes, RequestSearch)
	if err != nil {
		return nil, err
	}
	found := b.copies(m, key)
	gone, err := b.unexplained(m, key.Cursor)
	if err != nil {
		return nil, err
	}
	if err := finish(ctx, OpLocate, rule); err != nil {
		return nil, err
	}
	switch {
	case len(found) > 0:
		return found, nil
	case key.Deadline.IsZero():
		return nil, unknown
	case asked.Before(settled):
		return nil, &provider.Error{Kind: provider.ErrNotSettled, Op: opName(OpLocate), Until: settled}
	case !key.Proven || gone || key.Accepted:
		return nil, unknown
	}
	return nil, fail(OpLocate, provider.ErrNotSent, "")
}

// copies finds messages that are the mail: by its Message-ID, or among the
// owner's own by its key, where the Message-ID was replaced.
func (b *memMailbox) copies(m *Mailbox, key provider.SendKey) []provider.Located {
	found := m.ByMessageID(key.MessageID)
	for msg := range m.Visible() {
		if !msg.Own || msg.Received.Before(key.From.Add(-time.Minute)) ||
			slices.ContainsFunc(found, func(f Message) bool { return f.Number == msg.Number }) {
			continue
		}
		if !key.Accepted { // else the service looks, and tells the copy alone
			m.CountEnvelope(msg.Number)
		}
		fields, _ := Split(msg.Raw)
		h := headerOf(fields)
		original := provider.BareID(h.Get("X-Google-Original-Message-ID"))
		if key.Key != "" && strings.TrimSpace(h.Get(provider.KeyHeader)) == key.Key ||
			original != "" && original == provider.BareID(key.MessageID) {
			found = append(found, msg)
		}
	}
	var out []provider.Located
	for _, msg := range found {
		m.CountEnvelope(msg.Number)
		for _, place := range msg.Places() {
			out = append(out, provider.Located{
				Ref: refOf(msg.Number), Thread: threadOf(msg.Thread), MessageID: msg.MessageID, Place: place, At: msg.Received,
			})
		}
	}
	return out
}

// unexplained reports whether the copy of a mail sent after the cursor may
// have been deleted: something that came after the cursor and was not
// received from others is gone, or the span can't be read.
func (b *memMailbox) unexplained(m *Mailbox, since provider.Cursor) (bool, error) {
	if since == "" {
		return true, nil
	}
	id, ok := b.position(since)
	if !ok {
		return false, fail(OpLocate, provider.ErrRejected, "cursor")
	}
	changes, _, err := m.Changes(id, 0)
	if err != nil {
		return true, nil
	}
	came := make(map[int64]bool)
	for _, c := range changes {
		switch {
		case c.Kind == Added && c.Own:
			came[c.Number] = true
		case c.Kind == Deleted && came[c.Number]:
			return true, nil
		}
	}
	return false, nil
}
