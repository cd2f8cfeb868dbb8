package gmail

import (
	"context"
	"encoding/base64"
	"net/http"

	gmailapi "google.golang.org/api/gmail/v1"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// Send implements provider.Mailbox.
func (m *mailbox) Send(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
	const op = "gmail: send"
	if err := m.may(op, provider.AccessSend); err != nil {
		return provider.Receipt{}, err
	}
	if err := courier.CheckOutgoing(op, out, m.acc, m.p.limits); err != nil {
		return provider.Receipt{}, err
	}
	if out.Thread.ID != "" && !validRef(provider.Ref(out.Thread.ID)) {
		return provider.Receipt{}, courier.Invalid(op, "Thread.ID", "is not a Gmail thread id")
	}
	if err := ctx.Err(); err != nil {
		return provider.Receipt{}, courier.Interrupted(op, err)
	}
	if m.p.limits.SendTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, m.p.limits.SendTimeout)
		defer cancel()
	}
	watched, a := courier.Watch(ctx, out.NotAfter, http.StatusOK, http.StatusAccepted)
	msg := &gmailapi.Message{Raw: base64.URLEncoding.EncodeToString(out.Raw), ThreadId: out.Thread.ID}
	sent, err := m.svc.Users.Messages.Send(me, msg).Fields("id", "threadId").Context(watched).Do()
	receipt := provider.Receipt{At: m.p.now()}
	switch a.Outcome() {
	case courier.Accepted:
		// Where the answer's body was lost or unreadable the mail is sent all
		// the same; its ids are found in the mailbox.
		if err == nil {
			receipt.Ref, receipt.Thread = provider.Ref(sent.Id), sent.ThreadId
		}
		return receipt, nil
	case courier.NotSent:
		if ctx.Err() != nil && a.Status() == 0 {
			return provider.Receipt{}, courier.Interrupted(op, ctx.Err())
		}
		pe := m.p.classify(op, err)
		if pe.Kind == provider.ErrOutcomeUnknown {
			pe.Kind = provider.ErrTemporary // a token source's word, and not about the mail
		}
		return provider.Receipt{}, pe
	}
	return provider.Receipt{}, &provider.Error{Kind: provider.ErrOutcomeUnknown, Op: op, Reason: a.UnknownReason(), Err: err}
}
