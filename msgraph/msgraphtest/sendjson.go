package msgraphtest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// jsonSend is the body of sendMail as JSON. Names match in any case, as
// encoding/json does it: the SDK writes Message and SaveToSentItems.
type jsonSend struct {
	Message         *jsonMessage `json:"message"`
	SaveToSentItems *bool        `json:"saveToSentItems"`
}

// jsonMessage is what of a message makes a mail.
type jsonMessage struct {
	Subject string `json:"subject"`
	Body    struct {
		ContentType string `json:"contentType"`
		Content     string `json:"content"`
	} `json:"body"`
	From          *jsonRecipient  `json:"from"`
	ToRecipients  []jsonRecipient `json:"toRecipients"`
	CcRecipients  []jsonRecipient `json:"ccRecipients"`
	BccRecipients []jsonRecipient `json:"bccRecipients"`
	ReplyTo       []jsonRecipient `json:"replyTo"`
	Headers       []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"internetMessageHeaders"`
	Attachments []struct {
		Name         string `json:"name"`
		ContentType  string `json:"contentType"`
		ContentID    string `json:"contentId"`
		IsInline     bool   `json:"isInline"`
		ContentBytes []byte `json:"contentBytes"`
	} `json:"attachments"`
	Extended []struct {
		ID    string `json:"id"`
		Value string `json:"value"`
	} `json:"singleValueExtendedProperties"`
}

type jsonRecipient struct {
	EmailAddress struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"emailAddress"`
}

func (r jsonRecipient) address() provider.Address {
	return provider.Address{Name: r.EmailAddress.Name, Addr: r.EmailAddress.Address}
}

func addressesOf(list []jsonRecipient) []provider.Address {
	var out []provider.Address
	for _, r := range list {
		out = append(out, r.address())
	}
	return out
}

// customHeader reports whether a header is one that JSON may set.
func customHeader(name string) bool { return len(name) > 2 && strings.EqualFold(name[:2], "X-") }

// maxHeaders is how many headers JSON may set, as users report.
const maxHeaders = 5

// jsonMail makes the mail that a request as JSON describes.
func (c *call) jsonMail(body []byte) (raw []byte, save bool, f *failure) {
	var in jsonSend
	if err := json.Unmarshal(body, &in); err != nil || in.Message == nil {
		return nil, false, badQuery("The body of the request is not a message that can be sent.")
	}
	msg := in.Message
	d := mimemsg.Draft{
		From: provider.Address{Name: c.box.Name(), Addr: c.box.Address()}, To: addressesOf(msg.ToRecipients), Cc: addressesOf(msg.CcRecipients),
		Bcc: addressesOf(msg.BccRecipients), ReplyTo: addressesOf(msg.ReplyTo), Subject: msg.Subject, Date: c.s.clock.Now(),
		MessageID: "<" + c.w.Header().Get("request-id") + "@" + domainOf(c.box) + ">",
	}
	if msg.From != nil {
		d.From = msg.From.address()
	}
	if strings.EqualFold(msg.Body.ContentType, "html") {
		d.HTML = msg.Body.Content
	} else {
		d.Text = msg.Body.Content
	}
	if d.HTML == "" && d.Text == "" {
		d.Text = "\r\n"
	}
	if len(msg.Headers) > maxHeaders {
		return nil, false, fail(http.StatusBadRequest, "InvalidInternetMessageHeaderCollection", "The number of internet message headers exceeds the maximum.")
	}
	for _, h := range msg.Headers {
		if !customHeader(h.Name) {
			return nil, false, fail(http.StatusBadRequest, "InvalidInternetMessageHeader", "The internet message header name '"+h.Name+"' should start with 'x-' or 'X-'.")
		}
		if strings.EqualFold(h.Name, provider.KeyHeader) {
			d.Key = h.Value
			continue
		}
		d.Header = append(d.Header, mimemsg.Field{Name: h.Name, Value: h.Value})
	}
	for _, a := range msg.Attachments {
		d.Attachments = append(d.Attachments, mimemsg.File{Name: a.Name, ContentType: a.ContentType, Data: a.ContentBytes, ContentID: a.ContentID, Inline: a.IsInline})
	}
	for _, p := range msg.Extended {
		switch tag, _ := propertyTag(p.ID); tag {
		case 0x1035: // PidTagInternetMessageId
			d.MessageID = p.Value
		case 0x1039: // PidTagInternetReferences
			d.References = strings.Fields(p.Value)
		case 0x1042: // PidTagInReplyToId
			d.InReplyTo = p.Value
		case 0x1045: // PidTagListUnsubscribe
			d.Header = append(d.Header, mimemsg.Field{Name: "List-Unsubscribe", Value: p.Value})
		}
	}
	raw, err := mimemsg.Build(d)
	var field *provider.FieldError
	switch {
	case errors.As(err, &field) && recipientField(field.Field):
		return nil, false, fail(http.StatusBadRequest, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
	case err != nil:
		return nil, false, fail(http.StatusBadRequest, "ErrorInvalidArgument", "The message can't be sent as it is.")
	}
	return raw, in.SaveToSentItems == nil || *in.SaveToSentItems, nil
}

// recipientField reports whether a FieldError's name is that of a list of
// recipients, or of one recipient in it: To, or To[2].
func recipientField(name string) bool {
	name, _, _ = strings.Cut(name, "[")
	return name == "To" || name == "Cc" || name == "Bcc"
}
