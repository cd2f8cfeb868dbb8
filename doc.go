// Package outreach is the map of this module. It holds no code: import the
// packages below it.
//
// The module lets the users of a host (an applicant-tracking system, an
// internal app) link their own Gmail or Microsoft 365 mailbox by OAuth, send
// sequences of mails to candidates from it, for themselves or on behalf of a
// colleague who allows it, preview a sequence in their own inbox, stop a
// sequence the moment the candidate answers, and read the whole conversation
// and nothing else from that mailbox. The host keeps its database, its HTTP
// server, its users and its clock.
//
// # The packages
//
//   - provider: the contract with a mail service, and the values that cross
//     it. provider/classify tells people from machines, provider/quote finds
//     what is new in a reply, provider/optout the wish to get no more mail,
//     provider/safehtml makes HTML safe to show. provider/postoffice is a
//     mail world for tests, provider/providertest a conformance suite.
//   - gmail: a Provider over the Gmail API. gmail/gmailtest is a fake Google.
//   - msgraph: a Provider over Microsoft Graph. msgraph/msgraphtest is a fake
//     Microsoft Entra ID and Graph.
//   - sequence: the pure engine, which decides and does nothing.
//     sequence/runner drives it.
//   - store: what the host's database must do. store/memstore keeps it in
//     memory, store/storetest is a conformance suite.
//   - linking: OAuth linking, and tokens that are neither lost nor leaked.
//
// # The host's duties, in order
//
//  1. Keep a secret of at least 32 bytes for ever (runner.Config.Key), and an
//     AEAD for tokens (linking.Config.Sealer).
//  2. Bring a store: memstore to try things out, your own otherwise; run
//     storetest over it.
//  3. Register an app with the mail service and make a Provider of it.
//  4. Two HTTP handlers: one that redirects to linking.Linker.Begin's URL,
//     one that hands the callback's query to Complete. Both with the same
//     session.
//  5. For answers within moments, one handler for each service's pushes:
//     runner.Runner.PushHandler. Without it mailboxes are polled.
//  6. One loop: runner.Runner.Run in a goroutine, or Tick from a scheduler.
//     Many processes may do so on one store.
//  7. Call Enroll, Send, Preview, Pause, Resume, Skip, Stop and RecordReply as
//     users act, and Unsubscribe and Erase as candidates ask.
//  8. Take the events (runner.Config.Events) and show flagged conversations
//     to a person.
//
// # The promises
//
// Each is stated in full in the package that keeps it, and tested there.
//
//   - One mailbox, one owner: decided by the store on the service's stable
//     id (linking).
//   - No token lost, none leaked: a new token is stored before it is used
//     (linking).
//   - Never twice: an intent is committed, one request is made, the result is
//     committed. When nobody knows whether a mail left, the mailbox is asked,
//     and where it can't tell a person decides (sequence/runner).
//   - No blind follow-up: the mailbox is read before each one
//     (sequence/runner).
//   - A reply stops the drip: in the thread, from another address, in a new
//     mail, after a gap (sequence/runner).
//   - Nothing unrelated is requested: content is read only under a Warrant,
//     which only provider.Match makes (provider).
//   - Right in time: windows, zones and clock changes are a pure function
//     (sequence).
//   - Privacy of the erased: only a keyed hash remains (sequence/runner).
package outreach
