// Package linking links a user's mailbox by OAuth, keeps its tokens, and
// opens it for use.
//
// # The host's duties, in order
//
//  1. Make one Linker with the host's providers, its stores and an AEAD.
//  2. Two HTTP handlers. The first calls Begin with the signed-in user and
//     their browser session, and redirects to Begun.URL. The second, at
//     RedirectURL, calls Complete with the callback's query, the user and the
//     session, and redirects to Completed.ReturnTo. It should answer with
//     Referrer-Policy: no-referrer, since its own address holds the code.
//     Package linkhttp has both.
//  3. Show which address was linked, and with what access.
//  4. Hand the Linker to the runner, which opens links through it.
//  5. Take Config.OnChange to tell users when a link needs them.
//
// # What is checked
//
// State is 256 random bits, stored as a digest, taken once, and bound to the
// user and the browser session (RFC 9700 section 4.7). PKCE with S256 is
// always used (RFC 7636), and a nonce ties the ID token to the flow (OpenID
// Connect Core section 3.1.2.1); the provider verifies it. An issuer named in
// the callback must be the right one (RFC 9207). The way back after linking
// is a path on the host's own site (RFC 9700 section 4.11).
//
// # When it goes wrong
//
// Diagnose explains any error of this package and of a mailbox that it opened:
// a stable reason, who can mend it, and words to show as they are
// (provider.Diagnosis). A user's no, an administrator's, and the service's are
// told apart, and so is a fault of the app registration, which is no
// mailbox's. Some errors stay on the service's own page and send nobody back:
// once Begun.Expires has passed, show what Abandoned returns.
//
// Where an administrator has to approve the app (ReasonAdminConsentRequired),
// AdviseAdmin writes a message to forward: which app, exactly which
// permissions, why each, and what to do. An administrator who is signed in to
// the host goes by BeginAdminConsent and CompleteAdminConsent instead, bound
// to owner and session like a link. An approval links nothing and gives nobody
// a right: users link their mailboxes afterwards, each their own. Which tenant
// the callback names is for display alone, since anybody can write that.
//
// # One mailbox, one owner
//
// The store decides on the service's stable id of the account, never on an
// address. A user who links a mailbox that another has gets ErrOwned, also when
// both finish in the same instant. Linking one's own mailbox again mends the
// link and keeps its id. Mending with another mailbox is ErrWrongMailbox.
//
// # On behalf of a colleague
//
// Mail to be sent in a colleague's name leaves from that colleague's own link.
// Its owner lets an actor do so with Delegate, until a time, sees who may with
// Delegations, and withdraws it with Undelegate; DelegatedTo tells an actor
// where. MayAct is what runner.Config.MayAct takes: it is asked at enrolling
// and before each mail. Giving and withdrawing are changes in the link's
// History. A delegation outlives relinking and ends with the link.
//
// # No token lost, none leaked
//
// One refresh at a time for each link, across processes: the refresher first
// writes a mark into the link's record, then refreshes, then stores the new
// token, and only then is it used. A refusal is believed only from who set
// the mark on an unmarked record. After a holder died with a rotated token in
// its memory, the refusal says ReasonLostInCrash; a holder that only stood
// still mends the link when it goes on. Expiry is counted from
// Config.Now; x/oauth2's own clock is not relied on. Tokens are sealed with
// the link's id as associated data (package store/seal, which also says how
// keys are rotated; Reseal rewrites what older keys sealed), and appear in no
// error and no log line. A token that can't be opened now, because a key
// service is down, is temporary trouble: the link stays as it is, and Unlink
// fails rather than free a mailbox whose grant it could not revoke.
package linking
