package gmailtest_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
	gmailapi "google.golang.org/api/gmail/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/provider/postoffice"
)

func copyTo(w io.Writer, resp *http.Response) (int64, error) { return io.Copy(w, resp.Body) }

// service is the real client, with these scopes.
func (w *world) service(scopes ...string) *gmailapi.Service {
	w.t.Helper()
	w.oauth.Scopes = append([]string{"openid", "email"}, scopes...)
	tok := w.token(gmailtest.Answer{})
	client := &http.Client{Transport: &oauth2.Transport{Base: w.http.Transport, Source: oauth2.StaticTokenSource(tok)}}
	svc, err := gmailapi.NewService(w.t.Context(), option.WithHTTPClient(client), option.WithEndpoint(w.google.URL()))
	if err != nil {
		w.t.Fatal(err)
	}
	return svc
}

func raw(id, to, subject, more string) string {
	return base64.URLEncoding.EncodeToString([]byte("From: " + maria + "\r\nTo: " + to + "\r\nSubject: " + subject + "\r\nMessage-ID: " + id + "\r\n" + more +
		"Date: Mon, 02 Mar 2026 09:00:00 +0000\r\n\r\nHello there.\r\n"))
}

func wantAPI(t *testing.T, err error, status int, reason string) {
	t.Helper()
	var e *googleapi.Error
	if !errors.As(err, &e) || e.Code != status || len(e.Errors) == 0 || e.Errors[0].Reason != reason {
		t.Errorf("the error is %v, want %d %s", err, status, reason)
	}
}

func TestSendAndRead(t *testing.T) {
	for name, sockets := range map[string]bool{"sockets": true, "in process": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sockets, gmailtest.Config{})
			svc := w.service(scopeSend, scopeRead).Users
			prof, err := svc.GetProfile("me").Do()
			if err != nil || prof.EmailAddress != maria {
				t.Fatalf("profile %+v, %v", prof, err)
			}
			sent, err := svc.Messages.Send("me", &gmailapi.Message{Raw: raw("<1@mail.example.com>", "ada@example.net", "Hello", "")}).Do()
			if err != nil {
				t.Fatal(err)
			}
			if len(sent.Id) != 16 || sent.Id != sent.ThreadId || !slices.Contains(sent.LabelIds, "SENT") || sent.Payload != nil {
				t.Errorf("the answer is %+v", sent)
			}
			next, err := svc.Messages.Send("me", &gmailapi.Message{
				Raw: raw("<2@mail.example.com>", "ada@example.net", "Re: Hello", "In-Reply-To: <1@mail.example.com>\r\nReferences: <1@mail.example.com>\r\n"), ThreadId: sent.ThreadId,
			}).Do()
			if err != nil || next.ThreadId != sent.ThreadId {
				t.Errorf("the follow-up is in thread %s, %v", next.ThreadId, err)
			}
			meta, err := svc.Messages.Get("me", sent.Id).Format("metadata").MetadataHeaders("message-id").Fields("id", "payload(headers)").Do()
			if err != nil || len(meta.Payload.Headers) != 1 || meta.Payload.Headers[0].Value != "<1@mail.example.com>" || meta.Snippet != "" {
				t.Errorf("metadata %+v, %v", meta, err)
			}
			full, err := svc.Messages.Get("me", sent.Id).Do()
			if err != nil || full.Snippet != "Hello there." || len(full.Payload.Parts) != 1 {
				t.Errorf("full %+v, %v", full, err)
			}
			list, err := svc.Messages.List("me").Q("rfc822msgid:2@mail.example.com").Do()
			if err != nil || len(list.Messages) != 1 || list.Messages[0].Id != next.Id {
				t.Errorf("found %+v, %v", list, err)
			}
			hist, err := svc.History.List("me").StartHistoryId(prof.HistoryId).Do()
			if err != nil || len(hist.History) < 2 || hist.HistoryId <= prof.HistoryId || hist.History[0].MessagesAdded[0].Message.Id != sent.Id {
				t.Errorf("history %+v, %v", hist, err)
			}
			_, err = svc.GetProfile("eve@example.org").Do()
			wantAPI(t, err, 403, "forbidden")
			_, err = svc.Messages.Get("me", "1987000000ffffff").Do()
			wantAPI(t, err, 404, "notFound")
			_, err = svc.Messages.Send("me", &gmailapi.Message{Raw: "!!!"}).Do()
			wantAPI(t, err, 400, "invalidArgument")
		})
	}
}

// TestBooksCatchASnippet holds that a careless client is caught: what leaves
// the server is counted, whatever it was asked for.
func TestBooksCatchASnippet(t *testing.T) {
	w := newWorld(t, false, gmailtest.Config{})
	if err := w.office.DeliverUnrelated(postoffice.Traffic{To: maria, N: 1}); err != nil {
		t.Fatal(err)
	}
	var id string
	for m := range w.box.Visible() {
		id = gmailtest.MessageID(m)
	}
	svc := w.service(scopeRead).Users
	counts := func() string { return fmt.Sprint(w.office.Books().UnrelatedReads()) }
	for _, step := range []struct {
		what string
		call func() error
		want string
	}{
		{"ids from a search", func() error { _, err := svc.Messages.List("me").Do(); return err }, "0 0"},
		{"labels", func() error {
			_, err := svc.Messages.Get("me", id).Format("minimal").Fields("id", "labelIds").Do()
			return err
		}, "0 0"},
		{"headers", func() error {
			_, err := svc.Messages.Get("me", id).Format("metadata").Fields("id", "payload(headers)").Do()
			return err
		}, "1 0"},
		{"headers and the snippet", func() error { _, err := svc.Messages.Get("me", id).Format("metadata").Do(); return err }, "2 1"},
		{"labels and the snippet", func() error { _, err := svc.Messages.Get("me", id).Format("minimal").Do(); return err }, "2 2"},
		{"everything", func() error { _, err := svc.Messages.Get("me", id).Format("raw").Do(); return err }, "2 3"},
	} {
		if err := step.call(); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if got := counts(); got != step.want {
			t.Errorf("after %s the books say %s, want %s", step.what, got, step.want)
		}
	}
}

// TestScopes goes through methods and scopes as the discovery file lists them.
func TestScopes(t *testing.T) {
	methods := map[string]func(*gmailapi.UsersService) error{
		"getProfile":    func(s *gmailapi.UsersService) error { _, err := s.GetProfile("me").Do(); return err },
		"messages.list": func(s *gmailapi.UsersService) error { _, err := s.Messages.List("me").Do(); return err },
		"history.list": func(s *gmailapi.UsersService) error {
			prof, err := s.GetProfile("me").Do()
			if err != nil {
				return err
			}
			_, err = s.History.List("me").StartHistoryId(prof.HistoryId).Do()
			return err
		},
		"labels.list": func(s *gmailapi.UsersService) error { _, err := s.Labels.List("me").Do(); return err },
		"sendAs.list": func(s *gmailapi.UsersService) error { _, err := s.Settings.SendAs.List("me").Do(); return err },
		"messages.send": func(s *gmailapi.UsersService) error {
			_, err := s.Messages.Send("me", &gmailapi.Message{Raw: raw("<9@mail.example.com>", "ada@example.net", "x", "")}).Do()
			return err
		},
		"messages.list q": func(s *gmailapi.UsersService) error { _, err := s.Messages.List("me").Q("from:ada").Do(); return err },
	}
	for scope, allowed := range map[string][]string{
		scopeSend:                   {"messages.send"},
		scopeRead:                   {"getProfile", "messages.list", "messages.list q", "history.list", "labels.list", "sendAs.list"},
		scopeMeta:                   {"getProfile", "messages.list", "history.list", "labels.list"},
		scopeMeta + " " + scopeRead: {"getProfile", "messages.list", "history.list", "labels.list", "sendAs.list"}, // q is spoilt
	} {
		w := newWorld(t, false, gmailtest.Config{})
		svc := w.service(strings.Fields(scope)...).Users
		for name, call := range methods {
			err := call(svc)
			if ok := slices.Contains(allowed, name); ok != (err == nil) {
				t.Errorf("%s with %s: %v", name, scope, err)
			}
		}
	}
}

func TestTokensExpireByTheVirtualClock(t *testing.T) {
	w := newWorld(t, false, gmailtest.Config{})
	svc := w.service(scopeRead).Users
	w.clock.Advance(59 * time.Minute)
	if _, err := svc.GetProfile("me").Do(); err != nil {
		t.Error(err)
	}
	w.clock.Advance(2 * time.Minute)
	_, err := svc.GetProfile("me").Do()
	wantAPI(t, err, 401, "authError")
}

func TestHistoryExpires(t *testing.T) {
	w := newWorld(t, false, gmailtest.Config{})
	svc := w.service(scopeRead).Users
	prof, err := svc.GetProfile("me").Do()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.office.DeliverUnrelated(postoffice.Traffic{To: maria, N: 7}); err != nil {
		t.Fatal(err)
	}
	n, token := 0, ""
	for {
		page, err := svc.History.List("me").StartHistoryId(prof.HistoryId).MaxResults(3).HistoryTypes("messageAdded").PageToken(token).Do()
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.History)
		if token = page.NextPageToken; token == "" {
			break
		}
	}
	if n != 7 {
		t.Errorf("the pages hold %d records, want 7", n)
	}
	w.box.ExpireChanges()
	_, err = svc.History.List("me").StartHistoryId(prof.HistoryId).Do()
	wantAPI(t, err, 404, "notFound")
}

func TestFaults(t *testing.T) {
	for name, sockets := range map[string]bool{"sockets": true, "in process": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sockets, gmailtest.Config{})
			svc := w.service(scopeSend).Users
			send := func(id string) error {
				_, err := svc.Messages.Send("me", &gmailapi.Message{Raw: raw("<"+id+"@mail.example.com>", id+"@example.net", "x", "")}).Do()
				return err
			}
			accepted := func() int { return len(w.office.Books().Submissions()) }
			w.google.Inject(gmailtest.Rule{Op: "messages.send", Fault: gmailtest.CutBefore})
			if err := send("a"); err == nil || accepted() != 0 {
				t.Errorf("cut before: %v, %d accepted", err, accepted())
			}
			w.google.Inject(gmailtest.Rule{Op: "messages.send", Fault: gmailtest.CutAfter})
			if err := send("b"); err == nil || accepted() != 1 {
				t.Errorf("cut after: %v, %d accepted", err, accepted())
			}
			w.google.Inject(gmailtest.Rule{Op: "messages.send", Fault: gmailtest.RefuseAfter, Status: 503, Reason: "backendError"})
			wantAPI(t, send("c"), 503, "backendError")
			if accepted() != 2 {
				t.Errorf("a 503 after acceptance: %d accepted", accepted())
			}
			w.google.Inject(gmailtest.Rule{Op: "messages.send", To: "e@example.net", Skip: 1, Fault: gmailtest.Refuse, Status: 429, Reason: "rateLimitExceeded"})
			for i, id := range []string{"d", "e", "d"} {
				if err := send(id); err != nil {
					t.Errorf("send %d: %v", i, err)
				}
			}
			wantAPI(t, send("e"), 429, "rateLimitExceeded")
		})
	}
}
