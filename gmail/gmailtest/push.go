package gmailtest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/outreachkit/outreach/internal/inprocess"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// PushSubscription is a push subscription to a topic of Cloud Pub/Sub, with
// authentication. Topic, Endpoint and ServiceAccount are required.
type PushSubscription struct {
	Topic          string // projects/NAME/topics/NAME
	Endpoint       string // where it pushes to
	Audience       string // empty is Endpoint
	ServiceAccount string // whose address it signs in the name of

	// Handler answers in place of Endpoint, without a socket.
	Handler http.Handler
}

// Pushed is one try to deliver a push.
type Pushed struct {
	At        time.Time
	Mailbox   string // its primary address
	MessageID string // Pub/Sub's
	Status    int    // of the answer; zero if there was none
}

// pushes is what the server keeps of them, guarded by Server.mu.
type pushes struct {
	subs    []PushSubscription
	watches map[*postoffice.Mailbox]*watch
	hooked  map[*postoffice.Mailbox]bool
	told    []Pushed
	serial  int
}

// watch is what users.watch set up.
type watch struct {
	topic   string
	labels  []string
	exclude bool
	ends    time.Time
	last    time.Time // when it last published
}

const (
	opPush = "push"

	// watchLife is how long a watch lives
	// (https://developers.google.com/workspace/gmail/api/guides/push).
	watchLife = 7 * 24 * time.Hour

	// retention is how long Pub/Sub keeps a message that nobody acknowledged.
	retention = 7 * 24 * time.Hour
)

// Subscribe makes a topic, if there is none of that name, and a push
// subscription to it.
func (s *Server) Subscribe(sub PushSubscription) error {
	if sub.Topic == "" || sub.Endpoint == "" || sub.ServiceAccount == "" {
		return fmt.Errorf("gmailtest: a PushSubscription needs a Topic, an Endpoint and a ServiceAccount")
	}
	if sub.Audience == "" {
		sub.Audience = sub.Endpoint
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.push.subs = append(s.push.subs, sub)
	return nil
}

// Pushes returns every try to deliver a push so far.
func (s *Server) Pushes() []Pushed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.push.told)
}

// WatchedUntil tells when the watch on a mailbox ends; zero if there is none.
func (s *Server) WatchedUntil(addr string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.push.watches[s.office.Mailbox(addr)]; w != nil {
		return w.ends
	}
	return time.Time{}
}

// EndWatch has Gmail forget the watch on a mailbox. It tells nobody.
func (s *Server) EndWatch(addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.push.watches, s.office.Mailbox(addr))
}

// watch is users.watch. A project has one watch on a mailbox.
func (c *call) watch() {
	c.box.Count(postoffice.RequestOther)
	var in struct {
		Topic    string   `json:"topicName"`
		Labels   []string `json:"labelIds"`
		Behavior string   `json:"labelFilterBehavior"`
		Action   string   `json:"labelFilterAction"`
	}
	body, err := io.ReadAll(c.r.Body)
	if err != nil || json.Unmarshal(body, &in) != nil {
		c.fail(http.StatusBadRequest, "badRequest", "INVALID_ARGUMENT", "Bad Request")
		return
	}
	s, now := c.s, c.s.clock.Now()
	s.mu.Lock()
	old := s.push.watches[c.box]
	known := slices.ContainsFunc(s.push.subs, func(sub PushSubscription) bool { return sub.Topic == in.Topic })
	other := old != nil && old.ends.After(now) && old.topic != in.Topic
	if known && !other {
		s.push.watches[c.box] = &watch{topic: in.Topic, labels: in.Labels, exclude: in.Behavior == "exclude", ends: now.Add(watchLife)}
	}
	hook := known && !s.push.hooked[c.box]
	if hook {
		s.push.hooked[c.box] = true
	}
	s.mu.Unlock()
	switch {
	case !known:
		c.fail(http.StatusNotFound, "notFound", "NOT_FOUND", "Error sending test message to Cloud PubSub "+in.Topic+" : Resource not found (resource="+in.Topic+").")
		return
	case other:
		c.fail(http.StatusBadRequest, "failedPrecondition", "FAILED_PRECONDITION",
			"Only one user push notification client allowed per developer (call /stop then try again)")
		return
	}
	if hook {
		box := c.box
		box.OnChange(func(ch postoffice.Change) { s.clock.At(s.clock.Now(), func() { s.publish(box, ch) }) })
	}
	c.ok(map[string]any{"historyId": historyID(c.box.LastChange()), "expiration": strconv.FormatInt(now.Add(watchLife).UnixMilli(), 10)})
}

// stop is users.stop. Without a watch there is nothing to do.
func (c *call) stop() {
	c.box.Count(postoffice.RequestOther)
	c.s.mu.Lock()
	delete(c.s.push.watches, c.box)
	c.s.mu.Unlock()
	c.w.WriteHeader(http.StatusNoContent)
}

// publish has Gmail tell of a change: at most once a second for a mailbox,
// and what comes in between is never told.
func (s *Server) publish(box *postoffice.Mailbox, ch postoffice.Change) {
	now := s.clock.Now()
	labels := labelIDs(ch.Labels)
	s.mu.Lock()
	w := s.push.watches[box]
	tells := w != nil && w.ends.After(now) && (w.last.IsZero() || now.Sub(w.last) >= time.Second)
	if tells && len(w.labels) > 0 {
		hit := slices.ContainsFunc(w.labels, func(l string) bool { return slices.Contains(labels, l) })
		tells = hit != w.exclude
	}
	if !tells {
		s.mu.Unlock()
		return
	}
	w.last = now
	s.push.serial++
	msg := &pubsub{box: box, id: strconv.Itoa(2_070_443_601_311_540 + s.push.serial), at: now, data: s.notification(box.Address(), ch.ID)}
	var subs []PushSubscription
	for _, sub := range s.push.subs {
		if sub.Topic == w.topic {
			subs = append(subs, sub)
		}
	}
	s.mu.Unlock()
	times := 1
	if rule := s.strike(opPush, nil); rule != nil {
		if rule.Call != nil {
			rule.Call()
		}
		switch rule.Fault {
		case DropPush:
			return
		case RepeatPush:
			times = 2
		case DelayPush:
			s.clock.At(now.Add(rule.Delay), func() { s.deliverAll(subs, msg, 1) })
			return
		}
	}
	s.deliverAll(subs, msg, times)
}

// pubsub is one message of Pub/Sub.
type pubsub struct {
	box  *postoffice.Mailbox
	id   string
	at   time.Time
	data string
}

func (s *Server) notification(addr string, change int64) string {
	var id any = historyBase + change
	if s.cfg.Beliefs.PushesText {
		id = historyID(change)
	}
	data, err := json.Marshal(map[string]any{"emailAddress": addr, "historyId": id})
	if err != nil {
		panic(err) // a text and a number
	}
	if s.cfg.Beliefs.PushesURLSafe {
		return base64.URLEncoding.EncodeToString(data)
	}
	return base64.StdEncoding.EncodeToString(data)
}

func (s *Server) deliverAll(subs []PushSubscription, msg *pubsub, times int) {
	for _, sub := range subs {
		for range times {
			s.deliver(sub, msg, 0)
		}
	}
}

// deliver pushes a message, again and again until it is acknowledged.
func (s *Server) deliver(sub PushSubscription, msg *pubsub, tries int) {
	status := s.tryPush(sub, msg)
	now := s.clock.Now()
	s.mu.Lock()
	s.push.told = append(s.push.told, Pushed{At: now, Mailbox: msg.box.Address(), MessageID: msg.id, Status: status})
	s.mu.Unlock()
	switch status {
	case http.StatusProcessing, http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		return
	}
	wait := min(10*time.Second<<min(tries, 6), 10*time.Minute)
	if now.Add(wait).Before(msg.at.Add(retention)) {
		s.clock.At(now.Add(wait), func() { s.deliver(sub, msg, tries+1) })
	}
}

// tryPush makes one request and returns the status of its answer.
func (s *Server) tryPush(sub PushSubscription, msg *pubsub) int {
	req, err := s.pushRequest(sub, msg)
	if err != nil {
		return 0
	}
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if sub.Handler != nil {
		client.Transport = inprocess.Transport(sub.Handler)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func (s *Server) pushRequest(sub PushSubscription, msg *pubsub) (*http.Request, error) {
	now := s.clock.Now()
	token, err := s.SignPush(map[string]any{
		"iss": s.URL(), "aud": sub.Audience, "azp": "113774264463038321964", "sub": "113774264463038321964", "email": sub.ServiceAccount, "email_verified": true,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	if err != nil {
		return nil, err
	}
	at := msg.at.Format(time.RFC3339Nano)
	body, err := json.Marshal(map[string]any{
		"message":      map[string]any{"data": msg.data, "messageId": msg.id, "message_id": msg.id, "publishTime": at, "publish_time": at},
		"subscription": "projects/fake/subscriptions/gmail-push",
	})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, sub.Endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	return req, nil
}

// PushRequest makes a push about a mailbox as it comes to the first
// subscription, for tests that forge one, or push one again.
func (s *Server) PushRequest(addr string) (*http.Request, error) {
	s.mu.Lock()
	if len(s.push.subs) == 0 {
		s.mu.Unlock()
		return nil, fmt.Errorf("gmailtest: there is no PushSubscription")
	}
	sub := s.push.subs[0]
	s.mu.Unlock()
	return s.pushRequest(sub, &pubsub{id: "1", at: s.clock.Now(), data: s.notification(addr, 1)})
}

// SignPush signs claims with Google's key, for tests that forge pushes.
func (s *Server) SignPush(claims map[string]any) (string, error) {
	key, err := s.keys.current()
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}
