package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/outreachkit/outreach/examples/internal/story"
)

// TestQuickstart holds what the quickstart promises, by the fake's books.
func TestQuickstart(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), true, &out); err != nil {
		t.Fatal(err)
	}
	var r story.Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if !r.Linked || r.Provider != "gmail" || r.Duplicates != 0 {
		t.Errorf("linked %t, provider %s, duplicates %d", r.Linked, r.Provider, r.Duplicates)
	}
	if want := (story.Preview{Sent: 3, Inbox: 3, SentFolder: 3}); r.Preview != want {
		t.Errorf("the preview is %+v, want %+v", r.Preview, want)
	}
	if want := (story.Unrelated{Messages: 500}); r.Unrelated != want {
		t.Errorf("unrelated mail: %+v, want %+v", r.Unrelated, want)
	}
	want := map[string]struct {
		steps   int
		status  string
		flagged bool
	}{
		"anna.berg@example.net":    {1, "replied", true},
		"ben.okafor@example.org":   {2, "replied", true},
		"chloe.martin@example.net": {1, "replied", true},
		"dev.patel@example.org":    {3, "completed", false},
		"elif.kaya@example.org":    {1, "bounced", false},
		"finn.larsen@example.net":  {2, "replied", true},
		"grace.mbeki@example.net":  {3, "completed", false},
		"hana.sato@example.org":    {2, "replied", true},
	}
	total := r.Preview.Sent
	for _, e := range r.Enrollments {
		w, ok := want[e.Recipient]
		if !ok || e.StepsSent != w.steps || e.Status != w.status || e.Flagged != w.flagged {
			t.Errorf("%+v, want %+v", e, w)
		}
		total += e.StepsSent
	}
	if len(r.Enrollments) != len(want) || r.MessagesSent != total || r.Requests.Send != total {
		t.Errorf("%d enrollments, %d mails sent in %d requests, want %d", len(r.Enrollments), r.MessagesSent, r.Requests.Send, total)
	}
}

// TestTold is what a person reads.
func TestTold(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), false, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Maria Silva links maria.silva@agency.example.com", "Hana Sato is enrolled, by tom on behalf of maria",
		"step 2 to Finn Larsen got no answer from the service", "Finn Larsen answered", "Dev Patel is out of office", "the mail to Elif Kaya bounced",
		"Grace Mbeki got every step", "The conversation with Finn Larsen", "You caught me at a good moment",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story does not tell %q", want)
		}
	}
}
