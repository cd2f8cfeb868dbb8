package runner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// apart has delivery reports come outside the thread of the mail.
func (w *world) apart() {
	b := w.box.Beliefs()
	b.ReportsJoinThread = false
	w.box.SetBeliefs(b)
}

// TestReportsOfAnOutage: a report that came while the mailbox could not be
// used is found after it, also when it lasted longer than reports are looked
// for after a send.
func TestReportsOfAnOutage(t *testing.T) { onEachStore(t, testReportsOfAnOutage) }

func testReportsOfAnOutage(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.apart()
	w.person("elif@example.net", postoffice.Behaviour{Do: postoffice.BounceLater, Code: "5.1.1", After: time.Hour})
	id := w.enroll("elif@example.net").ID
	w.tick()
	w.open.err = &provider.Error{Kind: provider.ErrRelink, Op: "open", Reason: "gone"}
	w.pass(provider.ReportSpan + 20*day)
	w.open.err = nil
	if err := w.run.Notify(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Hour)
	w.want(id, runner.StatusBounced, 1)
	if got := directions(w.conversation(id)); got != "out in(bounce)" {
		t.Errorf("the conversation is %q", got)
	}
	w.sound()
}

// TestReportsOfASendThatCrashed: reports of a mail are looked for although the
// process died before it could store that the mail left.
func TestReportsOfASendThatCrashed(t *testing.T) { onEachStore(t, testReportsOfASendThatCrashed) }

func testReportsOfASendThatCrashed(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.apart()
	w.person("elif@example.net", postoffice.Behaviour{Do: postoffice.BounceLater, Code: "5.1.1", After: time.Hour})
	id := w.enroll("elif@example.net").ID
	healthy := w.cfg.Store
	dying := &noMailboxes{EnrollmentStore: healthy}
	w.cfg.Store = dying
	_, _ = w.runner().Tick(t.Context())
	if n := w.mails("elif@example.net"); n != 1 || dying.failed == 0 {
		t.Fatalf("%d mails left, and %d commits failed", n, dying.failed)
	}
	w.cfg.Store = healthy
	w.run = w.runner()
	w.pass(2 * day)
	w.want(id, runner.StatusBounced, 1)
	w.sound()
}

// TestReportsOfOtherTimes: the header of a report that is older than our mail
// or much younger is not asked for, whoever it names.
func TestReportsOfOtherTimes(t *testing.T) { onEachStore(t, testReportsOfOtherTimes) }

func testReportsOfOtherTimes(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.apart()
	report := func() {
		t.Helper()
		raw := strings.Join([]string{
			"From: Mail Delivery System <MAILER-DAEMON@mx.example.net>", "To: " + sender, "Subject: Undeliverable: a private mail",
			"Message-ID: <" + w.clock.Now().Format("0102150405") + "@mx.example.net>", "Date: " + w.clock.Now().Format(time.RFC1123Z), "",
			"It could not be delivered to ada@example.net.", "",
		}, "\r\n")
		if _, err := w.office.Deliver(postoffice.Mail{To: sender, Raw: []byte(raw), Unrelated: true}); err != nil {
			t.Fatal(err)
		}
	}
	report()
	w.clock.Advance(time.Hour)
	w.person("ada@example.net")
	id := w.enroll("ada@example.net").ID
	w.pass(20 * day) // its last mail leaves on the eighth day
	w.want(id, runner.StatusCompleted, 3)
	report()
	w.pass(10 * day)
	report()
	w.clock.Advance(time.Hour)
	w.person("grace@example.net")
	w.enroll("grace@example.net")
	w.pass(2 * time.Hour)
	if headers, contents := w.office.Books().UnrelatedReads(); headers+contents > 0 {
		t.Errorf("%d headers and %d contents were asked for", headers, contents)
	}
	w.sound()
}

// noMailboxes fails to store a mailbox's record once a mail was about to
// leave, as if the process had died.
type noMailboxes struct {
	store.EnrollmentStore
	sent   bool
	failed int
}

func (s *noMailboxes) Commit(ctx context.Context, b store.Batch) error {
	if b.Mailbox != nil && s.sent {
		s.failed++
		return errors.New("the process is dead")
	}
	s.sent = s.sent || len(b.Intents) > 0
	return s.EnrollmentStore.Commit(ctx, b)
}
