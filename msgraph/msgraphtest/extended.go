package msgraphtest

import (
	"strconv"
	"strings"
)

// headerSet is the property set whose named properties are internet headers
// (https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxprops).
const headerSet = "{00020386-0000-0000-c000-000000000046}"

// extended returns an extended property of the message, by its id: a tag as
// in "String 0x001A", or the name of an internet header. ok is false where
// the message has none.
func (v *view) extended(id string) (value string, k kind, ok bool) {
	if set, name, named := propertyName(id); named {
		if set != headerSet {
			return "", isEnvelope, false
		}
		value = v.first(name) // names are looked up without regard to case here
		return value, isEnvelope, value != ""
	}
	tag, ok := propertyTag(id)
	if !ok {
		return "", isNothing, false
	}
	k = isEnvelope
	switch tag {
	case 0x001a: // PidTagMessageClass
		value, k = v.class(), isNothing
	case 0x0037: // PidTagSubject
		value = v.msg.Subject
	case 0x0070: // PidTagConversationTopic
		value = v.msg.Subject
	case 0x007d: // PidTagTransportMessageHeaders
		if v.travelled() {
			var b strings.Builder
			for _, f := range v.raw() {
				b.WriteString(f.Name + ": " + f.Value + "\r\n")
			}
			value = b.String()
		}
	case 0x1000: // PidTagBody
		value, k = v.text(), isContent
	case 0x1035: // PidTagInternetMessageId
		value = v.msg.MessageID
	case 0x1039: // PidTagInternetReferences
		value = strings.Join(v.header().References, " ")
	case 0x1042: // PidTagInReplyToId
		if ids := v.header().InReplyTo; len(ids) > 0 {
			value = ids[0]
		}
	case 0x1045: // PidTagListUnsubscribe
		value = v.first("List-Unsubscribe")
	case 0x5d01, 0x5d02: // PidTagSenderSmtpAddress, PidTagSentRepresentingSmtpAddress
		if from := v.header().From; len(from) > 0 {
			value = from[0].Addr
		}
	}
	return value, k, value != ""
}

// propertyTag reads an id that is a type and a tag.
func propertyTag(id string) (uint64, bool) {
	kind, tag, ok := strings.Cut(id, " ")
	if !ok || !strings.EqualFold(kind, "String") || len(tag) < 3 || !strings.EqualFold(tag[:2], "0x") {
		return 0, false
	}
	n, err := strconv.ParseUint(tag[2:], 16, 16)
	return n, err == nil
}

// propertyName reads an id that is a type, a property set and a name.
func propertyName(id string) (set, name string, ok bool) {
	kind, rest, _ := strings.Cut(id, " ")
	set, name, ok = strings.Cut(rest, " Name ")
	return strings.ToLower(set), name, ok && strings.EqualFold(kind, "String")
}

// validProperty reports whether an id is one at all.
func validProperty(id string) bool {
	_, tag := propertyTag(id)
	set, name, named := propertyName(id)
	return tag || named && name != "" && len(set) == 38 && set[0] == '{' && set[37] == '}' && isGUID(set[1:37])
}

// shortTag writes an id as Graph's answers do: a tag without leading zeros, a
// property set in lower case.
func shortTag(id string) string {
	if tag, ok := propertyTag(id); ok {
		return "String 0x" + strconv.FormatUint(tag, 16)
	}
	if set, name, ok := propertyName(id); ok {
		return "String " + set + " Name " + name
	}
	return id
}

// class is the class that Exchange gives a message. Reports of other systems
// become reports of its own kind, and what answers a rule keeps its class
// inside one organisation.
func (v *view) class() string {
	if v.msg.Class != "" {
		return v.msg.Class
	}
	switch ct := v.header().ContentType; {
	case strings.Contains(ct, "report-type=delivery-status"):
		if r := v.content().Report; r != nil && len(r.Recipients) > 0 && r.Recipients[0].Action == "delayed" {
			return "REPORT.IPM.Note.DELAYED"
		}
		return "REPORT.IPM.Note.NDR"
	case strings.Contains(ct, "report-type=disposition-notification"):
		return "REPORT.IPM.Note.IPNRN"
	case strings.HasPrefix(ct, "text/calendar"):
		return "IPM.Schedule.Meeting.Request"
	case strings.EqualFold(v.first("X-MS-Exchange-Generated-Message-Source"), "Mailbox Rules Agent") && v.sameOrganisation():
		return "IPM.Note.Rules.OofTemplate.Microsoft"
	}
	return "IPM.Note"
}

func (v *view) sameOrganisation() bool {
	if len(v.msg.From) == 0 {
		return false
	}
	_, domain, _ := strings.Cut(v.msg.From[0], "@")
	return domain == domainOf(v.call.box)
}
