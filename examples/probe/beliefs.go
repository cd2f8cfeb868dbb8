package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// mail is one that was sent to the account itself, and its copies.
type mail struct {
	id, key string
	sent    *provider.Envelope // the copy in Sent
	inbox   *provider.Envelope // what arrived
	refs    int                // different messages
}

// beliefs goes through what can be told from outside with the access that the
// module asks for. The switches of the fakes that it can't tell are named.
func (p *probe) beliefs(ctx context.Context) error {
	p.say("A few mails to your own inbox follow. Each may take a while to appear.")
	if err := p.aboutTokens(ctx); err != nil {
		return err
	}
	var since string
	if p.prov.Kind() == provider.MSGraph {
		var err error
		if since, _, err = p.deltaFrom(ctx); err != nil {
			return fmt.Errorf("delta: %w", err)
		}
	}
	first, err := p.mailMyself(ctx, mimemsg.Draft{Subject: "Probe: a new mail"}, "")
	if err != nil {
		return err
	}
	p.aboutCopies(first)
	if first.inbox == nil {
		p.report.see("all others", "unknown", "the first mail did not arrive")
		return nil
	}
	second, err := p.mailMyself(ctx, mimemsg.Draft{
		Subject: mimemsg.SubjectReply("Probe: a new mail"), InReplyTo: first.inbox.MessageID, References: []string{first.inbox.MessageID},
		Header: []mimemsg.Field{{Name: "List-Unsubscribe", Value: "<mailto:nobody@example.com>"}, {Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"}},
	}, first.inbox.Thread)
	if err != nil {
		return err
	}
	p.aboutThreads(first, second)
	third, err := p.mailMyself(ctx, mimemsg.Draft{Subject: "Probe: a new mail"}, "")
	if err != nil {
		return err
	}
	if third.inbox != nil {
		p.report.see("EqualSubjectsMerge", yesNo(third.inbox.Thread == first.inbox.Thread), "a mail without references joined the thread of its subject")
	}
	if err := p.aboutMessageIDs(ctx); err != nil {
		return err
	}
	if err := p.aboutFrom(ctx); err != nil {
		return err
	}
	if err := p.aboutAlias(ctx); err != nil {
		return err
	}
	for _, name := range []string{"ThreadNeedsReferences", "ReportsJoinThread", "ExchangeReports"} {
		p.report.see(name, "unknown", "can't be told without bothering others")
	}
	if p.prov.Kind() == provider.MSGraph {
		return p.aboutGraph(ctx, since, first)
	}
	p.aboutGmail()
	return nil
}

// build makes a mail from the account to itself.
func (p *probe) build(d mimemsg.Draft) (*provider.Outgoing, error) {
	p.mails++
	id, err := mimemsg.NewMessageID([]byte(p.report.began.String()), "probe.example.com", fmt.Sprint(p.mails))
	if err != nil {
		return nil, err
	}
	d.MessageID, d.Key, d.Date = id, fmt.Sprintf("probe-%d-%d", p.report.began.UnixNano(), p.mails), p.now()
	d.To, d.Text = []provider.Address{{Addr: p.linked.Account.Address}}, "This mail was sent by a program to find out how this mail service behaves. You can delete it."
	if d.From.Addr == "" {
		d.From = provider.Address{Name: "Probe", Addr: p.linked.Account.Address}
	}
	raw, err := mimemsg.Build(d)
	if err != nil {
		return nil, err
	}
	return &provider.Outgoing{
		Raw: raw, MessageID: d.MessageID, Key: d.Key, From: d.From, To: d.To, NotAfter: p.now().Add(time.Minute),
		Thread: provider.Thread{InReplyTo: d.InReplyTo, References: d.References, Subject: "Probe: a new mail"},
	}, nil
}

// mailMyself sends a mail to the account and waits for its copies.
func (p *probe) mailMyself(ctx context.Context, d mimemsg.Draft, thread string) (mail, error) {
	out, err := p.build(d)
	if err != nil {
		return mail{}, err
	}
	out.Thread.ID = thread
	return p.send(ctx, p.linked.Mailbox, out)
}

func (p *probe) send(ctx context.Context, mb provider.Mailbox, out *provider.Outgoing) (mail, error) {
	prof, err := p.linked.Mailbox.Profile(ctx)
	if err != nil {
		return mail{}, fmt.Errorf("profile: %w", err)
	}
	m := mail{id: out.MessageID, key: out.Key}
	if _, err := mb.Send(ctx, out); err != nil {
		return m, fmt.Errorf("send: %w", err)
	}
	_, _, err = p.until(ctx, func() (bool, error) { return p.copies(ctx, prof.Cursor, &m) })
	return m, err
}

// copies follows the feed and looks at mail that came since the send: all of
// it is looked at, since the mailbox's owner asked for the probe; what is not
// the probe's is dropped at once.
func (p *probe) copies(ctx context.Context, since provider.Cursor, m *mail) (bool, error) {
	refs := make(map[provider.Ref]bool)
	for at, more := since, true; more; {
		page, err := p.linked.Mailbox.Changes(ctx, at)
		if err != nil {
			return false, err
		}
		for _, it := range page.Items {
			if refs[it.Ref] || it.Draft {
				continue
			}
			env, err := p.linked.Mailbox.Envelope(ctx, it.Ref)
			if errors.Is(err, provider.ErrNotFound) {
				continue
			}
			if err != nil {
				return false, err
			}
			if !m.is(env) {
				continue
			}
			refs[it.Ref] = true
			if env.Own || env.Place == provider.PlaceSent {
				m.sent = env
			}
			if env.Place == provider.PlaceInbox || len(env.Header["Received"]) > 0 {
				m.inbox = env
			}
		}
		at, more = page.Next, page.More
	}
	if m.refs = len(refs); m.refs == 1 && m.sent != nil && m.inbox == nil {
		// One message in two places shows one of them here; Locate tells both.
		copies, err := p.linked.Mailbox.Locate(ctx, provider.SendKey{MessageID: m.sent.MessageID, Key: m.key, Cursor: since, Deadline: p.now()})
		if err != nil {
			return false, nil
		}
		for _, c := range copies {
			if c.Place == provider.PlaceInbox {
				m.inbox = m.sent
			}
		}
	}
	return m.sent != nil && m.inbox != nil, nil
}

// is recognises a copy by the Message-ID, by our key, or by the id that the
// service moved aside.
func (m *mail) is(env *provider.Envelope) bool {
	return provider.BareID(env.MessageID) == provider.BareID(m.id) || strings.TrimSpace(env.Header.Get(provider.KeyHeader)) == m.key ||
		provider.BareID(env.Header.Get("X-Google-Original-Message-Id")) == provider.BareID(m.id)
}

func (p *probe) aboutCopies(m mail) {
	p.report.see("SentCopyMissing", yesNo(m.sent == nil), "whether a copy appeared in Sent")
	if m.inbox == nil {
		return
	}
	same := provider.BareID(m.inbox.MessageID) == provider.BareID(m.id)
	p.report.see("KeepsMessageID", yesNo(same), "a well-formed Message-ID arrived unchanged")
	p.report.see("SelfMailOneMessage", yesNo(m.refs == 1), fmt.Sprintf("a mail to oneself is %d messages", m.refs))
	kept := strings.TrimSpace(m.inbox.Header.Get(provider.KeyHeader)) == m.key
	p.report.see("DropsCustomHeaders", yesNo(!kept), "a header of our own did not arrive")
	if m.sent != nil {
		p.report.see("SentCopyKeepsID", yesNo(provider.BareID(m.sent.MessageID) == provider.BareID(m.inbox.MessageID)), "Sent and inbox agree on the Message-ID")
	}
}

func (p *probe) aboutThreads(first, second mail) {
	if second.inbox == nil {
		p.report.see("KeepsReferences", "unknown", "the follow-up did not arrive")
		return
	}
	kept := len(second.inbox.InReplyTo) == 1 && len(second.inbox.References) == 1 && second.inbox.InReplyTo[0] == first.inbox.MessageID
	p.report.see("KeepsReferences", yesNo(kept), "In-Reply-To and References arrived unchanged")
	joined := second.inbox.Thread == first.inbox.Thread || first.sent != nil && second.inbox.Thread == first.sent.Thread
	p.report.see("FollowUpJoinsThread", yesNo(joined), "the follow-up lies in the first mail's thread")
	p.report.see("KeepsListUnsubscribe", yesNo(second.inbox.Header.Get("List-Unsubscribe") != ""), "List-Unsubscribe arrived")
}

// aboutMessageIDs sends a mail whose Message-ID has no dot in its domain.
func (p *probe) aboutMessageIDs(ctx context.Context) error {
	out, err := p.build(mimemsg.Draft{Subject: "Probe: a malformed Message-ID"})
	if err != nil {
		return err
	}
	bad := fmt.Sprintf("<probe.%d@localhost>", p.report.began.UnixNano())
	out.Raw = []byte(strings.Replace(string(out.Raw), out.MessageID, bad, 1))
	out.MessageID = bad
	m, err := p.send(ctx, p.linked.Mailbox, out)
	if err != nil {
		return err
	}
	if m.inbox == nil {
		for _, name := range []string{"KeepsMalformedID", "KeepsOriginalID"} {
			p.report.see(name, "unknown", "the mail did not arrive, or could not be recognised")
		}
		return nil
	}
	p.report.see("KeepsMalformedID", yesNo(provider.BareID(m.inbox.MessageID) == provider.BareID(bad)), "a Message-ID on a domain without a dot arrived unchanged")
	p.report.see("KeepsOriginalID", yesNo(m.inbox.Header.Get("X-Google-Original-Message-Id") != ""), "a replaced Message-ID is kept in a header")
	return nil
}

// aboutFrom sends a mail from an address that is none of the account's, to
// the account itself. The module refuses that, so the mailbox is opened once
// as if it had the address.
func (p *probe) aboutFrom(ctx context.Context) error {
	const foreign = "probe@example.com"
	acc := p.linked.Account
	acc.Addresses = append(append([]string(nil), acc.Addresses...), foreign)
	mb := p.prov.Open(acc, p.prov.tokens)
	out, err := p.build(mimemsg.Draft{Subject: "Probe: another From", From: provider.Address{Addr: foreign}})
	if err != nil {
		return err
	}
	m, err := p.send(ctx, mb, out)
	var pe *provider.Error
	switch {
	case errors.As(err, &pe) && pe.Kind != provider.ErrOutcomeUnknown:
		p.report.see("RewritesFrom", "false", "a foreign From is refused: "+pe.Reason)
		return nil
	case err != nil:
		return err
	case m.inbox == nil:
		p.report.see("RewritesFrom", "unknown", "accepted, and did not arrive")
		return nil
	}
	own := len(m.inbox.From) == 1 && p.linked.Account.Owns(m.inbox.From[0].Addr)
	p.report.see("RewritesFrom", yesNo(own), "a foreign From is accepted")
	return nil
}

// aboutAlias sends a mail from an alias of the account, to the account itself.
func (p *probe) aboutAlias(ctx context.Context) error {
	const name = "RewritesAlias"
	acc := p.linked.Account
	i := slices.IndexFunc(acc.Addresses, func(a string) bool { return provider.Normalize(a) != provider.Normalize(acc.Address) })
	if i < 0 {
		p.report.see(name, "unknown", "the account has no alias, as far as the service tells")
		return nil
	}
	alias := acc.Addresses[i]
	out, err := p.build(mimemsg.Draft{Subject: "Probe: from an alias", From: provider.Address{Addr: alias}})
	if err != nil {
		return err
	}
	m, err := p.send(ctx, p.linked.Mailbox, out)
	var pe *provider.Error
	switch {
	case errors.As(err, &pe) && pe.Kind != provider.ErrOutcomeUnknown:
		p.report.see(name, "unknown", "mail from an alias is refused: "+pe.Reason)
		return nil
	case err != nil:
		return err
	case m.inbox == nil:
		p.report.see(name, "unknown", "accepted, and did not arrive")
		return nil
	}
	kept := len(m.inbox.From) == 1 && provider.Normalize(m.inbox.From[0].Addr) == provider.Normalize(alias)
	p.report.see(name, yesNo(!kept), "mail from an alias arrived, under its own name or the account's")
	return nil
}
