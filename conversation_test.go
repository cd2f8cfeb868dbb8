package outreach_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// withCV is an answer in the thread, from another address, with a file.
func withCV(from string) func(r postoffice.Reaction) []byte {
	return func(r postoffice.Reaction) []byte {
		var ours string
		fields, _ := postoffice.Split(r.Mail)
		for _, f := range fields {
			if strings.EqualFold(f.Name, "Message-ID") {
				ours = f.Value
			}
		}
		return fmt.Appendf(nil, "From: <%s>\r\nTo: <%s>\r\nSubject: Re: A role in Lisbon\r\nMessage-ID: %s\r\nIn-Reply-To: %s\r\nDate: %s\r\n"+
			"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n"+
			"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=cv.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n",
			from, r.To.Addr, r.ID, ours, r.Now.Format(time.RFC1123Z))
	}
}

// TestConversation is one with a candidate who wrote before and answers with a
// file from another address: the earlier mail is told of, the file is read when
// asked for, and the host's answer leaves in the thread and is answered there.
func TestConversation(t *testing.T) { onBothServices(t, conversation) }

func conversation(t *testing.T, service string) {
	w := newLinked(t)
	owner := addressOf(service)
	l := w.link(service)
	const ada, private = "ada.l@example.net", "ada.private@example.org"
	if _, err := w.office.Write(provider.Address{Addr: ada}, owner, "An application", "", "I am looking for work."); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(24 * time.Hour)
	for address, answer := range map[string]postoffice.Behaviour{
		ada:     {Do: postoffice.Custom, On: 1, After: time.Hour, Write: withCV(private)},
		private: {Do: postoffice.Answer, On: 1, After: time.Hour, Text: "Gladly."},
	} {
		if err := w.office.AddPerson(postoffice.Person{Address: address, Behaviours: []postoffice.Behaviour{answer}}); err != nil {
			t.Fatal(err)
		}
	}
	id := w.enroll(l.ID, ada)
	w.pass(3*time.Hour, 10*time.Minute)
	refs, part := w.conversation(id, "out in")
	rc, err := w.run.Attachment(t.Context(), runner.AttachmentParams{Enrollment: id, Ref: refs[1], Part: part})
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
	if _, err := w.run.Reply(t.Context(), runner.ReplyParams{Key: "r1", Enrollment: id, Text: "Shall we talk on Monday?"}); err != nil {
		t.Fatal(err)
	}
	w.pass(4*time.Hour, 10*time.Minute)
	w.conversation(id, "out in out in")
	threads := make(map[int64]bool)
	for m := range w.office.Mailbox(owner).Visible() {
		if m.Subject != "An application" {
			threads[m.Thread] = true
		}
	}
	if len(threads) != 1 {
		t.Errorf("the conversation lies in %d threads", len(threads))
	}
	w.pass(7*24*time.Hour, time.Hour)
	subs := w.office.Books().SentFrom(owner)
	if len(subs) != 2 || strings.Join(subs[1].Recipients, " ") != private {
		t.Errorf("%d mails left", len(subs))
	}
	// The second answer came after the end, and is told as well.
	for kind, want := range map[runner.EventKind]int{runner.EventPriorContact: 1, runner.EventReplied: 2, runner.EventAnswered: 1} {
		if n := w.count(kind); n != want {
			t.Errorf("%d events %s, want %d", n, kind, want)
		}
	}
	if envelopes, contents := w.office.Books().UnrelatedReads(); envelopes+contents > 0 {
		t.Errorf("unrelated mail was read: %d, %d", envelopes, contents)
	}
}

// conversation holds the directions of a conversation's entries against want,
// and returns their refs and the last attachment's part.
func (w *linked) conversation(id, want string) (refs []string, part string) {
	w.t.Helper()
	talk, err := w.mem.Conversations().Conversation(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	var dirs []string
	for _, entry := range talk {
		dirs, refs = append(dirs, entry.Direction), append(refs, entry.Ref)
		for _, p := range entry.Parts {
			part = p.Part
		}
	}
	if got := strings.Join(dirs, " "); got != want {
		w.t.Fatalf("the conversation is %q, want %q", got, want)
	}
	return refs, part
}
