// Package contracttest checks requests and answers against the vendors'
// descriptions of their APIs, for the tests of the fakes.
package contracttest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/outreachkit/outreach/internal/shared"
)

// Contract is one description, read once. It is safe for concurrent use.
type Contract struct {
	router routers.Router
	server string
}

// Load reads a description by its file name, from where package shared finds
// it; nil if it is not at hand. Server is what comes before the description's paths in a
// request's path.
func Load(name, server string) (*Contract, error) {
	path, err := shared.Find("contracts/" + name)
	if err != nil || path == "" {
		return nil, err
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
