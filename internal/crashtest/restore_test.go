//go:build unix

package crashtest

import (
	"crypto/sha256"
	"database/sql"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/outreachkit/outreach/gmail"
	"github.com/outreachkit/outreach/gmail/gmailtest"
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/msgraph"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/sqlstore"
)

const (
	maria = "maria@agency.example.com"

	// What Microsoft takes for the id of a registration.
	graphID = "00000000-0000-4000-8000-000000000051"
)

// service is a fake mail service with one mailbox.
type service struct {
	prov    provider.Provider
	consent func(page string) (*url.URL, error)
}

func googleService(t *testing.T, office *postoffice.Office) service {
	t.Helper()
	fake, err := gmailtest.New(office, gmailtest.Config{ClientID: clientID, ClientSecret: clientSecret})
	if err != nil {
		t.Fatal(err)
	}
	prov, err := gmail.New(gmail.Config{
		ClientID: clientID, ClientSecret: clientSecret, Endpoints: fake.Endpoints(), HTTPClient: &http.Client{Transport: fake.Transport()}, Now: office.Clock().Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return service{prov, func(page string) (*url.URL, error) {
		return fake.Consent(nil, page, gmailtest.Answer{Account: maria})
	}}
}

func microsoftService(t *testing.T, office *postoffice.Office) service {
	t.Helper()
	fake, err := msgraphtest.New(office, msgraphtest.Config{ClientID: graphID, ClientSecret: clientSecret, Policy: msgraphtest.PolicyAny})
	if err != nil {
		t.Fatal(err)
	}
	prov, err := msgraph.New(msgraph.Config{
		ClientID: graphID, ClientSecret: clientSecret, HTTPClient: &http.Client{Transport: fake.Transport()}, Now: office.Clock().Now,
		Endpoints: &msgraph.Endpoints{Login: fake.LoginURL(), Graph: fake.GraphURL()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return service{prov, func(page string) (*url.URL, error) {
		return fake.Consent(nil, page, msgraphtest.Answer{Account: maria})
	}}
}

// disk is a database that can be copied while nobody works on it.
type disk struct {
	dialect sqlstore.Dialect
	driver  string
	dsn     string
	copy    func(t *testing.T, db *sql.DB, dsn string) (copied string)
}

func sqliteDSN(path string) string {
	return "file:" + path + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_txlock=immediate"
}

func disks() map[string]func(t *testing.T) disk {
	return map[string]func(t *testing.T) disk{
		"SQLite": func(t *testing.T) disk {
			return disk{sqlstore.SQLite, "sqlite", sqliteDSN(filepath.Join(t.TempDir(), "store.db")), func(t *testing.T, db *sql.DB, _ string) string {
				path := filepath.Join(t.TempDir(), "backup.db")
				if _, err := db.Exec("VACUUM INTO '" + path + "'"); err != nil {
					t.Fatal(err)
				}
				return sqliteDSN(path)
			}}
		},
		"PostgreSQL": func(t *testing.T) disk {
			return disk{sqlstore.PostgreSQL, "pgx", postgres.DSN(t), func(t *testing.T, db *sql.DB, dsn string) string {
				db.Close() // PostgreSQL copies only what nobody is connected to
				return postgres.Copy(t, dsn)
			}}
		},
	}
}

// restored is a host that keeps everything in a database, links and their
// tokens included, of which there is a backup.
type restored struct {
	t      *testing.T
	office *postoffice.Office
	svc    service
	disk   disk
	db     *sql.DB
	store  *sqlstore.Store
	linker *linking.Linker
	run    *runner.Runner
	link   string
}

// boot starts the host's program on a database.
func (r *restored) boot(dsn string) {
	r.t.Helper()
	must := func(err error) {
		r.t.Helper()
		if err != nil {
			r.t.Fatal(err)
		}
	}
	var err error
	if r.db != nil {
		must(r.db.Close())
	}
	r.disk.dsn = dsn
	r.db, err = sql.Open(r.disk.driver, dsn)
	must(err)
	r.t.Cleanup(func() { r.db.Close() })
	now := r.office.Clock().Now
	r.store, err = sqlstore.New(r.db, sqlstore.Options{Dialect: r.disk.dialect, Now: now})
	must(err)
	must(r.store.Migrate(r.t.Context()))
	r.linker, err = linking.New(linking.Config{
		Providers: []provider.Provider{r.svc.prov}, Links: r.store.Tokens(), Flows: r.store.Flows(), Now: now, InsecurePlainTokens: true,
	})
	must(err)
	key := sha256.Sum256([]byte("the host's secret"))
	r.run, err = runner.New(runner.Config{
		Store: r.store.Enrollments(), Mailboxes: r.linker, Log: r.store.Conversations(), Key: key[:], Domain: "mail.agency.example.com", Now: now,
		Options: runner.Options{ReadEvery: 30 * time.Minute},
	})
	must(err)
}

func (r *restored) pass(d time.Duration) {
	r.t.Helper()
	clock := r.office.Clock()
	for end := clock.Now().Add(d); clock.Now().Before(end); {
		clock.Advance(tick)
		if _, err := r.run.Tick(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
	}
}

// person is a candidate, written to before the backup or in the lost time.
func (r *restored) person(p part) string { return p.name + "@example.net" }

func (r *restored) enroll(p part) {
	r.t.Helper()
	if _, err := r.run.Enroll(r.t.Context(), runner.EnrollParams{
		Key: p.name, Link: r.link, Recipient: provider.Address{Addr: r.person(p)}, Sequence: drip(), Zone: "UTC",
	}); err != nil {
		r.t.Fatal(err)
	}
}

func newRestored(t *testing.T, d disk, open func(*testing.T, *postoffice.Office) service, people []part) *restored {
	t.Helper()
	office, err := postoffice.New(postoffice.Config{Clock: postoffice.NewClock(begin)})
	if err != nil {
		t.Fatal(err)
	}
	r := &restored{t: t, office: office, disk: d, svc: open(t, office)}
	cfg := postoffice.MailboxConfig{Address: maria, Name: "Maria Silva", Service: string(r.svc.prov.Kind())}
	if r.svc.prov.Kind() == provider.MSGraph {
		beliefs := postoffice.GraphBeliefs()
		cfg.Beliefs, cfg.IDDomain = &beliefs, "namprd00.prod.outlook.com"
	}
	box, err := office.AddMailbox(cfg)
	if err != nil {
		t.Fatal(err)
	}
	box.SetDelays(postoffice.Delays{Visible: 20 * time.Second})
	for _, p := range people {
		if err := office.AddPerson(postoffice.Person{Address: r.person(p), Behaviours: p.does}); err != nil {
			t.Fatal(err)
		}
	}
	r.boot(d.dsn)
	begun, err := r.linker.Begin(t.Context(), linking.BeginParams{
		Owner: "maria", Session: "session", Provider: r.svc.prov.Name(), RedirectURL: "http://127.0.0.1/callback", ReturnTo: "/",
	})
	if err != nil {
		t.Fatal(err)
	}
	back, err := r.svc.consent(begun.URL)
	if err != nil {
		t.Fatal(err)
	}
	done, err := r.linker.Complete(t.Context(), linking.CompleteParams{Query: back.Query(), Owner: "maria", Session: "session"})
	if err != nil {
		t.Fatal(err)
	}
	r.link = done.Link.ID
	if _, err := r.run.Preview(t.Context(), runner.PreviewParams{Key: "proof", Link: r.link, Sequence: drip()}); err != nil {
		t.Fatal(err)
	}
	r.pass(5 * tick)
	return r
}

// TestRestore puts an old backup back after a time in which mail left, answers
// came, and people were enrolled that it knows nothing of. After Recover all
// ends as if nothing had been lost.
func TestRestore(t *testing.T) {
	for service, open := range map[string]func(*testing.T, *postoffice.Office) service{"Gmail": googleService, "Microsoft": microsoftService} {
		for name, disk := range disks() {
			t.Run(service+" "+name, func(t *testing.T) {
				known := parts()
				var lost []part // enrolled in the lost time
				for _, p := range parts() {
					p.name = "late-" + p.name
					lost = append(lost, p)
				}
				people := append(known, lost...)
				r := newRestored(t, disk(t), open, people)
				for _, p := range people[:len(parts())] {
					r.enroll(p)
				}
				r.pass(10 * tick)
				since := r.office.Clock().Now()
				backup := r.disk.copy(t, r.db, r.disk.dsn)
				r.boot(r.disk.dsn)
				for _, p := range lost {
					r.enroll(p)
				}
				r.pass(24 * tick) // the second mails of those known, the first of the others
				left := len(r.office.Books().Submissions())
				r.boot(backup)
				rep, err := r.run.Recover(t.Context(), runner.RecoverParams{Since: since})
				if err != nil {
					t.Fatal(err)
				}
				if rep.Mailboxes != 1 || rep.Found == 0 || rep.Undecided != 0 || len(rep.Pending) != 0 {
					t.Errorf("the report is %+v", rep)
				}
				if n := len(r.office.Books().Submissions()); n != left {
					t.Errorf("Recover sent %d mails", n-left)
				}
				for _, p := range lost {
					r.enroll(p)
				}
				r.pass(80 * tick)
				r.check(people)
			})
		}
	}
}

// check holds the end against the service's own books.
func (r *restored) check(people []part) {
	r.t.Helper()
	for _, d := range r.office.Books().Duplicates() {
		r.t.Errorf("sent twice: %+v", d)
	}
	sent := make(map[string]int)
	for _, s := range r.office.Books().Submissions() {
		for _, to := range s.Recipients {
			sent[to]++
		}
	}
	for _, p := range people {
		to := r.person(p)
		e, err := r.run.ByKey(r.t.Context(), p.name)
		if err != nil {
			r.t.Errorf("%s: %v", p.name, err)
			continue
		}
		if sent[to] != p.steps || e.Status != p.status || e.StepsSent != p.steps || e.InFlight {
			r.t.Errorf("%s: %d mails, %s (%s %s) after %d steps, want %s after %d", p.name, sent[to], e.Status, e.Reason, e.Hold, e.StepsSent, p.status, p.steps)
		}
		entries, err := r.store.Conversations().Conversation(r.t.Context(), e.ID)
		if err != nil {
			r.t.Fatal(err)
		}
		out := 0
		for _, en := range entries {
			if en.Direction == runner.DirectionOut {
				out++
			}
		}
		if in := len(entries) - out; out != p.steps || (in > 0) != (len(p.does) > 0) {
			r.t.Errorf("the conversation with %s has %d mails of ours and %d of theirs, want %d", p.name, out, in, p.steps)
		}
	}
}
