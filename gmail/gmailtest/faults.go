package gmailtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is something that goes wrong at the server or on the way.
type Fault string

// The faults.
const (
	// CutBefore cuts the connection before anything was done, CutAfter after
	// it was done: a client can't tell them apart.
	CutBefore Fault = "cut before"
	CutAfter  Fault = "cut after"

	// Refuse answers with Rule.Status and Rule.Reason and does nothing.
	// RefuseAfter does what was asked and then answers so: a 503 after the
	// mail was taken.
	Refuse      Fault = "refuse"
	RefuseAfter Fault = "refuse after"

	// RefuseClient has the token endpoint not know the OAuth client.
	RefuseClient Fault = "refuse client"

	// HTML does nothing and answers 200 with a page for people, as a network's
	// sign-in page does.
	HTML Fault = "html"

	// Call only runs Rule.Call; the request goes on.
	Call Fault = "call"

	// DropPush loses a push, RepeatPush pushes it twice, and DelayPush pushes
	// it Rule.Delay later.
	DropPush   Fault = "drop push"
	RepeatPush Fault = "repeat push"
	DelayPush  Fault = "delay push"
)

// Rule makes a fault strike requests.
type Rule struct {
	// Op is the method: messages.send, messages.get, messages.list,
	// history.list, getProfile, watch, stop, token, revoke, certs, page. Empty is any.
	// Of pushes it is push, which has to be named.
	Op string

	Fault      Fault
	Status     int           // of Refuse and RefuseAfter
	Delay      time.Duration // of DelayPush
	Reason     string        // Google's code: rateLimitExceeded, backendError, ...
	Message    string        // Google's text, such as one that names a time
	Subtype    string        // error_subtype of "token"
	Body       string        // of Refuse and RefuseAfter: the whole answer, in JSON, in place of what the fields above make
	RetryAfter time.Duration

	// To narrows messages.send to mail whose text names this address.
	To string

	Times int // how often; zero is once, negative is for ever
	Skip  int // leaves out so many requests that fit first

	// Call runs when the rule strikes, after what CutAfter did.
	Call func()
}

// Inject adds a rule. Of several that fit a request the oldest strikes.
func (s *Server) Inject(r Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Times == 0 {
		r.Times = 1
	}
	s.rules = append(s.rules, &r)
}

// ClearFaults removes all rules.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// strike returns a copy of the rule that strikes this request, if one does.
func (s *Server) strike(op string, body []byte) *Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, rule := range s.rules {
		if rule.Op != "" && rule.Op != op || rule.Op == "" && op == opPush || rule.To != "" && !sentTo(body, rule.To) {
			continue
		}
		if rule.Skip > 0 {
			rule.Skip--
			continue
		}
		struck := *rule
		if rule.Times > 0 {
			if rule.Times--; rule.Times == 0 {
				s.rules = append(s.rules[:i:i], s.rules[i+1:]...)
			}
		}
		return &struck
	}
	return nil
}

// sentTo reports whether a send's mail names an address.
func sentTo(body []byte, addr string) bool {
	var in struct {
		Raw string `json:"raw"`
	}
	if json.Unmarshal(body, &in) != nil {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(in.Raw, "="))
	return err == nil && bytes.Contains(bytes.ToLower(raw), []byte(strings.ToLower(addr)))
}

// refuse answers as a rule says: in the form of RFC 6749 section 5.2 at
// Google's OAuth endpoints, as a page where a browser asks, else in that of
// Google's APIs.
func (rule *Rule) refuse(w http.ResponseWriter, op string) {
	if rule.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(rule.RetryAfter/time.Second)))
	}
	switch {
	case rule.Body != "":
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.WriteHeader(rule.Status)
		_, _ = w.Write([]byte(rule.Body))
	case op == "token", op == "revoke":
		oauthError(w, rule.Status, rule.Reason, rule.Subtype, rule.Message)
	case op == "page":
		http.Error(w, "Error "+strconv.Itoa(rule.Status)+": "+rule.Reason, rule.Status)
	default:
		apiError(w, rule.Status, rule.Reason, "", rule.Message)
	}
}

// opOf names the method of a request.
func opOf(r *http.Request) string {
	path := r.URL.Path
	rest, ok := strings.CutPrefix(path, "/gmail/v1/users/")
	if !ok {
		switch path {
		case "/token":
			return "token"
		case "/revoke":
			return "revoke"
		case "/oauth2/v3/certs":
			return "certs"
		}
		return "page"
	}
	_, rest, _ = strings.Cut(rest, "/")
	switch parts := strings.Split(rest, "/"); {
	case rest == "profile":
		return "getProfile"
	case rest == "messages/send":
		return "messages.send"
	case rest == "messages":
		return "messages.list"
	case rest == "history":
		return "history.list"
	case len(parts) == 2 && parts[0] == "messages":
		return "messages.get"
	case len(parts) == 4:
		return "messages.attachments.get"
	case parts[0] == "threads":
		return "threads.get"
	case rest == "settings/sendAs":
		return "settings.sendAs.list"
	}
	return rest
}
