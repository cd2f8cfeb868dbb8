package msgraphtest

import (
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// FuzzQuery: whatever a client asks for is answered or refused.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		"internetMessageId eq '<a@b.example.com>'", "not (isRead eq true) or contains(subject,'it''s')", "receivedDateTime ge 2026-03-02T09:00:00Z and isDraft eq false",
		"singleValueExtendedProperties/Any(ep: ep/id eq 'String 0x001A' and startswith(ep/value,'REPORT'))", "id eq 'String 0x1A' or id eq 'String 0x1039'",
		`"from:anna (subject:offer OR \"an offer\") -report received>=2026-03-02"`, `"a*"`, `"NOT (hasAttachments:true)"`, "(((", "'", "eq eq eq", `"\`, "",
		"singleValueExtendedProperties/Any(", "$select=id&$top=5&x", "a,b(c",
	} {
		f.Add(s)
	}
	office, err := postoffice.New(postoffice.Config{Clock: postoffice.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))})
	if err != nil {
		f.Fatal(err)
	}
	box, err := office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com"})
	if err != nil {
		f.Fatal(err)
	}
	s, err := New(office, Config{ClientID: "client-1", ClientSecret: "secret-1"})
	if err != nil {
		f.Fatal(err)
	}
	c := &call{s: s, box: box, grant: &grant{mailbox: box, scopes: []string{"Mail.Read"}}}
	var views []*view
	for _, raw := range []string{"From: anna@clients.example.org\r\nTo: maria@agency.example.com\r\nSubject: An offer\r\nMessage-ID: <a@b.example.com>\r\n\r\nText\r\n", ""} {
		m, err := office.Deliver(postoffice.Mail{To: box.Address(), Raw: []byte(raw)})
		if err != nil {
			f.Fatal(err)
		}
		views = append(views, c.view(m))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := parseFilter(text); err == nil {
			for _, v := range views {
				yes := p.match(v)
				if not, err := parseFilter("not (" + text + ")"); err == nil && not.match(v) == yes {
					t.Errorf("a message matches both %q and its opposite", text)
				}
			}
		}
		if m, err := parseSearch(text); err == nil {
			for _, v := range views {
				m(v)
			}
		}
		if ids, err := parsePropertyIDs(text); err == nil {
			for _, id := range ids {
				if !validProperty(id) {
					t.Errorf("%q is taken for a property", id)
				}
				for _, v := range views {
					v.extended(id)
				}
			}
		}
		for _, expand := range []string{text, "singleValueExtendedProperties($filter=" + text + ")"} {
			if want, f := c.shape(options{"$expand": expand, "$select": "id,subject,body"}); f == nil {
				for _, v := range views {
					c.row(v, want)
				}
			}
		}
		if _, f := parseOptions(text); f != nil && f.status != 400 {
			t.Errorf("%q is refused with %d", text, f.status)
		}
		parsePrefer(strings.Split(text, "\n"))
	})
}
