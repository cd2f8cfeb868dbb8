package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// alias is what is known of sending from one of a mailbox's further
// addresses. That a service lets a user send from an address, or lists it,
// proves neither that answers to it come here nor that mail leaves under it:
// only a mail that went from it to it, and came here with its From kept, does.
type alias struct {
	Proven time.Time `json:"proven,omitzero"` // when such a mail was last seen
	Lost   string    `json:"lost,omitempty"`  // why it is not proven any more, or was not
	At     time.Time `json:"at,omitzero"`     // when that was found out
}

// The problems of an alias: stable codes.
const (
	aliasForeign      = "not_owned"     // the link does not know it as the mailbox's
	aliasUnproven     = "not_proven"    // no preview has been seen yet
	aliasRewritten    = "rewritten"     // mail from it left under another address
	aliasNotDelivered = "not_delivered" // mail to it did not arrive in this mailbox
	aliasRefused      = "refused"       // the mail service refuses mail from it
)

var aliasWords = map[string]string{
	aliasForeign:      "it is no address of this mailbox any more",
	aliasUnproven:     "no preview from it has arrived yet",
	aliasRewritten:    "the mail service sent mail from it under another address",
	aliasNotDelivered: "mail to it did not arrive in this mailbox, so answers would not either",
	aliasRefused:      "the mail service refuses mail from it",
}

// arriveWithin is how long the mail of a preview may take to arrive.
const arriveWithin = 24 * time.Hour

// aliasProblem says why an alias may not be sent from; empty if it may.
func aliasProblem(addr string, acc provider.Account, box boxData) string {
	if !acc.Owns(addr) {
		return aliasForeign
	}
	a := box.Aliases[provider.Normalize(addr)]
	switch {
	case a.Lost != "":
		return a.Lost
	case a.Proven.IsZero():
		return aliasUnproven
	}
	return ""
}

// boxOf reads what is stored of a mailbox; the zero value if nothing is.
func (r *Runner) boxOf(ctx context.Context, id string) (boxData, error) {
	box, err := r.cfg.Store.GetMailbox(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && len(box.Data) == 0 {
		return boxData{}, nil
	}
	if err != nil {
		return boxData{}, fmt.Errorf("read mailbox %s: %w", id, err)
	}
	var data boxData
	if err := json.Unmarshal(box.Data, &data); err != nil {
		return boxData{}, fmt.Errorf("the data of mailbox %s: %w", id, err)
	}
	return data, nil
}

// Alias is a further address of a link's mailbox, and whether it may be sent
// from.
type Alias struct {
	Address string
	Proven  time.Time // when mail from it to it was last seen to arrive unchanged, in UTC; zero is never

	// Problem is why it may not be sent from; empty if it may: not_proven,
	// rewritten, not_delivered, refused or not_owned. A Preview with this From
	// proves it, but for not_owned: the link does not know the address as the
	// mailbox's, which linking.Linker.Check asks about. Words says the same in
	// English.
	Problem, Words string
}

// Aliases lists the addresses that a link knows its mailbox to have beside
// its own. It makes no request.
func (r *Runner) Aliases(ctx context.Context, link string) ([]Alias, error) {
	linked, err := r.cfg.Mailboxes.Open(ctx, link)
	if err != nil {
		return nil, fmt.Errorf("runner: aliases: open link %s: %w", link, err)
	}
	box, err := r.boxOf(ctx, mailboxID(linked))
	if err != nil {
		return nil, fmt.Errorf("runner: aliases: %w", err)
	}
	var out []Alias
	seen := map[string]bool{provider.Normalize(linked.Account.Address): true, "": true}
	for _, addr := range linked.Account.Addresses {
		key := provider.Normalize(addr)
		if seen[key] {
			continue
		}
		seen[key] = true
		why := aliasProblem(addr, linked.Account, box)
		out = append(out, Alias{Address: addr, Proven: box.Aliases[key].Proven.UTC(), Problem: why, Words: aliasWords[why]})
	}
	return out, nil
}

// setAlias stores what was found out of an alias, before anything else that
// follows from it. It is told once.
func (p *pass) setAlias(ctx context.Context, addr, lost string) error {
	was, now := p.data.Aliases[addr], p.r.cfg.Now()
	next := alias{Proven: now}
	if lost != "" {
		next = alias{Proven: was.Proven, Lost: lost, At: now}
	}
	aliases := map[string]alias{addr: next}
	for key, a := range p.data.Aliases {
		if key != addr {
			aliases[key] = a
		}
	}
	p.data.Aliases = aliases
	switch {
	case lost == "" && (was.Proven.IsZero() || was.Lost != ""):
		return p.announceThat(ctx, Event{Kind: EventAliasProven, Alias: addr})
	case lost != "" && was.Lost != lost:
		return p.announceThat(ctx, Event{Kind: EventAliasLost, Reason: aliasWords[lost], Alias: addr})
	}
	return p.save(ctx)
}

// The fates of a sentMail's From.
const (
	fateKept      = "kept"      // a copy bears it
	fateRewritten = "rewritten" // a copy bears another
	fateUnseen    = "unseen"    // no copy was found in time
)

// bears reports whether a copy's author is the alias.
func bears(from []provider.Address, addr string) bool {
	return slices.ContainsFunc(from, func(a provider.Address) bool { return provider.Normalize(a.Addr) == addr })
}

// seenFrom takes the proof from an alias whose mail left under another
// address: before the next mail leaves, and before it is told.
func (p *pass) seenFrom(ctx context.Context, m sentMail, from []provider.Address) error {
	if m.From == "" || m.Fate != "" || len(from) == 0 || bears(from, m.From) {
		return nil
	}
	return p.setAlias(ctx, m.From, aliasRewritten)
}

// judgeFrom writes what a copy says of a mail's From into the batch. That of
// a preview is not settled by its sent copy alone: see arrived. Mail from the
// mailbox's own address is looked at where a copy was read anyway, and may bear
// any address of the mailbox, since that can be renamed.
func (p *pass) judgeFrom(l *loaded, b *store.Batch, i int, from []provider.Address) {
	m, r := &l.rec.Mails[i], p.r
	rewritten := func(than string) {
		m.Fate = fateRewritten
		l.row.Flagged = true
		reason := "the mail left under another address than " + than
		r.tell(l, b, Event{Kind: EventRewritten, At: r.cfg.Now(), Step: m.Step, Reason: reason, Alias: m.From})
		r.tell(l, b, Event{Kind: EventFlagged, At: r.cfg.Now(), Step: m.Step, Reason: reason})
	}
	switch {
	case m.Fate != "" || len(from) == 0:
	case m.From == "":
		if !slices.ContainsFunc(from, func(a provider.Address) bool { return p.linked.Account.Owns(a.Addr) }) {
			rewritten("those of the mailbox")
		}
	case !bears(from, m.From):
		rewritten(m.From)
	case l.row.Kind != kindPreview:
		m.Fate = fateKept
	}
}

// settleFrom finds out what became of the From of one mail from an alias.
func (p *pass) settleFrom(ctx context.Context, u unconfirmed) error {
	l, err := p.again(ctx, u.enrollment)
	if err != nil || l == nil {
		return err
	}
	i := slices.IndexFunc(l.rec.Mails, func(m sentMail) bool { return m.Intent == u.mail.Intent })
	if i < 0 || l.rec.Mails[i].Fate != "" {
		return nil
	}
	m, fate, lost := l.rec.Mails[i], "", ""
	from, err := p.fromOf(ctx, l, m)
	switch {
	case err != nil:
		return err
	case len(from) == 0 && p.r.cfg.Now().Sub(m.At) < arriveWithin:
		p.waits = true
		return nil
	case len(from) == 0 && l.row.Kind == kindPreview && !slices.ContainsFunc(l.rec.Mails, func(m sentMail) bool { return m.Fate == fateKept }):
		fate, lost = fateUnseen, aliasNotDelivered
	case len(from) == 0:
		fate = fateUnseen
	case !bears(from, m.From):
		lost = aliasRewritten
	default:
		fate = fateKept
	}
	if lost != "" || l.row.Kind == kindPreview && fate == fateKept {
		if err := p.setAlias(ctx, m.From, lost); err != nil {
			return err
		}
	}
	_, err = p.r.change(ctx, []string{l.id()}, func(ls []*loaded, b *store.Batch) error {
		for _, l := range ls {
			i := slices.IndexFunc(l.rec.Mails, func(m sentMail) bool { return m.Intent == u.mail.Intent })
			switch {
			case i < 0 || l.rec.Mails[i].Fate != "":
			case fate != "":
				l.rec.Mails[i].Fate = fate
			default:
				p.judgeFrom(l, b, i, from)
			}
		}
		return nil
	})
	return err
}

// fromOf reads the From of a mail's copy: for a preview of the copy that
// arrived, for all else of the one that was kept. Nil is none yet.
func (p *pass) fromOf(ctx context.Context, l *loaded, m sentMail) ([]provider.Address, error) {
	intents, err := p.r.cfg.Store.LoadIntents(ctx, l.id())
	if err != nil {
		return nil, fmt.Errorf("runner: intents of %s: %w", l.id(), err)
	}
	for _, in := range intents {
		if in.ID != m.Intent {
			continue
		}
		copies, err := p.mb.copies(ctx, in, false, ReasonSentCopy)
		switch {
		case errors.Is(err, provider.ErrNotSettled), errors.Is(err, provider.ErrNotSent), errors.Is(err, provider.ErrOutcomeUnknown):
			return nil, nil
		case err != nil:
			return nil, err
		}
		for _, c := range copies {
			if !c.Departed() || c.Place == provider.PlaceSent && l.row.Kind == kindPreview {
				continue
			}
			env, err := p.mb.envelope(ctx, c.Ref, ReasonSentCopy)
			if errors.Is(err, provider.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			return env.From, nil
		}
	}
	return nil, nil
}
