package runner_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// pushWorld is a world whose mail service pushes.
type pushWorld struct {
	*world
	lost   bool            // pushes don't arrive
	pushed []provider.Push // what the service pushed
}

func newPushWorld(t *testing.T, on storage, change ...func(*runner.Config)) *pushWorld {
	t.Helper()
	w := &pushWorld{world: newWorld(t, on, append([]func(*runner.Config){func(c *runner.Config) { c.Push = &runner.PushConfig{} }}, change...)...)}
	w.prov = postoffice.NewProvider(w.office, postoffice.ProviderConfig{Push: func(p provider.Push) {
		w.pushed = append(w.pushed, p)
		if w.lost {
			return
		}
		if _, err := w.run.Pushed(t.Context(), p); err != nil {
			t.Error(err)
		}
	}})
	return w
}

// begin enrolls somebody and goes on until pushes are known to come.
func (w *pushWorld) begin(addr string, does ...postoffice.Behaviour) string {
	w.t.Helper()
	w.person(addr, does...)
	id := w.enroll(addr).ID
	w.tick()
	w.pass(30 * time.Minute)
	w.deliverTo(sender, "unrelated@example.org", "Lunch")
	w.clock.Advance(0)
	w.pass(15 * time.Minute)
	if s := w.status(); !s.Watched || s.Doubtful {
		w.t.Fatalf("the mailbox is not watched, or pushes are doubted: %+v", s)
	}
	return id
}

func (w *world) deliverTo(to, from, subject string) {
	w.t.Helper()
	raw := "From: " + from + "\r\nTo: " + to + "\r\nSubject: " + subject + "\r\nMessage-ID: <" + w.clock.Now().Format("150405.000000") + "@example.org>\r\n\r\nHello.\r\n"
	if _, err := w.office.Deliver(postoffice.Mail{To: to, Raw: []byte(raw), Unrelated: true}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) status() runner.PushStatus {
	w.t.Helper()
	s, err := w.run.PushStatus(w.t.Context(), link)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) mailbox() store.Mailbox {
	w.t.Helper()
	m, err := w.store.GetMailbox(w.t.Context(), string(w.prov.Kind())+"/"+w.box.Subject())
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// TestPush: an answer that is pushed stops the drip at the next Tick; one
// whose push is lost does at the next poll, and not before.
func TestPush(t *testing.T) { onEachStore(t, testPush) }

func testPush(t *testing.T, on storage) {
	for name, lost := range map[string]bool{"arrives": false, "is lost": true} {
		t.Run(name, func(t *testing.T) {
			w := newPushWorld(t, on)
			id := w.begin("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, After: 2*time.Hour + time.Minute})
			w.lost = lost
			polls := w.seen.counts["changes feed"]
			w.clock.Set(start.Add(2 * time.Hour))
			w.tick()
			w.clock.Advance(time.Minute + time.Second)
			w.tick()
			if lost {
				w.want(id, runner.StatusActive, 1)
				w.clock.Advance(30 * time.Minute)
				w.tick()
				if s := w.status(); !s.Doubtful {
					t.Errorf("a lost push casts no doubt on the others: %+v", s)
				}
			}
			w.want(id, runner.StatusReplied, 1)
			if n := w.seen.counts["changes feed"] - polls; n > 3 {
				t.Errorf("the feed was asked %d times in two hours", n)
			}
			w.sound()
		})
	}
}

// TestPushesLostForGood: with no push ever arriving it is as good as polling.
func TestPushesLostForGood(t *testing.T) { onEachStore(t, testPushesLostForGood) }

func testPushesLostForGood(t *testing.T, on storage) {
	w := newPushWorld(t, on)
	w.lost = true
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, After: 26 * time.Hour})
	id := w.enroll("grace@example.net").ID
	w.pass(26*time.Hour + 15*time.Minute)
	w.want(id, runner.StatusReplied, 1)
	w.sound()
}

// TestExpiredCursorAndPush: the push finds a cursor that has expired.
func TestExpiredCursorAndPush(t *testing.T) { onEachStore(t, testExpiredCursorAndPush) }

func testExpiredCursorAndPush(t *testing.T, on storage) {
	w := newPushWorld(t, on)
	id := w.begin("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, After: 2 * time.Hour})
	w.box.ExpireChanges()
	w.clock.Set(start.Add(2*time.Hour + time.Second))
	w.tick()
	w.want(id, runner.StatusReplied, 1)
	w.sound()
}

// TestForgedNotices: a notice without the watch's secret marks nothing.
func TestForgedNotices(t *testing.T) { onEachStore(t, testForgedNotices) }

func testForgedNotices(t *testing.T, on storage) {
	w := newPushWorld(t, on)
	w.begin("grace@example.net")
	w.deliverTo(sender, "unrelated@example.org", "Lunch again")
	w.lost = true
	w.clock.Advance(0)
	genuine := w.pushed[len(w.pushed)-1].Notices[0]
	if len(w.mailbox().Data) == 0 || strings.Contains(string(w.mailbox().Data), genuine.Secret) {
		t.Error("the record holds the secret, not its digest")
	}
	w.clock.Advance(time.Minute)
	w.tick()
	for name, n := range map[string]provider.Notice{
		"another secret":       {Kind: genuine.Kind, Route: genuine.Route, Secret: genuine.Secret + "x"},
		"no secret":            {Kind: genuine.Kind, Route: genuine.Route},
		"the secret's digest":  {Kind: genuine.Kind, Route: genuine.Route, Secret: digestIn(t, w.mailbox().Data)},
		"an unknown watch":     {Kind: genuine.Kind, Route: genuine.Route + "0", Secret: genuine.Secret},
		"no watch":             {Kind: genuine.Kind, Secret: genuine.Secret},
		"a forged removal":     {Kind: provider.NoticeRemoved, Route: genuine.Route, Secret: "x"},
		"a note as if a watch": {Kind: provider.NoticeRemoved, Route: "removed 1 " + genuine.Route, Secret: genuine.Secret},
	} {
		t.Run(name, func(t *testing.T) {
			rep, err := w.run.Pushed(t.Context(), provider.Push{Notices: []provider.Notice{n}})
			if err != nil || rep.Mailboxes != 0 || rep.Ignored != 1 || w.mailbox().Marked {
				t.Errorf("%+v, %v, marked: %v", rep, err, w.mailbox().Marked)
			}
		})
	}
	rep, err := w.run.Pushed(t.Context(), provider.Push{Notices: []provider.Notice{{Kind: genuine.Kind, Route: "x/unknown"}, genuine}})
	if err != nil || rep.Mailboxes != 1 || rep.Ignored != 1 || !w.mailbox().Marked {
		t.Errorf("a genuine one beside a forged one: %+v, %v", rep, err)
	}
	if n := w.prov.Watches(sender); n != 1 {
		t.Errorf("%d watches", n)
	}
}

func digestIn(t *testing.T, data []byte) string {
	t.Helper()
	_, rest, ok := strings.Cut(string(data), `"secret":"`)
	if !ok {
		t.Fatal("the record holds no digest")
	}
	digest, _, _ := strings.Cut(rest, `"`)
	return digest
}

func (w *world) count(kind runner.EventKind) int {
	w.events.mu.Lock()
	defer w.events.mu.Unlock()
	n := 0
	for _, ev := range w.events.events {
		if ev.Kind == kind {
			n++
		}
	}
	return n
}

// TestBusyMailbox: a push every second is not a read every second, and none
// is forgotten.
func TestBusyMailbox(t *testing.T) { onEachStore(t, testBusyMailbox) }

func testBusyMailbox(t *testing.T, on storage) {
	w := newPushWorld(t, on)
	id := w.begin("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, After: time.Hour})
	before := w.seen.counts["changes feed"]
	w.clock.Set(start.Add(time.Hour - 100*time.Second))
	for range 200 {
		w.deliverTo(sender, "news@example.org", "News")
		w.clock.Advance(time.Second)
		w.tick()
	}
	w.want(id, runner.StatusReplied, 1)
	if n := w.seen.counts["changes feed"] - before; n < 12 || n > 16 {
		t.Errorf("the feed was asked %d times in 200 seconds", n)
	}
	w.sound()
}

// TestPushSwitchedOff: a host that wants none any more has its watches ended.
func TestPushSwitchedOff(t *testing.T) { onEachStore(t, testPushSwitchedOff) }

func testPushSwitchedOff(t *testing.T, on storage) {
	w := newPushWorld(t, on)
	w.begin("grace@example.net")
	linked, err := w.open.Open(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.run.StopPush(t.Context(), linked); err != nil {
		t.Fatal(err)
	}
	if n := w.prov.Watches(sender); n != 0 {
		t.Errorf("%d watches after StopPush", n)
	}
	if err := w.run.StopPush(t.Context(), linked); err != nil {
		t.Errorf("again: %v", err)
	}
	w.pass(3 * day)
	if n := w.prov.Watches(sender); n != 1 {
		t.Errorf("%d watches on a mailbox that stayed linked", n)
	}
	w.cfg.Push = nil
	w.run = w.runner()
	w.pass(time.Hour)
	if n := w.prov.Watches(sender); n != 0 || w.status().Watched {
		t.Errorf("%d watches after they were switched off", n)
	}
}

// failing is a store that fails on demand.
type failing struct {
	store.EnrollmentStore
	commit, notify error
}

func (s *failing) Commit(ctx context.Context, b store.Batch) error {
	if s.commit != nil {
		return s.commit
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

func (s *failing) Notify(ctx context.Context, mailbox string) error {
	if s.notify != nil {
		return s.notify
	}
	return s.EnrollmentStore.Notify(ctx, mailbox)
}

// received is a PushReceiver that says the same to every request.
type received struct {
	push provider.Push
	err  error
}

func (r received) ReceivePush(*http.Request) (provider.Push, error) { return r.push, r.err }

func TestPushHandler(t *testing.T) { onEachStore(t, testPushHandler) }

func testPushHandler(t *testing.T, on storage) {
	var broken *failing
	w := newPushWorld(t, on, func(c *runner.Config) {
		broken = &failing{EnrollmentStore: c.Store}
		c.Store = broken
	})
	w.begin("grace@example.net")
	w.lost = true
	w.deliverTo(sender, "unrelated@example.org", "Lunch")
	w.clock.Advance(0)
	genuine := w.pushed[len(w.pushed)-1]
	down := errors.New("the store is down")
	renew := provider.Push{Notices: []provider.Notice{{Kind: provider.NoticeRenew, Route: genuine.Notices[0].Route, Secret: genuine.Notices[0].Secret}}}
	for name, c := range map[string]struct {
		from   received
		method string
		status int
		body   string
		marked bool
	}{
		"genuine":        {from: received{push: genuine}, status: http.StatusAccepted, marked: true},
		"unknown":        {from: received{push: provider.Push{Notices: []provider.Notice{{Kind: provider.NoticeChanged, Route: "x/y"}}}}, status: http.StatusAccepted},
		"nothing in it":  {from: received{push: provider.Push{Ignored: 1}}, status: http.StatusAccepted},
		"a handshake":    {from: received{push: provider.Push{Echo: "hello"}}, status: http.StatusOK, body: "hello"},
		"forged":         {from: received{err: &provider.Error{Kind: provider.ErrAccess}}, status: http.StatusUnauthorized},
		"too long":       {from: received{err: &provider.Error{Kind: provider.ErrTooLarge}}, status: http.StatusRequestEntityTooLarge},
		"malformed":      {from: received{err: &provider.Error{Kind: provider.ErrRejected}}, status: http.StatusBadRequest},
		"not to be told": {from: received{err: &provider.Error{Kind: provider.ErrTemporary}}, status: http.StatusServiceUnavailable},
		"switched off":   {from: received{err: &provider.Error{Kind: provider.ErrApp}}, status: http.StatusServiceUnavailable},
		"not marked":     {from: received{push: genuine}, status: http.StatusServiceUnavailable},
		"not noted":      {from: received{push: renew}, status: http.StatusServiceUnavailable},
		"a page's visit": {from: received{push: genuine}, method: http.MethodGet, status: http.StatusMethodNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			w.clock.Advance(time.Minute)
			w.tick()
			broken.commit, broken.notify = nil, nil
			switch name {
			case "not marked":
				broken.notify = down
			case "not noted":
				broken.commit = down
			}
			defer func() { broken.commit, broken.notify = nil, nil }()
			if c.method == "" {
				c.method = http.MethodPost
			}
			rec := httptest.NewRecorder()
			w.run.PushHandler(c.from).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), c.method, "/push", nil))
			if rec.Code != c.status || rec.Body.String() != c.body || w.mailbox().Marked != c.marked {
				t.Errorf("status %d, body %q, marked %v", rec.Code, rec.Body.String(), w.mailbox().Marked)
			}
			if h := rec.Header(); !strings.HasPrefix(h.Get("Content-Type"), "text/plain") || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("a browser may take it for a page: %v", h)
			}
		})
	}
}

func TestPushConfig(t *testing.T) { onEachStore(t, testPushConfig) }

func testPushConfig(t *testing.T, on storage) {
	for field, push := range map[string]runner.PushConfig{
		"Config.Push.PollEvery": {PollEvery: time.Minute},
		"Config.Push.ReadGap":   {ReadGap: time.Hour},
	} {
		w := newWorld(t, on)
		w.cfg.Push = &push
		_, err := runner.New(w.cfg)
		var fe *provider.FieldError
		if !errors.As(err, &fe) || fe.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	w := newWorld(t, on)
	w.cfg.Push = &runner.PushConfig{PollEvery: 25 * time.Hour}
	if _, err := runner.New(w.cfg); err == nil {
		t.Error("a poll every 25 hours is taken")
	}
}
