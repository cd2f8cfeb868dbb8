package msgraphtest

import (
	"bytes"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

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

	// PageSize is the most that one page of a list or of a delta holds; zero
	// is what Graph allows.
	PageSize int

	// Check sees every request and its answer, for checking them against a
	// contract. It runs before the answer leaves.
	Check func(Exchange)
}

// Beliefs are what is held true of Microsoft without proof. The zero value is
// the default.
type Beliefs struct {
	// FullScopes: token answers spell Graph's scopes as URLs.
	FullScopes bool

	// WidensScopes: a token carries every scope of Graph that was ever
	// consented to, not only those that were asked for.
	WidensScopes bool

	// SendsIssuer: the redirect carries an iss parameter (RFC 9207).
	SendsIssuer bool
}

// Exchange is one request and its answer.
type Exchange struct {
	Request      *http.Request // its body is RequestBody
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
	}
	s.entraRoutes(s.login)
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
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := &recorder{header: make(http.Header), status: http.StatusOK}
	switch host := "http://" + r.Host; {
	case host == s.GraphURL() || host == socketlessGraph:
		s.graph.ServeHTTP(rec, r)
	case host == s.LoginURL() || host == socketlessLogin:
		s.login.ServeHTTP(rec, r)
	default:
		http.Error(rec, "no such host", http.StatusMisdirectedRequest)
	}
	if s.cfg.Check != nil {
		checked := r.Clone(r.Context())
		checked.Body = io.NopCloser(bytes.NewReader(body))
		s.cfg.Check(Exchange{Request: checked, RequestBody: body, Status: rec.status, Header: rec.header, ResponseBody: rec.body.Bytes()})
	}
	for name, values := range rec.header {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.status)
	_, _ = w.Write(rec.body.Bytes())
}

// recorder holds an answer back until it is complete.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// Transport answers requests to LoginURL and GraphURL without a socket.
func (s *Server) Transport() http.RoundTripper { return inProcess{s} }

type inProcess struct{ s *Server }

// RoundTrip implements http.RoundTripper. A cut connection is an
// io.ErrUnexpectedEOF.
func (t inProcess) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	in := req.Clone(req.Context())
	in.RequestURI, in.Host, in.RemoteAddr = req.URL.RequestURI(), req.URL.Host, "127.0.0.1:0"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer func() { _ = in.Body.Close() }()
	rec := &recorder{header: make(http.Header), status: http.StatusOK}
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler {
				panic(v)
			}
			resp, err = nil, io.ErrUnexpectedEOF
		}
	}()
	t.s.ServeHTTP(rec, in)
	return &http.Response{
		Status: strings.TrimSpace(fmt.Sprint(rec.status, " ", http.StatusText(rec.status))), StatusCode: rec.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: rec.header, Body: io.NopCloser(bytes.NewReader(rec.body.Bytes())), ContentLength: int64(rec.body.Len()), Request: req,
	}, nil
}
