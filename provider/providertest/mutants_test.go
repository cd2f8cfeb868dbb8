package providertest

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"slices"
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
		{name: "looks-through-all-that-was-sent", fails: "Locate/AcceptedReadsNothingElse", locate: changed(func(_ context.Context, _ *mutatedBox, key *provider.SendKey) {
			key.Accepted = false
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

// promising changes what AccessEnvelopes promises in one cell.
func promising(name, cell string, change func(*provider.Abilities)) mutant {
	return mutant{name: name, fails: "Abilities/envelopes/" + cell, abilities: func(p provider.Provider, a provider.Access) provider.Abilities {
		ab := p.Abilities(a)
		if a == provider.AccessEnvelopes {
			change(&ab)
		}
		return ab
	}}
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
		promising("envelopes-locate-nothing", "Locate", func(ab *provider.Abilities) { ab.Locate = provider.ReachNone }),
		promising("envelopes-see-no-answer", "ThreadReplies", func(ab *provider.Abilities) { ab.ThreadReplies = false }),
		promising("envelopes-see-new-threads", "SenderReplies", func(ab *provider.Abilities) { ab.SenderReplies = true }),
		promising("envelopes-read-absences", "AutoReplies", func(ab *provider.Abilities) { ab.AutoReplies = provider.DetectContent }),
		promising("envelopes-find-reports", "Reports", func(ab *provider.Abilities) { ab.Reports = provider.DetectSender }),
		promising("envelopes-read-content", "Content", func(ab *provider.Abilities) { ab.Content = true }),
		promising("envelopes-prove-no-preview", "Preview", func(ab *provider.Abilities) { ab.Preview = false }),
		{name: "reads-content-over-envelopes", fails: "Abilities/envelopes/Content", content: func(ctx context.Context, b *mutatedBox, w provider.Warrant) (*provider.Message, error) {
			msg, err := b.Mailbox.Content(ctx, w)
			if b.account.Access == provider.AccessEnvelopes && errors.Is(err, provider.ErrAccess) {
				return &provider.Message{}, nil
			}
			return msg, err
		}},
		{name: "takes-hidden-headers-for-none", fails: "Abilities/envelopes/AutoReplies", envelope: func(ctx context.Context, b *mutatedBox, ref provider.Ref) (*provider.Envelope, error) {
			env, err := b.Mailbox.Envelope(ctx, ref)
			if err == nil && b.account.Access == provider.AccessEnvelopes {
				env.Header = nil
			}
			return env, err
		}},
		{name: "resends-over-envelopes", fails: "Envelopes/LocateNotProven", locate: func(ctx context.Context, b *mutatedBox, key provider.SendKey) ([]provider.Located, error) {
			key.Proven = key.Proven || b.account.Access == provider.AccessEnvelopes
			return b.Mailbox.Locate(ctx, key)
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
