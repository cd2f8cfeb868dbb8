package story

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
)

// play tells a story that is kept in a file, over a Google whose requests go
// through around.
func play(ctx context.Context, file string, around func(s *Storage, google http.Handler) http.Handler) error {
	storage, err := OpenStorage("sqlite:"+file, "test")
	if err != nil {
		return err
	}
	defer storage.Close()
	const addr = "maria.silva@agency.example.com"
	world, err := NewWorld(ctx, storage, Sender{Address: addr, Service: "gmail"})
	if err != nil {
		return err
	}
	defer world.Close()
	google, err := gmailtest.New(world.Office, gmailtest.Config{ClientID: "test", ClientSecret: "not a real secret"})
	if err != nil {
		return err
	}
	if err := world.Host(around(storage, google), google.URL()); err != nil {
		return err
	}
	prov, err := gmail.New(gmail.Config{
		ClientID: "test", ClientSecret: "not a real secret", Endpoints: google.Endpoints(), HTTPClient: world.Client(), Now: world.Office.Clock().Now,
	})
	if err != nil {
		return err
	}
	s, err := New(ctx, world, addr, Service{
		Provider: prov,
		Consent: func(authURL, addr string) (*url.URL, error) {
			return google.Consent(world.Client(), authURL, gmailtest.Answer{Account: addr})
		},
		LoseAnswer: func(string, int) {},
	}, io.Discard)
	if err != nil {
		return err
	}
	_, err = Tell(ctx, s)
	return err
}

// TestStoppedInRefresh: who dies in the middle of a refresh leaves a mark in
// the link, for which the next process waits. It must not wait for ever, in a
// world whose time stands still meanwhile.
func TestStoppedInRefresh(t *testing.T) {
	file := filepath.Join(t.TempDir(), "store.db")
	refreshes := 0
	err := play(t.Context(), file, func(s *Storage, google http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/token") {
				refreshes++
			}
			if refreshes < 2 { // the first token is that of the link
				google.ServeHTTP(w, r)
				return
			}
			google.ServeHTTP(httptest.NewRecorder(), r)
			_ = s.Close() // like a process that dies, it writes nothing any more
			panic(http.ErrAbortHandler)
		})
	})
	if err == nil || refreshes < 2 {
		t.Fatalf("after %d refreshes it ended with %v", refreshes, err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	seen := 0
	err = play(ctx, file, func(_ *Storage, google http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			google.ServeHTTP(w, r)
			if seen++; seen == 300 { // those of the first process among them
				cancel()
			}
		})
	})
	if !errors.Is(err, ErrStopped) || seen < 300 {
		t.Errorf("the next process made %d requests and ended with %v", seen, err)
	}
}
