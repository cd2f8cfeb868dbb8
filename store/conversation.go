package store

import (
	"context"
	"time"
)

// Entry is one mail in a conversation, in either direction. Its JSON is a
// storage format, of outbox rows and of logs: the names in it never change.
type Entry struct {
	Key          string `json:"key"`          // unique; appending the same key again changes nothing
	Conversation string `json:"conversation"` // the enrollment's id
	Mailbox      string `json:"mailbox,omitempty"`
	Link         string `json:"link,omitempty"`
	Owner        string `json:"owner,omitempty"`     // the link's owner
	Actor        string `json:"actor,omitempty"`     // who enrolled the recipient: differs from Owner when sent on behalf
	Recipient    string `json:"recipient,omitempty"` // the address the conversation is with, normalised

	Direction string `json:"direction,omitempty"` // out (we sent it), in, own (the mailbox's owner wrote it by hand)
	Class     string `json:"class,omitempty"`     // what incoming mail is: human, auto_reply, bounce, ...
	Evidence  string `json:"evidence,omitempty"`  // why it belongs here
	Step      int    `json:"step,omitempty"`      // the step sent, or zero
	Crossed   bool   `json:"crossed,omitempty"`   // this mail and an answer crossed

	Ref       string    `json:"ref,omitempty"` // the mailbox's name for the message; may be empty
	MessageID string    `json:"message_id,omitempty"`
	From      string    `json:"from,omitempty"` // as people write them
	To        string    `json:"to,omitempty"`   // as people write them
	Cc        string    `json:"cc,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	At        time.Time `json:"at,omitzero"`     // when it was sent or received
	Text      string    `json:"text,omitempty"`  // all of it
	Fresh     string    `json:"fresh,omitempty"` // of mail that was read: what is new in it, without history, signature and notices
	HTML      string    `json:"html,omitempty"`  // of mail that was read: sanitised, safe to show inside a page; of mail we sent: as it was made
	Parts     []Part    `json:"parts,omitempty"`

	// OptOut says that the author seems to want no more mail, and what they
	// ask for: unsubscribe, stop or erase. It is a guess from the wording,
	// for a person to confirm; nobody was unsubscribed by it. Empty is none.
	OptOut string `json:"opt_out,omitempty"`

	// AnswerNeeded marks an entry that a person should look at, and Answers one
	// by which a person of the sender's side answers: see Append.
	AnswerNeeded bool `json:"answer_needed,omitempty"`
	Answers      bool `json:"answers,omitempty"`
}

// Part describes one attachment of an Entry.
type Part struct {
	Part        string `json:"part,omitempty"`
	Name        string `json:"name,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	Size        int64  `json:"size,omitempty"`
	ContentID   string `json:"content_id,omitempty"` // what HTML cites as cid:, without angle brackets
	Inline      bool   `json:"inline,omitempty"`
}

// ConversationLog is where a host keeps what was said. It is fed from the
// outbox, so every method may be called again with what it has seen before.
// Safe for concurrent use. Hosts often implement it on their own tables.
type ConversationLog interface {
	// Append adds entries. An entry whose Key is present is left as it is.
	// All or none are added.
	//
	// Those that are added count for the conversation's AnswerNeeded mark, in
	// the order in which they are given: one with AnswerNeeded sets it; one
	// with Answers clears it, unless an entry with AnswerNeeded and a later At
	// is there, which it can't be an answer to.
	Append(ctx context.Context, entries []Entry) error

	// Conversation returns the entries of one conversation by At, then Key.
	// An unknown conversation is empty, not an error.
	Conversation(ctx context.Context, conversation string) ([]Entry, error)

	// Find lists conversations, most recent entry first.
	Find(ctx context.Context, p FindConversations) ([]Summary, error)

	// Flag sets or clears a conversation's AnswerNeeded mark, ErrNotFound if
	// the conversation has no entry.
	Flag(ctx context.Context, conversation string, on bool) error

	// Erase removes every entry of a recipient's conversations, named by
	// normalised address, and says how many.
	Erase(ctx context.Context, recipient string) (int, error)
}

// FindConversations narrows Find. Zero fields don't.
type FindConversations struct {
	Owner        string // the link's owner or an actor in it
	Recipient    string // normalised address
	AnswerNeeded bool   // only flagged ones
	Limit        int    // zero is 100
}

// Summary is one conversation in a list.
type Summary struct {
	Conversation string
	Recipient    string
	Owner        string
	Subject      string // of the first mail
	Entries      int
	Last         time.Time
	AnswerNeeded bool
}
