package provider

// Reason is what happened, one of a closed set that all Providers share. The
// values are stable: they may be stored, counted and translated by.
type Reason string

// The reasons, in the order in which a link can meet them.
const (
	// Of a flow: from Begin to the callback.
	ReasonFlowUnknown   Reason = "flow_unknown"   // the callback belongs to no flow, or to one that was used
	ReasonFlowExpired   Reason = "flow_expired"   // the user took too long
	ReasonFlowForeign   Reason = "flow_foreign"   // another browser or user began it
	ReasonFlowAbandoned Reason = "flow_abandoned" // no callback came
	ReasonCodeMisused   Reason = "code_misused"   // the callback's code was used, is too old, or is another's
	ReasonIdentity      Reason = "identity"       // who consented could not be verified
	ReasonClockSkew     Reason = "clock_skew"     // the host's clock is wrong

	// Of consent.
	ReasonUserDeclined         Reason = "user_declined"          // the user said no
	ReasonScopesUnticked       Reason = "scopes_unticked"        // not even sending was allowed
	ReasonAccessMissing        Reason = "access_missing"         // this needs more than was granted
	ReasonScopesConflict       Reason = "scopes_conflict"        // an earlier, narrower permission spoils a wider one
	ReasonConsentRequired      Reason = "consent_required"       // the user's consent is missing or was withdrawn
	ReasonNoLastingAccess      Reason = "no_lasting_access"      // no refresh token was given
	ReasonAdminConsentRequired Reason = "admin_consent_required" // an administrator has to approve the app
	ReasonAdminConsentPending  Reason = "admin_consent_pending"  // they were asked to
	ReasonAdminDeclined        Reason = "admin_declined"         // they said no
	ReasonAdminRightsMissing   Reason = "admin_rights_missing"   // who tried to approve is no administrator
	ReasonAdminAnswered        Reason = "admin_answered"         // they came back from a forwarded request; nothing is proven by it
	ReasonAdminBlocked         Reason = "admin_blocked"          // the organisation blocks the app
	ReasonNotAssigned          Reason = "not_assigned"           // the app is there for chosen users only
	ReasonConditionalAccess    Reason = "conditional_access"     // a rule on where and how to sign in
	ReasonMFARequired          Reason = "mfa_required"           // a second proof of who it is
	ReasonTenantRestricted     Reason = "tenant_restricted"      // one organisation does not let accounts into the other
	ReasonWrongTenant          Reason = "wrong_tenant"           // an account of another organisation
	ReasonWrongAccountType     Reason = "wrong_account_type"     // a personal account for one at work, or the reverse
	ReasonWrongMailbox         Reason = "wrong_mailbox"          // another mailbox than the one to mend
	ReasonAlreadyLinked        Reason = "already_linked"         // another user of the host has this mailbox

	// Of a grant that ended.
	ReasonSignInAgain     Reason = "sign_in_again"       // the organisation wants it from time to time
	ReasonPasswordChanged Reason = "password_changed"    // which ended what was granted before
	ReasonPasswordExpired Reason = "password_expired"    // a new one has to be set first
	ReasonGrantRevoked    Reason = "grant_revoked"       // withdrawn, or ended for a cause the service does not tell
	ReasonExpiredDisuse   Reason = "expired_disuse"      // not used for too long
	ReasonExpiredTesting  Reason = "expired_testing"     // the app's consent screen is in testing
	ReasonExpiredLimit    Reason = "expired_limit"       // it was given for a limited time
	ReasonTokenLost       Reason = "token_lost_in_crash" // a process died with the new token in its memory

	// Of the account and its mailbox.
	ReasonAccountDisabled  Reason = "account_disabled"
	ReasonAccountLocked    Reason = "account_locked"
	ReasonMailboxMissing   Reason = "mailbox_missing"    // the account has none
	ReasonMailboxNotServed Reason = "mailbox_not_served" // there is one, but not for apps: no licence, on premises, a guest
	ReasonMailboxFull      Reason = "mailbox_full"
	ReasonMailboxSuspended Reason = "mailbox_suspended"
	ReasonMailboxUnusable  Reason = "mailbox_unusable" // for a cause that has no name here
	ReasonMailboxMixup     Reason = "mailbox_mixup"    // a token of another mailbox was used
	ReasonSendingBlocked   Reason = "sending_blocked"
	ReasonSendingLimit     Reason = "sending_limit" // the mailbox sent as much as it may
	ReasonSenderNotAllowed Reason = "sender_not_allowed"

	// Of the app: no mailbox is at fault.
	ReasonAppSecretWrong   Reason = "app_secret_wrong"
	ReasonAppSecretExpired Reason = "app_secret_expired"
	ReasonAppUnknown       Reason = "app_unknown"  // the organisation does not have it
	ReasonAppDisabled      Reason = "app_disabled" // it was switched off there, or everywhere
	ReasonAppMisconfigured Reason = "app_misconfigured"
	ReasonAppQuota         Reason = "app_quota" // the app's own quota is used up
	ReasonRecordSealed     Reason = "record_sealed"
	ReasonRequestInvalid   Reason = "request_invalid" // the host handed in a value that can't be used
	ReasonNoWarrant        Reason = "no_warrant"

	// Of the service and the moment.
	ReasonThrottled Reason = "throttled"
	ReasonLooping   Reason = "looping" // the same request was made over and over
	ReasonTemporary Reason = "temporary"

	// Of one mail or message.
	ReasonOutcomeUnknown Reason = "outcome_unknown"
	ReasonNotSettled     Reason = "not_settled"
	ReasonNotSent        Reason = "not_sent"
	ReasonTooLarge       Reason = "too_large"
	ReasonRejected       Reason = "rejected"
	ReasonNotFound       Reason = "not_found"
	ReasonCursorExpired  Reason = "cursor_expired"

	// Of a link.
	ReasonLinkNotFound Reason = "link_not_found"
	ReasonUnlinked     Reason = "unlinked"
	ReasonLimited      Reason = "less_than_asked" // it does less than the host asked for
	ReasonScopesLost   Reason = "scopes_lost"     // the service allows less than it did
	ReasonKeepsBroken  Reason = "keeps_breaking"  // its permission was lost too often
	ReasonForgiven     Reason = "forgiven"        // the host lets it be tried again after that
	ReasonStartedOver  Reason = "started_over"    // its permission was ended to ask for another
	ReasonSilent       Reason = "mailbox_silent"  // not read for too long
	ReasonAliasLost    Reason = "alias_unproven"  // a further address may not be sent from until it is proven
	ReasonPushEnded    Reason = "push_ended"      // the service announces new mail no more

	// ReasonUnknown is all else. ParamCode keeps the code, if there was one.
	ReasonUnknown Reason = "unknown"
)

// Reasons returns all of them.
func Reasons() []Reason {
	all := explanations()
	out := make([]Reason, len(all))
	for i, e := range all {
		out[i] = e.reason
	}
	return out
}

type explanation struct {
	reason Reason
	mender Mender
	remedy string
}

func explanationOf(r Reason) (explanation, bool) {
	for _, e := range explanations() {
		if e.reason == r {
			return e, true
		}
	}
	return explanation{}, false
}

// explanations are the words for all reasons. They speak to the mailbox's
// user, who is the one who reads them, whoever has to act.
func explanations() []explanation {
	return []explanation{
		{ReasonFlowUnknown, MendUser, "This way back from {service} was used already, or was not begun here. Start linking again."},
		{ReasonFlowExpired, MendUser, "Linking took too long and was given up for safety. Start again."},
		{ReasonFlowForeign, MendUser, "Linking was begun in another browser or by another user. Start again here, and finish in the same browser."},
		{ReasonFlowAbandoned, MendUser, "Linking was not finished: {service} did not send you back. Start again; if {service} showed an error, tell its code to whoever runs this application."},
		{ReasonCodeMisused, MendUser, "{service}'s answer was used already, or came too late. Nothing is broken: start linking again."},
		{ReasonIdentity, MendUser, "It could not be verified whose mailbox {service} answered for, so nothing was linked. Start again; if it stays, tell whoever runs this application."},
		{ReasonClockSkew, MendOperator, "{service}'s answer does not fit this server's clock. Whoever runs this application has to set it right; your mailbox is not at fault."},

		{ReasonUserDeclined, MendUser, "You did not give permission, so nothing was linked. Link the mailbox again when you want to, and accept what is asked for."},
		{ReasonScopesUnticked, MendUser, "The permission to send mail was left out, and nothing can be done without it. Link the mailbox again and leave all boxes ticked."},
		{ReasonAccessMissing, MendUser, "This needs a permission that was not granted. Link the mailbox again and allow all that is asked for."},
		{ReasonScopesConflict, MendUser, "A narrower permission that you gave this application earlier gets in the way of the new one. Remove the application in your account at {service}, then link the mailbox again."},
		{ReasonConsentRequired, MendUser, "{service} wants your permission for this application again. Link the mailbox again; where your organisation asks for it, an administrator has to approve the application first."},
		{ReasonNoLastingAccess, MendUser, "{service} did not grant lasting access. Link the mailbox again and allow all that is asked for."},
		{ReasonAdminConsentRequired, MendAdmin, "Your organisation lets only an administrator approve this application. Send them the request for approval, and link the mailbox again once they have approved it."},
		{ReasonAdminConsentPending, MendAdmin, "Your administrator was asked to approve this application. Link the mailbox again once they have done so."},
		{ReasonAdminDeclined, MendAdmin, "The application was not approved. It can be approved at any time; nothing was changed."},
		{ReasonAdminRightsMissing, MendAdmin, "This account may not approve an application for the organisation. An administrator has to do it."},
		{ReasonAdminAnswered, MendNobody, "Thank you. If you approved the application, people of your organisation can now link their mailboxes."},
		{ReasonAdminBlocked, MendAdmin, "Your organisation does not allow this application. Ask your administrator to allow it, then link the mailbox again."},
		{ReasonNotAssigned, MendAdmin, "In your organisation this application is there for chosen users only. Ask your administrator to add you to them, then link the mailbox again."},
		{ReasonConditionalAccess, MendAdmin, "A rule of your organisation on how to sign in stops this application. Try from a device or network that your organisation manages; if that does not help, ask your administrator."},
		{ReasonMFARequired, MendUser, "Your organisation asks for a second proof of who you are. Link the mailbox again and follow {service}'s steps."},
		{ReasonTenantRestricted, MendAdmin, "Your organisation's rules do not let this account in here. Link the account of your own organisation, or ask your administrator."},
		{ReasonWrongTenant, MendUser, "This account belongs to another organisation than the one that was asked for. Link again and choose your work account there."},
		{ReasonWrongAccountType, MendUser, "This kind of account does not fit: a personal one was chosen where one of an organisation is needed, or the reverse. Link again and choose the other one."},
		{ReasonWrongMailbox, MendUser, "You chose {got}, but this link belongs to {want}. Start again and choose {want}; to use the other mailbox, link it as a new one."},
		{ReasonAlreadyLinked, MendUser, "Another user of this application has linked {address}. Ask them to unlink it first, or link another mailbox."},

		{ReasonSignInAgain, MendUser, "Your organisation asks you to sign in to {service} again from time to time. Link the mailbox again."},
		{ReasonPasswordChanged, MendUser, "Your password was changed, which ended the permission you had given. Link the mailbox again."},
		{ReasonPasswordExpired, MendUser, "{service} wants a new password for this account. Set it there, then link the mailbox again."},
		{ReasonGrantRevoked, MendUser, "{service} no longer accepts the permission you gave: it was withdrawn, or it ended. Link the mailbox again."},
		{ReasonExpiredDisuse, MendUser, "The permission was not used for a long time, and {service} ended it. Link the mailbox again."},
		{ReasonExpiredTesting, MendOperator, "{service} ends permissions after seven days while an application is in testing. Link the mailbox again to go on for now; whoever runs this application has to publish it."},
		{ReasonExpiredLimit, MendUser, "The permission was given for a limited time, which is over. Link the mailbox again."},
		{ReasonTokenLost, MendUser, "A fault on our side lost the key to your mailbox; nobody else has it, and you did nothing wrong. Link the mailbox again."},

		{ReasonAccountDisabled, MendAdmin, "{service} says that this account is disabled. Ask your administrator, or link another account."},
		{ReasonAccountLocked, MendUser, "{service} has locked this account for now, mostly after wrong passwords. Wait a while and sign in there; if that does not help, ask your administrator."},
		{ReasonMailboxMissing, MendAdmin, "This account has no mailbox at {service}. Link an account that has one, or ask your administrator for a mailbox."},
		{ReasonMailboxNotServed, MendAdmin, "{service} does not open this account's mailbox to applications: it may have no licence, lie on a server of your organisation, or belong to a guest. Ask your administrator, or link another account."},
		{ReasonMailboxFull, MendUser, "The mailbox is full, so that not even mail can be sent. Delete something, or ask your administrator for more space; sending then goes on."},
		{ReasonMailboxSuspended, MendUser, "{service} has suspended this account until it is verified. Sign in to it there and follow the steps."},
		{ReasonMailboxUnusable, MendAdmin, "{service} refuses to use this mailbox. Ask your administrator, or link another account."},
		{ReasonMailboxMixup, MendOperator, "{service} says that the key does not fit this mailbox, so nothing is done with it. Whoever runs this application has to look into it."},
		{ReasonSendingBlocked, MendAdmin, "{service} does not let this mailbox send at present, mostly because it took its mail for spam. Sign in to the mailbox and look for a notice, or ask your administrator."},
		{ReasonSendingLimit, MendNobody, "This mailbox has sent as much as {service} allows for now. Sending goes on by itself later."},
		{ReasonSenderNotAllowed, MendAdmin, "This mailbox may not send from that address. Choose an address of its own, or ask your administrator to allow it."},

		{ReasonAppSecretWrong, MendOperator, "{service} does not take this application's own password. Whoever runs it has to renew that; your mailbox is not at fault, and all goes on by itself then."},
		{ReasonAppSecretExpired, MendOperator, "This application's own password at {service} has expired. Whoever runs it has to renew that; your mailbox is not at fault, and all goes on by itself then."},
		{ReasonAppUnknown, MendAdmin, "Your organisation does not know this application, or has removed it. Ask your administrator to approve it."},
		{ReasonAppDisabled, MendAdmin, "This application is switched off in your organisation. Ask your administrator to switch it on again."},
		{ReasonAppMisconfigured, MendOperator, "{service} refuses this application as it is set up. Whoever runs it has to correct that; your mailbox is not at fault."},
		{ReasonAppQuota, MendOperator, "This application has used up what {service} allows it for now. It goes on by itself; whoever runs it can ask {service} for more."},
		{ReasonRecordSealed, MendOperator, "A stored record can't be opened, because its key is missing. Whoever runs this application has to bring the key back; your mailbox is not at fault."},
		{ReasonRequestInvalid, MendOperator, "This application asked for something that can't be. Whoever runs it has to correct that; your mailbox is not at fault."},
		{ReasonNoWarrant, MendOperator, "This application asked for a message that is no answer to its mail, and was refused. Whoever runs it has to correct that."},

		{ReasonThrottled, MendNobody, "{service} asks to wait. It goes on by itself."},
		{ReasonLooping, MendOperator, "{service} says that this application asks for the same thing over and over, and makes it wait. Whoever runs it has to look into that; your mailbox is not at fault."},
		{ReasonTemporary, MendNobody, "{service} could not be reached or could not answer. It is tried again by itself."},

		{ReasonOutcomeUnknown, MendUser, "It is not known whether {service} sent this mail. Look into your Sent folder, and say here whether it is there."},
		{ReasonNotSettled, MendNobody, "It is not known yet whether {service} sent this mail. It is looked for by itself."},
		{ReasonNotSent, MendNobody, "This mail was not sent, and will be sent again by itself."},
		{ReasonTooLarge, MendUser, "This mail is larger than {service} takes. Make it or its attachments smaller."},
		{ReasonRejected, MendNobody, "{service} refused this request for good. If it stays, tell the code to whoever runs this application."},
		{ReasonNotFound, MendNobody, "What was asked for is not there any more, mostly because it was deleted."},
		{ReasonCursorExpired, MendNobody, "{service} no longer tells what changed so long ago. The mailbox is read afresh by itself."},

		{ReasonLinkNotFound, MendUser, "There is no such link. Link the mailbox again."},
		{ReasonUnlinked, MendUser, "This mailbox was unlinked. Link it again to use it."},
		{ReasonLimited, MendUser, "This mailbox is linked with less than was asked for. Link it again and allow all of it; where your organisation has to approve that, ask your administrator first."},
		{ReasonScopesLost, MendUser, "{service} allows less for this mailbox than it did. Link it again and allow all that is asked for."},
		{ReasonKeepsBroken, MendUser, "The permission for this mailbox was lost again and again. Choose another account to send from. If it has to be this one, whoever runs this application can let it be tried again."},
		{ReasonForgiven, MendUser, "This mailbox may be tried again. Link it again."},
		{ReasonStartedOver, MendUser, "The permission that you gave was ended so that you can give another one. Link the mailbox again."},
		{ReasonSilent, MendOperator, "This mailbox has not been read for too long, so that an answer may have been missed; follow-ups wait until it is read. Whoever runs this application has to look into it."},
		{ReasonAliasLost, MendUser, "It is not proven that mail from this further address leaves under it and comes back here, so nothing is sent from it. Send yourself a preview from it."},
		{ReasonPushEnded, MendNobody, "{service} no longer announces new mail. The mailbox is still read from time to time, and announcements are asked for again by itself."},
		{ReasonUnknown, MendOperator, "Something went wrong that has no name. Try again later; if it stays, tell the code to whoever runs this application."},
	}
}
