package postoffice

// Beliefs are what is held true of a mail service without proof. They belong
// to a mailbox and may be changed at any time with Mailbox.SetBeliefs.
type Beliefs struct {
	// KeepsMessageID: a well-formed Message-ID that the sender supplied goes
	// out unchanged. Where false it is replaced. Default true. A malformed or
	// missing one is always replaced.
	KeepsMessageID bool

	// KeepsOriginalID: a replaced Message-ID is kept in
	// X-Google-Original-Message-ID. Default true for Gmail, false for Graph.
	KeepsOriginalID bool

	// SelfMailOneMessage: mail to oneself is one message that lies in Sent
	// and Inbox. Where false it is two messages. Default true for Gmail,
	// false for Graph.
	SelfMailOneMessage bool

	// SentCopyMissing: no copy of sent mail is kept. Default false.
	SentCopyMissing bool

	// SentCopyKeepsID: the copy in Sent bears the Message-ID that recipients
	// see. Where false it bears another one. Default true.
	SentCopyKeepsID bool

	// EqualSubjectsMerge: mail without references joins the newest thread of
	// equal subject. Default false.
	EqualSubjectsMerge bool

	// RewritesFrom: mail whose From is not the mailbox's own leaves with the
	// mailbox's address instead. Where false it is refused. Default true for
	// Gmail, false for Graph.
	RewritesFrom bool

	// RewritesAlias: mail whose From is an alias of the mailbox leaves with its
	// primary address instead. Default false for Gmail, true for Graph, where
	// an organisation must first allow sending from aliases.
	RewritesAlias bool

	// KeepsReferences: In-Reply-To and References go out as supplied. Where
	// false they are dropped. Default true.
	KeepsReferences bool

	// ThreadNeedsReferences: a send that asks for a thread joins it only if
	// it cites a message of it. Where false an equal subject is enough.
	// Default true.
	ThreadNeedsReferences bool

	// ReportsJoinThread: the service puts its own delivery reports into the
	// thread of the mail, in spite of their other subject. Default true for
	// Gmail, false for Graph.
	ReportsJoinThread bool

	// ExchangeReports: the service's own delivery reports are texts for
	// people, without a part for programs, and have a class. Default false
	// for Gmail, true for Graph.
	ExchangeReports bool
}

// GmailBeliefs returns the defaults for Gmail.
func GmailBeliefs() Beliefs {
	return Beliefs{
		KeepsMessageID: true, KeepsOriginalID: true, SelfMailOneMessage: true, SentCopyKeepsID: true,
		RewritesFrom: true, KeepsReferences: true, ThreadNeedsReferences: true, ReportsJoinThread: true,
	}
}

// GraphBeliefs returns the defaults for Microsoft Graph.
func GraphBeliefs() Beliefs {
	return Beliefs{
		KeepsMessageID: true, SentCopyKeepsID: true, RewritesAlias: true, KeepsReferences: true, ThreadNeedsReferences: true, ExchangeReports: true,
	}
}
