package gmail

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"time"

	gmailapi "google.golang.org/api/gmail/v1"

	"github.com/outreachkit/outreach/provider"
)

// PushConfig is what Gmail's pushes go through
// (https://developers.google.com/workspace/gmail/api/guides/push): a topic of
// Cloud Pub/Sub in the project of the OAuth client, on which
// gmail-api-push@system.gserviceaccount.com may publish, and a push
// subscription to it, with authentication, at an address of the host's. All
// fields are required.
type PushConfig struct {
	// Topic is the topic's full name: projects/NAME/topics/NAME.
	Topic string

	// Audience is the subscription's audience: its push endpoint's address,
	// unless it was given another one. ServiceAccount is the address of the
	// service account that it signs with.
	Audience       string
	ServiceAccount string
}

var topicName = regexp.MustCompile(`^projects/[a-z0-9.:-]+/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$`)

func (c *PushConfig) validate() error {
	switch {
	case !topicName.MatchString(c.Topic):
		return badConfig("Push.Topic", "must be a topic's full name, projects/NAME/topics/NAME; a topic's own name has 3 to 255 characters")
	case c.Audience == "":
		return badConfig("Push.Audience", "is empty; it is the push subscription's audience, which is the endpoint's address unless it was set")
	case c.ServiceAccount == "":
		return badConfig("Push.ServiceAccount", "is empty; it is the address of the service account that the push subscription signs with")
	}
	return nil
}

// renewEvery is how often Google recommends to renew a watch, which lives for
// seven days.
const renewEvery = 24 * time.Hour

// watched is a mailbox of a Provider that was set up for pushes.
type watched struct{ *mailbox }

var _ provider.Watcher = watched{}

// Watch implements provider.Watcher. Gmail has one watch for a mailbox and a
// project. It tells of all changes but those of drafts, which are saved while
// somebody types: a filter by label that lets an answer through wherever it is
// filed would have to name every label.
func (m watched) Watch(ctx context.Context, _ provider.WatchParams) (provider.Watch, error) {
	const op = "gmail: watch"
	// A push names the mailbox by its primary address, which its owner may
	// have changed since it was linked.
	prof, err := m.Profile(ctx)
	if err != nil {
		return provider.Watch{}, err
	}
	now := m.p.now()
	resp, err := m.svc.Users.Watch(me, &gmailapi.WatchRequest{
		TopicName: m.p.push.Topic, LabelIds: []string{"DRAFT"}, LabelFilterBehavior: "exclude",
	}).Fields("expiration").Context(ctx).Do()
	if err != nil {
		return provider.Watch{}, m.fault(ctx, op, err)
	}
	w := provider.Watch{
		Route: route(prof.Address), Target: m.target(), Expires: time.UnixMilli(resp.Expiration).UTC(), RenewAt: now.Add(renewEvery), Signed: true,
	}
	if !w.Expires.After(now) {
		return provider.Watch{}, &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "expiration_has_passed"}
	}
	return w, nil
}

// Renew implements provider.Watcher. Gmail renews a watch by watching again.
func (m watched) Renew(ctx context.Context, w provider.Watch) (provider.Watch, error) {
	if w.Target != m.target() {
		return provider.Watch{}, &provider.Error{Kind: provider.ErrNotFound, Op: "gmail: watch", Reason: "other_topic"}
	}
	return m.Watch(ctx, provider.WatchParams{})
}

// Unwatch implements provider.Watcher.
func (m watched) Unwatch(ctx context.Context, _ provider.Watch) error {
	const op = "gmail: stop"
	if m.err != nil {
		return m.err
	}
	return m.fault(ctx, op, m.svc.Users.Stop(me).Context(ctx).Do())
}

func (m watched) target() string {
	sum := sha256.Sum256([]byte("gmail watch\x00" + m.p.push.Topic))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// route is how pushes about a mailbox are told from others.
func route(address string) string { return string(provider.Gmail) + "/" + provider.Normalize(address) }
