package postoffice

import (
	"bytes"
	"slices"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// envelopeOf reads the headers of a message as a service hands them out.
func envelopeOf(msg Message) *provider.Envelope {
	fields, _ := Split(msg.Raw)
	list := make([]mimemsg.Field, len(fields))
	for i, f := range fields {
		list[i] = mimemsg.Field{Name: f.Name, Value: f.Value}
	}
	env := mimemsg.ReadHeader(list)
	place(&env, msg)
	return &env
}

// place adds what the mailbox knows of a message.
func place(env *provider.Envelope, msg Message) {
	env.Ref, env.Thread, env.Place, env.Own = refOf(msg.Number), threadOf(msg.Thread), msg.Places()[0], msg.Own
	env.Draft, env.Received = msg.Has(LabelDraft), msg.Received
}

// readContent reads a whole message. What is malformed is told by its Defect.
func readContent(msg Message) *provider.Message {
	out, _ := mimemsg.Read(msg.Raw)
	place(&out.Envelope, msg)
	return out
}

// Names reports whether the message's text or headers name one of the
// addresses, as a full-text search would find it.
func (m Message) Names(addrs []string) bool {
	text := bytes.ToLower(m.Raw)
	return slices.ContainsFunc(addrs, func(a string) bool {
		key := provider.Normalize(a)
		return key != "" && bytes.Contains(text, []byte(key))
	})
}
