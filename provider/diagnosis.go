package provider

import (
	"errors"
	"maps"
	"strings"
	"time"
)

// Mender is who can mend a fault.
type Mender string

// The menders.
const (
	MendNobody   Mender = "nobody"   // it passes by itself, or can't be mended
	MendUser     Mender = "user"     // the mailbox's user
	MendAdmin    Mender = "admin"    // their administrator
	MendOperator Mender = "operator" // whoever runs the host's app
)

// Diagnosis explains an error to people. It holds no secret and nothing that
// the service wrote for people: a host may show, store and log it. One that
// translates goes by Reason and Params.
type Diagnosis struct {
	Reason Reason            // what happened; one of Reasons
	Params map[string]string // see the Param constants; nil where there are none
	Mender Mender
	Remedy string // one or two English sentences a host can show as they are
}

// The names in Diagnosis.Params. Any of them may be absent.
const (
	ParamService    = "service"     // the mail service's name: Google, Microsoft
	ParamCode       = "code"        // the code of the error, for the service's support or the operator: AADSTS53003, http_502
	ParamAddress    = "address"     // the mailbox in question, masked
	ParamWant       = "want"        // the mailbox that was expected, masked
	ParamGot        = "got"         // the mailbox that was chosen, masked
	ParamUntil      = "until"       // when to try again, RFC 3339 in UTC
	ParamRetryAfter = "retry_after" // how long to wait at least, as time.ParseDuration reads it
	ParamField      = "field"       // the field of a value handed in that can't be used
)

// Explain returns the module's explanation of a reason. The service's name and
// the other params are put into the text; an empty service is "the mail
// service". A reason that is none of Reasons is ReasonUnknown. Providers
// outside of this module may use it to implement Diagnose.
func Explain(r Reason, service string, params map[string]string) Diagnosis {
	e, ok := explanationOf(r)
	if !ok {
		r = ReasonUnknown
		e, _ = explanationOf(r)
	}
	d := Diagnosis{Reason: r, Params: maps.Clone(params), Mender: e.mender}
	if service != "" {
		d.set(ParamService, service)
	}
	d.Remedy = fillIn(e.remedy, d.Params)
	return d
}

func (d *Diagnosis) set(name, value string) {
	if value == "" {
		return
	}
	if d.Params == nil {
		d.Params = make(map[string]string)
	}
	d.Params[name] = value
}

// With returns d with other words, where a service's own say better what to
// do. {service} and the names of other params stand for their values; empty
// values leave d's.
func (d Diagnosis) With(m Mender, remedy string) Diagnosis {
	if m != "" {
		d.Mender = m
	}
	if remedy != "" {
		d.Remedy = fillIn(remedy, d.Params)
	}
	return d
}

// fillIn puts params into a text, and general words where one is missing.
func fillIn(text string, params map[string]string) string {
	for _, p := range [...]struct{ name, otherwise string }{
		{ParamService, "the mail service"}, {ParamAddress, "this mailbox"}, {ParamWant, "the mailbox of this link"}, {ParamGot, "another one"},
	} {
		value := params[p.name]
		if value == "" {
			value = p.otherwise
		}
		text = strings.ReplaceAll(text, "{"+p.name+"}", value)
	}
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// ExplainKind is Explain by the kind of err alone, with the code and the times
// that it carries: what a Provider falls back on for a code it does not know. A
// code that is one of Reasons says itself what it means. A nil error has no
// reason.
func ExplainKind(err error, service string) Diagnosis {
	if err == nil {
		return Diagnosis{Mender: MendNobody}
	}
	return Explain(reasonOfKind(err), service, ErrorParams(err))
}

// ErrorParams returns the params that an error carries: the service's code
// and when to try again.
func ErrorParams(err error) map[string]string {
	var d Diagnosis
	var pe *Error
	if errors.As(err, &pe) {
		d.set(ParamCode, pe.Reason)
		if pe.RetryAfter > 0 {
			d.set(ParamRetryAfter, pe.RetryAfter.Round(time.Second).String())
		}
		if !pe.Until.IsZero() {
			d.set(ParamUntil, pe.Until.UTC().Format(time.RFC3339))
		}
	}
	var field *FieldError
	if errors.As(err, &field) {
		d.set(ParamField, field.Field)
	}
	return d.Params
}

// reasonOfKind is the reason where no code tells more.
func reasonOfKind(err error) Reason {
	var pe *Error
	if errors.As(err, &pe) {
		if _, ours := explanationOf(Reason(pe.Reason)); ours {
			return Reason(pe.Reason)
		}
	}
	for _, k := range [...]struct {
		kind   ErrorKind
		reason Reason
	}{
		{ErrRelink, ReasonGrantRevoked}, {ErrAccess, ReasonAccessMissing}, {ErrApp, ReasonAppMisconfigured}, {ErrThrottled, ReasonThrottled},
		{ErrTemporary, ReasonTemporary}, {ErrOutcomeUnknown, ReasonOutcomeUnknown}, {ErrNotSettled, ReasonNotSettled}, {ErrNotSent, ReasonNotSent},
		{ErrTooLarge, ReasonTooLarge}, {ErrMailboxUnusable, ReasonMailboxUnusable}, {ErrNotFound, ReasonNotFound},
		{ErrCursorExpired, ReasonCursorExpired}, {ErrNoWarrant, ReasonNoWarrant}, {ErrSenderNotAllowed, ReasonSenderNotAllowed},
		{ErrInvalid, ReasonRequestInvalid}, {ErrRejected, ReasonRejected},
	} {
		if errors.Is(err, k.kind) {
			return k.reason
		}
	}
	return ReasonUnknown
}

// Situation is what is known of a grant when the service says no more of its
// end than that it came. A zero time is not known.
type Situation struct {
	Now       time.Time
	Consented time.Time // the user last gave it
	Used      time.Time // it was last good for a new token
	Ends      time.Time // as the service announced: Grant.Ends
}

// In adds a situation to err, which Provider.Diagnose can use. The result
// reads and matches as err does; of nil it is nil.
func (s Situation) In(err error) error {
	if err == nil {
		return nil
	}
	return &situated{Situation: s, err: err}
}

// SituationOf returns what Situation.In added to an error.
func SituationOf(err error) (Situation, bool) {
	var in *situated
	if !errors.As(err, &in) {
		return Situation{}, false
	}
	return in.Situation, true
}

type situated struct {
	Situation
	err error
}

func (e *situated) Error() string { return e.err.Error() }
func (e *situated) Unwrap() error { return e.err }
