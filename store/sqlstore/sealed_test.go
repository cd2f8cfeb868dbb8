package sqlstore_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
	"github.com/outreachkit/outreach/store/sqlstore"
	"github.com/outreachkit/outreach/store/storetest"
)

func ring(t testing.TB, ids ...uint32) *seal.KeyRing {
	t.Helper()
	var p seal.KeyRingParams
	for _, id := range ids {
		p.Keys = append(p.Keys, seal.Key{ID: id, Secret: bytes.Repeat([]byte{byte(id), byte(id) + 1}, 16)})
	}
	r, err := seal.NewKeyRing(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSQLiteSealed(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		c := newClock()
		return harness(migrated(t, sqliteFile(t), sqlstore.Options{Dialect: sqlstore.SQLite, Now: c.Now, Sealer: ring(t, 1)}), c)
	})
}

func TestPostgresSealed(t *testing.T) {
	db := openPostgres(t, postgres.DSN(t))
	sealedWords(t, db, sqlstore.PostgreSQL)
}

func TestSealed(t *testing.T) { sealedWords(t, sqliteFile(t), sqlstore.SQLite) }

// spoken is an entry all of whose words are canaries.
func spoken(key, conversation string, at time.Time) store.Entry {
	return store.Entry{
		Key: key, Conversation: conversation, Mailbox: "gmail/1", Owner: "maria", Actor: "tom", Recipient: "ada@example.net", Direction: "in",
		MessageID: "canary-id@example.net", From: "canary-from", To: "canary-to", Cc: "canary-cc", Subject: "canary-subject " + key, At: at,
		Text: "canary-text", HTML: "<p>canary-html", Parts: []store.Part{{Name: "canary.pdf"}},
	}
}

// sealedWords goes through plain and sealed entries, a change of keys, and
// rows that were changed or moved.
func sealedWords(t *testing.T, db *sql.DB, dialect sqlstore.Dialect) {
	ctx := t.Context()
	open := func(s seal.Sealer, plain bool) *sqlstore.Conversations {
		return migrated(t, db, sqlstore.Options{Dialect: dialect, Prefix: "sealed_", Sealer: s, ReadPlain: plain}).Conversations()
	}
	at := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	odd := spoken("k0", "c0", at)
	odd.Subject = "\x01canary-subject"
	mustDo(t, open(nil, false).Append(ctx, []store.Entry{odd}))
	mustDo(t, open(ring(t, 1), false).Append(ctx, []store.Entry{spoken("k1", "c1", at), spoken("k2", "c1", at.Add(time.Hour))}))
	mustDo(t, open(ring(t, 2, 1), false).Append(ctx, []store.Entry{spoken("k3", "c1", at.Add(2*time.Hour)), spoken("k4", "c2", at)}))

	if n := canaries(t, db, "c0"); n == 0 {
		t.Error("the plain entry is not seen: the check sees nothing")
	}
	for _, id := range []string{"c1", "c2"} {
		if n := canaries(t, db, id); n != 0 {
			t.Errorf("%d columns of %s have open words", n, id)
		}
	}
	both := open(ring(t, 2, 1), true)
	got, err := both.Conversation(ctx, "c1")
	if err != nil || len(got) != 3 {
		t.Fatalf("%d entries, %v", len(got), err)
	}
	for i, want := range []store.Entry{spoken("k1", "c1", at), spoken("k2", "c1", at.Add(time.Hour)), spoken("k3", "c1", at.Add(2*time.Hour))} {
		if fmt.Sprint(got[i]) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got[i], want)
		}
	}
	sums, err := both.Find(ctx, store.FindConversations{})
	if err != nil || len(sums) != 3 {
		t.Fatalf("%d conversations, %v", len(sums), err)
	}
	for _, s := range sums {
		want := map[string]string{"c0": "canary-subject", "c1": "canary-subject k1", "c2": "canary-subject k4"}[s.Conversation]
		if s.Subject != want {
			t.Errorf("the subject of %s is %q, want %q", s.Conversation, s.Subject, want)
		}
	}

	fails := func(what string, c *sqlstore.Conversations, id string, target error, names string) {
		t.Helper()
		_, err := c.Conversation(ctx, id)
		if err == nil || target != nil && !errors.Is(err, target) || !strings.Contains(err.Error(), names) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", what, err)
		}
	}
	fails("plain where it must be sealed", open(ring(t, 1), false), "c0", seal.ErrPlain, "entry k0")
	fails("no Sealer", open(nil, false), "c1", seal.ErrSealed, "entry k1")
	fails("the wrong key", open(ring(t, 2), false), "c1", seal.ErrUnknownKey, "entry k1")
	if _, err := open(ring(t, 3), true).Find(ctx, store.FindConversations{}); !errors.Is(err, seal.ErrUnknownKey) || !strings.Contains(err.Error(), "subject of c1") && !strings.Contains(err.Error(), "subject of c2") {
		t.Errorf("find by the wrong key: %v", err)
	}
	resealed, err := open(ring(t, 3, 1), true).Reseal(ctx)
	if !errors.Is(err, seal.ErrUnknownKey) || resealed != (sqlstore.Resealed{Sealed: 8, Failed: 5}) {
		t.Errorf("reseal without a key: %+v, %v", resealed, err)
	}
	resealed, err = open(ring(t, 2, 1, 3), true).Reseal(ctx)
	if err != nil || resealed != (sqlstore.Resealed{Sealed: 8, Current: 5}) {
		t.Errorf("reseal: %+v, %v", resealed, err)
	}
	if n := canaries(t, db, "c0"); n != 0 {
		t.Errorf("%d columns are open after all were sealed", n)
	}
	newest := open(ring(t, 2), false)
	if got, err := newest.Conversation(ctx, "c1"); err != nil || len(got) != 3 {
		t.Errorf("%d entries, %v", len(got), err)
	}
	if sums, err := newest.Find(ctx, store.FindConversations{}); err != nil || len(sums) != 3 {
		t.Errorf("%d conversations, %v", len(sums), err)
	}
	do := func(query string) {
		t.Helper()
		if _, err := db.ExecContext(ctx, query); err != nil {
			t.Fatal(err)
		}
	}
	do("UPDATE sealed_entries SET conversation = 'c1' WHERE key = 'k4'")
	fails("moved to another conversation", both, "c1", nil, "entry k4")
	do("UPDATE sealed_entries SET conversation = 'c2' WHERE key = 'k4'")
	do("UPDATE sealed_entries SET data = (SELECT data FROM sealed_entries WHERE key = 'k1') WHERE key = 'k4'")
	fails("another's words", both, "c2", seal.ErrMoved, "entry k4")
	if n, err := both.Erase(ctx, "ada@example.net"); err != nil || n != 5 {
		t.Errorf("erased %d, %v", n, err)
	}
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// canaries counts the columns of a conversation in which words can be read.
func canaries(t *testing.T, db *sql.DB, id string) int {
	t.Helper()
	n := 0
	for _, query := range []string{"SELECT * FROM sealed_entries WHERE conversation = '" + id + "'", "SELECT * FROM sealed_conversations WHERE id = '" + id + "'"} {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		cols, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			vals, to := make([]sql.RawBytes, len(cols)), make([]any, len(cols))
			for i := range vals {
				to[i] = &vals[i]
			}
			if err := rows.Scan(to...); err != nil {
				t.Fatal(err)
			}
			for _, v := range vals {
				if bytes.Contains(v, []byte("canary")) {
					n++
				}
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return n
}
