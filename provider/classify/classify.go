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
	Human          Class = "human"           // a person wrote it
	AutoReply      Class = "auto_reply"      // a machine answered
	OutOfOffice    Class = "out_of_office"   // a machine answered that the person is away
	Bounce         Class = "bounce"          // a mail could not be delivered
	Delayed        Class = "delayed"         // a mail is late and still being tried
	Receipt        Class = "receipt"         // a mail was delivered or displayed
	Challenge      Class = "challenge"       // a filter wants proof that the sender is a person
	FeedbackReport Class = "feedback_report" // a mail service tells what a recipient or a filter thought of a mail
	Meeting        Class = "meeting"         // an answer to an invitation
	List           Class = "list"            // a newsletter or list
	Unsure         Class = "unsure"          // no evidence decides
)

// Failure is one recipient that a delivery report names.
type Failure struct {
	Recipient string // the address; empty where a report names nobody
	Status    string // RFC 3463, such as 5.1.1; empty if none was given
	Kind      Kind
}

// Verdict is what a message is, and what decided.
type Verdict struct {
	Class    Class
	Evidence string    // which header or part decided; never a value of it
	Until    time.Time // OutOfOffice: when the person is back; zero if it was not told
	Failed   []Failure // Bounce and Delayed: who; only as the report names them

	// Complaint says that a FeedbackReport is a person's: that the mail is
	// abuse, or that no more is wanted (RFC 5965 section 7.3). Others are
	// about signatures and filters.
	Complaint bool
}

// Classify judges a message by its envelope and, where msg is not nil, its
// content. With headers alone a delivery report names its recipients only in
// X-Failed-Recipients, and an out-of-office has no return date. Of an envelope
// that is Partial nothing but its content tells that a person wrote it.
//
// A verdict is an opinion on what the message says of itself, and anybody can
// write a message that says it is a delivery report: before an address is
// given up, the report must be seen to cite a mail that was sent to it
// (provider.Report's OriginalMessageID and OriginalKey).
func Classify(env *provider.Envelope, msg *provider.Message) Verdict {
	if env == nil {
		return Verdict{Class: Unsure, Evidence: "no envelope"}
	}
	m := read(env, msg)
	for _, rule := range []func(*message) (Verdict, bool){report, challenge, automatic, meeting, list} {
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
	if provider.IsSystemSender(env.From) && len(env.InReplyTo) == 0 {
		return Verdict{Class: Unsure, Evidence: "system sender"}
	}
	if env.Partial && msg == nil {
		return Verdict{Class: Unsure, Evidence: "the headers that would tell are not shown"}
	}
	return Verdict{Class: Human, Evidence: "no sign of a machine"}
}

// message is what the rules look at.
type message struct {
	env     *provider.Envelope
	msg     *provider.Message
	subject string // prepared for phrases
	text    string // the beginning of the text, prepared for phrases
}

func read(env *provider.Envelope, msg *provider.Message) *message {
	m := &message{env: env, msg: msg, subject: normalize(env.Subject, 500)}
	if msg != nil {
		if m.text = normalize(msg.Text, maxText); m.text == "" {
			m.text = normalize(plainText(msg.HTML), maxText)
		}
	}
	return m
}

func (m *message) header(name string) string { return strings.TrimSpace(m.env.Header.Get(name)) }

// token returns a header's first word in lower case: values may carry
// parameters and comments (RFC 3834 section 5).
func (m *message) token(name string) string {
	v := strings.ToLower(m.header(name))
	if i := strings.IndexAny(v, " \t;("); i >= 0 {
		v = v[:i]
	}
	return v
}

// says reports whether a header is there and does not say no.
func (m *message) says(name string) bool {
	switch m.token(name) {
	case "", "no", "false", "0", "none":
		return false
	}
	return true
}

func (m *message) nullSender() bool {
	v := strings.ReplaceAll(strings.ToLower(m.header("Return-Path")), " ", "")
	return v == "<>" || v == "<mailer-daemon>"
}
