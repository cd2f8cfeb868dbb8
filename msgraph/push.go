package msgraph

import (
	"encoding/json"
	"html"
	"net/http"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

const (
	// maxPush bounds what is read of a push, in bytes: it may hold the
	// notifications of a thousand subscriptions.
	maxPush = 1 << 20

	// maxEcho bounds a validation token. Graph's have some hundred characters.
	maxEcho = 4 << 10
)

// ReceivePush implements provider.PushReceiver for change notifications and
// for lifecycle notifications.
//
// Graph signs neither. Whether Notice.Secret is the one that its watch was
// made with, whoever keeps the watch has to check, in constant time. It
// travels in clear and is no signature, so nothing that a notification says is
// believed: it leads to a read of the mailbox, or to a question about the
// watch.
//
// One request may carry notifications of several subscriptions, and tenants.
func (p *Provider) ReceivePush(r *http.Request) (provider.Push, error) {
	const op = "msgraph: receive push"
	fail := func(kind provider.ErrorKind, reason string) (provider.Push, error) {
		return provider.Push{}, &provider.Error{Kind: kind, Op: op, Reason: reason}
	}
	if p.push == nil {
		return fail(provider.ErrApp, "push_not_configured")
	}
	if q := r.URL.Query(); q.Has("validationToken") {
		// The answer is due within ten seconds, as plain text. It is whatever
		// the caller wants to hear, so no browser may take it for a page
		// (https://learn.microsoft.com/graph/change-notifications-delivery-webhooks#notificationurl-validation).
		token := q.Get("validationToken")
		if token == "" || len(token) > maxEcho {
			return fail(provider.ErrRejected, "validation_token_malformed")
		}
		return provider.Push{Echo: html.EscapeString(token)}, nil
	}
	body, err := courier.PushBody(op, r, maxPush)
	if err != nil {
		return provider.Push{}, err
	}
	var told struct {
		Value []struct {
			Subscription string `json:"subscriptionId"`
			ClientState  string `json:"clientState"`
			Lifecycle    string `json:"lifecycleEvent"`
		} `json:"value"`
	}
	if json.Unmarshal(body, &told) != nil || told.Value == nil {
		return fail(provider.ErrRejected, "body_malformed")
	}
	var push provider.Push
	seen := make(map[provider.Notice]bool)
	for _, v := range told.Value {
		kind := kindOfNotice(v.Lifecycle)
		if kind == "" || !validSubscription(v.Subscription) || len(v.ClientState) > provider.MaxWatchSecret {
			push.Ignored++
			continue
		}
		if n := (provider.Notice{Kind: kind, Route: route(v.Subscription), Secret: v.ClientState}); !seen[n] {
			seen[n] = true
			push.Notices = append(push.Notices, n)
		}
	}
	return push, nil
}

// kindOfNotice knows the lifecycle events
// (https://learn.microsoft.com/graph/change-notifications-lifecycle-events).
func kindOfNotice(event string) provider.NoticeKind {
	switch event {
	case "":
		return provider.NoticeChanged
	case "missed":
		return provider.NoticeMissed
	case "reauthorizationRequired":
		return provider.NoticeRenew
	case "subscriptionRemoved":
		return provider.NoticeRemoved
	}
	return ""
}
