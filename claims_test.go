package outreach_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

const proof = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`

// TestClaimsChallengeOfGraph: a rule of the organisation wants a sign-in that
// proves more. No new token mends it; the link says so, and linking again
// hands on what has to be proven, or the user would link in a circle.
func TestClaimsChallengeOfGraph(t *testing.T) {
	w := newLinked(t)
	l := w.link("msgraph")
	id := w.enroll(l.ID, "first@example.org")
	w.pass(10*time.Minute, time.Minute)
	w.microsoft.RequireClaims(microsoftUser, proof)
	w.pass(20*time.Minute, time.Minute)
	report, err := w.linker.Check(t.Context(), l.ID)
	if err != nil {
		t.Fatal(err)
	}
	s := report.Status
	if s.Status != store.LinkHeld || !s.Relink || s.Diagnosis.Reason != provider.ReasonConditionalAccess || s.Diagnosis.Mender != provider.MendUser {
		t.Fatalf("%s, relink %v, %+v", s.Status, s.Relink, s.Diagnosis)
	}
	if f := report.Finding(linking.CheckMailbox); f.State != linking.FindingBad || strings.Contains(f.Diagnosis.Remedy, "acrs") {
		t.Errorf("%+v", f)
	}
	claims := ""
	if _, err := w.answered(linking.BeginParams{Relink: l.ID}, func(page *url.URL) { claims = page.Query().Get("claims") }); err != nil {
		t.Fatal(err)
	}
	if claims != proof {
		t.Errorf("the claims were %q", claims)
	}
	if s := w.status(l.ID); s.Status != store.LinkLinked || s.Relink {
		t.Errorf("linked again: %s", s.Status)
	}
	w.pass(5*24*time.Hour, time.Hour)
	if n := len(w.office.Books().SentFrom(microsoftUser)); n != 2 {
		t.Errorf("%d mails of %s left", n, w.of(id).Status)
	}
	w.microsoft.RequireClaims(microsoftUser, "")
	claims = "none"
	if _, err := w.answered(linking.BeginParams{Relink: l.ID}, func(page *url.URL) { claims = page.Query().Get("claims") }); err != nil || claims != "" {
		t.Errorf("once more with the claims %q, %v", claims, err)
	}
	if w.told() != "linked held linked" {
		t.Errorf("told was %q", w.told())
	}
}

// TestClaimsChallengeAtRefresh: the token endpoint names what the next sign-in
// has to prove.
func TestClaimsChallengeAtRefresh(t *testing.T) {
	w := newLinked(t)
	l := w.link("msgraph")
	w.microsoft.Withdraw(microsoftUser, 50076)
	w.clock.Advance(2 * time.Hour)
	err := w.use(l, false)
	var pe *provider.Error
	if !errors.As(err, &pe) || pe.Kind != provider.ErrRelink || strings.Contains(err.Error(), "capolids") {
		t.Fatal(err)
	}
	claims := ""
	if _, err := w.answered(linking.BeginParams{Relink: l.ID}, func(page *url.URL) { claims = page.Query().Get("claims") }); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(claims, "capolids") {
		t.Errorf("the claims were %q", claims)
	}
}

// TestOneChallengeIsNoFault: a token that was ended early is replaced, and the
// link goes on.
func TestOneChallengeIsNoFault(t *testing.T) {
	w := newLinked(t)
	l := w.link("msgraph")
	w.microsoft.ChallengeAccessTokens(microsoftUser)
	if err := w.use(l, false); err != nil {
		t.Error(err)
	}
	if s := w.status(l.ID); s.Status != store.LinkLinked || w.told() != "linked" {
		t.Errorf("%s, told %q", s.Status, w.told())
	}
}

// TestClaimsChallengeAtLinking: who links at first, or mends, is told, and the
// next sign-in proves what is asked for.
func TestClaimsChallengeAtLinking(t *testing.T) {
	w := newLinked(t)
	w.microsoft.RequireClaims(microsoftUser, proof)
	first := linking.BeginParams{Provider: "msgraph"}
	_, err := w.answered(first, nil)
	var pe *provider.Error
	if !errors.As(err, &pe) || pe.Claims != proof || w.linker.Diagnose("msgraph", err).Reason != provider.ReasonConditionalAccess {
		t.Fatalf("%v", err)
	}
	first.Claims = pe.Claims
	done, err := w.answered(first, nil)
	if err != nil {
		t.Fatal(err)
	}
	again := linking.BeginParams{Relink: done.Link.ID}
	if _, err := w.answered(again, nil); !errors.As(err, &pe) || pe.Claims != proof {
		t.Fatalf("%v", err)
	}
	if s := w.status(done.Link.ID); s.Status != store.LinkLinked {
		t.Errorf("what works is %s", s.Status)
	}
	if _, err := w.answered(again, nil); err != nil {
		t.Errorf("told what to prove: %v", err)
	}
}
