// Package inprocess has a handler answer requests without a socket, for the
// fakes of the mail services.
package inprocess

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
)

// Transport returns a RoundTripper that h answers. It reads the body and fires
// the trace hooks of a request that was written and answered, so a client that
// reasons from them reasons as it would over a network. A handler that panics
// with http.ErrAbortHandler has cut the connection: that is an
// io.ErrUnexpectedEOF, and after a Flush the answer's body ends with one.
func Transport(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ h http.Handler }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (resp *http.Response, err error) {
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
	rec := &whole{Recorder: NewRecorder()}
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
			resp, err = rec.response(req, io.MultiReader(&rec.Body, cut{})), nil
		}
	}()
	t.h.ServeHTTP(rec, in)
	if trace != nil && trace.GotFirstResponseByte != nil {
		trace.GotFirstResponseByte()
	}
	return rec.response(req, bytes.NewReader(rec.Body.Bytes())), nil
}

// Recorder holds an answer back until it is complete.
type Recorder struct {
	Status int
	Body   bytes.Buffer
	header http.Header
}

// NewRecorder returns an empty answer with status 200.
func NewRecorder() *Recorder { return &Recorder{header: make(http.Header), Status: http.StatusOK} }

// Header implements http.ResponseWriter.
func (r *Recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *Recorder) WriteHeader(status int) { r.Status = status }

// Write implements http.ResponseWriter.
func (r *Recorder) Write(b []byte) (int, error) { return r.Body.Write(b) }

// whole is an answer on its way to the client.
type whole struct {
	*Recorder
	flushed bool
}

// Flush implements http.Flusher.
func (w *whole) Flush() { w.flushed = true }

func (w *whole) response(req *http.Request, body io.Reader) *http.Response {
	length := int64(-1)
	if !w.flushed {
		length = int64(w.Body.Len())
	}
	return &http.Response{
		Status: fmt.Sprint(w.Status, " ", http.StatusText(w.Status)), StatusCode: w.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
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
