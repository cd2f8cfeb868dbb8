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
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// ReplyParams answers in a conversation. Key, Enrollment and Text or HTML are
// required.
type ReplyParams struct {
	Key string // as in EnrollParams

	// Enrollment is whose conversation is answered in: of a drip or a single
	// mail, or of an earlier reply in it.
	Enrollment string

	Actor    string // as in EnrollParams
	Cc, Bcc  []provider.Address
	FromName string // empty is that of the conversation
	Text     string
	HTML     string
	Data     map[string]string
}

// Reply queues an answer in a conversation, due at once: in the thread of the
// newest mail that a person wrote in it, to the address that it came from, or
// its Reply-To; if nobody has written yet, to the recipient in the thread of
// our mail. It leaves from the same mailbox and address, exactly once, and is
// logged in the same conversation, where it takes back the AnswerNeeded mark.
// As with a mail that is written by hand, the drip ends (EventTookOver),
// unless its sequence says KeepGoing.
//
// What it returns is an enrollment of its own, of the kind "reply"; its
// Conversation is the one that it answers in. Calling it again with the same
// Key and words is the same reply. ErrSuppressed if the recipient wants no
// more mail. Mailbox and thread are looked up in what is stored: it makes no
// request.
func (r *Runner) Reply(ctx context.Context, p ReplyParams) (Enrollment, error) {
	if strings.TrimSpace(p.Text) == "" && strings.TrimSpace(p.HTML) == "" {
		return Enrollment{}, &provider.FieldError{Op: "runner: reply", Field: "Text", Problem: "and HTML are both empty"}
	}
	for range maxConflicts {
		e, err := r.reply(ctx, p)
		if !errors.Is(err, store.ErrConflict) {
			return e, err
		}
	}
	return Enrollment{}, fmt.Errorf("runner: reply: enrollment %s changed under every attempt: %w", p.Enrollment, store.ErrConflict)
}

func (r *Runner) reply(ctx context.Context, p ReplyParams) (Enrollment, error) {
	talk, err := r.talk(ctx, p.Enrollment)
	if err != nil {
		return Enrollment{}, err
	}
	if len(talk.rec.Mails) == 0 {
		return Enrollment{}, &provider.FieldError{Op: "runner: reply", Field: "Enrollment", Problem: "has sent no mail yet, so there is no thread to answer in; use Send"}
	}
	to, thread := talk.answerTo()
	ep := EnrollParams{
		Key: p.Key, Link: talk.row.Link, Actor: p.Actor, Recipient: to, Cc: p.Cc, Bcc: p.Bcc,
		FromName: cmp.Or(p.FromName, talk.rec.FromName), From: talk.rec.From, Data: p.Data,
		// Another mail of the recipient's does not call back an answer.
		Sequence: &sequence.Sequence{ID: "reply", Independent: true, Steps: []sequence.Step{
			{ID: 1, Subject: cmp.Or(talk.rec.Mails[0].Subject, "Re:"), Text: p.Text, HTML: p.HTML},
		}},
	}
	l, words, err := r.begin(&ep, kindReply)
	if err != nil {
		return Enrollment{}, err
	}
	l.row.Recipient = talk.row.Recipient // whose data it is, whatever address it goes to
	l.rec.Known, l.rec.Reply = talk.rec.Known, &replyTo{Enrollment: talk.id(), Thread: thread}
	if was, err := r.enrolledBefore(ctx, l); !errors.Is(err, ErrNotFound) {
		return was, err
	}
	if err := r.admit(ctx, l, &ep, kindReply); err != nil {
		return Enrollment{}, err
	}
	if hit, err := r.cfg.Store.Suppressed(ctx, []string{r.suppressionHash(talk.row.Recipient)}); err != nil || len(hit) > 0 {
		return Enrollment{}, errors.Join(err, ErrSuppressed)
	}
	err = r.commit(ctx, []*loaded{l, talk}, func(_ []*loaded, b *store.Batch) error {
		now := r.cfg.Now()
		talk.rec.Replies = append(talk.rec.Replies, l.id())
		if err := r.happen(talk, b, sequence.Event{Kind: sequence.EventTookOver, At: sequence.InstantOf(now)}, "answered through the host"); err != nil {
			return err
		}
		r.answered(talk, b, now)
		return r.enter(l, b, words, kindReply)
	})
	if err != nil {
		return Enrollment{}, err
	}
	return r.view(l), nil
}

// talk returns the enrollment whose conversation an enrollment is in.
func (r *Runner) talk(ctx context.Context, id string) (*loaded, error) {
	l, err := r.find(ctx, id)
	if err != nil {
		return nil, err
	}
	if l.rec.Reply != nil {
		if l, err = r.find(ctx, l.rec.Reply.Enrollment); err != nil {
			return nil, err
		}
	}
	if l.row.Kind == kindPreview {
		return nil, fmt.Errorf("%w: %s is a preview and no conversation", ErrNotFound, id)
	}
	return l, nil
}

// replyTo is the conversation that a reply belongs to, and its place in it.
type replyTo struct {
	Enrollment string          `json:"enrollment"`
	Thread     provider.Thread `json:"thread"`
}

// heard is the newest mail that a person wrote in a conversation: what an
// answer has to cite.
type heard struct {
	MessageID string           `json:"message_id"`
	Thread    string           `json:"thread"`
	Subject   string           `json:"subject"`
	From      provider.Address `json:"from"` // whom to answer
	At        time.Time        `json:"at"`
}

// hear remembers a mail of a person's if it is the newest.
func (l *loaded) hear(j *judgement, account provider.Account) {
	env := j.env
	if j.verdict.Class != classify.Human || j.direction != provider.DirectionIn || len(env.From) == 0 ||
		l.rec.Heard != nil && !env.Received.After(l.rec.Heard.At) {
		return
	}
	from := env.From[0]
	if len(env.ReplyTo) == 1 && provider.Normalize(env.ReplyTo[0].Addr) != "" && !account.Owns(env.ReplyTo[0].Addr) {
		from = env.ReplyTo[0] // RFC 5322 section 3.6.2
	}
	l.rec.Heard = &heard{
		MessageID: plain(env.MessageID), Thread: plain(env.Thread), Subject: plain(env.Subject), At: env.Received,
		From: provider.Address{Name: strings.Join(strings.Fields(plain(from.Name)), " "), Addr: plain(from.Addr)},
	}
}

// answerTo says whom an answer goes to and where it belongs. It cites all
// mails of ours in the thread and the one that it answers (RFC 5322 section
// 3.6.4).
func (l *loaded) answerTo() (provider.Address, provider.Thread) {
	last := l.rec.Mails[len(l.rec.Mails)-1]
	to, t := l.rec.To, provider.Thread{ID: last.Thread, InReplyTo: last.id(), Subject: last.Subject}
	if h := l.rec.Heard; h != nil {
		if provider.Normalize(h.From.Addr) != "" {
			to = h.From
		}
		t.ID, t.InReplyTo = cmp.Or(h.Thread, t.ID), cmp.Or(h.MessageID, t.InReplyTo)
		if !slices.ContainsFunc(l.rec.Mails, func(m sentMail) bool { return m.Thread == h.Thread }) {
			t.Subject = cmp.Or(h.Subject, t.Subject) // a thread that the recipient opened
		}
	}
	for _, m := range l.mails() {
		if (m.Thread == "" || m.Thread == t.ID) && m.id() != t.InReplyTo && !slices.Contains(t.References, m.id()) {
			t.References = append(t.References, m.id())
		}
	}
	t.References = append(t.References, t.InReplyTo)
	return to, t
}

// mails are those of the enrollment and of the replies in its conversation,
// with those on their way.
func (l *loaded) mails() []sentMail {
	var all []sentMail
	for _, l := range append([]*loaded{l}, l.replies...) {
		all = append(all, l.rec.Mails...)
		if l.rec.Open != nil {
			all = append(all, *l.rec.Open)
		}
	}
	return all
}

// conversation is the enrollment under which the mails of this one are logged
// and answers to them are found.
func (l *loaded) conversation() string {
	if l.rec.Reply != nil {
		return l.rec.Reply.Enrollment
	}
	return l.id()
}

// withReplies adds the replies in their conversations to enrollments.
func (r *Runner) withReplies(ctx context.Context, ls []*loaded) error {
	for _, l := range ls {
		if len(l.rec.Replies) == 0 {
			continue
		}
		var err error
		if l.replies, err = r.load(ctx, l.rec.Replies); err != nil { // replies have none of their own
			return err
		}
	}
	return nil
}

// answered says that a person of the sender's side has answered.
func (r *Runner) answered(l *loaded, b *store.Batch, at time.Time) {
	if l.row.Flagged {
		l.row.Flagged = false
		r.tell(l, b, Event{Kind: EventAnswered, At: at})
	}
}

// Answered says that a conversation needs no answer any more: one was given
// elsewhere, or nobody wants to. It clears Enrollment.Flagged and the
// conversation's AnswerNeeded mark in the log. A hold stays; Resume ends it.
func (r *Runner) Answered(ctx context.Context, id string) (Enrollment, error) {
	talk, err := r.talk(ctx, id)
	if err != nil {
		return Enrollment{}, err
	}
	ls, err := r.change(ctx, []string{talk.id()}, func(ls []*loaded, b *store.Batch) error {
		if len(ls) == 0 {
			return fmt.Errorf("%w: %s", ErrNotFound, id)
		}
		r.answered(ls[0], b, r.cfg.Now())
		return nil
	})
	if err != nil {
		return Enrollment{}, err
	}
	if r.cfg.Log != nil {
		if err := r.cfg.Log.Flag(ctx, talk.id(), false); err != nil && !errors.Is(err, store.ErrNotFound) {
			return Enrollment{}, fmt.Errorf("runner: answered: the conversation log: %w", err)
		}
	}
	return r.view(ls[0]), nil
}
