package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/outreachkit/outreach/internal/pgtest"
	"github.com/outreachkit/outreach/store"
)

// statement is one whose plan matters.
type statement struct {
	name, text string
	args       []any
	want       []string // indexes that the plan names
	never      []string // what it must not do
}

// planned returns the statements, as the dialect has them.
func planned(c *core) []statement {
	keys := make([]store.IndexKey, 50)
	for i := range keys {
		keys[i] = store.IndexKey{Kind: store.IndexThread, Value: fmt.Sprint("v", i*100)}
	}
	here, hereArgs := c.matchText("box7", keys)
	all, allArgs := c.matchText("", keys)
	due := conn{core: c}.dueText()
	touch := c.pieces("", touchedMailbox, [][]any{{"box1", int64(7)}}, touchMailbox, c.list([]string{"e1"}))[0]
	scan := func(table string) []string {
		return []string{"Seq Scan on outreach_" + table, "SCAN outreach_" + table + "\n", "SCAN found\n", "SCAN first\n"}
	}
	return []statement{
		{"Claim", claimText, []any{int64(5), int64(1), int64(5), int64(1), int64(60), "p"}, []string{"outreach_mailboxes_due", "outreach_mailboxes_marked"}, scan("mailboxes")},
		{"Due", due, append([]any{c.list([]string{"box1", "box2"})}, int64(5), int64(10)), []string{"outreach_enrollments_due"}, scan("enrollments")},
		{"Open", "SELECT " + intentColumns + " FROM outreach_intents WHERE mailbox {in} AND state = 'open' ORDER BY created, id", []any{c.list([]string{"box1"})}, []string{"outreach_intents_open"}, scan("intents")},
		{"Match", here, hereArgs, nil, scan("index")},
		{"MatchAnywhere", all, allArgs, []string{"outreach_index_value"}, scan("index")},
		{"FirstDue", touch.text, touch.args, []string{"outreach_enrollments_due"}, append(scan("enrollments"), scan("mailboxes")...)},
		{"Prune", pastText, []any{int64(100), int64(1000)}, []string{"outreach_index_until"}, append(scan("index"), "Sort", "TEMP B-TREE")},
		{"Latest", latestText, []any{c.list([]string{"e1", "e2"})}, []string{"outreach_index_enrollment"}, append(scan("enrollments"), scan("index")...)},
		{"Erase", "DELETE FROM outreach_index WHERE enrollment {in}", []any{c.list([]string{"e1"})}, []string{"outreach_index_enrollment"}, scan("index")},
	}
}

// many fills the tables as a host with many mailboxes does. Where nothing is
// due, a claim must not look at all that will be.
func many(t *testing.T, db *sql.DB, series string) {
	t.Helper()
	for _, s := range []string{
		`INSERT INTO outreach_mailboxes (id, link, version, token, lease_end, claimed_by, marks, marks_taken, marks_done, marked_at, read_at)
			SELECT 'box' || n, 'l', 1, 0, 0, '', 0, 0, 0, 0, 1000000 + n FROM series WHERE n <= 20000`,
		`INSERT INTO outreach_enrollments (id, host_key, kind, mailbox, link, owner, actor, recipient, sequence, status, flagged, due, created, version)
			SELECT 'e' || n, 'h' || n, '', 'box' || (n % 1000), 'l', 'o', 'o', 'r' || n, 's', 'active', false, 1000000 + n, 0, 1 FROM series`,
		`INSERT INTO outreach_intents (id, enrollment, mailbox, step, grp, message_id, key, created, deadline, state, ref, thread, real_message_id, settled)
			SELECT 'i' || n, 'e' || n, 'box' || (n % 1000), 1, 1, '', '', n, n, CASE WHEN n % 1000 = 0 THEN 'open' ELSE 'sent' END, '', '', '', 0 FROM series`,
		`INSERT INTO outreach_index (mailbox, kind, value, enrollment, until) SELECT 'box' || (n % 1000), 'thread', 'v' || n, 'e' || n, n FROM series`,
	} {
		if _, err := db.Exec(strings.Replace(s, "FROM series", "FROM "+series, 1)); err != nil {
			t.Fatal(err)
		}
	}
}

func usesIndexes(t *testing.T, c *core, explain string) {
	t.Helper()
	for _, s := range planned(c) {
		plan := explained(t, c, explain, s)
		for _, index := range s.want {
			if !strings.Contains(plan, index) {
				t.Errorf("%s does not use %s:\n%s", s.name, index, plan)
			}
		}
		for _, bad := range s.never {
			if strings.Contains(plan, bad) {
				t.Errorf("%s scans a table:\n%s", s.name, plan)
			}
		}
	}
}

func explained(t *testing.T, c *core, explain string, s statement) string {
	t.Helper()
	rows, err := c.db.Query(explain+c.text(s.text), s.args...)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	defer rows.Close()
	cols, _ := rows.Columns()
	var b strings.Builder
	for rows.Next() {
		fields := make([]any, len(cols))
		for i := range fields {
			fields[i] = new(sql.NullString)
		}
		if err := rows.Scan(fields...); err != nil {
			t.Fatal(err)
		}
		b.WriteString(fields[len(fields)-1].(*sql.NullString).String + "\n")
	}
	return b.String()
}

// TestPlans holds that what a runner does all the time looks things up by an
// index, with the statistics of a full table and with none.
func TestPlans(t *testing.T) {
	cluster := pgtest.Lazy{Config: pgtest.Config{Driver: "pgx", Settings: []string{"autovacuum=off"}}}
	t.Cleanup(func() { cluster.Stop() })
	t.Run("PostgreSQL", func(t *testing.T) {
		db, err := sql.Open("pgx", cluster.Empty(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		s := open(t, db, PostgreSQL)
		many(t, db, "generate_series(1, 50000) AS s(n)")
		usesIndexes(t, s.h.core, "EXPLAIN ")
		if _, err := db.Exec("ANALYZE"); err != nil {
			t.Fatal(err)
		}
		usesIndexes(t, s.h.core, "EXPLAIN ")
	})
	t.Run("SQLite", func(t *testing.T) {
		db, err := sql.Open("sqlite", "file:"+t.TempDir()+"/plans.db?_pragma=synchronous(OFF)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		s := open(t, db, SQLite)
		many(t, db, "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 50000) SELECT n FROM s)")
		usesIndexes(t, s.h.core, "EXPLAIN QUERY PLAN ")
		if _, err := db.Exec("ANALYZE"); err != nil {
			t.Fatal(err)
		}
		usesIndexes(t, s.h.core, "EXPLAIN QUERY PLAN ")
	})
}

func open(t testing.TB, db *sql.DB, d Dialect) *Store {
	t.Helper()
	s, err := New(db, Options{Dialect: d})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}
