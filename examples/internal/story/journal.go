package story

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/store/sqlstore"
)

// journal is what happened to the world of mail, in order: time went on, and
// requests were made. It is a table in the hosts' database, but no host reads
// it.
type journal struct {
	conn  *sql.Conn
	table string
	n     int // entries so far
}

// entry is one line of the journal.
type entry struct {
	at      time.Time
	request []byte // as it came in; nil where only time went on
}

// openJournal returns the journal of the storage's world; nil for the memory.
func (s *Storage) openJournal(ctx context.Context) (*journal, error) {
	if s.db == nil {
		return nil, nil
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the store%s: %w", s.file, err)
	}
	// An entry need not be on the disk by itself: the hosts' commits are in the
	// same log of the database and take along what came before them. So a
	// power cut takes back the world and the hosts to the same instant.
	sync, blob := "PRAGMA synchronous=NORMAL", "BLOB"
	if s.dialect == sqlstore.PostgreSQL {
		sync, blob = "SET synchronous_commit TO off", "BYTEA"
	}
	j := &journal{conn: conn, table: s.name + "_world"}
	for _, stmt := range []string{
		sync, "CREATE TABLE IF NOT EXISTS " + j.table + " (n BIGINT PRIMARY KEY, at BIGINT NOT NULL, request " + blob + ")",
	} {
		if _, err := conn.ExecContext(ctx, stmt); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("the world's journal: %w", err)
		}
	}
	return j, nil
}

// append writes the next entry. Two processes that tell the same story at
// once would make two worlds of it: the second to write is refused.
func (j *journal) append(ctx context.Context, e entry) error {
	if j == nil {
		return nil
	}
	_, err := j.conn.ExecContext(ctx, "INSERT INTO "+j.table+" (n, at, request) VALUES ($1, $2, $3)", j.n+1, e.at.UnixMicro(), e.request)
	if err != nil {
		return fmt.Errorf("the world's journal can't be written (does another process tell the same story?): %w", err)
	}
	j.n++
	return nil
}

// replay gives each entry to do, in order.
func (j *journal) replay(ctx context.Context, do func(entry) error) error {
	if j == nil {
		return nil
	}
	rows, err := j.conn.QueryContext(ctx, "SELECT at, request FROM "+j.table+" ORDER BY n")
	if err != nil {
		return fmt.Errorf("the world's journal: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		var e entry
		if err := rows.Scan(&at, &e.request); err != nil {
			return fmt.Errorf("the world's journal: %w", err)
		}
		e.at = time.UnixMicro(at)
		j.n++
		if err := do(e); err != nil {
			return fmt.Errorf("the world's journal: entry %d: %w", j.n, err)
		}
	}
	return rows.Err()
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return j.conn.Close()
}
