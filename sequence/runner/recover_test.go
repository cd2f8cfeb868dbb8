package runner_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// backed is a world whose store can be backed up and restored.
type backed struct {
	*world
	db     *sql.DB
	dsn    string
	backup string // how to open what backUp made
}

func newBacked(t *testing.T, on storage) *backed {
	t.Helper()
	b := &backed{world: newWorld(t, onMemstore)}
	b.on = on
	b.use(on.empty(t))
	return b
}

// use has the world go on with another database.
func (b *backed) use(dsn string) {
	b.t.Helper()
	b.close()
	b.dsn, b.db = dsn, b.on.database(b.t, dsn)
	s := b.on.migrated(b.t, b.db, b.clock.Now)
	b.store, b.log = s.Enrollments(), s.Conversations()
	b.cfg.Store, b.cfg.Log = b.store, b.log
	b.run = b.runner()
}

func (b *backed) close() {
	b.t.Helper()
	if b.db != nil {
		if err := b.db.Close(); err != nil {
			b.t.Fatal(err)
		}
	}
}

// pass lets time pass, with a tick every hour, and on PostgreSQL fewer after
// the first.
func (b *backed) pass(d time.Duration) {
	b.t.Helper()
	end := b.clock.Now().Add(d)
	for n := 0; b.clock.Now().Before(end); n++ {
		step := time.Hour
		if b.on == onPostgreSQL && n >= 4 {
			step = max(step, d/60)
		}
		b.clock.Advance(min(step, end.Sub(b.clock.Now())))
		b.tick()
	}
}

// backUp copies the database as it is now.
func (b *backed) backUp() {
	b.t.Helper()
	if b.on == onPostgreSQL {
		b.close() // PostgreSQL copies only what nobody is connected to
		b.backup = postgres.Copy(b.t, b.dsn)
		b.use(b.dsn)
		return
	}
	path := filepath.Join(b.t.TempDir(), "backup.db")
	if _, err := b.db.ExecContext(b.t.Context(), "VACUUM INTO '"+path+"'"); err != nil {
		b.t.Fatal(err)
	}
	b.backup = sqliteFile(path)
}

func (b *backed) restore() { b.use(b.backup) }

func (b *backed) recover(p runner.RecoverParams) runner.RecoverReport {
	b.t.Helper()
	rep, err := b.run.Recover(b.t.Context(), p)
	if err != nil {
		b.t.Fatalf("recover: %v", err)
	}
	return rep
}

func (b *backed) duplicates() int { return len(b.office.Books().Duplicates()) }

// lostTime runs a drip world for two days, backs it up, and goes on for four
// more, in which steps leave, answers come, and new people are enrolled. Then
// the backup is put back.
func (b *backed) lostTime() (ids map[string]string, since time.Time) {
	b.t.Helper()
	b.proven()
	people := map[string][]postoffice.Behaviour{
		"grace": nil,
		"anna":  {{Do: postoffice.Answer, On: 1, After: 3 * day}},             // to what the backup knows
		"ben":   {{Do: postoffice.Answer, On: 2, After: 5 * time.Hour}},       // to a mail whose record is lost
		"chloe": {{Do: postoffice.AnswerNew, On: 2, After: 6 * time.Hour}},    // the same, in a new thread
		"dev":   {{Do: postoffice.Answer, On: 2, After: 9 * day}},             // after the restoration
		"elif":  {{Do: postoffice.Bounce, On: 2, After: time.Minute}},         // the second mail
		"lost":  nil,                                                          // enrolled in the lost time
		"gone":  {{Do: postoffice.Answer, On: 1, After: time.Hour}},           // the same, with an answer
		"fresh": {{Do: postoffice.AnswerNew, On: 1, After: 90 * time.Minute}}, // the same, in a new thread
	}
	ids = make(map[string]string)
	for name, does := range people {
		b.person(name+"@example.net", does...)
	}
	for _, name := range []string{"grace", "anna", "ben", "chloe", "dev", "elif"} {
		ids[name] = b.enroll(name + "@example.net").ID
	}
	b.tick()
	b.pass(2 * day)
	since = b.clock.Now()
	b.backUp()
	for _, name := range []string{"lost", "gone", "fresh"} {
		ids[name] = b.enroll(name + "@example.net").ID
	}
	b.pass(4 * day)
	if n := b.mails("grace@example.net") + b.mails("lost@example.net"); n != 4 {
		b.t.Fatalf("%d mails left in the lost time, want 4", n)
	}
	b.restore()
	return ids, since
}

// TestRecover restores a backup. What left after it does not leave again, and
// answers to it stop drips.
func TestRecover(t *testing.T) { onEachDatabase(t, testRecover) }

func testRecover(t *testing.T, on storage) {
	w := newBacked(t, on)
	ids, since := w.lostTime()
	rep := w.recover(runner.RecoverParams{Since: since})
	if rep.Mailboxes != 1 || rep.Found != 5 || rep.Undecided != 0 || len(rep.Pending) != 0 || rep.Incoming < 4 {
		t.Errorf("the report is %+v", rep)
	}
	for _, name := range []string{"lost", "gone", "fresh"} {
		if id := w.enroll(name + "@example.net").ID; id != ids[name] {
			t.Errorf("%s has another id", name)
		}
	}
	w.pass(20 * day)
	for name, want := range map[string]string{
		"grace": "completed 3: out out out",
		"anna":  "replied 1: out in(human)",
		"ben":   "replied 2: out out in(human)",
		"chloe": "replied 2: out out in(human)",
		"dev":   "completed 3: out out out in(human)",
		"elif":  "bounced 2: out out in(bounce)",
		"lost":  "completed 3: out out out",
		"gone":  "replied 1: out in(human)",
		"fresh": "replied 1: out in(human)",
	} {
		entries, err := w.cfg.Log.Conversation(t.Context(), ids[name])
		if err != nil {
			t.Fatal(err)
		}
		e := w.get(ids[name])
		if got := fmt.Sprintf("%s %d: %s", e.Status, e.StepsSent, directions(entries)); got != want {
			t.Errorf("%s: %q, want %q; %s", name, got, want, w.events.kinds(ids[name]))
		}
		for _, en := range entries {
			if en.Direction == runner.DirectionOut && (en.Subject == "" || en.Text == "" || en.MessageID == "") {
				t.Errorf("%s: step %d has no subject, text or Message-ID in the conversation", name, en.Step)
			}
		}
	}
	// The host has seen the events of the lost time, and tells them apart by
	// their ids.
	kinds := make(map[string]runner.EventKind)
	for _, ev := range w.events.events {
		if was, ok := kinds[ev.ID]; ok && was != ev.Kind {
			t.Errorf("event %s was %q in the lost time, and is %q now", ev.ID, was, ev.Kind)
		}
		kinds[ev.ID] = ev.Kind
	}
	w.sound()
}

// TestWithoutRecover is the proof that TestRecover can fail.
func TestWithoutRecover(t *testing.T) { onEachDatabase(t, testWithoutRecover) }

func testWithoutRecover(t *testing.T, on storage) {
	w := newBacked(t, on)
	w.lostTime()
	w.enroll("lost@example.net")
	w.pass(10 * day)
	if w.duplicates() < 2 {
		t.Errorf("%d mails were sent twice", w.duplicates())
	}
}

// TestRecoverUnproven restores onto a mailbox that can't prove what did not
// leave: nothing is sent twice, and a person decides.
func TestRecoverUnproven(t *testing.T) { onEachDatabase(t, testRecoverUnproven) }

func testRecoverUnproven(t *testing.T, on storage) {
	for name, spoil := range map[string]func(w *backed){
		"expired cursor": func(w *backed) { w.box.ExpireChanges() },
		"no sent copies": func(w *backed) {},
	} {
		for _, settled := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, settled %t", name, settled), func(t *testing.T) {
				w := newBacked(t, on)
				if name == "no sent copies" {
					beliefs := postoffice.GmailBeliefs()
					beliefs.SentCopyMissing = true
					w.box.SetBeliefs(beliefs)
				}
				w.person("grace@example.net")
				w.person("silent@example.net")
				id := w.enroll("grace@example.net").ID
				other := w.enroll("silent@example.net").ID
				w.tick()
				w.pass(2 * day)
				if _, err := w.run.Pause(t.Context(), other, "holiday"); err != nil {
					t.Fatal(err)
				}
				since := w.clock.Now()
				w.backUp()
				w.pass(2 * day)
				w.restore()
				spoil(w)
				if _, err := w.run.Resume(t.Context(), other); err != nil {
					t.Fatal(err)
				}
				until := w.clock.Now()
				if settled {
					w.clock.Advance(2 * time.Hour)
				}
				rep := w.recover(runner.RecoverParams{Since: since, Until: until})
				if settled && rep.Undecided == 0 || !settled && rep.Unsettled == 0 {
					t.Errorf("the report is %+v", rep)
				}
				w.pass(day)
				w.want(other, runner.StatusHeld, 1)
				if n := w.mails("silent@example.net"); n != 1 {
					t.Errorf("%d mails without a decision", n)
				}
				if name == "expired cursor" { // what is found is found without it
					w.want(id, runner.StatusActive, 2)
				} else {
					w.want(id, runner.StatusHeld, 1)
					if e, err := w.run.Decide(t.Context(), id, true); err != nil || e.Due.Before(until.Add(4*day)) {
						t.Fatalf("decided: %v; the next step is due %v, and the last may have left at %v", err, e.Due, until)
					}
				}
				if _, err := w.run.Decide(t.Context(), other, false); err != nil {
					t.Fatal(err)
				}
				w.pass(20 * day)
				w.want(id, runner.StatusCompleted, 3)
				w.want(other, runner.StatusCompleted, 3)
				w.sound()
			})
		}
	}
}

// TestRecoverCutShort dies at every commit of Recover. Tick goes on with it,
// and sends nothing twice.
func TestRecoverCutShort(t *testing.T) { onEachDatabase(t, testRecoverCutShort) }

func testRecoverCutShort(t *testing.T, on storage) {
	step := map[storage]int{onSQLite: 1, onPostgreSQL: 3}[on]
	for at, more := 1, true; more; at += step {
		more = t.Run(fmt.Sprint("commit ", at), func(t *testing.T) { more = cutShort(t, on, at) }) && more
		if !more && at < 6 {
			t.Errorf("only %d commits", at)
		}
	}
}

// cutShort dies at one commit of Recover, and reports whether there is such
// a commit.
func cutShort(t *testing.T, on storage, at int) bool {
	w := newBacked(t, on)
	_, since := w.lostTimeShort()
	f := &flaky{EnrollmentStore: w.cfg.Store, at: at, after: at%2 == 0}
	w.cfg.Store = f
	w.run = w.runner()
	_, err := w.run.Recover(t.Context(), runner.RecoverParams{Since: since})
	if f.strikes == 0 {
		return false
	}
	if err == nil {
		t.Error("no error")
	}
	w.pass(12 * day)
	if w.duplicates() > 0 {
		t.Error(w.office.Books().Duplicates())
	}
	return true
}

func (b *backed) lostTimeShort() (id string, since time.Time) {
	b.t.Helper()
	b.proven()
	b.person("grace@example.net")
	b.person("ben@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: 5 * time.Hour})
	id = b.enroll("grace@example.net").ID
	b.enroll("ben@example.net")
	b.tick()
	b.pass(2 * day)
	since = b.clock.Now()
	b.backUp()
	b.pass(2 * day)
	b.restore()
	return id, since
}

// TestRecoverLostLink can't ask a mailbox whose link is broken. Nothing is
// sent from it until it was.
func TestRecoverLostLink(t *testing.T) { onEachDatabase(t, testRecoverLostLink) }

func testRecoverLostLink(t *testing.T, on storage) {
	w := newBacked(t, on)
	id, since := w.lostTimeShort()
	w.breakLink(&provider.Error{Kind: provider.ErrRelink, Op: "open", Reason: "invalid_grant"})
	rep := w.recover(runner.RecoverParams{Since: since})
	if len(rep.Pending) != 1 || rep.Mailboxes != 0 {
		t.Errorf("the report is %+v", rep)
	}
	for _, why := range rep.Pending {
		if !strings.Contains(why, "relink") {
			t.Errorf("pending for %q", why)
		}
	}
	w.pass(day)
	w.breakLink(nil)
	w.pass(10 * day)
	w.want(id, runner.StatusCompleted, 3)
	w.sound()
}

func (b *backed) breakLink(err error) { b.open.err = err }

func TestRecoverParams(t *testing.T) { onEachDatabase(t, testRecoverParams) }

func testRecoverParams(t *testing.T, on storage) {
	w := newBacked(t, on)
	now := w.clock.Now()
	for field, p := range map[string]runner.RecoverParams{
		"Since":    {},
		"future":   {Since: now.Add(time.Hour)},
		"Until":    {Since: now.Add(-time.Hour), Until: now.Add(-2 * time.Hour)},
		"Reenroll": {Since: now.Add(-time.Hour), Reenroll: -1},
	} {
		_, err := w.run.Recover(t.Context(), p)
		wantIs(t, err, provider.ErrInvalid)
		if field != "future" && !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	since := now.Add(-time.Hour)
	for range 2 { // the same again goes on
		w.recover(runner.RecoverParams{Since: since})
	}
	_, err := w.run.Recover(t.Context(), runner.RecoverParams{Since: since.Add(-time.Minute)})
	wantIs(t, err, provider.ErrInvalid)
	w.clock.Advance(day)
	w.recover(runner.RecoverParams{Since: now.Add(time.Hour)})
}
