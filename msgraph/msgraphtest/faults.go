package msgraphtest

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/internal/inprocess"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// Fault is something that goes wrong at the server or on the way.
type Fault string

// The faults.
const (
	// CutBefore cuts the connection before anything was done, CutAfter after
	// it was done: a client can't tell them apart. CutWithin does it after
	// half of the answer's body.
	CutBefore Fault = "cut before"
	CutAfter  Fault = "cut after"
	CutWithin Fault = "cut within"

	// Refuse answers with Rule.Status and Rule.Reason and does nothing.
	// RefuseAfter does what was asked and then answers so: a 504 after the
	// mail was taken.
	Refuse      Fault = "refuse"
	RefuseAfter Fault = "refuse after"

	// RefuseClient has the token endpoint not take the client's secret.
	RefuseClient Fault = "refuse client"

	// HTML does nothing and answers with a page of a proxy or of maintenance:
	// with Rule.Status, 200 if it is zero.
	HTML Fault = "html"

	// Call only runs Rule.Call; the request goes on.
	Call Fault = "call"

	// DropPush loses a notification, MissPush too, and a lifecycle
	// notification says so; RepeatPush pushes it twice, and DelayPush pushes it
	// Rule.Delay later.
	DropPush   Fault = "drop push"
	MissPush   Fault = "miss push"
	RepeatPush Fault = "repeat push"
	DelayPush  Fault = "delay push"
)

// Rule makes a fault strike requests.
type Rule struct {
	// Op is the kind of request: sendMail, messages.get, messages.value,
	// messages.list, attachments.list, attachments.get, attachments.value,
	// delta, me, mailFolders.get, mailFolders.list, subscriptions,
	// subscription, subscription.reauthorize; at Entra token, keys (with
	// the discovery document), page. Empty is any. Of notifications it is push,
	// which has to be named.
	Op string

	Fault       Fault
	Status      int    // of Refuse and RefuseAfter; for "token" zero is what belongs to Code
	Reason      string // Graph's error.code, such as ErrorItemNotFound; empty is UnknownError
	InnerReason string // the code in innerError
	Code        int    // for "token": the AADSTS number
	Message     string // Graph's text
	RetryAfter  time.Duration
	Delay       time.Duration // of DelayPush
	Suberror    string        // for "token"

	// Body is the whole answer of Refuse and RefuseAfter, in JSON, in place
	// of what the fields above make.
	Body string

	// To narrows sendMail to mail whose text names this address.
	To string

	// Mailbox narrows requests to Graph to those of the mailbox with this
	// address.
	Mailbox string

	Times int // how often; zero is once, negative is for ever
	Skip  int // leaves out so many requests that fit first

	// Call runs when the rule strikes, after what CutAfter, CutWithin and
	// RefuseAfter did. The request counts as being served meanwhile.
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

// fault returns a copy of the rule that strikes a request, if one does. box is
// nil where a request has no mailbox.
func (s *Server) fault(op string, box *postoffice.Mailbox, r *http.Request, body []byte) *Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, rule := range s.rules {
		switch {
		case rule.Op != "" && rule.Op != op, rule.Op == "" && op == opPush,
			rule.To != "" && (r == nil || !names(r, body, rule.To)),
			rule.Mailbox != "" && (box == nil || !box.Owns(rule.Mailbox)):
			continue
		}
		if rule.Skip > 0 {
			rule.Skip--
			continue
		}
		struck := *rule
		if rule.Times > 0 {
			if rule.Times--; rule.Times == 0 {
				s.rules = slices.Delete(slices.Clone(s.rules), i, i+1)
			}
		}
		return &struck
	}
	return nil
}

// names reports whether a send's mail names an address.
func names(r *http.Request, body []byte, addr string) bool {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
		raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(body)))
		if err != nil {
			return false
		}
		body = raw
	}
	return bytes.Contains(bytes.ToLower(body), []byte(strings.ToLower(addr)))
}

// answer runs the handler, unless a limit or a fault is in the way. It returns
// the rule that struck.
func (s *Server) answer(rec *inprocess.Recorder, r *http.Request, body []byte) *Rule {
	graph := s.isGraph(r)
	op := entraOp(r)
	var box *postoffice.Mailbox
	if graph {
		op = opOf(segments(r.URL))
		s.stamp(rec, r)
		if g, _ := s.bearer(r); g != nil {
			box = g.mailbox
			leave, f := s.enter(box)
			defer leave()
			if f != nil {
				box.Count(classOf(op))
				f.write(rec)
				return nil
			}
		}
	}
	rule := s.fault(op, box, r, body)
	if rule == nil {
		s.dispatch(rec, r)
		return nil
	}
	undone := rule.Fault == CutBefore || rule.Fault == Refuse || rule.Fault == HTML || rule.Fault == RefuseClient
	if undone && box != nil {
		box.Count(classOf(op))
	}
	switch rule.Fault {
	case CutAfter, RefuseAfter:
		s.dispatch(inprocess.NewRecorder(), r)
	case CutWithin:
		s.dispatch(rec, r)
	}
	if rule.Call != nil {
		rule.Call()
	}
	switch rule.Fault {
	case CutBefore, CutAfter:
		panic(http.ErrAbortHandler)
	case CutWithin:
	case Refuse, RefuseAfter, RefuseClient:
		s.refuse(rec, r, rule, graph)
	case HTML:
		rec.Header().Set("Content-Type", "text/html; charset=utf-8")
		rec.WriteHeader(max(rule.Status, http.StatusOK))
		_, _ = rec.Write([]byte("<!DOCTYPE html><html><head><title>Service</title></head><body>Please sign in to the network.</body></html>"))
	default:
		s.dispatch(rec, r)
	}
	return rule
}

// refuse answers as a rule says, in the form of the host that was asked.
func (s *Server) refuse(rec *inprocess.Recorder, r *http.Request, rule *Rule, graph bool) {
	if rule.Body != "" {
		(&failure{retryAfter: rule.RetryAfter}).wait(rec)
		rec.Header().Set("Content-Type", "application/json; charset=utf-8")
		rec.WriteHeader(max(rule.Status, http.StatusBadRequest))
		_, _ = rec.Write([]byte(rule.Body))
		return
	}
	if graph {
		f := &failure{status: rule.Status, code: rule.Reason, inner: rule.InnerReason, message: rule.Message, retryAfter: rule.RetryAfter}
		if f.status == 0 {
			f.status = http.StatusServiceUnavailable
		}
		if f.code == "" {
			f.code = "UnknownError" // what Graph says of what it has no code for
		}
		f.write(rec)
		return
	}
	number := rule.Code
	if rule.Fault == RefuseClient {
		number = 7000215
	}
	p := s.problem(number)
	if number == 0 {
		p.status, p.code = http.StatusServiceUnavailable, "temporarily_unavailable"
	}
	if rule.Reason != "" {
		p.code = rule.Reason
	}
	if rule.Suberror != "" {
		p.sub = rule.Suberror
	}
	if rule.Status != 0 {
		p.status = rule.Status
	}
	if rule.RetryAfter > 0 {
		(&failure{retryAfter: rule.RetryAfter}).wait(rec)
	}
	s.refuseToken(rec, p)
}
