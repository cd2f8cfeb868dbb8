package runner

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// compose renders a step and builds its MIME, once: the bytes are kept with
// the intent, and what is sent is what was committed.
func (p *pass) compose(ctx context.Context, l *loaded, step sequence.Step, in *store.Intent) (intentMeta, error) {
	words, err := guarded(func() (Rendered, error) {
		return p.r.cfg.Renderer.Render(ctx, RenderRequest{Enrollment: p.r.view(l), Step: step, Data: maps.Clone(l.rec.Vars)})
	})
	if err != nil {
		return intentMeta{}, fmt.Errorf("%w: step %d: %w", errRender, step.ID, err)
	}
	// The ids derive from the enrollment and the step, so that after a
	// restore from a backup the same mail still has the same id.
	if in.MessageID, in.Key, err = p.r.mailIDs(l.id(), step.ID); err != nil {
		return intentMeta{}, err
	}
	meta := intentMeta{
		From: provider.Address{Name: l.rec.FromName, Addr: cmp.Or(l.rec.From, p.linked.Account.Address)},
		To:   []provider.Address{l.rec.To}, Cc: l.rec.Cc, Bcc: l.rec.Bcc,
		Thread: p.thread(l, step, words.Subject), Text: words.Text, HTML: words.HTML, Original: in.Created,
	}
	meta.Subject = meta.Thread.Subject
	if meta.Thread.InReplyTo != "" {
		meta.Subject = mimemsg.SubjectReply(meta.Thread.Subject)
	}
	draft := mimemsg.Draft{
		From: meta.From, To: meta.To, Cc: meta.Cc, Bcc: meta.Bcc, Subject: meta.Subject, Date: in.Created,
		MessageID: in.MessageID, InReplyTo: meta.Thread.InReplyTo, References: meta.Thread.References, Key: in.Key,
		Text: words.Text, HTML: words.HTML,
	}
	for _, f := range words.Attachments {
		draft.Attachments = append(draft.Attachments, mimemsg.File{
			Name: f.Name, ContentType: f.ContentType, Data: f.Data, ContentID: f.ContentID, Inline: f.Inline,
		})
		meta.Parts = append(meta.Parts, store.Part{Name: f.Name, ContentType: f.ContentType, Size: int64(len(f.Data)), Inline: f.Inline})
	}
	for _, h := range words.Header {
		draft.Header = append(draft.Header, mimemsg.Field{Name: h.Name, Value: h.Value})
	}
	if in.Raw, err = mimemsg.Build(draft); err != nil {
		return intentMeta{}, err
	}
	if limit := p.linked.Limits.MaxMessageBytes; limit > 0 && int64(len(in.Raw)) > limit {
		return intentMeta{}, &provider.FieldError{Op: "runner: send", Field: fmt.Sprintf("Steps[%d]", step.ID), Problem: fmt.Sprintf(
			"makes a mail of %d bytes; the mail service takes %d", len(in.Raw), limit)}
	}
	return meta, nil
}

// mailIDs are the Message-ID and the key of a step's mail.
func (r *Runner) mailIDs(enrollment string, step sequence.StepID) (messageID, key string, err error) {
	const group = "0"
	messageID, err = mimemsg.NewMessageID(r.cfg.Key, r.cfg.Domain, "message-id", enrollment, stepKey(step), group)
	return messageID, derive(r.cfg.Key, "send", enrollment, stepKey(step), group), err
}

// thread says where a step's mail belongs. A step without a subject answers
// the mail before it, citing every mail of the thread (RFC 5322 section
// 3.6.4); one with a subject begins a thread.
func (p *pass) thread(l *loaded, step sequence.Step, subject string) provider.Thread {
	if l.rec.Reply != nil {
		return l.rec.Reply.Thread
	}
	if step.Subject != "" || len(l.rec.Mails) == 0 {
		return provider.Thread{Subject: subject}
	}
	start := 0
	for i, m := range l.rec.Mails {
		if m.Starts {
			start = i
		}
	}
	chain := l.rec.Mails[start:]
	last := chain[len(chain)-1]
	t := provider.Thread{ID: last.Thread, InReplyTo: last.id(), Subject: last.Subject}
	for _, m := range chain {
		if !slices.Contains(t.References, m.id()) {
			t.References = append(t.References, m.id())
		}
	}
	return t
}
