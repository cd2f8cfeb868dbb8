package postoffice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// SubmitParams is a mail to be sent.
type SubmitParams struct {
	Raw    []byte // RFC 5322; recipients are read from To, Cc and Bcc
	Thread int64  // the thread asked for; zero lets the headers decide
	NoCopy bool   // keep no copy in Sent

	// Lost are header fields that the service drops on the way out.
	Lost []string

	// Stages are where the copy lies before it is in Sent, and how long. The
	// mail leaves when the last ends.
	Stages []Stage
}

// Stage is one step of a mail between acceptance and sending.
type Stage struct {
	Label string
	For   time.Duration
}

// Submit accepts a mail from the mailbox's owner: writes it into the books,
// keeps a copy in Sent, and delivers it without Bcc. It returns the copy; the
// zero Message but for its MessageID, where none is kept.
//
// ErrNoRecipients, ErrSenderRefused and ErrNoThread mean that nothing was
// accepted.
func (m *Mailbox) Submit(p SubmitParams) (Message, error) {
	o := m.office
	o.mu.Lock()
	defer o.mu.Unlock()

	fields, _ := Split(p.Raw)
	h := headerOf(fields)
	recipients := m.recipients(h["To"], h["Cc"], h["Bcc"])
	if len(recipients) == 0 {
		return Message{}, fmt.Errorf("submit: %w", ErrNoRecipients)
	}
	if p.Thread != 0 && len(m.threads[p.Thread]) == 0 {
		return Message{}, fmt.Errorf("submit: %w", ErrNoThread)
	}
	from := addresses(h["From"])
	if len(from) > 0 {
		if allowed, _ := m.leavesAs(from[0].Addr); !allowed {
			return Message{}, fmt.Errorf("submit: %w", ErrSenderRefused)
		}
	}

	now := o.clock.Now()
	raw, id := m.outgoing(p.Raw, from, h["Message-Id"], h.Get("Date") != "")
	raw = edit(raw, nil, p.Lost...)
	sub := Submission{
		Mailbox: m.Address(), Recipients: recipients, MessageID: id, Key: strings.TrimSpace(h.Get(provider.KeyHeader)),
		Raw: p.Raw, At: now, number: len(o.books.submissions) + 1,
	}
	if ids := messageIDs(h["Message-Id"]); len(ids) > 0 {
		sub.SuppliedID = ids[0]
	}
	self := false
	for _, r := range recipients {
		self = self || m.Owns(r)
	}

	copied := Message{MessageID: id}
	merged := self && m.beliefs.SelfMailOneMessage && !p.NoCopy && !m.beliefs.SentCopyMissing
	stages := slices.DeleteFunc(slices.Clone(p.Stages), func(s Stage) bool { return s.For <= 0 })
	kept := m.keep(p, raw, stages, merged, now)
	if kept != nil {
		copied, sub.Number = kept.Message, kept.Number
	}
	o.books.submissions = append(o.books.submissions, sub)

	delivered := edit(raw, nil, "Bcc")
	o.pass(m, kept, stages, func() {
		m.sent(kept, p.NoCopy, merged)
		for _, r := range recipients {
			if merged && m.Owns(r) {
				o.books.deliver(sub, r, Delivered)
				continue
			}
			o.later(m.delays.Delivery, func() { o.carry(m, sub, r, delivered) })
		}
	})
	return copied, nil
}

// keep files the sender's copy, or returns nil where there is none.
func (m *Mailbox) keep(p SubmitParams, raw []byte, stages []Stage, merged bool, now time.Time) *message {
	if (p.NoCopy || m.beliefs.SentCopyMissing) && len(stages) == 0 {
		return nil
	}
	if !m.beliefs.SentCopyKeepsID {
		raw = edit(raw, []Field{{"Message-ID", m.office.newID("copy", m.idDomain)}}, "Message-ID")
	}
	labels := []string{LabelSent}
	switch {
	case len(stages) > 0:
		labels = []string{stages[0].Label}
	case merged:
		labels = append(labels, LabelInbox)
	}
	return m.add(raw, labels, now, true, false, m.askedThread(raw, p.Thread), m.delays.SentCopy)
}

// pass lets a mail go through its stages and runs leave when it has.
func (o *Office) pass(m *Mailbox, kept *message, stages []Stage, leave func()) {
	if len(stages) == 0 {
		leave()
		return
	}
	if !kept.gone {
		m.move(kept, stages[0].Label)
	}
	o.later(stages[0].For, func() { o.pass(m, kept, stages[1:], leave) })
}

// sent moves a copy that went through stages to Sent, or away where none is
// kept.
func (m *Mailbox) sent(kept *message, noCopy, merged bool) {
	switch {
	case kept == nil || kept.gone:
	case noCopy || m.beliefs.SentCopyMissing:
		m.remove(kept)
	case merged:
		m.move(kept, LabelSent, LabelInbox)
	default:
		m.move(kept, LabelSent)
	}
}

// recipients lists whom a mail goes to, each once, in header order.
func (m *Mailbox) recipients(lists ...[]string) []string {
	var out []string
	seen := make(map[string]bool)
	for _, values := range lists {
		for _, a := range addresses(values) {
			key := provider.Normalize(a.Addr)
			if box := m.office.byAddress[key]; box != nil {
				key = provider.Normalize(box.Address())
			}
			if key != "" && !seen[key] {
				seen[key] = true
				out = append(out, key)
			}
		}
	}
	return out
}

// outgoing makes the bytes that leave, and their Message-ID.
func (m *Mailbox) outgoing(raw []byte, from []provider.Address, supplied []string, dated bool) ([]byte, string) {
	var front []Field
	var remove []string
	id := strings.TrimSpace(strings.Join(supplied, " "))
	if !m.beliefs.KeepsMessageID || !wellFormedID(id) {
		remove = append(remove, "Message-ID", "X-Google-Original-Message-ID")
		if id != "" && m.beliefs.KeepsOriginalID {
			front = append(front, Field{"X-Google-Original-Message-ID", id})
		}
		id = m.office.newID("CA", m.idDomain)
		front = append(front, Field{"Message-ID", id})
	}
	kept := false
	if len(from) > 0 {
		_, kept = m.leavesAs(from[0].Addr)
	}
	if !kept {
		remove = append(remove, "From")
		front = append(front, Field{"From", mailboxField(m.name, m.Address())})
	}
	if !dated {
		front = append(front, Field{"Date", m.office.clock.Now().Format(time.RFC1123Z)})
	}
	if !m.beliefs.KeepsReferences {
		remove = append(remove, "In-Reply-To", "References")
	}
	return edit(raw, front, remove...), id
}

// askedThread returns the thread asked for if the mail fits into it: equal
// subject, and a reference to one of its messages. Else zero.
func (m *Mailbox) askedThread(raw []byte, asked int64) int64 {
	msg := m.read(raw)
	for _, other := range m.threads[asked] {
		if other.base != msg.base {
			continue
		}
		if !m.beliefs.ThreadNeedsReferences {
			return asked
		}
		for _, ref := range msg.refs {
			if provider.BareID(other.MessageID) == ref {
				return asked
			}
		}
	}
	return 0
}

// carry brings an accepted mail to one recipient.
func (o *Office) carry(from *Mailbox, sub Submission, to string, raw []byte) {
	sender := from.Address()
	arriving := edit(raw, []Field{
		{"Return-Path", "<" + sender + ">"},
		{"Received", "from mail." + domainOf(sender) + " by mx." + domainOf(to) + " with ESMTPS; " + o.clock.Now().Format(time.RFC1123Z)},
	})
	if box := o.byAddress[to]; box != nil {
		if box.owner == nil {
			box.receive(Mail{Raw: arriving})
			o.books.deliver(sub, to, Delivered)
			return
		}
		if fate, _ := box.owner.next(from); fate == Delivered {
			box.receive(Mail{Raw: arriving})
		}
		box.owner.receive(from, sub, arriving)
		return
	}
	if p := o.people[to]; p != nil {
		p.receive(from, sub, arriving)
		return
	}
	// The rest of the world takes everything and says nothing.
	o.books.deliver(sub, to, Delivered)
}

func domainOf(addr string) string {
	return addr[strings.LastIndexByte(addr, '@')+1:]
}
