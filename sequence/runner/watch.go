package runner

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// PushConfig has mailboxes watched whose Provider was set up for pushes. A
// push is a hint and no more: mailboxes are polled besides, and a follow-up
// leaves only after a read of its own, with pushes and without.
type PushConfig struct {
	// PollEvery is how often a mailbox is read of which pushes come: from
	// Options.ReadEvery to a day. A push can be lost without a trace, so an
	// answer is seen this late at worst. Default 30 min. One of which no pushes
	// come though there was something to read is read every Options.ReadEvery
	// until one does.
	PollEvery time.Duration

	// ReadGap is the least time between two reads that pushes ask for, so that
	// a mailbox full of other mail is not read without end: at most
	// Options.ReadEvery. Default 15 s.
	ReadGap time.Duration
}

const maxPollEvery = 24 * time.Hour

func (c *PushConfig) validate(o Options) error {
	bad := func(field, problem string) error {
		return &provider.FieldError{Op: "runner: new", Field: "Config.Push." + field, Problem: problem}
	}
	switch {
	case c.PollEvery != 0 && (c.PollEvery < o.ReadEvery || c.PollEvery > maxPollEvery):
		return bad("PollEvery", "must be between Options.ReadEvery and a day")
	case c.ReadGap < 0 || c.ReadGap > o.ReadEvery:
		return bad("ReadGap", "must be between zero and Options.ReadEvery")
	}
	return nil
}

func (c PushConfig) filled(o Options) *PushConfig {
	if c.PollEvery == 0 {
		c.PollEvery = min(max(30*time.Minute, o.ReadEvery), maxPollEvery)
	}
	if c.ReadGap == 0 {
		c.ReadGap = min(15*time.Second, o.ReadEvery)
	}
	return &c
}

// pushData is what a mailbox's record says of its watch.
type pushData struct {
	ID      string    `json:"id,omitempty"`
	Route   string    `json:"route,omitempty"` // empty is no watch
	Target  string    `json:"target,omitempty"`
	Signed  bool      `json:"signed,omitempty"`
	Secret  string    `json:"secret,omitempty"` // its digest: who reads the store can't forge a push
	Link    string    `json:"link,omitempty"`   // over which it was made
	Expires time.Time `json:"expires,omitzero"`
	RenewAt time.Time `json:"renew_at,omitzero"`
	Serial  int       `json:"serial,omitempty"` // grows with each watch and renewal: what was told of an earlier one is done with
	Doubted bool      `json:"doubted,omitempty"`
	Asked   bool      `json:"asked,omitempty"` // a push asks for the read that ReadAt stands for

	Failures     int       `json:"failures,omitempty"` // in a row
	FailingSince time.Time `json:"failing_since,omitzero"`
	RetryAt      time.Time `json:"retry_at,omitzero"`
	Reason       string    `json:"reason,omitempty"` // of the last failure
	Alarmed      bool      `json:"alarmed,omitempty"`
}

func (d pushData) watch() provider.Watch {
	return provider.Watch{ID: d.ID, Route: d.Route, Target: d.Target, Signed: d.Signed, Expires: d.Expires}
}

// alive reports whether the service pushes, as far as is known.
func (p *pass) alive(now time.Time) bool {
	d := p.data.Push
	return p.r.cfg.Push != nil && d.Route != "" && d.Link == p.box.Link && d.Expires.After(now)
}

// pollAt is when the mailbox is read next if no push comes before. Reads go on
// at the ordinary pace until the first push has shown that they come, and a
// watch is renewed in time.
func (p *pass) pollAt(now time.Time) time.Time {
	d, every := p.data.Push, p.r.opts.ReadEvery
	if !p.alive(now) {
		return now.Add(every)
	}
	if !d.Doubted {
		every = p.r.cfg.Push.PollEvery
	}
	at := now.Add(every)
	if next := d.next(); next.After(now) && next.Before(at) {
		at = next
	}
	return at
}

// next is when something is to be done about the watch.
func (d pushData) next() time.Time { return later(d.RenewAt, d.RetryAt) }

// comesLater reports whether the read that a push asks for has to wait for a
// moment, because there was one just now, and sees to it that it comes.
func (p *pass) comesLater(now time.Time) bool {
	if p.r.cfg.Push == nil || !p.claim.Mailbox.Marked || p.data.Push.Route == "" {
		return false
	}
	at := p.data.ReadStart.Add(p.r.cfg.Push.ReadGap)
	if !at.After(now) || p.data.ReadStart.After(now) || !p.box.ReadAt.IsZero() && !p.box.ReadAt.After(now) {
		return false
	}
	p.data.Push.Asked = true
	if p.box.ReadAt.IsZero() || at.Before(p.box.ReadAt) {
		p.box.ReadAt, p.changed = at, true
	}
	return true
}

// judgePushes draws conclusions from a read: one that no push asked for, and
// that found something, casts doubt on the pushes.
func (p *pass) judgePushes(found int) {
	d := &p.data.Push
	switch {
	case d.Route == "":
	case p.claim.Mailbox.Marked || d.Asked:
		d.Doubted, d.Asked = false, false
	case found > 0:
		d.Doubted = true
	}
}

// keepWatch sees to the mailbox's watch: sets it up, renews it before its end,
// and again after it was lost. Whatever goes wrong with that is kept with the
// mailbox, and told after a while; polling goes on. It returns the store's
// errors only.
func (p *pass) keepWatch(ctx context.Context) error {
	d := &p.data.Push
	w, can := p.linked.Mailbox.(provider.Watcher)
	if d.Route == "" && (p.r.cfg.Push == nil || !can) || p.box.ReadAt.IsZero() {
		return nil // nothing is watched, and nothing is to be
	}
	if p.r.cfg.Push == nil || !can || d.Link != "" && d.Link != p.box.Link {
		return p.endWatch(ctx)
	}
	now := p.r.cfg.Now()
	if d.RetryAt.After(now) {
		return nil
	}
	told, err := p.toldOfWatch(ctx)
	if err != nil {
		return err
	}
	gone := told == provider.NoticeRemoved || d.Route != "" && !d.Expires.After(now)
	switch {
	case d.Route == "" || gone:
		return p.watchAnew(ctx, w, gone)
	case told == provider.NoticeRenew || !d.RenewAt.After(now):
	default:
		return nil
	}
	if err := p.hold(ctx); err != nil {
		return err
	}
	renewed, err := p.mb.renew(ctx, w, d.watch())
	if errors.Is(err, provider.ErrNotFound) {
		return p.watchAnew(ctx, w, true)
	}
	if err != nil {
		return p.watchFailed(ctx, err)
	}
	return p.watched(ctx, renewed)
}

// toldOfWatch returns what the service said of the watch as it stands, if it
// said anything. It is looked up where a push came.
func (p *pass) toldOfWatch(ctx context.Context) (provider.NoticeKind, error) {
	d := p.data.Push
	if d.Route == "" || !p.claim.Mailbox.Marked && d.RetryAt.IsZero() {
		return "", nil
	}
	kinds := []provider.NoticeKind{provider.NoticeRemoved, provider.NoticeRenew}
	keys := make([]store.IndexKey, len(kinds))
	for i, k := range kinds {
		keys[i] = indexKey(store.IndexPush, noted(k, d))
	}
	rows, err := p.r.cfg.Store.Match(ctx, p.box.ID, keys)
	if err != nil {
		return "", fmt.Errorf("runner: match: %w", err)
	}
	for i, k := range kinds {
		for _, row := range rows {
			if row.Value == keys[i].Value {
				return k, nil
			}
		}
	}
	return "", nil
}

// noted is the index value by which a notice about a watch is remembered.
func noted(kind provider.NoticeKind, d pushData) string {
	return fmt.Sprintf("%s %d %s", kind, d.Serial, d.Route)
}

// watchAnew sets up a watch. If there was one before, it may have been silent
// for a while, so the mailbox is read.
func (p *pass) watchAnew(ctx context.Context, w provider.Watcher, lost bool) error {
	if err := p.hold(ctx); err != nil {
		return err
	}
	d := &p.data.Push
	if lost {
		// It may be there still, and point elsewhere.
		_ = p.mb.unwatch(ctx, w, d.watch())
	}
	secret := rand.Text() + rand.Text()
	made, err := p.mb.watch(ctx, w, provider.WatchParams{Secret: secret})
	if err != nil {
		return p.watchFailed(ctx, err)
	}
	d.Secret, d.Doubted = "", true // until the first push has come
	if !made.Signed {
		d.Secret = digest(secret)
	}
	if lost {
		p.box.ReadAt, p.changed = p.r.cfg.Now(), true
	}
	return p.watched(ctx, made)
}

func digest(secret string) string {
	sum := sha256.Sum256([]byte("outreach push\x00" + secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// watched stores a watch, and how its pushes find the mailbox. What came
// before that was stored is found by the next read.
func (p *pass) watched(ctx context.Context, w provider.Watch) error {
	d := &p.data.Push
	d.ID, d.Route, d.Target, d.Signed, d.Expires = w.ID, w.Route, w.Target, w.Signed, w.Expires
	d.Link, d.RenewAt = p.box.Link, p.renewAt(w)
	d.Serial++
	d.Failures, d.FailingSince, d.RetryAt, d.Reason, d.Alarmed = 0, time.Time{}, time.Time{}, "", false
	if at := d.RenewAt; at.Before(p.box.ReadAt) {
		p.box.ReadAt = at
	}
	p.extra = append(p.extra, store.IndexRow{
		Kind: store.IndexPush, Value: indexed(w.Route), Mailbox: p.box.ID, Enrollment: nobody, Until: w.Expires.Add(24 * time.Hour),
	})
	p.changed = true
	return p.save(ctx)
}

// renewAt is well before the watch's end, and not the same moment for all
// mailboxes that were watched at the same.
func (p *pass) renewAt(w provider.Watch) time.Time {
	now := p.r.cfg.Now()
	latest := w.Expires.Sub(now) * 3 / 4
	if !w.RenewAt.IsZero() {
		latest = min(latest, w.RenewAt.Sub(now))
	}
	sum := sha256.Sum256([]byte(p.box.ID))
	early := time.Duration(binary.BigEndian.Uint32(sum[:])) * (latest / 3) / (1 << 32)
	return now.Add(max(latest-early, 0))
}

// watchFailed keeps a failure, so that it is tried again later and later, and
// tells somebody when it has failed for long. A context that ended is no
// failure.
func (p *pass) watchFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var pe *provider.Error
	if !errors.As(err, &pe) {
		pe = &provider.Error{Kind: provider.ErrTemporary, Op: "runner: watch", Err: err}
	}
	d, now := &p.data.Push, p.r.cfg.Now()
	d.Failures++
	if d.FailingSince.IsZero() {
		d.FailingSince = now
	}
	d.Reason = pe.Kind.Text()
	if pe.Reason != "" {
		d.Reason += " (" + pe.Reason + ")"
	}
	d.RetryAt = now.Add(min(max(p.r.backoff(d.Failures), p.r.opts.ReadEvery, pe.RetryAfter, pe.Until.Sub(now)), maxWait))
	p.r.log.WarnContext(ctx, "runner: the mailbox could not be watched; it is polled", "mailbox", p.box.ID, "error", pe)
	if !d.Alarmed && now.Sub(d.FailingSince) >= p.r.opts.AlarmAfter {
		d.Alarmed = true
		return p.announce(ctx, EventMailboxFlagged, "pushes can't be set up since "+d.FailingSince.UTC().Format(time.RFC3339)+", and it is polled: "+d.Reason)
	}
	return p.save(ctx)
}

// endWatch ends the watch of a mailbox that needs none any more. One that the
// service does not end now ends by itself.
func (p *pass) endWatch(ctx context.Context) error {
	d := &p.data.Push
	if d.Route == "" {
		return nil
	}
	if w, can := p.linked.Mailbox.(provider.Watcher); can {
		if err := p.hold(ctx); err != nil {
			return err
		}
		err := p.mb.unwatch(ctx, w, d.watch())
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			p.r.log.WarnContext(ctx, "runner: a watch could not be ended, and ends by itself", "mailbox", p.box.ID, "error", err)
		}
	}
	p.data.Push = pushData{Serial: d.Serial}
	return p.save(ctx)
}
