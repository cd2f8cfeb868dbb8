package msgraph

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// Send implements provider.Mailbox: sendMail with the finished MIME, as one
// request. 202 means that the mail was accepted; its ids become known when
// its copy is located, and what goes wrong from here on comes as a delivery
// report (https://learn.microsoft.com/graph/outlook-things-to-know-about-send-mail).
func (m *mailbox) Send(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
	const op = "msgraph: send"
	if err := m.may(op, provider.AccessSend); err != nil {
		return provider.Receipt{}, err
	}
	if err := courier.CheckOutgoing(op, out, m.acc, m.p.limits); err != nil {
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
	watched, a := courier.Watch(ctx, out.NotAfter, http.StatusAccepted)
	_, err := m.do(watched, op, func(context.Context) (*abstractions.RequestInformation, error) { return sendMail(out.Raw), nil })
	switch a.Outcome() {
	case courier.Accepted:
		return provider.Receipt{At: m.p.now()}, nil
	case courier.NotSent:
		return provider.Receipt{}, notSent(ctx, op, a, err)
	}
	return provider.Receipt{}, &provider.Error{Kind: provider.ErrOutcomeUnknown, Op: op, Reason: a.UnknownReason(), Err: err}
}

// notSent is the error of a mail that certainly was not sent.
func notSent(ctx context.Context, op string, a *courier.Attempt, err error) error {
	if ctx.Err() != nil && a.Status() == 0 {
		return courier.Interrupted(op, ctx.Err())
	}
	err = fault(context.WithoutCancel(ctx), op, err)
	if pe, ok := err.(*provider.Error); ok && pe.Kind == provider.ErrOutcomeUnknown {
		pe.Kind = provider.ErrTemporary // a token source's word, and not about the mail
	}
	return err
}

// sendMail is the request that the SDK has no builder for: its own takes
// JSON, which can carry neither our Message-ID nor References.
func sendMail(raw []byte) *abstractions.RequestInformation {
	info := abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(
		abstractions.POST, "{+baseurl}/users/"+me+"/sendMail", map[string]string{})
	body := make([]byte, base64.StdEncoding.EncodedLen(len(raw)))
	base64.StdEncoding.Encode(body, raw)
	info.SetStreamContentAndContentType(body, "text/plain")
	info.Headers.Add("Content-Length", strconv.Itoa(len(body))) // else the SDK sends it in chunks
	return info
}
