package postoffice

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// memMailbox is an opened mailbox of a MemProvider.
type memMailbox struct {
	provider *MemProvider
	account  provider.Account
	tokens   provider.TokenSource
}

var _ provider.Mailbox = (*memMailbox)(nil)

func fail(op Op, kind provider.ErrorKind, reason string) error {
	return &provider.Error{Kind: kind, Op: opName(op), Reason: reason}
}

func refOf(number int64) provider.Ref { return provider.Ref("m" + strconv.FormatInt(number, 10)) }

func threadOf(thread int64) string { return "t" + strconv.FormatInt(thread, 10) }

// numberOf reads what refOf or threadOf wrote.
func numberOf(s, prefix string) (int64, bool) {
	digits, ok := strings.CutPrefix(s, prefix)
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, ok && err == nil && n > 0
}

// cursorAt binds a position in the change log to the account.
func (b *memMailbox) cursorAt(id int64) provider.Cursor {
	return provider.Cursor("po1." + base64.RawURLEncoding.EncodeToString([]byte(b.account.Subject)) + "." + strconv.FormatInt(id, 10))
}

func (b *memMailbox) position(c provider.Cursor) (int64, bool) {
	digits, ok := strings.CutPrefix(string(c), strings.TrimSuffix(string(b.cursorAt(0)), "0"))
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, ok && err == nil && id >= 0
}

// begin makes the one request of an operation: it gets a token, lets faults
// strike, and checks token and access. After a nil error the rule must be
// asked whether the answer is lost.
func (b *memMailbox) begin(ctx context.Context, op Op, needs provider.Access, class Request) (*Mailbox, Rule, error) {
	return b.beginBefore(ctx, op, needs, class, time.Time{})
}

// beginBefore is begin with the last instant at which the request may leave.
// It looks at the clock last, because getting a token takes time.
func (b *memMailbox) beginBefore(ctx context.Context, op Op, needs provider.Access, class Request, notAfter time.Time) (*Mailbox, Rule, error) {
	if err := ctx.Err(); err != nil {
		return nil, Rule{}, fmt.Errorf("%s: %w", opName(op), err)
	}
	if !b.account.Access.Includes(needs) {
		return nil, Rule{}, fail(op, provider.ErrAccess, "")
	}
	tok, err := b.tokens.Token(ctx)
	if err != nil {
		return nil, Rule{}, tokenError(op, err)
	}
	if tok == nil {
		return nil, Rule{}, fail(op, provider.ErrTemporary, "no_token")
	}
	m := b.provider.office.BySubject(b.account.Subject)
	if m == nil {
		return nil, Rule{}, fail(op, provider.ErrMailboxUnusable, "no_mailbox")
	}
	if err := ctx.Err(); err != nil {
		return nil, Rule{}, fmt.Errorf("%s: %w", opName(op), err)
	}
	if !notAfter.IsZero() && b.provider.office.clock.Now().After(notAfter) {
		return nil, Rule{}, fail(op, provider.ErrRejected, "too_late")
	}
	rule := b.provider.strike(op)
	if rule.Fault == FaultLoseBefore {
		return nil, Rule{}, rule.fail(op) // it never got there, so it does not count
	}
	m.Count(class)
	if err := rule.fail(op); err != nil {
		return nil, Rule{}, err
	}
	subject, access, ok := b.provider.authorise(tok)
	if !ok || rule.Fault == FaultUnauthorized {
		b.provider.refuse(tok.AccessToken)
		err := fail(op, provider.ErrTemporary, "unauthorized")
		b.tokens.Refused(ctx, tok, err)
		return nil, Rule{}, err
	}
	if subject != b.account.Subject {
		return nil, Rule{}, fail(op, provider.ErrRejected, "wrong_mailbox")
	}
	if !access.Includes(needs) {
		return nil, Rule{}, fail(op, provider.ErrAccess, "insufficient_scope")
	}
	return m, rule, nil
}

// refuse ends an access token.
func (p *MemProvider) refuse(accessToken string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.access[accessToken]; t != nil {
		t.refused = true
	}
}

// tokenError passes on what a TokenSource says. Without a token no request
// can have left, so nothing of it may read as an unknown outcome.
func tokenError(op Op, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: get a token: %w", opName(op), err)
	}
	out := &provider.Error{Kind: provider.ErrTemporary, Op: opName(op), Reason: "no_token"}
	var e *provider.Error
	if errors.As(err, &e) && e.Kind != provider.ErrOutcomeUnknown {
		out.Kind, out.Reason, out.RetryAfter, out.Until, out.Err = e.Kind, e.Reason, e.RetryAfter, e.Until, e.Err
	}
	return out
}

// finish is what a read returns once the service has answered: nil, unless
// the answer was lost or the caller gave up.
func finish(ctx context.Context, op Op, rule Rule) error {
	if rule.Fault == FaultLoseAfter {
		if rule.Call != nil {
			rule.Call()
		}
		if ctx.Err() == nil {
			return fail(op, provider.ErrTemporary, "no_answer")
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", opName(op), err)
	}
	return nil
}

// Profile implements provider.Mailbox.
func (b *memMailbox) Profile(ctx context.Context) (provider.Profile, error) {
	m, rule, err := b.begin(ctx, OpProfile, provider.AccessSend, RequestOther)
	if err != nil {
		return provider.Profile{}, err
	}
	out := provider.Profile{Address: m.Address(), Addresses: append(m.Addresses(), m.Senders()...)}
	if b.account.Access.Includes(provider.AccessEnvelopes) {
		out.Cursor = b.cursorAt(m.LastChange())
	}
	if err := finish(ctx, OpProfile, rule); err != nil {
		return provider.Profile{}, err
	}
	return out, nil
}

// Changes implements provider.Mailbox.
func (b *memMailbox) Changes(ctx context.Context, since provider.Cursor) (provider.Page, error) {
	if err := ctx.Err(); err != nil {
		return provider.Page{}, fmt.Errorf("%s: %w", opName(OpChanges), err)
	}
	if !b.provider.Abilities(b.account.Access).ThreadReplies {
		return provider.Page{}, fail(OpChanges, provider.ErrAccess, "")
	}
	after, ok := b.position(since)
	if !ok {
		return provider.Page{}, fail(OpChanges, provider.ErrRejected, "cursor")
	}
	m, rule, err := b.begin(ctx, OpChanges, provider.AccessEnvelopes, RequestChanges)
	if err != nil {
		return provider.Page{}, err
	}
	changes, more, err := m.Changes(after, b.provider.cfg.PageSize)
	if err != nil {
		return provider.Page{}, fail(OpChanges, provider.ErrCursorExpired, "")
	}
	page := provider.Page{Next: since, More: more}
	for _, c := range changes {
		page.Next = b.cursorAt(c.ID)
		if c.Kind == Deleted {
			page.Gone = append(page.Gone, refOf(c.Number))
			continue
		}
		page.Items = append(page.Items, itemOf(c.Number, c.Thread, c.Labels, c.Own))
	}
	if err := finish(ctx, OpChanges, rule); err != nil {
		return provider.Page{}, err
	}
	return page, nil
}

func itemOf(number, thread int64, labels []string, own bool) provider.Item {
	return provider.Item{
		Ref: refOf(number), Thread: threadOf(thread), Place: placesOf(labels)[0], Own: own, Draft: slices.Contains(labels, LabelDraft),
	}
}

// Search implements provider.Mailbox.
func (b *memMailbox) Search(ctx context.Context, q provider.Query) ([]provider.Item, error) {
	able := b.provider.Abilities(b.account.Access)
	if len(q.Threads) > 0 && !able.ThreadReplies || len(q.Threads) == 0 && !able.SenderReplies {
		return nil, fail(OpSearch, provider.ErrAccess, "")
	}
	switch {
	case len(q.From) > provider.MaxQuerySenders:
		return nil, fail(OpSearch, provider.ErrRejected, "too_many_senders")
	case q.Since.IsZero():
		return nil, fail(OpSearch, provider.ErrRejected, "no_since")
	case q.System && len(q.From) == 0:
		return nil, fail(OpSearch, provider.ErrRejected, "system_without_senders")
	case len(q.Threads) > provider.MaxQueryThreads || len(q.Threads) > 0 && len(q.From) > 0:
		return nil, fail(OpSearch, provider.ErrRejected, "threads")
	}
	senders := make(map[string]bool)
	for _, a := range q.From {
		key := provider.Normalize(a)
		if key == "" || strings.ContainsAny(key, "\"\\():<>") { // as the real ones do
			return nil, fail(OpSearch, provider.ErrRejected, "not_an_address")
		}
		senders[key] = true
	}
	m, rule, err := b.begin(ctx, OpSearch, provider.AccessEnvelopes, RequestSearch)
	if err != nil {
		return nil, err
	}
	var hits []Message
	for msg := range m.Visible() {
		if msg.Received.Before(q.Since) || !q.To.IsZero() && !msg.Received.Before(q.To) {
			continue
		}
		if len(q.Threads) > 0 {
			if slices.Contains(q.Threads, threadOf(msg.Thread)) {
				hits = append(hits, msg)
			}
			continue
		}
		if len(q.From) == 0 || slices.ContainsFunc(msg.From, func(a string) bool {
			return senders[a] || q.System && provider.IsSystemSender([]provider.Address{{Addr: a}}) && (able.Reports == provider.DetectSender || msg.Names(q.From))
		}) {
			hits = append(hits, msg)
		}
	}
	slices.SortStableFunc(hits, func(a, b Message) int { return b.Received.Compare(a.Received) })
	limit := q.Limit
	if limit <= 0 {
		limit = 500
	}
	var out []provider.Item
	for _, msg := range hits[:min(limit, len(hits))] {
		out = append(out, itemOf(msg.Number, msg.Thread, msg.Labels, msg.Own))
	}
	if err := finish(ctx, OpSearch, rule); err != nil {
		return nil, err
	}
	return out, nil
}

// Envelope implements provider.Mailbox.
func (b *memMailbox) Envelope(ctx context.Context, ref provider.Ref) (*provider.Envelope, error) {
	m, rule, err := b.begin(ctx, OpEnvelope, provider.AccessEnvelopes, RequestEnvelope)
	if err != nil {
		return nil, err
	}
	msg, err := lookUp(m, OpEnvelope, ref)
	if err != nil {
		return nil, err
	}
	m.CountEnvelope(msg.Number)
	if err := finish(ctx, OpEnvelope, rule); err != nil {
		return nil, err
	}
	return envelopeOf(msg), nil
}

func lookUp(m *Mailbox, op Op, ref provider.Ref) (Message, error) {
	if n, ok := numberOf(string(ref), "m"); ok {
		if msg, ok := m.Message(n); ok {
			return msg, nil
		}
	}
	return Message{}, fail(op, provider.ErrNotFound, "")
}

// Content implements provider.Mailbox.
func (b *memMailbox) Content(ctx context.Context, w provider.Warrant) (*provider.Message, error) {
	msg, err := b.read(ctx, OpContent, w)
	if err != nil {
		return nil, err
	}
	return readContent(msg), nil
}

// Attachment implements provider.Mailbox.
func (b *memMailbox) Attachment(ctx context.Context, w provider.Warrant, part string) (io.ReadCloser, error) {
	msg, err := b.read(ctx, OpAttachment, w)
	if err != nil {
		return nil, err
	}
	rc, err := mimemsg.OpenPart(msg.Raw, part)
	if err != nil {
		return nil, fail(OpAttachment, provider.ErrNotFound, "no_such_part")
	}
	return rc, nil
}

// read fetches the message that w permits to read.
func (b *memMailbox) read(ctx context.Context, op Op, w provider.Warrant) (Message, error) {
	if !w.Permits(b.account.Subject) {
		return Message{}, fail(op, provider.ErrNoWarrant, "")
	}
	if !b.provider.Abilities(b.account.Access).Content {
		return Message{}, fail(op, provider.ErrAccess, "")
	}
	m, rule, err := b.begin(ctx, op, provider.AccessReplies, RequestContent)
	if err != nil {
		return Message{}, err
	}
	msg, err := lookUp(m, op, w.Ref())
	if err != nil {
		return Message{}, err
	}
	m.CountContent(msg.Number)
	return msg, finish(ctx, op, rule)
}
