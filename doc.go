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
//     mail world for tests, provider/providertest a conformance suite,
//     provider/providermock has mocks for tests that want to see single calls.
//   - gmail: a Provider over the Gmail API. gmail/gmailtest is a fake Google.
//   - msgraph: a Provider over Microsoft Graph. msgraph/msgraphtest is a fake
//     Microsoft Entra ID and Graph.
//   - sequence: the pure engine, which decides and does nothing.
//     sequence/runner drives it.
//   - store: what the host's database must do. store/sqlstore does it on
//     SQLite and PostgreSQL, store/memstore in memory, store/storetest is a
//     conformance suite, store/storemock has mocks. store/seal encrypts what
//     is kept.
//   - linking: OAuth linking, how links do, who may send over them, and
//     tokens that are neither lost nor leaked. linking/linkhttp has the
//     handlers.
//
// # The host's duties, in order
//
//  1. Keep a secret of at least 32 bytes for ever (runner.Config.Key), and the
//     keys that seal what is stored (store/seal) apart from the database:
//     linking.Config.Sealer, runner.Config.Sealer, sqlstore.Options.Sealer.
//  2. Bring a store: sqlstore over the host's own *sql.DB, with Migrate called
//     when the host is deployed; memstore to try things out; or one's own, with
//     storetest run over it.
//  3. Register an app with the mail service and make a Provider of it.
//  4. Two HTTP handlers: one that redirects to linking.Linker.Begin's URL,
//     one that hands the callback's query to Complete. Both with the same
//     session. linking/linkhttp has them, and two for administrators.
//  5. For answers within moments, Push in the Config of Provider and runner,
//     one handler for each service's pushes (runner.Runner.PushHandler), and
//     runner.Runner.StopPush in linking.Config.StopPush. Without it mailboxes
//     are polled.
//  6. One loop: runner.Runner.Run in a goroutine, or Tick from a scheduler.
//     Many processes may do so on one store. The Linker is the runner's
//     Mailboxes, and its MayAct the runner's, if colleagues may send.
//  7. Take the changes of links (linking.Config.OnChange) to tell users and the
//     operator, and to call runner.Runner.Notify for a link that works again:
//     what was held goes on with the next Tick, and without it within
//     runner.Options.ReadEvery. Call linking.Linker.CheckAll every few minutes,
//     and show Status.
//  8. Call Enroll, Send, Reply, Preview, Pause, Resume, Skip, Stop and
//     RecordReply as users act, and Unsubscribe, Export and Erase as candidates
//     ask.
//  9. Take the events (runner.Config.Events; runner.Channel makes a Go channel
//     of them), show flagged conversations to a person with Reply, Answered and
//     Attachment beside them, and give them Decide for a mail of which nobody
//     knows whether it left.
//  10. After a restoration from a backup call runner.Runner.Recover before the
//     first Tick. After a change of keys call Reseal: of Linker, Runner, and
//     sqlstore's Conversations.
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
//   - Erased is erased: only keyed hashes of a person's addresses remain
//     (sequence/runner).
package outreach
