//go:build unix

package crashtest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/outreachkit/outreach/store/sqlstore"
)

const (
	processes = 4

	// frozen is how long a process stands still: far longer than its lease,
	// the deadline of a mail, and the time in which a sent mail must show.
	frozen = 3 * time.Hour
)

// freeze is a moment at which a process stands still: at the first request
// that fits, once so much of the story is over.
type freeze struct {
	name   string
	path   string // how the request's ends
	after  time.Duration
	served bool // the request is served before, else after
	cut    bool // its answer is lost; what was not served before never is
}

func freezes() []freeze {
	const (
		follow = 20 * time.Hour // when follow-ups are due
		send   = "/messages/send"
	)
	return []freeze{
		{name: "a mail is taken, and the answer comes", path: send, served: true},
		{name: "a mail is taken, and the answer is lost", path: send, served: true, cut: true},
		{name: "a mail is not taken", path: send, cut: true},
		{name: "a token is refreshed", path: "/token", served: true},
		{name: "a token is refreshed, and the answer is lost", path: "/token", served: true, cut: true},
		{name: "the mailbox is read before follow-ups", path: "/history", after: follow},
		{name: "a follow-up is about to leave", path: sending, after: follow},
		{name: "a follow-up is taken, and the answer comes", path: send, after: follow, served: true},
		{name: "a last mail is about to leave", path: sending, after: 2 * follow},
		{name: "a last mail is not taken", path: send, after: 2 * follow, cut: true},
		{name: "a last mail is taken, and the answer is lost", path: send, after: 2 * follow, served: true, cut: true},
	}
}

// freezer stops processes, up to all but one at a time.
type freezer struct {
	w     *world
	begin time.Time

	mu       sync.Mutex
	children map[string]*child
	next     []freeze
	still    int // processes that stand still
	struck   []string
	wrong    []error
}

// take returns the next freeze if the request fits it.
func (f *freezer) take(r *http.Request) (freeze, *child, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.children[r.Header.Get(childHeader)]
	if f.still == processes-1 || len(f.next) == 0 || c == nil || r.URL.Path == stepped {
		return freeze{}, nil, false
	}
	z := f.next[0]
	if !strings.HasSuffix(r.URL.Path, z.path) || f.w.office.Clock().Now().Sub(f.begin) < z.after {
		return freeze{}, nil, false
	}
	f.next = f.next[1:]
	f.still++
	f.struck = append(f.struck, fmt.Sprintf("%s, %s after the beginning", z.name, f.w.office.Clock().Now().Sub(f.begin)))
	return z, c, true
}

func (f *freezer) failed(err error) {
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.wrong = append(f.wrong, err)
	}
}

// around stops the process that makes the request, lets the others go on for
// a long time, and then lets it go on.
func (f *freezer) around(w http.ResponseWriter, r *http.Request, serve http.Handler) {
	z, c, ok := f.take(r)
	if !ok {
		serve.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	if z.served {
		serve.ServeHTTP(answer, r)
	}
	thaw := make(chan struct{})
	clock := f.w.office.Clock()
	clock.At(clock.Now().Add(frozen), func() { close(thaw) })
	f.failed(c.cmd.Process.Signal(syscall.SIGSTOP))
	f.w.leave(c.name)
	<-thaw
	f.w.join(c.name)
	f.failed(c.cmd.Process.Signal(syscall.SIGCONT))
	if !z.served && !z.cut {
		serve.ServeHTTP(answer, r)
	}
	f.mu.Lock()
	f.still--
	f.mu.Unlock()
	if z.cut {
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// TestFreeze: a process that stands still around a send, while others take
// over its mailboxes and finish its work, harms nothing when it goes on.
func TestFreeze(t *testing.T) {
	w := newWorld(t, "pgx", postgres.DSN(t), sqlstore.PostgreSQL)
	f := &freezer{w: w, begin: w.office.Clock().Now(), children: make(map[string]*child), next: freezes()}
	w.watch(f.around)
	var all []*child
	f.mu.Lock()
	for i := range processes {
		cfg := w.cfg
		cfg.Name = fmt.Sprintf("child%d", i)
		// One mailbox at a time: a process that is stopped within a transaction
		// keeps its locks, and others wait for them, not for a lease.
		cfg.Workers = 1
		w.join(cfg.Name)
		c, err := spawn(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.cmd.Process.Kill() }) // nothing, if it has ended
		f.children[c.name] = c
		all = append(all, c)
	}
	f.mu.Unlock()
	failed := make(chan error, len(all))
	for _, c := range all {
		go func() {
			err := <-c.ended
			w.leave(c.name) // the others don't wait for it
			if err != nil {
				err = c.failure(err)
			}
			failed <- err
		}()
	}
	for range all {
		f.failed(<-failed)
	}
	if len(f.next) > 0 {
		t.Errorf("these moments never came: %+v", f.next)
	}
	if err := errors.Join(append(f.wrong, w.check())...); err != nil {
		t.Error(err)
	}
	for _, name := range f.struck {
		t.Logf("frozen when %s", name)
	}
}
