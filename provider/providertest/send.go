package providertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// refusals are the statuses that prove that nothing was sent.
var refusals = [...]int{400, 401, 403, 404, 413, 415, 429}

// failures prove nothing.
var failures = [...]int{408, 500, 502, 503, 504}

func sendTests() tests {
	list := tests{
		"Accepted": func(t *testing.T, w *world) {
			l := w.sender(t)
			before := w.Requests
			out := w.compose("carol@example.org", "A position", "Bcc: "+w.Peer)
			out.Bcc = []provider.Address{{Addr: w.Peer}}
			raw := bytes.Clone(out.Raw)
			r := w.send(t, l, out)
			w.accepted(t, out, 1)
			if !bytes.Equal(raw, out.Raw) {
				t.Error("the caller's bytes were changed")
			}
			if r.At.IsZero() || r.At.After(w.Now()) {
				t.Errorf("accepted at %s by the caller's clock", r.At)
			}
			if sent := w.Sent(); len(sent) == 1 && (len(sent[0].Recipients) != 2 || !holds(sent[0].Raw, "Would you like to talk?")) {
				t.Errorf("sent to %q:\n%s", sent[0].Recipients, sent[0].Raw)
			}
			if before != nil && w.Requests().Send != 1 {
				t.Errorf("%d send requests, want 1", w.Requests().Send)
			}
		},
		"Nothing": func(t *testing.T, w *world) {
			l := w.sender(t)
			_, err := l.Send(t.Context(), nil)
			is(t, err, provider.ErrRejected)
		},
		"SendAccessIsEnough": func(t *testing.T, w *world) {
			l := w.open(t, w.Address, provider.AccessSend)
			out := w.compose("carol@example.org", "A position")
			w.send(t, l, out)
			w.accepted(t, out, 1)
		},
		"AnswerLost": func(t *testing.T, w *world) {
			need(t, w.Faults.LoseAnswer != nil, "fault LoseAnswer")
			l := w.sender(t)
			out := w.compose("carol@example.org", "A position")
			w.Faults.LoseAnswer(nil)
			_, err := l.Send(t.Context(), out)
			is(t, err, provider.ErrOutcomeUnknown)
			w.accepted(t, out, 1)
			if w.Requests != nil && w.Requests().Send != 1 {
				t.Errorf("%d send requests, want 1", w.Requests().Send)
			}
		},
		"Portal": func(t *testing.T, w *world) {
			need(t, w.Faults.Portal != nil, "fault Portal")
			l := w.sender(t)
			out := w.compose("carol@example.org", "A position")
			w.Faults.Portal()
			if _, err := l.Send(t.Context(), out); err == nil {
				t.Error("a page of somebody in between counts as accepted")
			}
			w.accepted(t, out, 0)
		},
		"RequestLost": func(t *testing.T, w *world) {
			need(t, w.Faults.LoseRequest != nil, "fault LoseRequest")
			l := w.sender(t)
			out := w.compose("carol@example.org", "A position")
			w.Faults.LoseRequest()
			_, err := l.Send(t.Context(), out)
			is(t, err, provider.ErrOutcomeUnknown)
			w.accepted(t, out, 0)
		},
		"Throttled": func(t *testing.T, w *world) {
			need(t, w.Faults.Throttle != nil, "fault Throttle")
			l := w.sender(t)
			for _, wait := range []time.Duration{90 * time.Second, 0} {
				out := w.compose("carol@example.org", "A position")
				w.Faults.Throttle(wait)
				_, err := l.Send(t.Context(), out)
				is(t, err, provider.ErrThrottled)
				proof(t, err)
				var e *provider.Error
				if errors.As(err, &e) && e.RetryAfter < wait {
					t.Errorf("retry after %s, want at least %s", e.RetryAfter, wait)
				}
				w.accepted(t, out, 0)
			}
		},
		"TokenRefused": func(t *testing.T, w *world) {
			need(t, w.Faults.Answer != nil, "fault Answer")
			l := w.sender(t)
			out := w.compose("carol@example.org", "A position")
			w.Faults.Answer(401)
			_, err := l.Send(t.Context(), out)
			proof(t, err)
			w.accepted(t, out, 0)
			if len(l.tokens.refused) != 1 {
				t.Errorf("the token source was told of %d refusals, want 1", len(l.tokens.refused))
			}
			w.send(t, l, out)
			w.accepted(t, out, 1)
		},
		"NoToken": func(t *testing.T, w *world) {
			l := w.sender(t)
			for _, fault := range []error{
				&provider.Error{Kind: provider.ErrRelink}, &provider.Error{Kind: provider.ErrOutcomeUnknown}, errors.New("the store is down"),
			} {
				out := w.compose("carol@example.org", "A position")
				l.tokens.before = func() error { return fault }
				_, err := l.Send(t.Context(), out)
				proof(t, err)
				if errors.Is(fault, provider.ErrRelink) {
					is(t, err, provider.ErrRelink)
				}
				w.accepted(t, out, 0)
			}
		},
		"NotAfter": func(t *testing.T, w *world) {
			l := w.sender(t)
			for name, at := range map[string]time.Time{"zero": {}, "passed": w.Now().Add(-time.Nanosecond)} {
				out := w.compose("carol@example.org", "A position "+name)
				out.NotAfter = at
				_, err := l.Send(t.Context(), out)
				proof(t, err)
				w.accepted(t, out, 0)
			}
			if w.Requests != nil && w.Requests().Send != 0 {
				t.Errorf("%d send requests left after the deadline", w.Requests().Send)
			}
			out := w.compose("carol@example.org", "A position in time")
			out.NotAfter = w.Now()
			if _, err := l.Send(t.Context(), out); err != nil {
				t.Errorf("at the last instant: %v", err)
			}
		},
		"NotAfterPassesWhileGettingAToken": func(t *testing.T, w *world) {
			l := w.sender(t)
			out := w.compose("carol@example.org", "A position")
			l.tokens.before = func() error {
				w.Advance(2 * time.Minute)
				return nil
			}
			_, err := l.Send(t.Context(), out)
			proof(t, err)
			w.accepted(t, out, 0)
		},
		"SenderNotAllowed": func(t *testing.T, w *world) {
			l := w.sender(t)
			out := w.compose("carol@example.org", "A position")
			out.From = provider.Address{Addr: "boss@example.net"}
			out.Raw = bytes.Replace(out.Raw, []byte("<"+w.Address+">"), []byte("<boss@example.net>"), 1)
			_, err := l.Send(t.Context(), out)
			is(t, err, provider.ErrSenderNotAllowed)
			w.accepted(t, out, 0)
		},
		"FromAlias": func(t *testing.T, w *world) {
			need(t, w.Alias != "" && w.Faults.RewriteAlias != nil, "alias, or fault RewriteAlias")
			l := w.locator(t)
			for _, rewritten := range []bool{false, true} {
				w.Faults.RewriteAlias(rewritten)
				out := w.compose("carol@example.org", "A position")
				out.From.Addr = w.Alias
				out.Raw = bytes.Replace(out.Raw, []byte("<"+w.Address+">"), []byte("<"+w.Alias+">"), 1)
				key := w.keyOf(out, l.profile(t).Cursor)
				_, err := l.Send(t.Context(), out)
				if rewritten && errors.Is(err, provider.ErrSenderNotAllowed) {
					w.accepted(t, out, 0)
					continue // as good: nothing left under another name
				}
				if err != nil {
					t.Fatalf("send: %v", err)
				}
				w.Advance(w.Visible)
				copies, err := l.Locate(t.Context(), key)
				if err != nil || len(copies) == 0 {
					t.Fatalf("locate: %v, %v", copies, err)
				}
				env, err := l.Envelope(t.Context(), copies[0].Ref)
				if err != nil {
					t.Fatalf("envelope: %v", err)
				}
				want := w.Alias
				if rewritten {
					want = w.Address
				}
				if len(env.From) != 1 || provider.Normalize(env.From[0].Addr) != want {
					t.Errorf("the sent copy says that it is from %v, and left from %s", env.From, want)
				}
			}
		},
		"TooLarge": func(t *testing.T, w *world) {
			l := w.sender(t)
			out := w.compose("carol@example.org", "A position")
			limit := w.Provider.Limits().MaxMessageBytes
			if limit > 256<<20 {
				t.Skip("the limit is too large to reach in a test")
			}
			out.Raw = append(out.Raw, bytes.Repeat([]byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n"), int(limit/64)+1)...)
			_, err := l.Send(t.Context(), out)
			is(t, err, provider.ErrTooLarge)
			w.accepted(t, out, 0)
		},
		"TooManyRecipients": func(t *testing.T, w *world) {
			l := w.sender(t)
			out := w.compose("carol@example.org", "A position")
			var to []string
			for i := range w.Provider.Limits().MaxRecipients + 1 {
				addr := fmt.Sprintf("person%d@example.org", i)
				out.Cc = append(out.Cc, provider.Address{Addr: addr})
				to = append(to, addr)
			}
			out.Raw = append([]byte("Cc: "+strings.Join(to, ",\r\n ")+"\r\n"), out.Raw...)
			_, err := l.Send(t.Context(), out)
			proof(t, err)
			w.accepted(t, out, 0)
		},
		"CancelledBefore": func(t *testing.T, w *world) {
			l := w.sender(t)
			out := w.compose("carol@example.org", "A position")
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := l.Send(ctx, out)
			proof(t, err)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v does not wrap the context's error", err)
			}
			w.accepted(t, out, 0)
		},
		"CancelledDuring": func(t *testing.T, w *world) {
			need(t, w.Faults.LoseAnswer != nil, "fault LoseAnswer")
			l := w.sender(t)
			out := w.compose("carol@example.org", "A position")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w.Faults.LoseAnswer(cancel)
			_, err := l.Send(ctx, out)
			is(t, err, provider.ErrOutcomeUnknown)
			w.accepted(t, out, 1)
		},
		"Concurrently": func(t *testing.T, w *world) {
			l := w.sender(t)
			var outs []*provider.Outgoing
			for i := range 8 {
				outs = append(outs, w.compose(fmt.Sprintf("person%d@example.org", i), "A position"))
			}
			var wg sync.WaitGroup
			for _, out := range outs {
				wg.Go(func() {
					if _, err := l.Send(t.Context(), out); err != nil {
						t.Errorf("send: %v", err)
					}
				})
			}
			wg.Wait()
			for _, out := range outs {
				w.accepted(t, out, 1)
			}
		},
	}
	for _, status := range refusals {
		list[fmt.Sprintf("Refused%d", status)] = func(t *testing.T, w *world) {
			need(t, w.Faults.Answer != nil, "fault Answer")
			l := w.sender(t)
			out := w.compose("carol@example.org", "A position")
			w.Faults.Answer(status)
			_, err := l.Send(t.Context(), out)
			proof(t, err)
			w.accepted(t, out, 0)
			w.send(t, l, out)
			w.accepted(t, out, 1)
		}
	}
	for _, status := range failures {
		list[fmt.Sprintf("Failed%d", status)] = func(t *testing.T, w *world) {
			need(t, w.Faults.Answer != nil, "fault Answer")
			l := w.sender(t)
			out := w.compose("carol@example.org", "A position")
			w.Faults.Answer(status)
			_, err := l.Send(t.Context(), out)
			is(t, err, provider.ErrOutcomeUnknown)
			w.accepted(t, out, 0)
			if w.Requests != nil && w.Requests().Send != 1 {
				t.Errorf("%d send requests, want 1", w.Requests().Send)
			}
		}
	}
	return list
}
