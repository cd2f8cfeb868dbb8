package runner_test

import (
	"context"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/memstore"
)

// host is a small host: a mail world with Maria's mailbox and Ada in it, a
// store, and a runner over both.
type host struct {
	clock  *postoffice.Clock
	office *postoffice.Office
	linker *linking.Linker
	link   string // Maria's
	mem    *memstore.Store
	run    *runner.Runner
}

func newHost(ada ...postoffice.Behaviour) (*host, error) {
	h := &host{clock: postoffice.NewClock(time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC))}
	var err error
	if h.office, err = postoffice.New(postoffice.Config{Clock: h.clock}); err != nil {
		return nil, err
	}
	if _, err = h.office.AddMailbox(postoffice.MailboxConfig{Address: "maria@agency.example.com", Name: "Maria"}); err != nil {
		return nil, err
	}
	if err = h.office.AddPerson(postoffice.Person{Address: "ada@example.net", Name: "Ada", Behaviours: ada}); err != nil {
		return nil, err
	}
	mail := postoffice.NewProvider(h.office, postoffice.ProviderConfig{Name: "mail"})
	h.mem = memstore.New(memstore.Options{Now: h.clock.Now})
	h.linker, err = linking.New(linking.Config{
		Providers: []provider.Provider{mail}, Links: h.mem.Tokens(), Flows: h.mem.Flows(), Now: h.clock.Now, InsecurePlainTokens: true,
	})
	if err != nil {
		return nil, err
	}
	h.link = linked(h.linker, mail)
	return h, h.open(h.mem)
}

// open makes a runner over a store.
func (h *host) open(mem *memstore.Store) (err error) {
	h.run, err = runner.New(runner.Config{
		Store: mem.Enrollments(), Mailboxes: h.linker, Log: mem.Conversations(), Now: h.clock.Now,
		Key: []byte("thirty-two bytes that a host keeps"), Domain: "mail.example.com",
	})
	return err
}

// pass is what run.Run does in a real host, for some time.
func (h *host) pass(ctx context.Context, d time.Duration) error {
	for end := h.clock.Now().Add(d); h.clock.Now().Before(end); h.clock.Advance(time.Hour) {
		if _, err := h.run.Tick(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (h *host) enroll(ctx context.Context) (runner.Enrollment, error) {
	return h.run.Enroll(ctx, runner.EnrollParams{
		Key: "campaign-7/candidate-42", Link: h.link, Recipient: provider.Address{Name: "Ada", Addr: "ada@example.net"},
		Sequence: lisbon(), Zone: "Europe/Lisbon",
	})
}

func lisbon() *sequence.Sequence {
	return &sequence.Sequence{
		ID: "lisbon", Window: sequence.Window{Days: sequence.Workdays, From: 9 * time.Hour, To: 17 * time.Hour},
		Steps: []sequence.Step{
			{ID: 1, Subject: "A role in Lisbon", Text: "Hello Ada"},
			{ID: 2, Days: 3, Text: "Did my mail reach you?"},
		},
	}
}

// Maria looks at a sequence in her own inbox before anybody else gets it.
func ExampleRunner_Preview() {
	ctx := context.Background()
	h, err := newHost()
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := h.run.Preview(ctx, runner.PreviewParams{Key: "preview-1", Link: h.link, Sequence: lisbon()})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := h.pass(ctx, time.Hour); err != nil {
		fmt.Println(err)
		return
	}
	report, err := h.run.PreviewStatus(ctx, e.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range report.Mails {
		fmt.Println(m.Step, m.Subject, m.State, "in the inbox:", m.InInbox)
	}
	fmt.Println("the link sends and receives:", report.Proven())
	// Output:
	// 1 A role in Lisbon seen in the inbox: true
	// 2 Re: A role in Lisbon seen in the inbox: true
	// the link sends and receives: true
}

// Why nothing leaves now, and when it will.
func ExampleRunner_Explain() {
	ctx := context.Background()
	h, err := newHost()
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := h.enroll(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := h.pass(ctx, 24*time.Hour); err != nil {
		fmt.Println(err)
		return
	}
	ex, err := h.run.Explain(ctx, e.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("step", ex.Due.Step, "at", ex.Due.At) // in Ada's zone
	fmt.Println(ex.Text[0])
	// Output:
	// step 2 at 2026-09-04 10:00:00 +0100 WEST
	// Step 2 is due Fri 4 Sep 2026 10:00 WEST: previous step Tue 2026-09-01 10:00:00 WEST; 3 days later, Fri 2026-09-04 10:00:00 WEST.

}

// The database was put back from last night's backup, which knows nothing of
// the mail that left since. It does not leave again.
func ExampleRunner_Recover() {
	ctx := context.Background()
	h, err := newHost()
	if err != nil {
		fmt.Println(err)
		return
	}
	backup := h.clock.Now()
	if _, err := h.enroll(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := h.pass(ctx, 2*time.Hour); err != nil {
		fmt.Println(err)
		return
	}

	// All processes are stopped, and the backup is restored: an empty store.
	if err := h.open(memstore.New(memstore.Options{Now: h.clock.Now})); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := h.run.Recover(ctx, runner.RecoverParams{Since: backup}); err != nil { // before the first Tick
		fmt.Println(err)
		return
	}
	e, err := h.enroll(ctx) // the host enrolls again what it has no enrollment for, under the same Key
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := h.pass(ctx, 2*time.Hour); err != nil {
		fmt.Println(err)
		return
	}
	e, _ = h.run.Get(ctx, e.ID)
	fmt.Println("mails that left:", len(h.office.Books().Submissions()))
	fmt.Println("mails that the store knows of:", e.StepsSent)
	// Output:
	// mails that left: 1
	// mails that the store knows of: 1
}

// Ada wants to know what is kept of her.
func ExampleRunner_Export() {
	ctx := context.Background()
	h, err := newHost(postoffice.Behaviour{Do: postoffice.Answer, After: time.Hour, Text: "Yes, let us talk."})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := h.enroll(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := h.pass(ctx, 5*time.Hour); err != nil {
		fmt.Println(err)
		return
	}
	data, err := h.run.Export(ctx, "Ada@example.net") // it marshals to JSON
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range data.Enrollments {
		fmt.Println(e.Sequence, e.Status, "mails to her:", len(e.Sent))
		for _, entry := range e.Conversation {
			fmt.Println(entry.Direction, entry.Subject)
		}
	}
	// Output:
	// lisbon replied mails to her: 1
	// out A role in Lisbon
	// in Re: A role in Lisbon
}

// Ada wants to be forgotten.
func ExampleRunner_Erase() {
	ctx := context.Background()
	h, err := newHost()
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := h.enroll(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := h.pass(ctx, 2*time.Hour); err != nil {
		fmt.Println(err)
		return
	}
	n, err := h.run.Erase(ctx, "ada@example.net")
	fmt.Println("enrollments erased:", n, err)
	entries, err := h.mem.Conversations().Conversation(ctx, e.ID)
	fmt.Println("entries left:", len(entries), err)
	_, err = h.run.Send(ctx, runner.SendParams{
		Key: "mail-1", Link: h.link, To: provider.Address{Addr: "ada@example.net"}, Subject: "Hello again", Text: "Hello",
	})
	fmt.Println(err)
	// Output:
	// enrollments erased: 1 <nil>
	// entries left: 0 <nil>
	// runner: the recipient asked for no more mail, or was erased, and is not written to again (Recipient)

}
