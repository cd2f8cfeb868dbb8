package postoffice

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// Error is one of the things the post office refuses. Match with errors.Is.
type Error string

func (e Error) Error() string { return "postoffice: " + string(e) }

// The errors.
const (
	ErrNoRecipients  Error = "the mail names no recipient in To, Cc or Bcc"
	ErrNoThread      Error = "this mailbox has no such thread"
	ErrSenderRefused Error = "From is not an address of this mailbox"
	ErrNoMessage     Error = "this mailbox has no such message"
	ErrNoMailbox     Error = "nobody here has this address"
	ErrExpired       Error = "the change log no longer reaches back so far"
	ErrTaken         Error = "somebody here already has this address"
	ErrBadAddress    Error = "not a mail address"
)

// Config sets up an Office.
type Config struct {
	// Clock is the world's time. Required.
	Clock *Clock

	// Beliefs are given to mailboxes that bring none. Nil is GmailBeliefs.
	Beliefs *Beliefs
}

func (c Config) validate() error {
	if c.Clock == nil {
		return fmt.Errorf("postoffice: Config.Clock is nil; give NewClock(start)")
	}
	return nil
}

// Office is one world of mail: mailboxes, people and what travels between
// them.
type Office struct {
	clock *Clock

	mu        sync.Mutex
	beliefs   Beliefs
	mailboxes []*Mailbox
	byAddress map[string]*Mailbox
	bySubject map[string]*Mailbox
	people    map[string]*person
	written   int // ids given to mail that the world writes itself
	books     Books
}

// New returns an empty office.
func New(cfg Config) (*Office, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	o := &Office{
		clock:     cfg.Clock,
		beliefs:   GmailBeliefs(),
		byAddress: make(map[string]*Mailbox),
		bySubject: make(map[string]*Mailbox),
		people:    make(map[string]*person),
	}
	if cfg.Beliefs != nil {
		o.beliefs = *cfg.Beliefs
	}
	o.books.office = o
	return o, nil
}

// Clock returns the office's clock.
func (o *Office) Clock() *Clock { return o.clock }

// Books returns what the world recorded.
func (o *Office) Books() *Books { return &o.books }

// MailboxConfig describes a mailbox.
type MailboxConfig struct {
	Address string   // primary address. Required
	Name    string   // the owner's name
	Aliases []string // further addresses that are delivered here and may be sent from
	Senders []string // addresses that may be sent from too, and are delivered elsewhere
	Service string   // which service runs it, in the caller's words; the office never looks at it
	Subject string   // the service's stable id of the account; empty makes one up

	// IDDomain is the domain of the Message-IDs this mailbox's service makes.
	// Empty is mail.gmail.com.
	IDDomain string

	// Behaviours are what the owner does on receiving mail, as a Person does.
	// What they write is kept in Sent.
	Behaviours []Behaviour

	// Beliefs of this mailbox. Nil takes the office's.
	Beliefs *Beliefs
}

// AddMailbox opens a mailbox. ErrTaken: an address or the subject is in use.
func (o *Office) AddMailbox(cfg MailboxConfig) (*Mailbox, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(o.mailboxes) + 1
	m := &Mailbox{
		office: o, name: cfg.Name, service: cfg.Service, subject: cfg.Subject, idDomain: cfg.IDDomain, beliefs: o.beliefs,
		nextNumber: int64(n)<<32 + 1, lastChange: int64(n) * 1000,
		byNumber: make(map[int64]*message), byID: make(map[string][]*message), threads: make(map[int64][]*message),
		bySubject: make(map[string]int64), requests: make(map[Request]int),
	}
	m.floor = m.lastChange
	if len(cfg.Behaviours) > 0 {
		m.owner = &person{Person: Person{Address: cfg.Address, Name: cfg.Name, Behaviours: cfg.Behaviours}}
	}
	if cfg.Beliefs != nil {
		m.beliefs = *cfg.Beliefs
	}
	if m.subject == "" {
		m.subject = fmt.Sprintf("subject-%06d", n)
	}
	if m.idDomain == "" {
		m.idDomain = "mail.gmail.com"
	}
	if _, taken := o.bySubject[m.subject]; taken {
		return nil, fmt.Errorf("open a mailbox with subject %s: %w", m.subject, ErrTaken)
	}
	for _, a := range append([]string{cfg.Address}, cfg.Aliases...) {
		key := provider.Normalize(a)
		if key == "" {
			return nil, fmt.Errorf("open a mailbox: %w", ErrBadAddress)
		}
		if o.byAddress[key] != nil || o.people[key] != nil {
			return nil, fmt.Errorf("open a mailbox: %w", ErrTaken)
		}
		m.addresses = append(m.addresses, strings.TrimSpace(a))
	}
	for _, a := range cfg.Senders {
		if provider.Normalize(a) == "" {
			return nil, fmt.Errorf("open a mailbox: %w", ErrBadAddress)
		}
		m.senders = append(m.senders, strings.TrimSpace(a))
	}
	for _, a := range m.addresses {
		o.byAddress[provider.Normalize(a)] = m
	}
	o.bySubject[m.subject] = m
	o.mailboxes = append(o.mailboxes, m)
	return m, nil
}

// Mailbox returns the mailbox that mail to addr reaches, or nil.
func (o *Office) Mailbox(addr string) *Mailbox {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.byAddress[provider.Normalize(addr)]
}

// BySubject returns the mailbox of the account with this subject, or nil.
func (o *Office) BySubject(subject string) *Mailbox {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bySubject[subject]
}

// Mailboxes returns all mailboxes in the order in which they were opened.
func (o *Office) Mailboxes() []*Mailbox {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]*Mailbox(nil), o.mailboxes...)
}

// Mail is a mail that comes from outside, for Deliver.
type Mail struct {
	To  string // the mailbox's address, or one of its aliases. Required
	Raw []byte // as it arrives; it may be malformed

	// Labels are where it goes; nil leaves that to the mailbox's rule, and is
	// the Inbox without one.
	Labels []string

	// Unrelated marks it in the books as mail that no client has any business
	// to read.
	Unrelated bool

	// Received is when the service took it; zero is now. A time in the past
	// fills a mailbox with history.
	Received time.Time

	thread int64  // of a report that the mailbox's own service puts there
	class  string // Message.Class
}

// Deliver puts a mail from outside into a mailbox. ErrNoMailbox: nobody here
// has the address.
func (o *Office) Deliver(mail Mail) (Message, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := o.byAddress[provider.Normalize(mail.To)]
	if m == nil {
		return Message{}, fmt.Errorf("deliver: %w", ErrNoMailbox)
	}
	return m.receive(mail).Message, nil
}

// later runs do after d with the office locked, or at once if d is not
// positive. The office is locked when later is called.
func (o *Office) later(d time.Duration, do func()) {
	if d <= 0 {
		do()
		return
	}
	o.clock.At(o.clock.Now().Add(d), func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		do()
	})
}

// newID makes a Message-ID in the given domain, different each time and the
// same in every run.
func (o *Office) newID(prefix, domain string) string {
	o.written++
	return fmt.Sprintf("<%s%08d.%x@%s>", prefix, o.written, o.written*2654435761%1048573, domain)
}
