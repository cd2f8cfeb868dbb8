package runner_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/outreachkit/outreach/internal/pgtest"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence/runner"
)

// broken is a world on a database that breaks.
type broken struct {
	*world
	wire   *wire
	db     *sql.DB // through the wire
	admin  *sql.DB // past it
	ids    map[string]string
	logged *strings.Builder
}

func newBroken(t *testing.T, on storage, dsn string) *broken {
	t.Helper()
	b := &broken{world: newWorld(t, onMemstore), logged: &strings.Builder{}}
	b.admin = on.database(t, dsn)
	b.wire = &wire{real: b.admin.Driver(), dsn: dsn}
	b.db = sql.OpenDB(b.wire)
	t.Cleanup(func() { b.db.Close() })
	if on == onSQLite {
		b.db.SetMaxOpenConns(1) // PRAGMAs are a connection's own
	}
	s := on.migrated(t, b.db, b.clock.Now)
	b.cfg.Store, b.cfg.Log = s.Enrollments(), s.Conversations()
	b.cfg.Logger = slog.New(slog.NewTextHandler(b.logged, nil))
	b.cfg.Options.Idle = 2 * time.Hour
	b.cfg.Options.Workers = 1
	b.run = b.runner()
	b.proven()
	b.person("grace@example.net")
	b.person("ben@example.net", postoffice.Behaviour{Do: postoffice.Answer, On: 2, After: time.Hour})
	long := func(p *runner.EnrollParams) { // more than the free space of a small database's pages
		for i := range p.Sequence.Steps {
			p.Sequence.Steps[i].Text += "\n" + strings.Repeat("And so on. ", 1000)
		}
	}
	b.ids = map[string]string{"grace": b.enroll("grace@example.net", long).ID, "ben": b.enroll("ben@example.net", long).ID}
	return b
}

func (b *broken) exec(db *sql.DB, query string) {
	b.t.Helper()
	var said any
	if strings.HasPrefix(query, "PRAGMA") { // is done only as far as it is read
		if err := db.QueryRowContext(b.t.Context(), query).Scan(&said); err != nil && !errors.Is(err, sql.ErrNoRows) {
			b.t.Fatalf("%s: %v", query, err)
		}
		return
	}
	if _, err := db.ExecContext(b.t.Context(), query); err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
}

// terminate ends every connection to the database but this one's own.
func (b *broken) terminate() {
	if _, err := b.admin.ExecContext(context.Background(),
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
		b.t.Errorf("terminate: %v", err)
	}
}

// ended checks that all is as if nothing had ever been broken.
func (b *broken) ended() {
	b.t.Helper()
	b.want(b.ids["grace"], runner.StatusCompleted, 3)
	b.want(b.ids["ben"], runner.StatusReplied, 2)
	for name, want := range map[string]string{"grace": "out out out", "ben": "out out in(human)"} {
		entries, err := b.cfg.Log.Conversation(b.t.Context(), b.ids[name])
		if err != nil {
			b.t.Fatal(err)
		}
		if got := directions(entries); got != want {
			b.t.Errorf("the conversation with %s is %q, want %q", name, got, want)
		}
	}
	for id, last := range map[string]string{b.ids["grace"]: "completed", b.ids["ben"]: "replied"} {
		if kinds := b.events.kinds(id); !strings.Contains(kinds, last) {
			b.t.Errorf("the host was never told %q: %s", last, kinds)
		}
	}
	b.sound()
}

// outage is a way in which a whole database does not do as asked.
type outage struct {
	begin, end func(b *broken)
	says       string // in the error
}

func outages(on storage) map[string]outage {
	refused := outage{
		begin: func(b *broken) { b.wire.down(errors.New("connection refused")) },
		end:   func(b *broken) { b.wire.down(nil) },
		says:  "connection refused",
	}
	if on == onSQLite {
		return map[string]outage{
			"no more pages": {
				begin: func(b *broken) {
					b.exec(b.db, "VACUUM")
					b.exec(b.db, "PRAGMA max_page_count = 1") // which is as many as there are
				},
				end:  func(b *broken) { b.exec(b.db, "PRAGMA max_page_count = 1000000") },
				says: "full",
			},
			"read-only": {
				begin: func(b *broken) { b.exec(b.db, "PRAGMA query_only = ON") },
				end:   func(b *broken) { b.exec(b.db, "PRAGMA query_only = OFF") },
				says:  "readonly",
			},
			"refused": refused,
		}
	}
	full := func(query string) (error, bool) {
		if strings.Contains(query, "INSERT") || strings.Contains(query, "UPDATE outreach") {
			return &pgconn.PgError{Severity: "ERROR", Code: "53100", Message: "could not extend file: No space left on device"}, false
		}
		return nil, false
	}
	readOnly := func(on string) func(b *broken) {
		return func(b *broken) {
			var name string
			if err := b.admin.QueryRowContext(b.t.Context(), "SELECT current_database()").Scan(&name); err != nil {
				b.t.Fatal(err)
			}
			b.exec(b.admin, fmt.Sprintf("ALTER DATABASE %q SET default_transaction_read_only = %s", name, on))
			b.terminate()
			b.wire.down(nil) // connections see the setting from their beginning
		}
	}
	return map[string]outage{
		"disk full": {begin: func(b *broken) { b.wire.set(full) }, end: func(b *broken) { b.wire.set(nil) }, says: "53100"},
		"read-only": {begin: readOnly("on"), end: readOnly("off"), says: "25006"},
		"refused":   refused,
	}
}

// TestOutages has the database out of order for a while every few hours of a
// drip's life. Tick says so, nothing is lost, and nothing is sent twice.
func TestOutages(t *testing.T) {
	for _, on := range databases {
		for name, o := range outages(on) {
			t.Run(string(on)+"/"+name, func(t *testing.T) { newBroken(t, on, on.empty(t)).suffer(o) })
		}
	}
}

// TestDiskFull is an outage of a real database on a real disk without room.
func TestDiskFull(t *testing.T) {
	for _, on := range databases {
		t.Run(string(on), func(t *testing.T) {
			var disk *pgtest.Disk
			var dsn string
			if on == onPostgreSQL {
				small := postgres.Small(t, 64)
				disk, dsn = small.Disk, small.DSN
			} else {
				disk = pgtest.NewDisk(t, t.TempDir(), 16)
				dsn = sqliteFile(filepath.Join(disk.Dir, "store.db"))
			}
			b := newBroken(t, on, dsn)
			must := func(err error) {
				if err != nil {
					t.Fatal(err)
				}
			}
			failed := b.suffer(outage{
				begin: func(b *broken) {
					if on == onSQLite { // what the log has of room would be written over
						b.exec(b.db, "VACUUM")
						_, err := b.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
						must(err)
					}
					must(disk.Fill())
				},
				end:  func(*broken) { must(disk.Free()) },
				says: map[storage]string{onSQLite: "full", onPostgreSQL: "53100"}[on],
			})
			if least := map[storage]int{onSQLite: 10, onPostgreSQL: 1}[on]; failed < least {
				t.Errorf("%d ticks failed, not even %d", failed, least)
			}
		})
	}
}

// suffer lives through a drip with an outage every few hours, and returns how
// many ticks failed.
func (b *broken) suffer(o outage) (failed int) {
	b.t.Helper()
	for i := 0; b.clock.Now().Before(start.Add(14 * day)); i++ {
		b.clock.Advance(time.Hour)
		if i%3 != 0 {
			o.begin(b)
			for range 2 {
				_, err := b.run.Tick(b.t.Context())
				if err == nil {
					continue
				}
				failed++
				if !strings.HasPrefix(err.Error(), "runner: ") || !strings.Contains(err.Error(), o.says) && !errors.Is(err, io.ErrUnexpectedEOF) {
					b.t.Errorf("the error is %q, without %q", err, o.says)
				}
			}
			o.end(b)
		}
		b.clock.Advance(time.Hour)
		if _, err := b.run.Tick(b.t.Context()); err != nil && (i%3 == 0 || !errors.Is(err, io.ErrUnexpectedEOF)) {
			b.t.Errorf("in order again, and Tick says %v", err)
		}
	}
	if failed == 0 {
		b.t.Error("no Tick failed")
	}
	b.t.Logf("%d ticks failed", failed)
	b.ended()
	return failed
}

// TestConnectionsLost loses connections at random statements: between two
// transactions, within one, before COMMIT and after it.
func TestConnectionsLost(t *testing.T) {
	for _, on := range databases {
		for seed := range map[storage]uint64{onSQLite: 6, onPostgreSQL: 2}[on] {
			t.Run(fmt.Sprintf("%s/%d", on, seed), func(t *testing.T) {
				b := newBroken(t, on, on.empty(t))
				rnd := rand.New(rand.NewPCG(seed, 1))
				b.wire.set(func(query string) (error, bool) {
					if rnd.IntN(30) > 0 {
						return nil, false
					}
					if on == onPostgreSQL && query != "after COMMIT" && rnd.IntN(2) == 0 {
						b.terminate() // and the statement finds out
						return nil, false
					}
					return errCut, true
				})
				failed := 0
				for b.clock.Now().Before(start.Add(30 * day)) {
					b.clock.Advance(2 * time.Hour)
					if _, err := b.run.Tick(t.Context()); err != nil {
						failed++
						if !strings.HasPrefix(err.Error(), "runner: ") {
							t.Errorf("the error is %q", err)
						}
					}
				}
				b.wire.set(nil)
				b.pass(2 * time.Hour)
				if failed < 10 || b.wire.hits < 10 {
					t.Errorf("%d ticks failed, %d connections were cut", failed, b.wire.hits)
				}
				b.ended()
			})
		}
	}
}

// TestRunGoesOn has Run outlive an outage that begins after a mail was
// accepted and before that was stored.
func TestRunGoesOn(t *testing.T) {
	for _, on := range databases {
		t.Run(string(on), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b := newBroken(t, on, on.empty(t))
			waits, down := 0, false
			b.prov.Inject(postoffice.Rule{Op: postoffice.OpSend, Fault: postoffice.FaultCall, Call: func() {
				b.wire.down(errors.New("connection refused"))
				down = true
			}})
			b.cfg.Wait = func(ctx context.Context, d time.Duration) error {
				waits++
				b.clock.Advance(d)
				if down && waits > 20 {
					b.wire.down(nil)
					down = false
				}
				if b.clock.Now().After(start.Add(20 * day)) {
					cancel()
				}
				return ctx.Err()
			}
			b.run = b.runner()
			if err := b.run.Run(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("run: %v", err)
			}
			if !strings.Contains(b.logged.String(), "tick failed, trying again") {
				t.Error("the log does not tell of the outage")
			}
			b.ended()
		})
	}
}
