package msgraphtest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	kiotahttp "github.com/microsoft/kiota-http-go"
	graphmodels "github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

func encoded(raw []byte) string { return base64.StdEncoding.EncodeToString(raw) }

// sendMIME sends through the SDK's adapter, which has no builder for it.
func (w *graphWorld) sendMIME(raw []byte, opts ...abstractions.RequestOption) error {
	w.t.Helper()
	info := abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(
		abstractions.POST, "{+baseurl}/users/me-token-to-replace/sendMail", map[string]string{})
	info.SetStreamContentAndContentType([]byte(encoded(raw)), "text/plain")
	info.AddRequestOptions(opts)
	parse := func(serialization.ParseNode) (serialization.Parsable, error) { return odataerrors.NewODataError(), nil }
	return w.adapter().SendNoContent(w.t.Context(), info, abstractions.ErrorMappings{"4XX": parse, "5XX": parse})
}

// TestSendMIME: what is accepted as MIME leaves as it is.
func TestSendMIME(t *testing.T) {
	for _, sockets := range []bool{true, false} {
		var seen []msgraphtest.Exchange
		check := graphChecked(t)
		w := newGraphWorld(t, sockets, msgraphtest.Config{Check: func(ex msgraphtest.Exchange) {
			check(ex)
			seen = append(seen, ex)
		}})
		raw := w.mail("First", func(d *mimemsg.Draft) { d.Key, d.Bcc = "key-1", []provider.Address{{Addr: omar}} })
		w.must(w.sendMIME(raw))
		last := seen[len(seen)-1]
		if last.Status != http.StatusAccepted || len(last.ResponseBody) != 0 || last.Header.Get("Content-Type") != "" {
			t.Errorf("answered with %d %q", last.Status, last.ResponseBody)
		}
		if last.Request.Header.Get("Content-Encoding") != "gzip" || string(last.RequestBody) != encoded(raw) {
			t.Errorf("the SDK's compressed body was not decoded: %q", last.Request.Header.Get("Content-Encoding"))
		}
		w.must(w.sendMIME(w.mail("Second"), kiotahttp.NewCompressionOptionsReference(false)))
		if enc := seen[len(seen)-1].Request.Header.Get("Content-Encoding"); enc != "" {
			t.Errorf("the second was sent as %q", enc)
		}

		sent := w.office.Books().Submissions()
		if len(sent) != 2 || sent[0].MessageID != "<First@agency.example.com>" || sent[0].Key != "key-1" || !slices.Equal(sent[0].Recipients, []string{anna, omar}) {
			t.Fatalf("the books have %+v", sent)
		}
		got := w.get("/me/mailFolders/sentitems/messages?$select=subject,internetMessageId,isRead,bccRecipients&$orderby=subject")
		if got.column("subject") != "First,Second" || got.column("internetMessageId") != "<First@agency.example.com>,<Second@agency.example.com>" {
			t.Errorf("Sent Items have %s", got.body)
		}
		if bcc, _ := got.rows()[0]["bccRecipients"].([]any); len(bcc) != 1 {
			t.Errorf("the copy has %v in Bcc", bcc)
		}
		for m := range w.office.Mailbox(omar).Visible() {
			if strings.Contains(string(m.Raw), "Bcc:") {
				t.Errorf("Bcc left with the mail:\n%s", m.Raw)
			}
		}
	}
}

// TestSendRefused: what sendMail does not take, and that nothing of it is sent.
func TestSendRefused(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	nobody := "From: " + maria + "\r\nSubject: x\r\n\r\nx\r\n"
	foreign := "From: omar@agency.example.com\r\nTo: " + anna + "\r\nSubject: x\r\n\r\nx\r\n"
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("!"))
	w.must(z.Close())
	good := `{"message":{"subject":"x","body":{"contentType":"text","content":"x"},"toRecipients":[{"emailAddress":{"address":"` + anna + `"}}]%s}}`
	with := func(more string) string { return strings.Replace(good, "%s", more, 1) }
	six := strings.Repeat(`{"name":"x-a","value":"1"},`, 6)
	for _, c := range []struct {
		name, kind, body string
		status           int
		code             string
		encoding         string
	}{
		{name: "not base64", kind: "text/plain", body: "From: me\r\n", status: 400, code: "ErrorMimeContentInvalidBase64String"},
		{name: "base64 of URLs", kind: "text/plain", body: "_-__", status: 400, code: "ErrorMimeContentInvalidBase64String"},
		{name: "no recipients", kind: "text/plain", body: encoded([]byte(nobody)), status: 400, code: "ErrorInvalidRecipients"},
		{name: "foreign From", kind: "text/plain", body: encoded([]byte(foreign)), status: 403, code: "ErrorSendAsDenied"},
		{name: "too large", kind: "text/plain", body: strings.Repeat("QUJD", 1<<20+1), status: 413, code: "ErrorMessageSizeExceeded"},
		{name: "another type", kind: "message/rfc822", body: foreign, status: 415, code: "RequestBodyRead"},
		{name: "no type", body: foreign, status: 415, code: "RequestBodyRead"},
		{name: "compressed", kind: "text/plain", body: zipped.String(), encoding: "gzip", status: 400, code: "ErrorMimeContentInvalidBase64String"},
		{name: "badly compressed", kind: "text/plain", body: "gzip", encoding: "gzip", status: 400},
		{name: "not JSON", kind: "application/json", body: "{", status: 400, code: "BadRequest"},
		{name: "no message", kind: "application/json", body: "{}", status: 400, code: "BadRequest"},
		{name: "nobody in JSON", kind: "application/json", body: `{"message":{"subject":"x"}}`, status: 400, code: "ErrorInvalidRecipients"},
		{name: "a bad address", kind: "application/json", body: strings.Replace(with(""), anna, "anna", 1), status: 400, code: "ErrorInvalidRecipients"},
		{name: "foreign From in JSON", kind: "application/json; charset=utf-8", body: with(`,"from":{"emailAddress":{"address":"` + omar + `"}}`), status: 403, code: "ErrorSendAsDenied"},
		{name: "a header without x-", kind: "application/json", body: with(`,"internetMessageHeaders":[{"name":"References","value":"<a@b>"}]`), status: 400, code: "InvalidInternetMessageHeader"},
		{name: "six headers", kind: "application/json", body: with(`,"internetMessageHeaders":[` + strings.TrimSuffix(six, ",") + `]`), status: 400, code: "InvalidInternetMessageHeaderCollection"},
		{name: "attachments too large", kind: "application/json", body: with(`,"attachments":[{"name":"a","contentBytes":"` + strings.Repeat("QUJD", 1<<20) + `"}]`), status: 413, code: "ErrorMessageSizeExceeded"},
	} {
		header := []string{"Content-Type", c.kind}
		if c.encoding != "" {
			header = append(header, "Content-Encoding", c.encoding)
		}
		if a := w.do(http.MethodPost, "/me/sendMail", c.body, header...); a.status != c.status || a.code() != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.name, a.status, a.body, c.status, c.code)
		}
	}
	if a := w.do(http.MethodPost, "/me/sendMail?$select=id", with(""), "Content-Type", "application/json"); a.status != http.StatusBadRequest {
		t.Errorf("options of sendMail were answered with %d", a.status)
	}
	if sent := w.office.Books().Submissions(); len(sent) != 0 {
		t.Errorf("%d mails were sent", len(sent))
	}
	if a := w.do(http.MethodPost, "/me/sendMail", with(""), "Content-Type", "application/json"); a.status != http.StatusAccepted {
		t.Errorf("the good one: %d %s", a.status, a.body)
	}
	w.must(w.sendMIME([]byte(strings.Replace(foreign, omar, "jobs@agency.example.com", 1))))
	odata(t, w.sendMIME([]byte(nobody)), 400, "ErrorInvalidRecipients")
}

func to(addrs ...string) []graphmodels.Recipientable {
	var out []graphmodels.Recipientable
	for _, a := range addrs {
		email := graphmodels.NewEmailAddress()
		email.SetAddress(&a)
		r := graphmodels.NewRecipient()
		r.SetEmailAddress(email)
		out = append(out, r)
	}
	return out
}

func extendedProperty(id, v string) graphmodels.SingleValueLegacyExtendedPropertyable {
	p := graphmodels.NewSingleValueLegacyExtendedProperty()
	p.SetId(&id)
	p.SetValue(&v)
	return p
}

// TestSendJSON: all that a message of the SDK's may carry arrives.
func TestSendJSON(t *testing.T) {
	var body string
	check := graphChecked(t)
	w := newGraphWorld(t, true, msgraphtest.Config{Check: func(ex msgraphtest.Exchange) {
		check(ex)
		if strings.HasSuffix(ex.Request.URL.Path, "/sendMail") {
			body = string(ex.RequestBody)
		}
	}})
	kind, file := graphmodels.HTML_BODYTYPE, graphmodels.NewFileAttachment()
	file.SetName(ptr("offer.txt"))
	file.SetContentType(ptr("text/plain"))
	file.SetContentBytes([]byte("an offer"))
	logo := graphmodels.NewFileAttachment()
	logo.SetName(ptr("logo.png"))
	logo.SetContentType(ptr("image/png"))
	logo.SetContentId(ptr("logo"))
	logo.SetIsInline(ptr(true))
	logo.SetContentBytes([]byte("png"))
	key, loop := graphmodels.NewInternetMessageHeader(), graphmodels.NewInternetMessageHeader()
	key.SetName(ptr(provider.KeyHeader))
	key.SetValue(ptr("key-7"))
	loop.SetName(ptr("x-loop"))
	loop.SetValue(ptr("agency"))
	text := graphmodels.NewItemBody()
	text.SetContentType(&kind)
	text.SetContent(ptr("<p>Hello <b>Anna</b></p><img src=\"cid:logo\">"))
	m := graphmodels.NewMessage()
	m.SetSubject(ptr("An offer – für Sie"))
	m.SetBody(text)
	m.SetToRecipients(to(omar))
	m.SetCcRecipients(to(anna))
	m.SetBccRecipients(to("bea@clients.example.org"))
	m.SetReplyTo(to("jobs@agency.example.com"))
	m.SetInternetMessageHeaders([]graphmodels.InternetMessageHeaderable{key, loop})
	m.SetAttachments([]graphmodels.Attachmentable{file, logo})
	m.SetSingleValueExtendedProperties([]graphmodels.SingleValueLegacyExtendedPropertyable{
		extendedProperty("String 0x1035", "<mine@agency.example.com>"), extendedProperty("String 0x1039", "<a@x.example.com> <b@x.example.com>"),
		extendedProperty("String 0x1042", "<b@x.example.com>"), extendedProperty("String 0x1045", "<https://agency.example.com/leave>"),
	})
	post := users.NewItemSendMailPostRequestBody()
	post.SetMessage(m)
	w.must(w.me().SendMail().Post(t.Context(), post, nil))
	if !strings.HasPrefix(body, `{"Message":`) {
		t.Errorf("the SDK wrote %.40s", body)
	}

	sub := w.office.Books().Submissions()[0]
	if sub.MessageID != "<mine@agency.example.com>" || sub.Key != "key-7" || !slices.Equal(sub.Recipients, []string{omar, anna, "bea@clients.example.org"}) {
		t.Errorf("sent %+v", sub)
	}
	w.bearer = w.token(omar, "Mail.Read")
	ask := &users.ItemMessagesRequestBuilderGetRequestConfiguration{QueryParameters: &users.ItemMessagesRequestBuilderGetQueryParameters{
		Filter: ptr("internetMessageId eq '<mine@agency.example.com>'"),
		Select: []string{"subject", "body", "replyTo", "ccRecipients", "bccRecipients", "hasAttachments", "internetMessageHeaders"},
		Expand: []string{"singleValueExtendedProperties($filter=id eq 'String 0x1039' or id eq 'String 0x1042' or id eq 'String 0x1045')"},
	}}
	list, err := w.me().Messages().Get(t.Context(), ask)
	w.must(err)
	if len(list.GetValue()) != 1 {
		t.Fatalf("%d arrived", len(list.GetValue()))
	}
	got := list.GetValue()[0]
	if value(got.GetSubject()) != "An offer – für Sie" || !strings.Contains(value(got.GetBody().GetContent()), "<b>Anna</b>") || !value(got.GetHasAttachments()) ||
		value(got.GetReplyTo()[0].GetEmailAddress().GetAddress()) != "jobs@agency.example.com" || len(got.GetCcRecipients()) != 1 || len(got.GetBccRecipients()) != 0 {
		t.Errorf("arrived with %s, %+v", value(got.GetSubject()), got)
	}
	props := map[string]string{}
	for _, p := range got.GetSingleValueExtendedProperties() {
		props[value(p.GetId())] = value(p.GetValue())
	}
	if props["String 0x1039"] != "<a@x.example.com> <b@x.example.com>" || props["String 0x1042"] != "<b@x.example.com>" || props["String 0x1045"] != "<https://agency.example.com/leave>" {
		t.Errorf("the properties are %v", props)
	}
	headers := map[string]string{}
	for _, h := range got.GetInternetMessageHeaders() {
		headers[strings.ToLower(value(h.GetName()))] = value(h.GetValue())
	}
	if headers["x-loop"] != "agency" || headers[strings.ToLower(provider.KeyHeader)] != "key-7" {
		t.Errorf("the headers are %v", headers)
	}
	files, err := w.me().Messages().ByMessageId(value(got.GetId())).Attachments().Get(t.Context(), nil)
	w.must(err)
	var names []string
	for _, a := range files.GetValue() {
		f, ok := a.(graphmodels.FileAttachmentable)
		if !ok {
			t.Fatalf("%s is no file", value(a.GetName()))
		}
		names = append(names, strings.Join([]string{value(f.GetName()), string(f.GetContentBytes()), value(f.GetContentId())}, " "))
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"logo.png png logo", "offer.txt an offer "}) {
		t.Errorf("the attachments are %q", names)
	}
}

// TestSendJSONPlain: text without ids, and no copy where none is wanted.
func TestSendJSONPlain(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	for _, save := range []bool{true, false} {
		m := graphmodels.NewMessage()
		m.SetSubject(ptr("Plain"))
		m.SetToRecipients(to(omar))
		post := users.NewItemSendMailPostRequestBody()
		post.SetMessage(m)
		if !save {
			post.SetSaveToSentItems(&save)
		}
		w.must(w.me().SendMail().Post(t.Context(), post, nil))
	}
	if got := w.get("/me/mailFolders/sentitems/messages"); len(got.rows()) != 1 {
		t.Errorf("Sent Items have %d messages", len(got.rows()))
	}
	subs := w.office.Books().Submissions()
	if len(subs) != 2 || subs[0].MessageID == subs[1].MessageID || len(w.office.Books().Deliveries()) != 2 {
		t.Errorf("sent %+v", subs)
	}
}

// TestLostHeaders: what does not leave with a mail.
func TestLostHeaders(t *testing.T) {
	for _, drops := range []bool{false, true} {
		w := newGraphWorld(t, false, msgraphtest.Config{Beliefs: msgraphtest.Beliefs{DropsCustomHeaders: drops}})
		raw := "From: " + maria + "\r\nTo: " + omar + "\r\nSubject: x\r\nAuto-Submitted: auto-generated\r\nReturn-Path: <a@b.example.com>\r\n" +
			"X-Campaign: 7\r\nReferences: <r@x.example.com>\r\n\r\nx\r\n"
		w.must(w.sendMIME([]byte(raw)))
		for m := range w.office.Mailbox(omar).Visible() {
			text := string(m.Raw)
			if strings.Contains(text, "Auto-Submitted") || strings.Contains(text, "a@b.example.com") || !strings.Contains(text, "References: <r@x.example.com>") ||
				strings.Contains(text, "X-Campaign") == drops {
				t.Errorf("DropsCustomHeaders %t: arrived as\n%s", drops, text)
			}
		}
	}
}

// TestStages: an accepted mail is a draft, lies in the Outbox, and then leaves.
func TestStages(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{Drafts: 10 * time.Second, Outbox: 20 * time.Second})
	w.must(w.sendMIME(w.mail("Staged")))
	post := users.NewItemSendMailPostRequestBody()
	m := graphmodels.NewMessage()
	m.SetSubject(ptr("Unkept"))
	m.SetToRecipients(to(anna))
	post.SetMessage(m)
	post.SetSaveToSentItems(ptr(false))
	w.must(w.me().SendMail().Post(t.Context(), post, nil))
	for _, step := range []struct {
		after                time.Duration
		drafts, outbox, sent string
		draft                bool
		delivered            int
	}{
		{drafts: "Staged,Unkept", draft: true},
		{after: 9 * time.Second, drafts: "Staged,Unkept", draft: true},
		{after: time.Second, outbox: "Staged,Unkept", draft: true},
		{after: 19 * time.Second, outbox: "Staged,Unkept", draft: true},
		{after: time.Second, sent: "Staged", delivered: 2},
	} {
		w.clock.Advance(step.after)
		for folder, want := range map[string]string{"drafts": step.drafts, "outbox": step.outbox, "sentitems": step.sent} {
			list, err := w.me().MailFolders().ByMailFolderId(folder).Messages().Get(t.Context(), &users.ItemMailFoldersItemMessagesRequestBuilderGetRequestConfiguration{
				QueryParameters: &users.ItemMailFoldersItemMessagesRequestBuilderGetQueryParameters{Orderby: []string{"subject"}},
			})
			w.must(err)
			if got := subjects(list.GetValue()); got != want {
				t.Errorf("at %s %s holds %q, want %q", w.clock.Now().Format(time.TimeOnly), folder, got, want)
			}
			for _, m := range list.GetValue() {
				if value(m.GetIsDraft()) != step.draft {
					t.Errorf("%s in %s is a draft: %t", value(m.GetSubject()), folder, !step.draft)
				}
			}
		}
		if n := len(w.office.Books().Deliveries()); n != step.delivered {
			t.Errorf("%d are delivered, want %d", n, step.delivered)
		}
	}
}

// TestSendRate: Exchange takes more than 30 mails in a minute, and sends the
// rest on later.
func TestSendRate(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	for range 70 {
		w.must(w.sendMIME(w.mail("Many")))
	}
	for _, step := range []struct {
		after                   time.Duration
		delivered, outbox, sent int
	}{{0, 30, 40, 30}, {59 * time.Second, 30, 40, 30}, {time.Second, 60, 10, 60}, {time.Minute, 70, 0, 70}} {
		w.clock.Advance(step.after)
		outbox, sent := len(w.get("/me/mailFolders/outbox/messages?$top=100").rows()), len(w.get("/me/mailFolders/sentitems/messages?$top=100").rows())
		if n := len(w.office.Books().Deliveries()); n != step.delivered || outbox != step.outbox || sent != step.sent {
			t.Errorf("after %s: %d left, %d in the Outbox, %d in Sent Items", step.after, n, outbox, sent)
		}
	}
	w.must(w.office.AddPerson(postoffice.Person{Address: anna})) // the rate is a mailbox's: another's mail leaves at once
	w.bearer = w.token(omar, "Mail.Send")
	w.must(w.sendMIME([]byte("From: " + omar + "\r\nTo: " + anna + "\r\nSubject: x\r\n\r\nx\r\n")))
	if n := len(w.office.Books().Deliveries()); n != 71 {
		t.Errorf("%d are delivered", n)
	}
}
