// Package sequence is the engine that decides what happens next to one
// recipient of a drip sequence. It decides, and does nothing: it has no
// clock, no randomness and no I/O, keeps nothing between calls, and imports
// only the standard library. The same input gives the same output, byte for
// byte, on every machine, so a history can be replayed and a crash at any
// point can be reasoned about.
//
// A Sequence is the mails and the rules. A State is one enrollment's run
// through it: a plain value that the host stores as bytes. Apply takes a
// State and an Event, something that happened, and returns the State after
// it and the Effects, what is to be done. Next tells when the next step is
// due and which rule set that time; Forecast does so for all of them.
//
// # The order rule
//
// Effects run only after the State that came with them is durable, and every
// record they need with it. EffectSend is the reason: a mail sent before its
// intent was committed is sent again after a crash. The other way around
// nothing is lost, as Next tells from the State alone what was under way.
//
// # The host's duties, in order
//
//  1. Validate a sequence before anyone is enrolled in it. Resolve its zone
//     name, or the recipient's, to a Calendar.
//  2. Apply EventEnrolled to the zero State and store the result.
//  3. Ask Next. With DueSend whose At is not after now, make sure that no
//     answer lies unread in the mailbox. Render the mail, apply EventOpened,
//     and commit the State together with the rendered mail: the intent.
//  4. Only then send it, exactly once, and commit what became of it:
//     EventSent, EventFailed when it was definitely not sent, else
//     EventUnknown.
//  5. With DueOpen and nobody sending, a crash came between 3 and 4: apply
//     EventUnknown. Never send the intent again on the strength of DueOpen.
//  6. With DueLocate ask the mailbox. Found is EventSent; proof that it was
//     not sent is EventNotSent; if it can't tell, EventUndecided. While it is
//     too early to tell, ask later. EventNotSent makes the step due again,
//     through 3 with all that it checks.
//  7. Apply what arrives as it arrives: answers, bounces, requests to stop.
//     They may overtake a mail that is on its way; EventSent then marks it as
//     crossed.
//  8. With DueHeld wait: for EventResumed, EventMailboxBack, or, when
//     HoldDecide is set, for a person who says EventSent or EventNotSent. Do
//     not ask the mailbox again while it is set: an EventNotSent is then
//     taken for the person's word.
//  9. After replacing a sequence by an edited one apply EventEdited, and ask
//     Next again. The new one takes over at once: steps are known by their
//     numbers, and the next is the first in its order that is neither done
//     nor skipped.
//
// Two writers may race. Store a version with the State; who loses it loads
// the new State and applies the event to that. Never drop EventSent.
//
// A mail can turn up after its step was closed: EventNotSent was believed
// and wrong, or the State is an old one out of a backup. No step is open then
// for EventSent to speak of, and it is ErrTransition. If the step is still to
// be sent, apply EventSkipped at the time the mail left, so that it does not
// leave twice, and show the conversation to a person.
//
// # Events
//
// What each event does to an active run. "Open" stands for the event's Step
// being the open one; where that is wanted and not so, it is ErrTransition.
//
//	Enrolled      only on the zero State, and there only this: the run begins
//	Opened        Step must be next, none open, nothing holding; effect send
//	Sent          open: step done, wait counts from At; completed if none is left
//	              already done: nothing
//	Failed        open: due again at Until; review and flag after MaxAttempts
//	              Permanent: stopped(rejected) and flag
//	Unknown       open: effect locate
//	NotSent       open and unknown: due again; with HoldUnknown a person decides first
//	Undecided     open and unknown: a person decides; flag
//	Replied       stopped(replied) and flag
//	AutoReplied   held until Until, or for AutoReplyHold; never shortened
//	Bounced       stopped(bounced)
//	Unsubscribed  stopped(unsubscribed)
//	TookOver      stopped(took-over); with KeepGoing nothing
//	Stopped       stopped(host)
//	Unsure        review and flag
//	Paused        paused
//	Resumed       ends paused and review, forgets refusals and their wait
//	MailboxLost   mailbox hold
//	MailboxBack   ends it
//	Skipped       Step, which is in the sequence and not open, done or
//	              skipped, is skipped; if it was next, the following wait counts from At;
//	              completed if none is left
//	Edited        completed if none is left
//
// A hold that begins has the effect held, and when the last ends the effect
// is resumed. A repeated event that changes nothing has no effect, except
// that an Unsure is flagged and an Unknown located each time (not while a
// person decides). EventResumed does not end an out-of-office hold, which
// ends by itself.
//
// A run that has ended, completed or stopped, never goes on, whatever the
// sequence gains. Its open mail, if any, is looked up and not sent: Sent
// marks the step as done and crossed, with flag; Failed and NotSent close it;
// Undecided closes it with flag, as no decision is left to take. Replied,
// Bounced and Unsure flag the conversation. Opened, Skipped and Enrolled are
// ErrTransition; all else does nothing. A run that stops while a person was
// asked to decide has its open mail looked up once more.
//
// # Steps and numbers
//
// A State remembers a step by its StepID and nothing else. So the words,
// waits and order of steps may change under a run, and steps may come and go:
// one that is gone is forgotten if it was not sent, and its number must not be
// given to another. An open step that an edit removed is still waited for.
package sequence
