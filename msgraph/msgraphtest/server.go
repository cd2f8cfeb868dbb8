package msgraphtest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/outreachkit/outreach/internal/inprocess"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// Config sets up a Server. ClientID and ClientSecret are required.
type Config struct {
	ClientID     string
	ClientSecret string

	// RedirectURLs are those registered. Empty takes any absolute URL.
	RedirectURLs []string

	// HomeTenant makes the registration a single-tenant one: only accounts of
	// this tenant, named by its id or a domain, may sign in. Empty is a
	// multitenant registration.
	HomeTenant string

	// Permissions are the delegated permissions of Graph that the
	// registration lists, which "/.default" stands for. Empty is User.Read,
	// Mail.Send and Mail.Read.
	Permissions []string

	// Policy is what users of tenants may consent to that SetTenant gave no
	// policy. Empty is PolicyManaged: only an administrator lets an app read
	// mail.
	Policy Policy

	// TokenLife is how long access tokens live; an hour if zero. CodeLife is
	// how long an authorisation code does; ten minutes if zero.
	TokenLife time.Duration
	CodeLife  time.Duration

	Beliefs Beliefs

	// SigningKey signs ID tokens. Nil makes one when it is first needed,
	// which takes a while: tests with many servers share one.
	SigningKey *rsa.PrivateKey

	// PageSize is the most that one page of a list or of a delta holds,
	// whatever is asked for. Zero is what Graph allows.
	PageSize int

	// Drafts and Outbox are how long an accepted mail lies in each before it
	// leaves. Mail above the rate of sending waits in the Outbox in any case.
	Drafts time.Duration
	Outbox time.Duration

	// Unlimited leaves out the limits on the number of requests, which are
	// counted by the office's clock: for measuring, where it stands still.
	Unlimited bool

	// Check sees every request and its answer, for checking them against a
	// contract. It runs before the answer leaves.
	Check func(Exchange)
}

// Exchange is one request and its answer.
type Exchange struct {
	// Request's path has all keys as segments, mailFolders/x for
	// mailFolders('x'). Its body is RequestBody.
	Request      *http.Request
	RequestBody  []byte
	Status       int
	Header       http.Header
	ResponseBody []byte
}

// Server is the fake. It is safe for concurrent use.
type Server struct {
	office *postoffice.Office
	clock  *postoffice.Clock
	cfg    Config
	login  *http.ServeMux
	graph  *http.ServeMux
	entra  *entra

	mu        sync.Mutex // may be taken while entra.mu is held, never the other way round
	loginBase string
	graphBase string
	http      []*http.Server
	rules     []*Rule
	serial    int // of requests
	usage     map[*postoffice.Mailbox]*usage
	push      pushes

	views sync.Map  // *parsed by the message's number
	zips  sync.Pool // *gzip.Writer
}

// The base URLs before Start.
const (
	socketlessLogin = "http://login.invalid"
	socketlessGraph = "http://graph.invalid"
)

// New returns a Server over the office. It listens nowhere until Start.
func New(office *postoffice.Office, cfg Config) (*Server, error) {
	if office == nil {
		return nil, errors.New("msgraphtest: no office")
	}
	if cfg.ClientID == "" || cfg.ClientSecret == "" {
		return nil, errors.New("msgraphtest: Config needs a ClientID and a ClientSecret")
	}
	if cfg.PageSize < 0 {
		return nil, errors.New("msgraphtest: Config.PageSize is negative")
	}
	if cfg.Drafts < 0 || cfg.Outbox < 0 {
		return nil, errors.New("msgraphtest: Config.Drafts or Config.Outbox is negative")
	}
	if !slices.Contains(policies(), cfg.Policy) {
		return nil, errors.New("msgraphtest: Config.Policy is none of the policies")
	}
	if cfg.TokenLife == 0 {
		cfg.TokenLife = time.Hour
	}
	if cfg.CodeLife == 0 {
		cfg.CodeLife = 10 * time.Minute
	}
	if len(cfg.Permissions) == 0 {
		cfg.Permissions = []string{"User.Read", "Mail.Send", "Mail.Read"}
	}
	s := &Server{
		office: office, clock: office.Clock(), cfg: cfg, entra: newEntra(cfg),
		login: http.NewServeMux(), graph: http.NewServeMux(), loginBase: socketlessLogin, graphBase: socketlessGraph,
		usage: make(map[*postoffice.Mailbox]*usage),
		push:  pushes{subs: make(map[string]*subscription), hooked: make(map[*postoffice.Mailbox]bool), queue: make(map[string][]notice)},
	}
	s.entraRoutes(s.login)
	s.graphRoutes(s.graph)
	return s, nil
}

// Start listens on two free loopback ports, one for Entra and one for Graph,
// until Close.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.http) > 0 {
		return errors.New("msgraphtest: already started")
	}
	var lc net.ListenConfig
	var listeners []net.Listener
	for range 2 {
		l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
			return fmt.Errorf("msgraphtest: %w", err)
		}
		listeners = append(listeners, l)
	}
	s.loginBase, s.graphBase = "http://"+listeners[0].Addr().String(), "http://"+listeners[1].Addr().String()
	for _, l := range listeners {
		srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
		s.http = append(s.http, srv)
		go func() { _ = srv.Serve(l) }() // ends with Close
	}
	return nil
}

// Close stops listening and cuts open connections.
func (s *Server) Close() error {
	s.mu.Lock()
	servers := s.http
	s.http = nil
	s.mu.Unlock()
	var errs []error
	for _, srv := range servers {
		errs = append(errs, srv.Close())
	}
	return errors.Join(errs...)
}

// LoginURL is the base of Entra: {LoginURL}/{tenant}/oauth2/v2.0/authorize.
func (s *Server) LoginURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loginBase
}

// GraphURL is the base of Graph: {GraphURL}/v1.0/me.
func (s *Server) GraphURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.graphBase
}

// maxBody is more than any request may have.
const maxBody = 50 << 20

// ServeHTTP implements http.Handler. The request's host says which of the two
// it is for.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away
	}
	if r.Header.Get("Content-Encoding") == "gzip" {
		if body, err = unzip(body); err != nil {
			http.Error(w, "Bad Request - Invalid Content-Encoding", http.StatusBadRequest)
			return
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := inprocess.NewRecorder()
	rule := s.answer(rec, r, body)
	if s.cfg.Check != nil {
		checked := r.Clone(r.Context())
		checked.Body = io.NopCloser(bytes.NewReader(body))
		if s.isGraph(r) {
			checked.URL = &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: "/" + strings.Join(segments(r.URL), "/"), RawQuery: r.URL.RawQuery}
		}
		s.cfg.Check(Exchange{Request: checked, RequestBody: body, Status: rec.Status, Header: rec.Header(), ResponseBody: rec.Body.Bytes()})
	}
	out := rec.Body.Bytes()
	if len(out) > 0 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && rec.Header().Get("Content-Encoding") == "" {
		out = s.zip(out)
		rec.Header().Set("Content-Encoding", "gzip")
	}
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	if rule != nil && rule.Fault == CutWithin {
		w.Header().Set("Content-Length", strconv.Itoa(len(out)+1))
		w.WriteHeader(rec.Status)
		_, _ = w.Write(out[:len(out)/2])
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(rec.Status)
	_, _ = w.Write(out)
}

// isGraph reports whether a request came to the host of Graph.
func (s *Server) isGraph(r *http.Request) bool {
	host := "http://" + r.Host
	return host == s.GraphURL() || host == socketlessGraph
}

// dispatch hands a request to the part of the server that it is for.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	switch host := "http://" + r.Host; {
	case s.isGraph(r):
		s.graph.ServeHTTP(w, r)
	case host == s.LoginURL() || host == socketlessLogin:
		s.login.ServeHTTP(w, r)
	default:
		http.Error(w, "no such host", http.StatusMisdirectedRequest)
	}
}

func unzip(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxBody))
}

func (s *Server) zip(b []byte) []byte {
	w, _ := s.zips.Get().(*gzip.Writer)
	if w == nil {
		w, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails for unknown levels alone
	}
	defer s.zips.Put(w)
	var out bytes.Buffer
	w.Reset(&out)
	_, _ = w.Write(b) // a Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
