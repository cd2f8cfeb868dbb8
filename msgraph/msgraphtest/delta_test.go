package msgraphtest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// deltaOptions are those of the first request of a delta.
type deltaOptions = users.ItemMailFoldersItemMessagesDeltaRequestBuilderGetQueryParameters

// feed follows the delta of one folder with the SDK.
type feed struct {
	w      *graphWorld
	folder string
	prefer string
	link   string            // of the next round; empty before the first
	names  map[string]string // subjects by id
	pages  int               // of the last round
}

func (w *graphWorld) feed(folder string) *feed {
	return &feed{w: w, folder: folder, prefer: immutable, names: make(map[string]string)}
}

// round follows links to the end of a round. It returns the subjects, with a
// minus for what was removed.
func (f *feed) round(first *deltaOptions) string {
	f.w.t.Helper()
	headers := abstractions.NewRequestHeaders()
	headers.Add("Prefer", f.prefer)
	var out []string
	link := f.link
	for f.pages = 1; ; f.pages++ {
		delta := f.w.me().MailFolders().ByMailFolderId(f.folder).Messages().Delta()
		cfg := &users.ItemMailFoldersItemMessagesDeltaRequestBuilderGetRequestConfiguration{Headers: headers}
		if link == "" {
			cfg.QueryParameters = first
		} else {
			delta = delta.WithUrl(link)
		}
		page, err := delta.GetAsDeltaGetResponse(f.w.t.Context(), cfg)
		f.w.must(err)
		for _, m := range page.GetValue() {
			id := value(m.GetId())
			if _, removed := m.GetAdditionalData()["@removed"]; removed {
				name, known := f.names[id]
				if !known {
					name = "?"
				}
				out = append(out, "-"+name)
				continue
			}
			f.names[id] = value(m.GetSubject())
			out = append(out, f.names[id])
		}
		next, last := value(page.GetOdataNextLink()), value(page.GetOdataDeltaLink())
		if (next == "") == (last == "") || !strings.HasPrefix(next+last, f.w.ms.GraphURL()+"/v1.0/me/mailFolders") {
			f.w.t.Fatalf("a page has the links %q and %q", next, last)
		}
		if link = next; next == "" {
			f.link = last
			return strings.Join(out, ",")
		}
	}
}

func (f *feed) wants(want string) {
	f.w.t.Helper()
	if got := f.round(nil); got != want {
		f.w.t.Errorf("the round told %q, want %q", got, want)
	}
}

func (w *graphWorld) relabel(m postoffice.Message, add, remove string) {
	w.t.Helper()
	_, err := w.box.Relabel(m.Number, []string{add}, []string{remove})
	w.must(err)
}

// TestDelta: what lies there at first, and then what changes in this folder.
func TestDelta(t *testing.T) {
	for _, prefer := range []string{immutable, `IdType="other"`} {
		w := newGraphWorld(t, true, msgraphtest.Config{})
		a, b, c := w.arrives("A"), w.arrives("B"), w.arrives("C")
		inbox, junk := w.feed("inbox"), w.feed("junkemail")
		inbox.prefer, junk.prefer = prefer, prefer
		inbox.wants("C,B,A")
		junk.wants("")
		inbox.wants("")

		w.relabel(a, msgraphtest.LabelRead, "") // read is a change
		w.relabel(b, postoffice.LabelJunk, postoffice.LabelInbox)
		w.must(w.box.Delete(c.Number))
		d := w.arrives("D")
		inbox.wants("A,-B,-C,D")
		junk.wants("B")
		inbox.wants("")

		w.relabel(b, postoffice.LabelInbox, postoffice.LabelJunk) // and back
		_, err := w.box.Trash(d.Number)
		w.must(err)
		inbox.wants("B,-D")
		junk.wants("-B")
		w.relabel(a, "Clients", postoffice.LabelInbox) // a folder of the user's
		inbox.wants("-A")
	}
}

// TestDeltaSends: the folders that a sent mail goes through.
func TestDeltaSends(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{Drafts: time.Second, Outbox: time.Second})
	drafts, outbox, sent := w.feed("drafts"), w.feed("outbox"), w.feed("sentitems")
	for _, f := range []*feed{drafts, outbox, sent} {
		f.wants("")
	}
	w.must(w.sendMIME(w.mail("M")))
	drafts.wants("M")
	w.clock.Advance(time.Second)
	drafts.wants("-M")
	outbox.wants("M")
	w.clock.Advance(time.Second)
	outbox.wants("-M")
	sent.wants("M")
	if len(w.office.Books().Deliveries()) != 1 {
		t.Error("the mail did not leave")
	}

	w.must(w.sendMIME(w.mail("N"))) // and one whose copy is deleted on its way
	w.must(w.box.Delete(w.office.Books().Submissions()[1].Number))
	drafts.wants("-?")
	w.clock.Advance(2 * time.Second)
	for _, f := range []*feed{drafts, outbox, sent} {
		f.wants("")
	}
}

// TestDeltaPages: page sizes, and what changes while pages are read.
func TestDeltaPages(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	var list []postoffice.Message
	for i := range 25 {
		list = append(list, w.arrives(fmt.Sprint(i)))
	}
	for _, c := range []struct {
		prefer string
		first  deltaOptions
		pages  int
	}{
		{pages: 3}, {first: deltaOptions{Top: ptr(int32(5))}, pages: 5}, {prefer: "odata.maxpagesize=4", pages: 7},
		{prefer: "odata.maxpagesize=0", pages: 3}, {first: deltaOptions{Top: ptr(int32(1000))}, pages: 1},
	} {
		f := w.feed("inbox")
		f.prefer = immutable
		if c.prefer != "" {
			f.prefer += ", " + c.prefer
		}
		if got := f.round(&c.first); strings.Count(got, ",") != 24 || f.pages != c.pages {
			t.Errorf("%+v: %d pages of %s", c, f.pages, got)
		}
	}

	// A change between two pages of the first round comes in the next one.
	page := w.get("/me/mailFolders/inbox/messages/delta?$top=20", "Prefer", immutable)
	next, _ := page.json["@odata.nextLink"].(string)
	w.relabel(list[24], msgraphtest.LabelRead, "")
	w.must(w.box.Delete(list[0].Number))
	w.arrives("late")
	page = w.get(next, "Prefer", immutable)
	if got := page.column("subject"); got != "4,3,2,1" {
		t.Errorf("the second page has %s", got)
	}
	f := w.feed("inbox")
	f.link, _ = page.json["@odata.deltaLink"].(string)
	f.wants("24,-?,late")

	// Later rounds have pages too, by messages and not by changes.
	for _, m := range list[1:] {
		w.relabel(m, msgraphtest.LabelRead, "")
		w.relabel(m, "Category", "")
	}
	if got := f.round(nil); strings.Count(got, ",") != 23 || f.pages != 2 {
		t.Errorf("%d pages of %s", f.pages, got)
	}

	small := newGraphWorld(t, false, msgraphtest.Config{PageSize: 2})
	for range 5 {
		small.arrives("x")
	}
	f = small.feed("inbox")
	if f.wants("x,x,x,x,x"); f.pages != 3 {
		t.Errorf("Config.PageSize: %d pages", f.pages)
	}
}

// TestDeltaLinks: links carry the options, and nothing may be added to them.
func TestDeltaLinks(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	for _, s := range []string{"A", "B", "C"} {
		w.arrives(s)
	}
	first := w.get("/me/mailFolders/inbox/messages/delta?$select=subject&$top=2", "Prefer", immutable)
	next, _ := first.json["@odata.nextLink"].(string)
	second := w.get(next, "Prefer", immutable)
	if first.column("subject") != "C,B" || second.column("subject") != "A" {
		t.Errorf("the pages are %s and %s", first.body, second.body)
	}
	for _, row := range second.rows() {
		if _, ok := row["from"]; ok || row["id"] == nil || row["@odata.etag"] == nil {
			t.Errorf("$select is not part of the link: %v", row)
		}
	}
	if again := w.get(next, "Prefer", immutable); again.column("id") != second.column("id") {
		t.Error("a link does not answer the same twice")
	}
	link, _ := second.json["@odata.deltaLink"].(string)
	for _, more := range []string{"$select=id", "$top=5", "$filter=receivedDateTime+ge+2026-01-01T00:00:00Z", "changeType=created"} {
		w.refuses(link+"&"+more, http.StatusBadRequest, "ErrorInvalidUrlQuery")
	}
	w.refuses(link[:len(link)-3]+"!!!", http.StatusBadRequest, "ErrorInvalidUrlQuery")
	w.refuses("/me/mailFolders/inbox/messages/delta?$deltatoken=latest", http.StatusBadRequest, "ErrorInvalidUrlQuery")
	w.refuses(strings.Replace(link, "inbox", "drafts", 1), http.StatusGone, "syncStateNotFound")

	for _, path := range []string{
		"/me/mailFolders/inbox/messages/delta()", "/me/mailfolders('Inbox')/messages/delta()", "/me/MailFolders('inbox')/Messages/microsoft.graph.delta()",
		"/me/mailFolders/inbox/messages/delta?$Select=subject&$Top=5&ChangeType=created", "/users/" + maria + "/mailFolders/inbox/messages/delta",
	} {
		if got := w.get(path); got.column("subject") != "C,B,A" {
			t.Errorf("%s: %s", path, got.body)
		}
	}
}

// TestDeltaRefused: of lists' options a delta takes few.
func TestDeltaRefused(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	const at = "2026-03-01T00:00:00Z"
	for _, c := range []struct{ name, value, code string }{
		{"$search", `"x"`, "ErrorInvalidUrlQuery"}, {"$skip", "1", "ErrorInvalidUrlQuery"}, {"$count", "true", "ErrorInvalidUrlQuery"},
		{"changeType", "moved", "ErrorInvalidUrlQuery"}, {"$orderby", "subject", "ErrorInvalidUrlQuery"}, {"$orderby", "receivedDateTime", "ErrorInvalidUrlQuery"},
		{"$filter", "isRead eq false", "ErrorInvalidUrlQueryFilter"}, {"$filter", "receivedDateTime lt " + at, "ErrorInvalidUrlQueryFilter"},
		{"$filter", "receivedDateTime ge " + at + " and isRead eq false", "ErrorInvalidUrlQueryFilter"}, {"$filter", "receivedDateTime ge '" + at + "'", "BadRequest"},
		{"$filter", "receivedDateTime ge yesterday", "BadRequest"}, {"$filter", "'", "BadRequest"}, {"$top", "0", "BadRequest"}, {"$top", "1001", "BadRequest"},
		{"$select", "shoeSize", "BadRequest"}, {"$expand", "singleValueExtendedProperties", "ErrorInvalidProperty"},
	} {
		w.refuses("/me/mailFolders/inbox/messages/delta"+query(c.name, c.value), http.StatusBadRequest, c.code)
	}
	w.refuses("/me/messages/delta", http.StatusBadRequest, "BadRequest") // one folder each
	for _, c := range []string{"$orderby=receivedDateTime+desc", "$filter=receivedDateTime+gt+" + at, "$expand=attachments"} {
		w.get("/me/mailFolders/inbox/messages/delta?" + c)
	}
}

// TestDeltaFilter: the filter holds for the whole life of a delta.
func TestDeltaFilter(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	old := w.arrives("Old")
	w.clock.Advance(10 * time.Minute)
	edge := w.arrives("Edge")
	w.clock.Advance(10 * time.Minute)
	w.arrives("New")
	ge, gt := w.feed("inbox"), w.feed("inbox")
	for f, op := range map[*feed]string{ge: "ge", gt: "gt"} {
		got := f.round(&deltaOptions{Filter: ptr("receivedDateTime " + op + " 2026-03-02T09:10:00Z")})
		if want := map[string]string{"ge": "New,Edge", "gt": "New"}[op]; got != want {
			t.Errorf("%s told %s", op, got)
		}
	}
	w.relabel(old, msgraphtest.LabelRead, "")
	w.relabel(edge, msgraphtest.LabelRead, "")
	ge.wants("Edge")
	gt.wants("")
	w.must(w.box.Delete(edge.Number))
	ge.wants("-Edge")
	w.arrives("Newest")
	gt.wants("-?,Newest")
}

// TestDeltaCap: under a filter a delta tells 5,000 messages in all, and says
// nothing of having stopped.
func TestDeltaCap(t *testing.T) {
	for _, filter := range []bool{true, false} {
		w := newGraphWorld(t, false, msgraphtest.Config{})
		w.must(w.office.DeliverUnrelated(postoffice.Traffic{To: maria, N: 5005}))
		f, first, want := w.feed("inbox"), &deltaOptions{Top: ptr(int32(1000)), Select: []string{"subject"}}, 5005
		if filter {
			first.Filter, want = ptr("receivedDateTime ge 2026-01-01T00:00:00Z"), 5000
		}
		if f.round(first); len(f.names) != want {
			t.Errorf("filter %t: told %d messages", filter, len(f.names))
		}
		w.arrives("Later")
		if filter {
			f.wants("")
		} else {
			f.wants("Later")
		}
	}
}

// TestDeltaExpired: the client is told to begin again, and where.
func TestDeltaExpired(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	w.arrives("A")
	f := w.feed("inbox")
	f.wants("A")
	w.box.ExpireChanges()
	_, err := w.me().MailFolders().ByMailFolderId("inbox").Messages().Delta().WithUrl(f.link).GetAsDeltaGetResponse(t.Context(), nil)
	odata(t, err, http.StatusGone, "syncStateNotFound")
	a := w.refuses(f.link, http.StatusGone, "syncStateNotFound")
	if got := w.get(a.header.Get("Location")); got.column("subject") != "A" {
		t.Errorf("from the Location came %s", got.body)
	}
	f.link = ""
	f.wants("A")
	w.arrives("B")
	f.wants("B")
}

// TestDeltaKinds: changeType leaves out the rest.
func TestDeltaKinds(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	a, b := w.arrives("A"), w.arrives("B")
	feeds := map[string]*feed{}
	for kind, want := range map[string]string{"created": "B,A", "updated": "", "deleted": ""} {
		feeds[kind] = w.feed("inbox")
		if got := feeds[kind].round(&deltaOptions{ChangeType: &kind}); got != want {
			t.Errorf("%s: the first round told %q", kind, got)
		}
	}
	w.relabel(a, msgraphtest.LabelRead, "")
	w.must(w.box.Delete(b.Number))
	w.arrives("C")
	feeds["created"].wants("C")
	feeds["updated"].wants("A")
	feeds["deleted"].wants("-?")
}

// TestDeltaBeliefs: what is not known of the real service.
func TestDeltaBeliefs(t *testing.T) {
	for _, skips := range []bool{false, true} {
		w := newGraphWorld(t, false, msgraphtest.Config{Beliefs: msgraphtest.Beliefs{DeltaSkipsBrief: skips}})
		f := w.feed("inbox")
		f.wants("")
		w.must(w.box.Delete(w.arrives("Brief").Number))
		w.arrives("Stays")
		if skips {
			f.wants("Stays")
		} else {
			f.wants("-?,Stays")
		}
	}
	for _, size := range []int{0, 1, 2} {
		w := newGraphWorld(t, false, msgraphtest.Config{PageSize: size, Beliefs: msgraphtest.Beliefs{DeltaReplays: true}})
		f := w.feed("inbox")
		f.wants("")
		for _, s := range []string{"A", "B", "C", "D"} {
			w.arrives(s)
		}
		first := strings.Split(f.round(nil), ",")
		second := strings.Split(f.round(nil), ",")
		for _, s := range []string{"A", "B", "C", "D"} {
			if !slices.Contains(first, s) {
				t.Errorf("pages of %d: %s is missing in %v", size, s, first)
			}
		}
		if !slices.Contains(second, "D") {
			t.Errorf("pages of %d: nothing of %v is repeated in %v", size, first, second)
		}
		f.wants("") // a round without changes repeats nothing for ever
	}
	for _, without := range []bool{false, true} {
		w := newGraphWorld(t, false, msgraphtest.Config{Beliefs: msgraphtest.Beliefs{DeltaWithoutProperties: without}})
		w.arrives("A")
		got := w.get("/me/mailFolders/inbox/messages/delta" + query("$select", "id", "$expand", "singleValueExtendedProperties($filter=id eq 'String 0x001A')"))
		props, ok := got.rows()[0]["singleValueExtendedProperties"].([]any)
		if ok == without || !without && fmt.Sprint(props) != "[map[id:String 0x1a value:IPM.Note]]" {
			t.Errorf("DeltaWithoutProperties %t: %s", without, got.body)
		}
	}
}

// TestDeltaForeignLink: a link is worth nothing in another mailbox.
func TestDeltaForeignLink(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	f := w.feed("inbox")
	f.wants("")
	w.bearer = w.token(omar, "Mail.Read")
	w.refuses(f.link, http.StatusGone, "syncStateNotFound")
	u, err := url.Parse(f.link)
	if err != nil || !u.Query().Has("$deltatoken") {
		t.Errorf("the link is %s", f.link)
	}
}
