// Package sim plays the whole loop, linking, runner, store and the fakes of
// both mail services, in one process on a virtual clock, with faults on the
// way and crashes between any two steps of the host. One seed decides
// everything, so a seed that fails plays the same history again.
//
// A Plan is drawn from a seed. Run plays it: several candidates with minds of
// their own, one or two senders, two processes of the host that share a store
// and may die at any store call or request and are born again. Then the
// faults end, and the world goes on until everything must have come to an
// end. Check looks at what the mail services recorded, and holds it against
// what the library promises; of the library's own words it reads only how an
// enrollment ended and the conversation log.
//
// # Answers
//
// A candidate answers in the thread, in a new one, from another address, from
// that address in a new thread later, with nothing but Exchange's parent id,
// under the same subject and citing nothing, or with the wish to get no more
// mail; a colleague in copy answers, or the owner writes by hand; somebody is
// away, and Gmail or Exchange says so; the mail bounces in the thread or
// outside it, for good, for now, late, by a rule or at a limit; somebody forges
// a report; receipts, challenges, meeting responses and complaints come. Some
// are written to from two mailboxes at once. What arrives shows up to twenty
// hours late, and rules file it anywhere, into Junk and Trash too. Of each way
// the checker knows what has to come of it: how the enrollment ends, when the
// last mail may leave, and how the message is logged. Links see everything, or
// headers alone, where a person's answer has to be seen as far as the access
// goes and no content may be read, or nothing. Somebody at the host's desk
// answers some of them, unasked or once the host was told of their answer, and
// queues some of these answers twice: each leaves once, is in the conversation,
// and ends the drip.
//
// # Faults
//
// Answers are lost before and after the service did what was asked; it answers
// 429 with and without Retry-After, 5xx, 504 after a mail was taken, and pages
// for people. Mail lies in Drafts and the Outbox; copies and answers are slow
// to show, and some copies never do. Cursors expire; the feed drops, repeats
// and delays items; pushes get lost and come several times. Grants are
// withdrawn and linked again, tokens rotate, and what was rotated may be lost
// with its answer. Threads merge, and what is only believed of the services is
// drawn anew for each sender. A process's clock is up to 90 seconds off, and
// steps at any moment; a commit takes minutes, or a whole machine stands still
// with its clocks. Somebody stops a drip while its mail is being decided. A
// backup is made and later put back, followed by Recover (on SQLite, the store
// that can be copied here).
//
// # What a wrong clock costs
//
// A read seems younger than it is by as much as a clock was set back after it,
// unless the process's time has a monotonic reading, as time.Now has. Where a
// machine stood still with all its clocks, only the store's clock can tell:
// the lease bounds how late a follow-up leaves. The checker allows just that.
//
// # What was found
//
//   - A process took the start of another's read from the store and held it
//     against its own clock: a follow-up could leave on a read that was as much
//     older than Freshness as their clocks differ. A read counts now for the
//     process that made it.
//   - Where a service replaces Message-IDs, a sent copy that its feed passed
//     over was not found: an answer in its thread was never seen, and the mail
//     could have been taken for one that never left. Both adapters list sent
//     mail besides.
//   - A message that was passed over, since it could not be read, went out of
//     reach of later reads; now it stays in reach until it is read.
//   - An absence that answered within seconds was taken for older than our mail,
//     by a process whose clock was a minute fast, and for none of ours for good.
//     Match allows for clocks that differ (provider.ClockSlack).
//   - A read of the feed that was cut off went on where it was, and counted as
//     whole: what had become visible meanwhile was not in it, and a follow-up
//     could leave. Such a read follows the feed a second time.
//   - After an outage of more than five days since the last send, the reports
//     of its time were not looked for, and a follow-up left to an address that
//     was gone. They are looked for once more.
//   - A claim that was lost while its trouble was told ended Tick with an error.
//
// Two things stay out of reach. What comes from an address nobody searches for
// and shows at Microsoft 365 more than an hour after it was received is not
// listed if it was filed away, or if the feed had to begin anew in between. A complaint outside the thread is found only
// where its text names the recipient, as every report is.
//
// A service that leaves neither its Message-ID nor its key on our own mail
// makes a stranger of it: a follow-up that comes back through the feed is taken
// for one that the owner wrote by hand, and the drip ends. That is accepted: no
// mail is sent that should not be.
package sim
