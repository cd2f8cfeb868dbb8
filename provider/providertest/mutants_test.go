package providertest

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
)

type (
	outgoing = provider.Outgoing
	receipt  = provider.Receipt
)

// deaf is a TokenSource that is not told of refusals.
type deaf struct{ provider.TokenSource }

func (deaf) Refused(context.Context, *oauth2.Token, error) {}

// resend sends a changed copy of a mail.
func resend(change func(b *mutatedBox, m *outgoing)) func(context.Context, *mutatedBox, *outgoing) (receipt, error) {
	return func(ctx context.Context, b *mutatedBox, m *outgoing) (receipt, error) {
		other := *m
		other.Raw = bytes.Clone(m.Raw)
		change(b, &other)
		return b.Mailbox.Send(ctx, &other)
	}
}

// sendTurning sends and gives its error another kind.
func sendTurning(to provider.ErrorKind, from ...provider.ErrorKind) func(context.Context, *mutatedBox, *outgoing) (receipt, error) {
	return func(ctx context.Context, b *mutatedBox, m *outgoing) (receipt, error) {
		r, err := b.Mailbox.Send(ctx, m)
		return r, turned(err, to, from...)
	}
}

func mutants() []mutant {
	return slices.Concat([]mutant{{name: "none"}}, sendMutants(), locateMutants(), readMutants(), providerMutants(), watchMutants())
}

func sendMutants() []mutant {
	unknown := provider.ErrOutcomeUnknown
	return []mutant{
		{name: "sends-twice", fails: "Send/Accepted", send: func(ctx context.Context, b *mutatedBox, m *outgoing) (receipt, error) {
			if r, err := b.Mailbox.Send(ctx, m); err != nil {
				return r, err
			}
			return b.Mailbox.Send(ctx, m)
		}},
		{name: "retries-after-unknown", fails: "Send/AnswerLost", send: func(ctx context.Context, b *mutatedBox, m *outgoing) (receipt, error) {
			r, err := b.Mailbox.Send(ctx, m)
			if errors.Is(err, unknown) {
				return b.Mailbox.Send(ctx, m)
			}
			return r, err
		}},
		{name: "retries-after-503", fails: "Send/Failed503", send: func(ctx context.Context, b *mutatedBox, m *outgoing) (receipt, error) {
			r, err := b.Mailbox.Send(ctx, m)
			if errors.Is(err, unknown) {
				return b.Mailbox.Send(ctx, m)
			}
			return r, err
		}},
		{name: "calls-unknown-a-failure", fails: "Send/RequestLost", send: sendTurning(provider.ErrTemporary, unknown)},
		{name: "calls-504-a-failure", fails: "Send/Failed504", send: sendTurning(provider.ErrTemporary, unknown)},
		{name: "calls-refusal-unknown", fails: "Send/Refused400", send: sendTurning(unknown, provider.ErrRejected)},
		{name: "calls-throttling-unknown", fails: "Send/Refused429", send: sendTurning(unknown, provider.ErrThrottled)},
		{name: "calls-missing-token-unknown", fails: "Send/NoToken", send: sendTurning(unknown, provider.ErrRelink, provider.ErrTemporary)},
		{name: "ignores-not-after", fails: "Send/NotAfter", send: resend(func(_ *mutatedBox, m *outgoing) { m.NotAfter = m.NotAfter.AddDate(100, 0, 0) })},
		{name: "checks-not-after-too-early", fails: "Send/NotAfterPassesWhileGettingAToken", send: func(ctx context.Context, b *mutatedBox, m *outgoing) (receipt, error) {
			other := *m
			other.NotAfter = m.NotAfter.Add(time.Hour)
			return b.Mailbox.Send(ctx, &other)
		}},
		{name: "rewrites-the-sender", fails: "Send/SenderNotAllowed", send: resend(func(b *mutatedBox, m *outgoing) {
			m.From.Addr = b.account.Address
		})},
		{name: "sends-what-is-too-large", fails: "Send/TooLarge", send: resend(func(_ *mutatedBox, m *outgoing) {
			m.Raw = m.Raw[:min(len(m.Raw), 4096)]
		})},
		{name: "sends-to-some", fails: "Send/TooManyRecipients", send: resend(func(_ *mutatedBox, m *outgoing) {
			m.Cc = m.Cc[:min(len(m.Cc), 10)]
		})},
		{name: "changes-the-callers-bytes", fails: "Send/Accepted", send: func(ctx context.Context, b *mutatedBox, m *outgoing) (receipt, error) {
			r, err := b.Mailbox.Send(ctx, m)
			m.Raw[0] ^= 0x20
			return r, err
		}},
		{name: "ignores-the-context", fails: "Send/CancelledBefore", send: func(ctx context.Context, b *mutatedBox, m *outgoing) (receipt, error) {
			return b.Mailbox.Send(context.WithoutCancel(ctx), m)
		}},
		{name: "calls-cancelled-during-not-sent", fails: "Send/CancelledDuring", send: func(ctx context.Context, b *mutatedBox, m *outgoing) (receipt, error) {
			r, err := b.Mailbox.Send(ctx, m)
			if ctx.Err() != nil {
				return receipt{}, ctx.Err()
			}
			return r, err
		}},
		{name: "forgets-retry-after", fails: "Send/Throttled", send: func(ctx context.Context, b *mutatedBox, m *outgoing) (receipt, error) {
			r, err := b.Mailbox.Send(ctx, m)
			var e *provider.Error
			if errors.As(err, &e) {
				e.RetryAfter = 0
			}
			return r, err
		}},
		{name: "keeps-refusals-to-itself", fails: "Send/TokenRefused", tokens: func(ts provider.TokenSource) provider.TokenSource { return deaf{ts} }},
		{name: "drops-references", fails: "Conversation/FollowUpJoinsTheThread", send: resend(func(_ *mutatedBox, m *outgoing) {
			m.Raw = bytes.ReplaceAll(m.Raw, []byte("\r\nReferences:"), []byte("\r\nX-Old:"))
			m.Raw = bytes.ReplaceAll(m.Raw, []byte("\r\nIn-Reply-To:"), []byte("\r\nX-Older:"))
		})},
	}
}

func locateMutants() []mutant {
	turning := func(to provider.ErrorKind, from ...provider.ErrorKind) func(context.Context, *mutatedBox, provider.SendKey) ([]provider.Located, error) {
		return func(ctx context.Context, b *mutatedBox, key provider.SendKey) ([]provider.Located, error) {
			found, err := b.Mailbox.Locate(ctx, key)
			return found, turned(err, to, from...)
		}
	}
	changed := func(change func(ctx context.Context, b *mutatedBox, key *provider.SendKey)) func(context.Context, *mutatedBox, provider.SendKey) ([]provider.Located, error) {
		return func(ctx context.Context, b *mutatedBox, key provider.SendKey) ([]provider.Located, error) {
			change(ctx, b, &key)
			return b.Mailbox.Locate(ctx, key)
		}
	}
	placed := func(from, to provider.Place) func(context.Context, *mutatedBox, provider.SendKey) ([]provider.Located, error) {
		return func(ctx context.Context, b *mutatedBox, key provider.SendKey) ([]provider.Located, error) {
			found, err := b.Mailbox.Locate(ctx, key)
			for i := range found {
				if found[i].Place == from {
					found[i].Place = to
				}
			}
			return found, err
		}
	}
	fresh := func(ctx context.Context, b *mutatedBox, key *provider.SendKey) {
		if p, err := b.Mailbox.Profile(ctx); err == nil {
			key.Cursor = p.Cursor
		}
	}
	return []mutant{
		{name: "not-sent-too-early", fails: "Locate/NotSettled", locate: turning(provider.ErrNotSent, provider.ErrNotSettled)},
		{name: "does-not-wait-for-late-copies", fails: "Locate/CopyComesLate", locate: turning(provider.ErrNotSent, provider.ErrNotSettled)},
		{name: "settles-at-the-deadline", fails: "Locate/NotSettled", locate: changed(func(_ context.Context, _ *mutatedBox, key *provider.SendKey) {
			key.Deadline = key.Deadline.Add(-time.Hour)
		})},
		{name: "never-not-sent", fails: "Locate/NotSent", locate: turning(provider.ErrOutcomeUnknown, provider.ErrNotSent)},
		{name: "takes-copies-for-granted", fails: "Locate/NotProven", locate: changed(func(_ context.Context, _ *mutatedBox, key *provider.SendKey) { key.Proven = true })},
		{name: "takes-missing-copies-for-proof", fails: "Locate/NoCopiesKept", locate: changed(func(_ context.Context, _ *mutatedBox, key *provider.SendKey) { key.Proven = true })},
		{name: "overlooks-deletions", fails: "Locate/CopyDeleted", locate: changed(fresh)},
		{name: "overlooks-an-expired-cursor", fails: "Locate/CopyDeletedAndCursorExpired", locate: changed(fresh)},
		{name: "needs-no-cursor", fails: "Locate/NoCursor", locate: changed(fresh)},
		{name: "takes-a-404-for-proof", fails: "Locate/AskingFails", locate: turning(provider.ErrNotSent, provider.ErrNotFound)},
		{name: "takes-a-draft-for-sent", fails: "Locate/DraftHasNotDeparted", locate: placed(provider.PlaceDraft, provider.PlaceSent)},
		{name: "reads-without-access", fails: "Locate/WithoutReadAccess", locate: func(ctx context.Context, b *mutatedBox, key provider.SendKey) ([]provider.Located, error) {
			found, err := b.Mailbox.Locate(ctx, key)
			if b.account.Access == provider.AccessSend {
				err = turn(err, provider.ErrOutcomeUnknown, provider.ErrNotSent)
			}
			return found, err
		}},
		{name: "takes-a-portal-for-proof", fails: "Locate/Portal", locate: turning(provider.ErrNotSent, provider.ErrTemporary)},
		{name: "overlooks-copies-filed-away", fails: "Locate/CopyMoved", locate: func(ctx context.Context, b *mutatedBox, key provider.SendKey) ([]provider.Located, error) {
			found, err := b.Mailbox.Locate(ctx, key)
			if n := len(found); n > 0 {
				if found = slices.DeleteFunc(found, func(l provider.Located) bool { return l.Place == provider.PlaceOther }); len(found) == 0 {
					return nil, &provider.Error{Kind: provider.ErrNotSent}
				}
			}
			return found, err
		}},
		{name: "sees-one-place-of-self-mail", fails: "Conversation/SelfMail", locate: placed(provider.PlaceInbox, provider.PlaceSent)},
	}
}

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

func providerMutants() []mutant {
	return []mutant{
		{name: "drops-the-nonce", fails: "Authorize/Parameters", authorize: func(p provider.Provider, req provider.AuthRequest) (string, error) {
			page, err := p.Authorize(req)
			u, perr := url.Parse(page)
			if err != nil || perr != nil {
				return page, err
			}
			q := u.Query()
			q.Del("nonce")
			u.RawQuery = q.Encode()
			return u.String(), nil
		}},
		{name: "needs-no-state", fails: "Authorize/RefusesEmpty", authorize: func(p provider.Provider, req provider.AuthRequest) (string, error) {
			if req.State == "" {
				req.State = "none"
			}
			return p.Authorize(req)
		}},
		{name: "offers-everything", fails: "Authorize/NotOffered", authorize: func(p provider.Provider, req provider.AuthRequest) (string, error) {
			req.Access = provider.AccessSend
			return p.Authorize(req)
		}},
		{name: "ignores-the-nonce", fails: "Exchange/Refuses", exchange: func(ctx context.Context, p provider.Provider, cb provider.Callback) (provider.Grant, error) {
			cb.Nonce = suiteNonce
			return p.Exchange(ctx, cb)
		}},
		{name: "ignores-the-issuer", fails: "Exchange/Refuses", exchange: func(ctx context.Context, p provider.Provider, cb provider.Callback) (provider.Grant, error) {
			cb.Issuer = ""
			return p.Exchange(ctx, cb)
		}},
		{name: "blames-a-code-on-a-grant", fails: "Exchange/Refuses", exchange: func(ctx context.Context, p provider.Provider, cb provider.Callback) (provider.Grant, error) {
			g, err := p.Exchange(ctx, cb)
			return g, turned(err, provider.ErrRelink, provider.ErrRejected)
		}},
		{name: "invents-a-reason", fails: "Provider/Diagnose", diagnose: func(p provider.Provider, err error) provider.Diagnosis {
			d := p.Diagnose(err)
			d.Reason += "_of_mine"
			return d
		}},
		{name: "loses-the-code", fails: "Provider/Diagnose", diagnose: func(p provider.Provider, err error) provider.Diagnosis {
			d := p.Diagnose(err)
			d.Params = nil
			return d
		}},
		{name: "believes-what-was-asked", fails: "Exchange/LessThanAsked", exchange: func(ctx context.Context, p provider.Provider, cb provider.Callback) (provider.Grant, error) {
			g, err := p.Exchange(ctx, cb)
			g.Access = provider.AccessReplies
			return g, err
		}},
		{name: "drops-the-refresh-token", fails: "Refresh/KeepsRefreshToken", refresh: func(ctx context.Context, p provider.Provider, g provider.Grant) (provider.Grant, error) {
			g, err := p.Refresh(ctx, g)
			if err == nil {
				tok := *g.Token
				tok.RefreshToken = ""
				g.Token = &tok
			}
			return g, err
		}},
		{name: "caches-tokens", fails: "Refresh/GivesANewToken", refresh: func(_ context.Context, _ provider.Provider, g provider.Grant) (provider.Grant, error) {
			return g, nil
		}},
		{name: "changes-the-callers-grant", fails: "Refresh/GivesANewToken", refresh: func(ctx context.Context, p provider.Provider, g provider.Grant) (provider.Grant, error) {
			next, err := p.Refresh(ctx, g)
			if err == nil {
				*g.Token = *next.Token
			}
			return next, err
		}},
		{name: "calls-dead-temporary", fails: "Refresh/Relink", refresh: func(ctx context.Context, p provider.Provider, g provider.Grant) (provider.Grant, error) {
			g, err := p.Refresh(ctx, g)
			return g, turn(err, provider.ErrRelink, provider.ErrTemporary)
		}},
		{name: "blames-the-grant", fails: "Refresh/AppAtFault", refresh: func(ctx context.Context, p provider.Provider, g provider.Grant) (provider.Grant, error) {
			g, err := p.Refresh(ctx, g)
			return g, turn(err, provider.ErrApp, provider.ErrRelink)
		}},
		{name: "opens-with-a-request", fails: "Provider/OpenMakesNoRequest", opened: func(b *mutatedBox) {
			if b.tokens != nil {
				_, _ = b.Mailbox.Profile(context.Background())
			}
		}},
		{name: "promises-too-much", fails: "Abilities/send/Locate", abilities: func(p provider.Provider, a provider.Access) provider.Abilities {
			ab := p.Abilities(a)
			if a == provider.AccessSend {
				ab.Locate = provider.ReachMailbox
			}
			return ab
		}},
		{name: "promises-too-little", fails: "Abilities/replies/SenderReplies", abilities: func(p provider.Provider, a provider.Access) provider.Abilities {
			ab := p.Abilities(a)
			ab.SenderReplies = false
			return ab
		}},
		{name: "able-without-access", fails: "Abilities/UnknownAccess", abilities: func(p provider.Provider, a provider.Access) provider.Abilities {
			if a == "" {
				a = provider.AccessSend
			}
			return p.Abilities(a)
		}},
	}
}
