package msgraphtest

// Beliefs are what is held true of Microsoft without proof. The zero value is
// the default. What is believed of mail itself is in postoffice.Beliefs.
type Beliefs struct {
	// FullScopes: token answers spell Graph's scopes as URLs.
	FullScopes bool

	// WidensScopes: a token carries every scope of Graph that was ever
	// consented to, not only those that were asked for.
	WidensScopes bool

	// SendsIssuer: the redirect carries an iss parameter (RFC 9207).
	SendsIssuer bool

	// SentCopyHeaders: copies in Sent Items have internetMessageHeaders and
	// the property 0x007D. Users report that they are missing there.
	SentCopyHeaders bool

	// DropsCustomHeaders: X- headers of a mail sent as MIME get lost. Users
	// report so of headers that the mailbox has never sent by other means.
	DropsCustomHeaders bool

	// BasicWithoutHeaders: under Mail.ReadBasic there are no
	// internetMessageHeaders.
	BasicWithoutHeaders bool

	// PropertyIDsAsAsked: an extended property comes back under the id that
	// was asked for. Else its tag is written in short, "String 0x1a" for
	// "String 0x001A".
	PropertyIDsAsAsked bool

	// WeekOfPushes: a subscription to messages may live for 10,080 minutes,
	// as the newest documentation is said to have it. Else it is 4,230.
	WeekOfPushes bool

	// ShortensPushes: a subscription that is asked for longer is made, with
	// the longest life there is. Else it is refused.
	ShortensPushes bool

	// DeltaWithoutProperties: $expand has no effect in a delta.
	DeltaWithoutProperties bool

	// DeltaSkipsBrief: a delta tells nothing of a message that came and went
	// since the last round. Else it tells that it was removed.
	DeltaSkipsBrief bool

	// DeltaReplays: each round of a delta also repeats what the round before
	// it ended with.
	DeltaReplays bool
}
