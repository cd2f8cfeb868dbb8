package linking_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/sqlstore"
)

// childEnv holds what a child process is told. Its presence makes the test's
// binary a child.
const childEnv = "OUTREACH_LINKING_CHILD"

func TestMain(m *testing.M) {
	if told := os.Getenv(childEnv); told != "" {
		if err := child(told); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// task is what a child does.
type task struct {
	DB        string
	Endpoints gmail.Endpoints
	Link      string
	Callers   int
	Later     time.Duration // its clock is so far ahead
	Hang      bool          // it stops before it stores a refreshed token, until it is told to go on
}

// outcome is what a child says at its end.
type outcome struct {
	Served   int            // callers who got through
	Relink   map[string]int // callers who were told to relink, by reason
	Other    map[string]int // all other errors
	Relinked int            // calls of OnChange for a link that needs its user
}

// The lines that a child writes beside its outcome.
const (
	lineReady  = "ready"
	lineSaving = "saving"
)

// hanging is a TokenStore that stands still before it first stores a
// refreshed token.
type hanging struct {
	store.TokenStore
	orders *bufio.Reader
	once   *sync.Once
}

func (h hanging) CompareAndSwap(ctx context.Context, l store.Link) (store.Link, error) {
	if l.Mark == nil {
		h.once.Do(func() {
			fmt.Println(lineSaving)
			_, _ = h.orders.ReadString('\n') // or it is killed
		})
	}
	return h.TokenStore.CompareAndSwap(ctx, l)
}

// linkerOver makes a linker as a process of a host would.
func linkerOver(told task, change func(*linking.Config)) (*linking.Linker, *sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+told.DB+"?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_txlock=immediate")
	if err != nil {
		return nil, nil, err
	}
	s, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		return nil, nil, err
	}
	if err := s.Migrate(context.Background()); err != nil {
		return nil, nil, err
	}
	now := func() time.Time { return time.Now().Add(told.Later) }
	google, err := gmail.New(gmail.Config{
		ClientID: clientID, ClientSecret: clientSecret, Endpoints: &told.Endpoints, Now: now, UnitsPerMinute: -1,
	})
	if err != nil {
		return nil, nil, err
	}
	cfg := linking.Config{
		Providers: []provider.Provider{google}, Links: s.Tokens(), Flows: s.Flows(), Now: now, InsecurePlainTokens: true, RefreshTTL: refreshTTL,
	}
	change(&cfg)
	l, err := linking.New(cfg)
	return l, db, err
}

const (
	clientID     = "client-1"
	clientSecret = "secret-1"

	// refreshTTL is longer than a refresh over the loopback takes on a busy
	// machine, and no longer than a test likes to wait for it to lapse.
	refreshTTL = 5 * time.Second
)

// child is the whole of a child process: it waits for a line, and then all its
// callers need a token at once.
func child(told string) error {
	var do task
	if err := json.Unmarshal([]byte(told), &do); err != nil {
		return err
	}
	out := outcome{Relink: make(map[string]int), Other: make(map[string]int)}
	orders := bufio.NewReader(os.Stdin)
	var mu sync.Mutex
	linker, db, err := linkerOver(do, func(cfg *linking.Config) {
		if do.Hang {
			cfg.Links = hanging{cfg.Links, orders, new(sync.Once)}
		}
		cfg.OnChange = func(_ context.Context, c linking.Change) error {
			mu.Lock()
			defer mu.Unlock()
			if c.Link.Status == store.LinkNeedsRelink {
				out.Relinked++
			}
			return nil
		}
	})
	if err != nil {
		return err
	}
	defer db.Close()
	fmt.Println(lineReady)
	if _, err := orders.ReadString('\n'); err != nil {
		return err
	}
	var wg sync.WaitGroup
	for range do.Callers {
		wg.Go(func() {
			err := profile(linker, do.Link)
			mu.Lock()
			defer mu.Unlock()
			var pe *provider.Error
			switch {
			case err == nil:
				out.Served++
			case errors.As(err, &pe) && pe.Kind == provider.ErrRelink:
				out.Relink[pe.Reason]++
			default:
				out.Other[err.Error()]++
			}
		})
	}
	wg.Wait()
	return json.NewEncoder(os.Stdout).Encode(out)
}

func profile(l *linking.Linker, id string) error {
	opened, err := l.Open(context.Background(), id)
	if err != nil {
		return err
	}
	_, err = opened.Mailbox.Profile(context.Background())
	return err
}

// process is a child as its parent sees it.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

// spawn starts a child and waits until it is ready.
func spawn(t *testing.T, do task) *process {
	t.Helper()
	told, err := json.Marshal(do)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), childEnv+"="+string(told))
	p.cmd.Stderr = os.Stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	p.lines = bufio.NewScanner(stdout)
	p.await(lineReady)
	return p
}

func (p *process) await(line string) {
	p.t.Helper()
	if !p.lines.Scan() || p.lines.Text() != line {
		p.t.Fatalf("a child said %q, want %q (%v)", p.lines.Text(), line, p.lines.Err())
	}
}

func (p *process) begin() {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, "go\n"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) outcome() outcome {
	p.t.Helper()
	var out outcome
	if !p.lines.Scan() {
		p.t.Fatalf("a child ended without a word: %v", p.lines.Err())
	}
	if err := json.Unmarshal(p.lines.Bytes(), &out); err != nil {
		p.t.Fatalf("a child said %q", p.lines.Text())
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Error(err)
	}
	return out
}

// kill ends the child at once, as a power cut would.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	_ = p.cmd.Wait()
}

// service is a fake Google on the loopback, with one linked mailbox whose
// access token the children take for expired.
type service struct {
	google    *gmailtest.Server
	linker    *linking.Linker
	do        task
	refreshes atomic.Int32
}

func newService(t *testing.T, rotates bool) *service {
	t.Helper()
	office, err := postoffice.New(postoffice.Config{Clock: postoffice.NewClock(time.Now().UTC())})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: marias}); err != nil {
		t.Fatal(err)
	}
	s := &service{}
	s.google, err = gmailtest.New(office, gmailtest.Config{
		ClientID: clientID, ClientSecret: clientSecret, Beliefs: gmailtest.Beliefs{RotatesRefreshTokens: rotates},
		TokenLife: 24 * time.Hour,
		Check: func(e gmailtest.Exchange) {
			if e.Request.URL.Path == "/token" && e.Request.PostForm.Get("grant_type") == "refresh_token" {
				s.refreshes.Add(1)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.google.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.google.Close() })
	s.do = task{DB: filepath.Join(t.TempDir(), "links.db"), Endpoints: *s.google.Endpoints(), Callers: 64}
	var db *sql.DB
	if s.linker, db, err = linkerOver(s.do, func(*linking.Config) {}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p := begin("maria")
	p.Provider = "gmail"
	begun, err := s.linker.Begin(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	back, err := s.google.Consent(&http.Client{}, begun.URL, gmailtest.Answer{Account: marias})
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.linker.Complete(t.Context(), linking.CompleteParams{Query: back.Query(), Owner: "maria", Session: "session of maria"})
	if err != nil {
		t.Fatal(err)
	}
	s.do.Link, s.do.Later = done.Link.ID, 25*time.Hour
	return s
}

// live checks that the stored tokens are the ones that the service takes: as
// it stands, and, a day later, after one more refresh.
func (s *service) live(t *testing.T) {
	t.Helper()
	for i, want := range []int32{0, 1} {
		do, before := s.do, s.refreshes.Load()
		do.Later += time.Duration(i) * 25 * time.Hour
		l, db, err := linkerOver(do, func(*linking.Config) {})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := profile(l, s.do.Link); err != nil {
			t.Errorf("with the stored token: %v", err)
		}
		if n := s.refreshes.Load() - before; n != want {
			t.Errorf("%d refreshes, want %d", n, want)
		}
	}
}

// TestOneRefreshInAllProcesses are 64 callers in each of four processes that
// need a new token at once, from a service that kills the old refresh token.
func TestOneRefreshInAllProcesses(t *testing.T) {
	for _, rotates := range []bool{true, false} {
		s := newService(t, rotates)
		var children []*process
		for range 4 {
			children = append(children, spawn(t, s.do))
		}
		for _, p := range children {
			p.begin()
		}
		for i, p := range children {
			if out := p.outcome(); out.Served != s.do.Callers || out.Relinked > 0 {
				t.Errorf("process %d: %+v", i, out)
			}
		}
		if n := s.refreshes.Load(); n != 1 {
			t.Errorf("%d refreshes in four processes", n)
		}
		if l, err := s.linker.Get(t.Context(), s.do.Link); err != nil || l.Status != store.LinkLinked {
			t.Errorf("the link is %+v, %v", l, err)
		}
		s.live(t)
	}
}

// TestHolderKilled kills the process that refreshes between the service's
// answer and the store, while others wait for it. Where the service killed
// the old token they say so, once and with nobody to blame; where it did not
// they go on.
func TestHolderKilled(t *testing.T) {
	for _, rotates := range []bool{true, false} {
		s := newService(t, rotates)
		dying := s.do
		dying.Hang = true
		holder := spawn(t, dying)
		others := []*process{spawn(t, s.do), spawn(t, s.do)}
		holder.begin()
		holder.await(lineSaving)
		others[0].begin() // it waits for the holder, the other comes after its death
		holder.kill()
		others[1].begin()
		served, told := 0, 0
		for i, p := range others {
			out := p.outcome()
			served, told = served+out.Served, told+out.Relinked
			if len(out.Other) > 0 || rotates && out.Relink[string(provider.ReasonTokenLost)] != s.do.Callers || !rotates && len(out.Relink) > 0 {
				t.Errorf("rotating %t: process %d: %+v", rotates, i, out)
			}
		}
		l, err := s.linker.Get(t.Context(), s.do.Link)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.refreshes.Load(); n != 2 {
			t.Errorf("rotating %t: %d refreshes, want the holder's and one more", rotates, n)
		}
		if rotates {
			if served != 0 || told != 1 || l.Status != store.LinkNeedsRelink || l.Reason != string(provider.ReasonTokenLost) {
				t.Errorf("%d served, %d told, the link is %+v", served, told, l)
			}
			continue
		}
		if served != 2*s.do.Callers || told != 0 || l.Status != store.LinkLinked {
			t.Errorf("%d served, %d told, the link is %+v", served, told, l)
		}
		s.live(t)
	}
}

// TestHolderFrozen has the process that refreshes stand still for longer than
// its mark holds. Another takes it for dead, and says so where the service
// killed the old token; when the first goes on, its token mends the link.
func TestHolderFrozen(t *testing.T) {
	for _, rotates := range []bool{true, false} {
		s := newService(t, rotates)
		freezing := s.do
		freezing.Hang = true
		holder, other := spawn(t, freezing), spawn(t, s.do)
		holder.begin()
		holder.await(lineSaving)
		other.begin()
		out := other.outcome()
		if len(out.Other) > 0 || rotates && out.Relink[string(provider.ReasonTokenLost)] != s.do.Callers || !rotates && out.Served != s.do.Callers {
			t.Errorf("rotating %t: the other says %+v", rotates, out)
		}
		holder.begin() // it goes on
		if out := holder.outcome(); out.Served != s.do.Callers {
			t.Errorf("rotating %t: the holder says %+v", rotates, out)
		}
		if l, err := s.linker.Get(t.Context(), s.do.Link); err != nil || l.Status != store.LinkLinked || l.Reason != "" {
			t.Errorf("rotating %t: the link is %+v, %v", rotates, l, err)
		}
		if n := s.refreshes.Load(); n != 2 {
			t.Errorf("rotating %t: %d refreshes, want 2", rotates, n)
		}
		s.live(t)
	}
}
