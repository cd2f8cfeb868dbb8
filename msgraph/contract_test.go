package msgraph_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/outreachkit/outreach/internal/contracttest"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
)

// contract is Microsoft's own description of Graph's mail, where it is at hand.
var contract = sync.OnceValues(func() (*contracttest.Contract, error) {
	return contracttest.Load("graph-mail-openapi.strict.json", "/v1.0")
})

// checked has every request to the API and its answer checked, and fails the
// test for everything that breaks the contract.
func checked(t testing.TB) func(msgraphtest.Exchange) {
	t.Helper()
	rec := contracttest.Watch(t, contract)
	return func(ex msgraphtest.Exchange) {
		foreign := strings.HasPrefix(ex.Header.Get("Content-Type"), "text/html") // somebody in between answered
		if strings.HasPrefix(ex.Request.URL.Path, "/v1.0/") && !foreign {
			rec.Check(contracttest.Exchange{Request: ex.Request, Status: ex.Status, Header: ex.Header, Body: ex.ResponseBody})
		}
	}
}
