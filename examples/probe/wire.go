package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
)

// wire keeps of the answers that pass by what the module's types don't tell.
type wire struct {
	base http.RoundTripper

	mu       sync.Mutex
	scope    string // of the last token answer, as it was spelled
	refresh  string // the last refresh token
	answers  int    // of the token endpoint
	rotated  bool   // a later answer had another refresh token
	added    int    // messages that Gmail's history told as added
	labelled int    // of these, how many came with labels
}

// most bounds what is read of an answer to look at it.
const most = 16 << 20

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.base.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	token, history := strings.HasSuffix(req.URL.Path, "/token"), strings.HasSuffix(req.URL.Path, "/history")
	if !token && !history {
		return resp, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	rest := resp.Body
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), rest), rest}
	if err != nil {
		return resp, nil // whoever reads on meets it again
	}
	if token {
		w.token(body)
	} else {
		w.history(body)
	}
	return resp, nil
}

func (w *wire) token(body []byte) {
	var t struct {
		Scope   string `json:"scope"`
		Refresh string `json:"refresh_token"`
	}
	if json.Unmarshal(body, &t) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers++
	w.rotated = w.rotated || w.refresh != "" && t.Refresh != "" && t.Refresh != w.refresh
	if w.scope = t.Scope; t.Refresh != "" {
		w.refresh = t.Refresh
	}
}

func (w *wire) history(body []byte) {
	var h struct {
		History []struct {
			Added []struct {
				Message struct {
					Labels []string `json:"labelIds"`
				} `json:"message"`
			} `json:"messagesAdded"`
		} `json:"history"`
	}
	if json.Unmarshal(body, &h) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, record := range h.History {
		for _, a := range record.Added {
			w.added++
			if len(a.Message.Labels) > 0 {
				w.labelled++
			}
		}
	}
}

// heard returns a copy of what was kept.
func (w *wire) heard() (scope string, answers int, rotated bool, added, labelled int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.scope, w.answers, w.rotated, w.added, w.labelled
}
