package linking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// Registration is how an app registration does.
type Registration struct {
	Provider string // Provider.Name
	Kind     provider.Kind

	// Alarm is whether it needs its operator, Since since when, and Diagnosis
	// why. While it does, nobody's link is to blame and none is unlinked.
	Alarm     bool
	Since     time.Time
	Diagnosis provider.Diagnosis
}

// Registrations returns how the configured app registrations do. It makes no
// request.
func (l *Linker) Registrations(ctx context.Context) ([]Registration, error) {
	var out []Registration
	for _, prov := range l.cfg.Providers {
		r, err := l.registration(ctx, prov.Name())
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (l *Linker) registration(ctx context.Context, name string) (Registration, error) {
	r := Registration{Provider: name}
	if prov, ok := l.providers[name]; ok {
		r.Kind = prov.Kind()
	}
	app, err := l.app(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	rec, err := recordOf(app)
	if err != nil {
		return r, err
	}
	if app.Status == store.LinkHeld {
		r.Alarm, r.Since, r.Diagnosis = true, app.Changed, l.diagnose(name, rec.Fault)
	}
	return r, nil
}

// app is the record of an app registration. There is none until the first
// alarm.
func (l *Linker) app(ctx context.Context, name string) (store.Link, error) {
	app, err := l.cfg.Links.Find(ctx, store.KindApp, name)
	if err != nil {
		return store.Link{}, fmt.Errorf("linking: app registration %s: %w", name, err)
	}
	return app, nil
}

// atFault reports whether an error is for the operator of the whole
// registration. An app that one tenant does not know is for its
// administrator, and a record that does not open concerns one link.
func (l *Linker) atFault(registration string, f fault) bool {
	return f.Kind == provider.ErrApp && f.Reason != reasonNotOpen && l.diagnose(registration, f).Mender == provider.MendOperator
}

// alarm writes down that a registration needs its operator. The first to find
// it out tells, over all links and processes.
func (l *Linker) alarm(ctx context.Context, registration string, f fault) {
	app, err := l.app(ctx, registration)
	if errors.Is(err, store.ErrNotFound) {
		now := l.cfg.Now()
		app = store.Link{
			ID: store.KindApp + "/" + registration, Owner: store.KindApp, Provider: registration, Kind: store.KindApp, Subject: registration,
			Status: store.LinkLinked, Created: now, Changed: now,
		}
		app, err = l.cfg.Links.Create(ctx, app)
		if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrOwned) {
			app, err = l.app(ctx, registration)
		}
	}
	if err == nil {
		app, err = l.updateFrom(ctx, app, func(app *store.Link, rec *record) error {
			if app.Status == store.LinkHeld {
				return errUnchanged
			}
			now := l.cfg.Now()
			app.Status, app.Reason, app.Changed, rec.Fault = store.LinkHeld, f.Reason, now, f
			l.note(rec, entry{Kind: ChangeAlarm, At: now, From: store.LinkLinked, To: store.LinkHeld, Fault: f, Mender: provider.MendOperator})
			return nil
		})
	}
	if err != nil {
		l.log.ErrorContext(ctx, "linking: an alarm about an app registration could not be stored", "provider", registration, "reason", f.Reason, "error", err)
		return
	}
	l.tell(ctx, app)
}

// heal ends an alarm: a token was got, or, for one that mailboxes raised, a
// mailbox was worked on.
func (l *Linker) heal(ctx context.Context, registration string, token bool) {
	app, err := l.app(ctx, registration)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err == nil {
		app, err = l.updateFrom(ctx, app, func(app *store.Link, rec *record) error {
			if app.Status != store.LinkHeld || rec.Fault.Token != token {
				return errUnchanged
			}
			now := l.cfg.Now()
			app.Status, app.Reason, app.Changed, rec.Fault = store.LinkLinked, "", now, fault{}
			l.note(rec, entry{Kind: ChangeHealed, At: now, From: store.LinkHeld, To: store.LinkLinked})
			return nil
		})
	}
	if err != nil {
		l.log.WarnContext(ctx, "linking: the end of an alarm could not be stored", "provider", registration, "error", err)
		return
	}
	l.tell(ctx, app)
}
