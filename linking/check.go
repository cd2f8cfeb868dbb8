package linking

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// CheckOf is what a Finding is about.
type CheckOf string

// What is checked, in this order.
const (
	CheckGrant   CheckOf = "grant"   // the mail service hands out a new token
	CheckAccess  CheckOf = "access"  // what was granted is what was asked for
	CheckMailbox CheckOf = "mailbox" // the mailbox is served, and says its address
	CheckPush    CheckOf = "push"    // new mail is announced
	CheckRead    CheckOf = "read"    // the mailbox is read as it should be
	CheckSent    CheckOf = "sent"    // when a mail was last accepted
	CheckAlias   CheckOf = "alias"   // a further address in use is proven; one Finding for each
)

// FindingState is how a check ended.
type FindingState string

// The states.
const (
	FindingGood   FindingState = "good"
	FindingWarn   FindingState = "warn"   // it works, and somebody should look
	FindingBad    FindingState = "bad"    // Diagnosis says why
	FindingUnsure FindingState = "unsure" // it could not be told now
	FindingNone   FindingState = "none"   // there is nothing to check
)

// Finding is one line of a CheckReport.
type Finding struct {
	Of    CheckOf
	State FindingState

	// At is when: of push its end, of read, sent and alias the last time. Zero
	// where there is none.
	At        time.Time
	Address   string             // of an alias; else empty
	Diagnosis provider.Diagnosis // zero where nothing is wrong
}

// CheckReport is what Check found.
type CheckReport struct {
	Status   Status // after the check
	Findings []Finding
}

// Finding returns the one about a thing; its State is empty if that was not
// checked.
func (r CheckReport) Finding(of CheckOf) Finding {
	for _, f := range r.Findings {
		if f.Of == of {
			return f
		}
	}
	return Finding{Of: of}
}

// Check asks the mail service how a link does: it gets a new token, compares
// what is granted with what was asked for, reads the profile, and looks at how
// old the last read and the last accepted mail are. What it finds changes the
// link's status as if the runner had found it. It reads no mail, and makes no
// request for a link whose grant is known to be dead. What is wrong with the
// link is in the report; the error is ErrNotFound, the store's or the context's.
func (l *Linker) Check(ctx context.Context, id string) (CheckReport, error) {
	link, err := l.mailbox(ctx, id)
	if err != nil {
		return CheckReport{}, err
	}
	link, err = l.updateFrom(ctx, link, func(_ *store.Link, rec *record) error {
		rec.Health.Checked = l.cfg.Now()
		return nil
	})
	if err != nil {
		return CheckReport{}, err
	}
	return l.check(ctx, link)
}

func (l *Linker) check(ctx context.Context, link store.Link) (CheckReport, error) {
	var out CheckReport
	add := func(of CheckOf, state FindingState, at time.Time, d provider.Diagnosis) {
		out.Findings = append(out.Findings, Finding{Of: of, State: state, At: at, Diagnosis: d})
	}
	f, err := l.checkGrant(ctx, link)
	if err != nil {
		return out, err
	}
	add(CheckGrant, stateOf(f), time.Time{}, l.diagnose(link.Provider, f))
	served := fault{}
	if f == (fault{}) {
		if served, err = l.checkMailbox(ctx, link.ID); err != nil {
			return out, err
		}
	}
	if out.Status, err = l.Status(ctx, link.ID); err != nil {
		return out, err
	}
	s := out.Status
	if f == (fault{}) {
		if s.Link.Access.Includes(s.Asked) {
			add(CheckAccess, FindingGood, time.Time{}, provider.Diagnosis{})
		} else {
			add(CheckAccess, FindingWarn, time.Time{}, l.diagnose(link.Provider, ours(provider.ErrAccess, provider.ReasonLimited)))
		}
		add(CheckMailbox, stateOf(served), time.Time{}, l.diagnose(link.Provider, served))
	}
	// What was good before says nothing of now where the grant is at fault.
	good, because := FindingGood, provider.Diagnosis{}
	if f != (fault{}) {
		good, because = FindingUnsure, l.diagnose(link.Provider, f)
	}
	now := l.cfg.Now()
	switch {
	case s.Push.IsZero():
		add(CheckPush, FindingNone, time.Time{}, provider.Diagnosis{})
	case s.Push.After(now):
		add(CheckPush, good, s.Push, because)
	default:
		add(CheckPush, FindingWarn, s.Push, l.diagnose(link.Provider, ours(provider.ErrTemporary, provider.ReasonPushEnded)))
	}
	switch {
	case !s.Silent.IsZero():
		add(CheckRead, FindingBad, s.Read, l.diagnose(link.Provider, ours(provider.ErrTemporary, provider.ReasonSilent)))
	case !s.Can.ThreadReplies || s.Read.IsZero() && !s.Reading:
		add(CheckRead, FindingNone, s.Read, provider.Diagnosis{})
	default:
		add(CheckRead, good, s.Read, because)
	}
	if s.Sent.IsZero() {
		add(CheckSent, FindingNone, time.Time{}, provider.Diagnosis{})
	} else {
		add(CheckSent, good, s.Sent, because)
	}
	return out, l.checkAliases(ctx, link.ID, &out)
}

// checkAliases tells what the runner has found out.
func (l *Linker) checkAliases(ctx context.Context, id string, out *CheckReport) error {
	link, err := l.mailbox(ctx, id)
	if err != nil {
		return err
	}
	rec, err := recordOf(link)
	if err != nil {
		return err
	}
	for _, a := range rec.Aliases {
		f := Finding{Of: CheckAlias, State: FindingGood, At: a.At, Address: a.Address}
		if !a.Proven {
			f.State, f.Diagnosis = FindingBad, l.diagnose(link.Provider, ours(provider.ErrSenderNotAllowed, provider.ReasonAliasLost))
		}
		out.Findings = append(out.Findings, f)
	}
	return nil
}

// stateOf tells a fault from trouble that says nothing.
func stateOf(f fault) FindingState {
	switch f.Kind {
	case "":
		if f == (fault{}) {
			return FindingGood
		}
	case provider.ErrTemporary, provider.ErrThrottled:
		return FindingUnsure
	}
	return FindingBad
}

// checkGrant gets a new token. The fault is why there is none.
func (l *Linker) checkGrant(ctx context.Context, link store.Link) (fault, error) {
	const op = "linking: check"
	if err := usable(op, link); err != nil {
		return faultOf(err, true), nil
	}
	if _, ok := l.providers[link.Provider]; !ok {
		return fault{Kind: provider.ErrApp, Reason: reasonNotConfigured, Token: true}, nil
	}
	refused := ""
	tok, _, err := l.live(link, "")
	if err == nil {
		refused = tok.AccessToken
		_, err = l.token(ctx, link.ID, refused)
	}
	var pe *provider.Error
	switch {
	case err == nil:
		return fault{}, nil
	case ctx.Err() != nil:
		return fault{}, ctx.Err()
	case !errors.As(err, &pe):
		return fault{}, err
	}
	f := faultOf(err, true)
	if f.Reason != reasonNotOpen {
		return f, nil // what it means for the link is written down where the token was refused
	}
	link, err = l.updateFrom(ctx, link, func(link *store.Link, rec *record) error { return l.follow(link, rec, f) })
	if err == nil {
		l.tell(ctx, link)
	}
	return f, err
}

// checkMailbox reads the profile, and takes in what it says.
func (l *Linker) checkMailbox(ctx context.Context, id string) (fault, error) {
	opened, err := l.Open(ctx, id)
	if err != nil {
		var pe *provider.Error
		if errors.As(err, &pe) {
			return faultOf(err, false), nil
		}
		return fault{}, err
	}
	prof, err := l.profile(ctx, id, RequestCheck, opened.Mailbox)
	if ctx.Err() != nil {
		return fault{}, ctx.Err()
	}
	f := fault{}
	if err != nil {
		if f = faultOf(err, false); l.atFault(opened.Provider, f) {
			l.alarm(ctx, opened.Provider, f)
			return f, nil
		}
	} else {
		l.heal(ctx, opened.Provider, false)
	}
	link, err := l.update(ctx, id, func(link *store.Link, rec *record) error {
		seq, was := rec.Seq, rec.Fault
		renamed := f == (fault{}) && rename(link, prof)
		l.listen(link, rec, l.cfg.Now())
		if err := l.follow(link, rec, f); err != nil {
			return err
		}
		if rec.Seq == seq && rec.Fault == was && !renamed {
			return errUnchanged
		}
		return nil
	})
	if err != nil {
		return f, err
	}
	l.tell(ctx, link)
	return f, nil
}

// rename takes in the addresses that a mailbox says it has. What it had is
// still known: mail to an address of before is answered to it.
func rename(link *store.Link, prof provider.Profile) bool {
	had, n := link.Address, len(link.Addresses)
	if prof.Address != "" {
		link.Address = prof.Address
	}
	link.Addresses = slices.Clone(link.Addresses)
	for _, a := range append([]string{prof.Address}, prof.Addresses...) {
		if a != "" && !slices.Contains(link.Addresses, a) {
			link.Addresses = append(link.Addresses, a)
		}
	}
	return link.Address != had || len(link.Addresses) != n
}
