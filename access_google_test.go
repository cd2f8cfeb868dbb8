package outreach_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// metadataToo has the page ask for gmail.metadata besides, as Google adds what
// was granted to the same project before.
func metadataToo(page *url.URL) {
	q := page.Query()
	q.Set("scope", q.Get("scope")+" https://www.googleapis.com/auth/gmail.metadata")
	page.RawQuery = q.Encode()
}

// drip enrolls somebody; blind says that the host reports answers itself.
func (w *linked) drip(link, to string, blind bool, does ...postoffice.Behaviour) string {
	w.t.Helper()
	if err := w.office.AddPerson(postoffice.Person{Address: to, Name: "Ada", Behaviours: does}); err != nil {
		w.t.Fatal(err)
	}
	e, err := w.run.Enroll(w.t.Context(), runner.EnrollParams{
		Key: to, Link: link, Recipient: provider.Address{Addr: to},
		Sequence: &sequence.Sequence{ID: "any", Version: 1, AcceptThreadOnly: true, AcceptBlind: blind, Steps: []sequence.Step{
			{ID: 1, Subject: "A role in Lisbon", Text: "Hello, I saw your work."}, {ID: 2, Days: 3, Text: "Did you see my mail?"}, {ID: 3, Days: 7, Text: "Goodbye."},
		}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

func (w *linked) unrelated(n int) {
	w.t.Helper()
	if err := w.office.DeliverUnrelated(postoffice.Traffic{To: googleUser, N: n, First: w.clock.Now(), Every: time.Hour}); err != nil {
		w.t.Fatal(err)
	}
}

// contents are how many texts left the mailbox; of unrelated mail nothing may.
func (w *linked) contents() (n int) {
	w.t.Helper()
	books := w.office.Books()
	if headers, texts := books.UnrelatedReads(); headers+texts > 0 {
		w.t.Errorf("of unrelated mail %d headers and %d contents were read", headers, texts)
	}
	for _, r := range books.Reads() {
		n += r.Contents
	}
	return n
}

// TestFromHeadersToRepliesAtGoogle: a token that has gmail.metadata beside
// gmail.readonly neither searches nor reads. So a link that reads headers keeps
// what it has, and its drips go on, until the user consents anew after the
// grant has ended; from then on answers in new threads are seen, and read.
func TestFromHeadersToRepliesAtGoogle(t *testing.T) {
	const day = 24 * time.Hour
	w := newLinked(t)
	done, err := w.answered(linking.BeginParams{Provider: "gmail", Access: provider.AccessEnvelopes}, nil)
	if err != nil || done.Link.Access != provider.AccessEnvelopes {
		t.Fatalf("linked %+v, %v", done, err)
	}
	id := done.Link.ID
	w.unrelated(30)
	quiet := w.drip(id, "ada@example.net", false, postoffice.Behaviour{Do: postoffice.AnswerNew, On: 2, After: time.Hour})
	talks := w.drip(id, "ben@example.net", false, postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour})
	w.pass(day, 30*time.Minute)
	if e := w.of(talks); e.Status != runner.StatusReplied {
		t.Errorf("who answered in the thread is %s", e.Status)
	}
	talk, err := w.mem.Conversations().Conversation(t.Context(), talks)
	if err != nil || len(talk) != 2 || talk[1].Text+talk[1].HTML+talk[1].Fresh != "" || talk[1].Subject == "" {
		t.Errorf("the answer is logged as %+v, %v", talk, err)
	}

	_, err = w.answered(linking.BeginParams{Relink: id, Access: provider.AccessReplies}, metadataToo)
	var se *linking.StepUpError
	if !errors.As(err, &se) || !se.StartOver || se.Has != provider.AccessEnvelopes || se.Want != provider.AccessReplies {
		t.Fatalf("the error is %v", err)
	}
	if d := w.linker.Diagnose("gmail", err); d.Reason != provider.ReasonScopesConflict {
		t.Errorf("diagnosed as %+v", d)
	}
	if s := w.status(id); s.Link.Access != provider.AccessEnvelopes || !s.Works || !s.Can.ThreadReplies {
		t.Errorf("it keeps %+v", s)
	}
	w.unrelated(10)
	w.pass(day, 30*time.Minute) // still by headers
	if n := w.contents(); n > 0 {
		t.Errorf("%d contents were read with headers alone", n)
	}

	up, err := w.answered(linking.BeginParams{Relink: id, Access: provider.AccessReplies, StartOver: true}, nil)
	if err != nil || up.Link.ID != id || up.Link.Status != store.LinkLinked || up.Link.Access != provider.AccessReplies {
		t.Fatalf("stepped up to %+v, %v", up, err)
	}
	w.pass(3*day, 30*time.Minute)
	if e := w.of(quiet); e.Status != runner.StatusReplied || e.StepsSent != 2 {
		t.Errorf("who answered in a new thread is %s after %d steps", e.Status, e.StepsSent)
	}
	talk, err = w.mem.Conversations().Conversation(t.Context(), quiet)
	if err != nil || len(talk) != 3 || !strings.Contains(talk[2].Text, "hear more") {
		t.Errorf("the answer is logged as %+v, %v", talk, err)
	}
	if n := w.contents(); n != 1 {
		t.Errorf("%d contents were read, want the one answer's", n)
	}
}

// TestDownToHeadersAndToSending: a link that steps down reads headers alone,
// whatever its token could do, and then nothing: its follow-ups wait until the
// host says that nobody, or somebody, has answered.
func TestDownToHeadersAndToSending(t *testing.T) {
	const day = 24 * time.Hour
	w := newLinked(t)
	done, err := w.answered(linking.BeginParams{Provider: "gmail", Access: provider.AccessReplies}, nil)
	if err != nil {
		t.Fatal(err)
	}
	id := done.Link.ID
	ada := w.drip(id, "ada@example.net", false, postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: time.Hour})
	ben := w.drip(id, "ben@example.net", false)
	w.pass(day, 30*time.Minute)
	down, err := w.answered(linking.BeginParams{Relink: id, Access: provider.AccessEnvelopes, Asked: provider.AccessEnvelopes}, func(page *url.URL) {
		q := page.Query() // what was granted before comes along
		q.Set("scope", q.Get("scope")+" https://www.googleapis.com/auth/gmail.readonly")
		page.RawQuery = q.Encode()
	})
	if err != nil || down.Link.Access != provider.AccessEnvelopes {
		t.Fatalf("stepped down to %+v, %v", down, err)
	}
	w.unrelated(20)
	w.pass(3*day, 30*time.Minute)
	if e := w.of(ada); e.Status != runner.StatusReplied || e.StepsSent != 2 {
		t.Errorf("who answered in the thread is %s after %d steps", e.Status, e.StepsSent)
	}
	if n := w.contents(); n > 0 {
		t.Errorf("%d contents were read with headers alone", n)
	}
	if down, err = w.answered(linking.BeginParams{Relink: id, Access: provider.AccessSend, Asked: provider.AccessSend}, nil); err != nil || down.Link.Access != provider.AccessSend {
		t.Fatalf("stepped down to %+v, %v", down, err)
	}
	before := len(w.office.Books().Reads())
	cleo := w.drip(id, "cleo@example.net", true, postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour})
	w.pass(10*day, time.Hour)
	if n := len(w.office.Books().Reads()); n != before {
		t.Errorf("%d more messages were read by a link that only sends", n-before)
	}
	ex, err := w.run.Explain(t.Context(), ben)
	if err != nil || ex.Enrollment.StepsSent != 2 || ex.Enrollment.Status == runner.StatusCompleted || !strings.Contains(strings.Join(ex.Text, " "), "can't read answers") {
		t.Errorf("a follow-up that nobody can see an answer to: %d steps, %s, %q, %v", ex.Enrollment.StepsSent, ex.Enrollment.Status, ex.Text, err)
	}
	if e := w.of(cleo); e.StepsSent < 2 {
		t.Errorf("where the host reports answers, %d steps left: %+v", e.StepsSent, e)
	}
	for _, who := range []string{ben, cleo} {
		if _, err := w.run.RecordReply(t.Context(), who); err != nil {
			t.Fatal(err)
		}
		if e := w.of(who); e.Status != runner.StatusReplied {
			t.Errorf("whose answer the host reported is %s after %d steps", e.Status, e.StepsSent)
		}
	}
	w.contents()
	t.Log(ex.Text)
}
