package sqlstore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/sqlstore"
)

// TestStatements counts those of each method, for many records and for more:
// no method asks for each record by itself.
func TestStatements(t *testing.T) {
	faulty(t, func(t *testing.T, s *sqlstore.Store, w *faults) {
		few, many := statements(t, s, w, "few", 40), statements(t, s, w, "many", 200)
		if !maps.Equal(few, many) {
			t.Errorf("statements for 40 records: %v, for 200: %v", few, many)
		}
	})
}

// statements calls the methods that take or return n records.
func statements(t *testing.T, s *sqlstore.Store, w *faults, name string, n int) map[string]int {
	t.Helper()
	e, ctx := s.Enrollments(), t.Context()
	count := make(map[string]int)
	do := func(method string, call func() error) {
		t.Helper()
		before := w.seen()
		if err := call(); err != nil {
			t.Fatalf("%s of %d: %v", method, n, err)
		}
		count[method] = w.seen() - before
	}
	id := func(i int) string { return fmt.Sprintf("%s-%03d", name, i) }
	for i := range n {
		if _, err := e.EnsureMailbox(ctx, id(i), "l"); err != nil {
			t.Fatal(err)
		}
	}
	var b store.Batch
	var ids []string
	var keys []store.IndexKey
	var entries []store.Entry
	for i := range n {
		next := row(id(i), start)
		next.Mailbox, next.Recipient = id(i), name+"@example.net"
		ids, keys = append(ids, id(i)), append(keys, store.IndexKey{Kind: store.IndexThread, Value: id(i)})
		b.Enrollments = append(b.Enrollments, next)
		b.Index = append(b.Index, store.IndexRow{Kind: store.IndexThread, Value: id(i), Mailbox: id(i), Enrollment: id(i), Until: start})
		b.Suppressions = append(b.Suppressions, store.Suppression{Hash: id(i)})
		b.Definitions = append(b.Definitions, store.Definition{Hash: id(i)})
		b.Outbox = append(b.Outbox, store.Event{Key: id(i)})
		entries = append(entries, store.Entry{Key: id(i), Conversation: id(i), Recipient: name + "@example.net", Owner: "o", At: start})
	}
	do("Commit", func() error { return e.Commit(ctx, b) })
	do("Load", func() error {
		rows, err := e.Load(ctx, ids)
		if len(rows) != n {
			t.Errorf("loaded %d", len(rows))
		}
		b.Enrollments = rows
		return err
	})
	var claims []store.Claim
	do("Claim", func() (err error) {
		claims, err = e.Claim(ctx, store.ClaimParams{By: "t", Now: start, TTL: time.Hour, Mailboxes: n, PerMailbox: 10})
		if len(claims) != n {
			t.Errorf("claimed %d", len(claims))
		}
		return err
	})
	fenced := store.Batch{Fence: &claims[0].Fence}
	for i := range n {
		in := store.Intent{ID: id(i), Enrollment: claims[0].Due[0].ID, Mailbox: claims[0].Mailbox.ID, State: store.IntentOpen}
		fenced.Intents = append(fenced.Intents, in)
		b.Results = append(b.Results, store.Result{Intent: id(i), State: store.IntentSent, At: start})
	}
	do("Commit intents", func() error { return e.Commit(ctx, fenced) })
	do("LoadIntents", func() error {
		rows, err := e.LoadIntents(ctx, fenced.Intents[0].Enrollment)
		if len(rows) != n {
			t.Errorf("%d intents", len(rows))
		}
		return err
	})
	b.Outbox, b.Suppressions, b.Definitions = nil, nil, nil
	do("Commit results", func() error { return e.Commit(ctx, b) })
	do("Match", func() error { _, err := e.Match(ctx, "", keys); return err })
	do("Suppressed", func() error { _, err := e.Suppressed(ctx, ids); return err })
	var seqs []int64
	do("Outbox", func() error {
		rows, err := e.Outbox(ctx, n)
		for _, ev := range rows {
			seqs = append(seqs, ev.Seq)
		}
		return err
	})
	do("Ack", func() error { return e.Ack(ctx, seqs) })
	do("Append", func() error { return s.Conversations().Append(ctx, entries) })
	do("Find", func() error {
		_, err := s.Conversations().Find(ctx, store.FindConversations{Recipient: name + "@example.net"})
		return err
	})
	do("Erase entries", func() error { _, err := s.Conversations().Erase(ctx, name+"@example.net"); return err })
	do("Erase", func() error {
		erased, err := e.Erase(ctx, name+"@example.net")
		if erased != n {
			t.Errorf("erased %d", erased)
		}
		return err
	})
	return count
}

// TestServerEndsCommit has the server end a session while it commits: nobody
// can tell what became of it, and the error says so.
func TestServerEndsCommit(t *testing.T) {
	db := openPostgres(t, postgres.DSN(t))
	s := newStore(t, db, sqlstore.Options{Dialect: sqlstore.PostgreSQL})
	fill(t, s)
	for _, query := range []string{
		"CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END'",
		"CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON outreach_outbox DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()",
	} {
		if _, err := db.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	other, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback()
	if _, err := other.Exec("SELECT pg_advisory_xact_lock(7)"); err != nil {
		t.Fatal(err)
	}
	b := change(t, s)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Enrollments().Commit(t.Context(), b); !errors.Is(err, store.ErrUnknown) {
			t.Errorf("the commit whose session ended: %v", err)
		}
	})
	waiting(t, db)
	var doing sql.NullString
	if err := db.QueryRow("SELECT query FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE NOT granted").Scan(&doing); err != nil || doing.String != "commit" {
		t.Errorf("it waits in %q, %v", doing.String, err)
	}
	if _, err := db.Exec("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	if written(t, s, b) {
		t.Error("the batch is there")
	}
	if err := s.Enrollments().Commit(t.Context(), b); err != nil {
		t.Errorf("after that: %v", err)
	}
}
