package msgraphtest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// library fills Maria's mailbox, an hour between two messages: Offer was sent
// by herself, Answer answers it, Report has a file and was read, Letter is in
// HTML, and O'Neill is in Junk.
func library(w *graphWorld) {
	w.t.Helper()
	next := func() { w.clock.Advance(time.Hour) }
	w.must(w.sendMIME(w.mail("Offer", func(d *mimemsg.Draft) { d.Cc = []provider.Address{{Name: "Bea", Addr: "bea@clients.example.org"}} })))
	next()
	_, err := w.office.Write(provider.Address{Name: "Anna Bell", Addr: anna}, maria, "Re: Offer", "<Offer@agency.example.com>", "Yes, gladly on Monday.")
	w.must(err)
	for _, d := range []mimemsg.Draft{
		{From: provider.Address{Name: "Carl", Addr: "carl@other.example.net"}, Subject: "Report", Text: "The quarter in numbers.", MessageID: "<report@other.example.net>",
			Attachments: []mimemsg.File{{Name: "quarter.csv", ContentType: "text/csv", Data: []byte("1,2\r\n")}}},
		{From: provider.Address{Name: "Carl", Addr: "carl@other.example.net"}, Sender: &provider.Address{Addr: "desk@other.example.net"}, Subject: "Letter",
			HTML: "<p>Dear <b>Maria</b> &amp; all</p>", MessageID: "<letter@other.example.net>"},
		{From: provider.Address{Name: "O'Neill", Addr: "oneill@other.example.net"}, Subject: "It's O'Neill", Text: "Buy.", MessageID: "<oneill@other.example.net>"},
	} {
		next()
		d.To, d.Date = []provider.Address{{Addr: maria}}, w.clock.Now()
		raw, err := mimemsg.Build(d)
		w.must(err)
		m, err := w.office.Deliver(postoffice.Mail{To: maria, Raw: raw})
		w.must(err)
		switch d.Subject {
		case "Report":
			w.relabel(m, msgraphtest.LabelRead, "")
		case "It's O'Neill":
			w.relabel(m, postoffice.LabelJunk, postoffice.LabelInbox)
		}
	}
}

const allSubjects = "It's O'Neill,Letter,Report,Re: Offer,Offer"

// TestFilter: the language of $filter.
func TestFilter(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	library(w)
	junk := w.get("/me/mailFolders/junkemail").json["id"].(string)
	const class = "singleValueExtendedProperties/Any(ep: ep/id eq 'String 0x001A' and "
	for filter, want := range map[string]string{
		"internetMessageId eq '<Offer@agency.example.com>'":        "Offer",
		"internetMessageId eq '<offer@agency.example.com>'":        "",
		"internetMessageId eq 'Offer@agency.example.com'":          "",
		"from/emailAddress/address eq 'ANNA@clients.example.org'":  "Re: Offer",
		"from/emailAddress/name eq 'Carl' and subject ne 'report'": "Letter",
		"sender/emailAddress/address eq 'desk@other.example.net'":  "Letter",
		"subject eq 'It''s O''Neill'":                              "It's O'Neill",
		"contains(subject,'offer')":                                "Re: Offer,Offer",
		"startswith(subject, 'RE')":                                "Report,Re: Offer",
		"endswith(from/emailAddress/address,'example.net')":        "It's O'Neill,Letter,Report",
		"isRead eq true": "Report,Offer",
		"isRead ne true": "It's O'Neill,Letter,Re: Offer",
		"isDraft eq false and hasAttachments eq true":                                                           "Report",
		"not (isRead eq true)":                                                                                  "It's O'Neill,Letter,Re: Offer",
		"not not isRead eq true":                                                                                "Report,Offer",
		"parentFolderId eq '" + junk + "'":                                                                      "It's O'Neill",
		"importance eq 'normal' and inferenceClassification eq 'focused'":                                       allSubjects,
		"receivedDateTime ge 2026-03-02T12:00:00Z":                                                              "It's O'Neill,Letter",
		"receivedDateTime gt 2026-03-02T12:00:00Z":                                                              "It's O'Neill",
		"receivedDateTime lt 2026-03-02T11:00:00.5+01:00":                                                       "Re: Offer,Offer",
		"receivedDateTime le 2026-03-02T10:00:00Z":                                                              "Re: Offer,Offer",
		"receivedDateTime eq 2026-03-02T10:00:00Z":                                                              "Re: Offer",
		"receivedDateTime ge 2026-03-03":                                                                        "",
		"sentDateTime ge 2026-03-02T13:00:00Z or subject eq 'Offer'":                                            "It's O'Neill,Offer",
		"subject eq 'Letter' or subject eq 'Offer' and isRead eq false":                                         "Letter",
		"(subject eq 'Letter' or subject eq 'Offer') and isRead eq true":                                        "Offer",
		class + "ep/value eq 'ipm.note')":                                                                       allSubjects,
		class + "ep/value ne 'IPM.Note')":                                                                       "",
		class + "startswith(ep/value,'IPM.') and contains(ep/value,'not'))":                                     allSubjects,
		"SingleValueExtendedProperties/any(x: x/id eq 'String 0x1042' and x/value ne 'none')":                   "Re: Offer",
		"isRead eq false and " + strings.Replace(class, "0x001A", "0x1042", 1) + "contains(ep/value,'agency'))": "Re: Offer",
		"singleValueExtendedProperties/Any(ep: ep/id eq 'String {00020386-0000-0000-C000-000000000046} Name content-type' and contains(ep/value,'mixed'))":                  "Report",
		"singleValueExtendedProperties/Any(ep: ep/id eq 'String {00000000-0000-0000-C000-000000000046} Name content-type' and contains(ep/value,'mixed'))":                  "",
		"singleValueExtendedProperties/Any(ep: ep/id eq 'String 0x0037' and ep/value eq 'Report') or contains(subject,'Letter') or from/emailAddress/name eq 'Maria Lopez'": "Letter,Report,Offer",
	} {
		list, err := w.me().Messages().Get(t.Context(), &users.ItemMessagesRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.ItemMessagesRequestBuilderGetQueryParameters{Filter: &filter},
		})
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := subjects(list.GetValue()); got != want {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
	for filter, code := range map[string]string{
		"": "BadRequest", "subject": "BadRequest", "subject eq": "BadRequest", "subject eq 'x": "BadRequest", "subject eq x": "BadRequest", "subject is 'x'": "BadRequest",
		"(subject eq 'x'": "BadRequest", "subject eq 'x')": "BadRequest", "subject eq 'x' isRead eq true": "BadRequest", "isRead eq 'true'": "BadRequest", "isRead eq yes": "BadRequest",
		"receivedDateTime ge '2026-03-02'": "BadRequest", "receivedDateTime ge soon": "BadRequest", "contains(subject,x)": "BadRequest", "contains('x')": "BadRequest",
		"and": "BadRequest", "not": "BadRequest", "'x' eq subject": "BadRequest", strings.Repeat("(", 60) + "isRead eq true" + strings.Repeat(")", 60): "BadRequest",
		strings.Repeat("not ", 60) + "isRead eq true": "BadRequest",
		"shoeSize eq 'x'": "ErrorInvalidUrlQueryFilter", "subject gt 'x'": "ErrorInvalidUrlQueryFilter", "contains(isRead,'x')": "ErrorInvalidUrlQueryFilter",
		"length(subject) eq 1": "ErrorInvalidUrlQueryFilter", "toRecipients/any(r: r/emailAddress/address eq 'x')": "ErrorInvalidUrlQueryFilter",
		"bodyPreview eq 'x'": "ErrorInvalidUrlQueryFilter", class + "ep/value gt 'x')": "ErrorInvalidUrlQueryFilter", strings.Replace(class, "0x001A", "0xZ", 1) + "ep/value eq 'x')": "ErrorInvalidUrlQueryFilter",
		"singleValueExtendedProperties/Any(ep: ep/id eq 'String 0x001A')": "ErrorInvalidUrlQueryFilter", "singleValueExtendedProperties/Any(ep: ep/value eq 'x')": "ErrorInvalidUrlQueryFilter",
		class + "other/value eq 'x')": "BadRequest", class + "ep/value eq 'x'": "BadRequest",
	} {
		w.refuses("/me/messages"+query("$filter", filter), http.StatusBadRequest, code)
	}
}

// TestSearch: KQL within quotes.
func TestSearch(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	library(w)
	for search, want := range map[string]string{
		`"offer"`: "Re: Offer,Offer", `"MONDAY"`: "Re: Offer", `"mon"`: "", `"mon*"`: "Re: Offer", `"from:anna"`: "Re: Offer", `"from:anna@clients.example.org"`: "Re: Offer",
		`"from:example.net"`: "It's O'Neill,Letter,Report", `"to:maria"`: "It's O'Neill,Letter,Report,Re: Offer", `"cc:bea"`: "Offer", `"bcc:bea"`: "",
		`"recipients:bea"`: "Offer", `"participants:anna"`: "Re: Offer,Offer", `"subject:report"`: "Report", `"subject:\"re offer\""`: "Re: Offer", `"subject:offer from:anna"`: "Re: Offer",
		`"subject:offer AND NOT from:anna"`: "Offer", `"subject:offer -from:anna"`: "Offer", `"report OR letter"`: "Letter,Report", `"(report OR letter) quarter"`: "Report",
		`"body:gladly"`: "Re: Offer", `"body:dear"`: "Letter", `"body:b"`: "", `"attachment:quarter.csv"`: "Report", `"hasAttachments:true"`: "Report",
		`"hasAttachments:false subject:offer"`: "Re: Offer,Offer", `"received:2026-03-02"`: allSubjects, `"received=2026-03-03"`: "", `"received>=2026-03-02T12:00:00Z"`: "It's O'Neill,Letter",
		`"sent<3/3/2026"`: allSubjects, `"received>2026-03-02"`: "", `"received<=2026-03-01"`: "", `"\"quarter in numbers\""`: "Report", `"\"numbers in quarter\""`: "",
	} {
		list, err := w.me().Messages().Get(t.Context(), &users.ItemMessagesRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.ItemMessagesRequestBuilderGetQueryParameters{Search: &search},
		})
		if err != nil {
			t.Errorf("%s: %v", search, err)
			continue
		}
		if got := subjects(list.GetValue()); got != want {
			t.Errorf("%s: %q, want %q", search, got, want)
		}
	}
	for _, search := range []string{
		``, `offer`, `"offer`, `"`, `""`, `"offer" letter"`, `"(offer"`, `"offer)"`, `"offer OR"`, `"AND offer"`, `"NOT"`, `"from:"`, `"from:(a)"`, `"shoe:7"`, `"from>a"`,
		`"received:soon"`, `"-"`, `"\"offer"`, `"offer\"`, `"` + strings.Repeat("(", 60) + "x" + strings.Repeat(")", 60) + `"`,
	} {
		w.refuses("/me/messages"+query("$search", search), http.StatusBadRequest, "BadRequest")
	}
	w.refuses("/me/messages"+query("$search", `"offer"`, "$filter", "isRead eq true"), http.StatusBadRequest, "SearchWithFilter")
	w.refuses("/me/messages"+query("$search", `"offer"`, "$orderby", "subject"), http.StatusBadRequest, "SearchWithOrderBy")
	w.refuses("/me/messages"+query("$search", `"offer"`, "$skip", "1"), http.StatusBadRequest, "BadRequest")
	w.refuses("/me/messages?$skiptoken=x", http.StatusBadRequest, "BadRequest")

	one := w.get("/me/messages" + query("$search", `"offer"`, "$top", "1"))
	two := w.get(one.json["@odata.nextLink"].(string))
	if one.column("subject") != "Re: Offer" || two.column("subject") != "Offer" || two.json["@odata.nextLink"] != nil {
		t.Errorf("the pages are %s and %s", one.body, two.body)
	}
	inbox := w.get("/me/mailFolders/inbox/messages" + query("$search", `"offer"`))
	if inbox.column("subject") != "Re: Offer" {
		t.Errorf("in the Inbox: %s", inbox.column("subject"))
	}
}

// TestSearchFinds1000: a search tells of no more.
func TestSearchFinds1000(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	w.must(w.office.DeliverUnrelated(postoffice.Traffic{To: maria, N: 1200}))
	n := 0
	for link := "/me/messages" + query("$search", `"to:maria"`, "$top", "600", "$select", "id"); link != ""; {
		page := w.get(link)
		n += len(page.rows())
		link, _ = page.json["@odata.nextLink"].(string)
	}
	if n != 1000 {
		t.Errorf("found %d messages", n)
	}
}

// TestOrder: what sorts, and which filters go with it.
func TestOrder(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	library(w)
	const since = "receivedDateTime ge 2026-01-01T00:00:00Z"
	for _, c := range []struct{ filter, order, want string }{
		{"", "", allSubjects},
		{"", "receivedDateTime", "Offer,Re: Offer,Report,Letter,It's O'Neill"},
		{"", "receivedDateTime desc", allSubjects},
		{"", "subject asc", "It's O'Neill,Letter,Offer,Re: Offer,Report"},
		{"", "from/emailAddress/address desc,receivedDateTime desc", "It's O'Neill,Offer,Letter,Report,Re: Offer"},
		{since + " and isRead eq false", "receivedDateTime desc", "It's O'Neill,Letter,Re: Offer"},
		{since + " and subject ne 'x'", "receivedDateTime,subject", "Offer,Re: Offer,Report,Letter,It's O'Neill"},
	} {
		options := []string{"$orderby", c.order}
		if c.filter != "" {
			options = append(options, "$filter", c.filter)
		}
		if got := w.get("/me/messages" + query(options...)).column("subject"); got != c.want {
			t.Errorf("%s by %s: %s, want %s", c.filter, c.order, got, c.want)
		}
	}
	for _, c := range []struct{ filter, order, code string }{
		{"isRead eq false", "receivedDateTime desc", "InefficientFilter"},
		{"isRead eq false and " + since, "receivedDateTime desc", "InefficientFilter"},
		{since, "receivedDateTime,subject", "InefficientFilter"},
		{"singleValueExtendedProperties/Any(ep: ep/id eq 'String 0x001A' and ep/value eq 'x')", "receivedDateTime", "InefficientFilter"},
		{since + " and singleValueExtendedProperties/Any(ep: ep/id eq 'String 0x001A' and ep/value eq 'x')", "receivedDateTime", "InefficientFilter"},
		{since, "receivedDateTime down", "BadRequest"},
		{"shoeSize eq 'x'", "shoeSize", "ErrorInvalidUrlQueryFilter"},
	} {
		w.refuses("/me/messages"+query("$filter", c.filter, "$orderby", c.order), http.StatusBadRequest, c.code)
	}
	w.refuses("/me/messages?$orderby=shoeSize", http.StatusBadRequest, "BadRequest")

	_, err := w.office.Deliver(postoffice.Mail{To: maria, Raw: []byte("Subject: Past\r\n\r\nx\r\n"), Received: w.clock.Now().AddDate(0, -1, 0)})
	w.must(err)
	if got := w.get("/me/messages").column("subject"); got != allSubjects+",Past" {
		t.Errorf("by the time of receipt: %s", got)
	}
}

// TestPaging: $top, $skip, $count and the links.
func TestPaging(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	for i := range 25 {
		w.arrives(fmt.Sprintf("%02d", i))
	}
	for options, want := range map[string]int{
		"": 10, "?$top=3": 3, "?$Top=3": 3, "?$top=1000": 25, "?$skip=20": 5, "?$skip=30": 0, "?$top=4&$skip=23": 2,
	} {
		if got := len(w.get("/me/messages" + options).rows()); got != want {
			t.Errorf("%s: %d messages, want %d", options, got, want)
		}
	}
	if got := w.get("/me/messages", "Prefer", "odata.maxpagesize=7"); len(got.rows()) != 7 || got.header.Get("Preference-Applied") != "odata.maxpagesize=7" {
		t.Errorf("%d messages under maxpagesize", len(got.rows()))
	}
	for _, o := range []string{
		"$top=0", "$top=1001", "$top=x", "$skip=-1", "$count=maybe", "$top=1&$top=2", "$Top=1&$top=2", "$apply=x", "shoe=7", "$top=%zz", "$deltatoken=x", "changeType=created",
	} {
		w.refuses("/me/messages?"+o, http.StatusBadRequest, "BadRequest")
	}
	got, n := "", 0
	for link := "/me/messages" + query("$count", "true", "$select", "subject", "$orderby", "subject", "$top", "9"); link != ""; n++ {
		page := w.get(link)
		if page.json["@odata.count"] != 25.0 {
			t.Errorf("the count is %v", page.json["@odata.count"])
		}
		got += page.column("subject") + ","
		if link, _ = page.json["@odata.nextLink"].(string); link != "" && !strings.HasPrefix(link, w.ms.GraphURL()+"/v1.0/me/messages?") {
			t.Errorf("the link is %s", link)
		}
	}
	if n != 3 || !strings.HasPrefix(got, "00,01,02,") || strings.Count(got, ",") != 25 {
		t.Errorf("%d pages of %s", n, got)
	}
}

// TestSelect: what of a message comes, and what only when it is asked for.
func TestSelect(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	library(w)
	letter := w.get("/me/messages" + query("$filter", "subject eq 'Letter'")).rows()[0]
	for name, want := range map[string]string{
		"subject": "Letter", "bodyPreview": "Dear Maria & all", "internetMessageId": "<letter@other.example.net>", "receivedDateTime": "2026-03-02T12:00:00Z",
		"sentDateTime": "2026-03-02T12:00:00Z", "isRead": "false", "isDraft": "false", "hasAttachments": "false", "importance": "normal", "categories": "[]", "ccRecipients": "[]",
		"from":         "map[emailAddress:map[address:carl@other.example.net name:Carl]]",
		"sender":       "map[emailAddress:map[address:desk@other.example.net name:desk@other.example.net]]",
		"toRecipients": "[map[emailAddress:map[address:" + maria + " name:" + maria + "]]]", "uniqueBody": "<nil>", "internetMessageHeaders": "<nil>",
	} {
		if got := fmt.Sprint(letter[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if body := fmt.Sprint(letter["body"]); !strings.Contains(body, "contentType:html") || !strings.Contains(body, "<b>Maria</b>") {
		t.Errorf("the body is %s", body)
	}
	path := "/me/messages/" + letter["id"].(string)
	if got := w.get(path+"?$select=body,uniqueBody", "Prefer", `outlook.body-content-type="text"`); got.at("body", "contentType") != "text" ||
		strings.Contains(fmt.Sprint(got.at("body", "content")), "<") || got.at("uniqueBody", "content") == nil || got.json["subject"] != nil {
		t.Errorf("as text: %s", got.body)
	}
	if got := w.get(path + "?$select=Subject,internetMessageHeaders"); got.json["subject"] != "Letter" || !strings.Contains(got.body, `"name":"Sender"`) || got.json["body"] != nil {
		t.Errorf("selected: %s", got.body)
	}
	answer := w.get("/me/messages" + query("$filter", "subject eq 'Re: Offer'", "$select", "uniqueBody")).rows()[0]
	if body := fmt.Sprint(answer["uniqueBody"]); !strings.Contains(body, "Monday") || strings.Contains(body, ">") {
		t.Errorf("the new part is %s", body)
	}
	w.refuses(path+"?$select=shoeSize", http.StatusBadRequest, "BadRequest")
	w.refuses(path+"?$top=1", http.StatusBadRequest, "BadRequest")

	// Copies of sent mail lack their headers, or so users report.
	for _, has := range []bool{false, true} {
		w := newGraphWorld(t, false, msgraphtest.Config{Beliefs: msgraphtest.Beliefs{SentCopyHeaders: has}})
		w.must(w.sendMIME(w.mail("Offer")))
		got := w.get("/me/messages" + query("$select", "internetMessageHeaders", "$expand", "singleValueExtendedProperties($filter=id eq 'String 0x007D' or id eq 'String 0x1035')"))
		if strings.Contains(got.body, "internetMessageHeaders\":[") != has || strings.Contains(got.body, "0x7d") != has || !strings.Contains(got.body, "0x1035") {
			t.Errorf("SentCopyHeaders %t: %s", has, got.body)
		}
	}
}

// TestExpand: extended properties come under their ids in short.
func TestExpand(t *testing.T) {
	for _, asked := range []bool{false, true} {
		w := newGraphWorld(t, false, msgraphtest.Config{Beliefs: msgraphtest.Beliefs{PropertyIDsAsAsked: asked}})
		library(w)
		ids := []string{"String 0x001A", "string 0x0037", "String {00020386-0000-0000-C000-000000000046} Name Subject", "String 0x1045", "String 0x5D01"}
		got := w.get("/me/messages" + query("$filter", "subject eq 'Report'", "$select", "id", "$expand",
			"singleValueExtendedProperties($filter=id eq '"+strings.Join(ids, "' or id eq '")+"')"))
		var have []string
		for _, p := range got.rows()[0]["singleValueExtendedProperties"].([]any) {
			have = append(have, fmt.Sprint(p.(map[string]any)["id"], "=", p.(map[string]any)["value"]))
		}
		want := "String 0x1a=IPM.Note;String 0x37=Report;String {00020386-0000-0000-c000-000000000046} Name Subject=Report;String 0x5d01=carl@other.example.net"
		if asked {
			want = "String 0x001A=IPM.Note;string 0x0037=Report;String {00020386-0000-0000-C000-000000000046} Name Subject=Report;String 0x5D01=carl@other.example.net"
		}
		if strings.Join(have, ";") != want {
			t.Errorf("PropertyIDsAsAsked %t: %v", asked, have)
		}
	}
	w := newGraphWorld(t, false, msgraphtest.Config{})
	for expand, code := range map[string]string{
		"singleValueExtendedProperties":                                            "ErrorInvalidProperty",
		"singleValueExtendedProperties($top=1)":                                    "ErrorInvalidProperty",
		"singleValueExtendedProperties($filter=id eq 'x')":                         "ErrorInvalidUrlQueryFilter",
		"singleValueExtendedProperties($filter=id eq 'String 0x1A' and id eq 'x')": "ErrorInvalidUrlQueryFilter",
		"singleValueExtendedProperties($filter=value eq 'x')":                      "BadRequest",
		"singleValueExtendedProperties($filter=)":                                  "BadRequest",
		"extensions": "BadRequest",
	} {
		w.refuses("/me/messages"+query("$expand", expand), http.StatusBadRequest, code)
	}
}

// TestReadBasic: what Mail.ReadBasic gives and what it keeps back.
func TestReadBasic(t *testing.T) {
	for _, without := range []bool{false, true} {
		w := newGraphWorld(t, false, msgraphtest.Config{Beliefs: msgraphtest.Beliefs{BasicWithoutHeaders: without}}, "Mail.ReadBasic")
		m := w.arrives("Hello")
		got := w.get("/me/messages")
		for _, name := range []string{"body", "bodyPreview", "uniqueBody"} {
			if _, ok := got.rows()[0][name]; ok {
				t.Errorf("%s comes with %s", name, got.body)
			}
		}
		if got.column("subject") != "Hello" {
			t.Errorf("the list is %s", got.body)
		}
		if f := w.feed("inbox"); f.round(nil) != "Hello" {
			t.Error("there is no delta")
		}
		w.get("/me/messages" + query("$filter", "isRead ne true"))
		path := "/me/messages/" + msgraphtest.MessageID(m)
		const class = "String 0x001A"
		for _, p := range []string{
			path + "?$select=body", path + "?$select=bodyPreview", path + "?$select=uniqueBody", "/me/mailFolders/inbox/messages/delta?$select=body",
			path + query("$expand", "singleValueExtendedProperties($filter=id eq '"+class+"')"), path + "?$expand=attachments", path + "/$value", path + "/attachments",
			"/me/messages" + query("$filter", "singleValueExtendedProperties/Any(ep: ep/id eq '"+class+"' and ep/value eq 'x')"), "/me/messages" + query("$search", `"hello"`),
		} {
			w.refuses(p, http.StatusForbidden, "ErrorAccessDenied")
		}
		if without {
			w.refuses(path+"?$select=internetMessageHeaders", http.StatusForbidden, "ErrorAccessDenied")
		} else if got := w.get(path + "?$select=internetMessageHeaders"); !strings.Contains(got.body, `"name":"From"`) {
			t.Errorf("the headers are %s", got.body)
		}
		for _, r := range w.office.Books().Reads() {
			if r.Contents != 0 {
				t.Errorf("text left: %+v", r)
			}
		}
	}
}
