package mimemsg_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

func TestNewMessageID(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	seen := make(map[string]bool)
	for _, parts := range [][]string{nil, {""}, {"", ""}, {"a", "bc"}, {"ab", "c"}, {"abc"}, {"a", "b", "c"}, {"ada@example.net"}} {
		id, err := mimemsg.NewMessageID(key, "mail.example.com", parts...)
		if err != nil || !mimemsg.WellFormedID(id) || !strings.HasSuffix(id, "@mail.example.com>") || strings.Contains(id, "ada") {
			t.Errorf("%q: %s, %v", parts, id, err)
		}
		if again, _ := mimemsg.NewMessageID(key, "mail.example.com", parts...); again != id {
			t.Errorf("%q: %s, then %s", parts, id, again)
		}
		if other, _ := mimemsg.NewMessageID([]byte("another"), "mail.example.com", parts...); other == id {
			t.Errorf("%q: the same id with another key", parts)
		}
		if seen[id] {
			t.Errorf("%q: an id of other parts", parts)
		}
		seen[id] = true
	}
	for _, domain := range []string{"", "localhost", "example.com.", ".example.com", "exa mple.com", "a@example.com", "münchen.example", "example.com\r\n", "a..b", "example.com>"} {
		_, err := mimemsg.NewMessageID(key, domain, "a")
		var fault *provider.FieldError
		if !errors.As(err, &fault) || fault.Field != "Domain" {
			t.Errorf("domain %q: %v", domain, err)
		}
	}
}

func TestSubjectReply(t *testing.T) {
	for in, want := range map[string]string{
		"A role": "Re: A role", "Re: A role": "Re: A role", "RE: A role": "RE: A role", "re:x": "re:x", "": "Re: ",
		"Report": "Re: Report", "AW: A role": "Re: AW: A role", " Re: x ": "Re: x",
	} {
		got := mimemsg.SubjectReply(in)
		if got != want || mimemsg.SubjectReply(got) != strings.TrimSpace(got) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestReferences(t *testing.T) {
	if got := mimemsg.References(nil, ""); got != nil {
		t.Errorf("of nothing: %q", got)
	}
	chain := []string{"<a@x>", "b@x", "<a@x>", "", "<p@x>"}
	if got, want := mimemsg.References(chain, "p@x"), []string{"<a@x>", "<b@x>", "<p@x>"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	chain = nil
	for i := range 5000 {
		chain = append(chain, fmt.Sprintf("<%d@x>", i))
	}
	got := mimemsg.References(chain, "<p@x>")
	if len(got) != 1000 || got[0] != "<0@x>" || got[1] != "<4002@x>" || got[999] != "<p@x>" {
		t.Errorf("%d ids: %s, %s ... %s", len(got), got[0], got[1], got[len(got)-1])
	}
	if chain[1] != "<1@x>" {
		t.Error("the caller's chain was changed")
	}
}

// TestOddIDs reads the forms that programs give what they cite.
func TestOddIDs(t *testing.T) {
	want := []string{"<a.1@mail.example.com>"}
	for _, v := range []string{
		"<a.1@mail.example.com>", "a.1@mail.example.com", "<a.1@mail.example.com> (A role in Lisbon)", `Your message of "Tue, 1 Sep 2026" <a.1@mail.example.com>`,
		"<a.1@mail.\r\n example.com>", "\r\n\t<a.1@mail.example.com>", "<<a.1@mail.example.com>>", "<a.1@mail.example.com>,<a.1@mail.example.com>;",
		"=?us-ascii?Q?=3Ca=2E1=40mail=2Eexample=2Ecom=3E?=", "=?utf-8?B?PGEuMUBtYWlsLg==?=\r\n =?utf-8?B?ZXhhbXBsZS5jb20+?=",
		"<a.1@mail.example.com> <unfinished@mail.exam",
	} {
		env := mimemsg.ReadHeader([]mimemsg.Field{{Name: "In-Reply-To", Value: v}, {Name: "references", Value: v}})
		if !slices.Equal(env.InReplyTo, want) || !slices.Equal(env.References, want) {
			t.Errorf("%q is read as %q and %q", v, env.InReplyTo, env.References)
		}
	}
}
