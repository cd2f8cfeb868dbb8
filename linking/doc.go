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
//  5. Take Config.OnChange to tell users when a link needs them, and the
//     operator when an app registration does. Call CheckAll every few minutes.
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
// # What a sign-in has to prove
//
// A service may want the user's next sign-in to prove more than the last one
// did, and say in a code what (provider.Error.Claims). It is kept with the
// link, and told to the service when the link is linked again: without it a
// user could link in a circle. A mailbox that refuses new tokens for that
// reason is held, and Status.Relink says to link it again. Where a first
// linking fails so, give the code to BeginParams.Claims.
//
// # How a link does
//
// A link is linked, limited (it does less than was asked for), needs_relink
// (its grant is dead), held (its service does not serve the mailbox now),
// unusable (it broke too often), unlinking or unlinked. Allowed is the table
// of what may follow what. Each change is written down in the link's History,
// in the same write that makes it, with the reason and who can mend it.
//
// Status says all that is known, without a request; Check asks the service; and
// CheckAll does so for all links, each once a day at a moment of its own. All
// that they return is typed: a settings page needs no more than these two and
// Diagnosis. They, Get and History answer for any link: a host looks at
// Link.Owner before it shows one to somebody. What the runner finds out on its
// passes comes in by Report, so a held link comes back by itself, and a mailbox
// that should be read and is not is told of as ChangeSilent. The record is
// written once an hour at most where there is no news, so that the end of
// trouble that another process saw can take as long to show.
//
// A grant that ended without an administrator or the operator being the cause
// counts; so does not one that was lost in a crash of ours. The third within
// 30 days (Config.UnusableAfter, UnusableWithin) makes the link unusable: its
// user should choose another account. It comes back by Forgive, which is the
// host's decision, or goes by Unlink.
//
// # What the host is told, and how often
//
// Config.OnChange is told of each change once, and again under the same
// Change.ID if the process dies before the telling is written down. Who tells
// is claimed in the link's record, for a minute by the clocks of the
// processes. An error leaves the change to be told at the link's next change,
// refresh or report, or by Deliver or CheckAll. Of each link the latest 100
// changes are kept, told or not.
//
// Config.OnRequest is told of each call that a Linker itself makes to a
// mailbox, and why: a Check reads the profile, and a step up tries the new
// grant. All other calls are the runner's, whose Observer is told of them.
//
// # A fault of the app is no fault of a mailbox
//
// A client secret that is wrong or has expired unlinks nobody. The first link
// that meets it raises one ChangeAlarm, for the registration, over all links
// and processes; Status shows every link of it as held, mended by the
// operator, while their records stay as they are; the runner puts their mail
// off. The first token that is got again ends the alarm (ChangeHealed); one
// that the mail API raised ends when a mailbox can be worked on.
// Registrations shows both. The alarm is kept in the TokenStore, in a record
// of the Kind store.KindApp.
//
// # Less than was asked, and more later
//
// Where an organisation refuses reading, the host may offer its user to send
// only: Begin with Access AccessSend and Asked AccessReplies. The link is
// limited, and remembers what it was to do. It steps up by a relink with more
// Access, on the same link; before that counts, the new grant is made to read
// (a profile, and a search for an address that writes no mail), and if it
// can't the link keeps what it had and Complete returns a StepUpError. Where
// that says StartOver, the earlier grant is in the way: see
// BeginParams.StartOver.
//
// # Unlinking
//
// Unlink goes in an order in which a late revocation can't meet the next
// owner's grant: the link is taken out of use, Config.StopPush is called, the
// grant is revoked, the mailbox is released. Effect says what revoking ends,
// which at Google is all that the user granted to the project;
// Config.KeepGrants and UnlinkParams.KeepGrant leave it. A mailbox goes to
// another owner by unlinking and linking, and no other way, and what was said
// before stays with the first.
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
// its memory, the refusal says provider.ReasonTokenLost; a holder that only
// stood still mends the link when it goes on. Expiry is counted from
// Config.Now; x/oauth2's own clock is not relied on. Tokens are sealed with
// the link's id as associated data (package store/seal, which also says how
// keys are rotated; Reseal rewrites what older keys sealed), and appear in no
// error and no log line. A token that can't be opened now, because a key
// service is down, is temporary trouble: the link stays as it is, and Unlink
// fails rather than free a mailbox whose grant it could not revoke.
package linking
