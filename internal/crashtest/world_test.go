//go:build unix

package crashtest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/sqlstore"
)

var begin = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)

const (
	senders = 4
	tick    = time.Hour
	span    = 100 * time.Hour // after which all must have come to an end
)

// part is what a candidate does, and how the drip must end then.
type part struct {
	name   string
	does   []postoffice.Behaviour
	steps  int
	status runner.Status
}

func parts() []part {
	return []part{
		{"silent", nil, 3, runner.StatusCompleted},
		{"first", []postoffice.Behaviour{{Do: postoffice.Answer, On: 1, After: 2 * time.Hour}}, 1, runner.StatusReplied},
		{"second", []postoffice.Behaviour{{Do: postoffice.AnswerNew, On: 2, After: 90 * time.Minute}}, 2, runner.StatusReplied},
		{"bounces", []postoffice.Behaviour{{Do: postoffice.Bounce, After: time.Minute}}, 1, runner.StatusBounced},
		{"patient", nil, 3, runner.StatusCompleted},
	}
}

func drip() *sequence.Sequence {
	return &sequence.Sequence{ID: "drip", Version: 1, Steps: []sequence.Step{
		{ID: 1, Subject: "A role in Lisbon", Text: "Hello"},
		{ID: 2, After: 20 * time.Hour, Text: "Did my mail reach you?"},
		{ID: 3, After: 20 * time.Hour, Text: "A last word from me."},
	}}
}

// around serves a request of a child's, or does something else.
type around func(w http.ResponseWriter, r *http.Request, serve http.Handler)

// world is the mail services, the people and the time, in the test's process.
type world struct {
	t      *testing.T
	office *postoffice.Office
	google *gmailtest.Server
	host   *host // the parent's own
	cfg    hostConfig
	end    time.Time
	clock  sharedClock

	mu      sync.Mutex
	around  around                   // sees every request of a child's; nil only serves it
	running map[string]bool          // children that time waits for
	waiting map[string][]chan string // those that wait for it
}

// newWorld makes a world in which every mailbox is linked, proven by a
// preview, and has a candidate of each sort enrolled.
func newWorld(t *testing.T, driver, dsn string, dialect sqlstore.Dialect) *world {
	t.Helper()
	w := &world{t: t, running: make(map[string]bool), waiting: make(map[string][]chan string)}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.office, err = postoffice.New(postoffice.Config{Clock: postoffice.NewClock(begin)})
	must(err)
	for i := range senders {
		box, err := w.office.AddMailbox(postoffice.MailboxConfig{Address: sender(i)})
		must(err)
		box.SetDelays(postoffice.Delays{Visible: 20 * time.Second})
		for _, p := range parts() {
			must(w.office.AddPerson(postoffice.Person{Address: recipient(i, p), Behaviours: p.does}))
		}
	}
	w.google, err = gmailtest.New(w.office, gmailtest.Config{ClientID: clientID, ClientSecret: clientSecret})
	must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	server := &http.Server{Handler: http.HandlerFunc(w.serve)}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	w.cfg = hostConfig{
		Name: "parent", Driver: driver, DSN: dsn, Dialect: dialect, Parent: l.Addr().String(),
		Clock: filepath.Join(t.TempDir(), "clock"), Endpoints: *w.google.Endpoints(),
	}
	w.clock, err = openClock(w.cfg.Clock)
	must(err)
	w.clock.set(begin)
	w.host, err = openHost(t.Context(), w.cfg)
	must(err)
	t.Cleanup(func() { w.host.db.Close() })
	must(w.enroll())
	return w
}

func sender(i int) string            { return fmt.Sprintf("sender%d@agency.example.com", i) }
func recipient(i int, p part) string { return fmt.Sprintf("%s%d@example.net", p.name, i) }

// enroll links the mailboxes, previews and enrolls.
func (w *world) enroll() error {
	ctx, h := w.t.Context(), w.host
	var previews, links []string
	for i := range senders {
		begun, err := h.linker.Begin(ctx, linking.BeginParams{
			Owner: sender(i), Session: "session", Provider: string(provider.Gmail), RedirectURL: "http://127.0.0.1/callback", ReturnTo: "/",
		})
		if err != nil {
			return err
		}
		back, err := w.google.Consent(h.client, begun.URL, gmailtest.Answer{Account: sender(i)})
		if err != nil {
			return err
		}
		done, err := h.linker.Complete(ctx, linking.CompleteParams{Query: back.Query(), Owner: sender(i), Session: "session"})
		if err != nil {
			return err
		}
		e, err := h.run.Preview(ctx, runner.PreviewParams{Key: sender(i), Link: done.Link.ID, Sequence: drip()})
		if err != nil {
			return err
		}
		previews, links = append(previews, e.ID), append(links, done.Link.ID)
	}
	for range 5 {
		w.advance(tick)
		if _, err := h.run.Tick(ctx); err != nil {
			return err
		}
	}
	for i, link := range links {
		if status, err := h.run.PreviewStatus(ctx, previews[i]); err != nil || !status.Proven() {
			return fmt.Errorf("the preview of %s: %+v, %w", sender(i), status, err)
		}
		for _, p := range parts() {
			if _, err := h.run.Enroll(ctx, runner.EnrollParams{
				Key: recipient(i, p), Link: link, Recipient: provider.Address{Addr: recipient(i, p)}, Sequence: drip(), Zone: "UTC",
			}); err != nil {
				return err
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end = w.office.Clock().Now().Add(span)
	return nil
}

func (w *world) advance(d time.Duration) {
	w.office.Clock().Advance(d)
	w.clock.set(w.office.Clock().Now())
}

// serve answers the requests of all processes.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	var serve http.Handler = w.google
	if r.Host == parent {
		serve = http.HandlerFunc(w.step)
		if r.URL.Path == sending {
			serve = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		}
	}
	w.mu.Lock()
	around := w.around
	w.mu.Unlock()
	if around == nil || r.Header.Get(childHeader) == w.cfg.Name {
		serve.ServeHTTP(rw, r)
		return
	}
	around(rw, r, serve)
}

// watch has a see every request of a child's from now on.
func (w *world) watch(a around) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.around = a
}

// step is asked by a child that has done what was due, or waits for another.
// Time goes on when all that are running do.
func (w *world) step(rw http.ResponseWriter, r *http.Request) {
	name, answer := r.Header.Get(childHeader), make(chan string, 1)
	w.mu.Lock()
	w.waiting[name] = append(w.waiting[name], answer)
	w.goOn()
	w.mu.Unlock()
	select {
	case said := <-answer:
		_, _ = rw.Write([]byte(said))
	case <-r.Context().Done():
	}
}

// goOn moves time if nobody is waited for. The lock is held.
func (w *world) goOn() {
	for name := range w.running {
		if w.waiting[name] == nil {
			return
		}
	}
	if len(w.waiting) == 0 {
		return
	}
	said := sayGoOn
	if w.advance(tick); !w.office.Clock().Now().Before(w.end) {
		said = sayDone
	}
	for name, answers := range w.waiting {
		for _, answer := range answers {
			answer <- said
		}
		delete(w.waiting, name)
	}
}

// join has time wait for a child, leave no longer: it died or was stopped.
func (w *world) join(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running[name] = true
}

func (w *world) leave(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.running, name)
	delete(w.waiting, name)
	w.goOn()
}

// unheard serves a request whose answer gets lost.
func unheard(serve http.Handler, r *http.Request) { serve.ServeHTTP(httptest.NewRecorder(), r) }

// check holds the end against Google's own books: nothing twice, nothing
// lost, and the host knows it.
func (w *world) check() error {
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	for _, d := range w.office.Books().Duplicates() {
		bad("sent twice: %+v", d)
	}
	sent := make(map[string]int)
	for _, s := range w.office.Books().Submissions() {
		for _, r := range s.Recipients {
			sent[r]++
		}
	}
	for i := range senders {
		for _, p := range parts() {
			to := recipient(i, p)
			if sent[to] != p.steps {
				bad("%s was sent %d mails, want %d", to, sent[to], p.steps)
			}
			es, err := w.host.run.List(w.t.Context(), runner.ListParams{Recipient: to})
			if err != nil || len(es) != 1 {
				bad("%s: %d enrollments, %v", to, len(es), err)
				continue
			}
			if e := es[0]; e.Status != p.status || e.StepsSent != p.steps || e.InFlight {
				bad("%s: %s (%s %s) after %d steps, in flight %t, want %s after %d", to, e.Status, e.Reason, e.Hold, e.StepsSent, e.InFlight, p.status, p.steps)
			}
			entries, err := w.host.store.Conversations().Conversation(w.t.Context(), es[0].ID)
			if err != nil {
				bad("%s: %v", to, err)
			}
			out := 0
			for _, e := range entries {
				if e.Direction == runner.DirectionOut {
					out++
				}
			}
			if out != p.steps {
				bad("the conversation with %s has %d mails of ours, want %d", to, out, p.steps)
			}
		}
	}
	return errors.Join(wrong...)
}
