package gmail_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/internal/contracttest"
)

// contract is Google's own description of the Gmail API, where it is at hand.
var contract = sync.OnceValues(func() (*contracttest.Contract, error) {
	return contracttest.Load("gmail-openapi.strict.json", "")
})

// checked has every request to the API and its answer checked, and fails the
// test for everything that breaks the contract.
func checked(t testing.TB) func(gmailtest.Exchange) {
	t.Helper()
	rec := contracttest.Watch(t, contract)
	return func(ex gmailtest.Exchange) {
		if strings.HasPrefix(ex.Request.URL.Path, "/gmail/") {
			rec.Check(contracttest.Exchange{Request: ex.Request, Status: ex.Status, Header: ex.Header, Body: ex.ResponseBody})
		}
	}
}
