package runner

import (
	"context"
	"io"

	"github.com/outreachkit/outreach/provider"
)

// observed is a mailbox whose every call is reported, with its reason.
type observed struct {
	mb      provider.Mailbox
	r       *Runner
	mailbox string
	link    string
}

func report[T any](o observed, op, reason string, ref provider.Ref, count func(T) int, call func() (T, error)) (T, error) {
	return reportAs(o, op, func(T, error) string { return reason }, ref, count, call)
}

// reportAs is report of a call whose reason is known only by its answer.
func reportAs[T any](
	o observed, op string, reason func(T, error) string, ref provider.Ref, count func(T) int, call func() (T, error),
) (T, error) {
	start := o.r.cfg.Now()
	v, err := call()
	n := 0
	if err == nil {
		n = count(v)
	}
	o.r.observe(Observation{
		Kind: ObserveRequest, At: start, Mailbox: o.mailbox, Link: o.link, Op: op, Reason: reason(v, err), Ref: string(ref),
		Took: o.r.cfg.Now().Sub(start), Count: n, Err: err,
	})
	return v, err
}

func one[T any](T) int { return 1 }

func (o observed) profile(ctx context.Context, reason string) (provider.Profile, error) {
	return report(o, "profile", reason, "", one, func() (provider.Profile, error) { return o.mb.Profile(ctx) })
}

func (o observed) send(ctx context.Context, m *provider.Outgoing) (provider.Receipt, error) {
	return report(o, "send", ReasonSend, "", one, func() (provider.Receipt, error) { return o.mb.Send(ctx, m) })
}

func (o observed) locate(ctx context.Context, key provider.SendKey, reason string) ([]provider.Located, error) {
	return report(o, "locate", reason, "", func(l []provider.Located) int { return len(l) },
		func() ([]provider.Located, error) { return o.mb.Locate(ctx, key) })
}

func (o observed) changes(ctx context.Context, since provider.Cursor) (provider.Page, error) {
	return report(o, "changes", ReasonFeed, "", func(p provider.Page) int { return len(p.Items) },
		func() (provider.Page, error) { return o.mb.Changes(ctx, since) })
}

func (o observed) search(ctx context.Context, q provider.Query, reason string) ([]provider.Item, error) {
	return report(o, "search", reason, "", func(items []provider.Item) int { return len(items) },
		func() ([]provider.Item, error) { return o.mb.Search(ctx, q) })
}

// envelope reports a system sender's message apart: that it is read at all
// is an exception.
func (o observed) envelope(ctx context.Context, ref provider.Ref, reason string) (*provider.Envelope, error) {
	why := func(env *provider.Envelope, err error) string {
		if err == nil && reason == ReasonSender && provider.IsSystemSender(env.From) {
			return ReasonReport
		}
		return reason
	}
	return reportAs(o, "envelope", why, ref, one, func() (*provider.Envelope, error) { return o.mb.Envelope(ctx, ref) })
}

func (o observed) watch(ctx context.Context, w provider.Watcher, p provider.WatchParams) (provider.Watch, error) {
	return report(o, "watch", ReasonPush, "", one, func() (provider.Watch, error) { return w.Watch(ctx, p) })
}

func (o observed) renew(ctx context.Context, w provider.Watcher, was provider.Watch) (provider.Watch, error) {
	return report(o, "renew", ReasonPush, "", one, func() (provider.Watch, error) { return w.Renew(ctx, was) })
}

func (o observed) unwatch(ctx context.Context, w provider.Watcher, was provider.Watch) error {
	_, err := report(o, "unwatch", ReasonPush, "", one, func() (provider.Watch, error) { return provider.Watch{}, w.Unwatch(ctx, was) })
	return err
}

func (o observed) attachment(ctx context.Context, w provider.Warrant, part string) (io.ReadCloser, error) {
	return report(o, "attachment", ReasonAttachment, w.Ref(), one, func() (io.ReadCloser, error) { return o.mb.Attachment(ctx, w, part) })
}

func (o observed) content(ctx context.Context, w provider.Warrant, reason string) (*provider.Message, error) {
	return report(o, "content", reason, w.Ref(), one, func() (*provider.Message, error) { return o.mb.Content(ctx, w) })
}
