package outreach_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/linking/linkhttp"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// TestSecretsDontPrint: whatever a host prints or logs of what it hands over,
// the secrets in it stay out of sight.
func TestSecretsDontPrint(t *testing.T) {
	const canary = "canary"
	for _, v := range []any{
		gmail.Config{ClientSecret: canary},
		msgraph.Config{ClientSecret: canary},
		runner.Config{Key: []byte(canary)},
		linking.BeginParams{Session: canary},
		linking.BeginAdminParams{Session: canary},
		provider.AdminRequest{State: canary},
		linkhttp.User{Owner: "maria", Session: canary},
		linking.CompleteParams{Query: url.Values{"code": {canary}}, Session: canary},
		provider.AuthRequest{State: canary, Nonce: canary},
		provider.Callback{Code: canary, Verifier: canary},
		provider.Grant{Token: &oauth2.Token{AccessToken: canary, RefreshToken: canary}},
		store.Link{Token: []byte(canary)},
		provider.WatchParams{Secret: canary},
		provider.Notice{Kind: provider.NoticeChanged, Secret: canary},
		provider.Push{Notices: []provider.Notice{{Kind: provider.NoticeChanged, Secret: canary}}},
	} {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("told", "value", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("told", "value", v)
		for _, s := range []string{fmt.Sprint(v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), log.String()} {
			if strings.Contains(s, canary) || strings.Contains(s, fmt.Sprint([]byte(canary))) || strings.Contains(s, "0x63, 0x61, 0x6e") {
				t.Errorf("%T prints as %s", v, s)
			}
		}
	}
}
