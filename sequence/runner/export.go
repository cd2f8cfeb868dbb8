package runner

import (
	"cmp"
	"context"
	"fmt"
	"net/mail"
	"slices"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
	"github.com/outreachkit/outreach/store"
)

// PersonData is what is kept of one person, for an answer to a request for
// access (GDPR article 15). It marshals to JSON.
type PersonData struct {
	Address    string    `json:"address,omitempty"` // normalised
	At         time.Time `json:"at,omitzero"`
	Suppressed bool      `json:"suppressed,omitempty"` // it is written to no more; what is kept for that is a keyed hash of the address

	Enrollments []PersonEnrollment `json:"enrollments,omitempty"`
}

// PersonEnrollment is one run through a sequence, one single mail or one
// reply.
type PersonEnrollment struct {
	ID       string         `json:"id,omitempty"`
	Key      string         `json:"key,omitempty"`
	Sequence string         `json:"sequence,omitempty"`
	Kind     EnrollmentKind `json:"kind,omitempty"`
	Status   Status         `json:"status,omitempty"`
	Reason   string         `json:"reason,omitempty"`
	Owner    string         `json:"owner,omitempty"`
	Actor    string         `json:"actor,omitempty"`
	Created  time.Time      `json:"created,omitzero"`

	Recipient provider.Address  `json:"recipient,omitzero"` // the name and address it was enrolled with
	Known     []string          `json:"known,omitempty"`    // further addresses that the person answered from
	Zone      string            `json:"zone,omitempty"`
	Data      map[string]string `json:"data,omitempty"` // what the mails were filled in with

	// Sent are the mails that left or may have, and Conversation what was
	// logged, by time; that of a reply is with the enrollment it answers in.
	Sent         []PersonMail  `json:"sent,omitempty"`
	Conversation []PersonEntry `json:"conversation,omitempty"`
}

// PersonMail is one mail to the person.
type PersonMail struct {
	Step      int          `json:"step,omitempty"`
	State     string       `json:"state,omitempty"` // as in store.IntentState
	At        time.Time    `json:"at,omitzero"`
	MessageID string       `json:"message_id,omitempty"`
	Subject   string       `json:"subject,omitempty"`
	Text      string       `json:"text,omitempty"`
	HTML      string       `json:"html,omitempty"`
	Parts     []store.Part `json:"parts,omitempty"`
}

// PersonEntry is one entry of a conversation. Withheld says that somebody
// else wrote it: who, and what, is theirs and left out.
type PersonEntry struct {
	store.Entry
	Withheld bool `json:"withheld,omitempty"`
}

// Export returns all that the store and the log keep of a person, named by
// the address that was enrolled. Of mail that others wrote in a conversation,
// colleagues in copy and strangers in a merged thread among them, only that
// it came is told, and Bcc is left out. What the mailbox itself holds is its
// user's. It holds all in memory at once: that of one person is little.
//
// A person who is not known has no enrollments; that is no error. An
// enrollment whose record can't be read is one, since the answer would not be
// whole.
func (r *Runner) Export(ctx context.Context, addr string) (PersonData, error) {
	const op = "runner: export"
	out := PersonData{Address: provider.Normalize(addr), At: r.cfg.Now().UTC()}
	if out.Address == "" {
		return PersonData{}, &provider.FieldError{Op: op, Field: "addr", Problem: "is not a mail address"}
	}
	hit, err := r.cfg.Store.Suppressed(ctx, []string{r.suppressionHash(addr)})
	if err != nil {
		return PersonData{}, fmt.Errorf("%s: %w", op, err)
	}
	out.Suppressed = len(hit) > 0
	var rows []store.Enrollment
	if err := r.listAll(ctx, store.ListEnrollments{Recipient: out.Address}, func(row store.Enrollment) { rows = append(rows, row) }); err != nil {
		return PersonData{}, err
	}
	for _, row := range rows {
		l, err := r.understand(ctx, row)
		if err != nil {
			return PersonData{}, err
		}
		e, err := r.exported(ctx, l)
		if err != nil {
			return PersonData{}, fmt.Errorf("%s: enrollment %s: %w", op, row.ID, err)
		}
		out.Enrollments = append(out.Enrollments, e)
	}
	slices.SortStableFunc(out.Enrollments, func(a, b PersonEnrollment) int { return a.Created.Compare(b.Created) })
	return out, nil
}

func (r *Runner) exported(ctx context.Context, l *loaded) (PersonEnrollment, error) {
	view := r.view(l)
	e := PersonEnrollment{
		ID: view.ID, Kind: view.Kind, Key: view.Key, Sequence: view.Sequence, Status: view.Status, Reason: view.Reason,
		Owner: view.Owner, Actor: view.Actor, Created: view.Created, Recipient: view.Recipient,
		Known: l.rec.Known, Zone: l.rec.Zone, Data: l.rec.Vars,
	}
	intents, err := r.cfg.Store.LoadIntents(ctx, l.id())
	if err != nil {
		return e, err
	}
	for _, in := range intents {
		if in.State == store.IntentNotSent {
			continue
		}
		meta, err := r.metaOf(in)
		if err != nil {
			return e, err
		}
		e.Sent = append(e.Sent, PersonMail{
			Step: in.Step, State: string(in.State), At: in.Created, MessageID: cmp.Or(in.RealMessageID, in.MessageID),
			Subject: meta.Subject, Text: meta.Text, HTML: meta.HTML, Parts: meta.Parts,
		})
	}
	if r.cfg.Log == nil {
		return e, nil
	}
	entries, err := r.cfg.Log.Conversation(ctx, l.id())
	for _, entry := range entries {
		e.Conversation = append(e.Conversation, disclosed(entry, l.addresses()))
	}
	return e, err
}

// disclosed leaves out what somebody else than the person wrote.
func disclosed(e store.Entry, theirs []string) PersonEntry {
	if e.Direction != DirectionIn || slices.Contains(machines, classify.Class(e.Class)) || writtenBy(e.From, theirs) {
		return PersonEntry{Entry: e}
	}
	return PersonEntry{Withheld: true, Entry: store.Entry{
		Key: e.Key, Conversation: e.Conversation, Mailbox: e.Mailbox, Link: e.Link, Owner: e.Owner, Actor: e.Actor, Recipient: e.Recipient,
		Direction: e.Direction, Class: e.Class, Evidence: e.Evidence, At: e.At,
	}}
}

// machines are the classes of what no person wrote and is about our mail.
var machines = []classify.Class{classify.Bounce, classify.Delayed, classify.Receipt, classify.FeedbackReport}

func writtenBy(from string, addrs []string) bool {
	list, err := mail.ParseAddressList(from)
	return err == nil && slices.ContainsFunc(list, func(a *mail.Address) bool { return slices.Contains(addrs, provider.Normalize(a.Address)) })
}
