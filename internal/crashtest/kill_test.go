//go:build unix

package crashtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
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
	at    moment
	left  atomic.Int64 // requests until then
	delay time.Duration
	child atomic.Pointer[child]
	count map[moment]int
}

// arm draws the moment of the next kill.
func (k *killer) arm() {
	all := []moment{unserved, unanswered, answered, answered, young}
	k.at = all[k.rng.IntN(len(all))]
	k.left.Store(1 + k.rng.Int64N(60))
	k.delay = time.Duration(k.rng.Int64N(int64(5 * time.Millisecond)))
	if k.at == young {
		k.left.Store(1 << 60)
		k.delay *= 20
	}
}

// spare has nobody killed any more.
func (k *killer) spare() { k.left.Store(1 << 60) }

func (k *killer) kill() {
	if c := k.child.Load(); c != nil {
		_ = c.cmd.Process.Kill() // it may have ended just now
	}
}

// around counts requests, and strikes at the right one.
func (k *killer) around(w http.ResponseWriter, r *http.Request, serve http.Handler) {
	if k.left.Add(-1) != 0 {
		serve.ServeHTTP(w, r)
		return
	}
	switch k.at {
	case unserved:
		k.kill()
		panic(http.ErrAbortHandler)
	case unanswered:
		if r.Host != parent || r.URL.Path == sending { // time goes on only for who hears it
			defer k.kill() // also where a fault cuts the connection
			unheard(serve, r)
		}
		k.kill()
		panic(http.ErrAbortHandler)
	}
	serve.ServeHTTP(w, r)
	time.AfterFunc(k.delay, k.kill)
}

// play has processes work in the world, one after the other, each killed,
// until so many were or the world's time is over.
func (k *killer) play(most int) (killed int, err error) {
	k.w.around = k.around
	for n := 0; ; n++ {
		cfg := k.w.cfg
		cfg.Name = fmt.Sprintf("child%d", n)
		mortal := killed < most
		if k.spare(); mortal {
			k.arm()
		}
		k.w.join(cfg.Name)
		c, err := spawn(cfg)
		if err != nil {
			return killed, err
		}
		k.child.Store(c)
		var timer *time.Timer
		if mortal && k.at == young {
			timer = time.AfterFunc(k.delay, k.kill)
		}
		err = <-c.ended
		if timer != nil {
			timer.Stop()
		}
		k.child.Store(nil)
		k.w.leave(cfg.Name)
		switch {
		case err == nil:
			return killed, nil
		case c.killed():
			killed++
			k.count[k.at]++
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
