package runner_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// offers counts the events of a wish to get no more mail.
func (w *world) offers(id string) (n int, reason string) {
	w.t.Helper()
	w.events.mu.Lock()
	defer w.events.mu.Unlock()
	for _, e := range w.events.events {
		if e.Kind == runner.EventOptOut && e.Enrollment == id {
			n, reason = n+1, e.Reason
		}
	}
	return n, reason
}

// TestWishIsOffered holds that a wish to get no more mail is told and shown,
// and that only a person's word unsubscribes.
func TestWishIsOffered(t *testing.T) { onEachStore(t, testWishIsOffered) }

func testWishIsOffered(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, Text: "No thanks. Please remove me from your list."})
	w.person("ben@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, Text: "I unsubscribed from a newsletter last week, but your offer sounds great."})
	anna, ben := w.enroll("anna@example.net").ID, w.enroll("ben@example.net").ID
	w.tick()
	w.pass(3 * time.Hour)
	w.want(anna, runner.StatusReplied, 1)
	w.want(ben, runner.StatusReplied, 1)

	talk := w.conversation(anna)
	answer := talk[len(talk)-1]
	if answer.OptOut != "unsubscribe" || !answer.AnswerNeeded || answer.Fresh != "No thanks. Please remove me from your list." {
		t.Errorf("the wish is not shown: %+v", answer)
	}
	if n, reason := w.offers(anna); n != 1 || strings.Contains(reason, "list") {
		t.Errorf("the wish is told %d times, as %q", n, reason)
	}
	talk = w.conversation(ben)
	if answer := talk[len(talk)-1]; answer.OptOut != "" || answer.Fresh == "" || !strings.Contains(answer.Text, answer.Fresh) {
		t.Errorf("what is no wish: %+v", answer)
	}
	if n, _ := w.offers(ben); n != 0 {
		t.Error("a wish is told that nobody had")
	}

	// Nobody was unsubscribed by it; a person confirms it.
	enroll := func(key string) error {
		p := runner.EnrollParams{Key: key, Link: link, Sequence: threeSteps()}
		p.Recipient.Addr = "anna@example.net"
		_, err := w.run.Enroll(t.Context(), p)
		return err
	}
	if err := enroll("before"); err != nil {
		t.Errorf("a wish alone keeps an address from being enrolled: %v", err)
	}
	if _, err := w.run.Unsubscribe(t.Context(), "anna@example.net"); err != nil {
		t.Fatal(err)
	}
	if err := enroll("after"); err == nil {
		t.Error("who was unsubscribed was enrolled again")
	}
	w.sound()
}

// TestHistoryIsNoWish holds that the footer of our own mail below an answer
// counts for nothing.
func TestHistoryIsNoWish(t *testing.T) { onEachStore(t, testHistoryIsNoWish) }

func testHistoryIsNoWish(t *testing.T, on storage) {
	w := newWorld(t, on)
	w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, Text: "Sounds great."})
	id := w.enroll("anna@example.net", func(p *runner.EnrollParams) {
		p.Sequence.Steps[0].Text = "Hello.\n\nPlease remove me from your list: https://example.com/u"
	}).ID
	w.tick()
	w.pass(3 * time.Hour)
	talk := w.conversation(id)
	answer := talk[len(talk)-1]
	if answer.Fresh != "Sounds great." || answer.OptOut != "" {
		t.Errorf("the answer is %+v", answer)
	}
	if !strings.Contains(answer.Text, "remove me") {
		t.Errorf("the answer does not quote the footer, so nothing was proven: %q", answer.Text)
	}
}

// TestHTMLIsSafe holds that what a conversation shows of incoming HTML can't
// act.
func TestHTMLIsSafe(t *testing.T) { onEachStore(t, testHTMLIsSafe) }

func testHTMLIsSafe(t *testing.T, on storage) {
	for _, remote := range []bool{false, true} {
		w := newWorld(t, on, func(c *runner.Config) { c.Options.RemoteImages = remote })
		w.person("anna@example.net")
		id := w.enroll("anna@example.net").ID
		w.tick()
		sent := w.office.Books().Submissions()
		raw := fmt.Sprintf("From: anna@example.net\r\nTo: %s\r\nSubject: Re: A role in Lisbon\r\nMessage-ID: <h1@example.net>\r\nIn-Reply-To: %s\r\nDate: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"+
			`<p onclick="steal()">Yes!<img src="https://tracker.example/p.gif"><img src="cid:logo@1"></p><script>steal()</script>`+
			`<div class="gmail_quote"><div class="gmail_attr">On Tue, Nov 10, 2026 at 9:14 AM Maria &lt;maria@example.com&gt; wrote:<br></div><blockquote class="gmail_quote">Please remove me from your list</blockquote></div>`+"\r\n",
			sender, sent[0].MessageID, w.office.Clock().Now().Format(time.RFC1123Z))
		if _, err := w.office.Deliver(postoffice.Mail{To: sender, Raw: []byte(raw)}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Hour)
		talk := w.conversation(id)
		e := talk[len(talk)-1]
		if e.Fresh != "Yes!" || e.OptOut != "" || strings.Contains(e.HTML, "steal") || !strings.Contains(e.HTML, `src="cid:logo@1"`) || strings.Contains(e.HTML, "tracker.example") != remote {
			t.Errorf("remote pictures %v: the entry is %+v", remote, e)
		}
	}
}
