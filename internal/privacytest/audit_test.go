package privacytest_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
)

// withCV answers with an attachment.
func withCV(r postoffice.Reaction) []byte {
	return fmt.Appendf(nil, "From: <%s>\r\nTo: <%s>\r\nSubject: Re: %s\r\nMessage-ID: %s\r\nDate: %s\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n"+
		"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=cv.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n",
		r.From.Addr, r.To.Addr, subject, r.ID, r.Now.Format(time.RFC1123Z))
}

// TestEveryRequestIsTold: whatever is done with a mailbox, each request that
// leaves for it is one that the host is told of, with its reason, and each
// message of which the service knows that something was read is one that the
// host was told of.
func TestEveryRequestIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, kind provider.Kind) {
		w := newWorldOf(t, kind, provider.AccessReplies, func(c *runner.Config) { c.Push = &runner.PushConfig{} })
		w.wire.observed() // what linking asks for is the account's own addresses
		b := w.box.Beliefs()
		b.ReportsJoinThread = false
		w.box.SetBeliefs(b)
		if err := w.office.DeliverUnrelated(postoffice.Traffic{To: maria, N: 50, First: begin, Every: time.Hour}); err != nil {
			t.Fatal(err)
		}
		w.mail(mail{from: "prior@example.net", subject: "An application", id: "<p1@example.net>", unrelated: true})
		w.office.Clock().Advance(3 * time.Hour)
		w.person("prior@example.net")
		w.person("cv@example.net", postoffice.Behaviour{Do: postoffice.Custom, On: 1, After: time.Hour, Write: withCV})
		w.person("gone@example.net", postoffice.Behaviour{Do: postoffice.BounceLater, On: 1, After: time.Hour})
		w.person("lost@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: time.Hour})
		ids := map[string]string{}
		for _, addr := range []string{"prior@example.net", "cv@example.net", "gone@example.net"} {
			ids[addr] = w.drip(addr)
		}
		w.wire.told(t, "enrolling")
		w.pass(t.Context(), 8*time.Hour)
		w.wire.told(t, "a pass")
		ids["lost@example.net"] = w.drip("lost@example.net")
		w.svc.lose()
		w.pass(t.Context(), day)
		w.wire.told(t, "a lost answer")

		preview, err := w.run.Preview(t.Context(), runner.PreviewParams{Key: "p", Link: w.link, Sequence: &sequence.Sequence{ID: "p", Version: 1, Steps: []sequence.Step{{ID: 1, Subject: "P", Text: "T"}}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.run.PreviewStatus(t.Context(), preview.ID); err != nil {
			t.Fatal(err)
		}
		w.pass(t.Context(), 4*time.Hour)
		if _, err := w.run.PreviewStatus(t.Context(), preview.ID); err != nil {
			t.Fatal(err)
		}
		w.wire.told(t, "a preview")

		talk, err := w.log.Conversation(t.Context(), ids["cv@example.net"])
		if err != nil || len(talk) != 2 || len(talk[1].Parts) != 1 {
			t.Fatalf("the conversation is %+v, %v", talk, err)
		}
		rc, err := w.run.Attachment(t.Context(), runner.AttachmentParams{Enrollment: ids["cv@example.net"], Ref: talk[1].Ref, Part: talk[1].Parts[0].Part})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, rc)
		_ = rc.Close()
		w.wire.told(t, "an attachment")

		if _, err := w.run.Reply(t.Context(), runner.ReplyParams{Key: "r", Enrollment: ids["cv@example.net"], Text: "Thank you."}); err != nil {
			t.Fatal(err)
		}
		w.box.ExpireChanges()
		w.pass(t.Context(), 3*day)
		w.wire.told(t, "an expired cursor")
		if _, err := w.run.Recover(t.Context(), runner.RecoverParams{Since: w.office.Clock().Now().Add(-time.Hour)}); err != nil {
			t.Fatal(err)
		}
		w.wire.told(t, "recovery")
		if _, err := w.linker.Check(t.Context(), w.link); err != nil {
			t.Fatal(err)
		}
		w.wire.told(t, "a check")
		w.office.Clock().Advance(2 * day)
		if r, err := w.linker.CheckAll(t.Context(), linking.CheckAllParams{}); err != nil || r.Checked != 1 {
			t.Fatalf("checked %+v, %v", r, err)
		}
		w.wire.told(t, "checking all")
		w.pass(t.Context(), 5*day)
		if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: w.link}); err != nil {
			t.Fatal(err)
		}
		w.wire.told(t, "unlinking")
		w.sound()

		for _, what := range []string{
			"send send", "profile profile", "profile gap", "profile check", "changes feed", "search search", "search prior", "search gap",
			"envelope sender", "envelope report", "content report", "content matched", "envelope attachment", "attachment attachment",
			"locate reconcile", "locate preview", "watch push", "unwatch push",
		} {
			if w.audit.reasons[what] == 0 {
				t.Errorf("the story has no %q: %v", what, w.audit.reasons)
			}
		}
		read, contents := 0, 0
		for _, r := range w.office.Books().Reads() {
			read++
			contents += r.Contents
		}
		if told := w.audit.contents + w.audit.reasons["attachment attachment"]; told != contents {
			t.Errorf("the audit knows of %d contents, the service of %d", told, contents)
		}
		t.Logf("%d messages were read, %v", read, w.audit.reasons)
	})
}

// TestAttachmentOfNobody: who is erased, and whose mailbox is another's now,
// have no attachments any more, and nothing is asked for to find that out.
func TestAttachmentOfNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, kind provider.Kind) {
		w := newWorld(t, kind)
		for _, addr := range []string{"anna@example.net", "ben@example.net"} {
			w.person(addr, postoffice.Behaviour{Do: postoffice.Custom, On: 1, After: time.Hour, Write: withCV})
		}
		anna, ben := w.drip("anna@example.net"), w.drip("ben@example.net")
		w.pass(t.Context(), 8*time.Hour)
		of := func(id string) runner.AttachmentParams {
			talk, err := w.log.Conversation(t.Context(), id)
			if err != nil || len(talk) != 2 || len(talk[1].Parts) != 1 {
				t.Fatalf("the conversation is %+v, %v", talk, err)
			}
			return runner.AttachmentParams{Enrollment: id, Ref: talk[1].Ref, Part: talk[1].Parts[0].Part}
		}
		hers, his := of(anna), of(ben)
		mixed := his
		mixed.Ref = hers.Ref // of the same mailbox, and another conversation's
		refused := func(what string, p runner.AttachmentParams, want error) {
			t.Helper()
			before := fmt.Sprint(w.box.Requests())
			rc, err := w.run.Attachment(t.Context(), p)
			if err == nil {
				_ = rc.Close()
				t.Errorf("%s: it is opened", what)
			} else if want != nil && !errors.Is(err, want) {
				t.Errorf("%s: %v", what, err)
			}
			if after := fmt.Sprint(w.box.Requests()); after != before {
				t.Errorf("%s: the service had requests: %s, before %s", what, after, before)
			}
		}
		refused("another conversation's", mixed, runner.ErrNotFound)
		if _, err := w.run.Erase(t.Context(), "anna@example.net"); err != nil {
			t.Fatal(err)
		}
		refused("of somebody erased", hers, runner.ErrNotFound)
		if err := w.linker.Unlink(t.Context(), linking.UnlinkParams{Owner: "maria", Link: w.link}); err != nil {
			t.Fatal(err)
		}
		refused("of an unlinked mailbox", his, nil)
		flow, err := w.linker.Begin(t.Context(), linking.BeginParams{
			Owner: "tom", Session: "session", Provider: w.svc.prov.Name(), RedirectURL: "https://ats.example.com/callback",
		})
		if err != nil {
			t.Fatal(err)
		}
		back, err := w.svc.consent(flow.URL)
		if err != nil {
			t.Fatal(err)
		}
		if done, err := w.linker.Complete(t.Context(), linking.CompleteParams{Query: back.Query(), Owner: "tom", Session: "session"}); err != nil || done.Link.ID == w.link {
			t.Fatalf("linked %+v, %v", done, err)
		}
		w.wire.observed() // what linking asks for is the account's own addresses
		refused("of a mailbox that is another's", his, nil)
		w.pass(t.Context(), 4*day)
		w.sound()
	})
}
