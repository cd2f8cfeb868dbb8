// Package gmail is a provider.Provider over the Gmail API.
//
// # Scopes
//
// One read scope for each access, and never gmail.metadata beside a wider
// one: a token that has both is treated as metadata by Gmail (a user report
// confirmed by Google as "will not fix", issuetracker 115621456).
//
//	AccessSend       gmail.send
//	AccessEnvelopes  gmail.send, gmail.metadata
//	AccessReplies    gmail.send, gmail.readonly
//
// and with all of them openid and email, to know whose mailbox it is. Google
// lets users untick scopes on the consent page, so what was granted is read
// from the token answer: without gmail.send linking fails, without a scope to
// read with the link is AccessSend. A grant of gmail.metadata stays with the
// user's account, so stepping up from AccessEnvelopes takes a revocation and a
// fresh consent.
//
// # Headers alone
//
// With gmail.metadata Gmail refuses every search, even an empty one, and every
// format but minimal and metadata. So answers are seen in the threads of our
// mail alone, a gap in the feed is closed with threads.get, and a mail of
// unknown outcome is looked for in its thread, in the history since the intent
// and among what lies in Sent and Drafts, newest first. The addresses that a
// user may send from are not shown.
//
// # OAuth clients
//
// Several may stand side by side under names of their own, such as a
// customer's. A secret rolls over without a gap, since a client may have two at
// once: add the new one, deploy it, disable the old one. A wrong one is ErrApp,
// no mailbox's fault, and heals by itself once it is renewed.
//
// All that Google says of a grant that ended is invalid_grant. Diagnose tells
// from its age, where that leaves no better explanation, that the consent
// screen is in testing (seven days) or that nobody used it (six months)
// (https://developers.google.com/identity/protocols/oauth2#expiration).
//
// # Sending
//
// users.messages.send with the finished MIME in raw: one request, without
// redirects and without retries. To join a thread a mail needs the thread's
// id, References and In-Reply-To, and the same subject
// (https://developers.google.com/workspace/gmail/api/guides/threads).
// It is a belief that Gmail keeps a well-formed Message-ID; the real one is
// read back from the sent copy.
//
// # Pushes
//
// With Config.Push a mailbox that may be read is a provider.Watcher. A watch
// goes to a topic of Cloud Pub/Sub in the OAuth client's own project, tells of
// every change but those of drafts, lives for seven days and is renewed daily
// (https://developers.google.com/workspace/gmail/api/guides/push). A mailbox
// has one watch for a project, so two registrations in one project share it.
// Gmail tells of one change a second at most and drops the rest.
//
// Provider.ReceivePush is for the handler of the push subscription, which must
// have authentication switched on: of Google's token the signature, the
// issuer, the audience, the service account and the end are checked, and none
// of these is an option. The history id in a push is never used: it is where
// the mailbox is now, and reading from there would find nothing.
//
// # Limits
//
// A message may have 36,700,160 bytes (discovery document) and, over the API,
// 100 recipients on Workspace (https://support.google.com/a/answer/166852).
// A mailbox sends at most 30 mails a minute and uses at most 6,000 units of
// quota, of which a mail costs 100, and so does a watch;
// Config.UnitsPerMinute replaces the latter.
// That sent copies are in place 15 minutes after a request is a belief, set
// wide on purpose; Config.Limits replaces all of these.
//
// # Escape hatch
//
// errors.As reaches *googleapi.Error and *oauth2.RetrieveError behind this
// package's errors. Don't log the latter: its text holds the answer's body.
package gmail
