package gmail_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/memstore"
)

// TestConversation is one with a candidate who wrote before and answers with a
// file from another address: the earlier mail is told of, the file is read when
// asked for, and the host's answer leaves in the thread and is answered there.
func TestConversation(t *testing.T) {
	d := newDrip(t)
	clock := d.office.Clock()
	const ada, private = "ada.l@example.net", "ada.private@example.org"
	if _, err := d.office.Write(provider.Address{Addr: ada}, maria, "An application", "", "I am looking for work."); err != nil {
		t.Fatal(err)
	}
	clock.Advance(day)
	withCV := func(r postoffice.Reaction) []byte {
		var ours string
		fields, _ := postoffice.Split(r.Mail)
		for _, f := range fields {
			if f.Name == "Message-ID" || f.Name == "Message-Id" {
				ours = f.Value
			}
		}
		return fmt.Appendf(nil, "From: <%s>\r\nTo: <%s>\r\nSubject: Re: A role in Lisbon\r\nMessage-ID: %s\r\nIn-Reply-To: %s\r\nDate: %s\r\n"+
			"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n"+
			"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=cv.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n",
			private, r.To.Addr, r.ID, ours, r.Now.Format(time.RFC1123Z))
	}
	if err := d.office.AddPerson(postoffice.Person{Address: ada, Behaviours: []postoffice.Behaviour{
		{Do: postoffice.Custom, On: 1, After: time.Hour, Write: withCV},
	}}); err != nil {
		t.Fatal(err)
	}
	if err := d.office.AddPerson(postoffice.Person{Address: private, Behaviours: []postoffice.Behaviour{
		{Do: postoffice.Answer, On: 1, After: time.Hour, Text: "Gladly."},
	}}); err != nil {
		t.Fatal(err)
	}
	mem := memstore.New(memstore.Options{Now: clock.Now})
	events := runner.NewChannel()
	told := make(map[runner.EventKind]int)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case e := <-events.C():
				told[e.Event.Kind] += max(e.Event.Count, 1)
				e.Done(nil)
			case <-events.Closed():
				return
			}
		}
	}()
	run, err := runner.New(runner.Config{
		Store: mem.Enrollments(), Log: mem.Conversations(), Mailboxes: d, Events: events, Now: clock.Now,
		Key: []byte("a secret of thirty-two bytes ...."), Domain: "mail.agency.example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	pass := func(span time.Duration) {
		t.Helper()
		for end := clock.Now().Add(span); clock.Now().Before(end); clock.Advance(10 * time.Minute) {
			if _, err := run.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	e, err := run.Enroll(t.Context(), runner.EnrollParams{
		Key: "ada", Link: "link", Recipient: provider.Address{Addr: ada},
		Sequence: &sequence.Sequence{ID: "lisbon", Version: 1, Steps: []sequence.Step{
			{ID: 1, Subject: "A role in Lisbon", Text: "Hello."}, {ID: 2, Days: 3, Text: "Did you see my mail?"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	pass(3 * time.Hour)
	conversation := func(want string) (refs []string, part string) {
		t.Helper()
		talk, err := mem.Conversations().Conversation(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		var dirs []string
		for _, entry := range talk {
			dirs, refs = append(dirs, entry.Direction), append(refs, entry.Ref)
			for _, p := range entry.Parts {
				part = p.Part
			}
		}
		if got := strings.Join(dirs, " "); got != want {
			t.Fatalf("the conversation is %q, want %q", got, want)
		}
		return refs, part
	}
	refs, part := conversation("out in")
	rc, err := run.Attachment(t.Context(), runner.AttachmentParams{Enrollment: e.ID, Ref: refs[1], Part: part})
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(rc)
	if err != nil || !bytes.Equal(data, []byte("%PDF-")) {
		t.Errorf("the attachment is %q, %v", data, err)
	}
	if err := rc.Close(); err != nil {
		t.Error(err)
	}
	if _, err := run.Reply(t.Context(), runner.ReplyParams{Key: "r1", Enrollment: e.ID, Text: "Shall we talk on Monday?"}); err != nil {
		t.Fatal(err)
	}
	pass(4 * time.Hour)
	conversation("out in out in")
	threads := make(map[int64]bool)
	for m := range d.office.Mailbox(maria).Visible() {
		if m.Subject != "An application" {
			threads[m.Thread] = true
		}
	}
	if len(threads) != 1 {
		t.Errorf("the conversation lies in %d threads", len(threads))
	}
	pass(7 * day)
	subs := d.office.Books().SentFrom(maria)
	if len(subs) != 2 || strings.Join(subs[1].Recipients, " ") != private {
		t.Errorf("%d mails left", len(subs))
	}
	events.Close()
	<-done
	if told[runner.EventPriorContact] != 1 || told[runner.EventReplied] != 1 || told[runner.EventAnswered] != 1 {
		t.Errorf("the events are %v", told)
	}
	if envelopes, contents := d.office.Books().UnrelatedReads(); envelopes+contents > 0 {
		t.Errorf("unrelated mail was read: %d, %d", envelopes, contents)
	}
}
