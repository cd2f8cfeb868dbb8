package msgraph

import (
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// message is what this package decodes of a Graph message: the few fields it
// asks for. The SDK's model costs several times as much: see
// BENCHMARKS.md.
type message struct {
	ID           string    `json:"id"`
	Conversation string    `json:"conversationId"`
	Folder       string    `json:"parentFolderId"`
	Draft        bool      `json:"isDraft"`
	Removed      *struct{} `json:"@removed"`

	MessageID  string      `json:"internetMessageId"`
	Subject    string      `json:"subject"`
	From       *recipient  `json:"from"`
	Sender     *recipient  `json:"sender"`
	ReplyTo    []recipient `json:"replyTo"`
	To         []recipient `json:"toRecipients"`
	Cc         []recipient `json:"ccRecipients"`
	Sent       string      `json:"sentDateTime"`
	Received   string      `json:"receivedDateTime"`
	Headers    []header    `json:"internetMessageHeaders"`
	Properties []property  `json:"singleValueExtendedProperties"`
}

type recipient struct {
	Email struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"emailAddress"`
}

type header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type property struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

// identifiers are all that is asked of mail that may be none of ours.
func identifiers() []string { return []string{"id", "conversationId", "parentFolderId", "isDraft"} }

// The MAPI properties that tell what JSON leaves out
// (https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxprops).
// They stand also in reports that Exchange writes itself, and in sent copies,
// neither of which has internet headers.
const (
	propClass      = "String 0x001A" // PidTagMessageClass
	propHeaders    = "String 0x007D" // PidTagTransportMessageHeaders
	propReferences = "String 0x1039" // PidTagInternetReferences
	propInReplyTo  = "String 0x1042" // PidTagInReplyToId

	// A header of ours, if Exchange kept it as a named property: a belief.
	propKey = "String {00020386-0000-0000-C000-000000000046} Name " + provider.KeyHeader
)

// expand asks for properties.
func expand(ids ...string) []string {
	for i, id := range ids {
		ids[i] = "id eq '" + id + "'"
	}
	return []string{"singleValueExtendedProperties($filter=" + strings.Join(ids, " or ") + ")"}
}

func (m *message) property(id string) string {
	for _, p := range m.Properties {
		if propertyID(p.ID) == propertyID(id) {
			return p.Value
		}
	}
	return ""
}

// propertyID writes an id in one of the forms that come back: Graph may leave
// out the zeros before a tag.
func propertyID(id string) string {
	id = strings.ToLower(id)
	if kind, tag, ok := strings.Cut(id, " 0x"); ok {
		return kind + " 0x" + strings.TrimLeft(tag, "0")
	}
	return id
}

// instant reads Graph's times; zero if it is none.
func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

func addresses(rs ...recipient) []provider.Address {
	var out []provider.Address
	for _, r := range rs {
		if a := (provider.Address{Name: r.Email.Name, Addr: r.Email.Address}); a != (provider.Address{}) {
			if a.Name == a.Addr { // Exchange repeats the address where there is no name
				a.Name = ""
			}
			out = append(out, a)
		}
	}
	return out
}

// envelope makes one of a message. Headers come first where they came; what
// they leave out, properties and fields tell.
func (m *message) envelope() provider.Envelope {
	var fields []mimemsg.Field
	allowed := provider.EnvelopeHeaders()
	keep := func(name, value string) {
		if slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, name) }) {
			fields = append(fields, mimemsg.Field{Name: name, Value: value})
		}
	}
	for _, h := range m.Headers {
		keep(h.Name, h.Value)
	}
	if len(m.Headers) == 0 {
		for name, value := range transportHeaders(m.property(propHeaders)) {
			keep(name, value)
		}
	}
	if key := m.property(propKey); key != "" && !slices.ContainsFunc(fields, func(f mimemsg.Field) bool { return strings.EqualFold(f.Name, provider.KeyHeader) }) {
		keep(provider.KeyHeader, key) // copies in Sent Items have no headers but this
	}
	env := mimemsg.ReadHeader(fields)
	env.Thread, env.Draft, env.Class = m.Conversation, m.Draft, m.property(propClass)
	if m.MessageID != "" {
		env.MessageID = m.MessageID
	}
	if len(env.InReplyTo) == 0 {
		env.InReplyTo = mimemsg.ReadHeader([]mimemsg.Field{{Name: "In-Reply-To", Value: m.property(propInReplyTo)}}).InReplyTo
	}
	if len(env.References) == 0 {
		env.References = mimemsg.ReadHeader([]mimemsg.Field{{Name: "References", Value: m.property(propReferences)}}).References
	}
	// The fields are what Exchange understood, decoded.
	if m.From != nil {
		env.From = addresses(*m.From)
	}
	if m.Sender != nil {
		env.Sender = addresses(*m.Sender)
	}
	if len(m.ReplyTo) > 0 {
		env.ReplyTo = addresses(m.ReplyTo...)
	}
	if len(m.To) > 0 {
		env.To = addresses(m.To...)
	}
	if len(m.Cc) > 0 {
		env.Cc = addresses(m.Cc...)
	}
	if m.Subject != "" {
		env.Subject = m.Subject
	}
	if env.Date.IsZero() {
		env.Date = instant(m.Sent)
	}
	env.Received = instant(m.Received)
	return env
}

// transportHeaders splits a header block into names and values, folded lines
// joined.
func transportHeaders(block string) func(yield func(name, value string) bool) {
	return func(yield func(string, string) bool) {
		name, value := "", ""
		for line := range strings.Lines(block) {
			line = strings.TrimRight(line, "\r\n")
			if name != "" && line != "" && (line[0] == ' ' || line[0] == '\t') {
				value += line
				continue
			}
			if name != "" && !yield(name, value) {
				return
			}
			name, value = "", ""
			if n, v, ok := strings.Cut(line, ":"); ok {
				name, value = strings.TrimSpace(n), strings.TrimSpace(v)
			}
		}
		if name != "" {
			yield(name, value)
		}
	}
}
