//go:build unix

package crashtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/sqlstore"
)

const (
	clientID     = "crashtest"
	clientSecret = "not a real secret"

	// parent is the host name of the test's process, beside Google's.
	parent = "parent.invalid"

	// stepped and sending are what a process asks its parent: whether time
	// goes on, and nothing, before a mail leaves.
	stepped = "/step"
	sending = "/sending"

	// childHeader names the process that makes a request.
	childHeader = "X-Crashtest-Child"
)

// hostConfig is what a process is told at birth.
type hostConfig struct {
	Name      string
	Driver    string
	DSN       string
	Dialect   sqlstore.Dialect
	Parent    string // address
	Clock     string // file
	Endpoints gmail.Endpoints
	Workers   int
}

// host is what a program of a host's is made of.
type host struct {
	db     *sql.DB
	store  *sqlstore.Store
	linker *linking.Linker
	run    *runner.Runner
	client *http.Client
}

func openHost(ctx context.Context, cfg hostConfig) (*host, error) {
	clock, err := openClock(cfg.Clock)
	if err != nil {
		return nil, err
	}
	h := &host{client: clientOf(cfg)}
	if h.db, err = sql.Open(cfg.Driver, cfg.DSN); err != nil {
		return nil, err
	}
	if h.store, err = sqlstore.New(h.db, sqlstore.Options{Dialect: cfg.Dialect, Now: clock.now}); err != nil {
		return nil, err
	}
	if err := h.store.Migrate(ctx); err != nil {
		return nil, err
	}
	google, err := gmail.New(gmail.Config{
		ClientID: clientID, ClientSecret: clientSecret, Endpoints: &cfg.Endpoints, HTTPClient: h.client, Now: clock.now,
	})
	if err != nil {
		return nil, err
	}
	about := &about{client: h.client}
	h.linker, err = linking.New(linking.Config{
		Providers: []provider.Provider{google}, Links: tokens{h.store.Tokens(), about}, Flows: h.store.Flows(), Now: clock.now,
		InsecurePlainTokens: true,
		// Who waits for another's refresh waits in the world's time, in which
		// the other may have died or stand still.
		Wait: func(context.Context, time.Duration) error { return h.step() },
	})
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256([]byte("the host's secret"))
	h.run, err = runner.New(runner.Config{
		Store: enrollments{h.store.Enrollments(), about}, Mailboxes: h.linker, Log: h.store.Conversations(), Key: key[:], Domain: "mail.agency.example.com",
		Now: clock.now, Options: runner.Options{Name: cfg.Name, ReadEvery: 30 * time.Minute, Workers: cfg.Workers},
	})
	return h, err
}

// step waits until time has gone on. It returns errDone when all is over.
func (h *host) step() error {
	resp, err := h.client.Get("http://" + parent + stepped)
	if err != nil {
		return err
	}
	said, err := io.ReadAll(resp.Body)
	if err == nil && string(said) == sayDone {
		err = errDone
	}
	return errors.Join(err, resp.Body.Close())
}

// clientOf reaches the test's process under every name.
func clientOf(cfg hostConfig) *http.Client {
	return &http.Client{Transport: named{name: cfg.Name, base: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, cfg.Parent)
		},
	}}}
}

// named says who makes a request.
type named struct {
	name string
	base http.RoundTripper
}

func (n named) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set(childHeader, n.name)
	return n.base.RoundTrip(req)
}

// about tells the parent when a mail is about to leave: its intent is
// committed, and the token for its request is asked for.
type about struct {
	client *http.Client
	send   atomic.Bool
}

type enrollments struct {
	store.EnrollmentStore
	about *about
}

func (e enrollments) Commit(ctx context.Context, b store.Batch) error {
	err := e.EnrollmentStore.Commit(ctx, b)
	if err == nil && len(b.Intents) > 0 {
		e.about.send.Store(true)
	}
	return err
}

type tokens struct {
	store.TokenStore
	about *about
}

func (t tokens) Get(ctx context.Context, id string) (store.Link, error) {
	if t.about.send.Swap(false) {
		resp, err := t.about.client.Get("http://" + parent + sending)
		if err != nil {
			return store.Link{}, err
		}
		_ = resp.Body.Close()
	}
	return t.TokenStore.Get(ctx, id)
}

// sharedClock is the world's time in memory that processes share, so that
// asking for it is no moment to be killed at in itself.
type sharedClock struct{ nanos *atomic.Int64 }

func openClock(path string) (sharedClock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return sharedClock{}, err
	}
	defer f.Close()
	if err := f.Truncate(8); err != nil {
		return sharedClock{}, err
	}
	mem, err := syscall.Mmap(int(f.Fd()), 0, 8, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return sharedClock{}, err
	}
	return sharedClock{(*atomic.Int64)(unsafe.Pointer(&mem[0]))}, nil
}

func (c sharedClock) now() time.Time  { return time.Unix(0, c.nanos.Load()).UTC() }
func (c sharedClock) set(t time.Time) { c.nanos.Store(t.UnixNano()) }
