package runner_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// withCV answers with an attachment.
func withCV(r postoffice.Reaction) []byte {
	return fmt.Appendf(nil, "From: <%s>\r\nTo: <%s>\r\nSubject: Re: A role in Lisbon\r\nMessage-ID: %s\r\nIn-Reply-To: %s\r\nDate: %s\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n"+
		"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=cv.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n",
		r.From.Addr, r.To.Addr, r.ID, header(r.Mail, "Message-ID"), r.Now.Format(time.RFC1123Z))
}

// TestAttachment: an attachment is described in the conversation, and read
// when it is asked for, after its mail was matched again.
func TestAttachment(t *testing.T) { onEachStore(t, testAttachment) }

func testAttachment(t *testing.T, on storage) {
	w := newWorld(t, on, func(c *runner.Config) { c.Options.TrackFor = 30 * day })
	w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Custom, On: 1, After: time.Hour, Write: withCV})
	if err := w.office.DeliverUnrelated(postoffice.Traffic{To: sender, N: 3, First: start, Every: time.Minute}); err != nil {
		t.Fatal(err)
	}
	id := w.enroll("anna@example.net").ID
	w.tick()
	w.pass(2 * time.Hour)
	talk := w.conversation(id)
	if got := directions(talk); got != "out in(human)" || len(talk[1].Parts) != 1 || talk[1].Parts[0].Name != "cv.pdf" || talk[1].Parts[0].Size != 5 {
		t.Fatalf("the conversation is %q: %+v", got, talk[1].Parts)
	}
	if n := w.seen.counts["attachment attachment"]; n != 0 {
		t.Errorf("%d attachments were read that nobody asked for", n)
	}
	p := runner.AttachmentParams{Enrollment: id, Ref: talk[1].Ref, Part: talk[1].Parts[0].Part}
	fetch := func() {
		t.Helper()
		rc, err := w.run.Attachment(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(rc)
		if err := rc.Close(); err != nil {
			t.Error(err)
		}
		if string(data) != "%PDF-" || err != nil {
			t.Errorf("it is %q, %v", data, err)
		}
	}
	fetch()
	if w.seen.counts["envelope attachment"] != 1 || w.seen.counts["attachment attachment"] != 1 {
		t.Errorf("the audit tells of %v", w.seen.counts)
	}
	requests := func() (n int) {
		for _, k := range w.box.Requests() {
			n += k
		}
		return n
	}
	// Of mail that is in no conversation not even the headers are asked for.
	before := requests()
	for m := range w.box.Visible() {
		if m.Unrelated {
			q := p
			q.Ref = fmt.Sprintf("m%d", m.Number)
			_, err := w.run.Attachment(t.Context(), q)
			wantIs(t, err, runner.ErrNotFound)
		}
	}
	other := w.enroll("ben@example.net", func(p *runner.EnrollParams) { p.Sequence = later(threeSteps()) }).ID
	q := p
	q.Enrollment = other
	_, err := w.run.Attachment(t.Context(), q)
	wantIs(t, err, runner.ErrNotFound)
	if n := requests(); n != before {
		t.Errorf("%d requests for mail of others", n-before)
	}
	q = p
	q.Part = "99"
	_, err = w.run.Attachment(t.Context(), q)
	wantIs(t, err, provider.ErrNotFound)

	w.open.access = provider.AccessSend
	_, err = w.run.Attachment(t.Context(), p)
	wantIs(t, err, runner.ErrAbilities)
	w.open.access = provider.AccessReplies

	w.clock.Advance(100 * day) // longer than anything is tracked
	w.tick()
	fetch()
	for m := range w.box.Visible() {
		if strings.HasPrefix(m.From[0], "anna@") {
			if err := w.box.Delete(m.Number); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, err = w.run.Attachment(t.Context(), p)
	wantIs(t, err, provider.ErrNotFound)
	w.sound()
}
