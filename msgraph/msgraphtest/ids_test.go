package msgraphtest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// TestIDs: a plain id names a message in one folder, an immutable one for life.
func TestIDs(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	m := w.arrives("Hello")
	ids := func() (plain, lasting string) {
		a := w.get("/me/messages?$select=subject")
		b := w.get("/me/messages", "Prefer", `outlook.timezone="UTC", `+immutable)
		if a.header.Get("Preference-Applied") != "" || b.header.Get("Preference-Applied") != immutable {
			t.Errorf("applied %q and %q", a.header.Get("Preference-Applied"), b.header.Get("Preference-Applied"))
		}
		return a.column("id"), b.column("id")
	}
	plain, lasting := ids()
	if lasting != msgraphtest.MessageID(m) || lasting != string(msgraphtest.Ref(m)) || plain == lasting || !strings.HasSuffix(lasting, "=") {
		t.Errorf("the ids are %s and %s", plain, lasting)
	}
	// Both are understood whatever is preferred, and answered in kind.
	for _, id := range []string{plain, lasting} {
		if a, b := w.get("/me/messages/"+id), w.get("/me/messages/"+id, "Prefer", immutable); a.json["id"] != plain || b.json["id"] != lasting {
			t.Errorf("%s is answered with %v and %v", id, a.json["id"], b.json["id"])
		}
		w.get("/me/mailFolders/inbox/messages/" + id)
		w.refuses("/me/mailFolders/drafts/messages/"+id, http.StatusNotFound, "ErrorItemNotFound")
	}
	headers := abstractions.NewRequestHeaders()
	headers.Add("Prefer", immutable)
	got, err := w.me().Messages().ByMessageId(plain).Get(t.Context(), &users.ItemMessagesMessageItemRequestBuilderGetRequestConfiguration{Headers: headers})
	w.must(err)
	if value(got.GetId()) != lasting || value(got.GetSubject()) != "Hello" {
		t.Errorf("the SDK has %s, %s", value(got.GetId()), value(got.GetSubject()))
	}

	w.relabel(m, postoffice.LabelJunk, postoffice.LabelInbox)
	moved, still := ids()
	if moved == plain || still != lasting {
		t.Errorf("after a move the ids are %s and %s", moved, still)
	}
	w.refuses("/me/messages/"+plain, http.StatusNotFound, "ErrorItemNotFound")
	_, err = w.me().Messages().ByMessageId(plain).Get(t.Context(), nil)
	odata(t, err, http.StatusNotFound, "ErrorItemNotFound")
	w.get("/me/messages/" + moved)
	w.get("/me/messages/" + lasting)
	w.must(w.box.Delete(m.Number))
	for _, id := range []string{moved, lasting} {
		w.refuses("/me/messages/"+id, http.StatusNotFound, "ErrorItemNotFound")
	}
	for _, id := range []string{strings.ToLower(lasting), lasting + "A", "AAMk", "1"} {
		if a := w.do(http.MethodGet, "/me/messages/"+id, ""); a.status != http.StatusBadRequest || a.code() != "ErrorInvalidIdMalformed" {
			t.Errorf("%s: %d %s", id, a.status, a.code())
		}
	}
}

// TestSentIDs: a mail keeps its immutable id from Drafts to Sent Items, and
// its Message-ID unless the service replaces it.
func TestSentIDs(t *testing.T) {
	for _, keeps := range []bool{true, false} {
		w := newGraphWorld(t, false, msgraphtest.Config{Drafts: time.Second})
		beliefs := postoffice.GraphBeliefs()
		beliefs.KeepsMessageID = keeps
		w.box.SetBeliefs(beliefs)
		w.must(w.sendMIME(w.mail("Offer")))
		draft := w.get("/me/messages?$select=internetMessageId,isDraft", "Prefer", immutable)
		plain := w.get("/me/messages").column("id")
		w.clock.Advance(time.Second)
		sent := w.get("/me/mailFolders/sentitems/messages?$select=internetMessageId,isDraft", "Prefer", immutable)
		if draft.rows()[0]["isDraft"] != true || sent.rows()[0]["isDraft"] != false || sent.column("id") != draft.column("id") {
			t.Errorf("the draft was %s and is %s", draft.body, sent.body)
		}
		if got := sent.column("internetMessageId"); (got == "<Offer@agency.example.com>") != keeps || got != w.office.Books().Submissions()[0].MessageID {
			t.Errorf("KeepsMessageID %t: the Message-ID is %s", keeps, got)
		}
		w.refuses("/me/messages/"+plain, http.StatusNotFound, "ErrorItemNotFound")
	}
}

// TestForeignIDs: ids of messages, folders and conversations are a mailbox's own.
func TestForeignIDs(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	w.must(w.sendMIME([]byte("From: " + maria + "\r\nTo: " + omar + "\r\nSubject: x\r\nMessage-ID: <x@agency.example.com>\r\n\r\nx\r\n")))
	mine := w.get("/me/messages?$select=conversationId,parentFolderId", "Prefer", immutable)
	inbox := w.get("/me/mailFolders/Inbox").json["id"].(string)
	w.get("/me/mailFolders/" + inbox + "/messages")
	w.bearer = w.token(omar, "Mail.Read")
	his := w.get("/me/messages?$select=conversationId,parentFolderId", "Prefer", immutable)
	for _, name := range []string{"id", "conversationId", "parentFolderId"} {
		if mine.column(name) == "" || mine.column(name) == his.column(name) {
			t.Errorf("%s is %s in both mailboxes", name, mine.column(name))
		}
	}
	w.refuses("/me/messages/"+mine.column("id"), http.StatusNotFound, "ErrorItemNotFound")
	w.refuses("/me/mailFolders/"+inbox+"/messages", http.StatusNotFound, "ErrorItemNotFound")
	w.refuses("/me/mailFolders/nowhere/messages", http.StatusBadRequest, "ErrorInvalidIdMalformed")
}

// TestConversations: an answer is in the conversation of what it cites.
func TestConversations(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	w.must(w.sendMIME(w.mail("Offer")))
	_, err := w.office.Write(provider.Address{Addr: anna}, maria, "Re: Offer", "<Offer@agency.example.com>", "Yes.")
	w.must(err)
	w.arrives("Offer") // of the same subject alone
	got := w.get("/me/messages?$select=conversationId,conversationIndex&$orderby=receivedDateTime")
	rows := got.rows()
	if len(rows) != 3 || rows[0]["conversationId"] == "" {
		t.Fatalf("the messages are %s", got.body)
	}
	same := map[any]int{}
	for _, r := range rows {
		same[r["conversationId"]]++
	}
	if len(same) != 2 {
		t.Errorf("there are %d conversations in %s", len(same), got.body)
	}
	for id, n := range same {
		found := w.get("/me/messages" + query("$filter", "conversationId eq '"+id.(string)+"'"))
		if len(found.rows()) != n {
			t.Errorf("the filter found %d of %d", len(found.rows()), n)
		}
	}
}

// TestVisibleLater: what the service has taken may not be shown yet.
func TestVisibleLater(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	f := w.feed("inbox")
	f.wants("")
	w.box.SetDelays(postoffice.Delays{Visible: time.Minute})
	m := w.arrives("Late")
	w.refuses("/me/messages/"+msgraphtest.MessageID(m), http.StatusNotFound, "ErrorItemNotFound")
	if got := w.get("/me/messages"); len(got.rows()) != 0 {
		t.Errorf("shown too early: %s", got.body)
	}
	f.wants("")
	w.clock.Advance(time.Minute)
	w.get("/me/messages/" + msgraphtest.MessageID(m))
	f.wants("Late")
}
