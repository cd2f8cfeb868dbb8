package runner_test

import (
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// TestAnswerNeeded: what a person wrote, and what may be a person's, waits for
// an answer in the list of the owner and in that of the colleague who acts,
// until one is given in whatever way.
func TestAnswerNeeded(t *testing.T) { onEachStore(t, testAnswerNeeded) }

func testAnswerNeeded(t *testing.T, on storage) {
	for what, arrives := range map[string]func(w *world, ours string){
		"an answer": func(w *world, ours string) {
			w.deliver("From: grace@example.net", "To: "+sender, "Subject: Re: A role in Lisbon", "Message-ID: <1@example.net>", "In-Reply-To: "+ours, "", "Tell me more.", "")
		},
		"an unclear one": func(w *world, ours string) {
			w.deliver("From: grace@example.net", "To: "+sender, "Subject: Re: A role in Lisbon", "Message-ID: <1@example.net>", "In-Reply-To: "+ours,
				"List-Id: <team.example.net>", "", "Tell me more.", "")
		},
	} {
		for how, answer := range map[string]func(w *world, id, ours string){
			"by a reply": func(w *world, id, _ string) {
				w.reply(runner.ReplyParams{Key: "r1", Enrollment: id, Actor: "tom", Text: "Shall we talk on Monday?"})
			},
			"in the mailbox": func(w *world, _, ours string) {
				if _, err := w.box.Submit(postoffice.SubmitParams{Raw: crlfLines("From: "+sender, "To: grace@example.net", "Subject: Re: A role in Lisbon",
					"Message-ID: <byhand@agency.example.com>", "In-Reply-To: <1@example.net>", "References: "+ours+" <1@example.net>", "", "I will call you.", "")}); err != nil {
					w.t.Fatal(err)
				}
			},
			"by a word": func(w *world, id, _ string) {
				if _, err := w.run.Answered(w.t.Context(), id); err != nil {
					w.t.Fatal(err)
				}
			},
		} {
			t.Run(what+" "+how, func(t *testing.T) {
				w := newWorld(t, on, func(c *runner.Config) { c.MayAct = (&permits{may: true}).ask })
				w.person("grace@example.net")
				id := w.enroll("grace@example.net", asTom).ID
				w.tick()
				w.clock.Advance(time.Hour)
				ours := w.first("grace@example.net").MessageID
				arrives(w, ours)
				w.pass(time.Hour)
				if w.needed("maria") != id || w.needed("tom") != id || w.needed("eve") != "" || !w.get(id).Flagged {
					t.Fatalf("it waits for an answer of maria %q, of tom %q, of eve %q; flagged %t", w.needed("maria"), w.needed("tom"), w.needed("eve"), w.get(id).Flagged)
				}
				answer(w, id, ours)
				w.pass(time.Hour)
				if w.needed("maria")+w.needed("tom") != "" || w.get(id).Flagged {
					t.Errorf("it waits still of maria %q, of tom %q; flagged %t", w.needed("maria"), w.needed("tom"), w.get(id).Flagged)
				}
				w.sound()
			})
		}
	}
}
