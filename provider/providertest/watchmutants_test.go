package providertest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/provider"
)

func watchMutants() []mutant {
	watchAs := func(change func(w *provider.Watch)) func(context.Context, provider.Watcher, provider.WatchParams) (provider.Watch, error) {
		return func(ctx context.Context, w provider.Watcher, p provider.WatchParams) (provider.Watch, error) {
			got, err := w.Watch(ctx, p)
			change(&got)
			return got, err
		}
	}
	return []mutant{
		{name: "lists-everything-for-a-thread", fails: "Search/ByThread", search: func(ctx context.Context, b *mutatedBox, q provider.Query) ([]provider.Item, error) {
			q.Threads = nil
			return b.Mailbox.Search(ctx, q)
		}},
		{name: "lists-one-of-several-threads", fails: "Search/ByThread", search: func(ctx context.Context, b *mutatedBox, q provider.Query) ([]provider.Item, error) {
			q.Threads = q.Threads[:min(1, len(q.Threads))]
			return b.Mailbox.Search(ctx, q)
		}},
		{name: "watches-under-another-route", fails: "Watch/TellsOfNewMailWhereverItIsFiled", watch: watchAs(func(w *provider.Watch) { w.Route += "x" })},
		{name: "watches-under-a-bare-route", fails: "Watch/Complete", watch: watchAs(func(w *provider.Watch) { w.Route = w.ID })},
		{name: "does-not-know-the-end", fails: "Watch/Complete", watch: watchAs(func(w *provider.Watch) { w.Expires = time.Time{} })},
		{name: "believes-in-an-earlier-end", fails: "Watch/EndsByItself", watch: watchAs(func(w *provider.Watch) { w.Expires = w.Expires.Add(-24 * time.Hour) })},
		{name: "makes-up-a-secret", fails: "Watch/TellsOfNewMailWhereverItIsFiled",
			watch: func(ctx context.Context, w provider.Watcher, _ provider.WatchParams) (provider.Watch, error) {
				return w.Watch(ctx, provider.WatchParams{Secret: "the same secret for everybody"})
			}},
		{name: "loses-the-secret-on-the-way", fails: "Watch/TellsOfNewMailWhereverItIsFiled", notices: func(list []provider.Notice) []provider.Notice {
			for i := range list {
				list[i].Secret = ""
			}
			return list
		}},
		{name: "takes-pushes-for-nothing", fails: "Watch/TellsOfNewMailWhereverItIsFiled", notices: func([]provider.Notice) []provider.Notice { return nil }},
		{name: "does-not-unwatch", fails: "Watch/NothingAfterUnwatch", unwatch: func(context.Context, provider.Watcher, provider.Watch) error { return nil }},
		{name: "does-not-renew", fails: "Watch/RenewPutsOffTheEnd", renew: func(_ context.Context, _ provider.Watcher, old provider.Watch) (provider.Watch, error) {
			return old, nil
		}},
		{name: "renews-what-points-elsewhere", fails: "Watch/RenewOfOneThatPointsElsewhere",
			renew: func(ctx context.Context, w provider.Watcher, old provider.Watch) (provider.Watch, error) {
				return w.Renew(ctx, provider.Watch{ID: old.ID, Route: old.Route, Target: "ProviderConfig.Push", Expires: old.Expires})
			}},
		{name: "calls-a-forgotten-watch-a-passing-failure", fails: "Watch/RenewOfAForgottenWatch",
			renew: func(ctx context.Context, w provider.Watcher, old provider.Watch) (provider.Watch, error) {
				got, err := w.Renew(ctx, old)
				return got, turn(err, provider.ErrNotFound, provider.ErrTemporary)
			}},
		{name: "tells-the-secret", fails: "Watch/FailuresAreTyped",
			watch: func(ctx context.Context, w provider.Watcher, p provider.WatchParams) (provider.Watch, error) {
				got, err := w.Watch(ctx, p)
				var pe *provider.Error
				if errors.As(err, &pe) {
					pe.Reason = fmt.Sprintf("watching_with_%s", p.Secret)
				}
				return got, err
			}},
	}
}
