package msgraphtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/internal/inprocess"
	"github.com/outreachkit/outreach/provider/postoffice"
)

const (
	opSubscription = "subscription"

	// leastLife is what a shorter life is raised to. The other two are the
	// longest lives that are documented
	// (https://learn.microsoft.com/graph/api/resources/subscription).
	leastLife = 45 * time.Minute
	mostLife  = 4230 * time.Minute
	weekLife  = 10080 * time.Minute

	// mostSubscriptions is how many a mailbox may have, of all apps together.
	mostSubscriptions = 1000

	// mostClientState is how long a clientState may be, in characters.
	mostClientState = 128
)

// subscription is one to the new messages of a mailbox.
type subscription struct {
	id          string
	box         *postoffice.Mailbox
	who         person
	resource    string
	changes     string
	url         string
	lifecycle   string
	clientState string
	ends        time.Time
	immutable   bool // made with Prefer: IdType="ImmutableId"
	paused      bool // waits to be authorized again
}

func opOfSubscription(segs []string) string {
	switch {
	case len(segs) == 2:
		return "subscriptions"
	case len(segs) == 3:
		return "subscription"
	case len(segs) == 4 && segs[3] == "reauthorize":
		return "subscription.reauthorize"
	}
	return "other"
}

// subscriptions serves /subscriptions and what is below it
// (https://learn.microsoft.com/graph/api/resources/subscription). rest is the
// path below it.
func (c *call) subscriptions(rest []string) *failure {
	if !c.reads() {
		return denied()
	}
	switch c.op + " " + c.r.Method {
	case "subscriptions POST":
		return c.subscribe()
	case "subscriptions GET":
		return c.listSubscriptions()
	}
	c.s.mu.Lock()
	sub := c.s.push.subs[rest[0]]
	if sub != nil && (sub.box != c.box || !sub.ends.After(c.s.clock.Now())) {
		sub = nil
	}
	c.s.mu.Unlock()
	if sub == nil {
		return fail(http.StatusNotFound, "ResourceNotFound", "The object was not found.")
	}
	switch c.op + " " + c.r.Method {
	case "subscription GET":
	case "subscription PATCH":
		if f := c.renew(sub); f != nil {
			return f
		}
	case "subscription DELETE":
		c.s.mu.Lock()
		delete(c.s.push.subs, sub.id)
		c.s.mu.Unlock()
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	case "subscription.reauthorize POST":
		c.s.mu.Lock()
		sub.paused = false
		c.s.mu.Unlock()
		c.w.WriteHeader(http.StatusOK)
		return nil
	default:
		return fail(http.StatusMethodNotAllowed, "BadRequest", "Specified HTTP method is not allowed for the request target.")
	}
	c.ok("subscriptions/$entity", c.viewSubscription(sub))
	return nil
}

func (c *call) viewSubscription(sub *subscription) map[string]any {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return map[string]any{
		"id": sub.id, "applicationId": c.s.cfg.ClientID, "changeType": sub.changes, "clientState": nil, "creatorId": sub.who.object,
		"notificationUrl": sub.url, "lifecycleNotificationUrl": orNull(sub.lifecycle), "resource": sub.resource,
		"expirationDateTime": graphTime(sub.ends), "includeResourceData": nil, "latestSupportedTlsVersion": "v1_2",
		"notificationQueryOptions": nil, "encryptionCertificate": nil, "encryptionCertificateId": nil, "notificationUrlAppId": nil,
	}
}

func graphTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// asked is the body of a request to make or to change a subscription.
type asked struct {
	ChangeType   string `json:"changeType"`
	Resource     string `json:"resource"`
	URL          string `json:"notificationUrl"`
	LifecycleURL string `json:"lifecycleNotificationUrl"`
	Expires      string `json:"expirationDateTime"`
	ClientState  string `json:"clientState"`
}

func (c *call) asked() (asked, time.Time, *failure) {
	var in asked
	body, err := io.ReadAll(c.r.Body)
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err != nil || dec.Decode(&in) != nil {
		return in, time.Time{}, invalid("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	ends, err := time.Parse(time.RFC3339, in.Expires)
	if err != nil {
		return in, time.Time{}, invalid("The value of expirationDateTime is not valid.")
	}
	now, most := c.s.clock.Now(), mostLife
	if c.s.cfg.Beliefs.WeekOfPushes {
		most = weekLife
	}
	switch {
	case !ends.After(now):
		return in, time.Time{}, invalid("Subscription expiration must be in the future.")
	case ends.Sub(now) > most && !c.s.cfg.Beliefs.ShortensPushes:
		return in, time.Time{}, invalid(fmt.Sprintf("Subscription expiration can only be %d minutes in the future.", int(most/time.Minute)))
	case ends.Sub(now) > most:
		ends = now.Add(most)
	case ends.Sub(now) < leastLife:
		ends = now.Add(leastLife)
	}
	return in, ends.UTC(), nil
}

func invalid(message string) *failure {
	return fail(http.StatusBadRequest, "InvalidRequest", message)
}

func (c *call) subscribe() *failure {
	in, ends, f := c.asked()
	if f != nil {
		return f
	}
	resource := strings.Trim(in.Resource, "/")
	switch {
	case !slices.Contains([]string{"me/messages", "users/" + c.grant.person.object + "/messages"}, strings.ToLower(resource)):
		return invalid("Resource '" + in.Resource + "' is not one that this fake knows: me/messages")
	case in.ChangeType != "created":
		return invalid("The changeType is not one that this fake knows: created")
	case len(in.ClientState) > mostClientState:
		return invalid("ClientState is longer than 128 characters.")
	}
	for _, address := range []string{in.URL, in.LifecycleURL} {
		if address == "" && address == in.LifecycleURL && in.URL != "" {
			continue
		}
		if u, err := url.Parse(address); err != nil || u.Host == "" {
			return invalid("The notification URL is not valid.")
		}
		if !c.s.validates(address) {
			return fail(http.StatusBadRequest, "InvalidRequest", "Subscription validation request failed. Response must exactly match validationToken query parameter.")
		}
	}
	s := c.s
	s.mu.Lock()
	n := 0
	for _, sub := range s.push.subs {
		if sub.box == c.box && sub.ends.After(s.clock.Now()) {
			n++
		}
	}
	if n >= mostSubscriptions {
		s.mu.Unlock()
		return fail(http.StatusForbidden, "ExtensionError", "Operation: Create; Exception: [Subscription limit reached]")
	}
	s.push.serial++
	sub := &subscription{
		id: guid(fmt.Sprint("subscription ", s.push.serial)), box: c.box, who: c.grant.person, resource: in.Resource, changes: in.ChangeType,
		url: in.URL, lifecycle: in.LifecycleURL, clientState: in.ClientState, ends: ends, immutable: c.prefers.immutable,
	}
	s.push.subs[sub.id] = sub
	hook := !s.push.hooked[c.box]
	s.push.hooked[c.box] = true
	s.mu.Unlock()
	if hook {
		s.hook(c.box)
	}
	v := c.viewSubscription(sub)
	v["clientState"] = sub.clientState
	v["@odata.context"] = s.GraphURL() + "/v1.0/$metadata#subscriptions/$entity"
	writeJSON(c.w, http.StatusCreated, v)
	return nil
}

// renew puts off the end. Graph takes that for an authorization, too.
func (c *call) renew(sub *subscription) *failure {
	in, ends, f := c.asked()
	if f != nil {
		return f
	}
	if in.URL != "" || in.LifecycleURL != "" || in.ClientState != "" || in.Resource != "" || in.ChangeType != "" {
		return invalid("Only expirationDateTime can be changed here.")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	sub.ends, sub.paused = ends, false
	return nil
}

func (c *call) listSubscriptions() *failure {
	c.s.mu.Lock()
	var ids []string
	for id, sub := range c.s.push.subs {
		if sub.box == c.box && sub.ends.After(c.s.clock.Now()) {
			ids = append(ids, id)
		}
	}
	c.s.mu.Unlock()
	slices.Sort(ids)
	value := []map[string]any{}
	for _, id := range ids {
		c.s.mu.Lock()
		sub := c.s.push.subs[id]
		c.s.mu.Unlock()
		value = append(value, c.viewSubscription(sub))
	}
	c.ok("subscriptions", map[string]any{"value": value})
	return nil
}

// validates asks an address whether somebody is there
// (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks#notificationurl-validation).
func (s *Server) validates(address string) bool {
	token := "Validation: Testing client application reachability for subscription Request-Id: " + guid("validation "+address)
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	q := u.Query()
	q.Set("validationToken", token)
	u.RawQuery = q.Encode()
	resp, body := s.post(u.String(), "text/plain; charset=utf-8", nil)
	return resp != nil && resp.StatusCode == http.StatusOK && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") && string(body) == token
}

// post makes one request to a host. Without an answer within ten seconds there
// is none.
func (s *Server) post(address, contentType string, body []byte) (*http.Response, []byte) {
	s.mu.Lock()
	webhook := s.push.webhook
	s.mu.Unlock()
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if webhook != nil {
		client.Transport = inprocess.Transport(webhook)
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, nil
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return nil, nil
	}
	return resp, answer
}
