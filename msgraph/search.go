package msgraph

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

const (
	defaultLimit = 500

	// maxFilter bounds the text of one filter, in bytes. It is a belief that
	// Exchange takes that much; a longer query is made as several.
	maxFilter = 2000
)

// Search implements provider.Mailbox. Mail of senders is found by $filter,
// which looks at the mail itself. Reports that name an address are found by
// $search, over the index, whose lag is not known. Mail.ReadBasic allows none:
// reports are all mail of system senders then, whoever it is about.
func (m *mailbox) Search(ctx context.Context, q provider.Query) ([]provider.Item, error) {
	const op = "msgraph: search"
	if err := m.may(op, provider.AccessEnvelopes); err != nil {
		return nil, err
	}
	senders, err := checkQuery(op, q)
	if err != nil {
		return nil, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	var found []message
	filters := senderFilters(q, senders)
	if len(q.Threads) > 0 {
		filters = threadFilters(q)
	}
	if q.System && m.basic() {
		filters = append(filters, systemFilter(q))
	}
	fields := identifiers()
	if len(filters) > 1 || q.System {
		fields = append(fields, "receivedDateTime") // to put several answers in order
	}
	for _, filter := range filters {
		part, err := m.all(ctx, op, filter, limit, fields)
		if err != nil {
			return nil, err
		}
		found = append(found, part...)
	}
	if q.System && !m.basic() {
		for _, kql := range reportSearches(q, senders) {
			part, err := m.search(ctx, op, kql, q, limit, fields)
			if err != nil {
				return nil, err
			}
			found = append(found, part...)
		}
	}
	if len(fields) > len(identifiers()) {
		slices.SortStableFunc(found, func(a, b message) int { return cmp.Compare(b.Received, a.Received) })
	}
	var items []provider.Item
	seen := make(map[string]bool)
	for i := range found {
		if len(items) == limit {
			break
		}
		if id := found[i].ID; id != "" && !seen[id] {
			seen[id] = true
			items = append(items, m.item(&found[i]))
		}
	}
	return items, nil
}

func checkQuery(op string, q provider.Query) ([]string, error) {
	switch {
	case len(q.From) > provider.MaxQuerySenders:
		return nil, courier.Invalid(op, "From", fmt.Sprintf("has %d addresses; at most %d", len(q.From), provider.MaxQuerySenders))
	case q.Since.IsZero():
		return nil, courier.Invalid(op, "Since", "is not set")
	case q.System && len(q.From) == 0:
		return nil, courier.Invalid(op, "System", "needs From")
	case len(q.Threads) > provider.MaxQueryThreads:
		return nil, courier.Invalid(op, "Threads", fmt.Sprintf("has %d threads; at most %d", len(q.Threads), provider.MaxQueryThreads))
	case len(q.Threads) > 0 && len(q.From) > 0:
		return nil, courier.Invalid(op, "Threads", "goes without From")
	}
	var senders []string
	for i, addr := range q.From {
		key := provider.Normalize(addr)
		if key == "" || strings.ContainsAny(key, "\"\\") {
			return nil, courier.Invalid(op, fmt.Sprintf("From[%d]", i), "is not a plain mail address")
		}
		senders = append(senders, key)
	}
	return senders, nil
}

// senderFilters writes q for $filter. Times have seconds; the span is wider
// rather than narrower.
func senderFilters(q provider.Query, senders []string) []string {
	span := spanFilter(q)
	if len(senders) == 0 {
		return []string{span}
	}
	var terms []string
	for _, s := range senders {
		terms = append(terms, "from/emailAddress/address eq "+quoted(s))
	}
	return join(terms, func(part []string) string { return span + " and (" + strings.Join(part, " or ") + ")" })
}

func spanFilter(q provider.Query) string {
	span := "receivedDateTime ge " + odataTime(q.Since.Truncate(time.Second))
	if !q.To.IsZero() {
		span += " and receivedDateTime lt " + odataTime(q.To.Add(time.Second-1))
	}
	return span
}

// threadFilters is senderFilters for threads. One that can be none of Graph's
// has nothing in it.
func threadFilters(q provider.Query) []string {
	span := spanFilter(q)
	var terms []string
	for _, thread := range q.Threads {
		if validRef(provider.Ref(thread)) {
			terms = append(terms, "conversationId eq "+quoted(thread))
		}
	}
	return join(terms, func(part []string) string { return span + " and (" + strings.Join(part, " or ") + ")" })
}

// systemFilter is what finds delivery reports where nothing can be searched
// for: mail of those who write them, whoever it is about. That $filter looks
// at how an address begins is a belief.
func systemFilter(q provider.Query) string {
	var terms []string
	for _, local := range []string{"postmaster@", "mailer-daemon@", "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e"} {
		terms = append(terms, "startswith(from/emailAddress/address,"+quoted(local)+")")
	}
	return spanFilter(q) + " and (" + strings.Join(terms, " or ") + ")"
}

// reportSearches writes q for $search, in KQL: mail of those who write
// delivery reports, whose text names one of the senders. Its dates have no
// time, so they are a day wider and the answer is sifted.
func reportSearches(q provider.Query, senders []string) []string {
	var terms []string
	for _, s := range senders {
		terms = append(terms, `\"`+s+`\"`)
	}
	span := "received>=" + q.Since.UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	return join(terms, func(part []string) string {
		return `"` + span + " AND (from:postmaster OR from:mailer-daemon OR from:microsoftexchange329e71ec88ae4615bbc36ab6ce41109e) AND (" +
			strings.Join(part, " OR ") + `)"`
	})
}

// join makes as few texts of terms as maxFilter allows.
func join(terms []string, text func([]string) string) []string {
	var out []string
	for start := 0; start < len(terms); {
		end := start + 1
		for end < len(terms) && len(text(terms[start:end+1])) <= maxFilter {
			end++
		}
		out = append(out, text(terms[start:end]))
		start = end
	}
	return out
}

// all reads the newest messages that a filter matches, at most limit.
func (m *mailbox) all(ctx context.Context, op, filter string, limit int, fields []string) ([]message, error) {
	var out []message
	for skip := 0; ; {
		pg, err := m.messages(ctx, op, filter, min(listPage, limit), skip, fields)
		if err != nil {
			return nil, err
		}
		out = append(out, pg.Value...)
		if pg.Next == "" || len(pg.Value) == 0 || len(out) >= limit+pageOverlap {
			return out, nil
		}
		skip += max(1, len(pg.Value)-pageOverlap)
	}
}

// search reads what $search finds and q's span holds. $search sorts by
// itself, allows no $filter, and pages by links alone.
func (m *mailbox) search(ctx context.Context, op, kql string, q provider.Query, limit int, fields []string) ([]message, error) {
	n := int32(min(listPage, limit))
	pg, err := m.list(ctx, op, func(ctx context.Context) (*abstractions.RequestInformation, error) {
		return m.user().Messages().ToGetRequestInformation(ctx, &users.ItemMessagesRequestBuilderGetRequestConfiguration{
			QueryParameters: &users.ItemMessagesRequestBuilderGetQueryParameters{Search: &kql, Top: &n, Select: fields},
		})
	})
	var out []message
	for {
		if err != nil {
			return nil, err
		}
		for _, msg := range pg.Value {
			at := instant(msg.Received)
			if at.IsZero() || !at.Before(q.Since.Truncate(time.Second)) && (q.To.IsZero() || at.Before(q.To)) {
				out = append(out, msg)
			}
		}
		if pg.Next == "" || len(out) >= limit {
			return out, nil
		}
		l, _, err2 := m.follow(op, pg)
		if err2 != nil {
			return nil, err2
		}
		pg, err = m.at(ctx, op, l)
	}
}
