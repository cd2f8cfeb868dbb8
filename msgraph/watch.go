package msgraph

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// PushConfig is where Graph's change notifications go
// (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks).
type PushConfig struct {
	// URL is the host's address that hands what comes to ReceivePush: https,
	// and reachable from outside. Required. Graph asks it whether anybody is
	// there while a watch is being set up.
	URL string

	// LifecycleURL is where Graph tells of the watches themselves. Empty is
	// URL: ReceivePush takes both.
	LifecycleURL string

	// Life is how long a watch is asked for. What Graph answers counts. Zero
	// is 70 hours: every copy of the documentation allows 4,230 minutes, and
	// the newest is said to allow a week
	// (https://learn.microsoft.com/graph/api/resources/subscription).
	Life time.Duration
}

const (
	defaultLife = 70 * time.Hour
	leastLife   = 45 * time.Minute // Graph makes it of whatever is less
)

func (c *PushConfig) validate() error {
	for _, f := range []struct{ field, address string }{{"URL", c.URL}, {"LifecycleURL", c.LifecycleURL}} {
		if f.address == "" && f.field == "LifecycleURL" {
			continue
		}
		u, err := url.Parse(f.address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Fragment != "" {
			return badConfig("Push."+f.field, "must be an absolute https URL of the host's, where Graph can reach it")
		}
	}
	if c.Life != 0 && c.Life < leastLife {
		return badConfig("Push.Life", "must be at least 45 minutes, or zero")
	}
	return nil
}

// filled is a copy with what is left out.
func (c PushConfig) filled() *PushConfig {
	if c.LifecycleURL == "" {
		c.LifecycleURL = c.URL
	}
	if c.Life == 0 {
		c.Life = defaultLife
	}
	return &c
}

// watched is a mailbox of a Provider that was set up for pushes.
type watched struct{ *mailbox }

var _ provider.Watcher = watched{}

// subscription is what Graph tells of one.
type subscription struct {
	ID      string `json:"id"`
	Expires string `json:"expirationDateTime"`
}

// Watch implements provider.Watcher with a subscription to new messages in
// every folder: a rule may file an answer into any. It has no resource data,
// so a notification says nothing of the message.
func (m watched) Watch(ctx context.Context, p provider.WatchParams) (provider.Watch, error) {
	const op = "msgraph: watch"
	if !validSecret(p.Secret) {
		return provider.Watch{}, courier.Invalid(op, "Secret", "must be 16 to 128 characters of printable ASCII")
	}
	return m.subscribe(ctx, op, abstractions.POST, "{+baseurl}/subscriptions", map[string]string{
		"changeType": "created", "resource": "me/messages",
		"notificationUrl": m.p.push.URL, "lifecycleNotificationUrl": m.p.push.LifecycleURL,
		"clientState": p.Secret, "expirationDateTime": m.end(),
	})
}

// Renew implements provider.Watcher. A later end is also what a subscription
// waits for that has to be authorized again
// (https://learn.microsoft.com/graph/change-notifications-lifecycle-events).
func (m watched) Renew(ctx context.Context, w provider.Watch) (provider.Watch, error) {
	const op = "msgraph: renew watch"
	if w.Target != m.target() {
		return provider.Watch{}, &provider.Error{Kind: provider.ErrNotFound, Op: op, Reason: "other_url"}
	}
	if !validSubscription(w.ID) {
		return provider.Watch{}, &provider.Error{Kind: provider.ErrNotFound, Op: op, Reason: "not_a_subscription_id"}
	}
	return m.subscribe(ctx, op, abstractions.PATCH, "{+baseurl}/subscriptions/"+w.ID, map[string]string{"expirationDateTime": m.end()})
}

// Unwatch implements provider.Watcher.
func (m watched) Unwatch(ctx context.Context, w provider.Watch) error {
	const op = "msgraph: end watch"
	if !validSubscription(w.ID) {
		return nil
	}
	_, err := m.do(ctx, op, func(context.Context) (*abstractions.RequestInformation, error) {
		return abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(abstractions.DELETE, "{+baseurl}/subscriptions/"+w.ID, map[string]string{}), nil
	})
	if err = noSubscription(err); errors.Is(err, provider.ErrNotFound) {
		return nil
	}
	return err
}

// subscribe makes a request whose answer is a subscription. The SDK's own
// builders would send a model of it, and with it a package more.
func (m watched) subscribe(ctx context.Context, op string, method abstractions.HttpMethod, template string, body map[string]string) (provider.Watch, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return provider.Watch{}, &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: "request_not_built", Err: err}
	}
	var sub subscription
	err = m.object(ctx, op, func(context.Context) (*abstractions.RequestInformation, error) {
		info := abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(method, template, map[string]string{})
		info.SetStreamContentAndContentType(data, "application/json")
		info.Headers.Add("Accept", "application/json")
		return info, nil
	}, &sub)
	if err != nil {
		return provider.Watch{}, noSubscription(err)
	}
	w := provider.Watch{ID: sub.ID, Route: route(sub.ID), Target: m.target(), Expires: instant(sub.Expires)}
	if !validSubscription(sub.ID) || !w.Expires.After(m.p.now()) {
		return provider.Watch{}, &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "subscription_not_understood"}
	}
	return w, nil
}

// noSubscription knows that of what is asked here only the subscription can
// be missing.
func noSubscription(err error) error {
	var pe *provider.Error
	if errors.As(err, &pe) && pe.Kind == provider.ErrMailboxUnusable && strings.EqualFold(pe.Reason, "ResourceNotFound") {
		out := *pe
		out.Kind = provider.ErrNotFound
		return &out
	}
	return err
}

func (m watched) end() string {
	return m.p.now().Add(m.p.push.Life).UTC().Format("2006-01-02T15:04:05.0000000Z")
}

func (m watched) target() string {
	sum := sha256.Sum256([]byte("msgraph watch\x00" + m.p.push.URL + "\x00" + m.p.push.LifecycleURL))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// route is how pushes of a subscription are told from others.
func route(id string) string { return string(provider.MSGraph) + "/" + strings.ToLower(id) }

// validSubscription reports whether an id can be a subscription's, which are
// GUIDs: others are not put into a request's path.
func validSubscription(id string) bool {
	return len(id) >= 8 && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-')
	})
}

func validSecret(s string) bool {
	return len(s) >= 16 && len(s) <= provider.MaxWatchSecret && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
