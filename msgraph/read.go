package msgraph

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// Envelope implements provider.Mailbox: named fields and properties, never
// bodyPreview. Graph gives internet headers all or none; those that an
// Envelope has no place for are dropped. Whether Mail.ReadBasic shows any is
// a belief: where it doesn't, by leaving them out or by refusing a request
// that names them, the envelope is Partial.
func (m *mailbox) Envelope(ctx context.Context, ref provider.Ref) (*provider.Envelope, error) {
	const op = "msgraph: envelope"
	if err := m.may(op, provider.AccessEnvelopes); err != nil {
		return nil, err
	}
	fields := append(located(), "subject", "from", "sender", "replyTo", "toRecipients", "ccRecipients", "sentDateTime")
	all := append(slices.Clone(fields), "internetMessageHeaders")
	var msg *message
	var err error
	if !m.basic() {
		msg, err = m.one(ctx, op, ref, all, propClass, propHeaders, propReferences, propInReplyTo, propKey)
	} else if msg, err = m.one(ctx, op, ref, all); errors.Is(err, provider.ErrAccess) && !m.p.headersShown.Load() {
		msg, err = m.one(ctx, op, ref, fields)
	}
	if err != nil {
		return nil, err
	}
	env := msg.envelope()
	if m.basic() {
		env.Partial = len(msg.Headers) == 0
		if !env.Partial {
			m.p.headersShown.Store(true) // so that a refusal has another cause
		}
	}
	if err := m.situate(ctx, op, &env, msg); err != nil {
		return nil, err
	}
	return &env, nil
}

// situate adds where a message lies.
func (m *mailbox) situate(ctx context.Context, op string, env *provider.Envelope, msg *message) error {
	place, err := m.place(ctx, op, msg.Folder)
	if err != nil {
		return err
	}
	env.Ref, env.Place = provider.Ref(msg.ID), place
	env.Own = place == provider.PlaceSent || place == provider.PlaceOutbox || place == provider.PlaceDraft
	return nil
}

// Content implements provider.Mailbox: the message's MIME, in one request.
func (m *mailbox) Content(ctx context.Context, w provider.Warrant) (*provider.Message, error) {
	const op = "msgraph: content"
	raw, err := m.raw(ctx, op, w)
	if err != nil {
		return nil, err
	}
	out, _ := mimemsg.Read(raw) // what is wrong with it is in Defect
	out.Envelope.Ref = w.Ref()
	return out, nil
}

// Attachment implements provider.Mailbox.
func (m *mailbox) Attachment(ctx context.Context, w provider.Warrant, part string) (io.ReadCloser, error) {
	const op = "msgraph: attachment"
	raw, err := m.raw(ctx, op, w)
	if err != nil {
		return nil, err
	}
	return mimemsg.OpenPart(raw, part)
}

// raw fetches the whole message. The warrant is asked first.
func (m *mailbox) raw(ctx context.Context, op string, w provider.Warrant) ([]byte, error) {
	if !w.Permits(m.acc.Subject) {
		return nil, &provider.Error{Kind: provider.ErrNoWarrant, Op: op}
	}
	if err := m.may(op, provider.AccessReplies); err != nil {
		return nil, err
	}
	if !validRef(w.Ref()) {
		return nil, &provider.Error{Kind: provider.ErrNotFound, Op: op, Reason: "not_a_message_id"}
	}
	raw, err := m.do(ctx, op, func(ctx context.Context) (*abstractions.RequestInformation, error) {
		return m.user().Messages().ByMessageId(string(w.Ref())).Content().ToGetRequestInformation(ctx, nil)
	})
	if err == nil && !beginsWithField(raw) {
		return nil, &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "answer_not_mime"}
	}
	return raw, err
}

// beginsWithField tells a mail from a page of somebody in between: it begins
// with a header field (RFC 5322 section 2.2), and no tag.
func beginsWithField(raw []byte) bool {
	name, _, found := bytes.Cut(raw[:min(len(raw), 1000)], []byte(":"))
	return found && len(name) > 0 && name[0] != '<' && !bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}
