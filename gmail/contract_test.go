package gmail_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/outreachkit/outreach/gmail/gmailtest"
)

// contract is Google's own description of the Gmail API, where it is at hand.
type contract struct {
	router  routers.Router
	mu      sync.Mutex
	faults  []string
	checked int
}

// loadContract reads the strict OpenAPI file; nil if there is none.
func loadContract(t testing.TB) *contract {
	t.Helper()
	dir := os.Getenv("OUTREACH_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	path := filepath.Join(dir, "contracts", "gmail-openapi.strict.json")
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	router, err := readContract(path)
	if err != nil {
		t.Fatal(err)
	}
	return &contract{router: router}
}

// readContract reads the file once for all tests.
var readContract = func() func(path string) (routers.Router, error) {
	var once sync.Once
	var router routers.Router
	var err error
	return func(path string) (routers.Router, error) {
		once.Do(func() {
			var doc *openapi3.T
			if doc, err = openapi3.NewLoader().LoadFromFile(path); err == nil {
				doc.Servers = nil
				router, err = gorillamux.NewRouter(doc)
			}
		})
		return router, err
	}
}()

// check is a gmailtest.Config.Check.
func (c *contract) check(ex gmailtest.Exchange) {
	if !strings.HasPrefix(ex.Request.URL.Path, "/gmail/") {
		return
	}
	if err := c.validate(ex); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.faults = append(c.faults, fmt.Sprintf("%s %s, status %d: %v", ex.Request.Method, ex.Request.URL, ex.Status, err))
	}
}

func (c *contract) validate(ex gmailtest.Exchange) error {
	c.mu.Lock()
	c.checked++
	c.mu.Unlock()
	route, params, err := c.router.FindRoute(ex.Request)
	if err != nil {
		return err
	}
	opts := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}
	in := &openapi3filter.RequestValidationInput{Request: ex.Request, PathParams: params, Route: route, Options: opts}
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: ex.Status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(ex.ResponseBody)), Options: opts,
	}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

// report fails the test for everything that broke the contract.
func (c *contract) report(t testing.TB) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, f := range c.faults {
		if i == 5 {
			t.Errorf("and %d more", len(c.faults)-5)
			return
		}
		t.Error(f)
	}
}
