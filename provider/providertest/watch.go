package providertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// watching is a watched mailbox.
type watching struct {
	*link
	provider.Watcher
	w      *world
	secret string
}

// watcher opens a mailbox that can be watched, or skips.
func (w *world) watcher(t *testing.T) *watching {
	t.Helper()
	need(t, w.Notices != nil, "pushes")
	l := w.feeder(t)
	watcher, ok := l.Mailbox.(provider.Watcher)
	need(t, ok, "mailboxes that can be watched")
	return &watching{link: l, Watcher: watcher, w: w, secret: fmt.Sprintf("suite-secret-%d-%d", w.Now().Unix(), w.mails)}
}

func (x *watching) watch(t *testing.T) provider.Watch {
	t.Helper()
	got, err := x.Watch(t.Context(), provider.WatchParams{Secret: x.secret})
	if err != nil {
		t.Fatalf("watch: %v", err)
	}
	x.w.Advance(x.w.Visible)
	_ = x.w.Notices() // a service may begin by telling where it stands
	return got
}

// mail has a mail arrive and returns what was pushed since.
func (x *watching) mail(t *testing.T, place provider.Place) []provider.Notice {
	t.Helper()
	raw, _ := x.w.incoming("carol@example.org", "Hello", "Yes")
	x.w.deliver(t, place, raw)
	x.w.Advance(x.w.Visible)
	return x.w.Notices()
}

// told checks that there are notices and that all are of the watch.
func (x *watching) told(t *testing.T, list []provider.Notice, got provider.Watch) {
	t.Helper()
	if len(list) == 0 {
		t.Error("no push tells of new mail")
	}
	for _, n := range list {
		want := x.secret
		if got.Signed {
			want = ""
		}
		if n.Kind != provider.NoticeChanged || n.Route != got.Route || n.Secret != want {
			t.Errorf("a push says %q of route %q, its secret is right: %v; the watch has route %q", n.Kind, n.Route, n.Secret == want, got.Route)
		}
	}
}

func watchTests() tests {
	return tests{
		"Complete": func(t *testing.T, w *world) {
			got := w.watcher(t).watch(t)
			if got.Route == "" || got.Target == "" || !got.Expires.After(w.Now()) || !got.RenewAt.IsZero() && !got.RenewAt.Before(got.Expires) {
				t.Errorf("the watch is %+v", got)
			}
			if !strings.HasPrefix(got.Route, string(w.Provider.Kind())+"/") {
				t.Errorf("the route %q does not name the kind: another service's pushes could name it", got.Route)
			}
		},
		"TellsOfNewMailWhereverItIsFiled": func(t *testing.T, w *world) {
			x := w.watcher(t)
			got := x.watch(t)
			for _, place := range []provider.Place{provider.PlaceInbox, provider.PlaceJunk, provider.PlaceOther} {
				x.told(t, x.mail(t, place), got)
				w.Advance(time.Minute)
				_ = w.Notices()
			}
		},
		"OnlyItsMailbox": func(t *testing.T, w *world) {
			x := w.watcher(t)
			x.watch(t)
			raw, _ := w.incoming("carol@example.org", "Hello", "Yes")
			w.Deliver(t, w.Peer, provider.PlaceInbox, raw)
			w.Advance(2 * w.Visible)
			if list := w.Notices(); len(list) > 0 {
				t.Errorf("mail in another mailbox is told: %v", list)
			}
		},
		"NothingWithoutAWatch": func(t *testing.T, w *world) {
			x := w.watcher(t)
			if list := x.mail(t, provider.PlaceInbox); len(list) > 0 {
				t.Errorf("%d pushes before anybody asked", len(list))
			}
		},
		"NothingAfterUnwatch": func(t *testing.T, w *world) {
			x := w.watcher(t)
			got := x.watch(t)
			for range 2 {
				if err := x.Unwatch(t.Context(), got); err != nil {
					t.Fatalf("unwatch: %v", err)
				}
			}
			if list := x.mail(t, provider.PlaceInbox); len(list) > 0 {
				t.Errorf("%d pushes after the watch was ended", len(list))
			}
		},
		"EndsByItself": func(t *testing.T, w *world) {
			x := w.watcher(t)
			got := x.watch(t)
			w.Advance(got.Expires.Sub(w.Now()) + time.Second)
			_ = w.Notices()
			if list := x.mail(t, provider.PlaceInbox); len(list) > 0 {
				t.Errorf("%d pushes after %v, the end that the watch named", len(list), got.Expires)
			}
		},
		"RenewPutsOffTheEnd": func(t *testing.T, w *world) {
			x := w.watcher(t)
			got := x.watch(t)
			for range 3 {
				w.Advance(got.Expires.Sub(w.Now()) * 3 / 4)
				again, err := x.Renew(t.Context(), got)
				if err != nil {
					t.Fatalf("renew: %v", err)
				}
				if !again.Expires.After(got.Expires) || again.Route != got.Route || again.Signed != got.Signed {
					t.Fatalf("renewed, %+v is %+v", got, again)
				}
				got = again
			}
			_ = w.Notices()
			x.told(t, x.mail(t, provider.PlaceInbox), got)
		},
		"RenewOfAForgottenWatch": func(t *testing.T, w *world) {
			x := w.watcher(t)
			need(t, w.Faults.EndWatches != nil, "way to end watches")
			got := x.watch(t)
			w.Faults.EndWatches()
			if list := x.mail(t, provider.PlaceInbox); len(list) > 0 {
				t.Errorf("%d pushes of a watch that was forgotten", len(list))
			}
			again, err := x.Renew(t.Context(), got)
			if err != nil {
				is(t, err, provider.ErrNotFound)
				if err := x.Unwatch(t.Context(), got); err != nil {
					t.Errorf("unwatch of what is gone: %v", err)
				}
				again = x.watch(t)
			}
			w.Advance(time.Minute)
			_ = w.Notices()
			x.told(t, x.mail(t, provider.PlaceInbox), again)
		},
		"RenewOfOneThatPointsElsewhere": func(t *testing.T, w *world) {
			x := w.watcher(t)
			got := x.watch(t)
			got.Target = "elsewhere"
			_, err := x.Renew(t.Context(), got)
			is(t, err, provider.ErrNotFound)
		},
		"Throttled": func(t *testing.T, w *world) {
			x := w.watcher(t)
			need(t, w.Faults.Throttle != nil, "throttling")
			w.Faults.Throttle(time.Minute)
			_, err := x.Watch(t.Context(), provider.WatchParams{Secret: x.secret})
			is(t, err, provider.ErrThrottled)
		},
		"FailuresAreTyped": func(t *testing.T, w *world) {
			x := w.watcher(t)
			need(t, w.Faults.Answer != nil, "refusals")
			got := x.watch(t)
			for _, status := range []int{403, 503} {
				w.Faults.Answer(status)
				_, err := x.Watch(t.Context(), provider.WatchParams{Secret: x.secret})
				typed(t, err)
				w.Faults.Answer(status)
				_, err2 := x.Renew(t.Context(), got)
				typed(t, err2)
				w.Faults.Answer(status)
				err3 := x.Unwatch(t.Context(), got)
				typed(t, err3)
				for _, err := range []error{err, err2, err3} {
					if err == nil || strings.Contains(err.Error(), x.secret) {
						t.Errorf("after status %d the error is %v", status, err)
					}
				}
			}
		},
		"SendingDoesNotWatch": func(t *testing.T, w *world) {
			if _, ok := w.open(t, w.Address, provider.AccessSend).Mailbox.(provider.Watcher); ok && !w.Provider.Abilities(provider.AccessSend).ThreadReplies {
				t.Error("a mailbox can be watched though nothing may be read of it")
			}
		},
	}
}
