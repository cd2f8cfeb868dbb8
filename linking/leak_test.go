package linking_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// leaky is a service that fails in every way, with all its secrets in the
// causes of its errors. If loud they are in the texts too, against the
// contract.
type leaky struct {
	provider.Provider
	kind provider.ErrorKind
	loud bool
	on   bool
}

func (l *leaky) fail(secrets ...string) error {
	if !l.on {
		return nil
	}
	cause := fmt.Errorf("the answer was %s", strings.Join(secrets, " "))
	if l.loud {
		return cause
	}
	return &provider.Error{Kind: l.kind, Op: "leaky", Reason: "refused", Err: cause}
}

func (l *leaky) Exchange(ctx context.Context, cb provider.Callback) (provider.Grant, error) {
	if err := l.fail(cb.Code, cb.Verifier, cb.Nonce); err != nil {
		return provider.Grant{}, err
	}
	return l.Provider.Exchange(ctx, cb)
}

func (l *leaky) Refresh(ctx context.Context, g provider.Grant) (provider.Grant, error) {
	if err := l.fail(g.Token.AccessToken, g.Token.RefreshToken); err != nil {
		return g, err
	}
	return l.Provider.Refresh(ctx, g)
}

func (l *leaky) Revoke(_ context.Context, g provider.Grant) error {
	return l.fail(g.Token.AccessToken, g.Token.RefreshToken)
}

// watchedLinks remembers every token that was stored, and can fail.
type watchedLinks struct {
	store.TokenStore
	secrets map[string]bool
	failing bool
}

func (s *watchedLinks) note(l store.Link) {
	var tok map[string]any
	if json.Unmarshal(l.Token, &tok) != nil {
		return
	}
	for _, field := range []string{"access", "refresh"} {
		if v, _ := tok[field].(string); v != "" {
			s.secrets[v] = true
		}
	}
}

func (s *watchedLinks) Create(ctx context.Context, l store.Link) (store.Link, error) {
	s.note(l)
	return s.TokenStore.Create(ctx, l)
}

func (s *watchedLinks) CompareAndSwap(ctx context.Context, l store.Link) (store.Link, error) {
	s.note(l)
	if s.failing && l.Mark == nil {
		return l, errors.New("the database is down")
	}
	return s.TokenStore.CompareAndSwap(ctx, l)
}

// TestAttackTokenInALog plays a link's whole life with a service that fails at
// every step, and looks for its secrets in all that was logged, returned, told
// and diagnosed.
func TestAttackTokenInALog(t *testing.T) {
	play := func(t *testing.T, kind provider.ErrorKind, loud bool) (found []string) {
		var log bytes.Buffer
		var svc *leaky
		links := &watchedLinks{secrets: make(map[string]bool)}
		w := newWorld(t, func(w *world) {
			svc = &leaky{Provider: w.cfg.Providers[0], kind: kind, loud: loud}
			links.TokenStore = w.cfg.Links
			w.cfg.Providers[0], w.cfg.Links = svc, links
			w.cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			w.cfg.Wait = func(_ context.Context, d time.Duration) error { w.clock.Advance(d); return nil }
		})
		tell := func(err error) {
			if err != nil {
				fmt.Fprintf(&log, "%v %+v %#v %+v\n", err, err, w.linker.Diagnose("postoffice", err), w.linker.Diagnose("", err))
			}
		}
		try := func() url.Values {
			q := w.visit(begin("maria"), marias, provider.AccessReplies)
			links.secrets[q.Get("state")], links.secrets[q.Get("code")] = true, true
			return q
		}
		for _, on := range []bool{true, false} {
			svc.on = on
			_, err := w.complete("maria", try())
			tell(err)
		}
		_, err := w.complete("eve", try())
		tell(err)
		owned, err := w.linker.List(t.Context(), "maria")
		if err != nil || len(owned) != 1 {
			t.Fatal(owned, err)
		}
		use := func() {
			w.clock.Advance(2 * time.Hour)
			opened, err := w.linker.Open(t.Context(), owned[0].ID)
			if err == nil {
				_, err = opened.Mailbox.Profile(t.Context())
			}
			tell(err)
		}
		use()
		links.failing = true // a refreshed token can't be stored
		use()
		links.failing, svc.on = false, true
		use()
		tell(w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: owned[0].ID}))
		for _, c := range w.changes {
			fmt.Fprintf(&log, "%+v\n", c)
		}
		if len(links.secrets) < 6 || !strings.Contains(log.String(), "could not be stored") {
			t.Fatalf("only %d secrets were at stake; the log is %s", len(links.secrets), log.String())
		}
		for s := range links.secrets {
			if strings.Contains(log.String(), s) {
				found = append(found, s)
			}
		}
		if strings.Contains(log.String(), "session of") {
			found = append(found, "a session")
		}
		return found
	}
	for _, kind := range []provider.ErrorKind{provider.ErrRelink, provider.ErrApp, provider.ErrTemporary, provider.ErrRejected, provider.ErrMailboxUnusable} {
		if found := play(t, kind, false); len(found) > 0 {
			t.Errorf("%s: %d secrets came out: %q", kind, len(found), found)
		}
	}
	if found := play(t, provider.ErrTemporary, true); len(found) == 0 {
		t.Error("a service that speaks its secrets out is not noticed, so this test proves nothing")
	}
}
