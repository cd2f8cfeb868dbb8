package linking

import (
	"context"
	"errors"
	"net/url"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// Diagnose explains any error of this package, and any of a mailbox that it
// opened, to people. The provider is BeginParams.Provider, Completed.Provider
// or Link.Provider; where it is empty or not known, the service has no name.
// The diagnosis of nil has no reason. Nothing is asked of store or service.
func (l *Linker) Diagnose(providerName string, err error) provider.Diagnosis {
	prov := l.providers[providerName]
	service := ""
	if prov != nil {
		service = prov.Kind().Service()
	}
	if d, ok := diagnoseOwn(err, service); ok {
		return d
	}
	if prov == nil {
		return provider.ExplainKind(err, service)
	}
	return prov.Diagnose(err)
}

// The words for what goes wrong on the host's own side, where no mail service
// is to blame.
const (
	remedyStore     = "This application could not reach its own records for now. Try again in a moment."
	remedyBusy      = "Something else was done to this link at the same time. Try again."
	remedyUnlinking = "You are unlinking this mailbox, and that is not finished. Unlink it once more, then link it again."
	remedySameName  = "The account of {got} is another one than the one that was linked here, though it goes by a similar name. Sign in to the one that was linked, or unlink this mailbox and link it as a new one."
	remedyCancelled = "This took too long, or was cancelled. Try again."
	remedyProvider  = "This application no longer knows the mail service of this link. Whoever runs it has to set that up again; your mailbox is not at fault."
)

// diagnoseOwn explains the errors of this package, which the provider does not
// know.
func diagnoseOwn(err error, service string) (provider.Diagnosis, bool) {
	params := provider.ErrorParams(err)
	with := func(name, value string) {
		if params == nil {
			params = make(map[string]string)
		}
		params[name] = value
	}
	explain := func(r provider.Reason) (provider.Diagnosis, bool) { return provider.Explain(r, service, params), true }
	var state *StateError
	var box *MailboxError
	var owned *OwnedError
	var flow *FlowError
	var pe *provider.Error
	switch {
	case err == nil:
		return provider.Diagnosis{Mender: provider.MendNobody}, true
	case errors.As(err, &state):
		with(provider.ParamCode, "state_"+state.Reason)
		return explain(reasonOfState(state.Reason))
	case errors.As(err, &box):
		with(provider.ParamWant, box.Want)
		with(provider.ParamGot, box.Got)
		d, ok := explain(provider.ReasonWrongMailbox)
		if box.Want == box.Got {
			d = d.With("", remedySameName)
		}
		return d, ok
	case errors.As(err, &owned):
		with(provider.ParamAddress, owned.Address)
		return explain(provider.ReasonAlreadyLinked)
	case errors.Is(err, ErrOwned):
		return explain(provider.ReasonAlreadyLinked)
	case errors.As(err, &flow) && flow.Err == nil:
		return diagnoseFlow(flow, service), true
	case errors.Is(err, ErrUnlinking):
		d, _ := explain(provider.ReasonTemporary)
		return d.With(provider.MendUser, remedyUnlinking), true
	case errors.Is(err, ErrUnusable):
		return explain(provider.ReasonKeepsBroken)
	case errors.Is(err, ErrNotFound):
		return explain(provider.ReasonLinkNotFound)
	case !errors.As(err, &pe) && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)):
		d, _ := explain(provider.ReasonTemporary)
		return d.With("", remedyCancelled), true
	case seal.Temporary(err) || errors.As(err, &pe) && pe.Reason == ReasonSealer:
		d, _ := explain(provider.ReasonTemporary)
		return d.With(provider.MendOperator, remedyStore), true
	case errors.Is(err, ErrSealed):
		return explain(provider.ReasonRecordSealed)
	case errors.As(err, &pe) && pe.Reason == reasonNotConfigured:
		d, _ := explain(provider.ReasonAppMisconfigured)
		return d.With("", remedyProvider), true
	case errors.Is(err, store.ErrConflict):
		d, _ := explain(provider.ReasonTemporary)
		return d.With("", remedyBusy), true
	}
	return provider.Diagnosis{}, false
}

func reasonOfState(reason string) provider.Reason {
	switch reason {
	case StateExpired:
		return provider.ReasonFlowExpired
	case StateSession, StateOwner:
		return provider.ReasonFlowForeign
	case StateForwarded:
		return provider.ReasonAdminAnswered
	}
	return provider.ReasonFlowUnknown
}

// diagnoseFlow explains an error in a callback that the provider had nothing
// to say about, by RFC 6749 section 4.1.2.1.
func diagnoseFlow(e *FlowError, service string) provider.Diagnosis {
	r := provider.ReasonUnknown
	switch e.Code {
	case "access_denied":
		r = provider.ReasonUserDeclined
	case "no_code":
		r = provider.ReasonFlowUnknown
	case "temporarily_unavailable", "server_error":
		r = provider.ReasonTemporary
	case "unauthorized_client", "invalid_scope", "unsupported_response_type", "invalid_request", "invalid_client":
		r = provider.ReasonAppMisconfigured
	}
	var params map[string]string
	if e.Code != "" {
		params = map[string]string{provider.ParamCode: e.Code}
	}
	return provider.Explain(r, service, params)
}

// flowError reads the error of a callback.
func flowError(prov provider.Provider, q url.Values) *FlowError {
	e := &FlowError{Code: errorCode(q.Get("error")), Subcode: errorCode(q.Get("error_subcode"))}
	if r, ok := prov.(provider.CallbackReader); ok {
		e.Err = r.ReadCallbackError(q)
	}
	return e
}

func notConfigured(op string) error {
	return &provider.Error{Kind: provider.ErrApp, Op: op, Reason: reasonNotConfigured}
}

// Abandoned explains why a flow of this provider may never have come back:
// errors that a service shows on its own page send nobody back. The first says
// what is true of all; the others are of errors that the service is known to
// show, each with the code that stands there. A host shows them once
// Begun.Expires has passed without a callback.
func (l *Linker) Abandoned(providerName string) []provider.Diagnosis {
	prov := l.providers[providerName]
	if prov == nil {
		return []provider.Diagnosis{provider.Explain(provider.ReasonFlowAbandoned, "", nil)}
	}
	out := []provider.Diagnosis{provider.Explain(provider.ReasonFlowAbandoned, prov.Kind().Service(), nil)}
	if a, ok := prov.(provider.Abandonment); ok {
		out = append(out, a.Abandoned()...)
	}
	return out
}
