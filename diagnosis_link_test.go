package outreach_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// linkSituations are what goes wrong in linking itself, each as a host meets
// it: the provider it asked for, the error, and the reason it should be told.
func linkSituations() map[string]func(*diagnosed) (string, provider.Reason, error) {
	plain := func(service string, err error, want provider.Reason) func(*diagnosed) (string, provider.Reason, error) {
		return func(*diagnosed) (string, provider.Reason, error) { return service, want, err }
	}
	kind := func(k provider.ErrorKind, want provider.Reason) func(*diagnosed) (string, provider.Reason, error) {
		return plain("gmail", &provider.Error{Kind: k, Op: "gmail: x", Reason: "somethingNew"}, want)
	}
	lateCallback := func(after time.Duration, want provider.Reason) func(*diagnosed) (string, provider.Reason, error) {
		return func(w *diagnosed) (string, provider.Reason, error) {
			q := w.consent("gmail", refusal{})
			w.clock.Advance(after)
			_, err := w.complete(q)
			return "", want, err
		}
	}
	dead := func(s provider.Situation, want provider.Reason) func(*diagnosed) (string, provider.Reason, error) {
		return plain("gmail", s.In(&provider.Error{Kind: provider.ErrRelink, Op: "gmail: refresh", Reason: "invalid_grant"}), want)
	}
	ofLink := func(k provider.ErrorKind, r provider.Reason) func(*diagnosed) (string, provider.Reason, error) {
		return plain("gmail", &provider.Error{Kind: k, Reason: string(r)}, r)
	}
	day := func(n float64) time.Time {
		return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n * 24 * float64(time.Hour)))
	}
	all := map[string]func(*diagnosed) (string, provider.Reason, error){
		"too late":      lateCallback(11*time.Minute, provider.ReasonFlowExpired),
		"much too late": lateCallback(time.Hour, provider.ReasonFlowUnknown),
		"twice": func(w *diagnosed) (string, provider.Reason, error) {
			q := w.consent("gmail", refusal{})
			if _, err := w.complete(q); err != nil {
				w.t.Fatal(err)
			}
			_, err := w.complete(q)
			return "", provider.ReasonFlowUnknown, err
		},
		"another browser": func(w *diagnosed) (string, provider.Reason, error) {
			q := w.consent("msgraph", refusal{})
			_, err := w.linker.Complete(w.t.Context(), linking.CompleteParams{Query: q, Owner: "owner", Session: "another"})
			return "", provider.ReasonFlowForeign, err
		},
		"neither code nor error": func(w *diagnosed) (string, provider.Reason, error) {
			q := w.consent("gmail", refusal{})
			q.Del("code")
			_, err := w.complete(q)
			return "gmail", provider.ReasonFlowUnknown, err
		},
		"another user's mailbox": func(w *diagnosed) (string, provider.Reason, error) {
			w.link("gmail")
			begun, err := w.linker.Begin(w.t.Context(), linking.BeginParams{Owner: "eve", Session: "s", Provider: "gmail", RedirectURL: callback})
			if err != nil {
				w.t.Fatal(err)
			}
			back, err := w.google.Consent(nil, begun.URL, gmailtest.Answer{Account: googleUser})
			if err != nil {
				w.t.Fatal(err)
			}
			_, err = w.linker.Complete(w.t.Context(), linking.CompleteParams{Query: back.Query(), Owner: "eve", Session: "s"})
			if d := w.linker.Diagnose("gmail", err); d.Params[provider.ParamAddress] != "g***@agency.example.com" {
				w.t.Errorf("the address is told as %q", d.Params[provider.ParamAddress])
			}
			return "gmail", provider.ReasonAlreadyLinked, err
		},
		"another mailbox": plain("gmail", &linking.MailboxError{Want: "m***@example.com", Got: "t***@example.com"}, provider.ReasonWrongMailbox),
		"no such link": func(w *diagnosed) (string, provider.Reason, error) {
			_, err := w.linker.Open(w.t.Context(), "lnk_none")
			return "", provider.ReasonLinkNotFound, err
		},
		"unlinked": func(w *diagnosed) (string, provider.Reason, error) {
			l := w.link("gmail")
			if err := w.linker.Unlink(w.t.Context(), linking.UnlinkParams{Owner: "owner", Link: l.ID}); err != nil {
				w.t.Fatal(err)
			}
			return "gmail", provider.ReasonUnlinked, w.use(l, false)
		},
		"a record that does not open":   plain("gmail", &provider.Error{Kind: provider.ErrApp, Reason: "record_does_not_open", Err: &linking.SealError{Record: "link 1"}}, provider.ReasonRecordSealed),
		"a key service that is down":    plain("gmail", &provider.Error{Kind: provider.ErrTemporary, Reason: linking.ReasonSealer}, provider.ReasonTemporary),
		"a provider that was taken out": plain("old", &provider.Error{Kind: provider.ErrApp, Reason: "provider_not_configured"}, provider.ReasonAppMisconfigured),
		"a busy link":                   plain("gmail", fmt.Errorf("x: %w", store.ErrConflict), provider.ReasonTemporary),
		"a cancelled call":              plain("gmail", fmt.Errorf("x: %w", context.Canceled), provider.ReasonTemporary),
		"a wrong field": func(w *diagnosed) (string, provider.Reason, error) {
			_, err := w.linker.Begin(w.t.Context(), linking.BeginParams{})
			return "", provider.ReasonRequestInvalid, err
		},
		// What linking.Status and linking.Check say of a link.
		"less than asked":                  ofLink(provider.ErrAccess, provider.ReasonLimited),
		"less than before":                 ofLink(provider.ErrAccess, provider.ReasonScopesLost),
		"a link that keeps breaking":       ofLink(provider.ErrMailboxUnusable, provider.ReasonKeepsBroken),
		"a link that was forgiven":         ofLink(provider.ErrRelink, provider.ReasonForgiven),
		"a link that is begun anew":        ofLink(provider.ErrRelink, provider.ReasonStartedOver),
		"a mailbox that is not read":       ofLink(provider.ErrTemporary, provider.ReasonSilent),
		"an alias without proof":           ofLink(provider.ErrSenderNotAllowed, provider.ReasonAliasLost),
		"pushes that have ended":           ofLink(provider.ErrTemporary, provider.ReasonPushEnded),
		"a mailbox that is given up":       plain("gmail", fmt.Errorf("x: %w", linking.ErrUnusable), provider.ReasonKeepsBroken),
		"a token that died with a process": plain("msgraph", &provider.Error{Kind: provider.ErrRelink, Reason: string(provider.ReasonTokenLost)}, provider.ReasonTokenLost),
		"no refresh token":                 plain("gmail", &provider.Error{Kind: provider.ErrAccess, Reason: "no_lasting_access"}, provider.ReasonNoLastingAccess),
		"a narrow scope beside a wide one": plain("gmail", &provider.Error{Kind: provider.ErrAccess, Reason: "metadata_scope_beside_wider"}, provider.ReasonScopesConflict),
		"an ID token of somebody else":     plain("msgraph", &provider.Error{Kind: provider.ErrRejected, Reason: "nonce_mismatch"}, provider.ReasonIdentity),
		"another tenant's account":         plain("msgraph", &provider.Error{Kind: provider.ErrRejected, Reason: "tenant_mismatch"}, provider.ReasonWrongTenant),

		"a week in testing":                 dead(provider.Situation{Consented: day(0), Used: day(6.98), Now: day(7.02)}, provider.ReasonExpiredTesting),
		"a week in testing, as announced":   dead(provider.Situation{Consented: day(0), Used: day(3), Now: day(30), Ends: day(7)}, provider.ReasonExpiredTesting),
		"a month as announced":              dead(provider.Situation{Consented: day(0), Used: day(29), Now: day(31), Ends: day(30)}, provider.ReasonExpiredLimit),
		"half a year of disuse":             dead(provider.Situation{Consented: day(0), Used: day(1), Now: day(182)}, provider.ReasonExpiredDisuse),
		"on the third day":                  dead(provider.Situation{Consented: day(0), Used: day(2.9), Now: day(3)}, provider.ReasonGrantRevoked),
		"sometime in a month nobody looked": dead(provider.Situation{Consented: day(0), Used: day(1), Now: day(30)}, provider.ReasonGrantRevoked),
		"after a year of use":               dead(provider.Situation{Consented: day(0), Used: day(364.9), Now: day(365)}, provider.ReasonGrantRevoked),
		"nobody knows when":                 dead(provider.Situation{}, provider.ReasonGrantRevoked),

		"an administrator's no": func(w *diagnosed) (string, provider.Reason, error) {
			q := w.askAdmin(msgraphtest.Answer{Deny: true})
			_, err := w.linker.CompleteAdminConsent(w.t.Context(), linking.CompleteParams{Query: q, Owner: "owner", Session: "session"})
			return "msgraph", provider.ReasonAdminDeclined, err
		},
		"an administrator of a forwarded request": func(w *diagnosed) (string, provider.Reason, error) {
			q := w.askAdmin(msgraphtest.Answer{Account: microsoftUser})
			q.Del("state")
			_, err := w.linker.CompleteAdminConsent(w.t.Context(), linking.CompleteParams{Query: q})
			return "", provider.ReasonAdminAnswered, err
		},

		"not settled":    kind(provider.ErrNotSettled, provider.ReasonNotSettled),
		"not sent":       kind(provider.ErrNotSent, provider.ReasonNotSent),
		"no warrant":     kind(provider.ErrNoWarrant, provider.ReasonNoWarrant),
		"cursor expired": kind(provider.ErrCursorExpired, provider.ReasonCursorExpired),
		"unusable":       kind(provider.ErrMailboxUnusable, provider.ReasonMailboxUnusable),
		"no kind at all": plain("gmail", errors.New("canary"), provider.ReasonUnknown),
	}
	// What no error tells, but package linking finds out, is kept as a code.
	for _, r := range []provider.Reason{
		provider.ReasonLimited, provider.ReasonScopesLost, provider.ReasonKeepsBroken, provider.ReasonForgiven, provider.ReasonStartedOver,
		provider.ReasonSilent, provider.ReasonPushEnded,
	} {
		all["kept as "+string(r)] = plain("msgraph", &provider.Error{Kind: provider.ErrTemporary, Reason: string(r)}, r)
	}
	return all
}

// askAdmin asks the administrator of the Microsoft user's tenant.
func (w *diagnosed) askAdmin(a msgraphtest.Answer) url.Values {
	w.t.Helper()
	if err := w.microsoft.SetAccount(msgraphtest.Account{Address: microsoftUser, Administrator: true}); err != nil {
		w.t.Fatal(err)
	}
	begun, err := w.linker.BeginAdminConsent(w.t.Context(), linking.BeginAdminParams{
		Owner: "owner", Session: "session", Provider: "msgraph", RedirectURL: "https://app.example.com/approved",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	back, err := w.microsoft.Consent(nil, begun.URL, a)
	if err != nil {
		w.t.Fatal(err)
	}
	return back.Query()
}
