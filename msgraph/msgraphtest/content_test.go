package msgraphtest_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	graphmodels "github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// TestFolders: those that every mailbox has, the user's own, and the hidden
// one of what was purged.
func TestFolders(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	a, b := w.arrives("A"), w.arrives("B")
	w.arrives("C")
	w.relabel(a, "Clients", postoffice.LabelInbox)
	w.relabel(b, msgraphtest.LabelRead, "")

	var names []string
	for link := "/me/mailFolders"; link != ""; {
		page := w.get(link)
		for _, row := range page.rows() {
			names = append(names, fmt.Sprint(row["displayName"], " ", row["totalItemCount"], "/", row["unreadItemCount"]))
		}
		link, _ = page.json["@odata.nextLink"].(string)
	}
	if got := strings.Join(names, ", "); got != "Deleted Items 0/0, Junk Email 0/0, Drafts 0/0, Outbox 0/0, Sent Items 0/0, Inbox 2/1, Archive 0/0, Clients 1/1" {
		t.Errorf("the folders are %s", got)
	}
	if got := w.get("/me/mailFolders?$top=3&$skip=2&$count=true&$select=displayName"); got.column("displayName") != "Drafts,Outbox,Sent Items" || got.json["@odata.count"] != 8.0 {
		t.Errorf("a page is %s", got.body)
	}
	inbox, err := w.me().MailFolders().ByMailFolderId("Inbox").Get(t.Context(), nil)
	w.must(err)
	if value(inbox.GetTotalItemCount()) != 2 || value(inbox.GetUnreadItemCount()) != 1 || value(inbox.GetIsHidden()) {
		t.Errorf("the Inbox is %+v", inbox)
	}
	root := w.get("/me/mailFolders/msgfolderroot")
	if root.json["id"] != value(inbox.GetParentFolderId()) || root.json["childFolderCount"] != 8.0 {
		t.Errorf("the root is %s", root.body)
	}
	clients := w.get("/me/messages" + query("$filter", "subject eq 'A'")).rows()[0]["parentFolderId"].(string)
	if got := w.get("/me/mailFolders/" + clients + "/messages").column("subject"); got != "A" {
		t.Errorf("the user's folder holds %s", got)
	}
	if f := w.feed(clients); f.round(nil) != "A" {
		t.Error("the user's folder has no delta")
	}
	w.refuses("/me/mailFolders/inbox?$select=shoeSize", http.StatusBadRequest, "BadRequest")
	w.refuses("/me/mailFolders/inbox?$expand=messages", http.StatusBadRequest, "BadRequest")

	w.relabel(b, "Urgent", "")
	if got := w.get("/me/mailFolders/inbox/messages" + query("$filter", "subject eq 'B'")); fmt.Sprint(got.rows()[0]["categories"]) != "[Urgent]" {
		t.Errorf("a label of a message in the Inbox is no category: %s", got.body)
	}
}

// TestRecoverable: what was purged lies in a hidden folder, and nowhere else.
func TestRecoverable(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	w.must(w.sendMIME(w.mail("Offer")))
	w.must(w.sendMIME(w.mail("Other")))
	sub := w.office.Books().Submissions()[0]
	w.must(w.box.Delete(sub.Number))
	const deletions = "/me/mailFolders/recoverableitemsdeletions"
	got := w.get(deletions+"/messages"+query("$filter", "internetMessageId eq '<Offer@agency.example.com>'"), "Prefer", immutable)
	hidden := w.get(deletions).json
	if got.column("subject") != "Offer" || got.rows()[0]["parentFolderId"] != hidden["id"] || hidden["totalItemCount"] != 1.0 || hidden["displayName"] != "Deletions" {
		t.Errorf("the folder is %v with %s", hidden, got.body)
	}
	if got := w.get("/me/messages"); got.column("subject") != "Other" {
		t.Errorf("the mailbox has %s", got.column("subject"))
	}
	for link := "/me/mailFolders"; link != ""; {
		page := w.get(link)
		for _, row := range page.rows() {
			if row["id"] == hidden["id"] {
				t.Error("a list shows the folder")
			}
		}
		link, _ = page.json["@odata.nextLink"].(string)
	}
}

// TestAttachments: files, images of the HTML, and mail within mail.
func TestAttachments(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	w.must(w.sendMIME(w.mail("Files", func(d *mimemsg.Draft) {
		d.HTML = `<img src="cid:logo"><p>See below.</p>`
		d.Attachments = []mimemsg.File{
			{Name: "logo.png", ContentType: "image/png", Data: []byte("png"), ContentID: "logo", Inline: true},
			{Name: "offer.pdf", ContentType: "application/pdf", Data: []byte("%PDF-1.7\x00\xff")},
		}
	})))
	m := w.get("/me/messages?$expand=attachments", "Prefer", immutable).rows()[0]
	id := m["id"].(string)
	if len(m["attachments"].([]any)) != 2 || m["hasAttachments"] != true {
		t.Errorf("the message has %v", m["attachments"])
	}
	list, err := w.me().Messages().ByMessageId(id).Attachments().Get(t.Context(), nil)
	w.must(err)
	var names []string
	for _, a := range list.GetValue() {
		f, ok := a.(graphmodels.FileAttachmentable)
		if !ok {
			t.Fatalf("%s is no file", value(a.GetName()))
		}
		names = append(names, fmt.Sprint(value(a.GetName()), " ", value(a.GetContentType()), " ", value(a.GetIsInline()), " ", len(f.GetContentBytes())))
		raw := w.get("/me/messages/" + id + "/attachments/" + value(a.GetId()) + "/$value")
		if raw.body != string(f.GetContentBytes()) || raw.header.Get("Content-Type") != value(a.GetContentType()) {
			t.Errorf("%s: %q of %s", value(a.GetName()), raw.body, raw.header.Get("Content-Type"))
		}
		one, err := w.me().Messages().ByMessageId(id).Attachments().ByAttachmentId(value(a.GetId())).Get(t.Context(), nil)
		w.must(err)
		if value(one.GetName()) != value(a.GetName()) {
			t.Errorf("by its id it is %s", value(one.GetName()))
		}
	}
	if got := strings.Join(names, ", "); got != "logo.png image/png true 3, offer.pdf application/pdf false 10" {
		t.Errorf("the attachments are %s", got)
	}
	slim := w.get("/me/messages/" + id + "/attachments?$select=name,contentBytes&$top=1")
	if len(slim.rows()) != 1 || slim.rows()[0]["size"] != nil || slim.rows()[0]["contentBytes"] != "cG5n" || slim.json["@odata.nextLink"] == nil {
		t.Errorf("selected: %s", slim.body)
	}
	w.refuses("/me/messages/"+id+"/attachments?$select=shoeSize", http.StatusBadRequest, "BadRequest")
	w.refuses("/me/messages/"+id+"/attachments?$expand=x", http.StatusBadRequest, "BadRequest")
	w.refuses("/me/messages/"+id+"/attachments/AAMk", http.StatusNotFound, "ErrorItemNotFound")

	w.must(w.sendMIME(w.mail("Inline", func(d *mimemsg.Draft) {
		d.HTML, d.Attachments = `<img src="cid:logo">`, []mimemsg.File{{Name: "logo.png", ContentType: "image/png", Data: []byte("png"), ContentID: "logo", Inline: true}}
	})))
	if got := w.get("/me/messages" + query("$filter", "subject eq 'Inline'")); got.rows()[0]["hasAttachments"] != false {
		t.Error("an image of the HTML counts as attachment")
	}

	within := "From: " + anna + "\r\nTo: " + maria + "\r\nSubject: Fwd\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nSee it.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: " + omar + "\r\nSubject: Inner\r\n\r\nText.\r\n--b--\r\n"
	fwd, err := w.office.Deliver(postoffice.Mail{To: maria, Raw: []byte(within)})
	w.must(err)
	path := "/me/messages/" + msgraphtest.MessageID(fwd) + "/attachments"
	item := w.get(path).rows()[0]
	if item["@odata.type"] != "#microsoft.graph.itemAttachment" || item["contentBytes"] != nil {
		t.Errorf("the mail within is %v", item)
	}
	if raw := w.get(path + "/" + item["id"].(string) + "/$value"); !strings.Contains(raw.body, "Subject: Inner") {
		t.Errorf("its bytes are %q", raw.body)
	}
}

// TestValue: a message as MIME, with all its headers.
func TestValue(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	raw := w.mail("Offer", func(d *mimemsg.Draft) { d.Key = "key-1" })
	w.must(w.sendMIME(raw))
	m, _ := w.box.Message(w.office.Books().Submissions()[0].Number)
	got, err := w.me().Messages().ByMessageId(msgraphtest.MessageID(m)).Content().Get(t.Context(), nil)
	w.must(err)
	if !bytes.Equal(got, m.Raw) || !strings.Contains(string(got), provider.KeyHeader+": key-1") {
		t.Errorf("the message is\n%s", got)
	}
	a := w.get("/me/mailFolders/sentitems/messages/" + msgraphtest.MessageID(m) + "/$value")
	if a.header.Get("Content-Type") != "text/plain" || a.body != string(m.Raw) {
		t.Errorf("%s: %s", a.header.Get("Content-Type"), a.body)
	}
	w.refuses("/me/messages/"+msgraphtest.MessageID(m)+"/$value?$select=id", http.StatusBadRequest, "BadRequest")
}

// TestReports: Exchange's own delivery reports have a class and no headers;
// those of other systems have both.
func TestReports(t *testing.T) {
	const (
		expand = "singleValueExtendedProperties($filter=id eq 'String 0x001A' or id eq 'String 0x007D')"
		ndr    = "singleValueExtendedProperties/Any(ep: ep/id eq 'String 0x001A' and ep/value eq 'REPORT.IPM.Note.NDR')"
	)
	for _, c := range []struct {
		act     postoffice.Behaviour
		class   string
		subject string
		headers bool
	}{
		{postoffice.Behaviour{Do: postoffice.Bounce}, "REPORT.IPM.Note.NDR", "Undeliverable: Offer", false},
		{postoffice.Behaviour{Do: postoffice.BounceDelay}, "REPORT.IPM.Note.DELAYED", "Delivery delayed: Offer", false},
		{postoffice.Behaviour{Do: postoffice.BounceLater}, "REPORT.IPM.Note.NDR", "Undelivered Mail Returned to Sender", true},
		{postoffice.Behaviour{Do: postoffice.ReadReceipt}, "REPORT.IPM.Note.IPNRN", "Read: Offer", true},
		{postoffice.Behaviour{Do: postoffice.OutOfOfficeExchange}, "IPM.Note", "Automatic reply: Offer", true},
		{postoffice.Behaviour{Do: postoffice.Answer}, "IPM.Note", "Re: Offer", true},
	} {
		w := newGraphWorld(t, false, msgraphtest.Config{})
		w.must(w.office.AddPerson(postoffice.Person{Address: anna, Behaviours: []postoffice.Behaviour{c.act}}))
		w.must(w.sendMIME(w.mail("Offer")))
		list, err := w.me().MailFolders().ByMailFolderId("inbox").Messages().Get(t.Context(), &users.ItemMailFoldersItemMessagesRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.ItemMailFoldersItemMessagesRequestBuilderGetQueryParameters{Select: []string{"subject", "internetMessageHeaders"}, Expand: []string{expand}},
		})
		w.must(err)
		if len(list.GetValue()) != 1 {
			t.Fatalf("%s: %d messages came", c.act.Do, len(list.GetValue()))
		}
		m := list.GetValue()[0]
		props := m.GetSingleValueExtendedProperties()
		if value(m.GetSubject()) != c.subject || value(props[0].GetValue()) != c.class || (len(m.GetInternetMessageHeaders()) > 0) != c.headers || (len(props) == 2) != c.headers {
			t.Errorf("%s: %q of class %s, %d headers, %d properties", c.act.Do, value(m.GetSubject()), value(props[0].GetValue()), len(m.GetInternetMessageHeaders()), len(props))
		}
		if found := len(w.get("/me/messages" + query("$filter", ndr)).rows()); (found == 1) != (c.class == "REPORT.IPM.Note.NDR") {
			t.Errorf("%s: the filter found %d", c.act.Do, found)
		}
	}
	// Inside one organisation automatic answers keep their class.
	w := newGraphWorld(t, false, msgraphtest.Config{})
	const colleague = "rosa@agency.example.com"
	w.must(w.office.AddPerson(postoffice.Person{Address: colleague, Behaviours: []postoffice.Behaviour{{Do: postoffice.OutOfOfficeExchange}}}))
	w.must(w.sendMIME(w.mail("Offer", func(d *mimemsg.Draft) { d.To[0].Addr = colleague })))
	if got := w.get("/me/mailFolders/inbox/messages" + query("$expand", expand)); !strings.Contains(got.body, "IPM.Note.Rules.OofTemplate.Microsoft") {
		t.Errorf("a colleague's absence is %s", got.body)
	}
}

// TestCounts: the books know each request and what of a message it told.
func TestCounts(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	m := w.arrives("Hello")
	id := msgraphtest.MessageID(m)
	const class = "singleValueExtendedProperties($filter=id eq 'String 0x001A')"
	for _, c := range []struct {
		path                string
		class               postoffice.Request
		envelopes, contents int
	}{
		{"/me", postoffice.RequestOther, 0, 0},
		{"/me/mailFolders/inbox", postoffice.RequestOther, 0, 0},
		{"/me/mailFolders", postoffice.RequestOther, 0, 0},
		{"/me/messages/" + id + "?$select=id,conversationId,receivedDateTime,parentFolderId", postoffice.RequestEnvelope, 0, 0},
		{"/me/messages/" + id + "?$select=subject", postoffice.RequestEnvelope, 1, 0},
		{"/me/messages/" + id + query("$select", "id", "$expand", class), postoffice.RequestEnvelope, 0, 0},
		{"/me/messages/" + id + query("$select", "id", "$expand", strings.Replace(class, "0x001A", "0x1000", 1)), postoffice.RequestEnvelope, 0, 1},
		{"/me/messages/" + id + "?$select=bodyPreview", postoffice.RequestContent, 0, 1},
		{"/me/messages/" + id, postoffice.RequestContent, 1, 1},
		{"/me/messages/" + id + "/$value", postoffice.RequestContent, 1, 1},
		{"/me/messages/" + id + "/attachments", postoffice.RequestContent, 0, 1},
		{"/me/messages?$select=id", postoffice.RequestSearch, 0, 0},
		{"/me/messages?$select=subject,from", postoffice.RequestSearch, 1, 0},
		{"/me/messages" + query("$filter", "receivedDateTime ge 2026-01-01", "$select", "id"), postoffice.RequestChanges, 0, 0},
		{"/me/mailFolders/inbox/messages/delta?$select=id", postoffice.RequestChanges, 0, 0},
		{"/me/mailFolders/inbox/messages/delta", postoffice.RequestChanges, 1, 1},
	} {
		read := func() (r postoffice.Read) {
			for _, r = range w.office.Books().Reads() {
				return r
			}
			return r
		}
		before, had := read(), w.box.Requests()
		w.get(c.path)
		after, has := read(), w.box.Requests()
		if has[c.class] != had[c.class]+1 || after.Envelopes-before.Envelopes != c.envelopes || after.Contents-before.Contents != c.contents {
			t.Errorf("%s: requests %v after %v, read %+v after %+v", c.path, has, had, after, before)
		}
	}
	had := w.box.Requests()
	w.must(w.sendMIME(w.mail("Offer")))
	w.refuses("/me/messages/AAMk?$select=id", http.StatusBadRequest, "ErrorInvalidIdMalformed") // what is refused counts too
	has := w.box.Requests()
	if has[postoffice.RequestSend] != had[postoffice.RequestSend]+1 || has[postoffice.RequestEnvelope] != had[postoffice.RequestEnvelope]+1 {
		t.Errorf("requests %v after %v", has, had)
	}
}

// TestCompressed: answers are compressed for clients that take it.
func TestCompressed(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	w.arrives("Hello")
	plain := w.get("/me/messages", "Accept-Encoding", "identity")
	zipped := w.get("/me/messages", "Accept-Encoding", "gzip, deflate")
	if plain.header.Get("Content-Encoding") != "" || zipped.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("the encodings are %q and %q", plain.header.Get("Content-Encoding"), zipped.header.Get("Content-Encoding"))
	}
	r, err := gzip.NewReader(strings.NewReader(zipped.body))
	w.must(err)
	if text, err := io.ReadAll(r); err != nil || string(text) != plain.body {
		t.Errorf("decoded it is %s: %v", text, err)
	}
}
