// Package classify says what an incoming message is: an answer a person
// wrote, an automatic answer, a delivery report, a receipt, a challenge. It is
// pure: the same message has the same verdict, on every machine and at every
// time.
//
// It is careful in one direction. A person's answer taken for a machine's
// lets a drip go on after the answer; the other mistake only holds it. So a
// message that no evidence decides is Human when it looks like mail that
// people write, and Unsure otherwise; it is never silently dropped.
//
// The order matters. Many delivery reports carry Auto-Submitted:
// auto-replied, so they are looked for first. Two headers that are often
// taken for evidence of an automatic answer are none: X-Auto-Response-Suppress
// is a request not to be answered by machines, and people's mail carries it;
// X-MS-Exchange-Inbox-Rules-Loop alone says that a mail went through a rule.
//
// The rules come from RFC 3464 (delivery reports), RFC 3463 (status codes),
// RFC 3834 (automatic answers), RFC 8098 (read receipts), and from the forms
// that Gmail's and Exchange's own automatic answers are seen to have, which
// their vendors do not document.
package classify
