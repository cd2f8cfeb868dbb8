// Package gmailtest is a fake Google: OAuth with a consent page, OpenID
// Connect, and the Gmail API, over the mail world of package postoffice. The
// real clients (x/oauth2, go-oidc, google.golang.org/api/gmail/v1) can't tell
// it from the true one in what they use.
//
// A Server is an http.Handler. Start listens on a loopback port; Transport
// answers without any socket. Time is the office's clock: tokens, codes and
// history live and die by it.
//
// What is true of Google by documentation is built in: scopes per method as
// the discovery file lists them, granular consent, the forms of errors, ids
// and history. What is only believed is a switch: postoffice.Beliefs for
// mail, Beliefs here for the rest.
//
// Subscribe makes a topic of Cloud Pub/Sub with a push subscription, to a
// handler or to whoever listens: a watched mailbox tells it of changes, one a
// second and signed, again and again until it is acknowledged. Rules lose,
// repeat and delay pushes; PushRequest and SignPush are for forging them.
//
// The office's books count what left the server: a message any header value
// of which was in an answer counts as an envelope read, one whose text or
// snippet was counts as a content read. So a client that forgets to leave the
// snippet out is caught.
package gmailtest
