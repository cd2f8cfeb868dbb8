package msgraphtest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// failure is an answer of Graph's that refuses.
type failure struct {
	status     int
	code       string
	inner      string // a more specific code
	message    string
	retryAfter time.Duration
	challenge  string // WWW-Authenticate
	location   string
}

// fail makes a failure without frills.
func fail(status int, code, message string) *failure {
	return &failure{status: status, code: code, message: message}
}

func badQuery(message string) *failure { return fail(http.StatusBadRequest, "BadRequest", message) }

// write answers as Graph does (https://learn.microsoft.com/graph/errors).
func (f *failure) write(w http.ResponseWriter) {
	h := w.Header()
	if f.challenge != "" {
		h.Set("WWW-Authenticate", f.challenge)
	}
	f.wait(w)
	if f.location != "" {
		h.Set("Location", f.location)
	}
	date, _ := time.Parse(http.TimeFormat, h.Get("Date")) // set by the server
	inner := map[string]any{"date": date.Format("2006-01-02T15:04:05"), "request-id": h.Get("request-id"), "client-request-id": h.Get("client-request-id")}
	if f.inner != "" {
		inner["code"] = f.inner
	}
	message := f.message
	if message == "" {
		message = http.StatusText(f.status)
	}
	writeJSON(w, f.status, map[string]any{"error": map[string]any{"code": f.code, "message": message, "innerError": inner}})
}

// wait tells when to come again, in whole seconds.
func (f *failure) wait(w http.ResponseWriter) {
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((f.retryAfter+time.Second-1)/time.Second)))
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings, numbers and slices
	}
	_, _ = w.Write(b)
}
