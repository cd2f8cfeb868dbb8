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

func (w *world) reply(p runner.ReplyParams) runner.Enrollment {
	w.t.Helper()
	e, err := w.run.Reply(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// needed lists the conversations that need an answer.
func (w *world) needed(owner string) string {
	w.t.Helper()
	sums, err := w.log.Find(w.t.Context(), store.FindConversations{Owner: owner, AnswerNeeded: true})
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []string
	for _, s := range sums {
		ids = append(ids, s.Conversation)
	}
	return strings.Join(ids, " ")
}

func header(raw []byte, name string) string {
	fields, _ := postoffice.Split(raw)
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// TestReply answers a candidate from the host's own page: in the thread, once,
// in the same conversation, and nobody needs to answer any more.
func TestReply(t *testing.T) { onEachStore(t, testReply) }

func testReply(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour}, postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: time.Hour})
	id := w.enroll("anna@example.net").ID
	w.tick()
	w.pass(2 * time.Hour)
	w.want(id, runner.StatusReplied, 1)
	if w.needed("maria") != id || !w.get(id).Flagged {
		t.Fatal("nobody is asked for an answer")
	}
	p := runner.ReplyParams{Key: "r1", Enrollment: id, Text: "Shall we talk on Monday?"}
	e := w.reply(p)
	if e.Kind != "reply" || e.Conversation != id || w.get(id).Flagged {
		t.Errorf("the reply is %+v", e)
	}
	w.tick()
	again := w.reply(p)
	if again.ID != e.ID || again.StepsSent != 1 {
		t.Errorf("the same reply again is %+v", again)
	}
	w.pass(30 * time.Minute)
	if w.needed("maria") != "" {
		t.Error("an answer is still asked for")
	}
	talk := w.conversation(id)
	if got := directions(talk); got != "out in(human) out" {
		t.Fatalf("the conversation is %q", got)
	}
	subs := w.office.Books().Submissions()
	raw := subs[1].Raw
	if got := header(raw, "In-Reply-To"); got != talk[1].MessageID {
		t.Errorf("it answers %q and not %q", got, talk[1].MessageID)
	}
	if got := header(raw, "References"); got != subs[0].MessageID+" "+talk[1].MessageID {
		t.Errorf("it cites %q", got)
	}
	if got := header(raw, "Subject"); got != "Re: A role in Lisbon" {
		t.Errorf("its subject is %q", got)
	}
	w.pass(time.Hour)
	if got := directions(w.conversation(id)); got != "out in(human) out in(human)" {
		t.Errorf("the conversation is %q", got)
	}
	if w.needed("maria") != id || !w.get(id).Flagged {
		t.Error("the next answer is not flagged")
	}
	if got := w.events.kinds(id); got != "enrolled sent replied flagged answered replied flagged" {
		t.Errorf("the events are %q", got)
	}
	if len(w.conversation(e.ID)) != 0 {
		t.Error("the reply has a conversation of its own")
	}
	if _, err := w.run.Answered(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	if w.needed("maria") != "" || w.get(id).Flagged {
		t.Error("what a person settled is still asked for")
	}
	w.pass(9 * day)
	if n := w.mails("anna@example.net"); n != 2 {
		t.Errorf("%d mails", n)
	}
	if n, err := w.run.Erase(t.Context(), "anna@example.net"); err != nil || n != 2 {
		t.Errorf("%d enrollments were erased: %v", n, err)
	}
	if _, err := w.run.Get(t.Context(), e.ID); !errors.Is(err, runner.ErrNotFound) {
		t.Errorf("the reply is left: %v", err)
	}
	w.sound()
}

// TestReplyTakesOver: answering ends a drip that still goes on, unless its
// sequence keeps going, and so does what the owner writes by hand.
func TestReplyTakesOver(t *testing.T) {
	for _, keep := range []bool{false, true} {
		for _, byHand := range []bool{false, true} {
			w := newWorld(t, onMemstore)
			w.person("grace@example.net")
			id := w.enroll("grace@example.net", func(p *runner.EnrollParams) {
				p.Sequence = threeSteps()
				p.Sequence.KeepGoing = keep
			}).ID
			w.tick()
			if byHand {
				ours := w.office.Books().Submissions()[0].MessageID
				raw := "From: " + sender + "\r\nTo: grace@example.net\r\nSubject: Re: A role in Lisbon\r\nMessage-ID: <byhand@agency.example.com>\r\n" +
					"In-Reply-To: " + ours + "\r\nReferences: " + ours + "\r\nDate: Tue, 01 Sep 2026 09:00:00 +0000\r\n\r\nI will call you.\r\n"
				if _, err := w.box.Submit(postoffice.SubmitParams{Raw: []byte(raw)}); err != nil {
					t.Fatal(err)
				}
			} else {
				w.reply(runner.ReplyParams{Key: "r1", Enrollment: id, Text: "One more thing."})
			}
			w.pass(9 * day)
			if keep {
				w.want(id, runner.StatusCompleted, 3)
			} else {
				w.want(id, runner.StatusTookOver, 1)
			}
			want := map[bool]string{true: "out own(human)", false: "out out"}[byHand] + map[bool]string{true: " out out"}[keep]
			if got := directions(w.conversation(id)); got != want {
				t.Errorf("keep %t, by hand %t: the conversation is %q, want %q", keep, byHand, got, want)
			}
			w.sound()
		}
	}
}

// TestReplyElsewhere: whom and where is answered, when the candidate wrote from
// another address, in a new thread, or nobody wrote.
func TestReplyElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		does        postoffice.Behaviour
		to, subject string
	}{
		"another address": {postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, From: "anna.private@example.org"}, "anna.private@example.org", "Re: A role in Lisbon"},
		"a new thread":    {postoffice.Behaviour{Do: postoffice.AnswerNew, On: 1, After: time.Hour}, "anna@example.net", "Re: About your mail"},
		"out of office":   {postoffice.Behaviour{Do: postoffice.OutOfOffice, On: 1, After: time.Hour}, "anna@example.net", "Re: A role in Lisbon"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, onMemstore)
			w.person("anna@example.net", c.does)
			id := w.enroll("anna@example.net").ID
			w.tick()
			w.pass(2 * time.Hour)
			w.reply(runner.ReplyParams{Key: "r1", Enrollment: id, Text: "Good to hear from you."})
			w.tick()
			subs := w.office.Books().Submissions()
			last := subs[len(subs)-1]
			if len(subs) != 2 || strings.Join(last.Recipients, " ") != c.to || header(last.Raw, "Subject") != c.subject {
				t.Errorf("%d mails, the last to %v under %q", len(subs), last.Recipients, header(last.Raw, "Subject"))
			}
			// What the candidate answers to that is in the same conversation.
			w.clock.Advance(time.Minute)
			w.write("somebody.else@example.org", c.subject, last.MessageID, "I answer for her.")
			w.pass(time.Hour)
			talk := w.conversation(id)
			if got := talk[len(talk)-1]; got.Direction != "in" || got.Evidence != "reference" || got.Fresh != "I answer for her." {
				t.Errorf("the answer to the reply is %+v", got)
			}
			w.sound()
		})
	}
}

// TestReplyLost: a reply whose acceptance got no answer is looked up, and
// never sent twice.
func TestReplyLost(t *testing.T) { onEachStore(t, testReplyLost) }

func testReplyLost(t *testing.T, on storage) {
	for _, fault := range []postoffice.Fault{postoffice.FaultLoseBefore, postoffice.FaultLoseAfter} {
		w := newWorld(t, on)
		w.proven()
		w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour})
		id := w.enroll("anna@example.net").ID
		w.tick()
		w.pass(2 * time.Hour)
		w.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: fault})
		e := w.reply(runner.ReplyParams{Key: "r1", Enrollment: id, Text: "Shall we talk on Monday?"})
		w.pass(day)
		w.want(e.ID, runner.StatusCompleted, 1)
		if n := w.mails("anna@example.net"); n != 2 {
			t.Errorf("%d mails", n)
		}
		if got := directions(w.conversation(id)); got != "out in(human) out" {
			t.Errorf("the conversation is %q", got)
		}
		w.sound()
	}
}

func TestReplyRefused(t *testing.T) {
	w := newWorld(t, onMemstore)
	w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour})
	id := w.enroll("anna@example.net").ID
	reply := func(p runner.ReplyParams) error {
		_, err := w.run.Reply(t.Context(), p)
		return err
	}
	good := runner.ReplyParams{Key: "r1", Enrollment: id, Text: "Hello."}
	wantIs(t, reply(good), provider.ErrInvalid) // nothing was sent yet
	w.tick()
	w.pass(2 * time.Hour)
	for name, c := range map[string]struct {
		change func(*runner.ReplyParams)
		want   error
	}{
		"no words":   {func(p *runner.ReplyParams) { p.Text = " " }, provider.ErrInvalid},
		"no key":     {func(p *runner.ReplyParams) { p.Key = "" }, provider.ErrInvalid},
		"nobody":     {func(p *runner.ReplyParams) { p.Enrollment = "x" }, runner.ErrNotFound},
		"not theirs": {func(p *runner.ReplyParams) { p.Actor = "eve" }, runner.ErrNotAllowed},
	} {
		p := good
		c.change(&p)
		if err := reply(p); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	preview, err := w.run.Preview(t.Context(), runner.PreviewParams{Key: "p", Link: link, Sequence: threeSteps()})
	if err != nil {
		t.Fatal(err)
	}
	p := good
	p.Enrollment = preview.ID
	wantIs(t, reply(p), runner.ErrNotFound)
	w.reply(good)
	other := good
	other.Text = "Something else."
	wantIs(t, reply(other), runner.ErrKeyTaken)
	if _, err := w.run.Unsubscribe(t.Context(), "anna@example.net"); err != nil {
		t.Fatal(err)
	}
	other.Key = "r2"
	wantIs(t, reply(other), runner.ErrSuppressed)
	w.tick()
	if n := w.mails("anna@example.net"); n != 1 {
		t.Errorf("%d mails went to somebody who wants none", n)
	}
}

// undrafted is a mailbox whose lists don't say what is a draft, as Gmail's
// search does not.
type undrafted struct{ provider.Mailbox }

func (u undrafted) Changes(ctx context.Context, c provider.Cursor) (provider.Page, error) {
	page, err := u.Mailbox.Changes(ctx, c)
	for i := range page.Items {
		page.Items[i].Draft, page.Items[i].Place = false, provider.PlaceUnknown
	}
	return page, err
}

// TestDraft: a draft in the thread is nothing yet. Once it is sent the sender
// has taken over, though it has the name that the draft had.
func TestDraft(t *testing.T) {
	for _, told := range []bool{true, false} {
		w := newWorld(t, onMemstore)
		if !told {
			w.open.wrap = func(mb provider.Mailbox) provider.Mailbox { return undrafted{mb} }
		}
		w.person("grace@example.net")
		id := w.enroll("grace@example.net").ID
		w.tick()
		ours := w.office.Books().Submissions()[0].MessageID
		w.clock.Advance(time.Minute)
		draft := w.box.Put(postoffice.PutParams{Own: true, Labels: []string{postoffice.LabelDraft}, Raw: []byte("From: " + sender + "\r\n" +
			"To: grace@example.net\r\nSubject: Re: A role in Lisbon\r\nMessage-ID: <byhand@agency.example.com>\r\nIn-Reply-To: " + ours + "\r\n\r\nI will call you.\r\n")})
		w.pass(time.Hour)
		w.want(id, runner.StatusActive, 1)
		if got := directions(w.conversation(id)); got != "out" {
			t.Errorf("told %t: the conversation is %q", told, got)
		}
		if _, err := w.box.Relabel(draft.Number, []string{postoffice.LabelSent}, []string{postoffice.LabelDraft}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Hour)
		w.want(id, runner.StatusTookOver, 1)
		w.sound()
	}
}

// TestSuppressedUnderAnotherAddress: who asked for no more mail from one of
// their addresses gets none at the other either.
func TestSuppressedUnderAnotherAddress(t *testing.T) {
	const private = "anna.private@example.org"
	w := newWorld(t, onMemstore)
	w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, From: private})
	id := w.enroll("anna@example.net").ID
	w.tick()
	w.pass(2 * time.Hour)
	e := w.reply(runner.ReplyParams{Key: "r1", Enrollment: id, Text: "Shall we talk?"})
	if _, err := w.run.Unsubscribe(t.Context(), private); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	w.want(e.ID, runner.StatusUnsubscribed, 0)
	if n := w.mails(private); n != 0 {
		t.Errorf("%d mails", n)
	}
}
