package postoffice

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// Request is a class of requests that a client makes.
type Request string

// The classes.
const (
	RequestSend     Request = "send"
	RequestEnvelope Request = "envelope"
	RequestContent  Request = "content"
	RequestChanges  Request = "changes"
	RequestSearch   Request = "search"
	RequestOther    Request = "other"
)

// Fate is what became of a mail at one recipient.
type Fate string

// The fates.
const (
	Delivered Fate = "delivered"
	Bounced   Fate = "bounced"
)

// Submission is one accepted send.
type Submission struct {
	Mailbox    string   // primary address of the sender
	Recipients []string // normalised, each once
	SuppliedID string   // the Message-ID as it was handed in, in angle brackets
	MessageID  string   // as it left
	Key        string   // value of provider.KeyHeader
	Raw        []byte   // as it was handed in
	At         time.Time
	Number     int64 // the copy in Sent; zero without one

	number int // counts submissions, to tell two of equal content apart
}

// Delivery is one accepted send at one of its recipients.
type Delivery struct {
	Recipient  string // normalised
	Fate       Fate
	At         time.Time
	Submission Submission
}

// Duplicate is a mail that one recipient was sent more than once.
type Duplicate struct {
	Recipient string
	Key       string // equal in all, or
	MessageID string // equal in all, as supplied
	Times     int
}

// Read is what was asked about one message.
type Read struct {
	Mailbox   string
	Number    int64
	Own       bool
	Unrelated bool
	System    bool // a system sender wrote it: provider.IsSystemSender
	Envelopes int  // requests in which a header value of it left the server
	Contents  int  // requests in which some of its text did
}

// Books are what the world recorded by itself.
type Books struct {
	office      *Office // guards all below with its lock
	submissions []Submission
	deliveries  []Delivery
	forgotten   map[string]Read // reads of messages deleted since, by mailbox and number
}

func (b *Books) deliver(sub Submission, to string, fate Fate) {
	b.deliveries = append(b.deliveries, Delivery{Recipient: to, Fate: fate, At: b.office.clock.Now(), Submission: sub})
}

// Submissions returns the accepted sends in order.
func (b *Books) Submissions() []Submission {
	b.office.mu.Lock()
	defer b.office.mu.Unlock()
	return slices.Clone(b.submissions)
}

// SentFrom returns the accepted sends of one mailbox, named by any of its
// addresses.
func (b *Books) SentFrom(addr string) []Submission {
	b.office.mu.Lock()
	defer b.office.mu.Unlock()
	box := b.office.byAddress[provider.Normalize(addr)]
	var out []Submission
	for _, s := range b.submissions {
		if box != nil && s.Mailbox == box.Address() {
			out = append(out, s)
		}
	}
	return out
}

// Deliveries returns what arrived where, in order.
func (b *Books) Deliveries() []Delivery {
	b.office.mu.Lock()
	defer b.office.mu.Unlock()
	return slices.Clone(b.deliveries)
}

// Duplicates returns mail that reached one recipient more than once: by equal
// key, or by equal Message-ID. It is empty in a world where nothing was sent
// twice. Accepted sends count as soon as they are accepted.
func (b *Books) Duplicates() []Duplicate {
	b.office.mu.Lock()
	defer b.office.mu.Unlock()
	times := make(map[Duplicate]int)
	for _, s := range b.submissions {
		for _, r := range s.Recipients {
			if s.Key != "" {
				times[Duplicate{Recipient: r, Key: s.Key}]++
			}
			if id := cmp.Or(s.SuppliedID, s.MessageID); id != "" {
				times[Duplicate{Recipient: r, MessageID: id}]++
			}
		}
	}
	var out []Duplicate
	for d, n := range times {
		if d.Times = n; n > 1 {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b Duplicate) int {
		return cmp.Or(cmp.Compare(a.Recipient, b.Recipient), cmp.Compare(a.Key, b.Key), cmp.Compare(a.MessageID, b.MessageID))
	})
	return out
}

// Count records one request of a class to the mailbox's service.
func (m *Mailbox) Count(class Request) {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	m.requests[class]++
}

// CountEnvelope records that a header value of a message left the server: by
// a request for it or in a row of a list. It does not count a request.
func (m *Mailbox) CountEnvelope(number int64) { m.countRead(number, 1, 0) }

// CountContent records that text of a message left the server, be it a
// preview line. It does not count a request.
func (m *Mailbox) CountContent(number int64) { m.countRead(number, 0, 1) }

func (m *Mailbox) countRead(number int64, envelopes, contents int) {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	if msg := m.byNumber[number]; msg != nil {
		msg.envelopes += envelopes
		msg.contents += contents
	}
}

// Requests returns how many requests of each class the mailbox's service had.
func (m *Mailbox) Requests() map[Request]int {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	return maps.Clone(m.requests)
}

// Reads returns every message of which something was read, by mailbox and
// number.
func (b *Books) Reads() []Read {
	b.office.mu.Lock()
	defer b.office.mu.Unlock()
	return b.reads()
}

func (b *Books) reads() []Read {
	out := slices.Collect(maps.Values(b.forgotten))
	for _, m := range b.office.mailboxes {
		for _, msg := range m.all {
			if r := m.readOf(msg); r.Envelopes+r.Contents > 0 {
				out = append(out, r)
			}
		}
	}
	slices.SortFunc(out, func(a, b Read) int { return cmp.Compare(a.Number, b.Number) })
	return out
}

func (m *Mailbox) readOf(msg *message) Read {
	return Read{
		Mailbox: m.Address(), Number: msg.Number, Own: msg.Own, Unrelated: msg.Unrelated, System: provider.IsSystemSender(addresses(msg.From)),
		Envelopes: msg.envelopes, Contents: msg.contents,
	}
}

// forget keeps the reads of a message that is being deleted.
func (b *Books) forget(m *Mailbox, msg *message) {
	r := m.readOf(msg)
	if r.Envelopes+r.Contents == 0 {
		return
	}
	if b.forgotten == nil {
		b.forgotten = make(map[string]Read)
	}
	b.forgotten[fmt.Sprintf("%s %d", r.Mailbox, r.Number)] = r
}

// UnrelatedReads returns how often something of unrelated mail was read. Both
// are zero where nothing unrelated is requested.
func (b *Books) UnrelatedReads() (envelopes, contents int) {
	for _, r := range b.Reads() {
		if r.Unrelated {
			envelopes += r.Envelopes
			contents += r.Contents
		}
	}
	return envelopes, contents
}

// String returns the books as text, equal for equal histories.
func (b *Books) String() string {
	b.office.mu.Lock()
	defer b.office.mu.Unlock()
	var out strings.Builder
	for _, s := range b.submissions {
		fmt.Fprintf(&out, "sent %s %s to %s id %s key %s, %d bytes\n", s.At.Format(time.RFC3339Nano), s.Mailbox,
			strings.Join(s.Recipients, ","), s.MessageID, s.Key, len(s.Raw))
	}
	for _, d := range b.deliveries {
		fmt.Fprintf(&out, "%s %s %s id %s\n", d.Fate, d.At.Format(time.RFC3339Nano), d.Recipient, d.Submission.MessageID)
	}
	for _, m := range b.office.mailboxes {
		for _, class := range slices.Sorted(maps.Keys(m.requests)) {
			fmt.Fprintf(&out, "requests %s %s %d\n", m.Address(), class, m.requests[class])
		}
	}
	for _, r := range b.reads() {
		fmt.Fprintf(&out, "read %s %d envelope %d content %d\n", r.Mailbox, r.Number, r.Envelopes, r.Contents)
	}
	return out.String()
}
