// Package runner drives sequences: it reads mailboxes, asks the engine of
// package sequence what is due, sends, and tells the host what happened. It
// works with any provider.Provider and any store.EnrollmentStore.
//
// # A pass
//
// Tick claims mailboxes that have work and goes over each of them serially:
//
//  1. The link is opened. One that needs its user holds what is due, and is
//     tried again at the pace of reading.
//  2. Open intents are looked up: what may have left is known before anything
//     new leaves.
//  3. With Config.Push, the mailbox's watch is set up, or renewed, if it is time.
//  4. If a read is due, or a follow-up needs one, the change feed is followed
//     to its end and tracked senders are searched for. Answers stop drips.
//  5. What is due is sent, one mail after the other.
//  6. Events and conversation entries are delivered from the outbox, at least
//     once.
//
// # Never twice
//
// A mail is rendered and built once. Its bytes, its Message-ID and the last
// instant at which it may leave are committed as an intent, together with the
// engine's state. Then exactly one request is made, and then its result is
// committed. When no answer came, or the process died in between, the intent
// stays open, and provider.Mailbox.Locate is asked: found is sent; proven
// absent (see there) lets the same bytes go out again, after every check is
// passed once more; anything else waits, or goes to a person through Decide.
// An accepted mail is never sent again.
//
// # After a restoration
//
// A store that was put back from a backup knows nothing of what left since.
// Recover tells the runner so, and must be called before the first Tick: then
// no mailbox sends before it was asked what left it in the lost time, and what
// came in it is read. Message-IDs derive from Config.Key, the host's key and
// the step, so they are known though their record is lost.
//
// # No blind follow-up
//
// A follow-up leaves at most Options.Freshness after the start of a read of
// the mailbox that was complete. That deadline is part of the intent and is
// checked again just before the request leaves. A link that can't read holds
// follow-ups, unless the sequence says AcceptBlind and the host reports
// answers with RecordReply; so does one that was linked anew with less access
// and can't see answers in a new thread any more, unless the sequence says
// AcceptThreadOnly. The host's Guard has the last word.
//
// # A reply stops the drip
//
// A person's answer counts in the thread, from another address in it, in a
// new mail from the recipient, and after a gap in the feed. It stops every
// enrollment of its author, in all mailboxes, but those of sequences marked
// Independent. People whom we put in Cc or Bcc can write without stopping
// anything. An address from which a person answered, citing a mail of ours,
// counts as the recipient's from then on: mail from it in a new thread is
// searched for, and belongs to the conversation. Up to three are taken; lying
// in the thread proves no address, and neither does the answer of somebody whom
// the owner wrote to by hand in the conversation. Services merge threads of equal subject:
// two recipients in one each keep their own conversation, what the owner
// writes by hand there ends the drip of whom it is addressed to, and what
// somebody unknown writes there without citing us holds and flags both. An
// automatic answer holds until the return date it names; a delivery report ends
// the enrollment only of the recipient that it names, and only if it cites mail
// of ours; what can't be judged holds the enrollment and flags it. An absence,
// and what can't be judged, hold every enrollment of their author that an
// answer would end. Only a failure for good ends one: after a failure that may
// pass the next step is tried, one for the sender's volume or reputation stops
// the mailbox, and a refusal by a rule, or without a reason, is held for a
// person. A complaint that cites mail of ours (RFC 5965) is an opt-out of that
// person, and flags it. A mail that was on its way when the answer came is
// found out about, marked as crossed, and never sent again.
//
// # Earlier mail
//
// Before the first step of a drip leaves, its mailbox is searched for what the
// recipient wrote there in Options.PriorSpan. What is found is counted and not
// opened, and told as EventPriorContact; with PriorHold the drip waits for a
// person. Enroll makes no request. Fifty recipients who are due together cost
// one search where none of them has written, and at most two each where all
// have. It is a belief that Gmail's search for a sender may also list mail from
// an address that contains the recipient's: the count is then too high, and
// never too low. So a first step takes a share of a search, the send, and the look at
// its copy. Single mails, previews, and links that can't search are not looked
// up.
//
// # What is forgotten
//
// Once an hour, and before its first read, a Runner has the store forget what
// its index holds past its time: message ids, threads and addresses of
// conversations that ended Options.TrackFor ago, and marks of messages that
// were none of ours. A drip that is active or held keeps all of its own,
// however long it is held. Enrollments, their mails, suppressions and
// conversations are the host's record: they stay until Erase.
//
// # What a conversation shows
//
// Of mail that was read, Entry.Fresh is what is new in it (package quote),
// Entry.HTML is sanitised (package safehtml), and Entry.OptOut tells that its
// author seems to want no more mail (package optout). The last is also told
// as EventOptOut. It is a guess from the wording: it unsubscribes nobody, and
// a host lets a person confirm it with Unsubscribe.
//
// A conversation needs an answer (Entry.AnswerNeeded, Enrollment.Flagged)
// once a person wrote in it, or what may be a person, until one is given: by hand in the mailbox, by Reply, which sends in the
// thread by the same protocol as a drip and ends the drip as a mail by hand
// does, or until somebody says Answered. Attachment reads one attachment when
// it is asked for, after its mail was matched again. Export gives out what is
// kept of one person, without what others wrote; Erase removes it.
//
// # Events
//
// Events leave from the outbox, where they were put in the same commit as what
// they tell of: a crash loses none. A Sink gets each at least once under
// the same Event.ID, in order as far as Sink says. An answer, an automatic one and a failure for
// good are told as such also after the last mail. Channel is a Sink for hosts that would rather
// receive from a Go channel; an event stays in the outbox until its receiver
// has acknowledged it.
//
// # Pushes
//
// With Config.Push mailboxes are watched where their Provider was set up for
// it. PushHandler takes the pushes: it proves them, finds the mailbox by what
// was stored when its watch was made, marks it for the next Tick, and only
// then acknowledges. It makes no request to a mailbox. Notices of unknown
// watches, and those without their watch's secret, are ignored.
//
// A push is a hint and no more: it may be lost, late, repeated or forged, and
// the worst that comes of it is a read too many or an answer that is seen
// PushConfig.PollEvery late. Mailboxes are polled besides, at the ordinary
// pace until a push has shown that they come, and again when a poll finds what
// none told of. The watch is kept in the mailbox's record under its fence:
// renewed before the end that the service named, made again when it was lost,
// and ended when nobody is tracked any more. One that can't be kept never
// stops the polling; it is tried again later and later, and told after
// Options.AlarmAfter (EventMailboxFlagged). PushStatus shows it, and a
// Reporter is told until when pushes come. StopPush fits
// linking.Config.StopPush.
//
// # Nothing unrelated is requested
//
// From the feed come identifiers. Headers are read of messages in our
// threads and of those that a search for tracked senders lists; content under
// the Warrant that provider.Match makes. Two exceptions are reported to the
// Observer under names of their own: ReasonReport, messages of system senders
// whose text names a recipient of ours, from provider.ClockSlack before the
// first mail that may be reported to provider.ReportSpan after the last; and
// ReasonReconcile, Message-ID headers of the account's own mail while an
// outcome is unknown. Options.NoReports switches the first off.
//
// A gap in the feed (an expired cursor, a restored store) is closed by asking
// for what came into our threads since the last read, less
// Options.SearchOverlap, and for what tracked senders wrote. It costs what is
// tracked, whatever else the mailbox received, and what is done of it is kept
// when the service lets us ask for little at a time.
//
// # Who may call
//
// The Runner knows no users. Enroll, Send, Reply and Preview ask MayAct; all other
// methods do what they are told, so the host checks who calls them.
//
// # From an alias
//
// Mail leaves from the mailbox's own address, or from an alias that is proven.
// That a service lets a user send from an address proves neither that answers
// to it reach this mailbox (Gmail's list holds addresses of other mailboxes)
// nor that the address is kept (an organisation at Microsoft 365 that has not
// allowed sending from aliases has it replaced, as Gmail is believed to
// replace what it does not know; no answer says so). A Preview from the alias
// to itself proves both, once it arrives here with its From kept. The sent
// copy of every later mail from it is looked at: one that left under another
// name is told (EventRewritten) and flagged, the alias loses its proof
// (EventAliasLost), and what is still to be sent from it is held until a new
// preview proves it. A link that can't read takes only an alias that was
// proven while it could. Aliases tells where each stands. Of mail from the
// mailbox's own address the copy is judged where it is read anyway: one that
// left under no address of the mailbox is told and flagged.
//
// # On behalf of a colleague
//
// A mail always leaves from the link's own mailbox. Actor is the host's user
// who acts, Owner the one whose link it is; both are in every event of an
// enrollment and in every entry of its conversation. MayAct is asked when
// somebody enrolls, and again just before each mail: who may not send any more
// has his enrollments held (Enrollment.Barred says BarActor), and they go on
// by themselves once he may again. A mail whose intent is committed by then
// leaves.
//
// # What remains
//
// The same recipient under two Keys is two runs, and gets the mails of both.
//
// An enrollment belongs to the link that it was made over. When its mailbox
// is unlinked and linked again, that is another link, and what was enrolled
// over the old one stays held until the host stops it. Relinking
// (linking.BeginParams.Relink) keeps the link.
//
// A sequence that was replaced by an edited one applies to new enrollments;
// those under way keep the one they began with.
//
// Every mail bears the header X-Outreach-Key, which recipients can see. It is
// a keyed hash and says nothing.
//
// A process that is frozen between the last check of the deadline and the
// write of the request, for longer than the deadline and Limits.Settle
// together, can send a mail that was meanwhile proven absent. So can the loss
// of a single sent copy of the very mail whose answer was lost. A sequence
// with HoldUnknown leaves every unknown outcome to a person instead.
//
// An answer in a new thread that becomes visible more than
// Options.SearchOverlap after it was received is found only if it lies in a
// thread of ours.
//
// An answer that goes to another mailbox than the one that wrote is read only
// if that one writes to the same person, too.
//
// An answer that cites a mail of ours from an address that is not known, under
// another subject, is in no thread of ours where the service makes threads of
// one subject only, as Gmail does. No list of identifiers tells it from
// unrelated mail, so it is not seen.
//
// # Single mails and previews
//
// Send, Reply and Preview go the same way as a drip, so the same protocol makes them
// exactly once. A preview goes to the sender's own address, is no
// conversation, and PreviewStatus says where its mails arrived.
//
// # The feed and crashes
//
// Every page of the feed is dealt with message by message, each in a commit
// of its own that is idempotent by the message's reference, and the cursor is
// stored after them, not in the same commit. A crash in between reads the
// page again and changes nothing twice; in return one message that loses a
// version doesn't hold up its page. What an atomic page would promise holds:
// no cursor is stored before all that its page caused is.
package runner
