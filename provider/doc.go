// Package provider is the contract between this module and a mail service:
// what an adapter such as gmail must do, and the plain values that cross the
// border. It imports no SDK.
//
// # What is promised over which access
//
// A link can promise only what it was granted. Provider.Abilities is this
// table in code, so that nothing branches on a provider's name:
//
//	                              Gmail                            Microsoft Graph
//	                  Send     Envelopes  Replies      Send     Envelopes  Replies
//	unknown outcome   person   thread     mailbox      person   mailbox    mailbox
//	answer in thread  host     yes        yes          host     yes        yes
//	answer elsewhere  host     no         by sender    host     by sender  by sender
//	out-of-office     -        headers    content      -        headers*   content
//	bounce elsewhere  -        no         content      -        by sender  content
//	content           -        no         yes          -        no         yes
//	preview proof     no       yes        yes          no       yes        yes
//
// Where no headers come (*) the envelope says so in Partial, and nobody can
// be told from a machine: what arrives is held for a person. So is the
// conversation that a bounce is most likely about which is known by its sender
// alone; looking for one takes the headers of reports on mail of others
// (runner.Options.NoReports switches it off). Envelopes is for those who want
// nobody to be able to read a text; it is no easier to get approved than
// Replies.
//
// # Sending
//
// Mailbox.Send makes one request. What it returns is one of three things:
// nil (accepted: never send it again), ErrOutcomeUnknown (ask Locate), or any
// other error, which is positive proof that nothing left. Proof is a refusal
// by us, a failure to get a token, a request of whose body no byte was ever
// handed to the transport (so a name that did not resolve, a refused
// connection, a failed handshake), or one of the answers 400, 401, 403, 404,
// 413, 415 and 429. All else is unknown: an event that was not seen is no
// proof.
//
// # Reading
//
// A change feed brings identifiers. Match, which is pure, compares an
// Envelope with what is known of our own mail and makes the Warrant without
// which no Mailbox hands out content. This guards against our own mistakes
// and makes each read auditable; it can't guard a mailbox against a host that
// holds its token.
//
// # Pushes
//
// A service that can tell of changes by itself is met by two optional
// interfaces, each found by a type assertion: Watcher on a Mailbox, and
// PushReceiver on a Provider for the host's handlers. A push is a hint. It
// moves no cursor, and whatever it says is read again from the mailbox.
//
// # Errors for people
//
// Provider.Diagnose makes a Diagnosis of an error: one of a closed set of
// reasons that all Providers share, values, who can mend it, and one or two
// sentences to show as they are. What is done about an error never hangs on
// it, but on the error's kind: the numbers and subcodes of a service may
// change, and only choose the words. A code that is not known is explained by
// the kind, and is kept for support.
//
// # Implementing a Provider
//
// Run providertest.Run over it. Explain and ExplainKind make diagnoses. What not
// every service has is an interface of its own, found by a type assertion:
// CallbackReader, Abandonment, AdminAdviser, AdminConsenter. Package postoffice holds an in-memory
// Provider to read as an example and to test against.
package provider
