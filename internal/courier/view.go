package courier

import (
	"time"

	"github.com/outreachkit/outreach/provider"
)

// View is what a mailbox showed of a mail whose outcome is unknown. The zero
// View is complete and empty.
type View struct {
	Found []provider.Located
	why   string
}

// Gap notes that something can't be seen; the first reason counts.
func (v *View) Gap(why string) {
	if v.why == "" {
		v.why = why
	}
}

// Answer gives one of the four answers of provider.Mailbox's Locate. Now is
// when the view's first request was made.
func (v *View) Answer(op string, key provider.SendKey, settle time.Duration, now time.Time) ([]provider.Located, error) {
	settled := key.Deadline.Add(settle)
	fail := func(kind provider.ErrorKind, reason string, until time.Time) ([]provider.Located, error) {
		return nil, &provider.Error{Kind: kind, Op: op, Reason: reason, Until: until}
	}
	switch {
	case len(v.Found) > 0:
		return v.Found, nil
	case !now.After(settled):
		return fail(provider.ErrNotSettled, "", settled.Add(time.Second))
	case key.Accepted:
		return fail(provider.ErrOutcomeUnknown, "no_copy", time.Time{})
	case v.why != "":
		return fail(provider.ErrOutcomeUnknown, v.why, time.Time{})
	case !key.Proven:
		return fail(provider.ErrOutcomeUnknown, "sent_copies_not_proven", time.Time{})
	}
	return fail(provider.ErrNotSent, "", time.Time{})
}
