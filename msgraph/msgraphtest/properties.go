package msgraphtest

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// kind says what leaves the server with a property of a message.
type kind int

const (
	isNothing  kind = iota // identifiers and what the service itself made
	isEnvelope             // the value of a header
	isContent              // text
)

// property is one property of a message
// (https://learn.microsoft.com/graph/api/resources/message#properties).
type property struct {
	name   string
	kind   kind
	asked  bool // comes only where $select names it
	value  func(*view) any
	denied bool // to Mail.ReadBasic
}

// messageProperties lists them.
func messageProperties() []property {
	none := func(v any) func(*view) any { return func(*view) any { return v } }
	return []property{
		{name: "id", value: func(v *view) any { return v.call.messageID(v.msg.Number, v.folder) }},
		{name: "createdDateTime", value: (*view).received},
		{name: "lastModifiedDateTime", value: (*view).received},
		{name: "changeKey", value: (*view).changeKey},
		{name: "categories", value: func(v *view) any { return categoriesOf(v.msg.Labels) }},
		{name: "receivedDateTime", value: (*view).received},
		{name: "sentDateTime", kind: isEnvelope, value: (*view).sent},
		{name: "hasAttachments", value: func(v *view) any { return len(v.files(false)) > 0 }},
		{name: "internetMessageId", kind: isEnvelope, value: func(v *view) any { return orNull(v.msg.MessageID) }},
		{name: "subject", kind: isEnvelope, value: func(v *view) any { return v.msg.Subject }},
		{name: "bodyPreview", kind: isContent, denied: true, value: (*view).preview},
		{name: "importance", kind: isEnvelope, value: none("normal")},
		{name: "parentFolderId", value: func(v *view) any { return folderID(v.call.box, v.folder) }},
		{name: "conversationId", value: func(v *view) any { return conversationID(v.msg.Thread) }},
		{name: "conversationIndex", kind: isEnvelope, value: (*view).conversationIndex},
		{name: "isDeliveryReceiptRequested", kind: isEnvelope, value: none(false)},
		{name: "isReadReceiptRequested", kind: isEnvelope, value: none(false)},
		{name: "isRead", value: func(v *view) any { return isRead(v.msg) }},
		{name: "isDraft", value: func(v *view) any { return v.draft() }},
		{name: "webLink", value: func(v *view) any {
			return "https://outlook.office365.com/owa/?ItemID=" + v.call.messageID(v.msg.Number, v.folder)
		}},
		{name: "inferenceClassification", value: none("focused")},
		{name: "body", kind: isContent, denied: true, value: (*view).body},
		{name: "sender", kind: isEnvelope, value: (*view).sender},
		{name: "from", kind: isEnvelope, value: (*view).from},
		{name: "toRecipients", kind: isEnvelope, value: func(v *view) any { return recipients(v.header().To) }},
		{name: "ccRecipients", kind: isEnvelope, value: func(v *view) any { return recipients(v.header().Cc) }},
		{name: "bccRecipients", kind: isEnvelope, value: func(v *view) any { return recipients(v.list("Bcc")) }},
		{name: "replyTo", kind: isEnvelope, value: func(v *view) any { return recipients(v.header().ReplyTo) }},
		{name: "flag", value: none(map[string]any{"flagStatus": "notFlagged"})},
		{name: "internetMessageHeaders", kind: isEnvelope, asked: true, value: (*view).internetHeaders},
		{name: "uniqueBody", kind: isContent, asked: true, denied: true, value: (*view).uniqueBody},
	}
}

// shape is what a request wants to see of messages.
type shape struct {
	properties []property
	extended   []string // ids of extended properties, as they were asked for
	files      bool     // attachments too
}

// shape reads $select and $expand.
func (c *call) shape(query options) (shape, *failure) {
	var out shape
	all := messageProperties()
	fields := query.list("$select")
	for _, name := range fields {
		i := slices.IndexFunc(all, func(p property) bool { return strings.EqualFold(p.name, name) })
		switch {
		case i < 0:
			return out, noProperty(name, "microsoft.graph.message")
		case all[i].denied && c.basic(), all[i].name == "internetMessageHeaders" && c.basic() && c.s.cfg.Beliefs.BasicWithoutHeaders:
			return out, denied()
		case all[i].name != "id":
			out.properties = append(out.properties, all[i])
		}
	}
	if len(fields) == 0 {
		out.properties = slices.DeleteFunc(slices.Clone(all[1:]), func(p property) bool { return p.asked || p.denied && c.basic() })
	}
	out.properties = append(out.properties, all[0])
	expand := query["$expand"]
	if expand == "" {
		return out, nil
	}
	if c.basic() {
		return out, denied()
	}
	if strings.EqualFold(expand, "attachments") {
		out.files = true
		return out, nil
	}
	name, inner, ok := strings.Cut(expand, "(")
	inner, closed := strings.CutSuffix(inner, ")")
	if !strings.EqualFold(strings.TrimSpace(name), "singleValueExtendedProperties") {
		return out, noProperty(strings.TrimSpace(name), "microsoft.graph.message")
	}
	option, filter, _ := strings.Cut(inner, "=")
	if !ok || !closed || !strings.EqualFold(strings.TrimSpace(option), "$filter") {
		return out, fail(400, "ErrorInvalidProperty", "Expand on property 'SingleValueExtendedProperties' requires a filter by the ids of the properties.")
	}
	ids, err := parsePropertyIDs(filter)
	if err != nil {
		return out, badFilter(err)
	}
	out.extended = ids
	return out, nil
}

// row writes a message, and counts what of it leaves the server.
func (c *call) row(v *view, want shape) map[string]any {
	out := map[string]any{"@odata.etag": `W/"` + v.changeKey().(string) + `"`}
	envelope, content := false, false
	count := func(k kind) {
		envelope = envelope || k == isEnvelope
		content = content || k == isContent
	}
	for _, p := range want.properties {
		if val := p.value(v); val != (absent{}) {
			out[p.name] = val
			count(p.kind)
		}
	}
	var extended []map[string]any
	for _, id := range want.extended {
		val, k, ok := v.extended(id)
		if !ok {
			continue
		}
		count(k)
		if !c.s.cfg.Beliefs.PropertyIDsAsAsked {
			id = shortTag(id)
		}
		extended = append(extended, map[string]any{"id": id, "value": val})
	}
	if extended != nil {
		out["singleValueExtendedProperties"] = extended
	}
	if want.files {
		rows := []map[string]any{}
		for _, a := range v.files(true) {
			rows = append(rows, v.file(a, true))
		}
		out["attachments"] = rows
		count(isContent)
	}
	if envelope {
		c.box.CountEnvelope(v.msg.Number)
	}
	if content {
		c.box.CountContent(v.msg.Number)
	}
	return out
}

// absent is the value of a property that is left out.
type absent struct{}

func (v *view) draft() bool {
	at := folderOf(v.msg.Labels) // what was purged stays what it was
	return at == draftsFolder || at == outboxFolder
}

// files are the attachments, with the images of the HTML or without.
func (v *view) files(inline bool) []provider.Attachment {
	return slices.DeleteFunc(slices.Clone(v.content().Attachments), func(a provider.Attachment) bool { return a.Inline && !inline })
}

func stamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

func (v *view) received() any { return stamp(v.msg.Received) }

func (v *view) sent() any {
	if t := v.header().Date; !t.IsZero() {
		return stamp(t)
	}
	return stamp(v.msg.Received)
}

func (v *view) changeKey() any {
	b := binary.BigEndian.AppendUint64([]byte{9, 0, 0, 0}, uint64(v.msg.Number))
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(b, hashOf(v.msg.Labels...)))
}

// conversationIndex is a Thread-Index with nothing but its root.
func (v *view) conversationIndex() any {
	return base64.StdEncoding.EncodeToString(append([]byte{1, 0, 0, 0, 0, 0}, fmt.Sprintf("%016x", v.msg.Thread)...))
}

const maxPreview = 255

func (v *view) preview() any {
	text := []rune(strings.Join(strings.Fields(v.text()), " "))
	return string(text[:min(len(text), maxPreview)])
}

func (v *view) body() any {
	if m := v.content(); m.HTML != "" && !v.call.prefers.text {
		return map[string]any{"contentType": "html", "content": m.HTML}
	}
	return map[string]any{"contentType": "text", "content": v.text()}
}

// uniqueBody is the text above what it quotes.
func (v *view) uniqueBody() any {
	var out []string
	for line := range strings.Lines(v.text()) {
		if strings.HasPrefix(line, ">") {
			break
		}
		out = append(out, line)
	}
	return map[string]any{"contentType": "text", "content": strings.Join(out, "")}
}

func recipient(a provider.Address) map[string]any {
	name := a.Name
	if name == "" {
		name = a.Addr
	}
	return map[string]any{"emailAddress": map[string]any{"name": name, "address": a.Addr}}
}

func recipients(list []provider.Address) any {
	out := []map[string]any{}
	for _, a := range list {
		out = append(out, recipient(a))
	}
	return out
}

func (v *view) from() any {
	if from := v.header().From; len(from) > 0 {
		return recipient(from[0])
	}
	return absent{}
}

func (v *view) sender() any {
	if sender := v.header().Sender; len(sender) > 0 {
		return recipient(sender[0])
	}
	return v.from()
}

// internetHeaders are those of mail that came by the network: neither of
// reports that Exchange made itself nor, as users report, of sent copies.
func (v *view) internetHeaders() any {
	if !v.travelled() || v.call.basic() && v.call.s.cfg.Beliefs.BasicWithoutHeaders {
		return absent{}
	}
	var out []map[string]any
	for _, f := range v.raw() {
		if !strings.EqualFold(f.Name, "Bcc") {
			out = append(out, map[string]any{"name": f.Name, "value": f.Value})
		}
	}
	if out == nil {
		return absent{}
	}
	return out
}

// travelled reports whether the message keeps the headers that it came with.
func (v *view) travelled() bool {
	return v.msg.Class == "" && (!v.msg.Own || v.call.s.cfg.Beliefs.SentCopyHeaders)
}

func number(n int) string { return strconv.Itoa(n) }
