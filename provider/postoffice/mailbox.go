package postoffice

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// The labels the office itself gives. Any other string is a folder or label
// of the user's own. A message without any label is archived.
const (
	LabelInbox  = "inbox"
	LabelSent   = "sent"
	LabelDraft  = "draft"
	LabelOutbox = "outbox"
	LabelJunk   = "junk"
	LabelTrash  = "trash"
)

// Message is one message in a mailbox, as it stood when it was asked for. Raw
// and Labels are shared and must not be changed.
type Message struct {
	Number int64 // unique in the office
	Thread int64 // the number of the thread's first message
	Raw    []byte
	Labels []string

	Received  time.Time
	VisibleAt time.Time // from when on feed and search show it
	Own       bool      // the mailbox's owner sent or wrote it
	Unrelated bool      // see Mail.Unrelated

	// Class is how a service that sorts mail into classes marks what it wrote
	// itself, such as Exchange's reports. Empty is mail as it came.
	Class string

	MessageID string   // in angle brackets; empty if the mail has none
	From      []string // normalised
	Subject   string   // decoded
}

// Has reports whether the message bears the label.
func (m Message) Has(label string) bool { return slices.Contains(m.Labels, label) }

// Places returns where the message lies, in the order trash, junk, draft,
// outbox, sent, inbox. Without any of these it is PlaceOther.
func (m Message) Places() []provider.Place { return placesOf(m.Labels) }

func placesOf(labels []string) []provider.Place {
	var out []provider.Place
	for _, p := range []struct {
		label string
		place provider.Place
	}{
		{LabelTrash, provider.PlaceTrash}, {LabelJunk, provider.PlaceJunk}, {LabelDraft, provider.PlaceDraft},
		{LabelOutbox, provider.PlaceOutbox}, {LabelSent, provider.PlaceSent}, {LabelInbox, provider.PlaceInbox},
	} {
		if slices.Contains(labels, p.label) {
			out = append(out, p.place)
		}
	}
	if len(out) == 0 {
		out = append(out, provider.PlaceOther)
	}
	return out
}

type message struct {
	Message
	refs    []string // bare ids it cites
	base    string
	visible bool // the feed has shown it
	gone    bool

	envelopes, contents int // requests, for the books
}

// Delays are how long things take in one mailbox.
type Delays struct {
	Delivery time.Duration // from a send's acceptance to its recipients
	Visible  time.Duration // from delivery until feed and search show it
	SentCopy time.Duration // from a send's acceptance until feed and search show its copy in Sent
}

// Mailbox is one mailbox in an office.
type Mailbox struct {
	office    *Office
	addresses []string
	senders   []string
	name      string
	service   string
	subject   string
	idDomain  string

	// All below is guarded by the office's lock.
	beliefs    Beliefs
	owner      *person // who acts on what arrives; nil does nothing
	delays     Delays
	rule       func(Message) []string
	nextNumber int64
	all        []*message
	purged     []Message
	byNumber   map[int64]*message
	byID       map[string][]*message
	threads    map[int64][]*message
	bySubject  map[string]int64
	changes    []Change
	lastChange int64
	floor      int64
	requests   map[Request]int
	watchers   []func(Change)
}

// Address returns the primary address.
func (m *Mailbox) Address() string { return m.addresses[0] }

// Addresses returns all addresses, the primary one first.
func (m *Mailbox) Addresses() []string { return slices.Clone(m.addresses) }

// Name returns the owner's name.
func (m *Mailbox) Name() string { return m.name }

// Service returns MailboxConfig.Service.
func (m *Mailbox) Service() string { return m.service }

// Subject returns the service's stable id of the account.
func (m *Mailbox) Subject() string { return m.subject }

// Office returns the office it belongs to.
func (m *Mailbox) Office() *Office { return m.office }

// Senders returns MailboxConfig.Senders.
func (m *Mailbox) Senders() []string { return slices.Clone(m.senders) }

// Owns reports whether addr is one of the mailbox's addresses.
func (m *Mailbox) Owns(addr string) bool { return among(m.addresses, addr) }

func among(list []string, addr string) bool {
	key := provider.Normalize(addr)
	return key != "" && slices.ContainsFunc(list, func(a string) bool { return provider.Normalize(a) == key })
}

// leavesAs reports whether mail may leave with this address in From, and
// whether it keeps it.
func (m *Mailbox) leavesAs(addr string) (allowed, kept bool) {
	switch {
	case among(m.addresses[:1], addr), among(m.senders, addr):
		return true, true
	case m.Owns(addr):
		return true, !m.beliefs.RewritesAlias
	}
	return m.beliefs.RewritesFrom, false
}

// Beliefs returns the mailbox's switches.
func (m *Mailbox) Beliefs() Beliefs {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	return m.beliefs
}

// SetBeliefs changes the mailbox's switches for what happens from now on.
func (m *Mailbox) SetBeliefs(b Beliefs) {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	m.beliefs = b
}

// SetDelays changes how long things take from now on.
func (m *Mailbox) SetDelays(d Delays) {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	m.delays = d
}

// SetRule gives the mailbox a rule of its user's: for each received message
// it returns the labels to file it under. A rule that returns nil leaves the
// message in the Inbox. Nil removes the rule.
func (m *Mailbox) SetRule(rule func(Message) []string) {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	m.rule = rule
}

// Message returns one message, also while feed and search don't show it yet.
func (m *Mailbox) Message(number int64) (Message, bool) {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	if msg := m.byNumber[number]; msg != nil {
		return msg.Message, true
	}
	return Message{}, false
}

// Visible yields the messages that search shows, newest first by the time of
// receipt as far as mail arrives in order. The mailbox may change meanwhile.
func (m *Mailbox) Visible() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		m.office.mu.Lock()
		all := m.all[:len(m.all):len(m.all)]
		m.office.mu.Unlock()
		for i := len(all) - 1; i >= 0; i-- {
			m.office.mu.Lock()
			msg, shown := all[i].Message, all[i].visible && !all[i].gone
			m.office.mu.Unlock()
			if shown && !yield(msg) {
				return
			}
		}
	}
}

// Thread returns the visible messages of a thread, oldest first.
func (m *Mailbox) Thread(thread int64) []Message {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	return shown(m.threads[thread])
}

// ByMessageID returns the visible messages that bear this Message-ID, with or
// without angle brackets, oldest first.
func (m *Mailbox) ByMessageID(id string) []Message {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	return shown(m.byID[provider.BareID(id)])
}

func shown(list []*message) []Message {
	var out []Message
	for _, msg := range list {
		if msg.visible && !msg.gone {
			out = append(out, msg.Message)
		}
	}
	return out
}

// PutParams places a message by hand.
type PutParams struct {
	Raw       []byte
	Labels    []string
	Received  time.Time // zero is now
	Own       bool
	Unrelated bool
	Thread    int64 // zero threads it by its headers
}

// Put places a message without sending it: a draft, an import, history.
func (m *Mailbox) Put(p PutParams) Message {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	thread := p.Thread
	if thread != 0 && len(m.threads[thread]) == 0 {
		thread = 0
	}
	return m.add(p.Raw, p.Labels, p.Received, p.Own, p.Unrelated, thread, 0).Message
}

// Relabel adds and removes labels. ErrNoMessage: there is no such message.
func (m *Mailbox) Relabel(number int64, add, remove []string) (Message, error) {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	msg := m.byNumber[number]
	if msg == nil {
		return Message{}, fmt.Errorf("relabel message %d: %w", number, ErrNoMessage)
	}
	m.relabel(msg, add, remove)
	return msg.Message, nil
}

func (m *Mailbox) relabel(msg *message, add, remove []string) {
	for _, label := range remove {
		if !msg.Has(label) {
			continue
		}
		msg.Labels = slices.DeleteFunc(slices.Clone(msg.Labels), func(s string) bool { return s == label })
		m.log(msg, LabelRemoved, label)
	}
	for _, label := range add {
		if label == "" || msg.Has(label) {
			continue
		}
		msg.Labels = append(slices.Clone(msg.Labels), label)
		m.log(msg, LabelAdded, label)
	}
}

// Trash moves a message to the trash, out of every other place.
func (m *Mailbox) Trash(number int64) (Message, error) {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	msg := m.byNumber[number]
	if msg == nil {
		return Message{}, fmt.Errorf("trash message %d: %w", number, ErrNoMessage)
	}
	m.move(msg, LabelTrash)
	return msg.Message, nil
}

// move takes a message to where these labels say, out of every other place.
func (m *Mailbox) move(msg *message, labels ...string) {
	m.relabel(msg, labels, slices.DeleteFunc(slices.Clone(msg.Labels), func(s string) bool { return slices.Contains(labels, s) }))
}

// Delete removes a message for good.
func (m *Mailbox) Delete(number int64) error {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	msg := m.byNumber[number]
	if msg == nil {
		return fmt.Errorf("delete message %d: %w", number, ErrNoMessage)
	}
	m.remove(msg)
	m.purged = append(m.purged, msg.Message)
	return nil
}

func (m *Mailbox) remove(msg *message) {
	// The feed tells that a message came and went even where it was deleted
	// before it could be seen.
	m.show(msg)
	m.log(msg, Deleted, "")
	m.office.books.forget(m, msg)
	msg.gone = true
	delete(m.byNumber, msg.Number)
	drop := func(list []*message) []*message {
		return slices.DeleteFunc(slices.Clone(list), func(other *message) bool { return other == msg })
	}
	if id := provider.BareID(msg.MessageID); id != "" {
		m.byID[id] = drop(m.byID[id])
	}
	m.threads[msg.Thread] = drop(m.threads[msg.Thread])
	m.all = drop(m.all)
}

// Purged returns what Delete removed, oldest first, for services that let
// their users recover it.
func (m *Mailbox) Purged() []Message {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	return slices.Clone(m.purged)
}

// receive takes a mail from outside.
func (m *Mailbox) receive(mail Mail) *message {
	labels := mail.Labels
	if labels == nil && m.rule != nil {
		labels = m.rule(m.read(mail.Raw).Message)
	}
	if labels == nil {
		labels = []string{LabelInbox}
	}
	msg := m.add(mail.Raw, labels, mail.Received, false, mail.Unrelated, mail.thread, m.delays.Visible)
	msg.Class = mail.class
	return msg
}

// read parses what the mailbox must know of a message.
func (m *Mailbox) read(raw []byte) *message {
	fields, _ := Split(raw)
	h := headerOf(fields)
	msg := &message{Message: Message{Raw: raw, Subject: decoded(h.Get("Subject"))}}
	if ids := messageIDs(h["Message-Id"]); len(ids) > 0 {
		msg.MessageID = ids[0]
	}
	for _, a := range addresses(h["From"]) {
		msg.From = append(msg.From, provider.Normalize(a.Addr))
	}
	for _, id := range slices.Concat(messageIDs(h["In-Reply-To"]), messageIDs(h["References"])) {
		msg.refs = append(msg.refs, provider.BareID(id))
	}
	msg.base = baseSubject(msg.Subject)
	return msg
}

// add files a message. A thread of zero is found by the headers.
func (m *Mailbox) add(raw []byte, labels []string, received time.Time, own, unrelated bool, thread int64, hidden time.Duration) *message {
	now := m.office.clock.Now()
	msg := m.read(raw)
	msg.Number = m.nextNumber
	m.nextNumber++
	msg.Labels = slices.DeleteFunc(slices.Clone(labels), func(s string) bool { return s == "" })
	msg.Received = received.UTC().Round(0)
	if received.IsZero() {
		msg.Received = now
	}
	msg.Own, msg.Unrelated = own, unrelated
	msg.VisibleAt = now.Add(max(hidden, 0))
	if thread == 0 {
		thread = m.findThread(msg)
	}
	if thread == 0 {
		thread = msg.Number
	}
	msg.Thread = thread

	m.all = append(m.all, msg)
	m.byNumber[msg.Number] = msg
	if id := provider.BareID(msg.MessageID); id != "" {
		m.byID[id] = append(m.byID[id], msg)
	}
	m.threads[thread] = append(m.threads[thread], msg)
	m.bySubject[msg.base] = thread
	m.office.later(hidden, func() { m.show(msg) })
	return msg
}

// findThread returns the thread of a message that msg cites under the same
// subject, the nearest reference first, or zero.
func (m *Mailbox) findThread(msg *message) int64 {
	for i := len(msg.refs) - 1; i >= 0; i-- {
		for _, cited := range m.byID[msg.refs[i]] {
			if cited.base == msg.base {
				return cited.Thread
			}
		}
	}
	if m.beliefs.EqualSubjectsMerge && msg.base != "" {
		if thread := m.bySubject[msg.base]; len(m.threads[thread]) > 0 {
			return thread
		}
	}
	return 0
}

func (m *Mailbox) show(msg *message) {
	if msg.visible || msg.gone {
		return
	}
	msg.visible = true
	m.log(msg, Added, "")
}
