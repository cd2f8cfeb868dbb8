package contracttest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/outreachkit/outreach/internal/contracttest"
)

// TestFindsFaults: what breaks a description is found, and what keeps to it
// is not.
func TestFindsFaults(t *testing.T) {
	for _, c := range []struct {
		file, server, path, good, bad string
	}{
		{"gmail-openapi.strict.json", "", "/gmail/v1/users/me/profile", `{"emailAddress":"a@example.com"}`, `{"emailAddresses":"a@example.com"}`},
		{"graph-mail-openapi.strict.json", "/v1.0", "/v1.0/me/messages/AAMk", `{"id":"AAMk","isDraft":false}`, `{"id":"AAMk","isDraft":"no"}`},
	} {
		contract, err := contracttest.Load(c.file, c.server)
		if err != nil {
			t.Fatal(err)
		}
		if contract == nil {
			t.Skipf("%s is not at hand; set OUTREACH_SHARED to the folder that holds contracts", c.file)
		}
		check := func(path, body string) int {
			rec := contract.Record()
			rec.Check(contracttest.Exchange{Request: httptest.NewRequest(http.MethodGet, "http://api.example.com"+path, nil), Status: 200, Body: []byte(body)})
			return len(rec.Faults())
		}
		if n := check(c.path, c.good); n != 0 {
			t.Errorf("%s: %d faults in a good answer", c.file, n)
		}
		if check(c.path, c.bad) == 0 || check(c.path+"/nowhere", c.good) == 0 {
			t.Errorf("%s: a bad answer or an unknown path is let through", c.file)
		}
	}
}
