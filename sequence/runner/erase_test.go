package runner_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
)

// inFile is a world over a SQLite file.
func inFile(t *testing.T, change ...func(*runner.Config)) (w *world, db *sql.DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "store.db")
	db = onSQLite.database(t, sqliteFile(path))
	w = newWorld(t, onSQLite, change...)
	s := onSQLite.migrated(t, db, w.clock.Now)
	w.store, w.log = s.Enrollments(), s.Conversations()
	w.cfg.Store, w.cfg.Log = w.store, w.log
	w.run = w.runner()
	return w, db, path
}

// traces lists which of the words stand in a SQLite database: in its tables,
// and in its file once that was rewritten, since a database only marks what
// was deleted as free.
func traces(t *testing.T, db *sql.DB, path string, words ...string) []string {
	t.Helper()
	var found []string
	look := func(where, text string) {
		for _, w := range words {
			if strings.Contains(strings.ToLower(text), strings.ToLower(w)) {
				found = append(found, w+" in "+where)
			}
		}
	}
	var tables []string
	rows, err := db.QueryContext(t.Context(), "SELECT name FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, name := range tables {
		rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+name)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for i, v := range values {
				look(name+"."+columns[i], string(v))
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, do := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := db.ExecContext(t.Context(), do); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		look("the file "+filepath.Base(f), string(data))
	}
	return found
}

// TestErasedFromTheFile: after a whole conversation, with a sink that is down,
// nothing that was known of a person stands in the database's file.
func TestErasedFromTheFile(t *testing.T) {
	w, db, path := inFile(t)
	b := w.box.Beliefs()
	b.EqualSubjectsMerge = true
	w.box.SetBeliefs(b)
	const anna, private = "anna.secretname@example.net", "secretprivate@example.org"
	w.person(anna,
		postoffice.Behaviour{Do: postoffice.OutOfOffice, On: 1, After: time.Minute, Until: start.Add(day), Text: "Secretwords: away."},
		postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: time.Hour, From: private, Text: "Secretwords: gladly."})
	w.person("ben@example.net")
	id := w.enroll(anna, func(p *runner.EnrollParams) {
		p.Key, p.Recipient.Name, p.Data = "k1", "Anna Secretname", map[string]string{"city": "Secrettown"}
	}).ID
	w.enroll("ben@example.net")
	w.tick()
	w.pass(3 * time.Hour)
	w.reply(runner.ReplyParams{Key: "r1", Enrollment: id, Text: "Secretwords: our answer."})
	w.pass(time.Hour)
	w.write(private, "Secretsubject", "", "Secretwords: one more.")
	w.pass(time.Hour)
	w.events.mu.Lock()
	w.events.err = os.ErrClosed // what happens from now on waits in the outbox
	w.events.mu.Unlock()
	w.write(anna, "Secretsubject", "", "Secretwords: unsubscribe me.")
	w.clock.Advance(time.Hour)
	_, _ = w.run.Tick(t.Context())
	words := []string{"secret", "anna"}
	if len(traces(t, db, path, words...)) < 10 {
		t.Fatal("there is nothing to erase")
	}
	if n, err := w.run.Erase(t.Context(), anna); err != nil || n != 2 {
		t.Fatalf("%d erased, %v", n, err)
	}
	if left := traces(t, db, path, words...); len(left) > 0 {
		t.Errorf("of an erased person there is left %v", left)
	}
	w.events.mu.Lock()
	w.events.err = nil
	w.events.mu.Unlock()
	w.write(anna, "Secretsubject", "", "Secretwords: did you?")
	w.write(private, "Re: A role in Lisbon", "", "Secretwords: did you?")
	w.box.ExpireChanges()
	w.pass(day)
	if left := traces(t, db, path, words...); len(left) > 0 {
		t.Errorf("after a late answer there is %v", left)
	}
	w.sound()
}

// TestErasedWhileUnreadable: what could not be read and is tried again is none
// of ours any more once its author is erased.
func TestErasedWhileUnreadable(t *testing.T) {
	for name, write := range map[string]func(w *world){
		"in our thread": func(w *world) {
			w.write("anna.secretname@example.net", "Re: A role in Lisbon", w.first("anna.secretname@example.net").MessageID, "Yes.")
		},
		"in a new thread": func(w *world) { w.write("anna.secretname@example.net", "Secretsubject", "", "Yes.") },
	} {
		t.Run(name, func(t *testing.T) {
			const anna = "anna.secretname@example.net"
			w, db, path := inFile(t)
			w.person(anna)
			w.person("ben@example.net")
			id := w.enroll(anna, func(p *runner.EnrollParams) { p.Key = "k1" }).ID
			w.enroll("ben@example.net")
			w.pass(2 * time.Hour)
			write(w)
			asked, hers := 0, ""
			for m := range w.box.Visible() {
				if m.From[0] == anna {
					hers = fmt.Sprintf("m%d", m.Number)
				}
			}
			w.oddly(oddBox{envelope: func(ref provider.Ref) error {
				if string(ref) != hers {
					return nil
				}
				asked++
				return &provider.Error{Kind: provider.ErrTemporary, Op: "envelope", Reason: "down"}
			}})
			w.pass(2 * day)
			w.want(id, runner.StatusHeld, 1)
			if n, err := w.run.Erase(t.Context(), anna); err != nil || n != 1 {
				t.Fatalf("%d erased, %v", n, err)
			}
			if left := traces(t, db, path, "secret"); len(left) > 0 {
				t.Errorf("of an erased person there is left %v", left)
			}
			asked = 0
			w.pass(day)
			if asked > 0 {
				t.Errorf("the headers of an erased person's mail were asked for %d times", asked)
			}
		})
	}
}

// TestErasedInASharedThread: what an erased person writes in a thread that
// holds mail to others, too, is read no more, and is nobody's answer.
func TestErasedInASharedThread(t *testing.T) { onEachStore(t, testErasedInASharedThread) }

func testErasedInASharedThread(t *testing.T, on storage) {
	w := newWorld(t, on)
	b := w.box.Beliefs()
	b.EqualSubjectsMerge = true
	w.box.SetBeliefs(b)
	w.person("anna@example.net")
	w.person("ben@example.net")
	w.enroll("anna@example.net")
	ben := w.enroll("ben@example.net").ID
	w.tick()
	w.pass(time.Hour)
	ours := w.first("anna@example.net").MessageID
	if n, err := w.run.Erase(t.Context(), "anna@example.net"); err != nil || n != 1 {
		t.Fatalf("%d erased, %v", n, err)
	}
	w.write("anna@example.net", "Re: A role in Lisbon", ours, "Please tell nobody.")
	w.write("anna@example.net", "Re: A role in Lisbon", "", "Nobody at all.")
	w.pass(day)
	w.want(ben, runner.StatusActive, 1)
	if got := directions(w.conversation(ben)); got != "out" {
		t.Errorf("the conversation with somebody else is %q", got)
	}
	for _, r := range w.office.Books().Reads() {
		if m, _ := w.box.Message(r.Number); r.Contents > 0 && strings.HasPrefix(fmt.Sprint(m.From), "[anna@") {
			t.Errorf("what an erased person wrote was read")
		}
	}
	w.sound()
}

// TestErasedMeanwhile: whatever is being done about a person when they are
// erased, nothing of them is written back, and no mail leaves any more.
func TestErasedMeanwhile(t *testing.T) {
	const anna = "anna.secretname@example.net"
	for _, when := range []string{"headers", "content", "copy", "guard", "render", "sink", "send"} {
		t.Run(when, func(t *testing.T) {
			var w *world
			var db *sql.DB
			var path string
			armed := ""
			erase := func(now string) {
				if armed == now {
					armed = ""
					if n, err := w.run.Erase(t.Context(), anna); err != nil || n != 1 {
						t.Errorf("%d erased, %v", n, err)
					}
				}
			}
			w, db, path = inFile(t, func(c *runner.Config) {
				c.Guard = func(context.Context, runner.Enrollment, sequence.Step) (runner.Verdict, error) {
					erase("guard")
					return runner.VerdictSend, nil
				}
				c.Renderer = erasingRenderer(func() { erase("render") })
			})
			w.person(anna, postoffice.Behaviour{Do: postoffice.Answer, On: 1, After: 90 * time.Minute, Text: "Secretwords."})
			w.person("ben@example.net")
			box := oddBox{}
			box.envelope = func(provider.Ref) error {
				erase("copy") // the first headers that are read
				erase("headers")
				return nil
			}
			box.content = func(provider.Ref) error { erase("content"); return nil }
			w.open.wrap = func(mb provider.Mailbox) provider.Mailbox {
				o := box
				o.Mailbox = mb
				return &sendingBox{&o, func() { erase("send") }}
			}
			if when != "headers" && when != "content" && when != "sink" {
				armed = when
			}
			w.enroll(anna, func(p *runner.EnrollParams) { p.Key = "k1" })
			w.enroll("ben@example.net")
			w.tick()
			switch when {
			case "headers", "content":
				armed = when
			case "sink":
				w.events.mu.Lock()
				w.events.err = os.ErrClosed
				w.events.mu.Unlock()
				w.clock.Advance(2 * time.Hour)
				_, _ = w.run.Tick(t.Context())
				armed = "sink"
				erase("sink")
				w.events.mu.Lock()
				w.events.err = nil
				w.events.mu.Unlock()
			}
			w.pass(9 * day)
			if armed != "" {
				t.Fatalf("nobody came by the %s", when)
			}
			if left := traces(t, db, path, "secret"); len(left) > 0 {
				t.Errorf("of an erased person there is left %v", left)
			}
			want := 1
			if when == "guard" || when == "render" {
				want = 0
			}
			if got := w.mails(anna); got != want {
				t.Errorf("%d mails left, want %d", got, want)
			}
			if got := w.mails("ben@example.net"); got != 3 {
				t.Errorf("%d mails to somebody else, want 3", got)
			}
			w.sound()
		})
	}
}

// sendingBox does something while a mail is on its way.
type sendingBox struct {
	*oddBox
	do func()
}

func (s *sendingBox) Send(ctx context.Context, m *provider.Outgoing) (provider.Receipt, error) {
	r, err := s.oddBox.Send(ctx, m)
	if strings.HasPrefix(m.To[0].Addr, "anna") {
		s.do()
	}
	return r, err
}

// erasingRenderer does something when words are filled in.
type erasingRenderer func()

func (r erasingRenderer) Render(_ context.Context, q runner.RenderRequest) (runner.Rendered, error) {
	if strings.HasPrefix(q.Enrollment.Recipient.Addr, "anna") {
		r()
	}
	return runner.Rendered{Subject: q.Step.Subject, Text: q.Step.Text, HTML: q.Step.HTML}, nil
}
