package providertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
)

// Run tests the Provider of the harnesses that newHarness makes, one for each
// subtest.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	groups := []struct {
		name  string
		tests map[string]func(*testing.T, *world)
	}{
		{"Provider", providerTests()}, {"Authorize", authorizeTests()}, {"Exchange", exchangeTests()}, {"Refresh", refreshTests()},
		{"Profile", profileTests()}, {"Send", sendTests()}, {"Locate", locateTests()}, {"Changes", changesTests()},
		{"Search", searchTests()}, {"Envelope", envelopeTests()}, {"Content", contentTests()}, {"Errors", errorTests()},
		{"Conversation", conversationTests()}, {"Abilities", abilityTests()}, {"Watch", watchTests()}, {"Envelopes", envelopeAccessTests()},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, name := range slices.Sorted(maps.Keys(g.tests)) {
				t.Run(name, func(t *testing.T) {
					h := newHarness(t)
					h.check(t)
					g.tests[name](t, &world{Harness: h})
				})
			}
		})
	}
}

// world is a harness with what tests do with it.
type world struct {
	Harness
	mails int
	only  provider.Access // the one access that able takes; empty takes the most
}

// accesses are all, from most to least.
func accesses() []provider.Access {
	return []provider.Access{provider.AccessReplies, provider.AccessEnvelopes, provider.AccessSend}
}

// link is an opened mailbox and what it was opened with.
type link struct {
	provider.Mailbox
	account provider.Account
	tokens  *source
}

func (w *world) open(t *testing.T, addr string, access provider.Access) *link {
	t.Helper()
	if !w.Provider.Abilities(access).Offered {
		t.Skipf("access %q is not offered", access)
	}
	acc, grant := w.Consent(t, addr, access)
	src := &source{p: w.Provider, now: w.Now, grant: grant}
	return &link{Mailbox: w.Provider.Open(acc, src), account: acc, tokens: src}
}

// able opens Address with the most access that has an ability, or skips.
func (w *world) able(t *testing.T, what string, has func(provider.Abilities) bool) *link {
	t.Helper()
	for _, a := range accesses() {
		if ab := w.Provider.Abilities(a); ab.Offered && has(ab) && (w.only == "" || w.only == a) {
			return w.open(t, w.Address, a)
		}
	}
	t.Skipf("no offered access has %s", what)
	return nil
}

func canSend(ab provider.Abilities) bool    { return true }
func canFeed(ab provider.Abilities) bool    { return ab.ThreadReplies }
func canSearch(ab provider.Abilities) bool  { return ab.SenderReplies }
func canContent(ab provider.Abilities) bool { return ab.Content }
func canLocate(ab provider.Abilities) bool  { return ab.Locate != provider.ReachNone }

func (w *world) sender(t *testing.T) *link   { return w.able(t, "sending", canSend) }
func (w *world) feeder(t *testing.T) *link   { return w.able(t, "ThreadReplies", canFeed) }
func (w *world) searcher(t *testing.T) *link { return w.able(t, "SenderReplies", canSearch) }
func (w *world) reader(t *testing.T) *link   { return w.able(t, "Content", canContent) }
func (w *world) locator(t *testing.T) *link {
	return w.able(t, "Locate", canLocate)
}

// source is a TokenSource over one grant.
type source struct {
	p   provider.Provider
	now func() time.Time

	mu      sync.Mutex
	grant   provider.Grant
	stale   bool
	calls   int
	refused []*oauth2.Token
	before  func() error // runs in Token; its error is Token's
}

func (s *source) Token(ctx context.Context) (*oauth2.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.before != nil {
		if err := s.before(); err != nil {
			return nil, err
		}
	}
	if s.stale || !s.now().Before(s.grant.Token.Expiry) {
		g, err := s.p.Refresh(ctx, s.grant)
		if err != nil {
			return nil, err
		}
		s.grant, s.stale = g, false
	}
	return s.grant.Token, nil
}

func (s *source) Refused(_ context.Context, tok *oauth2.Token, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, tok)
	s.stale = true
}

// compose makes a finished mail. Lines in more are further header lines.
func (w *world) compose(to, subject string, more ...string) *provider.Outgoing {
	w.mails++
	id := fmt.Sprintf("<suite.%d.%d@mail.example.com>", w.Now().Unix(), w.mails)
	out := &provider.Outgoing{
		MessageID: id, Key: fmt.Sprintf("suite-key-%d-%d", w.Now().Unix(), w.mails), From: provider.Address{Name: "The Suite", Addr: w.Address},
		To: []provider.Address{{Addr: to}}, Thread: provider.Thread{Subject: subject}, NotAfter: w.Now().Add(time.Minute),
	}
	lines := append([]string{
		"From: The Suite <" + w.Address + ">", "To: " + to, "Subject: " + subject, "Date: " + w.Now().Format(time.RFC1123Z),
		"Message-ID: " + id, provider.KeyHeader + ": " + out.Key, "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
	}, more...)
	out.Raw = rawMail(lines, "Would you like to talk?")
	return out
}

func rawMail(header []string, body string) []byte {
	return []byte(strings.Join(header, "\r\n") + "\r\n\r\n" + body + "\r\n")
}

// incoming makes a mail from somebody, and returns its Message-ID too.
func (w *world) incoming(from, subject, body string, more ...string) (raw []byte, id string) {
	w.mails++
	id = fmt.Sprintf("<in.%d.%d@%s>", w.Now().Unix(), w.mails, strings.TrimSuffix(from[strings.IndexByte(from, '@')+1:], ">"))
	lines := append([]string{
		"From: " + from, "To: " + w.Address, "Subject: " + subject, "Date: " + w.Now().Format(time.RFC1123Z), "Message-ID: " + id, "MIME-Version: 1.0",
	}, more...)
	if !slices.ContainsFunc(more, func(s string) bool { return strings.HasPrefix(s, "Content-Type:") }) {
		lines = append(lines, "Content-Type: text/plain; charset=utf-8")
	}
	return rawMail(lines, body), id
}

func (w *world) deliver(t *testing.T, place provider.Place, raw []byte) {
	t.Helper()
	w.Deliver(t, w.Address, place, raw)
	w.Advance(w.Visible)
}

// send sends and expects it to be accepted.
func (w *world) send(t *testing.T, l *link, out *provider.Outgoing) provider.Receipt {
	t.Helper()
	out.NotAfter = w.Now().Add(time.Minute)
	r, err := l.Send(t.Context(), out)
	if err != nil {
		t.Fatalf("send: %v", err)
	}
	w.Advance(w.Visible)
	return r
}

// keyOf is what Locate is asked for after out was sent now.
func (w *world) keyOf(out *provider.Outgoing, cursor provider.Cursor) provider.SendKey {
	key := provider.SendKey{
		MessageID: out.MessageID, Key: out.Key, Subject: out.Thread.Subject, Thread: out.Thread.ID, From: w.Now(),
		Deadline: out.NotAfter, Cursor: cursor, Proven: true,
	}
	for _, a := range slices.Concat(out.To, out.Cc, out.Bcc) {
		key.To = append(key.To, a.Addr)
	}
	return key
}

// times returns how often a mail was truly accepted.
func (w *world) times(out *provider.Outgoing) int {
	n := 0
	for _, s := range w.Sent() {
		if s.Key == out.Key {
			n++
		}
	}
	return n
}

func (w *world) accepted(t *testing.T, out *provider.Outgoing, want int) {
	t.Helper()
	if n := w.times(out); n != want {
		t.Errorf("the service accepted the mail %d times, want %d", n, want)
	}
}

func (w *world) requests(t *testing.T) Requests {
	t.Helper()
	need(t, w.Requests != nil, "request counts")
	return w.Requests()
}

// profile returns the profile with a cursor that starts now.
func (l *link) profile(t *testing.T) provider.Profile {
	t.Helper()
	p, err := l.Profile(t.Context())
	if err != nil {
		t.Fatalf("profile: %v", err)
	}
	return p
}

// maxPages bounds how many pages of changes are followed.
const maxPages = 1000

// feed reads all changes since the cursor.
func (l *link) feed(t *testing.T, since provider.Cursor) (items []provider.Item, gone []provider.Ref, next provider.Cursor) {
	t.Helper()
	next = since
	for range maxPages {
		page, err := l.Changes(t.Context(), next)
		if err != nil {
			t.Fatalf("changes: %v", err)
		}
		if page.Next == "" || len(page.Next) > provider.MaxCursor {
			t.Fatalf("the next cursor has %d bytes, want 1 to %d", len(page.Next), provider.MaxCursor)
		}
		items, gone, next = append(items, page.Items...), append(gone, page.Gone...), page.Next
		if !page.More {
			return items, gone, next
		}
	}
	t.Fatalf("changes did not end after %d pages", maxPages)
	return nil, nil, ""
}

// find returns the envelope, among new items, of the message with this id.
func (l *link) find(t *testing.T, items []provider.Item, id string) *provider.Envelope {
	t.Helper()
	seen := make(map[provider.Ref]bool)
	for _, item := range items {
		if seen[item.Ref] {
			continue
		}
		seen[item.Ref] = true
		env, err := l.Envelope(t.Context(), item.Ref)
		if errors.Is(err, provider.ErrNotFound) {
			continue
		}
		if err != nil {
			t.Fatalf("envelope: %v", err)
		}
		if provider.BareID(env.MessageID) == provider.BareID(id) {
			return env
		}
	}
	t.Fatalf("the message %s is not among %d items", id, len(items))
	return nil
}

// arrive delivers a mail and returns its envelope by way of the feed.
func (w *world) arrive(t *testing.T, l *link, raw []byte, id string) *provider.Envelope {
	t.Helper()
	since := l.profile(t).Cursor
	w.deliver(t, provider.PlaceInbox, raw)
	items, _, _ := l.feed(t, since)
	return l.find(t, items, id)
}

// warrant has Match permit reading a message from a known recipient.
func (w *world) warrant(t *testing.T, l *link, env *provider.Envelope) provider.Warrant {
	t.Helper()
	known := &provider.Known{Account: l.account, Sent: []provider.Sent{{
		Key: "c", Recipients: []string{env.From[0].Addr}, First: env.Received.Add(-time.Hour), Last: env.Received.Add(-time.Hour),
	}}}
	m := provider.Match(env, known)
	if !m.Warrant.Permits(l.account.Subject) {
		t.Fatalf("no warrant for %+v", env)
	}
	return m.Warrant
}

// is checks that err is of the kind, and an *Error as the contract wants.
func is(t *testing.T, err error, want provider.ErrorKind) {
	t.Helper()
	var e *provider.Error
	switch {
	case err == nil:
		t.Errorf("no error, want %q", want)
	case !errors.Is(err, want):
		t.Errorf("error %q, want %q", err, want)
	case !errors.As(err, &e):
		t.Errorf("error %T is no *provider.Error", err)
	}
}

// proof checks that err proves that nothing was sent.
func proof(t *testing.T, err error) {
	t.Helper()
	switch {
	case err == nil:
		t.Error("no error where nothing was sent")
	case errors.Is(err, provider.ErrOutcomeUnknown):
		t.Errorf("%q where it is certain that nothing was sent", err)
	}
	typed(t, err)
}

// typed checks that err is an *Error or wraps the context's error.
func typed(t *testing.T, err error) {
	t.Helper()
	var e *provider.Error
	if err != nil && !errors.As(err, &e) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %T is neither a *provider.Error nor the context's", err)
	}
}

// unsure checks that err does not claim to know that nothing was sent.
func unsure(t *testing.T, err error) {
	t.Helper()
	if err == nil || errors.Is(err, provider.ErrNotSent) {
		t.Errorf("%v where the mail may have been sent", err)
	}
	typed(t, err)
}

// gone locates a mail whose copy was deleted for good: a service that keeps
// what was deleted may know of it, and any other can't be sure.
func gone(t *testing.T, l *link, key provider.SendKey) {
	t.Helper()
	if found, err := l.Locate(t.Context(), key); err != nil || len(found) == 0 {
		unsure(t, err)
	}
}

func hasItem(items []provider.Item, ref provider.Ref) bool {
	return slices.ContainsFunc(items, func(i provider.Item) bool { return i.Ref == ref })
}

func holds(raw []byte, s string) bool { return bytes.Contains(raw, []byte(s)) }
