package runner

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// The kinds of enrollment. A single mail and a preview go the same way as a
// drip, so that one protocol makes all of them exactly once.
const (
	kindDrip    = string(KindDrip)
	kindMail    = string(KindMail)
	kindPreview = string(KindPreview)
	kindReply   = string(KindReply) // a single mail in the conversation of another enrollment
)

// record is store.Enrollment.Data: what the runner knows of an enrollment
// beside the engine's state.
type record struct {
	To        provider.Address   `json:"to"`
	FromName  string             `json:"from_name,omitempty"`
	From      string             `json:"from,omitempty"` // an alias of the mailbox; empty is its own address
	Cc        []provider.Address `json:"cc,omitempty"`
	Bcc       []provider.Address `json:"bcc,omitempty"`
	Zone      string             `json:"zone,omitempty"`
	Words     json.RawMessage    `json:"words,omitempty"` // the sequence of a single mail: it is about one person, and is erased with them
	Vars      map[string]string  `json:"vars,omitempty"`
	Mails     []sentMail         `json:"mails,omitempty"`
	Open      *sentMail          `json:"open,omitempty"`      // the mail on its way
	LookAt    time.Time          `json:"look_at,omitzero"`    // when the open mail is to be looked up
	Threads   []string           `json:"threads,omitempty"`   // further threads the recipient opened
	Known     []string           `json:"known,omitempty"`     // further addresses the recipient answered from, normalised
	Shown     []string           `json:"shown,omitempty"`     // addresses, not the recipient's, that the owner wrote to by hand in it, normalised
	Answered  time.Time          `json:"answered,omitzero"`   // when the owner last wrote in it by hand
	Sought    time.Time          `json:"sought,omitzero"`     // when earlier mail of the recipient was looked for
	Heard     *heard             `json:"heard,omitempty"`     // the newest mail that a person wrote in it
	Replies   []string           `json:"replies,omitempty"`   // enrollments of the replies in its conversation
	Reply     *replyTo           `json:"reply,omitempty"`     // of a reply: where it belongs
	NotBefore time.Time          `json:"not_before,omitzero"` // a guard or a link said wait
	Unmade    time.Time          `json:"unmade,omitzero"`     // since when the renderer has failed on the next mail
	Try       int                `json:"try,omitempty"`       // intents so far, makes their ids unique
	Hold      string             `json:"hold,omitempty"`      // the latest reason of a hold, for people
	Barred    Bar                `json:"barred,omitempty"`    // what keeps it from this link, beside what the engine knows
	AskAt     time.Time          `json:"ask_at,omitzero"`     // when that is asked again
	Ended     string             `json:"ended,omitempty"`     // why it ended early, for people
	Notes     int                `json:"notes,omitempty"`     // makes keys of events unique
	Restored  string             `json:"restored,omitempty"`  // the restoration that Asked belongs to
	Asked     uint64             `json:"asked,omitempty"`     // steps the mailbox was asked about after it, by id-1
}

// sentMail is one mail of an enrollment that was accepted.
type sentMail struct {
	Step      int       `json:"step"`
	Intent    string    `json:"intent"`
	MessageID string    `json:"message_id"` // as supplied
	Key       string    `json:"key"`
	Real      string    `json:"real,omitempty"` // as read back; empty until then
	Ref       string    `json:"ref,omitempty"`
	Thread    string    `json:"thread,omitempty"`
	Subject   string    `json:"subject"`
	At        time.Time `json:"at"`

	// Starts marks the first mail of a thread: those after it, up to the next
	// such mark, answer it.
	Starts bool `json:"starts,omitempty"`

	// From is the alias that it was sent from, empty for the mailbox's own
	// address, and Fate what was seen of that; empty is nothing yet.
	From string `json:"from,omitempty"`
	Fate string `json:"fate,omitempty"`
}

func (m sentMail) id() string {
	if m.Real != "" {
		return m.Real
	}
	return m.MessageID
}

// intentMeta is store.Intent.Meta: what sending and locating the bytes again
// needs, and what the conversation will show.
type intentMeta struct {
	From     provider.Address   `json:"from"`
	To       []provider.Address `json:"to"`
	Cc       []provider.Address `json:"cc,omitempty"`
	Bcc      []provider.Address `json:"bcc,omitempty"`
	Thread   provider.Thread    `json:"thread"`
	Subject  string             `json:"subject"`
	Text     string             `json:"text,omitempty"`
	HTML     string             `json:"html,omitempty"`
	Parts    []store.Part       `json:"parts,omitempty"`
	Cursor   provider.Cursor    `json:"cursor,omitempty"`
	Proven   bool               `json:"proven,omitempty"`
	Original time.Time          `json:"original"` // when the bytes were rendered
}

// boxData is store.Mailbox.Data.
type boxData struct {
	LastRead     time.Time    `json:"last_read"`              // start of the last complete read
	ReadStart    time.Time    `json:"read_start"`             // start of the last complete read of feed and senders, for the pace of reading: see Runner.lastRead
	Searched     time.Time    `json:"searched"`               // start of the last complete sender search
	Reported     time.Time    `json:"reported"`               // start of the last complete search for reports
	ReportsFrom  time.Time    `json:"reports_from,omitzero"`  // when the first mail left of those that reports are looked for
	LastSend     time.Time    `json:"last_send"`              // when a mail was last tried
	Lost         string       `json:"lost,omitempty"`         // why the mailbox can't be used; empty if it can
	Trouble      string       `json:"trouble,omitempty"`      // what the last pass failed on; empty if it didn't
	Learned      time.Time    `json:"learned,omitzero"`       // since when a thread may have been ours unknown to us; zero is none
	LearnedIn    string       `json:"learned_in,omitempty"`   // those threads, by line; allThreads is any
	Passed       []passedItem `json:"passed,omitempty"`       // messages that could not be read and are tried again
	Alarmed      bool         `json:"alarmed,omitempty"`      // somebody was told that the mailbox can't be worked on
	FailingSince time.Time    `json:"failing_since,omitzero"` // when the first of the failures in a row was
	Stuck        string       `json:"stuck,omitempty"`        // a message that the last read failed on
	StuckTimes   int          `json:"stuck_times,omitempty"`  // how often in a row, and
	StuckSince   time.Time    `json:"stuck_since,omitzero"`   // since when
	Proven       bool         `json:"proven,omitempty"`       // the last accepted mail's copy was seen in Sent
	Missing      int          `json:"missing,omitempty"`      // accepted mails in a row without a copy in Sent
	Pace         time.Time    `json:"pace,omitzero"`          // when the burst is whole again
	StoppedUntil time.Time    `json:"stopped_until,omitzero"` // the mail service refuses what this mailbox sends
	StopReason   string       `json:"stop_reason,omitempty"`
	Failures     int          `json:"failures,omitempty"`  // in a row, for the wait
	Marks        int          `json:"marks,omitempty"`     // makes keys of events unique
	Restored     string       `json:"restored,omitempty"`  // the restoration that Before belongs to
	Before       string       `json:"before,omitempty"`    // the cursor that the backup had
	Recovered    string       `json:"recovered,omitempty"` // the restoration whose lost time is made up for
	Push         pushData     `json:"push,omitzero"`
	Gap          gapData      `json:"gap,omitzero"`      // in the feed, that is being closed
	CutOff       bool         `json:"cut_off,omitempty"` // the cursor lies within what one following of the feed tells

	Aliases map[string]alias `json:"aliases,omitempty"` // by normalised address: what is known of sending from them
}

// loaded is an enrollment read from the store and understood.
type loaded struct {
	row store.Enrollment
	rec record
	st  sequence.State
	seq *sequence.Sequence

	replies []*loaded // in its conversation
}

func (l *loaded) id() string { return l.row.ID }

// hostKey is the host's own key.
func hostKey(row store.Enrollment) string { return strings.TrimPrefix(row.HostKey, row.Kind+"/") }

// known says what Match needs of the enrollment and of the replies in its
// conversation. A preview is known to nobody, and a reply not by itself.
func (l *loaded) known() (provider.Sent, bool) {
	if l.row.Kind == kindPreview || l.row.Kind == kindReply {
		return provider.Sent{}, false
	}
	s := provider.Sent{Key: l.row.ID, Recipients: l.addresses(), Threads: slices.Clone(l.rec.Threads)}
	for _, l := range append([]*loaded{l}, l.replies...) {
		for _, a := range slices.Concat(l.rec.Cc, l.rec.Bcc) {
			s.Copied = append(s.Copied, a.Addr)
		}
	}
	for _, m := range l.mails() {
		s.MessageIDs = append(s.MessageIDs, m.MessageID)
		s.SendKeys = append(s.SendKeys, m.Key)
		if m.Real != "" && m.Real != m.MessageID {
			s.MessageIDs = append(s.MessageIDs, m.Real)
		}
		if m.Thread != "" && !slices.Contains(s.Threads, m.Thread) {
			s.Threads = append(s.Threads, m.Thread)
		}
		if s.First.IsZero() || m.At.Before(s.First) {
			s.First = m.At
		}
		if m.At.After(s.Last) {
			s.Last = m.At
		}
	}
	return s, true
}

// status is the word that a store and a host see.
func (l *loaded) status() Status {
	switch l.st.Status {
	case sequence.StatusCompleted:
		return StatusCompleted
	case sequence.StatusStopped:
		switch l.st.Reason {
		case sequence.ReasonReplied:
			return StatusReplied
		case sequence.ReasonBounced:
			return StatusBounced
		case sequence.ReasonUnsubscribed:
			return StatusUnsubscribed
		case sequence.ReasonTookOver:
			return StatusTookOver
		case sequence.ReasonRejected:
			return StatusRejected
		}
		return StatusStopped
	}
	if l.st.Holds != 0 {
		return StatusHeld
	}
	return StatusActive
}
