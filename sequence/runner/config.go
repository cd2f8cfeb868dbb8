package runner

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// Mailboxes opens links. linking.Linker is one. It is called by several
// goroutines at once.
type Mailboxes interface {
	// Open returns the link's mailbox, ready for use. It makes no request to
	// the mail service. An *provider.Error of kind ErrRelink or
	// ErrMailboxUnusable says that the link can't be used until somebody
	// mends it.
	Open(ctx context.Context, link string) (provider.Linked, error)
}

// Reporter is met by a Mailboxes that keeps how its links do, as
// linking.Linker does: it is told how each pass over a mailbox ended, also one
// whose link did not open. It alerts the operator to a fault of the app
// registration, once for all mailboxes; without one, each mailbox that fails
// for long is told of by itself (EventMailboxFlagged). It is called by several
// goroutines at once. Its errors and panics are logged and change nothing.
type Reporter interface {
	Report(ctx context.Context, link string, h provider.Health) error
}

// Renderer turns a step's words into a mail's. It is called by several
// goroutines at once, for different mailboxes: before the mail's intent is
// committed, and again where that did not come about; what was committed is
// what is sent, whatever happens in between. An error or a panic puts the mail
// off for Options.RetryEvery; after a day of them the enrollment waits for a
// person. What it returns and no mail can hold, such as a header with a line
// break, does so at once.
type Renderer interface {
	Render(ctx context.Context, r RenderRequest) (Rendered, error)
}

// RenderRequest is what a Renderer gets.
type RenderRequest struct {
	Enrollment Enrollment
	Step       sequence.Step
	Data       map[string]string // as given to Enroll
}

// Rendered is a mail's content.
type Rendered struct {
	Subject     string // ignored for a step that answers in the thread
	Text, HTML  string
	Attachments []File
	Header      []HeaderField // further headers, such as List-Unsubscribe
}

// File is an attachment or an inline image.
type File struct {
	Name, ContentType string
	Data              []byte
	ContentID         string // without angle brackets; HTML cites it as cid:
	Inline            bool
}

// HeaderField is one further header of a mail.
type HeaderField struct{ Name, Value string }

// Verdict is what a Guard says.
type Verdict string

// The verdicts. The zero Verdict is VerdictSend.
const (
	VerdictSend Verdict = ""     // let it go
	VerdictWait Verdict = "wait" // not now: ask again after RetryEvery
	VerdictStop Verdict = "stop" // never: end the enrollment
)

// Guard is the host's last word on a mail: it is asked after everything else,
// just before the intent is committed, and so more than once where that
// fails. It is called by several goroutines at once, for different mailboxes.
// An error, a panic and an unknown Verdict count as VerdictWait.
type Guard func(ctx context.Context, e Enrollment, step sequence.Step) (Verdict, error)

// Sink receives the host's events, at least once each and in order of the
// outbox; Event.ID tells repetitions apart. An error ends the delivery: the
// same events come again at the next Tick, and no later one before them; a
// panic is such an error. One Tick hands over one event after the other; where
// several Ticks run at once, in one process or many, so do their calls, and
// each may bring the same event: an old one may come again, from one of them,
// after another has brought later ones.
type Sink interface {
	Handle(ctx context.Context, ev Event) error
}

// Config is what a Runner needs of its host. Store, Mailboxes, Key and Domain
// are required.
//
// What is given is used by several goroutines at once. A panic in Renderer,
// Guard, MayAct, Log, Events, Observer or a Reporter counts as its error, so
// that one mailbox's trouble does not end the process; one in Store, Mailboxes,
// Sealer, Zones, Now or Wait is not caught.
type Config struct {
	Store     store.EnrollmentStore
	Mailboxes Mailboxes

	// Log is where conversations go, at least once each: appending again what
	// is there changes nothing. An error ends the delivery until the next
	// Tick. Nil keeps none.
	Log store.ConversationLog

	// Events is told what happens. Nil tells nobody.
	Events Sink

	// Key is a secret of at least 32 bytes that the host keeps for ever: ids
	// of enrollments, Message-IDs and suppression hashes derive from it.
	Key []byte

	// Domain is the right side of our Message-IDs: a domain of the host's
	// with a dot in it (Gmail replaces Message-IDs with any other).
	Domain string

	// Sealer seals what the store keeps of a mail on its way, of a recipient
	// beyond the address, and of conversation entries that wait in the
	// outbox: store.Intent's Raw and Meta, store.Enrollment's Data, and the
	// Data of the outbox rows of entries. seal.KeyRing is one, and Google
	// Tink's AEAD. What a store searches by stays plain, and so do the
	// sequences of drips, which are about no one recipient. Nil leaves all
	// plain.
	//
	// A record that does not open sets its enrollment aside, flagged and held;
	// Resume brings it back once it opens again. An outbox row that does not
	// open ends the delivery. A Sealer whose key service is down ends a pass
	// and no more.
	Sealer seal.Sealer

	// Renderer fills in the words. Nil sends them as they stand.
	Renderer Renderer

	// Guard has the last word on each mail. Nil lets all go.
	Guard Guard

	// MayAct says whether actor may send over the link: linking.Linker's MayAct
	// is one. It is asked at enrolling and before each mail leaves, by several
	// goroutines at once. An error lets the mail wait. Nil: only its owner.
	MayAct func(ctx context.Context, actor string, link provider.Linked) (bool, error)

	// Zones resolves IANA names. Nil is time.LoadLocation.
	Zones func(name string) (*time.Location, error)

	// Push has mailboxes watched, so that answers are seen within moments. Nil
	// polls only. Pushes come in through PushHandler.
	Push *PushConfig

	// Observer is told of every request to a mailbox, with its reason, and of
	// what came of each pass. Nil is silent.
	Observer Observer

	// Now is the clock, in any zone: times are told in UTC. Nil is
	// time.Now.
	Now func() time.Time

	// Wait waits in Run, and between two tries to store what became of a
	// send. Nil waits on the wall clock.
	Wait func(ctx context.Context, d time.Duration) error

	// Logger reports what the runner could not return. Nil is silent.
	Logger *slog.Logger

	Options Options
}

// Options are the runner's numbers, and what it may and may not read. A zero
// field takes its default; a negative one is refused by New.
type Options struct {
	// Name says which process claims a mailbox, for people who look at the
	// store.
	Name string

	// Freshness is how old a read of the mailbox may be, from its start, when
	// a follow-up leaves: from a second to an hour. Default 60 s.
	Freshness time.Duration

	// ReadEvery is how often a mailbox with tracked conversations is read.
	// Default 5 min.
	ReadEvery time.Duration

	// RetryEvery is the least wait before a refused mail or an unreadable
	// mailbox is tried again; it doubles with each attempt. Default 1 min.
	RetryEvery time.Duration

	// TrackFor is how long a conversation is tracked after its last mail.
	// Default 180 days.
	TrackFor time.Duration

	// Lease is how long a claim on a mailbox holds. Default 5 min.
	Lease time.Duration

	// SearchOverlap is how far a sender search reaches back before the last
	// one, for mail that became visible late. Default 24 h.
	SearchOverlap time.Duration

	// AlarmAfter is how long a mailbox may fail in a row before somebody is
	// told (EventMailboxFlagged). Default 6 h.
	AlarmAfter time.Duration

	// Workers is how many mailboxes are worked on at once. Default 8.
	Workers int

	// PerMailbox is how many due enrollments one pass takes from a mailbox.
	// Default 50.
	PerMailbox int

	// Prior is what is done about earlier mail of a recipient, which one
	// search looks for before the first step of a drip leaves. The zero value
	// tells of it. PriorSpan is how far back it looks. Default 730 days.
	Prior     Prior
	PriorSpan time.Duration

	// NoReports switches off looking for delivery reports outside the threads
	// of our own mail. Over a link that knows them by their sender alone
	// (provider.DetectSender) no text can be searched, so looking for them reads
	// the headers of all system senders' mail in the five days after a send,
	// whoever it is about.
	NoReports bool

	// RemoteImages keeps pictures that lie elsewhere in the HTML of incoming
	// mail. Who shows it then tells its sender that it was opened, when and
	// from where.
	RemoteImages bool

	// ReadPlain reads what is not sealed, too, where there is a
	// Config.Sealer: set it when sealing is switched on over rows that exist.
	// An enrollment is sealed with its next change. While it is set, who can
	// write to the database can put plain rows in the place of sealed ones;
	// without it such rows end the mailbox's pass with an error, and are left
	// as they are.
	ReadPlain bool

	// Idle is how long Run waits when there was nothing to do. Default 5 s.
	Idle time.Duration
}

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	set(&o.Freshness, time.Minute)
	set(&o.ReadEvery, 5*time.Minute)
	set(&o.RetryEvery, time.Minute)
	set(&o.TrackFor, 180*24*time.Hour)
	set(&o.Lease, 5*time.Minute)
	set(&o.SearchOverlap, 24*time.Hour)
	set(&o.AlarmAfter, 6*time.Hour)
	set(&o.PriorSpan, 730*24*time.Hour)
	set(&o.Idle, 5*time.Second)
	if o.Workers == 0 {
		o.Workers = 8
	}
	if o.PerMailbox == 0 {
		o.PerMailbox = 50
	}
	if o.Name == "" {
		o.Name = "runner"
	}
	return o
}

func (c *Config) validate() error {
	bad := func(field, problem string) error {
		return &provider.FieldError{Op: "runner: new", Field: field, Problem: problem}
	}
	switch {
	case c.Store == nil:
		return bad("Config.Store", "is nil; give an EnrollmentStore, such as memstore's")
	case c.Mailboxes == nil:
		return bad("Config.Mailboxes", "is nil; give a linking.Linker")
	case len(c.Key) < 32:
		return bad("Config.Key", "has fewer than 32 bytes; generate a secret once and keep it")
	case !dotted(c.Domain):
		return bad("Config.Domain", "must be a domain with a dot in it, such as mail.example.com")
	case c.Options.Workers < 0:
		return bad("Config.Options.Workers", "is negative")
	case c.Options.PerMailbox < 0:
		return bad("Config.Options.PerMailbox", "is negative")
	case !slices.Contains([]Prior{PriorTell, PriorHold, PriorSkip}, c.Options.Prior):
		return bad("Config.Options.Prior", "is none of PriorTell, PriorHold and PriorSkip")
	case c.Options.Freshness != 0 && (c.Options.Freshness < time.Second || c.Options.Freshness > time.Hour):
		return bad("Config.Options.Freshness", "must be between a second and an hour")
	}
	for _, o := range []struct {
		name string
		d    time.Duration
	}{
		{"Freshness", c.Options.Freshness}, {"ReadEvery", c.Options.ReadEvery}, {"RetryEvery", c.Options.RetryEvery}, {"TrackFor", c.Options.TrackFor},
		{"Lease", c.Options.Lease}, {"SearchOverlap", c.Options.SearchOverlap}, {"AlarmAfter", c.Options.AlarmAfter}, {"PriorSpan", c.Options.PriorSpan},
		{"Idle", c.Options.Idle},
	} {
		if o.d < 0 {
			return bad("Config.Options."+o.name, "is negative")
		}
	}
	if c.Push != nil {
		return c.Push.validate(c.Options.withDefaults())
	}
	return nil
}

func dotted(domain string) bool {
	labels := strings.Split(domain, ".")
	if len(labels) < 2 || len(domain) > 253 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.Trim(l, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
			return false
		}
	}
	return true
}

// derive returns an id that only the holder of the key can compute and that
// says nothing about its parts.
func derive(key []byte, purpose string, parts ...string) string {
	mac := hmac.New(sha256.New, key)
	for _, p := range append([]string{purpose}, parts...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		mac.Write(n[:])
		mac.Write([]byte(p))
	}
	sum := mac.Sum(nil)[:20]
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum))
}

// String hides the key.
func (c Config) String() string { return "runner.Config(the key hidden)" }

// GoString hides the key.
func (c Config) GoString() string { return c.String() }

// LogValue hides the key.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
