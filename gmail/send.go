package gmail

import (
	"context"
	"encoding/base64"
	"fmt"
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
	if err := m.checkOutgoing(op, out); err != nil {
		return provider.Receipt{}, err
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

// checkOutgoing refuses before any request what Gmail would refuse, or
// silently change.
func (m *mailbox) checkOutgoing(op string, out *provider.Outgoing) error {
	bad := func(field, problem string) error {
		return courier.Invalid(op, field, problem)
	}
	switch n := len(out.To) + len(out.Cc) + len(out.Bcc); {
	case len(out.Raw) == 0:
		return bad("Raw", "is empty")
	case out.NotAfter.IsZero():
		return bad("NotAfter", "is not set")
	case n == 0:
		return bad("To", "names no recipient")
	case m.p.limits.MaxRecipients > 0 && n > m.p.limits.MaxRecipients:
		return bad("To", fmt.Sprintf("with Cc and Bcc names %d recipients; the limit is %d", n, m.p.limits.MaxRecipients))
	case !m.acc.Owns(out.From.Addr):
		// Gmail would put the primary address in its place without a word
		// (a belief).
		return &provider.Error{Kind: provider.ErrSenderNotAllowed, Op: op, Reason: "from_not_owned"}
	case m.p.limits.MaxMessageBytes > 0 && int64(len(out.Raw)) > m.p.limits.MaxMessageBytes:
		return &provider.Error{Kind: provider.ErrTooLarge, Op: op, Reason: "message_bytes"}
	case out.Thread.ID != "" && !validRef(provider.Ref(out.Thread.ID)):
		return bad("Thread.ID", "is not a Gmail thread id")
	}
	return nil
}
