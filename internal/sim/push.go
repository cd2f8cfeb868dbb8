package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/internal/inprocess"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
)

const (
	pushURL     = "https://ats.example.com/pushes"
	pushTopic   = "projects/ats/topics/gmail"
	pushAccount = "pusher@ats.iam.gserviceaccount.com"
)

func (s *service) pubsub() *gmail.PushConfig {
	if !s.plan.Push {
		return nil
	}
	return &gmail.PushConfig{Topic: pushTopic, Audience: pushURL, ServiceAccount: pushAccount}
}

func (s *service) webhook() *msgraph.PushConfig {
	if !s.plan.Push {
		return nil
	}
	return &msgraph.PushConfig{URL: pushURL}
}

// subscribe has a service push to h.
func (s *service) subscribe(h http.Handler) error {
	switch {
	case !s.plan.Push:
		return nil
	case s.google != nil:
		return s.google.Subscribe(gmailtest.PushSubscription{Topic: pushTopic, Endpoint: pushURL, ServiceAccount: pushAccount, Handler: h})
	}
	s.entra.SetWebhook(h)
	return nil
}

// receiver takes the pushes of one sender's service: any process may. One that
// dies of it is born again.
func (w *world) receiver(sender int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := w.hosts[w.plan.rnd.IntN(len(w.hosts))]
		if h == nil || h.life.dead || h.pushes[sender] == nil {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		was := w.pushing
		w.pushing = true
		h.pushes[sender].ServeHTTP(rw, r)
		w.pushing = was
		if h.life.dead && !h.busy {
			w.note("a process died of a push")
			if err := w.birth(h.number()); err != nil {
				w.wrong = append(w.wrong, "birth: "+err.Error())
			}
		}
	})
}

// pushAccidents are what happens to pushes, and to watches.
func (w *world) pushAccidents(ctx context.Context, s *service) {
	p := w.plan
	if !s.plan.Push {
		return
	}
	switch {
	case p.chance(0.15):
		kinds := []string{"drop push", "drop push", "repeat push", "delay push", "miss push"}
		kind, delay := kinds[p.rnd.IntN(len(kinds))], p.upTo(8*time.Hour)
		if s.google != nil && kind != "miss push" {
			s.google.Inject(gmailtest.Rule{Op: "push", Fault: gmailtest.Fault(kind), Delay: delay})
		} else if s.google == nil {
			s.entra.Inject(msgraphtest.Rule{Op: "push", Fault: msgraphtest.Fault(kind), Delay: delay})
		}
	case p.chance(0.01):
		told := p.chance(0.5)
		w.note("%s: the watch is gone, told %t", s.plan.Address, told)
		if s.google != nil {
			s.google.EndWatch(s.plan.Address)
		} else {
			s.entra.RemoveSubscriptions(s.plan.Address, told)
		}
	case s.entra != nil && p.chance(0.01):
		w.note("%s: the watch wants to be authorized again", s.plan.Address)
		s.entra.RequireReauthorization(s.plan.Address)
	case p.chance(0.03):
		if err := w.forge(ctx, s); err != nil {
			w.wrong = append(w.wrong, "a push could not be forged: "+err.Error())
		}
	}
}

// forge makes a push that everybody could make, and sees that it does nothing.
func (w *world) forge(ctx context.Context, s *service) error {
	var req *http.Request
	var err error
	if s.google != nil {
		if req, err = s.google.PushRequest(s.plan.Address); err != nil {
			return err
		}
		now := w.clock.Now()
		token, err := s.google.SignPush(map[string]any{ // of another customer of Google's
			"iss": s.google.URL(), "aud": pushURL, "sub": "1", "email": "pusher@mallory.iam.gserviceaccount.com", "email_verified": true,
			"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		})
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	} else {
		id := "00000000-0000-4000-8000-000000000001"
		if subs := s.entra.Subscriptions(s.plan.Address); len(subs) > 0 {
			id = subs[0].ID
		}
		body, err := json.Marshal(map[string]any{"value": []map[string]any{
			{"subscriptionId": id, "clientState": "a guess", "changeType": "created", "resource": "me/messages/1"},
			{"subscriptionId": id, "clientState": "a guess", "lifecycleEvent": "subscriptionRemoved"},
		}})
		if err != nil {
			return err
		}
		if req, err = http.NewRequestWithContext(ctx, http.MethodPost, pushURL, bytes.NewReader(body)); err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
	}
	before := w.marked
	for i, other := range w.services {
		if other != s {
			continue
		}
		resp, err := inprocess.Transport(w.receiver(i)).RoundTrip(req)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
	}
	if w.marked != before {
		w.wrong = append(w.wrong, s.plan.Address+": a forged push marked a mailbox")
	}
	return nil
}

// checkWatch: at the end the service pushes, to one watch, where anybody is
// tracked.
func (w *world) checkWatch(i int, say func(string, ...any)) {
	s := w.services[i]
	tracked := false
	for n, c := range w.plan.Candidates {
		tracked = tracked || c.Sender == i && len(w.candidate(n).sent()) > 0
	}
	if !tracked || !s.plan.Push || s.plan.Access == provider.AccessSend {
		return
	}
	alive := 0
	if s.google != nil {
		if s.google.WatchedUntil(s.plan.Address).After(w.clock.Now()) {
			alive = 1
		}
	} else {
		for _, sub := range s.entra.Subscriptions(s.plan.Address) {
			if !sub.Paused {
				alive++
			}
		}
	}
	if w.mutant.Watches != nil {
		alive = w.mutant.Watches(alive)
	}
	if alive != 1 {
		say("%s has %d watches at the end", s.plan.Address, alive)
	}
}
