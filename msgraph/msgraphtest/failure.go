package msgraphtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// failure is an answer of Graph's that refuses.
type failure struct {
	status     int
	code       string
	inner      string
	message    string
	retryAfter time.Duration
	challenge  string // WWW-Authenticate
}

// write answers as Graph does.
func (f *failure) write(w http.ResponseWriter) {
	if f.challenge != "" {
		w.Header().Set("WWW-Authenticate", f.challenge)
	}
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(f.retryAfter/time.Second)))
	}
	inner := map[string]any{}
	if f.inner != "" {
		inner["code"] = f.inner
	}
	writeJSON(w, f.status, map[string]any{"error": map[string]any{"code": f.code, "message": f.message, "innerError": inner}})
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
