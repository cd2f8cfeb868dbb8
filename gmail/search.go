package gmail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	gmailapi "google.golang.org/api/gmail/v1"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

const (
	defaultLimit = 500
	listPage     = 500
)

// systemSenders are those whose mail may be a delivery report, as Gmail's
// from: finds them: by a part of the address.
const systemSenders = "from:(mailer-daemon OR postmaster OR nobody@gmail.com)"

// Search implements provider.Mailbox. It lists ids; Gmail reads the mail. With
// gmail.metadata Gmail searches for nobody, and shows threads.
func (m *mailbox) Search(ctx context.Context, q provider.Query) ([]provider.Item, error) {
	const op = "gmail: search"
	needs := provider.AccessReplies
	if len(q.Threads) > 0 {
		needs = provider.AccessEnvelopes
	}
	if err := m.may(op, needs); err != nil {
		return nil, err
	}
	query, err := searchQuery(op, q)
	if err != nil {
		return nil, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	if len(q.Threads) > 0 {
		return m.threads(ctx, op, q, limit)
	}
	return m.list(ctx, op, query, limit)
}

// threads lists what lies in threads, which Gmail's search language can't
// name: a request for each, of identifiers and times.
func (m *mailbox) threads(ctx context.Context, op string, q provider.Query, limit int) ([]provider.Item, error) {
	var found []*gmailapi.Message
	for _, thread := range q.Threads {
		if !validRef(provider.Ref(thread)) {
			continue // none of Gmail's, so there is nothing in it
		}
		resp, err := m.svc.Users.Threads.Get(me, thread).Format("minimal").Fields("messages(id,threadId,labelIds,internalDate)").Context(ctx).Do()
		if err = m.fault(ctx, op, err); errors.Is(err, provider.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, msg := range resp.Messages {
			if at := received(msg); at.IsZero() || !at.Before(q.Since) && (q.To.IsZero() || at.Before(q.To)) {
				found = append(found, msg)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b *gmailapi.Message) int { return cmp.Compare(b.InternalDate, a.InternalDate) })
	var items []provider.Item
	for _, msg := range found[:min(limit, len(found))] {
		items = append(items, item(msg))
	}
	return items, nil
}

// list pages through messages.list, newest first.
func (m *mailbox) list(ctx context.Context, op, query string, limit int) ([]provider.Item, error) {
	var items []provider.Item
	token := ""
	for {
		call := m.svc.Users.Messages.List(me).Q(query).IncludeSpamTrash(true).MaxResults(int64(min(listPage, limit-len(items)))).
			Fields("messages(id,threadId)", "nextPageToken").Context(ctx)
		if token != "" {
			call = call.PageToken(token)
		}
		resp, err := call.Do()
		if err != nil {
			return nil, m.fault(ctx, op, err)
		}
		for _, msg := range resp.Messages {
			items = append(items, item(msg))
		}
		token = resp.NextPageToken
		if token == "" || len(items) >= limit {
			return items, nil
		}
	}
}

// plainWord is an address that the search language takes for nothing else.
// Outside of quotes a dash before a word lists all mail but that with it, and
// braces and bars are for alternatives.
var plainWord = regexp.MustCompile(`^[a-z0-9][a-z0-9.@_+-]*$`)

// searchQuery writes q in Gmail's search language
// (https://support.google.com/mail/answer/7190). Seconds since the epoch are
// exact where dates would depend on the account's time zone.
func searchQuery(op string, q provider.Query) (string, error) {
	bad := func(field, problem string) (string, error) {
		return "", courier.Invalid(op, field, problem)
	}
	switch {
	case len(q.From) > provider.MaxQuerySenders:
		return bad("From", fmt.Sprintf("has %d addresses; at most %d", len(q.From), provider.MaxQuerySenders))
	case q.Since.IsZero():
		return bad("Since", "is not set")
	case q.System && len(q.From) == 0:
		return bad("System", "needs From")
	case len(q.Threads) > provider.MaxQueryThreads:
		return bad("Threads", fmt.Sprintf("has %d threads; at most %d", len(q.Threads), provider.MaxQueryThreads))
	case len(q.Threads) > 0 && len(q.From) > 0:
		return bad("Threads", "goes without From")
	}
	var from, phrases []string
	for i, addr := range q.From {
		key := provider.Normalize(addr)
		if key == "" || strings.ContainsAny(key, `"\`) {
			return bad(fmt.Sprintf("From[%d]", i), "is not a plain mail address")
		}
		phrases = append(phrases, `"`+key+`"`)
		if !plainWord.MatchString(key) {
			key = `"` + key + `"`
		}
		from = append(from, key)
	}
	var b strings.Builder
	if len(from) > 0 {
		senders := "from:(" + strings.Join(from, " OR ") + ")"
		if q.System {
			senders = "(" + senders + " OR (" + systemSenders + " (" + strings.Join(phrases, " OR ") + ")))"
		}
		b.WriteString(senders + " ")
	}
	// It is a belief that after: takes in its second and before: does not.
	b.WriteString("after:" + strconv.FormatInt(q.Since.Unix(), 10))
	if !q.To.IsZero() {
		b.WriteString(" before:" + strconv.FormatInt(q.To.Add(time.Second-1).Unix(), 10))
	}
	return b.String(), nil
}
