package runner

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// PushReport is what Pushed made of a push.
type PushReport struct {
	Mailboxes int // marked for the next Tick
	Ignored   int // notices of watches that are not ours, or without the secret of theirs
}

// Pushed takes what a Provider's ReceivePush returned: it marks the mailboxes
// that the push speaks of for the next Tick, and remembers what is to be done
// about their watches. It makes no request. When it returns nil all of that is
// stored and the push may be acknowledged; on an error it must not be, so that
// it comes again.
//
// A notice that fits no watch is ignored: somebody else's, an old one, or a
// forged one.
func (r *Runner) Pushed(ctx context.Context, push provider.Push) (PushReport, error) {
	report := PushReport{Ignored: push.Ignored}
	boxes := make(map[string]pushData)
	marked := make(map[string]bool)
	for chunk := range slices.Chunk(push.Notices, 500) {
		keys := make([]store.IndexKey, len(chunk))
		for i, n := range chunk {
			keys[i] = indexKey(store.IndexPush, n.Route)
		}
		rows, err := r.cfg.Store.Match(ctx, "", keys)
		if err != nil {
			return report, fmt.Errorf("runner: push: %w", err)
		}
		for i, n := range chunk {
			took := false
			for _, row := range rows {
				if row.Value != keys[i].Value || n.Route == "" {
					continue
				}
				d, ok := boxes[row.Mailbox]
				if !ok {
					if d, err = r.pushDataOf(ctx, row.Mailbox); err != nil {
						return report, err
					}
					boxes[row.Mailbox] = d
				}
				if !d.takes(n) {
					continue
				}
				took = true
				if err := r.note(ctx, row.Mailbox, n, d); err != nil {
					return report, err
				}
				marked[row.Mailbox] = true
				r.observe(Observation{Kind: ObservePush, At: r.cfg.Now(), Mailbox: row.Mailbox, Link: d.Link, Reason: string(n.Kind), Count: 1})
			}
			if !took {
				report.Ignored++
			}
		}
	}
	for mailbox := range marked {
		err := r.cfg.Store.Notify(ctx, mailbox)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return report, fmt.Errorf("runner: push: %w", err)
		}
		report.Mailboxes++
	}
	if report.Ignored > 0 {
		r.observe(Observation{Kind: ObservePush, At: r.cfg.Now(), Reason: PushIgnored, Count: report.Ignored})
	}
	return report, nil
}

// pushDataOf reads what is stored of a mailbox's watch.
func (r *Runner) pushDataOf(ctx context.Context, mailbox string) (pushData, error) {
	box, err := r.cfg.Store.GetMailbox(ctx, mailbox)
	if errors.Is(err, store.ErrNotFound) {
		return pushData{}, nil
	}
	if err != nil {
		return pushData{}, fmt.Errorf("runner: push: %w", err)
	}
	var data boxData
	if len(box.Data) > 0 && json.Unmarshal(box.Data, &data) != nil {
		return pushData{}, nil // the pass over the mailbox says so
	}
	return data.Push, nil
}

// takes reports whether a notice is one of this watch, as far as can be told.
func (d pushData) takes(n provider.Notice) bool {
	if d.Route == "" || d.Route != n.Route {
		return false
	}
	return d.Signed || d.Secret != "" && subtle.ConstantTimeCompare([]byte(digest(n.Secret)), []byte(d.Secret)) == 1
}

// note remembers what the service said of a watch until it was acted on, which
// changes the watch's serial.
func (r *Runner) note(ctx context.Context, mailbox string, n provider.Notice, d pushData) error {
	if n.Kind != provider.NoticeRenew && n.Kind != provider.NoticeRemoved {
		return nil
	}
	err := r.cfg.Store.Commit(ctx, store.Batch{Index: []store.IndexRow{{
		Kind: store.IndexPush, Value: indexed(noted(n.Kind, d)), Mailbox: mailbox, Enrollment: nobody, Until: later(d.Expires, r.cfg.Now()).Add(24 * time.Hour),
	}}})
	if err != nil {
		return fmt.Errorf("runner: push: %w", err)
	}
	return nil
}

// answerWithin bounds the handling of a push: Graph wants an answer within
// three seconds, and slows down all pushes to a host that is late too often.
const answerWithin = 2500 * time.Millisecond

// PushHandler answers a Provider's pushes: received, stored, acknowledged, in
// this order. What is forged is refused, and what could not be stored comes
// again. Each Provider has a handler at an address of its own; a host that
// writes its own calls ReceivePush and Pushed.
func (r *Runner) PushHandler(from provider.PushReceiver) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		if req.Method != http.MethodPost {
			h.Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		ctx, cancel := context.WithTimeout(req.Context(), answerWithin)
		defer cancel()
		// A body that comes drop by drop keeps nobody waiting, whatever the host's
		// server allows. Where the deadline can't be set, that is all there is.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(answerWithin))
		push, err := from.ReceivePush(req.WithContext(ctx))
		if err != nil {
			r.refusePush(ctx, w, err)
			return
		}
		if push.Echo != "" {
			_, _ = w.Write([]byte(push.Echo))
			return
		}
		if _, err := r.Pushed(ctx, push); err != nil {
			r.log.ErrorContext(ctx, "runner: a push was not stored, and is to come again", "error", err)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

func (r *Runner) refusePush(ctx context.Context, w http.ResponseWriter, err error) {
	r.observe(Observation{Kind: ObservePush, At: r.cfg.Now(), Reason: PushRefused, Err: err})
	r.log.WarnContext(ctx, "runner: a push was refused", "error", err)
	status := http.StatusServiceUnavailable
	switch {
	case errors.Is(err, provider.ErrAccess):
		status = http.StatusUnauthorized
	case errors.Is(err, provider.ErrTooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, provider.ErrRejected):
		status = http.StatusBadRequest
	}
	w.WriteHeader(status)
}

// PushStatus is how a mailbox is watched.
type PushStatus struct {
	Watched  bool      // the service pushes until Expires
	Expires  time.Time // unless renewed
	RenewAt  time.Time // when it is renewed
	Doubtful bool      // no push has come yet, or one was missing: it is polled at the ordinary pace

	FailingSince time.Time // since when the watch can't be set up or renewed; zero if it can
	Reason       string    // why
}

// PushStatus tells how the mailbox of a link is watched. It makes no request.
func (r *Runner) PushStatus(ctx context.Context, link string) (PushStatus, error) {
	linked, err := r.cfg.Mailboxes.Open(ctx, link)
	if err != nil {
		return PushStatus{}, fmt.Errorf("runner: push status: open link %s: %w", link, err)
	}
	d, err := r.pushDataOf(ctx, mailboxID(linked))
	if err != nil {
		return PushStatus{}, err
	}
	return PushStatus{
		Watched: d.Route != "" && d.Link == link && d.Expires.After(r.cfg.Now()), Expires: d.Expires, RenewAt: d.RenewAt, Doubtful: d.Doubted,
		FailingSince: d.FailingSince, Reason: d.Reason,
	}, nil
}

// StopPush ends the watch of a mailbox at its service. It fits
// linking.Config.StopPush, which is called just before a link loses what lets
// us do so. What the service does not end now expires by itself within days,
// and its pushes are ignored: that is logged, and no error. A mailbox that
// stays linked is polled, and watched again in time.
func (r *Runner) StopPush(ctx context.Context, mailbox provider.Linked) error {
	d, err := r.pushDataOf(ctx, mailboxID(mailbox))
	if err != nil {
		return err
	}
	w, can := mailbox.Mailbox.(provider.Watcher)
	if !can || d.Route == "" || d.Link != mailbox.Link {
		return nil
	}
	mb := observed{mb: mailbox.Mailbox, r: r, mailbox: mailboxID(mailbox), link: mailbox.Link}
	if err := mb.unwatch(ctx, w, d.watch()); err != nil {
		r.log.WarnContext(ctx, "runner: a watch could not be ended, and ends by itself", "mailbox", mailboxID(mailbox), "error", err)
	}
	return ctx.Err()
}
