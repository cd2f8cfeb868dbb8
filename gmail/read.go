package gmail

import (
	"context"
	"encoding/base64"
	"io"
	"slices"
	"strings"

	gmailapi "google.golang.org/api/gmail/v1"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// Envelope implements provider.Mailbox: named headers and named fields, so
// that no snippet leaves the server.
func (m *mailbox) Envelope(ctx context.Context, ref provider.Ref) (*provider.Envelope, error) {
	const op = "gmail: envelope"
	if err := m.may(op, provider.AccessEnvelopes); err != nil {
		return nil, err
	}
	msg, err := m.headers(ctx, op, ref, provider.EnvelopeHeaders())
	if err != nil {
		return nil, err
	}
	env := mimemsg.ReadHeader(fields(msg))
	situate(&env, msg)
	return &env, nil
}

// headers asks for some headers of one message.
func (m *mailbox) headers(ctx context.Context, op string, ref provider.Ref, names []string) (*gmailapi.Message, error) {
	if !validRef(ref) {
		return nil, &provider.Error{Kind: provider.ErrNotFound, Op: op, Reason: "not_a_message_id"}
	}
	msg, err := m.svc.Users.Messages.Get(me, string(ref)).Format("metadata").MetadataHeaders(names...).
		Fields("id", "threadId", "labelIds", "internalDate", "payload(headers)").Context(ctx).Do()
	if err != nil {
		return nil, m.fault(ctx, op, err)
	}
	return msg, nil
}

func fields(msg *gmailapi.Message) []mimemsg.Field {
	if msg.Payload == nil {
		return nil
	}
	out := make([]mimemsg.Field, len(msg.Payload.Headers))
	for i, h := range msg.Payload.Headers {
		out[i] = mimemsg.Field{Name: h.Name, Value: h.Value}
	}
	return out
}

// situate adds what Gmail knows of a message beside its headers.
func situate(env *provider.Envelope, msg *gmailapi.Message) {
	env.Ref, env.Thread = provider.Ref(msg.Id), msg.ThreadId
	env.Place = places(msg.LabelIds)[0]
	env.Own = slices.Contains(msg.LabelIds, "SENT")
	env.Draft = slices.Contains(msg.LabelIds, "DRAFT")
	env.Received = received(msg)
}

// Content implements provider.Mailbox.
func (m *mailbox) Content(ctx context.Context, w provider.Warrant) (*provider.Message, error) {
	const op = "gmail: content"
	msg, raw, err := m.raw(ctx, op, w)
	if err != nil {
		return nil, err
	}
	out, _ := mimemsg.Read(raw) // what is wrong with it is in Defect
	situate(&out.Envelope, msg)
	return out, nil
}

// Attachment implements provider.Mailbox.
func (m *mailbox) Attachment(ctx context.Context, w provider.Warrant, part string) (io.ReadCloser, error) {
	const op = "gmail: attachment"
	_, raw, err := m.raw(ctx, op, w)
	if err != nil {
		return nil, err
	}
	return mimemsg.OpenPart(raw, part)
}

// raw fetches the whole message in one request. The warrant is asked first.
func (m *mailbox) raw(ctx context.Context, op string, w provider.Warrant) (*gmailapi.Message, []byte, error) {
	if !w.Permits(m.acc.Subject) {
		return nil, nil, &provider.Error{Kind: provider.ErrNoWarrant, Op: op}
	}
	if err := m.may(op, provider.AccessReplies); err != nil {
		return nil, nil, err
	}
	if !validRef(w.Ref()) {
		return nil, nil, &provider.Error{Kind: provider.ErrNotFound, Op: op, Reason: "not_a_message_id"}
	}
	msg, err := m.svc.Users.Messages.Get(me, string(w.Ref())).Format("raw").
		Fields("id", "threadId", "labelIds", "internalDate", "raw").Context(ctx).Do()
	if err != nil {
		return nil, nil, m.fault(ctx, op, err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(msg.Raw, "="))
	if err != nil {
		return nil, nil, &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "raw_not_base64url"}
	}
	return msg, raw, nil
}
