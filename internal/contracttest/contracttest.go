// Package contracttest checks requests and answers against the vendors'
// descriptions of their APIs, for the tests of the fakes.
package contracttest

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

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Contract is one description, read once. It is safe for concurrent use.
type Contract struct {
	router routers.Router
	server string
}

// Load reads a description by its file name; nil if it is not at hand. It is
// looked for in the folder contracts of OUTREACH_SHARED, or of ../shared
// beside the module. Server is what comes before the description's paths in a
// request's path.
func Load(name, server string) (*Contract, error) {
	dir := os.Getenv("OUTREACH_SHARED")
	if dir == "" {
		root, err := moduleRoot()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(root, "..", "shared")
	}
	path := filepath.Join(dir, "contracts", name)
	if _, err := os.Stat(path); err != nil {
		return nil, nil //nolint:nilerr // not at hand is no error
	}
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the contract %s: %w", name, err)
	}
	doc.Servers = nil
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("read the contract %s: %w", name, err)
	}
	return &Contract{router: router, server: server}, nil
}

// moduleRoot is where go.mod lies, from the package under test upwards.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the test")
		}
		dir = up
	}
}

// Record is what one test's exchanges broke. It is safe for concurrent use.
type Record struct {
	c *Contract

	mu     sync.Mutex
	faults []string
}

// Record begins one. A nil Contract finds no fault.
func (c *Contract) Record() *Record { return &Record{c: c} }

// TB is what Watch needs of a *testing.T.
type TB interface {
	Helper()
	Cleanup(func())
	Error(...any)
	Fatal(...any)
}

// Watch begins a Record that fails the test for everything it finds.
func Watch(t TB, load func() (*Contract, error)) *Record {
	t.Helper()
	c, err := load()
	if err != nil {
		t.Fatal(err)
	}
	rec := c.Record()
	t.Cleanup(func() {
		for _, f := range rec.Faults() {
			t.Error(f)
		}
	})
	return rec
}

// Exchange is one request, with its body unread, and its answer.
type Exchange struct {
	Request *http.Request
	Status  int
	Header  http.Header
	Body    []byte
}

// Check checks one exchange.
func (r *Record) Check(ex Exchange) {
	if r.c == nil {
		return
	}
	if err := r.c.validate(ex); err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.faults = append(r.faults, fmt.Sprintf("%s %s, status %d: %v", ex.Request.Method, ex.Request.URL, ex.Status, err))
	}
}

// Faults returns what broke the contract, at most the first few.
func (r *Record) Faults() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	const most = 5
	if n := len(r.faults); n > most {
		return append(append([]string(nil), r.faults[:most]...), fmt.Sprintf("and %d more", n-most))
	}
	return r.faults
}

func (c *Contract) validate(ex Exchange) error {
	req := ex.Request.Clone(ex.Request.Context())
	req.URL.Path = strings.TrimPrefix(req.URL.Path, c.server)
	req.URL.RawPath = ""
	route, params, err := c.router.FindRoute(req)
	if err != nil {
		return err
	}
	opts := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}
	in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: opts}
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if t := ex.Header.Get("Content-Type"); t != "" && !strings.HasPrefix(t, "application/json") {
		header.Set("Content-Type", t)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: ex.Status, Header: header, Body: io.NopCloser(bytes.NewReader(ex.Body)), Options: opts,
	}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}
