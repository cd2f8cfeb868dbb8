package story

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// World is the world of mail: the office, and the fakes of mail services that
// are reached over HTTP on the loopback. It lives in the process, so in
// between it lives in a journal of the requests it was sent and of the time
// that went by. An equal world that is given the journal's requests at the
// journal's times becomes the same world, with the same mail, books and
// tokens.
type World struct {
	Office *postoffice.Office

	storage *Storage
	server  *http.Server
	client  *http.Client

	mu       sync.Mutex // one request at a time, in the journal's order
	services map[string]http.Handler
	journal  *journal
	replayed int // requests
	failed   error
}

// NewWorld returns the world of the story: the senders' mailboxes, the
// candidates, and their clock. With several senders the candidates have
// mailboxes too, at the services of the senders in turn.
func NewWorld(ctx context.Context, storage *Storage, senders ...Sender) (*World, error) {
	office, err := newOffice(senders)
	if err != nil {
		return nil, err
	}
	w := &World{Office: office, storage: storage, services: make(map[string]http.Handler)}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if w.journal, err = storage.openJournal(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	// Links and cursors hold addresses of the services, which must be the same
	// each time. So services have names of hosts, and all names lead here.
	addr := l.Addr().String()
	w.client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}}
	w.server = &http.Server{Handler: http.HandlerFunc(w.serve), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = w.server.Serve(l) }() // ends with Close
	return w, nil
}

// Client reaches the world's services.
func (w *World) Client() *http.Client { return w.client }

// Host puts a service into the world, at the hosts that the URLs name.
func (w *World) Host(service http.Handler, urls ...string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range urls {
		parsed, err := url.Parse(u)
		if err != nil {
			return err
		}
		w.services[parsed.Host] = service
	}
	return nil
}

// Close ends the world. A request under way may still be written down.
func (w *World) Close() error {
	err := w.server.Close()
	w.client.CloseIdleConnections()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = errors.New("the world has ended")
	return errors.Join(err, w.journal.close())
}

// serve writes a request down and then serves it: what the world did is never
// forgotten, and what it didn't is never told.
func (w *World) serve(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	dump, err := httputil.DumpRequest(r, true)
	if err != nil || w.failed != nil {
		panic(http.ErrAbortHandler)
	}
	e := entry{at: w.Office.Clock().Now(), request: dump}
	if err := w.journal.append(context.WithoutCancel(r.Context()), e); err != nil {
		w.failed = err
		panic(http.ErrAbortHandler)
	}
	w.handle(rw, r)
}

func (w *World) handle(rw http.ResponseWriter, r *http.Request) {
	service := w.services[r.Host]
	if service == nil {
		http.Error(rw, "no such host in this world", http.StatusNotFound)
		return
	}
	service.ServeHTTP(rw, r)
}

// advance moves the world's clock.
func (w *World) advance(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return w.failed
	}
	clock := w.Office.Clock()
	at := clock.Now().Add(d)
	if err := w.journal.append(ctx, entry{at: at}); err != nil {
		return err
	}
	clock.Set(at)
	return nil
}

// replay makes the world what it was when the journal ended.
func (w *World) replay(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.journal.replay(ctx, func(e entry) error {
		w.Office.Clock().Set(e.at)
		if len(e.request) == 0 {
			return nil
		}
		w.replayed++
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(e.request)))
		if err != nil {
			return fmt.Errorf("no request: %w", err)
		}
		w.handleUnseen(r.WithContext(ctx))
		return nil
	})
}

// handleUnseen serves a request whose answer was given before, or was lost.
func (w *World) handleUnseen(r *http.Request) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	w.handle(&unseen{header: make(http.Header)}, r)
}

// unseen is an answer that nobody reads.
type unseen struct{ header http.Header }

func (u *unseen) Header() http.Header         { return u.header }
func (u *unseen) WriteHeader(int)             {}
func (u *unseen) Write(b []byte) (int, error) { return len(b), nil }
