// Package msgraphtest is a fake Microsoft: Entra ID with tenants, consent
// pages and OpenID Connect, and Microsoft Graph, over the mail world of
// package postoffice.
//
// A Server is an http.Handler for two hosts, LoginURL and GraphURL. Start
// listens on two loopback ports; Transport answers without any socket. Time
// is the office's clock: tokens and codes live and die by it, and so do mails
// on their way and limits.
//
// # Tenants and consent
//
// Each mail domain is a tenant with an id of its own, unless SetTenant says
// otherwise; SetAccount tells administrators and sign-in names that differ
// from addresses. Mailboxes of the office that name another service are not
// accounts here.
//
// By default users may let an app send mail but not read it, as new tenants
// have it: the callback says access_denied with AADSTS90094 until an
// administrator consented, on the page (Answer.AdminConsent) or through the
// admin consent endpoint. Tests that are not about this set Config.Policy to
// PolicyAny.
//
// Mistakes that Entra shows on its own page, such as an account of the wrong
// tenant, are errors of Consent: the browser never comes back.
//
// # What Graph serves
//
// Of v1.0 there is what reads mail and sends it, of the token's own mailbox
// as /me or /users/{id, sign-in name or address}: the user, sendMail,
// mailFolders, messages of all folders or of one, messages/delta of one
// folder, single messages, $value and attachments. Each asks for the scopes
// of https://learn.microsoft.com/graph/permissions-reference; what
// Mail.ReadBasic keeps back is 403 ErrorAccessDenied. There are no drafts to
// write, no replies, moves, or batches: a test moves and deletes by the
// office's Mailbox.
//
// $filter takes the properties that clients find mail by, and extended
// properties (https://learn.microsoft.com/graph/filter-query-parameter);
// $orderby with it sorts by what the filter began with
// (https://learn.microsoft.com/graph/api/user-list-messages#using-filter-and-orderby-in-the-same-query).
// $search takes KQL, finds 1,000 messages, and goes with neither
// (https://learn.microsoft.com/graph/search-query-parameter). A query that
// Graph would not take is refused and not guessed at. HTML comes as it was
// sent, where Graph takes out what it holds unsafe.
//
// A message of the office lies in the folder of its label: see LabelRead and
// the labels of package postoffice. Labels of the user's own are folders, or
// categories of a message that lies in another folder. What was purged is in
// recoverableitemsdeletions alone.
//
// # Ids
//
// A message has another id in each folder, and one for life under Prefer:
// IdType="ImmutableId" (https://learn.microsoft.com/graph/outlook-immutable-id).
// A request may name it by either. An id of a folder that it left is 404
// ErrorItemNotFound. MessageID and Ref are the immutable id of a message of
// the office.
//
// # Delta
//
// A delta tells what lies in one folder, newest first, and then what
// changes: new mail, changed labels, and @removed for what was deleted or
// moved away (https://learn.microsoft.com/graph/delta-query-messages). Its
// options belong into the first request and are carried by its links, which
// refuse any other. Under a $filter, which knows receivedDateTime alone, it
// falls silent after 5,000 messages
// (https://learn.microsoft.com/graph/api/message-delta). After
// Mailbox.ExpireChanges a link is 410 syncStateNotFound, with a Location that
// begins again (https://learn.microsoft.com/graph/delta-query-overview).
//
// # Sending
//
// sendMail takes MIME in base64 or JSON, at most 4 MB
// (https://learn.microsoft.com/graph/api/user-sendmail). 202 says that it was
// stored, not that it left: the mail lies in Drafts for Config.Drafts, in the
// Outbox for Config.Outbox, and then leaves and moves to Sent Items
// (https://learn.microsoft.com/graph/outlook-things-to-know-about-send-mail).
// Both are zero unless set. More than 30 mails a minute wait in the Outbox
// (https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits#sending-limits).
// Who tests a program that waits moves the clock on.
//
// What can't be delivered comes back as mail. Give the office
// postoffice.GraphBeliefs, and reports are Exchange's own: with a class, the
// extended property 0x001A, and without internetMessageHeaders.
//
// # Limits and faults
//
// A mailbox is served four requests at a time and 10,000 in ten minutes; more
// are 429 ApplicationThrottled
// (https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits).
// Config.Unlimited leaves out these and the rate of sending.
//
// Inject has a Rule strike requests: it cuts the connection before or after
// they were served, or within the answer, refuses them with any code, or
// calls the test. RefuseAfter is the 504 to a mail that was taken.
//
// # Change notifications
//
// Subscriptions are to new messages of a whole mailbox, live as long as Graph
// says, and are made only if their addresses echo a token: a handler given to
// SetWebhook, or whoever listens there. Notifications of several mailboxes
// that fall due together come in one request. One that gets no 2xx comes again
// for four hours
// (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks).
// Rules lose, repeat and delay them; RemoveSubscriptions and
// RequireReauthorization bring the lifecycle events.
//
// # Counts
//
// The office's books count requests by class (Mailbox.Requests) and what of
// which message left the server (Books.Reads). Identifiers, folders and the
// time of receipt are no read; the value of a header is one of the envelope,
// and any text, bodyPreview too, one of the content. So a client is caught
// that forgets $select.
//
// # What is believed
//
// The numbers of Entra's errors are documented. Which error and suberror they
// come with is as widely reported, and Microsoft keeps the right to change
// both. Of Graph, users report what the documentation leaves open or even
// denies: that sent copies lack their headers, that custom headers get lost,
// that $expand has no effect in a delta.
//
// All of this is a switch in Beliefs, and what is believed of mail itself,
// such as whether a Message-ID is kept, is one in postoffice.Beliefs. Tests
// of a client should pass either way. The program examples/probe tells, over
// a real account, which way is true of most of them, and names those that it
// can't tell.
package msgraphtest
