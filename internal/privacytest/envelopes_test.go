package privacytest_test

import (
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// TestHeadersAlone: over a link that reads headers alone no content of any
// mail is requested, and of unrelated mail no header, also where the feed's
// position expired and the gap is closed. Who answered in the thread is
// written to no more. Neither is who wrote a new mail, where senders can be
// searched for; a report in the thread holds.
func TestHeadersAlone(t *testing.T) {
	for name, c := range map[string]struct {
		kind provider.Kind
		new  runner.Status // where who wrote a new mail stands
		held int           // the candidates whose report, in the thread, holds: i%10; negative is any, as reports lie outside the thread
		off  bool          // reports outside the thread are not looked for
	}{
		"gmail":                  {provider.Gmail, runner.StatusCompleted, 6, false},
		"msgraph":                {provider.MSGraph, runner.StatusReplied, -1, false},
		"msgraph, and NoReports": {provider.MSGraph, runner.StatusReplied, -2, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOf(t, c.kind, provider.AccessEnvelopes, func(cfg *runner.Config) { cfg.Options.NoReports = c.off })
			const unrelated, candidates = 2000, 20
			if err := w.office.DeliverUnrelated(postoffice.Traffic{To: maria, N: unrelated, First: begin, Every: 10 * day / unrelated}); err != nil {
				t.Fatal(err)
			}
			for i := range candidates {
				w.enroll(i)
				w.lookalikes(i, begin.Add(-time.Duration(i+1)*time.Hour))
			}
			w.pass(t.Context(), 2*day)
			w.box.ExpireChanges()
			w.pass(t.Context(), 12*day)
			for i, id := range w.ids {
				e, err := w.run.Get(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				if inThread := i%10 == 1 || i%10 == 3; inThread && e.Status != runner.StatusReplied {
					t.Errorf("%s answered in the thread: %q after %d steps, %s", e.Recipient.Addr, e.Status, e.StepsSent, e.Reason)
				}
				if i%10 == 2 && e.Status != c.new {
					t.Errorf("%s wrote a new mail: %q after %d steps, %s", e.Recipient.Addr, e.Status, e.StepsSent, e.Reason)
				}
				if held := i%10 == c.held; c.held != -1 && (i%10 == 6 || i%10 == 7) && held != (e.Status == runner.StatusHeld) {
					t.Errorf("%s can't be reached: %q after %d steps, %s", e.Recipient.Addr, e.Status, e.StepsSent, e.Reason)
				}
			}
			books := w.office.Books()
			reports, held := 0, 0
			for _, r := range books.Reads() {
				switch {
				case r.Unrelated && r.System:
					reports += r.Envelopes
				case r.Unrelated && r.Envelopes > 0:
					t.Errorf("%d headers of unrelated mail %d were requested", r.Envelopes, r.Number)
				}
				if r.Contents > 0 && r.Mailbox == maria {
					t.Errorf("%d contents of message %d were requested", r.Contents, r.Number)
				}
			}
			for _, id := range w.ids {
				if e, err := w.run.Get(t.Context(), id); err == nil && e.Status == runner.StatusHeld {
					held++
				}
			}
			// A report whose sender is all that is known of it holds somebody.
			if some := c.kind == provider.MSGraph && !c.off; some != (reports > 0) || some != (held > 0) && c.kind == provider.MSGraph {
				t.Errorf("the headers of %d unrelated reports were requested, and %d drips are held", reports, held)
			}
			if n := w.audit.reasons["envelope report"]; reports > n {
				t.Errorf("of %d headers of unrelated reports the audit counts %d", reports, n)
			}
			if dup := books.Duplicates(); len(dup) > 0 {
				t.Errorf("sent twice: %v", dup)
			}
			if w.audit.contents > 0 || w.audit.nameless > 0 || w.audit.envelopes == 0 {
				t.Errorf("the audit counts %d contents, %d requests without a reason and %d envelopes", w.audit.contents, w.audit.nameless, w.audit.envelopes)
			}
			w.onPage()
			t.Logf("%v", w.audit.reasons)
		})
	}
}
