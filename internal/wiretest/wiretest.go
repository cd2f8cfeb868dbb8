// Package wiretest answers HTTP requests byte by byte, for tests of what can
// become of a request.
package wiretest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// Params say how a Server treats every connection.
type Params struct {
	Answer string // the bytes it writes; empty closes without an answer
	Unread bool   // it does not read the request's body
	Reset  bool   // it resets the connection instead of answering
}

// Server listens on the loopback until Close. It is safe for concurrent use.
type Server struct {
	Addr string

	l      net.Listener
	params Params

	mu       sync.Mutex
	requests []Request
}

// Request is one that reached the server.
type Request struct {
	Method, Path, Query string
	Header              http.Header
	Body                string // empty if Params.Unread
	ContentLength       int64
}

// Start starts a Server.
func Start(ctx context.Context, p Params) (*Server, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: l.Addr().String(), l: l, params: p}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s, nil
}

// Close stops listening.
func (s *Server) Close() error { return s.l.Close() }

func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	r := Request{Method: req.Method, Path: req.URL.Path, Query: req.URL.RawQuery, Header: req.Header, ContentLength: req.ContentLength}
	if !s.params.Unread {
		body, _ := io.ReadAll(req.Body)
		r.Body = string(body)
	}
	s.mu.Lock()
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	if s.params.Reset {
		_ = conn.(*net.TCPConn).SetLinger(0)
		return
	}
	_, _ = io.WriteString(conn, s.params.Answer)
}

// Requests returns what reached the server, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// JSON is the bytes of an answer with a JSON body.
func JSON(status int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, len(body), body)
}

// RefusingAddr returns an address of the loopback at which nobody listens.
func RefusingAddr(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
