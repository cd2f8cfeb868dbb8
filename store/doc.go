// Package store is what a host's database must do for this module: four
// interfaces, and the plain records that cross them. It imports only the
// standard library, and knows neither mail services nor the engine.
//
//   - TokenStore keeps links, each exclusive on its mailbox.
//   - FlowStore keeps OAuth flows under way, each taken once.
//   - EnrollmentStore is the truth that the promises about sending rest on. It
//     is the one large interface, and one on purpose: Commit writes
//     enrollments, intents, index rows, suppressions and the outbox together
//     or not at all, so one database must hold them all. Cut up, they could be
//     handed in from two.
//   - ConversationLog is where conversations are kept, fed from the outbox.
//     Hosts often implement it on tables of their own.
//
// Package memstore is the reference reading of all four, and not durable.
// Package storetest tells whether an implementation keeps the contracts.
//
// # The one method to get right
//
// EnrollmentStore.Commit writes one decision together or not at all, in one
// transaction of the database. Two things guard it. A version guards each
// record, always: who writes from an old reading gets a ConflictError that
// names the record, and reads again. A fence guards what belongs to a
// mailbox (its record and new intents) against a process that lost its claim
// and doesn't know. Results of intents are facts: they are accepted under any
// fence, once.
//
// A commit that locks in one order never deadlocks with another: the
// mailboxes of the fence and of the enrollments, then enrollments, intents,
// definitions, index rows, suppressions and outbox rows, each sorted by key.
// In SQL that is a SELECT ... ORDER BY ... FOR UPDATE before an UPDATE of
// many rows; with foreign keys in PostgreSQL, FOR NO KEY UPDATE. In SQLite
// begin the transaction IMMEDIATE. The fence is checked after its row is
// locked, against a clock read after that (the time of the transaction's
// beginning is too early), and the lock is held until the commit.
//
// # When the outcome is not known
//
// A connection that is lost during COMMIT leaves the caller in the dark. The
// module never acts on such a commit: it reads again and decides again, which
// versions and the ids of intents make safe. No mail leaves on an intent whose
// commit was not confirmed.
//
// # Clocks
//
// Leases, refresh marks and flows end by the store's own clock, so that the
// clocks of many processes need not agree: callers pass durations, never
// ends. What is due is the caller's clock, passed as an instant. Times are
// kept to the microsecond, in UTC; the zero time stays the zero time.
//
// # The outbox
//
// Rows leave in the order of Seq as far as they are visible; a row that was
// committed late must still come out, so a drainer may not remember a Seq and
// go on from there. Deliver a row to every sink, then Ack it: a crash in
// between delivers it again, and every sink is idempotent by key.
//
// # Columns
//
// A SQL store needs these as columns: of an enrollment its id, host key
// (unique), mailbox, link, recipient, sequence hash, kind, status, due time
// and version; of a mailbox its id, link, read time, lease end, token and
// version, how many marks it got, had at its claim and has had dealt with,
// and the earliest due time of its enrollments, which makes Claim one scan of
// an index; of an index row all fields; of an intent its id, enrollment,
// mailbox, state, Message-ID and deadline. Engine state, merge data, mail bytes, tokens and
// definitions are opaque bytes to it.
//
// # Sealing
//
// What is about a person and is not searched by reaches a store sealed, if
// the host gives a Sealer (package store/seal): tokens and flows from package
// linking, and from the runner a mail on its way, a recipient's name and
// data, and the conversation entries that wait in the outbox. A store need
// not know. The columns above stay plain: addresses, Message-IDs and times
// among them; so do engine states, which have no words in them, and
// definitions. After a change of keys runner.Reseal writes the same bytes
// again, sealed anew: Batch.Enrollments and Batch.Rewrites. A ConversationLog
// gets its entries open and seals them by itself, as sqlstore does with
// Options.Sealer.
//
// # Testing your own
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Harness {
//			db := openEmpty(t)
//			return storetest.Harness{
//				Tokens: db.Tokens(), Flows: db.Flows(), Enrollments: db.Enrollments(), Conversations: db.Conversations(),
//				Advance: clock.Advance,
//			}
//		})
//	}
package store
