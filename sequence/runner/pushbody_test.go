package runner_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// slowly is a connection over which a body comes drop by drop, and never ends.
type slowly struct {
	*httptest.ResponseRecorder
	deadline chan time.Time
	read     int
}

func (s *slowly) SetReadDeadline(at time.Time) error {
	s.deadline <- at
	return nil
}

func (s *slowly) Read(b []byte) (int, error) {
	if s.read++; s.read < 3 {
		b[0] = ' '
		return 1, nil
	}
	select {
	case at := <-s.deadline:
		if time.Until(at) > 3*time.Second {
			return 0, io.EOF
		}
		return 0, os.ErrDeadlineExceeded
	case <-time.After(2 * time.Second): // nobody set one
		return 0, io.EOF
	}
}

// bodily reads the body of a push, as Providers do.
type bodily struct{}

func (bodily) ReceivePush(r *http.Request) (provider.Push, error) {
	if _, err := io.ReadAll(r.Body); err != nil {
		return provider.Push{}, &provider.Error{Kind: provider.ErrTemporary, Op: "push", Reason: "body_not_read"}
	}
	return provider.Push{}, nil
}

// TestPushDropByDrop: a body that never ends is not waited for longer than the
// services wait for an answer.
func TestPushDropByDrop(t *testing.T) {
	w := newPushWorld(t, onMemstore)
	s := &slowly{ResponseRecorder: httptest.NewRecorder(), deadline: make(chan time.Time, 1)}
	w.run.PushHandler(bodily{}).ServeHTTP(s, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/push", s))
	if s.Code != http.StatusServiceUnavailable {
		t.Errorf("the status is %d", s.Code)
	}
}

// asked counts what a store is asked.
type asked struct {
	store.EnrollmentStore
	match, mailbox, commit, notify int
}

func (a *asked) Match(ctx context.Context, box string, keys []store.IndexKey) ([]store.IndexRow, error) {
	a.match++
	return a.EnrollmentStore.Match(ctx, box, keys)
}

func (a *asked) GetMailbox(ctx context.Context, id string) (store.Mailbox, error) {
	a.mailbox++
	return a.EnrollmentStore.GetMailbox(ctx, id)
}

func (a *asked) Commit(ctx context.Context, b store.Batch) error {
	a.commit++
	return a.EnrollmentStore.Commit(ctx, b)
}

func (a *asked) Notify(ctx context.Context, mailbox string) error {
	a.notify++
	return a.EnrollmentStore.Notify(ctx, mailbox)
}

// TestThousandNotices: a push with a thousand notices, all forged but one, costs
// the store a handful of questions, and marks the one mailbox.
func TestThousandNotices(t *testing.T) { onEachStore(t, testThousandNotices) }

func testThousandNotices(t *testing.T, on storage) {
	var a *asked
	w := newPushWorld(t, on)
	a = &asked{EnrollmentStore: w.store}
	w.cfg.Store = a
	w.run = w.runner()
	w.begin("grace@example.net")
	w.lost = true
	w.deliverTo(sender, "unrelated@example.org", "Lunch")
	w.clock.Advance(0)
	genuine := w.pushed[len(w.pushed)-1].Notices[0]
	var push provider.Push
	for i := range 1000 {
		n := provider.Notice{Kind: provider.NoticeRemoved, Route: fmt.Sprintf("mem/subscription-%d", i), Secret: strings.Repeat("x", 128)}
		if i%2 == 0 {
			n.Route, n.Secret = genuine.Route, fmt.Sprintf("a-guess-%d", i)
		}
		push.Notices = append(push.Notices, n)
	}
	push.Notices[777] = genuine
	*a = asked{EnrollmentStore: w.store}
	report, err := w.run.Pushed(t.Context(), push)
	if err != nil || report.Mailboxes != 1 || report.Ignored != 999 || !w.mailbox().Marked {
		t.Errorf("%+v, %v", report, err)
	}
	if a.match > 2 || a.mailbox > 1 || a.commit > 0 || a.notify > 1 {
		t.Errorf("it cost %d matches, %d reads, %d commits and %d marks", a.match, a.mailbox, a.commit, a.notify)
	}
	w.pass(15 * time.Minute)
	if s := w.status(); !s.Watched {
		t.Errorf("forged notices of an end ended the watch: %+v", s)
	}
}
