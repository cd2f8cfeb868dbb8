package providertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/outreachkit/outreach/provider"
)

const mutantVariable = "PROVIDERTEST_MUTANT"

// TestMutants runs the suite, in processes of their own, over providers that
// break one rule each, and wants the subtest of that rule to fail.
func TestMutants(t *testing.T) {
	if os.Getenv(mutantVariable) != "" {
		t.Skip("this is a mutant's process")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	failed := regexp.MustCompile(`--- FAIL: TestMutant/(\S+)`)
	names := make(map[string]bool)
	for _, m := range mutants() {
		if names[m.name] {
			t.Fatalf("two mutants are called %s", m.name)
		}
		names[m.name] = true
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestMutant$")
			cmd.Env = append(os.Environ(), mutantVariable+"="+m.name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			var got []string
			for _, match := range failed.FindAllSubmatch(out, -1) {
				got = append(got, string(match[1]))
			}
			if m.fails == "" {
				if len(got) != 0 || err != nil {
					t.Errorf("the unchanged provider fails %q: %v\n%s", got, err, out)
				}
				return
			}
			if !slices.Contains(got, m.fails) {
				t.Errorf("%s does not fail; these do: %q", m.fails, got)
				if len(got) == 0 {
					t.Logf("%s", out)
				}
			}
		})
	}
}

// TestMutant runs the suite over one mutant, in a process that TestMutants
// started.
func TestMutant(t *testing.T) {
	name := os.Getenv(mutantVariable)
	if name == "" {
		t.Skip("only in a mutant's process")
	}
	for _, m := range mutants() {
		if m.name == name {
			Run(t, func(t *testing.T) Harness {
				h := Fake(t)
				h.Provider = &mutated{Provider: h.Provider, m: m}
				if notices := h.Notices; m.notices != nil {
					h.Notices = func() []provider.Notice { return m.notices(notices()) }
				}
				return h
			})
			return
		}
	}
	t.Fatalf("no mutant is called %s", name)
}

// mutant overrides what it breaks and leaves the rest.
type mutant struct {
	name  string
	fails string // the subtest that must fail; empty: none may

	send      func(ctx context.Context, b *mutatedBox, m *provider.Outgoing) (provider.Receipt, error)
	locate    func(ctx context.Context, b *mutatedBox, key provider.SendKey) ([]provider.Located, error)
	changes   func(ctx context.Context, b *mutatedBox, since provider.Cursor) (provider.Page, error)
	search    func(ctx context.Context, b *mutatedBox, q provider.Query) ([]provider.Item, error)
	envelope  func(ctx context.Context, b *mutatedBox, ref provider.Ref) (*provider.Envelope, error)
	content   func(ctx context.Context, b *mutatedBox, w provider.Warrant) (*provider.Message, error)
	profile   func(ctx context.Context, b *mutatedBox) (provider.Profile, error)
	authorize func(p provider.Provider, req provider.AuthRequest) (string, error)
	exchange  func(ctx context.Context, p provider.Provider, cb provider.Callback) (provider.Grant, error)
	refresh   func(ctx context.Context, p provider.Provider, g provider.Grant) (provider.Grant, error)
	diagnose  func(p provider.Provider, err error) provider.Diagnosis
	abilities func(p provider.Provider, a provider.Access) provider.Abilities
	tokens    func(ts provider.TokenSource) provider.TokenSource
	opened    func(b *mutatedBox)
	watch     func(ctx context.Context, w provider.Watcher, p provider.WatchParams) (provider.Watch, error)
	renew     func(ctx context.Context, w provider.Watcher, old provider.Watch) (provider.Watch, error)
	unwatch   func(ctx context.Context, w provider.Watcher, old provider.Watch) error
	notices   func(list []provider.Notice) []provider.Notice
}

type mutated struct {
	provider.Provider
	m mutant
}

func (p *mutated) Authorize(req provider.AuthRequest) (string, error) {
	if p.m.authorize != nil {
		return p.m.authorize(p.Provider, req)
	}
	return p.Provider.Authorize(req)
}

func (p *mutated) Diagnose(err error) provider.Diagnosis {
	if p.m.diagnose != nil {
		return p.m.diagnose(p.Provider, err)
	}
	return p.Provider.Diagnose(err)
}

func (p *mutated) Exchange(ctx context.Context, cb provider.Callback) (provider.Grant, error) {
	if p.m.exchange != nil {
		return p.m.exchange(ctx, p.Provider, cb)
	}
	return p.Provider.Exchange(ctx, cb)
}

func (p *mutated) Refresh(ctx context.Context, g provider.Grant) (provider.Grant, error) {
	if p.m.refresh != nil {
		return p.m.refresh(ctx, p.Provider, g)
	}
	return p.Provider.Refresh(ctx, g)
}

func (p *mutated) Abilities(a provider.Access) provider.Abilities {
	if p.m.abilities != nil {
		return p.m.abilities(p.Provider, a)
	}
	return p.Provider.Abilities(a)
}

func (p *mutated) Open(acc provider.Account, ts provider.TokenSource) provider.Mailbox {
	if p.m.tokens != nil && ts != nil {
		ts = p.m.tokens(ts)
	}
	b := &mutatedBox{Mailbox: p.Provider.Open(acc, ts), m: p.m, account: acc, tokens: ts}
	if p.m.opened != nil {
		p.m.opened(b)
	}
	if w, ok := b.Mailbox.(provider.Watcher); ok {
		return &mutatedWatcher{mutatedBox: b, w: w}
	}
	return b
}

type mutatedWatcher struct {
	*mutatedBox
	w provider.Watcher
}

func (b *mutatedWatcher) Watch(ctx context.Context, p provider.WatchParams) (provider.Watch, error) {
	if b.m.watch != nil {
		return b.m.watch(ctx, b.w, p)
	}
	return b.w.Watch(ctx, p)
}

func (b *mutatedWatcher) Renew(ctx context.Context, w provider.Watch) (provider.Watch, error) {
	if b.m.renew != nil {
		return b.m.renew(ctx, b.w, w)
	}
	return b.w.Renew(ctx, w)
}

func (b *mutatedWatcher) Unwatch(ctx context.Context, w provider.Watch) error {
	if b.m.unwatch != nil {
		return b.m.unwatch(ctx, b.w, w)
	}
	return b.w.Unwatch(ctx, w)
}

type mutatedBox struct {
	provider.Mailbox
	m       mutant
	account provider.Account
	tokens  provider.TokenSource
	first   provider.Cursor // for mutants that remember
	skipped bool
}

func (b *mutatedBox) Send(ctx context.Context, m *provider.Outgoing) (provider.Receipt, error) {
	if b.m.send != nil && m != nil {
		return b.m.send(ctx, b, m)
	}
	return b.Mailbox.Send(ctx, m)
}

func (b *mutatedBox) Locate(ctx context.Context, key provider.SendKey) ([]provider.Located, error) {
	if b.m.locate != nil {
		return b.m.locate(ctx, b, key)
	}
	return b.Mailbox.Locate(ctx, key)
}

func (b *mutatedBox) Changes(ctx context.Context, since provider.Cursor) (provider.Page, error) {
	if b.m.changes != nil {
		return b.m.changes(ctx, b, since)
	}
	return b.Mailbox.Changes(ctx, since)
}

func (b *mutatedBox) Search(ctx context.Context, q provider.Query) ([]provider.Item, error) {
	if b.m.search != nil {
		return b.m.search(ctx, b, q)
	}
	return b.Mailbox.Search(ctx, q)
}

func (b *mutatedBox) Envelope(ctx context.Context, ref provider.Ref) (*provider.Envelope, error) {
	if b.m.envelope != nil {
		return b.m.envelope(ctx, b, ref)
	}
	return b.Mailbox.Envelope(ctx, ref)
}

func (b *mutatedBox) Content(ctx context.Context, w provider.Warrant) (*provider.Message, error) {
	if b.m.content != nil {
		return b.m.content(ctx, b, w)
	}
	return b.Mailbox.Content(ctx, w)
}

func (b *mutatedBox) Profile(ctx context.Context) (provider.Profile, error) {
	if b.m.profile != nil {
		return b.m.profile(ctx, b)
	}
	return b.Mailbox.Profile(ctx)
}

// turn makes an error of one kind into one of another.
func turn(err error, from, to provider.ErrorKind) error {
	var e *provider.Error
	if errors.Is(err, from) && errors.As(err, &e) {
		other := *e
		other.Kind = to
		return &other
	}
	return err
}

// turned is turn for each of several kinds.
func turned(err error, to provider.ErrorKind, from ...provider.ErrorKind) error {
	for _, k := range from {
		err = turn(err, k, to)
	}
	return err
}

// bare is an error without its type.
func bare(err error) error {
	var e *provider.Error
	if errors.As(err, &e) {
		return fmt.Errorf("it failed: %w", e.Kind)
	}
	return err
}
