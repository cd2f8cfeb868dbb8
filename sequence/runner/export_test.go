package runner_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// TestExport: all that is kept of a person, and nothing that others wrote.
func TestExport(t *testing.T) { onEachStore(t, testExport) }

func testExport(t *testing.T, on storage) {
	w := newWorld(t, on, func(c *runner.Config) { c.Sealer = ring(t, 1) })
	b := w.box.Beliefs()
	b.EqualSubjectsMerge = true
	w.box.SetBeliefs(b)
	w.person("tom@agency.example.com", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 30 * time.Minute, Text: "A colleague's opinion."})
	w.person("anna@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 2 * time.Hour, Text: "Anna's words."})
	w.person("ben@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 3 * time.Hour, Text: "Ben's words."})
	anna := w.enroll("anna@example.net", func(p *runner.EnrollParams) {
		p.Recipient.Name, p.Data, p.Bcc = "Anna", map[string]string{"city": "Porto"}, []provider.Address{{Addr: "tom@agency.example.com"}}
	}).ID
	w.enroll("ben@example.net", func(p *runner.EnrollParams) { p.Data = map[string]string{"city": "Faro"} })
	w.tick()
	w.clock.Advance(time.Minute)
	w.write("eve@example.org", "Re: A role in Lisbon", "", "A stranger's words.")
	w.pass(5 * time.Hour)
	w.reply(runner.ReplyParams{Key: "r1", Enrollment: anna, Text: "Our answer to Anna."})
	w.pass(time.Hour)

	got, err := w.run.Export(t.Context(), "Anna@Example.net")
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Enrollments) != 2 || got.Suppressed || got.Address != "anna@example.net" {
		t.Fatalf("%d enrollments, suppressed %t, %q", len(got.Enrollments), got.Suppressed, got.Address)
	}
	drip, reply := got.Enrollments[0], got.Enrollments[1]
	if drip.Data["city"] != "Porto" || len(drip.Sent) != 1 || drip.Sent[0].Text != "Hello, I saw your work." || reply.Kind != "reply" || len(reply.Sent) != 1 {
		t.Errorf("the enrollments are %+v", got.Enrollments)
	}
	var shown []string
	for _, e := range drip.Conversation {
		switch {
		case e.Withheld && e.Text+e.From+e.Subject+e.HTML+e.Fresh+e.MessageID == "":
			shown = append(shown, "withheld")
		case !e.Withheld:
			shown = append(shown, e.Direction)
		}
	}
	if s := strings.Join(shown, " "); s != "out withheld withheld in out" {
		t.Errorf("the conversation is %q", s)
	}
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"Anna's words", "Our answer to Anna", "Porto"} {
		if !strings.Contains(string(data), words) {
			t.Errorf("%q is not in it", words)
		}
	}
	for _, words := range []string{"Ben", "ben@", "Faro", "colleague", "tom@", "stranger", "eve@"} {
		if strings.Contains(string(data), words) {
			t.Errorf("%q is in it", words)
		}
	}
	if _, err := w.run.Erase(t.Context(), "anna@example.net"); err != nil {
		t.Fatal(err)
	}
	got, err = w.run.Export(t.Context(), "anna@example.net")
	if err != nil || len(got.Enrollments) != 0 || !got.Suppressed {
		t.Errorf("of somebody erased: %+v, %v", got, err)
	}
	_, err = w.run.Export(t.Context(), "nobody")
	wantIs(t, err, provider.ErrInvalid)
}
