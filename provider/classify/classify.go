package classify

import (
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// Class is what a message is.
type Class string

// The classes.
const (
	Human       Class = "human"         // a person wrote it
	AutoReply   Class = "auto_reply"    // a machine answered
	OutOfOffice Class = "out_of_office" // a machine answered that the person is away
	Bounce      Class = "bounce"        // a mail could not be delivered
	Delayed     Class = "delayed"       // a mail is late and still being tried
	Receipt     Class = "receipt"       // a mail was delivered or displayed
	Challenge   Class = "challenge"     // a filter wants proof that the sender is a person
	Meeting     Class = "meeting"       // an answer to an invitation
	List        Class = "list"          // a newsletter or list
	Unsure      Class = "unsure"        // no evidence decides
)

// Failure is one recipient that a delivery report names.
type Failure struct {
	Recipient string // the address
	Status    string // RFC 3463, such as 5.1.1; empty if none was given

	// Hard says that the address does not take mail and will not. Anything
	// else may pass: a full mailbox, a policy, a fault.
	Hard bool

	// Limit says that the sending account was refused, for its volume or by
	// policy: the recipient is not to blame.
	Limit bool
}

// Verdict is what a message is, and what decided.
type Verdict struct {
	Class    Class
	Evidence string    // which header or part decided; never a value of it
	Until    time.Time // OutOfOffice: when the person is back; zero if it was not told
	Failed   []Failure // Bounce and Delayed: who; only as the report names them
}

// Classify judges a message by its envelope and, where msg is not nil, its
// content. With headers alone a delivery report names its recipients only in
// X-Failed-Recipients, and an out-of-office has no return date.
func Classify(env *provider.Envelope, msg *provider.Message) Verdict {
	if env == nil {
		return Verdict{Class: Unsure, Evidence: "no envelope"}
	}
	m := message{env: env, msg: msg}
	for _, rule := range []func(message) (Verdict, bool){report, challenge, automatic, meeting, list} {
		if v, ok := rule(m); ok {
			return v
		}
	}
	if m.nullSender() {
		return Verdict{Class: Unsure, Evidence: "null return path"}
	}
	if len(env.From) == 0 {
		return Verdict{Class: Unsure, Evidence: "no From"}
	}
	return Verdict{Class: Human, Evidence: "no sign of a machine"}
}

// message is what the rules look at.
type message struct {
	env *provider.Envelope
	msg *provider.Message
}

func (m message) header(name string) string { return strings.TrimSpace(m.env.Header.Get(name)) }

// token returns a header's first word in lower case: values may carry
// parameters and comments (RFC 3834 section 5).
func (m message) token(name string) string {
	v := strings.ToLower(m.header(name))
	if i := strings.IndexAny(v, " \t;("); i >= 0 {
		v = v[:i]
	}
	return v
}

// says reports whether a header is there and does not say no.
func (m message) says(name string) bool {
	switch m.token(name) {
	case "", "no", "false", "0", "none":
		return false
	}
	return true
}

func (m message) nullSender() bool {
	v := strings.ReplaceAll(strings.ToLower(m.header("Return-Path")), " ", "")
	return v == "<>" || v == "<mailer-daemon>"
}

func (m message) text() string {
	if m.msg == nil {
		return ""
	}
	if m.msg.Text != "" {
		return m.msg.Text
	}
	return m.msg.HTML
}

// challenge knows the filters that answer first contacts by name, and the
// words that the others use.
func challenge(m message) (Verdict, bool) {
	for _, a := range m.env.From {
		_, domain, _ := strings.Cut(provider.Normalize(a.Addr), "@")
		for _, service := range []string{"boxbe.com", "spamarrest.com", "mailblocks.com", "0spam.com"} {
			if domain == service || strings.HasSuffix(domain, "."+service) {
				return Verdict{Class: Challenge, Evidence: "From a known challenge service"}, true
			}
		}
	}
	machine := m.says("Auto-Submitted") || m.nullSender() || strings.HasPrefix(firstAddr(m.env.From), "noreply@") || strings.HasPrefix(firstAddr(m.env.From), "no-reply@")
	if !machine {
		return Verdict{}, false
	}
	text := strings.ToLower(m.env.Subject + "\n" + m.text())
	for _, words := range []string{
		"confirm you are human", "prove you are human", "verify that you are human", "confirm that you are a real person",
		"please confirm your message", "confirm your email to be delivered", "waiting for your verification",
	} {
		if strings.Contains(text, words) {
			return Verdict{Class: Challenge, Evidence: "machine-sent request for confirmation"}, true
		}
	}
	return Verdict{}, false
}

func firstAddr(as []provider.Address) string {
	if len(as) == 0 {
		return ""
	}
	return provider.Normalize(as[0].Addr)
}

// meeting knows Exchange's class; a text/calendar body says the same
// elsewhere.
func meeting(m message) (Verdict, bool) {
	if strings.HasPrefix(m.env.Class, "IPM.Schedule.Meeting") {
		return Verdict{Class: Meeting, Evidence: "Exchange message class"}, true
	}
	if strings.HasPrefix(m.env.ContentType, "text/calendar") {
		return Verdict{Class: Meeting, Evidence: "Content-Type"}, true
	}
	return Verdict{}, false
}

// list takes list headers as a list's only where nothing is being answered:
// a person may write through a group address.
func list(m message) (Verdict, bool) {
	for _, name := range []string{"List-Id", "List-Unsubscribe", "Feedback-Id"} {
		if m.header(name) == "" {
			continue
		}
		if len(m.env.InReplyTo) > 0 || len(m.env.References) > 0 {
			if name == "List-Id" {
				return Verdict{Class: Unsure, Evidence: "List-Id on an answer"}, true
			}
			continue
		}
		return Verdict{Class: List, Evidence: name}, true
	}
	return Verdict{}, false
}
