package gmail

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	gmailapi "google.golang.org/api/gmail/v1"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
)

// locateHeaders are all that Locate reads of a message.
func locateHeaders() []string {
	return []string{"Message-ID", "X-Google-Original-Message-ID", provider.KeyHeader}
}

// Locate implements provider.Mailbox. It searches for the Message-ID, and
// then, in case Gmail replaced it, goes through what the account itself sent
// or drafted since the cursor: by the feed, and, since a feed may pass over an
// item, by a list. With gmail.metadata nothing can be searched for: the mail's
// own thread comes first, and the list is that of all sent mail, newest first.
// For an accepted mail nothing is gone through but its thread.
func (m *mailbox) Locate(ctx context.Context, key provider.SendKey) ([]provider.Located, error) {
	const op = "gmail: locate"
	if !m.acc.Access.Includes(provider.AccessEnvelopes) {
		return nil, &provider.Error{Kind: provider.ErrOutcomeUnknown, Op: op, Reason: "access_" + string(m.acc.Access)}
	}
	if err := m.may(op, provider.AccessEnvelopes); err != nil {
		return nil, err
	}
	now := m.p.now()
	var v courier.View
	first := m.byMessageID
	if !m.searches() {
		first = m.byThread
	}
	if err := first(ctx, op, key, &v); err != nil {
		return nil, err
	}
	if len(v.Found) == 0 && !key.Accepted {
		if err := m.bySpan(ctx, op, key, &v); err != nil {
			return nil, err
		}
	}
	return v.Answer(op, key, m.p.limits.Settle, now)
}

// searches reports whether Gmail takes a search.
func (m *mailbox) searches() bool { return m.acc.Access.Includes(provider.AccessReplies) }

// byThread goes through what the account wrote in the thread that the mail was
// sent into.
func (m *mailbox) byThread(ctx context.Context, op string, key provider.SendKey, v *courier.View) error {
	if key.Thread == "" {
		return nil
	}
	items, err := m.threads(ctx, op, provider.Query{Threads: []string{key.Thread}}, math.MaxInt32)
	if err != nil {
		return err
	}
	for _, it := range items {
		if it.Own || it.Draft {
			if err := m.look(ctx, op, it.Ref, key, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *mailbox) byMessageID(ctx context.Context, op string, key provider.SendKey, v *courier.View) error {
	id := provider.BareID(key.MessageID)
	if id == "" || strings.ContainsAny(id, " \t\r\n\"(){}") {
		return nil
	}
	items, err := m.list(ctx, op, "rfc822msgid:"+id, 20)
	if err != nil {
		return err
	}
	for _, it := range items {
		if err := m.look(ctx, op, it.Ref, key, v); err != nil {
			return err
		}
	}
	return nil
}

// bySpan goes through what came since before the send. Only mail that the
// account itself sent or drafted is looked at, and of it three headers.
func (m *mailbox) bySpan(ctx context.Context, op string, key provider.SendKey, v *courier.View) error {
	if key.Cursor == "" {
		v.Gap("no_cursor")
		return nil
	}
	start, err := m.position(op, key.Cursor)
	if err != nil {
		return err
	}
	seen := make(map[string]bool)
	if err := m.byFeed(ctx, op, start, seen, key, v); err != nil || len(v.Found) > 0 || key.From.IsZero() {
		return err
	}
	if !m.searches() {
		return m.byLabels(ctx, op, seen, key, v)
	}
	const most = 2000
	since := strconv.FormatInt(key.From.Add(-courier.LocateMargin).Unix(), 10)
	for _, query := range []string{"in:sent after:" + since, "in:drafts after:" + since} {
		items, err := m.list(ctx, op, query, most)
		if err != nil {
			return err
		}
		if len(items) == most {
			v.Gap("too_many_sent")
		}
		for _, it := range items {
			if !seen[string(it.Ref)] {
				if err := m.look(ctx, op, it.Ref, key, v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// byLabels goes through the account's sent mail and its drafts, newest first,
// down to what came before the send. That a list by label has this order, as
// one by a search has, is a belief.
func (m *mailbox) byLabels(ctx context.Context, op string, seen map[string]bool, key provider.SendKey, v *courier.View) error {
	for _, label := range []string{"SENT", "DRAFT"} {
		older, looked := false, 0
		for token := ""; !older; {
			call := m.svc.Users.Messages.List(me).LabelIds(label).IncludeSpamTrash(true).MaxResults(labelPage).
				Fields("messages(id,threadId)", "nextPageToken").Context(ctx)
			if token != "" {
				call = call.PageToken(token)
			}
			resp, err := call.Do()
			if err != nil {
				return m.fault(ctx, op, err)
			}
			for _, msg := range resp.Messages {
				if seen[msg.Id] {
					continue
				}
				seen[msg.Id] = true
				if looked++; looked > mostLabelled {
					v.Gap("too_many_sent")
					return nil
				}
				// The time first, alone: what came before is not looked at.
				dated, err := m.svc.Users.Messages.Get(me, msg.Id).Format("minimal").Fields("id", "internalDate").Context(ctx).Do()
				if err != nil {
					if err = m.fault(ctx, op, err); errors.Is(err, provider.ErrNotFound) {
						v.Gap("message_gone")
						continue
					}
					return err
				}
				if older = received(dated).Before(key.From.Add(-courier.LocateMargin)); older {
					break
				}
				if err := m.look(ctx, op, provider.Ref(msg.Id), key, v); err != nil {
					return err
				}
			}
			if token = resp.NextPageToken; token == "" {
				break
			}
		}
	}
	return nil
}

// A mailbox without search is looked through in small pages, and not for
// ever.
const (
	labelPage    = 20
	mostLabelled = 200
)

func (m *mailbox) byFeed(ctx context.Context, op string, start uint64, seen map[string]bool, key provider.SendKey, v *courier.View) error {
	for {
		resp, err := m.history(ctx, start)
		if err != nil {
			err = m.historyFault(ctx, op, err)
			if errors.Is(err, provider.ErrCursorExpired) {
				v.Gap("cursor_expired")
				return nil
			}
			return err
		}
		last := start
		for _, rec := range resp.History {
			last = max(last, rec.Id)
			for _, added := range rec.MessagesAdded {
				if added.Message == nil || seen[added.Message.Id] {
					continue
				}
				seen[added.Message.Id] = true
				if err := m.consider(ctx, op, added.Message, key, v); err != nil {
					return err
				}
			}
			for _, gone := range rec.MessagesDeleted {
				if gone.Message != nil && !foreign(gone.Message.LabelIds) {
					v.Gap("deletion_in_span")
				}
			}
		}
		if resp.NextPageToken == "" {
			return nil
		}
		start = last
	}
}

// foreign reports whether labels prove that the account did not write the
// message: there are some, and none of them is for mail of its own.
func foreign(labels []string) bool {
	return len(labels) > 0 && !slices.Contains(labels, "SENT") && !slices.Contains(labels, "DRAFT")
}

func (m *mailbox) consider(ctx context.Context, op string, msg *gmailapi.Message, key provider.SendKey, v *courier.View) error {
	labels := msg.LabelIds
	if len(labels) == 0 {
		// The feed did not say. Labels alone are asked for: no header leaves.
		full, err := m.svc.Users.Messages.Get(me, msg.Id).Format("minimal").Fields("id", "labelIds").Context(ctx).Do()
		if err != nil {
			err = m.fault(ctx, op, err)
			if errors.Is(err, provider.ErrNotFound) {
				v.Gap("message_gone")
				return nil
			}
			return err
		}
		labels = full.LabelIds
	}
	if !slices.Contains(labels, "SENT") && !slices.Contains(labels, "DRAFT") {
		return nil
	}
	return m.look(ctx, op, provider.Ref(msg.Id), key, v)
}

// look compares one message with the key.
func (m *mailbox) look(ctx context.Context, op string, ref provider.Ref, key provider.SendKey, v *courier.View) error {
	msg, err := m.headers(ctx, op, ref, locateHeaders())
	if errors.Is(err, provider.ErrNotFound) {
		v.Gap("message_gone")
		return nil
	}
	if err != nil {
		return err
	}
	env := mimemsg.ReadHeader(fields(msg))
	want := provider.BareID(key.MessageID)
	same := key.Key != "" && strings.TrimSpace(env.Header.Get(provider.KeyHeader)) == key.Key ||
		want != "" && (provider.BareID(env.MessageID) == want || provider.BareID(env.Header.Get("X-Google-Original-Message-Id")) == want)
	if !same {
		return nil
	}
	for _, place := range places(msg.LabelIds) {
		v.Found = append(v.Found, provider.Located{
			Ref: ref, Thread: msg.ThreadId, MessageID: env.MessageID, Place: place, At: received(msg),
		})
	}
	return nil
}
