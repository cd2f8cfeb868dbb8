//go:build unix

package crashtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/store/sqlstore"
)

// moment is where a process is killed.
type moment string

const (
	unserved   moment = "before a request is served"
	unanswered moment = "after a request is served, before its answer"
	answered   moment = "some time after an answer"
	young      moment = "soon after its birth"
)

// killer kills one process after the other, as a seed says.
type killer struct {
	w     *world
	rng   *rand.Rand
	count map[moment]int

	mu    sync.Mutex
	next  blow
	child *child
}

// blow is how and when the next process is killed.
type blow struct {
	at    moment
	left  int // requests until then; none is never
	delay time.Duration
}

// draw draws the next blow.
func (k *killer) draw() blow {
	all := []moment{unserved, unanswered, answered, answered, young}
	b := blow{at: all[k.rng.IntN(len(all))], left: 1 + k.rng.IntN(60), delay: time.Duration(k.rng.Int64N(int64(5 * time.Millisecond)))}
	if b.at == young {
		b.left = 0
		b.delay *= 20
	}
	return b
}

// arm sets the next blow, at a child that lives, or at none.
func (k *killer) arm(b blow, c *child) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next, k.child = b, c
}

func (k *killer) kill() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.child != nil {
		_ = k.child.cmd.Process.Kill() // it may have ended just now
	}
}

// falls counts a request, and returns the blow that falls at it.
func (k *killer) falls() (blow, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next.left--
	return k.next, k.next.left == 0
}

// around counts requests, and strikes at the right one.
func (k *killer) around(w http.ResponseWriter, r *http.Request, serve http.Handler) {
	b, falls := k.falls()
	if !falls {
		serve.ServeHTTP(w, r)
		return
	}
	switch b.at {
	case unserved:
		k.kill()
		panic(http.ErrAbortHandler)
	case unanswered:
		if r.URL.Path != stepped { // time goes on only for who hears it
			defer k.kill() // also where a fault cuts the connection
			unheard(serve, r)
		}
		k.kill()
		panic(http.ErrAbortHandler)
	}
	serve.ServeHTTP(w, r)
	time.AfterFunc(b.delay, k.kill)
}

// play has processes work in the world, one after the other, each killed,
// until so many were or the world's time is over.
func (k *killer) play(most int) (killed int, err error) {
	k.w.watch(k.around)
	for n := 0; ; n++ {
		cfg := k.w.cfg
		cfg.Name = fmt.Sprintf("child%d", n)
		var b blow
		if killed < most {
			b = k.draw()
		}
		k.w.join(cfg.Name)
		c, err := spawn(cfg)
		if err != nil {
			return killed, err
		}
		k.arm(b, c)
		if b.at == young {
			time.AfterFunc(b.delay, k.kill)
		}
		err = <-c.ended
		k.arm(blow{}, nil)
		k.w.leave(cfg.Name)
		switch {
		case err == nil:
			return killed, nil
		case c.killed():
			killed++
			k.count[b.at]++
		default:
			return killed, c.failure(err)
		}
	}
}

// TestKill: a process that is killed at any moment, and one that takes its
// place, send nothing twice and lose nothing.
func TestKill(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (driver, dsn string, d sqlstore.Dialect){
		"SQLite": func(t *testing.T) (string, string, sqlstore.Dialect) {
			return "sqlite", "file:" + filepath.Join(t.TempDir(), "store.db") +
				"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate", sqlstore.SQLite
		},
		"PostgreSQL": func(t *testing.T) (string, string, sqlstore.Dialect) {
			return "pgx", postgres.DSN(t), sqlstore.PostgreSQL
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(*seed, 0))
			count := make(map[moment]int)
			began, killed, worlds := time.Now(), 0, 0
			for ; killed < *kills; worlds++ {
				ok := t.Run(fmt.Sprint("world", worlds), func(t *testing.T) {
					driver, dsn, dialect := open(t)
					k := &killer{w: newWorld(t, driver, dsn, dialect), rng: rng, count: count}
					// Now and then a connection is cut, too.
					for i, fault := range []gmailtest.Fault{gmailtest.CutAfter, gmailtest.CutBefore, gmailtest.CutAfter, gmailtest.CutAfter} {
						k.w.google.Inject(gmailtest.Rule{Op: "messages.send", Fault: fault, Skip: 5 * i})
					}
					n, err := k.play(*kills - killed)
					killed += n
					if err != nil {
						t.Fatal(err)
					}
					if err := k.w.check(); err != nil {
						t.Error(err)
					}
				})
				if !ok {
					break
				}
			}
			took := time.Since(began)
			t.Logf("%d kills in %d worlds, %.0f a minute", killed, worlds, float64(killed)/took.Minutes())
			for _, m := range slices.Sorted(maps.Keys(count)) {
				t.Logf("%4d %s", count[m], m)
			}
		})
	}
}
