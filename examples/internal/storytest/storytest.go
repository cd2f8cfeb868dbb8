// Package storytest says how the story of the quickstarts must end, whichever
// mail service it is told of.
package storytest

import (
	"fmt"

	"github.com/outreachkit/outreach/examples/internal/story"
)

// ending is how it must end with one candidate.
type ending struct {
	steps   int
	status  string
	flagged bool
}

func endings() map[string]ending {
	return map[string]ending{
		"anna.berg@example.net":    {1, "replied", true},
		"ben.okafor@example.org":   {2, "replied", true},
		"chloe.martin@example.net": {1, "replied", true},
		"dev.patel@example.org":    {3, "completed", false},
		"elif.kaya@example.org":    {1, "bounced", false},
		"finn.larsen@example.net":  {2, "replied", true},
		"grace.mbeki@example.net":  {3, "completed", false},
		"hana.sato@example.org":    {2, "replied", true},
	}
}

// Check returns what is wrong with a result; nothing if all is as it must be.
// Hosted says that the candidates have mailboxes of their own.
func Check(r story.Result, provider string, hosted bool) []string {
	var wrong []string
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if !r.Linked || r.Provider != provider || r.Duplicates != 0 {
		bad("linked %t, provider %s, duplicates %d", r.Linked, r.Provider, r.Duplicates)
	}
	if want := (story.Preview{Sent: 3, Inbox: 3, SentFolder: 3}); r.Preview != want {
		bad("the preview is %+v, want %+v", r.Preview, want)
	}
	if want := (story.Unrelated{Messages: 500}); r.Unrelated != want {
		bad("unrelated mail: %+v, want %+v", r.Unrelated, want)
	}
	want := endings()
	total := r.Preview.Sent
	for _, e := range r.Enrollments {
		w, ok := want[e.Recipient]
		if !ok || e.StepsSent != w.steps || e.Status != w.status || e.Flagged != w.flagged {
			bad("%+v, want %+v", e, w)
		}
		threads := 0
		if hosted && w.status != "bounced" {
			threads = 1
		}
		if e.Threads != threads {
			bad("%s has the mails in %d conversations, want %d", e.Recipient, e.Threads, threads)
		}
		total += e.StepsSent
	}
	if len(r.Enrollments) != len(want) || r.MessagesSent != total || r.Requests.Send != total {
		bad("%d enrollments, %d mails sent in %d requests, want %d", len(r.Enrollments), r.MessagesSent, r.Requests.Send, total)
	}
	return wrong
}

// Told is what a person must read of the story.
func Told(sender string) []string {
	return []string{
		"Maria Silva links " + sender, "Hana Sato is enrolled, by tom on behalf of maria",
		"step 2 to Finn Larsen got no answer from the service", "Finn Larsen answered", "Dev Patel is out of office", "the mail to Elif Kaya bounced",
		"Grace Mbeki got every step", "The conversation with Finn Larsen", "You caught me at a good moment",
	}
}
