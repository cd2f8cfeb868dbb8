package gmailtest

import (
	"bytes"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/internal/inprocess"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// Config sets up a Server. ClientID and ClientSecret are required.
type Config struct {
	ClientID     string
	ClientSecret string

	// TokenLife is how long access tokens live; an hour if zero. CodeLife is
	// how long an authorisation code does; ten minutes if zero.
	TokenLife time.Duration
	CodeLife  time.Duration

	Beliefs Beliefs

	// PendingSenders are addresses, by a mailbox's primary one, that its user
	// wants to send from and has not verified yet.
	PendingSenders map[string][]string

	// SigningKey signs ID tokens. Nil makes one when it is first needed,
	// which takes a while: tests with many servers share one.
	SigningKey *rsa.PrivateKey

	// Check sees every request and its answer, for checking them against a
	// contract. It runs before the answer leaves.
	Check func(Exchange)
}

// Beliefs are what is held true of Google without proof. The zero value is
// the default.
type Beliefs struct {
	// RotatesRefreshTokens: each refresh answers with a new refresh token and
	// the old one is dead.
	RotatesRefreshTokens bool

	// HistoryWithoutLabels: messagesAdded names ids and threads only.
	HistoryWithoutLabels bool

	// ShortScopes: the token answer spells email as it was asked for, not as
	// the userinfo URL.
	ShortScopes bool

	// PushesText: a push tells the historyId as a text. Else it is a number.
	// PushesURLSafe: its data is in the other alphabet of base64.
	PushesText    bool
	PushesURLSafe bool

	// NoIssuer: the redirect carries no iss parameter.
	NoIssuer bool

	// TestingMode: refresh tokens die after seven days, as while the consent
	// screen is in testing.
	TestingMode bool

	// AnnouncesEnd: in TestingMode the token answer says when the refresh token
	// dies, as refresh_token_expires_in.
	AnnouncesEnd bool
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
	mux    *http.ServeMux
	keys   keys

	mu       sync.Mutex
	base     string // where it is reached
	pending  map[string]*consent
	codes    map[string]*code
	access   map[string]*token
	refresh  map[string]*token
	rules    []*Rule
	secrets  []string
	serial   int
	push     pushes
	listener net.Listener
	http     *http.Server
}

// socketless is the base URL before Start.
const socketless = "http://google.invalid"

// New returns a Server over the office. It listens nowhere until Start.
func New(office *postoffice.Office, cfg Config) (*Server, error) {
	if office == nil {
		return nil, errors.New("gmailtest: no office")
	}
	if cfg.ClientID == "" || cfg.ClientSecret == "" {
		return nil, errors.New("gmailtest: Config needs a ClientID and a ClientSecret")
	}
	if cfg.TokenLife == 0 {
		cfg.TokenLife = time.Hour
	}
	if cfg.CodeLife == 0 {
		cfg.CodeLife = 10 * time.Minute
	}
	s := &Server{
		office: office, clock: office.Clock(), cfg: cfg, base: socketless, secrets: []string{cfg.ClientSecret},
		pending: make(map[string]*consent), codes: make(map[string]*code),
		access: make(map[string]*token), refresh: make(map[string]*token),
	}
	if cfg.SigningKey != nil {
		s.keys.publish(cfg.SigningKey)
	}
	s.push.watches = make(map[*postoffice.Mailbox]*watch)
	s.push.hooked = make(map[*postoffice.Mailbox]bool)
	s.mux = s.routes()
	return s, nil
}

// Start listens on a free loopback port until Close.
func (s *Server) Start() error {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("gmailtest: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		_ = l.Close()
		return errors.New("gmailtest: already started")
	}
	s.listener, s.base = l, "http://"+l.Addr().String()
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.http = srv
	go func() { _ = srv.Serve(l) }() // ends with Close
	return nil
}

// Close stops listening and cuts open connections.
func (s *Server) Close() error {
	s.mu.Lock()
	srv := s.http
	s.http, s.listener = nil, nil
	s.mu.Unlock()
	if srv == nil {
		return nil
	}
	return srv.Close()
}

// URL is where the server is reached.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base
}

// Endpoints returns what a gmail.Config needs to reach the server.
func (s *Server) Endpoints() *gmail.Endpoints {
	base := s.URL()
	return &gmail.Endpoints{
		Auth: base + "/o/oauth2/v2/auth", Token: base + "/token", Revoke: base + "/revoke",
		JWKS: base + "/oauth2/v3/certs", Issuer: base, API: base,
	}
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("GET /oauth2/v3/certs", s.certs)
	mux.HandleFunc("GET /o/oauth2/v2/auth", s.consentPage)
	mux.HandleFunc("POST /o/oauth2/v2/auth", s.consentAnswer)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /revoke", s.revoke)
	api := func(pattern, op string, h func(*call)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.api(w, r, op, h) })
	}
	const u = "/gmail/v1/users/{user}"
	api("GET "+u+"/profile", "getProfile", (*call).getProfile)
	api("POST "+u+"/messages/send", "messages.send", (*call).send)
	api("GET "+u+"/messages", "messages.list", (*call).list)
	api("GET "+u+"/messages/{id}", "messages.get", (*call).get)
	api("GET "+u+"/messages/{id}/attachments/{part}", "messages.attachments.get", (*call).attachment)
	api("GET "+u+"/threads/{id}", "threads.get", (*call).thread)
	api("GET "+u+"/history", "history.list", (*call).history)
	api("GET "+u+"/labels", "labels.list", (*call).labels)
	api("POST "+u+"/watch", "watch", (*call).watch)
	api("POST "+u+"/stop", "stop", (*call).stop)
	api("GET "+u+"/settings/sendAs", "settings.sendAs.list", (*call).sendAs)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		apiError(w, http.StatusNotFound, "notFound", "NOT_FOUND", "Requested entity was not found.")
	})
	return mux
}

// maxBody is the upload ceiling of messages.send and what JSON adds to it.
const maxBody = 50 << 20

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := inprocess.NewRecorder()
	own := s.answer(rec, r, body)
	if s.cfg.Check != nil && own {
		checked := r.Clone(r.Context())
		checked.Body = io.NopCloser(bytes.NewReader(body))
		s.cfg.Check(Exchange{Request: checked, RequestBody: body, Status: rec.Status, Header: rec.Header(), ResponseBody: rec.Body.Bytes()})
	}
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Status)
	_, _ = w.Write(rec.Body.Bytes())
}

// answer runs the handler, unless a fault strikes.
func (s *Server) answer(rec *inprocess.Recorder, r *http.Request, body []byte) (own bool) {
	rule := s.strike(opOf(r), body)
	if rule == nil {
		s.mux.ServeHTTP(rec, r)
		return true
	}
	if rule.Fault == CutAfter {
		s.mux.ServeHTTP(inprocess.NewRecorder(), r)
	}
	if rule.Call != nil {
		rule.Call()
	}
	if rule.Fault == CutBefore || rule.Fault == Refuse || rule.Fault == HTML {
		s.countStruck(r)
	}
	switch rule.Fault {
	case CutBefore, CutAfter:
		panic(http.ErrAbortHandler)
	case Refuse:
		rule.refuse(rec, opOf(r))
	case RefuseClient:
		oauthError(rec, http.StatusUnauthorized, "invalid_client", "", "The OAuth client was not found.")
	case RefuseAfter:
		s.mux.ServeHTTP(inprocess.NewRecorder(), r)
		rule.refuse(rec, opOf(r))
	case HTML:
		rec.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = rec.Write([]byte("<!DOCTYPE html><title>Welcome</title><p>Please sign in to this network."))
	default:
		s.mux.ServeHTTP(rec, r)
	}
	return rule.Fault != HTML && rule.Body == ""
}

// countStruck books a request that no handler saw.
func (s *Server) countStruck(r *http.Request) {
	name, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	t := s.access[name]
	s.mu.Unlock()
	if t == nil {
		return
	}
	class := postoffice.RequestOther
	switch opOf(r) {
	case "messages.send":
		class = postoffice.RequestSend
	case "messages.list":
		class = postoffice.RequestSearch
	case "history.list":
		class = postoffice.RequestChanges
	}
	t.grant.box.Count(class)
}
