package runner_test

import (
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// TestStory is three weeks with one candidate of each sort, and unrelated
// mail all along.
func TestStory(t *testing.T) { onEachStore(t, testStory) }

func testStory(t *testing.T, on storage) {
	w := newWorld(t, on)
	if err := w.office.DeliverUnrelated(postoffice.Traffic{To: sender, N: 500, First: start.Add(-day), Every: time.Hour}); err != nil {
		t.Fatal(err)
	}
	w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 5 * time.Hour, Text: "Tell me more."})
	w.person("ben@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: time.Hour, From: "ben.private@example.org"})
	w.person("chloe@example.net", postoffice.Behaviour{Do: postoffice.AnswerNew, On: 1, After: 2 * day})
	w.person("dev@example.net", postoffice.Behaviour{Do: postoffice.OutOfOffice, On: 1, After: time.Minute, Until: start.Add(10 * day)})
	w.person("elif@example.net", postoffice.Behaviour{Do: postoffice.Bounce, After: time.Minute})
	w.person("grace@example.net")
	w.person("hugo@example.net", postoffice.Behaviour{Do: postoffice.OutOfOfficeExchange, On: 1, After: time.Minute, Until: start.Add(5 * day)},
		postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: time.Hour})

	ids := make(map[string]string)
	for _, name := range []string{"anna", "ben", "chloe", "dev", "elif", "grace", "hugo"} {
		ids[name] = w.enroll(name + "@example.net").ID
	}
	w.tick()
	w.pass(21 * day)

	w.want(ids["anna"], runner.StatusReplied, 1)
	w.want(ids["ben"], runner.StatusReplied, 2)
	w.want(ids["chloe"], runner.StatusReplied, 1)
	w.want(ids["dev"], runner.StatusCompleted, 3)
	w.want(ids["elif"], runner.StatusBounced, 1)
	w.want(ids["grace"], runner.StatusCompleted, 3)
	w.want(ids["hugo"], runner.StatusReplied, 2)
	for name, want := range map[string]string{
		"anna":  "out in(human)",
		"ben":   "out out in(human)",
		"chloe": "out in(human)",
		"dev":   "out in(out_of_office) out out",
		"elif":  "out in(bounce)",
		"grace": "out out out",
		"hugo":  "out in(out_of_office) out in(human)",
	} {
		if got := directions(w.conversation(ids[name])); got != want {
			t.Errorf("the conversation with %s is %q, want %q", name, got, want)
		}
	}
	if e := w.get(ids["anna"]); !e.Flagged {
		t.Error("an answer is not flagged for a person")
	}
	if e := w.get(ids["grace"]); e.Flagged {
		t.Error("silence is flagged")
	}
	w.sound()
}

func TestFollowUpsStayInTheThread(t *testing.T) { onEachStore(t, testFollowUpsStayInTheThread) }

func testFollowUpsStayInTheThread(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("grace@example.net")
	id := w.enroll("grace@example.net").ID
	w.tick()
	w.pass(9 * day)
	w.want(id, runner.StatusCompleted, 3)
	threads := make(map[int64]bool)
	for m := range w.box.Visible() {
		if m.Own {
			threads[m.Thread] = true
		}
	}
	if len(threads) != 1 {
		t.Errorf("three steps lie in %d threads", len(threads))
	}
	subs := w.office.Books().Submissions()
	last := subs[len(subs)-1]
	fields, _ := postoffice.Split(last.Raw)
	var refs, reply, subject string
	for _, f := range fields {
		switch f.Name {
		case "References":
			refs = f.Value
		case "In-Reply-To":
			reply = f.Value
		case "Subject":
			subject = f.Value
		}
	}
	if want := subs[0].MessageID + " " + subs[1].MessageID; refs != want || reply != subs[1].MessageID || subject != "Re: A role in Lisbon" {
		t.Errorf("References %q, In-Reply-To %q, Subject %q", refs, reply, subject)
	}
}

// TestReplacedMessageID is a service that gives our mail another Message-ID:
// follow-ups must cite that one, and our own copies must be known.
func TestReplacedMessageID(t *testing.T) { onEachStore(t, testReplacedMessageID) }

func testReplacedMessageID(t *testing.T, on storage) {
	w := newWorld(t, on)
	b := postoffice.GmailBeliefs()
	b.KeepsMessageID, b.KeepsOriginalID = false, false
	w.box.SetBeliefs(b)
	w.person("grace@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 3, After: time.Hour})
	id := w.enroll("grace@example.net").ID
	w.tick()
	w.pass(12 * day)
	// The last step was sent before the answer: the sequence is complete, and
	// the answer is logged and flagged all the same.
	if e := w.want(id, runner.StatusCompleted, 3); !e.Flagged {
		t.Error("an answer to the last step is not flagged")
	}
	if got := directions(w.conversation(id)); got != "out out out in(human)" {
		t.Errorf("the conversation is %q", got)
	}
	w.sound()
}

func TestPreview(t *testing.T) { onEachStore(t, testPreview) }

func testPreview(t *testing.T, on storage) {
	w := newWorld(t, on)
	e, err := w.run.Preview(t.Context(), runner.PreviewParams{Key: "p1", Link: link, Sequence: threeSteps()})
	if err != nil {
		t.Fatal(err)
	}
	w.tick()
	rep, err := w.run.PreviewStatus(t.Context(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !rep.Proven() || len(rep.Mails) != 3 {
		t.Errorf("the preview is not proven: %+v", rep.Mails)
	}
	w.pass(day)
	if len(w.conversation(e.ID)) != 0 {
		t.Error("a preview became a conversation")
	}
	w.want(e.ID, runner.StatusCompleted, 3)

	again, err := w.run.Preview(t.Context(), runner.PreviewParams{Key: "p1", Link: link, Sequence: threeSteps()})
	if err != nil || again.ID != e.ID {
		t.Errorf("the same key made another preview: %v, %v", again.ID, err)
	}
	second, err := w.run.Preview(t.Context(), runner.PreviewParams{Key: "p2", Link: link, Sequence: threeSteps()})
	if err != nil {
		t.Fatal(err)
	}
	w.tick()
	ids := make(map[string]bool)
	for _, s := range w.office.Books().Submissions() {
		ids[s.MessageID] = true
	}
	if len(ids) != 6 || second.ID == e.ID {
		t.Errorf("two previews of three mails have %d Message-IDs", len(ids))
	}
	w.sound()
}

// TestOnBehalf is a colleague who sends from Maria's mailbox.
func TestOnBehalf(t *testing.T) { onEachStore(t, testOnBehalf) }

func testOnBehalf(t *testing.T, on storage) {
	w := newWorld(t, on, func(c *runner.Config) {
		c.MayAct = onlyTom
	})
	w.person("grace@example.net")
	e := w.enroll("grace@example.net", func(p *runner.EnrollParams) { p.Actor = "tom" })
	w.tick()
	if e.Actor != "tom" || e.Owner != "maria" {
		t.Errorf("actor %q, owner %q", e.Actor, e.Owner)
	}
	if got := w.conversation(e.ID); len(got) != 1 || got[0].Actor != "tom" || got[0].Owner != "maria" {
		t.Errorf("the log does not tell who acted: %+v", got)
	}
	_, err := w.run.Enroll(t.Context(), runner.EnrollParams{
		Key: "x", Link: link, Actor: "eve", Recipient: provider.Address{Addr: "x@example.net"}, Sequence: threeSteps(),
	})
	wantIs(t, err, runner.ErrNotAllowed)
}
