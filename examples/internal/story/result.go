package story

import (
	"context"
	"fmt"
	"slices"

	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/store"
)

// Result is the story's end. Everything that is counted is counted by the
// mail service's own books; status and flag are the library's.
type Result struct {
	Provider     string       `json:"provider"`
	Linked       bool         `json:"linked"`
	Preview      Preview      `json:"preview"`
	Enrollments  []Enrollment `json:"enrollments"`
	MessagesSent int          `json:"messages_sent"` // accepted by the service, the preview's among them
	Duplicates   int          `json:"duplicates"`    // mails that reached a recipient twice
	Unrelated    Unrelated    `json:"unrelated"`
	Requests     Requests     `json:"requests"`
}

// Preview counts the mails of the preview.
type Preview struct {
	Sent       int `json:"sent"`
	Inbox      int `json:"inbox"`
	SentFolder int `json:"sent_folder"`
}

// Enrollment is how it ended with one candidate.
type Enrollment struct {
	Recipient string `json:"recipient"`
	StepsSent int    `json:"steps_sent"`
	Status    string `json:"status"`
	Reason    string `json:"reason"`
	Flagged   bool   `json:"flagged"`

	// Threads is in how many conversations of the recipient's own mailbox the
	// mails lie, where the recipient has one: one, if all of them joined.
	Threads int `json:"recipient_threads,omitempty"`
}

// Unrelated counts what was read of mail that is none of ours.
type Unrelated struct {
	Messages         int `json:"messages"`
	EnvelopeRequests int `json:"envelope_requests"`
	ContentRequests  int `json:"content_requests"`
}

// Requests counts requests to the mailbox by class.
type Requests struct {
	Send     int `json:"send"`
	Envelope int `json:"envelope"`
	Content  int `json:"content"`
	Changes  int `json:"changes"`
	Search   int `json:"search"`
	Other    int `json:"other"`
}

func (s *Story) result(ctx context.Context) (*Result, error) {
	books := s.office.Books()
	link, err := s.linker.Get(ctx, s.link)
	if err != nil {
		return nil, err
	}
	r := &Result{Provider: string(s.svc.Provider.Kind()), Linked: link.Status == store.LinkLinked, Duplicates: s.duplicates()}
	sent := make(map[string]int)
	for _, sub := range books.SentFrom(s.sender) {
		r.MessagesSent++
		for _, to := range sub.Recipients {
			sent[to]++
		}
	}
	r.Preview = s.previewed(sent[s.sender])
	for _, c := range cast() {
		e, err := s.run.Get(ctx, s.ids[c.addr])
		if err != nil {
			return nil, err
		}
		r.Enrollments = append(r.Enrollments, Enrollment{
			Recipient: c.addr, StepsSent: sent[c.addr], Status: string(e.Status), Reason: e.Reason, Flagged: e.Flagged,
			Threads: s.threads(c.addr),
		})
	}
	for m := range s.box.Visible() {
		if m.Unrelated {
			r.Unrelated.Messages++
		}
	}
	for _, read := range books.Reads() {
		if read.Unrelated && read.Mailbox == s.sender {
			r.Unrelated.EnvelopeRequests += read.Envelopes
			r.Unrelated.ContentRequests += read.Contents
		}
	}
	req := s.box.Requests()
	r.Requests = Requests{
		Send: req[postoffice.RequestSend], Envelope: req[postoffice.RequestEnvelope], Content: req[postoffice.RequestContent],
		Changes: req[postoffice.RequestChanges], Search: req[postoffice.RequestSearch], Other: req[postoffice.RequestOther],
	}
	return r, nil
}

// duplicates counts the sender's mails that reached a recipient twice.
func (s *Story) duplicates() int {
	mine := make(map[string]bool)
	for _, sub := range s.office.Books().SentFrom(s.sender) {
		mine[sub.Key], mine[sub.SuppliedID] = true, true
	}
	n := 0
	for _, d := range s.office.Books().Duplicates() {
		if d.Key != "" && mine[d.Key] || d.MessageID != "" && mine[d.MessageID] {
			n++
		}
	}
	return n
}

// threads counts the conversations in a recipient's own mailbox that hold
// mails of the sender.
func (s *Story) threads(recipient string) int {
	box := s.office.Mailbox(recipient)
	if box == nil {
		return 0
	}
	ids := make(map[string]bool)
	for _, sub := range s.office.Books().SentFrom(s.sender) {
		ids[sub.MessageID] = true
	}
	threads := make(map[int64]bool)
	for m := range box.Visible() {
		if ids[m.MessageID] {
			threads[m.Thread] = true
		}
	}
	return len(threads)
}

// previewed counts the preview's mails in the sender's own mailbox.
func (s *Story) previewed(sent int) Preview {
	p := Preview{Sent: sent}
	ids := make(map[string]bool)
	for _, sub := range s.office.Books().SentFrom(s.sender) {
		if slices.Contains(sub.Recipients, s.sender) {
			ids[sub.MessageID] = true
		}
	}
	for m := range s.box.Visible() {
		if !ids[m.MessageID] {
			continue
		}
		if m.Has(postoffice.LabelInbox) {
			p.Inbox++
		}
		if m.Has(postoffice.LabelSent) {
			p.SentFolder++
		}
	}
	return p
}

// Summary prints the counts.
func (s *Story) Summary(r *Result) error {
	fmt.Fprintf(s.out, "\n%-28s %-6s %-10s %s\n", "candidate", "mails", "status", "reason")
	for _, e := range r.Enrollments {
		fmt.Fprintf(s.out, "%-28s %-6d %-10s %s\n", e.Recipient, e.StepsSent, e.Status, e.Reason)
	}
	_, err := fmt.Fprintf(s.out, `
What the mail service's own books say:
  %d mails sent, %d of them twice
  %d unrelated mails arrived: of these %d envelopes and %d contents were requested
  requests: %d send, %d envelope, %d content, %d changes, %d search, %d other
  (changes and searches bring identifiers alone, and searches are for the candidates' addresses)
`, r.MessagesSent, r.Duplicates, r.Unrelated.Messages, r.Unrelated.EnvelopeRequests, r.Unrelated.ContentRequests,
		r.Requests.Send, r.Requests.Envelope, r.Requests.Content, r.Requests.Changes, r.Requests.Search, r.Requests.Other)
	return err
}
