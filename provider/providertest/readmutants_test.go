package providertest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

func readMutants() []mutant {
	dropping := func(drop func(provider.Item) bool) func(context.Context, *mutatedBox, provider.Query) ([]provider.Item, error) {
		return func(ctx context.Context, b *mutatedBox, q provider.Query) ([]provider.Item, error) {
			items, err := b.Mailbox.Search(ctx, q)
			return slices.DeleteFunc(items, drop), err
		}
	}
	asking := func(change func(*provider.Query)) func(context.Context, *mutatedBox, provider.Query) ([]provider.Item, error) {
		return func(ctx context.Context, b *mutatedBox, q provider.Query) ([]provider.Item, error) {
			change(&q)
			return b.Mailbox.Search(ctx, q)
		}
	}
	restarting := func(when func(provider.Cursor) bool) func(context.Context, *mutatedBox, provider.Cursor) (provider.Page, error) {
		return func(ctx context.Context, b *mutatedBox, since provider.Cursor) (provider.Page, error) {
			page, err := b.Mailbox.Changes(ctx, since)
			if errors.Is(err, provider.ErrRejected) && when(since) {
				p, err := b.Mailbox.Profile(ctx)
				return provider.Page{Next: p.Cursor}, err
			}
			return page, err
		}
	}
	return []mutant{
		{name: "accepts-a-zero-cursor", fails: "Changes/BadCursor", changes: restarting(func(c provider.Cursor) bool { return c == "" })},
		{name: "accepts-garbage-as-cursor", fails: "Changes/BadCursor", changes: restarting(func(c provider.Cursor) bool { return c == "garbage" })},
		{name: "accepts-a-foreign-cursor", fails: "Changes/ForeignCursor", changes: restarting(func(c provider.Cursor) bool { return strings.HasPrefix(string(c), "po1.") })},
		{name: "loses-a-page", fails: "Changes/ToTheEnd", changes: func(ctx context.Context, b *mutatedBox, since provider.Cursor) (provider.Page, error) {
			page, err := b.Mailbox.Changes(ctx, since)
			if err == nil && page.More && !b.skipped {
				b.skipped = true
				return b.Mailbox.Changes(ctx, page.Next)
			}
			return page, err
		}},
		{name: "stops-after-a-page", fails: "Changes/ToTheEnd", changes: func(ctx context.Context, b *mutatedBox, since provider.Cursor) (provider.Page, error) {
			page, err := b.Mailbox.Changes(ctx, since)
			page.More = false
			return page, err
		}},
		{name: "next-jumps-to-the-end", fails: "Changes/ToTheEnd", changes: func(ctx context.Context, b *mutatedBox, since provider.Cursor) (provider.Page, error) {
			page, err := b.Mailbox.Changes(ctx, since)
			if err == nil && page.More {
				p, err := b.Mailbox.Profile(ctx)
				page.Next = p.Cursor
				return page, err
			}
			return page, err
		}},
		{name: "tells-nothing-gone", fails: "Changes/Gone", changes: func(ctx context.Context, b *mutatedBox, since provider.Cursor) (provider.Page, error) {
			page, err := b.Mailbox.Changes(ctx, since)
			page.Gone = nil
			return page, err
		}},
		{name: "calls-expired-rejected", fails: "Changes/Expired", changes: func(ctx context.Context, b *mutatedBox, since provider.Cursor) (provider.Page, error) {
			page, err := b.Mailbox.Changes(ctx, since)
			return page, turn(err, provider.ErrCursorExpired, provider.ErrRejected)
		}},
		{name: "watches-the-inbox-only", fails: "Changes/EveryFolder", changes: func(ctx context.Context, b *mutatedBox, since provider.Cursor) (provider.Page, error) {
			page, err := b.Mailbox.Changes(ctx, since)
			page.Items = slices.DeleteFunc(page.Items, func(i provider.Item) bool { return i.Place != provider.PlaceInbox })
			return page, err
		}},
		{name: "reads-envelopes-in-the-feed", fails: "Changes/OnlyIdentifiers", changes: func(ctx context.Context, b *mutatedBox, since provider.Cursor) (provider.Page, error) {
			page, err := b.Mailbox.Changes(ctx, since)
			for _, i := range page.Items {
				_, _ = b.Mailbox.Envelope(ctx, i.Ref)
			}
			return page, err
		}},
		{name: "errors-without-type", fails: "Changes/BadCursor", changes: func(ctx context.Context, b *mutatedBox, since provider.Cursor) (provider.Page, error) {
			page, err := b.Mailbox.Changes(ctx, since)
			return page, bare(err)
		}},
		{name: "passes-over-folders-half-way", fails: "Changes/LaterThanTheFirstPage", changes: func(ctx context.Context, b *mutatedBox, since provider.Cursor) (provider.Page, error) {
			if b.first == "" {
				b.first = since
			}
			page, err := b.Mailbox.Changes(ctx, since)
			if since != b.first {
				page.Items = slices.DeleteFunc(page.Items, func(i provider.Item) bool { return i.Place != provider.PlaceInbox })
			}
			return page, err
		}},
		{name: "takes-a-portal-for-nothing-new", fails: "Changes/Portal", changes: func(ctx context.Context, b *mutatedBox, since provider.Cursor) (provider.Page, error) {
			page, err := b.Mailbox.Changes(ctx, since)
			if errors.Is(err, provider.ErrTemporary) {
				return provider.Page{Next: since}, nil
			}
			return page, err
		}},
		{name: "loses-ids-when-moved", fails: "Changes/Moved", envelope: func(ctx context.Context, b *mutatedBox, ref provider.Ref) (*provider.Envelope, error) {
			env, err := b.Mailbox.Envelope(ctx, ref)
			if err == nil && env.Place != provider.PlaceInbox {
				return nil, &provider.Error{Kind: provider.ErrNotFound}
			}
			return env, err
		}},
		{name: "takes-a-portal-for-no-mail", fails: "Search/Portal", search: func(ctx context.Context, b *mutatedBox, q provider.Query) ([]provider.Item, error) {
			items, err := b.Mailbox.Search(ctx, q)
			if errors.Is(err, provider.ErrTemporary) {
				return nil, nil
			}
			return items, err
		}},
		{name: "search-skips-odd-addresses", fails: "Search/OddAddresses", search: asking(func(q *provider.Query) {
			q.From = slices.DeleteFunc(slices.Clone(q.From), func(a string) bool { return strings.ContainsAny(a, "{}") })
		})},
		{name: "search-takes-a-dash-for-not", fails: "Search/OddAddresses", search: asking(func(q *provider.Query) {
			if slices.ContainsFunc(q.From, func(a string) bool { return strings.HasPrefix(a, "-") }) {
				q.From = nil // from anyone
			}
		})},
		{name: "takes-a-portal-for-a-mail", fails: "Content/Portal", content: func(ctx context.Context, b *mutatedBox, w provider.Warrant) (*provider.Message, error) {
			msg, err := b.Mailbox.Content(ctx, w)
			if errors.Is(err, provider.ErrTemporary) {
				return &provider.Message{Text: "Please sign in."}, nil
			}
			return msg, err
		}},
		{name: "search-misses-junk", fails: "Search/EveryFolder", search: dropping(func(i provider.Item) bool { return i.Place == provider.PlaceJunk })},
		{name: "search-misses-folders", fails: "Search/EveryFolder", search: dropping(func(i provider.Item) bool { return i.Place == provider.PlaceOther })},
		{name: "search-starts-late", fails: "Search/Span", search: asking(func(q *provider.Query) { q.Since = q.Since.Add(1) })},
		{name: "search-ends-late", fails: "Search/Span", search: asking(func(q *provider.Query) {
			if !q.To.IsZero() {
				q.To = q.To.Add(1)
			}
		})},
		{name: "search-ignores-the-limit", fails: "Search/NewestWithinLimit", search: asking(func(q *provider.Query) { q.Limit = 0 })},
		{name: "search-returns-the-oldest", fails: "Search/NewestWithinLimit", search: func(ctx context.Context, b *mutatedBox, q provider.Query) ([]provider.Item, error) {
			limit := q.Limit
			q.Limit = 0
			items, err := b.Mailbox.Search(ctx, q)
			return items[max(0, len(items)-max(limit, 1)):], err
		}},
		{name: "search-ignores-system-senders", fails: "Search/SystemSenders", search: asking(func(q *provider.Query) { q.System = false })},
		{name: "threads-miss-junk", fails: "Search/OwnAndJunkByThread", search: dropping(func(i provider.Item) bool { return i.Place == provider.PlaceJunk })},
		{name: "threads-miss-own-mail", fails: "Envelopes/SearchOwnAndJunkByThread", search: dropping(func(i provider.Item) bool { return i.Own })},
		{name: "threads-read-envelopes", fails: "Search/OwnAndJunkByThread", search: func(ctx context.Context, b *mutatedBox, q provider.Query) ([]provider.Item, error) {
			items, err := b.Mailbox.Search(ctx, q)
			if len(q.Threads) > 0 {
				for _, i := range items {
					_, _ = b.Mailbox.Envelope(ctx, i.Ref)
				}
			}
			return items, err
		}},
		{name: "threads-without-access", fails: "Search/ThreadsAccess", search: func(ctx context.Context, b *mutatedBox, q provider.Query) ([]provider.Item, error) {
			items, err := b.Mailbox.Search(ctx, q)
			if len(q.Threads) > 0 && errors.Is(err, provider.ErrAccess) {
				return nil, nil
			}
			return items, err
		}},
		{name: "takes-a-failure-for-an-empty-thread", fails: "Search/ThreadsFail", search: func(ctx context.Context, b *mutatedBox, q provider.Query) ([]provider.Item, error) {
			items, err := b.Mailbox.Search(ctx, q)
			if len(q.Threads) > 0 && errors.Is(err, provider.ErrTemporary) {
				return nil, nil
			}
			return items, err
		}},
		{name: "search-takes-too-many", fails: "Search/Rejected", search: asking(func(q *provider.Query) { q.From = q.From[:min(len(q.From), provider.MaxQuerySenders)] })},
		{name: "invents-missing-envelopes", fails: "Envelope/NotFound", envelope: func(ctx context.Context, b *mutatedBox, ref provider.Ref) (*provider.Envelope, error) {
			env, err := b.Mailbox.Envelope(ctx, ref)
			if errors.Is(err, provider.ErrNotFound) {
				return &provider.Envelope{Ref: ref}, nil
			}
			return env, err
		}},
		{name: "says-the-sender-that-was-asked-for", fails: "Send/FromAlias", envelope: func(ctx context.Context, b *mutatedBox, ref provider.Ref) (*provider.Envelope, error) {
			env, err := b.Mailbox.Envelope(ctx, ref)
			if err == nil && env.Own && len(env.From) == 1 && len(b.account.Addresses) > 1 {
				env.From[0].Addr = b.account.Addresses[1]
			}
			return env, err
		}},
		{name: "refuses-its-own-alias", fails: "Send/FromAlias", send: func(ctx context.Context, b *mutatedBox, m *outgoing) (receipt, error) {
			if m.From.Addr != b.account.Address {
				return receipt{}, &provider.Error{Kind: provider.ErrSenderNotAllowed, Op: "mutant: send"}
			}
			return b.Mailbox.Send(ctx, m)
		}},
		{name: "reads-content-for-an-envelope", fails: "Envelope/ReadsNoContent", envelope: func(ctx context.Context, b *mutatedBox, ref provider.Ref) (*provider.Envelope, error) {
			env, err := b.Mailbox.Envelope(ctx, ref)
			if err == nil && len(env.From) > 0 {
				m := provider.Match(env, &provider.Known{Account: b.account, Sent: []provider.Sent{{
					Recipients: []string{env.From[0].Addr}, First: env.Received, Last: env.Received,
				}}})
				_, _ = b.Mailbox.Content(ctx, m.Warrant)
			}
			return env, err
		}},
		{name: "header-keys-as-they-come", fails: "Envelope/Headers", envelope: func(ctx context.Context, b *mutatedBox, ref provider.Ref) (*provider.Envelope, error) {
			env, err := b.Mailbox.Envelope(ctx, ref)
			if err == nil && env.Header["X-Failed-Recipients"] != nil {
				env.Header["x-failed-recipients"] = env.Header["X-Failed-Recipients"]
				delete(env.Header, "X-Failed-Recipients")
			}
			return env, err
		}},
		{name: "accepts-any-warrant", fails: "Content/NoWarrant", content: func(ctx context.Context, b *mutatedBox, w provider.Warrant) (*provider.Message, error) {
			msg, err := b.Mailbox.Content(ctx, w)
			if errors.Is(err, provider.ErrNoWarrant) {
				return &provider.Message{}, nil
			}
			return msg, err
		}},
		{name: "hides-defects", fails: "Content/Malformed", content: func(ctx context.Context, b *mutatedBox, w provider.Warrant) (*provider.Message, error) {
			msg, err := b.Mailbox.Content(ctx, w)
			if err == nil {
				msg.Defect = nil
			}
			return msg, err
		}},
		{name: "fails-on-malformed-mail", fails: "Content/Malformed", content: func(ctx context.Context, b *mutatedBox, w provider.Warrant) (*provider.Message, error) {
			msg, err := b.Mailbox.Content(ctx, w)
			if err == nil && msg.Defect != nil {
				return nil, &provider.Error{Kind: provider.ErrRejected}
			}
			return msg, err
		}},
		{name: "leaks-a-token", fails: "Errors/NoSecretOverABadToken", content: func(ctx context.Context, b *mutatedBox, w provider.Warrant) (*provider.Message, error) {
			msg, err := b.Mailbox.Content(ctx, w)
			var e *provider.Error
			if errors.As(err, &e) {
				if tok, terr := b.tokens.Token(ctx); terr == nil {
					e.Reason = "refused " + tok.AccessToken
				}
			}
			return msg, err
		}},
		{name: "leaks-an-address", fails: "Errors/NoSecretOverFaults", search: func(ctx context.Context, b *mutatedBox, q provider.Query) ([]provider.Item, error) {
			items, err := b.Mailbox.Search(ctx, q)
			var e *provider.Error
			if errors.As(err, &e) {
				e.Reason = strings.Join(q.From, " ")
			}
			return items, err
		}},
		{name: "profile-starts-in-the-past", fails: "Profile/CursorStartsNow", profile: func(ctx context.Context, b *mutatedBox) (provider.Profile, error) {
			p, err := b.Mailbox.Profile(ctx)
			if b.first == "" {
				b.first = p.Cursor
			}
			p.Cursor = b.first
			return p, err
		}},
		{name: "cursor-without-access", fails: "Profile/SendHasNoCursor", profile: func(ctx context.Context, b *mutatedBox) (provider.Profile, error) {
			p, err := b.Mailbox.Profile(ctx)
			p.Cursor += "x"
			return p, err
		}},
	}
}
