package linking_test

import (
	"strings"
	"testing"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// TestRequestsAreTold: every request to a mailbox that the service's books
// know of was told, with its link and why.
func TestRequestsAreTold(t *testing.T) {
	var told []linking.Request
	w := newWorld(t, func(w *world) { w.cfg.OnRequest = func(r linking.Request) { told = append(told, r) } })
	done, err := w.complete("maria", w.visit(down(), marias, provider.AccessSend))
	if err != nil {
		t.Fatal(err)
	}
	id := done.Link.ID
	w.check(id)
	w.prov.Inject(postoffice.Rule{Op: postoffice.OpProfile, Fault: postoffice.FaultTemporary})
	w.check(id)
	up := begin("maria")
	up.Relink, up.Access = id, provider.AccessReplies
	if _, err := w.complete("maria", w.visit(up, marias, provider.AccessReplies)); err != nil {
		t.Fatal(err)
	}
	var got []string
	failed := 0
	for _, r := range told {
		got = append(got, r.Op+" "+r.Reason)
		if r.Link != id || !r.At.Equal(w.clock.Now()) {
			t.Errorf("told %+v", r)
		}
		if r.Err != nil {
			failed++
		}
		if want := map[bool]int{true: 1}[r.Op == "profile" && r.Err == nil]; r.Count != want {
			t.Errorf("a %s that ended with %v counts %d, not %d", r.Op, r.Err, r.Count, want)
		}
	}
	if s := strings.Join(got, ", "); s != "profile check, profile check, profile step_up, search step_up" || failed != 1 {
		t.Errorf("told %s, of which %d failed", s, failed)
	}
	n := 0
	for _, k := range w.office.Mailbox(marias).Requests() {
		n += k
	}
	if n != len(told) {
		t.Errorf("the books know of %d requests, %d were told", n, len(told))
	}
}
