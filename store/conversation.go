package store

import (
	"context"
	"time"
)

// Entry is one mail in a conversation, in either direction.
type Entry struct {
	Key          string // unique; appending the same key again changes nothing
	Conversation string // the enrollment's id
	Mailbox      string
	Link         string
	Owner        string // the link's owner
	Actor        string // who enrolled the recipient: differs from Owner when sent on behalf
	Recipient    string // the address the conversation is with, normalised

	Direction string // out (we sent it), in, own (the mailbox's owner wrote it by hand)
	Class     string // what incoming mail is: human, auto_reply, bounce, ...
	Evidence  string // why it belongs here
	Step      int    // the step sent, or zero
	Crossed   bool   // this mail and an answer crossed

	Ref       string // the mailbox's name for the message; may be empty
	MessageID string
	From, To  string // as people write them
	Cc        string
	Subject   string
	At        time.Time // when it was sent or received
	Text      string    // all of it
	Fresh     string    // of mail that was read: what is new in it, without history, signature and notices
	HTML      string    // of mail that was read: sanitised, safe to show inside a page; of mail we sent: as it was made
	Parts     []Part

	// OptOut says that the author seems to want no more mail, and what they
	// ask for: unsubscribe, stop or erase. It is a guess from the wording,
	// for a person to confirm; nobody was unsubscribed by it. Empty is none.
	OptOut string

	// AnswerNeeded marks an entry that a person should look at, and Answers one
	// by which a person of the sender's side answers: see Append.
	AnswerNeeded bool
	Answers      bool
}

// Part describes one attachment of an Entry.
type Part struct {
	Part, Name, ContentType string
	Size                    int64
	ContentID               string // what HTML cites as cid:, without angle brackets
	Inline                  bool
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
