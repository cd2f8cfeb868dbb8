//lint:file-ignore SA4006 README.md leaves the errors to its reader

package outreach_test

import (
	"context"
	"database/sql"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/linking/linkhttp"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/seal"
	"github.com/outreachkit/outreach/store/sqlstore"
)

// What stands in README.md, so that it compiles. TestReadme holds the two to
// each other.
var (
	_ = readmeLoop
	_ = readmeFakes
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// host is what README.md's code takes for given.
type host struct {
	db                           *sql.DB
	id, secret, appID, appSecret string
	keys                         *seal.KeyRing
	key                          []byte
	sink                         runner.Sink
	templates                    runner.Renderer
	tell                         func(context.Context, linking.Change) error
	user                         func(*http.Request) (linkhttp.User, error)
	fail                         func(http.ResponseWriter, *http.Request, linkhttp.Failure)
}

func readmeLoop(ctx context.Context, h host, linkID, userID string) (runner.Enrollment, error) {
	db, id, secret, appID, appSecret, keys, secretOf32Bytes := h.db, h.id, h.secret, h.appID, h.appSecret, h.keys, h.key
	mySink, myTemplates, tellUser, whoIsSignedIn, showWhatToDo := h.sink, h.templates, h.tell, h.user, h.fail
	// README.md: 1
	tables := must(sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.PostgreSQL})) // or memstore, or your own: see package store
	google := must(gmail.New(gmail.Config{ClientID: id, ClientSecret: secret}))
	microsoft := must(msgraph.New(msgraph.Config{ClientID: appID, ClientSecret: appSecret}))
	linker := must(linking.New(linking.Config{
		Providers: []provider.Provider{google, microsoft}, Links: tables.Tokens(), Flows: tables.Flows(),
		Sealer: keys, OnChange: tellUser, // keys: a seal.KeyRing, or Google Tink's AEAD
	}))
	run := must(runner.New(runner.Config{
		Store: tables.Enrollments(), Mailboxes: linker, Log: tables.Conversations(), Events: mySink,
		Key: secretOf32Bytes, Domain: "mail.example.com", Sealer: keys, Renderer: myTemplates,
		MayAct: linker.MayAct, // a link's owner lets colleagues send from it with linker.Delegate
	}))
	go run.Run(ctx) // or run.Tick(ctx) from your own scheduler; many processes may share a store

	// Linking: a form posts provider=gmail to the first; the second is what you registered with Google and Microsoft.
	link := must(linkhttp.New(linkhttp.Config{
		Linker: linker, User: whoIsSignedIn, Fail: showWhatToDo, RedirectURL: "https://app.example.com/callback",
	}))
	http.HandleFunc("/link", link.Start)
	http.HandleFunc("/callback", link.Callback)

	// Sending: three mails, on working days in the candidate's zone. linkID is of one that linker.List(ctx, userID) says is linked.
	seq := &sequence.Sequence{
		ID: "lisbon", Version: 1, Window: sequence.Window{Days: sequence.Workdays, From: 9 * time.Hour, To: 17 * time.Hour},
		Steps: []sequence.Step{
			{ID: 1, Subject: "A role in Lisbon", Text: "Hello ..."},
			{ID: 2, Days: 3, Text: "Did my mail reach you?"}, // no subject: an answer in the same thread
			{ID: 3, Days: 4, Text: "A last word from me."},
		},
	}
	enrolled, err := run.Enroll(ctx, runner.EnrollParams{
		Key: "campaign-7/candidate-42", Link: linkID, Recipient: provider.Address{Name: "Ada", Addr: "ada@example.net"},
		Sequence: seq, Zone: "Europe/Paris",
	})

	// The answer: the drip has ended, and your page shows the conversation. Your user answers in its thread.
	entries, err := tables.Conversations().Conversation(ctx, enrolled.ID)
	answer, err := run.Reply(ctx, runner.ReplyParams{Key: "answer-1", Enrollment: enrolled.ID, Actor: userID, Text: "Shall we talk on Monday?"})
	// README.md: end
	_ = entries
	return answer, err
}

func readmeFakes(ctx context.Context, linker *linking.Linker, run *runner.Runner, id, secret, userID string) (*gmail.Provider, linking.Completed) {
	// README.md: 2
	clock := postoffice.NewClock(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)) // a Tuesday morning, whenever the test runs
	office := must(postoffice.New(postoffice.Config{Clock: clock}))           // one world of mail for all fakes
	office.AddMailbox(postoffice.MailboxConfig{Address: "maria@example.com"})
	office.AddPerson(postoffice.Person{Address: "ada@example.net", Behaviours: []postoffice.Behaviour{{Do: postoffice.Answer, After: time.Hour}}})
	fake := must(gmailtest.New(office, gmailtest.Config{ClientID: id, ClientSecret: secret}))
	google := must(gmail.New(gmail.Config{
		ClientID: id, ClientSecret: secret, Endpoints: fake.Endpoints(), HTTPClient: &http.Client{Transport: fake.Transport()}, Now: clock.Now,
	}))
	// linking.Config, runner.Config and memstore.Options take Now: clock.Now too. Then, with linker and run as above:
	begun := must(linker.Begin(ctx, linking.BeginParams{Owner: userID, Session: "s", Provider: "gmail", RedirectURL: callback}))
	back := must(fake.Consent(nil, begun.URL, gmailtest.Answer{Account: "maria@example.com"})) // the consent page, answered
	done := must(linker.Complete(ctx, linking.CompleteParams{Query: back.Query(), Owner: userID, Session: "s"}))
	for range 24 * 14 { // two weeks: a mail leaves in a Tick that falls into its window, an answer is seen in a Tick
		clock.Advance(time.Hour)
		must(run.Tick(ctx))
	}
	// README.md: end
	return google, done
}

func TestReadme(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	page := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read("README.md"), -1)
	code := regexp.MustCompile(`(?s)\t// README\.md: \d\n(.*?)\t// README\.md: end`).FindAllStringSubmatch(read("readme_test.go"), -1)
	if len(page) != len(code) || len(page) == 0 {
		t.Fatalf("README.md has %d pieces of Go, readme_test.go compiles %d", len(page), len(code))
	}
	for i := range page {
		// What compiles stands one tab further in.
		if compiled := strings.TrimPrefix(strings.ReplaceAll("\n"+code[i][1], "\n\t", "\n"), "\n"); page[i][1] != compiled {
			t.Errorf("piece %d of README.md is not what compiles:\n%s\n--- compiled:\n%s", i+1, page[i][1], compiled)
		}
	}
}
