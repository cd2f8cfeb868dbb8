package linking_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store"
)

// down is a flow that asks for sending now, and for reading some day.
func down() linking.BeginParams {
	p := begin("maria")
	p.Access, p.Asked = provider.AccessSend, provider.AccessReplies
	return p
}

// TestStepDownAndUp: an organisation refuses reading, the user agrees to send
// only, and once reading is allowed the same link reads.
func TestStepDownAndUp(t *testing.T) {
	w := newWorld(t)
	q := w.visit(begin("maria"), marias, provider.AccessReplies)
	q.Del("code")
	q.Set("error", "access_denied")
	_, err := w.complete("maria", q)
	wantIs(t, err, linking.ErrDenied)
	done, err := w.complete("maria", w.visit(down(), marias, provider.AccessSend))
	if err != nil || done.Link.Status != store.LinkLimited || !done.Limited() || done.Asked != provider.AccessReplies {
		t.Fatalf("stepped down to %+v, %v", done, err)
	}
	id := done.Link.ID
	s := w.status(id)
	if s.Status != store.LinkLimited || !s.Works || !s.Relink || s.Asked != provider.AccessReplies || s.Can.ThreadReplies || s.Diagnosis.Reason != provider.ReasonLimited {
		t.Errorf("limited: %+v", s)
	}
	wantFindings(t, w.check(id), "grant good, access warn, mailbox good, push none, read none, sent none, ")

	// Linking it again without a word asks for what the user agreed to.
	again := begin("maria")
	again.Relink, again.Provider = id, ""
	begun, err := w.linker.Begin(t.Context(), again)
	if err != nil {
		t.Fatal(err)
	}
	page, err := url.Parse(begun.URL)
	if err != nil || page.Query().Get("scope") != string(provider.AccessSend) || page.Query().Get("login_hint") != marias {
		t.Errorf("asked %v, %v", page.Query(), err)
	}

	up := begin("maria")
	up.Relink, up.Access = id, provider.AccessReplies
	done, err = w.complete("maria", w.visit(up, marias, provider.AccessReplies))
	if err != nil || done.Link.ID != id || done.Link.Status != store.LinkLinked || done.Link.Access != provider.AccessReplies {
		t.Fatalf("stepped up to %+v, %v", done, err)
	}
	if s := w.status(id); s.Status != store.LinkLinked || !s.Can.Content || s.Diagnosis.Reason != "" {
		t.Errorf("linked: %+v", s)
	}
	w.wantStory(id, "limited linked")
	if c := w.history(id)[0]; c.Diagnosis.Reason != provider.ReasonLimited || c.Access != provider.AccessSend {
		t.Errorf("the first change is %+v", c)
	}
}

// TestLinkedAgainWithLess is a step down of a link that read.
func TestLinkedAgainWithLess(t *testing.T) {
	w := newWorld(t)
	id := w.link("maria", marias).ID
	w.relinkWith(id, provider.AccessSend)
	w.relinkWith(id, provider.AccessReplies)
	w.wantStory(id, "linked limited linked")
	p := begin("maria") // the host changes its mind for good
	p.Relink, p.Access, p.Asked = id, provider.AccessSend, provider.AccessSend
	if _, err := w.complete("maria", w.visit(p, marias, provider.AccessSend)); err != nil {
		t.Fatal(err)
	}
	w.wantStory(id, "linked limited linked linked")
	if s := w.status(id); s.Asked != provider.AccessSend || s.Link.Access != provider.AccessSend {
		t.Errorf("it is %+v", s)
	}
}

func (w *world) relinkWith(id string, granted provider.Access) {
	w.t.Helper()
	p := begin("maria")
	p.Relink = id
	if _, err := w.complete("maria", w.visit(p, marias, granted)); err != nil {
		w.t.Fatal(err)
	}
}

// TestProbed: a step up that does not read leaves the link what it had, which
// goes on working.
func TestProbed(t *testing.T) {
	for name, c := range map[string]struct {
		op        postoffice.Op
		kind      provider.ErrorKind
		startOver bool
	}{
		"no profile":               {postoffice.OpProfile, provider.ErrMailboxUnusable, false},
		"a search that is refused": {postoffice.OpSearch, provider.ErrAccess, true},
		"a bad moment":             {postoffice.OpSearch, provider.ErrTemporary, false},
		"no token":                 {postoffice.OpExchange, provider.ErrAccess, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			done, err := w.complete("maria", w.visit(down(), marias, provider.AccessSend))
			if err != nil {
				t.Fatal(err)
			}
			before, err := w.mem.Tokens().Get(t.Context(), done.Link.ID)
			if err != nil {
				t.Fatal(err)
			}
			up := begin("maria")
			up.Relink, up.Access = done.Link.ID, provider.AccessReplies
			q := w.visit(up, marias, provider.AccessReplies)
			w.prov.Inject(postoffice.Rule{Op: c.op, Fault: postoffice.FaultRefuse, Kind: c.kind, Reason: "probed"})
			_, err = w.complete("maria", q)
			var se *linking.StepUpError
			if !errors.As(err, &se) || se.Has != provider.AccessSend || se.Want != provider.AccessReplies || se.Link != done.Link.ID || se.StartOver != c.startOver {
				t.Fatalf("the error is %v", err)
			}
			wantIs(t, err, c.kind)
			if c.startOver != strings.Contains(err.Error(), "StartOver") {
				t.Errorf("the error says %v", err)
			}
			after, err := w.mem.Tokens().Get(t.Context(), done.Link.ID)
			if err != nil || string(after.Token) != string(before.Token) || after.Status != store.LinkLimited || after.Access != string(provider.AccessSend) {
				t.Errorf("the link became %v, %v", after, err)
			}
			if err := w.profile(w.linker, done.Link.ID); err != nil {
				t.Errorf("it does not work any more: %v", err)
			}
			w.wantStory(done.Link.ID, "limited")
		})
	}
}

// TestProbeReadsNobodysMail: the probe asks for no mail that is there.
func TestProbeReadsNobodysMail(t *testing.T) {
	w := newWorld(t)
	done, err := w.complete("maria", w.visit(down(), marias, provider.AccessSend))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.office.DeliverUnrelated(postoffice.Traffic{To: marias, N: 20}); err != nil {
		t.Fatal(err)
	}
	up := begin("maria")
	up.Relink, up.Access = done.Link.ID, provider.AccessReplies
	if _, err := w.complete("maria", w.visit(up, marias, provider.AccessReplies)); err != nil {
		t.Fatal(err)
	}
	if reads := w.office.Books().Reads(); len(reads) != 0 {
		t.Errorf("the books have %+v", reads)
	}
}

// TestStartOver ends the grant first, and counts as nobody's fault.
func TestStartOver(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true))
	done, err := w.complete("maria", w.visit(down(), marias, provider.AccessSend))
	if err != nil {
		t.Fatal(err)
	}
	id := done.Link.ID
	p := begin("maria")
	p.StartOver = true
	_, err = w.linker.Begin(t.Context(), p)
	wantIs(t, err, provider.ErrInvalid)
	p.Relink, p.Access = id, provider.AccessReplies
	c.revoke = func() error { return &provider.Error{Kind: provider.ErrTemporary, Op: "revoke"} }
	_, err = w.linker.Begin(t.Context(), p)
	wantIs(t, err, provider.ErrTemporary)
	if s := w.status(id); s.Status != store.LinkLimited {
		t.Errorf("what was not revoked is %s", s.Status)
	}
	c.revoke = nil
	for range 5 { // more often than may break
		q := w.visit(p, marias, provider.AccessReplies)
		if s := w.status(id); s.Status != store.LinkNeedsRelink || s.Diagnosis.Reason != provider.ReasonStartedOver || len(s.Breaks) != 0 {
			t.Fatalf("begun anew: %+v", s)
		}
		if done, err = w.complete("maria", q); err != nil || done.Link.ID != id || done.Link.Status != store.LinkLinked {
			t.Fatalf("linked %+v, %v", done, err)
		}
	}
	if n := c.revokes.Load(); n != 6 {
		t.Errorf("%d revocations", n)
	}
}

// TestLessAfterRefresh: a service that allows less than it did limits the
// link, and says so.
func TestLessAfterRefresh(t *testing.T) {
	c := &counting{}
	w := newWorld(t, counted(c, true))
	n := &narrowing{Provider: w.cfg.Providers[0]}
	w.cfg.Providers = []provider.Provider{n}
	w.linker = w.newLinker()
	id := w.link("maria", marias).ID
	n.to = provider.AccessSend
	for range 3 {
		w.clock.Advance(2 * time.Hour)
		if err := w.profile(w.linker, id); err != nil {
			t.Fatal(err)
		}
	}
	if s := w.status(id); s.Status != store.LinkLimited || s.Link.Access != provider.AccessSend || s.Diagnosis.Reason != provider.ReasonScopesLost || !s.Works {
		t.Errorf("it is %+v", s)
	}
	w.wantStory(id, "linked limited")
	n.to = ""
	w.relinkWith(id, provider.AccessReplies)
	w.wantStory(id, "linked limited linked")
}
