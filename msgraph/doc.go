// Package msgraph is a provider.Provider over the mail part of Microsoft
// Graph.
//
// # Permissions
//
// All are delegated, and none writes to the mailbox:
//
//	AccessSend       Mail.Send, User.Read, offline_access
//	AccessEnvelopes  Mail.Send, Mail.ReadBasic, User.Read, offline_access
//	AccessReplies    Mail.Send, Mail.Read, User.Read, offline_access
//
// and with all of them openid and profile, to know whose mailbox it is.
// Mail.ReadBasic is never asked for beside Mail.Read. It shows neither text nor
// extended properties and takes no $search, so a report that Exchange wrote is
// known by its sender alone, and of a copy whose Message-ID was replaced nothing
// is known. Whether it shows internet headers is a belief: where it doesn't,
// envelopes are Partial, and answers are known by conversation and sender.
// Under the consent policy that new tenants have, users may grant Mail.Send
// and not Mail.Read, which an administrator has to approve
// (https://learn.microsoft.com/entra/identity/enterprise-apps/manage-app-consent-policies).
//
// A mailbox is known by tid and oid of the ID token. The addresses in it are
// unverified names, so the mailbox's own is asked of Graph. Entra has no
// endpoint that ends one grant, so Revoke does nothing.
//
// AuthorizeAdmin is the page where an administrator approves exactly these for
// a whole tenant
// (https://learn.microsoft.com/entra/identity-platform/v2-admin-consent).
//
// # App registrations
//
// Several may stand side by side under names of their own, such as a
// customer's. A registration proves itself with a secret or, better, with a
// certificate whose key never leaves its key service (Config.Certificate,
// Config.Key). Either rolls over without a gap: a registration may have two at
// once, so add the new one, deploy it, and remove the old one. A credential
// that is wrong or expired is ErrApp, no mailbox's fault, and heals by itself
// once it is renewed.
//
// # Sending
//
// sendMail with the finished MIME: one request, without redirects and without
// retries, and of all answers 202 alone is an acceptance. Graph's JSON form
// can carry neither our Message-ID nor References. That Exchange keeps both
// of a MIME message is a belief, reported by one project. The answer has no
// body: the sent copy tells the ids, and a refusal after it comes as a
// delivery report to the Inbox
// (https://learn.microsoft.com/graph/outlook-things-to-know-about-send-mail).
//
// # Reading
//
// Delta exists for single folders, and a rule may file an answer into any. So
// Changes reads the delta of Inbox, Junk Email and Sent Items, which tells
// quickly and tells what vanished, and then lists the identifiers of what the
// whole mailbox received since an hour before the round before. Page.Gone may
// name messages that were only moved out of these folders. Delta's tokens
// have no fixed life: an expired one is ErrCursorExpired.
//
// What a rule files elsewhere is listed if it becomes visible within the hour
// after its receipt; later, only a search for its sender finds it. Purging
// more than twenty messages while a list of several pages is being read can
// hide an older one of it.
//
// Ids are immutable ones
// (https://learn.microsoft.com/graph/outlook-immutable-id). Reports that
// Exchange writes itself have no internet headers; their message class and
// their sender tell them.
//
// # Pushes
//
// With Config.Push a mailbox that may be read is a provider.Watcher: a
// subscription to the new messages of all folders, without their content. It
// is asked for 70 hours, lives as long as Graph answers, and is renewed well
// before that (https://learn.microsoft.com/graph/api/resources/subscription).
//
// Provider.ReceivePush is for the handler of Config.Push.URL: it answers
// Graph's question whether anybody is there, reads notifications, of several
// subscriptions and tenants in one request, and lifecycle notifications. Graph
// does not sign them. Each subscription has a random clientState, which comes
// back in clear; runner.Runner.Pushed compares it, and believes nothing that a
// notification says beyond that there may be something to read, or to ask
// about the subscription. An answer is due within three seconds
// (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks).
//
// # Limits
//
// A request may have 4 MB, which leaves 3,000,000 bytes for a message. 500
// recipients are the default of Exchange Online. That sent copies are in
// place an hour after a request is a belief, set wide on purpose;
// Config.Limits replaces all of these. A mailbox takes four requests at a
// time and an app registration perhaps no more
// (https://learn.microsoft.com/graph/throttling-limits): this package makes
// the requests of one call one after the other, and of several calls on one
// opened mailbox at most three at a time.
//
// # The SDK
//
// Requests are built by the SDK's users package and go through its adapter,
// with a chain of middleware that is made here: its retry handler would send
// a mail again after a 503 or a 504, its compression mislabels the body of a
// request that is made again, and its redirect handler would carry a token
// elsewhere. Answers are decoded here, since the SDK's models cost several
// times as much (BENCHMARKS.md). A panic inside the SDK comes out as an error. Its root
// package, which doubles the time to compile, is never imported.
//
// # Escape hatch
//
// errors.As reaches *odataerrors.ODataError, or *abstractions.ApiError where
// the answer was none of Graph's, and *oauth2.RetrieveError behind this
// package's errors. Don't log them: their texts hold what the service wrote.
package msgraph
