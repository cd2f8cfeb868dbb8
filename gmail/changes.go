package gmail

import (
	"context"
	"errors"
	"slices"

	gmailapi "google.golang.org/api/gmail/v1"

	"github.com/outreachkit/outreach/provider"
)

// historyPage is the most that history.list returns at once.
const historyPage = 500

// Changes implements provider.Mailbox. Records come oldest first and their
// ids rise, so the last record of a page is a position to go on from; no page
// token, which might expire, is kept.
func (m *mailbox) Changes(ctx context.Context, since provider.Cursor) (provider.Page, error) {
	const op = "gmail: changes"
	if err := m.may(op, provider.AccessEnvelopes); err != nil {
		return provider.Page{}, err
	}
	start, err := m.position(op, since)
	if err != nil {
		return provider.Page{}, err
	}
	resp, err := m.history(ctx, start)
	if err != nil {
		return provider.Page{}, m.historyFault(ctx, op, err)
	}
	var page provider.Page
	seen := make(map[string]bool)
	last := start
	for _, rec := range resp.History {
		last = max(last, rec.Id)
		for _, added := range rec.MessagesAdded {
			if added.Message != nil && !seen[added.Message.Id] {
				seen[added.Message.Id] = true
				page.Items = append(page.Items, item(added.Message))
			}
		}
		for _, gone := range rec.MessagesDeleted {
			if gone.Message != nil {
				page.Gone = append(page.Gone, provider.Ref(gone.Message.Id))
			}
		}
	}
	if resp.NextPageToken != "" {
		page.Next, page.More = m.cursor(last), true
		return page, nil
	}
	page.Next = m.cursor(max(resp.HistoryId, start))
	return page, nil
}

// history reads one page that has records, or the last one. It does not
// filter by label: an answer that a rule archives, or that is taken for spam,
// would be lost.
func (m *mailbox) history(ctx context.Context, start uint64) (*gmailapi.ListHistoryResponse, error) {
	token := ""
	for {
		call := m.svc.Users.History.List(me).StartHistoryId(start).HistoryTypes("messageAdded", "messageDeleted").MaxResults(historyPage).
			Fields("history(id,messagesAdded(message(id,threadId,labelIds)),messagesDeleted(message(id,threadId,labelIds)))", "historyId", "nextPageToken").
			Context(ctx)
		if token != "" {
			call = call.PageToken(token)
		}
		resp, err := call.Do()
		if err != nil {
			return nil, err
		}
		// A page without records that is not the last has no position to go
		// on from but its token.
		if slices.ContainsFunc(resp.History, func(rec *gmailapi.History) bool { return rec.Id > start }) || resp.NextPageToken == "" {
			return resp, nil
		}
		token = resp.NextPageToken
	}
}

// historyFault knows that 404 means that the position is too old.
func (m *mailbox) historyFault(ctx context.Context, op string, err error) error {
	err = m.fault(ctx, op, err)
	var pe *provider.Error
	if errors.As(err, &pe) && pe.Kind == provider.ErrNotFound {
		pe.Kind = provider.ErrCursorExpired
	}
	return err
}
