package linking_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/memstore"
)

const (
	redirectURL = "https://app.example.com/callback"
	marias      = "maria@agency.example.com"
	toms        = "tom@agency.example.com"
)

// world is a Linker over an in-memory mail service.
type world struct {
	t      *testing.T
	clock  *postoffice.Clock
	office *postoffice.Office
	prov   *postoffice.MemProvider
	mem    *memstore.Store
	cfg    linking.Config
	linker *linking.Linker

	mu      sync.Mutex
	changes []linking.Change
}

func newWorld(t *testing.T, change ...func(*world)) *world {
	t.Helper()
	clock := postoffice.NewClock(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	office, err := postoffice.New(postoffice.Config{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{marias, toms} {
		if _, err := office.AddMailbox(postoffice.MailboxConfig{Address: addr}); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{
		t: t, clock: clock, office: office, mem: memstore.New(memstore.Options{Now: clock.Now}),
		prov: postoffice.NewProvider(office, postoffice.ProviderConfig{Rotates: true}),
	}
	w.cfg = linking.Config{
		Providers: []provider.Provider{w.prov}, Links: w.mem.Tokens(), Flows: w.mem.Flows(), Now: clock.Now, InsecurePlainTokens: true,
		OnChange: func(_ context.Context, c linking.Change) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.changes = append(w.changes, c)
			return nil
		},
	}
	for _, f := range change {
		f(w)
	}
	w.linker = w.newLinker()
	return w
}

func (w *world) newLinker() *linking.Linker {
	w.t.Helper()
	l, err := linking.New(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func begin(owner string) linking.BeginParams {
	return linking.BeginParams{Owner: owner, Session: "session of " + owner, Provider: "postoffice", RedirectURL: redirectURL, ReturnTo: "/settings"}
}

// visit begins a flow and has the owner of addr consent.
func (w *world) visit(p linking.BeginParams, addr string, granted provider.Access) url.Values {
	w.t.Helper()
	begun, err := w.linker.Begin(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	back, err := w.prov.Visit(begun.URL, addr, granted)
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		w.t.Fatal(err)
	}
	return u.Query()
}

func (w *world) complete(owner string, q url.Values) (linking.Completed, error) {
	return w.linker.Complete(w.t.Context(), linking.CompleteParams{Query: q, Owner: owner, Session: "session of " + owner})
}

func (w *world) link(owner, addr string) linking.Link {
	w.t.Helper()
	done, err := w.complete(owner, w.visit(begin(owner), addr, provider.AccessReplies))
	if err != nil {
		w.t.Fatal(err)
	}
	return done.Link
}

func wantIs(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("the error is %v, want %v", err, target)
	}
}

func TestLink(t *testing.T) {
	w := newWorld(t)
	done, err := w.complete("maria", w.visit(begin("maria"), marias, provider.AccessReplies))
	if err != nil {
		t.Fatal(err)
	}
	if done.Link.Address != marias || done.Link.Access != provider.AccessReplies || done.ReturnTo != "/settings" || done.Relinked || done.Limited() {
		t.Errorf("linked %+v", done)
	}
	opened, err := w.linker.Open(t.Context(), done.Link.ID)
	if err != nil || opened.Owner != "maria" || opened.Account.Address != marias || !opened.Abilities.Content {
		t.Errorf("opened %+v, %v", opened, err)
	}
	if _, err := opened.Mailbox.Profile(t.Context()); err != nil {
		t.Error(err)
	}
	if len(w.changes) != 1 || w.changes[0].Link.Status != store.LinkLinked {
		t.Errorf("told of %+v", w.changes)
	}
	again := w.link("maria", marias)
	if again.ID != done.Link.ID {
		t.Error("one's own mailbox linked again is another link")
	}
}

// TestCallbacksThatAreNotAccepted goes through forged, late and repeated ones.
func TestCallbacksThatAreNotAccepted(t *testing.T) {
	state := func(reason string) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			t.Helper()
			wantIs(t, err, linking.ErrState)
			var se *linking.StateError
			if errors.As(err, &se) && se.Reason != reason {
				t.Errorf("the reason is %s, want %s", se.Reason, reason)
			}
		}
	}
	cases := map[string]struct {
		change         func(w *world, q url.Values)
		owner, session string
		check          func(*testing.T, error)
	}{
		"no state":        {change: func(_ *world, q url.Values) { q.Del("state") }, check: state(linking.StateMissing)},
		"a wrong state":   {change: func(_ *world, q url.Values) { q.Set("state", q.Get("state")+"x") }, check: state(linking.StateUnknown)},
		"an old state":    {change: func(w *world, _ url.Values) { w.clock.Advance(11 * time.Minute) }, check: state(linking.StateExpired)},
		"a forgotten one": {change: func(w *world, _ url.Values) { w.clock.Advance(time.Hour) }, check: state(linking.StateUnknown)},
		"another session": {session: "session of eve", check: state(linking.StateSession)},
		"another user":    {owner: "eve", check: state(linking.StateOwner)},
		"declined": {change: func(_ *world, q url.Values) { q.Del("code"); q.Set("error", "access_denied") },
			check: func(t *testing.T, err error) { wantIs(t, err, linking.ErrDenied) }},
		"refused": {change: func(_ *world, q url.Values) { q.Set("error", "admin_policy_enforced") },
			check: func(t *testing.T, err error) { wantIs(t, err, linking.ErrRefused) }},
		"a hostile error": {change: func(_ *world, q url.Values) { q.Set("error", "<script>canary</script>") },
			check: func(t *testing.T, err error) {
				wantIs(t, err, linking.ErrRefused)
				if strings.Contains(err.Error(), "canary") {
					t.Errorf("the error repeats what it was given: %v", err)
				}
			}},
		"no code":          {change: func(_ *world, q url.Values) { q.Del("code") }, check: func(t *testing.T, err error) { wantIs(t, err, linking.ErrRefused) }},
		"an injected code": {change: func(_ *world, q url.Values) { q.Set("code", "another") }, check: func(t *testing.T, err error) { t.Helper(); notNil(t, err) }},
		"another's issuer": {change: func(_ *world, q url.Values) { q.Set("iss", "https://evil.example.org") }, check: func(t *testing.T, err error) { t.Helper(); notNil(t, err) }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			q := w.visit(begin("maria"), marias, provider.AccessReplies)
			valid := url.Values{}
			for k, v := range q {
				valid[k] = append([]string(nil), v...)
			}
			if c.change != nil {
				c.change(w, q)
			}
			p := linking.CompleteParams{Query: q, Owner: "maria", Session: "session of maria"}
			if c.owner != "" {
				p.Owner = c.owner
			}
			if c.session != "" {
				p.Session = c.session
			}
			_, err := w.linker.Complete(t.Context(), p)
			c.check(t, err)
			if links, err := w.linker.List(t.Context(), p.Owner); err != nil || len(links) != 0 {
				t.Errorf("left behind: %v, %v", links, err)
			}
			// Whatever was wrong with it, a flow is good for one callback.
			if q.Get("state") == valid.Get("state") {
				_, err := w.complete("maria", valid)
				wantIs(t, err, linking.ErrState)
			}
		})
	}
}

func notNil(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Error("it is accepted")
	}
}

func TestStateIsGoodOnce(t *testing.T) {
	w := newWorld(t)
	q := w.visit(begin("maria"), marias, provider.AccessReplies)
	if _, err := w.complete("maria", q); err != nil {
		t.Fatal(err)
	}
	_, err := w.complete("maria", q)
	wantIs(t, err, linking.ErrState)
}

func TestSecondOwner(t *testing.T) {
	w := newWorld(t)
	first := w.link("maria", marias)
	_, err := w.complete("eve", w.visit(begin("eve"), marias, provider.AccessReplies))
	wantIs(t, err, linking.ErrOwned)
	if strings.Contains(err.Error(), marias) {
		t.Errorf("the error tells the whole address: %v", err)
	}
	if links, _ := w.linker.List(t.Context(), "eve"); len(links) != 0 {
		t.Errorf("eve has %v", links)
	}
	opened, err := w.linker.Open(t.Context(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opened.Mailbox.Profile(t.Context()); err != nil {
		t.Errorf("the first owner's link is broken: %v", err)
	}
}

// TestTwoAtOnce are two callbacks for one mailbox in the same instant.
func TestTwoAtOnce(t *testing.T) {
	for range 20 {
		w := newWorld(t)
		queries := map[string]url.Values{}
		for _, owner := range []string{"maria", "tom"} {
			queries[owner] = w.visit(begin(owner), marias, provider.AccessReplies)
		}
		errs := make(map[string]error)
		var mu sync.Mutex
		var wg sync.WaitGroup
		for owner, q := range queries {
			wg.Go(func() {
				_, err := w.complete(owner, q)
				mu.Lock()
				defer mu.Unlock()
				errs[owner] = err
			})
		}
		wg.Wait()
		won := 0
		for owner, err := range errs {
			links, listErr := w.linker.List(t.Context(), owner)
			switch {
			case listErr != nil:
				t.Fatal(listErr)
			case err == nil:
				won++
				opened, err := w.linker.Open(t.Context(), links[0].ID)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := opened.Mailbox.Profile(t.Context()); err != nil {
					t.Errorf("the winner's link does not work: %v", err)
				}
			default:
				wantIs(t, err, linking.ErrOwned)
				if len(links) != 0 {
					t.Errorf("the loser has %v", links)
				}
			}
		}
		if won != 1 {
			t.Fatalf("%d of two owners have the mailbox", won)
		}
	}
}

func TestRelink(t *testing.T) {
	w := newWorld(t)
	l := w.link("maria", marias)
	w.prov.Withdraw(marias)
	p := begin("maria")
	p.Relink = l.ID
	_, err := w.complete("maria", w.visit(p, toms, provider.AccessReplies))
	wantIs(t, err, linking.ErrWrongMailbox)
	if strings.Contains(err.Error(), "maria@") || strings.Contains(err.Error(), "tom@") {
		t.Errorf("the addresses are not masked: %v", err)
	}
	done, err := w.complete("maria", w.visit(p, marias, provider.AccessReplies))
	if err != nil || !done.Relinked || done.Link.ID != l.ID {
		t.Fatalf("relinked %+v, %v", done, err)
	}
	opened, err := w.linker.Open(t.Context(), l.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opened.Mailbox.Profile(t.Context()); err != nil {
		t.Errorf("the relinked mailbox does not work: %v", err)
	}
	q := begin("eve")
	q.Relink = l.ID
	_, err = w.linker.Begin(t.Context(), q)
	wantIs(t, err, linking.ErrNotFound)
}

func TestLessThanAsked(t *testing.T) {
	w := newWorld(t)
	done, err := w.complete("maria", w.visit(begin("maria"), marias, provider.AccessSend))
	if err != nil || done.Link.Access != provider.AccessSend || !done.Limited() {
		t.Errorf("linked %+v, %v", done, err)
	}
}

// TestMoreThanAsked: a link reads nothing that its own consent did not ask
// for, neither at first nor after a refresh.
func TestMoreThanAsked(t *testing.T) {
	w := newWorld(t)
	wide := &generous{Provider: w.cfg.Providers[0]}
	w.cfg.Providers = []provider.Provider{wide}
	linker, err := linking.New(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.linker = linker
	p := begin("maria")
	p.Access = provider.AccessSend
	done, err := w.complete("maria", w.visit(p, marias, provider.AccessSend))
	if err != nil || done.Link.Access != provider.AccessSend || done.Limited() {
		t.Fatalf("linked %+v, %v", done, err)
	}
	w.clock.Advance(2 * time.Hour)
	opened, err := linker.Open(t.Context(), done.Link.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opened.Mailbox.Send(t.Context(), &provider.Outgoing{
		Raw: []byte("From: " + marias + "\r\nTo: grace@example.net\r\n\r\nHello\r\n"), From: provider.Address{Addr: marias},
		To: []provider.Address{{Addr: "grace@example.net"}}, NotAfter: w.clock.Now().Add(time.Minute),
	}); err != nil || wide.refreshed != 1 {
		t.Fatalf("%v after %d refreshes", err, wide.refreshed)
	}
	if l, err := linker.Get(t.Context(), done.Link.ID); err != nil || l.Access != provider.AccessSend {
		t.Errorf("after a refresh the access is %q, %v", l.Access, err)
	}
}

// generous is a service whose tokens do all that was ever allowed.
type generous struct {
	provider.Provider
	refreshed int
}

func (g *generous) Exchange(ctx context.Context, cb provider.Callback) (provider.Grant, error) {
	grant, err := g.Provider.Exchange(ctx, cb)
	grant.Access = provider.AccessReplies
	return grant, err
}

func (g *generous) Refresh(ctx context.Context, grant provider.Grant) (provider.Grant, error) {
	g.refreshed++
	grant, err := g.Provider.Refresh(ctx, grant)
	grant.Access = provider.AccessReplies
	return grant, err
}

func TestBeginNamesTheField(t *testing.T) {
	w := newWorld(t)
	for field, change := range map[string]func(*linking.BeginParams){
		"Owner":       func(p *linking.BeginParams) { p.Owner = "" },
		"Session":     func(p *linking.BeginParams) { p.Session = "" },
		"Provider":    func(p *linking.BeginParams) { p.Provider = "yahoo" },
		"RedirectURL": func(p *linking.BeginParams) { p.RedirectURL = "" },
		"Access":      func(p *linking.BeginParams) { p.Access = "everything" },
	} {
		p := begin("maria")
		change(&p)
		_, err := w.linker.Begin(t.Context(), p)
		wantIs(t, err, provider.ErrInvalid)
		if err != nil && !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
	for _, to := range []string{"https://evil.example.org/", "//evil.example.org", `/\evil.example.org`, "settings", "/x\r\nSet-Cookie: a=b", "javascript:alert(1)"} {
		p := begin("maria")
		p.ReturnTo = to
		if _, err := w.linker.Begin(t.Context(), p); !errors.Is(err, provider.ErrInvalid) {
			t.Errorf("the way back may be %q: %v", to, err)
		}
	}
	for _, to := range []string{"/callback", "http://ats.example.com/callback", "https://ats.example.com/cb#x", "https://u:p@ats.example.com/cb", "javascript:alert(1)"} {
		p := begin("maria")
		p.RedirectURL = to
		if _, err := w.linker.Begin(t.Context(), p); !errors.Is(err, provider.ErrInvalid) {
			t.Errorf("the callback may be %q: %v", to, err)
		}
	}
	if _, err := w.linker.List(t.Context(), ""); !errors.Is(err, provider.ErrInvalid) {
		t.Errorf("nobody's links are listed: %v", err)
	}
	for field, p := range map[string]linking.CompleteParams{"Owner": {Session: "s"}, "Session": {Owner: "maria"}} {
		if _, err := w.linker.Complete(t.Context(), p); !errors.Is(err, provider.ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}

func TestConfigNamesTheField(t *testing.T) {
	good := newWorld(t).cfg
	for field, change := range map[string]func(*linking.Config){
		"Providers":    func(c *linking.Config) { c.Providers = nil },
		"Providers[1]": func(c *linking.Config) { c.Providers = append(c.Providers[:1:1], c.Providers[0]) },
		"Links":        func(c *linking.Config) { c.Links = nil },
		"Flows":        func(c *linking.Config) { c.Flows = nil },
		"Sealer":       func(c *linking.Config) { c.InsecurePlainTokens = false },
		"FlowTTL":      func(c *linking.Config) { c.FlowTTL = -1 },
	} {
		cfg := good
		change(&cfg)
		_, err := linking.New(cfg)
		wantIs(t, err, provider.ErrInvalid)
		if err != nil && !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}
