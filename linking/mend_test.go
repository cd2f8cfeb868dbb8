package linking_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store"
)

// picky refuses to make a page for some tenants.
type picky struct{ provider.Provider }

func (p picky) Authorize(req provider.AuthRequest) (string, error) {
	if req.Tenant == "../x" {
		return "", &provider.FieldError{Op: "authorize", Field: "Tenant", Problem: "is none"}
	}
	page, err := p.Provider.Authorize(req)
	if err == nil && req.Tenant != "" {
		page += "&tenant=" + url.QueryEscape(req.Tenant)
	}
	return page, err
}

// TestNoFlowNoStartingOver: a grant that works is not ended for a flow that
// can't begin.
func TestNoFlowNoStartingOver(t *testing.T) {
	w := newWorld(t)
	w.cfg.Providers = []provider.Provider{picky{w.prov}}
	w.linker = w.newLinker()
	id := w.link("maria", marias).ID
	p := begin("maria")
	p.Relink, p.StartOver, p.Tenant = id, true, "../x"
	_, err := w.linker.Begin(t.Context(), p)
	wantIs(t, err, provider.ErrInvalid)
	w.wantStory(id, "linked")
	w.clock.Advance(2 * time.Hour)
	if err := w.profile(w.linker, id); err != nil {
		t.Errorf("the mailbox is lost: %v", err)
	}
}

// TestRelinkKeepsTheTenant: an account can be known to several tenants, as
// another one to each.
func TestRelinkKeepsTheTenant(t *testing.T) {
	w := newWorld(t)
	w.cfg.Providers = []provider.Provider{picky{w.prov}}
	w.linker = w.newLinker()
	p := begin("maria")
	p.Tenant = "firm.example.net"
	done, err := w.complete("maria", w.visit(p, marias, provider.AccessReplies))
	if err != nil {
		t.Fatal(err)
	}
	p = begin("maria")
	p.Relink = done.Link.ID
	begun, err := w.linker.Begin(t.Context(), p)
	if err != nil || !strings.Contains(begun.URL, "tenant=firm.example.net") {
		t.Errorf("%s, %v", begun.URL, err)
	}
}

// TestLinkingWhatOneUnlinks: whose own unlinking is not finished is not told
// that somebody else has the mailbox.
func TestLinkingWhatOneUnlinks(t *testing.T) {
	c := &counting{revoke: func() error { return &provider.Error{Kind: provider.ErrTemporary, Op: "revoke"} }}
	w := newWorld(t, counted(c, true))
	id := w.link("maria", marias).ID
	q := w.visit(begin("maria"), marias, provider.AccessReplies)
	unlink := linking.UnlinkParams{Owner: "maria", Link: id}
	wantIs(t, w.linker.Unlink(t.Context(), unlink), provider.ErrTemporary)
	_, err := w.complete("maria", q)
	if !errors.Is(err, linking.ErrUnlinking) || errors.Is(err, linking.ErrOwned) {
		t.Errorf("the error is %v", err)
	}
	if d := w.linker.Diagnose("postoffice", err); d.Mender != provider.MendUser || strings.Contains(d.Remedy, "Another user") {
		t.Errorf("told is %+v", d)
	}
	_, err = w.complete("tom", w.visit(begin("tom"), marias, provider.AccessReplies))
	wantIs(t, err, linking.ErrOwned)
	if d := w.linker.Diagnose("postoffice", err); strings.Contains(err.Error()+d.Remedy, "maria") {
		t.Errorf("the other owner is named: %v, %+v", err, d)
	}
	c.revoke = nil
	if err := w.linker.Unlink(t.Context(), unlink); err != nil {
		t.Fatal(err)
	}
	if l := w.link("maria", marias); l.ID == id {
		t.Error("an unlinked link came back")
	}
}

// TestWrongMailboxTellsApart: the two masked addresses are never the same,
// unless the addresses are.
func TestWrongMailboxTellsApart(t *testing.T) {
	w := newWorld(t)
	const other = "marta@agency.example.com"
	if _, err := w.office.AddMailbox(postoffice.MailboxConfig{Address: other}); err != nil {
		t.Fatal(err)
	}
	p := begin("maria")
	p.Relink = w.link("maria", marias).ID
	_, err := w.complete("maria", w.visit(p, other, provider.AccessReplies))
	var box *linking.MailboxError
	if !errors.As(err, &box) || box.Want != "mari***@agency.example.com" || box.Got != "mart***@agency.example.com" {
		t.Fatalf("%v", err)
	}
	if d := w.linker.Diagnose("postoffice", err); d.Params[provider.ParamWant] != box.Want || d.Params[provider.ParamGot] != box.Got {
		t.Errorf("%+v", d)
	}
	same := w.linker.Diagnose("postoffice", &linking.MailboxError{Want: box.Want, Got: box.Want})
	if strings.Contains(same.Remedy, "choose "+box.Want) {
		t.Errorf("%s", same.Remedy)
	}
}

// TestHeldByAPermission: a mailbox that wants more than was granted shows that
// linking again may mend it; one that is full does not.
func TestHeldByAPermission(t *testing.T) {
	for kind, want := range map[provider.ErrorKind]bool{provider.ErrAccess: true, provider.ErrMailboxUnusable: false} {
		w := newWorld(t)
		id := w.link("maria", marias).ID
		if err := w.linker.Report(t.Context(), id, provider.Health{Err: &provider.Error{Kind: kind, Reason: "why"}}); err != nil {
			t.Fatal(err)
		}
		if s := w.status(id); s.Status != store.LinkHeld || s.Relink != want {
			t.Errorf("%s: %s, relink %v", kind, s.Status, s.Relink)
		}
	}
}

// TestAlarmHealedByAnotherMailbox: what the API refused the app ends with work
// on any of its mailboxes, in any process.
func TestAlarmHealedByAnotherMailbox(t *testing.T) {
	w := newWorld(t)
	first, second := w.link("maria", marias).ID, w.link("tom", toms).ID
	other := w.newLinker()
	report := func(l *linking.Linker, id string, err error) {
		t.Helper()
		if err := l.Report(t.Context(), id, provider.Health{Err: err}); err != nil {
			t.Fatal(err)
		}
	}
	report(other, second, nil)
	report(w.linker, first, &provider.Error{Kind: provider.ErrApp, Op: "list", Reason: "accessNotConfigured"})
	if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: first}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Hour)
	report(other, second, nil)
	if regs, err := other.Registrations(t.Context()); err != nil || regs[0].Alarm {
		t.Errorf("%+v, %v", regs, err)
	}
}

// TestReturnToOfOtherSites: no spelling of another site is a way back.
func TestReturnToOfOtherSites(t *testing.T) {
	w := newWorld(t)
	for to, want := range map[string]bool{
		"": true, "/": true, "/settings?tab=mail#top": true, "/settings?next=//x": true, "/%2fevil.example": true,
		"/\\evil.example": false, "//evil.example": false, "/\t/evil.example": false, "/\n/evil.example": false, "\\/evil.example": false,
		"https:evil.example": false, "https://evil.example": false, "javascript:alert(1)": false, "/..//evil.example": false,
		"/.//evil.example": false, "/ /evil.example": false, "evil.example": false, "/\x00": false,
	} {
		p := begin("maria")
		p.ReturnTo = to
		if _, err := w.linker.Begin(t.Context(), p); (err == nil) != want {
			t.Errorf("%q: %v", to, err)
		}
	}
}

// TestDiagnoseContext: who gave up is not told of trouble that nobody has.
func TestDiagnoseContext(t *testing.T) {
	w := newWorld(t)
	for _, err := range []error{context.Canceled, fmt.Errorf("linking: link x: %w", context.DeadlineExceeded)} {
		if d := w.linker.Diagnose("postoffice", err); d.Reason != provider.ReasonTemporary || d.Mender != provider.MendNobody || !strings.Contains(d.Remedy, "cancelled") {
			t.Errorf("%v: %+v", err, d)
		}
	}
	if d := w.linker.Diagnose("postoffice", nil); d.Reason != "" || d.Remedy != "" {
		t.Errorf("%+v", d)
	}
}
