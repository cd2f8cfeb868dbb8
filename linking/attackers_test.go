package linking_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store"
)

// weakFlows is a FlowStore that changes flows as they are taken, so that the
// Linker's checks find what they want to find.
type weakFlows struct {
	store.FlowStore
	w      *world
	change func(flow map[string]any)
	again  bool // a flow can be taken twice
}

func (f *weakFlows) Take(ctx context.Context, key string) (store.Flow, error) {
	flow, err := f.FlowStore.Take(ctx, key)
	if err != nil {
		return flow, err
	}
	if f.again {
		if err := f.Put(ctx, flow); err != nil {
			return flow, err
		}
	}
	if f.change != nil {
		v := make(map[string]any)
		if err := json.Unmarshal(flow.Data, &v); err != nil {
			return flow, err
		}
		f.change(v)
		if flow.Data, err = json.Marshal(v); err != nil {
			return flow, err
		}
	}
	return flow, nil
}

func weakened(change func(w *world, flow map[string]any)) func(*world) {
	return func(w *world) {
		w.cfg.Flows = &weakFlows{FlowStore: w.cfg.Flows, w: w, change: func(flow map[string]any) { change(w, flow) }}
	}
}

// as gives a flow the owner and the session of another user's.
func as(user string) func(*world) {
	return weakened(func(w *world, flow map[string]any) {
		other := newWorld(w.t)
		q := other.visit(begin(user), marias, provider.AccessReplies)
		stored, err := other.mem.Flows().Take(w.t.Context(), flowKey(q.Get("state")))
		if err != nil {
			w.t.Fatal(err)
		}
		var theirs map[string]any
		if err := json.Unmarshal(stored.Data, &theirs); err != nil {
			w.t.Fatal(err)
		}
		flow["owner"], flow["session"] = theirs["owner"], theirs["session"]
	})
}

// exchanged counts the codes that leave for the mail service.
type exchanged struct {
	provider.Provider
	exchanges int
}

func (c *exchanged) Exchange(ctx context.Context, cb provider.Callback) (provider.Grant, error) {
	c.exchanges++
	return c.Provider.Exchange(ctx, cb)
}

func (w *world) count() *exchanged {
	c := &exchanged{Provider: w.cfg.Providers[0]}
	w.cfg.Providers[0] = c
	w.linker = w.newLinker()
	return c
}

// linked reports whether anybody has a link.
func (w *world) linked() bool {
	w.t.Helper()
	for _, owner := range []string{"maria", "eve"} {
		links, err := w.linker.List(w.t.Context(), owner)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(links) > 0 {
			return true
		}
	}
	return false
}

// flowKey is the key under which a flow is stored.
func flowKey(state string) string {
	sum := sha256.Sum256([]byte("outreach state\x00" + state))
	return hex.EncodeToString(sum[:])
}

func s256(verifier string) string { return oauth2.S256ChallengeFromVerifier(verifier) }

func (w *world) addMailbox(addr string) {
	w.t.Helper()
	if _, err := w.office.AddMailbox(postoffice.MailboxConfig{Address: addr}); err != nil {
		w.t.Fatal(err)
	}
}

const (
	victimsVerifier = "a-verifier-of-at-least-forty-three-characters-x"
	victimsNonce    = "nonce-of-the-victim"
)

// credulous is a service that does not look at the issuer.
type credulous struct{ provider.Provider }

func (c *credulous) Exchange(ctx context.Context, cb provider.Callback) (provider.Grant, error) {
	cb.Issuer = ""
	return c.Provider.Exchange(ctx, cb)
}

// approving is a service with a page for administrators.
type approving struct{ provider.Provider }

func (approving) AdviseAdmin(provider.AdminRequest) (provider.AdminAdvice, error) {
	return provider.AdminAdvice{Service: "Post", ClientID: "id", URL: "https://post.example/admin", Permissions: []provider.Permission{{Name: "mail.send", Why: "To send."}}, Steps: []string{"Open it."}}, nil
}

func (approving) AuthorizeAdmin(r provider.AdminRequest) (string, error) {
	return "https://post.example/admin?" + url.Values{"state": {r.State}}.Encode(), nil
}

func (approving) ReadAdminAnswer(_ provider.AdminRequest, q url.Values) (string, error) {
	if q.Get("error") != "" {
		return "", &provider.Error{Kind: provider.ErrAccess, Op: "post: admin", Reason: string(provider.ReasonAdminDeclined)}
	}
	return q.Get("tenant"), nil
}

// adminAnswer begins an administrator's approval and returns the callback.
func (w *world) adminAnswer(owner string) url.Values {
	w.t.Helper()
	p := begin(owner)
	begun, err := w.linker.BeginAdminConsent(w.t.Context(), linking.BeginAdminParams{
		Owner: owner, Session: p.Session, Provider: p.Provider, RedirectURL: redirectURL + "/admin", ReturnTo: "/settings",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(begun.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	return url.Values{"state": {u.Query().Get("state")}, "admin_consent": {"True"}, "tenant": {"evil"}}
}
