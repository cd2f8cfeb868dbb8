package msgraphtest

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
)

// Transport answers requests to LoginURL and GraphURL without a socket. It
// reads the body and fires the trace hooks of a request that was written and
// answered, so a client that reasons from them reasons as it would over a
// network.
func (s *Server) Transport() http.RoundTripper { return inProcess{s} }

type inProcess struct{ s *Server }

// RoundTrip implements http.RoundTripper. A cut connection is an
// io.ErrUnexpectedEOF.
func (t inProcess) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	if err := req.Context().Err(); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	in := req.Clone(req.Context())
	in.RequestURI, in.Host, in.RemoteAddr = req.URL.RequestURI(), req.URL.Host, "127.0.0.1:0"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Body == nil {
		in.Body = http.NoBody
	}
	body := in.Body
	defer func() { _ = body.Close() }()
	trace := httptrace.ContextClientTrace(req.Context())
	fire(trace)
	rec := &whole{recorder: newRecorder()}
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v != http.ErrAbortHandler {
			panic(v)
		}
		resp, err = nil, io.ErrUnexpectedEOF
		if rec.flushed {
			resp, err = rec.response(req, io.MultiReader(&rec.body, cut{})), nil
		}
	}()
	t.s.ServeHTTP(rec, in)
	if trace != nil && trace.GotFirstResponseByte != nil {
		trace.GotFirstResponseByte()
	}
	return rec.response(req, bytes.NewReader(rec.body.Bytes())), nil
}

// whole is an answer on its way to a client in process.
type whole struct {
	*recorder
	flushed bool
}

// Flush implements http.Flusher.
func (w *whole) Flush() { w.flushed = true }

func (w *whole) response(req *http.Request, body io.Reader) *http.Response {
	length := int64(-1)
	if !w.flushed {
		length = int64(w.body.Len())
	}
	return &http.Response{
		Status: fmt.Sprint(w.status, " ", http.StatusText(w.status)), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(body), ContentLength: length, Request: req,
	}
}

// cut is where a connection ends too early.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// fire tells what a request over a fresh connection tells before its answer.
func fire(trace *httptrace.ClientTrace) {
	if trace == nil {
		return
	}
	if trace.TLSHandshakeDone != nil {
		trace.TLSHandshakeDone(tls.ConnectionState{HandshakeComplete: true}, nil)
	}
	if trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	if trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
	if trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
}
