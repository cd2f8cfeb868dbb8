package linking_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store/seal"
)

const eves = "eve@evil.example.org"

// attack is one of RFC 9700's, or one that this library's own doors invite. It
// is made twice: against the Linker as it is, where it must come to nothing,
// and against one whose defence was taken away, where it must succeed. Else
// the test would prove nothing.
type attack struct {
	name    string
	weaken  func(w *world) // takes the defence away
	succeed func(w *world) (bool, error)
}

func attacks() []attack {
	return []attack{
		{
			// The attacker lures the victim to the callback of a flow of
			// theirs: the victim would send from the attacker's mailbox.
			name: "login CSRF/the attacker's mailbox for the victim", weaken: as("maria"),
			succeed: func(w *world) (bool, error) {
				q := w.visit(begin("eve"), eves, provider.AccessReplies)
				_, err := w.complete("maria", q)
				return w.linked(), err
			},
		},
		{
			// The attacker sends the victim to a consent page of their own
			// flow: the attacker would read the victim's mailbox.
			name: "login CSRF/the victim's mailbox for the attacker",
			weaken: weakened(func(w *world, flow map[string]any) {
				as("maria")(w)
				w.cfg.Flows.(*weakFlows).change(flow)
				flow["owner"] = "maria" // whoever comes
			}),
			succeed: func(w *world) (bool, error) {
				q := w.visit(begin("eve"), marias, provider.AccessReplies)
				_, err := w.complete("maria", q)
				return w.linked(), err
			},
		},
		{
			name: "login CSRF/the right user in another browser", weaken: as("maria"),
			succeed: func(w *world) (bool, error) {
				p := begin("maria")
				p.Session = "a session that the attacker planted"
				_, err := w.complete("maria", w.visit(p, eves, provider.AccessReplies))
				return w.linked(), err
			},
		},
		{
			name:   "code replay/the same callback twice",
			weaken: func(w *world) { w.cfg.Flows = &weakFlows{FlowStore: w.cfg.Flows, w: w, again: true} },
			succeed: func(w *world) (bool, error) {
				c := w.count()
				q := w.visit(begin("maria"), marias, provider.AccessReplies)
				_, _ = w.complete("maria", q)
				_, err := w.complete("maria", q)
				return c.exchanges > 1, err
			},
		},
		{
			// A state that survived a failure would let codes be tried.
			name:   "code replay/guessing codes under one state",
			weaken: func(w *world) { w.cfg.Flows = &weakFlows{FlowStore: w.cfg.Flows, w: w, again: true} },
			succeed: func(w *world) (bool, error) {
				c := w.count()
				q := w.visit(begin("maria"), marias, provider.AccessReplies)
				for range 3 {
					q.Set("code", "guessed")
					_, _ = w.complete("maria", q)
				}
				_, err := w.complete("maria", q)
				return c.exchanges > 1, err
			},
		},
		{
			// The attacker stole the victim's code and puts it into a flow of
			// their own. PKCE and nonce tie a code to its flow: without them
			// every flow has the same.
			name: "code injection",
			weaken: weakened(func(_ *world, flow map[string]any) {
				flow["verifier"], flow["nonce"] = victimsVerifier, victimsNonce
			}),
			succeed: func(w *world) (bool, error) {
				stolen, err := w.prov.Authorize(provider.AuthRequest{
					Access: provider.AccessReplies, RedirectURL: redirectURL, State: "victims", Nonce: victimsNonce, Challenge: s256(victimsVerifier),
				})
				if err != nil {
					return false, err
				}
				back, err := w.prov.Visit(stolen, marias, provider.AccessReplies)
				if err != nil {
					return false, err
				}
				u, err := url.Parse(back)
				if err != nil {
					return false, err
				}
				q := w.visit(begin("eve"), eves, provider.AccessReplies)
				q.Set("code", u.Query().Get("code"))
				_, err = w.complete("eve", q)
				return w.linked(), err
			},
		},
		{
			// The service that the state names is asked, whatever the callback
			// says, and takes no other's code (RFC 9207).
			name:   "issuer mix-up",
			weaken: func(w *world) { w.cfg.Providers[0] = &credulous{Provider: w.cfg.Providers[0]} },
			succeed: func(w *world) (bool, error) {
				q := w.visit(begin("maria"), marias, provider.AccessReplies)
				q.Set("iss", "https://evil.example.org")
				_, err := w.complete("maria", q)
				return w.linked(), err
			},
		},
		{
			// Where the browser goes afterwards is in the sealed flow. A
			// callback can't say it, nor can a database that was tampered with.
			name:   "open redirect",
			weaken: weakened(func(_ *world, flow map[string]any) { flow["return_to"] = "https://evil.example.org/" }),
			succeed: func(w *world) (bool, error) {
				q := w.visit(begin("maria"), marias, provider.AccessReplies)
				for _, name := range []string{"next", "return_to", "ReturnTo", "redirect_uri", "redirect"} {
					q.Set(name, "https://evil.example.org/")
				}
				done, err := w.complete("maria", q)
				return strings.Contains(done.ReturnTo, "evil"), err
			},
		},
		{
			name: "forged admin-consent callback/another user's state", weaken: as("eve"),
			succeed: func(w *world) (bool, error) {
				q := w.adminAnswer("maria")
				_, err := w.linker.CompleteAdminConsent(w.t.Context(), linking.CompleteParams{Query: q, Owner: "eve", Session: "session of eve"})
				return err == nil, err
			},
		},
		{
			name:   "forged admin-consent callback/a state of linking",
			weaken: weakened(func(_ *world, flow map[string]any) { flow["admin"] = true }),
			succeed: func(w *world) (bool, error) {
				q := w.visit(begin("maria"), marias, provider.AccessReplies)
				q.Set("admin_consent", "True")
				q.Set("tenant", "evil")
				_, err := w.linker.CompleteAdminConsent(w.t.Context(), linking.CompleteParams{Query: q, Owner: "maria", Session: "session of maria"})
				return err == nil, err
			},
		},
		{
			name: "forged admin-consent callback/its state links a mailbox",
			weaken: weakened(func(w *world, flow map[string]any) {
				flow["admin"], flow["verifier"], flow["nonce"], flow["redirect"] = false, victimsVerifier, victimsNonce, redirectURL
			}),
			succeed: func(w *world) (bool, error) {
				page, err := w.prov.Authorize(provider.AuthRequest{
					Access: provider.AccessReplies, RedirectURL: redirectURL, State: w.adminAnswer("maria").Get("state"), Nonce: victimsNonce, Challenge: s256(victimsVerifier),
				})
				if err != nil {
					return false, err
				}
				back, err := w.prov.Visit(page, eves, provider.AccessReplies)
				if err != nil {
					return false, err
				}
				u, err := url.Parse(back)
				if err != nil {
					return false, err
				}
				_, err = w.complete("maria", u.Query())
				return w.linked(), err
			},
		},
	}
}

func TestAttacks(t *testing.T) {
	arena := func(t *testing.T, change func(*world)) *world {
		t.Helper()
		return newWorld(t, func(w *world) {
			w.addMailbox(eves)
			w.cfg.Providers[0] = approving{w.cfg.Providers[0]}
			if change != nil {
				change(w)
			}
		})
	}
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			w := arena(t, nil)
			if done, err := a.succeed(w); done {
				t.Errorf("it succeeds: %v", err)
			}
			weak := arena(t, a.weaken)
			if done, err := a.succeed(weak); !done {
				t.Errorf("without the defence it comes to nothing either, so this test proves nothing: %v", err)
			}
		})
	}
}

// TestAttackOnStoredFlows: flows are sealed with their own key as associated
// data, so whoever writes to the database can neither make nor change one.
func TestAttackOnStoredFlows(t *testing.T) {
	w := newWorld(t, func(w *world) {
		ring, err := seal.NewKeyRing(seal.KeyRingParams{Keys: []seal.Key{{ID: 1, Secret: []byte("0123456789abcdefghijklmnopqrstuv")}}})
		if err != nil {
			w.t.Fatal(err)
		}
		w.cfg.Sealer, w.cfg.InsecurePlainTokens = ring, false
	})
	flows := w.mem.Flows()
	mine, theirs := w.visit(begin("eve"), marias, provider.AccessReplies), w.visit(begin("maria"), marias, provider.AccessReplies)
	moved, err := flows.Take(t.Context(), flowKey(mine.Get("state")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := flows.Take(t.Context(), flowKey(theirs.Get("state"))); err != nil {
		t.Fatal(err)
	}
	moved.Key = flowKey(theirs.Get("state"))
	if err := flows.Put(t.Context(), moved); err != nil {
		t.Fatal(err)
	}
	_, err = w.complete("eve", theirs)
	wantIs(t, err, linking.ErrState)
	if w.linked() {
		t.Error("a flow that was moved to another state opens")
	}
}
