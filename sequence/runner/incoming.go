package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
	"github.com/outreachkit/outreach/store"
)

// The directions of a conversation's entries.
const (
	DirectionOut = "out" // we sent it
	DirectionIn  = "in"  // somebody else wrote it
	DirectionOwn = "own" // the mailbox's owner wrote it by hand
)

// nobody is the enrollment of an index row that only remembers that a
// message was looked at and is none of ours.
const nobody = "-"

// item reads the envelope of one message that may concern us, and its content
// once it does.
func (p *pass) item(ctx context.Context, it provider.Item, reason string) error {
	env, err := p.mb.envelope(ctx, it.Ref, reason)
	if errors.Is(err, provider.ErrNotFound) {
		return nil // deleted between the feed and now
	}
	if errors.Is(err, provider.ErrRejected) || errors.Is(err, provider.ErrTooLarge) {
		return p.refusedItem(ctx, it, reason, errors.Is(err, provider.ErrTooLarge))
	}
	// Of several that are tried again none keeps the others waiting.
	if errors.Is(err, provider.ErrTemporary) && (p.retrying != nil || p.stuckOn(it.Ref)) {
		// Nothing is passed over that may be anybody's answer.
		if held, heldErr := p.passOver(ctx, it, reason); heldErr != nil || held {
			return heldErr
		}
	}
	if err != nil {
		return err
	}
	if env.Draft || env.Place == provider.PlaceDraft {
		return nil // not every list says so; once it is sent it is looked at, maybe under the same ref
	}
	if env.Thread == "" {
		env.Thread = it.Thread
	}
	known, ls, err := p.known(ctx, env)
	if err != nil {
		return err
	}
	m := provider.Match(env, known)
	switch m.Direction {
	case provider.DirectionSent:
		return p.ownCopy(ctx, env, m)
	case provider.DirectionOwn:
		if p.r.made(env) { // a preview's, or an ended enrollment's, in a thread that was merged
			return p.forget(ctx, env.Ref)
		}
		return p.matched(ctx, env, m, ls, reason)
	case provider.DirectionIn:
		gone, err := p.r.erased(ctx, env.From)
		if err != nil {
			return err
		}
		if gone { // in a thread that is also somebody else's
			return p.forget(ctx, env.Ref)
		}
		return p.matched(ctx, env, m, ls, reason)
	case provider.DirectionReport:
		return p.matched(ctx, env, m, ls, reason)
	}
	return p.forget(ctx, env.Ref)
}

// made reports whether a mail of the mailbox's owner is one that was made
// here: it bears a key, or a Message-ID as only we make them.
func (r *Runner) made(env *provider.Envelope) bool {
	if env.Header.Get(provider.KeyHeader) != "" {
		return true
	}
	local, domain, ok := strings.Cut(provider.BareID(env.MessageID), "@")
	return ok && strings.EqualFold(domain, r.cfg.Domain) && len(local) == 32 // see mimemsg.NewMessageID
}

// known gathers the conversations that an envelope could belong to.
func (p *pass) known(ctx context.Context, env *provider.Envelope) (*provider.Known, map[string]*loaded, error) {
	var keys []store.IndexKey
	add := func(kind store.IndexKind, value string) {
		if value != "" {
			keys = append(keys, indexKey(kind, value))
		}
	}
	add(store.IndexThread, env.Thread)
	for _, id := range slices.Concat(env.InReplyTo, env.References, []string{env.MessageID},
		env.Header["X-Ms-Exchange-Parent-Message-Id"], env.Header["X-Google-Original-Message-Id"]) {
		add(store.IndexMessageID, provider.BareID(id))
	}
	for _, a := range env.From {
		add(store.IndexAddress, provider.Normalize(a.Addr))
	}
	for _, line := range env.Header["X-Failed-Recipients"] {
		for addr := range strings.SplitSeq(line, ",") {
			add(store.IndexAddress, provider.Normalize(addr))
		}
	}
	rows, err := p.r.cfg.Store.Match(ctx, p.box.ID, keys)
	if err != nil {
		return nil, nil, fmt.Errorf("runner: match: %w", err)
	}
	ids := enrollmentIDs(rows)
	if len(ids) == 0 && provider.IsSystemSender(env.From) {
		if ids, err = p.recent(ctx); err != nil {
			return nil, nil, err
		}
	}
	found, err := p.r.load(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	known := &provider.Known{Account: p.linked.Account, NoReports: p.r.opts.NoReports}
	ls := make(map[string]*loaded, len(found))
	for _, l := range found {
		if s, ok := l.known(); ok {
			known.Sent = append(known.Sent, s)
			ls[l.id()] = l
		}
	}
	return known, ls, nil
}

// recent lists the enrollments that mail has left for, which a delivery
// report that names nobody could be about.
func (p *pass) recent(ctx context.Context) ([]string, error) {
	var ids []string
	var after store.IndexRow
	for {
		rows, err := p.r.cfg.Store.Index(ctx, store.ListIndex{Mailbox: p.box.ID, Kind: store.IndexSender, Now: p.r.trackedAt(p.r.cfg.Now()), After: after, Limit: 1000})
		if err != nil {
			return nil, fmt.Errorf("runner: tracked senders: %w", err)
		}
		ids = append(ids, enrollmentIDs(rows)...)
		if len(rows) < 1000 {
			return ids, nil
		}
		after = rows[len(rows)-1]
	}
}

func enrollmentIDs(rows []store.IndexRow) []string {
	var ids []string
	for _, row := range rows {
		if row.Enrollment != nobody && !slices.Contains(ids, row.Enrollment) {
			ids = append(ids, row.Enrollment)
		}
	}
	return ids
}

// forget remembers that a message is none of ours, so that it is not looked
// at again while searches overlap. Nothing of it is kept but its ref.
func (p *pass) forget(ctx context.Context, ref provider.Ref) error {
	err := p.r.cfg.Store.Commit(ctx, store.Batch{Fence: &p.claim.Fence, Index: []store.IndexRow{p.forgotten(ref)}})
	if err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	return nil
}

func (p *pass) forgotten(ref provider.Ref) store.IndexRow {
	return store.IndexRow{
		Kind: store.IndexRef, Value: indexed(string(ref)), Mailbox: p.box.ID, Enrollment: nobody,
		Until: p.r.cfg.Now().Add(2*p.r.opts.SearchOverlap + provider.ReportSpan),
	}
}

func (p *pass) refRow(l *loaded, ref provider.Ref) store.IndexRow {
	return store.IndexRow{
		Kind: store.IndexRef, Value: indexed(string(ref)), Mailbox: p.box.ID, Enrollment: l.conversation(),
		Until: p.r.cfg.Now().Add(p.r.opts.TrackFor),
	}
}

// ownCopy deals with the sent copy of our own mail: it completes the open
// intent it fits, or supplies the ids that the service's answer left out.
func (p *pass) ownCopy(ctx context.Context, env *provider.Envelope, m provider.Matched) error {
	id := m.Hits[0].Key
	ls, err := p.r.load(ctx, []string{id})
	if err != nil || len(ls) == 0 {
		return err
	}
	copyOf := func(s sentMail) bool {
		return s.Key == strings.TrimSpace(env.Header.Get(provider.KeyHeader)) ||
			provider.BareID(s.MessageID) == provider.BareID(env.MessageID) ||
			provider.BareID(s.MessageID) == provider.BareID(env.Header.Get("X-Google-Original-Message-Id"))
	}
	l := ls[0]
	for _, reply := range l.replies {
		if slices.ContainsFunc(reply.mails(), copyOf) {
			l, id = reply, reply.id()
		}
	}
	if open := l.rec.Open; open != nil && copyOf(*open) {
		for _, in := range p.claim.Open {
			if in.ID == open.Intent {
				return p.foundSent(ctx, in, provider.Located{
					Ref: env.Ref, Thread: env.Thread, MessageID: env.MessageID, Place: env.Place, At: env.Received,
				})
			}
		}
		return nil // opened in this very pass: its result is on its way
	}
	for _, m := range l.rec.Mails {
		if copyOf(m) && m.learns(provider.Located{Thread: env.Thread}) {
			if err := p.learn(ctx, m.At, env.Thread); err != nil {
				return err
			}
		}
	}
	for _, m := range l.rec.Mails {
		if copyOf(m) && env.Own {
			if err := p.seenFrom(ctx, m, env.From); err != nil {
				return err
			}
		}
	}
	_, err = p.r.change(ctx, []string{id}, func(ls []*loaded, b *store.Batch) error {
		b.Fence = &p.claim.Fence
		for _, l := range ls {
			for i := range l.rec.Mails {
				if copyOf(l.rec.Mails[i]) {
					p.complete(l, b, i, provider.Located{Ref: env.Ref, Thread: env.Thread, MessageID: env.MessageID})
					if env.Own {
						p.judgeFrom(l, b, i, env.From)
					}
				}
			}
			b.Index = append(b.Index, p.refRow(l, env.Ref))
		}
		return nil
	})
	return err
}

// complete writes what a sent copy tells into the record and the index.
func (p *pass) complete(l *loaded, b *store.Batch, i int, c provider.Located) {
	m := &l.rec.Mails[i]
	m.Real = cmp.Or(m.Real, plain(c.MessageID))
	m.Ref = cmp.Or(m.Ref, plain(string(c.Ref)))
	if m.learns(c) { // it was put into another thread than was asked for
		if m.Thread != "" && !slices.Contains(l.rec.Threads, m.Thread) {
			l.rec.Threads = append(l.rec.Threads, m.Thread)
		}
		m.Thread = plain(c.Thread)
	}
	b.Results = append(b.Results, store.Result{
		Intent: m.Intent, State: store.IntentSent, Ref: m.Ref, Thread: m.Thread, RealMessageID: m.Real, At: m.At,
	})
	if l.row.Kind != kindPreview {
		p.r.index(l, b, *m)
	}
}

// matched reads the content of a message that belongs to a conversation,
// judges it, and lets the enrollments know. Content that was deleted, or that
// the service refuses, changes nothing of what its headers show. Where it can't
// be had for long, what its headers show counts at once, and it is tried again.
func (p *pass) matched(ctx context.Context, env *provider.Envelope, m provider.Matched, ls map[string]*loaded, reason string) error {
	var msg *provider.Message
	later, guessed, why := false, false, ReasonMatched
	if m.Direction == provider.DirectionReport {
		why = ReasonReport
	}
	if p.linked.Abilities.Content {
		var err error
		msg, err = p.mb.content(ctx, m.Warrant, why)
		switch gone := errors.Is(err, provider.ErrNotFound); {
		case gone && m.Direction == provider.DirectionReport:
			return nil
		case gone, errors.Is(err, provider.ErrRejected), errors.Is(err, provider.ErrTooLarge):
			msg = nil
		case errors.Is(err, provider.ErrTemporary) && p.retrying != nil:
			since := p.retrying.Since
			if !since.IsZero() && p.r.cfg.Now().Sub(since) < giveUpReading {
				p.retrying = nil // again in vain
				return nil
			}
			msg, later = nil, since.IsZero() // until now its headers could not be read either
		case errors.Is(err, provider.ErrTemporary) && p.stuckOn(env.Ref):
			msg, later = nil, p.mayPass(env.Ref, env.Thread)
		case err != nil:
			return err
		}
	}
	v := classify.Classify(env, msg)
	if p.linked.Abilities.Content && msg == nil && v.Class != classify.Human && m.Direction != provider.DirectionOwn {
		v = classify.Verdict{Class: classify.Unsure, Evidence: "its content can't be read"}
	}
	if m.Direction == provider.DirectionReport {
		if msg != nil {
			about := m.Hits
			if m.Hits = citedHits(msg, about, ls); len(m.Hits) == 0 && msg.Report != nil && idsUnknown(about, ls) {
				return nil // the next search finds it again
			}
		} else {
			if guessed = !p.linked.Abilities.Content; guessed { // what has ended needs no guess
				m.Hits = slices.DeleteFunc(m.Hits, func(h provider.Hit) bool { return ls[h.Key] == nil || ls[h.Key].st.Terminal() })
			}
			m.Hits, v = likelyHit(env, m.Hits, ls), unread(v)
		}
		if len(m.Hits) == 0 {
			return p.forget(ctx, env.Ref)
		}
	}
	var err error
	if msg != nil && m.Direction == provider.DirectionIn && m.Hits[0].Evidence != provider.EvidenceReference {
		if m.Hits, ls, err = p.returned(ctx, msg, m.Hits, ls); err != nil {
			return err
		}
	}
	j := judgement{env: env, msg: msg, verdict: v, direction: m.Direction, later: later, guessed: guessed, hits: make(map[string]provider.Hit)}
	j.told = p.retrying != nil && !p.retrying.Since.IsZero() && classify.Classify(env, nil).Class == classify.Human
	j.read(p.r.safe)
	j.shared = shared(m.Hits, ls)
	credited := creditNewest(m.Hits, ls)
	for _, h := range credited {
		j.hits[h.Key] = h
	}
	if j.address, err = p.newAddress(ctx, &j, credited); err != nil {
		return err
	}
	if j.opened, err = p.opened(ctx, &j, credited); err != nil {
		return err
	}
	ids := make([]string, 0, len(m.Hits))
	for _, h := range m.Hits {
		ids = append(ids, h.Key)
	}
	if j.meansAll() || v.Complaint {
		more, err := p.alsoOf(ctx, &j, ls)
		if err != nil {
			return err
		}
		for _, id := range more {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	p.incoming++
	if err := p.refusesMailbox(ctx, &j, ls); err != nil {
		return err
	}
	_, err = p.r.change(ctx, ids, func(ls []*loaded, b *store.Batch) error {
		b.Fence = &p.claim.Fence
		for _, l := range ls {
			if err := p.judge(l, b, &j); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !later {
		return err
	}
	return p.readLater(ctx, passedItem{Ref: string(env.Ref), Thread: env.Thread, Reason: reason, Since: p.r.cfg.Now()})
}

// creditNewest leaves of several conversations with one address, where the
// address is all the evidence, the one with the newest mail.
func creditNewest(hits []provider.Hit, ls map[string]*loaded) []provider.Hit {
	if len(hits) < 2 || hits[0].Evidence != provider.EvidenceAddress {
		return hits
	}
	newest := slices.MaxFunc(hits, func(a, b provider.Hit) int { return lastMail(ls[a.Key]).Compare(lastMail(ls[b.Key])) })
	return []provider.Hit{newest}
}

func lastMail(l *loaded) time.Time {
	if l == nil || len(l.rec.Mails) == 0 {
		return time.Time{}
	}
	return l.rec.Mails[len(l.rec.Mails)-1].At
}

// alsoOf lists every enrollment, in all mailboxes, of the author of a message
// and of whom it answers for, or, as a complaint comes from a mail service, of
// whom the mail that it cites went to.
func (p *pass) alsoOf(ctx context.Context, j *judgement, ls map[string]*loaded) ([]string, error) {
	var who []string
	if j.verdict.Complaint {
		for id, hit := range j.hits {
			if l := ls[id]; l != nil && j.cites(l, hit) {
				who = append(who, l.row.Recipient)
			}
		}
	} else {
		for _, a := range j.env.From {
			who = append(who, a.Addr)
		}
		for id, hit := range j.hits {
			if l := ls[id]; l != nil && !hit.Copied {
				who = append(who, l.row.Recipient)
			}
		}
	}
	var ids []string
	for _, addr := range who {
		more, err := p.r.enrollmentsOf(ctx, addr)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	return ids, nil
}
