package linking_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
)

// TestAdminConsent is the honest way: an approval is reported and gives
// nobody anything.
func TestAdminConsent(t *testing.T) {
	w := newWorld(t, func(w *world) { w.cfg.Providers[0] = approving{w.cfg.Providers[0]} })
	complete := func(q url.Values) (linking.AdminConsented, error) {
		return w.linker.CompleteAdminConsent(t.Context(), linking.CompleteParams{Query: q, Owner: "maria", Session: "session of maria"})
	}
	done, err := complete(w.adminAnswer("maria"))
	if err != nil || done.ClaimedTenant != "evil" || done.ReturnTo != "/settings" || done.Access != provider.AccessReplies || w.linked() {
		t.Errorf("%+v, %v", done, err)
	}
	q := w.adminAnswer("maria")
	q.Set("error", "access_denied") // beside admin_consent=True
	_, err = complete(q)
	wantIs(t, err, linking.ErrDenied)
	if d := w.linker.Diagnose("postoffice", err); d.Reason != provider.ReasonAdminDeclined {
		t.Errorf("diagnosed %+v", d)
	}
	_, err = complete(q)
	wantIs(t, err, linking.ErrState)
	q = w.adminAnswer("maria")
	w.clock.Advance(11 * time.Minute)
	_, err = complete(q)
	wantIs(t, err, linking.ErrState)
	msg, err := w.linker.AdviseAdmin(linking.AdviseAdminParams{Provider: "postoffice", App: "Hire"})
	if err != nil || !strings.Contains(msg.Subject, "Hire") || !strings.Contains(msg.Text, "mail.send\n  To send.") || !strings.Contains(msg.Text, "1. Open it.") || !strings.Contains(msg.Text, msg.Advice.URL) {
		t.Errorf("%+v, %v", msg, err)
	}
	for field, p := range map[string]linking.AdviseAdminParams{
		"Provider": {App: "Hire"}, "App": {Provider: "postoffice", App: "a\nb"}, "RedirectURL": {Provider: "postoffice", App: "Hire", RedirectURL: "ftp://x"},
	} {
		if _, err := w.linker.AdviseAdmin(p); !errors.Is(err, provider.ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
	plain := newWorld(t)
	if _, err := plain.linker.AdviseAdmin(linking.AdviseAdminParams{Provider: "postoffice", App: "Hire"}); !errors.Is(err, provider.ErrAccess) {
		t.Errorf("without advice: %v", err)
	}
}
